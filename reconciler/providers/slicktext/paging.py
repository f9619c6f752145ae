"""Reading a whole collection page by page, or saying that it cannot be proven whole.

Only ``limit`` and ``offset`` are used (API notes, 1.5). The offset moves by the rows received, never by the limit asked
for, so a server that clamps its pages loses nothing. ``hasMore`` is not trusted: a full page is followed by one more
request, an empty page ends the read, a page without a new id is an error.

Pages are read ahead where that wastes nothing: with a known count up to that count, without one by a fifth of what was
read already. A page that came shorter than assumed puts those behind it out of place; they are dropped and read again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from reconciler.errors import ReadIncomplete
from reconciler.providers.parallel import Ahead


class Page(Protocol):
    """What enumeration looks at."""

    @property
    def ids(self) -> Sequence[int]: ...

    @property
    def more(self) -> bool: ...


P = TypeVar("P", bound=Page)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one collection is read. ``expected`` is its size where there is a count, ``told`` hears of progress."""

    what: str
    limit: int
    cap: int
    width: int = 4
    expected: int | None = None
    told: Callable[[int], None] | None = None


async def read_all(
    read: Callable[[int], Awaitable[P]], take: Callable[[P, Sequence[int]], None], how: Reading
) -> set[int]:
    """Every id of a collection. ``read`` fetches the page at an offset; ``take`` gets each page in order, together with
    the positions of its rows that were not seen before.

    Raises ReadIncomplete when the pages do not advance or the cap is reached.
    """
    seen: set[int] = set()
    offset = pages = 0
    stride = how.limit
    async with Ahead(read) as ahead:
        more = True
        while True:
            page = await ahead.page(offset, stride, _ahead(how, offset, pages, stride) if more else 1)
            size = len(page.ids)
            if size == 0:
                return seen
            _take(page, take, seen, how)
            offset, pages = offset + size, pages + 1
            if len(seen) == how.expected or _last(page, size, seen, how):
                return seen
            # Whatever was read ahead started at the wrong row when this is another size. That there is no more is not
            # believed, and is no reason to read far beyond it.
            stride, more = size, page.more or how.expected is not None


def _last(page: Page, size: int, seen: set[int], how: Reading) -> bool:
    short = size < how.limit and not page.more
    return short and (how.expected is None or len(seen) >= how.expected)


def _take(page: P, take: Callable[[P, Sequence[int]], None], seen: set[int], how: Reading) -> None:
    fresh = _unseen(page.ids, seen)
    seen.update(page.ids)
    if not fresh:
        raise ReadIncomplete(f"Paging through {how.what} does not advance: a page repeats rows of an earlier one.")
    if len(seen) > how.cap:
        raise ReadIncomplete(
            f"There are more than {how.cap:,} {how.what}.", hint="Raise maxRows of the account if that is right."
        )
    take(page, fresh)
    if how.told is not None:
        how.told(len(seen))


def _unseen(ids: Sequence[int], seen: set[int]) -> Sequence[int]:
    """The positions of the rows that are new, each once."""
    on_page = set(ids)
    if len(on_page) == len(ids) and seen.isdisjoint(on_page):
        return range(len(ids))
    fresh = []
    for at, found in enumerate(ids):
        if found not in seen and found in on_page:
            on_page.discard(found)
            fresh.append(at)
    return fresh


def _ahead(how: Reading, offset: int, pages: int, step: int) -> int:
    """How many pages to ask for at once; the first is always asked for alone, to see how long pages are."""
    if pages == 0:
        return 1
    if how.expected is None:
        return min(how.width, max(1, pages // 5))
    return min(how.width, max(1, -(-(how.expected - offset) // step)))
