"""Rows on their way into a spool: cut into parts as they arrive, on threads of their own."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias, TypeVar

import polars as pl

from reconciler.model._frames import Frame, coded, decoded, repeats
from reconciler.model._rows import NUMBER
from reconciler.model._spool import Extent, Spool

PARTS = 64
"""Parts of a set: of ten million people, 150,000 are in each."""

FLUSH = 500_000
"""Rows that are cut into parts at a time: fewer would make many small extents, more would take memory."""

_WORKERS: Final = min(4, os.cpu_count() or 1)
_FLUSHES: Final = 2
"""Cuts under way at a time; whoever brings more rows waits."""

_PART = "\x00part"
_In = TypeVar("_In")
_Out = TypeVar("_Out")

Repeated: TypeAlias = Callable[[pl.DataFrame], None]
"""Told of each part in which a number comes again: all rows of such numbers as they came, with every column."""


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_WORKERS, thread_name_prefix="contacts")


def in_parallel(work: Callable[[_In], _Out], items: Iterable[_In]) -> list[_Out]:
    """Not to be called by ``work`` itself."""
    return list(_pool().map(work, items))


def part_of(numbers: pl.Series, codes: pl.Series) -> pl.Series:
    """The part that each of these numbers belongs to, however its set keeps it."""
    hashes = codes.hash()
    if codes.null_count():
        hashes = pl.select(pl.when(codes.is_null()).then(numbers.hash()).otherwise(hashes)).to_series()
    return hashes % PARTS


@dataclass(frozen=True, slots=True)
class Part:
    """Rows in a spool; of their columns only ``number`` and ``names`` are looked at. ``coded`` numbers are integers."""

    spool: Spool
    extents: tuple[Extent, ...]
    names: tuple[str, ...]
    rows: int
    coded: bool

    @classmethod
    def stored(cls, frame: Frame, spool: Spool) -> Part:
        extents = (spool.append(frame.frame),) if len(frame) else ()
        return cls(spool, extents, frame.names, len(frame), frame.frame.schema[NUMBER] == pl.UInt64)

    def whole(self) -> pl.DataFrame:
        """The rows as they came, with every column that any of them has."""
        empty = pl.DataFrame(schema={NUMBER: pl.UInt64 if self.coded else pl.String})
        read = (self.spool.read(extent) for extent in self.extents)
        return pl.concat([empty, *(frame if self.coded else decoded(frame) for frame in read)], how="diagonal")

    def frame(self, *, coded: bool = False) -> Frame:
        """With numbers as text, or, if they all are ``coded``, as they are kept."""
        found = self.whole() if coded else decoded(self.whole())
        lacking = [pl.lit(None, dtype=pl.String).alias(name) for name in self.names if name not in found.columns]
        return Frame(found.with_columns(lacking).select(NUMBER, *self.names), in_order=False)


@dataclass(frozen=True, slots=True)
class _Piece:
    extent: Extent
    keys: pl.Series
    """Distinct where the numbers are; not always only there."""

    coded: bool


class Filler:
    """Frames of any columns, ``number`` (never null) among them, become parts. The order of rows is kept in each.

    ``place`` says to which part each number goes, from the numbers and their codes.
    """

    def __init__(self, place: Callable[[pl.Series, pl.Series], pl.Series] = part_of) -> None:
        self._place = place
        self._spool = Spool()
        self._waiting: list[pl.DataFrame] = []
        self._surely = True
        self._rows = 0
        self._pool: ThreadPoolExecutor | None = None
        self._flushes: deque[Future[dict[int, _Piece]]] = deque()
        self._pieces: list[list[_Piece]] = [[] for _ in range(PARTS)]

    def add(self, frame: pl.DataFrame, *, e164: bool = False) -> None:
        """``e164``: all numbers are known to be."""
        self._waiting.append(frame)
        self._surely &= e164
        self._rows += frame.height
        if self._rows >= FLUSH:
            self._flush()

    def _flush(self) -> None:
        self._pool = self._pool or ThreadPoolExecutor(_FLUSHES, thread_name_prefix="contacts-fill")
        self._flushes.append(self._pool.submit(self._cut, self._waiting, self._surely))
        self._waiting, self._surely, self._rows = [], True, 0
        while len(self._flushes) > _FLUSHES:
            self._take(self._flushes.popleft().result())

    def _take(self, cut: Mapping[int, _Piece]) -> None:
        for i, piece in cut.items():
            self._pieces[i].append(piece)

    def _cut(self, frames: list[pl.DataFrame], surely: bool) -> dict[int, _Piece]:
        frame = pl.concat(frames, how="diagonal")
        numbers = frame[NUMBER]
        codes = coded(numbers, surely=surely)
        frame = frame.with_columns(self._place(numbers, codes).cast(pl.UInt8).alias(_PART))
        if whole := not codes.null_count():
            frame = frame.with_columns(codes.alias(NUMBER))
        # What comes in whatever order are the parts; the rows of each stay as they came.
        cut = {int(piece[_PART][0]): piece.drop(_PART) for piece in frame.partition_by(_PART, maintain_order=False)}
        return {i: _Piece(self._spool.append(piece), _key(piece[NUMBER]), whole) for i, piece in cut.items()}

    def finish(self, names: Collection[str], repeated: Repeated | None = None) -> list[Part]:
        """The parts with the columns ``names`` beside ``number``. The first row of a number wins.

        More may be added and finished again.
        """
        while self._flushes:
            self._take(self._flushes.popleft().result())
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        if self._waiting:
            self._take(self._cut(self._waiting, self._surely))
            self._waiting, self._surely, self._rows = [], True, 0
        kept = tuple(sorted(names))

        def one(pieces: list[_Piece]) -> Part:
            rows, whole = sum(len(piece.keys) for piece in pieces), all(piece.coded for piece in pieces)
            part = Part(self._spool, tuple(piece.extent for piece in pieces), kept, rows, whole)
            if _distinct([piece.keys for piece in pieces if piece.coded == pieces[0].coded]) and _alike(pieces):
                return part
            again = decoded(part.whole()).filter(pl.col(NUMBER).is_duplicated())
            if not again.height:
                return part
            if repeated is not None:
                repeated(again)
            return Part.stored(part.frame(coded=whole).collapsed(), self._spool)

        return in_parallel(one, self._pieces)


def _key(numbers: pl.Series) -> pl.Series:
    return numbers.rechunk() if numbers.dtype == pl.UInt64 else numbers.hash()


def _alike(pieces: list[_Piece]) -> bool:
    return len({piece.coded for piece in pieces}) < 2


def _distinct(keys: list[pl.Series]) -> bool:
    """Distinct keys prove distinct numbers, and integers are sorted in no time."""
    if not keys:
        return True
    return not repeats(pl.concat(keys).sort(multithreaded=False))
