"""Looking, without writing, whether what a call should have made true is true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from reconciler.errors import NotFound
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import Observed
from reconciler.model.resources import Fields
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
from reconciler.providers.evidence import known, left, linked
from reconciler.providers.exotel import convert
from reconciler.providers.exotel.client import LISTS_PAGE, MEMBERS_PAGE, Client
from reconciler.providers.exotel.contacts import ContactPage
from reconciler.providers.exotel.convert import (
    CAMPAIGN_FIELDS,
    LIST_FIELDS,
    OPEN,
    lists_of,
    same,
    status_of,
    tidy,
)
from reconciler.providers.exotel.reading import Reader
from reconciler.providers.parallel import together

State = Evidence.State

FEW = 20
"""So many changed contacts are read back one by one; of more, what the answer to the change says is taken for it."""


class Seen(Struct):
    """What answers told, shared by session and looks: ids of contacts by number, contacts as they were written back by
    id, campaigns as they were last seen, and how many lists there are."""

    ids: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, dict[str, str | None]] = field(default_factory=dict)
    campaigns: dict[RemoteId, Observed] = field(default_factory=dict)
    lists: int = 0


class Look:
    """Looks for one account."""

    def __init__(self, reader: Reader, client: Client, seen: Seen) -> None:
        self._reader = reader
        self._client = client
        self._seen = seen

    async def at(self, effect: Effect, rows: ContactSet | None) -> Evidence:
        """See ``base.Session.observe``."""
        people = rows if rows is not None else ContactSet.empty()
        match effect:
            case Created(kind=Kind.CAMPAIGN):
                return await self._campaign_created(effect)
            case Created():
                return _list_created(effect, await self.list_named(effect.name))
            case Changed():
                return _changed(effect, await self._object(effect.kind, effect.target))
            case Deleted():
                return await self._deleted(effect)
            case Linked():
                return await self._linked(effect)
            case ContactsCreated():
                return self._contacts_created(people)
            case ContactsChanged():
                return await self._contacts_changed(effect, people)
            case MembersAdded(of=of):
                return await self._added(known(of), people)
            case MembersRemoved(of=of):
                return await self._removed(known(of), people)

    async def together(self, effects: Sequence[Effect]) -> tuple[Evidence, ...]:
        """Each of them. New and changed lists are looked for in one reading of all lists, where that is shorter."""
        shorter = -(-self._seen.lists // LISTS_PAGE) < len(effects)
        found = await self._reader.lists() if shorter and len(effects) > 1 else None
        return tuple(await together(self._among(found, effect) for effect in effects))

    async def _among(self, found: Mapping[RemoteId, Observed] | None, effect: Effect) -> Evidence:
        match effect:
            case Created(kind=Kind.LIST) if found is not None:
                return _list_created(effect, _named(found, effect.name))
            case Changed(kind=Kind.LIST) if found is not None and (live := found.get(known(effect.target))) is not None:
                return _changed(effect, live)
            case _:
                # What a listing leaves out is asked for by its id before it counts as gone.
                return await self.at(effect, None)

    async def _object(self, kind: Kind, target: Target) -> Observed | None:
        remote_id = known(target)
        try:
            if kind is Kind.LIST:
                return await self._reader.one_list(remote_id)
            found = await self._reader.one_campaign(remote_id)
        except NotFound:
            self._seen.campaigns.pop(remote_id, None)
            return None
        self._seen.campaigns[remote_id] = found
        return found

    # --- lists and campaigns

    async def list_named(self, name: str) -> Observed | None:
        """The list with exactly this name: names are unique, and the search finds more than the name."""
        try:
            found = await self._reader.lists([("name", name)])
        except NotFound:
            return None
        return _named(found, name)

    async def _campaign_created(self, effect: Created) -> Evidence:
        """Names of campaigns are not unique, so one that only has the name is not known to be ours (H13)."""
        try:
            named = await self._reader.campaigns([("name", effect.name)])
        except NotFound:
            named = {}
        # One that is over stands for no manifest, so it is in the way of no new one (H21).
        ours = [
            o
            for i, o in named.items()
            if o.fields.get("name") == effect.name and status_of(o) in OPEN and i not in effect.known_ids
        ]
        found = sorted(o.remote_id for o in ours)
        if not found:
            return Evidence(state=State.ABSENT)
        compared = [name for name in ("caller_id", "schedule") if name in effect.fields]
        alike = all(same(CAMPAIGN_FIELDS, ours[0].fields, effect.fields, name) for name in compared)
        if len(found) > 1 or not alike:
            return Evidence(state=State.AMBIGUOUS, candidates=tuple(found))
        return Evidence(state=State.HOLDS, remote_id=found[0])

    async def _deleted(self, effect: Deleted) -> Evidence:
        live = await self._object(effect.kind, effect.target)
        gone = live is None or status_of(live) == "archived"
        return Evidence(state=State.HOLDS if gone else State.ABSENT)

    async def _linked(self, effect: Linked) -> Evidence:
        live = await self._object(Kind.CAMPAIGN, effect.campaign)
        if live is None or status_of(live) not in OPEN:
            return Evidence(state=State.DIFFERS, detail="the campaign is gone or over")
        return linked(effect, lists_of(live), "the campaign's lists")

    # --- people

    def _contacts_created(self, rows: ContactSet) -> Evidence:
        """There is no way to ask for a number. What was answered is known; what was not is asked for by creating again,
        which finds what is there."""
        ids = {n: x for n in rows.numbers() if (x := self._seen.ids.get(n)) is not None}
        evidence = left(rows, rows.where("number", ids.keys(), keep=False) if ids else rows)
        return Evidence(state=evidence.state, remaining=evidence.remaining, contact_ids=ids)

    async def _contacts_changed(self, effect: ContactsChanged, rows: ContactSet) -> Evidence:
        ids = [x for x in rows.column("contact_id") if x]
        asked = ids if len(ids) <= FEW else [x for x in ids if x not in self._seen.contacts]
        read = await together(self._contact(x) for x in asked)
        told = [self._seen.contacts[x] for x in ids if x in self._seen.contacts and x not in set(asked)]
        now = ContactSet.union_of((*read, _columns(told)))
        # Somebody who is gone has nothing left to change.
        return left(rows, rows.changed(now, effect.columns))

    async def _contact(self, contact_id: str) -> ContactSet:
        try:
            return _columns([convert.contact_of(await self._client.one_contact(contact_id))])
        except NotFound:
            return ContactSet.empty()

    async def _added(self, list_id: RemoteId, rows: ContactSet) -> Evidence:
        """Who of ``rows`` is on the list. One person cannot be asked for, so the list is read until all were seen."""
        unseen = set(rows.numbers())
        missing_ids = {x for x in rows.column("contact_id") if x}

        def enough(page: ContactPage) -> bool:
            missing_ids.difference_update(page.ids)
            unseen.difference_update(n for n in page.numbers if n is not None)
            return not unseen

        try:
            # Side by side where most of the list has to be read anyway.
            found = await self._reader.members(list_id, enough=enough if len(rows) <= MEMBERS_PAGE else None)
        except NotFound:
            return Evidence(state=State.DIFFERS, detail="the list is gone")
        there = found.contacts.within(rows)
        evidence = left(rows, rows.without(there))
        ids = dict(zip(there.numbers(), there.column("contact_id"), strict=True))
        told = {n: x for n in rows.numbers() if (x := ids.get(n))}
        return Evidence(state=evidence.state, remaining=evidence.remaining, contact_ids=told)

    async def _removed(self, list_id: RemoteId, rows: ContactSet) -> Evidence:
        try:
            found = await self._reader.members(list_id)
        except NotFound:
            return Evidence(state=State.HOLDS)
        asked = {x for x in rows.column("contact_id") if x}
        there = found.contacts.where("contact_id", asked).column("contact_id") if asked else ()
        return left(rows, rows.where("contact_id", {*there}) if there else ContactSet.empty())


def _named(found: Mapping[RemoteId, Observed], name: str) -> Observed | None:
    return next((o for o in found.values() if o.name == tidy(name)), None)


def _list_created(effect: Created, found: Observed | None) -> Evidence:
    if found is None or found.remote_id in effect.known_ids:
        return Evidence(state=State.ABSENT)
    return Evidence(state=State.HOLDS, remote_id=found.remote_id)


def _changed(effect: Changed, live: Observed | None) -> Evidence:
    if live is None:
        return Evidence(state=State.DIFFERS, detail=f"the {effect.kind.lower()} is gone")
    now: Fields = {**live.fields, "lists": lists_of(live)}
    rules = LIST_FIELDS if effect.kind is Kind.LIST else CAMPAIGN_FIELDS
    moved = sorted(name for name in effect.expected if not same(rules, now, effect.expected, name))
    if not moved:
        return Evidence(state=State.HOLDS, remote_id=live.remote_id)
    if all(same(rules, now, effect.base, name) for name in effect.base):
        return Evidence(state=State.ABSENT, detail=f"{', '.join(moved)} stayed as before")
    return Evidence(state=State.DIFFERS, detail=f"somebody else changed {', '.join(moved)}")


def _columns(rows: list[dict[str, str | None]]) -> ContactSet:
    names = ("number", "contact_id", *convert.ATTRIBUTES)
    return ContactSet.from_columns({name: [row[name] for row in rows] for name in names})
