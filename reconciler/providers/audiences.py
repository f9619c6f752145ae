"""A plan's changes by the campaign they are about, where a campaign has its lists in a field of its own.

There is no call for one association then: all that a plan does to one campaign, its fields and its lists, is compiled
together, and a call of one change carries the others. Pure, and the same whatever the provider's fields and states are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import ContactClass
from reconciler.model.live import OPTED_OUT, Observed
from reconciler.model.resources import Resource
from reconciler.plan.calls import Phase, Ref, Target
from reconciler.plan.changes import Adopt, Change, Create, Delete, Delta, Forget, Reach, Update
from reconciler.plan.rules import World


class Case(Struct):
    """All that a plan does to one campaign. ``change`` is the campaign's own change, if there is one; ``declared`` its
    manifest, also where nothing of it changes."""

    target: Target
    live: Observed | None
    declared: Resource | None = None
    change: Change | None = None
    adds: list[Change] = field(default_factory=list)
    removes: list[Change] = field(default_factory=list)

    def awaiting(self, carrier: Change) -> Change:
        """The change that has the call, after the links of other campaigns that move here have gone.

        A campaign that is not armed, or is stopped by the same plan, reaches nobody by them: it waits no further than
        with arming. Its early steps could not wait for what is unlinked, which comes after all that adds.
        """
        moved = {a for link in self.adds for a in link.requires if a.kind is Kind.ASSOCIATION}
        moved -= {link.address for link in self.removes}
        if not moved:
            return carrier
        if any(step.phase < Phase.ASSOCIATION for step in carrier.steps):
            return replace(carrier, arm_after=tuple(sorted({*carrier.arm_after, *moved})))
        return replace(carrier, requires=tuple(sorted({*carrier.requires, *moved})))

    @property
    def links(self) -> list[Change]:
        return [*self.adds, *self.removes]

    @property
    def changes(self) -> list[Change]:
        return [*([self.change] if self.change is not None else []), *self.links]

    @property
    def deltas(self) -> tuple[Delta, ...]:
        """What differs of a campaign that stays."""
        return self.change.deltas if isinstance(self.change, Update | Adopt) else ()

    @property
    def about(self) -> Resource | Address:
        """What a diagnostic about the case is placed at."""
        first = self.changes[0]
        return first.desired or first.address

    @property
    def undone(self) -> list[str]:
        """The words for what would have been done to a campaign that cannot change any more."""
        return [d.path for d in self.deltas] + ([f"{len(self.links)} associations"] if self.links else [])


class Result(Struct):
    """Compiled changes by address (None: nothing is to be done after all), and what must be said."""

    changes: dict[Address, Change | None] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def keep(self, *changes: Change) -> None:
        self.changes.update({c.address: c for c in changes})

    def drop(self, *changes: Change) -> None:
        self.changes.update(dict.fromkeys(c.address for c in changes))

    def say(self, diagnostic: Diagnostic) -> None:
        self.diagnostics.append(diagnostic)

    def refuse(self, case: Case, diagnostic: Diagnostic) -> None:
        """Nothing of the case is done; the changes stay without calls, so that a reader sees what was meant."""
        self.say(diagnostic)
        self.keep(*case.changes)

    def leave(self, case: Case, why: str, world: World) -> None:
        """A campaign that cannot change any more stays as it is; ``why`` it lets go of associations."""
        if isinstance(case.change, Update):
            self.drop(case.change)
        elif case.change is not None:
            self.keep(replace(case.change, deltas=()))
        self.drop(*case.adds)
        for link in case.removes:
            if link.address not in world.inventory.owned:
                # It has moved to another campaign, and stays in the history of this one.
                self.drop(link)
                continue
            reason = f"no longer declared, and {why}"
            self.keep(Forget(address=link.address, provider=link.provider, reason=reason, remote_id=link.remote_id))


class Ends(Struct, frozen=True):
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


def lists_of(changes: Iterable[Change], world: World) -> set[Target]:
    """The lists that association changes are about."""
    return {joined.list for c in changes if (joined := ends(c, world)) is not None}


def list_of(change: Change, world: World) -> Target | None:
    """The list that a membership change is about; None when there is none any more."""
    if change.desired is not None and change.desired.members is not None:
        return world.target(change.desired.members.of)
    return change.remote_id


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


def lists_after(
    case: Case, before: Iterable[str], world: World, key: Callable[[RemoteId], str | int] = str
) -> list[Target]:
    """The campaign's lists once the case is done: known ids in the order of ``key``, then those yet to be created.

    A list that is gone leaves its id behind; it reaches nobody, and writing it back would be refused.
    """
    kept = {RemoteId(x) for x in before if (Kind.LIST, RemoteId(x)) in world.live.objects}
    added = lists_of(case.adds, world)
    known = {x for x in (*kept, *added) if not isinstance(x, Ref)} - lists_of(case.removes, world)
    refs = {x for x in added if isinstance(x, Ref)}
    return [*sorted(known, key=key), *sorted(refs, key=lambda r: r.address)]


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
        if isinstance(target, Ref) or (live is not None and live.readable):
            return Reach(numbers=people)
        return Reach(numbers=people, uncounted=live.count if live is not None else 0, unread=frozenset({target}))

    def on_all(self, targets: Iterable[Target]) -> Reach:
        reaches = [self.on(t) for t in targets]
        numbers = ContactSet.union_of(r.numbers for r in reaches)
        unread = frozenset().union(*(r.unread for r in reaches))
        return Reach(numbers=numbers, uncounted=sum(r.uncounted for r in reaches), unread=unread)

    def newly_reached(self, change: Change, before: Iterable[str]) -> Change:
        """An association with those whom its campaign, which had the lists ``before``, reaches only through it."""
        joined = ends(change, self._world)
        if joined is None or not isinstance(change, Create):
            return change
        reach = self.on(joined.list)
        numbers = reach.numbers.without(self.on_all(RemoteId(x) for x in sorted(before)).numbers)
        return replace(change, reach=replace(reach, numbers=numbers))

    def settled_first(self, change: Change, lists: Iterable[Target]) -> Change:
        """A change after which these lists count: who is on them is settled before."""
        waits = {a for x in lists for a in self.makers(x)} - {change.address}
        return replace(change, requires=tuple(sorted({*change.requires, *waits})))


def carried(case: Case, carrier: Change, people: People, before: Iterable[str] | None = None) -> list[Change]:
    """The associations whose work ``carrier`` does. Where the campaign reaches people already, through the lists
    ``before``, each of them decides who else is reached, so each has the class that needs approval by name."""
    others = [link for link in case.links if link.address != carrier.address]
    if before is None:
        return [replace(link, carried_by=carrier.address, contact_class=ContactClass.SILENT) for link in others]
    weight = ContactClass.STARTS_CONTACTING
    return [
        people.newly_reached(replace(link, carried_by=carrier.address, contact_class=weight), before) for link in others
    ]
