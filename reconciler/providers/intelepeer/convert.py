"""Wire to model: campaigns and lists in every shape that the API is known to answer in, and an error for any other.

One object comes back under different keys, with numbers and booleans as text, with headers as an array or as an object,
and sometimes as a tombstone (source: IntelePeer API notes, sections 2, 3.1 and 3.2). What decides must be recognised;
what only informs never fails a read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.live import Observed
from reconciler.model.resources import Fields, FieldValue
from reconciler.providers.intelepeer.wire import (
    Row,
    folded,
    id_of,
    ids,
    loose,
    row_of,
    text,
    tombstone,
    truth,
    unrecognised,
)

DRAFT, PUBLISHED = "draft", "published"


def right_trimmed(value: FieldValue) -> FieldValue:
    """A description as it is compared: null is empty, and spaces at the end do not count."""
    return "" if value is None else str(value).rstrip()


class Campaign(Struct, frozen=True, kw_only=True):
    """One campaign as read. ``links`` are its lists with the attributes that were told. ``active`` None: not told."""

    remote_id: RemoteId
    name: str
    description: str
    caller: str
    flow: str
    active: bool | None
    published_at: str
    status: str
    links: Mapping[RemoteId, Fields]
    customer: str
    deleted: bool
    named: bool
    """Whether there was a name at all; an empty one counts, for the API creates campaigns without."""
    told: Fields = field(default_factory=dict)

    @property
    def state(self) -> str:
        """``published`` when something says so. ``draft`` also when nothing does: the API does not always tell."""
        return PUBLISHED if self.published_at or self.active else DRAFT

    def observed(self, lists: Mapping[RemoteId, ContactList]) -> Observed:
        """As the planner sees it; links to ``lists`` that are gone are told apart, so that nobody takes them for links.

        A campaign that does not tell counts as active: that is the cautious reading.
        """
        alive = frozenset(i for i in self.links if i in lists and not lists[i].deleted)
        return Observed(
            kind=Kind.CAMPAIGN,
            remote_id=self.remote_id,
            name=self.name,
            fields={
                "name": self.name,
                "description": right_trimmed(self.description),
                "callerIdentification": self.caller,
                "flowId": self.flow,
                "state": self.state,
            },
            facts={
                **self.told,
                "active": self.active is not False,
                "lists": alive,
                "leaving": frozenset(i for i in self.links if i in lists and lists[i].deleted),
                "dangling": frozenset(i for i in self.links if i not in lists),
            },
        )


_TOLD = (
    ("status", ("status",)),
    ("publishedDate", ("publisheddate",)),
    ("lastExecuted", ("lastexecuted",)),
    ("runId", ("runid",)),
    ("scheduleId", ("scheduleid", "scheduled")),
    ("modifiedDate", ("modifieddate",)),
)
"""What is worth showing about a campaign and decides nothing: our name, and the keys it comes under."""


def campaign(row: Row, what: str = "a campaign") -> Campaign:
    """One campaign in any of its shapes (E1, E2, E3, E4, E9). Raises ReadIncomplete."""
    found = id_of(row)
    if not found:
        raise unrecognised(what, "a campaign with an id")
    told = {name: said for name, keys in _TOLD if (said := loose(row, *keys))}
    return Campaign(
        remote_id=RemoteId(found),
        name=text(row, "campaignname", where=what),
        description=text(row, "campaigndescription", where=what),
        caller=text(row, "calleridentification", where=what),
        # An update answers with flowTypeId instead, which is not proven to be the same thing.
        flow=text(row, "flowid", where=what),
        active=truth(row.get("active")),
        published_at=loose(row, "publisheddate"),
        status=loose(row, "status"),
        links=_links(row, what),
        customer=text(row, "customerid", where=what),
        deleted=tombstone(row, what),
        named="campaignname" in row,
        told=told,
    )


def _links(row: Row, what: str) -> Mapping[RemoteId, Fields]:
    """``listRel`` and ``lists`` in one: ids, with attributes where they are told."""
    links: dict[RemoteId, Fields] = {RemoteId(x): {} for x in ids(row.get("listrel"), f"{what}.listRel") or ()}
    entries = row.get("lists")
    if entries is None:
        return links
    if not isinstance(entries, list):
        raise unrecognised(f"{what}.lists", "an array")
    for i, entry in enumerate(entries):
        where = f"{what}.lists[{i}]"
        if isinstance(entry, str) and entry:
            links.setdefault(RemoteId(entry), {})
            continue
        inner = row_of(entry, where)
        list_id = text(inner, "listid", "_id", where=where)
        if not list_id:
            raise unrecognised(where, "an entry with a list id")
        links[RemoteId(list_id)] = _attributes(inner.get("moc"), inner.get("autodetecttz"))
    return links


def _attributes(moc: Any, auto_detect: Any) -> Fields:
    """The attributes of a link as far as they are told. Nothing told is nothing known, never a default."""
    found: dict[str, FieldValue] = {}
    if isinstance(moc, str) and moc:
        found["moc"] = moc
    if (flag := truth(auto_detect)) is not None:
        found["autoDetectTZ"] = flag
    return found


class ContactList(Struct, frozen=True, kw_only=True):
    """One list as read. None: this shape does not tell. ``attributes`` is what the list itself says about its links."""

    remote_id: RemoteId
    name: str
    description: str
    headers: tuple[str, ...] | None
    attributes: Fields
    contact_ids: frozenset[str] | None
    campaign_ids: frozenset[str] | None
    status: str
    customer: str
    deleted: bool

    def observed(self, detail: ContactList | None = None) -> Observed:
        """As the planner sees it, with what only a reply by id tells taken from ``detail``."""
        fields: dict[str, FieldValue] = {"name": self.name, "description": right_trimmed(self.description)}
        headers = self.headers if self.headers is not None else (detail.headers if detail else None)
        if headers is not None:
            fields["headers"] = headers
        facts: dict[str, FieldValue] = {"status": self.status}
        if detail is not None:
            facts |= dict(detail.attributes)
            if detail.campaign_ids is not None:
                facts["campaigns"] = detail.campaign_ids
            if detail.contact_ids is not None:
                facts["contact_count"] = len(detail.contact_ids)
        return Observed(kind=Kind.LIST, remote_id=self.remote_id, name=self.name, fields=fields, facts=facts)


def contact_list(row: Row, what: str = "a list") -> ContactList:
    """One list in any of its shapes (E10, E11 by id and by name, the older E11, E12, E14). Raises ReadIncomplete."""
    found = id_of(row)
    if not found:
        raise unrecognised(what, "a list with an id")
    name = text(row, "listname", where=what)
    if not name:
        # Every list was created with a name: a reply without one has changed its shape.
        raise unrecognised(what, "a list with a name")
    headers, moc = _header_info(row.get("headerinfo"), what)
    return ContactList(
        remote_id=RemoteId(found),
        name=name,
        description=text(row, "description", where=what),
        headers=headers,
        attributes=_attributes(moc, row.get("autodetecttz")),
        contact_ids=ids(row.get("contactrel"), f"{what}.contactRel"),
        campaign_ids=ids(row.get("campaignrel"), f"{what}.campaignRel"),
        status=loose(row, "status"),
        customer=text(row, "customerid", where=what),
        deleted=tombstone(row, what),
    )


def _header_info(value: Any, what: str) -> tuple[tuple[str, ...] | None, Any]:
    """Headers in their order, and the list's method of contact: an array has only the former."""
    moc = None
    if isinstance(value, dict):
        info = folded(value)
        value, moc = info.get("headers") or [], info.get("moc")
    if value is None:
        return None, moc
    if not isinstance(value, list) or not all(isinstance(h, str) for h in value):
        raise unrecognised(f"{what}.headerInfo", "an array of headers")
    return tuple(value), moc
