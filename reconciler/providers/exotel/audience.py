"""Which campaigns call the people of a list once a plan is applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.live import Observed
from reconciler.plan.calls import Target
from reconciler.plan.changes import Change, Delete
from reconciler.plan.rules import World
from reconciler.providers import audiences
from reconciler.providers.audiences import Case
from reconciler.providers.exotel.convert import OPEN, lists_of, status_of


def wanted_state(case: Case) -> str:
    """The state that the campaign is to be brought into; empty where that does not change."""
    deltas = case.change.deltas if case.change is not None and not isinstance(case.change, Delete) else ()
    return next((str(d.desired) for d in deltas if d.path == "state"), "")


def is_ending(case: Case) -> bool:
    """Whether the campaign is over once the plan is applied."""
    return isinstance(case.change, Delete) or wanted_state(case) in ("completed", "archived")


class People(audiences.People):
    """Who is on a list once the plan's membership changes are made, and which campaigns call them."""

    def __init__(self, changes: tuple[Change, ...], world: World, found: Mapping[Target, Case]) -> None:
        super().__init__(changes, world)
        self._feeds: dict[Target, list[Observed]] = {}
        self._users: dict[Target, list[Observed]] = {}
        for (kind, remote_id), live in sorted(world.live.objects.items()):
            if kind is Kind.CAMPAIGN and status_of(live) in OPEN:
                for x in lists_of(live):
                    self._users.setdefault(RemoteId(x), []).append(live)
                case = found.get(remote_id)
                if case is None or not is_ending(case):
                    leaving = audiences.lists_of(case.removes, world) if case is not None else set()
                    for x in lists_of(live) - leaving:
                        self._feeds.setdefault(RemoteId(x), []).append(live)

    def campaigns(self, target: Target) -> list[Observed]:
        """The live campaigns that have the list after the plan and are not over, sorted by id."""
        return self._feeds.get(target, [])

    def users(self, target: Target) -> list[Observed]:
        """Those that have the list now, also such as the plan ends: it does so when people have joined already."""
        return self._users.get(target, [])


def using(list_id: RemoteId, people: People) -> Iterator[str]:
    """Names of the campaigns that keep a list from being deleted."""
    for live in people.campaigns(list_id):
        yield live.name
