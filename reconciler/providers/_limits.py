"""How fast an account may be asked, and how often again: sliding windows, pauses after a 429, retry budget, breaker."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MAX_WAIT_S = 120.0
"""The longest wait a provider may ask of us; above it the run says when to come back instead."""
MAX_ATTEMPTS = 4
SPARE_RETRIES = 10
RETRY_SHARE = 0.1
TIMEOUT_COST = 2
"""What a retry after a time-out takes from the budget: each of them holds a connection for the whole deadline."""
FAILURES_IN_A_ROW = 5
COOL_DOWN_S = 30.0
SLOWEST_GAP_S = 5.0
_REMEMBERED = 20
_FIRST_GAP_S, _NO_GAP_S = 0.02, 0.002
_RECOVERY = 0.8

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
        self._gap_s = 0.0
        self._starts: deque[float] = deque(maxlen=_REMEMBERED)
        self._slowed_at = 0.0
        self._now = now
        self._sleep = sleep

    def pause(self, seconds: float) -> None:
        """Nobody sends anything for so long."""
        self._paused_until = max(self._paused_until, self._now() + seconds)

    def slow_down(self, sent_at: float) -> None:
        """After a 429 to what was sent at ``sent_at``: half as fast as of late. Requests that were under way together
        meet the limit together, and that is one reason to slow down, not many."""
        if sent_at < self._slowed_at:
            return
        self._slowed_at = self._now()
        span = self._starts[-1] - self._starts[0] if len(self._starts) > 1 else 0.0
        of_late = span / (len(self._starts) - 1) if span else 0.0
        self._gap_s = min(SLOWEST_GAP_S, 2 * max(of_late, self._gap_s, _FIRST_GAP_S / 2))

    def speed_up(self) -> None:
        """After an answer that was no 429: a little faster again, until nothing is held back."""
        self._gap_s = self._gap_s * _RECOVERY if self._gap_s > _NO_GAP_S else 0.0

    async def turn(self, *, read: bool) -> None:
        """Returns when one more request may go out."""
        windows = self._reads if read else self._writes
        if not windows and not self._gap_s and self._paused_until <= self._now():
            self._starts.append(self._now())
            return
        async with self._turns[read]:
            while True:
                now = self._now()
                spaced = self._starts[-1] + self._gap_s if self._gap_s and self._starts else 0.0
                free_at = max([self._paused_until, spaced, *(w.free_at() for w in windows)])
                if free_at <= now:
                    break
                await self._sleep(free_at - now)
            self._starts.append(now)
            for window in windows:
                window.take(now)


class RetryBudget:
    """Retries of a whole account, so that a provider in trouble is not asked many times as much as one in health."""

    def __init__(self) -> None:
        self.requests = 0
        self._used = 0
        self._retries = 0

    def take(self, cost: int = 1) -> bool:
        """Whether one more retry is affordable; if so it is spent. Retries earn no retries."""
        if self._used + cost > SPARE_RETRIES + RETRY_SHARE * max(0, self.requests - self._retries):
            return False
        self._used += cost
        self._retries += 1
        return True


class Breaker:
    """Opens when a provider failed so often in a row that asking on would only add to its trouble.

    Failures of requests that were under way together are one. After the cool-down one request may try again.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures = 0
        self._failed_at = 0.0
        self.why = ""
        """What went wrong last, for people."""

    @property
    def open(self) -> bool:
        """Whether nothing may be sent now."""
        return self._failures >= FAILURES_IN_A_ROW and self._now() - self._failed_at < COOL_DOWN_S

    def failed(self, sent_at: float, why: str = "") -> None:
        self.why = why
        if sent_at >= self._failed_at:
            self._failures += 1
            self._failed_at = self._now()

    def answered(self) -> None:
        self._failures = 0


def backoff_s(attempt: int, *, base_s: float) -> float:
    """Full jitter, so that clients do not come in step: up to ``base_s``, doubled with each attempt (from 1)."""
    return random.uniform(0.0, min(30.0, base_s * 2.0 ** (attempt - 1)))


def jittered_s(wait_s: float) -> float:
    """A little later than asked for: everybody who was turned away was given the same time."""
    return wait_s + random.uniform(0.0, min(1.0, wait_s / 10))


def asked_wait_s(headers: Mapping[str, str], reset_header: str | None) -> float | None:
    """How long a 429 asks us to wait; None when it does not say, or says nonsense.

    ``reset_header`` (in seconds) goes before ``Retry-After`` (seconds or an HTTP date; one in the past means now). A
    date counts from the answer's own ``Date``, since this machine's clock may be wrong.
    """
    for name in (reset_header, "retry-after"):
        value = headers.get(name.lower(), "").strip() if name else ""
        if _SECONDS.fullmatch(value):
            return float(value)
    until = _moment(headers.get("retry-after", ""))
    if until is None:
        return None
    now = _moment(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _moment(text: str) -> datetime | None:
    text = text.strip()
    if not text or text.startswith("-"):
        return None
    try:
        found = parsedate_to_datetime(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, IndexError, OverflowError):
        return None


def try_again_after(wait_s: float) -> str:
    """When to come back, for people."""
    try:
        return f"try again after {datetime.now(UTC) + timedelta(seconds=wait_s):%Y-%m-%d %H:%M} UTC"
    except OverflowError:
        return "it asks for a wait of thousands of years; ask the provider"
