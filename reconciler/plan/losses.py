"""What a plan takes away for good: the objects with their fields, the links, the members with their attributes. Pure.

People who opted out, whom a suppression protects, or who were worked already are left out: nothing that is put back may
contact them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Desired
from reconciler.model.inventory import Inventory
from reconciler.model.live import OPTED_OUT, AccountLive, Live, Standing
from reconciler.model.resources import Declared, Fields
from reconciler.plan.changes import Change, Delete, Plan, Replace

OBSERVED = frozenset({"contact_id", "status", "standing"})
"""What a provider says of somebody and nobody can declare."""


class End(Struct, frozen=True, kw_only=True):
    """One end of a link, or the list of a membership: its id, and our address where it has one."""

    remote_id: RemoteId
    address: Address | None = None


class LostObject(Struct, frozen=True, kw_only=True):
    """A list, a campaign, or with ``campaign`` and ``list`` an association. ``fields`` are those that we managed, with
    the values that they have live."""

    address: Address
    provider: str
    remote_id: RemoteId
    fields: Fields = field(default_factory=dict)
    campaign: End | None = None
    list: End | None = None


class LostMembers(Struct, frozen=True, kw_only=True):
    """People who leave a list (or a campaign, for leads). ``address`` is the Membership that they belong to."""

    address: Address
    provider: str
    of: End
    contacts: ContactSet


class Losses(Struct, frozen=True, kw_only=True):
    """Everything that goes. ``identities`` says whose account each name is."""

    identities: Mapping[str, str] = field(default_factory=dict)
    objects: tuple[LostObject, ...] = ()
    members: tuple[LostMembers, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.objects or self.members)

    @property
    def addresses(self) -> tuple[Address, ...]:
        return tuple(sorted({o.address for o in self.objects} | {m.address for m in self.members}))


def losses(plan: Plan, desired: Desired, live: Live, inventory: Inventory, bound: Mapping[Address, RemoteId]) -> Losses:
    """What the plan takes away."""
    objects: list[LostObject] = []
    members: list[LostMembers] = []
    ours = {remote_id: address for address, remote_id in bound.items()}
    for change in plan.changes:
        account = live.accounts.get(change.address.account)
        if isinstance(account, AccountLive):
            look = _Look(change, account, desired, inventory, ours)
            objects.extend(look.objects())
            members.extend(look.members())
    named = {o.address.account for o in objects} | {m.address.account for m in members}
    identities = {a.name: a.identity for a in plan.accounts if a.name in named}
    return Losses(identities=identities, objects=tuple(objects), members=tuple(members))


class _Look(Struct, frozen=True):
    """One change, held against its account."""

    change: Change
    live: AccountLive
    desired: Desired
    inventory: Inventory
    ours: Mapping[RemoteId, Address]

    def objects(self) -> Iterator[LostObject]:
        change = self.change
        if not isinstance(change, Delete | Replace) or change.remote_id is None:
            return
        if change.address.kind is Kind.ASSOCIATION:
            # One that moved is declared still, with other ends: only its manifest can put it back.
            link = self.live.links.get(change.remote_id) if change.address in self.inventory.owned else None
            if link is not None:
                yield self._object(self._managed(link.fields), self._end(link.campaign), self._end(link.list))
        elif (observed := self.live.objects.get((change.address.kind, change.remote_id))) is not None:
            yield self._object({"name": observed.name, **self._managed(observed.fields)})

    def _object(self, fields: Fields, campaign: End | None = None, list_: End | None = None) -> LostObject:
        return LostObject(
            address=self.change.address,
            provider=self.change.provider,
            remote_id=self.change.remote_id or RemoteId(""),
            fields=fields,
            campaign=campaign,
            list=list_,
        )

    def _managed(self, fields: Fields) -> Fields:
        owned = self.inventory.owned.get(self.change.address)
        return {} if owned is None else {name: fields.get(name, value) for name, value in owned.fields.items()}

    def _end(self, remote_id: RemoteId) -> End:
        return End(remote_id=remote_id, address=self.ours.get(remote_id))

    def members(self) -> Iterator[LostMembers]:
        change = self.change
        if change.members is not None and change.members.remove:
            parent = self._parent()
            people = self._people(parent).within(change.members.remove) if parent is not None else ContactSet.empty()
            if parent is not None and (lost := self._restorable(people)):
                yield LostMembers(address=change.address, provider=change.provider, of=self._end(parent), contacts=lost)
        elif isinstance(change, Delete | Replace) and change.address.kind is Kind.LIST and change.remote_id is not None:
            lost = self._restorable(self._people(change.remote_id))
            if lost:
                of = End(remote_id=change.remote_id, address=change.address)
                own = self._membership(change.remote_id)
                yield LostMembers(address=own, provider=change.provider, of=of, contacts=lost)

    def _parent(self) -> RemoteId | None:
        resource = self.change.desired
        if resource is None or resource.members is None:
            return self.change.remote_id
        match resource.members.of:
            case Declared(address):
                return next((i for i, a in self.ours.items() if a == address), None)
            case other:
                return other.remote_id

    def _people(self, list_id: RemoteId) -> ContactSet:
        found = self.live.members.get(list_id)
        return ContactSet.empty() if found is None else found.contacts

    def _restorable(self, people: ContactSet) -> ContactSet:
        people = people.where("status", {OPTED_OUT}, keep=False)
        people = people.where("standing", {Standing.BUSY, Standing.FINISHED}, keep=False)
        people = people.without(self.desired.suppressed(self.change.address.account))
        return people.select(c for c in people.columns if c not in OBSERVED)

    def _membership(self, list_id: RemoteId) -> Address:
        """The Membership of a list that goes; where none is known, one of the list's name."""
        account, name = self.change.address.account, self.change.address.name
        owned = (o.address for o in self.inventory.of(account) if o.address.kind is Kind.MEMBERSHIP)
        known = [a for a in owned if self.inventory.owned[a].parent == list_id]
        return known[0] if known else Address(account, Kind.MEMBERSHIP, name)
