"""A sandbox in a thread of the test, and the command in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox import Sandbox

from repository import PROJECT, SECRETS, TEXTS, Repository

PEOPLE = [f"+1202555{i:04d}" for i in range(100, 103)]
WRITES = {"method": ["POST", "PUT", "DELETE"]}


class Command(subprocess.Popen[str]):
    """``reconciler`` with these words; killed at the end of the test at the latest."""

    def __init__(self, *words: str, **options: Any) -> None:
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        super().__init__([sys.executable, "-m", "reconciler", *words], **(given | options))

    def ended(self, within_s: float) -> tuple[int, str, str, float]:
        """Exit code, what was said, and how many seconds it took."""
        started = time.monotonic()
        out, err = self.communicate(timeout=within_s)
        return self.returncode, out, err, time.monotonic() - started


@contextmanager
def command(*words: str, **options: Any) -> Iterator[Command]:
    with Command(*words, **options) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)


def until(happened: Callable[[], bool], within_s: float = 30.0) -> None:
    """Waits for something that another process does."""
    end = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def written(sandbox: Sandbox) -> list[str]:
    """The requests that were not reads, as they came in."""
    return [f"{r['method']} {r['path']}" for r in sandbox.requests() if r["method"] != "GET"]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    seed = {"slicktext": {"contacts": [{"number": n} for n in PEOPLE]}}
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def texts(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Repository:
    """A repository with one account, a list, its members, and a campaign for it: four writes."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "RECONCILER_FREEZE", "RECONCILER_ALLOWED_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # also from another folder
    root = tmp_path / "repository"
    (root / "manifests").mkdir(parents=True)
    (root / "reconciler.yaml").write_text(PROJECT, encoding="utf-8")
    monkeypatch.chdir(root)
    repository = Repository(root, sandbox, capsys.readouterr)
    repository.write("account.yaml", TEXTS)
    repository.write("all.yaml", ALL)
    return repository


ALL = """\
apiVersion: slicktext/v1
kind: List
metadata: {name: join}
spec: {name: Join, description: VIPs}
---
apiVersion: slicktext/v1
kind: List
metadata: {name: other}
spec: {name: Other}
---
apiVersion: slicktext/v1
kind: Membership
metadata: {name: members}
spec:
  list: join
  mode: exact
  contacts: [{number: "+12025550100"}, {number: "+12025550101"}]
---
apiVersion: slicktext/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring, body: "Hello, reply STOP to opt out", status: draft}
---
apiVersion: slicktext/v1
kind: Association
metadata: {name: spring--join}
spec: {campaign: spring, list: join}
"""
