"""Runs when things go badly: signals, prompts, closed pipes, a failing store, half an apply, plans that do not fit."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from reconciler.app import applying, loading
from reconciler.errors import StoreError
from reconciler.plan.approvals import YES
from reconciler.sandbox import Sandbox
from reconciler.store import Run, Store, open_store

from repository import PROJECT, TEXTS, Repository

REFUSED = {"kind": "error_before", "status": 422}
CREATE = {"method": "POST", "path": "/v1/*/lists"}


@pytest.fixture
def sandbox() -> object:
    seed = {"slicktext": {"contacts": [{"generate": {"count": 60, "first": "+12025550000"}}]}}
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


def a_list(name: str, life: str = "", **more: str) -> str:
    extra = "".join(f", {k}: {v}" for k, v in more.items())
    head = f"apiVersion: slicktext/v1\nkind: List\nmetadata: {{name: {name}}}\n"
    return f"{head}spec: {{name: L {name}{extra}}}\n{life}---\n"


def members(count: int) -> str:
    rows = ", ".join(f'{{number: "+1202555{i:04d}"}}' for i in range(count))
    head = "apiVersion: slicktext/v1\nkind: Membership\nmetadata: {name: m}\n"
    return f"{head}spec: {{list: a, mode: exact, contacts: [{rows}]}}\n"


def last_run(repository: Repository) -> Any:
    return repository("history", "--format", "json").json["runs"][0]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "reconciler", *words]


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen(command(*words), stdout=pipe, stderr=pipe, text=True) as process:
        yield process


def wait_for(sandbox: Sandbox, method: str, path: str, count: int) -> None:
    """Until the sandbox was asked this so many times."""
    deadline = time.monotonic() + 30
    seen = 0
    while seen < count and time.monotonic() < deadline:
        time.sleep(0.02)
        seen = sum(1 for r in sandbox.requests() if (r["method"], r["path"]) == (method, path))
    assert seen >= count


def at_the_prompt(keys: str, *words: str, timeout_s: float = 30.0) -> tuple[int, str]:
    """The command in a pseudo-terminal, with these keys pressed as soon as it asks."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, command(*words), {**os.environ, "COLUMNS": "100"})
    seen, pressed, deadline = "", False, time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if ready:
            try:
                chunk = os.read(terminal, 65536)
            except OSError:
                break
            if not chunk:
                break
            seen += chunk.decode()
        if not pressed and "to approve:" in seen:
            os.write(terminal, keys.encode())
            pressed = True
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), seen


def test_credentials_refused_in_mid_run_end_it_with_7_and_start_nothing_more(
    texts: Repository, sandbox: Sandbox
) -> None:
    account = (texts.root / "manifests" / "account.yaml").read_text(encoding="utf-8")
    texts.write("account.yaml", account + "  bulkSize: 2\n")
    texts.write("list.yaml", a_list("a") + members(10))
    refused = {"kind": "error_before", "status": 401}
    adding = {"method": "POST", "path": "/v1/*/lists/contacts"}
    sandbox.set_faults([{**adding, "nth": [2, 3, 4, 5], "fault": refused}])
    assert texts("apply", "--yes").code == 7
    run = last_run(texts)
    assert run["exit"] == 7
    assert run["endedAt"]
    assert run["counts"]["done"] >= 2
    sandbox.set_faults([])
    texts.apply()
    texts.settled()


@contextmanager
def full_disk(method: str, calls: int) -> Iterator[None]:
    """The store takes nothing more as soon as a run has written so many times with this method."""
    real, asked = getattr(Run, method), []

    def failing(run: Run, given: Any) -> Any:
        asked.append(given)
        if len(asked) > calls:
            raise StoreError("the store cannot be used: the disk is full")
        return real(run, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, method, failing)
        yield


@pytest.mark.parametrize(
    ("manifests", "operations"),
    [("".join(a_list(f"l{i}") for i in range(6)), 6), (a_list("a") + members(40), 11)],
    ids=["lists", "members"],
)
@pytest.mark.parametrize(
    ("method", "calls"), [("intend_many", 1), ("intend_many", 2), ("own_many", 1), ("record_many", 1)]
)
def test_a_store_that_fails_in_mid_run_closes_the_run(
    texts: Repository, manifests: str, operations: int, method: str, calls: int
) -> None:
    texts.write("account.yaml", TEXTS + "  bulkSize: 4\n")
    texts.write("lists.yaml", manifests)
    with full_disk(method, calls):
        result = texts("apply", "--yes", "--parallelism", "1")
    assert result.code == 1
    assert "the disk is full" in result.err
    assert "error[unexpected]" not in result.err
    run = last_run(texts)
    # How many requests share a transaction is up to the clock, and so is whose outcome fails with whose intent. But
    # each of those that left is told, as done or as unresolved; what never left is neither.
    sent, counts = len(texts.writes()), run["counts"]
    assert (run["exit"], bool(run["endedAt"])) == (1, True)
    assert sum(counts.values()) == operations
    assert counts["done"] + counts["unresolved"] == sent
    assert counts["done"] + counts["unresolved"] + counts["not-attempted"] == operations
    texts.apply()
    assert len(texts.writes()) == operations
    texts.settled()


def test_an_interrupt_while_it_verifies_is_130(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", a_list("a"))
    slow = {"kind": "latency", "ms": 3000}
    sandbox.set_faults([{"method": "GET", "path": "/v1/*/lists", "nth": [3, 4], "fault": slow}])
    with started("apply", "--yes", "--format", "json") as process:
        wait_for(sandbox, "GET", "/v1/brands", 2)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(out)["counts"]["done"] == 1
    sandbox.set_faults([])
    assert last_run(texts)["exit"] == 130
    texts.settled()


def test_a_second_interrupt_reports_what_was_under_way_as_unresolved(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", a_list("a"))
    sandbox.set_faults([{**CREATE, "fault": {"kind": "hang", "effect": True}}])
    with started("apply", "--yes", "--format", "json") as process:
        wait_for(sandbox, "POST", "/v1/brands/123456789/lists", 1)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        while "once more stops at once" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    counts = json.loads(out)["counts"]
    assert process.returncode == 130
    assert (counts["unresolved"], counts["notAttempted"], counts["done"]) == (1, 0, 0)
    sandbox.set_faults([])
    texts.apply()
    assert len(sandbox.state()["slicktext"]["lists"]) == 1
    texts.settled()


@pytest.mark.parametrize(
    ("words", "code", "writes"), [(["apply", "--yes"], 0, 1), (["plan", "--detailed-exitcode"], 2, 0)]
)
def test_a_closed_stdout_changes_neither_the_work_nor_the_exit_code(
    texts: Repository, words: list[str], code: int, writes: int
) -> None:
    texts.write("list.yaml", a_list("a"))
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(command(*words), stdout=writer, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    os.close(writer)
    assert ended.returncode == code, ended.stderr
    assert len(texts.writes()) == writes
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("keys", ["\x03", "\x03yes\n"])
def test_ctrl_c_at_the_prompt_is_130_whatever_is_typed_after_it(texts: Repository, keys: str) -> None:
    texts.write("lists.yaml", "".join(a_list(f"l{i}") for i in range(5)))
    code, seen = at_the_prompt(keys, "apply")
    assert code == 130, seen
    assert texts.writes() == []


def test_the_lease_is_kept_while_a_person_thinks(texts: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    acquire, ttl = Store.acquire, timedelta(seconds=1)
    monkeypatch.setattr(Store, "acquire", lambda store, ids, **more: acquire(store, ids, ttl=ttl, **more))
    monkeypatch.setattr(applying, "_RENEW_EVERY_S", 0.2)
    texts.write("list.yaml", a_list("a"))
    second: list[int] = []

    def ask(*_: object) -> Any:
        time.sleep(2 * ttl.total_seconds())  # a lease that nobody renews has long run out
        second.append(
            subprocess.run(command("apply", "--yes"), capture_output=True, timeout=30, check=False).returncode
        )
        return YES

    applied = asyncio.run(applying.apply(loading.Request(), applying.ApplyOptions(ask=ask)))
    assert second == [8]
    assert applied.exit_code == 0
    assert len(texts.writes()) == 1


def test_whose_account_it_is_is_remembered_after_a_partial_apply(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("lists.yaml", a_list("a") + a_list("b"))
    sandbox.set_faults([{**CREATE, "contains": "L b", "fault": REFUSED}])
    assert texts("apply", "--yes").code == 7
    with open_store("sqlite:///.reconciler/store.db", namespace="test/", create=False, root=texts.root) as store:
        assert store.inventory().identities["main"].endswith("brand=123456789")


def test_select_leaves_everything_else_as_it_was(texts: Repository) -> None:
    texts.write("lists.yaml", a_list("a", "lifecycle: {protect: true}\n") + a_list("b"))
    texts.apply()
    texts.write("lists.yaml", a_list("a", description="new") + a_list("b"))
    assert texts("apply", "--yes", "--select", "main/List/b").code == 0
    objects = texts("inventory", "list", "--format", "json").json["objects"]
    (one,) = [o for o in objects if o["address"] == "main/List/a"]
    assert one["protected"]
    assert one["lastApplied"] == {"name": "L a"}
    assert texts.plan().changes() == [("update", "List/a")]


def test_the_command_that_continues_names_the_selection(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("lists.yaml", a_list("a") + a_list("b"))
    sandbox.set_faults([{**CREATE, "fault": REFUSED}])
    result = texts("apply", "--yes", "--select", "main/List/a", "--format", "json")
    assert result.code == 7
    assert "--select main/List/a" in result.json["resume"]


@pytest.mark.parametrize("name", ["plan", "apply"])
@pytest.mark.parametrize("flag", ["--select", "--exclude"])
def test_a_selector_that_matches_nothing_is_a_usage_error(texts: Repository, name: str, flag: str) -> None:
    texts.write("list.yaml", a_list("a"))
    result = texts(name, flag, "main/Lsit/a")
    assert result.code == 64
    assert "main/List/a" in result.err
    assert texts.sandbox.requests() == []


@pytest.mark.parametrize("words", [["--exclude", "main/List/b"], ["--select", "main/List/a"], ["--allow", "deletes=1"]])
def test_flags_that_would_change_a_saved_plan_are_a_usage_error(texts: Repository, words: list[str]) -> None:
    texts.write("lists.yaml", a_list("a") + a_list("b"))
    assert texts("plan", "--out", "plan.json").code == 0
    before = len(texts.sandbox.requests())
    assert texts("apply", "plan.json", *words).code == 64
    assert len(texts.sandbox.requests()) == before


def test_a_saved_plan_is_for_its_own_environment(repository: Repository) -> None:
    environments = "spec: {manifests: [manifests], environments: {prod: {}, staging: {}}}"
    project = PROJECT.replace("spec: {manifests: [manifests]}", environments)
    (repository.root / "reconciler.yaml").write_text(project, encoding="utf-8")
    repository.write("account.yaml", TEXTS)
    repository.write("list.yaml", a_list("a"))
    assert repository("plan", "-e", "prod", "--out", "plan.json").code == 0
    assert repository("apply", "plan.json", "-e", "staging").code == 6
    assert repository.writes() == []
    assert repository("apply", "plan.json", "-e", "prod").code == 0


@pytest.mark.parametrize("part", ["digest", "accounts", "changes"])
def test_a_damaged_plan_file_is_6(texts: Repository, part: str) -> None:
    texts.write("list.yaml", a_list("a"))
    assert texts("plan", "--out", "plan.json").code == 0
    path = texts.root / "plan.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document[part] = document[part].replace("scrypt$15", "scrypt$14") if part == "digest" else [{}]
    path.write_text(json.dumps(document), encoding="utf-8")
    texts.write("list.yaml", a_list("b"))
    result = texts("apply", "plan.json")
    assert result.code == 6
    assert "unexpected" not in result.err
    assert texts.writes() == []


def test_a_digest_in_letters_that_no_digest_has_is_6(texts: Repository) -> None:
    texts.write("list.yaml", a_list("a"))
    digest = texts.plan().json["digest"]
    assert texts("apply", "--expect", digest[:-1] + "é").code == 6
    assert texts.writes() == []


def test_an_edited_plan_file_writes_nowhere_else(texts: Repository) -> None:
    texts.write("account.yaml", TEXTS.replace("baseUrl: URL", 'baseUrl: "${var.url}"'))
    texts.write("list.yaml", a_list("a"))
    assert texts("plan", "--var", f"url={texts.sandbox.url}", "--out", "plan.json").code == 0
    path = texts.root / "plan.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    with Sandbox(knobs={"slicktext": {"rate_limit": None}}) as elsewhere:
        document["inputs"]["variables"] = [f"url={elsewhere.url}"]
        path.write_text(json.dumps(document), encoding="utf-8")
        assert texts("apply", "plan.json").code == 6
        assert all(r["method"] == "GET" for r in elsewhere.requests())
    assert texts.writes() == []


def test_an_edited_plan_file_cannot_allow_itself_a_host(texts: Repository) -> None:
    texts.write("account.yaml", TEXTS.replace("baseUrl: URL", 'baseUrl: "${var.url}"'))
    texts.write("list.yaml", a_list("a"))
    assert texts("plan", "--var", f"url={texts.sandbox.url}", "--out", "plan.json").code == 0
    path = texts.root / "plan.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["inputs"] |= {"variables": ["url=https://elsewhere.invalid"], "allow_hosts": ["elsewhere.invalid"]}
    path.write_text(json.dumps(document), encoding="utf-8")
    refused = texts("apply", "plan.json")
    assert refused.code == 3
    assert "host-not-allowed" in refused.err


def test_a_variable_that_makes_another_plan_than_the_saved_one_is_6(texts: Repository) -> None:
    texts.write("list.yaml", a_list("a").replace("L a", '"${var.title}"'))
    assert texts("plan", "--var", "title=One", "--out", "plan.json").code == 0
    assert texts("apply", "plan.json", "--var", "title=Two").code == 6
    assert texts.writes() == []
    assert texts("apply", "plan.json", "--var", "title=One").code == 0


def test_paths_with_digits_survive_in_a_saved_plan(texts: Repository) -> None:
    texts.write("20261121170000/list.yaml", a_list("a"))
    texts.write("20261121170000/account.yaml", TEXTS)
    texts.remove("account.yaml")
    assert texts("plan", "manifests/20261121170000", "--out", "plan.json").code == 0
    assert texts("apply", "plan.json").code == 0
    texts.settled()
