"""Pages of leads, straight from bytes into columns.

A page is decoded into typed structs; one that does not fit the types is decoded again in the tolerant way. A record
without an id, without a number or of another campaign makes the whole read incomplete: whoever it stands for could be
somebody that is about to be added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from reconciler.errors import ReadIncomplete
from reconciler.model.addresses import RemoteId
from reconciler.providers.contactcenter.convert import NEW, numbers_of, standing, text, whole, word
from reconciler.providers.contactcenter.settings import ID

COLUMNS: tuple[str, ...] = ("contact_id", "standing", "status", "first_name", "last_name", "priority", "retries")
"""What is kept of a lead besides its number; ``contact_id`` is the lead's id."""

Columns: TypeAlias = dict[str, list[str | None]]
Number: TypeAlias = int | float | str | None


class Row(msgspec.Struct, gc=False):
    """A lead as it is documented; what else is there is skipped."""

    id: str
    number: str | None = None
    campaign_id: str | None = None
    status: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    priority: Number = None
    retries: Number = None


class Envelope(msgspec.Struct):
    """A page: the rows under one of two names. An empty page may be null, as an empty slice is in Go."""

    data: list[Row] | msgspec.UnsetType | None = msgspec.UNSET
    rows: list[Row] | msgspec.UnsetType | None = msgspec.UNSET
    next_start_key: str | None = None


class LeadPage(Struct, frozen=True):
    """One page. ``cursor`` is empty on the last one."""

    rows: Sequence[Row]
    cursor: str


_NO_NUMBER = (
    "Whoever it is could be somebody who is about to be added. If it is there to stay, delete it in the portal; else "
    "try again later."
)


class Malformed(ReadIncomplete):
    """A record that cannot be anybody's lead. A portal that loses parts of one is not asked until it does not."""

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(f"The portal returned a lead {what}.", hint=hint)


_documented = msgspec.json.Decoder(Envelope | list[Row] | None)


def decode(raw: bytes) -> LeadPage:
    """Raises msgspec.DecodeError for what is no JSON, ReadIncomplete for what is no page of leads."""
    try:
        found = _documented.decode(raw)
    except msgspec.ValidationError:
        return _tolerant(msgspec.json.decode(raw))
    if not isinstance(found, Envelope):
        return LeadPage(found or [], "")
    rows = found.rows if found.data is msgspec.UNSET else found.data
    if rows is msgspec.UNSET:
        raise _unknown()
    return LeadPage(rows or [], found.next_start_key or "")


def _tolerant(body: Any) -> LeadPage:
    rows = body.get("data", body.get("rows")) if isinstance(body, Mapping) else body
    if not isinstance(rows, list):
        raise _unknown()
    cursor = body.get("next_start_key") if isinstance(body, Mapping) else None
    return LeadPage([_row(row) for row in rows], text(cursor) or "")


def _row(row: Any) -> Row:
    if not isinstance(row, Mapping) or not isinstance(row.get("number"), str | int | None):
        raise Malformed("in an unknown shape")
    texts = ("number", "campaign_id", "first_name", "last_name")
    numbers = {name: whole(row.get(name)) for name in ("priority", "retries")}
    found = {name: text(row.get(name)) for name in texts}
    return Row(id=text(row.get("id")) or "", status=word(row.get("status")), **found, **numbers)


def _unknown() -> ReadIncomplete:
    return ReadIncomplete("The portal answered the leads of a campaign in an unknown shape.")


def columns_of(rows: Sequence[Row], campaign: RemoteId, finished: frozenset[str]) -> Columns:
    """Rows as columns, normalised. Raises Malformed for a lead without an id or number, or of another campaign.

    A name that is missing is empty; a priority that is missing is unknown. A number that is there and is none stands
    for nobody who could be added. Once a lead is not new any more, its retries count down by themselves and say
    nothing.
    """
    if not all(map(ID.fullmatch, [r.id for r in rows])):
        raise Malformed("without an id")
    if nameless := [r.id for r in rows if not (r.number or "").strip()]:
        raise Malformed(f"without a number (id {nameless[0]})", hint=_NO_NUMBER)
    if {r.campaign_id for r in rows} - {None, campaign}:
        raise Malformed("of another campaign than the one that was asked for")
    statuses = [r.status or "" for r in rows]
    # There are few different statuses, priorities and retries: each is looked at once a page.
    standings = {s: standing(s, finished) for s in set(statuses)}
    priorities, retries = [r.priority for r in rows], [r.retries for r in rows]
    wholes = {v: whole(v) for v in {*priorities, *retries}}
    return {
        "number": numbers_of([r.number for r in rows]),
        "contact_id": [r.id for r in rows],
        "standing": [standings[s] for s in statuses],
        "status": [s or None for s in statuses],
        "first_name": [(r.first_name or "").strip() for r in rows],
        "last_name": [(r.last_name or "").strip() for r in rows],
        "priority": [wholes[v] for v in priorities],
        "retries": [wholes[v] if s == NEW else None for v, s in zip(retries, statuses, strict=True)],
    }
