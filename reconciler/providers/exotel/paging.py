"""Reading a whole collection page by page, or saying that it cannot be proven whole (Exotel API notes, 1.5).

``offset`` counts rows and moves by the rows received, never by the limit asked for: the server may clamp. The read ends
at the ``total`` that the pages tell, or where they tell none at an empty page. Rows are counted once by their id; when
there are not as many of them as the total says, the collection changed meanwhile and is read again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from reconciler.errors import ReadIncomplete, Rejected
from reconciler.providers.exotel.answers import Row
from reconciler.providers.exotel.client import Page
from reconciler.providers.parallel import together

SCANS = 3
"""How often a collection that changes while it is read is read from the start."""
SAFE_LIMIT = 20
"""The default page: what is asked for after a larger one was refused."""

Read = Callable[[int, int], Awaitable[Page]]
"""Reads the page at an offset with a limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one collection is read. ``told`` hears of progress, with the total where it is known. ``enough`` ends the
    read early: it is asked after each page whether what was looked for has been seen."""

    what: str
    limit: int
    width: int = 4
    told: Callable[[int, int | None], None] | None = None
    enough: Callable[[Page], bool] | None = None


async def read_all(read: Read, how: Reading) -> dict[str, Row]:
    """Every row by id, in the order in which they came. Raises ReadIncomplete when it cannot be proven whole."""
    limit = how.limit
    for _ in range(SCANS):
        try:
            rows, whole = await _scan(read, how, limit)
        except Rejected as refused:
            # Whether a limit above the maximum is cut or refused is not documented.
            if refused.status != 400 or limit <= SAFE_LIMIT:
                raise
            limit = SAFE_LIMIT
            rows, whole = await _scan(read, how, limit)
        if whole:
            return rows
    raise ReadIncomplete(
        f"The {how.what} cannot be read whole: pages and their total differ after {SCANS} tries.",
        hint="Something is changing them, or the provider is answering wrongly. Try again later.",
    )


async def _scan(read: Read, how: Reading, limit: int) -> tuple[dict[str, Row], bool]:
    """One pass: the rows, and whether they are all that was asked for."""
    rows: dict[str, Row] = {}
    offset, stride, ahead = 0, limit, 1
    total: int | None = None
    steady = True
    while True:
        for page in await together(read(offset + i * stride, limit) for i in range(ahead)):
            size, before = len(page.ids), len(rows)
            if page.total is not None:
                # A total that moves means that rows moved between pages, and one may have slipped past.
                steady = steady and total in (None, page.total)
                total = page.total
            rows.update(zip(page.ids, page.rows, strict=True))
            offset += size
            if size and len(rows) == before and total is None:
                raise ReadIncomplete(f"Paging through {how.what} does not advance: a page repeats earlier rows.")
            if how.told is not None:
                how.told(len(rows), total)
            if how.enough is not None and how.enough(page):
                return rows, True
            if not size or (total is not None and offset >= total):
                return rows, total is None or (steady and len(rows) == total)
            if size != stride:
                # Whatever was read ahead started at the wrong row.
                stride = size
                break
        # Ahead only where the total says that there is something.
        ahead = 1 if total is None or how.enough is not None else max(1, min(how.width, -(-(total - offset) // stride)))
