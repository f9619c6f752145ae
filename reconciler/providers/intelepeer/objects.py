"""Lists and campaigns: decisions turned into calls.

A list is created, deleted or replaced, never updated. A campaign is created as a draft and published last, so that it
reaches nobody before its lists are what they should be.
"""

from __future__ import annotations

from msgspec.structs import replace

from reconciler.diagnostics import Severity
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.kinds import ContactClass
from reconciler.model.live import Observed
from reconciler.model.resources import Declared, Fields, Resource
from reconciler.plan.binding import ownership
from reconciler.plan.calls import Changed, Created, Deleted, Phase, Step
from reconciler.plan.changes import Adopt, Change, Create, Delete, Delta, Forget, Replace, Update
from reconciler.plan.fields import normalised
from reconciler.providers.intelepeer import endpoints
from reconciler.providers.intelepeer.convert import DRAFT, PUBLISHED
from reconciler.providers.intelepeer.tables import KINDS
from reconciler.providers.intelepeer.work import Work, is_active

SYSTEM_LIST = "default_trans_list"
"""IntelePeer's own flows write to it. It is in every account and never ours to delete."""

_WRITTEN = ("name", "description", "callerIdentification", "flowId")
_NEEDED = ("name", "callerIdentification", "flowId")


# --- lists -----------------------------------------------------------------------------------------------------------


def compile_lists(work: Work) -> None:
    """Creates, deletions and replacements of lists."""
    for change in work.of_kind(Kind.LIST):
        match change:
            case Create(desired=Resource() as desired):
                work.put(change.with_steps(_create_list(desired, work)))
            case Replace(desired=Resource() as desired, remote_id=str() as old):
                if _may_go(change, old, work, "replaced"):
                    work.put(change.with_steps(_create_list(desired, work), _delete_list(old)))
            case Delete(remote_id=str() as old):
                if _may_go(change, old, work, "deleted"):
                    work.put(change.with_steps(_delete_list(old)))
            case Update(deltas=deltas) | Adopt(deltas=deltas) if deltas:
                what = ", ".join(d.path for d in deltas)
                work.say("intelepeer-list-immutable", f"cannot change {what}: IntelePeer has no list update", change)
            case _:
                continue


def _create_list(desired: Resource, work: Work) -> Step:
    fields = normalised(desired.fields, KINDS[Kind.LIST].fields)
    headers = fields.get("headers")
    name = str(fields.get("name", ""))
    call = endpoints.create_list(
        name=name,
        description=str(fields.get("description", "")),
        headers=(str(h) for h in headers) if isinstance(headers, tuple) else (),
    )
    known = work.index.named.get((Kind.LIST, name), frozenset())
    effect = Created(kind=Kind.LIST, name=name, fields=fields, known_ids=known)
    return Step(phase=Phase.LIST, title="create list", call=call, effect=effect)


def _delete_list(list_id: RemoteId) -> Step:
    return Step(
        phase=Phase.LIST_DELETE,
        title="delete list",
        call=endpoints.delete_list(list_id),
        effect=Deleted(kind=Kind.LIST, target=list_id),
    )


def _may_go(change: Change, list_id: RemoteId, work: Work, word: str) -> bool:
    """Whether a list may be deleted, saying why not, or what is lost with it."""
    live = work.world.live.objects.get((Kind.LIST, list_id))
    if live is not None and live.name == SYSTEM_LIST:
        work.say("intelepeer-system-list", f"{SYSTEM_LIST} belongs to IntelePeer and cannot be {word}", change)
        return False
    # Campaigns are deleted before lists; a replacement, however, is linked to its campaigns before the old list goes.
    going = work.index.going[Kind.CAMPAIGN] if isinstance(change, Delete) else {}
    if users := [c for c in work.active_users(list_id) if c.remote_id not in going]:
        names = ", ".join(repr(c.name) for c in users)
        work.say("intelepeer-list-in-use", f"it cannot be {word} while active campaigns use it: {names}", change)
        return False
    members = work.world.live.members.get(list_id)
    people = f"its {members.count} contacts" if members is not None else "its contacts"
    links = len(work.index.users.get(list_id, ()))
    lost = f"{people} and its links to {links} campaigns" if links else people
    work.say("intelepeer-deletion-loses", f"{lost} are lost when it is {word}", change, Severity.WARNING)
    return True


# --- campaigns -------------------------------------------------------------------------------------------------------


def compile_campaigns(work: Work) -> None:
    """Creates, updates, publications and deletions of campaigns."""
    for change in work.of_kind(Kind.CAMPAIGN):
        match change:
            case Create(desired=Resource() as desired):
                _create_campaign(change, desired, work)
            case Update(desired=Resource() as desired, live=Observed() as live):
                _update_campaign(change, desired, live, work)
            case Adopt(desired=Resource() as desired, live=Observed() as live):
                _update_campaign(change, desired, live, work)
            case Delete(live=live, remote_id=str() as old):
                _delete_campaign(change, old, live, work)
            case Create() | Update() | Replace() | Delete() | Adopt() | Forget():
                continue


def _create_campaign(change: Create, desired: Resource, work: Work) -> None:
    fields = normalised(desired.fields, KINDS[Kind.CAMPAIGN].fields)
    wanted = {name: fields.get(name, "") for name in _WRITTEN}
    if not _complete(change, wanted, work):
        return
    name = str(wanted["name"])
    call = endpoints.create_campaign(
        name=name,
        description=str(wanted["description"]),
        caller=str(wanted["callerIdentification"]),
        flow=str(wanted["flowId"]),
    )
    known = work.index.named.get((Kind.CAMPAIGN, name), frozenset())
    effect = Created(kind=Kind.CAMPAIGN, name=name, fields=wanted, known_ids=known)
    made: Change = change.with_steps(Step(phase=Phase.CAMPAIGN, title="create campaign", call=call, effect=effect))
    if fields.get("state") == PUBLISHED:
        made = _published(made, desired, work)
    work.put(made)


def _update_campaign(change: Change, desired: Resource, live: Observed, work: Work) -> None:
    state = next((d for d in change.deltas if d.path == "state"), None)
    if state is not None and state.desired == DRAFT:
        message = f"campaign {live.name!r} is published and cannot become a draft again"
        work.say("intelepeer-cannot-unpublish", message, change)
        return
    if state is not None and _published_before(desired, live, work):
        message = f"campaign {live.name!r} was published by us and does not read as published; it is left alone"
        work.say("intelepeer-publish-unreadable", message, change, Severity.NOTE)
        change = replace(change, deltas=tuple(d for d in change.deltas if d is not state))
        state = None
        if isinstance(change, Update) and not change.deltas:
            del work.changes[change.address]
            return
    if edits := [d for d in change.deltas if d.path in _WRITTEN]:
        step = _edit(change, edits, live, work)
        if step is None:
            return
        change = change.with_steps(step)
    if state is not None:
        change = _published(change, desired, work)
    work.put(change)


def _edit(change: Change, edits: list[Delta], live: Observed, work: Work) -> Step | None:
    """The update, with what is not managed taken from the live campaign; or None when it is said why not."""
    if not live.fields.get("flowId"):
        message = f"campaign {live.name!r} is not linked to a SmartFlows flow, so it cannot be updated"
        work.say("intelepeer-campaign-without-flow", message, change)
        return None
    wanted = {name: live.fields.get(name, "") for name in _WRITTEN} | {d.path: d.desired for d in edits}
    if not _complete(change, wanted, work):
        return None
    active = is_active(live)
    if active and not work.world.allows.names("update-active", str(change.address)):
        message = f"campaign {live.name!r} is active while it is updated"
        work.say("intelepeer-update-active", message, change, Severity.WARNING)
    call = endpoints.update_campaign(
        live.remote_id,
        name=str(wanted["name"]),
        description=str(wanted["description"]),
        caller=str(wanted["callerIdentification"]),
        flow=str(wanted["flowId"]),
    )
    effect = Changed(
        kind=Kind.CAMPAIGN,
        target=live.remote_id,
        base={d.path: d.live for d in edits},
        expected={d.path: d.desired for d in edits},
    )
    contact_class = ContactClass.MAY_NOTIFY if active else ContactClass.SILENT
    return Step(phase=Phase.CAMPAIGN, title="update campaign", call=call, effect=effect, contact_class=contact_class)


def _complete(change: Change, wanted: Fields, work: Work) -> bool:
    if missing := [name for name in _NEEDED if not wanted.get(name)]:
        message = f"{', '.join(missing)} must be known to write the campaign"
        work.say("intelepeer-campaign-incomplete", message, change)
    return not missing


def _published_before(desired: Resource, live: Observed, work: Work) -> bool:
    """We published exactly this campaign at an earlier time; that it reads as a draft proves nothing."""
    known = ownership(desired, work.world.desired, work.world.inventory)
    return known is not None and known.remote_id == live.remote_id and known.fields.get("state") == PUBLISHED


def _published(change: Change, desired: Resource, work: Work) -> Change:
    """``change`` with the publication as its last step, or with no step at all when it is said why not."""
    target = work.world.target(Declared(desired.address))
    live = work.world.live_object(Kind.CAMPAIGN, Declared(desired.address))
    now = work.links_of(target)
    if work.index.going[Kind.LIST].keys() & now.keys() or (live is not None and live.facts.get("leaving")):
        message = "it cannot be published while a list that is about to go is still linked to it"
        work.say("intelepeer-publish-after-replace", message, change)
        return replace(change, steps=())
    links = work.index.linking.get(target, {})
    lists = dict.fromkeys([*now, *links.values()])
    if not lists:
        work.say("intelepeer-publish-without-list", "it cannot be published: no list feeds it", change)
        return replace(change, steps=())
    step = Step(
        phase=Phase.ARM,
        title="publish",
        call=endpoints.publish(target),
        effect=Changed(kind=Kind.CAMPAIGN, target=target, base={"state": DRAFT}, expected={"state": PUBLISHED}),
        contact_class=ContactClass.MAY_NOTIFY,
    )
    arm_after = tuple(sorted({*change.arm_after, *links}))
    return replace(change.with_steps(step), arm_after=arm_after, reach=work.reach(lists))


def _delete_campaign(change: Delete, remote_id: RemoteId, live: Observed | None, work: Work) -> None:
    name = live.name if live is not None else remote_id
    if work.active(remote_id) and not work.world.allows.names("delete-active", str(change.address)):
        message = f"campaign {name!r} is active, and deleting it may not stop outreach that is under way"
        work.say("intelepeer-delete-active", message, change)
        return
    lost = f"the schedule and history of campaign {name!r} are lost"
    work.say("intelepeer-deletion-loses", lost, change, Severity.WARNING)
    step = Step(
        phase=Phase.CAMPAIGN_DELETE,
        title="delete campaign",
        call=endpoints.delete_campaign(remote_id),
        effect=Deleted(kind=Kind.CAMPAIGN, target=remote_id),
    )
    work.put(change.with_steps(step))
