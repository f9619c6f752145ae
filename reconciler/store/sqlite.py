"""SQLite: how its file is made and opened to be written to.

A store appears whole or not at all: it is made under another name and then linked into place, so that a file that
exists and is not a store is damage, never "empty".
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from reconciler.errors import StoreError
from reconciler.store import witness
from reconciler.store.database import Connected, rows_of, told
from reconciler.store.known import Database
from reconciler.store.migrations import initialise, migrate
from reconciler.store.reading import read_progress
from reconciler.store.snapshots import APPLICATION_ID, checked_version, connected, files, is_wal

_FOLDER = ".reconciler"


def open_memory(now: datetime) -> Database:
    """A store that lives as long as this process."""
    engine = engine_of(lambda: connected(":memory:"), "BEGIN IMMEDIATE")
    connection = engine.connect()
    with connection.begin():
        initialise(connection, now)
    return Connected(connection, place="in memory", session_locks=False)


def open_file(path: Path, *, now: datetime) -> Database:
    """The store at ``path``, to be written to; made when there is none. See ``snapshots`` for one that is only read.

    Raises StoreError for what is no store, damaged, of another application, or newer than this tool.
    """
    with files(path), told(str(path)):
        if not path.exists():
            _make(path, now)
        is_wal(path)
        return _open_to_write(path)


def engine_of(connect: Callable[[], sqlite3.Connection], begin: str) -> Engine:
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
        engine = engine_of(lambda: connected(draft, "journal_mode = WAL"), "BEGIN IMMEDIATE")
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
    connection = engine_of(lambda: connected(path), "BEGIN IMMEDIATE").connect()
    try:
        with connection.begin():
            rows = rows_of(connection)
            migrate(connection, checked_version(rows, path))
            witness.check(path, read_progress(rows))
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
            witness.leave(self._path, self.look(read_progress))
        super().close()
