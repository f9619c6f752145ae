"""One open database: its transactions, and its failures as ``StoreError``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import RLock
from typing import Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from reconciler.errors import StoreError

T = TypeVar("T")

READ_ONLY = "this command reads the store and may not change it"


class Database(Protocol):
    """What the store needs of a database. ``session_locks``: it can hold a lock for as long as its connection lives."""

    session_locks: bool

    def read(self, query: Callable[[Connection], T]) -> T:
        """``query`` on one consistent state of the store."""
        ...

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction, durable when the block ends. Within a block of the same thread it joins the outer one."""
        ...

    def close(self) -> None: ...


class Connected:
    """A database with one connection, shared by all threads in turn."""

    def __init__(self, connection: Connection, *, place: str, session_locks: bool, read_only: bool = False) -> None:
        self.session_locks = session_locks
        self._connection = connection
        self._place = place
        self._read_only = read_only
        self._lock = RLock()
        self._spoiled = False

    def read(self, query: Callable[[Connection], T]) -> T:
        with self._transaction() as connection:
            return query(connection)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if self._read_only:
            raise StoreError(READ_ONLY)
        with self._transaction() as connection:
            yield connection

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._lock, told(self._place):
            self._still_there()
            if self._connection.in_transaction():
                with self._part_of_a_batch():
                    yield self._connection
                return
            self._spoiled = False
            with self._connection.begin():
                yield self._connection
                # PostgreSQL answers COMMIT of a failed transaction with a silent rollback: say it aloud.
                if self._spoiled:
                    raise StoreError("one part of a batch could not be recorded, so none of it was")

    @contextmanager
    def _part_of_a_batch(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._spoiled = True
            raise

    def _still_there(self) -> None:
        # SQLAlchemy would connect again by itself, without the locks that the lost connection held.
        if self._connection.invalidated:
            raise StoreError(
                f"the connection to the store {self._place} was lost",
                hint="run the command again; it first settles what this run left open",
            )

    def close(self) -> None:
        with self._lock:
            self._connection.close()
            self._connection.engine.dispose()


@contextmanager
def told(place: str, *secrets: str) -> Iterator[None]:
    """Whatever a database says, as a ``StoreError`` that names ``place`` and none of ``secrets``.

    The cause is cut off: a driver's exception may carry its connection string or a statement's values.
    """
    try:
        yield
    except DBAPIError as failure:
        detail = str(failure.orig).strip().split("\n")[0]
    except SQLAlchemyError as failure:
        detail = type(failure).__name__
    except UnicodeEncodeError:
        detail = "a text cannot be written as UTF-8"
    else:
        return
    for secret in secrets:
        detail = detail.replace(secret, "***")
    raise StoreError(f"the store {place} cannot be used: {detail}", hint=_remedy(detail)) from None


def _remedy(detail: str) -> str:
    text = detail.lower()
    remedies = {
        "locked": "another reconciler is writing to it; try again when that one is done",
        "malformed": "restore it from a backup; do not delete it, or what it owns becomes unknown",
        "not a database": "the store URL names something else; correct it, or move that file away",
        "readonly": "this user may not write to it",
        "disk is full": "make room; nothing was recorded",
        "password": "check the user name and password of the store URL",
        "connect": "check that the database server runs, and the host and port of the store URL",
        "permission": "this user may not read or write it",
    }
    return next((remedy for sign, remedy in remedies.items() if sign in text), "check the store URL")
