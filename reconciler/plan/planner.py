"""The planner: Desired, Live and Inventory in, one Plan out. Pure: the same inputs give the same bytes anywhere."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.diagnostics import in_order as diagnostics_in_order
from reconciler.model.addresses import Address, Kind
from reconciler.model.desired import Desired
from reconciler.model.inventory import Inventory
from reconciler.model.live import AccountLive, AccountState, Live, Unread
from reconciler.model.resources import Account
from reconciler.plan.allows import Allows
from reconciler.plan.approvals import needed
from reconciler.plan.binding import OBJECTS, bind
from reconciler.plan.changes import AccountRead, Change, Create, Delete, GuardFinding, Plan, Replace, people_reached
from reconciler.plan.counted import counted_only
from reconciler.plan.guards import counted_deletes, guard
from reconciler.plan.lifecycles import to_remember
from reconciler.plan.links import decide_links
from reconciler.plan.objects import decide_objects
from reconciler.plan.order import in_order, needed_ids, with_requirements
from reconciler.plan.reached import suppressed_in_reach
from reconciler.plan.relations import decide_memberships
from reconciler.plan.renames import suggested_renames
from reconciler.plan.rules import Rules, World
from reconciler.plan.selection import Refresh, Selection


class PlanOptions(Struct, frozen=True, kw_only=True):
    """What somebody asked for on top of the manifests."""

    selection: Selection = Selection()
    allows: Allows = Allows()
    refresh: Refresh = Refresh.FULL
    notes: tuple[Diagnostic, ...] = ()
    """Warnings of the loader, to be shown with the plan."""


def plan(desired: Desired, live: Live, inventory: Inventory, rules: Mapping[str, Rules], options: PlanOptions) -> Plan:
    """Every account's decisions, compiled to calls, ordered, guarded. ``rules`` is by provider name.

    An account that was not read whole gets a diagnostic and no change.
    """
    accounts: list[AccountRead] = []
    changes: list[Change] = []
    diagnostics: list[Diagnostic] = list(options.notes)
    guards: list[GuardFinding] = []
    unmanaged: list[tuple[str, str, int]] = []
    diagnostics.extend(_undeclared(desired, inventory))
    problems = account_problems(desired, live, inventory)
    for name in sorted(live.accounts):
        account, state = desired.accounts[name], live.accounts[name]
        accounts.append(account_read(account, state, desired, options.selection))
        if isinstance(state, Unread):
            diagnostics.append(state.problem)
            continue
        if name in problems:
            diagnostics.append(problems[name])
            continue
        part = _plan_account(account, state, desired, inventory, rules[account.provider], options, len(live.accounts))
        changes.extend(part.changes)
        notes = (n for n in state.notes if concerns(n, desired, options.selection))
        diagnostics.extend((*notes, *part.diagnostics))
        guards.extend(part.guards)
        unmanaged.extend(part.unmanaged)
    ordered = in_order(tuple(changes))
    return Plan(
        project=desired.project.name,
        environment=desired.project.environment,
        accounts=tuple(accounts),
        changes=ordered,
        diagnostics=diagnostics_in_order(dict.fromkeys(diagnostics)),
        guards=tuple(guards),
        reach=people_reached(ordered),
        digest_inputs=(desired.inputs_digest, *([options.refresh] if options.refresh is not Refresh.FULL else [])),
        unmanaged=tuple(unmanaged),
    )


def concerns(note: Diagnostic, desired: Desired, selection: Selection) -> bool:
    """Whether what a read had to say is about something that is planned: what is excluded blocks nothing."""
    try:
        address = Address.parse(note.address)
    except ValueError:
        return True
    return selection.covers(address, desired.resources.get(address))


class _Part(Struct, frozen=True, kw_only=True):
    """One account's share of a plan."""

    changes: tuple[Change, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    guards: tuple[GuardFinding, ...] = ()
    unmanaged: tuple[tuple[str, str, int], ...] = ()


def _plan_account(
    account: Account,
    live: AccountLive,
    desired: Desired,
    inventory: Inventory,
    rules: Rules,
    options: PlanOptions,
    accounts: int,
) -> _Part:
    bindings = bind(desired, inventory, account.name, live.objects)
    world = World(
        account=account,
        desired=desired,
        live=live,
        inventory=inventory,
        bound=bindings.bound,
        allows=options.allows,
    )
    selection = options.selection
    objects = decide_objects(world, bindings, dict(rules.kinds), selection)
    replaced = {c.address for c in objects.changes if isinstance(c, Replace)}
    deleted = frozenset(c.address for c in objects.changes if isinstance(c, Delete))
    # What is replaced is about to be another object: whatever refers to it refers to the new one.
    world = replace(world, bound={a: o for a, o in bindings.bound.items() if a not in replaced})
    decisions = [objects]
    if (link_rules := rules.kinds.get(Kind.ASSOCIATION)) is not None:
        decisions.append(decide_links(world, link_rules, selection, deleted))
    suppressed = desired.suppressed(account.name)
    decisions.append(decide_memberships(world, rules.membership, selection, suppressed, deleted))
    decided = in_order(tuple(_with_deletes(c) for d in decisions for c in d.changes))
    compiled = rules.compile(decided, world)
    changes = with_requirements(compiled.changes, world)
    changes = tuple(replace(c, approvals=needed(c)) for c in changes)
    found = (
        *(x for d in decisions for x in d.diagnostics),
        *compiled.diagnostics,
        *suggested_renames(objects.changes, world, rules.kinds),
        *suppressed_in_reach(changes, suppressed, inventory),
    )
    busy = {str(c.address) for c in changes} | {d.address for d in found if d.blocking}
    found = (*found, *to_remember(busy, world, selection))
    if not any(d.blocking for d in found):
        found = (*found, *_unplanned_needs(changes))
    return _Part(
        changes=changes,
        diagnostics=found,
        guards=guard(changes, world, several_accounts=accounts > 1),
        unmanaged=_unmanaged(world),
    )


def _with_deletes(change: Change) -> Change:
    counted = counted_deletes(change)
    return replace(change, deletes=counted) if counted else change


def account_problems(desired: Desired, live: Live, inventory: Inventory) -> dict[str, Diagnostic]:
    """Why an account that was read may not be compared, by account: another one than before, or declared twice."""
    twins = _twins(live)
    problems: dict[str, Diagnostic] = {}
    for name, state in live.accounts.items():
        account = desired.accounts[name]
        if name in twins:
            problems[name] = _same_account(account, twins[name])
        elif isinstance(state, AccountLive) and (other := _other_account(account, state, inventory)):
            problems[name] = other
    return problems


def _twins(live: Live) -> dict[str, tuple[str, ...]]:
    """Accounts that turn out to be one and the same: each would take the other's objects for strangers."""
    by_identity: dict[str, list[str]] = {}
    for name, state in live.accounts.items():
        if isinstance(state, AccountLive) and not state.identity.endswith("=?"):
            by_identity.setdefault(state.identity, []).append(name)
    return {n: tuple(sorted(names)) for names in by_identity.values() if len(names) > 1 for n in names}


def _same_account(account: Account, names: tuple[str, ...]) -> Diagnostic:
    others = ", ".join(n for n in names if n != account.name)
    return error(
        "same-account",
        f"account {account.name!r} is the same account at the provider as {others}",
        hint="declare it once, and let all its resources name that one",
        address=account.name,
        source=account.source,
    )


def _undeclared(desired: Desired, inventory: Inventory) -> tuple[Diagnostic, ...]:
    """Accounts that we own something in and that no manifest declares any more: nothing of them can be read."""
    gone = sorted({a.account for a in inventory.owned} - desired.accounts.keys())
    return tuple(
        warning(
            "account-not-declared",
            f"we own {sum(1 for a in inventory.owned if a.account == name)} resources in account {name!r}, which no "
            "manifest declares: they are neither compared nor changed",
            hint="declare the account again, or let go of them with reconciler inventory forget",
            address=name,
        )
        for name in gone
    )


def _unplanned_needs(changes: tuple[Change, ...]) -> tuple[Diagnostic, ...]:
    """Calls that need the id of something nobody is going to create; a net below every other check."""
    made = {c.address for c in changes if isinstance(c, Create | Replace)}
    return tuple(
        error(
            "dependency-not-planned",
            f"needs {', '.join(map(str, sorted(lost)))}, which this plan does not create",
            hint="select it as well, or declare it",
            address=str(c.address),
            source=c.source,
        )
        for c in changes
        if (lost := needed_ids(c) - made - {c.address})
    )


OTHER_ACCOUNT = "account-changed"


def another(pinned: str, identity: str) -> bool:
    """Whether an account is provably not the one that it was when it was applied to."""
    return bool(pinned) and pinned != identity and not pinned.endswith("=?") and not identity.endswith("=?")


def _other_account(account: Account, live: AccountLive, inventory: Inventory) -> Diagnostic | None:
    """The credentials of another account: everything we own would look gone."""
    known = inventory.identities.get(account.name, "")
    if not another(known, live.identity):
        return None
    return error(
        OTHER_ACCOUNT,
        f"account {account.name!r} was {known} at the last apply and is {live.identity} now",
        hint="check its credentials and ids; if the move is meant, give the account another name",
        address=account.name,
        source=account.source,
    )


def _unmanaged(world: World) -> tuple[tuple[str, str, int], ...]:
    ours = {(o.kind, o.remote_id) for o in world.bound.values()}
    ours |= {(o.address.kind, o.remote_id) for o in world.inventory.of(world.account.name)}
    counts = []
    for kind in OBJECTS:
        count = sum(1 for key in world.live.objects if key[0] is kind and key not in ours)
        if count:
            counts.append((world.account.name, str(kind), count))
    return tuple(counts)


def account_read(account: Account, live: AccountState, desired: Desired, selection: Selection) -> AccountRead:
    """What was read of an account, or why it was not."""
    if isinstance(live, Unread):
        return AccountRead(
            name=account.name,
            provider=account.provider,
            identity="",
            problem=live.problem,
            exit_code=live.exit_code,
        )
    counts: list[tuple[str, int]] = []
    for kind, word in ((Kind.LIST, "lists"), (Kind.CAMPAIGN, "campaigns")):
        if number := sum(1 for k, _ in live.objects if k is kind):
            counts.append((word, number))
    if members := sum(m.count for m in live.members.values()):
        counts.append(("members", members))
    return AccountRead(
        name=account.name,
        provider=account.provider,
        identity=live.identity,
        counts=tuple(counts),
        requests=live.requests,
        elapsed_s=live.elapsed_s,
        counted=counted_only(live, desired, selection),
    )


def in_scope(desired: Desired, inventory: Inventory, selection: Selection) -> tuple[str, ...]:
    """The accounts that a plan has to read: those that anything selected lives in, sorted."""
    if selection.everything:
        return tuple(sorted(desired.accounts))
    addresses: set[Address] = {*desired.resources, *inventory.owned}
    wanted = {a.account for a in addresses if selection.covers(a, desired.resources.get(a))}
    return tuple(sorted(a for a in wanted if a in desired.accounts and selection.covers_account(a)))
