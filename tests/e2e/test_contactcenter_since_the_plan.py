"""What changes at a portal between the look and the write: nobody is called who was not meant to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.sandbox import Sandbox

from center import ACCOUNT, ANNA, BORIS, CAMPAIGN, CLARA, DORA, HISTORY, SEED, adds, called, leads, members, statuses
from repository import Repository

LEADS, ADD, DELETE = "/api/v2/config/campaigns/*/leads", "/api/v2/config/campaigns/*/lead", "/api/v2/config/**"
STARTED = {"provider": "contactcenter", "op": "edit_campaign", "campaign": "Spring", "set": {"status": "previewing"}}
EVA, FINN = "+12025550114", "+12025550115"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    # Nobody dials by himself: who is called here was exposed by an add.
    with Sandbox(seed=SEED, knobs={"contactcenter": {"strict_fields": True}}) as running:
        yield running


@pytest.fixture
def center(repository: Repository) -> Repository:
    repository.write("account.yaml", ACCOUNT)
    repository.write("campaign.yaml", CAMPAIGN)
    return repository


def meanwhile(method: str, path: str, operation: dict[str, Any], nth: int = 1) -> dict[str, Any]:
    """Somebody works in the portal just before a request is served."""
    return {"method": method, "path": path, "nth": nth, "fault": {"kind": "tamper", "operation": operation}}


def rings(number: str) -> dict[str, Any]:
    return {"provider": "contactcenter", "op": "set_lead_status", "lead": number, "status": "in_progress"}


# --- a lead without a number


@pytest.mark.parametrize("replacement", ["", '"number":null,', '"number":"",'])
@pytest.mark.parametrize("status", ["stopped", "previewing"])
def test_a_lead_without_a_number_is_no_plan(
    center: Repository, sandbox: Sandbox, status: str, replacement: str
) -> None:
    sandbox.tamper("contactcenter", "edit_campaign", campaign="Spring", set={"status": status})
    center.write("people.yaml", members(ANNA))
    lost = {"kind": "rewrite", "pattern": rf'"number":"\{ANNA}",', "replacement": replacement}
    sandbox.set_faults([{"method": "GET", "path": LEADS, "nth": 1, "fault": lost}])
    result = center("apply", "--yes", "--approve", "contact")
    assert result.code == 10
    assert "without a number" in result.out + result.err
    center.apply()  # the portal is well again, and the person has been in line all the time
    assert center.writes() == []
    assert called(sandbox) == []


def test_a_number_that_is_none_is_somebody_elses_lead(center: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("contactcenter", "add_leads", campaign="Spring", leads=["anonymous"])
    center.write("people.yaml", members(ANNA, BORIS))
    assert [d["code"] for d in center.plan().json["diagnostics"]] == ["contactcenter-unusable-number"]
    center.apply()
    assert sorted(statuses(sandbox)) == sorted([ANNA, BORIS, DORA, "anonymous"])


# --- a campaign that is started


@pytest.mark.parametrize("path", [LEADS, HISTORY], ids=["while leads are read", "while the report is read"])
@pytest.mark.parametrize("saved", [False, True], ids=["at once", "saved"])
def test_nobody_is_added_to_a_campaign_that_was_started_since_it_was_looked_at(
    center: Repository, sandbox: Sandbox, path: str, saved: bool
) -> None:
    center.write("people.yaml", members(ANNA, BORIS, CLARA))
    words = ["--yes"]
    if saved:
        center.plan("--out", "saved.json")
        words = ["saved.json"]
    sandbox.set_faults([meanwhile("GET", path, STARTED)])
    result = center("apply", *words)
    assert result.code == 7
    assert "not stopped any more" in result.out + result.err
    assert adds(center) == 0
    assert called(sandbox) == []
    assert center("apply", "--yes").code == 5


@pytest.mark.parametrize("status", ["stopped ", "Stopped", "", "stopping"])
def test_only_the_exact_word_means_that_nobody_is_dialled(center: Repository, sandbox: Sandbox, status: str) -> None:
    sandbox.tamper("contactcenter", "edit_campaign", campaign="Spring", set={"status": status})
    center.write("people.yaml", members(ANNA, BORIS))
    assert center.plan().json["changes"][0]["contactClass"] == "starts-contacting"
    assert center("apply", "--yes").code == 5
    assert center.writes() == []


def test_the_status_costs_one_request_a_second_and_not_one_for_each_add(center: Repository, sandbox: Sandbox) -> None:
    many = [f"+120255502{n:02d}" for n in range(20)]
    center.write("people.yaml", members(*many, mode="additive"))
    planned = center.plan().json["summary"]["calls"]
    before = len(sandbox.requests())
    center.apply()
    sent = sandbox.requests()[before:]
    assert adds(center) == planned == len(many)
    report = sum(r["path"].endswith("/leads/status") for r in sent)
    # One for each plan (the apply's, and the one that proves it), one before the first add, few more if it is slow.
    assert 3 <= report <= 6


# --- a lead that is in a call


def test_a_lead_that_a_look_between_two_deletes_shows_in_a_call_is_left(center: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("contactcenter", "add_leads", campaign="Spring", leads=[BORIS, CLARA])
    sandbox.tamper("contactcenter", "edit_campaign", campaign="Spring", set={"status": "previewing"})
    nobody = members(EVA).partition("  contacts:")[0] + "  allowEmpty: true\n  contacts: []\n"
    center.write("people.yaml", nobody)
    sandbox.set_faults([meanwhile("DELETE", DELETE, rings(BORIS)), meanwhile("DELETE", DELETE, rings(CLARA))])
    result = center("apply", "--yes", "--approve", "delete", "--allow", "empty=center/Membership/people")
    assert result.code == 7
    assert "may be in a call" in result.out + result.err
    assert {n: s for n, s in statuses(sandbox).items() if n != DORA} == {BORIS: "in_progress", CLARA: "in_progress"}
    assert [method for method, _ in center.writes()] == ["DELETE"]


# --- an add whose answer was lost


@pytest.mark.parametrize("nth", [1, 2, 4])
@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_lost_add_ends_the_same_way_whatever_else_is_added(
    center: Repository, sandbox: Sandbox, concurrency: int, fault: str, nth: int
) -> None:
    center.write("account.yaml", ACCOUNT + f"  limits: {{concurrency: {concurrency}}}\n")
    people = (BORIS, CLARA, EVA, FINN)
    center.write("people.yaml", members(*people, mode="additive"))
    sandbox.set_faults([{"method": "PUT", "path": ADD, "nth": nth, "fault": {"kind": fault}}])
    center.apply()
    assert sorted(x["number"] for x in leads(sandbox)) == sorted([ANNA, DORA, *people])
    assert adds(center) == len(people) + (fault == "drop_before")
    assert sandbox.ledger()["duplicates"] == []
    center.settled()
