"""Whom an operation is about: contact ids and audiences as numbers, to hold a suppression list against them.

What the API cannot tell is not told here either: who is in a segment, and who "all contacts" will be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.errors import NotFound
from reconciler.model.contacts import ContactSet
from reconciler.plan.calls import Call, Json
from reconciler.providers.base import Concerned, Operation
from reconciler.providers.parallel import together
from reconciler.providers.slicktext import convert
from reconciler.providers.slicktext.client import Client
from reconciler.providers.slicktext.contacts import WHO, Columns
from reconciler.providers.slicktext.convert import ids_fact
from reconciler.providers.slicktext.reading import Reader

_NO_ID = "one of the contact ids is no whole number, so nobody can tell whose it is"
_NO_AUDIENCE = 'the audience is not written as {"contact_lists": [ids], "segments": [ids]}, so who is in it is unknown'


async def concerned(reader: Reader, client: Client, operation: Operation, call: Call) -> Concerned:
    """The people of one write. Taking people off a list protects them at any time, so that is about nobody."""
    match operation.name:
        case "lists.add-contacts":
            ids = _contact_ids(call.body)
            if ids is None:
                return Concerned(unchecked=_NO_ID)
            return Concerned(given=await _by_id(client, ids))
        case "contacts.update":
            return Concerned(given=await _by_id(client, (str(call.path[-1]),)))
        case "contacts.delete":
            # With the contact its opt-out record would go, and the person could be added as new.
            return Concerned(touched=await _by_id(client, (str(call.path[-1]),)))
        case "campaigns.create" | "campaigns.update":
            return _audience(reader, operation, call)
        case _:
            return Concerned()


def _contact_ids(body: Json) -> tuple[str, ...] | None:
    """The ids in the body of a membership call; None when one of them is no id."""
    entries = body if isinstance(body, tuple) else (body,)
    found = [convert.digits(e.get("contact_id")) if isinstance(e, Mapping) else None for e in entries]
    return None if None in found else tuple(dict.fromkeys(x for x in found if x is not None))


async def _by_id(client: Client, ids: Sequence[str]) -> ContactSet:
    """The contacts with these ids; those that do not exist are left out, the provider refuses them itself."""
    read = await together(_one(client, x) for x in ids)
    return ContactSet.union_of(ContactSet.from_columns({name: c[name] for name in WHO}) for c in read if c)


async def _one(client: Client, contact_id: str) -> Columns:
    try:
        return await client.one_contact(contact_id)
    except NotFound:
        return {}


def _audience(reader: Reader, operation: Operation, call: Call) -> Concerned:
    """Everybody on the lists of a campaign that is to be sent, now or later. A draft reaches nobody."""
    body = call.body if isinstance(call.body, Mapping) else {}
    if str(body.get("status") or "").strip().lower() == "draft":
        return Concerned()
    lists: frozenset[str] | None = frozenset()
    if (audience := body.get("audience")) is not None:
        lists = _audience_lists(audience)
    if lists is None:
        return Concerned(unchecked=_NO_AUDIENCE)
    known = lists
    live = str(call.path[-1]) if audience is None and operation.name == "campaigns.update" else ""

    async def reached() -> ContactSet:
        found = await _live_lists(reader, live) if live else known
        return ContactSet.union_of(await together(_members(reader, x) for x in sorted(found)))

    return Concerned(reached=reached)


async def _live_lists(reader: Reader, campaign_id: str) -> frozenset[str]:
    """The lists that a campaign has and an edit leaves it."""
    try:
        return ids_fact(await reader.one_campaign(campaign_id), "lists")
    except NotFound:
        return frozenset()


def _audience_lists(audience: Json) -> frozenset[str] | None:
    """The lists of an audience in the only form that is documented; None for every other."""
    if not isinstance(audience, Mapping) or audience.keys() - {"contact_lists", "segments"}:
        return None
    given = audience.get("contact_lists", ())
    found = [convert.digits(x) for x in given] if isinstance(given, tuple) else [None]
    return None if None in found else frozenset(x for x in found if x is not None)


async def _members(reader: Reader, list_id: str) -> ContactSet:
    try:
        return (await reader.members(list_id)).contacts
    except NotFound:
        return ContactSet.empty()
