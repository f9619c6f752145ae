"""One fetch: the identity first, then lists and campaigns, then whoever a manifest is about."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Severity, in_order
from reconciler.errors import NotFound, ReadIncomplete
from reconciler.masking import mask_number
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import AccountLive, LiveMembers, Observed
from reconciler.model.resources import Resource
from reconciler.plan.binding import bind
from reconciler.providers.base import Scope
from reconciler.providers.fetching import Bound, known_id, links_of
from reconciler.providers.parallel import together
from reconciler.providers.slicktext import convert
from reconciler.providers.slicktext.client import Client
from reconciler.providers.slicktext.codes import problem
from reconciler.providers.slicktext.convert import FINISHED, ids_fact, status_of
from reconciler.providers.slicktext.reading import Members, Reader

Objects = dict[tuple[Kind, RemoteId], Observed]


class Fetch:
    """One fetch of one account for a scope."""

    def __init__(self, reader: Reader, client: Client, scope: Scope, account: str, brand: str) -> None:
        self._reader = reader
        self._client = client
        self._desired = scope.desired
        self._inventory = scope.inventory
        self._everything = scope.everything
        self._taken = scope.taken.get(account, {})
        self._account = account
        self._brand = brand
        # Attributes are compared only where a membership keeps them in step; an import writes them down.
        self._attributes = scope.everything or any(
            r.members is not None and r.members.contact_attributes == "sync"
            for r in scope.desired.of(account, Kind.MEMBERSHIP)
        )
        self._notes: list[Diagnostic] = []

    async def run(self, identity: str) -> AccountLive:
        """The account, whole. The identity check comes first: with another brand's key all we own would look gone."""
        started = time.monotonic()
        await self._check_identity()
        lists, campaigns = await together((self._confirmed(Kind.LIST), self._confirmed(Kind.CAMPAIGN)))
        objects: Objects = {(o.kind, o.remote_id): o for o in (*lists.values(), *campaigns.values())}
        bound = bind(self._desired, self._inventory, self._account, objects).bound
        objects = await self._with_audiences(objects, bound)
        members = await self._members(objects, bound)
        contacts = await self._contacts(members, bound)
        return AccountLive(
            identity=identity,
            objects=objects,
            links=links_of(objects, lambda o: ids_fact(o, "lists")),
            members=members,
            contacts=contacts,
            elapsed_s=time.monotonic() - started,
            notes=in_order(self._notes),
        )

    async def _check_identity(self) -> None:
        found = convert.brand_of(await self._client.own_brand())
        if not found:
            # Not telling is no mismatch: a maintenance notice as JSON, for example.
            raise ReadIncomplete("SlickText answered without saying which brand the API key belongs to.")
        if found != self._brand:
            raise convert.AccountMismatch(
                f"The API key belongs to brand {found}, and the account is declared for brand {self._brand}.",
                hint="Use a key of the declared brand, or correct spec.brandId.",
            )

    async def _confirmed(self, kind: Kind) -> dict[RemoteId, Observed]:
        """All lists or campaigns. What we own and do not see is asked for by id before it counts as gone."""
        read = self._reader.lists if kind is Kind.LIST else self._reader.campaigns
        one = self._reader.one_list if kind is Kind.LIST else self._reader.one_campaign
        owned = self._owned_ids(kind)
        found = await read(at_least=len(owned))
        missing = sorted(owned - found.keys())
        exists = await together(_exists(one, x) for x in missing)
        hidden = [x for x, there in zip(missing, exists, strict=True) if there]
        if not hidden:
            return found
        found = await read()
        if still := [x for x in hidden if x not in found]:
            raise ReadIncomplete(
                f"{len(still)} of our {kind.lower()}s exist and are missing from the listing, twice.",
                hint="The provider's listing is behind or incomplete. Try again later.",
            )
        return found

    def _owned_ids(self, kind: Kind) -> set[RemoteId]:
        owned = self._inventory.of(self._account)
        ids = {o.remote_id for o in owned if o.address.kind is kind}
        if kind is Kind.LIST:
            ids |= {o.parent for o in owned if o.address.kind is Kind.MEMBERSHIP and o.parent is not None}
        return ids

    async def _with_audiences(self, objects: Objects, bound: Bound) -> Objects:
        """Campaigns whose collection row had no audience, read once more by id where the audience matters: those that
        can still be sent, and those that a manifest or the inventory is about."""
        ours = {o.remote_id for o in bound.values() if o.kind is Kind.CAMPAIGN}
        needed = [
            o
            for o in objects.values()
            if o.kind is Kind.CAMPAIGN
            and not o.facts.get("complete")
            and (o.remote_id in ours or status_of(o) not in FINISHED)
        ]
        whole = await together(self._reader.one_campaign(o.remote_id) for o in needed)
        return objects | {(o.kind, o.remote_id): o for o in whole}

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
        named |= {self._list_of(r, bound) for r in self._memberships()}
        return {x for x in named if x is not None}

    def _memberships(self) -> tuple[Resource, ...]:
        return self._desired.of(self._account, Kind.MEMBERSHIP)

    def _list_of(self, resource: Resource, bound: Bound) -> RemoteId | None:
        return known_id(resource.members.of, bound) if resource.members is not None else None

    # --- contacts that are on no list yet

    async def _contacts(self, members: Mapping[RemoteId, LiveMembers], bound: Bound) -> ContactSet:
        """Declared people who are not on their list: from other lists where they are on one, else looked up."""
        suppressed = self._desired.suppressed(self._account)
        wanted: dict[Address, ContactSet] = {}
        for resource in self._memberships():
            if resource.members is None:
                continue
            declared = resource.members.contacts.select(()).without(suppressed)
            list_id = self._list_of(resource, bound)
            live = members.get(list_id) if list_id is not None else None
            wanted[resource.address] = declared.without(live.contacts) if live else declared
        everybody = ContactSet.union_of(wanted.values())
        # What was only counted tells nobody's id, and not whether they opted out.
        read = [m for m in members.values() if not m.counted]
        listed = ContactSet.union_of(m.contacts.within(everybody) for m in read if everybody)
        missing = everybody.without(listed)
        # Everybody on a list is in the address book as well.
        at_least = max((m.count for m in members.values()), default=0)
        looked_up, several = await self._reader.look_up(missing, attributes=self._attributes, at_least=at_least)
        for number, ids in sorted(several.items()):
            address = next(a for a, numbers in wanted.items() if numbers.get(number) is not None)
            text = f"{len(ids)} contacts have the number {mask_number(number)}: {', '.join(ids)}"
            about = self._desired.resources.get(address) or address
            self._notes.append(problem(Severity.ERROR, "slicktext-several-contacts", text, about))
        return ContactSet.union_of((listed, looked_up))


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
        notes.extend(_odd_members(account, names[list_id], found))
        return LiveMembers(contacts=found.contacts, count=found.count)

    ids = sorted(names)
    try:
        read = await together(on_list(i) for i in ids)
    except NotFound as gone:
        raise ReadIncomplete("A list was deleted while its members were read.", status=gone.status) from None
    return dict(zip(ids, read, strict=True)), notes


def _odd_members(account: str, name: str, found: Members) -> Iterator[Diagnostic]:
    if found.unusable:
        text = f"{found.unusable} members of {name!r} have no usable number; they are left alone"
        yield replace(problem(Severity.NOTE, "slicktext-unusable-number", text), address=account)
    if twice := found.count - found.unusable - len(found.contacts):
        text = f"{twice} members of {name!r} have the number of another member"
        yield replace(problem(Severity.WARNING, "slicktext-several-contacts", text), address=account)


async def _exists(read: Callable[[str], Awaitable[Observed]], remote_id: str) -> bool:
    try:
        await read(remote_id)
    except NotFound:
        return False
    return True
