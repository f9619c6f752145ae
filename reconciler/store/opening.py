"""Which database a URL means, and how it is opened."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from reconciler.errors import StoreError
from reconciler.store.known import DEFAULT_URL
from reconciler.store.postgresql import open_server
from reconciler.store.snapshots import open_snapshots
from reconciler.store.sqlite import open_file, open_memory
from reconciler.store.store import Clock, Store, utc_now

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
            path = (root or Path()) / str(parsed.database)
            database = open_file(path, now=clock()) if create else open_snapshots(path)
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
