"""Plan, apply, plan again: against the simulation the second plan is empty, whatever shape the answers have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from exotel_world import (
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
    converge,
    crowd,
    desired,
    inventory,
    people,
    plan_of,
)

from reconciler.apply.judging import Result
from reconciler.model.kinds import ContactClass
from reconciler.plan.changes import Adopt, Delete
from reconciler.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    seed = {
        "exotel": {
            "lists": [{"name": "Old", "tag": "was here", "members": [MARTY, DOC, BIFF]}],
            "contacts": [{"number": JENNY, "first_name": "Jennifer"}],
        }
    }
    with Sandbox(seed=seed) as running:
        yield running
        ledger = running.ledger()
        assert not any(ledger["contacted"].values())
        assert ledger["duplicates"] == []
        assert not any(
            r["method"] == "DELETE" and r["path"].count("/contacts/") and "/lists/" not in r["path"]
            for r in writes(running)
        )


def writes(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [r for r in sandbox.requests() if r["method"] != "GET"]


def rows(sandbox: Sandbox, what: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        r for r in sandbox.state()["exotel"][what] if name in (r.get("name"), r.get("fields", {}).get("name"))
    )
    return found


def everything(sandbox: Sandbox, **settings: Any) -> Any:
    return desired(
        a_list("vip", tag="spring"),
        a_list("old", tag="now ours"),
        a_membership("vip", people(MARTY, JENNY, GEORGE, first_name=["Marty", "Jenny", None])),
        a_membership("old", people(DOC)),
        a_campaign(
            "round",
            "Spring round",
            retries={
                "number_of_retries": 2,
                "interval_mins": 10,
                "mechanism": "Linear",
                "on_status": ("no-answer", "busy"),
            },
            schedule={"send_at": "2099-02-02T09:00:00+05:30", "end_at": "2099-02-02T18:00:00+05:30"},
        ),
        a_link("round", "vip"),
        a_link("round", "old"),
        base_url=sandbox.url,
        **settings,
    )


SHAPES = [
    {},
    {"error_shape": "array", "single_shape": "array"},
    {"list_key": "list_sid", "contact_key": "contact_sid", "list_type": True},
    {"metadata": False},
    {"flat_rows": True},
    {"status_style": "kebab", "stats_names": "counts", "counts": "texts"},
    {"campaign_lists": "objects"},
    {"bulk_http": 200, "existing_member": 200, "put": "replace"},
    {"member_rows": "association"},
    {"max_page": 2, "max_contact_page": 2},
    {"max_page": 20, "over_max": "reject"},
    {"deleted_campaign": "missing", "csv_http": 202},
]


@pytest.mark.parametrize("knobs", SHAPES, ids=lambda k: ",".join(k) or "usual")
def test_everything_converges_in_every_shape(sandbox: Sandbox, knobs: Any) -> None:
    sandbox.turn(exotel=knobs)
    first, owned = converge(sandbox, everything(sandbox))
    assert isinstance(by_name(first)["List/old"], Adopt)
    assert sorted(rows(sandbox, "lists", "Vip")["numbers"]) == sorted([MARTY, JENNY, GEORGE])
    assert rows(sandbox, "lists", "Old")["numbers"] == [DOC]
    campaign = rows(sandbox, "campaigns", "Spring round")
    assert len(campaign["fields"]["lists"]) == 2
    # One who existed keeps what was known of her.
    jenny = next(c for c in sandbox.state()["exotel"]["contacts"] if c["number"] == JENNY)
    assert jenny["first_name"] == "Jennifer"
    changed = desired(
        a_list("vip", "Very important", tag=""),
        a_campaign("round", "Spring round", schedule={"send_at": "2099-04-04T09:00:00Z"}, custom_field="x"),
        a_link("round", "vip"),
        a_membership("vip", people(MARTY, BIFF)),
        base_url=sandbox.url,
    )
    converge(sandbox, changed, owned)
    assert sorted(rows(sandbox, "lists", "Very important")["numbers"]) == sorted([MARTY, BIFF])


def test_hidden_lists_of_campaigns_are_left_alone(sandbox: Sandbox) -> None:
    sandbox.turn(exotel={"campaign_lists": "hidden"})
    converge(sandbox, everything(sandbox))


def test_attributes_in_step(sandbox: Sandbox) -> None:
    wanted = desired(
        a_list("old"),
        a_membership("old", people(MARTY, DOC, JENNY, first_name=["M", None, "J"]), contact_attributes="sync"),
        base_url=sandbox.url,
    )
    converge(sandbox, wanted)
    book = {c["number"]: c["first_name"] for c in sandbox.state()["exotel"]["contacts"]}
    assert (book[MARTY], book[JENNY], book[DOC]) == ("M", "J", None)


def test_requests_are_as_few_as_can_be(sandbox: Sandbox) -> None:
    wanted = desired(a_list("big"), a_membership("big", crowd(2500)), base_url=sandbox.url)
    first, owned = converge(sandbox, wanted)
    found = [(r["method"], r["path"].rpartition("/")[2]) for r in writes(sandbox)]
    assert found == [("POST", "lists"), *[("POST", "contacts")] * 6]
    assert first.call_count == 7
    before = len(sandbox.requests())
    assert plan_of(sandbox, wanted, owned).changes == ()
    # One page of lists, one of campaigns, five of members.
    assert len(sandbox.requests()) - before == 1 + 1 + 5


def test_a_first_load_as_a_file(sandbox: Sandbox) -> None:
    sandbox.turn(exotel={"csv_delay_s": 0.0})
    contacts = crowd(300).with_column("tag", 'with "quotes", commas\nand lines')
    wanted = desired(a_list("big"), a_membership("big", contacts), base_url=sandbox.url, csvUploadFrom=300)
    converge(sandbox, wanted, csvUploadFrom=300)
    assert [r["path"].rpartition("/")[2] for r in writes(sandbox)] == ["lists", "csv-upload"]
    assert len(rows(sandbox, "lists", "Big")["numbers"]) == 300
    tags = {
        c["tag"] for c in sandbox.state()["exotel"]["contacts"] if c["number"] != JENNY and c["number"][:5] == "+1202"
    }
    assert tags == {'with "quotes", commas\nand lines'}


@pytest.mark.parametrize("reply", ["summary", "array"])
def test_an_upload_is_followed_until_it_is_done(sandbox: Sandbox, reply: str) -> None:
    sandbox.turn(exotel={"csv_delay_s": 60.0, "csv_reply": reply})
    waits: list[float] = []

    async def pause(seconds: float) -> None:
        waits.append(seconds)
        sandbox.advance(seconds)

    wanted = desired(a_list("big"), a_membership("big", crowd(50)), base_url=sandbox.url, csvUploadFrom=50)
    converge(sandbox, wanted, csvUploadFrom=50, pause=pause)
    assert waits == [2.0, 4.0, 8.0, 16.0, 30.0]
    polls = [r for r in sandbox.requests() if "/csv-status/" in r["path"]]
    assert len(polls) == 5


def test_an_upload_that_fails_is_a_failure(sandbox: Sandbox) -> None:
    sandbox.turn(exotel={"csv_delay_s": 0.0, "csv_fails": True})
    wanted = desired(a_list("big"), a_membership("big", crowd(50)), base_url=sandbox.url, csvUploadFrom=50)
    applied = apply(sandbox, plan_of(sandbox, wanted), csvUploadFrom=50)
    assert applied.ended[-1][:2] == ("Membership: upload members", Result.FAILED)


def test_states_and_deletion(sandbox: Sandbox) -> None:
    def wants(**more: Any) -> Any:
        return desired(
            a_list("vip", lifecycle=DELETE),
            a_campaign("round", "Spring round", lifecycle=DELETE, **more),
            a_link("round", "vip", lifecycle=DELETE),
            base_url=sandbox.url,
        )

    _, owned = converge(sandbox, wants(state="paused"))
    assert rows(sandbox, "campaigns", "Spring round")["status"] == "paused"
    first, owned = converge(sandbox, wants(state="active"), owned)
    assert by_name(first)["Campaign/round"].contact_class is ContactClass.STARTS_CONTACTING
    assert rows(sandbox, "campaigns", "Spring round")["status"] == "created"
    first, owned = converge(sandbox, desired(base_url=sandbox.url), owned)
    assert isinstance(by_name(first)["Campaign/round"], Delete)
    assert rows(sandbox, "campaigns", "Spring round")["status"] == "deleted"
    assert [r["name"] for r in sandbox.state()["exotel"]["lists"]] == ["Old"]
    # The same again is another campaign: what was deleted stands for nothing.
    converge(sandbox, wants(), inventory())


def test_a_running_campaign_is_stopped_for_good(sandbox: Sandbox) -> None:
    sandbox.tamper(
        "exotel", "create_campaign", name="Spring round", lists=["Old"], status="in-progress", caller_id="+12025550100"
    )
    from exotel_world import owns

    from reconciler.model.addresses import Kind

    campaign = rows(sandbox, "campaigns", "Spring round")["id"]
    owned = inventory(owns(Kind.CAMPAIGN, "round", campaign, on_remove="delete"))
    converge(sandbox, desired(base_url=sandbox.url), owned)
    assert [r["body"]["campaigns"][0]["action"] for r in writes(sandbox)] == ["pause", "complete", "archive"]
    assert rows(sandbox, "campaigns", "Spring round")["status"] == "archived"
