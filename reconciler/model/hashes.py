"""Sets of member hashes as the inventory remembers them: sorted, end to end, a hash's width for each person.

Ten million people are 115 MiB; as a Python set of bytes they were a gigabyte. Two sets are combined side by side, a few
hundred hashes at a time, and where only one of them has any they are copied as they are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Set
from functools import reduce
from itertools import islice
from operator import and_, lt, or_, sub
from struct import Struct
from typing import Any, Final

from reconciler.model.keys import MEMBER_HASH_SIZE

_WINDOW: Final = 64
"""Hashes between two fences. So many are searched through by memory, which takes as long as finding the fence."""

_RUN: Final = 4_096
_RUNS: Final = Struct(f"{MEMBER_HASH_SIZE}s" * _RUN)
_ONES: Final = Struct(f"{MEMBER_HASH_SIZE}s")

_AT_ONCE: Final = 65_536
"""Hashes that are sorted as a whole; more are first laid out by their first byte."""


class MemberHashes(Set[bytes]):
    """An immutable set of keyed hashes, all of ``MEMBER_HASH_SIZE`` bytes; iterates in order.

    Equal to a set of Python's with the same hashes.
    """

    __slots__ = ("_fences", "_packed")

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        """Raises ValueError for what is no member hash."""
        self._packed = _sorted(hashes)
        self._fences: list[bytes] | None = None

    @classmethod
    def unpacked(cls, packed: bytes) -> MemberHashes:
        """What ``packed`` told; ValueError when it is cut short or out of order: hashes would not be found in it."""
        if len(packed) % MEMBER_HASH_SIZE:
            raise ValueError("truncated member hashes")
        last = b""
        for run in _runs(packed):
            if not last < run[0] or not all(map(lt, run, run[1:])):
                raise ValueError("member hashes out of order")
            last = run[-1]
        return cls._of(packed)

    @classmethod
    def union_of(cls, sets: Iterable[MemberHashes]) -> MemberHashes:
        return reduce(or_, sets, cls())

    @classmethod
    def _of(cls, packed: bytes) -> MemberHashes:
        made = cls()
        made._packed = packed
        return made

    @property
    def packed(self) -> bytes:
        """All of them, sorted and end to end."""
        return self._packed

    def __len__(self) -> int:
        return len(self._packed) // MEMBER_HASH_SIZE

    def __iter__(self) -> Iterator[bytes]:
        return (one for run in _runs(self._packed) for one in run)

    def __contains__(self, item: object) -> bool:
        if not isinstance(item, bytes) or len(item) != MEMBER_HASH_SIZE:
            return False
        if self._fences is None:
            every = _WINDOW * MEMBER_HASH_SIZE
            self._fences = [self._packed[at : at + MEMBER_HASH_SIZE] for at in range(0, len(self._packed), every)]
        window = bisect_right(self._fences, item) - 1
        if window < 0:
            return False
        start, end = (at * _WINDOW * MEMBER_HASH_SIZE for at in (window, window + 1))
        # What is found may lie across two hashes: then the next is looked for.
        while (found := self._packed.find(item, start, end)) % MEMBER_HASH_SIZE and found >= 0:
            start = found + 1
        return found >= 0

    def __eq__(self, other: object) -> bool:
        return self._packed == other._packed if isinstance(other, MemberHashes) else super().__eq__(other)

    __hash__ = Set._hash

    def __repr__(self) -> str:
        return f"MemberHashes({len(self)})"

    def __or__(self, other: Set[Any]) -> MemberHashes:
        return self._combined(other, or_, mine=True, theirs=True, same=True)

    def __and__(self, other: Set[Any]) -> MemberHashes:
        return self._combined(other, and_, mine=False, theirs=False, same=True)

    def __sub__(self, other: Set[Any]) -> MemberHashes:
        return self._combined(other, sub, mine=True, theirs=False, same=False)

    def _combined(
        self, other: Set[Any], work: Callable[..., frozenset[bytes]], *, mine: bool, theirs: bool, same: bool
    ) -> MemberHashes:
        """``work`` over both, cut at the same places. It would keep what is in ``mine`` alone, in ``theirs`` alone, and
        the ``same`` in both."""
        others = _as_hashes(other)
        one, another = self._packed, others._packed
        if one == another:
            return self if same else NO_MEMBERS
        if not one or not another:
            return self if one and mine else others if another and theirs else NO_MEMBERS
        pieces = list[bytes | memoryview]()
        for here, there in _side_by_side(one, another):
            if here == there:
                pieces.append(here if same else b"")
            elif here and there:
                pieces.append(b"".join(sorted(work(frozenset(_each(here)), frozenset(_each(there))))))
            else:
                pieces.append(here if mine else b"")
                pieces.append(there if theirs else b"")
        # All of these only leave hashes out or only put some in: as many are the same ones, and kept once in memory.
        return self if sum(map(len, pieces)) == len(one) else MemberHashes._of(b"".join(pieces))


def _as_hashes(other: Set[Any]) -> MemberHashes:
    return other if isinstance(other, MemberHashes) else MemberHashes(other)


def _side_by_side(one: bytes, other: bytes) -> Iterator[tuple[memoryview, memoryview]]:
    """Both from the least to the greatest hash, cut where the longer of them has a fence; where the shorter one has
    nothing, the longer one as far as that goes."""
    if len(one) < len(other):
        yield from ((b, a) for a, b in _side_by_side(other, one))
        return
    mine, theirs, at, done = memoryview(one), memoryview(other), 0, 0
    while done < len(other):
        start = _window_of(one, other[done : done + MEMBER_HASH_SIZE], at)
        if start > at:
            yield mine[at:start], theirs[:0]
        at = min(start + _WINDOW * MEMBER_HASH_SIZE, len(one))
        following = one[at : at + MEMBER_HASH_SIZE]
        end = _place(other, following, done) if following else len(other)
        yield mine[start:at], theirs[done:end]
        done = end
    yield mine[at:], theirs[:0]


def _window_of(packed: bytes, item: bytes, start: int) -> int:
    """Where the last window begins whose first hash is not greater than ``item``, not before ``start``."""
    every = _WINDOW * MEMBER_HASH_SIZE
    fences = range(start, len(packed), every)
    if len(fences) < 2 or item < packed[start + every : start + every + MEMBER_HASH_SIZE]:
        return start  # as a rule, where both have about as many
    found = bisect_right(fences, item, key=lambda at: packed[at : at + MEMBER_HASH_SIZE])
    return fences[max(found - 1, 0)]


def _place(packed: bytes, item: bytes, start: int) -> int:
    """Where the first hash that is not less than ``item`` begins, not before ``start``."""
    places = range(start, len(packed), MEMBER_HASH_SIZE)
    found = bisect_left(places, item, key=lambda at: packed[at : at + MEMBER_HASH_SIZE])
    return places[found] if found < len(places) else len(packed)


def _runs(packed: bytes | memoryview | bytearray) -> Iterator[tuple[bytes, ...]]:
    """All hashes, in tuples of some thousand."""
    whole = len(packed) - len(packed) % _RUNS.size
    for at in range(0, whole, _RUNS.size):
        yield _RUNS.unpack_from(packed, at)
    if whole < len(packed):
        yield tuple(_each(packed[whole:]))


def _each(packed: bytes | memoryview | bytearray) -> Iterator[bytes]:
    return (one for (one,) in _ONES.iter_unpack(packed))


def _sorted(hashes: Iterable[bytes]) -> bytes:
    """Each once, sorted, end to end. Of many, only those of one first byte are Python objects at a time."""
    rest = iter(hashes)
    few = list(islice(rest, _AT_ONCE))
    if len(few) < _AT_ONCE:
        return _joined(few)
    laid = [bytearray() for _ in range(256)]
    while few:
        _check(few)
        for each in few:
            laid[each[0]] += each
        few = list(islice(rest, _AT_ONCE))
    whole = bytearray()
    while laid:
        whole += _joined(_each(laid.pop(0)))
    return bytes(whole)


def _joined(hashes: Iterable[bytes]) -> bytes:
    ordered = sorted(set(hashes))
    _check(ordered)
    return b"".join(ordered)


def _check(hashes: list[bytes]) -> None:
    if {len(each) for each in hashes} - {MEMBER_HASH_SIZE}:
        raise ValueError(f"a member hash is not {MEMBER_HASH_SIZE} bytes long")


NO_MEMBERS: Final = MemberHashes()
