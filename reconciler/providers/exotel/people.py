"""Whom an operation is about: contact ids and lists as numbers, to hold a suppression list against them.

Exotel does not say who opted out: its own do-not-disturb check happens when it calls. So a suppression is all there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from reconciler.errors import NotFound
from reconciler.model.contacts import ContactSet
from reconciler.plan.calls import Call, Json
from reconciler.providers.base import Concerned, Operation
from reconciler.providers.exotel import convert
from reconciler.providers.exotel.client import Client
from reconciler.providers.exotel.convert import LIST_IDS
from reconciler.providers.exotel.reading import Reader, people_of
from reconciler.providers.parallel import together

MOST = 1_000
"""Ids that are looked up one by one; whoever gives more is asked to split the call."""

_NO_ID = "one of the entries has no contact id, so nobody can tell whom it is about"
_TOO_MANY = f"it is about more than {MOST:,} ids, each of which takes a request to look up; split it"
_NO_LIST = "one of the campaign's lists is no id, so nobody can tell who is on it"
_NO_ROWS = "it is not written as an array of objects with names in lower case, so nobody can tell whom it is about"


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
            return _campaign(reader, call, resuming=False)
        case "campaigns.resume":
            return _campaign(reader, call, resuming=True)
        case _:
            return Concerned()


async def _entries(client: Client, body: Json, wrapper: str, key: str) -> Concerned:
    rows = _rows(body, wrapper)
    if rows is None:
        return Concerned(unchecked=_NO_ROWS)
    found = [convert.id_of(row, (key,)) for row in rows]
    ids = tuple(dict.fromkeys(str(x) for x in found if x is not None))
    if None in found:
        return Concerned(unchecked=_NO_ID)
    if len(ids) > MOST:
        return Concerned(unchecked=_TOO_MANY)
    return Concerned(given=await _by_id(client, ids))


def _rows(body: Json, wrapper: str) -> Sequence[Mapping[str, Json]] | None:
    """The objects in a body; None for every form that is not documented.

    Exotel reads names without regard to case: one that is spelled otherwise would count there and be missed here.
    """
    rows = body.get(wrapper) if isinstance(body, Mapping) else None
    if not isinstance(rows, tuple):
        return None
    found = [row for row in rows if isinstance(row, Mapping) and all(k.isascii() and k == k.lower() for k in row)]
    return found if len(found) == len(rows) else None


async def _by_id(client: Client, ids: Sequence[str]) -> ContactSet:
    """The contacts with these ids; those that do not exist are left out, the provider refuses them itself."""

    async def one(contact_id: str) -> ContactSet:
        try:
            return people_of([{"sid": contact_id, **await client.one_contact(contact_id)}]).contacts
        except NotFound:
            return ContactSet.empty()

    return ContactSet.union_of(await together(one(x) for x in ids))


def _campaign(reader: Reader, call: Call, *, resuming: bool) -> Concerned:
    """Everybody on the lists that a campaign is to call."""
    rows = _rows(call.body, "campaigns")
    if rows is None:
        return Concerned(unchecked=_NO_ROWS)
    lists: set[str] = set()
    for row in rows:
        given = row.get("lists", ())
        ids = (
            [x if isinstance(x, str) else convert.id_of(x, LIST_IDS) for x in given] if isinstance(given, tuple) else []
        )
        known = {x for x in ids if x is not None}
        if not isinstance(given, tuple) or None in ids:
            return Concerned(unchecked=_NO_LIST)
        lists |= known
    resuming = resuming or any(row.get("action") == "resume" for row in rows)
    moved = not lists and any(row.get("schedule") for row in rows) and call.path[-1] != "campaigns"

    async def reached() -> ContactSet:
        found = await _live_lists(reader, str(call.path[-1])) if resuming or moved else lists
        return ContactSet.union_of(await together(_members(reader, x) for x in sorted(found)))

    return Concerned(reached=reached)


async def _live_lists(reader: Reader, campaign_id: str) -> Set[str]:
    """The lists that a campaign has and an edit leaves it."""
    try:
        return convert.lists_of(await reader.one_campaign(campaign_id))
    except NotFound:
        return frozenset()


async def _members(reader: Reader, list_id: str) -> ContactSet:
    try:
        return (await reader.members(list_id)).contacts
    except NotFound:
        return ContactSet.empty()
