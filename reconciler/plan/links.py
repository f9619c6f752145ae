"""Decisions about associations (list feeds campaign).

An association that names other ends than the link it stands for is two changes: the old link goes, under a name of its
own, and the new one is made once it has gone. Until then the inventory has the old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, warning
from reconciler.model.addresses import Address, Kind, RemoteId, link_id
from reconciler.model.inventory import Owned
from reconciler.model.kinds import KindRules, Refusal
from reconciler.model.live import LiveLink
from reconciler.model.resources import ById, Declared, OnRemove, Reference, Resource
from reconciler.plan.binding import orphans, ownership
from reconciler.plan.calls import Ref, Target
from reconciler.plan.changes import Adopt, Change, Create, Delete, Delta, Forget, Update
from reconciler.plan.fields import as_new, diff, normalised
from reconciler.plan.objects import Decisions, about
from reconciler.plan.rules import World
from reconciler.plan.selection import Selection


def decide_links(world: World, rules: KindRules, selection: Selection, deleted: frozenset[Address]) -> Decisions:
    """Every association of the account. ``deleted`` are campaigns and lists that this plan deletes."""
    work = _Links(world=world, rules=rules, going={o.remote_id: a for a, o in world.bound.items() if a in deleted})
    out = work.out
    for resource in world.desired.of(world.account.name, Kind.ASSOCIATION):
        if selection.covers(resource.address, resource):
            work.decide(resource, selection)
    work.refuse_trades()
    for owned in orphans(world.account.name, world.desired, world.inventory):
        if owned.address.kind is Kind.ASSOCIATION and selection.covers(owned.address, None):
            if owned.protect:
                out.diagnostics.append(kept_protected(owned, "the link"))
            else:
                out.changes.append(work.orphaned(owned))
    return out


class _Move(Struct, frozen=True, kw_only=True):
    """An association whose link joins something else than it declares; ``campaign`` is the one that it feeds now."""

    resource: Resource
    old: LiveLink
    campaign: Target


class _Links(Struct, kw_only=True):
    """One account's associations. ``going`` are the lists and campaigns that this plan deletes, by id."""

    world: World
    rules: KindRules
    going: Mapping[RemoteId, Address]
    out: Decisions = field(default_factory=Decisions)
    _moves: list[_Move] = field(default_factory=list)
    _declared: frozenset[RemoteId] | None = None
    _names: Mapping[tuple[Kind, RemoteId], str] = field(default_factory=dict)

    def decide(self, resource: Resource, selection: Selection) -> None:
        world, out, rules, link = self.world, self.out, self.rules, resource.link
        if link is None:
            raise ValueError(f"{resource.address} has no ends")
        campaign = reachable(resource, link.campaign, Kind.CAMPAIGN, world, selection, out)
        list_id = reachable(resource, link.list, Kind.LIST, world, selection, out)
        if campaign is None or list_id is None:
            return
        live, remote_id = None, None
        if not isinstance(campaign, Ref) and not isinstance(list_id, Ref):
            remote_id = link_id(campaign, list_id)
            live = world.live.links.get(remote_id)
        if resource.lifecycle.observe:
            if live is None or diff(live.fields, resource.fields, rules.fields, resource.lifecycle.ignore):
                out.note(resource, "observed-drift", "observed only: the live link is not there or differs")
            return
        known = ownership(resource, world.desired, world.inventory)
        old = self._elsewhere(resource, known)
        if old is None:
            if (change := self._as_declared(resource, known, live, remote_id)) is not None:
                out.changes.append(change)
        elif known is not None and self._may_move(resource, known, old):
            self._decide_moved(_Move(resource=resource, old=old, campaign=campaign), known, live, remote_id)

    def _as_declared(
        self, resource: Resource, known: Owned | None, live: LiveLink | None, remote_id: RemoteId | None
    ) -> Change | None:
        """What makes the link as it is declared; None where nothing is to be done, or nothing can be."""
        out, rules = self.out, self.rules
        if live is None:
            if isinstance(rules.create, Refusal):
                out.refuse(resource, rules.create.code, rules.create.reason, rules.create.remedy)
                return None
            reason = "the list does not feed the campaign yet"
            deltas = as_new(normalised(resource.fields, rules.fields))
            return Create(**about(resource, reason, remote_id=remote_id, deltas=deltas))
        deltas = diff(live.fields, resource.fields, rules.fields, resource.lifecycle.ignore)
        common = about(resource, "", remote_id=live.remote_id, deltas=deltas)
        if deltas and rules.update is not None:
            what = ", ".join(d.path for d in deltas)
            out.refuse(resource, rules.update.code, f"cannot change {what}: {rules.update.reason}", rules.update.remedy)
        elif known is None or known.remote_id != live.remote_id or known.address != resource.address:
            return Adopt(**{**common, "reason": "linked already, and not ours yet"})
        elif deltas:
            return Update(**{**common, "reason": "its settings differ"})
        return None

    # --- other ends than before

    def _elsewhere(self, resource: Resource, known: Owned | None) -> LiveLink | None:
        """The live link that we own for it, if that joins something else than it declares now and no manifest asks for
        it. A list or campaign that is made anew is the same one."""
        old = self.world.live.links.get(known.remote_id) if known is not None else None
        if old is None or resource.link is None:
            return None
        if self._same(resource.link.campaign, old.campaign) and self._same(resource.link.list, old.list):
            return None
        return None if old.remote_id in self._wanted() else old

    def _same(self, reference: Reference, remote_id: RemoteId) -> bool:
        world = self.world
        match reference:
            case ById(named):
                return named == remote_id
            case Declared(address):
                end = world.desired.resources.get(address)
                owned = ownership(end, world.desired, world.inventory) if end is not None else None
                bound = world.bound.get(address)
                return remote_id in {o.remote_id for o in (owned, bound) if o is not None}

    def _wanted(self) -> frozenset[RemoteId]:
        """The links that manifests declare, as far as both ends exist."""
        if self._declared is None:
            resources = self.world.desired.of(self.world.account.name, Kind.ASSOCIATION)
            links = (r.link for r in resources if r.link is not None)
            ends = ((self.world.known_id(x.campaign), self.world.known_id(x.list)) for x in links)
            self._declared = frozenset(link_id(c, i) for c, i in ends if c is not None and i is not None)
        return self._declared

    def _may_move(self, resource: Resource, known: Owned, old: LiveLink) -> bool:
        refusal, moved = self.rules.delete, "it was applied with other ends, and that link is still there"
        if known.protect or resource.lifecycle.protect:
            self.out.refuse(
                resource,
                "protected-replace",
                f"{moved}: it would be taken away, and it is protected",
                "put the ends back, or set lifecycle.protect: false in a change of its own first",
            )
            return False
        if refusal is not None and not {old.campaign, old.list} & self.going.keys():
            self.out.refuse(
                resource,
                "association-moved",
                f"{moved}: {refusal.reason}",
                "take it away in the provider's portal, then plan again; or, if both links are meant, put the ends "
                "back and declare the new link under a name of its own",
            )
            return False
        return True

    def _decide_moved(self, move: _Move, known: Owned, live: LiveLink | None, remote_id: RemoteId | None) -> None:
        """Unlink, then link: a list must at no moment feed both campaigns, nor a campaign both lists."""
        resource, old = move.resource, move.old
        change = self._as_declared(resource, known, live, remote_id)
        if change is None:
            return
        deltas = self._ends_that_differ(resource, old)
        what = f"names another {' and '.join(d.path for d in deltas)} now"
        leaving = Delete(
            address=resource.address.replaced(old.remote_id),
            provider=resource.provider,
            reason=f"{resource.address.name} {what}",
            source=resource.source,
            remote_id=old.remote_id,
            deltas=deltas,
            carried_by=self.going.get(old.campaign),
        )
        if isinstance(change, Create):
            change = replace(change, reason=what, deltas=(*deltas, *change.deltas))
        self.out.changes += [leaving, replace(change, requires=(leaving.address,))]
        if old.campaign != move.campaign and leaving.carried_by is None:
            self._moves.append(move)

    def _ends_that_differ(self, resource: Resource, old: LiveLink) -> tuple[Delta, ...]:
        """What it joined and what it joins, by our names where we have them."""
        if resource.link is None:
            return ()
        if not self._names:
            self._names = {(a.kind, o.remote_id): a.name for a, o in self.world.bound.items()}

        def name(reference: Reference) -> str:
            return reference.address.name if isinstance(reference, Declared) else str(reference.remote_id)

        ends = (
            (Kind.CAMPAIGN, old.campaign, resource.link.campaign),
            (Kind.LIST, old.list, resource.link.list),
        )
        return tuple(
            Delta(path=kind.lower(), live=self._names.get((kind, was), was), desired=name(now))
            for kind, was, now in ends
            if not self._same(now, was)
        )

    def refuse_trades(self) -> None:
        """Campaigns that trade lists: whichever call comes first, a list would feed two campaigns until the other."""
        moves, self._moves = self._moves, []
        trading = _in_circles(moves)
        for move in trading:
            self.out.refuse(
                move.resource,
                "association-moved",
                "campaigns trade their lists, and one list would feed two of them in between",
                "apply one of the moves first, then the other",
            )
        gone = {a for m in trading for a in (m.resource.address, m.resource.address.replaced(m.old.remote_id))}
        self.out.changes = [c for c in self.out.changes if c.address not in gone]

    # --- no longer declared

    def orphaned(self, owned: Owned) -> Change:
        common: dict[str, Any] = {
            "address": owned.address,
            "provider": owned.provider,
            "remote_id": owned.remote_id,
        }
        live = self.world.live.links.get(owned.remote_id)
        if live is None:
            return Forget(**common, reason="no longer declared, and no longer linked")
        if (campaign := self.going.get(live.campaign)) is not None:
            return Delete(**common, carried_by=campaign, reason="goes with its campaign")
        if owned.remote_id in self._wanted():
            return Forget(**common, reason="no longer declared, and another manifest declares the same link")
        if owned.on_remove is OnRemove.DELETE:
            return Delete(**common, reason="no longer declared, and onRemove says delete")
        return Forget(**common, reason="no longer declared, and onRemove says keep")


def _in_circles(moves: Iterable[_Move]) -> list[_Move]:
    """The moves of which each has to wait for another one."""
    left, trading = list(moves), list[_Move]()
    while True:
        after: dict[Target, set[Target]] = {}
        for move in left:
            after.setdefault(move.campaign, set()).add(move.old.campaign)
        try:
            tuple(TopologicalSorter(after).static_order())
        except CycleError as circle:
            campaigns = set(circle.args[1])
            trading += (m for m in left if {m.campaign, m.old.campaign} <= campaigns)
            left = [m for m in left if m not in trading]
        else:
            return trading


def reachable(
    resource: Resource, reference: Reference, kind: Kind, world: World, selection: Selection, out: Decisions
) -> Target | None:
    """The target of a reference, or None when it is said why there is none."""
    target = world.target(reference)
    match reference:
        case ById(remote_id) if (kind, remote_id) not in world.live.objects:
            out.refuse(
                resource,
                "reference-missing",
                f"no live {kind.lower()} has the id {remote_id!r}",
                "correct the id, or declare the object and refer to it by name",
            )
            return None
        case Declared(address) if isinstance(target, Ref):
            declared = world.desired.resources.get(address)
            if declared is not None and declared.lifecycle.observe:
                out.refuse(
                    resource,
                    "observed-dependency",
                    f"needs {address}, which is only observed and does not exist",
                    f"have {address} made by hand, or take lifecycle.observe out of its manifest",
                )
                return None
            if selection.excludes(address, declared):
                out.warn(
                    resource,
                    "held-back",
                    f"held back: needs {address}, which does not exist yet and is excluded",
                    f"it follows once {address} is applied",
                )
                return None
            if not selection.covers(address, declared):
                out.refuse(
                    resource,
                    "excluded-dependency",
                    f"needs {address}, which does not exist yet and is not selected",
                    f"select {address} as well, or exclude this one",
                )
                return None
    return target


def kept_protected(owned: Owned, what: str) -> Diagnostic:
    """What is said of something ours that no manifest declares any more, and that is protected."""
    return warning(
        "protected-kept",
        f"no longer declared; {what} stay{'s' if what == 'the link' else ''} because it is protected",
        hint=f"declare it again with lifecycle.protect: false and apply, or: inventory forget {owned.address}",
        address=str(owned.address),
    )
