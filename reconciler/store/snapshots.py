"""SQLite files that are only read, without a trace and without SQLAlchemy.

SQLite's own read-only mode still creates the ``-wal`` and ``-shm`` files, which ``immutable`` avoids as long as nobody
writes meanwhile (see ``SnapshotReads``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from reconciler.errors import StoreError
from reconciler.store import witness
from reconciler.store.failing import READ_ONLY, unusable
from reconciler.store.reading import Rows, check_up_to_date, read_progress, read_version

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")

APPLICATION_ID = 0x52434E4C
"""SQLite's mark in the file header that a database is ours and nobody else's."""

_MAGIC = b"SQLite format 3\0"
_WAL_VERSION = 2
_BUSY_S = 15.0
_ATTEMPTS = 20


def open_snapshots(path: Path) -> SnapshotReads | None:
    """The store at ``path``, to be read; None when there is none.

    Raises StoreError for what is no store, damaged, of another application, or of another version than this tool's.
    """
    with files(path):
        if not path.exists():
            return None
        reads = SnapshotReads(path, wal=is_wal(path))
    check_up_to_date(reads.look(lambda rows: checked_version(rows, path)), f"the store {path}")
    witness.check(path, reads.look(read_progress))
    return reads


@contextmanager
def files(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise StoreError(
            f"the store {path} cannot be used: {failure.strerror or type(failure).__name__}",
            hint="check the path and its permissions",
        ) from None


def is_wal(path: Path) -> bool:
    """Whether the database uses a write-ahead log. Raises StoreError when the file is no SQLite database."""
    with path.open("rb") as file:
        header = file.read(20)
    if not header:
        raise StoreError(
            f"the store {path} is an empty file, which no store ever is",
            hint="restore it from a backup, or move the file away to start without knowing what is owned",
        )
    if not header.startswith(_MAGIC) or len(header) < 20:
        raise StoreError(
            f"the store {path} is not a database",
            hint="the store URL names something else, or the file is damaged: correct the URL or restore a backup",
        )
    return header[18] == _WAL_VERSION


def connected(database: Path | str, *pragmas: str, uri: bool = False) -> sqlite3.Connection:
    # Transactions are begun where they are needed: the driver's own habit begins them late and leaves PRAGMAs outside.
    connection = sqlite3.connect(database, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, uri=uri)
    for pragma in ("foreign_keys = ON", "synchronous = FULL", *pragmas):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def checked_version(rows: Rows, path: Path) -> int:
    """The schema version, once the file is known to be ours and sound."""
    ours = rows("PRAGMA application_id") == [(APPLICATION_ID,)]
    tables = [name for (name,) in rows("SELECT name FROM sqlite_master WHERE type = 'table'")] if ours else []
    found = read_version(tables, rows)
    if found is None:
        raise StoreError(f"the database {path} belongs to another application", hint="give the store a file of its own")
    if rows("PRAGMA quick_check(1)") != [("ok",)]:
        raise StoreError(
            f"the store {path} is damaged",
            hint="restore it from a backup; do not delete it, or what it owns becomes unknown",
        )
    return found


class SnapshotReads:
    """A store that is only read. Each read is a short connection of its own.

    While a writer is there (its log exists), SQLite keeps reader and writer apart. While none is, the file is opened as
    immutable, and a read during which somebody wrote after all is done again.
    """

    session_locks = False

    def __init__(self, path: Path, *, wal: bool) -> None:
        self._path = path
        self._wal = wal
        self._immutable = False
        self._lock = Lock()

    def look(self, query: Callable[[Rows], T]) -> T:
        return self._settled(lambda: self._once(query))

    def read(self, query: Callable[[Connection], T]) -> T:
        from reconciler.store.database import told  # and SQLAlchemy
        from reconciler.store.sqlite import engine_of

        def once() -> T:
            engine = engine_of(self._connect, "BEGIN")
            with told(str(self._path)), engine.connect() as connection, connection.begin():
                return query(connection)

        return self._settled(once)

    def _settled(self, once: Callable[[], T]) -> T:
        """What ``once`` returns of a file that held still meanwhile."""
        with self._lock, files(self._path):
            for _ in range(_ATTEMPTS):
                before = self._stamp()
                self._immutable = self._wal and not self._being_written()
                try:
                    result = once()
                except StoreError:
                    if self._held_still(before):
                        raise
                    continue
                if self._held_still(before):
                    return result
        raise StoreError(f"the store {self._path} is being written all the time", hint="try again later")

    def write(self) -> AbstractContextManager[Connection]:
        raise StoreError(READ_ONLY)

    def close(self) -> None:
        """Nothing is open between two reads."""

    def _connect(self) -> sqlite3.Connection:
        options = "mode=ro&immutable=1" if self._immutable else "mode=ro"
        return connected(f"{self._path.absolute().as_uri()}?{options}", uri=True)

    def _once(self, query: Callable[[Rows], T]) -> T:
        try:
            with closing(self._connect()) as connection:
                connection.execute("BEGIN")
                return query(lambda sql, **values: connection.execute(sql, values).fetchall())
        except sqlite3.Error as failure:
            raise unusable(str(self._path), str(failure)) from None

    def _being_written(self) -> bool:
        log = self._path.with_name(self._path.name + "-wal")
        return log.exists() and log.stat().st_size > 0

    def _stamp(self) -> tuple[int, int, int]:
        stat = self._path.stat()
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _held_still(self, before: tuple[int, int, int]) -> bool:
        return not self._immutable or (self._stamp() == before and not self._being_written())
