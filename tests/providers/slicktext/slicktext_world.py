"""Short ways to declare things, to plan them against data or against a sandbox, and to apply a plan step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from reconciler.diagnostics import Span
from reconciler.model.addresses import Address, Kind, RemoteId, link_id
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Desired, Project, Suppression
from reconciler.model.hashes import NO_MEMBERS
from reconciler.model.inventory import Inventory, Owned
from reconciler.model.live import AccountLive, Live, LiveLink, LiveMembers, Observed
from reconciler.model.resources import (
    Account,
    ById,
    Declared,
    Fields,
    FromEnv,
    Lifecycle,
    Link,
    Members,
    Mode,
    OnRemove,
    Reference,
    Resource,
)
from reconciler.plan.calls import Call, ContactsCreated, Created, Step, resolved
from reconciler.plan.changes import Change, Delete, Forget, Plan
from reconciler.plan.order import steps_in_order
from reconciler.plan.planner import PlanOptions
from reconciler.plan.planner import plan as make_plan
from reconciler.plan.reached import unread_lists
from reconciler.providers.base import Connection, Scope, Secret
from reconciler.providers.slicktext import PROVIDER
from reconciler.providers.slicktext.provider import DEFAULTS
from reconciler.providers.slicktext.session import SlickTextSession
from reconciler.sandbox import Sandbox

BRAND = "123456789"
KEY = "sandbox-slicktext-key"
MARTY, DOC, BIFF, JENNY, GEORGE = (f"+1615555010{n}" for n in range(1, 6))
SPAN = Span(file="main.yaml", line=1)


def in_hours(hours: float) -> str:
    """A campaign time, that long from now."""
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M:%S")


def account(base_url: str = "http://127.0.0.1:1", **settings: Any) -> Account:
    return Account(
        name="main",
        provider="slicktext",
        auth={"apiKey": FromEnv("SLICKTEXT_API_KEY")},
        source=SPAN,
        base_url=base_url,
        settings={"brandId": BRAND, **settings},
    )


def at(kind: Kind, name: str) -> Address:
    return Address("main", kind, name)


def _resource(kind: Kind, name: str, fields: Fields, **more: Any) -> Resource:
    return Resource(address=at(kind, name), provider="slicktext", fields=fields, source=SPAN, **more)


def a_list(name: str, title: str | None = None, **more: Any) -> Resource:
    fields: dict[str, Any] = {"name": title or name.title()}
    if "description" in more:
        fields["description"] = more.pop("description")
    return _resource(Kind.LIST, name, fields, **more)


def a_campaign(
    name: str, title: str | None = None, *, lifecycle: Lifecycle | None = None, pinned: str | None = None, **fields: Any
) -> Resource:
    fields = {"name": title or name.title(), "body": "Welcome to ACME", **fields}
    fields = {k: v for k, v in fields.items() if v is not ...}
    return _resource(
        Kind.CAMPAIGN,
        name,
        fields,
        lifecycle=lifecycle or Lifecycle(),
        pinned=None if pinned is None else RemoteId(pinned),
    )


def reference(kind: Kind, target: str) -> Reference:
    return ById(RemoteId(target)) if target.isdigit() else Declared(at(kind, target))


def a_link(campaign: str, list_: str, **more: Any) -> Resource:
    link = Link(campaign=reference(Kind.CAMPAIGN, campaign), list=reference(Kind.LIST, list_))
    return _resource(Kind.ASSOCIATION, f"{campaign}--{list_}", {}, link=link, **more)


def people(*numbers: str, **columns: Sequence[str | None]) -> ContactSet:
    return ContactSet.from_columns({"number": list(numbers), **columns})


def a_membership(list_: str, contacts: ContactSet, *, exact: bool = True, **more: Any) -> Resource:
    lifecycle = more.pop("lifecycle", Lifecycle())
    members = Members(
        of=reference(Kind.LIST, list_), mode=Mode.EXACT if exact else Mode.ADDITIVE, contacts=contacts, **more
    )
    return _resource(Kind.MEMBERSHIP, f"{list_}-members", {}, members=members, lifecycle=lifecycle)


def desired(
    *resources: Resource, suppressed: Iterable[str] = (), base_url: str = "http://127.0.0.1:1", **settings: Any
) -> Desired:
    suppressions = (Suppression(name="dnc", contacts=people(*suppressed)),) if suppressed else ()
    return Desired(
        project=Project(name="test", root="/project"),
        accounts={"main": account(base_url, **settings)},
        resources={r.address: r for r in resources},
        suppressions=suppressions,
    )


def owns(kind: Kind, name: str, remote_id: str, *, on_remove: str = "keep", **more: Any) -> Owned:
    more["on_remove"] = OnRemove(on_remove)
    return Owned(address=at(kind, name), provider="slicktext", remote_id=RemoteId(remote_id), **more)


def inventory(*owned: Owned) -> Inventory:
    return Inventory(owned={o.address: o for o in owned}, key=b"k" * 32)


# --- a live account as data


def live_list(remote_id: str, name: str, description: str = "") -> Observed:
    fields = {"name": name, "description": description}
    return Observed(kind=Kind.LIST, remote_id=RemoteId(remote_id), name=name, fields=fields)


def live_campaign(
    remote_id: str,
    name: str,
    *,
    status: str = "draft",
    lists: Iterable[str] = (),
    segments: Iterable[str] = (),
    all_contacts: bool = False,
    segment_people: int = 0,
    **fields: str,
) -> Observed:
    return Observed(
        kind=Kind.CAMPAIGN,
        remote_id=RemoteId(remote_id),
        name=name,
        fields={"name": name, "body": "Welcome to ACME", "media_url": "", "scheduled": "", "status": status, **fields},
        facts={
            "status": status,
            "all_contacts": all_contacts,
            "lists": frozenset(lists),
            "segments": frozenset(segments),
            "segment_people": segment_people,
            "complete": True,
        },
    )


def live(
    *objects: Observed, members: Mapping[str, ContactSet] | None = None, contacts: ContactSet | None = None
) -> AccountLive:
    found = {(o.kind, o.remote_id): o for o in objects}
    links: dict[RemoteId, LiveLink] = {}
    for o in objects:
        lists = o.facts.get("lists")
        for x in sorted(lists) if isinstance(lists, frozenset) else ():
            if (Kind.LIST, RemoteId(x)) in found:
                links[link_id(o.remote_id, RemoteId(x))] = LiveLink(campaign=o.remote_id, list=RemoteId(x))
    return AccountLive(
        identity=f"slicktext:127.0.0.1:brand={BRAND}",
        objects=found,
        links=links,
        members={RemoteId(k): LiveMembers(contacts=v, count=len(v)) for k, v in (members or {}).items()},
        contacts=contacts or ContactSet.empty(),
    )


def planned(wanted: Desired, now: AccountLive, owned: Inventory | None = None) -> Plan:
    """The whole planner with this provider's rules; nothing is read and nothing is sent."""
    return make_plan(
        wanted, Live(accounts={"main": now}), owned or inventory(), {"slicktext": PROVIDER.rules}, PlanOptions()
    )


def steps(plan: Plan) -> list[tuple[str, Step]]:
    return [(f"{c.address.kind}/{c.address.name}", s) for c, s in steps_in_order(plan.changes)]


def by_name(plan: Plan) -> dict[str, Change]:
    return {f"{c.address.kind}/{c.address.name}": c for c in plan.changes}


def codes(plan: Plan) -> list[str]:
    return sorted(d.code for d in plan.diagnostics)


def body(step: Step) -> Any:
    """What the first request of a step would send, refs included."""
    return next(iter(step.batches())).request({}).body


def path(step: Step) -> str:
    call: Call = step.call
    return f"{call.method} " + "/".join(str(p) for p in call.path[2:])


# --- against a sandbox


@dataclass(slots=True)
class Applied:
    """What an apply learned: the ids of what it made, and of contacts."""

    ids: dict[Address, RemoteId] = field(default_factory=dict)
    contacts: dict[str, str] = field(default_factory=dict)


def session(
    sandbox: Sandbox, *, read_only: bool = False, now: Callable[[], datetime] | None = None, **settings: Any
) -> SlickTextSession:
    more = {} if now is None else {"now": now}
    connection = Connection(secrets={"apiKey": Secret(KEY)}, read_only=read_only)
    declared = account(sandbox.url, **settings)
    return SlickTextSession(declared, connection, DEFAULTS, PROVIDER.identity(declared), **more)


def using(sandbox: Sandbox, act: Callable[[SlickTextSession], Awaitable[Any]], **more: Any) -> Any:
    """Run something with a session and close it."""

    async def main() -> Any:
        opened = session(sandbox, **more)
        try:
            return await act(opened)
        finally:
            await opened.aclose()

    return asyncio.run(main())


def fetched(sandbox: Sandbox, wanted: Desired, owned: Inventory | None = None, **more: Any) -> AccountLive:
    scope = Scope(desired=wanted, inventory=owned or inventory(), everything=more.pop("everything", False))
    found: AccountLive = using(sandbox, lambda s: s.fetch(scope), read_only=True, **more)
    return found


def plan_of(sandbox: Sandbox, wanted: Desired, owned: Inventory | None = None) -> Plan:
    """As an apply makes it: whom it would start to contact is read as well."""
    live = fetched(sandbox, wanted, owned)
    lists = unread_lists(planned(wanted, live, owned)).get("main", frozenset())
    return planned(wanted, using(sandbox, lambda s: s.with_members(live, lists), read_only=True), owned)


def apply(sandbox: Sandbox, plan: Plan, **more: Any) -> Applied:
    """Every step in order, without recovery: what a faultless apply sends."""

    async def run(opened: SlickTextSession) -> Applied:
        done = Applied()
        for change, step in steps_in_order(plan.changes):
            if step.rows is not None and "contact_id" in step.rows.columns:
                step = replace(step, rows=step.rows.filled("contact_id", done.contacts))
            for batch in step.batches():
                answer = await opened.send(batch.request(done.ids), resolved(batch.effect, done.ids))
                match batch.effect:
                    case Created():
                        assert answer.remote_id is not None
                        done.ids[change.address] = answer.remote_id
                    case ContactsCreated():
                        assert answer.remote_id is not None
                        assert batch.rows is not None
                        done.contacts[next(batch.rows.numbers())] = answer.remote_id
                    case _:
                        pass
        return done

    applied: Applied = using(sandbox, run, **more)
    return applied


def inventory_after(plan: Plan, applied: Applied, before: Inventory, wanted: Desired) -> Inventory:
    """What the store would own after that apply."""
    owned = dict(before.owned)
    for change in plan.changes:
        if isinstance(change, Delete | Forget):
            owned.pop(change.address, None)
            continue
        resource = change.desired
        assert resource is not None

        def id_of(target: Reference) -> RemoteId:
            if isinstance(target, ById):
                return target.remote_id
            found = applied.ids.get(target.address) or (
                before.owned[target.address].remote_id if target.address in before.owned else None
            )
            return found or RemoteId(str(next(c.remote_id for c in plan.changes if c.address == target.address)))

        parent: RemoteId | None = None
        if resource.link is not None:
            remote_id = link_id(id_of(resource.link.campaign), id_of(resource.link.list))
        elif resource.members is not None:
            remote_id = parent = id_of(resource.members.of)
        else:
            remote_id = applied.ids.get(change.address) or change.remote_id or RemoteId("")
        hashes = resource.members.contacts.hashes(before.key) if resource.members is not None else NO_MEMBERS
        owned[change.address] = Owned(
            address=change.address,
            provider="slicktext",
            remote_id=remote_id,
            on_remove=resource.lifecycle.on_remove,
            fields=resource.fields,
            parent=parent,
            applied=hashes,
            added=change.members.add.hashes(before.key) if change.members is not None else NO_MEMBERS,
        )
    return replace(before, owned=owned)


def converge(sandbox: Sandbox, wanted: Desired, owned: Inventory | None = None) -> tuple[Plan, Inventory]:
    """Plan, apply, and demand that a second plan has nothing to do. Returns the first plan and what is owned now."""
    start = owned or inventory()
    first = plan_of(sandbox, wanted, start)
    assert not first.blocking, first.blocking
    after = inventory_after(first, apply(sandbox, first), start, wanted)
    second = plan_of(sandbox, wanted, after)
    assert second.changes == (), [(str(c.address), c.reason) for c in second.changes]
    return first, after


DELETE = Lifecycle(on_remove=OnRemove.DELETE)
