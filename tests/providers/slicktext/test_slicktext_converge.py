"""Plan, apply, plan again: with this provider against its simulation, the second plan is empty and nobody is texted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from slicktext_world import (
    BIFF,
    DELETE,
    DOC,
    GEORGE,
    JENNY,
    MARTY,
    a_campaign,
    a_link,
    a_list,
    a_membership,
    apply,
    by_name,
    codes,
    converge,
    desired,
    in_hours,
    inventory,
    people,
    plan_of,
)

from reconciler.model.contacts import ContactSet
from reconciler.plan.changes import Adopt, Delete, Forget
from reconciler.sandbox import Sandbox

LATER = in_hours(48)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    seed = {
        "slicktext": {
            "lists": [{"id": 10, "name": "Old", "description": "was here", "members": [MARTY, DOC, BIFF]}],
            "segments": [{"id": 5, "name": "Loyal", "numbers": [DOC]}],
            "contacts": [{"number": JENNY, "first_name": "Jennifer", "opt_in_status": "subscribed"}],
        }
    }
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running
        ledger = running.ledger()
        assert ledger["consent"] == []
        assert ledger["duplicates"] == []
        assert not any(b.get("status") == "send" for b in bodies(running) if isinstance(b, dict))
        assert not any(r["method"] == "DELETE" and "/contacts/" in r["path"] for r in running.requests())


def writes(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [r for r in sandbox.requests() if r["method"] != "GET"]


def bodies(sandbox: Sandbox) -> list[Any]:
    return [r["body"] for r in writes(sandbox)]


def live_list(sandbox: Sandbox, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in sandbox.state()["slicktext"]["lists"] if r["name"] == name)
    return {**found, "numbers": sorted(found["numbers"])}


def live_campaign(sandbox: Sandbox, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in sandbox.state()["slicktext"]["campaigns"] if r["name"] == name)
    return found


def everything(sandbox: Sandbox) -> Any:
    return desired(
        a_list("join", "Join", description="Join the VIP list"),
        a_membership("join", people(MARTY, JENNY)),
        a_campaign("spring", "Spring", status="scheduled", scheduled=LATER),
        a_link("spring", "join"),
        base_url=sandbox.url,
    )


def test_everything_new(sandbox: Sandbox) -> None:
    plan, _ = converge(sandbox, everything(sandbox))
    assert len(writes(sandbox)) == plan.call_count == 4
    assert plan.reach == 2
    assert sandbox.ledger()["messages"] == []
    campaign = live_campaign(sandbox, "Spring")
    assert (campaign["status"], campaign["scheduled"]) == ("scheduled", LATER)
    assert campaign["lists"] == [live_list(sandbox, "Join")["contact_list_id"]]
    assert live_list(sandbox, "Join")["numbers"] == [MARTY, JENNY]


@pytest.mark.parametrize(
    "knobs",
    [
        {"type_noise": True},
        {"collection_no_audience": True, "updated_key": "last_Editd"},
        {"create_status": 201, "delete_body": "empty"},
        {"max_page": 1, "default_page": 1},
        {"max_page": 2, "hasmore_always_true": True},
        {"hasmore_missing": True, "error_shape": "html"},
        {"hasmore_lies_false": True},
        {"shuffle_ties": True, "bulk_count": "submitted"},
        {"filter_ignored": True},
        {"put_status_default": "send", "status_default": "send"},
        {"bulk_unknown": "skip", "max_bulk": 80},
    ],
    ids=lambda knobs: ",".join(knobs),
)
def test_whatever_the_provider_leaves_open(sandbox: Sandbox, knobs: dict[str, Any]) -> None:
    sandbox.turn(slicktext=knobs)
    converge(sandbox, everything(sandbox))
    assert live_list(sandbox, "Join")["numbers"] == [MARTY, JENNY]
    assert sandbox.ledger()["messages"] == []


def test_an_adopted_list_gets_exactly_its_people(sandbox: Sandbox) -> None:
    wanted = desired(
        a_list("old", "Old", description=""), a_membership("old", people(MARTY, JENNY)), base_url=sandbox.url
    )
    plan, _ = converge(sandbox, wanted)
    assert isinstance(by_name(plan)["List/old"], Adopt)
    assert live_list(sandbox, "Old")["numbers"] == [MARTY, JENNY]
    assert live_list(sandbox, "Old")["description"] is None
    # Removals come before adds, and are sent as a DELETE with a body.
    assert [(r["method"], r["path"].rsplit("/", 2)[-2:]) for r in writes(sandbox)[1:]] == [
        ("DELETE", ["lists", "contacts"]),
        ("POST", ["lists", "contacts"]),
    ]


def test_additive_removes_nobody(sandbox: Sandbox) -> None:
    wanted = desired(a_list("old", "Old"), a_membership("old", people(JENNY), exact=False), base_url=sandbox.url)
    converge(sandbox, wanted)
    assert live_list(sandbox, "Old")["numbers"] == [MARTY, DOC, BIFF, JENNY]


def test_created_contacts_claim_no_consent_and_keep_their_attributes(sandbox: Sandbox) -> None:
    row = ContactSet.from_columns({"number": [GEORGE], "first_name": ["George"], "zip": ["02134"], "city": [None]})
    wanted = desired(
        a_list("old", "Old"),
        a_membership("old", row, exact=False, missing_contacts="create"),
        base_url=sandbox.url,
    )
    converge(sandbox, wanted)
    contact = next(c for c in sandbox.state()["slicktext"]["contacts"] if c["mobile_number"] == GEORGE)
    assert (contact["first_name"], contact["zip"], contact["opt_in_status"]) == ("George", "02134", "not subscribed")
    assert bodies(sandbox)[0] == {
        "mobile_number": GEORGE,
        "opt_in_status": "not subscribed",
        "first_name": "George",
        "zip": "02134",
    }


def test_synchronised_attributes_are_written_once(sandbox: Sandbox) -> None:
    rows = ContactSet.from_columns({"number": [MARTY, JENNY], "first_name": ["Martin", "Jennifer"]})
    wanted = desired(
        a_list("old", "Old"),
        a_membership("old", rows, exact=False, contact_attributes="sync"),
        base_url=sandbox.url,
    )
    converge(sandbox, wanted)
    assert [b for b in bodies(sandbox) if isinstance(b, dict)] == [{"first_name": "Martin"}]


def test_nobody_suppressed_or_opted_out_is_written_about(sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_contact", contact=JENNY, set={"opt_in_status": "unsubscribed"})
    wanted = desired(
        a_list("old", "Old"),
        a_membership("old", people(MARTY, DOC, BIFF, JENNY, GEORGE), missing_contacts="create"),
        suppressed=[BIFF, GEORGE],
        base_url=sandbox.url,
    )
    plan, _ = converge(sandbox, wanted)
    assert live_list(sandbox, "Old")["numbers"] == [MARTY, DOC]
    assert codes(plan) == ["opted-out-skipped", "suppressed-skipped"]
    assert [r["method"] for r in writes(sandbox)] == ["DELETE"]


def test_a_long_membership_goes_in_chunks(sandbox: Sandbox) -> None:
    numbers = [f"+1202555{n:04}" for n in range(200)]
    sandbox.tamper("slicktext", "create_list", name="Pool", members={"count": 200, "first": "+12025550000"})
    wanted = desired(a_list("big", "Big"), a_membership("big", people(*numbers)), base_url=sandbox.url)
    plan, owned = converge(sandbox, wanted)
    assert plan.call_count == 4
    assert [len(b) for b in bodies(sandbox)[1:]] == [80, 80, 40]
    fewer = desired(a_list("big", "Big"), a_membership("big", people(*numbers[:50])), base_url=sandbox.url)
    converge(sandbox, fewer, owned)
    assert live_list(sandbox, "Big")["numbers"] == numbers[:50]


# --- campaigns


def test_a_draft_is_scheduled_in_one_call_and_taken_back_in_one(sandbox: Sandbox) -> None:
    draft = desired(a_list("old", "Old"), a_campaign("c"), a_link("c", "old"), base_url=sandbox.url)
    _, owned = converge(sandbox, draft)
    armed = desired(
        a_list("old", "Old"),
        a_campaign("c", status="scheduled", scheduled=LATER),
        a_link("c", "old"),
        base_url=sandbox.url,
    )
    plan, owned = converge(sandbox, armed, owned)
    assert plan.call_count == 1
    assert plan.reach == 3, "the list's members are counted, though nobody manages them"
    assert live_campaign(sandbox, "C")["status"] == "scheduled"
    back = desired(a_list("old", "Old"), a_campaign("c", status="draft"), a_link("c", "old"), base_url=sandbox.url)
    plan, _ = converge(sandbox, back, owned)
    assert plan.call_count == 1
    assert live_campaign(sandbox, "C")["status"] == "draft"
    assert live_campaign(sandbox, "C")["lists"] == [10]


def test_all_links_of_a_campaign_are_one_call_and_segments_stay(sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "create_campaign", name="Mine", status="draft", segments=["Loyal"])
    wanted = desired(
        a_list("old", "Old"),
        a_list("new", "New"),
        a_campaign("mine"),
        a_link("mine", "old", lifecycle=DELETE),
        a_link("mine", "new"),
        base_url=sandbox.url,
    )
    plan, owned = converge(sandbox, wanted)
    assert [r["method"] for r in writes(sandbox)] == ["POST", "PUT"]
    assert live_campaign(sandbox, "Mine")["segments"] == [5]
    assert len(live_campaign(sandbox, "Mine")["lists"]) == 2
    less = desired(
        a_list("old", "Old"), a_list("new", "New"), a_campaign("mine"), a_link("mine", "new"), base_url=sandbox.url
    )
    plan, _ = converge(sandbox, less, owned)
    assert isinstance(by_name(plan)["Association/mine--old"], Delete)
    assert live_campaign(sandbox, "Mine")["lists"] == [live_list(sandbox, "New")["contact_list_id"]]
    assert live_campaign(sandbox, "Mine")["segments"] == [5]


def test_a_list_that_is_gone_is_not_written_back(sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "create_list", name="Doomed")
    sandbox.tamper("slicktext", "create_campaign", name="Mine", status="draft", lists=["Doomed"])
    sandbox.tamper("slicktext", "delete_list", list="Doomed")
    wanted = desired(a_list("old", "Old"), a_campaign("mine"), a_link("mine", "old"), base_url=sandbox.url)
    converge(sandbox, wanted)
    assert live_campaign(sandbox, "Mine")["lists"] == [10]


def test_removing_everything_deletes_in_order(sandbox: Sandbox) -> None:
    wanted = desired(
        a_list("join", "Join", lifecycle=DELETE),
        a_membership("join", people(MARTY), lifecycle=DELETE),
        a_campaign("spring", lifecycle=DELETE, status="scheduled", scheduled=LATER),
        a_link("spring", "join", lifecycle=DELETE),
        base_url=sandbox.url,
    )
    _, owned = converge(sandbox, wanted)
    before = len(writes(sandbox))
    plan, _ = converge(sandbox, desired(base_url=sandbox.url), owned)
    assert "slicktext-cancels-campaign" in codes(plan)
    assert [(r["method"], r["path"].split("/")[4]) for r in writes(sandbox)[before:]] == [
        ("DELETE", "campaigns"),
        ("DELETE", "lists"),
    ]


def test_a_list_that_leaves_an_audience_can_be_deleted_after_that(sandbox: Sandbox) -> None:
    wanted = desired(
        a_list("old", "Old"),
        a_list("join", "Join", lifecycle=DELETE),
        a_campaign("spring"),
        a_link("spring", "join", lifecycle=DELETE),
        a_link("spring", "old"),
        base_url=sandbox.url,
    )
    _, owned = converge(sandbox, wanted)
    less = desired(a_list("old", "Old"), a_campaign("spring"), a_link("spring", "old"), base_url=sandbox.url)
    plan, _ = converge(sandbox, less, owned)
    changes = by_name(plan)
    assert changes["Association/spring--join"].address in changes["List/join"].requires
    assert [r["method"] for r in writes(sandbox)][-2:] == ["PUT", "DELETE"]


def test_a_campaign_that_was_sent_is_frozen(sandbox: Sandbox) -> None:
    wanted = desired(
        a_list("old", "Old"),
        a_campaign("spring", status="scheduled", scheduled=in_hours(1)),
        a_link("spring", "old", lifecycle=DELETE),
        base_url=sandbox.url,
    )
    _, owned = converge(sandbox, wanted)
    sandbox.advance(7200)
    sandbox.advance(5)
    assert live_campaign(sandbox, "Spring")["status"] == "sent"
    plan = plan_of(sandbox, wanted, owned)
    assert plan.changes == ()
    assert codes(plan) == ["slicktext-campaign-dispatched"]
    assert not plan.blocking
    edited = desired(
        a_list("old", "Old"),
        a_campaign("spring", status="scheduled", scheduled=in_hours(5), body="Other words"),
        base_url=sandbox.url,
    )
    plan = plan_of(sandbox, edited, owned)
    assert [type(c) for c in plan.changes] == [Forget]
    assert not plan.blocking
    lost = plan_of(sandbox, wanted, inventory())
    assert "slicktext-name-dispatched" in [d.code for d in lost.blocking]
    assert lost.call_count == 0
    assert len(sandbox.ledger()["messages"]) == 3


def test_workflows_are_announced_as_may_notify(sandbox: Sandbox) -> None:
    wanted = desired(a_list("old", "Old"), a_membership("old", people(JENNY), exact=False), base_url=sandbox.url)
    plan = plan_of(sandbox, wanted)
    assert by_name(plan)["Membership/old-members"].contact_class == "may-notify"
    assert plan.reach == 1
    apply(sandbox, plan)
    assert live_list(sandbox, "Old")["numbers"] == [MARTY, DOC, BIFF, JENNY]
