"""What stands between a plan and a write: guards, approvals, freeze, deadline, signals, prompts."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from reconciler.sandbox import Sandbox

from repository import Repository


def a_list(name: str, **more: str) -> str:
    extra = "".join(f"{k}: {v}\n" for k, v in more.items())
    return f"apiVersion: slicktext/v1\nkind: List\nmetadata: {{name: {name}}}\nspec: {{name: L {name}}}\n{extra}---\n"


@pytest.fixture
def sandbox() -> object:
    seed = {"slicktext": {"contacts": [{"generate": {"count": 60, "first": "+12025550000"}}]}}
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


def members(count: int, start: int = 0, **more: str) -> str:
    rows = "".join(f'    - {{number: "+1202555{i:04d}"}}\n' for i in range(start, start + count))
    extra = "".join(f"  {k}: {v}\n" for k, v in more.items())
    contacts = f"  contacts:\n{rows}" if count else "  contacts: []\n"
    return (
        a_list("a")
        + "apiVersion: slicktext/v1\nkind: Membership\nmetadata: {name: m}\nspec:\n  list: a\n  mode: exact\n"
        + extra
        + contacts
    )


def lifted(repository: Repository) -> list[str]:
    """The flags that the refusal prints, pasted."""
    refused = repository("apply", "--yes", "--approve", "delete")
    assert refused.code == 5, refused.err
    flags = re.findall(r"--allow \S+", refused.err)
    assert flags
    return " ".join(flags).split()


def test_many_deletes_are_refused_until_exactly_that_is_allowed(texts: Repository) -> None:
    texts.write("lists.yaml", "".join(a_list(f"l{i:02}", lifecycle="{onRemove: delete}") for i in range(12)))
    texts.apply()
    texts.write("lists.yaml", a_list("l00", lifecycle="{onRemove: delete}"))
    before = len(texts.writes())
    assert texts("plan").code == 0
    flags = lifted(texts)
    assert flags == ["--allow", "deletes=11"]
    assert len(texts.writes()) == before
    assert texts("apply", "--yes", "--approve", "delete", "--allow", "deletes=10").code == 5
    texts.apply(*flags)
    texts.settled()


def test_removals_and_emptying_are_refused_until_allowed(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("members.yaml", members(50))
    texts.apply()
    texts.write("members.yaml", members(25))
    assert lifted(texts) == ["--allow", "removals=25"]
    texts.apply("--allow", "removals=25")
    texts.write("members.yaml", members(0))
    assert texts("validate").code == 3
    texts.write("members.yaml", members(0, allowEmpty="true"))
    flags = lifted(texts)
    assert "empty=main/Membership/m" in flags
    texts.apply(*flags)
    texts.settled()


def test_reach_is_refused_above_the_limit(texts: Repository) -> None:
    account = (texts.root / "manifests" / "account.yaml").read_text()
    texts.write("account.yaml", account + "  guards: {maxReach: 9}\n")
    texts.write("members.yaml", members(10))
    assert lifted(texts) == ["--allow", "reach=10"]
    texts.apply("--allow", "reach=10")


def test_a_read_that_shrank_is_refused(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("members.yaml", members(50))
    texts.apply()
    sandbox.tamper("slicktext", "remove_members", list="L a", numbers=[f"+1202555{i:04d}" for i in range(30)])
    assert lifted(texts) == ["--allow", "shrink=main"]
    texts.apply("--allow", "shrink=main")
    texts.settled()


def test_a_freeze_stops_everything(texts: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    texts.write("lists.yaml", a_list("a"))
    (texts.root / "FREEZE").touch()
    assert texts("plan").code == 0
    assert texts("apply", "--yes").code == 5
    (texts.root / "FREEZE").unlink()
    monkeypatch.setenv("RECONCILER_FREEZE", "1")
    assert texts("apply", "--yes").code == 5
    assert texts.writes() == []


def test_nothing_is_asked_without_a_terminal(texts: Repository) -> None:
    texts.write("lists.yaml", a_list("a"))
    refused = texts("apply")
    assert refused.code == 5
    assert "--approve create" in refused.err
    assert texts.writes() == []


def environment() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "100", "PYTHONUNBUFFERED": "1"}


def in_a_terminal(words: list[str], answers: list[str], timeout_s: float = 60.0) -> tuple[int, str]:
    """The command in a pseudo-terminal, each answer typed when the next prompt is there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-m", "reconciler", *words], environment())
    seen, typed, deadline = "", 0, time.monotonic() + timeout_s
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
            if typed < len(answers) and seen.count("to approve:") > typed:
                os.write(terminal, (answers[typed] + "\n").encode())
                typed += 1
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), seen


@pytest.mark.parametrize(("answer", "code", "writes"), [("yes", 0, 1), ("y", 5, 0), ("no", 5, 0), ("", 5, 0)])
def test_on_a_terminal_the_whole_word_is_asked_for(texts: Repository, answer: str, code: int, writes: int) -> None:
    texts.write("lists.yaml", a_list("a"))
    ended, seen = in_a_terminal(["apply"], [answer])
    assert ended == code, seen
    assert "Type 'yes' to approve" in seen
    assert len(texts.writes()) == writes
    assert "\x1b[" in seen


def test_colour_is_off_when_somebody_says_so(texts: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    texts.write("lists.yaml", a_list("a"))
    assert "\x1b[" not in in_a_terminal(["plan", "--no-color"], [])[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in in_a_terminal(["plan"], [])[1]


def test_removing_people_is_asked_for_by_its_own_word(texts: Repository) -> None:
    texts.write("members.yaml", members(3))
    texts.apply()
    texts.write("members.yaml", members(2))
    assert in_a_terminal(["apply"], ["no"])[0] == 5
    assert in_a_terminal(["apply"], ["delete"])[0] == 0


def start(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", *words],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_writes(repository: Repository, count: int) -> None:
    deadline = time.monotonic() + 30
    while len(repository.writes()) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(repository.writes()) >= count


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_what_is_under_way_and_starts_nothing_new(
    texts: Repository, sandbox: Sandbox, number: signal.Signals, code: int
) -> None:
    texts.write("lists.yaml", "".join(a_list(f"l{i:02}") for i in range(30)))
    sandbox.set_faults([{"method": "POST", "path": "/v1/*/lists", "fault": {"kind": "latency", "ms": 400}}])
    process = start(["apply", "--yes", "--parallelism", "2"])
    wait_for_writes(texts, 2)
    process.send_signal(number)
    began = time.monotonic()
    out, err = process.communicate(timeout=30)
    assert process.returncode == code, out + err
    assert time.monotonic() - began < 7.0
    assert "Interrupted" in out
    assert len(texts.writes()) < 30
    sandbox.set_faults([])
    runs = texts("history", "--format", "json").json["runs"]
    assert runs[0]["exit"] == code
    texts.apply()
    assert len(sandbox.state()["slicktext"]["lists"]) == 30
    assert sandbox.ledger()["duplicates"] == []
    texts.settled()


def test_a_server_that_hangs_does_not_hold_up_an_interrupt(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("lists.yaml", a_list("a"))
    sandbox.set_faults([{"method": "POST", "path": "/v1/*/lists", "fault": {"kind": "hang", "effect": True}}])
    process = start(["apply", "--yes"])
    wait_for_writes(texts, 1)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - began < 8.0
    sandbox.set_faults([])
    texts.apply()
    assert len(sandbox.state()["slicktext"]["lists"]) == 1
    texts.settled()


def test_a_deadline_starts_nothing_after_it(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("lists.yaml", "".join(a_list(f"l{i:02}") for i in range(12)))
    sandbox.set_faults([{"method": "POST", "path": "/v1/*/lists", "fault": {"kind": "latency", "ms": 500}}])
    result = texts("apply", "--yes", "--parallelism", "1", "--deadline", "2s", "--format", "json")
    assert result.code == 7
    assert result.json["counts"]["notAttempted"] > 0
    assert result.json["counts"]["failed"] == 0
    sandbox.set_faults([])
    texts.apply()
    texts.settled()


def test_a_second_apply_on_the_account_is_told_who_is_at_it(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("lists.yaml", a_list("a"))
    sandbox.set_faults([{"method": "POST", "path": "/v1/*/lists", "fault": {"kind": "latency", "ms": 3000}}])
    process = start(["apply", "--yes"])
    wait_for_writes(texts, 1)
    second = texts("apply", "--yes")
    assert second.code == 8
    assert str(process.pid) in second.err
    process.communicate(timeout=30)
    assert process.returncode == 0
