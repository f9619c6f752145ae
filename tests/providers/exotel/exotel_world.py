"""Short ways to declare things, to plan them against data or against a sandbox, and to apply a plan for real."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from reconciler.apply.batches import run_step
from reconciler.apply.control import Control
from reconciler.apply.journal import Intending, Journal, Recorded
from reconciler.apply.judging import Result
from reconciler.apply.operation import Operator
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
from reconciler.plan.calls import Step
from reconciler.plan.changes import Change, Delete, Forget, Plan
from reconciler.plan.order import steps_in_order
from reconciler.plan.planner import PlanOptions
from reconciler.plan.planner import plan as make_plan
from reconciler.plan.reached import unread_lists
from reconciler.providers.base import Connection, Scope, Secret
from reconciler.providers.exotel import PROVIDER
from reconciler.providers.exotel.convert import CAMPAIGN_FIELDS
from reconciler.providers.exotel.provider import defaults_of
from reconciler.providers.exotel.session import ExotelSession
from reconciler.sandbox import Sandbox

SID = "sandbox1"
KEY, TOKEN = "sandbox-exotel-key", "sandbox-exotel-token"
MARTY, DOC, BIFF, JENNY, GEORGE = (f"+1615555010{n}" for n in range(1, 6))
SPAN = Span(file="main.yaml", line=1)
FLOW = "http://my.exotel.com/sandbox1/exoml/start_voice/926"
SOON = "2099-02-02T09:00:00+05:30"
DELETE = Lifecycle(on_remove=OnRemove.DELETE)


def in_minutes(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(timespec="seconds")


def account(base_url: str = "http://127.0.0.1:1", **settings: Any) -> Account:
    return Account(
        name="voice",
        provider="exotel",
        auth={"apiKey": FromEnv("EXOTEL_API_KEY"), "apiToken": FromEnv("EXOTEL_API_TOKEN")},
        source=SPAN,
        base_url=base_url,
        settings={"accountSid": SID, **settings},
    )


def at(kind: Kind, name: str) -> Address:
    return Address("voice", kind, name)


def _resource(kind: Kind, name: str, fields: Fields, **more: Any) -> Resource:
    return Resource(address=at(kind, name), provider="exotel", fields=fields, source=SPAN, **more)


def a_list(name: str, title: str | None = None, *, tag: str | None = None, **more: Any) -> Resource:
    fields: dict[str, Any] = {"name": title or name.title()}
    return _resource(Kind.LIST, name, fields | ({} if tag is None else {"tag": tag}), **more)


def a_campaign(
    name: str, title: str | None = None, *, lifecycle: Lifecycle | None = None, pinned: str | None = None, **fields: Any
) -> Resource:
    base = {"name": title or name.title(), "caller_id": "03349360005", "url": FLOW, "schedule": {"send_at": SOON}}
    return _resource(
        Kind.CAMPAIGN,
        name,
        {k: v for k, v in {**base, **fields}.items() if v is not ...},
        lifecycle=lifecycle or Lifecycle(),
        pinned=None if pinned is None else RemoteId(pinned),
    )


def reference(kind: Kind, target: str) -> Reference:
    return ById(RemoteId(target)) if target.startswith(("L", "C")) else Declared(at(kind, target))


def a_link(campaign: str, list_: str, **more: Any) -> Resource:
    link = Link(campaign=reference(Kind.CAMPAIGN, campaign), list=reference(Kind.LIST, list_))
    return _resource(Kind.ASSOCIATION, f"{campaign}--{list_}".lower(), {}, link=link, **more)


def people(*numbers: str, **columns: Sequence[str | None]) -> ContactSet:
    return ContactSet.from_columns({"number": list(numbers), **columns})


def crowd(count: int) -> ContactSet:
    return people(*(f"+1202555{n:04d}" for n in range(count)))


def a_membership(list_: str, contacts: ContactSet, *, exact: bool = True, **more: Any) -> Resource:
    lifecycle = more.pop("lifecycle", Lifecycle())
    more.setdefault("missing_contacts", "create")
    mode = Mode.EXACT if exact else Mode.ADDITIVE
    members = Members(of=reference(Kind.LIST, list_), mode=mode, contacts=contacts, **more)
    return _resource(Kind.MEMBERSHIP, f"{list_}-members".lower(), {}, members=members, lifecycle=lifecycle)


def desired(
    *resources: Resource, suppressed: Iterable[str] = (), base_url: str = "http://127.0.0.1:1", **settings: Any
) -> Desired:
    suppressions = (Suppression(name="dnc", contacts=people(*suppressed)),) if suppressed else ()
    return Desired(
        project=Project(name="test", root="/project"),
        accounts={"voice": account(base_url, **settings)},
        resources={r.address: r for r in resources},
        suppressions=suppressions,
    )


def owns(kind: Kind, name: str, remote_id: str, *, on_remove: str = "keep", **more: Any) -> Owned:
    more["on_remove"] = OnRemove(on_remove)
    return Owned(address=at(kind, name), provider="exotel", remote_id=RemoteId(remote_id), **more)


def inventory(*owned: Owned) -> Inventory:
    return Inventory(owned={o.address: o for o in owned}, key=b"k" * 32)


# --- a live account as data


def live_list(remote_id: str, name: str, tag: str = "", **facts: Any) -> Observed:
    fields = {"name": name, "tag": tag}
    return Observed(
        kind=Kind.LIST, remote_id=RemoteId(remote_id), name=name, fields=fields, facts={"type": "static", **facts}
    )


def live_campaign(
    remote_id: str,
    name: str,
    *,
    status: str = "created",
    lists: Iterable[str] = (),
    complete: bool = True,
    started: bool | None = None,
    **fields: Any,
) -> Observed:
    given = {"name": name, "caller_id": "03349360005", "url": FLOW, "schedule": {"send_at": SOON}, **fields}
    states = {"created": "active", "inprogress": "active"}
    return Observed(
        kind=Kind.CAMPAIGN,
        remote_id=RemoteId(remote_id),
        name=name if status in ("created", "inprogress", "paused") else f"{name} [{status}]",
        fields={k: CAMPAIGN_FIELDS[k].normalise(v) for k, v in given.items()} | {"state": states.get(status, status)},
        facts={
            "status": status,
            "lists": frozenset(lists),
            "complete": complete,
            "started": status == "inprogress" if started is None else started,
        },
    )


def live(*objects: Observed, members: Mapping[str, ContactSet] | None = None) -> AccountLive:
    found = {(o.kind, o.remote_id): o for o in objects}
    links: dict[RemoteId, LiveLink] = {}
    for o in objects:
        lists = o.facts.get("lists")
        for x in sorted(lists) if isinstance(lists, frozenset) else ():
            if (Kind.LIST, RemoteId(x)) in found:
                links[link_id(o.remote_id, RemoteId(x))] = LiveLink(campaign=o.remote_id, list=RemoteId(x))
    return AccountLive(
        identity=f"exotel:127.0.0.1:account={SID}",
        objects=found,
        links=links,
        members={RemoteId(k): LiveMembers(contacts=v, count=len(v)) for k, v in (members or {}).items()},
    )


def planned(wanted: Desired, now: AccountLive, owned: Inventory | None = None) -> Plan:
    """The whole planner with this provider's rules; nothing is read and nothing is sent."""
    return make_plan(
        wanted, Live(accounts={"voice": now}), owned or inventory(), {"exotel": PROVIDER.rules}, PlanOptions()
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
    return f"{step.call.method} " + "/".join(p if isinstance(p, str) else "?" for p in step.call.path[1:])


# --- against a sandbox


class NoLedger:
    """Where intents go when nobody keeps them."""

    def __init__(self) -> None:
        self._last = 0

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    def intend(self, intents: list[Intending]) -> list[int]:
        first = self._last + 1
        self._last += len(intents)
        return list(range(first, self._last + 1))

    def record(self, outcomes: list[Recorded]) -> None:
        pass

    def own(self, owned: list[Owned], gone: list[Address]) -> None:
        pass


@dataclass(slots=True)
class Applied:
    """What an apply learned: the ids of what it made, those of contacts, and how each step ended."""

    ids: dict[Address, RemoteId] = field(default_factory=dict)
    contacts: dict[str, str] = field(default_factory=dict)
    ended: list[tuple[str, Result, str]] = field(default_factory=list)


async def _at_once(seconds: float) -> None:
    await asyncio.sleep(0)


def session(
    sandbox: Sandbox,
    *,
    read_only: bool = False,
    now: Callable[[], datetime] | None = None,
    pause: Callable[[float], Awaitable[None]] = _at_once,
    **settings: Any,
) -> ExotelSession:
    more: dict[str, Any] = {"pause": pause, **({} if now is None else {"now": now})}
    secrets = {"apiKey": Secret(KEY), "apiToken": Secret(TOKEN)}
    connection = Connection(secrets=secrets, read_only=read_only)
    declared = account(sandbox.url, **settings)
    return ExotelSession(declared, connection, defaults_of(declared), PROVIDER.identity(declared), **more)


def using(sandbox: Sandbox, act: Callable[[ExotelSession], Awaitable[Any]], **more: Any) -> Any:
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


def plan_of(sandbox: Sandbox, wanted: Desired, owned: Inventory | None = None, **more: Any) -> Plan:
    """As an apply makes it: whom it would start to contact is read as well."""
    live = fetched(sandbox, wanted, owned, **more)
    lists = unread_lists(planned(wanted, live, owned)).get("voice", frozenset())
    return planned(wanted, using(sandbox, lambda s: s.with_members(live, lists), read_only=True, **more), owned)


def apply(sandbox: Sandbox, plan: Plan, **more: Any) -> Applied:
    """Every step in order through the real operator; steps that need one that failed are not run."""

    async def run(opened: ExotelSession) -> Applied:
        done = Applied()
        journal = Journal(NoLedger())
        operator = Operator(
            session=opened,
            journal=journal,
            control=Control(root=Path("nowhere")),
            account="voice",
            landing_s=0.0,
            visibility_s=0.0,
            slots=4,
        )
        try:
            for change, step in steps_in_order(plan.changes):
                if step.rows is not None and "contact_id" in step.rows.columns:
                    step = replace(step, rows=step.rows.filled("contact_id", done.contacts))
                result = await run_step(operator, change.address, step, done.ids)
                done.contacts.update(result.contact_ids)
                done.ids |= {a: r.remote_id for a, r in result.parts.items() if r.remote_id is not None}
                if result.remote_id is not None and step.rows is None:
                    done.ids[change.address] = result.remote_id
                done.ended.append((f"{change.address.kind}: {step.title}", result.result, result.detail))
        finally:
            await journal.close()
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
        owned[change.address] = Owned(
            address=change.address,
            provider="exotel",
            remote_id=remote_id,
            on_remove=resource.lifecycle.on_remove,
            fields=resource.fields,
            parent=parent,
            applied=resource.members.contacts.hashes(before.key) if resource.members is not None else NO_MEMBERS,
            added=change.members.add.hashes(before.key) if change.members is not None else NO_MEMBERS,
        )
    return replace(before, owned=owned)


def converge(sandbox: Sandbox, wanted: Desired, owned: Inventory | None = None, **more: Any) -> tuple[Plan, Inventory]:
    """Plan, apply, and demand that a second plan has nothing to do. Returns the first plan and what is owned now."""
    start = owned or inventory()
    first = plan_of(sandbox, wanted, start, **more)
    assert not first.blocking, first.blocking
    applied = apply(sandbox, first, **more)
    assert [e for e in applied.ended if e[1] is not Result.DONE] == []
    after = inventory_after(first, applied, start, wanted)
    second = plan_of(sandbox, wanted, after, **more)
    assert second.changes == (), [(str(c.address), c.reason, c.deltas) for c in second.changes]
    return first, after
