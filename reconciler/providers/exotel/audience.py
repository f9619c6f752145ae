"""A plan's changes by the campaign they are about, and the people on lists once it is applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import OPTED_OUT, Observed
from reconciler.model.resources import Resource
from reconciler.plan.calls import Ref, Target
from reconciler.plan.changes import Change, Create, Delete, Reach
from reconciler.plan.rules import World
from reconciler.providers.exotel.convert import OPEN, lists_of, status_of


@dataclass(slots=True)
class Case:
    """All that a plan does to one campaign. ``change`` is the campaign's own change, if there is one; ``declared`` its
    manifest, also where nothing of it changes."""

    target: Target
    live: Observed | None
    declared: Resource | None = None
    change: Change | None = None
    adds: list[Change] = field(default_factory=list)
    removes: list[Change] = field(default_factory=list)

    @property
    def links(self) -> list[Change]:
        return [*self.adds, *self.removes]

    @property
    def wanted_state(self) -> str:
        """The state that the campaign is to be brought into; empty where that does not change."""
        deltas = self.change.deltas if self.change is not None and not isinstance(self.change, Delete) else ()
        return next((str(d.desired) for d in deltas if d.path == "state"), "")

    @property
    def ends(self) -> bool:
        """Whether the campaign is over once the plan is applied."""
        return isinstance(self.change, Delete) or self.wanted_state in ("completed", "archived")


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


def cases(changes: tuple[Change, ...], world: World) -> dict[Target, Case]:
    """The changes by the campaign they are about, in the plan's order."""
    found: dict[Target, Case] = {}
    declared = {
        o.remote_id: world.desired.resources[a]
        for a, o in world.bound.items()
        if a.kind is Kind.CAMPAIGN and a in world.desired.resources
    }

    def case(target: Target) -> Case:
        if isinstance(target, Ref):
            return found.setdefault(target, Case(target, None, world.desired.resources.get(target.address)))
        live = world.live.objects.get((Kind.CAMPAIGN, target))
        return found.setdefault(target, Case(target, live, declared.get(target)))

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
    return found


def list_of(change: Change, world: World) -> Target | None:
    """The list that a membership change is about; None when there is none any more."""
    if change.desired is not None and change.desired.members is not None:
        return world.target(change.desired.members.of)
    return change.remote_id


class People:
    """Who is on a list once the plan's membership changes are made, and which campaigns call them."""

    def __init__(self, changes: tuple[Change, ...], world: World, found: dict[Target, Case]) -> None:
        self._world = world
        self._changes: dict[Target, list[Change]] = {}
        for change in changes:
            if change.address.kind is Kind.MEMBERSHIP and change.members is not None:
                target = list_of(change, world)
                if target is not None:
                    self._changes.setdefault(target, []).append(change)
        self._feeds: dict[Target, list[Observed]] = {}
        for (kind, remote_id), live in sorted(world.live.objects.items()):
            if kind is Kind.CAMPAIGN and status_of(live) in OPEN:
                case = found.get(remote_id)
                leaving = {e.list for c in (case.removes if case else []) if (e := ends(c, world)) is not None}
                if case is None or not case.ends:
                    for x in lists_of(live) - leaving:
                        self._feeds.setdefault(RemoteId(x), []).append(live)

    def makers(self, target: Target) -> tuple[Address, ...]:
        """The membership changes of a list that add or keep people."""
        return tuple(c.address for c in self._changes.get(target, []) if not isinstance(c, Delete))

    def campaigns(self, target: Target) -> list[Observed]:
        """The live campaigns that have the list after the plan and are not over, sorted by id."""
        return self._feeds.get(target, [])

    def on(self, target: Target) -> Reach:
        """Everybody on the list."""
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


def using(list_id: RemoteId, people: People) -> Iterator[str]:
    """Names of the campaigns that keep a list from being deleted."""
    for live in people.campaigns(list_id):
        yield live.name
