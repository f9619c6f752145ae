"""A store that cannot be relied on ends an apply with a remedy, and nothing is sent that could not be written down."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.sandbox import Sandbox
from reconciler.store import open_store

from repository import TEXTS, Repository


def a_list(name: str) -> str:
    return f"apiVersion: slicktext/v1\nkind: List\nmetadata: {{name: {name}}}\nspec: {{name: L {name}}}\n---\n"


def lists(sandbox: Sandbox) -> list[str]:
    return sorted(x["name"] for x in sandbox.state()["slicktext"]["lists"])


@pytest.fixture
def applied(texts: Repository) -> Path:
    """The store of a repository that was applied once and has one more list to make."""
    texts.write("lists.yaml", a_list("a"))
    texts.apply()
    texts.write("lists.yaml", a_list("a") + a_list("b"))
    return texts.root / ".reconciler" / "store.db"


def _sql(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def _scrambled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for at in range(4096, len(content), 512):
        content[at : at + 64] = os.urandom(64)
    path.write_bytes(bytes(content))


def _foreign(path: Path) -> None:
    path.unlink()
    _sql(path, "CREATE TABLE customers (id INTEGER)")


SPOILT: dict[str, Callable[[Path], object]] = {
    "scrambled": _scrambled,
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "empty": lambda path: os.truncate(path, 0),
    "text": lambda path: path.write_text("hello"),
    "foreign": _foreign,
    "newer": lambda path: _sql(path, "UPDATE reconciler_meta SET schema_version = 99"),
    "a damaged row": lambda path: _sql(path, "UPDATE reconciler_inventory SET fields = '['"),
}


@pytest.mark.parametrize("how", SPOILT)
@pytest.mark.parametrize("command", [["apply", "--yes"], ["plan"], ["inventory", "list"]])
def test_a_store_that_cannot_be_read_is_an_error_with_a_remedy(
    texts: Repository, applied: Path, how: str, command: list[str]
) -> None:
    SPOILT[how](applied)
    spoilt = applied.read_bytes()
    before = len(texts.writes())
    ended = texts(*command)
    assert ended.code == 1
    assert "error[store-unusable]" in ended.err
    assert "hint:" in ended.err
    assert "Traceback" not in ended.err
    assert len(texts.writes()) == before
    assert applied.read_bytes() == spoilt


def test_an_older_copy_in_its_place_is_noticed(texts: Repository, sandbox: Sandbox, applied: Path) -> None:
    copy = applied.with_name("copy")
    shutil.copy(applied, copy)
    texts.apply()
    newest = applied.with_name("newest")
    shutil.copy(applied, newest)
    shutil.copy(copy, applied)
    for command in (["apply", "--yes"], ["plan"], ["dial", "main/Campaign/x"], ["history"]):
        ended = texts(*command)
        assert ended.code != 0
        assert "older copy" in ended.err or command[0] == "dial"
    mark = applied.with_name("store.db.seen")
    assert str(mark) in texts("plan").err
    shutil.copy(newest, applied)
    texts.settled()
    shutil.copy(copy, applied)
    mark.unlink()
    assert texts.plan().changes() == [("adopt", "List/b")]
    texts.apply()
    assert lists(sandbox) == ["L a", "L b"]
    texts.settled()


def test_another_store_in_its_place_is_a_new_beginning(texts: Repository, sandbox: Sandbox, applied: Path) -> None:
    texts.apply()
    applied.unlink()
    assert texts.plan().changes() == [("adopt", "List/a"), ("adopt", "List/b")]
    texts.apply()
    assert lists(sandbox) == ["L a", "L b"]
    texts.settled()


def _limited(limit: int, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, where no file may grow beyond ``limit`` bytes: what a full disk looks like."""
    return subprocess.run(
        [sys.executable, "-m", "reconciler", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )


def test_a_full_disk_stops_before_the_next_request_and_not_after_it(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.apply()
    texts.write("lists.yaml", "".join(a_list(x) for x in "abcdef"))
    store = texts.root / ".reconciler" / "store.db"
    failed = sent = 0
    for kib in range(4, 4096, 24):
        ended = _limited(kib * 1024, "apply", "--yes", "--parallelism", "1")
        if ended.returncode == 0:
            break
        failed += 1
        assert ended.returncode in (1, 7, 9), ended.stderr
        assert "Traceback" not in ended.stderr
        sent = len(texts.writes())
        with open_store(f"sqlite:///{store}", namespace="test/", create=False) as opened:
            intents = sum(len(opened.operations(run.id)) for run in opened.runs())
        assert intents >= sent
    assert failed > 0
    texts.apply()
    assert lists(sandbox) == [f"L {x}" for x in "abcdef"]
    assert len(texts.writes()) == 6
    texts.settled()


def test_a_first_run_on_a_full_disk_leaves_no_half_store(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("lists.yaml", a_list("a"))
    ended = _limited(8192, "apply", "--yes")
    assert ended.returncode == 1
    assert "error[store-unusable]" in ended.stderr
    assert texts.writes() == []
    assert not (texts.root / ".reconciler" / "store.db").exists()
    texts.apply()


def test_environments_in_one_store_know_nothing_of_each_other(repository: Repository, sandbox: Sandbox) -> None:
    """Not even through recovery: what one owns, the other never takes for its own lost creation."""
    project = (repository.root / "reconciler.yaml").read_text(encoding="utf-8")
    environments = "spec: {manifests: [manifests], environments: {one: {}, two: {}}}"
    (repository.root / "reconciler.yaml").write_text(
        project.replace("spec: {manifests: [manifests]}", environments), encoding="utf-8"
    )
    repository.write("account.yaml", TEXTS)
    repository.write("lists.yaml", a_list("a"))
    assert repository("apply", "--yes", "-e", "one").code == 0
    assert repository("inventory", "list", "-e", "two").out == "Nothing is owned yet.\n"
    other = repository("history", "-e", "two")
    assert (other.out, other.err) == ("Nothing has been applied yet.\n", "")
    neither = repository("history")
    assert neither.out == "Nothing has been applied yet.\n"
    assert "-e NAME" in neither.err
    assert len(json.loads(repository("history", "-e", "one", "--format", "json").out)["runs"]) == 1


# --- reports of applies that ran nothing


def test_an_apply_that_is_refused_reports_its_plan(texts: Repository) -> None:
    texts.write("lists.yaml", a_list("a"))
    assert texts("apply", "--report", "json=report.json").code == 5
    told = json.loads((texts.root / "report.json").read_text(encoding="utf-8"))
    assert [c["address"] for c in told["changes"]] == ["main/List/a"]


def test_an_apply_that_cannot_read_reports_its_plan(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("lists.yaml", a_list("a"))
    sandbox.set_faults([{"method": "GET", "path": "/v1/*/lists", "fault": {"kind": "error_before", "status": 400}}])
    assert texts("apply", "--yes", "--report", "text=report.txt").code == 10
    assert "could not be read" in (texts.root / "report.txt").read_text(encoding="utf-8")


def test_an_apply_that_planned_nothing_says_that_there_is_no_report(texts: Repository, applied: Path) -> None:
    _scrambled(applied)
    ended = texts("apply", "--yes", "--report", "json=report.json")
    assert ended.code == 1
    assert "--report: nothing was written to report.json: nothing was planned" in ended.err
    assert not (texts.root / "report.json").exists()
