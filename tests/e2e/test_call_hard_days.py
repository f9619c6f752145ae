"""``call`` on its hard days: killed, interrupted, raced, and answered with nonsense."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from typing import Any

import pytest

from reconciler.providers.slicktext.session import SlickTextSession
from reconciler.sandbox import Sandbox

from repository import Repository

CREATE = ("call", "main", "lists.create", "name=Join", "--yes")


def delayed(sandbox: Sandbox, ms: int) -> None:
    sandbox.set_faults([{"method": "POST", "path": "*/lists", "fault": {"kind": "latency", "ms": ms}}])


def started(repository: Repository, *words: str) -> subprocess.Popen[str]:
    """The command in a process of its own, whose request is on its way."""
    command = [sys.executable, "-c", "from reconciler.cli import main; main()", *words]
    before = len(repository.writes())
    process = subprocess.Popen(
        command, cwd=repository.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    until = time.monotonic() + 30
    while len(repository.writes()) == before:
        assert time.monotonic() < until
        time.sleep(0.02)
    return process


def recorded(repository: Repository) -> list[tuple[str, int | None, str]]:
    """(command, exit, state) of every operation in the journal, newest first."""
    runs = repository("history", "--format", "json").json["runs"]
    return [
        (run["command"], run["exit"], operation["state"])
        for run in runs
        for operation in repository("history", "show", run["id"], "--format", "json").json["operations"]
    ]


# --- signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_answer_within_the_grace_is_told_and_the_journal_closed(
    texts: Repository, sandbox: Sandbox, number: signal.Signals, code: int
) -> None:
    delayed(sandbox, 1500)
    process = started(texts, *CREATE)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, '"name": "Join"' in out) == (code, True), err
    assert recorded(texts) == [("call", code, "done")]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_second_signal_leaves_it_unresolved(
    texts: Repository, sandbox: Sandbox, number: signal.Signals, code: int
) -> None:
    delayed(sandbox, 30_000)
    process = started(texts, *CREATE)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert "interrupted" in process.stderr.readline() + process.stderr.readline()
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert (process.returncode, out) == (code, "")
    assert recorded(texts) == [("call", code, "unresolved")]


def test_a_killed_call_leaves_its_intent_and_frees_the_account(texts: Repository, sandbox: Sandbox) -> None:
    delayed(sandbox, 30_000)
    process = started(texts, *CREATE)
    process.kill()
    process.communicate()
    assert recorded(texts) == [("call", None, "intent")]
    sandbox.set_faults([])
    assert texts(*CREATE).code == 0


# --- the lease


def test_two_calls_at_once_are_one_and_a_refusal(texts: Repository, sandbox: Sandbox) -> None:
    delayed(sandbox, 3000)
    first = started(texts, *CREATE)
    assert texts("call", "main", "lists.delete", "list_id=1", "--yes").code == 8
    assert texts("call", "main", "lists.list").code == 0
    first.communicate(timeout=20)
    assert (first.returncode, texts.writes()) == (0, [("POST", "/v1/brands/123456789/lists")])


def test_a_lease_that_was_taken_over_meanwhile_sends_nothing(
    texts: Repository, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    concerned = SlickTextSession.concerned

    async def taking(self: SlickTextSession, *about: Any) -> Any:
        with sqlite3.connect(texts.root / ".reconciler" / "store.db") as store:
            (lasts,) = store.execute("SELECT expires_at - acquired_at FROM reconciler_leases").fetchone()
            store.execute("UPDATE reconciler_leases SET nonce = 'theirs'")
        assert lasts == 60_000_000
        return await concerned(self, *about)

    monkeypatch.setattr(SlickTextSession, "concerned", taking)
    taken = texts(*CREATE)
    assert (taken.code, taken.out) == (8, "")
    assert sandbox.requests() == []
    assert recorded(texts) == []


# --- what an apply makes of it


def test_an_apply_voids_no_call_and_none_stops_it(texts: Repository, sandbox: Sandbox) -> None:
    sandbox.set_faults([{"method": "POST", "path": "*/lists", "fault": {"kind": "drop_after"}}])
    assert texts(*CREATE).code == 1
    delayed(sandbox, 30_000)
    process = started(texts, *CREATE)
    process.kill()
    process.communicate()
    sandbox.set_faults([])
    texts.write("list.yaml", "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: other}\nspec: {name: Other}\n")
    for _ in range(2):
        texts.apply()
        assert [r for r in recorded(texts) if r[0] == "call"] == [("call", 1, "unresolved")] * 2
    texts.settled()
