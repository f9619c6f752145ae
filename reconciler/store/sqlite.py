"""SQLite: how its file is made, checked and opened.

Two things are not left to SQLite. A store appears whole or not at all: it is made under another name and then linked
into place, so that a file that exists and is not a store is damage, never "empty". And a command that only reads
leaves no trace: SQLite's own read-only mode still creates the ``-wal`` and ``-shm`` files, which ``immutable`` avoids
as long as nobody writes meanwhile (see ``SnapshotReads``).
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from reconciler.errors import StoreError
from reconciler.store import witness
from reconciler.store.database import READ_ONLY, Connected, Database, told
from reconciler.store.migrations import check_version, found_version, initialise, migrate
from reconciler.store.schema import APPLICATION_ID, SCHEMA_VERSION

T = TypeVar("T")

_MAGIC = b"SQLite format 3\0"
_WAL_VERSION = 2
_BUSY_S = 15.0
_SNAPSHOT_ATTEMPTS = 20
_FOLDER = ".reconciler"


def open_memory(now: datetime) -> Database:
    """A store that lives as long as this process."""
    engine = _engine(lambda: _connected(":memory:"), "BEGIN IMMEDIATE")
    connection = engine.connect()
    with connection.begin():
        initialise(connection, now)
    return Connected(connection, place="in memory", session_locks=False)


def open_file(path: Path, *, create: bool, now: datetime) -> Database | None:
    """The store at ``path``. With ``create`` false it is only read, and None when there is none.

    Raises StoreError for what is no store, damaged, of another application, or newer than this tool.
    """
    with _files(path), told(str(path)):
        if not path.exists():
            if not create:
                return None
            _make(path, now)
        wal = _is_wal(path)
        return _open_to_write(path) if create else _open_to_read(path, wal=wal)


@contextmanager
def _files(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise StoreError(
            f"the store {path} cannot be used: {failure.strerror or type(failure).__name__}",
            hint="check the path and its permissions",
        ) from None


def _is_wal(path: Path) -> bool:
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


def _connected(database: Path | str, *pragmas: str, uri: bool = False) -> sqlite3.Connection:
    # Transactions are begun by ``_engine``: the driver's own habit begins them late and leaves PRAGMAs outside.
    connection = sqlite3.connect(database, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, uri=uri)
    for pragma in ("foreign_keys = ON", "synchronous = FULL", *pragmas):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _engine(connect: Callable[[], sqlite3.Connection], begin: str) -> Engine:
    """An engine whose transactions start with ``begin``: a writer takes the lock at once, and waits for it if it must.

    Taking it later, when a read turns into a write, fails instead of waiting.
    """
    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _make(path: Path, now: datetime) -> None:
    if not path.parent.exists():
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)  # another first run may be quicker
        if path.parent.name == _FOLDER:
            # The key behind the member hashes is in there: committed to Git, it would undo them.
            (path.parent / ".gitignore").write_text("*\n")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        engine = _engine(lambda: _connected(draft, "journal_mode = WAL"), "BEGIN IMMEDIATE")
        with engine.connect() as connection, connection.begin():
            initialise(connection, now)
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        _appear(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _appear(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return  # another process was quicker, and its store is as good
    except OSError:
        # A file system without hard links: there, two processes that make the store at once are not kept apart.
        draft.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _open_to_write(path: Path) -> Database:
    connection = _engine(lambda: _connected(path), "BEGIN IMMEDIATE").connect()
    try:
        with connection.begin():
            migrate(connection, _checked_version(connection, path))
            witness.check(path, witness.progress(connection))
    except BaseException:
        connection.close()
        raise
    return _File(connection, path)


class _File(Connected):
    """A file that is written to, with the mark of how far it has got."""

    def __init__(self, connection: Connection, path: Path) -> None:
        super().__init__(connection, place=str(path), session_locks=False)
        self._path = path

    def close(self) -> None:
        with suppress(StoreError):
            witness.leave(self._path, self.read(witness.progress))
        super().close()


def _open_to_read(path: Path, *, wal: bool) -> Database:
    reads = SnapshotReads(path, wal=wal)
    found = reads.read(lambda connection: _checked_version(connection, path))
    check_version(found)
    if found < SCHEMA_VERSION:
        raise StoreError(
            f"an older reconciler wrote the store {path} (schema {found}, now {SCHEMA_VERSION})",
            hint="`reconciler apply` brings it up to date; commands that only read do not change it",
        )
    witness.check(path, reads.read(witness.progress))
    return reads


def _checked_version(connection: Connection, path: Path) -> int:
    """The schema version, once the file is known to be ours and sound."""
    application_id = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    found = found_version(connection) if application_id == APPLICATION_ID else None
    if found is None:
        raise StoreError(f"the database {path} belongs to another application", hint="give the store a file of its own")
    if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one() != "ok":
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
        self._engine = _engine(self._connect, "BEGIN")

    def read(self, query: Callable[[Connection], T]) -> T:
        with self._lock, _files(self._path):
            for _ in range(_SNAPSHOT_ATTEMPTS):
                before = self._stamp()
                self._immutable = self._wal and not self._being_written()
                try:
                    result = self._once(query)
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
        self._engine.dispose()

    def _connect(self) -> sqlite3.Connection:
        options = "mode=ro&immutable=1" if self._immutable else "mode=ro"
        return _connected(f"{self._path.absolute().as_uri()}?{options}", uri=True)

    def _once(self, query: Callable[[Connection], T]) -> T:
        with told(str(self._path)), self._engine.connect() as connection, connection.begin():
            return query(connection)

    def _being_written(self) -> bool:
        log = self._path.with_name(self._path.name + "-wal")
        return log.exists() and log.stat().st_size > 0

    def _stamp(self) -> tuple[int, int, int]:
        stat = self._path.stat()
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _held_still(self, before: tuple[int, int, int]) -> bool:
        return not self._immutable or (self._stamp() == before and not self._being_written())
