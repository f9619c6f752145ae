"""What is different with a server: it can be out of reach, refuse, and be shared."""

from __future__ import annotations

import os
import threading
import traceback
from typing import Any

import psycopg
import pytest

from reconciler.errors import StoreError
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.inventory import Owned
from reconciler.store import Store, open_store
from reconciler.store.reading import SCHEMA_VERSION

LIST = Address("main", Kind.LIST, "join")
OWNED = Owned(address=LIST, provider="slicktext", remote_id=RemoteId("2222"))
SECRET = "hunter2 is/secret"


def at(url: str, *, create: bool) -> Store:
    return open_store(url, namespace="acme/prod", create=create)


def whole_text(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + str(getattr(error, "hint", "")) + repr(error)


def test_an_empty_database_reads_as_no_store_and_stays_empty(postgresql: Any) -> None:
    url = postgresql.make()
    with at(url, create=False) as store:
        assert not store.exists
        assert not store.inventory().exists
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_a_reader_cannot_write_even_by_mistake(postgresql: Any) -> None:
    url = postgresql.make()
    at(url, create=True).close()
    with at(url, create=False) as store:
        with pytest.raises(StoreError, match="may not change"):
            store.begin_run("apply", tool_version="1.0")
        with pytest.raises(StoreError, match="read-only"):
            store._existing().read(lambda c: c.exec_driver_sql("DELETE FROM reconciler_inventory"))


@pytest.mark.parametrize("create", [True, False])
def test_a_server_that_is_not_there(postgresql: Any, create: bool) -> None:
    with pytest.raises(StoreError) as raised:
        at(postgresql.url("x", password=SECRET, port=1), create=create)
    assert "127.0.0.1" in raised.value.message
    assert "server" in raised.value.hint
    assert "hunter2" not in whole_text(raised.value)


@pytest.mark.parametrize("create", [True, False])
def test_a_wrong_password_is_not_repeated(postgresql: Any, create: bool) -> None:
    with pytest.raises(StoreError) as raised:
        at(postgresql.url("postgres", password=SECRET), create=create)
    assert "password" in raised.value.hint
    assert "hunter2" not in whole_text(raised.value)


def test_a_secret_that_the_driver_repeats_is_cut_out(postgresql: Any) -> None:
    url = postgresql.url("postgres", password=SECRET) + "?sslmode=hunter2&sslpassword=hunter2"
    with pytest.raises(StoreError) as raised:
        at(url, create=False)
    assert "hunter2" not in whole_text(raised.value)


def test_several_spellings_name_the_same_store(postgresql: Any) -> None:
    url = postgresql.make()
    with at(url, create=True) as store:
        store.begin_run("apply", tool_version="1.0").own(OWNED)
    for scheme in ("postgresql", "postgres"):
        with at(url.replace("postgresql+psycopg", scheme), create=False) as store:
            assert store.inventory().owned == {LIST: OWNED}


def test_two_first_runs_make_one_store(postgresql: Any) -> None:
    url = postgresql.make()
    start, keys = threading.Barrier(4), []

    def work() -> None:
        start.wait()
        with at(url, create=True) as store:
            keys.append(store.inventory().key)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 4
    assert len(set(keys)) == 1


def test_versions_are_checked_like_a_file_s(postgresql: Any) -> None:
    url = postgresql.make()
    at(url, create=True).close()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(f"UPDATE reconciler_meta SET schema_version = {SCHEMA_VERSION + 1}".encode())
    for create in (True, False):
        with pytest.raises(StoreError, match="newer"):
            at(url, create=create)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("DROP TABLE reconciler_meta")
    for create in (True, False):
        with pytest.raises(StoreError, match="damaged"):
            at(url, create=create)


def test_an_older_store_is_brought_up_to_date(postgresql: Any) -> None:
    url = postgresql.make()
    at(url, create=True).close()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("ALTER TABLE reconciler_leases DROP COLUMN command")
        connection.execute("UPDATE reconciler_meta SET schema_version = 1")
    with pytest.raises(StoreError, match="older"):
        at(url, create=False)
    with at(url, create=True) as store:
        store.acquire(["main"], command="dial")
        assert [h.command for h in store.holders()] == ["dial"]


def test_other_tables_in_the_database_do_not_matter(postgresql: Any) -> None:
    url = postgresql.make()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE notes (a int)")
    with at(url, create=True) as store:
        assert store.exists


def test_a_lost_connection_ends_the_run_and_is_not_papered_over(postgresql: Any) -> None:
    url = postgresql.make()
    with at(url, create=True) as store:
        run = store.begin_run("apply", tool_version="1.0")
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises(StoreError):
            run.own(OWNED)
        with pytest.raises(StoreError):
            run.own(OWNED)
    with at(url, create=False) as store:
        assert store.inventory().owned == {}
        assert len(store.unfinished_runs()) == 1


def test_a_server_that_does_not_sync_is_asked_to(postgresql: Any) -> None:
    url = postgresql.make()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off".encode())
    with at(url, create=True) as store:
        setting = store._existing().read(lambda c: c.exec_driver_sql("SHOW synchronous_commit").scalar_one())
    assert setting == "on"


def test_the_environment_s_password_is_not_shown_either(postgresql: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PGPASSWORD", SECRET)
    with pytest.raises(StoreError) as raised:
        at(f"postgresql://owner@127.0.0.1:{postgresql.port}/postgres", create=False)
    assert "hunter2" not in whole_text(raised.value)
