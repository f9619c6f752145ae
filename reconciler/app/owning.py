"""Taking ownership of a live object, and letting go of one, without touching it."""

from __future__ import annotations

from msgspec.structs import replace

from reconciler import __version__
from reconciler.app.loading import Request
from reconciler.app.planning import Workspace, store_for
from reconciler.apply.ownership import owned_resource
from reconciler.errors import Exit, ProviderError, UsageError
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.live import AccountLive, AccountState, Observed, Unread
from reconciler.plan.binding import OBJECTS
from reconciler.providers.base import Scope
from reconciler.providers.reading import read
from reconciler.store import OperationState


async def adopt(request: Request, address: Address, remote_id: RemoteId) -> Observed:
    """Record that the declared ``address`` stands for the live object ``remote_id``, with its fields as they are now.

    Raises UsageError for what is not declared, not live, or owned under another address.
    """
    workspace = Workspace.of(request)
    resource = workspace.desired.resources.get(address)
    if address.kind not in OBJECTS:
        raise UsageError(
            f"{address.kind} cannot be adopted by id", hint="apply takes ownership of links and memberships by itself"
        )
    if resource is None:
        raise UsageError(f"no manifest declares {address}", hint="declare it first; then adopt it")
    account = {address.account: workspace.desired.accounts[address.account]}
    with store_for(workspace.desired, request, create=True) as store:
        inventory = store.inventory()
        taken = [
            o for o in inventory.of(address.account) if o.remote_id == remote_id and o.address.kind is address.kind
        ]
        if taken and taken[0].address != address:
            raise UsageError(f"{remote_id} is owned as {taken[0].address}", hint="let go of that one first")
        async with workspace.connected(account, read_only=True) as sessions:
            live = await read(account, sessions, Scope(desired=workspace.desired, inventory=inventory))
        state = whole(live.accounts[address.account])
        found = state.objects.get((address.kind, remote_id))
        if found is None:
            raise UsageError(f"{address.account} has no {address.kind.lower()} with the id {remote_id}")
        run = store.begin_run("adopt", tool_version=__version__)
        # Fields as read, never as declared: what was not seen was not done.
        fields = {name: found.fields[name] for name in resource.fields if name in found.fields}
        with run.batch():
            run.own(replace(owned_resource(resource, remote_id), fields=fields))
            run.identity(address.account, state.identity)
            for operation in (*store.open_intents(), *store.unresolved()):
                # Which of several objects a lost request had made: that is what somebody has just said.
                if operation.intent.address == address and operation.intent.effect.get("effect") == "created":
                    run.settle(operation, OperationState.DONE, remote_id=remote_id, note="a person adopted it")
        run.close(exit_code=Exit.OK)
    return found


def whole(state: AccountState) -> AccountLive:
    """An account that was read whole. Raises ProviderError, with the exit code of what went wrong, for any other."""
    if isinstance(state, Unread):
        failure = ProviderError(state.problem.message, hint=state.problem.hint)
        failure.exit_code = Exit(state.exit_code)
        raise failure
    return state


def forget(request: Request, address: Address) -> None:
    """Let go of ``address``; the live object stays as it is. Raises UsageError when it is not owned."""
    workspace = Workspace.of(request)
    with store_for(workspace.desired, request, create=True) as store:
        if address not in store.inventory(members=False).owned:
            raise UsageError(f"{address} is not owned", hint="reconciler inventory list shows what is")
        run = store.begin_run("forget", tool_version=__version__)
        run.disown(address)
        run.close(exit_code=Exit.OK)
