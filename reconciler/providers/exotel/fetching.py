"""One fetch: lists and campaigns, then whoever a manifest is about."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Severity, in_order
from reconciler.errors import NotFound, ReadIncomplete
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import AccountLive, LiveMembers, Observed
from reconciler.model.resources import Resource
from reconciler.plan.binding import bind
from reconciler.providers.base import Scope
from reconciler.providers.exotel.checks import EARLIEST, send_at
from reconciler.providers.exotel.codes import problem
from reconciler.providers.exotel.convert import OPEN, AccountUnknown, lists_of, status_of
from reconciler.providers.exotel.joining import as_of
from reconciler.providers.exotel.reading import Reader
from reconciler.providers.fetching import Bound, known_id, links_of
from reconciler.providers.parallel import together

Objects = dict[tuple[Kind, RemoteId], Observed]


class Fetch:
    """One fetch of one account for a scope."""

    def __init__(self, reader: Reader, scope: Scope, account: str, now: datetime) -> None:
        self._reader = reader
        self._desired = scope.desired
        self._inventory = scope.inventory
        self._everything = scope.everything
        self._taken = scope.taken.get(account, {})
        self._account = account
        self._now = now
        # Attributes are compared only where a membership keeps them in step; an import writes them down.
        self._attributes = scope.everything or any(
            r.members is not None and r.members.contact_attributes == "sync"
            for r in scope.desired.of(account, Kind.MEMBERSHIP)
        )
        self._notes: list[Diagnostic] = []

    async def run(self, identity: str) -> AccountLive:
        """The account, whole."""
        started = time.monotonic()
        try:
            lists, campaigns = await together((self._confirmed(Kind.LIST), self._confirmed(Kind.CAMPAIGN)))
        except NotFound:
            # An account without lists answers with none; 404 means that the path itself leads nowhere.
            raise AccountUnknown(
                "Exotel does not know the declared account.", hint="Correct spec.accountSid.", status=404
            ) from None
        objects: Objects = {(o.kind, o.remote_id): o for o in (*lists.values(), *campaigns.values())}
        objects |= await self._with_lists(objects)
        objects |= {key: as_of(o, self._now) for key, o in objects.items() if key[0] is Kind.CAMPAIGN}
        bound = bind(self._desired, self._inventory, self._account, objects).bound
        self._note_times(bound)
        members = await self._members(objects, bound)
        contacts = await self._contacts(members, bound)
        return AccountLive(
            identity=identity,
            objects=objects,
            links=links_of(objects, lists_of),
            members=members,
            contacts=contacts,
            elapsed_s=time.monotonic() - started,
            notes=in_order(self._notes),
        )

    # --- lists and campaigns

    async def _confirmed(self, kind: Kind) -> dict[RemoteId, Observed]:
        """All lists or campaigns. What we own and do not see is asked for by id before it counts as gone; a campaign
        that is over may be left out of the listing and is added."""
        read = self._reader.lists if kind is Kind.LIST else self._reader.campaigns
        one = self._reader.one_list if kind is Kind.LIST else self._reader.one_campaign
        found = await read()
        missing = sorted(self._owned_ids(kind) - found.keys())
        hidden = [o for o in await together(_seen(one, x) for x in missing) if o is not None]
        over = {o.remote_id: o for o in hidden if kind is Kind.CAMPAIGN and status_of(o) not in OPEN}
        if len(over) == len(hidden):
            return found | over
        found = await read()
        if still := [o for o in hidden if o.remote_id not in found and o.remote_id not in over]:
            raise ReadIncomplete(
                f"{len(still)} of our {kind.lower()}s exist and are missing from the listing, twice.",
                hint="The provider's listing is behind or incomplete. Try again later.",
            )
        return found | over

    def _owned_ids(self, kind: Kind) -> set[RemoteId]:
        owned = self._inventory.of(self._account)
        ids = {o.remote_id for o in owned if o.address.kind is kind}
        if kind is Kind.LIST:
            ids |= {o.parent for o in owned if o.address.kind is Kind.MEMBERSHIP and o.parent is not None}
        return ids

    async def _with_lists(self, objects: Objects) -> Objects:
        """Campaigns that are not over and whose row did not tell their lists, read once more by id."""
        needed = [
            o.remote_id
            for (kind, _), o in objects.items()
            if kind is Kind.CAMPAIGN and not o.facts.get("complete") and status_of(o) in OPEN
        ]
        whole = await together(_seen(self._reader.one_campaign, x) for x in needed)
        return {(o.kind, o.remote_id): o for o in whole if o is not None}

    def _note_times(self, bound: Bound) -> None:
        """A campaign that is still to be created and whose time is near or past: told now, not when it is sent."""
        for resource in self._of(Kind.CAMPAIGN):
            at = send_at(resource.fields)
            if resource.address not in bound and at is not None and at < self._now + EARLIEST:
                text = f"it does not exist yet, and its send_at is {'past' if at <= self._now else 'too near'}"
                self._notes.append(problem(Severity.ERROR, "exotel-schedule-too-near", text, resource))
            elif at is not None and at < self._now + EARLIEST and self._moves(resource, bound, at):
                text = f"its send_at would be moved to a time that is {'past' if at <= self._now else 'too near'}"
                self._notes.append(problem(Severity.ERROR, "exotel-schedule-too-near", text, resource))

    @staticmethod
    def _moves(resource: Resource, bound: Bound, at: datetime) -> bool:
        """Whether a campaign that can still be edited would start at ``at`` instead of when it does."""
        live, lifecycle = bound.get(resource.address), resource.lifecycle
        if live is None or lifecycle.observe or "schedule" in lifecycle.ignore:
            return False
        return status_of(live) in OPEN and not live.facts.get("started") and send_at(live.fields) != at

    def _of(self, kind: Kind) -> tuple[Resource, ...]:
        return self._desired.of(self._account, kind)

    # --- members

    async def _members(self, objects: Objects, bound: Bound) -> dict[RemoteId, LiveMembers]:
        names = {i: o.name for (kind, i), o in objects.items() if kind is Kind.LIST}
        ids = set(names) if self._everything else self._named_lists(bound) & names.keys()
        wanted = {i: names[i] for i in ids - self._taken.keys()}
        members, notes = await _members_of(self._reader, self._account, wanted, attributes=self._attributes)
        self._notes += notes
        return members | {i: self._taken[i] for i in ids & self._taken.keys()}

    def _named_lists(self, bound: Bound) -> set[RemoteId]:
        """The live lists that a declared or owned Membership is about."""
        named = {o.parent for o in self._inventory.of(self._account) if o.address.kind is Kind.MEMBERSHIP}
        named |= {_list_of(r, bound) for r in self._of(Kind.MEMBERSHIP)}
        return {x for x in named if x is not None}

    # --- contacts that are on no list yet

    async def _contacts(self, members: Mapping[RemoteId, LiveMembers], bound: Bound) -> ContactSet:
        """Declared people who are not on their list, as far as other lists tell of them.

        Where a manifest says that unknown people are to be created, creating them tells whether they exist. Where it
        says that they must exist, the address book is read for them.
        """
        suppressed = self._desired.suppressed(self._account)
        wanted: dict[Address, ContactSet] = {}
        for resource in self._of(Kind.MEMBERSHIP):
            if resource.members is not None:
                list_id = _list_of(resource, bound)
                live = members.get(list_id) if list_id is not None else None
                declared = resource.members.contacts.select(()).without(suppressed)
                wanted[resource.address] = declared.without(live.contacts) if live else declared
        everybody = ContactSet.union_of(wanted.values())
        # What was only counted tells nobody's id, and not whether they opted out.
        read = [m for m in members.values() if not m.counted]
        listed = ContactSet.union_of(m.contacts.within(everybody) for m in read if everybody)
        strict = [a for a in sorted(wanted) if self._must_exist(a) and wanted[a].without(listed)]
        missing = ContactSet.union_of(wanted[a].without(listed) for a in strict)
        if not missing:
            return listed
        found = await self._reader.look_up(missing)
        if found is None:
            for address in strict:
                text = f"whether {len(wanted[address].without(listed))} declared contacts exist is not known"
                about = self._desired.resources.get(address) or address
                self._notes.append(problem(Severity.ERROR, "exotel-address-book-too-large", text, about))
            return listed
        if found.twice:
            text = f"{found.twice} contacts have the number of another contact that is declared"
            note = problem(Severity.WARNING, "exotel-several-contacts", text)
            self._notes.append(replace(note, address=self._account))
        return ContactSet.union_of((listed, found.contacts))

    def _must_exist(self, address: Address) -> bool:
        members = self._desired.resources[address].members
        return members is not None and members.missing_contacts == "fail"


async def with_members(reader: Reader, account: str, live: AccountLive, lists: frozenset[RemoteId]) -> AccountLive:
    """See ``base.ReadsMembers``. Their attributes do not matter: nobody compares them."""
    names = {i: o.name for (kind, i), o in live.objects.items() if kind is Kind.LIST and i in lists}
    members, notes = await _members_of(reader, account, names, attributes=False)
    return replace(live, members={**live.members, **members}, notes=in_order((*live.notes, *notes)))


async def _members_of(
    reader: Reader, account: str, names: Mapping[RemoteId, str], *, attributes: bool
) -> tuple[dict[RemoteId, LiveMembers], list[Diagnostic]]:
    """Who is on each of these lists, by id, and what is odd about them."""
    notes: list[Diagnostic] = []

    async def on_list(list_id: RemoteId) -> LiveMembers:
        found = await reader.members(list_id, names[list_id], attributes=attributes)
        if found.twice:
            text = f"{found.twice} members of {names[list_id]!r} have the number of another member"
            note = problem(Severity.WARNING, "exotel-several-contacts", text)
            notes.append(replace(note, address=account))
        return LiveMembers(contacts=found.contacts, count=found.count)

    ids = sorted(names)
    try:
        read = await together(on_list(i) for i in ids)
    except NotFound as gone:
        raise ReadIncomplete("A list was deleted while its members were read.", status=gone.status) from None
    return dict(zip(ids, read, strict=True)), notes


def _list_of(resource: Resource, bound: Bound) -> RemoteId | None:
    return known_id(resource.members.of, bound) if resource.members is not None else None


async def _seen(read: Callable[[str], Awaitable[Observed]], remote_id: str) -> Observed | None:
    try:
        return await read(remote_id)
    except NotFound:
        return None
