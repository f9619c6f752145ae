"""Looking, without writing, whether what a call was for is true now.

Creates are found by exact name among the ids that were not there before; everything else is read by id. Contacts are
counted, since only their ids can be read: growth by exactly what was sent is a yes, none is a no, anything else is for
a person (source: IntelePeer API notes, sections 4.4, 4.5 and 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from msgspec import Struct, field

from reconciler.errors import NotFound, ReadIncomplete, Rejected
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.plan.calls import (
    Changed,
    ContactsChanged,
    ContactsCreated,
    Created,
    Deleted,
    Effect,
    Evidence,
    Linked,
    MembersAdded,
    MembersRemoved,
    Target,
)
from reconciler.plan.fields import normalised
from reconciler.providers.http import Http
from reconciler.providers.intelepeer.client import (
    campaign_by_id,
    enumerate_campaigns,
    enumerate_lists,
    list_by_id,
)
from reconciler.providers.intelepeer.convert import PUBLISHED, Campaign, ContactList, right_trimmed
from reconciler.providers.intelepeer.tables import KINDS

_State = Evidence.State


class Memory(Struct):
    """What this session was told and cannot always read back.

    ``published`` are campaigns whose publication was confirmed. ``before`` are the contacts of a list before the upload
    that is in hand, ``after`` those after the last one: the batches of one step all carry the same ids from planning.
    """

    published: set[RemoteId] = field(default_factory=set)
    before: dict[RemoteId, frozenset[str]] = field(default_factory=dict)
    after: dict[RemoteId, frozenset[str]] = field(default_factory=dict)

    def upload_starts(self, list_id: RemoteId) -> None:
        self.before[list_id] = self.after.get(list_id, frozenset())


async def look(http: Http, effect: Effect, rows: ContactSet | None, memory: Memory) -> Evidence:
    """Raises what reads raise; a part that cannot be read is never evidence."""
    match effect:
        case Created():
            return await _created(http, effect)
        case Changed():
            return await _changed(http, effect, memory)
        case Deleted():
            return await _deleted(http, effect)
        case Linked():
            return await _linked(http, effect)
        case MembersAdded():
            return await _added(http, effect, rows, memory)
        case ContactsCreated() | ContactsChanged() | MembersRemoved():
            raise Rejected("IntelePeer can neither show nor change single contacts.")
        case _:
            assert_never(effect)


def _known(target: Target) -> RemoteId:
    if not isinstance(target, str):
        raise ValueError("an effect with an unknown id cannot be looked up")
    return target


async def _created(http: Http, effect: Created) -> Evidence:
    items: Mapping[RemoteId, Campaign | ContactList]
    items = (await (enumerate_lists(http) if effect.kind is Kind.LIST else enumerate_campaigns(http))).alive
    new = sorted(i for i, item in items.items() if item.name == effect.name and i not in effect.known_ids)
    if not new:
        return Evidence(state=_State.ABSENT)
    if len(new) > 1:
        return Evidence(state=_State.AMBIGUOUS, candidates=tuple(new), detail=f"{len(new)} new ones have this name")
    asked = effect.fields.get("description")
    if asked is not None and right_trimmed(asked) != right_trimmed(items[new[0]].description):
        # The name is right and the rest is not: somebody else may have made it at the same time.
        detail = "a new one has this name and another description"
        return Evidence(state=_State.AMBIGUOUS, candidates=tuple(new), detail=detail)
    return Evidence(state=_State.HOLDS, remote_id=new[0])


async def _changed(http: Http, effect: Changed, memory: Memory) -> Evidence:
    remote_id = _known(effect.target)
    try:
        found = await _by_id(http, effect.kind, remote_id)
    except NotFound:
        return Evidence(state=_State.ABSENT, detail="it is gone")
    if found.deleted:
        return Evidence(state=_State.ABSENT, detail="it is being deleted")
    rules = KINDS[effect.kind].fields
    observed = found.observed({}) if isinstance(found, Campaign) else found.observed()
    live = normalised(observed.fields, rules)
    expected, base = normalised(effect.expected, rules), normalised(effect.base, rules)
    told = [name for name in expected if name in live or rules[name].readable]
    wrong = [name for name in told if live.get(name) != expected[name]]
    if not wrong:
        return Evidence(state=_State.HOLDS, remote_id=remote_id)
    if wrong == ["state"] and expected["state"] == PUBLISHED and remote_id in memory.published:
        return Evidence(state=_State.HOLDS, remote_id=remote_id, detail="confirmed, and does not read as published")
    if all(name in base and live.get(name) == base[name] for name in wrong):
        return Evidence(state=_State.ABSENT, remote_id=remote_id)
    detail = f"{', '.join(sorted(wrong))} neither as planned nor as before"
    return Evidence(state=_State.DIFFERS, remote_id=remote_id, detail=detail)


async def _by_id(http: Http, kind: Kind, remote_id: RemoteId) -> Campaign | ContactList:
    if kind is Kind.LIST:
        return await list_by_id(http, remote_id)
    return await campaign_by_id(http, remote_id)


async def _deleted(http: Http, effect: Deleted) -> Evidence:
    remote_id = _known(effect.target)
    try:
        item = await _by_id(http, effect.kind, remote_id)
    except NotFound:
        return Evidence(state=_State.HOLDS)
    if item.deleted:
        return Evidence(state=_State.HOLDS, detail="deleted, and not yet cleared away")
    return Evidence(state=_State.ABSENT, remote_id=remote_id)


async def _linked(http: Http, effect: Linked) -> Evidence:
    remote_id = _known(effect.campaign)
    try:
        found = await campaign_by_id(http, remote_id)
    except NotFound:
        return Evidence(state=_State.ABSENT, detail="the campaign is gone")
    live = found.links.keys()
    wanted = {_known(x) for x in effect.lists}
    if lost := effect.base - wanted - live:
        # Associating replaced instead of adding. Nothing here repairs that: it would be a guess.
        detail = f"links that were there before are gone: {', '.join(sorted(lost))}"
        return Evidence(state=_State.DIFFERS, remote_id=remote_id, detail=detail)
    if missing := wanted - live:
        return Evidence(state=_State.ABSENT, detail=f"{len(missing)} of {len(wanted)} lists are not linked")
    if effect.exact and live - wanted:
        return Evidence(state=_State.DIFFERS, remote_id=remote_id, detail="more lists are linked than asked for")
    if effect.attributes and not await _as_set(http, effect, found):
        return Evidence(state=_State.ABSENT, remote_id=remote_id, detail="linked, and with other settings")
    return Evidence(state=_State.HOLDS, remote_id=remote_id)


async def _as_set(http: Http, effect: Linked, campaign: Campaign) -> bool:
    """Whether the links have these attributes, as far as anything tells: the campaign, or a list that only it uses."""
    for target in effect.lists:
        told = campaign.links[_known(target)]
        if not told:
            detail = await list_by_id(http, _known(target))
            alone = detail.campaign_ids is not None and detail.campaign_ids <= {campaign.remote_id}
            told = detail.attributes if alone else {}
        if any(told[name] != value for name, value in effect.attributes.items() if name in told):
            return False
    return True


async def _added(http: Http, effect: MembersAdded, rows: ContactSet | None, memory: Memory) -> Evidence:
    if not rows:
        raise ValueError("an upload without contacts cannot be looked up")
    remote_id = _known(effect.of)
    try:
        found = await list_by_id(http, remote_id)
    except NotFound:
        return Evidence(state=_State.ABSENT, detail="the list is gone")
    if found.contact_ids is None:
        raise ReadIncomplete(f"IntelePeer does not tell the contacts of the list {remote_id}.")
    known = effect.known_ids | memory.before.get(remote_id, frozenset())
    new = tuple(sorted(found.contact_ids - known))
    growth = len(new)
    if growth == 0:
        return Evidence(state=_State.ABSENT, remote_id=remote_id, candidates=new)
    if growth == len(rows):
        memory.after[remote_id] = found.contact_ids
        return Evidence(state=_State.HOLDS, remote_id=remote_id, candidates=new)
    detail = f"the list has {growth} new contacts, {len(rows)} were sent"
    return Evidence(state=_State.AMBIGUOUS, remote_id=remote_id, candidates=new, detail=detail)
