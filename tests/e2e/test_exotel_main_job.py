"""The main job on Exotel, through the command line: plan, approve, apply, plan again (empty), drift, correct."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from reconciler.sandbox import Sandbox

from repository import EXAMPLES, VOICE, Repository, Result

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
    repository.write("account.yaml", VOICE)
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


def refusing_from(position: int) -> list[dict[str, Any]]:
    """The first request that creates contacts has every one from this position on refused for good."""
    creates = {"method": "POST", "path": "/v2/accounts/*/contacts", "contains": '"contacts"', "nth": 1}
    refused = {"kind": "rewrite", "pattern": r'"code": ?500', "replacement": '"code":400'}
    return [
        {**creates, "fault": {"kind": "partial_bulk", "apply": position - 1, "status": 207}},
        {**creates, "fault": refused},
    ]


def test_a_refused_contact_keeps_nobody_else_off_the_list(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("list.yaml", LIST)
    voice.write("members.yaml", MEMBERS + '    - {number: "+12025550013"}\n    - {number: "+12025550014"}\n')
    sandbox.set_faults(refusing_from(4))
    result = voice("apply", "--yes", "--format", "json")
    assert result.code == 7
    assert sorted(rows(sandbox, "lists")[0]["numbers"]) == ["+12025550001", "+12025550002", "+12025550013"]
    assert outcomes(result) == {"List/renewals": "done", "Membership/people": "failed"}
    assert result.json["counts"] == {"done": 1, "failed": 2, "blocked": 0, "notAttempted": 0, "unresolved": 0}
    assert "Exotel refused 1 of 4 with 400" in result.out
    assert "5550014" not in result.out + result.err
    # What was done is ours: nobody is created or added again, and those who leave the manifest are taken off.
    plan = voice.plan().json
    assert (plan["summary"]["membersAdd"], plan["changes"][0]["members"]["unchanged"]) == (1, 3)
    voice.apply()
    assert len(rows(sandbox, "lists")[0]["members"]) == 4
    assert [len(r["body"]["contacts"]) for r in sandbox.requests() if "contacts" in (r["body"] or {})] == [4, 1]
    voice.settled()


def test_known_people_are_added_although_every_new_one_is_refused(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("list.yaml", LIST)
    voice.write("members.yaml", MEMBERS)
    voice.apply()
    other = LIST.replace("renewals", "second").replace("Renewals", "Second")
    people = MEMBERS.replace("people", "others").replace("renewals", "second")
    voice.write("second.yaml", other + "---\n" + people + '    - {number: "+12025550013"}\n')
    sandbox.set_faults(refusing_from(1))
    result = voice("apply", "--yes", "--format", "json")
    assert result.code == 7
    second = next(x for x in rows(sandbox, "lists") if x["name"] == "Second")
    assert sorted(second["numbers"]) == ["+12025550001", "+12025550002"]
    voice.apply()
    voice.settled()


def test_a_membership_leaves_out_who_was_refused_to_another_one(voice: Repository, sandbox: Sandbox) -> None:
    """A contact is created once, by the first membership that needs it; a campaign is not armed for half a list."""
    second = LIST.replace("renewals", "second").replace("Renewals", "Second") + "---\n"
    voice.write("list.yaml", LIST + "---\n" + second + MEMBERS + '    - {number: "+12025550013"}\n')
    shared = MEMBERS.replace("people", "shared").replace("renewals", "second")
    voice.write("shared.yaml", shared + '    - {number: "+12025550013"}\n')
    voice.write("campaign.yaml", CAMPAIGN)
    sandbox.set_faults(refusing_from(3))
    result = voice("apply", "--yes", "--approve", "contact", "--format", "json")
    assert result.code == 7
    assert [len(x["members"]) for x in rows(sandbox, "lists")] == [2, 2]
    ended = outcomes(result)
    assert (ended["Membership/people"], ended["Membership/shared"], ended["Campaign/round"]) == (
        "failed",
        "failed",
        "blocked",
    )
    assert rows(sandbox, "campaigns") == []
    voice.apply()
    assert [len(x["members"]) for x in rows(sandbox, "lists")] == [3, 3]
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
    voice.write("account.yaml", VOICE.replace("sandbox1", "somebody-else"))
    plan = voice.plan()
    assert plan.code == 4
    assert plan.json["diagnostics"][0]["code"] == "exotel-account-unknown"
    voice.write("account.yaml", VOICE)
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
    # Two lists in one call, two bulk calls for each of two memberships, and the campaign with its list.
    assert plan.json["summary"]["calls"] == 1 + 4 + 1
    voice.apply(*url)
    assert len(voice.writes()) == 6
    assert len(next(x for x in rows(sandbox, "lists") if x["name"] == "Policy renewals")["members"]) == 39
    assert voice.plan("--detailed-exitcode", *url).code == 0
    assert not any(sandbox.ledger()["contacted"].values())
    assert sandbox.ledger()["duplicates"] == []


# --- several lists, one request


def lists(*names: str, tag: str = "", more: str = "") -> str:
    """So many manifests of lists, named and tagged alike."""
    head = "---\napiVersion: exotel/v1\nkind: List\n"
    end = f", tag: {tag}}}\n" if tag else "}\n"
    return "".join(f"{head}metadata: {{name: {n}}}\n{more}spec: {{name: {n.title()}{end}" for n in names)


def bodies(sandbox: Sandbox, method: str, path: str = "/lists") -> list[list[str]]:
    """The names in each such request about lists, in order."""
    sent = (r for r in sandbox.requests() if r["method"] == method and r["path"].endswith(path))
    return [[entry["name"] for entry in r["body"]["lists"]] for r in sent]


def outcomes(result: Result) -> dict[str, str]:
    """How each change of an apply ended."""
    return {c["address"].removeprefix("voice/"): c["outcome"] for c in result.json["changes"]}


def test_lists_are_created_in_one_request_and_changed_in_one(voice: Repository, sandbox: Sandbox) -> None:
    names = ["alpha", "beta", "gamma", "delta", "omega"]
    voice.write("lists.yaml", lists(*names))
    plan = voice.plan("--calls")
    assert plan.json["summary"]["create"] == 5
    assert plan.json["summary"]["calls"] == 1
    assert [c["carriedBy"] for c in plan.json["changes"]] == [None, *["voice/List/alpha"] * 4]
    (call,) = plan.json["calls"]
    assert (call["method"], call["path"]) == ("POST", "/sandbox1/lists")
    assert [entry["name"] for entry in call["body"]["lists"]] == sorted(name.title() for name in names)
    reads = len(sandbox.requests())
    result = voice("apply", "--yes", "--format", "json")
    assert result.code == 0
    assert result.json["counts"]["done"] == 5
    assert paths(voice) == [("POST", "/lists")]
    # One reading of all lists each: to plan, before and after the write, and to verify; campaigns twice.
    assert len(sandbox.requests()) - reads == 1 + 4 + 2
    voice.settled()
    voice.write("lists.yaml", lists(*names, tag="spring"))
    assert voice.plan().json["summary"]["calls"] == 1
    voice.apply()
    assert paths(voice) == [("POST", "/lists"), ("PUT", "/lists")]
    assert {x["tag"] for x in rows(sandbox, "lists")} == {"spring"}
    voice.settled()


def test_bulk_calls_of_lists_have_the_size_that_the_account_says(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("account.yaml", VOICE.replace("  baseUrl", "  listBulkSize: 2\n  baseUrl"))
    voice.write("lists.yaml", lists("a1", "a2", "a3", "a4", "a5"))
    assert voice.plan().json["summary"]["calls"] == 3
    voice.apply()
    assert sorted(map(len, bodies(sandbox, "POST"))) == [1, 2, 2]
    voice.settled()


def test_a_list_whose_new_name_is_taken_fails_alone(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("lists.yaml", lists("alpha", "beta", "gamma"))
    voice.apply()
    sandbox.tamper("exotel", "create_list", name="Taken")
    voice.write("lists.yaml", lists("alpha", "beta", "gamma", tag="new").replace("name: Beta", "name: Taken"))
    result = voice("apply", "--yes", "--format", "json")
    assert result.code == 7
    assert outcomes(result) == {"List/alpha": "done", "List/beta": "failed", "List/gamma": "done"}
    assert result.json["counts"]["done"] == 2
    assert "already exists" in next(c["detail"] for c in result.json["changes"] if c["outcome"] == "failed")
    assert bodies(sandbox, "PUT") == [["Alpha", "Taken", "Gamma"]]
    assert {x["name"]: x["tag"] for x in rows(sandbox, "lists") if x["tag"]} == {"Alpha": "new", "Gamma": "new"}
    assert [str(a) for _, a in voice.plan().changes()] == ["List/beta"]


def test_what_needs_a_refused_list_is_blocked_and_its_neighbours_are_done(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("lists.yaml", lists("alpha", "beta", "gamma"))
    for name in ("alpha", "beta"):
        text = MEMBERS.replace("name: people", f"name: {name}-people").replace("list: renewals", f"list: {name}")
        voice.write(f"{name}.yaml", text)
    only_first = {"kind": "partial_bulk", "apply": 1, "status": 207}
    for_good = {"kind": "rewrite", "pattern": r'"code": ?500', "replacement": '"code":400'}
    posts = {"method": "POST", "path": "/v2/accounts/*/lists"}
    sandbox.set_faults([{**posts, "fault": only_first}, {**posts, "fault": for_good}])
    result = voice("apply", "--yes", "--format", "json")
    assert result.code == 7, result.out
    assert outcomes(result) == {
        "List/alpha": "done",
        "List/beta": "failed",
        "List/gamma": "failed",
        "Membership/alpha-people": "done",
        "Membership/beta-people": "blocked",
    }
    assert bodies(sandbox, "POST") == [["Alpha", "Beta", "Gamma"]]
    assert [(x["name"], len(x["members"])) for x in rows(sandbox, "lists")] == [("Alpha", 2)]
    sandbox.set_faults([])
    voice.apply()
    assert bodies(sandbox, "POST")[1:] == [["Beta", "Gamma"]]
    voice.settled()


def test_a_list_that_is_turned_away_for_now_is_sent_again_alone(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("lists.yaml", lists("alpha", "beta", "gamma"))
    fault = {"kind": "partial_bulk", "apply": 2, "status": 207}
    sandbox.set_faults([{"method": "POST", "path": "/v2/accounts/*/lists", "nth": 1, "fault": fault}])
    voice.apply()
    assert bodies(sandbox, "POST") == [["Alpha", "Beta", "Gamma"], ["Gamma"]]
    voice.settled()


@pytest.mark.parametrize(
    ("fault", "again"),
    [
        ({"kind": "drop_after"}, []),
        ({"kind": "error_after", "status": 502}, []),
        ({"kind": "truncate"}, []),
        ({"kind": "double_effect"}, []),
        ({"kind": "drop_before"}, [["Alpha", "Beta", "Gamma"]]),
        ({"kind": "partial_bulk", "apply": 1, "status": 500}, [["Beta", "Gamma"]]),
        # A refusal of the whole may have come in the middle, and may be about one of them only.
        ({"kind": "error_before", "status": 400}, [["Alpha", "Beta"], ["Gamma"]]),
        ({"kind": "partial_bulk", "apply": 2, "status": 400}, [["Gamma"]]),
    ],
    ids=lambda x: "-".join(map(str, x.values())) if isinstance(x, dict) else "",
)
def test_after_a_lost_answer_each_list_is_looked_up_and_only_the_rest_is_sent_again(
    voice: Repository, sandbox: Sandbox, fault: dict[str, Any], again: list[list[str]]
) -> None:
    voice.write("lists.yaml", lists("alpha", "beta", "gamma", more="lifecycle: {onRemove: delete}\n"))
    sandbox.set_faults([{"method": "POST", "path": "/v2/accounts/*/lists", "nth": 1, "fault": fault}])
    voice.apply()
    assert bodies(sandbox, "POST") == [["Alpha", "Beta", "Gamma"], *again]
    assert [x["name"] for x in rows(sandbox, "lists")] == ["Alpha", "Beta", "Gamma"]
    assert sandbox.ledger()["duplicates"] == []
    voice.settled()
    # All of them are ours, under their own ids: they can be taken away again.
    voice.remove("lists.yaml")
    voice.apply("--allow", "deletes=3")
    assert rows(sandbox, "lists") == []


def test_a_lost_change_of_several_lists_is_read_back(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("lists.yaml", lists("alpha", "beta", "gamma"))
    voice.apply()
    voice.write("lists.yaml", lists("alpha", "beta", "gamma", tag="new"))
    fault = {"kind": "partial_bulk", "apply": 1, "status": 500}
    sandbox.set_faults([{"method": "PUT", "path": "/v2/accounts/*/lists", "nth": 1, "fault": fault}])
    voice.apply()
    assert bodies(sandbox, "PUT") == [["Alpha", "Beta", "Gamma"], ["Beta", "Gamma"]]
    voice.settled()


def test_lists_that_somebody_touched_since_the_plan_are_left_out(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("lists.yaml", lists("alpha", "beta", "gamma"))
    look = {"method": "GET", "path": "/v2/accounts/*/lists"}
    theirs = {"op": "create_list", "name": "Beta", "tag": "theirs"}
    sandbox.set_faults([{**look, "nth": 2, "fault": {"kind": "tamper", "operation": theirs}}])
    result = voice("apply", "--yes", "--format", "json")
    assert result.code == 7, result.out
    assert outcomes(result) == {"List/alpha": "done", "List/beta": "failed", "List/gamma": "done"}
    assert bodies(sandbox, "POST") == [["Alpha", "Gamma"]]


def test_every_list_of_a_call_has_an_operation_of_its_own_in_the_journal(voice: Repository, sandbox: Sandbox) -> None:
    voice.write("lists.yaml", lists("alpha", "beta"))
    voice.apply()
    (run,) = voice("history", "--format", "json").json["runs"]
    shown = voice("history", "show", run["id"], "--format", "json").json
    operations = {o["address"]: (o["state"], o["remoteId"]) for o in shown["operations"]}
    assert operations == {f"voice/List/{x['name'].lower()}": ("done", x["sid"]) for x in rows(sandbox, "lists")}


@pytest.mark.parametrize("signals", [[signal.SIGINT] * 2, [signal.SIGKILL]])
def test_lists_under_way_at_the_end_of_a_run_are_found_by_the_next(
    voice: Repository, sandbox: Sandbox, signals: list[signal.Signals]
) -> None:
    voice.write("lists.yaml", lists("alpha", "beta", "gamma"))
    hang = {"kind": "hang", "effect": True}
    sandbox.set_faults([{"method": "POST", "path": "/v2/accounts/*/lists", "fault": hang}])
    command = [sys.executable, "-m", "reconciler", "apply", "--yes", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while not voice.writes() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signals[0])
        if len(signals) > 1:
            assert process.stderr is not None
            while "once more stops at once" not in process.stderr.readline():
                assert process.poll() is None
            process.send_signal(signals[1])
        out, _ = process.communicate(timeout=30)
    if len(signals) > 1:
        assert process.returncode == 130
        assert json.loads(out)["counts"]["unresolved"] == 3, out
    sandbox.set_faults([])
    voice.apply()
    assert len(voice.writes()) == 1
    assert [x["name"] for x in rows(sandbox, "lists")] == ["Alpha", "Beta", "Gamma"]
    voice.settled()
