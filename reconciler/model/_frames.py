"""The large engine behind ``ContactSet``: one Polars frame. Imported only when a set is large (Polars costs 100 ms).

Sorting a million rows costs as much as joining them twice, and most sets are only ever joined: so a frame is sorted
when somebody first looks at its order, and once. Numbers as integers are another matter: those of a million are sorted
in the time of a quarter of a join, and then tell who is repeated here and who is missing there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from reconciler.model._rows import NUMBER, Rows

_KEY = pl.col(NUMBER)
_ENCODED_ROWS = 1 << 16
_MUCH = 8
_CODED: Final = 18
"""Characters of a number that surely fits an integer."""
_OTHER = "\x00other"
"""Suffix of the other side's columns in a join; no column that somebody named ends like this."""


class Frame:
    """Rows unique by number; ``ordered()`` is the same frame sorted by number."""

    __slots__ = ("_codes", "_frame", "_in_order")
    rank: ClassVar[int] = 1

    def __init__(self, frame: pl.DataFrame, *, in_order: bool, codes: Codes | None = None) -> None:
        self._frame = frame
        self._in_order = in_order
        self._codes = codes

    @classmethod
    def of(cls, frame: pl.DataFrame, *, e164: bool = False) -> Frame:
        """Cast to text, collapsed (the first row of a number wins), rows without a number left out.

        ``e164``: all numbers are known to be.
        """
        names = sorted(name for name in frame.columns if name != NUMBER)
        frame = frame.select(pl.col(NUMBER, *names).cast(pl.String))
        if frame[NUMBER].null_count():
            frame = frame.filter(_KEY.is_not_null())
        return cls(frame, in_order=False).collapsed(e164=e164)

    def collapsed(self, *, e164: bool = False) -> Frame:
        """One row of each number, the first."""
        frame, numbers = self._frame, self._frame[NUMBER]
        if numbers.is_sorted():
            repeated = numbers == numbers.shift(1)
            return Frame(frame.filter(~repeated.fill_null(False)) if repeated.any() else frame, in_order=True)
        codes = Codes.of(numbers, e164=e164)
        # Where numbers are no integers, distinct hashes prove distinct numbers.
        keys = numbers.hash().sort(multithreaded=False) if codes is None else codes.ordered
        if not repeats(keys):
            return Frame(frame, in_order=False, codes=codes)
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
        wanted = pl.Series(sorted(beginnings), dtype=pl.String)
        return self._like(self._frame.filter(_KEY.str.slice(0, length).is_in(wanted.implode())))

    def matching(self, pattern: str, keep: bool) -> Frame:
        fits = _KEY.str.contains(f"^(?:{pattern})$")
        return self._like(self._frame.filter(fits if keep else ~fits))

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
        if self._codes is None or len(other) * _MUCH >= len(self) or (theirs := other._coded()) is None:
            return None
        return self._codes.codes.is_in(theirs.codes.implode())

    def where(self, name: str, values: Collection[str | None], keep: bool) -> Frame:
        held = pl.col(name) if name in self._frame.columns else pl.lit(None, dtype=pl.String)
        wanted = pl.Series([v for v in values if v is not None], dtype=pl.String)
        matches = held.is_in(wanted.implode()).fill_null(False)
        if None in values:
            matches |= held.is_null()
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
        """Who is on one side alone follows from the numbers. For the others a hash of the whole row is looked up, and
        only what is not found is compared value by value: nearly everybody is the same on both sides.
        """
        mine, theirs = self._coded(), other._coded()
        if mine is None or theirs is None:
            return self._joined_fully(other, names)
        apart = mine.apart(theirs).implode()
        absent, others = mine.codes.is_in(apart), other._frame.filter(theirs.codes.is_in(apart))
        known = [name for name in names if name in self.names]
        odd = ~(self._row_hashes(mine, known).is_in(other._row_hashes(theirs, known).implode()) | absent)
        here = Frame(self._frame.filter(odd), in_order=False)
        there = other._frame.filter(theirs.codes.is_in(mine.codes.filter(odd).implode()))
        differing = here.changed(Frame(there, in_order=False), known)
        return self._like(self._frame.filter(absent)), other._like(others), differing

    def _coded(self) -> Codes | None:
        self._codes = self._codes or Codes.of(self._frame[NUMBER])
        return self._codes

    def _row_hashes(self, codes: Codes, names: Collection[str]) -> pl.Series:
        """Of each row one hash, in which every value has its place; None is "" here."""
        whole = pl.lit(codes.codes).hash()
        for name in names:
            whole = (whole ^ self._held(name).fill_null("").hash()).hash()
        return self._frame.select(whole).to_series()

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


@dataclass(frozen=True, slots=True)
class Codes:
    """Numbers as integers, in the order of their rows and sorted. Held for sets that are likely to be compared."""

    codes: pl.Series
    ordered: pl.Series

    @classmethod
    def of(cls, numbers: pl.Series, *, e164: bool = False) -> Codes | None:
        """None where a number is none that a plus would bring back."""
        codes = numbers if numbers.dtype == pl.UInt64 else coded(numbers, surely=e164)
        # One thread takes as long as several here, which are better used elsewhere.
        return None if codes.null_count() else cls(codes, codes.rechunk().sort(multithreaded=False))

    def apart(self, other: Codes) -> pl.Series:
        """The codes that are on one side alone, if each side has none twice."""
        both = self.ordered.to_frame(NUMBER).merge_sorted(other.ordered.to_frame(NUMBER), NUMBER)[NUMBER]
        again = (both == both.shift(1)).fill_null(False)
        return both.filter(~again & ~again.shift(-1, fill_value=False))


def repeats(ordered: pl.Series) -> bool:
    """Whether any of these sorted keys comes again."""
    return bool((ordered == ordered.shift(1)).any())


def coded(numbers: pl.Series, *, surely: bool = False) -> pl.Series:
    """Digits as integers, which take half the time and room; None for what a plus would not bring back.

    ``surely``: all of them are known to be E.164.
    """
    codes = numbers.cast(pl.UInt64, strict=False)
    if surely:
        return codes
    # The cast takes digits alone, or after one plus; a regular expression that says it all takes longer.
    written = numbers.str
    plain = written.starts_with("+") & ~written.starts_with("+0") & (written.len_bytes() <= _CODED)
    return codes if plain.all() else pl.select(pl.when(plain).then(codes)).to_series()


def decoded(frame: pl.DataFrame) -> pl.DataFrame:
    """With every number as text."""
    if frame.schema[NUMBER] == pl.String:
        return frame
    return frame.with_columns(pl.concat_str(pl.lit("+"), pl.col(NUMBER).cast(pl.String)).alias(NUMBER))


def _differs(left: Frame, names: Collection[str]) -> pl.Expr:
    """True where any of ``names`` has a value on the left and another one on the right of a join."""
    if not names:
        return pl.lit(False)
    return pl.any_horizontal(
        left._held(n).is_not_null() & (left._held(n) != pl.col(n + _OTHER).fill_null("")) for n in names
    )
