"""Who moved on a list: the people that the last apply left there, those who are there now, and those Git declares.

The store keeps keyed hashes of the first, so this says of everybody who differs whether live moved or Git did.
"""

from __future__ import annotations

from msgspec import Struct, field

from reconciler.diagnostics import Diagnostic
from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.hashes import NO_MEMBERS
from reconciler.model.inventory import Inventory, Owned
from reconciler.model.keys import set_hash
from reconciler.model.kinds import MembershipRules
from reconciler.model.live import OPTED_OUT, LiveMembers
from reconciler.model.resources import Members, Resource
from reconciler.plan.changes import MemberDelta
from reconciler.plan.leads import diff_leads
from reconciler.plan.members import Population, diff_members
from reconciler.plan.rules import World

ATTRIBUTES = "contacts"
"""The name under which an owned membership remembers what its contacts were declared like."""


class MemberDrift(Struct, frozen=True, kw_only=True):
    """People in the ways they can differ, no row per person. ``appeared``, ``vanished`` and ``changed`` are what live
    did; the ``pending`` ones are what Git did. ``unseen`` is by how many the count of an unreadable list moved."""

    appeared: ContactSet = field(default_factory=ContactSet.empty)
    vanished: ContactSet = field(default_factory=ContactSet.empty)
    changed: ContactSet = field(default_factory=ContactSet.empty)
    pending_add: ContactSet = field(default_factory=ContactSet.empty)
    pending_remove: ContactSet = field(default_factory=ContactSet.empty)
    pending_change: ContactSet = field(default_factory=ContactSet.empty)
    unchanged: int = 0
    unseen: int = 0
    strangers: int = 0
    """How many of the vanished have no contact any more, and get none from an apply (``missingContacts: fail``)."""
    reason: str = ""
    told: tuple[Diagnostic, ...] = ()
    """What differs and nobody can tell who moved it: attributes of leads, which only the provider's portal changes."""

    @property
    def moved_live(self) -> bool:
        return bool(self.appeared or self.vanished or self.changed or self.unseen)

    @property
    def moved_git(self) -> bool:
        return bool(self.pending_add or self.pending_remove or self.pending_change)


def attributes_hash(members: Members, key: bytes) -> str:
    """What stands for the declared attributes where they are kept in step; empty where they are not."""
    return set_hash(members.contacts.digest(), key) if members.contact_attributes == "sync" else ""


def compare_members(
    resource: Resource, target: RemoteId, owned: Owned | None, world: World, rules: MembershipRules
) -> MemberDrift:
    """A declared membership three ways. ``owned`` is what we know of it on this very list, if anything."""
    members = resource.members
    if members is None:
        raise ValueError(f"{resource.address} declares no members")
    live = world.live.members.get(target)
    if live is None:
        raise ValueError(f"the members of {target} were not read, though {resource.address} needs them")
    key = world.inventory.key
    population = Population(
        live=live,
        book=world.live.contacts,
        suppressed=world.desired.suppressed(world.account.name),
        ledger=owned.applied | owned.added if owned else None,
        key=key,
        trust_unknown=True,
    )
    delta, told = (diff_members if rules.leads is None else diff_leads)(resource, rules, population)
    applied = owned.applied if owned is not None else NO_MEMBERS
    if not live.readable:
        return _uncounted(delta, live, target, owned, world)
    absent = delta.add if rules.leads is not None else _absent(members, live, population)
    if resource.lifecycle.observe:
        # Nothing of it is ever applied: whatever differs, live has moved.
        return MemberDrift(appeared=delta.remove, vanished=absent, changed=delta.change, unchanged=delta.unchanged)
    steady = owned is not None and owned.fields.get(ATTRIBUTES, "") == attributes_hash(members, key)
    known = delta.change.where_hashed(key, applied) if steady else ContactSet.empty()
    vanished = absent.where_hashed(key, applied)
    strangers = vanished.without(world.live.contacts) if rules.contacts_apart else ContactSet.empty()
    pending_remove = delta.remove.where_hashed(key, applied)
    return MemberDrift(
        appeared=delta.remove.without(pending_remove),
        vanished=vanished,
        changed=known,
        pending_add=absent.without(vanished),
        pending_remove=pending_remove,
        pending_change=delta.change.without(known),
        unchanged=delta.unchanged,
        strangers=len(strangers) if members.missing_contacts == "fail" else 0,
        told=() if rules.leads is None else tuple(d for d in told if d.code == rules.leads.fixed.code),
    )


def _absent(members: Members, live: LiveMembers, population: Population) -> ContactSet:
    """The declared people who are not on the list, contacts that do not exist included; who opted out stays out."""
    gone = members.contacts.without(population.suppressed).without(live.contacts)
    return gone.joined(population.book, ("status",)).where("status", {OPTED_OUT}, keep=False)


def _uncounted(
    delta: MemberDelta, live: LiveMembers, target: RemoteId, owned: Owned | None, world: World
) -> MemberDrift:
    """A list that shows only how many are on it: compared with how many there were after the last apply."""
    before = _last_count(world.inventory, world.account.name, target) if owned is not None else None
    moved = 0 if before is None else live.count - before
    reason = f"the list has {live.count} members and had {before} after the last apply" if moved else ""
    return MemberDrift(pending_add=delta.add, unchanged=delta.unchanged, unseen=moved, reason=reason)


def _last_count(inventory: Inventory, account: str, target: RemoteId) -> int | None:
    last = inventory.last_reads.get(account)
    return None if last is None else last.members.get(target)
