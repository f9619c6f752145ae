"""PostgreSQL: how the tables are made and the connection opened.

The connection is kept for the whole command. When it ends, so do the locks behind the leases, and the command must not
go on as if it still held them: nothing here connects again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.pool import NullPool

from reconciler.errors import StoreError
from reconciler.store.database import Connected, told
from reconciler.store.known import Database
from reconciler.store.migrations import found_version, initialise, migrate
from reconciler.store.reading import check_up_to_date

_CONNECT_TIMEOUT_S = "10"
_MAKING = 0x5245434F4E43494C
"""The advisory lock under which tables are made and migrated, so that two first runs do not collide."""


def open_server(url: URL, *, create: bool, now: datetime) -> Database | None:
    """The store in the database ``url`` names. With ``create`` false it is only read, and None when there is none.

    Raises StoreError when the server cannot be reached or refuses, with a text that holds no password.
    """
    place = url.set(password=None, query={}).render_as_string()
    with told(place, *_secrets(url)), _driver_installed():
        connection = _connect(url, read_only=not create)
        try:
            exists = _prepare(connection, now) if create else _check(connection)
        except BaseException:
            connection.close()
            raise
        if not exists:
            connection.close()
            return None
        return Connected(connection, place=place, session_locks=True, read_only=not create)


def _connect(url: URL, *, read_only: bool) -> Connection:
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": _CONNECT_TIMEOUT_S})
    # A reader makes several queries and must see one state; a writer is alone already, by its leases.
    level = "REPEATABLE READ" if read_only else "READ COMMITTED"
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True, isolation_level=level)
    return engine.connect().execution_options(postgresql_readonly=read_only)


def _prepare(connection: Connection, now: datetime) -> bool:
    with connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MAKING})
        found = found_version(connection)
        if found is None:
            initialise(connection, now)
        else:
            migrate(connection, found)
        # An intent that a power cut can lose is worth nothing. A stronger setting than "on" is left alone.
        connection.execute(
            text(
                "SELECT set_config('synchronous_commit', 'on', false)"
                " WHERE current_setting('synchronous_commit') = 'off'"
            )
        )
    return True


def _check(connection: Connection) -> bool:
    with connection.begin():
        found = found_version(connection)
    if found is None:
        return False
    check_up_to_date(found, "this store")
    return True


@contextmanager
def _driver_installed() -> Iterator[None]:
    try:
        yield
    except ImportError:
        raise StoreError(
            "the PostgreSQL driver is not installed", hint="pip install 'reconciler[postgresql]'"
        ) from None


def _secrets(url: URL) -> tuple[str, ...]:
    """Every spelling of what the URL keeps secret; longest first, so that no part of one is left over."""
    found = {str(url.password or "")}
    for name, value in url.query.items():
        if "password" in name.lower():
            found.update([value] if isinstance(value, str) else value)
    spelled = {spelling for secret in found for spelling in (secret, quote(secret, safe=""), quote_plus(secret))}
    return tuple(sorted(spelled - {""}, key=len, reverse=True))
