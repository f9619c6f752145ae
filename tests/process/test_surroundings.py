"""Where a command runs: other applies, pipes, files that cannot be written, locale, time zone, folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox import Sandbox

from processes import WRITES, command, until, written
from repository import Repository

HANGS = {"fault": {"kind": "hang", "effect": False}}


@pytest.mark.survives("F139", title="two applies at once on one machine")
def test_of_two_applies_at_once_one_is_refused(texts: Repository, sandbox: Sandbox) -> None:
    sandbox.set_faults([{**WRITES, **HANGS}])
    with command("apply", "--yes", "--parallelism", "1") as first:
        until(lambda: bool(written(sandbox)))
        before = len(written(sandbox))
        with command("apply", "--yes") as second:
            code, _, err, _ = second.ended(within_s=60)
    assert code == 8
    assert str(first.pid) in err
    assert len(written(sandbox)) == before


@pytest.mark.survives("F142", title="the holder of the lease has died")
def test_the_lease_of_a_dead_process_is_taken_over_at_once(texts: Repository, sandbox: Sandbox) -> None:
    sandbox.set_faults([{**WRITES, **HANGS}])
    with command("apply", "--yes") as process:
        until(lambda: bool(written(sandbox)))
        process.send_signal(signal.SIGKILL)
        process.wait()
    sandbox.set_faults([])
    with command("apply", "--yes") as second:
        code, _, err, took_s = second.ended(within_s=60)
    assert code == 0, err
    assert took_s < 30


@pytest.mark.survives("F150", title="a drift report while an apply runs")
def test_a_plan_and_a_drift_during_an_apply_write_nothing(texts: Repository, sandbox: Sandbox) -> None:
    sandbox.set_faults([{**WRITES, **HANGS}])
    with command("apply", "--yes", "--parallelism", "1"):
        until(lambda: bool(written(sandbox)))
        before = len(written(sandbox))
        assert texts("drift").code in (0, 2)
        assert texts("plan").code == 0
        assert len(written(sandbox)) == before


@pytest.mark.parametrize(("words", "code"), [(("apply", "--yes"), 0), (("plan", "--detailed-exitcode"), 2)])
@pytest.mark.survives("F120", title="a stdout that is closed, full or slow")
def test_a_reader_that_leaves_after_a_line(texts: Repository, words: tuple[str, ...], code: int) -> None:
    with command(*words) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
        assert process.wait(timeout=60) == code, err
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


@pytest.mark.survives("F120", title="a stdout that is closed, full or slow")
def test_a_reader_of_everything_that_leaves_after_a_line(texts: Repository) -> None:
    with command("apply", "--yes", stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 0
    texts.settled()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the size of a pipe can be set on Linux only")
@pytest.mark.survives("F120", title="a stdout that is closed, full or slow")
def test_a_full_pipe_delays_and_changes_nothing(texts: Repository, sandbox: Sandbox) -> None:
    import fcntl

    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, b"." * 4096)
    with command("apply", "--yes", stdout=writer) as process:
        os.close(writer)
        until(lambda: bool(sandbox.requests()))
        assert process.poll() is None
        with os.fdopen(reader, "rb") as rest:
            said = rest.read().decode()
        assert process.wait(timeout=30) == 0
    assert "main/List/join" in said
    texts.settled()


@pytest.mark.parametrize(("words", "code", "sent"), [(("apply", "--yes"), 0, 4), (("apply",), 5, 0)])
@pytest.mark.survives("F121", title="a report file that cannot be written")
def test_a_report_that_cannot_be_written_changes_nothing(
    texts: Repository, tmp_path: Path, words: tuple[str, ...], code: int, sent: int
) -> None:
    unwritable = tmp_path / ("r" * 254)  # there is no room for the name of the draft beside it
    with command(*words, "--report", f"json={unwritable}") as process:
        ended, _, err, _ = process.ended(within_s=60)
    assert "cannot be written" in err
    assert "Traceback" not in err
    assert (ended, len(texts.writes())) == (code, sent)


@pytest.mark.survives("F121", title="a report file that cannot be written")
def test_a_report_that_can_never_be_written_is_refused_first(texts: Repository, tmp_path: Path) -> None:
    with command("apply", "--yes", "--report", f"json={tmp_path}") as process:
        code, _, err, _ = process.ended(within_s=60)
    assert str(tmp_path) in err
    assert (code, texts.writes()) == (64, [])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to write to")
@pytest.mark.survives("F120", title="a stdout that is closed, full or slow")
def test_a_full_disk_under_the_output_changes_nothing_that_was_done(texts: Repository) -> None:
    with Path("/dev/full").open("w") as full, command("apply", "--yes", stdout=full) as process:
        code, _, err, _ = process.ended(within_s=60)
    assert code == 0, err
    assert "cannot be written" in err
    texts.settled()


ELSEWHERE: tuple[dict[str, str], ...] = (
    {"LC_ALL": "C", "LANG": "C"},
    {"TZ": "Pacific/Chatham"},
    {"TZ": "America/St_Johns", "LC_ALL": "POSIX"},
    {"PYTHONHASHSEED": "1"},
    {"PYTHONHASHSEED": "424242"},
    {"PYTHONUTF8": "0", "LC_ALL": "C"},
    {"PYTHONIOENCODING": "ascii"},
)


def stable(document: Any) -> bytes:
    """What of a plan must be the same everywhere; digest and dates are each plan's own."""
    kept = {name: document[name] for name in ("accounts", "changes", "summary", "diagnostics")}
    return json.dumps(kept).encode()


@pytest.mark.survives("F126", title="another locale, time zone or folder")
@pytest.mark.survives("F127", title="another hash seed")
def test_a_plan_is_the_same_everywhere(texts: Repository, tmp_path: Path) -> None:
    def planned(extra: dict[str, str], cwd: Path, *paths: str) -> bytes:
        options: Any = {"env": {**os.environ, **extra}, "cwd": cwd, "capture_output": True, "check": True}
        words = [sys.executable, "-m", "reconciler", "plan", "--format", "json", *paths]
        return stable(json.loads(subprocess.run(words, timeout=60, **options).stdout))

    texts.write("all.yaml", (texts.root / "manifests" / "all.yaml").read_text(encoding="utf-8").replace("VIPs", "Žluť"))
    here = planned({}, texts.root)
    assert [planned(extra, texts.root) == here for extra in ELSEWHERE] == [True] * len(ELSEWHERE)
    elsewhere = planned({}, tmp_path, str(texts.root))
    # Files are named as seen from where the command runs, so that they can be opened from there.
    assert elsewhere.replace(b'"repository/', b'"') == here
