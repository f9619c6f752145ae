"""A process that is killed, at each request that writes and at any time; the next one finds what it left."""

from __future__ import annotations

import random
import shutil
import signal
import time
from typing import Any

import pytest

from reconciler.sandbox import Sandbox

from processes import WRITES, command, until, written
from repository import Repository

APPLY = ("apply", "--yes", "--parallelism", "2")


def assert_made_once(texts: Repository, sandbox: Sandbox) -> None:
    """Everything is there, nothing twice, and all of it is ours."""
    state: Any = sandbox.state()["slicktext"]
    assert sorted((x["name"], len(x["numbers"])) for x in state["lists"]) == [("Join", 2), ("Other", 0)]
    assert [(x["name"], len(x["lists"])) for x in state["campaigns"]] == [("Spring", 1)]
    assert sandbox.ledger()["duplicates"] == []
    objects = texts("inventory", "list", "--format", "json").json["objects"]
    assert len(objects) == 5


def start_anew(texts: Repository, sandbox: Sandbox) -> None:
    sandbox.reset()
    shutil.rmtree(texts.root / ".reconciler", ignore_errors=True)


@pytest.mark.parametrize("effect", [True, False], ids=["landed", "lost"])
@pytest.mark.survives("F108", title="killed at any moment")
@pytest.mark.survives("F142", title="the holder of the lease has died")
def test_a_kill_at_each_write(texts: Repository, sandbox: Sandbox, effect: bool) -> None:
    killed = 0
    while killed_at(killed + 1, texts, sandbox, effect):
        assert texts("apply", "--yes").code == 0
        assert_made_once(texts, sandbox)
        killed += 1
    assert killed >= 4
    texts.settled()


def killed_at(write: int, texts: Repository, sandbox: Sandbox, effect: bool) -> bool:
    """Whether there was such a write; the process died at it, with its effect or without."""
    start_anew(texts, sandbox)
    sandbox.set_faults([{**WRITES, "nth": write, "fault": {"kind": "hang", "effect": effect}}])
    with command(*APPLY) as process:
        until(lambda: process.poll() is not None or len(written(sandbox)) >= write)
        reached = len(written(sandbox)) >= write and process.poll() is None
        if reached and effect:
            until(lambda: sum(r["mutated"] for r in sandbox.requests()) >= write)
        process.send_signal(signal.SIGKILL)
        process.wait()
    sandbox.set_faults([])
    return reached


@pytest.mark.long
@pytest.mark.parametrize("seed", range(500, 506))
@pytest.mark.survives("F108", title="killed at any moment")
def test_kills_at_any_time(texts: Repository, sandbox: Sandbox, seed: int) -> None:
    dice = random.Random(seed)
    sandbox.set_faults([{"fault": {"kind": "latency", "ms": 30, "after": True}}])
    for _ in range(3):
        with command(*APPLY) as process:
            until(lambda: process.poll() is not None or bool(sandbox.requests()))
            time.sleep(dice.uniform(0, 0.8))
            process.send_signal(signal.SIGKILL)
            process.wait()
    sandbox.set_faults([])
    assert texts("apply", "--yes").code == 0
    assert_made_once(texts, sandbox)
    texts.settled()
