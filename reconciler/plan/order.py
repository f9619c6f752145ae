"""The order of application: what must be done before what, and one total order to show and to run by.

lists -> contacts -> memberships -> campaigns -> associations -> publish        ("arm last")
deletes run that backwards, after everything else
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.resources import Declared, Reference
from reconciler.plan.calls import Phase, Ref, Step
from reconciler.plan.changes import Adopt, Change, Create, Delete, Forget, Replace, Update
from reconciler.plan.rules import World

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


def position(change: Change) -> tuple[str, int, Address]:
    """The sort key of a change: account, then phase, then address."""
    table = _BACKWARD if isinstance(change, Delete) else _FORWARD
    return (change.address.account, table[change.address.kind], change.address)


def in_order(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=position))


def with_requirements(changes: tuple[Change, ...], world: World) -> tuple[Change, ...]:
    """Every change with what it must wait for, besides what its provider already said; only what is in the plan."""
    planned = {c.address: c for c in changes}
    made = {a for a, c in planned.items() if isinstance(c, Create | Replace)}
    result: list[Change] = []
    for change in changes:
        needs = set(change.requires) | (_needs(change, planned, made, world))
        needs &= planned.keys() - {change.address}
        arms = set(change.arm_after) | (_arms_after(change, planned, world) if _has_arm(change) else set())
        arms &= planned.keys() - {change.address}
        result.append(replace(change, requires=tuple(sorted(needs)), arm_after=tuple(sorted(arms - needs))))
    return tuple(result)


def _has_arm(change: Change) -> bool:
    return any(s.phase is Phase.ARM for s in change.steps)


def _declared(reference: Reference) -> set[Address]:
    return {reference.address} if isinstance(reference, Declared) else set()


def _needs(change: Change, planned: dict[Address, Change], made: set[Address], world: World) -> set[Address]:
    match change:
        case Delete():
            return _before_delete(change, planned, world)
        case Forget():
            return set()
        case Create() | Update() | Replace() | Adopt():
            return (_ends(change) & made) | (_refs(change) & made) | _contact_makers(change, planned)


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


def _refs(change: Change) -> set[Address]:
    """The resources whose ids the calls of a change need."""

    def within(value: object) -> set[Address]:
        match value:
            case Ref(address):
                return {address}
            case tuple():
                return set().union(*(within(v) for v in value))
            case dict():
                return set().union(*(within(v) for v in value.values()))
            case _:
                return set()

    return set().union(*(within(s.call.path) | within(s.call.body) for s in change.steps)) - {change.address}


def _contact_makers(change: Change, planned: dict[Address, Change]) -> set[Address]:
    """The memberships that create contacts which this one adds: a contact is created once."""
    members = change.members
    if members is None or not members.add:
        return set()
    waiting = members.add.where("contact_id", {None, ""}).without(members.create)
    if not waiting:
        return set()
    return {
        a
        for a, other in planned.items()
        if a != change.address and other.members is not None and other.members.create.within(waiting)
    }


def _before_delete(change: Delete, planned: dict[Address, Change], world: World) -> set[Address]:
    """What hangs on an object goes before the object: links, then members, then the list."""
    remote_id = change.remote_id
    if change.address.kind is Kind.LIST:
        campaigns = {x.campaign for x in world.live.links.values() if x.list == remote_id}
        return {
            a
            for a, c in planned.items()
            if isinstance(c, Delete)
            and c.carried_by != change.address
            and (_hangs_on(c, remote_id, world) or (a.kind is Kind.CAMPAIGN and c.remote_id in campaigns))
        }
    return set()


def _hangs_on(change: Change, list_id: RemoteId | None, world: World) -> bool:
    match change.address.kind:
        case Kind.MEMBERSHIP:
            return change.remote_id == list_id
        case Kind.ASSOCIATION:
            live = world.live.links.get(change.remote_id) if change.remote_id is not None else None
            return live is not None and live.list == list_id
        case _:
            return False


def _arms_after(change: Change, planned: dict[Address, Change], world: World) -> set[Address]:
    """Everything that decides whom a campaign reaches: its links, their lists, and the members of those."""
    lists: set[Address] = set()
    links: set[Address] = set()
    for resource in world.desired.of(world.account.name, Kind.ASSOCIATION):
        if resource.link is not None and resource.link.campaign == Declared(change.address):
            links.add(resource.address)
            lists |= _declared(resource.link.list)
    members = {
        r.address
        for r in world.desired.of(world.account.name, Kind.MEMBERSHIP)
        if r.members is not None and _declared(r.members.of) & lists
    }
    leaving = {a for a, c in planned.items() if isinstance(c, Delete) and a.kind in (Kind.ASSOCIATION, Kind.MEMBERSHIP)}
    carried = {a for a, c in planned.items() if c.carried_by == change.address}
    return (lists | links | members | leaving) - carried


def steps_in_order(changes: tuple[Change, ...]) -> tuple[tuple[Change, Step], ...]:
    """Every step in the order of application: account, then phase, then as the plan is sorted."""
    listed = [(c.address.account, s.phase, i, c, s) for i, c in enumerate(changes) for s in c.steps]
    return tuple((c, s) for _, _, _, c, s in sorted(listed, key=lambda x: x[:3]))
