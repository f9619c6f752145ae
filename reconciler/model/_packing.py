"""The large side of ``ContactSetBuilder``: pages as frames of a hundred thousand rows. Imported only with Polars."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import polars as pl

from reconciler.model import contacts
from reconciler.model._codes import joined_keys, repeated_keys
from reconciler.model._rows import NUMBER
from reconciler.model.contacts import ContactSet, FrameBuilder

if TYPE_CHECKING:
    from reconciler.model.gathering import NumberOf, Value

_KEYS: Final = 1 << 64
"""Whole numbers from here on are no keys: they would be packed as text."""


class Packed:
    """Rows in frames, their numbers as they are compared. ``key`` and ``number_of``: see ``ContactSetBuilder``."""

    def __init__(self, key: str | None, number_of: NumberOf | None) -> None:
        self._key = key
        self._number_of = number_of
        self._frames: list[tuple[pl.DataFrame, pl.Series | None]] = []
        """Not given away yet, each with its numbers as integers if all of them are in E.164."""
        self._keys: list[pl.Series] = []
        self._builder = FrameBuilder()
        self._rows = self._numberless = 0
        self._distinct = (0, 0)
        """How many keys were distinct, and of how many rows."""

    def add(self, columns: Mapping[str, Sequence[Value]]) -> None:
        """Columns of one length, not empty."""
        frame = pl.DataFrame([_series(name, values) for name, values in columns.items()])
        numbers, codes = _compared(frame[NUMBER], self._number_of)
        self._frames.append((frame.with_columns(numbers), codes))
        self._rows += frame.height
        self._numberless += numbers.null_count()
        if self._key is not None:
            keys = frame[self._key]
            self._keys.append(keys if keys.dtype == pl.UInt64 else keys.hash())
        if contacts.is_spooled(self._rows, frame.width - 1):
            self._hand_over()

    def _hand_over(self) -> None:
        _laid_in(self._builder, self._frames)
        self._frames = []

    def count(self) -> int:
        """See ``ContactSetBuilder``. Where so many came that they are outside of memory already, a row that came again
        stays there twice."""
        if self._key is None or self._distinct[1] == self._rows:
            return self._distinct[0] if self._key else self._rows
        count = self._rows
        if len(repeated_keys(self._keys)):
            keys = joined_keys(self._keys)
            count = keys.n_unique()
            if not len(self._builder):
                self._drop(keys.is_first_distinct())
        self._distinct = (count, self._rows)
        return count

    def _drop(self, kept: pl.Series) -> None:
        rows = pl.concat(frame for frame, _ in self._frames).filter(kept)
        codes = [codes for _, codes in self._frames if codes is not None]
        self._frames = [(rows, pl.concat(codes).filter(kept) if len(codes) == len(self._frames) else None)]
        self._keys = [pl.concat(self._keys).filter(kept)]
        self._rows, self._numberless = rows.height, rows[NUMBER].null_count()

    def numberless(self) -> int:
        return self._numberless

    def holding(self, keys: Collection[int]) -> set[int]:
        wanted = pl.Series([k for k in keys if 0 <= k < _KEYS], dtype=pl.UInt64)
        return {k for held in self._keys for k in wanted.filter(wanted.is_in(held.implode()))}

    def repeated_rows(self, names: Sequence[str]) -> Mapping[str, Sequence[str | None]]:
        _, several = self.built()
        empty = {name: list[str | None]() for name in names}
        found = [frame.select(names).filter(~pl.col(NUMBER).is_first_distinct()) for frame in several]
        return pl.concat(found).to_dict(as_series=False) if found else empty

    def built(self) -> tuple[ContactSet, list[pl.DataFrame]]:
        """The set in which first rows win, and all rows of the numbers that come more than once."""
        several: list[pl.DataFrame] = []
        if len(self._builder):
            self._hand_over()
            return self._builder.build(several.append), several
        # Of a key that comes again only the first row counts, and the others may well have another number.
        self.count()
        return _laid_in(FrameBuilder(), self._frames).build(several.append), several


def _laid_in(builder: FrameBuilder, frames: Sequence[tuple[pl.DataFrame, pl.Series | None]]) -> FrameBuilder:
    for frame, codes in frames:
        builder.append(frame, codes)
    return builder


def _series(name: str, values: Sequence[Value]) -> pl.Series:
    first = values[0]
    if values[-1] == first and values.count(first) == len(values) and not isinstance(first, int):
        return pl.repeat(first, len(values), dtype=pl.String, eager=True).alias(name)
    if isinstance(first, int):
        try:
            return pl.Series(name, values, dtype=pl.UInt64)
        except TypeError:
            values = [None if v is None else str(v) for v in values]
    return pl.Series(name, values, dtype=pl.String)


def _compared(numbers: pl.Series, number_of: NumberOf | None) -> tuple[pl.Series, pl.Series | None]:
    """Numbers as they are compared, and as integers if all of them are in E.164."""
    codes = numbers.cast(pl.UInt64, strict=False)
    plain = _e164(numbers, codes)
    if plain.all(ignore_nulls=False):
        return numbers, codes
    if number_of is None:
        return numbers, None
    odd = ~plain & numbers.is_not_null()
    known = [number_of(number) for number in numbers.filter(odd)]
    return numbers.scatter(odd.arg_true(), pl.Series(known, dtype=pl.String)), None


def _e164(numbers: pl.Series, codes: pl.Series) -> pl.Series:
    """As ``+[1-9][0-9]{6,14}``, in half the time of the regular expression: the cast to ``codes`` takes digits
    alone, or after one plus."""
    written = numbers.str
    plus = written.starts_with("+") & ~written.starts_with("+0")
    return plus & written.len_bytes().is_between(8, 16) & codes.is_not_null()
