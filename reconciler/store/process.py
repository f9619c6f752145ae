"""Who holds a lease: this process, and whether another one is certainly gone."""

from __future__ import annotations

import os
import socket
import subprocess
from functools import cache
from pathlib import Path

from msgspec import Struct

_PROC = Path("/proc")


class Process(Struct, frozen=True, kw_only=True):
    """One process, told apart from a later one with the same id by when it ``started``.

    ``host`` is for people. ``scope`` says where ``pid`` means something: one boot of one machine, and within it one
    container. Two containers may share a host name and a volume, and see nothing of each other's processes.
    ``started`` is opaque, and empty where it cannot be found out.
    """

    host: str
    scope: str
    pid: int
    started: str


def this_process() -> Process:
    pid = os.getpid()
    return Process(host=socket.gethostname(), scope=_scope(), pid=pid, started=_started(pid) or "")


def certainly_gone(process: Process) -> bool:
    """Whether ``process`` has ended. When that cannot be known, it has not: its lease runs out by itself."""
    if not process.started or process.scope != _scope():
        return False
    return _started(process.pid) not in {process.started, ""}


@cache
def _scope() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _started(pid: int) -> str | None:
    """When the running process ``pid`` started; None when there is none, empty when nobody can tell."""
    if not (_PROC / "self/stat").exists():
        return _started_by_ps(pid)
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold anything, so the fields are counted from its end: state first, start 20th.
    state, *rest = stat.rpartition(")")[2].split()
    return None if state in {"Z", "X"} else rest[18]


def _started_by_ps(pid: int) -> str | None:
    try:
        found = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
            timeout=5,
            env={**os.environ, "TZ": "UTC", "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() or None
