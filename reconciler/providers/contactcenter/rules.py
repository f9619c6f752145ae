"""The pure half: what a portal can do, and decisions about leads turned into calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Desired
from reconciler.model.kinds import ContactClass, FieldRule, KindRules, LeadRules, MembershipRules, Refusal, text
from reconciler.model.live import LiveMembers
from reconciler.model.resources import Account, Resource
from reconciler.plan.calls import ContactsChanged, MembersAdded, MembersRemoved, Phase, Ref, Step, Target
from reconciler.plan.changes import Change, Delete, MemberDelta, Reach
from reconciler.plan.leads import removable
from reconciler.plan.rules import Compiled, World
from reconciler.providers.contactcenter import calls, checks
from reconciler.providers.contactcenter.convert import stopped, surplus_of
from reconciler.providers.contactcenter.settings import Settings

_READ_ONLY = Refusal(
    code="contactcenter-campaign-read-only",
    reason="the API changes nothing about campaigns",
    remedy="Change it in the portal, or declare what is there.",
)

KINDS: Mapping[Kind, KindRules] = {
    Kind.CAMPAIGN: KindRules(
        fields={"name": FieldRule(normalise=text)},
        create=Refusal(
            code="contactcenter-campaign-missing",
            reason="the account has no such campaign, and the API makes none",
            remedy="Create it in the portal, or correct its name or id.",
        ),
        update=_READ_ONLY,
        delete=_READ_ONLY,
        replace=_READ_ONLY,
        read_only=True,
    ),
}

MEMBERSHIP = MembershipRules(
    attributes=frozenset((*calls.TEXTS, *calls.NUMBERS, "status")),
    parent=Kind.CAMPAIGN,
    leads=LeadRules(
        fixed=Refusal(
            code="contactcenter-attribute-fixed",
            reason="the API cannot change a lead, and deleting and adding it would have it dialled anew",
            remedy="Change it in the portal, or take the column out of the manifest.",
        ),
        settable=frozenset({"status"}),
        write_only=calls.WRITE_ONLY,
    ),
)


class ContactCenterRules:
    """See ``plan.rules.Rules``."""

    provider = "contactcenter"
    kinds = KINDS
    membership = MEMBERSHIP

    def check(self, resource: Resource, account: Account, desired: Desired) -> Iterable[Diagnostic]:
        return checks.problems(resource, Settings.of(account).finished)

    def compile(self, changes: tuple[Change, ...], world: World) -> Compiled:
        settings = Settings.of(world.account)
        compiled = (_compiled(change, world, settings) for change in changes)
        return Compiled(changes=tuple(change for change in compiled if change is not None))


def _compiled(change: Change, world: World, settings: Settings) -> Change | None:
    """A Membership with its calls; None for one whose campaign is missing, which is said already."""
    if change.address.kind is not Kind.MEMBERSHIP:
        return change
    target = _campaign(change, world)
    if isinstance(target, Ref):
        return None
    if change.members is None or change.members.empty or target is None or change.carried_by is not None:
        return change
    live = world.live.members.get(target)
    deleting = isinstance(change, Delete)
    steps = [
        *_status_steps(change.members, target),
        *_delete_steps(change.members, target, _surplus(change, live), deleting),
        *_add_steps(change.members, target, world, settings),
    ]
    return replace(change.with_steps(*steps), reach=Reach(numbers=change.members.add.select(())))


def _campaign(change: Change, world: World) -> Target | None:
    if change.desired is not None and change.desired.members is not None:
        return world.target(change.desired.members.of)
    return change.remote_id


def _status_steps(members: MemberDelta, campaign: RemoteId) -> list[Step]:
    if not members.change:
        return []
    return [
        Step(
            phase=Phase.MEMBERSHIP,
            title="set status",
            call=calls.set_status(),
            effect=ContactsChanged(columns=("status",)),
            rows=members.change.select(("contact_id", "status")).with_column("campaign_id", campaign),
        )
    ]


def _delete_steps(
    members: MemberDelta, campaign: RemoteId, surplus: Sequence[ContactSet], deleting: bool
) -> list[Step]:
    """One lead a call; a number with several leads has one in each of several steps."""
    return [
        Step(
            phase=Phase.MEMBER_DELETE if deleting else Phase.MEMBERSHIP,
            title="delete leads",
            call=calls.delete_lead(),
            effect=MembersRemoved(of=campaign),
            rows=rows.select(("contact_id",)),
        )
        for rows in (members.remove, *surplus)
        if rows
    ]


def _add_steps(members: MemberDelta, campaign: RemoteId, world: World, settings: Settings) -> list[Step]:
    if not members.add:
        return []
    attributes = tuple(name for name in members.add.columns if name in (*calls.TEXTS, *calls.NUMBERS))
    silent = stopped(world.live.objects.get((Kind.CAMPAIGN, campaign)))
    return [
        Step(
            phase=Phase.MEMBERSHIP,
            title="add leads",
            call=calls.add_lead(campaign, attributes, settings.add_method),
            effect=MembersAdded(of=campaign),
            contact_class=ContactClass.MAY_NOTIFY if silent else ContactClass.STARTS_CONTACTING,
            rows=members.add.select(attributes),
        )
    ]


def _surplus(change: Change, live: LiveMembers | None) -> list[ContactSet]:
    """Further leads of the numbers that are removed: left alone they would be dialled. One set has a number once."""
    if change.members is None or live is None:
        return []
    wanted = removable(change.desired.members if change.desired is not None else None)
    layers: list[dict[str, str]] = []
    for one in surplus_of(live.facts):
        if one.standing not in wanted or change.members.remove.get(one.number) is None:
            continue
        layer = next((x for x in layers if one.number not in x), None)
        if layer is None:
            layers.append(layer := {})
        layer[one.number] = one.lead
    return [ContactSet.from_columns({"number": list(x), "contact_id": list(x.values())}) for x in layers]
