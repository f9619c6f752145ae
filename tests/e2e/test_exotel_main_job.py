"""The main job on Exotel, through the command line: plan, approve, apply, plan again (empty), drift, correct."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from reconciler.sandbox import Sandbox

from repository import EXAMPLES, Repository

ACCOUNT = """\
apiVersion: exotel/v1
kind: Account
metadata: {name: voice}
spec:
  accountSid: sandbox1
  baseUrl: URL
  auth: {apiKey: {env: EXOTEL_API_KEY}, apiToken: {env: EXOTEL_API_TOKEN}}
"""
LIST = """\
apiVersion: exotel/v1
kind: List
metadata: {name: renewals}
spec: {name: Renewals, tag: spring}
"""
MEMBERS = """\
apiVersion: exotel/v1
kind: Membership
metadata: {name: people}
spec:
  list: renewals
  mode: exact
  missingContacts: create
  contacts:
    - {number: "+12025550001", first_name: Marty}
    - {number: "+12025550002"}
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
def voice(repository: Repository, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with one Exotel account, in which Marty is a contact already."""
    monkeypatch.setenv("EXOTEL_API_KEY", "sandbox-exotel-key")
    monkeypatch.setenv("EXOTEL_API_TOKEN", "sandbox-exotel-token")
    repository.write("account.yaml", ACCOUNT)
    sandbox.tamper("exotel", "create_contact", number="+12025550001", first_name="Martin")
    return repository


def rows(sandbox: Sandbox, what: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.state()["exotel"][what]
    return found


def paths(voice: Repository) -> list[tuple[str, str]]:
    return [(method, path.removeprefix("/v2/accounts/sandbox1")) for method, path in voice.writes()]


def test_create_change_and_remove(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("list.yaml", LIST + "lifecycle: {onRemove: delete}\n")
    voice.write("members.yaml", MEMBERS)
    assert voice.plan().changes() == [("create", "List/renewals"), ("create", "Membership/people")]
    voice.apply()
    (live,) = rows(sandbox, "lists")
    assert (live["name"], live["tag"], sorted(live["numbers"])) == (
        "Renewals",
        "spring",
        ["+12025550001", "+12025550002"],
    )
    assert paths(voice) == [("POST", "/lists"), ("POST", "/contacts"), ("POST", f"/lists/{live['sid']}/contacts")]
    assert next(c for c in rows(sandbox, "contacts") if c["number"] == "+12025550001")["first_name"] == "Martin"
    voice.settled()
    sandbox.tamper("exotel", "add_members", list="Renewals", numbers=["+12025550009"])
    sandbox.tamper("exotel", "edit_list", list="Renewals", set={"tag": "by hand"})
    assert voice.plan().changes() == [("update", "List/renewals"), ("update", "Membership/people")]
    voice.apply()
    (live,) = rows(sandbox, "lists")
    assert (live["tag"], sorted(live["numbers"])) == ("spring", ["+12025550001", "+12025550002"])
    voice.settled()
    voice.remove("list.yaml")
    voice.remove("members.yaml")
    voice.apply()
    assert rows(sandbox, "lists") == []
    voice.settled()
    assert not any(sandbox.ledger()["contacted"].values())
    assert "+12025550001" not in "".join(voice.said)


def test_a_campaign_takes_one_call_with_its_lists_last_and_by_name(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("list.yaml", LIST)
    voice.write("members.yaml", MEMBERS)
    voice.write("campaign.yaml", CAMPAIGN)
    plan = voice.plan()
    campaign = next(c for c in plan.json["changes"] if c["kind"] == "Campaign")
    assert (campaign["contactClass"], campaign["calls"]) == ("starts-contacting", 1)
    link = next(c for c in plan.json["changes"] if c["kind"] == "Association")
    assert link["calls"] == 0
    assert plan.json["summary"]["reach"] == 2
    refused = voice("apply", "--yes", "--approve", "delete")
    assert refused.code == 5
    assert "contact" in refused.err
    assert voice.writes() == []
    voice.apply()
    assert paths(voice)[-1] == ("POST", "/campaigns")
    (live,) = rows(sandbox, "campaigns")
    assert live["status"] == "created"
    assert live["fields"]["lists"] == [rows(sandbox, "lists")[0]["sid"]]
    voice.settled()
    voice.write("campaign.yaml", CAMPAIGN.replace("2099-02-02T09", "2099-02-03T09"))
    assert voice("apply", "--yes", "--approve", "delete").code == 5
    voice.apply()
    assert rows(sandbox, "campaigns")[0]["fields"]["schedule"]["send_at"].startswith("2099-02-03")
    voice.settled()
    assert not any(sandbox.ledger()["contacted"].values())


def test_pause_resume_and_complete(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("list.yaml", LIST)
    voice.write("campaign.yaml", CAMPAIGN)
    voice.apply()

    def wants(state: str) -> None:
        voice.write(
            "campaign.yaml", CAMPAIGN.replace("  name: Spring round", f"  name: Spring round\n  state: {state}")
        )

    wants("paused")
    assert voice("apply", "--yes").code == 0
    assert rows(sandbox, "campaigns")[0]["status"] == "paused"
    voice.settled()
    wants("active")
    assert voice("apply", "--yes").code == 5
    voice.apply()
    assert rows(sandbox, "campaigns")[0]["status"] == "created"
    voice.settled()
    wants("completed")
    result = voice("apply", "--yes")
    assert result.code == 0, result.out + result.err
    assert "exotel-completes-campaign" in result.out
    assert rows(sandbox, "campaigns")[0]["status"] == "completed"
    wants("active")
    plan = voice.plan("--detailed-exitcode")
    assert plan.code == 0
    assert [d["code"] for d in plan.json["diagnostics"]] == ["exotel-campaign-finished"]


def test_a_campaign_without_a_list_or_with_a_past_time_is_refused(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("list.yaml", LIST)
    voice.write("campaign.yaml", CAMPAIGN.partition("---")[0])
    validated = voice("validate")
    assert validated.code == 3
    assert "exotel-campaign-without-list" in validated.err + validated.out
    voice.write("campaign.yaml", CAMPAIGN.replace("2099", "2020"))
    plan = voice.plan()
    assert plan.code == 3
    assert [d["code"] for d in plan.json["diagnostics"]] == ["exotel-schedule-too-near"]
    assert voice("apply", "--yes", "--approve", "contact").code == 3
    assert voice.writes() == []


def test_only_the_residue_of_a_bulk_call_is_sent_again(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("list.yaml", LIST)
    voice.write("members.yaml", MEMBERS + "".join(f'    - {{number: "+1202555001{n}"}}\n' for n in range(5)))
    sandbox.turn(exotel={"fail_bulk_item": 3})
    voice.apply()
    bulk = [r["body"] for r in sandbox.requests() if r["method"] == "POST" and r["path"].endswith("/contacts")]
    sizes = [len(next(iter(body.values()))) for body in bulk]
    assert sizes == [7, 1, 7, 1]
    assert len(rows(sandbox, "lists")[0]["members"]) == 7
    voice.settled()


def test_one_refused_person_stops_nobody_else(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("list.yaml", LIST)
    voice.write("members.yaml", MEMBERS)
    voice.apply()
    more = MEMBERS + "".join(f'    - {{number: "+1202555001{n}"}}\n' for n in range(5))
    for n in range(5):
        sandbox.tamper("exotel", "create_contact", number=f"+1202555001{n}")
    voice.write("members.yaml", more.replace("  missingContacts: create\n", ""))
    sandbox.turn(exotel={"fail_bulk_item": 1})
    result = voice("apply", "--yes", "--format", "json")
    assert result.code == 7
    assert "Exotel refused 1 of 5 with 500" in result.out
    sandbox.turn(exotel={"fail_bulk_item": None})
    assert len(rows(sandbox, "lists")[0]["members"]) == 6
    voice.apply()
    assert len(rows(sandbox, "lists")[0]["members"]) == 7
    voice.settled()


def test_a_lost_answer_creates_once(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("list.yaml", LIST)
    voice.write("members.yaml", MEMBERS)
    sandbox.set_faults([{"method": "POST", "path": "/v2/accounts/*/lists", "nth": 1, "fault": {"kind": "drop_after"}}])
    voice.apply()
    assert len(rows(sandbox, "lists")) == 1
    voice.settled()


def test_a_lost_campaign_create_is_looked_up_and_never_sent_twice(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("list.yaml", LIST)
    voice.apply()
    voice.write("campaign.yaml", CAMPAIGN)
    fault = {"method": "POST", "path": "/v2/accounts/*/campaigns", "nth": 1, "fault": {"kind": "drop_after"}}
    sandbox.set_faults([fault])
    voice.apply()
    assert len(rows(sandbox, "campaigns")) == 1
    voice.settled()
    voice.write("campaign.yaml", CAMPAIGN.replace("round", "second"))
    sandbox.set_faults([{**fault, "fault": {"kind": "drop_before"}}])
    assert voice("apply", "--yes", "--approve", "contact").code == 9
    assert len(rows(sandbox, "campaigns")) == 1


def test_a_wrong_key_account_or_read_plans_nothing(
    voice: Repository, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice.write("list.yaml", LIST)
    sandbox.set_faults(
        [{"method": "GET", "path": "/v2/accounts/*/lists", "fault": {"kind": "non_json", "status": 502}}]
    )
    assert voice.plan().code == 10
    sandbox.set_faults([])
    voice.write("account.yaml", ACCOUNT.replace("sandbox1", "somebody-else"))
    plan = voice.plan()
    assert plan.code == 4
    assert plan.json["diagnostics"][0]["code"] == "exotel-account-unknown"
    voice.write("account.yaml", ACCOUNT)
    monkeypatch.setenv("EXOTEL_API_TOKEN", "another-token-altogether")
    refused = voice("plan")
    assert refused.code == 4
    assert "region" in refused.out + refused.err
    assert "another-token-altogether" not in refused.out + refused.err
    assert voice.writes() == []


def test_suppressed_people_stay_out_and_are_taken_off(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("list.yaml", LIST)
    voice.write("members.yaml", MEMBERS)
    voice.write(
        "dnc.yaml",
        "apiVersion: reconciler/v1\nkind: Suppression\nmetadata: {name: dnc}\nspec: {numbers: ['+12025550002']}\n",
    )
    voice.apply()
    assert rows(sandbox, "lists")[0]["numbers"] == ["+12025550001"]
    assert "+12025550002" not in [c["number"] for c in rows(sandbox, "contacts")]
    sandbox.tamper("exotel", "add_members", list="Renewals", numbers=["+12025550002"])
    assert voice("apply", "--yes").code == 0
    assert rows(sandbox, "lists")[0]["numbers"] == ["+12025550001"]
    voice.settled()


def test_people_who_must_exist_are_looked_for(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("list.yaml", LIST)
    voice.write("members.yaml", MEMBERS.replace("  missingContacts: create\n", ""))
    plan = voice.plan()
    assert plan.code == 3
    assert [d["code"] for d in plan.json["diagnostics"]] == ["missing-contacts"]
    sandbox.tamper("exotel", "create_contact", number="+12025550002")
    voice.apply()
    assert ("POST", "/contacts") not in paths(voice)
    voice.settled()


def test_the_example_applies_and_settles(voice: Repository, sandbox: Sandbox) -> None:
    shutil.rmtree(voice.root / "manifests")
    shutil.copytree(EXAMPLES / "exotel", voice.root, dirs_exist_ok=True)
    url = ("--var", f"exotel_url={sandbox.url}")
    assert voice("validate").code == 0
    plan = voice.plan(*url)
    assert plan.code == 0, plan.out
    # Two lists, two bulk calls for each of two memberships, and the campaign with its list.
    assert plan.json["summary"]["calls"] == 2 + 4 + 1
    voice.apply(*url)
    assert len(voice.writes()) == 7
    assert len(next(x for x in rows(sandbox, "lists") if x["name"] == "Policy renewals")["members"]) == 39
    assert voice.plan("--detailed-exitcode", *url).code == 0
    assert not any(sandbox.ledger()["contacted"].values())
    assert sandbox.ledger()["duplicates"] == []
