"""Small worlds for planner tests: a made-up provider with a list kind, a campaign kind and members, all in memory."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Span
from reconciler.model.addresses import Address, Kind, RemoteId, link_id
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Desired, Project, Suppression
from reconciler.model.hashes import MemberHashes
from reconciler.model.inventory import Inventory, Owned
from reconciler.model.keys import member_hash
from reconciler.model.kinds import ContactClass, FieldRule, KindRules, MembershipRules, Refusal, text
from reconciler.model.live import AccountLive, Live, LiveLink, LiveMembers, Observed
from reconciler.model.resources import Account, Declared, GuardLimits, Lifecycle, Link, Members, Mode, Resource
from reconciler.plan.allows import Allow, Allows
from reconciler.plan.calls import Call, Created, MembersAdded, MembersRemoved, Method, Phase, Step
from reconciler.plan.changes import Change, Create, Plan, Reach
from reconciler.plan.planner import PlanOptions, plan
from reconciler.plan.rules import Compiled, World

KEY = b"k" * 32
SPAN = Span(file="m.yaml", line=1)
NO_UPDATE = Refusal(code="made-up-immutable", reason="Lists never change.", remedy="Set lifecycle.replace: true")


class MadeUp:
    """Rules of a provider that can do everything; ``frozen_lists`` cannot be updated."""

    provider = "madeup"

    def __init__(self, *, frozen_lists: bool = False, contacts_apart: bool = False) -> None:
        fields = {"name": FieldRule(normalise=text), "description": FieldRule(normalise=text)}
        self.kinds = {
            Kind.LIST: KindRules(fields=fields, update=NO_UPDATE if frozen_lists else None),
            Kind.CAMPAIGN: KindRules(fields=fields),
            Kind.ASSOCIATION: KindRules(),
        }
        self.membership = MembershipRules(contacts_apart=contacts_apart)

    def check(self, resource: Resource, account: Account, desired: Desired) -> tuple[Diagnostic, ...]:
        return ()

    def compile(self, changes: tuple[Change, ...], world: World) -> Compiled:
        return Compiled(changes=tuple(self._compiled(c, world) for c in changes))

    def _compiled(self, change: Change, world: World) -> Change:
        steps: list[Step] = []
        if isinstance(change, Create) and change.address.kind is Kind.LIST:
            call = Call(method=Method.POST, path=("lists",), body={"name": str(change.deltas[0].desired)})
            effect = Created(kind=Kind.LIST, name="", fields={})
            steps.append(Step(phase=Phase.LIST, title="create list", call=call, effect=effect))
        members, resource = change.members, change.desired
        if members is not None and resource is not None and resource.members is not None:
            of = world.target(resource.members.of)
            for rows, effect, title in (
                (members.remove, MembersRemoved(of=of), "remove"),
                (members.add, MembersAdded(of=of), "add"),
            ):
                if rows:
                    call = Call(method=Method.POST, path=("members", of))
                    steps.append(
                        Step(
                            phase=Phase.MEMBERSHIP,
                            title=title,
                            call=call,
                            effect=effect,
                            rows=rows,
                            chunk=80,
                            contact_class=ContactClass.MAY_NOTIFY if title == "add" else ContactClass.SILENT,
                        )
                    )
            if members.add:
                change = replace(change, reach=Reach(numbers=members.add))
        return change.with_steps(*steps)


def number(index: int) -> str:
    return f"+1202555{index:04d}"


def people(*indexes: int, **columns: str) -> ContactSet:
    rows: dict[str, Any] = {"number": [number(i) for i in indexes]}
    rows |= {name: [value] * len(indexes) for name, value in columns.items()}
    return ContactSet.from_columns(rows)


def address(kind: Kind, name: str) -> Address:
    return Address("main", kind, name)


def a_list(name: str, **more: Any) -> Resource:
    fields = {"name": name.title()} | more.pop("fields", {})
    return Resource(address=address(Kind.LIST, name), provider="madeup", fields=fields, source=SPAN, **more)


def a_campaign(name: str, **more: Any) -> Resource:
    fields = {"name": name.title()}
    return Resource(address=address(Kind.CAMPAIGN, name), provider="madeup", fields=fields, source=SPAN, **more)


def a_membership(name: str, of: str, contacts: ContactSet, mode: Mode = Mode.EXACT, **more: Any) -> Resource:
    lifecycle = more.pop("lifecycle", Lifecycle())
    members = Members(of=Declared(address(Kind.LIST, of)), mode=mode, contacts=contacts, **more)
    return Resource(
        address=address(Kind.MEMBERSHIP, name),
        provider="madeup",
        fields={},
        source=SPAN,
        members=members,
        lifecycle=lifecycle,
    )


def an_association(name: str, campaign: str, of: str, **more: Any) -> Resource:
    link = Link(campaign=Declared(address(Kind.CAMPAIGN, campaign)), list=Declared(address(Kind.LIST, of)))
    return Resource(
        address=address(Kind.ASSOCIATION, name), provider="madeup", fields={}, source=SPAN, link=link, **more
    )


def live_list(remote_id: str, name: str, **fields: str) -> Observed:
    return Observed(kind=Kind.LIST, remote_id=RemoteId(remote_id), name=name, fields={"name": name, **fields})


def live_campaign(remote_id: str, name: str) -> Observed:
    return Observed(kind=Kind.CAMPAIGN, remote_id=RemoteId(remote_id), name=name, fields={"name": name})


def live(
    *objects: Observed,
    members: dict[str, ContactSet] | None = None,
    links: tuple[tuple[str, str], ...] = (),
    book: ContactSet | None = None,
    identity: str = "madeup:1",
) -> AccountLive:
    made = [LiveLink(campaign=RemoteId(c), list=RemoteId(x)) for c, x in links]
    found = {RemoteId(i): LiveMembers(contacts=c, count=len(c)) for i, c in (members or {}).items()}
    return AccountLive(
        identity=identity,
        objects={(o.kind, o.remote_id): o for o in objects},
        links={x.remote_id: x for x in made},
        members=found,
        contacts=book or ContactSet.empty(),
    )


def owned(kind: Kind, name: str, remote_id: str, **more: Any) -> Owned:
    return Owned(address=address(kind, name), provider="madeup", remote_id=RemoteId(remote_id), **more)


def owned_link(name: str, campaign: str, of: str, **more: Any) -> Owned:
    return owned(Kind.ASSOCIATION, name, link_id(RemoteId(campaign), RemoteId(of)), **more)


def hashes(*indexes: int) -> MemberHashes:
    return MemberHashes(member_hash(number(i), KEY) for i in indexes)


def planned(
    *resources: Resource,
    now: AccountLive,
    ours: tuple[Owned, ...] = (),
    rules: MadeUp | None = None,
    suppressed: ContactSet | None = None,
    guards: GuardLimits | None = None,
    allow: tuple[str, ...] = (),
    **inventory: Any,
) -> Plan:
    account = Account(name="main", provider="madeup", auth={}, source=SPAN, guards=guards or GuardLimits())
    suppressions = (Suppression(name="dnc", contacts=suppressed),) if suppressed else ()
    desired = Desired(
        project=Project(root="/"),
        accounts={"main": account},
        resources={r.address: r for r in resources},
        suppressions=suppressions,
    )
    known = Inventory(owned={o.address: o for o in ours}, key=KEY, **inventory)
    options = PlanOptions(allows=Allows(tuple(map(Allow.parse, allow))))
    return plan(desired, Live(accounts={"main": now}), known, {"madeup": rules or MadeUp()}, options)


def shape(made: Plan) -> list[tuple[str, str]]:
    """(action, address without account) of every change, in order."""
    return [(type(c).__name__, f"{c.address.kind}/{c.address.name}") for c in made.changes]


def codes(made: Plan) -> set[str]:
    return {d.code for d in made.diagnostics}
