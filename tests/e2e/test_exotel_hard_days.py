"""Exotel on hard days: campaigns that are over or about to start, twins in the address book, a file without answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.sandbox import Sandbox

from repository import VOICE, Repository

LIST = """\
apiVersion: exotel/v1
kind: List
metadata: {name: renewals}
spec: {name: Renewals}
"""
MEMBERS = """\
apiVersion: exotel/v1
kind: Membership
metadata: {name: people}
spec:
  list: renewals
  mode: exact
  missingContacts: create
  contacts: [{number: "+12025550001"}, {number: "+12025550002"}, {number: "+12025550003"}]
"""
CAMPAIGN = """\
apiVersion: exotel/v1
kind: Campaign
metadata: {name: round}
spec:
  name: Spring round
  caller_id: "+12025550100"
  url: http://my.exotel.com/sandbox1/exoml/start_voice/926
  schedule: {send_at: "2099-02-02T09:00:00+05:30"}
---
apiVersion: exotel/v1
kind: Association
metadata: {name: round--renewals}
spec: {campaign: round, list: renewals}
"""


@pytest.fixture
def voice(repository: Repository) -> Repository:
    """A repository with one Exotel account and one list."""
    repository.write("account.yaml", VOICE)
    repository.write("list.yaml", LIST)
    return repository


def rows(sandbox: Sandbox, what: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.state()["exotel"][what]
    return found


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def said(voice: Repository, *words: str) -> list[str]:
    return [d["code"] for d in voice.plan(*words).json["diagnostics"]]


@pytest.mark.parametrize("status", ["completed", "archived", "canceled"])
def test_a_campaign_of_the_name_that_is_over_is_not_in_the_way(
    voice: Repository, sandbox: Sandbox, status: str
) -> None:
    voice.apply()
    sandbox.tamper(
        "exotel",
        "create_campaign",
        name="Spring round",
        lists=["Renewals"],
        status=status,
        url="http://my.exotel.com/sandbox1/exoml/start_voice/926",
    )
    voice.write("campaign.yaml", CAMPAIGN)
    voice.apply()
    assert sorted(c["status"] for c in rows(sandbox, "campaigns")) == sorted([status, "created"])
    voice.settled()


def test_creating_a_campaign_is_approved_as_creating_and_contacting(voice: Repository) -> None:
    voice.apply()
    voice.write("campaign.yaml", CAMPAIGN)
    assert voice("apply", "--approve", "create,associate").code == 5
    assert voice("apply", "--approve", "create,associate,contact").code == 0
    voice.settled()


def test_an_edit_right_before_the_start_is_refused_by_the_plan(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("campaign.yaml", CAMPAIGN)
    voice.apply()
    sandbox.tamper("exotel", "edit_campaign", campaign="Spring round", set={"schedule": {"send_at": in_seconds(45)}})
    before = len(voice.writes())
    assert voice.plan().code == 3
    assert said(voice) == ["exotel-schedule-too-near"]
    assert voice("apply", "--yes", "--approve", "contact").code == 3
    assert len(voice.writes()) == before


def test_so_is_a_move_to_a_time_that_is_too_near(voice: Repository) -> None:
    voice.write("campaign.yaml", CAMPAIGN)
    voice.apply()
    voice.write("campaign.yaml", CAMPAIGN.replace("2099-02-02T09:00:00+05:30", in_seconds(120)))
    before = len(voice.writes())
    assert voice("apply", "--yes", "--approve", "contact").code == 3
    assert said(voice) == ["exotel-schedule-too-near"]
    assert len(voice.writes()) == before


def test_two_contacts_of_one_number_are_told_and_the_oldest_counts(voice: Repository, sandbox: Sandbox) -> None:
    for number in ("+12025550001", "+12025550002", "+12025550003"):
        sandbox.tamper("exotel", "create_contact", number=number)
    oldest = next(c["sid"] for c in rows(sandbox, "contacts") if c["number"] == "+12025550001")
    sandbox.tamper("exotel", "duplicate_contact", contact="+12025550001")
    voice.write("members.yaml", MEMBERS.replace("  missingContacts: create\n", ""))
    assert said(voice) == ["exotel-several-contacts"]
    voice.apply()
    assert oldest in [m["contact_sid"] for m in rows(sandbox, "lists")[0]["members"]]
    assert len(rows(sandbox, "lists")[0]["members"]) == 3


def test_that_a_campaign_is_over_is_told_though_nothing_differs(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("campaign.yaml", CAMPAIGN)
    voice.apply()
    assert said(voice) == []
    sandbox.tamper("exotel", "set_campaign_status", campaign="Spring round", status="completed")
    assert said(voice) == ["exotel-campaign-finished"]
    voice.settled()
    voice.write("campaign.yaml", CAMPAIGN.replace("spec:\n  name", "spec:\n  state: completed\n  name"))
    assert said(voice) == [], "that is what was asked for"


def test_a_file_whose_answer_is_lost_is_waited_for_and_not_sent_again(voice: Repository, sandbox: Sandbox) -> None:
    sandbox.turn(exotel={"csv_delay_s": 1.0})
    voice.write("account.yaml", VOICE + "  csvUploadFrom: 3\n")
    voice.write("members.yaml", MEMBERS)
    sandbox.set_faults([{"method": "POST", "path": "/v2/*/csv-upload", "fault": {"kind": "drop_after"}}])
    voice.apply()
    assert [path for _, path in voice.writes() if path.endswith("csv-upload")] == [voice.writes()[-1][1]]
    assert len(rows(sandbox, "lists")[0]["members"]) == 3
    voice.settled()


def test_one_that_may_still_be_worked_on_is_left_unresolved(voice: Repository, sandbox: Sandbox) -> None:
    sandbox.turn(exotel={"csv_delay_s": 3600.0})
    voice.write("account.yaml", VOICE + "  csvUploadFrom: 3\n")
    voice.write("members.yaml", MEMBERS)
    sandbox.set_faults([{"method": "POST", "path": "/v2/*/csv-upload", "fault": {"kind": "drop_after"}}])
    assert voice("apply", "--yes").code == 9
    assert len([1 for _, path in voice.writes() if path.endswith("csv-upload")]) == 1
