"""The main job on IntelePeer Engage, through the command line and real HTTP, and what it refuses."""

from __future__ import annotations

import pytest

from reconciler.sandbox import Sandbox

from repository import CALLS, Repository

LIST = """\
apiVersion: intelepeer/v1
kind: List
metadata: {name: people}
spec: {name: Engage List, description: Customer contacts, headers: [phone, firstname]}
"""
CAMPAIGN = """\
apiVersion: intelepeer/v1
kind: Campaign
metadata: {name: texts}
spec: {name: Florida Test, description: A test, callerIdentification: "+16075550100", flowId: 5bef29e1c5480c40e2ab4ef0}
---
apiVersion: intelepeer/v1
kind: Association
metadata: {name: texts--people}
spec: {campaign: texts, list: people, moc: phone}
"""
MEMBERS = """\
apiVersion: intelepeer/v1
kind: Membership
metadata: {name: members}
spec:
  list: people
  mode: additive
  contacts:
    - {number: "+16155550101", firstname: Ada}
    - {number: "+16155550102", firstname: Ben}
"""


def everything(calls: Repository) -> None:
    calls.write("list.yaml", LIST)
    calls.write("campaign.yaml", CAMPAIGN)
    calls.write("members.yaml", MEMBERS)


def no_run(sandbox: Sandbox) -> None:
    assert all('"run"' not in str(r["body"]) for r in sandbox.requests())
    assert sandbox.ledger()["contacted"].get("intelepeer", []) == []


def test_everything_is_created_linked_and_uploaded_once(calls: Repository, sandbox: Sandbox) -> None:
    everything(calls)
    calls.apply()
    state = sandbox.state()["intelepeer"]
    (campaign,) = state["campaigns"]
    people = next(x for x in state["lists"] if x["name"] == "Engage List")
    assert len(people["numbers"]) == 2
    assert campaign["links"]
    calls.settled()
    no_run(sandbox)
    more = MEMBERS + '    - {number: "+16155550103", firstname: Cleo}\n'
    calls.write("members.yaml", more)
    assert calls.plan().json["summary"]["membersAdd"] == 1
    calls.apply()
    calls.settled()
    uploads = [r for r in sandbox.requests() if r["path"].endswith("/uploadcontacts")]
    assert len(uploads) == 2


def test_publishing_comes_after_everything_and_is_not_repeated(calls: Repository, sandbox: Sandbox) -> None:
    everything(calls)
    calls.write("campaign.yaml", CAMPAIGN.replace("flowId:", "state: published, flowId:"))
    calls.apply()
    actions = [str(r["body"]) for r in sandbox.requests() if r["path"].endswith("/action")]
    assert len(actions) == 2
    assert "associate" in actions[0]
    assert "publish" in actions[1]
    calls.settled()
    no_run(sandbox)


def test_a_campaign_is_updated_with_all_four_fields(calls: Repository, sandbox: Sandbox) -> None:
    everything(calls)
    calls.apply()
    calls.write("campaign.yaml", CAMPAIGN.replace("A test", "Another test"))
    assert calls.plan().changes() == [("update", "Campaign/texts")]
    calls.apply()
    (put,) = [
        r for r in sandbox.requests() if r["method"] == "PUT" and r["path"].rsplit("/", 1)[0].endswith("campaigns")
    ]
    for name in ("campaignName", "campaignDescription", "callerIdentification", "flowId"):
        assert name in str(put["body"])
    calls.settled()


@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        ("list.yaml", "Customer contacts", "Other contacts", "intelepeer-list-immutable"),
        ("list.yaml", "[phone, firstname]", "[phone, firstname, lastname]", "intelepeer-list-immutable"),
    ],
)
def test_what_a_list_cannot_do_is_refused_with_a_remedy(
    calls: Repository, sandbox: Sandbox, file: str, old: str, new: str, code: str
) -> None:
    everything(calls)
    calls.apply()
    writes = len(calls.writes())
    calls.write(file, LIST.replace(old, new))
    plan = calls.plan()
    assert plan.code == 3
    (problem,) = [d for d in plan.json["diagnostics"] if d["severity"] == "error"]
    assert problem["code"] == code
    assert "replace" in problem["hint"]
    assert calls("apply", "--yes", "--approve", "delete").code == 3
    assert len(calls.writes()) == writes


def test_a_list_is_replaced_new_first_when_allowed(calls: Repository, sandbox: Sandbox) -> None:
    everything(calls)
    calls.apply()
    calls.write("list.yaml", LIST.replace("Customer contacts", "New contacts") + "lifecycle: {replace: true}\n")
    assert ("replace", "List/people") in calls.plan().changes()
    assert calls("apply", "--yes").code == 5
    calls.apply()
    methods = [m for m, p in calls.writes() if "/lists" in p]
    assert methods[-1] == "DELETE"
    calls.settled()
    no_run(sandbox)


def test_unlinking_is_refused(calls: Repository) -> None:
    everything(calls)
    calls.write("campaign.yaml", CAMPAIGN.replace("spec: {campaign", "lifecycle: {onRemove: delete}\nspec: {campaign"))
    calls.apply()
    calls.write("campaign.yaml", CAMPAIGN.split("---")[0])
    plan = calls.plan()
    assert plan.code == 3
    assert "intelepeer-no-dissociate" in [d["code"] for d in plan.json["diagnostics"]]


def test_members_without_a_store_are_not_uploaded_again(calls: Repository) -> None:
    everything(calls)
    calls.apply()
    for file in (calls.root / ".reconciler").iterdir():
        file.unlink()
    plan = calls.plan()
    assert plan.code == 3
    assert "unknown-members" in [d["code"] for d in plan.json["diagnostics"]]


@pytest.mark.parametrize("text", ["mode: exact", "membershipMode: none"])
def test_what_the_api_cannot_do_is_said_without_a_network(calls: Repository, text: str) -> None:
    everything(calls)
    if text.startswith("mode"):
        calls.write("members.yaml", MEMBERS.replace("mode: additive", text))
    else:
        calls.write("account.yaml", CALLS.replace("membershipMode: append", text))
    assert calls("validate").code == 3
    assert calls.sandbox.requests() == []


def test_a_token_that_expires_in_mid_run_is_renewed_once(calls: Repository, sandbox: Sandbox) -> None:
    everything(calls)
    sandbox.set_faults(
        [
            {
                "provider": "intelepeer",
                "method": "POST",
                "path": "/_rest/v2/lists*",
                "nth": 1,
                "fault": {"kind": "expired_token"},
            }
        ]
    )
    calls.apply()
    logins = [r for r in sandbox.requests() if r["path"].endswith("/authenticate")]
    assert len(logins) == 2
    calls.settled()


def test_a_lost_create_is_found_and_not_repeated(calls: Repository, sandbox: Sandbox) -> None:
    everything(calls)
    sandbox.set_faults(
        [
            {"method": "POST", "path": "/_rest/v2/lists", "nth": 1, "fault": {"kind": "drop_after"}},
            {"method": "POST", "path": "/_rest/v2/campaigns", "nth": 1, "fault": {"kind": "error_after"}},
        ]
    )
    calls.apply()
    assert sandbox.ledger()["duplicates"] == []
    calls.settled()


def test_an_asynchronous_delete_is_waited_for(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("list.yaml", LIST + "lifecycle: {onRemove: delete}\n")
    calls.apply()
    calls.remove("list.yaml")
    calls.apply()
    calls.settled()
