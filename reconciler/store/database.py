"""One open database: its transactions, and its failures as ``StoreError``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from reconciler.errors import StoreError
from reconciler.store.failing import READ_ONLY, unusable
from reconciler.store.reading import Rows

T = TypeVar("T")


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

    def look(self, query: Callable[[Rows], T]) -> T:
        return self.read(lambda connection: query(rows_of(connection)))

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
        detail = str(failure.orig)
    except SQLAlchemyError as failure:
        detail = type(failure).__name__
    except UnicodeEncodeError:
        detail = "a text cannot be written as UTF-8"
    else:
        return
    for secret in secrets:
        detail = detail.replace(secret, "***")
    raise unusable(place, detail) from None


def rows_of(connection: Connection) -> Rows:
    """``connection`` for queries in plain SQL."""
    return lambda sql, **values: [tuple(row) for row in connection.execute(text(sql), values)]
