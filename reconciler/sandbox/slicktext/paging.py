"""Collections: filters, pages and the envelope (items 7 to 9)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.sandbox.slicktext.knobs import SlickTextKnobs
from reconciler.sandbox.wire import JsonObject, Refusal, Request

PAGING = frozenset({"limit", "offset", "page", "pageSize"})

_shuffle = random.Random(1)


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows a request asks for; ``page`` is set in page mode only."""

    start: int
    size: int
    page: int | None = None


def window(query: Mapping[str, str], knobs: SlickTextKnobs) -> Window:
    """Mode A is limit and offset; mode B is page and pageSize, pages counted from zero (item 7)."""
    if "pageSize" in query:
        size, page = _size(query["pageSize"], "pageSize", knobs), _whole(query.get("page", "0"), "page")
        return Window(page * size, size, page)
    size = _size(query["limit"], "limit", knobs) if "limit" in query else min(knobs.default_page, knobs.max_page)
    offset = _whole(query.get("offset", "0"), "offset")
    return Window(0 if knobs.offset_ignored else offset, size)


def filtered(rows: Sequence[JsonObject], query: Mapping[str, str], fields: frozenset[str]) -> Sequence[JsonObject]:
    """Rows whose scalar fields have exactly the wanted values; unknown parameters are ignored (item 9)."""
    for name, wanted in query.items():
        if name in fields and name not in PAGING:
            rows = [row for row in rows if row.get(name) is not None and str(row[name]) == wanted]
    return rows


def shuffled_ties(rows: Sequence[JsonObject]) -> Sequence[JsonObject]:
    """Rows of the same second in an order that no client can rely on."""
    return sorted(rows, key=lambda row: (row.get("created") or "", _shuffle.random()))


def envelope(rows: Sequence[JsonObject], request: Request, knobs: SlickTextKnobs, shift: int) -> JsonObject:
    """One page of ``rows``; ``shift`` moves what later pages show, as an edit between two pages would."""
    asked = window(request.query, knobs)
    if request.twist.empty:
        rows = ()
    if knobs.shuffle_ties:
        rows = shuffled_ties(rows)
    page, more = _cut(rows, asked, shift)
    if knobs.hasmore_always_true:
        more = True
    elif knobs.hasmore_lies_false:
        more = False
    paging: JsonObject = dict.fromkeys(("prevPage", "currentPage", "nextPage", "currentPageString"))
    if asked.page is not None:
        paging["prevPage"] = asked.page - 1 if asked.page else None
        paging["currentPage"] = asked.page
        paging["nextPage"] = asked.page + 1 if more else None
        paging["currentPageString"] = str(asked.page)
    if not knobs.hasmore_missing:
        paging["hasMore"] = more
    return {"data": page, "pagingData": paging}


def _cut(rows: Sequence[JsonObject], asked: Window, shift: int) -> tuple[list[JsonObject], bool]:
    start = asked.start + shift
    if start < 0:  # a row shown twice on the very first page
        return [*rows[:1], *rows[: asked.size - 1]], len(rows) > asked.size - 1
    return list(rows[start : start + asked.size]), start + asked.size < len(rows)


def _size(text: str, name: str, knobs: SlickTextKnobs) -> int:
    size = _whole(text, name)
    if size == 0:
        raise Refusal(422, f"The {name} must be at least 1.")
    if size > knobs.max_page and knobs.over_max == "reject":
        raise Refusal(422, f"The {name} may not be greater than {knobs.max_page}.")
    return min(size, knobs.max_page)


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        raise Refusal(422, f"The {name} must be a whole number from 0.")
    return int(text)
