"""Drift is found three ways: what was applied last, what is live, what Git says. Pure, and it decides nothing.

Live moved when it differs from what was applied last, Git moved when the manifest does. A field that both moved to the
same value is in order. Where nothing was ever applied, only Git can have moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, warning
from reconciler.diagnostics import in_order as diagnostics_in_order
from reconciler.model.addresses import Address, Kind, RemoteId, link_id
from reconciler.model.desired import Desired
from reconciler.model.inventory import Inventory, Owned
from reconciler.model.kinds import KindRules, MembershipRules, Refusal
from reconciler.model.live import AccountLive, Live, LiveLink, Observed
from reconciler.model.resources import Declared, Fields, OnRemove, Reference, Resource
from reconciler.plan.binding import OBJECTS, Bindings, bind, orphans, ownership
from reconciler.plan.calls import Ref
from reconciler.plan.changes import AccountRead
from reconciler.plan.drift import Accepted, Drift, DriftItem, DriftState, FieldDrift, together
from reconciler.plan.drifted_members import MemberDrift, compare_members
from reconciler.plan.fields import diff, normalised
from reconciler.plan.planner import account_problems, account_read, concerns
from reconciler.plan.rules import Rules, World
from reconciler.plan.selection import Selection
from reconciler.plan.waivers import waived


def drift(
    desired: Desired,
    live: Live,
    inventory: Inventory,
    rules: Mapping[str, Rules],
    *,
    selection: Selection,
    today: date,
    notes: tuple[Diagnostic, ...] = (),
) -> Drift:
    """Everything selected. ``today`` decides which waivers hold; an account that was not read has no items."""
    accounts: list[AccountRead] = []
    items: list[DriftItem] = []
    diagnostics: list[Diagnostic] = [*notes, *_never_applied(inventory)]
    problems = account_problems(desired, live, inventory)
    compared = 0
    for name in sorted(live.accounts):
        account, state = desired.accounts[name], live.accounts[name]
        accounts.append(account_read(account, state, desired, selection))
        if not isinstance(state, AccountLive):
            diagnostics.append(state.problem)
            continue
        if name in problems:
            diagnostics.append(problems[name])
            continue
        diagnostics.extend(n for n in state.notes if concerns(n, desired, selection))
        bindings = bind(desired, inventory, name, state.objects)
        world = World(account=account, desired=desired, live=state, inventory=inventory, bound=bindings.bound)
        comparison = _Comparison(world, bindings, rules[account.provider], selection)
        items.extend(comparison.items())
        compared += comparison.compared
        diagnostics.extend(comparison.told)
    items, told = waived(items, desired.waivers, selection, today)
    diagnostics.extend(told)
    return Drift(
        project=desired.project.name,
        environment=desired.project.environment,
        accounts=tuple(accounts),
        items=tuple(sorted(items, key=lambda i: i.address)),
        compared=compared,
        diagnostics=diagnostics_in_order(dict.fromkeys(diagnostics)),
    )


def _never_applied(inventory: Inventory) -> tuple[Diagnostic, ...]:
    if inventory.exists and inventory.owned:
        return ()
    return (
        warning(
            "nothing-applied-yet",
            "the store knows of no apply, so nothing can be told to have drifted: every difference is pending",
            hint="apply once, or point --store at the store that your applies use",
        ),
    )


class _Comparison(Struct):
    """One account's share. ``missing`` collects, by address, the relations that went with a missing object."""

    world: World
    bindings: Bindings
    rules: Rules
    selection: Selection
    compared: int = 0
    went: dict[Address, list[str]] = field(default_factory=dict)
    told: list[Diagnostic] = field(default_factory=list)

    def items(self) -> Iterator[DriftItem]:
        found = [*self._declared(), *self._orphaned(), *self._unmanaged()]
        for item in found:
            address = None if item.state is DriftState.UNMANAGED else Address.parse(item.address)
            went = self.went.get(address) if address is not None else None
            environment = self.world.desired.project.environment
            yield replace(item, dependents=tuple(sorted(went or ())), environment=environment)

    def _declared(self) -> Iterator[DriftItem]:
        for resource in self.world.desired.of(self.world.account.name):
            if not self.selection.covers(resource.address, resource):
                continue
            self.compared += 1
            if resource.members is not None:
                item = self._membership(resource)
            elif resource.link is not None:
                item = self._link(resource)
            else:
                item = self._object(resource)
            if item is not None:
                yield item

    def _object(self, resource: Resource) -> DriftItem | None:
        live = self.world.bound.get(resource.address)
        owned = ownership(resource, self.world.desired, self.world.inventory)
        rules = self.rules.kinds[resource.address.kind]
        if live is None:
            return self._absent(resource, owned, rules)
        return self._present(resource, owned, live, rules)

    def _absent(self, resource: Resource, owned: Owned | None, rules: KindRules) -> DriftItem:
        by_hand = _advice(rules.create)
        if owned is not None:
            return self._item(resource, DriftState.MISSING, "ours, and gone from the provider", by_hand=by_hand)
        if resource.lifecycle.observe or rules.read_only:
            return self._item(resource, DriftState.MISSING, "not at the provider", by_hand=by_hand)
        several = self.bindings.ambiguous.get(resource.address)
        reason = f"{len(several)} live objects have its name" if several else "not at the provider yet"
        return self._item(resource, DriftState.PENDING, reason, by_hand=by_hand)

    def _present(
        self, resource: Resource, owned: Owned | None, live: Observed | LiveLink, rules: KindRules
    ) -> DriftItem | None:
        ours = owned if owned is not None and owned.remote_id == live.remote_id else None
        fields = tuple(_fields(resource, ours, live.fields, rules))
        watched = resource.lifecycle.observe or rules.read_only
        if fields:
            replaced = resource.lifecycle.replace and rules.replace is None
            fixed = None if replaced else rules.fixed(f.path for f in fields if not f.accepted)
            return self._item(resource, together(fields), "", fields, by_hand=_advice(fixed))
        if watched or (ours is not None and ours.address == resource.address):
            return None
        if ours is not None:
            return self._item(resource, DriftState.PENDING, f"renamed from {ours.address.name} in Git")
        return self._item(resource, DriftState.PENDING, "live already, and not ours yet")

    def _link(self, resource: Resource) -> DriftItem | None:
        link = resource.link
        if link is None or self._went_with(resource, (link.campaign, link.list)):
            return None
        campaign, list_id = self.world.target(link.campaign), self.world.target(link.list)
        owned = ownership(resource, self.world.desired, self.world.inventory)
        if isinstance(campaign, Ref) or isinstance(list_id, Ref):
            return self._item(resource, DriftState.PENDING, "one of its ends does not exist yet")
        remote_id = link_id(campaign, list_id)
        live = self.world.live.links.get(remote_id)
        if live is not None:
            return self._present(resource, owned, live, self.rules.kinds[Kind.ASSOCIATION])
        if (owned is not None and owned.remote_id == remote_id) or resource.lifecycle.observe:
            return self._item(resource, DriftState.MISSING, "the list no longer feeds the campaign")
        return self._item(resource, DriftState.PENDING, "the list does not feed the campaign yet")

    def _membership(self, resource: Resource) -> DriftItem | None:
        members = resource.members
        if members is None or self._went_with(resource, (members.of,)):
            return None
        target = self.world.target(members.of)
        owned = ownership(resource, self.world.desired, self.world.inventory)
        if isinstance(target, Ref):
            return self._item(resource, DriftState.PENDING, "its list does not exist yet")
        if (live := self.world.live.members.get(target)) is not None and resource.address in live.counted:
            self.compared -= 1
            return None
        ours = owned if owned is not None and owned.parent == target else None
        found = compare_members(resource, target, ours, self.world, self.rules.membership)
        self.told.extend(found.told)
        if found.moved_live or found.moved_git:
            state = DriftState.CONFLICT if found.moved_live and found.moved_git else DriftState.DRIFTED
            state = state if found.moved_live else DriftState.PENDING
            by_hand = _members_by_hand(found, self.rules.membership)
            return self._item(resource, state, found.reason, members=found, by_hand=by_hand)
        if resource.lifecycle.observe or (ours is not None and ours.address == resource.address):
            return None
        return self._item(resource, DriftState.PENDING, "live as declared, and not ours yet")

    def _went_with(self, resource: Resource, ends: Iterable[Reference]) -> bool:
        """Whether it is gone only because something else that is declared and was ours is gone."""
        for end in ends:
            if not isinstance(end, Declared) or end.address in self.world.bound:
                continue
            parent = self.world.desired.resources.get(end.address)
            if parent is None or not self.selection.covers(parent.address, parent):
                continue
            elsewhere = parent.lifecycle.observe or self.rules.kinds[parent.address.kind].read_only
            if elsewhere or ownership(parent, self.world.desired, self.world.inventory) is not None:
                self.went.setdefault(parent.address, []).append(str(resource.address))
                return True
        return False

    def _orphaned(self) -> Iterator[DriftItem]:
        """Ours and no longer declared: Git has moved, whatever live did."""
        for owned in orphans(self.world.account.name, self.world.desired, self.world.inventory):
            if not self.selection.covers(owned.address, None):
                continue
            self.compared += 1
            if owned.protect:
                continue
            what = "an apply deletes it" if owned.on_remove is OnRemove.DELETE else "an apply lets go of it"
            yield DriftItem(
                address=str(owned.address),
                account=owned.address.account,
                provider=owned.provider,
                kind=owned.address.kind,
                state=DriftState.PENDING,
                reason=f"no longer declared; {what}",
                source=self.world.account.source,
            )

    def _unmanaged(self) -> Iterator[DriftItem]:
        """What nobody declares and nobody owns: objects, and lists that somebody else let feed a campaign of ours."""
        if not self.selection.everything and not self.selection.whole_account(self.world.account.name):
            return
        world, account = self.world, self.world.account
        ours = {(o.kind, o.remote_id) for o in world.bound.values()}
        ours |= {(o.address.kind, o.remote_id) for o in world.inventory.of(account.name)}
        for (kind, remote_id), live in sorted(world.live.objects.items()):
            if kind in OBJECTS and (kind, remote_id) not in ours:
                yield self._stranger(kind, remote_id, live.name, "nobody declares it")
        declared = {
            link_id(campaign, list_id)
            for r in world.desired.of(account.name, Kind.ASSOCIATION)
            if r.link is not None
            and (campaign := world.known_id(r.link.campaign)) is not None
            and (list_id := world.known_id(r.link.list)) is not None
        }
        campaigns = {o.remote_id: a for a, o in world.bound.items() if a.kind is Kind.CAMPAIGN}
        for remote_id, link in sorted(world.live.links.items()):
            if remote_id in declared or (Kind.ASSOCIATION, remote_id) in ours or link.campaign not in campaigns:
                continue
            feeder = world.live.objects.get((Kind.LIST, link.list))
            reason = f"nobody declares that it feeds {campaigns[link.campaign]}"
            yield self._stranger(Kind.ASSOCIATION, remote_id, feeder.name if feeder else link.list, reason)

    def _stranger(self, kind: Kind, remote_id: RemoteId, title: str, reason: str) -> DriftItem:
        account = self.world.account
        return DriftItem(
            address=f"{account.name}/{kind}/~{remote_id}",
            account=account.name,
            provider=account.provider,
            kind=kind,
            state=DriftState.UNMANAGED,
            title=title,
            reason=reason,
            source=account.source,
        )

    def _item(
        self,
        resource: Resource,
        state: DriftState,
        reason: str,
        fields: tuple[FieldDrift, ...] = (),
        members: MemberDrift | None = None,
        by_hand: str = "",
    ) -> DriftItem:
        accepted = Accepted.NO
        if resource.lifecycle.observe and state is not DriftState.PENDING:
            accepted = Accepted.OBSERVED
        elif fields and all(f.accepted for f in fields):
            accepted = Accepted.IGNORED
        return DriftItem(
            address=str(resource.address),
            account=resource.address.account,
            provider=resource.provider,
            kind=resource.address.kind,
            state=state,
            reason=reason,
            fields=fields,
            members=members,
            source=resource.source,
            accepted=accepted,
            by_hand=by_hand,
        )


def _advice(refusal: Refusal | None) -> str:
    return "" if refusal is None else refusal.remedy.rstrip(".")


def _members_by_hand(found: MemberDrift, rules: MembershipRules) -> str:
    """What a person does about people whom no apply can add, take off, change or even see."""
    if found.moved_live and not (found.appeared or found.vanished or found.changed):
        return "look at the list in the portal: the API does not tell who is on it"
    if found.strangers:
        return f"create {found.strangers} contacts there first, or set missingContacts: create"
    moved = (
        (found.appeared or found.pending_remove, rules.remove),
        (found.vanished or found.pending_add, rules.add),
        (found.changed or found.pending_change, rules.change),
    )
    return next((_advice(refusal) for people, refusal in moved if people and refusal is not None), "")


def _fields(resource: Resource, owned: Owned | None, live: Fields, rules: KindRules) -> Iterator[FieldDrift]:
    """Every managed field in which live is not what Git says."""
    before = normalised(owned.fields, rules.fields) if owned is not None else {}
    for delta in diff(live, resource.fields, rules.fields):
        name, *inner = delta.path.split(".")
        last = before.get(name)
        for key in inner:
            last = last.get(key) if isinstance(last, Mapping) else None
        known = name in before
        if not known and (resource.lifecycle.observe or rules.read_only):
            state = DriftState.DRIFTED
        elif not known or last == delta.live:
            state = DriftState.PENDING
        else:
            state = DriftState.DRIFTED if last == delta.desired else DriftState.CONFLICT
        yield FieldDrift(
            path=delta.path,
            last_applied=last,
            live=delta.live,
            desired=delta.desired,
            state=state,
            accepted=Accepted.IGNORED if name in resource.lifecycle.ignore else Accepted.NO,
        )
