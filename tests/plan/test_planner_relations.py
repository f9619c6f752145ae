"""Decisions about associations and memberships, and the rules that protect people."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import AccountLive, LiveMembers
from reconciler.model.resources import GuardLimits, Lifecycle, Mode, OnRemove
from reconciler.plan.calls import Call, Column, Each, Method, Part, Ref
from reconciler.plan.changes import Approval, Change, Plan
from reconciler.plan.order import needed_ids

from worlds import (
    MadeUp,
    a_campaign,
    a_list,
    a_membership,
    address,
    an_association,
    codes,
    hashes,
    live,
    live_campaign,
    live_list,
    number,
    owned,
    owned_link,
    people,
    planned,
    shape,
)

JOIN = owned(Kind.LIST, "join", "1")


def membership_of(made: Plan) -> Change:
    return next(c for c in made.changes if c.address.kind is Kind.MEMBERSHIP)


def join(members: ContactSet, **more: object) -> AccountLive:
    return live(live_list("1", "Join"), members={"1": members}, **more)  # type: ignore[arg-type]


def test_members_of_a_new_list_are_created_after_it() -> None:
    made = planned(a_list("join"), a_membership("m", "join", people(1, 2)), now=live())
    assert shape(made) == [("Create", "List/join"), ("Create", "Membership/m")]
    assert made.changes[1].requires == (address(Kind.LIST, "join"),)
    assert made.changes[1].members is not None
    assert len(made.changes[1].members.add) == 2
    assert made.reach == 2


def test_the_ids_of_every_place_of_a_call_are_needed() -> None:
    lists = [address(Kind.LIST, name) for name in ("path", "body", "part", "each")]
    (made,) = planned(a_list("new"), now=live()).changes
    call = Call(
        method=Method.POST,
        path=("lists", Ref(lists[0])),
        body={
            "list": Ref(lists[1]),
            "rows": Each({"id": Column("number"), "of": (Ref(lists[3]),)}),
            "own": Ref(made.address),
        },
    )
    step = replace(
        made.steps[0],
        call=call,
        parts=(Part(address=lists[0], entry={"list": Ref(lists[2])}, effect=made.steps[0].effect),),
    )
    assert needed_ids(made.with_steps(step)) == set(lists)


def test_an_exact_membership_removes_others_and_an_additive_one_does_not() -> None:
    now = join(people(2, 3))
    exact = planned(a_list("join"), a_membership("m", "join", people(1, 2)), now=now, ours=(JOIN,))
    change = membership_of(exact)
    assert change.members is not None
    assert list(change.members.add.numbers()) == [number(1)]
    assert list(change.members.remove.numbers()) == [number(3)]
    assert change.members.unchanged == 1
    assert change.approvals == {Approval.CREATE, Approval.DELETE}
    additive = planned(a_list("join"), a_membership("m", "join", people(1, 2), Mode.ADDITIVE), now=now, ours=(JOIN,))
    assert membership_of(additive).approvals == {Approval.CREATE}
    assert len(membership_of(additive).members.remove) == 0  # type: ignore[union-attr]


def test_a_suppressed_number_is_never_added_and_taken_off_without_approval_or_guard() -> None:
    many = people(*range(30))
    made = planned(
        a_list("join"),
        a_membership("m", "join", people(*range(31))),
        now=join(many),
        ours=(JOIN,),
        suppressed=people(*range(25), 30),
    )
    change = membership_of(made)
    assert change.members is not None
    assert len(change.members.add) == 0
    assert len(change.members.remove) == len(change.members.protective) == 25
    assert change.approvals == frozenset()
    assert made.guards == ()
    assert "suppressed-skipped" in codes(made)
    assert not made.blocking


def test_who_opted_out_is_never_added_and_left_where_they_are() -> None:
    book = people(1, contact_id="7", status="opted-out")
    made = planned(
        a_list("join"), a_membership("m", "join", people(1)), now=join(ContactSet.empty(), book=book), ours=(JOIN,)
    )
    assert [c for c in made.changes if c.call_count] == []
    assert codes(made) == {"opted-out-skipped"}
    there = people(1, contact_id="7", status="opted-out")
    made = planned(a_list("join"), a_membership("m", "join", people(1)), now=join(there), ours=(JOIN,))
    assert shape(made) == [("Adopt", "Membership/m")]


def test_missing_contacts_block_or_are_created() -> None:
    now, rules = join(ContactSet.empty(), book=people(2, contact_id="9")), MadeUp(contacts_apart=True)
    failing = planned(a_list("join"), a_membership("m", "join", people(1, 2)), now=now, ours=(JOIN,), rules=rules)
    assert codes(failing) == {"missing-contacts"}
    creating = a_membership("m", "join", people(1, 2), missing_contacts="create")
    change = membership_of(planned(a_list("join"), creating, now=now, ours=(JOIN,), rules=rules))
    assert change.members is not None
    assert list(change.members.create.numbers()) == [number(1)]
    assert len(change.members.add) == 2


def test_a_contact_that_two_memberships_need_is_created_once_and_waited_for() -> None:
    lists = (a_list("a"), a_list("b"))
    both = [a_membership(n, n, people(1), missing_contacts="create") for n in ("a", "b")]
    made = planned(*lists, *both, now=live(), rules=MadeUp(contacts_apart=True))
    first, second = (c for c in made.changes if c.address.kind is Kind.MEMBERSHIP)
    assert first.members is not None
    assert second.members is not None
    assert (len(first.members.create), len(second.members.create)) == (1, 0)
    assert first.address in second.requires


def test_numbers_in_messages_are_masked() -> None:
    made = planned(a_list("join"), a_membership("m", "join", people(1)), now=live(), rules=MadeUp(contacts_apart=True))
    assert codes(made) == {"missing-contacts"}
    assert not any(number(1) in d.message or "5550001" in d.message for d in made.diagnostics)


def test_unreadable_members_are_held_against_the_ledger() -> None:
    unreadable = LiveMembers(contacts=ContactSet.empty(), count=2, readable=False)
    now = replace(live(live_list("1", "Join")), members={RemoteId("1"): unreadable})
    resources = (a_list("join"), a_membership("m", "join", people(1, 2, 3), Mode.ADDITIVE))
    known = owned(Kind.MEMBERSHIP, "m", "1", parent=RemoteId("1"), applied=hashes(1, 2), added=hashes(1, 2))
    change = membership_of(planned(*resources, now=now, ours=(JOIN, known)))
    assert change.members is not None
    assert list(change.members.add.numbers()) == [number(3)]

    lost = planned(*resources, now=now, ours=(JOIN,))
    assert codes(lost) == {"unknown-members"}
    assert all(c.address.kind is not Kind.MEMBERSHIP for c in lost.changes)
    allowed = planned(*resources, now=now, ours=(JOIN,), allow=("unknown-members=main/Membership/m",))
    assert len(membership_of(allowed).members.add) == 3  # type: ignore[union-attr]


def test_removing_a_membership_manifest_removes_whom_we_added_and_nobody_else() -> None:
    gone = owned(
        Kind.MEMBERSHIP,
        "m",
        "1",
        parent=RemoteId("1"),
        on_remove=OnRemove.DELETE,
        applied=hashes(1, 2, 3),
        added=hashes(1, 2),
    )
    made = planned(a_list("join"), now=join(people(1, 2, 3, 4)), ours=(JOIN, gone))
    change = membership_of(made)
    assert shape(made) == [("Delete", "Membership/m")]
    assert change.members is not None
    assert list(change.members.remove.numbers()) == [number(1), number(2)]
    renamed = a_membership("other", "join", people(1), Mode.ADDITIVE)
    made = planned(a_list("join"), renamed, now=join(people(1, 2, 3, 4)), ours=(JOIN, gone))
    deleted = next(c for c in made.changes if c.address.name == "m")
    assert deleted.members is not None
    assert list(deleted.members.remove.numbers()) == [number(2)]


def test_an_empty_exact_membership_that_empties_a_list_is_a_guard() -> None:
    resources = (a_list("join"), a_membership("m", "join", ContactSet.empty(), allow_empty=True))
    made = planned(*resources, now=join(people(1)), ours=(JOIN,))
    assert [g.lift for g in made.guards] == ["empty=main/Membership/m"]
    assert planned(*resources, now=join(people(1)), ours=(JOIN,), allow=("empty=main/Membership/m",)).guards == ()


@pytest.mark.parametrize(
    ("removed", "of", "refused"), [(19, 100, False), (20, 200, False), (20, 199, True), (101, 5000, True)]
)
def test_removals_are_guarded_by_share_and_by_number(removed: int, of: int, refused: bool) -> None:
    declared = people(*range(removed, of))
    resources = (a_list("join"), a_membership("m", "join", declared))
    made = planned(*resources, now=join(people(*range(of))), ours=(JOIN,))
    assert bool(made.guards) is refused
    if refused:
        lifted = planned(*resources, now=join(people(*range(of))), ours=(JOIN,), allow=(made.guards[0].lift,))
        assert lifted.guards == ()


def test_reach_counts_distinct_people_and_is_guarded() -> None:
    resources = (
        a_list("a"),
        a_list("b"),
        a_membership("ma", "a", people(1, 2, 3)),
        a_membership("mb", "b", people(2, 3, 4)),
    )
    made = planned(*resources, now=live(), guards=GuardLimits(max_reach=3))
    assert made.reach == 4
    assert [g.lift for g in made.guards] == ["reach=4"]


def test_links_are_created_adopted_and_let_go() -> None:
    both = (a_list("join"), a_campaign("spring"))
    ours = (JOIN, owned(Kind.CAMPAIGN, "spring", "2"))
    now = live(live_list("1", "Join"), live_campaign("2", "Spring"))
    link = an_association("s", "spring", "join")
    assert shape(planned(*both, link, now=now, ours=ours)) == [("Create", "Association/s")]
    linked = replace(now, links=live(links=(("2", "1"),)).links)
    assert shape(planned(*both, link, now=linked, ours=ours)) == [("Adopt", "Association/s")]
    known = owned_link("s", "2", "1")
    assert planned(*both, link, now=linked, ours=(*ours, known)).changes == ()
    assert shape(planned(*both, now=linked, ours=(*ours, known))) == [("Forget", "Association/s")]
    deleting = replace(known, on_remove=OnRemove.DELETE)
    made = planned(*both, now=linked, ours=(*ours, deleting))
    assert shape(made) == [("Delete", "Association/s")]
    assert made.changes[0].deletes == 1


MOVED = (a_list("join"), a_list("vip"), a_campaign("spring"), an_association("s", "spring", "vip"))
OBJECTS = (live_list("1", "Join"), live_campaign("2", "Spring"), live_list("3", "Vip"))
OURS = (JOIN, owned(Kind.CAMPAIGN, "spring", "2"), owned(Kind.LIST, "vip", "3"))


def links_of(made: Plan) -> dict[str, Change]:
    return {c.address.name: c for c in made.changes if c.address.kind is Kind.ASSOCIATION}


def test_a_link_that_is_pointed_elsewhere_is_unlinked_and_linked_in_this_order() -> None:
    made = planned(*MOVED, now=live(*OBJECTS, links=(("2", "1"),)), ours=(*OURS, owned_link("s", "2", "1")))
    assert shape(made) == [("Delete", "Association/s--replaced-2+1"), ("Create", "Association/s")]
    old, new = made.changes
    assert (old.remote_id, old.deletes, old.approvals) == ("2+1", 1, {Approval.DELETE})
    assert (new.deletes, new.approvals, new.requires) == (0, {Approval.ASSOCIATE}, (old.address,))
    assert [(d.path, d.live, d.desired) for c in (old, new) for d in c.deltas] == [("list", "join", "vip")] * 2
    assert codes(made) == set()


def test_moved_links_count_for_the_guard_of_deletes() -> None:
    names = [f"l{n}" for n in range(11)]
    lists = [*map(a_list, names), a_list("vip")]
    campaigns = [a_campaign(f"c{n}") for n in range(11)]
    moved = [an_association(f"s{n}", f"c{n}", "vip") for n in range(11)]
    now = live(
        *(live_list(f"1{n}", f"L{n}") for n in range(11)),
        *(live_campaign(f"2{n}", f"C{n}") for n in range(11)),
        live_list("3", "Vip"),
        links=tuple((f"2{n}", f"1{n}") for n in range(11)),
    )
    ours = [owned(Kind.LIST, f"l{n}", f"1{n}") for n in range(11)]
    ours += [owned(Kind.CAMPAIGN, f"c{n}", f"2{n}") for n in range(11)]
    ours += [owned(Kind.LIST, "vip", "3"), *(owned_link(f"s{n}", f"2{n}", f"1{n}") for n in range(11))]
    made = planned(*lists, *campaigns, *moved, now=now, ours=tuple(ours))
    assert [g.lift for g in made.guards] == ["deletes=11"]


def test_a_link_that_moves_to_a_list_made_in_the_same_plan_waits_for_it() -> None:
    made = planned(*MOVED, now=live(*OBJECTS[:2], links=(("2", "1"),)), ours=(*OURS[:2], owned_link("s", "2", "1")))
    waits = {a.name for a in links_of(made)["s"].requires}
    assert waits == {"s--replaced-2+1", "vip"}


def test_a_link_whose_old_one_is_gone_or_was_made_by_hand_needs_no_unlinking() -> None:
    known = owned_link("s", "2", "1")
    assert shape(planned(*MOVED, now=live(*OBJECTS), ours=(*OURS, known))) == [("Create", "Association/s")]
    both = live(*OBJECTS, links=(("2", "1"), ("2", "3")))
    made = planned(*MOVED, now=both, ours=(*OURS, known))
    assert shape(made) == [("Delete", "Association/s--replaced-2+1"), ("Adopt", "Association/s")]
    assert links_of(made)["s"].requires == (address(Kind.ASSOCIATION, "s--replaced-2+1"),)


def test_a_link_that_another_manifest_declares_stays() -> None:
    now = live(*OBJECTS, links=(("2", "1"),))
    other = an_association("t", "spring", "join")
    made = planned(*MOVED, other, now=now, ours=(*OURS, owned_link("s", "2", "1")))
    assert shape(made) == [("Create", "Association/s"), ("Adopt", "Association/t")]
    leaving = owned_link("old", "2", "1", on_remove=OnRemove.DELETE)
    made = planned(*MOVED[:3], other, now=now, ours=(*OURS, leaving))
    assert shape(made) == [("Forget", "Association/old"), ("Adopt", "Association/t")]


def test_a_protected_link_is_not_taken_away_and_an_observed_one_only_told() -> None:
    now = live(*OBJECTS, links=(("2", "1"),))
    known = owned_link("s", "2", "1", protect=True)
    made = planned(*MOVED, now=now, ours=(*OURS, known))
    assert (codes(made), made.changes) == ({"protected-replace"}, ())
    watched = an_association("s", "spring", "vip", lifecycle=Lifecycle(observe=True))
    made = planned(*MOVED[:3], watched, now=now, ours=(*OURS, replace(known, protect=False)))
    assert (codes(made), made.changes) == ({"observed-drift"}, ())


def test_a_link_that_moves_from_a_campaign_that_goes_goes_with_it() -> None:
    now = live(*OBJECTS, live_campaign("4", "Autumn"), links=(("2", "1"),))
    gone = owned(Kind.CAMPAIGN, "spring", "2", on_remove=OnRemove.DELETE)
    ours = (JOIN, OURS[2], gone, owned(Kind.CAMPAIGN, "autumn", "4"), owned_link("s", "2", "1"))
    resources = (a_list("join"), a_list("vip"), a_campaign("autumn"), an_association("s", "autumn", "join"))
    made = planned(*resources, now=now, ours=ours)
    assert shape(made) == [
        ("Delete", "Association/s--replaced-2+1"),
        ("Delete", "Campaign/spring"),
        ("Create", "Association/s"),
    ]
    assert made.changes[0].carried_by == gone.address
    assert sum(c.deletes for c in made.changes) == 1


def test_campaigns_that_trade_lists_take_two_applies_and_a_third_one_does_not_wait() -> None:
    lists = [a_list(n) for n in "abc"]
    campaigns = [a_campaign(n) for n in ("one", "two", "three")]
    now = live(
        *(live_list(f"1{i}", n.title()) for i, n in enumerate("abc")),
        *(live_campaign(f"2{i}", n.title()) for i, n in enumerate(("one", "two", "three"))),
        links=(("20", "10"), ("21", "11"), ("22", "12")),
    )
    ours = [owned(Kind.LIST, n, f"1{i}") for i, n in enumerate("abc")]
    ours += [owned(Kind.CAMPAIGN, n, f"2{i}") for i, n in enumerate(("one", "two", "three"))]
    ours += [owned_link(n, f"2{i}", f"1{i}") for i, n in enumerate("xyz")]
    trade = [an_association("x", "two", "a"), an_association("y", "one", "b"), an_association("z", "one", "c")]
    made = planned(*lists, *campaigns, *trade, now=now, ours=tuple(ours))
    assert [(d.code, d.address) for d in made.diagnostics] == [
        ("association-moved", "main/Association/x"),
        ("association-moved", "main/Association/y"),
    ]
    assert shape(made) == [("Delete", "Association/z--replaced-22+12"), ("Create", "Association/z")]


def test_a_link_of_a_list_that_is_made_anew_is_no_other_link() -> None:
    anew = a_list("join", fields={"name": "Joined"}, lifecycle=Lifecycle(replace=True))
    now = live(live_list("1", "Join"), live_campaign("2", "Spring"), links=(("2", "1"),))
    ours = (JOIN, owned(Kind.CAMPAIGN, "spring", "2"), owned_link("s", "2", "1"))
    resources = (anew, a_campaign("spring"), an_association("s", "spring", "join"))
    made = planned(*resources, now=now, ours=ours, rules=MadeUp(frozen_lists=True))
    assert "association-moved" not in codes(made)
    assert ("Replace", "List/join") in shape(made)


def test_a_link_of_a_deleted_campaign_goes_with_it_and_counts_once() -> None:
    now = live(live_list("1", "Join"), live_campaign("2", "Spring"), links=(("2", "1"),))
    ours = (
        JOIN,
        owned(Kind.CAMPAIGN, "spring", "2", on_remove=OnRemove.DELETE),
        owned_link("s", "2", "1", on_remove=OnRemove.DELETE),
    )
    made = planned(a_list("join"), now=now, ours=ours)
    link = next(c for c in made.changes if c.address.kind is Kind.ASSOCIATION)
    assert link.carried_by == Address("main", Kind.CAMPAIGN, "spring")
    assert sum(c.deletes for c in made.changes) == 1


def test_an_observed_membership_is_told_and_not_touched() -> None:
    resource = a_membership("m", "join", people(1), lifecycle=Lifecycle(observe=True))
    made = planned(a_list("join"), resource, now=join(people(2)), ours=(JOIN,))
    assert made.changes == ()
    assert codes(made) == {"observed-drift"}
