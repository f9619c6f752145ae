"""Every guard at its limit, one above it, and lifted by exactly what it says: for what is desired and what is live."""

from __future__ import annotations

import pytest

from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.inventory import LastRead
from reconciler.model.live import AccountLive
from reconciler.model.resources import GuardLimits, OnRemove
from reconciler.plan.changes import Plan

from worlds import a_list, a_membership, live, live_list, owned, people, planned

JOIN = owned(Kind.LIST, "join", "1")
WIDE = GuardLimits(deletes_percent=100.0, removals_percent=100.0)


def lifts(made: Plan) -> list[str]:
    return [g.lift for g in made.guards]


def deleting(count: int, of: int, *allow: str, guards: GuardLimits | None = None) -> Plan:
    now = live(*(live_list(str(i), f"L{i}") for i in range(of)))
    kept = tuple(a_list(f"l{i}", fields={"name": f"L{i}"}) for i in range(count, of))
    ours = tuple(owned(Kind.LIST, f"l{i}", str(i), on_remove=OnRemove.DELETE) for i in range(of))
    return planned(*kept, now=now, ours=ours, allow=allow, guards=guards)


def removing(count: int, of: int, *allow: str, guards: GuardLimits | None = None) -> Plan:
    resources = (a_list("join"), a_membership("m", "join", people(*range(count, of)), allow_empty=True))
    now = live(live_list("1", "Join"), members={"1": people(*range(of))})
    return planned(*resources, now=now, ours=(JOIN,), allow=allow, guards=guards)


def reaching(count: int, limit: int, *allow: str) -> Plan:
    resources = (a_list("new"), a_membership("m", "new", people(*range(count))))
    return planned(*resources, now=live(), guards=GuardLimits(max_reach=limit), allow=allow)


def counted(lists: int) -> AccountLive:
    return live(*(live_list(str(i), f"L{i}") for i in range(lists)))


def shrunk(before: int, now: int, *allow: str) -> Plan:
    last = {"main": LastRead(objects={Kind.LIST: before})}
    return planned(a_list("more"), now=counted(now), last_reads=last, allow=allow)


def thinned(before: int, now: int, *allow: str) -> Plan:
    last = {"main": LastRead(members={RemoteId("1"): before})}
    resources = (a_list("join"), a_membership("m", "join", people(*range(now + 1))))
    seen = live(live_list("1", "Join"), members={"1": people(*range(now))})
    return planned(*resources, now=seen, ours=(JOIN,), last_reads=last, allow=allow)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (deleting(10, 100), []),
        (deleting(11, 100), ["deletes=11"]),
        (deleting(3, 10), []),
        (deleting(3, 9), ["deletes=3"]),
        (deleting(2, 2), []),
        (deleting(0, 3, guards=GuardLimits(deletes_count=0)), []),
        (deleting(1, 9, guards=GuardLimits(deletes_count=0)), ["deletes=1"]),
        (removing(100, 2000), []),
        (removing(101, 2000), ["removals=101"]),
        (removing(20, 200), []),
        (removing(20, 199), ["removals=20"]),
        (removing(19, 20), []),
        (removing(1, 200, guards=GuardLimits(removals_count=0)), ["removals=1"]),
        (reaching(3, 3), []),
        (reaching(4, 3), ["reach=4"]),
        (reaching(1, 0), ["reach=1"]),
        (shrunk(10, 8), []),
        (shrunk(10, 7), ["shrink=main"]),
        (shrunk(15, 12), []),
        (shrunk(15, 11), ["shrink=main"]),
        (shrunk(2, 0), []),
        (shrunk(3, 0), ["shrink=main"]),
        (thinned(100, 80), []),
        (thinned(100, 79), ["shrink=main"]),
        (thinned(20, 1), []),
        (thinned(21, 1), ["shrink=main"]),
        (thinned(9, 0), []),
        (thinned(10, 0), ["shrink=main"]),
    ],
)
def test_a_guard_refuses_one_above_its_limit(made: Plan, expected: list[str]) -> None:
    assert lifts(made) == expected


@pytest.mark.parametrize(
    ("allow", "passes"),
    [
        ("deletes=11", True),
        ("main:deletes=11", True),
        ("deletes=12", True),
        ("deletes=10", False),
        ("other:deletes=11", False),
        ("removals=11", False),
        ("reach=11", False),
        ("shrink=main", False),
    ],
)
def test_deletes_are_lifted_by_their_own_number_only(allow: str, passes: bool) -> None:
    assert (lifts(deleting(11, 100, allow)) == []) is passes


@pytest.mark.parametrize(("allow", "passes"), [("removals=101", True), ("removals=100", False), ("deletes=101", False)])
def test_removals_are_lifted_by_their_own_number_only(allow: str, passes: bool) -> None:
    assert (lifts(removing(101, 2000, allow)) == []) is passes


@pytest.mark.parametrize(("allow", "passes"), [("reach=4", True), ("reach=3", False), ("main:reach=4", True)])
def test_reach_is_lifted_by_its_own_number_only(allow: str, passes: bool) -> None:
    assert (lifts(reaching(4, 3, allow)) == []) is passes


@pytest.mark.parametrize("allow", ["shrink=other", "deletes=99", "removals=99"])
def test_a_shrunk_read_is_lifted_for_its_account_only(allow: str) -> None:
    assert lifts(shrunk(10, 7, allow)) == ["shrink=main"]
    assert lifts(shrunk(10, 7, "shrink=main")) == []
    assert lifts(thinned(100, 79, "shrink=main")) == []


def test_emptying_is_its_own_guard_beside_the_number() -> None:
    assert lifts(removing(5, 5)) == ["empty=main/Membership/m"]
    assert lifts(removing(4, 5)) == []
    assert lifts(removing(5, 5, "empty=main/Membership/m")) == []
    assert lifts(removing(5, 5, "empty=main/Membership/other", "removals=5")) == ["empty=main/Membership/m"]
    assert lifts(removing(30, 30)) == ["removals=30", "empty=main/Membership/m"]
    assert lifts(removing(30, 30, "empty=main/Membership/m", guards=WIDE)) == []


def test_nobody_desired_and_nobody_live_is_nothing_at_all() -> None:
    resources = (a_list("join"), a_membership("m", "join", ContactSet.empty(), allow_empty=True))
    made = planned(*resources, now=live(live_list("1", "Join"), members={"1": ContactSet.empty()}), ours=(JOIN,))
    assert lifts(made) == []
    assert made.reach == 0


def test_no_manifests_at_all_delete_nothing_that_was_not_meant_to_go() -> None:
    now = live(live_list("1", "Join"), live_list("2", "Other"))
    made = planned(now=now, ours=(JOIN, owned(Kind.LIST, "other", "2")))
    assert {type(c).__name__ for c in made.changes} == {"Forget"}
    assert made.call_count == 0
