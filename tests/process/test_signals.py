"""Signals, as people and build systems send them, to an apply whose provider does not answer."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from reconciler.sandbox import Sandbox

from processes import WRITES, command, until, written
from repository import Repository

HANGS = {"fault": {"kind": "hang", "effect": True}}
LIMIT_S = 7.0
"""What a build system gives before it gets rough is 7.5 s."""


def last_run(texts: Repository) -> Any:
    return texts("history", "--format", "json").json["runs"][0]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.survives("F105", title="Ctrl-C once")
@pytest.mark.survives("F107", title="SIGTERM, as a cancelled CI job gets it")
def test_one_signal_ends_an_apply_in_time(
    texts: Repository, sandbox: Sandbox, number: signal.Signals, code: int
) -> None:
    sandbox.set_faults([{**WRITES, "nth": 1, **HANGS}])
    with command("apply", "--yes", "--parallelism", "1") as process:
        until(lambda: bool(written(sandbox)))
        process.send_signal(number)
        ended, _, err, took_s = process.ended(within_s=20)
    assert ended == code, err
    assert took_s < LIMIT_S
    assert "Traceback" not in err
    assert len(written(sandbox)) == 1
    sandbox.set_faults([])
    run = last_run(texts)
    assert (run["exit"], bool(run["endedAt"])) == (code, True)
    texts.apply()
    assert sandbox.ledger()["duplicates"] == []
    texts.settled()


@pytest.mark.survives("F107", title="SIGTERM, as a cancelled CI job gets it")
def test_a_cancelled_build_is_over_before_it_is_killed(texts: Repository, sandbox: Sandbox) -> None:
    sandbox.set_faults([{**WRITES, **HANGS}])
    with command("apply", "--yes", "--parallelism", "1") as process:
        until(lambda: bool(written(sandbox)))
        before = len(written(sandbox))
        started, sent = time.monotonic(), []
        for number, after_s in ((signal.SIGINT, 0.0), (signal.SIGTERM, 7.5), (signal.SIGKILL, 10.0)):
            while process.poll() is None and time.monotonic() < started + after_s:
                time.sleep(0.02)
            if process.poll() is None:
                process.send_signal(number)
                sent.append(number)
        assert process.wait(timeout=20) == 130
    assert sent == [signal.SIGINT]
    assert len(written(sandbox)) == before
    sandbox.set_faults([])
    assert last_run(texts)["exit"] == 130
    texts.apply()
    assert sandbox.ledger()["duplicates"] == []


@pytest.mark.parametrize("numbers", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT)])
@pytest.mark.survives("F106", title="Ctrl-C twice")
def test_a_second_signal_ends_it_now(texts: Repository, sandbox: Sandbox, numbers: tuple[signal.Signals, ...]) -> None:
    sandbox.set_faults([{**WRITES, **HANGS}])
    with command("apply", "--yes") as process:
        until(lambda: bool(written(sandbox)))
        first, second = numbers
        process.send_signal(first)
        assert process.stderr is not None
        while "once more stops at once" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(second)
        ended, _, err, took_s = process.ended(within_s=20)
    assert ended in (130, 143), err
    assert took_s < 2
    sandbox.set_faults([])
    assert last_run(texts)["endedAt"]
    texts.apply()
    assert sandbox.ledger()["duplicates"] == []
    texts.settled()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.survives("F154", title="interrupted between plan and apply")
def test_a_signal_while_it_plans_sends_nothing(texts: Repository, sandbox: Sandbox, number: signal.Signals) -> None:
    sandbox.set_faults([{"method": "GET", "path": "/v1/*/campaigns", "fault": {"kind": "hang"}}])
    with command("apply", "--yes") as process:
        until(lambda: any(r["path"].endswith("/campaigns") for r in sandbox.requests()))
        process.send_signal(number)
        ended, out, err, took_s = process.ended(within_s=20)
    assert ended == 128 + number, err
    assert took_s < LIMIT_S
    assert out == ""
    assert written(sandbox) == []
