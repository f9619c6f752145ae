"""Guards: what looks like an accident is refused before the first write, each with the one flag that lifts it."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.addresses import Kind
from reconciler.model.inventory import LastRead
from reconciler.plan.binding import OBJECTS
from reconciler.plan.changes import Change, Delete, GuardFinding, Replace, people_reached
from reconciler.plan.rules import World

PERCENT_DELETES_FROM = 3
PERCENT_REMOVALS_FROM = 20
"""Below these a percentage says nothing: one of two is half."""

SHRUNK_BELOW = 0.8
SHRUNK_OBJECTS = 3
SHRUNK_MEMBERS = 20
EMPTIED_MEMBERS = 10
"""A list that lost this many is shrunk even when fewer than ``SHRUNK_MEMBERS`` are gone, if nobody is left on it."""


def guard(changes: tuple[Change, ...], world: World, *, several_accounts: bool) -> tuple[GuardFinding, ...]:
    """What would be refused in this account with the exceptions that are armed, in a fixed order."""
    if not changes:
        return ()
    prefix = f"{world.account.name}:" if several_accounts else ""
    findings = (
        *_deletes(changes, world, prefix),
        *_removals(changes, world, prefix),
        *_emptied(changes, world),
        *_reach(changes, world, prefix),
        *_shrunk(world),
    )
    return tuple(findings)


def _deletes(changes: tuple[Change, ...], world: World, prefix: str) -> Iterator[GuardFinding]:
    account, limits = world.account.name, world.account.guards
    count = sum(c.deletes for c in changes)
    whole = sum(1 for c in changes if c.deletes and c.address.kind in OBJECTS)
    owned = sum(1 for o in world.inventory.of(account) if o.address.kind in OBJECTS)
    share = 100.0 * whole / owned if owned else 0.0
    if count <= world.allows.up_to("deletes", account):
        return
    common = {"guard": "deletes", "account": account, "lift": f"{prefix}deletes={count}"}
    if count > limits.deletes_count:
        yield GuardFinding(
            **common,
            actual=count,
            limit=limits.deletes_count,
            message=f"{count} deletes in {account}, more than {limits.deletes_count}",
        )
    elif whole >= PERCENT_DELETES_FROM and share > limits.deletes_percent:
        yield GuardFinding(
            **common,
            actual=share,
            limit=limits.deletes_percent,
            message=f"{whole} of the {owned} lists and campaigns we own in {account} would be deleted "
            f"({share:.0f} %, more than {limits.deletes_percent:g} %)",
        )


def _removed(change: Change) -> int:
    """How many people a change takes off a list, those left out whom a suppression protects."""
    return len(change.members.remove) - len(change.members.protective) if change.members else 0


def _removals(changes: tuple[Change, ...], world: World, prefix: str) -> Iterator[GuardFinding]:
    account, limits = world.account.name, world.account.guards
    total = sum(_removed(c) for c in changes)
    if total <= world.allows.up_to("removals", account):
        return
    lift = f"{prefix}removals={total}"
    if total > limits.removals_count:
        yield GuardFinding(
            guard="removals",
            account=account,
            actual=total,
            limit=limits.removals_count,
            message=f"{total} people would be taken off lists in {account}, more than {limits.removals_count}",
            lift=lift,
        )
        return
    for change in changes:
        removed = _removed(change)
        live = change.members.live_count if change.members else 0
        share = 100.0 * removed / live if live else 0.0
        if removed >= PERCENT_REMOVALS_FROM and share > limits.removals_percent:
            yield GuardFinding(
                guard="removals",
                account=account,
                actual=share,
                limit=limits.removals_percent,
                message=f"{change.address}: {removed} of {live} people would be taken off "
                f"({share:.0f} %, more than {limits.removals_percent:g} %)",
                lift=lift,
            )


def _emptied(changes: tuple[Change, ...], world: World) -> Iterator[GuardFinding]:
    for change in changes:
        members = change.members
        if members is None or not _removed(change) or world.allows.names("empty", str(change.address)):
            continue
        if members.live_count and members.live_count - len(members.remove) + len(members.add) <= 0:
            yield GuardFinding(
                guard="empty",
                account=world.account.name,
                actual=0,
                limit=1,
                message=f"{change.address}: nobody would be left of {members.live_count} people",
                lift=f"empty={change.address}",
            )


def _reach(changes: tuple[Change, ...], world: World, prefix: str) -> Iterator[GuardFinding]:
    limit = world.account.guards.max_reach
    if limit is None:
        return
    reach = people_reached(changes)
    if reach > limit and reach > world.allows.up_to("reach", world.account.name):
        yield GuardFinding(
            guard="reach",
            account=world.account.name,
            actual=reach,
            limit=limit,
            message=f"{reach} people in {world.account.name} could newly be contacted, more than {limit}",
            lift=f"{prefix}reach={reach}",
        )


def _shrunk(world: World) -> Iterator[GuardFinding]:
    account = world.account.name
    if world.allows.names("shrink", account):
        return
    if finding := _vanished(world):
        yield finding
        return
    if (last := world.inventory.last_reads.get(account)) is None:
        return
    for what, before, now, floor in _counts(world, last):
        lost = before - now
        emptied = now == 0 and before >= EMPTIED_MEMBERS
        if now < SHRUNK_BELOW * before and (lost >= floor or emptied):
            yield GuardFinding(
                guard="shrink",
                account=account,
                actual=now,
                limit=before,
                message=f"{account}: {what} went from {before} at the last apply to {now}; if the provider hides "
                "some, acting on it would create and contact again",
                lift=f"shrink={account}",
            )


def _vanished(world: World) -> GuardFinding | None:
    """An account that does not tell whose it is and shows nothing of what we own: another one, for all we know."""
    pinned = world.inventory.identities.get(world.account.name, "")
    owned = [o for o in world.inventory.of(world.account.name) if o.address.kind in OBJECTS]
    if not owned or not pinned or pinned.endswith("=?") or not world.live.identity.endswith("=?"):
        return None
    if any((o.address.kind, o.remote_id) in world.live.objects for o in owned):
        return None
    return GuardFinding(
        guard="shrink",
        account=world.account.name,
        actual=0,
        limit=len(owned),
        message=f"{world.account.name}: nothing of what we own is there, and nothing tells whether it still is "
        f"{pinned}; look whether the credentials are those of another account",
        lift=f"shrink={world.account.name}",
    )


def _counts(world: World, last: LastRead) -> Iterator[tuple[str, int, int, int]]:
    for kind in OBJECTS:
        before = last.objects.get(kind, 0)
        now = sum(1 for k, _ in world.live.objects if k is kind)
        yield f"the number of {kind.lower()}s", before, now, SHRUNK_OBJECTS
    for remote_id in sorted(last.members):
        if (members := world.live.members.get(remote_id)) is not None:
            name = _list_name(world, remote_id)
            yield f"the members of {name}", last.members[remote_id], members.count, SHRUNK_MEMBERS


def _list_name(world: World, remote_id: str) -> str:
    for address, observed in sorted(world.bound.items()):
        if observed.remote_id == remote_id:
            return str(address)
    return f"list {remote_id}"


def counted_deletes(change: Change) -> int:
    """What the delete guard counts for a change: whole objects and dissociations. To be asked before compiling, when
    only what goes with its campaign or list is carried by another change."""
    if change.carried_by is not None:
        return 0
    match change:
        case Replace():
            return 1
        case Delete():
            return int(change.address.kind is not Kind.MEMBERSHIP)
        case _:
            return 0
