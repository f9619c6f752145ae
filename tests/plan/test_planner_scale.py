"""The work of a plan grows with what is in it, and not with its square."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.model.addresses import Kind
from reconciler.model.resources import OnRemove
from reconciler.plan.changes import Plan

from effort import growth
from worlds import (
    a_campaign,
    a_list,
    a_membership,
    an_association,
    live,
    live_campaign,
    live_list,
    owned,
    owned_link,
    people,
    planned,
)

Situation = Callable[[int], Callable[[], Plan]]


def _new_beside_strangers(count: int) -> Callable[[], Plan]:
    lists = [a_list(f"new-{i}") for i in range(count)]
    now = live(*(live_list(str(i), f"Stranger {i}") for i in range(count)))
    return lambda: planned(*lists, now=now)


def _changed(count: int) -> Callable[[], Plan]:
    lists = [a_list(f"l-{i}", fields={"description": "new"}) for i in range(count)]
    now = live(*(live_list(str(i), f"L-{i}", description="old") for i in range(count)))
    ours = tuple(owned(Kind.LIST, f"l-{i}", str(i)) for i in range(count))
    return lambda: planned(*lists, now=now, ours=ours)


def _linked(count: int) -> Callable[[], Plan]:
    resources = [r for i in range(count) for r in (a_list(f"l-{i}"), a_campaign(f"c-{i}"))]
    resources += [an_association(f"a-{i}", f"c-{i}", f"l-{i}") for i in range(count)]
    return lambda: planned(*resources, now=live())


def _filled(count: int) -> Callable[[], Plan]:
    resources = [r for i in range(count) for r in (a_list(f"l-{i}"), a_membership(f"m-{i}", f"l-{i}", people(i)))]
    now = live(*(live_list(str(i), f"L-{i}") for i in range(count)), members={str(i): people() for i in range(count)})
    ours = tuple(owned(Kind.LIST, f"l-{i}", str(i)) for i in range(count))
    return lambda: planned(*resources, now=now, ours=ours)


def _crowded(count: int) -> Callable[[], Plan]:
    """Everybody is suppressed, in the address book or new to it, and some are created by one for another list."""
    resources = [
        r for i in range(count) for r in (a_list(f"l-{i}"), a_membership(f"m-{i}", f"l-{i}", people(*range(i, i + 3))))
    ]
    now = live(
        *(live_list(str(i), f"L-{i}") for i in range(count)),
        members={str(i): people() for i in range(count)},
        book=people(*range(0, count, 4), contact_id="7", status="active"),
    )
    ours = tuple(owned(Kind.LIST, f"l-{i}", str(i)) for i in range(count))
    return lambda: planned(*resources, now=now, ours=ours, suppressed=people(*range(1, count, 4)))


def _gone(count: int) -> Callable[[], Plan]:
    """Lists, their members, campaigns and what joins them, none of it declared any more."""
    numbers = [str(i) for i in range(count)]
    objects = [o for i in numbers for o in (live_list(i, f"L-{i}"), live_campaign(f"c{i}", f"C-{i}"))]
    now = live(*objects, links=tuple((f"c{i}", i) for i in numbers), members={i: people(int(i)) for i in numbers})
    ours = [owned(Kind.LIST, f"l-{i}", i, on_remove=OnRemove.DELETE) for i in numbers]
    ours += [owned(Kind.CAMPAIGN, f"c-{i}", f"c{i}", on_remove=OnRemove.DELETE) for i in numbers]
    ours += [owned(Kind.MEMBERSHIP, f"m-{i}", i, on_remove=OnRemove.DELETE) for i in numbers]
    ours += [owned_link(f"a-{i}", f"c{i}", i, on_remove=OnRemove.DELETE) for i in numbers]
    return lambda: planned(now=now, ours=tuple(ours))


SITUATIONS = {
    "new beside strangers": _new_beside_strangers,
    "changed": _changed,
    "linked": _linked,
    "filled": _filled,
    "crowded": _crowded,
    "gone": _gone,
}


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS.keys())
def test_the_work_grows_with_the_plan(situation: Situation) -> None:
    assert situation(3)().changes
    assert growth(situation) < 5
