"""Reading a whole collection page by page, or saying that it cannot be proven whole.

Only ``limit`` and ``offset`` are used (API notes, 1.5). The offset moves by the rows received, never by the limit asked
for, so a server that clamps its pages loses nothing. ``hasMore`` is not trusted: a full page is followed by one more
request, an empty page ends the read, a page without a new id is an error.

Pages are asked for ahead of the one that is due, but none of which it is not known that there is one: up to the count
where there is a count, else up to as many rows as there must be. Beyond, one page is asked for after the other. A page
that came shorter than assumed puts those behind it out of place; they are dropped and read again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from reconciler.errors import ReadIncomplete
from reconciler.providers.parallel import Wanted, in_order


class Page(Protocol):
    """What enumeration looks at."""

    @property
    def ids(self) -> Sequence[int]: ...

    @property
    def more(self) -> bool: ...


P = TypeVar("P", bound=Page)
P_contra = TypeVar("P_contra", bound=Page, contravariant=True)


class Gathered(Protocol[P_contra]):
    """What pages are put into, in order. ``count`` is how many different ids came so far, and may take its time."""

    def take(self, page: P_contra) -> None: ...

    def count(self) -> int: ...


class Reading(Struct, frozen=True, kw_only=True):
    """How one collection is read. ``expected`` is its size where there is a count; ``at_least``, where there is none,
    how many rows there must be. ``told`` hears of progress."""

    what: str
    limit: int
    cap: int
    width: int = 4
    expected: int | None = None
    at_least: int = 0
    told: Callable[[int], None] | None = None


async def read_all(read: Callable[[int], Awaitable[P]], gathered: Gathered[P], how: Reading) -> int:
    """Everything in a collection, into ``gathered``; how many different ids that are. ``read`` fetches the page at an
    offset.

    Raises ReadIncomplete when the pages do not advance or the cap is reached.
    """
    # The first page is asked for alone, to see how long pages are.
    await in_order(read, Wanted(0, how.limit, 1), _Scan(gathered, how).take, width=how.width)
    return gathered.count()


class _Scan(Generic[P]):
    """One collection, as far as its pages have come."""

    def __init__(self, gathered: Gathered[P], how: Reading) -> None:
        self._gathered = gathered
        self._how = how
        self._known = how.at_least if how.expected is None else how.expected
        self._offset = 0
        self._begun = set[int]()

    def take(self, page: P) -> Wanted | None:
        """What is due after this page; None when no more is asked for."""
        size, how = len(page.ids), self._how
        if size == 0:
            return None
        self._put(page)
        self._offset = offset = self._offset + size
        if how.told is not None:
            how.told(offset)
        if offset > how.cap and self._gathered.count() > how.cap:
            raise ReadIncomplete(
                f"There are more than {how.cap:,} {how.what}.",
                hint="Raise maxRows of the account if that is right.",
            )
        if self._ended(page):
            return None
        # Whatever was read ahead started at the wrong row when this is another size.
        return Wanted(offset, size, max(1, -(-(self._known - offset) // size)))

    def _put(self, page: P) -> None:
        """Raises ReadIncomplete when nothing in the page is new. That is looked into when it begins as an earlier one
        did: a server that goes in a circle gets there."""
        first = page.ids[0]
        doubtful = first in self._begun
        self._begun.add(first)
        before = self._gathered.count() if doubtful else 0
        self._gathered.take(page)
        if doubtful and self._gathered.count() == before:
            raise ReadIncomplete(
                f"Paging through {self._how.what} does not advance: a page repeats rows of an earlier one."
            )

    def _ended(self, page: P) -> bool:
        """Whether no more is asked for. Rows that came twice are counted once, so fewer rows than expected are too
        few."""
        how = self._how
        short = len(page.ids) < how.limit and not page.more
        if how.expected is None:
            return short
        if self._offset < how.expected:
            return False
        count = self._gathered.count()
        return count == how.expected or (short and count > how.expected)
