"""Every write that plan and apply know, as data. Paths are below the account's base URL.

Codes like E12 are the endpoints' numbers in the Exotel API notes, section 2. A single change is sent bare for lists and
contacts and wrapped for campaigns, as documented (H18). Contacts are never deleted: the address book is shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.plan.calls import Call, Column, Each, Json, Method, Ref, Target

UPLOAD = ("contacts", "csv-upload")


def create_lists(sid: str, entries: Json) -> Call:
    """E1: an array of ``name`` and ``tag``."""
    return _call(Method.POST, sid, "lists", body={"lists": entries})


def update_list(sid: str, list_id: Target, fields: Mapping[str, Json]) -> Call:
    """E4: ``name``, ``tag``; a bare object."""
    return _call(Method.PUT, sid, "lists", list_id, body=dict(fields))


def update_lists(sid: str, entries: Json) -> Call:
    """E5: an array of the same, each with its ``sid``."""
    return _call(Method.PUT, sid, "lists", body={"lists": entries})


def delete_list(sid: str, list_id: Target) -> Call:
    """E6: the contacts stay."""
    return _call(Method.DELETE, sid, "lists", list_id)


def create_contacts(sid: str, attributes: Iterable[str]) -> Call:
    """E12, one entry a row: creates a contact or tells the one that has the number."""
    item: dict[str, Json] = {"number": Column("number")}
    return _call(Method.POST, sid, "contacts", body={"contacts": Each(item | {n: Column(n) for n in attributes})})


def update_contacts(sid: str, attributes: Iterable[str]) -> Call:
    """E16, one entry a row."""
    item: dict[str, Json] = {"sid": Column("contact_id")}
    return _call(Method.PUT, sid, "contacts", body={"contacts": Each(item | {n: Column(n) for n in attributes})})


def add_members(sid: str, list_id: Target) -> Call:
    """E7, one entry a row: ids only, never numbers."""
    entries = Each({"contact_sid": Column("contact_id")})
    return _call(Method.POST, sid, "lists", list_id, "contacts", body={"contact_references": entries})


def remove_member(sid: str, list_id: Target) -> Call:
    """E9, one row a call: there is no bulk form. The contact stays."""
    return _call(Method.DELETE, sid, "lists", list_id, "contacts", Column("contact_id"))


def upload_members(sid: str, list_name: str, attributes: Iterable[str]) -> Call:
    """E10: the list by name, and a file of people. Its body stands for the parts of a form; the session writes them."""
    row: dict[str, Json] = {"number": Column("number")}
    file = Each(row | {n: Column(n) for n in attributes})
    return _call(Method.POST, sid, *UPLOAD, body={"list_name": list_name, "type": "static", "file_name": file})


def is_upload(call: Call) -> bool:
    return call.method is Method.POST and call.path[-2:] == UPLOAD


def create_campaign(sid: str, fields: Mapping[str, Json], lists: Sequence[Target]) -> Call:
    """E18: one campaign with all of its lists, never without a time. ValueError where ``send_at`` is missing."""
    schedule = fields.get("schedule")
    if not isinstance(schedule, Mapping) or not schedule.get("send_at"):
        raise ValueError("a campaign without send_at would start at once")
    return _call(Method.POST, sid, "campaigns", body={"campaigns": ({**fields, "lists": tuple(lists)},)})


def update_campaign(sid: str, campaign: Target, fields: Mapping[str, Json]) -> Call:
    """E21."""
    return _call(Method.PUT, sid, "campaigns", campaign, body={"campaigns": (dict(fields),)})


def act(sid: str, campaign: Target, action: str) -> Call:
    """E22: ``pause``, ``resume``, ``complete`` or ``archive``."""
    return _call(Method.PUT, sid, "campaigns", campaign, body={"campaigns": ({"action": action},)})


def delete_campaign(sid: str, campaign: Target) -> Call:
    """E23: only one that has not started."""
    return _call(Method.DELETE, sid, "campaigns", campaign)


def only_entry(call: Call, wrapper: str) -> Mapping[str, Json]:
    """The one object in a call's wrapper; {} when there is none."""
    entries = call.body.get(wrapper) if isinstance(call.body, Mapping) else None
    first = entries[0] if isinstance(entries, tuple) and len(entries) == 1 else None
    return first if isinstance(first, Mapping) else {}


def _call(method: Method, sid: str, *path: str | Ref | Column, body: Json = None) -> Call:
    return Call(method=method, path=(sid, *path), body=body)
