"""Enumeration: whole, or an error; and no more requests than it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.errors import NotFound, ReadIncomplete
from reconciler.providers.parallel import together
from reconciler.providers.slicktext.paging import Reading, read_all


@dataclass(frozen=True)
class Page:
    ids: Sequence[int]
    more: bool


Server = Callable[[int, int], Page]


def honest(rows: list[int], clamp: int = 10**6) -> Server:
    def page(offset: int, limit: int) -> Page:
        size = min(limit, clamp)
        return Page(rows[offset : offset + size], offset + size < len(rows))

    return page


def lying(rows: list[int], answer: bool, clamp: int = 10**6) -> Server:
    return lambda offset, limit: Page(honest(rows, clamp)(offset, limit).ids, answer)


@dataclass
class Taken:
    """The ids in the order taken, each once."""

    ids: dict[int, None] = field(default_factory=dict)

    def take(self, page: Page) -> None:
        self.ids |= dict.fromkeys(page.ids)

    def count(self) -> int:
        return len(self.ids)


def enumerate_all(server: Server, limit: int = 100, **more: Any) -> tuple[list[int], list[int]]:
    """The ids in the order taken, and the offsets asked for."""
    taken = Taken()
    offsets: list[int] = []

    async def read(offset: int) -> Page:
        offsets.append(offset)
        await asyncio.sleep(0)
        return server(offset, limit)

    how = Reading(what="rows", limit=limit, **({"cap": 10_000} | more))
    assert asyncio.run(read_all(read, taken, how)) == len(taken.ids)
    return [*taken.ids], offsets


def rows(count: int) -> list[int]:
    return list(range(1, count + 1))


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250, 1000, 1234])
@pytest.mark.parametrize("clamp", [1000, 100, 50, 37])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("width", [1, 8])
def test_everything_once(count: int, clamp: int, known: bool, width: int) -> None:
    taken, _ = enumerate_all(honest(rows(count), clamp), expected=count if known else None, width=width)
    assert taken == rows(count)


@pytest.mark.parametrize(
    ("count", "known", "offsets"),
    [
        (0, False, [0]),
        (50, False, [0]),
        (100, False, [0, 100]),
        (250, False, [0, 100, 200]),
        (100, True, [0]),
        (300, True, [0, 100, 200]),
        (301, True, [0, 100, 200, 300]),
    ],
)
def test_no_request_too_many(count: int, known: bool, offsets: list[int]) -> None:
    assert enumerate_all(honest(rows(count)), expected=count if known else None, width=8)[1] == offsets


@pytest.mark.parametrize("at_least", [0, 1, 100, 101, 250, 1000])
@pytest.mark.parametrize("count", [0, 99, 100, 101, 1000, 1001, 5990, 6000])
def test_without_a_count_nothing_is_asked_for_that_need_not_be_there(count: int, at_least: int) -> None:
    if at_least <= count:
        _, offsets = enumerate_all(honest(rows(count)), width=16, at_least=at_least)
        # A full page is followed by one more, whatever it says.
        assert offsets == [*range(0, count + 1, 100)]


@pytest.mark.parametrize("known", [{"expected": 1000}, {"at_least": 1000}])
def test_pages_that_must_be_there_are_asked_for_side_by_side(known: dict[str, int]) -> None:
    under_way, most = 0, 0

    async def read(offset: int) -> Page:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return honest(rows(1000))(offset, 100)

    asyncio.run(read_all(read, Taken(), Reading(what="rows", limit=100, cap=10_000, width=8, **known)))
    assert most == 8


@pytest.mark.parametrize("known", [{}, {"expected": 400}])
def test_a_server_that_goes_in_a_circle_is_found_out(known: dict[str, int]) -> None:
    for length in (1, 100, 250, 300):

        def circle(offset: int, limit: int, length: int = length) -> Page:
            return Page([(offset + i) % length + 1 for i in range(limit)], True)

        with pytest.raises(ReadIncomplete, match="does not advance"):
            enumerate_all(circle, **known)


def test_a_lying_has_more() -> None:
    for answer in (True, False):
        assert enumerate_all(lying(rows(250), answer))[0] == rows(250)
        assert enumerate_all(lying(rows(250), answer), expected=250, width=4)[0] == rows(250)


def test_a_clamp_with_a_lying_has_more_is_seen_through_with_a_count() -> None:
    assert enumerate_all(lying(rows(250), False, clamp=20), expected=250, width=4)[0] == rows(250)


def test_an_ignored_offset_is_an_error() -> None:
    with pytest.raises(ReadIncomplete, match="does not advance"):
        enumerate_all(lambda offset, limit: Page(rows(limit), True))


def test_a_row_shown_twice_counts_once() -> None:
    shifted = [*rows(100), 100, *range(101, 150)]
    assert enumerate_all(honest(shifted))[0] == rows(149)


def test_too_many_rows_are_never_cut_off_silently() -> None:
    with pytest.raises(ReadIncomplete, match="more than 150"):
        enumerate_all(honest(rows(1000)), cap=150)


def test_progress_is_told() -> None:
    told: list[int] = []
    enumerate_all(honest(rows(250)), told=told.append)
    assert told == [100, 200, 250]


def test_together_keeps_order_and_raises_the_failure_itself() -> None:
    async def value(x: int) -> int:
        await asyncio.sleep(0.001 * (3 - x))
        return x

    async def failing() -> int:
        raise NotFound("gone", status=404)

    assert asyncio.run(together(value(x) for x in range(3))) == [0, 1, 2]
    assert asyncio.run(together([])) == []
    with pytest.raises(NotFound):
        asyncio.run(together([value(1), failing()]))
