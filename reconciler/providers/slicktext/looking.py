"""Looking, without writing, whether what a call should have made true is true."""

from __future__ import annotations

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
from reconciler.providers.parallel import together
from reconciler.providers.slicktext.client import Client
from reconciler.providers.slicktext.convert import EDITABLE, ids_fact, status_of, tidy
from reconciler.providers.slicktext.reading import Reader
from reconciler.providers.slicktext.settings import Settings

State = Evidence.State


class Look:
    """Looks for one account. ``campaigns`` and ``sizes`` are what was seen last, shared with the session."""

    def __init__(
        self,
        reader: Reader,
        client: Client,
        settings: Settings,
        campaigns: dict[RemoteId, Observed],
        sizes: dict[RemoteId, int],
    ) -> None:
        self._reader = reader
        self._client = client
        self._settings = settings
        self._campaigns = campaigns
        self._sizes = sizes

    async def at(self, effect: Effect, rows: ContactSet | None) -> Evidence:
        """See ``base.Session.observe``."""
        people = rows if rows is not None else ContactSet.empty()
        match effect:
            case Created():
                return await self._created(effect)
            case Changed():
                return await self._changed(effect)
            case Deleted():
                return await self._deleted(effect)
            case Linked():
                return await self._linked(effect)
            case ContactsCreated():
                return await self._contacts_created(people)
            case ContactsChanged():
                return await self._contacts_changed(effect, people)
            case MembersAdded(of=of):
                return await self._members(known(of), people, added=True)
            case MembersRemoved(of=of):
                return await self._members(known(of), people, added=False)

    async def _object(self, kind: Kind, target: Target) -> Observed | None:
        remote_id = known(target)
        try:
            if kind is Kind.LIST:
                return await self._reader.one_list(remote_id)
            found = await self._reader.one_campaign(remote_id)
        except NotFound:
            self._campaigns.pop(remote_id, None)
            return None
        self._campaigns[remote_id] = found
        return found

    async def _created(self, effect: Created) -> Evidence:
        read = self._reader.lists if effect.kind is Kind.LIST else self._reader.campaigns
        named = await read([("name", effect.name)])
        # The filter may be ignored, and what had the name before is not ours.
        found = sorted(i for i, o in named.items() if o.name == tidy(effect.name) and i not in effect.known_ids)
        if not found:
            return Evidence(state=State.ABSENT)
        if len(found) > 1:
            return Evidence(state=State.AMBIGUOUS, candidates=tuple(found))
        return Evidence(state=State.HOLDS, remote_id=found[0])

    async def _changed(self, effect: Changed) -> Evidence:
        live = await self._object(effect.kind, effect.target)
        if live is None:
            return Evidence(state=State.DIFFERS, detail=f"the {effect.kind.lower()} is gone")
        now: Fields = {**live.fields, "lists": ids_fact(live, "lists")}
        dispatched = live.kind is Kind.CAMPAIGN and status_of(live) not in EDITABLE
        # A campaign that went from scheduled to sent got there through what we asked for.
        progressed = dispatched and effect.expected.get("status") == "scheduled"
        compared = [name for name in effect.expected if not (progressed and name == "status")]
        if all(_same(now, effect.expected, name) for name in compared):
            return Evidence(state=State.HOLDS, remote_id=live.remote_id)
        if all(_same(now, effect.base, name) for name in effect.base):
            return Evidence(state=State.ABSENT)
        moved = sorted(name for name in effect.expected if not _same(now, effect.expected, name))
        return Evidence(state=State.DIFFERS, detail=f"somebody else changed {', '.join(moved)}")

    async def _deleted(self, effect: Deleted) -> Evidence:
        live = await self._object(effect.kind, effect.target)
        return Evidence(state=State.HOLDS if live is None else State.ABSENT)

    async def _linked(self, effect: Linked) -> Evidence:
        live = await self._object(Kind.CAMPAIGN, effect.campaign)
        if live is None:
            return Evidence(state=State.DIFFERS, detail="the campaign is gone")
        return linked(effect, ids_fact(live, "lists"), "the campaign's audience")

    # --- people

    async def _contacts_created(self, rows: ContactSet) -> Evidence:
        found, several = await self._reader.look_up(rows.select(()), at_least=len(rows))
        if several:
            ids = sorted(RemoteId(x) for found_ids in several.values() for x in found_ids)
            return Evidence(state=State.AMBIGUOUS, candidates=tuple(ids))
        ids_by_number = {
            number: contact_id
            for number, contact_id in zip(found.numbers(), found.column("contact_id"), strict=True)
            if contact_id
        }
        evidence = left(rows, rows.without(found))
        return Evidence(state=evidence.state, remaining=evidence.remaining, contact_ids=ids_by_number)

    async def _contacts_changed(self, effect: ContactsChanged, rows: ContactSet) -> Evidence:
        ids = [x for x in rows.column("contact_id") if x]
        read = await together(self._contact(x) for x in ids)
        now = ContactSet.union_of(read)
        # Somebody who is gone has nothing left to change.
        return left(rows, rows.changed(now, effect.columns))

    async def _contact(self, contact_id: str) -> ContactSet:
        try:
            return ContactSet.from_columns(await self._client.one_contact(contact_id))
        except NotFound:
            return ContactSet.empty()

    async def _members(self, list_id: RemoteId, rows: ContactSet, *, added: bool) -> Evidence:
        """Who of ``rows`` is on the list: by single lookups where that takes fewer requests than reading it whole."""
        size = self._sizes.get(list_id)
        pages = 3 if size is None else 2 + -(-size // self._settings.page_size)
        try:
            present = await self._looked_up(list_id, rows) if len(rows) < pages else None
            if present is None:
                present = await self._on_list(list_id, rows)
        except NotFound:
            if added:
                return Evidence(state=State.DIFFERS, detail="the list is gone")
            return Evidence(state=State.HOLDS)
        return left(rows, rows.without(present) if added else rows.within(present))

    async def _looked_up(self, list_id: RemoteId, rows: ContactSet) -> ContactSet | None:
        """None when the server ignored the filter."""
        limit = self._settings.page_size
        pages = await together(
            self._client.members(list_id, 0, limit, [("mobile_number", number)]) for number in rows.numbers()
        )
        there: set[str] = set()
        for number, page in zip(rows.numbers(), pages, strict=True):
            if any(found != number for found in page.columns["number"]):
                return None
            there |= {x for x in page.columns["contact_id"] if x is not None}
        return _present(rows, there)

    async def _on_list(self, list_id: RemoteId, rows: ContactSet) -> ContactSet:
        members = await self._reader.members(list_id)
        self._sizes[list_id] = members.count
        there = {str(x) for x in members.having({int(x) for x in rows.column("contact_id") if x})}
        by_number = rows.where("contact_id", {None, ""}).within(members.contacts)
        return ContactSet.union_of((_present(rows, there), by_number))


def _present(rows: ContactSet, ids: set[str]) -> ContactSet:
    return rows.where("contact_id", ids) if ids else ContactSet.empty()


def _same(now: Fields, wanted: Fields, name: str) -> bool:
    left, right = now.get(name), wanted.get(name)
    if isinstance(left, frozenset) or isinstance(right, frozenset):
        return left == right
    return tidy(left) == tidy(right)
