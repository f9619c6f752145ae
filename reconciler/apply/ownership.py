"""What a change means for the inventory, once it is done (or partly done). Pure."""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.addresses import Kind, RemoteId, link_id
from reconciler.model.contacts import ContactSet
from reconciler.model.inventory import Owned
from reconciler.model.resources import Resource
from reconciler.plan.changes import Adopt, Change, Create, Delete, Forget, MemberDelta, Replace, Update


def owned_resource(resource: Resource, remote_id: RemoteId, before: Owned | None = None) -> Owned:
    """A declared resource as ours. The lifecycle is taken along, so that it holds when the manifest goes."""
    base = before or Owned(address=resource.address, provider=resource.provider, remote_id=remote_id)
    return replace(
        base,
        address=resource.address,
        remote_id=remote_id,
        protect=resource.lifecycle.protect,
        on_remove=resource.lifecycle.on_remove,
        fields=dict(resource.fields),
    )


def owned_members(
    resource: Resource,
    parent: RemoteId,
    before: Owned | None,
    delta: MemberDelta,
    added: ContactSet,
    removed: ContactSet,
    key: bytes,
) -> Owned:
    """A Membership as ours. ``added`` and ``removed`` are the people for whom the steps went through."""
    if resource.members is None:
        raise ValueError(f"{resource.address} declares no members")
    known = before if before is not None and before.parent == parent else None
    open_adds = delta.add.without(added)
    applied = resource.members.contacts.without(open_adds).without(delta.protective)
    gone = removed.hashes(key)
    ours = ((known.added if known else frozenset()) | added.hashes(key)) - gone
    base = known or Owned(address=resource.address, provider=resource.provider, remote_id=parent)
    return replace(
        owned_resource(resource, parent, base),
        parent=parent,
        applied=applied.hashes(key) - gone,
        added=ours,
    )


def lets_go(change: Change) -> bool:
    """Whether the address leaves the inventory when this change is done."""
    match change:
        case Delete() | Forget():
            return True
        case Create() | Update() | Replace() | Adopt():
            return False


def association_id(change: Change, ends: tuple[RemoteId, RemoteId] | None) -> RemoteId | None:
    """The id of an association after it was made: both ends are known by then."""
    if change.address.kind is not Kind.ASSOCIATION or ends is None:
        return change.remote_id
    return link_id(*ends)
