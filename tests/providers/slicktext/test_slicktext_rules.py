"""Decisions turned into calls, as data: no network, one situation a test."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from slicktext_world import (
    BIFF,
    DOC,
    GEORGE,
    JENNY,
    MARTY,
    a_campaign,
    a_link,
    a_list,
    a_membership,
    at,
    body,
    by_name,
    codes,
    desired,
    inventory,
    live,
    live_campaign,
    live_list,
    owns,
    path,
    people,
    planned,
    steps,
)

from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import ContactClass
from reconciler.model.live import LiveMembers
from reconciler.model.resources import Lifecycle
from reconciler.plan.approvals import needed
from reconciler.plan.calls import (
    Changed,
    ContactsChanged,
    ContactsCreated,
    Created,
    Deleted,
    Linked,
    MembersAdded,
    MembersRemoved,
    Phase,
    Ref,
)
from reconciler.plan.changes import Adopt, Approval, Forget

WHEN = "2031-10-17 14:00:00"
SILENT, MAY, STARTS = ContactClass.SILENT, ContactClass.MAY_NOTIFY, ContactClass.STARTS_CONTACTING


def known(*numbers: str, first_id: int = 501, **columns: list[str]) -> ContactSet:
    ids = [str(first_id + i) for i in range(len(numbers))]
    return ContactSet.from_columns({"number": list(numbers), "contact_id": ids, **columns})


# --- lists


def test_a_new_list() -> None:
    plan = planned(desired(a_list("join", "Join", description="VIP")), live(live_list("9", "Other")))
    [(_, step)] = steps(plan)
    assert path(step) == "POST lists"
    assert body(step) == {"name": "Join", "description": "VIP"}
    assert step.effect == Created(
        kind=Kind.LIST, name="Join", fields={"name": "Join", "description": "VIP"}, known_ids=frozenset()
    )
    assert (step.phase, step.contact_class) == (Phase.LIST, SILENT)


def test_a_changed_list_writes_only_what_changed() -> None:
    owned = inventory(owns(Kind.LIST, "join", "22"))
    plan = planned(desired(a_list("join", "Joined", description="")), live(live_list("22", "Join", "VIP")), owned)
    [(_, step)] = steps(plan)
    assert path(step) == "PUT lists/22"
    assert body(step) == {"name": "Joined", "description": ""}
    assert step.effect == Changed(
        kind=Kind.LIST,
        target=RemoteId("22"),
        base={"name": "Join", "description": "VIP"},
        expected={"name": "Joined", "description": ""},
    )


def test_an_equal_list_is_adopted_without_a_call() -> None:
    plan = planned(desired(a_list("join", "Join", description="")), live(live_list("22", "Join")))
    assert isinstance(by_name(plan)["List/join"], Adopt)
    assert steps(plan) == []


def test_a_list_is_deleted_unless_an_unfinished_campaign_uses_it() -> None:
    owned = inventory(owns(Kind.LIST, "join", "22", on_remove="delete"))
    for status, blocked in (("draft", 1), ("scheduled", 1), ("queued", 1), ("weird", 1), ("sent", 0), ("canceled", 0)):
        now = live(live_list("22", "Join"), live_campaign("33", "Other", status=status, lists=["22"]))
        plan = planned(desired(), now, owned)
        assert codes(plan) == ["slicktext-list-in-use"] * blocked
        assert len(steps(plan)) == 1 - blocked
    plan = planned(desired(), live(live_list("22", "Join")), owned)
    [(_, step)] = steps(plan)
    assert path(step) == "DELETE lists/22"
    assert step.effect == Deleted(kind=Kind.LIST, target=RemoteId("22"))


def test_a_list_goes_with_the_campaign_that_used_it() -> None:
    owned = inventory(
        owns(Kind.LIST, "join", "22", on_remove="delete"), owns(Kind.CAMPAIGN, "c", "33", on_remove="delete")
    )
    now = live(live_list("22", "Join"), live_campaign("33", "C", status="draft", lists=["22"]))
    plan = planned(desired(), now, owned)
    assert [path(s) for _, s in steps(plan)] == ["DELETE campaigns/33", "DELETE lists/22"]
    assert by_name(plan)["List/join"].requires == (at(Kind.CAMPAIGN, "c"),)


# --- members


def test_members_of_a_live_list_removals_first() -> None:
    wanted = desired(a_list("join", "Join"), a_membership("join", people(MARTY, DOC, JENNY)), bulkSize=1)
    now = live(live_list("22", "Join"), members={"22": known(MARTY, BIFF)}, contacts=known(DOC, JENNY, first_id=601))
    plan = planned(wanted, now, inventory(owns(Kind.LIST, "join", "22")))
    removal, add = (s for _, s in steps(plan))
    assert path(removal) == "DELETE lists/contacts"
    assert body(removal) == ({"contact_id": 502, "lists": (22,)},)
    assert removal.effect == MembersRemoved(of=RemoteId("22"))
    assert removal.contact_class is SILENT
    assert path(add) == "POST lists/contacts"
    assert [b.request({}).body for b in add.batches()] == [
        ({"contact_id": 601, "lists": (22,)},),
        ({"contact_id": 602, "lists": (22,)},),
    ]
    assert add.effect == MembersAdded(of=RemoteId("22"))
    assert (add.phase, add.contact_class, add.count) == (Phase.MEMBERSHIP, MAY, 2)
    change = by_name(plan)["Membership/join-members"]
    assert list(change.reach.numbers.numbers()) == [DOC, JENNY]
    assert needed(change) == {Approval.CREATE, Approval.DELETE}


def test_members_of_a_new_list_wait_for_it() -> None:
    wanted = desired(a_list("join", "Join"), a_membership("join", people(MARTY)))
    plan = planned(wanted, live(contacts=known(MARTY)))
    (_, made), (_, add) = steps(plan)
    assert made.phase is Phase.LIST
    assert body(add) == ({"contact_id": 501, "lists": (Ref(at(Kind.LIST, "join"), as_int=True),)},)
    assert by_name(plan)["Membership/join-members"].requires == (at(Kind.LIST, "join"),)


def test_contacts_are_created_first_and_without_consent() -> None:
    rows = people(MARTY, GEORGE, first_name=["Marty", "George"], zip=["95420", None])
    wanted = desired(a_list("join", "Join"), a_membership("join", rows, missing_contacts="create"))
    plan = planned(wanted, live(live_list("22", "Join"), members={"22": known()}, contacts=known(MARTY)))
    create, add = (s for _, s in steps(plan))
    assert path(create) == "POST contacts"
    assert body(create) == {"mobile_number": GEORGE, "opt_in_status": "not subscribed", "first_name": "George"}
    assert create.effect == ContactsCreated()
    assert (create.phase, create.contact_class, create.count) == (Phase.CONTACT, MAY, 1)
    assert add.rows is not None
    assert list(add.rows.column("contact_id")) == ["501", None]


def test_attributes_are_written_only_when_synchronised() -> None:
    rows = people(MARTY, DOC, first_name=["Martin", "Emmett"])
    now = live(live_list("22", "Join"), members={"22": known(MARTY, DOC, first_name=["Marty", "Emmett"])})
    for mode, count in (("create", 0), ("sync", 1)):
        wanted = desired(a_list("join", "Join"), a_membership("join", rows, contact_attributes=mode))
        plan = planned(wanted, now)
        assert len(steps(plan)) == count
    [(_, step)] = steps(plan)
    request = next(iter(step.batches())).request({})
    assert request.path[2:] == ("contacts", "501")
    assert request.body == {"first_name": "Martin"}
    assert step.effect == ContactsChanged(columns=("first_name",))
    assert step.contact_class is MAY, "a changed contact may start a workflow"


def test_a_removed_membership_takes_back_what_we_added() -> None:
    key = inventory().key
    added = people(MARTY, DOC).hashes(key)
    owned = inventory(
        owns(Kind.LIST, "join", "22"),
        owns(Kind.MEMBERSHIP, "m", "22", parent=RemoteId("22"), on_remove="delete", added=added, applied=added),
    )
    now = live(live_list("22", "Join"), members={"22": known(MARTY, BIFF)})
    plan = planned(desired(a_list("join", "Join")), now, owned)
    [(name, step)] = steps(plan)
    assert name == "Membership/m"
    assert (path(step), step.phase) == ("DELETE lists/contacts", Phase.MEMBER_DELETE)
    assert body(step) == ({"contact_id": 501, "lists": (22,)},)


def test_members_of_a_scheduled_campaigns_list_change_with_a_warning() -> None:
    wanted = desired(a_list("join", "Join"), a_membership("join", people(MARTY, DOC)))
    now = live(
        live_list("22", "Join"),
        live_campaign("33", "Spring", status="scheduled", scheduled=WHEN, lists=["22"]),
        live_campaign("34", "Draft", lists=["22"]),
        members={"22": known(MARTY, BIFF)},
        contacts=known(DOC, first_id=601),
    )
    plan = planned(wanted, now)
    [warning] = [d for d in plan.diagnostics if d.code == "slicktext-scheduled-audience"]
    assert not warning.blocking
    assert "'Spring'" in warning.message
    assert WHEN in warning.message
    assert "+1 -1" in warning.message


# --- new campaigns


def test_a_new_draft_has_its_audience_from_the_start() -> None:
    wanted = desired(
        a_list("join", "Join"),
        a_list("new", "New"),
        a_campaign("c", media_url="https://example.com/a.png", scheduled=WHEN),
        a_link("c", "join"),
        a_link("c", "new"),
    )
    plan = planned(wanted, live(live_list("22", "Join")))
    [step] = [s for name, s in steps(plan) if name.startswith("Campaign")]
    assert path(step) == "POST campaigns"
    assert body(step) == {
        "name": "C",
        "body": "Welcome to ACME",
        "media_url": "https://example.com/a.png",
        "scheduled": WHEN,
        "status": "draft",
        "audience": {"contact_lists": (22, Ref(at(Kind.LIST, "new"), as_int=True))},
    }
    assert (step.phase, step.contact_class) == (Phase.CAMPAIGN, SILENT)
    changes = by_name(plan)
    for link in ("Association/c--join", "Association/c--new"):
        assert changes[link].carried_by == at(Kind.CAMPAIGN, "c")
        assert changes[link].steps == ()
        assert changes[link].contact_class is SILENT
    assert at(Kind.LIST, "new") in changes["Campaign/c"].requires


def test_a_new_scheduled_campaign_is_armed_last_by_a_call_of_its_own() -> None:
    wanted = desired(
        a_list("join", "Join"),
        a_membership("join", people(MARTY, DOC)),
        a_campaign("c", status="scheduled", scheduled=WHEN),
        a_link("c", "join"),
    )
    now = live(live_list("22", "Join"), members={"22": known(MARTY, BIFF)}, contacts=known(DOC, first_id=601))
    plan = planned(wanted, now)
    create, arm = (s for name, s in steps(plan) if name.startswith("Campaign"))
    assert body(create) == {
        "name": "C",
        "body": "Welcome to ACME",
        "status": "draft",
        "audience": {"contact_lists": (22,)},
    }
    assert body(arm) == {"scheduled": WHEN, "status": "scheduled", "audience": {"contact_lists": (22,)}}
    assert arm.call.path[2:] == ("campaigns", Ref(at(Kind.CAMPAIGN, "c")))
    assert (arm.phase, arm.contact_class) == (Phase.ARM, STARTS)
    assert steps(plan)[-1][1] == arm
    change = by_name(plan)["Campaign/c"]
    assert list(change.reach.numbers.numbers()) == [MARTY, DOC], "members after the plan, not before"
    assert Approval.CONTACT in change.approvals
    assert at(Kind.MEMBERSHIP, "join-members") in change.arm_after


def test_the_reach_of_lists_that_were_only_counted() -> None:
    wanted = desired(a_list("join", "Join"), a_campaign("c", status="scheduled", scheduled=WHEN), a_link("c", "join"))
    now = live(live_list("22", "Join"))
    counted = LiveMembers(contacts=ContactSet.empty(), count=4812, readable=False)
    plan = planned(wanted, replace(now, members={RemoteId("22"): counted}))
    assert by_name(plan)["Campaign/c"].reach.count == 4812


def test_what_a_new_campaign_must_have() -> None:
    armed = a_campaign("c", status="scheduled", scheduled=WHEN)
    assert codes(planned(desired(armed), live())) == ["slicktext-empty-audience"]
    assert codes(planned(desired(a_campaign("c", body=...)), live())) == ["slicktext-campaign-body"]
    assert codes(planned(desired(a_campaign("c")), live())) == []


def test_no_second_campaign_under_a_name_that_was_dispatched() -> None:
    now = live(live_campaign("33", "C", status="sent"), live_campaign("34", "D", status="queued"))
    plan = planned(desired(a_campaign("c", "C"), a_campaign("d", "D")), now)
    assert codes(plan) == ["slicktext-name-dispatched"] * 2
    assert steps(plan) == []
    ours = inventory(owns(Kind.CAMPAIGN, "c", "33"))
    twin = planned(desired(a_campaign("c", "C"), a_campaign("twin", "C")), now, ours)
    assert codes(twin) == ["looks-renamed"]


# --- live campaigns

OURS = inventory(owns(Kind.CAMPAIGN, "c", "33"), owns(Kind.LIST, "join", "22"))


def test_an_edit_of_a_draft_writes_status_and_audience_too() -> None:
    now = live(live_list("22", "Join"), live_campaign("33", "C", lists=["22"], segments=["5"]))
    plan = planned(desired(a_campaign("c", "C", body="Hi")), now, OURS)
    [(_, step)] = steps(plan)
    assert path(step) == "PUT campaigns/33"
    assert body(step) == {
        "body": "Hi",
        "status": "draft",
        "audience": {"contact_lists": (22,), "segments": (5,)},
    }
    assert step.effect == Changed(
        kind=Kind.CAMPAIGN, target=RemoteId("33"), base={"body": "Welcome to ACME"}, expected={"body": "Hi"}
    )
    assert step.contact_class is SILENT


def test_an_edit_of_a_scheduled_campaign_starts_contacting() -> None:
    now = live(live_list("22", "Join"), live_campaign("33", "C", status="scheduled", scheduled=WHEN, lists=["22"]))
    plan = planned(desired(a_campaign("c", "C", body="Hi", status="scheduled", scheduled=WHEN)), now, OURS)
    [(_, step)] = steps(plan)
    assert body(step) == {
        "body": "Hi",
        "scheduled": WHEN,
        "status": "scheduled",
        "audience": {"contact_lists": (22,)},
    }
    assert (step.phase, step.contact_class) == (Phase.ARM, STARTS)
    assert by_name(plan)["Campaign/c"].reach.count == 0, "nobody is newly reached by other words"


def test_a_draft_is_armed_in_one_call_with_its_new_lists() -> None:
    now = live(
        live_list("22", "Join"),
        live_list("23", "More"),
        live_campaign("33", "C", lists=["22"], segments=["5"], segment_people=40),
        members={"22": known(MARTY), "23": known(DOC)},
    )
    wanted = desired(
        a_list("more", "More"),
        a_campaign("c", "C", status="scheduled", scheduled=WHEN),
        a_link("c", "more"),
    )
    plan = planned(wanted, now, OURS)
    [(name, step)] = steps(plan)
    assert name == "Campaign/c"
    assert body(step)["audience"] == {"contact_lists": (22, 23), "segments": (5,)}
    assert isinstance(step.effect, Changed)
    assert step.effect.base["lists"] == frozenset({"22"})
    assert step.effect.expected["lists"] == frozenset({"22", "23"})
    assert step.phase is Phase.ARM
    assert by_name(plan)["Campaign/c"].reach.count == 42


def test_taking_a_scheduled_campaign_back_is_silent() -> None:
    now = live(live_list("22", "Join"), live_campaign("33", "C", status="scheduled", scheduled=WHEN, lists=["22"]))
    plan = planned(desired(a_campaign("c", "C", status="draft")), now, OURS)
    [(_, step)] = steps(plan)
    assert body(step) == {"status": "draft", "audience": {"contact_lists": (22,)}}
    assert (step.phase, step.contact_class) == (Phase.CAMPAIGN, SILENT)


def test_clearing_a_picture_writes_null() -> None:
    now = live(live_campaign("33", "C", media_url="https://example.com/a.png"))
    plan = planned(desired(a_campaign("c", "C", media_url="")), now, OURS)
    [(_, step)] = steps(plan)
    assert body(step) == {"media_url": None, "status": "draft"}


# --- associations alone


def test_links_of_one_draft_are_one_call_at_the_first_of_them() -> None:
    now = live(live_list("22", "Join"), live_list("23", "More"), live_campaign("33", "C"))
    wanted = desired(a_campaign("c", "C"), a_link("c", "22"), a_link("c", "23"))
    plan = planned(wanted, now, OURS)
    [(name, step)] = steps(plan)
    assert name == "Association/c--22"
    assert body(step) == {"status": "draft", "audience": {"contact_lists": (22, 23)}}
    assert step.effect == Linked(
        campaign=RemoteId("33"), lists=(RemoteId("22"), RemoteId("23")), base=frozenset(), exact=True
    )
    assert (step.phase, step.contact_class) == (Phase.ASSOCIATION, SILENT)
    assert by_name(plan)["Association/c--23"].carried_by == at(Kind.ASSOCIATION, "c--22")


def test_a_link_to_a_scheduled_campaign_reaches_who_was_not_reached_before() -> None:
    now = live(
        live_list("22", "Join"),
        live_list("23", "More"),
        live_campaign("33", "C", status="scheduled", scheduled=WHEN, lists=["22"]),
        members={"22": known(MARTY), "23": known(MARTY, DOC, first_id=601)},
    )
    wanted = desired(
        a_list("more", "More"),
        a_membership("more", people(MARTY, DOC)),
        a_campaign("c", "C", status="scheduled", scheduled=WHEN),
        a_link("c", "more"),
    )
    plan = planned(wanted, now, OURS)
    [(_, step)] = steps(plan)
    assert body(step) == {"scheduled": WHEN, "status": "scheduled", "audience": {"contact_lists": (22, 23)}}
    link = by_name(plan)["Association/c--more"]
    assert link.contact_class is STARTS
    assert link.approvals == {Approval.ASSOCIATE, Approval.CONTACT}
    assert list(link.reach.numbers.numbers()) == [DOC]


def test_every_link_of_a_scheduled_campaign_needs_the_approval_even_when_carried() -> None:
    now = live(
        live_list("22", "Join"),
        live_list("23", "More"),
        live_campaign("33", "C", status="scheduled", scheduled=WHEN, lists=["22"]),
    )
    wanted = desired(a_campaign("c", "C", body="Hi", status="scheduled", scheduled=WHEN), a_link("c", "23"))
    link = by_name(planned(wanted, now, OURS))["Association/c--23"]
    assert link.carried_by == at(Kind.CAMPAIGN, "c")
    assert Approval.CONTACT in link.approvals


def test_a_reduced_audience() -> None:
    owned = inventory(
        owns(Kind.CAMPAIGN, "c", "33"), owns(Kind.ASSOCIATION, "c--22", "33+22", on_remove="delete", parent=None)
    )
    now = live(live_list("22", "Join"), live_list("23", "More"), live_campaign("33", "C", lists=["22", "23"]))
    plan = planned(desired(a_campaign("c", "C")), now, owned)
    [(_, step)] = steps(plan)
    assert body(step) == {"status": "draft", "audience": {"contact_lists": (23,)}}
    assert step.phase is Phase.DISSOCIATE
    assert Approval.DELETE in by_name(plan)["Association/c--22"].approvals
    only = live(live_list("22", "Join"), live_campaign("33", "C", lists=["22"]))
    [(_, step)] = steps(planned(desired(a_campaign("c", "C")), only, owned))
    assert body(step) == {"status": "draft", "audience": {"contact_lists": ()}}


def test_a_scheduled_campaign_never_gets_an_empty_audience() -> None:
    owned = inventory(owns(Kind.CAMPAIGN, "c", "33"), owns(Kind.ASSOCIATION, "c--22", "33+22", on_remove="delete"))
    scheduled = live_campaign("33", "C", status="scheduled", scheduled=WHEN, lists=["22"])
    plan = planned(desired(a_campaign("c", "C")), live(live_list("22", "Join"), scheduled), owned)
    assert codes(plan) == ["slicktext-empty-audience"]
    assert steps(plan) == []
    with_segment = live_campaign("33", "C", status="scheduled", scheduled=WHEN, lists=["22"], segments=["5"])
    plan = planned(desired(a_campaign("c", "C")), live(live_list("22", "Join"), with_segment), owned)
    assert body(steps(plan)[0][1])["audience"] == {"contact_lists": (), "segments": (5,)}


def test_one_list_in_and_one_out_is_one_call() -> None:
    owned = inventory(owns(Kind.CAMPAIGN, "c", "33"), owns(Kind.ASSOCIATION, "c--22", "33+22", on_remove="delete"))
    now = live(live_list("22", "Join"), live_list("23", "More"), live_campaign("33", "C", lists=["22"]))
    plan = planned(desired(a_campaign("c", "C"), a_link("c", "23")), now, owned)
    [(name, step)] = steps(plan)
    assert name == "Association/c--23"
    assert body(step)["audience"] == {"contact_lists": (23,)}
    assert by_name(plan)["Association/c--22"].carried_by == at(Kind.ASSOCIATION, "c--23")


def test_a_campaign_to_all_contacts_is_not_managed() -> None:
    now = live(live_list("22", "Join"), live_campaign("33", "C", all_contacts=True))
    for wanted in (
        desired(a_campaign("c", "C", body="Hi")),
        desired(a_campaign("c", "C"), a_link("c", "22")),
    ):
        plan = planned(wanted, now, OURS)
        assert codes(plan) == ["slicktext-all-contacts"]
        assert steps(plan) == []


# --- dispatched campaigns


@pytest.mark.parametrize("status", ["queued", "sending", "sent", "failed", "something new"])
def test_a_dispatched_campaign_of_ours_is_frozen(status: str) -> None:
    now = live(
        live_list("22", "Join"),
        live_list("23", "More"),
        live_campaign("33", "C", status=status, scheduled=WHEN, lists=["22"]),
    )
    owned = inventory(owns(Kind.CAMPAIGN, "c", "33"), owns(Kind.ASSOCIATION, "c--22", "33+22", on_remove="delete"))
    wanted = desired(a_campaign("c", "C", body="New", status="scheduled", scheduled=WHEN), a_link("c", "23"))
    plan = planned(wanted, now, owned)
    assert [type(c) for c in plan.changes] == [Forget], "the link that goes is let go of"
    assert codes(plan) == ["slicktext-campaign-dispatched"]
    assert not plan.blocking
    assert "body" in plan.diagnostics[0].message


def test_a_dispatched_campaign_is_adopted_only_by_its_id() -> None:
    now = live(live_campaign("33", "C", status="sent"))
    plan = planned(desired(a_campaign("c", "C", pinned="33", body="Hi")), now)
    [change] = plan.changes
    assert isinstance(change, Adopt)
    assert change.deltas == ()
    assert change.steps == ()
    assert not plan.blocking


def test_a_list_cannot_join_somebody_elses_dispatched_campaign() -> None:
    now = live(live_list("22", "Join"), live_campaign("33", "C", status="sent"))
    plan = planned(desired(a_link("33", "22")), now)
    assert [d.code for d in plan.blocking] == ["slicktext-campaign-dispatched"]


# --- deleting campaigns


def test_drafts_and_scheduled_campaigns_can_be_deleted() -> None:
    owned = inventory(owns(Kind.CAMPAIGN, "c", "33", on_remove="delete"))
    for status, code in (
        ("draft", []),
        ("scheduled", ["slicktext-cancels-campaign"]),
        ("sent", ["slicktext-campaign-not-deletable"]),
        ("queued", ["slicktext-campaign-not-deletable"]),
    ):
        plan = planned(desired(), live(live_campaign("33", "C", status=status, scheduled=WHEN)), owned)
        assert codes(plan) == code
        found = [path(s) for _, s in steps(plan)]
        assert found == (["DELETE campaigns/33"] if status in ("draft", "scheduled") else [])
        assert bool(plan.blocking) == (status in ("sent", "queued"))


def test_changes_without_calls_stay_as_they_are() -> None:
    wanted = desired(a_list("a"), a_list("b"), a_campaign("c", "C", lifecycle=Lifecycle(observe=True)))
    now = live(live_list("1", "A"), live_list("2", "B", "x"), live_campaign("33", "C"), live_list("4", "D"))
    owned = inventory(
        owns(Kind.LIST, "b", "2"), owns(Kind.LIST, "d", "4"), owns(Kind.LIST, "gone", "5", on_remove="delete")
    )
    kinds = {name: type(c) for name, c in by_name(planned(wanted, now, owned)).items()}
    assert kinds == {"List/a": Adopt, "List/d": Forget, "List/gone": Forget}
