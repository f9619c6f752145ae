"""What may stop an apply between two requests: a signal, a freeze, a deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, field

from reconciler.errors import Exit, Interruption

FREEZE_FILE = "FREEZE"
FREEZE_VARIABLE = "RECONCILER_FREEZE"
GRACE_S = 6.0
"""How long what was sent before a signal may go on to its answer: what is promised is 7 s, with the journal closed."""

T = TypeVar("T")


def frozen(root: Path, variable: str | None) -> str:
    """Why nothing may be written now, or nothing. ``variable`` is the value of ``RECONCILER_FREEZE``."""
    if variable not in (None, "", "0"):
        return f"{FREEZE_VARIABLE} is set"
    if _freeze_file(root).exists():
        return f"a file {FREEZE_FILE} stands beside the project"
    return ""


@cache
def _freeze_file(root: Path) -> Path:
    """Asked for before every write: to join a path takes longer than to look for a file."""
    return root / FREEZE_FILE


class Elapsed:
    """Seconds since it was made, by the clock that showed more of them: one stands still while a machine sleeps, the
    other can be set back."""

    __slots__ = ("_monotonic", "_wall")

    def __init__(self) -> None:
        self._monotonic, self._wall = time.monotonic(), time.time()

    @property
    def seconds(self) -> float:
        return max(time.monotonic() - self._monotonic, time.time() - self._wall)


async def held() -> str:
    """For who has no lease to lose."""
    return ""


class Control(Struct):
    """Asked before every write. ``deadline`` is on the monotonic clock; ``aborted`` is the second signal."""

    root: Path
    variable: str | None = None
    deadline: float | None = None
    interrupted: asyncio.Event = field(default_factory=asyncio.Event)
    aborted: asyncio.Event = field(default_factory=asyncio.Event)
    terminated: bool = False
    """Whether it was SIGTERM that interrupted."""
    lost: Callable[[], Awaitable[str]] = held
    """Why the lease is not ours any more, or nothing; asks anew where it was not renewed in time (a machine slept)."""
    halted: dict[str, str] = field(default_factory=dict)
    """Accounts that nothing more may be sent to, with the reason (credentials refused in mid-run)."""

    @property
    def exit_code(self) -> Exit:
        """What an interrupted command ends with."""
        return Exit.TERMINATED if self.terminated else Exit.INTERRUPTED

    def interrupt(self, *, terminated: bool) -> None:
        """The first time gently, the second time at once."""
        self.terminated = terminated
        (self.aborted if self.interrupted.is_set() else self.interrupted).set()

    def refusal(self, account: str) -> str:
        """Why nothing new may start in this account now, or nothing."""
        if self.interrupted.is_set():
            return "interrupted"
        if self.deadline is not None and time.monotonic() >= self.deadline:
            return "the deadline is reached"
        if reason := self.halted.get(account):
            return reason
        return frozen(self.root, self.variable)

    async def unless_interrupted(self, work: Coroutine[Any, Any, T]) -> T:
        """``work``, given up at the first signal: for what sends nothing. Raises Interruption."""
        task = asyncio.ensure_future(work)
        await self._first(task, self.interrupted)
        if not task.done():
            await _cancelled(task)
            raise Interruption(self.exit_code)
        return await task

    async def graceful(self, work: Coroutine[Any, Any, None], grace_s: float) -> None:
        """``work``, which heeds ``refusal`` itself: after the first signal it has ``grace_s`` to end, after the second
        no more. What it was doing then is cancelled."""
        task = asyncio.ensure_future(work)
        await self._first(task, self.interrupted)
        if not task.done():
            stop = asyncio.ensure_future(self.aborted.wait())
            await asyncio.wait({task, stop}, timeout=grace_s, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
        if not task.done():
            await _cancelled(task)
            return
        await task

    @staticmethod
    async def _first(task: asyncio.Future[Any], event: asyncio.Event) -> None:
        waiting = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()


async def _cancelled(task: asyncio.Future[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
