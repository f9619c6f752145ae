"""A plan's changes by the campaign they are about, and the people on lists once it is applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import OPTED_OUT, Observed
from reconciler.plan.calls import Ref, Target
from reconciler.plan.changes import Change, Create, Delete, Reach
from reconciler.plan.rules import World
from reconciler.providers.slicktext.convert import EDITABLE, FINISHED, ids_fact, status_of
from reconciler.providers.slicktext.memberships import list_of


@dataclass(slots=True)
class Case:
    """All that a plan does to one campaign. ``change`` is the campaign's own change, if there is one."""

    target: Target
    live: Observed | None
    change: Change | None = None
    adds: list[Change] = field(default_factory=list)
    removes: list[Change] = field(default_factory=list)

    @property
    def links(self) -> list[Change]:
        return [*self.adds, *self.removes]


@dataclass(frozen=True, slots=True)
class Ends:
    """The two ends of an association change."""

    campaign: Target
    list: Target


def ends(change: Change, world: World) -> Ends | None:
    """What an association change joins; None when it is not live and no longer declared."""
    if change.desired is not None and change.desired.link is not None:
        link = change.desired.link
        return Ends(world.target(link.campaign), world.target(link.list))
    live = world.live.links.get(change.remote_id) if change.remote_id is not None else None
    return None if live is None else Ends(live.campaign, live.list)


def cases(changes: tuple[Change, ...], world: World) -> list[Case]:
    """The changes sorted by the campaign they are about, in the plan's order."""
    found: dict[Target, Case] = {}

    def case(target: Target) -> Case:
        live = None if isinstance(target, Ref) else world.live.objects.get((Kind.CAMPAIGN, target))
        return found.setdefault(target, Case(target, live))

    for change in changes:
        if change.address.kind is Kind.CAMPAIGN:
            own = Ref(change.address) if isinstance(change, Create) else change.remote_id
            if own is not None:
                case(own).change = change
        elif change.address.kind is Kind.ASSOCIATION and change.carried_by is None:
            joined = ends(change, world)
            if joined is not None and isinstance(change, Create):
                case(joined.campaign).adds.append(change)
            elif joined is not None and isinstance(change, Delete):
                case(joined.campaign).removes.append(change)
    return list(found.values())


class People:
    """Who is on a list once the plan's membership changes are made."""

    def __init__(self, changes: tuple[Change, ...], world: World) -> None:
        self._world = world
        self._changes: dict[Target, list[Change]] = {}
        for change in changes:
            if change.address.kind is Kind.MEMBERSHIP and change.members is not None:
                target = list_of(change, world)
                if target is not None:
                    self._changes.setdefault(target, []).append(change)

    def makers(self, target: Target) -> tuple[Address, ...]:
        """The changes that put people on a list. Those that only take people off come later, and need no waiting."""
        return tuple(c.address for c in self._changes.get(target, []) if not isinstance(c, Delete))

    def on(self, target: Target) -> Reach:
        """Everybody on the list who has not opted out."""
        live = None if isinstance(target, Ref) else self._world.live.members.get(target)
        people = live.contacts.where("status", {OPTED_OUT}, keep=False).select(()) if live else ContactSet.empty()
        for change in self._changes.get(target, []):
            if change.members is not None:
                people = people.without(change.members.remove)
                people = ContactSet.union_of((people, change.members.add.select(())))
        return Reach(numbers=people, uncounted=live.count if live is not None and not live.readable else 0)

    def on_all(self, targets: list[Target]) -> Reach:
        reaches = [self.on(t) for t in targets]
        numbers = ContactSet.union_of(r.numbers for r in reaches)
        return Reach(numbers=numbers, uncounted=sum(r.uncounted for r in reaches))


def using(list_id: RemoteId, changes: tuple[Change, ...], world: World) -> Iterator[Observed]:
    """Campaigns that still have the list in their audience after the plan, and are not finished."""
    found = {c.target: c for c in cases(changes, world)}
    for (kind, remote_id), live in sorted(world.live.objects.items()):
        if kind is not Kind.CAMPAIGN or status_of(live) in FINISHED or str(list_id) not in ids_fact(live, "lists"):
            continue
        case = found.get(remote_id)
        if case is not None and isinstance(case.change, Delete):
            continue
        leaving = {e.list for c in (case.removes if case else []) if (e := ends(c, world)) is not None}
        if list_id not in leaving or status_of(live) not in EDITABLE:
            yield live
