"""What we own, what was done and who is at it: inventory, journal, used plans and leases, in SQLite or PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from reconciler.errors import StoreError
from reconciler.store.leases import LEASE_TTL, Holder, Lease
from reconciler.store.postgresql import open_server
from reconciler.store.records import (
    Intent,
    OperationRecord,
    OperationState,
    OpId,
    Outcome,
    RunRecord,
    intent_of,
    path_template,
)
from reconciler.store.sqlite import open_file, open_memory
from reconciler.store.store import Clock, Run, Store, utc_now

__all__ = [
    "DEFAULT_URL",
    "LEASE_TTL",
    "Holder",
    "Intent",
    "Lease",
    "OpId",
    "OperationRecord",
    "OperationState",
    "Outcome",
    "Run",
    "RunRecord",
    "Store",
    "intent_of",
    "open_store",
    "path_template",
]

DEFAULT_URL = "sqlite:///.reconciler/store.db"

_MEMORY = {"", ":memory:"}


def open_store(url: str, *, namespace: str, create: bool, root: Path | None = None, clock: Clock = utc_now) -> Store:
    """The store at ``url``: ``sqlite:///FILE``, ``sqlite://`` (in memory) or ``postgresql://…``.

    ``namespace`` keeps projects and environments in one database apart. ``create`` is for commands that write: it makes
    the store when there is none and brings an older one up to date. Without it nothing is ever made or changed, and a
    store that is not there reads as one that knows nothing. A relative FILE is below ``root``.

    Raises StoreError, with a remedy, for a URL or a store that cannot be used; its text never holds a password.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        if (parsed.database or "") in _MEMORY:
            database = open_memory(clock()) if create else None
        else:
            database = open_file((root or Path()) / str(parsed.database), create=create, now=clock())
    else:
        database = open_server(parsed, create=create, now=clock())
    return Store(database, namespace=namespace, clock=clock)


def _parsed(url: str) -> URL:
    hint = f"write {DEFAULT_URL} or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The text that cannot be parsed may hold a password: it is not repeated, nor kept as a cause.
        raise StoreError("the store URL cannot be understood", hint=hint) from None
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite":
            if parsed.query:
                raise StoreError("a store URL for SQLite takes no options", hint=hint)
            return parsed
        case "postgresql" | "postgres" | "postgresql+psycopg":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise StoreError(f"a store cannot be kept in {other}", hint=hint)
