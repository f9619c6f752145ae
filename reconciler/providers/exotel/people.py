"""Whom an operation is about: contact ids and lists as numbers, to hold a suppression list against them.

Exotel does not say who opted out: its own do-not-disturb check happens when it calls. So a suppression is all there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.errors import NotFound
from reconciler.model.contacts import ContactSet
from reconciler.plan.calls import Call, Json
from reconciler.providers.base import Concerned, Operation
from reconciler.providers.exotel import convert
from reconciler.providers.exotel.client import Client
from reconciler.providers.exotel.convert import LIST_IDS
from reconciler.providers.exotel.paging import together
from reconciler.providers.exotel.reading import Reader, people_of

MOST = 1_000
"""Ids that are looked up one by one; whoever gives more is asked to split the call."""

_NO_ID = "one of the entries has no contact id, so nobody can tell whom it is about"
_TOO_MANY = f"it is about more than {MOST:,} ids, each of which takes a request to look up; split it"
_NO_LIST = "one of the campaign's lists is no id, so nobody can tell who is on it"


async def concerned(reader: Reader, client: Client, operation: Operation, call: Call) -> Concerned:
    """The people of one write. Taking people off a list protects them at any time, so that is about nobody."""
    match operation.name:
        case "lists.add-contacts":
            return await _entries(client, call.body, "contact_references", "contact_sid")
        case "contacts.update-many":
            return await _entries(client, call.body, "contacts", "sid")
        case "contacts.update" | "contacts.delete":
            return Concerned(touched=await _by_id(client, (str(call.path[-1]),)))
        case "campaigns.create" | "campaigns.update":
            return await _campaign(reader, call, resuming=False)
        case "campaigns.resume":
            return await _campaign(reader, call, resuming=True)
        case _:
            return Concerned()


async def _entries(client: Client, body: Json, wrapper: str, key: str) -> Concerned:
    rows = body.get(wrapper) if isinstance(body, Mapping) else None
    found = [convert.id_of(row, (key,)) for row in rows] if isinstance(rows, tuple) else []
    ids = tuple(dict.fromkeys(str(x) for x in found if x is not None))
    if None in found:
        return Concerned(unchecked=_NO_ID)
    if len(ids) > MOST:
        return Concerned(unchecked=_TOO_MANY)
    return Concerned(given=await _by_id(client, ids))


async def _by_id(client: Client, ids: Sequence[str]) -> ContactSet:
    """The contacts with these ids; those that do not exist are left out, the provider refuses them itself."""

    async def one(contact_id: str) -> ContactSet:
        try:
            return people_of([{"sid": contact_id, **await client.one_contact(contact_id)}]).contacts
        except NotFound:
            return ContactSet.empty()

    return ContactSet.union_of(await together(one(x) for x in ids))


async def _campaign(reader: Reader, call: Call, *, resuming: bool) -> Concerned:
    """Everybody on the lists that a campaign is to call."""
    rows = call.body.get("campaigns") if isinstance(call.body, Mapping) else None
    entries = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, tuple) else []
    lists: set[str | None] = set()
    for row in entries:
        given = row.get("lists")
        if isinstance(given, tuple):
            lists |= {x if isinstance(x, str) else convert.id_of(x, LIST_IDS) for x in given}
    resuming = resuming or any(row.get("action") == "resume" for row in entries)
    if None in lists:
        return Concerned(unchecked=_NO_LIST)
    if resuming or (not lists and any(row.get("schedule") for row in entries) and call.path[-1] != "campaigns"):
        try:
            lists = {*convert.lists_of(await reader.one_campaign(str(call.path[-1])))}
        except NotFound:
            return Concerned()
    return Concerned(
        touched=ContactSet.union_of(await together(_members(reader, str(x)) for x in sorted(map(str, lists))))
    )


async def _members(reader: Reader, list_id: str) -> ContactSet:
    try:
        return (await reader.members(list_id)).contacts
    except NotFound:
        return ContactSet.empty()
