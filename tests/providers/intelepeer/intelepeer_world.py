"""Small worlds to plan in: declared resources, live objects, and what the provider makes of a decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.diagnostics import Diagnostic, Span
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Desired, Project
from reconciler.model.inventory import Inventory, Owned
from reconciler.model.live import AccountLive, Live, LiveLink, LiveMembers, Observed
from reconciler.model.resources import (
    Account,
    ById,
    Declared,
    Lifecycle,
    Link,
    Literally,
    Members,
    Mode,
    Reference,
    Resource,
)
from reconciler.plan.allows import Allow, Allows
from reconciler.plan.changes import Change, Plan
from reconciler.plan.planner import PlanOptions, plan
from reconciler.providers.intelepeer import PROVIDER
from reconciler.providers.intelepeer.rules import IntelePeerRules

SPAN = Span(file="engage.yaml", line=1)
CALLER = "+12025550135"
PLAIN, NOTHING_OWNED = Lifecycle(), Inventory()
ANNA, BORIS, CLARA = "+12025550101", "+12025550102", "+12025550103"


def account(base_url: str = "", **settings: Any) -> Account:
    return Account(
        name="engage",
        provider="intelepeer",
        auth={"username": Literally("sandbox"), "password": Literally("sandbox")},
        source=SPAN,
        base_url=base_url,
        settings=settings,
    )


def address(kind: Kind, name: str) -> Address:
    return Address("engage", kind, name)


def list_at(name: str) -> Address:
    return address(Kind.LIST, name)


def campaign_at(name: str) -> Address:
    return address(Kind.CAMPAIGN, name)


def _reference(given: str, kind: Kind) -> Reference:
    return ById(RemoteId(given[1:])) if given.startswith("#") else Declared(address(kind, given))


def _resource(kind: Kind, name: str, fields: Mapping[str, Any], lifecycle: Lifecycle, **more: Any) -> Resource:
    return Resource(
        address=address(kind, name), provider="intelepeer", fields=fields, source=SPAN, lifecycle=lifecycle, **more
    )


def a_list(key: str, /, *, lifecycle: Lifecycle = PLAIN, pinned: str | None = None, **fields: Any) -> Resource:
    fields = {"name": f"{key} list", **fields}
    return _resource(Kind.LIST, key, fields, lifecycle, pinned=RemoteId(pinned) if pinned else None)


def a_campaign(key: str, /, *, lifecycle: Lifecycle = PLAIN, **fields: Any) -> Resource:
    fields = {"name": f"{key} calls", "flowId": "flow-1", "callerIdentification": CALLER, **fields}
    return _resource(Kind.CAMPAIGN, key, fields, lifecycle)


def an_association(campaign: str, fed_by: str, *, lifecycle: Lifecycle = PLAIN, **fields: Any) -> Resource:
    """Ends are declared names, or remote ids after a ``#``."""
    link = Link(campaign=_reference(campaign, Kind.CAMPAIGN), list=_reference(fed_by, Kind.LIST))
    name = f"{campaign}--{fed_by}".replace("#", "")
    return _resource(Kind.ASSOCIATION, name, fields, lifecycle, link=link)


def a_membership(
    of: str,
    *numbers: str,
    mode: Mode = Mode.ADDITIVE,
    lifecycle: Lifecycle = PLAIN,
    name: str = "",
    **attributes: Iterable[str | None],
) -> Resource:
    columns: dict[str, list[str | None]] = {"number": [*numbers], **{k: list(v) for k, v in attributes.items()}}
    members = Members(of=_reference(of, Kind.LIST), mode=mode, contacts=ContactSet.from_columns(columns))
    name = name or f"{of.removeprefix('#')}-members"
    return _resource(Kind.MEMBERSHIP, name, {}, lifecycle, members=members)


def desired(*resources: Resource, **settings: Any) -> Desired:
    return Desired(
        project=Project(root="/project"),
        accounts={"engage": account(**settings)},
        resources={r.address: r for r in resources},
    )


def live_list(remote_id: str, name: str, *, description: str = "", headers: tuple[str, ...] = ()) -> Observed:
    fields = {"name": name, "description": description, "headers": headers}
    return Observed(kind=Kind.LIST, remote_id=RemoteId(remote_id), name=name, fields=fields, facts={})


def live_campaign(
    remote_id: str,
    name: str,
    *,
    description: str = "",
    flow: str = "flow-1",
    state: str = "draft",
    active: bool = False,
    leaving: Iterable[str] = (),
) -> Observed:
    fields = {
        "name": name,
        "description": description,
        "callerIdentification": CALLER,
        "flowId": flow,
        "state": state,
    }
    facts = {"active": active, "leaving": frozenset(leaving)}
    return Observed(kind=Kind.CAMPAIGN, remote_id=RemoteId(remote_id), name=name, fields=fields, facts=facts)


def live(
    *objects: Observed,
    links: Iterable[tuple[str, str] | tuple[str, str, Mapping[str, Any]]] = (),
    contacts: Mapping[str, Iterable[str]] | None = None,
) -> AccountLive:
    found = {}
    for campaign, list_id, *fields in links:
        link = LiveLink(campaign=RemoteId(campaign), list=RemoteId(list_id), fields=fields[0] if fields else {})
        found[link.remote_id] = link
    members = {o.remote_id: frozenset[str]() for o in objects if o.kind is Kind.LIST}
    members |= {RemoteId(i): frozenset(ids) for i, ids in (contacts or {}).items()}
    return AccountLive(
        identity="intelepeer:engage.intelepeer.com:customer=1028811",
        objects={(o.kind, o.remote_id): o for o in objects},
        links=found,
        members={
            i: LiveMembers(contacts=ContactSet.empty(), count=len(ids), readable=False, facts={"contact_ids": ids})
            for i, ids in members.items()
        },
    )


def owned(resource: Resource, remote_id: str, **fields: Any) -> Owned:
    return Owned(
        address=resource.address,
        provider="intelepeer",
        remote_id=RemoteId(remote_id),
        on_remove=resource.lifecycle.on_remove,
        fields={**resource.fields, **fields},
    )


def inventory(*items: Owned) -> Inventory:
    return Inventory(owned={o.address: o for o in items}, key=b"key")


def planned(wanted: Desired, seen: AccountLive, known: Inventory = NOTHING_OWNED, *, allow: Iterable[str] = ()) -> Plan:
    """The whole planner with this provider's rules."""
    options = PlanOptions(allows=Allows(tuple(Allow.parse(text) for text in allow)))
    rules = {"intelepeer": PROVIDER.rules}
    return plan(wanted, Live(accounts={"engage": seen}), known, rules, options)


def checked(resource: Resource, wanted: Desired) -> list[Diagnostic]:
    return list(IntelePeerRules().check(resource, wanted.accounts["engage"], wanted))


def change_of(plan_: Plan, resource: Resource) -> Change:
    return next(c for c in plan_.changes if c.address == resource.address)


def codes(diagnostics: Iterable[Diagnostic]) -> list[str]:
    return [d.code for d in diagnostics]
