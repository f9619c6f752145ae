"""Rows outside of memory, for sets too large to be held there, and how they get there.

They are people's numbers, so it matters where they lie: in one anonymous temporary file per set, in the folder that
``TMPDIR`` names, open to its owner alone and without a name from the start (Linux) or from the moment after
(elsewhere). Nobody can open it by a path and no backup finds it, and the operating system frees it with the process,
however that ends: after a crash there is nothing left to wipe. It is never in the repository.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from tempfile import TemporaryFile
from threading import Lock
from typing import Final, TypeAlias
from weakref import finalize

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from reconciler.errors import ReconcilerError
from reconciler.model._codes import CODE, are_in, codes_of, in_parallel, keys_of, numbers_of, repeated_keys
from reconciler.model._rows import NUMBER

FLUSH = 125_000
"""Rows of a chunk: fewer would make much of little, more would take memory while they are written."""

AT_ONCE = 1_000_000
"""Rows that are put together in memory at a time, of sets whose rows lie in no order that would help."""

_FLUSHES: Final = 2
"""Chunks being written at a time; whoever brings more rows waits."""

_CHUNK, _AT = "\x00chunk", "\x00at"
_PLACES: Final = {NUMBER: pl.String, _CHUNK: pl.UInt32, _AT: pl.UInt32}

Repeated: TypeAlias = Callable[[pl.DataFrame], None]
"""Told of all rows of numbers that come again, as they came, with every column."""


class Extent(Struct, frozen=True):
    """Where a column lies in its spool, in bytes."""

    start: int
    size: int


class Spool:
    """Columns appended and read back, from any thread. The file goes with the last reference to it."""

    __slots__ = ("__weakref__", "_file", "_lock")

    def __init__(self) -> None:
        # Rows of several sets can lie in it, so it is closed when nobody has any of them.
        self._file = TemporaryFile(prefix="reconciler-", buffering=0)  # noqa: SIM115
        finalize(self, self._file.close)
        self._lock = Lock()

    def append(self, column: pl.Series) -> Extent:
        whole = column.to_frame()
        # As the rows are in memory, and by Polars itself: packing them, or turning them into bytes for us to write,
        # takes longer than writing them, and what is written is read within seconds.
        try:
            with self._lock:
                start = self._file.seek(0, os.SEEK_END)
                whole.write_ipc_stream(self._file, compression="uncompressed", compat_level=pl.CompatLevel.newest())
                return Extent(start, self._file.tell() - start)
        except OSError as cause:
            raise ReconcilerError(
                f"there is no room for the contacts in the temporary folder: {cause.strerror or cause}",
                hint="set TMPDIR to a private folder with more room; millions of people take some hundred MiB",
            ) from None

    def read(self, extent: Extent) -> pl.Series:
        return pl.read_ipc_stream(os.pread(self._file.fileno(), extent.size, extent.start)).to_series()


_NO_VALUE: Final[int] = pl.Series([b""]).hash()[0]


class Chunk(Struct, frozen=True, kw_only=True):
    """Rows in the order in which they came: their keys in memory, every other column in a spool.

    Of the columns only ``names`` are looked at, and of the rows those that are ``kept`` (None: all). Numbers are a
    column of the spool only where a key is not enough to tell one of them.
    """

    spool: Spool
    every_key: pl.Series
    columns: Mapping[str, Extent]
    names: frozenset[str]
    kept: pl.Series | None = None

    @classmethod
    def stored(cls, frame: pl.DataFrame, spool: Spool) -> Chunk:
        """The numbers of ``frame`` are text, maybe with the column ``CODE`` beside them, or codes."""
        numbers = frame[NUMBER]
        codes = frame[CODE] if CODE in frame.columns else numbers if numbers.dtype == pl.UInt64 else codes_of(numbers)
        keys = keys_of(numbers, codes).rechunk()
        rest = frame.drop(CODE, *(() if codes.null_count() else (NUMBER,)), strict=False)
        # Text as bytes: it would be judged anew when it is read, most of it for nothing.
        columns = {c.name: spool.append(c.cast(pl.Binary) if c.dtype == pl.String else c) for c in rest.iter_columns()}
        return cls(spool=spool, every_key=keys, columns=columns, names=frozenset(columns) - {NUMBER})

    def __len__(self) -> int:
        return len(self.every_key) if self.kept is None else int(self.kept.sum())

    @property
    def keys(self) -> pl.Series:
        return self.every_key if self.kept is None else self.every_key.filter(self.kept)

    def only(self, mask: pl.Series) -> Chunk:
        """The rows of ours (as many as ``mask`` is long) for which it is true."""
        if mask.all():
            return self
        if self.kept is not None:
            mask = pl.repeat(False, len(self.kept), eager=True).scatter(self.kept.arg_true().filter(mask), True)
        return replace(self, kept=mask)

    def without(self, places: pl.Series) -> Chunk:
        """The rows of ours but for those at ``places``."""
        return self.only(pl.repeat(True, len(self), eager=True).scatter(places, False))

    def naming(self, names: Iterable[str]) -> Chunk:
        return replace(self, names=self.names.intersection(names))

    @property
    def coded(self) -> bool:
        """Whether every key is the code of its number."""
        return NUMBER not in self.columns

    def frame(self, names: Iterable[str], *, as_codes: bool = False) -> pl.DataFrame:
        """``number`` and these columns. ``as_codes``: all numbers are ``coded``, and left so."""
        numbers = self._read(NUMBER) if not self.coded else self.keys if as_codes else numbers_of(self.keys)
        held = (self._held(name) for name in names)
        columns = (numbers.alias(NUMBER), *held)
        return pl.DataFrame([each.cast(pl.String) if each.dtype == pl.Binary else each for each in columns])

    def hashed(self, names: Iterable[str]) -> pl.DataFrame:
        """The key as ``number``, and a hash of each value; None where there is none."""
        values = (pl.when(pl.col(name).is_not_null()).then(pl.col(name).hash()).alias(name) for name in names)
        return pl.DataFrame([self.keys.alias(NUMBER), *map(self._held, names)]).select(NUMBER, *values)

    def row_hashes(self, names: Iterable[str], seed: int) -> pl.Series:
        """Of each row one hash, in which every value has its place; None is "" here."""
        whole = self.keys.hash(seed)
        for name in names:
            whole = (whole ^ self._held(name).fill_null(b"").hash()).hash(seed)
        return whole

    def _held(self, name: str) -> pl.Series:
        if name in self.names:
            return self._read(name)
        return pl.repeat(None, len(self), dtype=pl.Binary, eager=True).alias(name)

    def _read(self, name: str) -> pl.Series:
        read = self.spool.read(self.columns[name])
        return read if self.kept is None else read.filter(self.kept)


def hash_of(name: str) -> pl.Expr:
    """The column of a ``hashed`` frame in which no value is the empty one."""
    return pl.col(name).fill_null(_NO_VALUE)


class Filler:
    """Frames of any columns, ``number`` (never null) among them, become chunks. The order of rows is kept."""

    def __init__(self) -> None:
        self._spool = Spool()
        self._waiting: list[pl.DataFrame] = []
        self._rows = 0
        self._pool: ThreadPoolExecutor | None = None
        self._flushes: deque[Future[Chunk]] = deque()
        self._chunks: list[Chunk] = []

    def add(self, frame: pl.DataFrame) -> None:
        """See ``Chunk.stored``: either the numbers of all frames are text, or all are codes."""
        for some in frame.iter_slices(FLUSH):
            self._waiting.append(some)
            self._rows += some.height
            if self._rows >= FLUSH:
                self._flush()

    def _flush(self) -> None:
        self._pool = self._pool or ThreadPoolExecutor(_FLUSHES, thread_name_prefix="contacts-fill")
        self._flushes.append(self._pool.submit(self._stored, self._waiting))
        self._waiting, self._rows = [], 0
        while len(self._flushes) > _FLUSHES:
            self._chunks.append(self._flushes.popleft().result())

    def _stored(self, frames: Sequence[pl.DataFrame]) -> Chunk:
        return Chunk.stored(pl.concat(frames, how="diagonal"), self._spool)

    def finish(self) -> list[Chunk]:
        """Everything added so far, in order. More may be added and finished again."""
        self._chunks += [flush.result() for flush in self._flushes]
        self._flushes.clear()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        if self._rows:
            self._chunks.append(self._stored(self._waiting))
            self._waiting, self._rows = [], 0
        return list(self._chunks)


def one_of_each(chunks: Sequence[Chunk], repeated: Repeated | None = None) -> list[Chunk]:
    """The first row of each number. That nobody comes again follows from keys; who does, the numbers must say."""
    left = list(chunks)
    keys = [chunk.keys for chunk in chunks]
    if not len(twice := repeated_keys(keys)):
        return left
    masks, groups = are_in(keys, twice), 1 + len(twice) // AT_ONCE
    later: list[pl.DataFrame] = []
    for group in range(groups):
        some = [mask & (key % groups == group) for mask, key in zip(masks, keys, strict=True)]
        rows = _placed(chunks, some).filter(pl.col(NUMBER).is_duplicated())
        if repeated is not None and rows.height:
            repeated(rows.drop(_CHUNK, _AT))
        later.append(rows.filter(~pl.col(NUMBER).is_first_distinct()).select(_CHUNK, _AT))
    for (i,), places in pl.concat(later).group_by(_CHUNK):
        left[int(i)] = left[int(i)].without(places[_AT])
    return left


def _placed(chunks: Sequence[Chunk], masks: Sequence[pl.Series]) -> pl.DataFrame:
    """The rows for which a mask is true, with every column, their chunk, and their place in it."""

    def one(i: int) -> pl.DataFrame:
        frame = chunks[i].frame(sorted(chunks[i].names)).with_row_index(_AT).filter(masks[i])
        return frame.with_columns(pl.lit(i, dtype=pl.UInt32).alias(_CHUNK))

    found = in_parallel(one, (i for i, mask in enumerate(masks) if mask.any()))
    return pl.concat([pl.DataFrame(schema=_PLACES), *found], how="diagonal")
