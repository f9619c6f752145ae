"""The engine behind ``ContactSet`` for sets of millions: many frames outside of memory, each a part of the people.

Which part somebody is in follows from a hash of the number. So whatever two sets say of one person lies in the same
part of both, and every operation is that of ``Frame``, part by part: exact, and a few parts in memory at a time however
many people there are. This hash is Polars' own and may be another one tomorrow: it is never kept, and no result depends
on it, since wherever order can be seen it is that of the numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import ClassVar, Final

import polars as pl

from reconciler.model import _filling
from reconciler.model._filling import Filler, Part, in_parallel, part_of
from reconciler.model._frames import Frame, coded
from reconciler.model._rows import NUMBER, Rows
from reconciler.model._spool import Spool

_SAMPLE: Final = 4_000
"""Numbers of each part that are looked at to cut a set into ranges of like size."""


class Parts:
    """See ``Engine``. A filter shares the parts in which nobody was left out."""

    __slots__ = ("_last", "_names", "_parts", "_ranges", "_rows")
    rank: ClassVar[int] = 2

    def __init__(self, parts: Sequence[Part], names: Iterable[str]) -> None:
        self._parts = tuple(parts)
        self._names = tuple(sorted(names))
        self._rows = sum(part.rows for part in parts)
        self._ranges: tuple[Part, ...] = ()
        self._last: tuple[int, pl.DataFrame] | None = None

    @classmethod
    def of(cls, frame: Frame) -> Parts:
        filler = Filler()
        filler.add(frame.frame)
        return cls(filler.finish(frame.names), frame.names)

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    def __len__(self) -> int:
        return self._rows

    def in_memory(self) -> Frame:
        return Frame(pl.concat([part.frame().frame for part in self._parts]), in_order=False)

    def plain(self) -> Rows:
        return self.in_memory().plain()

    def get(self, number: str) -> Mapping[str, str | None] | None:
        asked = pl.Series([number])
        at: int = part_of(asked, coded(asked)).item()
        return self._parts[at].frame().get(number)

    def equals(self, other: Parts) -> bool:
        return all(in_parallel(lambda parts: Frame.equals(*_read(parts)), self._beside((other,))))

    def _filtered(self, work: Callable[..., Frame], *others: Parts, as_text: bool = False) -> Parts:
        """``work`` leaves rows out and changes none. Only ``as_text`` it may look at the characters of a number."""
        spool = Spool()

        def one(parts: tuple[Part, ...]) -> Part:
            left = work(parts[0].frame()) if as_text else work(*_read(parts))
            return parts[0] if len(left) == parts[0].rows else Part.stored(left, spool)

        return Parts(in_parallel(one, self._beside(others)), self._names)

    def _made(self, names: Iterable[str], work: Callable[..., Frame], *others: Parts) -> Parts:
        spool = Spool()

        def one(parts: tuple[Part, ...]) -> Part:
            return Part.stored(work(*_read(parts)), spool)

        return Parts(in_parallel(one, self._beside(others)), {*self._names, *names})

    def _beside(self, others: Iterable[Parts]) -> Iterator[tuple[Part, ...]]:
        return zip(self._parts, *(other._parts for other in others), strict=True)

    def select(self, names: Collection[str]) -> Parts:
        kept = tuple(name for name in self._names if name in names)
        return Parts([replace(part, names=kept) for part in self._parts], kept)

    def keeping(self, decide: Callable[[str], bool]) -> Parts:
        return self._filtered(lambda mine: mine.keeping(decide), as_text=True)

    def beginning(self, length: int, beginnings: frozenset[str]) -> Parts:
        return self._filtered(lambda mine: mine.beginning(length, beginnings), as_text=True)

    def matching(self, pattern: str, keep: bool) -> Parts:
        return self._filtered(lambda mine: mine.matching(pattern, keep), as_text=True)

    def where(self, name: str, values: Collection[str | None], keep: bool) -> Parts:
        return self._filtered(lambda mine: mine.where(name, values, keep), as_text=name == NUMBER)

    def without(self, other: Parts) -> Parts:
        return self._filtered(Frame.without, other)

    def within(self, other: Parts) -> Parts:
        return self._filtered(Frame.within, other)

    def changed(self, other: Parts, names: Collection[str]) -> Parts:
        return self._filtered(lambda mine, theirs: mine.changed(theirs, names), other)

    def compared(self, other: Parts, names: Collection[str]) -> tuple[Parts, Parts, Parts]:
        spools = Spool(), Spool(), Spool()

        def one(parts: tuple[Part, ...]) -> list[Part]:
            mine, theirs = _read(parts)
            found = mine.compared(theirs, names)
            return [Part.stored(frame, spool) for frame, spool in zip(found, spools, strict=True)]

        ours, theirs, differing = zip(*in_parallel(one, self._beside((other,))), strict=True)
        return Parts(ours, self._names), Parts(theirs, other._names), Parts(differing, self._names)

    def grouped(self, length: int, name: str) -> Mapping[tuple[str, str | None], int]:
        groups: Counter[tuple[str, str | None]] = Counter()
        for found in in_parallel(lambda part: part.frame().grouped(length, name), self._parts):
            groups.update(found)
        return groups

    def joined(self, other: Parts, names: Collection[str]) -> Parts:
        return self._made(names, lambda mine, theirs: mine.joined(theirs, names), other)

    def filled(self, name: str, values: Mapping[str, str]) -> Parts:
        return self.joined(Parts.of(Frame.of_values(name, values)), (name,))

    def with_column(self, name: str, value: str | None) -> Parts:
        return self._made((name,), lambda mine: mine.with_column(name, value))

    def united(self, others: Sequence[Parts]) -> Parts:
        names = {name for parts in others for name in parts._names}
        return self._made(names, lambda first, *more: first.united(more), *others)

    def numbers(self) -> Iterator[str]:
        for _, frame in self._in_order():
            yield from frame[NUMBER]

    def unordered(self) -> Iterator[str]:
        for part in self._parts:
            yield from part.frame().unordered()

    def column(self, name: str) -> Sequence[str | None]:
        if name not in (NUMBER, *self._names):
            return [None] * len(self)
        return [value for _, frame in self._in_order() for value in frame[name]]

    def encoded(self, name: str) -> Iterator[bytes]:
        for _, frame in self._in_order():
            yield from Frame(frame, in_order=True).encoded(name)

    def slice(self, start: int, stop: int) -> Frame | Parts:
        return self._collected(
            frame.slice(max(start - at, 0), max(stop - max(start, at), 0)) for at, frame in self._in_order(start, stop)
        )

    def masked(self, mask: Sequence[bool]) -> Frame | Parts:
        return self._collected(
            frame.filter(pl.Series(mask[at : at + frame.height], dtype=pl.Boolean)) for at, frame in self._in_order()
        )

    def _collected(self, frames: Iterable[pl.DataFrame]) -> Frame | Parts:
        """``frames`` are rows of ours, in order."""
        held, rows = [pl.DataFrame(schema=dict.fromkeys((NUMBER, *self._names), pl.String))], 0
        filler: Filler | None = None
        for frame in frames:
            held.append(frame)
            rows += frame.height
            if rows >= _filling.FLUSH:
                filler = filler or Filler()
                filler.add(pl.concat(held))
                held, rows = held[:1], 0
        if filler is None:
            return Frame(pl.concat(held), in_order=True)
        filler.add(pl.concat(held))
        return Parts(filler.finish(self._names), self._names)

    def _in_order(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, pl.DataFrame]]:
        """The frames with any of these rows, sorted, each with the place of its first row in the whole set."""
        if not self._ranges:
            self._ranges = self._cut_into_ranges()
        end = self._rows if stop is None else min(stop, self._rows)
        firsts = list(accumulate((part.rows for part in self._ranges), initial=0))
        i = max(bisect_right(firsts, start) - 1, 0)
        while i < len(self._ranges) and firsts[i] < end:
            if self._last is None or self._last[0] != i:
                self._last = i, self._ranges[i].frame().frame
            yield firsts[i], self._last[1]
            i += 1

    def _cut_into_ranges(self) -> tuple[Part, ...]:
        """The same rows, but in each part those between two numbers. Which two, nothing but memory depends on."""
        sample = pl.concat([part.frame().frame[NUMBER].head(_SAMPLE) for part in self._parts]).sort()
        every = max(len(sample) // _filling.PARTS, 1)
        fences = sample.gather_every(every, offset=every).head(_filling.PARTS - 1)

        def range_of(numbers: pl.Series, _: pl.Series) -> pl.Series:
            return fences.search_sorted(numbers, side="right")

        filler = Filler(range_of)
        for part in self._parts:
            filler.add(part.frame().frame)
        spool = Spool()

        def sort(part: Part) -> Part:
            return Part.stored(Frame(part.frame().ordered(), in_order=True), spool)

        return tuple(in_parallel(sort, (part for part in filler.finish(self._names) if part.rows)))


def _read(parts: Sequence[Part]) -> list[Frame]:
    """Frames that can be joined: numbers are integers where all of them can be."""
    together = all(part.coded for part in parts)
    return [part.frame(coded=together) for part in parts]
