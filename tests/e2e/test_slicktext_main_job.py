"""The main job on SlickText, through the command line and real HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.sandbox import Sandbox

from repository import Repository

LIST = """\
apiVersion: slicktext/v1
kind: List
metadata: {name: join}
spec: {name: Join, description: Join the VIP list}
"""
MEMBERS = """\
apiVersion: slicktext/v1
kind: Membership
metadata: {name: members}
spec:
  list: join
  mode: exact
  contacts:
    - {number: "+12025550001"}
    - {number: "+12025550002"}
"""
CAMPAIGN = """\
apiVersion: slicktext/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring, body: "Hello, reply STOP to opt out", status: draft}
---
apiVersion: slicktext/v1
kind: Association
metadata: {name: spring--join}
lifecycle: {onRemove: delete}
spec: {campaign: spring, list: join}
"""


@pytest.fixture
def sandbox() -> object:
    seed = {"slicktext": {"contacts": [{"generate": {"count": 9, "first": "+12025550001"}}]}}
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


def the_list(sandbox: Sandbox, name: str = "Join") -> dict[str, Any]:
    return next(x for x in sandbox.state()["slicktext"]["lists"] if x["name"] == name)


def test_create_update_and_delete_a_list(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", LIST)
    assert texts.plan().changes() == [("create", "List/join")]
    texts.apply()
    assert texts.writes() == [("POST", "/v1/brands/123456789/lists")]
    texts.settled()
    texts.write("list.yaml", LIST.replace("VIP list", "gold list") + "lifecycle: {onRemove: delete}\n")
    assert texts.plan().changes() == [("update", "List/join")]
    texts.apply()
    assert the_list(sandbox)["description"] == "Join the gold list"
    assert texts.writes()[-1][0] == "PUT"
    texts.settled()
    texts.remove("list.yaml")
    assert texts.plan().changes() == [("delete", "List/join")]
    assert texts("apply", "--yes").code == 5
    assert len(texts.writes()) == 2
    texts.apply()
    assert sandbox.state()["slicktext"]["lists"] == []
    texts.settled()


def test_members_are_added_and_removed(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", LIST)
    texts.write("members.yaml", MEMBERS)
    texts.apply()
    assert the_list(sandbox)["numbers"] == ["+12025550001", "+12025550002"]
    texts.settled()
    sandbox.tamper("slicktext", "add_members", list="Join", numbers=["+12025550005"])
    sandbox.tamper("slicktext", "remove_members", list="Join", numbers=["+12025550001"])
    plan = texts.plan()
    assert plan.json["summary"]["membersAdd"] == plan.json["summary"]["membersRemove"] == 1
    refused = texts("apply", "--yes")
    assert refused.code == 5
    assert "--approve delete" in refused.err
    texts.apply()
    assert sorted(the_list(sandbox)["numbers"]) == ["+12025550001", "+12025550002"]  # type: ignore[call-overload]
    texts.settled()


def test_a_campaign_with_its_audience_takes_one_call_and_loses_it_in_one(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", LIST)
    texts.write("campaign.yaml", CAMPAIGN)
    texts.apply()
    assert [p.rsplit("/", 1)[-1] for _, p in texts.writes()] == ["lists", "campaigns"]
    (campaign,) = sandbox.state()["slicktext"]["campaigns"]
    assert campaign["lists"] == [the_list(sandbox)["contact_list_id"]]
    texts.settled()
    texts.write("campaign.yaml", CAMPAIGN.split("---")[0])
    assert texts.plan().changes() == [("delete", "Association/spring--join")]
    texts.apply()
    (campaign,) = sandbox.state()["slicktext"]["campaigns"]
    assert campaign["lists"] == []
    assert texts.writes()[-1][0] == "PUT"
    texts.settled()
    assert sandbox.ledger()["contacted"].get("slicktext", []) == []


def test_scheduling_needs_approval_by_name_and_comes_last(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", LIST)
    texts.write("members.yaml", MEMBERS)
    scheduled = CAMPAIGN.replace("status: draft", 'status: scheduled, scheduled: "2099-05-01 14:00:00"')
    texts.write("campaign.yaml", scheduled)
    plan = texts.plan()
    campaign = next(c for c in plan.json["changes"] if c["kind"] == "Campaign")
    assert campaign["contactClass"] == "starts-contacting"
    assert plan.json["summary"]["startsContacting"] == 2
    refused = texts("apply", "--yes", "--approve", "delete")
    assert refused.code == 5
    assert "contact" in refused.err
    assert texts.writes() == []
    texts.apply()
    assert texts.writes()[-1][0] == "PUT"
    (live,) = sandbox.state()["slicktext"]["campaigns"]
    assert live["status"] == "scheduled"
    assert all('"send"' not in str(r["body"]) for r in sandbox.requests())
    texts.settled()


def test_opt_outs_and_suppressions_stay_out(texts: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_contact", contact="+12025550001", set={"opt_in_status": "unsubscribed"})
    texts.write("list.yaml", LIST)
    texts.write("members.yaml", MEMBERS)
    texts.write(
        "dnc.yaml",
        "apiVersion: reconciler/v1\nkind: Suppression\nmetadata: {name: dnc}\nspec: {numbers: ['+12025550002']}\n",
    )
    before = [c for c in sandbox.state()["slicktext"]["contacts"] if c["mobile_number"] == "+12025550001"]
    result = texts.apply()
    assert "opted-out-skipped" in result.out
    assert "suppressed-skipped" in result.out
    assert the_list(sandbox)["members"] == []
    texts.settled()
    sandbox.tamper("slicktext", "add_members", list="Join", numbers=["+12025550001", "+12025550002"])
    assert texts("apply", "--yes").code == 0
    assert the_list(sandbox)["numbers"] == ["+12025550001"]
    assert [c for c in sandbox.state()["slicktext"]["contacts"] if c["mobile_number"] == "+12025550001"] == before
    texts.settled()
    assert sandbox.ledger()["consent"] == []


def test_missing_contacts_fail_or_are_created_without_consent(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", LIST)
    stranger = MEMBERS.replace("+12025550002", "+12025550077")
    texts.write("members.yaml", stranger)
    plan = texts.plan()
    assert plan.code == 3
    assert [d["code"] for d in plan.json["diagnostics"]] == ["missing-contacts"]
    assert texts("apply", "--yes").code == 3
    assert texts.writes() == []
    texts.write("members.yaml", stranger.replace("mode: exact", "mode: exact\n  missingContacts: create"))
    texts.apply()
    created = next(c for c in sandbox.state()["slicktext"]["contacts"] if c["mobile_number"] == "+12025550077")
    assert created["opt_in_status"] == "not subscribed"
    assert sandbox.ledger()["consent"] == []
    assert len(the_list(sandbox)["members"]) == 2  # type: ignore[arg-type]
    texts.settled()


def test_somebody_whom_one_look_up_passed_over_is_made_no_second_time(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", LIST)
    texts.write("members.yaml", MEMBERS.replace("mode: exact", "mode: exact\n  missingContacts: create"))
    look_up = {"method": "GET", "path": "/v1/brands/*/contacts", "contains": "mobile_number", "nth": 1}
    skipped = {**look_up, "fault": {"kind": "skipped_row"}}
    sandbox.set_faults([skipped])
    assert sum(c["members"]["create"] for c in texts.plan().json["changes"] if c["members"]) == 1  # one too many
    sandbox.set_faults([skipped])
    texts.apply()
    assert len(sandbox.state()["slicktext"]["contacts"]) == 9
    assert the_list(sandbox)["numbers"] == ["+12025550001", "+12025550002"]
    texts.settled()


def test_somebody_who_turns_out_to_be_there_and_opted_out_gets_onto_no_list(
    texts: Repository, sandbox: Sandbox
) -> None:
    texts.write("list.yaml", LIST)
    texts.write("members.yaml", MEMBERS.replace("mode: exact", "mode: exact\n  missingContacts: create"))
    opted_out = {"opt_in_status": "unsubscribed"}
    sandbox.tamper("slicktext", "edit_contact", contact="+12025550001", set=opted_out)
    look_up = {"method": "GET", "path": "/v1/brands/*/contacts", "contains": "12025550001", "nth": 1}
    sandbox.set_faults([{**look_up, "fault": {"kind": "skipped_row"}}])
    assert texts("apply", "--yes").code == 7
    assert "+12025550001" not in the_list(sandbox)["numbers"]
    texts.apply()
    assert the_list(sandbox)["numbers"] == ["+12025550002"]
    texts.settled()


def test_a_namesake_is_adopted_and_two_are_refused(texts: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "create_list", name="Join", description="old")
    texts.write("list.yaml", LIST)
    assert texts.plan().changes() == [("adopt", "List/join")]
    sandbox.tamper("slicktext", "create_list", name="Join", description="other")
    plan = texts.plan()
    assert plan.code == 3
    assert plan.json["diagnostics"][0]["code"] == "ambiguous-name"
    assert texts("apply", "--yes").code == 3
    assert texts.writes() == []


def test_protection_outlives_its_manifest(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", LIST)
    texts.apply()
    texts.write("list.yaml", LIST + "lifecycle: {protect: true, onRemove: delete}\n")
    texts.apply()
    texts.remove("list.yaml")
    plan = texts.plan("--detailed-exitcode")
    assert plan.code == 0
    assert [d["code"] for d in plan.json["diagnostics"]] == ["protected-kept"]
    texts.apply()
    assert the_list(sandbox)["name"] == "Join"


def test_a_wrong_brand_or_key_is_4_and_plans_nothing(texts: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    texts.write("list.yaml", LIST)
    monkeypatch.setenv("SLICKTEXT_API_KEY", "another-key-altogether")
    refused = texts.plan()
    assert refused.code == 4
    assert refused.json["changes"] == []
    monkeypatch.delenv("SLICKTEXT_API_KEY")
    missing = texts("plan")
    assert missing.code == 4
    assert "SLICKTEXT_API_KEY" in missing.out + missing.err
    assert texts("apply", "--yes").code == 4
    assert texts("validate").code == 0


def test_a_partial_read_is_10_and_never_a_plan(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", LIST)
    sandbox.set_faults([{"method": "GET", "path": "/v1/*/lists", "fault": {"kind": "non_json", "status": 502}}])
    plan = texts.plan()
    assert plan.code == 10
    assert plan.json["changes"] == []
    assert texts("apply", "--yes").code == 10
    assert texts.writes() == []


def test_a_lost_answer_creates_once(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", LIST)
    sandbox.set_faults([{"method": "POST", "path": "/v1/*/lists", "nth": 1, "fault": {"kind": "drop_after"}}])
    texts.apply()
    assert len(sandbox.state()["slicktext"]["lists"]) == 1
    assert sandbox.ledger()["duplicates"] == []
    texts.settled()


def test_a_lost_request_is_sent_again_after_a_look(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", LIST)
    sandbox.set_faults([{"method": "POST", "path": "/v1/*/lists", "nth": 1, "fault": {"kind": "drop_before"}}])
    texts.apply()
    assert len(sandbox.state()["slicktext"]["lists"]) == 1
    texts.settled()


def test_one_failure_fails_its_dependants_and_nobody_else(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", LIST)
    texts.write("members.yaml", MEMBERS)
    texts.write("other.yaml", LIST.replace("join", "other").replace("Join", "Other"))
    fault = {"kind": "error_before", "status": 422, "body": {"error": ["no"]}}
    sandbox.set_faults([{"method": "POST", "path": "/v1/*/lists", "contains": '"Join"', "nth": 1, "fault": fault}])
    result = texts("apply", "--yes", "--format", "json")
    assert result.code == 7
    outcomes = {c["address"]: c["outcome"] for c in result.json["changes"]}
    assert sorted(outcomes.values()) == ["blocked", "done", "failed"]
    assert outcomes["main/Membership/members"] == "blocked"
    sandbox.set_faults([])
    texts.apply()
    texts.settled()
