"""What a change means for the inventory, once it is done (or partly done). Pure."""

from __future__ import annotations

from msgspec.structs import replace

from reconciler.model.addresses import Address, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.hashes import NO_MEMBERS
from reconciler.model.inventory import Owned
from reconciler.model.live import LiveMembers
from reconciler.model.resources import FieldValue, Members, OnRemove, Resource
from reconciler.plan.changes import Adopt, Change, Create, Delete, Forget, MemberDelta, Replace, Update
from reconciler.plan.counted import CONFIRMED
from reconciler.plan.drifted_members import ATTRIBUTES, attributes_hash


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
    ours = ((known.added if known else NO_MEMBERS) | added.hashes(key)) - gone
    base = known or Owned(address=resource.address, provider=resource.provider, remote_id=parent)
    return replace(
        owned_resource(resource, parent, base),
        fields=_member_fields(resource, resource.members, key),
        parent=parent,
        applied=applied.hashes(key) - gone,
        added=ours,
    )


def confirmed(resource: Resource, owned: Owned, live: LiveMembers | None, key: bytes) -> Owned:
    """What is ours, after a plan that found it as declared: from here on, whatever differs is somebody's move.

    ``live`` are the members of the Membership's list, None for everything else.
    """
    life = resource.lifecycle
    now = replace(owned, protect=life.protect, on_remove=life.on_remove, fields=dict(resource.fields))
    if resource.members is None:
        return now
    now = replace(now, fields=_member_fields(resource, resource.members, key))
    if live is None or not live.readable:
        return now
    applied = resource.members.contacts.within(live.contacts).hashes(key)
    return replace(now, fields={**now.fields, CONFIRMED: live.count}, applied=applied)


def _member_fields(resource: Resource, members: Members, key: bytes) -> dict[str, FieldValue]:
    attributes = attributes_hash(members, key)
    return {**resource.fields, **({ATTRIBUTES: attributes} if attributes else {})}


def replaced(change: Change) -> tuple[Owned, ...]:
    """The old object of a change that replaces one."""
    if not isinstance(change, Replace) or change.remote_id is None:
        return ()
    return (replaced_object(change.address, change.provider, change.remote_id),)


def replaced_object(address: Address, provider: str, remote_id: RemoteId) -> Owned:
    """The old object of a replacement, owned under a name of its own until it is gone: if its deletion fails, the next
    plan still knows of it and deletes it."""
    kept = address.replaced(remote_id)
    return Owned(address=kept, provider=provider, remote_id=remote_id, on_remove=OnRemove.DELETE)


def lets_go(change: Change) -> bool:
    """Whether the address leaves the inventory when this change is done."""
    match change:
        case Delete() | Forget():
            return True
        case Create() | Update() | Replace() | Adopt():
            return False
