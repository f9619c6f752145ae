"""Pages put together: whoever comes again counts once, however the rows are held on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_contacts import plain_below

from reconciler.model.contacts import ContactSet
from reconciler.model.gathering import ContactSetBuilder

Id: TypeAlias = int | str
Row: TypeAlias = tuple[Id, str | None, str | None, str | None]
"""Id, number, created, tier."""

NUMBERS = [*(f"+120255501{i:02}" for i in range(4)), "202-555-0100", "(202) 555 0101", "anonymous", "", "+0120", None]
WHOLE: list[Id] = [0, 1, 2, 3, 7, 2**63, 2**64 - 1]
TEXT: list[Id] = ["0", "00", "a", "b", "é", "7"]
ROWS_BELOW = {"plain": 100, "on the way": 3, "every page": 0}
NAMES = ("number", "created", "tier")


def number_of(text: str) -> str | None:
    """What a provider makes of a number that is not in E.164."""
    digits = "".join(c for c in text if c.isdigit())
    return f"+1{digits}" if len(digits) == 10 else None


def compared(number: str | None) -> str | None:
    plain = number is not None and number.startswith("+1")
    return number if number is None or plain else number_of(number)


@dataclass(slots=True)
class Oracle:
    """The same with a dict, one row after the other."""

    by_id: dict[Id, dict[str, str | None]] = field(default_factory=dict)

    def append(self, page: Sequence[Row]) -> None:
        for key, number, created, tier in page:
            self.by_id.setdefault(key, {"number": compared(number), "created": created, "tier": tier})

    @property
    def rows(self) -> list[dict[str, str | None]]:
        return [*self.by_id.values()]

    def by_number(self) -> dict[str, list[dict[str, str | None]]]:
        found: dict[str, list[dict[str, str | None]]] = {}
        for row in self.rows:
            if (number := row["number"]) is not None:
                found.setdefault(number, []).append(row)
        return found


def told(of: ContactSet) -> list[Mapping[str, str | None]]:
    return [{name: row[name] for name in NAMES} for row in of.rows()]


def as_rows(columns: Mapping[str, Sequence[str | None]]) -> dict[str | None, list[dict[str, str | None]]]:
    """By number, those of one number in order."""
    found: dict[str | None, list[dict[str, str | None]]] = {}
    for values in zip(*(columns[name] for name in NAMES), strict=True):
        found.setdefault(values[0], []).append(dict(zip(NAMES, values, strict=True)))
    return found


def page_of(rows: Sequence[Row]) -> dict[str, Sequence[int | str | None]]:
    ids, numbers, created, tiers = zip(*rows, strict=True)
    return {"id": list(ids), "number": list(numbers), "created": list(created), "tier": list(tiers)}


def builder_of(pages: Sequence[Sequence[Row]], counted: bool = False) -> tuple[ContactSetBuilder, Oracle]:
    """``counted``: asked after each page how many there are, as a read does that may be going in a circle."""
    builder, oracle = ContactSetBuilder(("id", *NAMES), key="id", number_of=number_of), Oracle()
    for page in pages:
        builder.append(page_of(page))
        oracle.append(page)
        if counted:
            assert builder.count() == len(oracle.rows)
    return builder, oracle


def rows(ids: Sequence[Id]) -> st.SearchStrategy[list[list[Row]]]:
    words = st.sampled_from([None, "", "1", "2", "10"])
    one = st.tuples(st.sampled_from(ids), st.sampled_from(NUMBERS), words, words)
    return st.lists(st.lists(one, min_size=1, max_size=4), min_size=1, max_size=5)


PAGES = rows(WHOLE) | rows(TEXT)
CHANGED_IN_BETWEEN: list[list[Row]] = [
    [(1, NUMBERS[0], "1", "a")],
    [(1, NUMBERS[1], "2", "b"), (2, NUMBERS[0], "", "c")],
]


@settings(max_examples=60)
@given(pages=PAGES, held=st.sampled_from([*ROWS_BELOW]), counted=st.booleans())
@example(pages=CHANGED_IN_BETWEEN, held="every page", counted=False)
def test_whoever_comes_again_counts_once(pages: list[list[Row]], held: str, counted: bool) -> None:
    with plain_below(ROWS_BELOW[held]):
        builder, oracle = builder_of(pages, counted)
        one_each = {number: found[0] for number, found in sorted(oracle.by_number().items())}
        again = {number: found[1:] for number, found in oracle.by_number().items() if len(found) > 1}
        least = [min(found, key=lambda r: r["created"] or "") for _, found in sorted(oracle.by_number().items())]
        assert told(builder.build()) == [*one_each.values()]
        assert builder.count() == len(oracle.rows)
        assert builder.numberless() == sum(row["number"] is None for row in oracle.rows)
        assert as_rows(builder.repeated_rows()) == again
        assert told(builder.build(least="created")) == least
        assert len(builder) == sum(map(len, pages))


@settings(max_examples=40)
@given(
    pages=rows(WHOLE),
    held=st.sampled_from([*ROWS_BELOW]),
    asked=st.sets(st.integers(-2, 9) | st.sampled_from([2**63, 2**64 - 1, 2**64, 2**70])),
)
def test_ids_that_are_there_are_told_exactly(pages: list[list[Row]], held: str, asked: set[int]) -> None:
    with plain_below(ROWS_BELOW[held]):
        builder, oracle = builder_of(pages)
        assert builder.holding(asked) == asked & oracle.by_id.keys()
        builder.count()
        builder.build()
        assert builder.holding(asked) == asked & oracle.by_id.keys()


@settings(max_examples=30)
@given(pages=PAGES, flush=st.integers(1, 5), counted=st.booleans())
def test_rows_outside_of_memory_count_once_too(pages: list[list[Row]], flush: int, counted: bool) -> None:
    """A row that comes again, as it was, may stay there twice; nobody is there twice, nor missing."""
    as_it_was = {row[0]: row for page in reversed(pages) for row in reversed(page)}
    pages = [[as_it_was[row[0]] for row in page] for page in pages]
    with plain_below(0, spooled_from=0, flush=flush):
        builder, oracle = builder_of(pages, counted)
        least = [min(found, key=lambda r: r["created"] or "") for _, found in sorted(oracle.by_number().items())]
        assert builder.count() == len(oracle.rows)
        assert told(builder.build()) == [found[0] for _, found in sorted(oracle.by_number().items())]
        assert told(builder.build(least="created")) == least
        again = as_rows(builder.repeated_rows())
        assert {n for n, found in oracle.by_number().items() if len(found) > 1} <= again.keys()


@pytest.mark.parametrize("held", ROWS_BELOW)
def test_more_pages_may_come_after_a_look(held: str) -> None:
    pages: list[list[Row]] = [[(1, NUMBERS[0], "2", "a"), (2, NUMBERS[1], "1", "b")], [(1, NUMBERS[2], "", "c")]]
    later: list[Row] = [(3, NUMBERS[0], "1", "d"), (2, NUMBERS[3], "", "e")]
    with plain_below(ROWS_BELOW[held]):
        builder, oracle = builder_of(pages)
        builder.build()
        builder.append(page_of(later))
        oracle.append(later)
        assert builder.count() == len(oracle.rows)
        assert told(builder.build(least="created")) == [oracle.by_id[3], oracle.by_id[2]]
        assert as_rows(builder.repeated_rows()) == {NUMBERS[0]: [oracle.by_id[3]]}
