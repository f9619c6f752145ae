"""Memberships: people uploaded to a list, which is all that can be done with them.

An upload appends and cannot be undone or read back, so each step carries the contact ids that were there before, and
uploads to one list never run at the same time (source: IntelePeer API notes, section 4.5).
"""

from __future__ import annotations

from msgspec.structs import replace

from reconciler.model.addresses import Address, Kind
from reconciler.model.kinds import ContactClass
from reconciler.model.resources import Members
from reconciler.plan.calls import Column, Each, Json, MembersAdded, Phase, Ref, Step, Target
from reconciler.plan.changes import Change, Delete, Forget, Reach
from reconciler.providers.intelepeer import endpoints
from reconciler.providers.intelepeer.settings import MembershipMode
from reconciler.providers.intelepeer.work import Work

_OURS = frozenset({"number", "contact_id", "status"})
"""Columns that are not attributes of the contact."""


def compile_memberships(work: Work) -> None:
    """Uploads, one step for each membership."""
    last: dict[Target, Address] = {}
    for change in work.of_kind(Kind.MEMBERSHIP):
        members = change.desired.members if change.desired is not None else None
        if members is None or change.members is None or not change.members.add or isinstance(change, Delete | Forget):
            continue
        if work.settings.membership is MembershipMode.NONE:
            work.say("intelepeer-membership-off", "contacts are not uploaded in this account", change)
            continue
        target = work.world.target(members.of)
        requires = {*change.requires, *((last[target],) if target in last else ())}
        last[target] = change.address
        work.put(replace(_uploaded(change, members, target, work), requires=tuple(sorted(requires))))


def _uploaded(change: Change, members: Members, target: Target, work: Work) -> Change:
    add = change.members.add if change.members is not None else members.contacts
    exposed = bool(work.active_users(target))
    step = Step(
        phase=Phase.MEMBERSHIP,
        title="add members",
        call=endpoints.upload_contacts(target, Each(_contact(add.columns))),
        effect=MembersAdded(of=target, known_ids=_seen(target, work), counted=True),
        contact_class=ContactClass.STARTS_CONTACTING if exposed else ContactClass.SILENT,
        rows=add,
        chunk=endpoints.UPLOAD_LIMIT,
    )
    reach = Reach(numbers=add.select(("number",))) if exposed else Reach()
    return replace(change.with_steps(step), reach=reach)


def _contact(columns: tuple[str, ...]) -> Json:
    """One contact: its attributes under the list's own headers, spelled exactly like them."""
    metadata = {name: Column(name) for name in columns if name not in _OURS}
    return {"phone": Column("number"), **({"metadata": metadata} if metadata else {})}


def _seen(target: Target, work: Work) -> frozenset[str]:
    """The contact ids that were on the list when it was read."""
    if isinstance(target, Ref) or (live := work.world.live.members.get(target)) is None:
        return frozenset()
    ids = live.facts.get("contact_ids")
    return ids if isinstance(ids, frozenset) else frozenset()
