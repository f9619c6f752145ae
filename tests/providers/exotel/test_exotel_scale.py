"""Many lists are compiled one by one."""

from __future__ import annotations

from collections.abc import Callable

from exotel_world import a_list, desired, inventory, live, live_list, owns, planned

from reconciler.model.addresses import Kind
from reconciler.plan.changes import Plan

from effort import growth


def _new_beside_others(count: int) -> Callable[[], Plan]:
    now = live(*(live_list(str(i + 1), f"Old {i}") for i in range(count)))
    wanted = desired(*(a_list(f"new-{i}") for i in range(count)))
    return lambda: planned(wanted, now)


def _gone(count: int) -> Callable[[], Plan]:
    now = live(*(live_list(str(i + 1), f"Old {i}") for i in range(count)))
    ours = inventory(*(owns(Kind.LIST, f"old-{i}", str(i + 1), on_remove="delete") for i in range(count)))
    return lambda: planned(desired(), now, ours)


def test_new_lists() -> None:
    assert len(_new_beside_others(3)().changes) == 3
    assert growth(_new_beside_others) < 5


def test_lists_that_are_gone() -> None:
    assert len(_gone(3)().changes) == 3
    assert growth(_gone) < 5
