"""Decisions about lists and campaigns."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.inventory import LastRead
from reconciler.model.resources import GuardLimits, Lifecycle, OnRemove
from reconciler.plan.changes import Approval

from worlds import (
    MadeUp,
    a_campaign,
    a_list,
    address,
    codes,
    live,
    live_campaign,
    live_list,
    owned,
    planned,
    shape,
)


def test_what_is_not_live_is_created() -> None:
    made = planned(a_list("join"), now=live())
    assert shape(made) == [("Create", "List/join")]
    assert made.changes[0].approvals == {Approval.CREATE}
    assert [(d.path, d.live, d.desired) for d in made.changes[0].deltas] == [("name", None, "Join")]


def test_what_is_ours_and_as_declared_needs_nothing() -> None:
    made = planned(a_list("join"), now=live(live_list("1", "Join")), ours=(owned(Kind.LIST, "join", "1"),))
    assert made.changes == ()


def test_a_live_namesake_is_adopted_and_corrected_in_one() -> None:
    resource = a_list("join", fields={"description": "new"})
    made = planned(resource, now=live(live_list("1", "Join", description="old")))
    assert shape(made) == [("Adopt", "List/join")]
    assert made.changes[0].approvals == {Approval.CREATE, Approval.UPDATE}


def test_the_id_in_the_inventory_beats_the_name() -> None:
    now = live(live_list("1", "Renamed in the portal"), live_list("2", "Join"))
    made = planned(a_list("join"), now=now, ours=(owned(Kind.LIST, "join", "1"),))
    assert shape(made) == [("Update", "List/join")]
    assert made.changes[0].remote_id == "1"


def test_two_namesakes_stop_that_resource_only() -> None:
    now = live(live_list("1", "Join"), live_list("2", "Join"))
    made = planned(a_list("join"), a_list("vip"), now=now)
    assert shape(made) == [("Create", "List/vip")]
    assert codes(made) == {"ambiguous-name"}
    assert made.blocking


def test_a_pinned_id_decides_between_namesakes() -> None:
    now = live(live_list("1", "Join"), live_list("2", "Join"))
    made = planned(a_list("join", pinned=RemoteId("2")), now=now)
    assert made.changes[0].remote_id == "2"
    assert not made.blocking


def test_a_pinned_id_that_is_gone_is_never_created_anew() -> None:
    made = planned(a_list("join", pinned=RemoteId("9")), now=live())
    assert made.changes == ()
    assert codes(made) == {"pinned-missing"}


def test_two_manifests_for_one_live_object_are_refused() -> None:
    resources = (a_list("one", pinned=RemoteId("1")), a_list("two", pinned=RemoteId("1")))
    made = planned(*resources, now=live(live_list("1", "X")))
    assert made.changes == ()
    assert codes(made) == {"same-object"}


def test_what_cannot_be_updated_is_refused_with_the_remedy() -> None:
    made = planned(
        a_list("join"),
        now=live(live_list("1", "Other")),
        ours=(owned(Kind.LIST, "join", "1"),),
        rules=MadeUp(frozen_lists=True),
    )
    assert made.changes == ()
    assert codes(made) == {"made-up-immutable"}
    assert "replace" in made.diagnostics[0].hint


@pytest.mark.parametrize("protected_in", ["manifest", "inventory"])
def test_replacing_needs_leave_and_no_protection(protected_in: str) -> None:
    resource = a_list("join", lifecycle=Lifecycle(replace=True))
    now, ours = live(live_list("1", "Other")), owned(Kind.LIST, "join", "1")
    made = planned(resource, now=now, ours=(ours,), rules=MadeUp(frozen_lists=True))
    assert shape(made) == [("Replace", "List/join")]
    assert made.changes[0].approvals == {Approval.DELETE}
    if protected_in == "manifest":
        resource = replace(resource, lifecycle=Lifecycle(replace=True, protect=True))
    else:
        ours = replace(ours, protect=True)
    made = planned(resource, now=now, ours=(ours,), rules=MadeUp(frozen_lists=True))
    assert made.changes == ()
    assert codes(made) == {"protected-replace"}


def test_ignored_fields_are_left_alone_and_observed_resources_never_written() -> None:
    now, ours = live(live_list("1", "Other")), (owned(Kind.LIST, "join", "1"),)
    ignoring = a_list("join", lifecycle=Lifecycle(ignore=frozenset({"name"})))
    assert planned(ignoring, now=now, ours=ours).changes == ()
    made = planned(a_list("join", lifecycle=Lifecycle(observe=True)), now=now, ours=ours)
    assert made.changes == ()
    assert codes(made) == {"observed-drift"}
    assert not made.blocking


def test_a_removed_manifest_does_what_it_had_said() -> None:
    now = live(live_list("1", "Keep"), live_list("2", "Drop"), live_list("3", "Guard"), live_list("5", "Mine not"))
    ours = (
        owned(Kind.LIST, "keep", "1"),
        owned(Kind.LIST, "drop", "2", on_remove=OnRemove.DELETE),
        owned(Kind.LIST, "guard", "3", on_remove=OnRemove.DELETE, protect=True),
        owned(Kind.LIST, "lost", "4", on_remove=OnRemove.DELETE),
    )
    made = planned(now=now, ours=ours)
    assert shape(made) == [("Forget", "List/keep"), ("Forget", "List/lost"), ("Delete", "List/drop")]
    assert codes(made) == {"protected-kept"}
    assert not made.blocking
    assert made.unmanaged == (("main", "List", 1),)


def test_renaming_is_bookkeeping() -> None:
    resource = a_list("new", lifecycle=Lifecycle(renamed_from="old"))
    made = planned(resource, now=live(live_list("1", "New")), ours=(owned(Kind.LIST, "old", "1"),))
    assert shape(made) == [("Adopt", "List/new")]
    assert made.call_count == 0


def test_the_credentials_of_another_account_plan_nothing() -> None:
    made = planned(a_list("join"), now=live(identity="madeup:2"), identities={"main": "madeup:1"})
    assert made.changes == ()
    assert codes(made) == {"account-changed"}


def test_deletes_above_the_limit_are_found_and_lifted_by_what_the_finding_says() -> None:
    now = live(*(live_list(str(i), f"L{i}") for i in range(40)))
    ours = tuple(owned(Kind.LIST, f"l{i}", str(i), on_remove=OnRemove.DELETE) for i in range(11))
    made = planned(now=now, ours=ours)
    assert [g.guard for g in made.guards] == ["deletes"]
    assert planned(now=now, ours=ours, allow=(made.guards[0].lift,)).guards == ()
    assert planned(now=now, ours=ours, allow=("deletes=10",)).guards


@pytest.mark.parametrize(("deleted", "of", "refused"), [(2, 2, False), (3, 10, False), (3, 9, True), (4, 40, False)])
def test_a_share_of_deletes_counts_from_three(deleted: int, of: int, refused: bool) -> None:
    now = live(*(live_list(str(i), f"L{i}") for i in range(of)))
    kept = tuple(a_list(f"l{i}", fields={"name": f"L{i}"}) for i in range(deleted, of))
    ours = tuple(owned(Kind.LIST, f"l{i}", str(i), on_remove=OnRemove.DELETE) for i in range(of))
    assert bool(planned(*kept, now=now, ours=ours).guards) is refused


def test_a_read_that_shrank_is_not_believed_when_it_would_be_acted_on() -> None:
    last = {"main": LastRead(objects={Kind.LIST: 10})}
    now = live(*(live_list(str(i), f"L{i}") for i in range(7)))
    made = planned(a_list("more"), now=now, last_reads=last)
    assert [g.lift for g in made.guards] == ["shrink=main"]
    assert planned(now=now, last_reads=last).guards == ()
    assert planned(a_list("more"), now=now, last_reads=last, allow=("shrink=main",)).guards == ()


def test_the_order_is_lists_then_campaigns_and_deletes_backwards() -> None:
    now = live(live_list("1", "Old list"), live_campaign("2", "Old campaign"))
    ours = (
        owned(Kind.LIST, "old-list", "1", on_remove=OnRemove.DELETE),
        owned(Kind.CAMPAIGN, "old-campaign", "2", on_remove=OnRemove.DELETE),
    )
    made = planned(a_campaign("b"), a_list("a"), now=now, ours=ours)
    assert shape(made) == [
        ("Create", "List/a"),
        ("Create", "Campaign/b"),
        ("Delete", "Campaign/old-campaign"),
        ("Delete", "List/old-list"),
    ]


def test_reach_above_the_limit_is_refused() -> None:
    made = planned(a_list("join"), now=live(), guards=GuardLimits(max_reach=0))
    assert made.guards == ()
    assert address(Kind.LIST, "join") == made.changes[0].address


def test_an_account_that_stops_telling_whose_it_is_and_shows_nothing_of_ours_is_a_guard() -> None:
    ours = (owned(Kind.LIST, "join", "1"),)
    pinned = {"main": "madeup:customer=1"}
    silent = live(identity="madeup:customer=?")
    made = planned(a_list("join"), now=silent, ours=ours, identities=pinned)
    assert [g.lift for g in made.guards] == ["shrink=main"]
    assert planned(a_list("join"), now=silent, ours=ours, identities=pinned, allow=("shrink=main",)).guards == ()
    there = live(live_list("1", "Other"), identity="madeup:customer=?")
    assert planned(a_list("join"), now=there, ours=ours, identities=pinned).guards == ()
    assert planned(a_list("join"), now=live(identity="madeup:customer=1"), ours=ours, identities=pinned).guards == ()
    assert planned(a_list("join"), now=silent, ours=ours).guards == ()
