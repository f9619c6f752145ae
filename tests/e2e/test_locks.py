"""One applier per account: who it is, taking that away from it, and one that slept through the end of its lease."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from reconciler.sandbox import Sandbox

from repository import Repository

ACCOUNT = "slicktext:127.0.0.1:brand=123456789"
CREATED = ("POST", "/v1/brands/123456789/lists")
SLOW = {"method": "POST", "path": "/v1/*/lists", "fault": {"kind": "latency", "ms": 400}}

QUICK = """
import sys
from datetime import timedelta
from reconciler.app import applying
from reconciler.store import Store
acquire, ttl = Store.acquire, timedelta(seconds=float(sys.argv.pop(1)))
Store.acquire = lambda store, ids, **more: acquire(store, ids, **more, ttl=ttl)
applying._RENEW_EVERY_S = float(sys.argv.pop(1))
from reconciler.cli import main
main()
"""
"""The command with another life of its lease and another time between renewals."""


@pytest.fixture
def lists(texts: Repository) -> Repository:
    """Eight lists to create, each of which takes its time."""
    names = (
        f"apiVersion: slicktext/v1\nkind: List\nmetadata: {{name: l{i}}}\nspec: {{name: L{i}}}\n" for i in range(8)
    )
    texts.write("lists.yaml", "---\n".join(names))
    texts.sandbox.set_faults([SLOW])
    return texts


@contextmanager
def applying(ttl_s: float, renew_s: float) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-c", QUICK, str(ttl_s), str(renew_s), "apply", "--yes", "--parallelism", "1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def creates(sandbox: Sandbox) -> int:
    return sum(1 for r in sandbox.requests() if (r["method"], r["path"]) == CREATED)


def test_who_writes_is_listed_and_nobody_does_afterwards(lists: Repository, sandbox: Sandbox) -> None:
    assert lists("lock", "list").out == "No lease is held.\n"
    sandbox.set_faults([{**SLOW, "fault": {"kind": "hang", "effect": False}}])  # it is there until it is killed
    with applying(60, 20) as process:
        until(lambda: creates(sandbox) > 0)
        (lock,) = lists("lock", "list", "--format", "json").json["locks"]
        assert (lock["identity"], lock["pid"], lock["command"], lock["dead"]) == (ACCOUNT, process.pid, "apply", False)
        assert lock["host"]
        assert lock["processStarted"]
        assert lock["acquiredAt"] < lock["expiresAt"]
        told = lists("lock", "list").out
        assert f"apply of process {process.pid} on {lock['host']}" in told
        assert lists("apply", "--yes").code == 8
        process.kill()
        process.wait()
        (lock,) = lists("lock", "list", "--format", "json").json["locks"]
        assert lock["dead"]
    sandbox.set_faults([])
    lists.apply()
    assert lists("lock", "list", "--format", "json").json["locks"] == []
    lists.settled()


def test_a_holder_whose_lease_is_broken_starts_nothing_more(lists: Repository, sandbox: Sandbox) -> None:
    sandbox.set_faults([{**SLOW, "fault": {"kind": "latency", "ms": 2000}}])
    with applying(60, 0.3) as process:
        until(lambda: creates(sandbox) > 0)
        refused = lists("lock", "break", ACCOUNT)
        assert refused.code == 5
        assert "--yes" in refused.err
        broken = lists("lock", "break", ACCOUNT, "--yes")
        assert broken.code == 0
        assert "20 seconds" in broken.err
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 7
    assert "broke the lease" in out
    done = creates(sandbox)
    assert 0 < done < 8
    sandbox.set_faults([])
    lists.apply()
    assert creates(sandbox) == 8
    assert lists("history", "--format", "json").json["runs"][1]["command"] == "lock break"


def test_breaking_needs_a_lease_that_is_held(lists: Repository) -> None:
    assert lists("lock", "break", ACCOUNT, "--yes").code == 64
    assert not (lists.root / ".reconciler").exists()
    assert lists("lock", "break", "--all", "--yes").code == 0
    assert lists("lock", "break", "--yes").code == 64
    assert lists("lock", "list", "--all").code == 64


def test_a_process_that_slept_through_the_end_of_its_lease_sends_nothing_more(
    lists: Repository, sandbox: Sandbox
) -> None:
    with applying(1.5, 0.4) as process:
        until(lambda: creates(sandbox) > 0)
        os.kill(process.pid, signal.SIGSTOP)
        asleep = creates(sandbox)
        until(lambda: json.loads(lists("lock", "list", "--format", "json").out)["locks"][0]["dead"])
        sandbox.set_faults([])
        lists.apply()
        assert creates(sandbox) == 8
        os.kill(process.pid, signal.SIGCONT)
        process.communicate(timeout=30)
    assert asleep < 8
    assert process.returncode not in (0, None)
    assert creates(sandbox) == 8
    assert len(sandbox.state()["slicktext"]["lists"]) == 8
    lists.settled()
