"""Who was worked before: the activity report, looked through for people who are about to be added.

A portal may purge finished leads. Without a look back the manifest would put all of them in line again (API notes,
Q-9). The report is asked for a bounded window and one page at a time. Where it comes as a bare array there is no
cursor, and a full page is followed by the rest of the window, whichever way round the portal sorts (API notes, 3.5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from reconciler.errors import ReadIncomplete
from reconciler.providers.contactcenter.client import Client
from reconciler.providers.contactcenter.convert import number_of, text, whole

MAX_PAGES = 10_000
SKEW_S = 86_400
"""The window ends so much after now: the portal's clock may be ahead of ours."""

MILLISECONDS_FROM = 10**11


class Record(Struct, frozen=True):
    """One call of a campaign; ``at`` is Unix time in seconds."""

    at: int
    campaign: str
    number: str | None
    uuid: str


class _Window(Struct):
    """What is still to be asked for."""

    start: int
    end: int
    size: int
    cursor: str = ""
    doubled: bool = False


async def records(client: Client, start: int, end: int, size: int) -> set[Record]:
    """Every call between two Unix times. Raises ReadIncomplete when that cannot be proven."""
    window = _Window(start, end, size)
    found: set[Record] = set()
    cursors: set[str] = set()
    for _ in range(MAX_PAGES):
        body = await client.activity(window.start, window.end, window.size, window.cursor)
        rows, cursor = _page(body)
        page = [_record(row) for row in rows]
        fresh = set(page) - found
        found |= fresh
        if isinstance(body, Mapping):
            if not cursor:
                return found
            if cursor in cursors or not fresh:
                raise _stuck()
            cursors.add(cursor)
            window.cursor = cursor
        elif len(page) < window.size or not _narrowed(window, page):
            return found
    raise _stuck()


def _narrowed(window: _Window, page: Sequence[Record]) -> bool:
    """The window without what a full page showed of it; False when nothing is left."""
    times = [r.at for r in page]
    if len(set(times)) == 1:
        if window.doubled:
            raise _stuck()
        window.doubled, window.size = True, window.size * 2
    elif times == sorted(times):
        window.start = times[-1]
    elif times == sorted(times, reverse=True):
        window.end = times[-1]
    else:
        raise _stuck()
    return window.start <= window.end


def _stuck() -> ReadIncomplete:
    return ReadIncomplete(
        "The activity report cannot be read whole, so it is not known who was called already.",
        hint="Try again later. readdLookback: 0s leaves the report out, and then nobody checks.",
    )


def _page(body: Any) -> tuple[Sequence[Any], str]:
    if isinstance(body, Mapping):
        rows = body["data"] if "data" in body else body.get("rows", body)
        return (rows if isinstance(rows, list) else _unknown(rows)), text(body.get("next_start_key")) or ""
    return (body if isinstance(body, list) else _unknown(body)), ""


def _unknown(rows: Any) -> Sequence[Any]:
    if rows is not None:
        raise ReadIncomplete("The portal answered the activity report in an unknown shape.")
    return ()


def _record(row: Any) -> Record:
    if not isinstance(row, Mapping):
        raise ReadIncomplete("The portal's activity report has a row in an unknown shape.")
    at = row.get("timestamp")
    seconds = int(at) if isinstance(at, float) else int(whole(at) or 0)
    history = row.get("lead_history")
    first = history[0] if isinstance(history, list) and history else {}
    return Record(
        at=seconds // 1000 if seconds >= MILLISECONDS_FROM else seconds,
        campaign=text(row.get("campaign_name")) or "",
        number=number_of(text(row.get("lead_number"))),
        uuid=str(first.get("uuid") or "") if isinstance(first, Mapping) else "",
    )
