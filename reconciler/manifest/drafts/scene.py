"""What drafts are made from: one live account, beside everything that is declared and owned."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from reconciler.manifest.drafts.draft import Key
from reconciler.model.addresses import Address, Kind, RemoteId, link_id
from reconciler.model.desired import Desired
from reconciler.model.inventory import Inventory
from reconciler.model.live import AccountLive, Observed
from reconciler.model.resources import Account, ById, Declared, Fields, Reference, Resource
from reconciler.plan.binding import Bindings, bind
from reconciler.plan.rules import Reachable
from reconciler.providers.base import Importable, Provider


class Scene(Struct, frozen=True, kw_only=True):
    """One account. ``declared`` are the live objects, links and memberships that manifests stand for."""

    account: Account
    provider: Provider
    desired: Desired
    live: AccountLive
    inventory: Inventory
    bindings: Bindings
    declared: Mapping[Key, Address]

    @classmethod
    def of(
        cls, account: Account, provider: Provider, desired: Desired, live: AccountLive, inventory: Inventory
    ) -> Scene:
        bindings = bind(desired, inventory, account.name, live.objects)
        found = {key: r.address for r in desired.of(account.name) if (key := key_of(r, bindings)) is not None}
        return cls(
            account=account,
            provider=provider,
            desired=desired,
            live=live,
            inventory=inventory,
            bindings=bindings,
            declared=found,
        )

    @property
    def parent(self) -> Kind:
        """What members are of."""
        return self.provider.rules.membership.parent

    @property
    def reachable(self) -> Reachable | None:
        """Which numbers a manifest may have, where the provider has a say in that."""
        found = getattr(self.provider.rules, "reachable", None)
        return found if isinstance(found, Reachable) else None

    def over(self, live: Observed) -> str:
        """See ``providers.base.Importable``."""
        return self.provider.over(live) if isinstance(self.provider, Importable) else ""

    def fields(self, live: Observed) -> Fields:
        """The fields of a live object as manifests write them."""
        return {**live.fields, **(self.provider.spelled(live) if isinstance(self.provider, Importable) else {})}


def key_of(resource: Resource, bindings: Bindings) -> Key | None:
    """What a manifest stands for, None where that is not live. A link need not be there itself."""
    kind = resource.address.kind
    if resource.link is not None:
        ends = _id(resource.link.campaign, bindings), _id(resource.link.list, bindings)
        return None if ends[0] is None or ends[1] is None else (kind, link_id(ends[0], ends[1]))
    if resource.members is not None:
        parent = _id(resource.members.of, bindings)
        return None if parent is None else (kind, parent)
    live = bindings.bound.get(resource.address)
    return None if live is None else (kind, live.remote_id)


def _id(reference: Reference, bindings: Bindings) -> RemoteId | None:
    match reference:
        case ById(remote_id):
            return remote_id
        case Declared(address):
            live = bindings.bound.get(address)
            return None if live is None else live.remote_id
