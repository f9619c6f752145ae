"""The engine behind ``ContactSet`` for sets of millions: keys in memory, rows in a spool.

A key is the number as an integer. Who is in which set is answered from the keys alone, and a result is a mask over the
rows that are there already. Rows are read back where values are wanted: chunk by chunk, or, where those of two sets
have to meet, in groups of people that fit into memory. Hashes are Polars' own and may be others tomorrow: they are
never kept, and wherever order can be seen it is that of the numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import ClassVar, Final

import polars as pl

from reconciler.model import _spool
from reconciler.model._codes import (
    Pieces,
    are_in,
    codes_of,
    in_parallel,
    joined_keys,
    keys_of,
    text_order,
    unequal_rows,
)
from reconciler.model._frames import Frame, begins_with, is_one_of
from reconciler.model._rows import NUMBER, Rows
from reconciler.model._spool import Chunk, Filler, Spool, hash_of

_SAMPLE: Final = 4_000
"""Numbers of each chunk that are looked at to cut a set into ranges of like size."""
_MUCH: Final = 8
_OTHER, _GROUP = "\x00other", "\x00group"


class Spooled:
    """See ``Engine``. Each number is in one row of one chunk."""

    __slots__ = ("_chunks", "_in_order", "_last", "_names", "_rows")
    rank: ClassVar[int] = 2

    def __init__(self, chunks: Iterable[Chunk], names: Iterable[str], *, in_order: bool = False) -> None:
        self._chunks = tuple(chunk for chunk in chunks if len(chunk))
        self._names = tuple(sorted(names))
        self._rows = sum(map(len, self._chunks))
        self._in_order = in_order
        self._last: tuple[int, pl.DataFrame] | None = None

    @classmethod
    def of(cls, frame: Frame) -> Spooled:
        filler = Filler()
        filler.add(frame.frame)
        return cls(filler.finish(), frame.names)

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    def __len__(self) -> int:
        return self._rows

    def _keys(self) -> list[pl.Series]:
        return in_parallel(lambda chunk: chunk.keys, self._chunks)

    def _framed(self, chunk: Chunk) -> Frame:
        return Frame(chunk.frame(self._names), in_order=False)

    def in_memory(self) -> Frame:
        return Frame(self._whole(as_codes=False), in_order=self._in_order)

    def _whole(self, *, as_codes: bool) -> pl.DataFrame:
        frames = in_parallel(lambda chunk: chunk.frame(self._names, as_codes=as_codes), self._chunks)
        schema = {NUMBER: pl.UInt64 if as_codes else pl.String, **dict.fromkeys(self._names, pl.String)}
        return pl.concat([pl.DataFrame(schema=schema), *frames])

    @property
    def _coded(self) -> bool:
        return all(chunk.coded for chunk in self._chunks)

    def plain(self) -> Rows:
        return self.in_memory().plain()

    def get(self, number: str) -> Mapping[str, str | None] | None:
        asked = pl.Series([number])
        key = keys_of(asked, codes_of(asked))
        found = self._only(are_in(self._keys(), key))
        return found.in_memory().get(number)

    def equals(self, other: Spooled) -> bool:
        step = _spool.AT_ONCE
        cuts = ((side.slice(at, at + step).plain() for side in (self, other)) for at in range(0, self._rows, step))
        return all(mine.equals(theirs) for mine, theirs in cuts)

    def _only(self, masks: Pieces) -> Spooled:
        chunks = (chunk.only(mask) for chunk, mask in zip(self._chunks, masks, strict=True))
        return Spooled(chunks, self._names, in_order=self._in_order)

    def _where(self, names: Collection[str], kept: Callable[[pl.DataFrame], pl.Series]) -> Spooled:
        """The rows that are ``kept`` by their number and these columns."""
        known = [name for name in names if name in self._names]
        return self._only(in_parallel(lambda chunk: kept(chunk.frame(known)), self._chunks))

    def select(self, names: Collection[str]) -> Spooled:
        kept = [name for name in self._names if name in names]
        return Spooled((chunk.naming(kept) for chunk in self._chunks), kept, in_order=self._in_order)

    def keeping(self, decide: Callable[[str], bool]) -> Spooled:
        return self._where((), lambda frame: pl.Series([decide(n) for n in frame[NUMBER]], dtype=pl.Boolean))

    def beginning(self, length: int, beginnings: frozenset[str]) -> Spooled:
        return self._where((), lambda frame: frame.select(begins_with(length, beginnings)).to_series())

    def matching(self, pattern: str, keep: bool) -> Spooled:
        fits = pl.col(NUMBER).str.contains(f"^(?:{pattern})$")
        return self._where((), lambda frame: frame.select(fits if keep else ~fits).to_series())

    def where(self, name: str, values: Collection[str | None], keep: bool) -> Spooled:
        def kept(frame: pl.DataFrame) -> pl.Series:
            found = frame.select(is_one_of(frame, name, values)).to_series()
            return found if keep else ~found

        return self._where((name,), kept)

    def without(self, other: Spooled) -> Spooled:
        return self._only([~mask for mask in self._in(other)])

    def having(self, numbers: Sequence[str]) -> Rows:
        return self.within(Spooled.of(Frame.of_rows(Rows(sorted(numbers), {})))).plain()

    def within(self, other: Spooled) -> Spooled:
        return self._only(self._in(other))

    def _in(self, other: Spooled) -> list[pl.Series]:
        mine, theirs = self._keys(), other._keys()
        if len(self) * _MUCH < len(other):
            # Few are tabulated sooner than many.
            theirs = [keys.filter(mask) for keys, mask in zip(theirs, are_in(theirs, joined_keys(mine)), strict=True)]
        return are_in(mine, joined_keys(theirs))

    def changed(self, other: Spooled, names: Collection[str]) -> Spooled:
        known = [name for name in names if name in self._names]
        groups = 1 + (len(self) + len(other)) // _spool.AT_ONCE if known and len(self) and len(other) else 0
        found = list[pl.Series]()
        for i in range(groups):
            mine, theirs = (side._group(i, groups)._hashes(known) for side in (self, other))
            # Two hashes that are not the same are those of two values.
            found.append(mine.join(theirs, on=NUMBER, suffix=_OTHER).filter(_differs(known))[NUMBER])
        return self._only(are_in(self._keys(), joined_keys(found)))

    def _group(self, i: int, groups: int) -> Spooled:
        """Somewhat like one of so many parts of us: the same people of every set."""
        return self if groups == 1 else self._only(in_parallel(lambda chunk: chunk.keys % groups == i, self._chunks))

    def _hashes(self, names: Collection[str]) -> pl.DataFrame:
        empty = pl.DataFrame(schema=dict.fromkeys((NUMBER, *names), pl.UInt64))
        return pl.concat([empty, *in_parallel(lambda chunk: chunk.hashed(names), self._chunks)])

    def compared(self, other: Spooled, names: Collection[str]) -> tuple[Spooled, Spooled, Spooled]:
        known = [name for name in names if name in self._names]
        alone, *odd = unequal_rows(
            self._keys(), other._keys(), lambda seed: (self._hashed(known, seed), other._hashed(known, seed))
        )
        here, there = self._only(odd[0])._gathered(), other._only(odd[1])._gathered()
        absent, others = (are_in(side._keys(), alone) for side in (here, there))
        differing = here._only([~mask for mask in absent]).changed(there, known)
        return here._only(absent), there._only(others), differing

    def _gathered(self) -> Spooled:
        """The same rows; if they are few, by themselves, so that a look at them is not one at everybody."""
        return Spooled.of(self.in_memory()) if len(self) < _spool.AT_ONCE else self

    def _hashed(self, names: Collection[str], seed: int) -> list[pl.Series]:
        return in_parallel(lambda chunk: chunk.row_hashes(names, seed), self._chunks)

    def grouped(self, length: int, name: str) -> Mapping[tuple[str, str | None], int]:
        groups: Counter[tuple[str, str | None]] = Counter()
        kept = self.select((name,))
        for found in in_parallel(lambda chunk: kept._framed(chunk).grouped(length, name), kept._chunks):
            groups.update(found)
        return groups

    def _made(self, names: Iterable[str], frames: Iterable[Frame]) -> Spooled:
        filler = Filler()
        for frame in frames:
            filler.add(frame.frame)
        return Spooled(filler.finish(), {*self._names, *names})

    def joined(self, other: Spooled, names: Collection[str]) -> Spooled:
        if not len(other) or not set(names) & set(other._names):
            return Spooled(self._chunks, {*self._names, *names}, in_order=self._in_order)
        theirs = other.select(names)
        return self._made(names, (mine.joined(others, names) for mine, others in self._together(theirs)))

    def _together(self, other: Spooled) -> Iterator[tuple[Frame, Frame]]:
        """All our rows, some at a time, and the other's rows of the same people."""
        groups, as_codes = 1 + len(other) // _spool.AT_ONCE, self._coded and other._coded
        sides = (side._cut([keys % groups for keys in side._keys()], groups) for side in (self, other))
        for both in zip(*sides, strict=True):
            mine, theirs = (Frame(side._whole(as_codes=as_codes), in_order=False) for side in both)
            yield mine, theirs

    def _cut(self, places: Pieces, groups: int) -> list[Spooled]:
        """The rows of each group, written once more: those of a group in a few pieces of a chunk, not all over it."""
        spool = Spool()

        def one(i: int) -> list[tuple[int, Chunk]]:
            frame = self._chunks[i].frame(self._names, as_codes=True)
            parts = frame.with_columns(places[i].cast(pl.UInt32).alias(_GROUP)).partition_by(
                _GROUP, maintain_order=False
            )
            return [(part[_GROUP][0], Chunk.stored(part.drop(_GROUP), spool)) for part in parts]

        cut: list[list[Chunk]] = [[] for _ in range(groups)]
        for group, chunk in chain.from_iterable(in_parallel(one, range(len(self._chunks)))):
            cut[group].append(chunk)
        return [Spooled(chunks, self._names) for chunks in cut]

    def filled(self, name: str, values: Mapping[str, str]) -> Spooled:
        return self.joined(Spooled.of(Frame.of_values(name, values)), (name,))

    def with_column(self, name: str, value: str | None) -> Spooled:
        return self._made((name,), (self._framed(chunk).with_column(name, value) for chunk in self._chunks))

    def united(self, others: Sequence[Spooled]) -> Spooled:
        chunks = list(self._chunks)
        for other in others:
            known = are_in(other._keys(), joined_keys([chunk.keys for chunk in chunks]))
            chunks += other._only([~mask for mask in known])._chunks
        return Spooled(chunks, {name for side in (self, *others) for name in side._names})

    def numbers(self) -> Iterator[str]:
        for _, frame in self._ordered():
            yield from frame[NUMBER]

    def unordered(self) -> Iterator[str]:
        for chunk in self._chunks:
            yield from chunk.frame(())[NUMBER]

    def column(self, name: str) -> Sequence[str | None]:
        if name not in (NUMBER, *self._names):
            return [None] * len(self)
        return [value for _, frame in self._ordered() for value in frame[name]]

    def encoded(self, name: str) -> Iterator[bytes]:
        self._order()
        for chunk in self._chunks:
            yield from Frame(chunk.frame((name,) if name != NUMBER else ()), in_order=True).encoded(name)

    def slice(self, start: int, stop: int) -> Frame | Spooled:
        if stop - start < _spool.AT_ONCE:
            empty = pl.DataFrame(schema=dict.fromkeys((NUMBER, *self._names), pl.String))
            cut = (
                frame.slice(max(start - at, 0), max(stop - max(start, at), 0))
                for at, frame in self._ordered(start, stop)
            )
            return Frame(pl.concat([empty, *cut]), in_order=True)
        self._order()
        firsts = accumulate(map(len, self._chunks), initial=0)
        places = (
            pl.int_range(at, at + len(chunk), eager=True) for at, chunk in zip(firsts, self._chunks, strict=False)
        )
        return self._only([(place >= start) & (place < stop) for place in places])

    def masked(self, mask: Sequence[bool]) -> Spooled:
        self._order()
        firsts = accumulate(map(len, self._chunks), initial=0)
        parts = (mask[at : at + len(chunk)] for at, chunk in zip(firsts, self._chunks, strict=False))
        return self._only([pl.Series(part, dtype=pl.Boolean) for part in parts])

    def _ordered(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, pl.DataFrame]]:
        """The chunks with any of these rows, sorted, each with the place of its first row in the whole set."""
        self._order()
        end = self._rows if stop is None else min(stop, self._rows)
        firsts = list(accumulate(map(len, self._chunks), initial=0))
        i = max(bisect_right(firsts, start) - 1, 0)
        while i < len(self._chunks) and firsts[i] < end:
            if self._last is None or self._last[0] != i:
                self._last = i, self._chunks[i].frame(self._names)
            yield firsts[i], self._last[1]
            i += 1

    def _order(self) -> None:
        """Write the rows once more, sorted by number, when order is looked at for the first time."""
        if self._in_order or not self._chunks:
            return
        as_codes = self._coded
        keys = in_parallel(lambda chunk: text_order(chunk.frame((), as_codes=as_codes)[NUMBER]), self._chunks)
        ranges = 1 + self._rows // _spool.AT_ONCE
        sample = pl.concat(some.head(_SAMPLE) for some in keys).sort()
        every = max(len(sample) // ranges, 1)
        fences = sample.gather_every(every, offset=every).head(ranges - 1)
        places = in_parallel(lambda some: fences.search_sorted(some, side="right"), keys)
        filler = Filler()
        for part in self._cut(places, ranges):
            rows = part._whole(as_codes=as_codes)
            filler.add(rows[text_order(rows[NUMBER]).arg_sort()])
        self._chunks = tuple(filler.finish())
        self._in_order = True


def _differs(names: Iterable[str]) -> pl.Expr:
    return pl.any_horizontal(pl.col(n).is_not_null() & (pl.col(n) != hash_of(n + _OTHER)) for n in names)
