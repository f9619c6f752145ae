"""Which campaigns text the people of a list once a plan is applied."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.live import Observed
from reconciler.plan.changes import Change, Delete
from reconciler.plan.rules import World
from reconciler.providers.audiences import cases, lists_of
from reconciler.providers.slicktext.convert import EDITABLE, FINISHED, ids_fact, status_of


def using(list_id: RemoteId, changes: tuple[Change, ...], world: World) -> Iterator[Observed]:
    """Campaigns that still have the list in their audience after the plan, and are not finished."""
    found = cases(changes, world)
    for (kind, remote_id), live in sorted(world.live.objects.items()):
        if kind is not Kind.CAMPAIGN or status_of(live) in FINISHED or str(list_id) not in ids_fact(live, "lists"):
            continue
        case = found.get(remote_id)
        if case is not None and isinstance(case.change, Delete):
            continue
        leaving = lists_of(case.removes, world) if case is not None else set()
        if list_id not in leaving or status_of(live) not in EDITABLE:
            yield live
