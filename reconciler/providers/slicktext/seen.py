"""Ids that were seen while a collection was read: of ten million, a set of Python's would take most of a gigabyte.

A brand gives ids one after the other, so those of a list lie close together. They are kept as bits where that takes
less than a set does, and in a set where it does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Final

_SHIFT: Final = 12
_MASK: Final = (1 << _SHIFT) - 1
_DENSE: Final = 16
"""Ids of one block of 4,096 from which bits take less."""
_PACKED_FROM: Final = 65_536
"""Ids in the set from which it is worth looking which of them lie together."""


class Seen(Set[int]):
    """Ids, none of them negative; to be filled by ``add_page`` alone."""

    __slots__ = ("_blocks", "_loose", "_pack_at", "_packed")

    def __init__(self) -> None:
        self._loose: set[int] = set()
        self._blocks: dict[int, int] = {}
        self._packed = 0
        self._pack_at = _PACKED_FROM

    def __contains__(self, item: object) -> bool:
        if not isinstance(item, int):
            return False
        return item in self._loose or bool(self._blocks.get(item >> _SHIFT, 0) >> (item & _MASK) & 1)

    def __len__(self) -> int:
        return len(self._loose) + self._packed

    def __iter__(self) -> Iterator[int]:
        yield from self._loose
        for high, bits in self._blocks.items():
            yield from ((high << _SHIFT) + low for low in range(bits.bit_length()) if bits >> low & 1)

    def add_page(self, ids: Sequence[int]) -> Sequence[int]:
        """The positions of those that are new, each once; from now on they are seen."""
        page = set(ids)
        if len(page) == len(ids) and self._loose.isdisjoint(page) and not self._in_blocks(page):
            self._add(page)
            return range(len(ids))
        fresh = []
        for at, found in enumerate(ids):
            if found in page and found not in self:
                page.discard(found)
                fresh.append(at)
        self._add({ids[at] for at in fresh})
        return fresh

    def _in_blocks(self, page: set[int]) -> bool:
        # Pages come in order, so mostly a page and what was packed lie in no block together.
        together = self._blocks.keys() & {found >> _SHIFT for found in page}
        return bool(together) and any(self._blocks.get(i >> _SHIFT, 0) >> (i & _MASK) & 1 for i in page)

    def _add(self, ids: set[int]) -> None:
        self._loose |= ids
        if len(self._loose) >= self._pack_at:
            self._pack()

    def _pack(self) -> None:
        blocks: dict[int, list[int]] = {}
        for found in self._loose:
            blocks.setdefault(found >> _SHIFT, []).append(found)
        for high, ids in blocks.items():
            if len(ids) >= _DENSE or high in self._blocks:
                self._blocks[high] = self._blocks.get(high, 0) | sum(1 << (found & _MASK) for found in ids)
                self._loose.difference_update(ids)
                self._packed += len(ids)
        # What lies apart stays, and is not gone through again before there is much more of it.
        self._pack_at = 2 * len(self._loose) + _PACKED_FROM
