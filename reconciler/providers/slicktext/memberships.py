"""Membership changes as calls: contacts first where they are created, removals before adds, chunks of ``bulkSize``.

A contact exists apart from its lists here, and L8 and L9 take ids only. Creating a contact, changing one, and adding
one to a list may each start a workflow of the brand that texts people (H2); taking one off a list does not.
"""

from __future__ import annotations

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import ContactClass
from reconciler.model.live import Observed
from reconciler.plan.calls import (
    ContactsChanged,
    ContactsCreated,
    MembersAdded,
    MembersRemoved,
    Phase,
    Ref,
    Step,
    Target,
)
from reconciler.plan.changes import Change, Delete, MemberDelta, Reach
from reconciler.plan.rules import World
from reconciler.providers.audiences import list_of
from reconciler.providers.slicktext import calls
from reconciler.providers.slicktext.checks import SCHEDULE_FORMAT, moment
from reconciler.providers.slicktext.codes import problem
from reconciler.providers.slicktext.contacts import ATTRIBUTES
from reconciler.providers.slicktext.convert import ids_fact, status_of
from reconciler.providers.slicktext.settings import Settings


def compile_membership(change: Change, world: World, settings: Settings) -> Change:
    """The change with its calls, and with those whom it exposes to workflows as its reach."""
    members, target = change.members, list_of(change, world)
    if members is None or target is None or members.empty or change.carried_by is not None:
        return change
    steps = (*_contact_steps(members, settings), *_list_steps(members, target, settings, isinstance(change, Delete)))
    exposed = ContactSet.union_of(rows.select(()) for rows in (members.add, members.change) if rows)
    reach = Reach(numbers=exposed)
    return replace(change.with_steps(*steps), reach=reach)


def _contact_steps(members: MemberDelta, settings: Settings) -> list[Step]:
    steps = []
    if members.create:
        attributes = _written(members.create)
        steps.append(
            Step(
                phase=Phase.CONTACT,
                title="create contacts",
                call=calls.create_contact(settings.brand, attributes),
                effect=ContactsCreated(),
                contact_class=ContactClass.MAY_NOTIFY,
                rows=members.create.select(attributes),
            )
        )
    if members.change:
        attributes = _written(members.change)
        steps.append(
            Step(
                phase=Phase.CONTACT,
                title="change contacts",
                call=calls.update_contact(settings.brand, attributes),
                effect=ContactsChanged(columns=attributes),
                contact_class=ContactClass.MAY_NOTIFY,
                rows=members.change.select(("contact_id", *attributes)),
            )
        )
    return steps


def _list_steps(members: MemberDelta, target: Target, settings: Settings, deleting: bool) -> list[Step]:
    steps = []
    if members.remove:
        steps.append(
            Step(
                phase=Phase.MEMBER_DELETE if deleting else Phase.MEMBERSHIP,
                title="remove members",
                call=calls.remove_members(settings.brand, target),
                effect=MembersRemoved(of=target),
                rows=members.remove.select(("contact_id",)),
                chunk=settings.bulk_size,
            )
        )
    if members.add:
        steps.append(
            Step(
                phase=Phase.MEMBERSHIP,
                title="add members",
                call=calls.add_members(settings.brand, target),
                effect=MembersAdded(of=target),
                contact_class=ContactClass.MAY_NOTIFY,
                rows=members.add.select(("contact_id",)),
                chunk=settings.bulk_size,
            )
        )
    return steps


def _written(rows: ContactSet) -> tuple[str, ...]:
    return tuple(name for name in rows.columns if name in ATTRIBUTES)


def audience_warnings(
    change: Change, world: World, cancelled: frozenset[RemoteId], settings: Settings
) -> list[Diagnostic]:
    """What must be said when members of a scheduled campaign's list change (H3)."""
    members, target = change.members, list_of(change, world)
    if members is None or target is None or isinstance(target, Ref) or not (members.add or members.remove):
        return []
    return [
        problem(
            Severity.WARNING,
            "slicktext-scheduled-audience",
            f"{_signed(members)} on a list of campaign {campaign.name!r}, "
            f"which is scheduled for {campaign.fields.get('scheduled')} UTC{_frozen_from(campaign, members, settings)}",
            change.desired or change.address,
        )
        for campaign in scheduled_for(target, world)
        if campaign.remote_id not in cancelled
    ]


def _frozen_from(campaign: Observed, members: MemberDelta, settings: Settings) -> str:
    at = moment(campaign.fields.get("scheduled"))
    if not members.add or at is None or not settings.freeze:
        return ""
    return f"; from {at - settings.freeze:{SCHEDULE_FORMAT}} UTC on nobody is added until it was sent"


def _signed(members: MemberDelta) -> str:
    counts = [f"+{len(members.add)}"] * bool(members.add) + [f"-{len(members.remove)}"] * bool(members.remove)
    return " ".join(counts)


def scheduled_for(list_id: RemoteId, world: World) -> list[Observed]:
    """The scheduled campaigns that have the list in their audience, sorted by id."""
    found = [
        o
        for (kind, _), o in world.live.objects.items()
        if kind is Kind.CAMPAIGN and status_of(o) == "scheduled" and str(list_id) in ids_fact(o, "lists")
    ]
    return sorted(found, key=lambda o: o.remote_id)
