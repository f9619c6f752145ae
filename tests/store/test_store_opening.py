"""How a store is made and opened: whole, private, without a trace when only read, and never taken for empty."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, make_url, text

from reconciler.errors import StoreError
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.inventory import Inventory, Owned
from reconciler.store import DEFAULT_URL, Store, known_at, open_store
from reconciler.store import migrations as migrations_module
from reconciler.store.known import _FILE
from reconciler.store.migrations import MIGRATIONS, found_version, migrate
from reconciler.store.reading import SCHEMA_VERSION
from reconciler.store.snapshots import SnapshotReads

VERSION_1 = Path(__file__).parent / "version_1.sql"
LIST = Address("main", Kind.LIST, "join")
OWNED = Owned(address=LIST, provider="slicktext", remote_id=RemoteId("2222"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".reconciler" / "store.db"


def at(path: Path, *, create: bool) -> Store:
    return open_store(f"sqlite:///{path}", namespace="acme/prod", create=create)


@pytest.fixture
def made(path: Path) -> Path:
    """A store that owns one list."""
    with at(path, create=True) as store:
        run = store.begin_run("apply", tool_version="1.0")
        run.own(OWNED)
        run.close(exit_code=0)
    return path


def tree(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file below ``folder``: its mode, time of change and content."""
    return {
        str(file.relative_to(folder)): (file.stat().st_mode, file.stat().st_mtime_ns, file.read_bytes())
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_the_store_is_private(made: Path) -> None:
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    with at(made, create=True) as store:
        store.begin_run("apply", tool_version="1.0")
        log = made.with_name("store.db-wal")
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_the_folder_keeps_itself_out_of_git(made: Path) -> None:
    assert sorted(file.name for file in made.parent.iterdir()) == [".gitignore", "store.db", "store.db.seen"]
    assert (made.parent / ".gitignore").read_text() == "*\n"


def test_a_relative_path_is_below_the_root(tmp_path: Path) -> None:
    open_store(DEFAULT_URL, namespace="", create=True, root=tmp_path).close()
    assert (tmp_path / ".reconciler" / "store.db").exists()


def test_reading_what_is_not_there_makes_nothing(path: Path, tmp_path: Path) -> None:
    with at(path, create=False) as store:
        assert not store.exists
        assert not store.inventory().exists
        assert store.runs() == store.open_intents() == store.unresolved() == store.operations("x") == ()
        assert store.unfinished_runs() == ()
        assert store.holder("x") is None
        assert store.run_of_request("x") is None
        assert not store.plan_used("d")
        with pytest.raises(StoreError, match="may not change"):
            store.begin_run("apply", tool_version="1.0")
    assert list(tmp_path.iterdir()) == []


def test_reading_leaves_no_trace(made: Path) -> None:
    before = tree(made.parent)
    with at(made, create=False) as store:
        assert LIST in store.inventory().owned
        assert len(store.runs()) == 1
        with pytest.raises(StoreError, match="may not change"):
            store.begin_run("apply", tool_version="1.0")
        with pytest.raises(StoreError):
            store.end_run("x", exit_code=0)
    assert tree(made.parent) == before


def test_a_folder_nobody_may_write_to_can_be_read(made: Path) -> None:
    made.parent.chmod(0o500)
    try:
        with at(made, create=False) as store:
            assert LIST in store.inventory().owned
    finally:
        made.parent.chmod(0o700)


def test_a_reader_sees_what_a_writer_has_just_written(path: Path) -> None:
    with at(path, create=True) as writer:
        run = writer.begin_run("apply", tool_version="1.0")
        with at(path, create=False) as reader:
            assert reader.inventory().owned == {}
            run.own(OWNED)
            assert reader.inventory().owned == {LIST: OWNED}
    with at(path, create=False) as reader:
        assert reader.inventory().owned == {LIST: OWNED}


def test_a_read_during_which_somebody_wrote_is_done_again(made: Path) -> None:
    reads = SnapshotReads(made, wal=True)
    seen: list[int] = []

    def query(connection: Connection) -> int:
        if not seen:
            with at(made, create=True) as writer:
                writer.begin_run("apply", tool_version="1.0").disown(LIST)
        seen.append(connection.execute(text("SELECT count(*) FROM reconciler_inventory")).scalar_one())
        return seen[-1]

    assert reads.read(query) == 0
    assert len(seen) == 2
    reads.close()


def test_a_read_that_never_gets_a_quiet_moment_gives_up(made: Path) -> None:
    reads = SnapshotReads(made, wal=True)

    def query(connection: Connection) -> None:
        os.utime(made)

    with pytest.raises(StoreError, match="all the time"):
        reads.read(query)
    reads.close()


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    "content",
    [b"", b"manifests: [x]\n", b"SQLite format 3\0", b"SQLite format 3\0" + b"\xff" * 4096, os.urandom(8192)],
    ids=["empty", "text", "header", "header and rubbish", "random"],
)
def test_what_is_no_store_is_refused_and_left_alone(path: Path, content: bytes, create: bool) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreError) as raised:
        at(path, create=create)
    assert raised.value.hint
    assert path.read_bytes() == content


@pytest.mark.parametrize("create", [True, False])
def test_a_folder_is_no_store(path: Path, create: bool) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreError):
        at(path, create=create)


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("statement", ["CREATE TABLE notes (a)", "PRAGMA application_id = 252006673"])
def test_the_database_of_another_application_is_refused(path: Path, statement: str, create: bool) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
        connection.execute("CREATE TABLE IF NOT EXISTS notes (a)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another application"):
        at(path, create=create)
    assert path.read_bytes() == before


@pytest.mark.parametrize("create", [True, False])
def test_a_damaged_store_is_never_empty(made: Path, create: bool) -> None:
    whole = made.read_bytes()
    page = 4096
    for broken in (
        whole[: len(whole) // 2],
        whole[:page],
        whole[:page] + b"\xa5" * (len(whole) - page),
        whole[: 2 * page] + b"\0" * page + whole[3 * page :],
    ):
        made.write_bytes(broken)
        with pytest.raises(StoreError) as raised:
            at(made, create=create)
        assert raised.value.hint


@pytest.mark.parametrize("create", [True, False])
def test_a_store_without_its_meta_row_is_damaged(made: Path, create: bool) -> None:
    for statement in ("DELETE FROM reconciler_meta", "DROP TABLE reconciler_meta"):
        _sql(made, statement)
        with pytest.raises(StoreError, match="damaged"):
            at(made, create=create)


def _sql(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("create", [True, False])
def test_a_newer_store_is_refused(made: Path, create: bool) -> None:
    _sql(made, f"UPDATE reconciler_meta SET schema_version = {SCHEMA_VERSION + 1}")
    before = made.read_bytes()
    with pytest.raises(StoreError, match="newer") as raised:
        at(made, create=create)
    assert "upgrade" in raised.value.hint
    assert made.read_bytes() == before


def _to_version_1(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE reconciler_inventory ADD COLUMN protect BOOLEAN NOT NULL DEFAULT false")


@pytest.fixture
def version_0(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store as a version 0 that never was would have left it: without protection."""
    _sql(
        made,
        "ALTER TABLE reconciler_leases DROP COLUMN command",
        "ALTER TABLE reconciler_inventory DROP COLUMN protect",
        "UPDATE reconciler_meta SET schema_version = 0",
    )
    return made


def test_an_older_store_is_brought_up_to_date(version_0: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations_module, "MIGRATIONS", {0: _to_version_1, **MIGRATIONS})
    with pytest.raises(StoreError, match="older"):
        at(version_0, create=False)
    with at(version_0, create=True) as store:
        assert store.inventory().owned == {LIST: OWNED}
    with at(version_0, create=False) as store:
        assert store.inventory().owned == {LIST: OWNED}


@pytest.fixture
def version_1(path: Path) -> Path:
    """A store that schema version 1 really wrote."""
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1.read_text(encoding="utf-8"))
    connection.close()
    return path


def test_a_store_of_version_1_keeps_all_it_knew(version_1: Path) -> None:
    before = version_1.read_bytes()
    with pytest.raises(StoreError, match="older") as raised:
        at(version_1, create=False)
    assert "apply" in raised.value.hint
    assert version_1.read_bytes() == before
    with at(version_1, create=True) as store:
        inventory = store.inventory()
        assert sorted(map(str, inventory.owned)) == ["main/List/join", "main/Membership/join-members"]
        assert inventory.owned[LIST].protect
        people = inventory.owned[Address("main", Kind.MEMBERSHIP, "join-members")]
        assert people.added == people.applied == {bytes([n]) * 12 for n in (1, 2, 3)}
        assert inventory.key == bytes(32)
        assert inventory.last_reads["main"].objects == {Kind.LIST: 4}
        (open_,) = store.open_intents()
        assert open_.intent.known_ids == {"7", "8"}
        assert store.plan_used("scrypt$1$salt$hash")
        assert store.acquire(["slicktext:api.example.com:123"], command="apply").taken_over == ()
        (holder,) = store.holders()
        assert (holder.command, holder.epoch) == ("apply", 2)
    with at(version_1, create=False) as store:
        assert store.inventory().exists


def test_a_migration_that_dies_half_way_leaves_the_old_version(version_1: Path) -> None:
    """SIGKILL after the table was changed and before it was committed."""
    script = (
        "import os, sys, signal\n"
        "from reconciler.store import migrations, open_store\n"
        "step = migrations.MIGRATIONS[1]\n"
        "def dies(connection):\n"
        "    step(connection)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "migrations.MIGRATIONS = {1: dies}\n"
        "open_store(sys.argv[1], namespace='acme/prod', create=True)\n"
    )
    died = subprocess.run([sys.executable, "-c", script, f"sqlite:///{version_1}"], check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL
    connection = sqlite3.connect(version_1)
    assert connection.execute("SELECT schema_version FROM reconciler_meta").fetchone() == (1,)
    assert "command" not in [row[1] for row in connection.execute("PRAGMA table_info(reconciler_leases)")]
    connection.close()
    with at(version_1, create=True) as store:
        assert len(store.inventory().owned) == 2


def test_a_migration_that_fails_changes_nothing(version_0: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails_late(connection: Connection) -> None:
        _to_version_1(connection)
        connection.exec_driver_sql("UPDATE reconciler_nowhere SET x = 1")

    monkeypatch.setattr(migrations_module, "MIGRATIONS", {0: fails_late})
    with pytest.raises(StoreError):
        at(version_0, create=True)
    connection = sqlite3.connect(version_0)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(reconciler_inventory)")]
    (version,) = connection.execute("SELECT schema_version FROM reconciler_meta").fetchone()
    connection.close()
    assert "protect" not in columns
    assert version == 0


def test_a_store_too_old_to_be_brought_up_to_date_is_refused(version_0: Path) -> None:
    with pytest.raises(StoreError, match="no way is known"):
        at(version_0, create=True)


def test_migrations_run_in_order(made: Path) -> None:
    done: list[int] = []
    steps = {version: lambda c, version=version: done.append(version) for version in (1, 2, 3)}
    with at(made, create=True) as store, store._existing().write() as connection:
        migrate(connection, 1, wanted=4, steps=steps)
        assert found_version(connection) == 4
    assert done == [1, 2, 3]


def test_a_store_in_memory_lasts_as_long_as_it_is_open() -> None:
    with open_store("sqlite://", namespace="acme", create=True) as store:
        store.begin_run("apply", tool_version="1.0").own(OWNED)
        assert store.inventory().owned == {LIST: OWNED}
    with open_store("sqlite://", namespace="acme", create=False) as store:
        assert not store.exists


def _open_together(path: Path, start: Any, results: Any) -> None:
    start.wait()
    with at(path, create=True) as store:
        store.begin_run("apply", tool_version="1.0")
        results.put(store.inventory().key)


def test_two_first_runs_make_one_store(path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    start, results = spawn.Barrier(3), spawn.Queue()
    processes = [spawn.Process(target=_open_together, args=(path, start, results)) for _ in range(3)]
    for process in processes:
        process.start()
    keys = {results.get(timeout=60) for _ in processes}
    for process in processes:
        process.join()
    assert len(keys) == 1
    with at(path, create=False) as store:
        assert len(store.runs()) == 3
    assert list(path.parent.glob(".*.new")) == []


def test_a_file_system_without_hard_links_will_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    at(path, create=True).close()
    with at(path, create=False) as store:
        assert store.exists


def test_a_store_that_is_a_copy_in_another_journal_mode_can_be_read(made: Path) -> None:
    connection = sqlite3.connect(made)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    before = tree(made.parent)
    with at(made, create=False) as store:
        assert store.inventory().owned == {LIST: OWNED}
    assert tree(made.parent) == before


def test_the_log_of_a_killed_writer_counts(made: Path, tmp_path: Path) -> None:
    with at(made, create=True) as store:
        store.begin_run("apply", tool_version="1.0").disown(LIST)
        shutil.copytree(made.parent, tmp_path / "copy")
    with at(tmp_path / "copy" / "store.db", create=False) as store:
        assert store.inventory().owned == {}


@pytest.mark.parametrize("url", ["sqlite:///a.db", "sqlite:////tmp/a b.db", "sqlite:///./é/+a=b,c&d;e.db", DEFAULT_URL])
def test_a_url_that_is_only_a_path_means_what_sqlalchemy_makes_of_it(url: str) -> None:
    plain = _FILE.fullmatch(url)

    assert plain is not None
    assert plain[1] == make_url(url).database


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///a.db?mode=ro", "sqlite:///a%20b.db"])
def test_any_other_url_is_left_to_sqlalchemy(url: str) -> None:
    assert _FILE.fullmatch(url) is None


def test_what_is_known_is_the_inventory_of_the_store(made: Path, tmp_path: Path) -> None:
    with known_at(f"sqlite:///{made}", namespace="acme/prod", root=tmp_path) as known:
        assert known.exists
        assert known.inventory().owned == {LIST: OWNED}
    with known_at("sqlite:///elsewhere.db", namespace="acme/prod", root=tmp_path) as known:
        assert known.inventory() == Inventory(exists=False)


@pytest.mark.parametrize(
    "url",
    ["", "store.db", "mysql://root:hunter2@localhost/x", "sqlite:///x.db?mode=ro", "postgresql://u:hunter2@h:port/x"],
)
def test_a_url_that_will_not_do_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(StoreError) as raised:
        open_store(url, namespace="", create=True)
    assert raised.value.hint
    assert "hunter2" not in f"{raised.value} {raised.value.hint}"
    assert raised.value.__cause__ is None
