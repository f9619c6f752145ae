"""How fast an account may be asked, and how often again: sliding windows, pauses after a 429, the retry budget."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_WAIT_S = 120.0
"""The longest wait a provider may ask of us; above it the run says when to come back instead."""
MAX_ATTEMPTS = 4
SPARE_RETRIES = 10
RETRY_SHARE = 0.1

_SECONDS = re.compile(r"\d{1,12}(\.\d{1,9})?", re.ASCII)


class Window:
    """At most ``count`` requests in any ``seconds``: bursts pass, the budget never breaks.

    A leaky bucket would space a small plan out for nothing, and a bucket with a burst exceeds a provider's sliding
    window by exactly that burst.
    """

    def __init__(self, count: int, seconds: float) -> None:
        self._seconds = seconds
        self._starts: deque[float] = deque(maxlen=count)

    @classmethod
    def per_second(cls, rate: float) -> Window:
        count = max(1, int(rate))
        return cls(count, count / rate)

    @classmethod
    def per_minute(cls, rate: float) -> Window:
        count = max(1, int(rate))
        return cls(count, 60.0 * count / rate)

    def free_at(self) -> float:
        """The time from which one more request fits."""
        return self._starts[0] + self._seconds if len(self._starts) == self._starts.maxlen else 0.0

    def take(self, now: float) -> None:
        self._starts.append(now)


class Limiter:
    """One account's pace, shared by all its workers; first come, first served among reads and among writes."""

    def __init__(
        self,
        *,
        requests_per_second: float | None,
        reads_per_minute: float | None,
        writes_per_minute: float | None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        every = [Window.per_second(requests_per_second)] if requests_per_second else []
        self._reads = every + ([Window.per_minute(reads_per_minute)] if reads_per_minute else [])
        self._writes = every + ([Window.per_minute(writes_per_minute)] if writes_per_minute else [])
        self._turns = {True: asyncio.Lock(), False: asyncio.Lock()}
        self._paused_until = 0.0
        self._now = now
        self._sleep = sleep

    def pause(self, seconds: float) -> None:
        """Nobody sends anything for so long."""
        self._paused_until = max(self._paused_until, self._now() + seconds)

    async def turn(self, *, read: bool) -> None:
        """Returns when one more request may go out."""
        windows = self._reads if read else self._writes
        if not windows and self._paused_until <= self._now():
            return
        async with self._turns[read]:
            while True:
                now = self._now()
                free_at = max([self._paused_until, *(w.free_at() for w in windows)])
                if free_at <= now:
                    break
                await self._sleep(free_at - now)
            for window in windows:
                window.take(now)


class RetryBudget:
    """Retries of a whole account, so that a provider in trouble is not asked many times as much as one in health."""

    def __init__(self) -> None:
        self.requests = 0
        self._used = 0

    def take(self) -> bool:
        """Whether one more retry is affordable; if so it is spent."""
        if self._used >= SPARE_RETRIES + RETRY_SHARE * self.requests:
            return False
        self._used += 1
        return True


def backoff_s(attempt: int, *, base_s: float) -> float:
    """Full jitter, so that clients do not come in step: up to ``base_s``, doubled with each attempt (from 1)."""
    return random.uniform(0.0, min(30.0, base_s * 2.0 ** (attempt - 1)))


def asked_wait_s(headers: Mapping[str, str], reset_header: str | None) -> float | None:
    """How long a 429 asks us to wait; None when it does not say, or says nonsense.

    ``reset_header`` (in seconds) goes before ``Retry-After`` (seconds or an HTTP date; one in the past means now).
    """
    for name in (reset_header, "retry-after"):
        value = headers.get(name.lower(), "").strip() if name else ""
        if _SECONDS.fullmatch(value):
            return float(value)
    value = headers.get("retry-after", "").strip()
    if not value or value.startswith("-"):
        return None
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, IndexError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
