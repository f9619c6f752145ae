"""Reading a whole collection page by page, or saying that it cannot be proven whole (Exotel API notes, 1.5).

``offset`` counts rows and moves by the rows received, never by the limit asked for: the server may clamp. The read ends
at the ``total`` that the pages tell, or where they tell none at an empty page. Rows are counted once by their id; when
there are not as many of them as the total says, the collection changed meanwhile and is read again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from reconciler.errors import ReadIncomplete, Rejected
from reconciler.providers.exotel.answers import Row
from reconciler.providers.exotel.client import Page as RowPage
from reconciler.providers.parallel import Wanted, in_order

SCANS = 3
"""How often a collection that changes while it is read is read from the start."""
SAFE_LIMIT = 20
"""The default page: what is asked for after a larger one was refused."""


class Page(Protocol):
    """What enumeration looks at. ``total`` is how many there are in all, None where the answer does not say."""

    @property
    def ids(self) -> Sequence[str]: ...

    @property
    def total(self) -> int | None: ...


P = TypeVar("P", bound=Page)
P_contra = TypeVar("P_contra", bound=Page, contravariant=True)


class Gathered(Protocol[P_contra]):
    """What the pages of one pass are put into, in order. ``count`` is how many different ids came so far, and may take
    its time."""

    def take(self, page: P_contra) -> None: ...

    def count(self) -> int: ...


G = TypeVar("G", bound=Gathered[Any])

Read = Callable[[int, int], Awaitable[P]]
"""Reads the page at an offset with a limit."""


class Reading(Struct, Generic[P], frozen=True, kw_only=True):
    """How one collection is read. ``told`` hears of progress, with the total where it is known. ``enough`` ends the
    read early: it is asked after each page whether what was looked for has been seen."""

    what: str
    limit: int
    width: int = 4
    told: Callable[[int, int | None], None] | None = None
    enough: Callable[[P], bool] | None = None


async def read_all(read: Read[P], how: Reading[P], begin: Callable[[], G]) -> tuple[G, int]:
    """Every row, in the order in which they came, put into what ``begin`` makes for each pass; and how many.

    Raises ReadIncomplete when it cannot be proven whole.
    """
    limit = how.limit
    for _ in range(SCANS):
        gathered = begin()
        try:
            count, whole = await _scan(read, how, limit, gathered)
        except Rejected as refused:
            # Whether a limit above the maximum is cut or refused is not documented.
            if refused.status != 400 or limit <= SAFE_LIMIT:
                raise
            limit, gathered = SAFE_LIMIT, begin()
            count, whole = await _scan(read, how, limit, gathered)
        if whole:
            return gathered, count
    raise ReadIncomplete(
        f"The {how.what} cannot be read whole: pages and their total differ after {SCANS} tries.",
        hint="Something is changing them, or the provider is answering wrongly. Try again later.",
    )


async def _scan(read: Read[P], how: Reading[P], limit: int, gathered: Gathered[P]) -> tuple[int, bool]:
    """One pass: how many rows, and whether they are all that was asked for."""
    scan = _Scan(gathered, how)
    await in_order(lambda start: read(start, limit), Wanted(0, limit, 1), scan.take, width=how.width)
    return scan.outcome()


class _Scan(Generic[P]):
    """One pass, as far as its pages have come."""

    def __init__(self, gathered: Gathered[P], how: Reading[P]) -> None:
        self._gathered = gathered
        self._how = how
        self._begun = set[str]()
        self._offset = 0
        self._total: int | None = None
        self._steady = True
        self._enough = False

    def take(self, page: P) -> Wanted | None:
        """What is due after this page; None when no more is asked for."""
        size, how = len(page.ids), self._how
        if page.total is not None:
            # A total that moves means that rows moved between pages, and one may have slipped past.
            self._steady = self._steady and self._total in (None, page.total)
            self._total = page.total
        self._put(page)
        self._offset = offset = self._offset + size
        total = self._total
        if how.told is not None:
            how.told(offset, total)
        if how.enough is not None and how.enough(page):
            self._enough = True
            return None
        if not size or (total is not None and offset >= total):
            return None
        # Whatever was read ahead started at the wrong row when this is another size. Ahead only where the total says
        # that there is something.
        return Wanted(offset, size, 1 if total is None or how.enough is not None else -(-(total - offset) // size))

    def _put(self, page: P) -> None:
        """Raises ReadIncomplete when nothing in the page is new, where nothing but an empty page would end the read.
        That is looked into when it begins as an earlier one did: a server that goes in a circle gets there."""
        first = page.ids[0] if page.ids else None
        doubtful = self._total is None and first in self._begun
        if first is not None:
            self._begun.add(first)
        before = self._gathered.count() if doubtful else 0
        self._gathered.take(page)
        if doubtful and self._gathered.count() == before:
            raise ReadIncomplete(f"Paging through {self._how.what} does not advance: a page repeats earlier rows.")

    def outcome(self) -> tuple[int, bool]:
        """How many rows came, and whether they are all."""
        rows = self._gathered.count()
        return rows, self._enough or self._total is None or (self._steady and rows == self._total)


class Rows:
    """Rows of a listing by id, as they came."""

    def __init__(self) -> None:
        self.by_id: dict[str, Row] = {}

    def take(self, page: RowPage) -> None:
        for found, row in zip(page.ids, page.rows, strict=True):
            self.by_id.setdefault(found, row)

    def count(self) -> int:
        return len(self.by_id)


async def all_rows(read: Read[RowPage], how: Reading[RowPage]) -> dict[str, Row]:
    """Every row of a listing by id. Raises as ``read_all``."""
    rows, _ = await read_all(read, how, Rows)
    return rows.by_id
