"""The order of application: what must be done before what, and one total order to show and to run by.

lists -> contacts -> memberships -> campaigns -> associations -> publish        ("arm last")
deletes run that backwards, after everything else
an association that moves                  unlink -> link, after the other associations
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.resources import Declared, Reference, Resource
from reconciler.plan.calls import Each, Phase, Ref, Step
from reconciler.plan.changes import Adopt, Change, Create, Delete, Forget, Replace, Update
from reconciler.plan.rules import World

_MAKER: Final = "\x00maker"
"""A column: the membership that creates the contact. No column that somebody named is called like this."""

_FORWARD = {
    Kind.LIST: Phase.LIST,
    Kind.MEMBERSHIP: Phase.MEMBERSHIP,
    Kind.CAMPAIGN: Phase.CAMPAIGN,
    Kind.ASSOCIATION: Phase.ASSOCIATION,
}
_BACKWARD = {
    Kind.LIST: Phase.LIST_DELETE,
    Kind.MEMBERSHIP: Phase.MEMBER_DELETE,
    Kind.CAMPAIGN: Phase.CAMPAIGN_DELETE,
    Kind.ASSOCIATION: Phase.DISSOCIATE,
}


def position(change: Change) -> tuple[str, int, bool, Address]:
    """The sort key of a change: account, then phase, then address. A link that waits for another one to go comes after
    the campaigns that may take that along."""
    if waits := _relinks(change):
        return (change.address.account, Phase.RELINK, waits, change.address)
    table = _BACKWARD if isinstance(change, Delete) else _FORWARD
    return (change.address.account, table[change.address.kind], waits, change.address)


def _relinks(change: Change) -> bool:
    """Whether it links only after another link has gone; nothing else ever requires an association to be done."""
    links = change.address.kind is Kind.ASSOCIATION and not isinstance(change, Delete | Forget)
    return links and any(a.kind is Kind.ASSOCIATION for a in change.requires)


def in_order(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=position))


def with_requirements(changes: tuple[Change, ...], world: World) -> tuple[Change, ...]:
    """Every change with what it must wait for, besides what its provider already said; only what is in the plan."""
    index = _Index.of(changes, world)
    result: list[Change] = []
    for change in changes:
        needs = set(change.requires) | _needs(change, index)
        # What is sent together waits for what each of it needs.
        for other in (index.planned[p.address] for p in change.parts):
            needs |= set(other.requires) | _needs(other, index)
        arms = set(change.arm_after) | (_arms_after(change, index) if _has_arm(change) else set())
        requires = index.others(change, {a for a in needs if not index.together(change, a)}) if needs else ()
        arm_after = index.others(change, arms - needs) if arms else ()
        if (requires, arm_after) != (change.requires, change.arm_after):
            change = replace(change, requires=requires, arm_after=arm_after)
        result.append(_after_unlinking(change))
    return tuple(result)


def _after_unlinking(change: Change) -> Change:
    """A link that waits for another one to go, in the phase for that: among the associations it would hold up the
    deletes, and these hold up what it waits for."""
    if change.steps and _relinks(change):
        early = Phase.ASSOCIATION, Phase.DISSOCIATE
        steps = tuple(replace(s, phase=Phase.RELINK) if s.phase in early else s for s in change.steps)
        return replace(change, steps=steps)
    return change


class _Index(Struct, frozen=True, kw_only=True, dict=True):
    """The plan by what requirements ask for, so that a plan of many changes is ordered in one pass."""

    planned: dict[Address, Change]
    made: frozenset[Address]
    creating: tuple[Change, ...]
    leaving: frozenset[Address]
    links: dict[Address, list[Resource]]
    members: dict[Address, list[Address]]
    carried: dict[Address, list[Address]]
    hanging: dict[RemoteId | None, list[Delete]]
    """By list, what leaves and hangs on it."""

    @cached_property
    def makers(self) -> ContactSet:
        """Everybody who is created, with the membership that does it; worked out if somebody waits for one of them."""
        made = [(c.address, c.members.create) for c in self.creating if c.members is not None]
        return ContactSet.union_of(some.select(("number",)).with_column(_MAKER, str(at)) for at, some in made)

    def others(self, change: Change, addresses: set[Address]) -> tuple[Address, ...]:
        """What of ``addresses`` is in the plan, besides the change itself; sorted."""
        return tuple(sorted(a for a in addresses if a in self.planned and a != change.address))

    def together(self, change: Change, address: Address) -> bool:
        """Whether a link needs no waiting for the one that goes: one call does both, or it goes with its list, which is
        ours until then."""
        other = self.planned.get(address)
        if other is None or other.carried_by is None or address.kind is not Kind.ASSOCIATION:
            return False
        return other.carried_by in (change.address, change.carried_by) or other.carried_by.kind is Kind.LIST

    @classmethod
    def of(cls, changes: tuple[Change, ...], world: World) -> _Index:
        links: dict[Address, list[Resource]] = {}
        members: dict[Address, list[Address]] = {}
        carried: dict[Address, list[Address]] = {}
        for resource in world.desired.of(world.account.name):
            if resource.link is not None:
                for campaign in _declared(resource.link.campaign):
                    links.setdefault(campaign, []).append(resource)
            if resource.members is not None:
                for parent in _declared(resource.members.of):
                    members.setdefault(parent, []).append(resource.address)
        for change in changes:
            if change.carried_by is not None:
                carried.setdefault(change.carried_by, []).append(change.address)
        relations = (Kind.ASSOCIATION, Kind.MEMBERSHIP)
        return cls(
            planned={c.address: c for c in changes},
            made=frozenset(c.address for c in changes if isinstance(c, Create | Replace)),
            creating=tuple(c for c in changes if c.members is not None and c.members.create),
            leaving=frozenset(
                c.address
                for c in changes
                if isinstance(c, Delete) and c.address.kind in relations and c.carried_by is None
            ),
            links=links,
            members=members,
            carried=carried,
            hanging=_hanging(changes, world),
        )


def _has_arm(change: Change) -> bool:
    return any(s.phase is Phase.ARM for s in change.steps)


def _declared(reference: Reference) -> set[Address]:
    return {reference.address} if isinstance(reference, Declared) else set()


def _needs(change: Change, index: _Index) -> set[Address]:
    match change:
        case Delete():
            return _before_delete(change, index)
        case Forget():
            return set()
        case Create() | Update() | Replace() | Adopt():
            return ((_ends(change) | needed_ids(change)) & index.made) | _contact_makers(change, index)


def _ends(change: Change) -> set[Address]:
    """What a relation joins."""
    resource = change.desired
    if resource is None:
        return set()
    if resource.link is not None:
        return _declared(resource.link.campaign) | _declared(resource.link.list)
    if resource.members is not None:
        return _declared(resource.members.of)
    return set()


def needed_ids(change: Change) -> set[Address]:
    """The resources whose ids the calls of a change need."""
    found: set[Address] = set()
    for step in change.steps:
        _look(step.call.path, found)
        _look((step.call.body, *[part.entry for part in step.parts]), found)
    found.discard(change.address)
    return found


def _look(values: Iterable[object], found: set[Address]) -> None:
    for value in values:
        if value.__class__ is str:  # as nearly everything is
            continue
        match value:
            case Ref(address):
                found.add(address)
            case Each(item):
                _look((item,), found)
            case tuple():
                _look(value, found)
            case dict():
                _look(value.values(), found)


def _contact_makers(change: Change, index: _Index) -> set[Address]:
    """The memberships that create contacts which this one adds: a contact is created once."""
    members = change.members
    if members is None or not members.add or not index.creating:
        return set()
    waiting = members.add.where("contact_id", {None, ""}).without(members.create)
    if not waiting:
        return set()
    makers = index.makers.within(waiting)
    return {Address.parse(maker) for maker in makers.column(_MAKER) if maker is not None}


def _before_delete(change: Delete, index: _Index) -> set[Address]:
    """What hangs on an object goes before the object: links, then members, then the list."""
    if change.address.kind is not Kind.LIST:
        return set()
    return {c.address for c in index.hanging.get(change.remote_id, ()) if c.carried_by != change.address}


def _hanging(changes: tuple[Change, ...], world: World) -> dict[RemoteId | None, list[Delete]]:
    """See ``_Index``. Of a membership the remote id is that of its list."""
    lists_of: dict[RemoteId, set[RemoteId]] = {}
    for link in world.live.links.values():
        lists_of.setdefault(link.campaign, set()).add(link.list)
    hanging: dict[RemoteId | None, list[Delete]] = {}
    for change in (c for c in changes if isinstance(c, Delete)):
        for list_id in _held(change, lists_of, world):
            hanging.setdefault(list_id, []).append(change)
    return hanging


def _held(change: Delete, lists_of: Mapping[RemoteId, set[RemoteId]], world: World) -> Iterable[RemoteId | None]:
    """The lists that stay until ``change`` is done."""
    remote_id = change.remote_id
    match change.address.kind:
        case Kind.MEMBERSHIP:
            return (remote_id,)
        case Kind.ASSOCIATION if remote_id is not None and (live := world.live.links.get(remote_id)) is not None:
            return (live.list,)
        case Kind.CAMPAIGN if remote_id is not None:
            return lists_of.get(remote_id, ())
        case _:
            return ()


def _arms_after(change: Change, index: _Index) -> set[Address]:
    """Everything that decides whom a campaign reaches: its links, their lists, and the members of those."""
    links = index.links.get(change.address, [])
    lists = set().union(*(_declared(r.link.list) for r in links if r.link is not None))
    members = set().union(*(index.members.get(a, []) for a in lists))
    reached = {r.address for r in links} | lists | members | index.leaving
    carried = index.carried.get(change.address, [])
    # What is linked by its own call was linked elsewhere before: that must have ended.
    reached |= {a for c in carried if _relinks(index.planned[c]) for a in index.planned[c].requires}
    return reached - set(carried)


def steps_in_order(changes: tuple[Change, ...]) -> tuple[tuple[Change, Step], ...]:
    """Every step in the order of application: account, then phase, then as the plan is sorted."""
    listed = [(c.address.account, s.phase, i, c, s) for i, c in enumerate(changes) for s in c.steps]
    return tuple((c, s) for _, _, _, c, s in sorted(listed, key=lambda x: x[:3]))
