"""Membership changes as calls: contacts first, removals before adds, chunks of ``bulkSize``.

Lists take contact ids only (E7), and an id is found by creating the contact (E12): one that exists is named in the
answer and left as it is. A large first load goes as one file instead (E10), which does both.

Who joins a list that a running campaign has may be called; see the account's table of contact classes in the docs.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.model.addresses import Kind
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import ContactClass
from reconciler.model.live import Observed
from reconciler.model.resources import Declared
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
from reconciler.providers.exotel import calls
from reconciler.providers.exotel.audience import People
from reconciler.providers.exotel.codes import problem
from reconciler.providers.exotel.convert import ATTRIBUTES
from reconciler.providers.exotel.joining import joining
from reconciler.providers.exotel.settings import Settings

STATIC_CAP, DYNAMIC_CAP = 100_000, 500_000
"""People on one list (H20)."""
SLOW_FROM = 60
"""Removals from which it is worth saying how long they take (H12)."""


def compile_membership(
    change: Change, world: World, settings: Settings, people: People, diagnostics: list[Diagnostic]
) -> Change:
    """The change with its calls, and with those whom it exposes to campaigns as its reach."""
    members, target = change.members, list_of(change, world)
    if members is None or target is None or members.empty or change.carried_by is not None:
        return change
    if full := _too_many(change, members, target, world):
        diagnostics.append(full)
        return change
    feeding = people.campaigns(target)
    weight = joining(people.users(target))
    steps = [*_removals(change, members, target, settings)]
    name = _upload_name(change, members, target, world, settings)
    if name:
        steps.append(_upload(members, target, name, settings, weight))
    else:
        steps = [*_contacts(change, members, settings), *steps, *_adds(members, target, settings, weight)]
    diagnostics += _told(change, members, feeding, world)
    reach = Reach(numbers=members.add.select(()) if feeding else ContactSet.empty())
    return replace(change.with_steps(*steps), reach=reach)


def _contacts(change: Change, members: MemberDelta, settings: Settings) -> Iterator[Step]:
    if members.create:
        attributes = _written(members.create)
        yield Step(
            phase=Phase.CONTACT,
            title="find or create contacts",
            call=calls.create_contacts(settings.sid, attributes),
            effect=ContactsCreated(),
            rows=members.create.select(attributes),
            chunk=settings.bulk_size,
        )
    declared = change.desired.members if change.desired is not None else None
    if declared is not None and declared.contact_attributes == "sync" and _written(members.create):
        # A contact that existed keeps its attributes when it is found by creating it (H4).
        yield from _changes(_with_id(members.create), settings)
    yield from _changes(members.change, settings)


def _changes(rows: ContactSet, settings: Settings) -> Iterator[Step]:
    attributes = _written(rows)
    if rows and attributes:
        yield Step(
            phase=Phase.CONTACT,
            title="change contacts",
            call=calls.update_contacts(settings.sid, attributes),
            effect=ContactsChanged(columns=attributes),
            rows=_with_id(rows).select(("contact_id", *attributes)),
            chunk=settings.bulk_size,
        )


def _removals(change: Change, members: MemberDelta, target: Target, settings: Settings) -> Iterator[Step]:
    if members.remove:
        yield Step(
            phase=Phase.MEMBER_DELETE if isinstance(change, Delete) else Phase.MEMBERSHIP,
            title="remove members",
            call=calls.remove_member(settings.sid, target),
            effect=MembersRemoved(of=target),
            rows=members.remove.select(("contact_id",)),
        )


def _adds(members: MemberDelta, target: Target, settings: Settings, weight: ContactClass) -> Iterator[Step]:
    if members.add:
        yield Step(
            phase=Phase.MEMBERSHIP,
            title="add members",
            call=calls.add_members(settings.sid, target),
            effect=MembersAdded(of=target),
            contact_class=weight,
            rows=_with_id(members.add).select(("contact_id",)),
            chunk=settings.bulk_size,
        )


def _upload(members: MemberDelta, target: Target, name: str, settings: Settings, weight: ContactClass) -> Step:
    attributes = _written(members.add)
    return Step(
        phase=Phase.MEMBERSHIP,
        title="upload members",
        call=calls.upload_members(settings.sid, name, attributes),
        effect=MembersAdded(of=target),
        contact_class=weight,
        rows=members.add.select(attributes),
        chunk=STATIC_CAP,
    )


def _upload_name(change: Change, members: MemberDelta, target: Target, world: World, settings: Settings) -> str:
    """The name under which a first load goes as one file; empty where it goes in bulk calls.

    A file names its list, so the list must have that name already when the file is sent. It creates the contacts on
    the way, which a manifest must have allowed, and leaves those that exist as they are.
    """
    declared = change.desired.members if change.desired is not None else None
    if declared is None or not settings.csv_from or len(members.create) < settings.csv_from or members.live_count:
        return ""
    if members.change or members.remove or declared.contact_attributes == "sync":
        return ""
    resource = world.desired.find(declared.of) if isinstance(declared.of, Declared) else None
    wanted = str(resource.fields.get("name", "")) if resource is not None else ""
    live = world.live_object(Kind.LIST, declared.of)
    if isinstance(target, Ref):
        return wanted
    if live is None or live.facts.get("type") == "dynamic":
        return ""
    return live.name if wanted in ("", live.name) else ""


def _with_id(rows: ContactSet) -> ContactSet:
    """With the column that an earlier call fills in, also where nobody's id is known yet."""
    return rows if "contact_id" in rows.columns else rows.with_column("contact_id", None)


def _written(rows: ContactSet) -> tuple[str, ...]:
    return tuple(name for name in rows.columns if name in ATTRIBUTES)


def _too_many(change: Change, members: MemberDelta, target: Target, world: World) -> Diagnostic | None:
    live = None if isinstance(target, Ref) else world.live.objects.get((Kind.LIST, target))
    cap = DYNAMIC_CAP if live is not None and live.facts.get("type") == "dynamic" else STATIC_CAP
    after = members.live_count - len(members.remove) + len(members.add)
    if not members.add or after <= cap:
        return None
    text = f"{after:,} people would be on the list; {cap:,} are possible"
    return problem(Severity.ERROR, "exotel-list-full", text, change.desired or change.address)


def _told(change: Change, members: MemberDelta, feeding: list[Observed], world: World) -> Iterator[Diagnostic]:
    about = change.desired or change.address
    for campaign in feeding:
        if members.add and campaign.facts.get("started") and campaign.fields.get("campaign_type") != "dynamic":
            people = "1 person joins" if len(members.add) == 1 else f"{len(members.add)} people join"
            text = f"{people} a list of campaign {campaign.name!r}, which has started and will not call them"
            yield problem(Severity.WARNING, "exotel-campaign-running", text, about)
    if len(members.remove) >= SLOW_FROM:
        rate = world.account.limits.writes_per_minute or WRITES_PER_MINUTE
        minutes = len(members.remove) / rate
        text = f"{len(members.remove)} removals take as many requests, about {minutes:.0f} min at {rate:g} a minute"
        yield problem(Severity.NOTE, "exotel-slow-removal", text, about)


WRITES_PER_MINUTE = 30.0
"""What one account may write (API notes, 1.4)."""
