"""What an earlier run left open, settled before anything new is planned.

Whatever a plan can find in what is live needs nothing but time: once it can no longer land, the old intent is void.
Only members that cannot be read back are looked at here, by how their list grew: what landed goes into the inventory,
and what cannot be told stops the apply until a person has looked. A ``call`` did something that no plan knows of, so
none tells what became of it: one that died stays unresolved in the journal, and stops nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler import __version__
from reconciler.app.dial_history import is_call, is_dial
from reconciler.app.planning import Workspace
from reconciler.apply.operation import LONGEST_SETTLE_S
from reconciler.errors import Exit, ProviderError, ReconcilerError, StalePlan
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.inventory import Inventory, Owned
from reconciler.model.live import AccountLive
from reconciler.model.resources import Account
from reconciler.plan.calls import Evidence, MembersAdded
from reconciler.plan.planner import another
from reconciler.providers.base import Scope, Session
from reconciler.providers.http import settle
from reconciler.providers.reading import Sessions, read
from reconciler.report import Outcome
from reconciler.store import OperationRecord, OperationState, Run, Store


class Unresolved(ReconcilerError):
    """Nobody can tell whether an earlier request landed; planning on would risk contacting somebody twice."""

    exit_code = Exit.UNRESOLVED
    code = "unresolved"


async def settle_leftovers(
    store: Store,
    workspace: Workspace,
    sessions: Sessions,
    accounts: Mapping[str, Account],
    inventory: Inventory,
) -> Inventory:
    """The inventory with everything settled that earlier runs left open. Raises Unresolved, and sends no write."""
    open_ = {(o.run, o.op): o for o in (*store.open_intents(), *store.unresolved())}
    left = [o for o in open_.values() if o.intent.address.account in sessions.by_account and not _waits(o)]
    if not left:
        return inventory
    await _check_accounts({o.intent.address.account for o in left}, workspace, sessions, accounts, inventory)
    await _until_settled(left, workspace, accounts)
    run = store.begin_run("recover", tool_version=__version__)
    unclear: list[str] = []
    for operation in left:
        account = accounts[operation.intent.address.account]
        rules = workspace.providers[account.provider].rules.membership
        if is_call(operation):
            run.settle(operation, OperationState.UNRESOLVED, note="ended before there was an answer")
            store.end_run(operation.run, exit_code=Exit.ERROR, counts={str(Outcome.UNRESOLVED): 1})
            continue
        if operation.intent.effect.get("effect") != "members-added" or rules.readable:
            run.settle(operation, OperationState.VOID, note="planned again from what is live")
            continue
        if problem := await _settle_upload(operation, run, workspace, sessions.by_account[account.name], inventory):
            unclear.append(problem)
        inventory = store.inventory()
    run.close(exit_code=Exit.UNRESOLVED if unclear else Exit.OK)
    if unclear:
        names = sorted({str(o.intent.address) for o in left})
        flags = " ".join(f"--allow unknown-members={name}" for name in names)
        raise Unresolved(
            "; ".join(unclear),
            hint=f"look at the list in the portal; if the upload is not there, add: {flags}",
        )
    return inventory


def _waits(operation: OperationRecord) -> bool:
    """Whether it is none of an apply's business. A dial waits for a person, or for evidence that only ``dial`` looks
    for; a ``call`` without an answer waits for a person from the start."""
    return is_dial(operation) or (is_call(operation) and operation.state is OperationState.UNRESOLVED)


async def _check_accounts(
    names: set[str], workspace: Workspace, sessions: Sessions, accounts: Mapping[str, Account], inventory: Inventory
) -> None:
    """Raises StalePlan when one of them is another account than it was: there is nothing of an earlier run in that one,
    and so nothing to be concluded from what is not there. An account that cannot be read is left to the plan."""
    scope = Scope(desired=workspace.desired, inventory=inventory)
    live = await read({n: accounts[n] for n in sorted(names)}, sessions, scope)
    for name, state in live.accounts.items():
        pinned = inventory.identities.get(name, "")
        if isinstance(state, AccountLive) and another(pinned, state.identity):
            raise StalePlan(
                f"account {name!r} was {pinned} at the last apply and is {state.identity} now",
                hint="check its credentials and ids; requests of an earlier run are still open in the former",
            )


async def _until_settled(left: list[OperationRecord], workspace: Workspace, accounts: Mapping[str, Account]) -> None:
    """Waits until none of it can land or show any more."""
    ends = []
    for operation in left:
        account = accounts[operation.intent.address.account]
        landing_s, visibility_s = settle(account, workspace.providers[account.provider].defaults)
        ends.append(operation.intent.not_after + timedelta(seconds=landing_s + visibility_s))
    wait_s = (max(ends) - datetime.now(UTC)).total_seconds()
    if all(o.state is OperationState.UNRESOLVED for o in left) or wait_s <= 0:
        return
    lifted = all(_settle_s(o, workspace, accounts) == 0 for o in left)
    if lifted:
        return  # on loopback nothing lands late, unless the account says so
    if wait_s > LONGEST_SETTLE_S:
        raise Unresolved(
            f"{len(left)} requests of an earlier run may still land for {wait_s:.0f} s", hint="apply again then"
        )
    await asyncio.sleep(wait_s)


def _settle_s(operation: OperationRecord, workspace: Workspace, accounts: Mapping[str, Account]) -> float:
    account = accounts[operation.intent.address.account]
    return sum(settle(account, workspace.providers[account.provider].defaults))


async def _settle_upload(
    operation: OperationRecord, run: Run, workspace: Workspace, session: Session, inventory: Inventory
) -> str:
    """What became of an upload; why nobody can tell, or nothing."""
    intent = operation.intent
    of = RemoteId(str(intent.effect["of"]))
    # Who they were is not known here, and need not be: only how many can be seen.
    rows = ContactSet.from_columns({"number": [str(i) for i in range(intent.rows)]})
    effect = MembersAdded(of=of, known_ids=intent.known_ids, counted=True)
    try:
        look = await session.observe(effect, rows)
    except ProviderError as failure:
        look = Evidence(state=Evidence.State.AMBIGUOUS, detail=failure.message)
    if look.state is Evidence.State.HOLDS:
        with run.batch():
            run.settle(operation, OperationState.DONE, note="found by how the list grew")
            run.own(_with_members(operation, of, workspace, inventory))
        return ""
    if look.state is Evidence.State.ABSENT:
        run.settle(operation, OperationState.VOID, note="the list did not grow")
        return ""
    if workspace.allows.names("unknown-members", str(intent.address)):
        run.settle(operation, OperationState.VOID, note="a person looked and said that it is not there")
        return ""
    return f"{intent.address}: an upload of {intent.rows} people may have landed: {look.detail}"


def _with_members(operation: OperationRecord, of: RemoteId, workspace: Workspace, inventory: Inventory) -> Owned:
    """The Membership with those on board who turned out to have landed."""
    address, members = operation.intent.address, operation.intent.members
    known = inventory.owned.get(address)
    if known is not None and known.parent == of:
        return replace(known, applied=known.applied | members, added=known.added | members)
    resource = workspace.desired.resources.get(address)
    provider = workspace.desired.accounts[address.account].provider
    owned = Owned(address=address, provider=provider, remote_id=of, parent=of, applied=members, added=members)
    if resource is None or address.kind is not Kind.MEMBERSHIP:
        return owned
    return replace(owned, protect=resource.lifecycle.protect, on_remove=resource.lifecycle.on_remove)
