"""Which live object each of our addresses stands for.

An id in the inventory beats an id in the manifest beats an exact, unique name. A provider's search is never trusted:
names are compared here, whole and case-sensitive.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.desired import Desired
from reconciler.model.inventory import Inventory, Owned
from reconciler.model.live import Observed
from reconciler.model.resources import Resource

OBJECTS: tuple[Kind, ...] = (Kind.LIST, Kind.CAMPAIGN)
"""The kinds that are objects of their own at a provider; the others are relations between these."""


class Bindings(Struct, frozen=True, kw_only=True):
    """``bound``: declared and owned addresses with their live object. ``ambiguous``: several live objects have the name
    and none is ours. ``shared``: a live object that several addresses claim, with all of them."""

    bound: Mapping[Address, Observed] = field(default_factory=dict)
    ambiguous: Mapping[Address, tuple[RemoteId, ...]] = field(default_factory=dict)
    shared: Mapping[Address, tuple[Address, ...]] = field(default_factory=dict)


def ownership(resource: Resource, desired: Desired, inventory: Inventory) -> Owned | None:
    """What we know of a declared resource, under its address or under the one it was renamed from."""
    address = resource.address
    owned = inventory.owned.get(address)
    if owned is not None or not resource.lifecycle.renamed_from:
        return owned
    old = Address(address.account, address.kind, resource.lifecycle.renamed_from)
    return None if old in desired.resources else inventory.owned.get(old)


def orphans(account: str, desired: Desired, inventory: Inventory) -> tuple[Owned, ...]:
    """What we own in ``account`` and nobody declares any more, renames left out; sorted by address."""
    renamed = {
        Address(a.account, a.kind, r.lifecycle.renamed_from)
        for a, r in desired.resources.items()
        if r.lifecycle.renamed_from and a not in inventory.owned
    }
    return tuple(o for o in inventory.of(account) if o.address not in desired.resources and o.address not in renamed)


def bind(
    desired: Desired,
    inventory: Inventory,
    account: str,
    objects: Mapping[tuple[Kind, RemoteId], Observed],
) -> Bindings:
    """Bind every declared and owned list and campaign of ``account`` to its live object, where there is one."""
    bound: dict[Address, Observed] = {}
    ambiguous: dict[Address, tuple[RemoteId, ...]] = {}
    claimed: set[tuple[Kind, RemoteId]] = set()
    declared = [r for r in desired.of(account) if r.address.kind in OBJECTS]
    unbound: list[Resource] = []
    for resource in declared:
        known = ownership(resource, desired, inventory)
        remote_id = known.remote_id if known else resource.pinned
        observed: Observed | None = None
        if remote_id is not None:
            observed = objects.get((resource.address.kind, remote_id))
        if observed is None and resource.pinned is not None:
            observed = objects.get((resource.address.kind, resource.pinned))
        if observed is None:
            unbound.append(resource)
        else:
            bound[resource.address] = observed
            claimed.add((observed.kind, observed.remote_id))
    for owned in orphans(account, desired, inventory):
        if (found := objects.get((owned.address.kind, owned.remote_id))) is not None:
            bound[owned.address] = found
            claimed.add((found.kind, found.remote_id))

    by_name = _by_name(objects) if unbound else {}
    for resource in unbound:
        if resource.pinned is not None:
            continue
        kind = resource.address.kind
        namesakes = by_name.get((kind, str(resource.fields.get("name", ""))), [])
        free = sorted(o.remote_id for o in namesakes if (kind, o.remote_id) not in claimed)
        if len(free) == 1:
            bound[resource.address] = objects[(kind, free[0])]
        elif free:
            ambiguous[resource.address] = tuple(free)

    return Bindings(bound=bound, ambiguous=ambiguous, shared=_shared(bound))


def _by_name(objects: Mapping[tuple[Kind, RemoteId], Observed]) -> dict[tuple[Kind, str], list[Observed]]:
    found: dict[tuple[Kind, str], list[Observed]] = {}
    for (kind, _), live in objects.items():
        found.setdefault((kind, live.name), []).append(live)
    return found


def _shared(bound: Mapping[Address, Observed]) -> dict[Address, tuple[Address, ...]]:
    if len({(live.kind, live.remote_id) for live in bound.values()}) == len(bound):
        return {}
    users: dict[tuple[Kind, RemoteId], list[Address]] = {}
    for address, live in bound.items():
        users.setdefault((live.kind, live.remote_id), []).append(address)
    return {a: tuple(sorted(claims)) for claims in users.values() if len(claims) > 1 for a in claims}
