"""Drift three ways: who moved, in one field, on one list, and in whole small worlds."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.model.addresses import Kind
from reconciler.model.desired import Desired, Project, Waiver
from reconciler.model.inventory import Inventory, LastRead, Owned
from reconciler.model.live import AccountLive, Live, LiveMembers
from reconciler.model.resources import Account, Lifecycle, Mode, OnRemove, Resource
from reconciler.plan.drift import Accepted, Drift, DriftItem, DriftState
from reconciler.plan.drift_codec import encode_drift
from reconciler.plan.selection import Selection, Selector
from reconciler.plan.threeway import drift

from worlds import (
    KEY,
    SPAN,
    MadeUp,
    a_campaign,
    a_list,
    a_membership,
    address,
    an_association,
    hashes,
    live,
    live_campaign,
    live_list,
    number,
    owned,
    owned_link,
    people,
)

TODAY = date(2026, 11, 22)


def drifted(
    *resources: Resource,
    now: AccountLive,
    ours: tuple[Owned, ...] = (),
    waivers: tuple[Waiver, ...] = (),
    select: tuple[str, ...] = (),
    **inventory: Any,
) -> Drift:
    desired = Desired(
        project=Project(root="/"),
        accounts={"main": Account(name="main", provider="madeup", auth={}, source=SPAN)},
        resources={r.address: r for r in resources},
        waivers=waivers,
    )
    known = Inventory(owned={o.address: o for o in ours}, key=KEY, **inventory)
    selection = Selection(select=tuple(map(Selector.parse, select)))
    return drift(desired, Live(accounts={"main": now}), known, {"madeup": MadeUp()}, selection=selection, today=TODAY)


def states(found: Drift) -> dict[str, str]:
    return {i.address.removeprefix("main/"): str(i.state) for i in found.items}


def only(found: Drift) -> DriftItem:
    assert len(found.items) == 1, states(found)
    return found.items[0]


@pytest.mark.parametrize(
    ("last", "now", "git", "state"),
    [
        ("a", "a", "a", None),
        ("a", "b", "a", DriftState.DRIFTED),
        ("a", "a", "b", DriftState.PENDING),
        ("a", "b", "c", DriftState.CONFLICT),
        ("a", "b", "b", None),
        (None, "a", "b", DriftState.PENDING),
    ],
)
def test_who_moved_a_field(last: str | None, now: str, git: str, state: DriftState | None) -> None:
    fields = {"name": "Vip"} | ({"description": last} if last else {})
    found = drifted(
        a_list("vip", fields={"description": git}),
        now=live(live_list("1", "Vip", description=now)),
        ours=(owned(Kind.LIST, "vip", "1", fields=fields),),
    )
    if state is None:
        assert found.items == ()
        assert not found.moved
        return
    item = only(found)
    assert item.state is state
    assert [(f.path, f.last_applied, f.live, f.desired) for f in item.fields] == [("description", last, now, git)]
    assert found.moved is (state is not DriftState.PENDING)


def test_a_resource_that_both_moved_in_different_fields_is_in_conflict() -> None:
    found = drifted(
        a_list("vip", fields={"description": "new"}),
        now=live(live_list("1", "Renamed", description="old")),
        ours=(owned(Kind.LIST, "vip", "1", fields={"name": "Vip", "description": "old"}),),
    )
    assert only(found).state is DriftState.CONFLICT
    assert {f.path: f.state for f in only(found).fields} == {
        "name": DriftState.DRIFTED,
        "description": DriftState.PENDING,
    }


def test_missing_takes_its_relations_along_and_names_them() -> None:
    found = drifted(
        a_list("vip"),
        a_campaign("spring"),
        an_association("spring--vip", "spring", "vip"),
        a_membership("members", "vip", people(1, 2)),
        now=live(live_campaign("9", "Spring")),
        ours=(
            owned(Kind.LIST, "vip", "1", fields={"name": "Vip"}),
            owned(Kind.CAMPAIGN, "spring", "9", fields={"name": "Spring"}),
            owned_link("spring--vip", "9", "1"),
            replace(owned(Kind.MEMBERSHIP, "members", "1", applied=hashes(1, 2)), parent="1"),
        ),
    )
    item = only(found)
    assert (item.address, item.state) == ("main/List/vip", DriftState.MISSING)
    assert item.dependents == ("main/Association/spring--vip", "main/Membership/members")
    assert (
        encode_drift(found, tool="t")["summary"] | {"missing": 1, "inOrder": 1, "compared": 4}
        == encode_drift(found, tool="t")["summary"]
    )


def test_a_link_that_somebody_cut_is_missing_and_one_that_somebody_made_is_unmanaged() -> None:
    resources = (a_list("vip"), a_list("join"), a_campaign("spring"), an_association("spring--vip", "spring", "vip"))
    ours = (
        owned(Kind.LIST, "vip", "1", fields={"name": "Vip"}),
        owned(Kind.LIST, "join", "2", fields={"name": "Join"}),
        owned(Kind.CAMPAIGN, "spring", "9", fields={"name": "Spring"}),
        owned_link("spring--vip", "9", "1"),
    )
    now = live(live_list("1", "Vip"), live_list("2", "Join"), live_campaign("9", "Spring"), links=(("9", "2"),))
    found = drifted(*resources, now=now, ours=ours)
    assert states(found) == {"Association/spring--vip": "missing", "Association/~9+2": "unmanaged"}
    assert found.moved


def test_nobodys_objects_are_unmanaged_and_no_drift() -> None:
    found = drifted(now=live(live_list("7", "Theirs")), ours=(owned(Kind.LIST, "x", "8", protect=True),))
    assert only(found).address == "main/List/~7"
    assert only(found).title == "Theirs"
    assert not found.moved


def test_what_is_no_longer_declared_is_pending() -> None:
    found = drifted(
        now=live(live_list("1", "Vip")),
        ours=(owned(Kind.LIST, "vip", "1", on_remove=OnRemove.DELETE, fields={"name": "Vip"}),),
    )
    assert only(found).state is DriftState.PENDING
    assert "deletes" in only(found).reason


def _members(applied: tuple[int, ...]) -> tuple[Owned, ...]:
    return (
        owned(Kind.LIST, "vip", "1", fields={"name": "Vip"}),
        replace(owned(Kind.MEMBERSHIP, "members", "1", applied=hashes(*applied)), parent="1"),
    )


def test_of_everybody_who_differs_it_is_known_who_moved() -> None:
    found = drifted(
        a_list("vip"),
        a_membership("members", "vip", people(1, 2, 3)),
        now=live(live_list("1", "Vip"), members={"1": people(1, 4, 5)}),
        ours=_members((1, 2, 4)),
    )
    members = only(found).members
    assert members is not None
    assert [*members.vanished.numbers()] == [number(2)]
    assert [*members.pending_add.numbers()] == [number(3)]
    assert [*members.pending_remove.numbers()] == [number(4)]
    assert [*members.appeared.numbers()] == [number(5)]
    assert members.unchanged == 1
    assert only(found).state is DriftState.CONFLICT


def test_strangers_on_an_additive_list_are_nobodys_business() -> None:
    found = drifted(
        a_list("vip"),
        a_membership("members", "vip", people(1), mode=Mode.ADDITIVE),
        now=live(live_list("1", "Vip"), members={"1": people(1, 4, 5)}),
        ours=_members((1,)),
    )
    assert found.items == ()


def test_a_list_that_shows_only_its_size_is_told_by_its_size() -> None:
    now = live(live_list("1", "Vip"))
    hidden = LiveMembers(contacts=people(), count=5, readable=False)
    found = drifted(
        a_list("vip"),
        a_membership("members", "vip", people(1), mode=Mode.ADDITIVE),
        now=replace(now, members={"1": hidden}),
        ours=_members((1,)),
        last_reads={"main": LastRead(members={"1": 3})},
    )
    item = only(found)
    assert item.members is not None
    assert (item.state, item.members.unseen) == (DriftState.DRIFTED, 2)


def test_ignored_and_observed_differences_are_shown_and_do_not_count() -> None:
    ignored = replace(a_list("vip"), lifecycle=Lifecycle(ignore=frozenset({"name"})))
    observed = replace(a_list("join"), lifecycle=Lifecycle(observe=True))
    now = live(live_list("1", "Other"), live_list("2", "Elsewhere"))
    found = drifted(
        ignored,
        replace(observed, pinned="2"),
        now=now,
        ours=(owned(Kind.LIST, "vip", "1", fields={"name": "Vip"}),),
    )
    assert {i.address: i.accepted for i in found.items} == {
        "main/List/vip": Accepted.IGNORED,
        "main/List/join": Accepted.OBSERVED,
    }
    assert not found.moved


def _waiver(expires: date, *fields: str) -> Waiver:
    return Waiver(
        name="w", address=address(Kind.LIST, "vip"), reason="launch", expires=expires, fields=frozenset(fields)
    )


@pytest.mark.parametrize(
    ("waiver", "moved", "code"),
    [
        (_waiver(TODAY), False, None),
        (_waiver(TODAY, "description"), False, None),
        (_waiver(TODAY, "name"), True, None),
        (_waiver(date(2026, 11, 21)), True, "waiver-expired"),
    ],
)
def test_a_waiver_accepts_what_it_names_through_its_last_day(waiver: Waiver, moved: bool, code: str | None) -> None:
    found = drifted(
        a_list("vip", fields={"description": "a"}),
        now=live(live_list("1", "Vip", description="b")),
        ours=(owned(Kind.LIST, "vip", "1", fields={"name": "Vip", "description": "a"}),),
        waivers=(waiver,),
    )
    assert found.moved is moved
    assert [d.code for d in found.diagnostics] == ([code] if code else [])
    assert only(found).waiver == ("" if moved else "launch (until 2026-11-22)")


def test_a_waiver_for_nothing_is_told() -> None:
    found = drifted(
        a_list("vip"),
        now=live(live_list("1", "Vip")),
        ours=(owned(Kind.LIST, "vip", "1", fields={"name": "Vip"}),),
        waivers=(_waiver(TODAY),),
    )
    assert [d.code for d in found.diagnostics] == ["waiver-unused"]


def test_without_any_apply_everything_is_pending_and_that_is_said() -> None:
    found = drifted(
        a_list("vip", fields={"description": "a"}), now=live(live_list("1", "Vip", description="b")), exists=False
    )
    assert only(found).state is DriftState.PENDING
    assert [d.code for d in found.diagnostics] == ["nothing-applied-yet"]


def test_a_selection_leaves_the_rest_out_of_sight() -> None:
    found = drifted(
        a_list("vip"),
        a_list("join"),
        now=live(live_list("7", "Theirs")),
        ours=(owned(Kind.LIST, "vip", "1"), owned(Kind.LIST, "join", "2")),
        select=("main/List/vip",),
    )
    assert states(found) == {"List/vip": "missing"}


NAMES = st.sampled_from(("a", "b", "c"))


@given(last=NAMES, now=NAMES, git=NAMES)
def test_the_state_of_a_field_is_symmetric_in_what_moved(last: str, now: str, git: str) -> None:
    """Swapping what is live with what Git says swaps drifted and pending, and leaves conflicts and order alone."""

    def state(live_value: str, desired: str) -> str:
        found = drifted(
            a_list("vip", fields={"description": desired}),
            now=live(live_list("1", "Vip", description=live_value)),
            ours=(owned(Kind.LIST, "vip", "1", fields={"name": "Vip", "description": last}),),
        )
        return states(found).get("List/vip", "")

    mirrored = {"drifted": "pending", "pending": "drifted"}
    there, back = state(now, git), state(git, now)
    assert back == mirrored.get(there, there)


@given(
    applied=st.frozensets(st.integers(1, 8)),
    now=st.frozensets(st.integers(1, 8)),
    git=st.frozensets(st.integers(1, 8), min_size=1),
)
def test_every_person_who_differs_is_in_exactly_one_set(
    applied: frozenset[int], now: frozenset[int], git: frozenset[int]
) -> None:
    found = drifted(
        a_list("vip"),
        a_membership("members", "vip", people(*sorted(git))),
        now=live(live_list("1", "Vip"), members={"1": people(*sorted(now))}),
        ours=_members(tuple(sorted(applied))),
    )
    if now == git:
        assert found.items == ()
        return
    members = only(found).members
    assert members is not None
    told = {
        "vanished": {*members.vanished.numbers()},
        "pending_add": {*members.pending_add.numbers()},
        "appeared": {*members.appeared.numbers()},
        "pending_remove": {*members.pending_remove.numbers()},
    }
    assert told == {
        "vanished": {number(i) for i in (git - now) & applied},
        "pending_add": {number(i) for i in (git - now) - applied},
        "appeared": {number(i) for i in (now - git) - applied},
        "pending_remove": {number(i) for i in (now - git) & applied},
    }
    assert members.unchanged == len(now & git)


@pytest.mark.parametrize(
    ("state", "command"),
    [
        (DriftState.DRIFTED, "reconciler apply -e 'my sandbox' --select main/List/vip;"),
        (DriftState.UNMANAGED, "reconciler import main -e 'my sandbox';"),
    ],
)
def test_what_puts_it_right_names_the_environment_that_was_compared(state: DriftState, command: str) -> None:
    """Without it, the command that is pasted would write to another account."""
    item = DriftItem(
        address="main/List/vip",
        account="main",
        provider="madeup",
        kind=Kind.LIST,
        state=state,
        environment="my sandbox",
    )
    assert command in item.remedy
    assert " -e " not in replace(item, environment="").remedy


def test_items_know_their_environment() -> None:
    desired = Desired(
        project=Project(root="/", environment="prod"),
        accounts={"main": Account(name="main", provider="madeup", auth={}, source=SPAN)},
        resources={r.address: r for r in (a_list("vip"),)},
    )
    found = drift(
        desired,
        Live(accounts={"main": live()}),
        Inventory(key=KEY),
        {"madeup": MadeUp()},
        selection=Selection(),
        today=TODAY,
    )
    assert [item.environment for item in found.items] == ["prod"]
