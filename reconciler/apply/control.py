"""What may stop an apply between two requests: a signal, a freeze, a deadline."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

FREEZE_FILE = "FREEZE"
FREEZE_VARIABLE = "RECONCILER_FREEZE"


def frozen(root: Path, variable: str | None) -> str:
    """Why nothing may be written now, or nothing. ``variable`` is the value of ``RECONCILER_FREEZE``."""
    if variable not in (None, "", "0"):
        return f"{FREEZE_VARIABLE} is set"
    if (root / FREEZE_FILE).exists():
        return f"a file {FREEZE_FILE} stands beside the project"
    return ""


@dataclass(slots=True)
class Control:
    """Asked before every write. ``deadline`` is on the monotonic clock."""

    root: Path
    variable: str | None = None
    deadline: float | None = None
    interrupted: asyncio.Event = field(default_factory=asyncio.Event)
    terminated: bool = False
    """Whether it was SIGTERM that interrupted."""
    halted: dict[str, str] = field(default_factory=dict)
    """Accounts that nothing more may be sent to, with the reason (credentials refused in mid-run)."""

    def refusal(self, account: str) -> str:
        """Why nothing new may start in this account now, or nothing."""
        if self.interrupted.is_set():
            return "interrupted"
        if self.deadline is not None and time.monotonic() >= self.deadline:
            return "the deadline is reached"
        if reason := self.halted.get(account):
            return reason
        return frozen(self.root, self.variable)
