"""Runs one variant in a fresh interpreter: wall time, CPU and peak memory of that process alone.

The operating system reports a child's peak as at least what its parent held when it was started, so this process stays
small: inputs are made in children as well, and nothing heavy is ever imported here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.case import Case, Command, Size, Task, Variant

ROOT = Path(__file__).parent.parent
_MIB = 1024 * 1024
# What ru_maxrss counts in.
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


class Failed(Exception):
    """A variant did not do its work; the message has the end of what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one process took. ``values`` are ``wall_s``, ``cpu_s``, ``peak_mib``, and the facts that it reported."""

    values: Mapping[str, float]


def prepare(case: Case, size: Size, folder: Path, *, limit_s: float) -> None:
    """Write the inputs of a case."""
    task = Task(target=case.prepare, arguments={"size": case.sizes[size]})
    _run(_argv(task), folder, _environment({}), limit_s)


def measure(variant: Variant, folder: Path, *, limit_s: float = 900.0) -> Measurement:
    """Raises Failed."""
    environment = dict(variant.environment)
    facts: dict[str, float] = {}
    with _served(variant.server, folder, environment, facts, limit_s):
        wanted = variant.run.exit_code if isinstance(variant.run, Command) else 0
        ran, said = _run(_argv(variant.run), folder, _environment(environment), limit_s, wanted)
    if isinstance(variant.run, Task):
        facts = {**facts, **json.loads(said.splitlines()[-1])}
    return Measurement(values={**facts, **ran})


def _argv(run: Task | Command) -> list[str]:
    match run:
        case Command(words=words):
            return [sys.executable, *words]
        case Task(target=target, arguments=arguments):
            return [sys.executable, "-m", "benchmarks.child", target, json.dumps(dict(arguments))]


def _environment(added: Mapping[str, str]) -> dict[str, str]:
    """Ours, so that nothing of whoever runs this changes what is measured, with this checkout on the path.

    Without what keeps Python from storing compiled modules, as images of containers do: an installed tool has them, and
    compiling it anew in each run would be a fifth of a plan.
    """
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("RECONCILER_", "BENCH_", "PYTHON"))
    }
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", **added}


def _run(
    argv: list[str], folder: Path, environment: dict[str, str], limit_s: float, wanted: int = 0
) -> tuple[dict[str, float], str]:
    """What it took and what it wrote to stdout."""
    out, err = folder / ".stdout", folder / ".stderr"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        started = time.perf_counter()
        process = subprocess.Popen(
            argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
        )
        overdue = threading.Timer(limit_s, process.kill)
        overdue.start()
        try:
            # Not Popen.wait: only this call tells what this one child used.
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            overdue.cancel()
        wall_s = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != wanted:
        last = (err.read_text(errors="replace") + out.read_text(errors="replace"))[-2000:]
        raise Failed(f"{' '.join(argv[1:4])} ended with {process.returncode} after {wall_s:.1f} s:\n{last}")
    took = {
        "wall_s": wall_s,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss * _PEAK_UNIT / _MIB,
    }
    return took, out.read_text()


@contextmanager
def _served(
    server: Task | None, folder: Path, environment: dict[str, str], facts: dict[str, float], limit_s: float
) -> Iterator[None]:
    """Runs ``server`` beside what is measured; puts its URL into ``environment`` and its last words into ``facts``."""
    if server is None:
        yield
        return
    with (folder / ".server").open("wb") as stderr:
        process = subprocess.Popen(
            _argv(server),
            cwd=folder,
            env=_environment({}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    overdue = threading.Timer(limit_s, process.kill)
    overdue.start()
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise Failed(f"the server did not start: {(folder / '.server').read_text(errors='replace')[-2000:]}")
        environment["BENCH_URL"] = url
        yield
        process.send_signal(signal.SIGTERM)
        last = process.communicate(timeout=30)[0].splitlines()
        facts.update(json.loads(last[-1]) if last else {})
    finally:
        overdue.cancel()
        process.kill()
        process.wait()
