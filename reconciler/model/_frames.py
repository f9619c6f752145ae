"""The large engine behind ``ContactSet``: one Polars frame. Imported only when a set is large (Polars costs 100 ms).

Sorting a million rows costs as much as joining them twice, and most sets are only ever joined: so a frame is sorted
when somebody first looks at its order, and once. Numbers as integers are another matter: those of a million are sorted
in the time of a quarter of a join, and then tell who is repeated here and who is missing there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import ClassVar

import polars as pl

from reconciler.model._codes import CODE, codes_of, in_parallel, keys_of, pieces, repeated_keys, unequal_rows
from reconciler.model._rows import NUMBER, Rows

_KEY = pl.col(NUMBER)
_ENCODED_ROWS = 1 << 16
_MUCH = 8
_OFTEN = 16
"""So many looks through a whole frame take as long as to sort it."""
_OTHER = "\x00other"
"""Suffix of the other side's columns in a join; no column that somebody named ends like this."""


class Frame:
    """Rows unique by number; ``ordered()`` is the same frame sorted by number."""

    __slots__ = ("_asked", "_codes", "_frame", "_in_order")
    rank: ClassVar[int] = 1

    def __init__(self, frame: pl.DataFrame, *, in_order: bool, codes: pl.Series | None = None) -> None:
        self._frame = frame
        self._in_order = in_order
        self._codes = codes
        self._asked = 0

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Frame:
        """Cast to text, collapsed (the first row of a number wins), rows without a number left out. ``CODE`` may be
        a column."""
        names = sorted(name for name in frame.columns if name not in {NUMBER, CODE})
        if frame[NUMBER].null_count():
            frame = frame.filter(_KEY.is_not_null())
        codes = frame[CODE] if CODE in frame.columns else None
        return cls(frame.select(pl.col(NUMBER, *names).cast(pl.String)), in_order=False, codes=codes).collapsed()

    def collapsed(self) -> Frame:
        """One row of each number, the first."""
        frame, numbers = self._frame, self._frame[NUMBER]
        if numbers.is_sorted():
            repeated = numbers == numbers.shift(1)
            return Frame(frame.filter(~repeated.fill_null(False)) if repeated.any() else frame, in_order=True)
        # Distinct keys prove distinct numbers.
        if not len(repeated_keys(pieces(keys_of(numbers, self._coded())))):
            return self
        return Frame(frame.unique(subset=NUMBER, keep="first", maintain_order=True), in_order=False)

    @classmethod
    def of_rows(cls, rows: Rows) -> Frame:
        columns = [pl.Series(NUMBER, rows.keys, dtype=pl.String)]
        columns += [pl.Series(name, held, dtype=pl.String) for name, held in rows.values.items()]
        return cls(pl.DataFrame(columns), in_order=True)

    @classmethod
    def of_values(cls, name: str, values: Mapping[str, str]) -> Frame:
        """``values`` by number, as the column ``name``."""
        numbers = pl.Series(NUMBER, list(values), dtype=pl.String)
        return cls.of(pl.DataFrame([numbers, pl.Series(name, list(values.values()), dtype=pl.String)]))

    @property
    def frame(self) -> pl.DataFrame:
        """The rows in whatever order."""
        return self._frame

    def ordered(self) -> pl.DataFrame:
        if not self._in_order:
            self._frame = self._frame.sort(NUMBER)
            self._in_order, self._codes = True, None
        return self._frame

    def _like(self, frame: pl.DataFrame) -> Frame:
        """``frame`` holds rows of this one, in this one's order."""
        return Frame(frame, in_order=self._in_order)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._frame.columns[1:])

    def __len__(self) -> int:
        return self._frame.height

    def numbers(self) -> Iterator[str]:
        return iter(self.ordered()[NUMBER])

    def unordered(self) -> Iterator[str]:
        return iter(self._frame[NUMBER])

    def column(self, name: str) -> Sequence[str | None]:
        if name not in self._frame.columns:
            return [None] * len(self)
        values: list[str | None] = self.ordered()[name].to_list()
        return values

    def plain(self) -> Rows:
        columns = self.ordered().to_dict(as_series=False)
        return Rows(columns.pop(NUMBER), columns)

    def in_memory(self) -> Frame:
        return self

    def get(self, number: str) -> Mapping[str, str | None] | None:
        ordered = self.ordered()
        i = ordered[NUMBER].search_sorted(number)
        if i == ordered.height or ordered[NUMBER][i] != number:
            return None
        return ordered.row(i, named=True)

    def equals(self, other: Frame) -> bool:
        return self.ordered().equals(other.ordered())

    def slice(self, start: int, stop: int) -> Frame:
        return self._like(self.ordered().slice(start, max(stop - start, 0)))

    def select(self, names: Collection[str]) -> Frame:
        frame = self._frame.select(NUMBER, *(n for n in self.names if n in names))
        return Frame(frame, in_order=self._in_order, codes=self._codes)

    def masked(self, mask: Sequence[bool]) -> Frame:
        return self._like(self.ordered().filter(pl.Series(mask, dtype=pl.Boolean)))

    def keeping(self, decide: Callable[[str], bool]) -> Frame:
        mask = pl.Series([decide(number) for number in self._frame[NUMBER]], dtype=pl.Boolean)
        return self._like(self._frame.filter(mask))

    def grouped(self, length: int, name: str) -> Mapping[tuple[str, str | None], int]:
        held = self._held(name) if name in self.names else pl.lit(None, dtype=pl.String)
        groups = self._frame.group_by(_KEY.str.slice(0, length).alias(NUMBER), held.alias(_OTHER)).len()
        return {(beginning, value): count for beginning, value, count in groups.iter_rows()}

    def beginning(self, length: int, beginnings: frozenset[str]) -> Frame:
        return self._like(self._frame.filter(begins_with(length, beginnings)))

    def matching(self, pattern: str, keep: bool) -> Frame:
        fits = _KEY.str.contains(f"^(?:{pattern})$")
        return self._like(self._frame.filter(fits if keep else ~fits))

    def having(self, numbers: Sequence[str]) -> Rows:
        self._asked += 1
        wanted = pl.Series(NUMBER, sorted(numbers), dtype=pl.String)
        if not self._in_order and self._asked < _OFTEN:
            return Frame(self._frame.filter(_KEY.is_in(wanted.implode())), in_order=False).plain()
        ordered = self.ordered()
        places = ordered[NUMBER].search_sorted(wanted).clip(upper_bound=max(ordered.height - 1, 0))
        near = ordered[places] if ordered.height else ordered
        return Frame(near.filter(near[NUMBER] == wanted[: near.height]), in_order=True).plain()

    def without(self, other: Frame) -> Frame:
        theirs = other._numbers_near(self)
        return self._like(self._frame.join(theirs, on=NUMBER, how="anti", maintain_order="left"))

    def within(self, other: Frame) -> Frame:
        if (few := self._few(other)) is not None:
            return self._like(self._frame.filter(few))
        theirs = other._numbers_near(self)
        return self._like(self._frame.join(theirs, on=NUMBER, how="semi", maintain_order="left"))

    def _numbers_near(self, other: Frame) -> pl.DataFrame:
        """Our numbers, or only those that ``other`` has too when it is much smaller.

        A join tabulates its right side: fifty people are looked up in a million by tabulating the fifty.
        """
        numbers = self._frame.select(NUMBER)
        if (few := self._few(other)) is not None:
            return numbers.filter(few)
        if len(other) * _MUCH < len(self):
            return numbers.join(other._frame.select(NUMBER), on=NUMBER, how="semi")
        return numbers

    def _few(self, other: Frame) -> pl.Series | None:
        """Which of our rows ``other`` has too; None where codes would not tell that sooner than a join."""
        if self._codes is None or len(other) * _MUCH >= len(self) or self._codes.null_count():
            return None
        return self._codes.is_in(other._coded().implode())

    def where(self, name: str, values: Collection[str | None], keep: bool) -> Frame:
        matches = is_one_of(self._frame, name, values)
        return self._like(self._frame.filter(matches if keep else ~matches))

    def joined(self, other: Frame, names: Collection[str]) -> Frame:
        theirs = [name for name in names if name in other.names]
        if theirs and len(other):
            right = other._frame.select(
                NUMBER, *(pl.col(n).alias(n + _OTHER) for n in theirs), pl.lit(True).alias(_OTHER)
            )
            frame = self._frame.join(right, on=NUMBER, how="left", maintain_order="left")
        else:
            frame, theirs = self._frame, []
        won = [pl.when(pl.col(_OTHER)).then(pl.col(n + _OTHER)).otherwise(self._held(n)).alias(n) for n in theirs]
        lacking = [self._held(name).alias(name) for name in names if name not in theirs]
        return self._arranged(frame.with_columns(*won, *lacking))

    def _held(self, name: str) -> pl.Expr:
        return pl.col(name) if name in self._frame.columns else pl.lit(None, dtype=pl.String)

    def _arranged(self, frame: pl.DataFrame) -> Frame:
        names = sorted(name for name in frame.columns if name != NUMBER and not name.endswith(_OTHER))
        return self._like(frame.select(NUMBER, *names))

    def filled(self, name: str, values: Mapping[str, str]) -> Frame:
        return self.joined(Frame.of_values(name, values), (name,))

    def with_column(self, name: str, value: str | None) -> Frame:
        return self._arranged(self._frame.with_columns(pl.lit(value, dtype=pl.String).alias(name)))

    def changed(self, other: Frame, names: Collection[str]) -> Frame:
        if not names:
            return self.slice(0, 0)
        both = self._frame.join(other._needed(names), on=NUMBER, how="inner", maintain_order="left")
        return self._arranged(both.filter(_differs(self, names)))

    def _needed(self, names: Collection[str]) -> pl.DataFrame:
        return self._frame.select(NUMBER, *(self._held(name).alias(name + _OTHER) for name in names))

    def compared(self, other: Frame, names: Collection[str]) -> tuple[Frame, Frame, Frame]:
        """Whose row is not on the other side follows from a hash of it, and who of them is on one side alone from the
        number. Only the others are compared value by value: nearly everybody is the same on both sides.
        """
        mine, theirs = self._coded(), other._coded()
        if mine.null_count() or theirs.null_count():
            return self._joined_fully(other, names)
        known = [name for name in names if name in self.names]
        alone, odd, odd_there = unequal_rows(
            pieces(mine), pieces(theirs), lambda seed: (self._row_hashes(known, seed), other._row_hashes(known, seed))
        )
        here, there = (side._frame.filter(pl.concat(masks)) for side, masks in ((self, odd), (other, odd_there)))
        absent, others = (codes_of(rows[NUMBER]).is_in(alone.implode()) for rows in (here, there))
        differing = Frame(here.filter(~absent), in_order=False).changed(Frame(there, in_order=False), known)
        return self._like(here.filter(absent)), other._like(there.filter(others)), differing

    def _coded(self) -> pl.Series:
        self._codes = codes_of(self._frame[NUMBER]) if self._codes is None else self._codes
        return self._codes

    def _row_hashes(self, names: Collection[str], seed: int) -> list[pl.Series]:
        """Of each row one hash, in which every value has its place; None is "" here."""
        whole = pl.col(CODE).hash(seed)
        for name in names:
            whole = (whole ^ self._held(name).fill_null("").hash()).hash(seed)
        frames = pieces(self._frame.with_columns(self._coded().alias(CODE)))
        return in_parallel(lambda frame: frame.select(whole).to_series(), frames)

    def _joined_fully(self, other: Frame, names: Collection[str]) -> tuple[Frame, Frame, Frame]:
        """One full join, streamed: what is the same on both sides is never put together."""
        right = other._frame.lazy().rename({name: name + _OTHER for name in other._frame.columns})
        lacking = (pl.lit(None, dtype=pl.String).alias(n + _OTHER) for n in names if n not in other.names)
        ours, theirs = _KEY.is_null(), pl.col(NUMBER + _OTHER).is_null()
        apart = (
            self._frame.lazy()
            .join(right.with_columns(*lacking), left_on=NUMBER, right_on=NUMBER + _OTHER, how="full", coalesce=False)
            .filter(ours | theirs | _differs(self, names))
            .collect(engine="streaming")
        )
        mine = self._frame.columns
        other_names = [pl.col(name + _OTHER).alias(name) for name in other._frame.columns]
        return (
            Frame(apart.filter(theirs).select(mine), in_order=False),
            Frame(apart.filter(ours).select(other_names), in_order=False),
            Frame(apart.filter(~ours & ~theirs).select(mine), in_order=False),
        )

    def united(self, others: Sequence[Frame]) -> Frame:
        frame = pl.concat([self._frame, *(o._frame for o in others)], how="diagonal")
        return Frame(frame.select(NUMBER, *sorted(n for n in frame.columns if n != NUMBER)), in_order=False).collapsed()

    def encoded(self, name: str) -> Iterator[bytes]:
        value = pl.col(name)
        text = pl.concat_str(value.str.len_bytes().cast(pl.String), pl.lit(":"), value).fill_null("~").str.join("")
        for part in self.ordered().select(name).iter_slices(_ENCODED_ROWS):
            yield part.select(text).item().encode()


def is_one_of(frame: pl.DataFrame, name: str, values: Collection[str | None]) -> pl.Expr:
    """True where the value in ``name`` is one of these; what ``frame`` does not have is None."""
    held = pl.col(name) if name in frame.columns else pl.repeat(None, pl.len(), dtype=pl.String)
    wanted = pl.Series([v for v in values if v is not None], dtype=pl.String)
    matches = held.is_in(wanted.implode()).fill_null(False)
    return matches | held.is_null() if None in values else matches


def begins_with(length: int, beginnings: frozenset[str]) -> pl.Expr:
    """True where the number's first ``length`` characters are one of these."""
    wanted = pl.Series(sorted(beginnings), dtype=pl.String)
    return _KEY.str.slice(0, length).is_in(wanted.implode())


def _differs(left: Frame, names: Collection[str]) -> pl.Expr:
    """True where any of ``names`` has a value on the left and another one on the right of a join."""
    if not names:
        return pl.lit(False)
    return pl.any_horizontal(
        left._held(n).is_not_null() & (left._held(n) != pl.col(n + _OTHER).fill_null("")) for n in names
    )
