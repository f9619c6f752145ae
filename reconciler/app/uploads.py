"""Uploads that a run was told of as done, and that it died before entering in the inventory.

Who is on such a list cannot be read back, so the journal is the only one that knows. Without this the list would seem
to have members whom nobody can name, and nothing could be added to it any more.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from reconciler.app.planning import Workspace
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.inventory import Inventory, Owned
from reconciler.store import OperationRecord, OperationState


def kept_uploads(
    operations: Iterable[OperationRecord], workspace: Workspace, inventory: Inventory
) -> dict[Address, Owned]:
    """What the inventory lacks of the uploads among these operations of dead runs that are known to be done.

    Whoever keeps it has to end those runs, or what a later run lets go of would come back from here.
    """
    kept: dict[Address, Owned] = {}
    for one in operations:
        if one.state is OperationState.DONE and _uploaded(one, workspace):
            address = one.intent.address
            kept[address] = with_members(one, workspace, kept.get(address, inventory.owned.get(address)))
    return {address: owned for address, owned in kept.items() if owned != inventory.owned.get(address)}


def _uploaded(operation: OperationRecord, workspace: Workspace) -> bool:
    account = workspace.desired.accounts[operation.intent.address.account]
    unreadable = not workspace.providers[account.provider].rules.membership.readable
    return unreadable and operation.intent.effect.get("effect") == "members-added"


def with_members(operation: OperationRecord, workspace: Workspace, known: Owned | None) -> Owned:
    """The Membership with the people of this upload on board."""
    address, members = operation.intent.address, operation.intent.members
    of = RemoteId(str(operation.intent.effect["of"]))
    if known is not None and known.parent == of:
        return replace(known, applied=known.applied | members, added=known.added | members)
    resource = workspace.desired.resources.get(address)
    provider = workspace.desired.accounts[address.account].provider
    owned = Owned(address=address, provider=provider, remote_id=of, parent=of, applied=members, added=members)
    if resource is None or address.kind is not Kind.MEMBERSHIP:
        return owned
    return replace(owned, protect=resource.lifecycle.protect, on_remove=resource.lifecycle.on_remove)
