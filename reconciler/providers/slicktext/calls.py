"""Every write that plan and apply know, as data. Paths are below the account's base URL.

Codes like L8 are the endpoints' numbers in the SlickText API notes, section 2. What is not here is never written by an
apply: contacts are never deleted (C5: their opt-out record would go with them), and no campaign is given the status
``send``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.plan.calls import Call, Column, Each, Json, Method, Ref, Target

REMOVE_MEMBERS: tuple[Method, tuple[str, ...]] = (Method.DELETE, ("lists", "contacts"))
"""L9. The vendor's page prints its body and its answer, but neither verb nor path: this is an assumption [A-4]."""

CREATED_CONTACT_STATUS = "not subscribed"
"""The only status ever written: consent is never claimed on somebody's behalf (H4)."""


def create_list(brand: str, fields: Mapping[str, Json]) -> Call:
    """L3: ``name`` and perhaps ``description``."""
    return _call(Method.POST, brand, "lists", body=dict(fields))


def update_list(brand: str, list_id: Target, fields: Mapping[str, Json]) -> Call:
    """L4: only what changes, at least one of ``name`` and ``description``."""
    return _call(Method.PUT, brand, "lists", _segment(list_id), body=dict(fields))


def delete_list(brand: str, list_id: Target) -> Call:
    """L5: the contacts stay."""
    return _call(Method.DELETE, brand, "lists", _segment(list_id))


def add_members(brand: str, list_id: Target) -> Call:
    """L8, one entry per row; the list is in the body, not in the path."""
    return _call(Method.POST, brand, "lists", "contacts", body=_pairs(list_id))


def remove_members(brand: str, list_id: Target) -> Call:
    """L9, same body as L8."""
    method, path = REMOVE_MEMBERS
    return _call(method, brand, *path, body=_pairs(list_id))


def create_contact(brand: str, attributes: Iterable[str]) -> Call:
    """C3, one row a call."""
    body: dict[str, Json] = {"mobile_number": Column("number"), "opt_in_status": CREATED_CONTACT_STATUS}
    return _call(Method.POST, brand, "contacts", body=body | {name: Column(name) for name in attributes})


def update_contact(brand: str, attributes: Iterable[str]) -> Call:
    """C4, one row a call."""
    body: dict[str, Json] = {name: Column(name) for name in attributes}
    return _call(Method.PUT, brand, "contacts", Column("contact_id"), body=body)


def create_campaign(brand: str, fields: Mapping[str, Json], audience: Json) -> Call:
    """M3, always as a draft: what an omitted status means is unknown, and could be sending [A-9]."""
    body: dict[str, Json] = {**fields, "status": "draft"}
    return _call(Method.POST, brand, "campaigns", body=body if audience is None else body | {"audience": audience})


def update_campaign(brand: str, campaign: Target, fields: Mapping[str, Json], status: str, audience: Json) -> Call:
    """M4: changed fields, and always the status and the whole audience: what omitting them means is unknown (H16)."""
    if status not in ("draft", "scheduled"):
        raise ValueError(f"no plan gives a campaign the status {status}")
    body: dict[str, Json] = {**fields, "status": status}
    path = _segment(campaign)
    return _call(Method.PUT, brand, "campaigns", path, body=body if audience is None else body | {"audience": audience})


def delete_campaign(brand: str, campaign: Target) -> Call:
    """M5: drafts and scheduled ones, which that cancels."""
    return _call(Method.DELETE, brand, "campaigns", _segment(campaign))


def audience(lists: Sequence[Target], segments: Iterable[str]) -> Json:
    """The write form of a campaign's audience; segments are sent back as they were found."""
    whole: dict[str, Json] = {"contact_lists": tuple(as_int(x) for x in lists)}
    found = tuple(sorted(int(s) for s in segments))
    return whole | {"segments": found} if found else whole


def as_int(target: Target) -> Json:
    """An id for a body, where ids are numbers; a ``Ref`` stays one until it is known."""
    return Ref(target.address, as_int=True) if isinstance(target, Ref) else int(target)


def _segment(target: Target) -> str | Ref:
    return target if isinstance(target, Ref) else str(target)


def _pairs(list_id: Target) -> Json:
    return Each({"contact_id": Column("contact_id", as_int=True), "lists": (as_int(list_id),)})


def _call(method: Method, brand: str, *path: str | Ref | Column, body: Json = None) -> Call:
    return Call(method=method, path=("brands", brand, *path), body=body)
