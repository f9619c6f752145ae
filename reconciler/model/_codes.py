"""Numbers as integers, and what follows from integers alone: who comes again, and who is on one side only.

Integers take half the room of text and a quarter of the time. They are looked at in parts, a few of them at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, reduce
from itertools import accumulate, pairwise
from operator import xor
from typing import Final, TypeAlias, TypeVar

import polars as pl

CODE: Final = "\x00code"
"""The column of a frame in which its numbers are integers; None where a number is none that a plus would bring back."""

WORKERS: Final = min(4, os.cpu_count() or 1)

_LONGEST: Final = 18
"""Characters of a number that surely fits an integer, and leaves the highest bit of it free."""
_DIGITS: Final = _LONGEST - 1
_HIGHEST: Final = 1 << 63
_PART: Final = 500_000
_PARTS: Final = 8
"""Keys that are sorted at a time, about, and into how many parts they are cut at most: each one is a pass over all."""
_SEEDS: Final = 3

_In = TypeVar("_In")
_Out = TypeVar("_Out")
_Rows = TypeVar("_Rows", pl.Series, pl.DataFrame)
Pieces: TypeAlias = Sequence[pl.Series]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WORKERS, thread_name_prefix="contacts")


def in_parallel(work: Callable[[_In], _Out], items: Iterable[_In]) -> list[_Out]:
    """Not to be called by ``work`` itself."""
    return list(_pool().map(work, items))


def pieces(of: _Rows) -> list[_Rows]:
    """The same in as many pieces as are worked on at once."""
    size = max(-(-len(of) // WORKERS), 1)
    return [of.slice(at, size) for at in range(0, max(len(of), 1), size)]


def joined_keys(keys: Pieces) -> pl.Series:
    return pl.concat([pl.Series(dtype=pl.UInt64), *keys])


def codes_of(numbers: pl.Series) -> pl.Series:
    """Digits as integers; None for what a plus would not bring back."""
    codes = numbers.cast(pl.UInt64, strict=False)
    # The cast takes digits alone, or after one plus; a regular expression that says it all takes longer.
    plain = (numbers >= "+1") & (numbers < "+:") & (numbers.str.len_bytes() <= _LONGEST)
    return codes if plain.all(ignore_nulls=False) else pl.select(pl.when(plain).then(codes)).to_series()


def numbers_of(codes: pl.Series) -> pl.Series:
    """The numbers that these are the codes of, as text."""
    return pl.select(pl.concat_str(pl.lit("+"), pl.lit(codes).cast(pl.String))).to_series()


def text_order(numbers: pl.Series) -> pl.Series:
    """What sorts as these numbers do as text, where an integer is the code of one."""
    if numbers.dtype == pl.String:
        return numbers
    digits = pl.sum_horizontal((pl.col("n") >= 10**k).cast(pl.UInt8) for k in range(1, _DIGITS)) + 1
    shift = pl.lit(pl.Series([10 ** (_DIGITS - k) for k in range(_DIGITS + 1)], dtype=pl.UInt64)).gather(digits)
    # Like digits from the left on; of those, the shorter number first.
    return numbers.to_frame("n").select(pl.col("n") * shift * 32 + digits).to_series()


def keys_of(numbers: pl.Series, codes: pl.Series) -> pl.Series:
    """An integer for everybody: the code, or for odd numbers 63 bits of a hash and the highest bit."""
    if not codes.null_count():
        return codes
    odd = numbers.hash() | _HIGHEST
    return pl.select(pl.when(codes.is_null()).then(odd).otherwise(codes)).to_series()


def repeated_keys(keys: Pieces) -> pl.Series:
    """The keys that come more than once, each once."""

    def find(ordered: pl.Series) -> pl.Series:
        same = _as_before(ordered)
        return ordered.slice(1).filter(same).unique() if same.any() else ordered.clear()

    return _by_parts(keys, find)


def unpaired_keys(keys: Pieces) -> pl.Series:
    """The keys that come a single time."""

    def find(ordered: pl.Series) -> pl.Series:
        same, end = _as_before(ordered), pl.Series([False])
        return ordered.filter(~(pl.concat([end, same]) | pl.concat([same, end]))) if len(ordered) else ordered

    return _by_parts(keys, find)


def _as_before(ordered: pl.Series) -> pl.Series:
    """Of each but the first, whether it is the same as the one before."""
    return ordered.slice(1) == ordered.slice(0, max(len(ordered) - 1, 0))


def _by_parts(keys: Pieces, find: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """What ``find`` says of each part, sorted. Equal keys are in the same part."""
    parts = min(1 << (sum(map(len, keys)) // _PART).bit_length(), _PARTS)
    # In a byte each, because all of them are looked at once for each part.
    places = in_parallel(lambda some: (some & (parts - 1)).cast(pl.UInt8), keys)

    def one(i: int) -> pl.Series:
        part = joined_keys([some.filter(place == i) for some, place in zip(keys, places, strict=True)])
        # One thread takes as long as several here, which are better used elsewhere.
        return find(part.sort(multithreaded=False))

    return joined_keys(in_parallel(one, range(parts)))


def are_in(keys: Pieces, wanted: pl.Series) -> list[pl.Series]:
    """Of each piece, which of its keys are ``wanted``."""
    if not keys:
        return []
    few = len(wanted) < sum(map(len, keys)) // 8
    size = -(-len(keys) // (WORKERS if few else 1))
    asked = wanted.implode()

    def some(group: Pieces) -> list[pl.Series]:
        found = pl.concat(group).is_in(asked)
        ends = accumulate(map(len, group), initial=0)
        return [found.slice(start, end - start) for start, end in pairwise(ends)]

    groups = [keys[at : at + size] for at in range(0, len(keys), size)]
    return [mask for masks in in_parallel(some, groups) for mask in masks]


def unequal_rows(
    mine: Pieces, theirs: Pieces, hashed: Callable[[int], tuple[Pieces, Pieces]]
) -> tuple[pl.Series, list[pl.Series], list[pl.Series]]:
    """The keys that are on one side alone, and of each side, whose row is not on the other one.

    ``hashed`` makes a hash of each whole row, another one for each seed, each side's in the pieces of its keys. Two
    rows that are not the same but have one hash would pass for one another. So those who are told to be the same are
    checked to be the same people on both sides; a coincidence, whoever it is about, makes the check fail and another
    seed be taken, and in the end the keys themselves.
    """
    for seed in range(_SEEDS):
        ours, others = hashed(seed)
        single = unpaired_keys([*ours, *others])
        odd, odd_there = are_in(ours, single), are_in(others, single)
        left = [keys.filter(mask) for keys, mask in zip((*mine, *theirs), (*odd, *odd_there), strict=True)]
        if _checksum([*mine, *theirs]) == _checksum(left):
            return unpaired_keys(left), odd, odd_there
    every = [pl.repeat(True, len(keys), eager=True) for keys in (*mine, *theirs)]
    return unpaired_keys([*mine, *theirs]), every[: len(mine)], every[len(mine) :]


def _checksum(keys: Pieces) -> int:
    """Nought if each key is there twice, and never if a single one is not."""
    return reduce(xor, in_parallel(lambda some: some.bitwise_xor() or 0, keys), 0)
