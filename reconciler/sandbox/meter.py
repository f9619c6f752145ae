"""The sliding minute: how many requests each caller has made in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass

WINDOW_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a caller stands after a request. ``reset_at`` is when the oldest counted one leaves the minute."""

    allowed: bool
    remaining: int
    reset_at: float


class Meter:
    """Requests by caller. One that is refused does not count."""

    def __init__(self) -> None:
        self._recent: dict[Hashable, deque[float]] = {}

    def count(self, caller: Hashable, limit: int, now: float) -> Standing:
        """One more request."""
        recent = self._recent.setdefault(caller, deque())
        while recent and recent[0] <= now - WINDOW_S:
            recent.popleft()
        allowed = len(recent) < limit
        if allowed:
            recent.append(now)
        reset_at = (recent[0] if recent else now) + WINDOW_S
        return Standing(allowed=allowed, remaining=max(0, limit - len(recent)), reset_at=reset_at)
