"""The main job on a contact centre portal, through the command line and real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.sandbox import Sandbox

from center import (
    ACCOUNT,
    ANNA,
    BORIS,
    CAMPAIGN,
    CLARA,
    DORA,
    HISTORY,
    REPORT,
    SEED,
    adds,
    called,
    leads,
    members,
    statuses,
)
from repository import Repository


@pytest.fixture(params=["observed", "documented"])
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sandbox(profile: str) -> Iterator[Sandbox]:
    knobs = {"contactcenter": {"profile": profile, "strict_fields": True}}
    with Sandbox(seed=SEED, knobs=knobs) as running:
        yield running


@pytest.fixture
def center(repository: Repository) -> Repository:
    """A repository with one account and its one campaign."""
    repository.write("account.yaml", ACCOUNT)
    repository.write("campaign.yaml", CAMPAIGN)
    return repository


def codes(plan: Any) -> list[str]:
    return [d["code"] for d in plan.json["diagnostics"]]


def test_leads_are_added_and_those_that_are_new_deleted(center: Repository, sandbox: Sandbox) -> None:
    center.write("people.yaml", members(BORIS, CLARA, priority="4", note="VIP"))
    plan = center.plan()
    assert plan.changes() == [("update", "Membership/people")] or plan.changes() == [("create", "Membership/people")]
    (change,) = plan.json["changes"]
    assert change["contactClass"] == "may-notify"
    assert (change["members"]["add"], change["members"]["remove"]) == (2, 1)
    assert change["calls"] == 3
    refused = center("apply", "--yes")
    assert refused.code == 5
    assert "--approve delete" in refused.err
    assert center.writes() == []
    center.apply()
    assert statuses(sandbox) == {BORIS: "new", CLARA: "new", DORA: "success"}
    assert {(x["priority"], x["note"]) for x in leads(sandbox) if x["number"] != DORA} == {(4, "VIP")}
    assert [method for method, _ in center.writes()] == ["DELETE", "PUT", "PUT"]
    center.settled()
    assert called(sandbox) == []


def test_a_campaign_is_never_a_change_and_must_exist(center: Repository, sandbox: Sandbox) -> None:
    assert center.plan("--detailed-exitcode").code == 0
    center.apply()
    center.write("campaign.yaml", CAMPAIGN.replace("Spring", "Summer"))
    center.write("people.yaml", members(BORIS))
    plan = center.plan()
    assert plan.code == 3
    assert codes(plan) == ["contactcenter-campaign-missing"]
    assert "'Spring'" in plan.json["diagnostics"][0]["message"]
    assert plan.json["changes"] == []
    assert center("apply", "--yes").code == 3
    center.remove("people.yaml")
    center.remove("campaign.yaml")
    assert center.plan("--detailed-exitcode").code == 0
    assert center.writes() == []


def test_a_running_campaign_needs_approval_by_name(center: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("contactcenter", "edit_campaign", campaign="Spring", set={"status": "paused?"})
    center.write("people.yaml", members(ANNA, BORIS, mode="additive"))
    plan = center.plan()
    assert plan.json["changes"][0]["contactClass"] == "starts-contacting"
    assert plan.json["summary"]["startsContacting"] == 1
    refused = center("apply", "--yes")
    assert refused.code == 5
    assert "contact" in refused.err
    assert center.writes() == []
    center.apply()
    assert adds(center) == 1
    center.settled()


def test_finished_leads_are_history_unless_asked_for(center: Repository, sandbox: Sandbox) -> None:
    center.write("people.yaml", members(ANNA))
    center.apply()
    assert statuses(sandbox) == {ANNA: "new", DORA: "success"}
    center.settled()
    center.write("people.yaml", members(ANNA, more="  deleteFinished: true\n"))
    assert center.plan().json["summary"]["membersRemove"] == 1
    center.apply()
    assert statuses(sandbox) == {ANNA: "new"}
    center.settled()


def test_whoever_may_be_in_a_call_is_left_alone(center: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("contactcenter", "set_lead_status", lead=ANNA, status="in_progress")
    center.write("people.yaml", members(BORIS))
    plan = center.plan()
    assert codes(plan) == ["lead-busy"]
    assert plan.json["summary"]["membersRemove"] == 0
    center.apply()
    assert statuses(sandbox)[ANNA] == "in_progress"
    sandbox.tamper("contactcenter", "set_lead_status", lead=ANNA, status="new")
    center.apply()
    assert ANNA not in statuses(sandbox)
    center.settled()


def test_who_was_worked_and_purged_is_not_called_again(center: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper(
        "contactcenter",
        "add_activity",
        timestamp=sandbox.call(lambda: sandbox.world.clock.now()) - 3600,
        campaign_name="Spring",
        lead_number=BORIS.removeprefix("+"),
    )
    center.write("people.yaml", members(ANNA, BORIS, CLARA))
    plan = center.plan()
    assert codes(plan) == ["already-worked"]
    assert plan.json["summary"]["membersAdd"] == 1
    assert BORIS not in plan.out
    center.apply()
    assert BORIS not in statuses(sandbox)
    center.settled()
    lift = "recontact=center/Membership/people"
    assert lift in plan.json["diagnostics"][0]["hint"]
    center.apply("--allow", lift)
    assert statuses(sandbox)[BORIS] == "new"


def test_a_status_is_set_when_declared_and_nothing_else_changes(center: Repository, sandbox: Sandbox) -> None:
    center.write("people.yaml", members(ANNA, status="success", first_name="Anne", type="vip"))
    plan = center.plan()
    assert sorted(codes(plan)) == ["contactcenter-attribute-fixed", "write-only-attribute"]
    assert plan.json["summary"]["membersChange"] == 1
    center.apply()
    (lead,) = [x for x in leads(sandbox) if x["number"] == ANNA]
    assert (lead["status"], lead["first_name"], lead["type"]) == ("success", "Anna", "")
    assert [method for method, _ in center.writes()] == ["POST"]
    center.settled()
    for word in ("new", "called"):
        center.write("people.yaml", members(ANNA, status=word))
        invalid = center("validate")
        assert invalid.code == 3
        assert "contactcenter-status" in invalid.out + invalid.err
    center.write("people.yaml", members(ANNA, BORIS, status="success"))
    assert "lead-not-there" in codes(center.plan())
    center.settled()
    assert adds(center) == 0


def test_suppressed_people_are_left_out_and_taken_off(center: Repository, sandbox: Sandbox) -> None:
    center.write(
        "dnc.yaml",
        "apiVersion: reconciler/v1\nkind: Suppression\nmetadata: {name: dnc}\n"
        f"spec: {{numbers: ['{ANNA}', '{BORIS}', '{DORA}']}}\n",
    )
    center.write("people.yaml", members(ANNA, BORIS, CLARA, DORA, status="", priority="1"))
    assert "suppressed-skipped" in codes(center.plan())
    assert center("apply", "--yes").code == 0
    assert statuses(sandbox) == {CLARA: "new", DORA: "success"}
    center.settled()


def test_a_lost_answer_adds_once(center: Repository, sandbox: Sandbox) -> None:
    center.write("people.yaml", members(ANNA, BORIS, CLARA, mode="additive"))
    fault = {"method": "PUT", "path": "/api/v2/config/campaigns/*/lead", "nth": 2, "fault": {"kind": "drop_after"}}
    sandbox.set_faults([fault])
    center.apply()
    assert len(leads(sandbox)) == 4
    assert adds(center) == 2
    assert sandbox.ledger()["duplicates"] == []
    center.settled()


def test_a_lost_request_is_sent_again_only_where_nobody_is_dialled(center: Repository, sandbox: Sandbox) -> None:
    center.write("people.yaml", members(ANNA, BORIS, mode="additive"))
    fault = {"method": "PUT", "path": "/api/v2/config/campaigns/*/lead", "nth": 1, "fault": {"kind": "drop_before"}}
    sandbox.set_faults([fault])
    center.apply()
    assert adds(center) == 2
    assert len(leads(sandbox)) == 3
    center.settled()
    sandbox.tamper("contactcenter", "edit_campaign", campaign="Spring", set={"status": "previewing"})
    center.write("people.yaml", members(ANNA, BORIS, CLARA, mode="additive"))
    sandbox.set_faults([fault])
    result = center("apply", "--yes", "--approve", "contact")
    assert result.code == 9, result.out + result.err
    assert adds(center) == 3
    assert len(leads(sandbox)) == 3


def test_tokens_that_die_on_the_way_are_renewed(center: Repository, sandbox: Sandbox) -> None:
    center.write("people.yaml", members(ANNA, BORIS, CLARA, mode="additive"))
    fault = {"method": "PUT", "path": "/api/v2/config/campaigns/*/lead", "nth": 2, "fault": {"kind": "expired_token"}}
    sandbox.set_faults([fault])
    center.apply()
    assert sorted(statuses(sandbox)) == sorted([ANNA, BORIS, CLARA, DORA])
    assert sandbox.ledger()["duplicates"] == []
    center.settled()


def test_wrong_credentials_are_4_and_tried_once(
    center: Repository, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACTCENTER_PASSWORD", "another")
    center.write("people.yaml", members(ANNA))
    assert center.plan().code == 4
    assert [r["path"] for r in sandbox.requests()] == ["/api/v2/login"]
    assert center("apply", "--yes").code == 4


@pytest.mark.parametrize("knob", ["malformed_record", "cursor_repeats"])
def test_a_partial_read_is_10_and_never_a_plan(center: Repository, sandbox: Sandbox, knob: str) -> None:
    center.write("account.yaml", ACCOUNT + "  pageSize: 1\n")
    center.write("people.yaml", members(ANNA))
    sandbox.tamper("contactcenter", "add_leads", campaign="Spring", leads=[BORIS, CLARA])
    sandbox.turn(contactcenter={knob: True})
    plan = center.plan()
    assert plan.code == 10
    assert plan.json["changes"] == []
    assert center("apply", "--yes").code == 10
    assert center.writes() == []


def test_pages_that_skip_a_lead_are_10(center: Repository, sandbox: Sandbox) -> None:
    center.write("people.yaml", members(ANNA, BORIS))
    sandbox.set_faults([{"method": "GET", "path": "/api/v2/config/**", "times": 9, "fault": {"kind": "skipped_row"}}])
    assert center.plan().code == 10


def test_the_fewest_requests(center: Repository, sandbox: Sandbox) -> None:
    center.write("people.yaml", members(ANNA))
    center.plan()
    campaign = next(iter(leads(sandbox)))["campaign_id"]
    read = [f"/api/v2/config/campaigns/{campaign}/leads"]
    assert [r["path"] for r in sandbox.requests()] == ["/api/v2/login", REPORT, *read]
    before = len(sandbox.requests())
    center.write("people.yaml", members(ANNA, BORIS))
    center.plan()
    assert [r["path"] for r in sandbox.requests()][before:] == ["/api/v2/login", REPORT, *read, HISTORY]


def test_a_removed_manifest_takes_along_whom_it_added(center: Repository, sandbox: Sandbox) -> None:
    text = members(ANNA, BORIS, CLARA, mode="additive")
    center.write("people.yaml", text.replace("metadata:", "lifecycle: {onRemove: delete}\nmetadata:"))
    center.apply()
    sandbox.tamper("contactcenter", "set_lead_status", lead=CLARA, status="success")
    center.remove("people.yaml")
    assert center.plan().json["summary"]["membersRemove"] == 1
    center.apply()
    assert statuses(sandbox) == {ANNA: "new", CLARA: "success", DORA: "success"}
    center.settled()


def test_several_leads_of_one_number_are_told_and_all_deleted(center: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("contactcenter", "add_leads", campaign="Spring", leads=[ANNA, {"number": ANNA, "status": "failed"}])
    center.write("people.yaml", members(ANNA, status="success"))
    plan = center.plan()
    assert codes(plan) == ["contactcenter-duplicate-lead"]
    assert plan.json["summary"]["membersChange"] == 0
    center.write("people.yaml", members(BORIS))
    center.apply()
    assert [(x["number"], x["status"]) for x in leads(sandbox)] == [
        (DORA, "success"),
        (ANNA, "failed"),
        (BORIS, "new"),
    ]
    center.settled()


def test_nobody_is_called_twice_although_the_portal_forgets(center: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("contactcenter", "start_campaign", campaign="Spring")
    center.write("people.yaml", members(ANNA, BORIS, CLARA, mode="additive"))
    center.apply()
    sandbox.advance(60)
    assert sorted(statuses(sandbox).values()) == ["success"] * 4
    sandbox.tamper("contactcenter", "purge_finished")
    plan = center.plan()
    assert codes(plan) == ["already-worked"]
    assert plan.json["summary"]["membersAdd"] == 0
    center.settled()
    sandbox.advance(60)
    (account,) = sandbox.state()["contactcenter"]["accounts"]
    assert sorted(call["lead_number"] for call in account["activity"]) == [ANNA, BORIS, CLARA]
    assert sorted(called(sandbox)) == [ANNA, BORIS, CLARA]


def test_a_large_campaign_takes_one_request_a_page(center: Repository, sandbox: Sandbox) -> None:
    many = {"generate": {"count": 2500, "first": "+12025552000"}}
    sandbox.tamper("contactcenter", "create_campaign", name="Large", leads=many)
    center.write("campaign.yaml", CAMPAIGN.replace("Spring", "Large"))
    center.write("people.yaml", members("+12025552000", "+12025554499", mode="additive"))
    plan = center.plan()
    assert plan.json["changes"][0]["members"]["unchanged"] == 2
    assert len(sandbox.requests()) == 2 + 25


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("spec: {name: Spring}", "spec: {}", ""),
        ("spec: {name: Spring}", "spec: {name: Spring, status: running}", "unsettable-field"),
        (
            "spec: {name: Spring}",
            "lifecycle: {onRemove: delete}\nspec: {name: Spring}",
            "contactcenter-campaign-read-only",
        ),
        ("kind: Campaign", "kind: List", "unknown-kind"),
    ],
)
def test_what_a_campaign_cannot_be_is_refused(center: Repository, old: str, new: str, code: str) -> None:
    center.write("campaign.yaml", CAMPAIGN.replace(old, new))
    said = center("validate")
    assert said.code == 3
    assert code in said.out + said.err


def test_a_portal_elsewhere_must_be_allowed(center: Repository) -> None:
    center.write("account.yaml", ACCOUNT.replace("URL", "https://portal.example.com:9443"))
    said = center("validate")
    assert said.code == 3
    assert "--allow-host portal.example.com:9443" in said.out + said.err
    assert center("validate", "--allow-host", "portal.example.com:9443").code == 0


def test_a_called_report_names_nobody(center: Repository, sandbox: Sandbox) -> None:
    now = int(sandbox.call(lambda: sandbox.world.clock.now()))
    names = {"lead_name": "Raven Shields", "lead_number": ANNA, "agent_name": "Jim Jones"}
    sandbox.tamper("contactcenter", "add_activity", timestamp=now - 60, campaign_name="Spring", **names)
    sandbox.tamper("contactcenter", "create_queue", name="Out", agents=[{"name": "Piper Huffman"}])
    times = [f"startDate={now - 999}", f"endDate={now}"]
    report = center("call", "center", "activity.list", *times)
    assert report.code == 0
    assert "Spring" in report.out
    queues = center("call", "center", "queues.status")
    assert "Out" in queues.out
    for name in ("Raven", "Shields", "Jim", "Piper", "Huffman"):
        assert name not in report.out + queues.out
    assert "Raven Shields" in center("call", "center", "activity.list", *times, "--show-pii").out
