"""Bringing back what an apply took away, through the ordinary plan and apply.

What a snapshot holds is declared for this one plan, on top of what the manifests declare; nothing else is in its scope.
So guards, approvals, contact classes, quiet hours, suppressions and the journal are those of every apply. What comes
back without a manifest that asks for it is kept by the next apply and not owned any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from reconciler.app import snapshots
from reconciler.app.loading import Request, selection_of
from reconciler.app.planning import Workspace, store_for
from reconciler.diagnostics import Span
from reconciler.errors import StalePlan, UsageError
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Desired
from reconciler.model.live import AccountLive, Live
from reconciler.model.resources import (
    ById,
    Declared,
    Fields,
    Lifecycle,
    Link,
    Members,
    Mode,
    OnRemove,
    Reference,
    Resource,
)
from reconciler.plan.losses import End, Losses, LostMembers, LostObject
from reconciler.plan.planner import another
from reconciler.plan.selection import Selection, Selector


class Restoration(Struct, frozen=True, kw_only=True):
    """One snapshot about to be brought back."""

    file: Path
    workspace: Workspace
    undeclared: tuple[Address, ...]
    """What no manifest asks for: it comes back, and the next apply lets go of it."""


def prepare(request: Request, name: str) -> Restoration:
    """The workspace in which exactly what the snapshot holds is planned.

    ``name`` is a file or a run. Raises InvalidInput for what is no snapshot of this project, UsageError when nothing of
    it is selected or its accounts are not declared, and what loading raises.
    """
    narrowed = selection_of(request.inputs)
    inputs = replace(request.inputs, select=(), exclude=())
    workspace = Workspace.of(replace(request, inputs=inputs))
    project = workspace.desired.project
    path = snapshots.find(Path(project.root), name)
    with store_for(workspace.desired, request, create=False) as store:
        key = store.inventory(members=False).key
    lost = snapshots.read(path, key=key, project=project.name, environment=project.environment)
    desired = workspace.desired
    wanted = [a for a in lost.addresses if narrowed.covers(a, desired.resources.get(a))]
    if gone := sorted({a.account for a in wanted} - desired.accounts.keys()):
        hint = f"leave it out: --exclude account:{gone[0]}"
        raise UsageError(f"no manifest declares the account {gone[0]}", hint=hint)
    if not wanted:
        raise UsageError("nothing of the snapshot is selected")
    back = _Back(lost=lost, addresses=frozenset(wanted), file=str(path))
    workspace.desired = back.declared(desired)
    workspace.selection = Selection(select=tuple(Selector("address", str(a)) for a in wanted))
    workspace.revise = back.revised
    undeclared = tuple(a for a in wanted if a not in desired.resources)
    return Restoration(file=path, workspace=workspace, undeclared=undeclared)


class _Back(Struct, frozen=True, kw_only=True):
    """What comes back, as declarations."""

    lost: Losses
    addresses: frozenset[Address]
    file: str

    def declared(self, desired: Desired) -> Desired:
        """With everything of the snapshot declared on top. What a manifest declares as an object stays as it says."""
        added: dict[Address, Resource] = {}
        for item in self.lost.objects:
            if item.address in self.addresses and item.address not in desired.resources:
                added[item.address] = self._object(item)
        known = {**desired.resources, **added}
        for members in self.lost.members:
            if members.address in self.addresses:
                added[members.address] = self._membership(members, known)
        return replace(desired, resources={**desired.resources, **added})

    def _object(self, item: LostObject) -> Resource:
        link = None
        if item.campaign is not None and item.list is not None:
            link = Link(campaign=_reference(item.campaign), list=_reference(item.list))
        return self._resource(item.address, item.provider, item.fields, link=link)

    def _membership(self, lost: LostMembers, known: Mapping[Address, Resource]) -> Resource:
        """Additive, whatever the manifest says: nobody is removed on the way."""
        declared = known.get(lost.address)
        if declared is None or declared.members is None:
            of = lost.of.address
            list_: Reference = Declared(of) if of is not None and of in known else ById(lost.of.remote_id)
            members = Members(of=list_, mode=Mode.ADDITIVE, contacts=lost.contacts)
            return replace(self._resource(lost.address, lost.provider, {}), members=members)
        contacts = ContactSet.union_of((lost.contacts, declared.members.contacts))
        members = replace(declared.members, mode=Mode.ADDITIVE, contacts=contacts, missing_contacts="fail")
        return replace(declared, members=members)

    def _resource(self, address: Address, provider: str, fields: Fields, link: Link | None = None) -> Resource:
        return Resource(
            address=address,
            provider=provider,
            fields=fields,
            source=Span(file=self.file, line=1),
            lifecycle=Lifecycle(on_remove=OnRemove.KEEP),
            link=link,
        )

    def revised(self, desired: Desired, live: Live) -> Desired:
        """With only those declared who are there already, and those who come back: what else the manifests would add
        is for an ordinary apply. Raises StalePlan when an account is another one than the snapshot's."""
        changed: dict[Address, Resource] = {}
        for name, state in live.accounts.items():
            pinned = self.lost.identities.get(name, "")
            if isinstance(state, AccountLive) and another(pinned, state.identity):
                raise StalePlan(
                    f"the snapshot is for another account: {name} was {pinned} and is {state.identity}",
                    hint="check the credentials and ids of the account",
                )
        for lost in self.lost.members:
            resource = desired.resources.get(lost.address)
            account = live.accounts.get(lost.address.account)
            if lost.address not in self.addresses or resource is None or resource.members is None:
                continue
            present = account.members.get(_id_of(lost, account)) if isinstance(account, AccountLive) else None
            there = present.contacts if present is not None else ContactSet.empty()
            contacts = resource.members.contacts
            kept = ContactSet.union_of((contacts.within(there), lost.contacts))
            changed[lost.address] = replace(resource, members=replace(resource.members, contacts=kept))
        return replace(desired, resources={**desired.resources, **changed})


def _id_of(lost: LostMembers, account: AccountLive) -> RemoteId:
    """The list's id now: a list that was deleted is found again by nothing, and has nobody on it."""
    kind = lost.of.address.kind if lost.of.address is not None else Kind.LIST
    return lost.of.remote_id if (kind, lost.of.remote_id) in account.objects else RemoteId("")


def _reference(end: End) -> Reference:
    return Declared(end.address) if end.address is not None else ById(end.remote_id)
