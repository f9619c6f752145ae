"""Decisions about memberships (contacts on a list)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.diagnostics import error
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.hashes import MemberHashes
from reconciler.model.inventory import Owned
from reconciler.model.kinds import MembershipRules
from reconciler.model.live import LiveMembers
from reconciler.model.resources import ById, Declared, Mode, OnRemove, Resource
from reconciler.plan.binding import orphans, ownership
from reconciler.plan.calls import Ref, Target
from reconciler.plan.changes import Adopt, Change, Create, Delete, Forget, MemberDelta, Update
from reconciler.plan.leads import diff_leads
from reconciler.plan.links import kept_protected, reachable
from reconciler.plan.members import Earlier, Population, departing, diff_members
from reconciler.plan.objects import Decisions, about
from reconciler.plan.rules import World
from reconciler.plan.selection import Selection


def decide_memberships(
    world: World, rules: MembershipRules, selection: Selection, suppressed: ContactSet, deleted: frozenset[Address]
) -> Decisions:
    """Every membership of the account. ``deleted`` are lists that this plan deletes, members and all."""
    out = Decisions()
    seen = _Seen(suppressed=suppressed)
    for resource in world.desired.of(world.account.name, Kind.MEMBERSHIP):
        if not selection.covers(resource.address, resource) or _conflicting(resource, world, seen, out):
            continue
        change = _decide_membership(resource, world, rules, selection, seen, out)
        if change is not None:
            out.changes.append(change)
            seen.note(change, world)
    gone = {o.remote_id: a for a, o in world.bound.items() if a in deleted}
    for owned in orphans(world.account.name, world.desired, world.inventory):
        if owned.address.kind is Kind.MEMBERSHIP and selection.covers(owned.address, None):
            if owned.protect:
                out.diagnostics.append(kept_protected(owned, "its members"))
            else:
                out.changes.append(_orphaned_membership(owned, world, rules, gone, out))
    return out


class _Seen(Struct):
    """What earlier memberships of the same plan do: nobody is created or added twice by two manifests."""

    suppressed: ContactSet
    creating: Earlier = field(default_factory=Earlier)
    taken: dict[Target, Earlier] = field(default_factory=dict)
    modes: dict[Target, Mode] = field(default_factory=dict)

    def note(self, change: Change, world: World) -> None:
        members, resource = change.members, change.desired
        if members is None or resource is None or resource.members is None:
            return
        if members.create:
            self.creating = self.creating.and_(members.create)
        if members.add:
            target = world.target(resource.members.of)
            self.taken[target] = self.taken.get(target, Earlier()).and_(members.add)


def _conflicting(resource: Resource, world: World, seen: _Seen, out: Decisions) -> bool:
    """Two memberships of one live list, one of them exact: each would take off whom the other puts on."""
    if resource.members is None:
        return False
    target, mode = world.target(resource.members.of), resource.members.mode
    other = seen.modes.get(target)
    seen.modes[target] = mode
    conflict = other is not None and Mode.EXACT in (other, mode)
    if conflict:
        out.refuse(
            resource,
            "membership-conflict",
            "another membership of the same live list is declared, and one of them is exact",
            "put the contacts into one manifest, or make both additive",
        )
    return conflict


def _ledger(target: Target, world: World) -> MemberHashes | None:
    """Everybody whom we put on a list, through whichever membership; None when nothing of it is ours."""
    ours = () if isinstance(target, Ref) else world.inventory.memberships_of(world.account.name, target)
    return MemberHashes.union_of(o.applied | o.added for o in ours) if ours else None


def _parent_kind(resource: Resource, world: World, usual: Kind) -> Kind:
    """Members hang on a list, or on a campaign where the provider calls them leads."""
    match resource.members.of if resource.members else None:
        case Declared(address):
            return address.kind
        case ById(remote_id) if (Kind.LIST, remote_id) in world.live.objects:
            return Kind.LIST
        case ById(remote_id) if (Kind.CAMPAIGN, remote_id) in world.live.objects:
            return Kind.CAMPAIGN
        case _:
            return usual


def _decide_membership(
    resource: Resource,
    world: World,
    rules: MembershipRules,
    selection: Selection,
    seen: _Seen,
    out: Decisions,
) -> Change | None:
    members = resource.members
    if members is None:
        raise ValueError(f"{resource.address} declares no members")
    target = reachable(resource, members.of, _parent_kind(resource, world, rules.parent), world, selection, out)
    if target is None:
        return None
    live: LiveMembers | None = None
    if not isinstance(target, Ref):
        live = world.live.members.get(target)
        if live is None:
            raise ValueError(f"the members of {target} were not read, though {resource.address} needs them")
    if live is not None and resource.address in live.counted:
        return None
    known = ownership(resource, world.desired, world.inventory)
    owned = known if known is not None and known.parent == target else None
    population = Population(
        live=live,
        book=world.live.contacts,
        suppressed=seen.suppressed,
        ledger=_ledger(target, world),
        key=world.inventory.key,
        creating=seen.creating,
        taken=seen.taken.get(target, Earlier()),
        trust_unknown=world.allows.names("unknown-members", str(resource.address)),
        recontact=world.allows.names("recontact", str(resource.address)),
    )
    differ = diff_members if rules.leads is None else diff_leads
    delta, problems = differ(resource, rules, population)
    out.diagnostics.extend(problems)
    if resource.lifecycle.observe:
        if not delta.empty:
            counts = f"+{len(delta.add)} -{len(delta.remove)} ~{len(delta.change)}"
            out.note(resource, "observed-drift", f"observed only: the live members differ ({counts})")
        return None
    delta = _possible(resource, delta, rules, out)
    common = about(resource, "", members=delta, remote_id=None if isinstance(target, Ref) else target)
    if delta.empty:
        if owned is not None and known is not None and known.address == resource.address:
            return None
        if any(p.blocking for p in problems):
            return None
        word = "the list is new" if live is None else "all as declared already, and not ours yet"
        return (Create if live is None else Adopt)(**{**common, "reason": word})
    if live is None or (owned is None and live.count == 0):
        return Create(**{**common, "reason": "nobody is on the list yet"})
    return Update(**{**common, "reason": "live members differ from the declared ones"})


def _possible(resource: Resource, delta: MemberDelta, rules: MembershipRules, out: Decisions) -> MemberDelta:
    """``delta`` without what the provider cannot do, each said with its remedy."""
    if delta.add and rules.add is not None:
        out.refuse(resource, rules.add.code, rules.add.reason, rules.add.remedy)
    if delta.remove and rules.remove is not None:
        out.refuse(resource, rules.remove.code, rules.remove.reason, rules.remove.remedy)
    if delta.change and rules.change is not None:
        people = len(delta.change)
        out.warn(
            resource,
            rules.change.code,
            f"{people} members differ in attributes that cannot be written: {rules.change.reason}",
            rules.change.remedy,
        )
        unchanged = delta.unchanged + people
        return replace(delta, change=ContactSet.empty(), unchanged=unchanged)
    return delta


def _orphaned_membership(
    owned: Owned, world: World, rules: MembershipRules, gone: dict[RemoteId, Address], out: Decisions
) -> Change:
    parent = owned.parent
    common: dict[str, Any] = {"address": owned.address, "provider": owned.provider, "remote_id": parent}
    live = world.live.members.get(parent) if parent is not None else None
    if owned.on_remove is not OnRemove.DELETE:
        return Forget(**common, reason="no longer declared, and onRemove says keep")
    if parent in gone:
        return Delete(**common, carried_by=gone[parent], reason="goes with its list")
    if live is None or parent is None:
        return Forget(**common, reason="no longer declared, and the list is gone")
    if rules.remove is not None:
        out.diagnostics.append(
            error(
                rules.remove.code,
                f"its members cannot be removed: {rules.remove.reason}",
                hint=rules.remove.remedy,
                address=str(owned.address),
            )
        )
        return Forget(**common, reason="no longer declared, and nobody can be removed")
    delta = departing(owned, live, world.inventory.key, _declared_elsewhere(parent, world))
    if delta.empty:
        return Forget(**common, reason="no longer declared, and nobody we added is left on the list")
    return Delete(**common, members=delta, reason="no longer declared, and onRemove says delete")


def _declared_elsewhere(parent: RemoteId, world: World) -> ContactSet:
    """Whom other manifests still declare for the same list: a membership that was renamed removes nobody."""
    sets = [
        r.members.contacts.select(("number",))
        for r in world.desired.of(world.account.name, Kind.MEMBERSHIP)
        if r.members is not None and world.known_id(r.members.of) == parent
    ]
    return ContactSet.union_of(sets)
