"""Windows, pauses and what a 429 asks for, on a clock that only moves when somebody sleeps."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from reconciler.providers._limits import (
    COOL_DOWN_S,
    TIMEOUT_COST,
    Breaker,
    Limiter,
    RetryBudget,
    asked_wait_s,
    backoff_s,
    jittered_s,
    try_again_after,
)


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


def starts(clock: Clock, turns: int, *, read: bool = True, **rates: float | None) -> list[float]:
    limits: dict[str, float | None] = dict.fromkeys(("requests_per_second", "reads_per_minute", "writes_per_minute"))
    limiter = Limiter(**(limits | rates), now=clock.now, sleep=clock.sleep)

    async def main() -> list[float]:
        found = []
        for _ in range(turns):
            await limiter.turn(read=read)
            found.append(clock.time - 1000.0)
        return found

    return asyncio.run(main())


def test_a_burst_up_to_the_rate_passes_and_no_second_holds_more() -> None:
    found = starts(Clock(), 12, requests_per_second=4.0)
    assert found == [0.0] * 4 + [1.0] * 4 + [2.0] * 4


def test_a_rate_below_one_is_spread() -> None:
    assert starts(Clock(), 3, requests_per_second=0.5) == [0.0, 2.0, 4.0]


def test_reads_and_writes_have_their_own_minutes() -> None:
    assert starts(Clock(), 3, reads_per_minute=2.0) == [0.0, 0.0, 60.0]
    assert starts(Clock(), 3, read=False, reads_per_minute=2.0) == [0.0, 0.0, 0.0]
    assert starts(Clock(), 3, read=False, writes_per_minute=1.0) == [0.0, 60.0, 120.0]


def test_a_pause_holds_everybody() -> None:
    clock = Clock()
    limiter = Limiter(
        requests_per_second=None, reads_per_minute=None, writes_per_minute=None, now=clock.now, sleep=clock.sleep
    )

    async def main() -> None:
        limiter.pause(30.0)
        limiter.pause(5.0)
        await limiter.turn(read=True)
        assert clock.time == 1030.0
        await limiter.turn(read=False)
        assert clock.time == 1030.0

    asyncio.run(main())


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-ratelimit-reset": "55", "retry-after": "7"}, 55.0),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"x-ratelimit-reset": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
def test_what_a_429_asks_for(headers: dict[str, str], expected: float | None) -> None:
    assert asked_wait_s(headers, "x-RateLimit-Reset") == expected


def test_a_date_in_another_zone_is_a_date() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=60)
    wait = asked_wait_s({"retry-after": format_datetime(soon.astimezone())}, None)
    assert wait is not None
    assert 55 < wait <= 61


def test_retries_are_a_tenth_of_the_requests_and_ten() -> None:
    budget = RetryBudget()
    assert sum(budget.take() for _ in range(100)) == 10
    budget = RetryBudget()
    budget.requests = 100
    while budget.take():
        budget.requests += 1  # retries earn no retries
    assert budget.requests == 120


def test_a_retry_after_a_time_out_costs_double() -> None:
    budget = RetryBudget()
    assert sum(budget.take(TIMEOUT_COST) for _ in range(100)) == 5


def test_the_breaker_opens_after_five_failures_in_a_row_and_lets_one_through_later() -> None:
    clock = Clock()
    breaker = Breaker(clock.now)
    for _ in range(4):
        breaker.failed(clock.time)
        clock.time += 1.0
    breaker.answered()
    for n in range(5):
        assert not breaker.open, n
        breaker.failed(clock.time)
        clock.time += 1.0
    assert breaker.open
    clock.time += COOL_DOWN_S
    assert not breaker.open
    breaker.failed(clock.time)
    assert breaker.open
    breaker.answered()
    assert not breaker.open


def test_failures_of_what_was_under_way_together_are_one() -> None:
    clock = Clock()
    breaker = Breaker(clock.now)
    sent_at = clock.time
    clock.time += 1.0
    for _ in range(50):
        breaker.failed(sent_at)
    assert not breaker.open


def paced(limiter: Limiter, clock: Clock, turns: int) -> list[float]:
    """The gaps between turns, each answered well."""

    async def main() -> list[float]:
        gaps = []
        for _ in range(turns):
            before = clock.time
            await limiter.turn(read=True)
            gaps.append(clock.time - before)
            limiter.speed_up()
            clock.time += 0.01
        return gaps

    return asyncio.run(main())


def test_a_429_slows_everybody_down_for_a_while_and_then_not_at_all() -> None:
    clock = Clock()
    limiter = Limiter(
        requests_per_second=None, reads_per_minute=None, writes_per_minute=None, now=clock.now, sleep=clock.sleep
    )
    assert set(paced(limiter, clock, 20)) == {0.0}
    together = clock.time
    for _ in range(8):
        limiter.slow_down(together)
        clock.time += 0.001
    gaps = paced(limiter, clock, 40)
    assert 0 < max(gaps) < 0.03
    assert set(gaps[-20:]) == {0.0}
    for _ in range(30):
        limiter.slow_down(clock.time)
        clock.time += 1.0
    clock.time += 10.0
    assert max(paced(limiter, clock, 3)) <= 5.0


def test_a_date_counts_from_the_date_of_the_answer() -> None:
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "Wed, 21 Oct 2015 09:28:00 +0200"}
    assert asked_wait_s(headers, None) == 30.0
    assert asked_wait_s({**headers, "date": "nonsense"}, None) == 0.0


def test_when_to_come_back_is_told_as_a_time() -> None:
    assert try_again_after(1_000_000_000).startswith("try again after 20")
    assert "years" in try_again_after(1e12)
    assert all(60 <= jittered_s(60) <= 61 for _ in range(20))
    assert jittered_s(0) == 0


def test_back_off_is_full_jitter_under_a_cap() -> None:
    assert all(0.0 <= backoff_s(n, base_s=0.25) <= 0.25 * 2 ** (n - 1) for n in range(1, 5))
    assert backoff_s(60, base_s=1.0) <= 30.0
