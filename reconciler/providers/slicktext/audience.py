"""Which campaigns text the people of a list once a plan is applied, and which of them soon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from reconciler.model.addresses import Kind
from reconciler.model.live import Observed
from reconciler.plan.calls import Target
from reconciler.plan.changes import Delete
from reconciler.plan.rules import Freeze, World
from reconciler.providers.audiences import Case, lists_of
from reconciler.providers.slicktext.checks import moment
from reconciler.providers.slicktext.convert import EDITABLE, FINISHED, ids_fact, status_of


def users(found: Mapping[Target, Case], world: World) -> Mapping[str, Sequence[Observed]]:
    """By list, the campaigns that still have it in their audience after the plan, and are not finished. ``found``: what
    the plan does to campaigns."""
    users: dict[str, list[Observed]] = {}
    for (kind, remote_id), live in sorted(world.live.objects.items(), key=lambda item: item[0]):
        if kind is not Kind.CAMPAIGN or status_of(live) in FINISHED:
            continue
        case = found.get(remote_id)
        if case is not None and isinstance(case.change, Delete):
            continue
        leaving = lists_of(case.removes, world) if case is not None and status_of(live) in EDITABLE else set()
        for list_id in ids_fact(live, "lists") - leaving:
            users.setdefault(list_id, []).append(live)
    return users


def freeze(campaigns: Iterable[Observed], lists: AbstractSet[str], now: datetime, window: timedelta) -> Freeze | None:
    """Why nobody joins these lists at ``now``: a scheduled campaign goes to one of them within ``window``, the last of
    several. When it was sent is not known of one whose time has come or cannot be read."""
    soon: list[tuple[datetime | None, Observed]] = []
    for campaign in campaigns:
        if status_of(campaign) == "scheduled" and lists & ids_fact(campaign, "lists"):
            at = moment(campaign.fields.get("scheduled"))
            if at is None or at <= now + window:
                soon.append((at if at is not None and at > now else None, campaign))
    if not soon:
        return None
    until, last = max(soon, key=lambda one: (one[0] is None, one[0] or now, one[1].remote_id))
    at_time = last.fields.get("scheduled")
    return Freeze(
        reason=f"campaign {last.name!r} goes to this list at {at_time} UTC, within the freeze window", until=until
    )
