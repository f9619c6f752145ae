"""People on lists when things go badly: lost uploads, two manifests about one person, edits behind everybody's back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from reconciler.sandbox import Sandbox

from repository import TEXTS, Repository

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
UPLOAD = {"method": "PUT", "path": "*uploadcontacts"}
ANOTHER_LANDS = {
    "kind": "tamper",
    "operation": {
        "provider": "intelepeer",
        "op": "add_contacts",
        "list": "Engage List",
        "numbers": ["+12025550199"],
    },
}


@pytest.fixture
def sandbox() -> object:
    seed = {"slicktext": {"contacts": [{"generate": {"count": 60, "first": "+12025550000"}}]}}
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


def number(index: int) -> str:
    return f"+1202555{index:04d}"


def uploaded(*indexes: int, name: str = "members") -> str:
    rows = "".join(f'    - {{number: "{number(i)}", firstname: Ada}}\n' for i in indexes)
    head = f"apiVersion: intelepeer/v1\nkind: Membership\nmetadata: {{name: {name}}}\n"
    return f"{head}spec:\n  list: people\n  mode: additive\n  contacts:\n{rows}"


def lists_of(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The lists of the seed's account by our name, tombstones left out."""
    every = sandbox.state()["intelepeer"]["lists"]
    return [x for x in every if x["name"] == "Engage List" and not x["deleted"]]


def on_the_list(sandbox: Sandbox) -> list[str]:
    (one,) = lists_of(sandbox)
    return sorted(one["numbers"])


def numbers(*indexes: int) -> list[str]:
    return [number(i) for i in indexes]


def uploads(sandbox: Sandbox) -> int:
    return sum(1 for r in sandbox.requests() if r["path"].endswith("uploadcontacts"))


def texts_list(name: str, *people: int, mode: str = "exact", life: str = "") -> str:
    head = f"apiVersion: slicktext/v1\nkind: List\nmetadata: {{name: {name}}}\nspec: {{name: L {name}}}\n{life}---\n"
    rows = ", ".join(f'{{number: "{number(i)}"}}' for i in people)
    members = (
        f"apiVersion: slicktext/v1\nkind: Membership\nmetadata: {{name: {name}-members}}\n"
        f"spec: {{list: {name}, mode: {mode}, contacts: [{rows}]}}\n---\n"
    )
    return head + members if people else head


def codes(plan: Any) -> list[str]:
    return [d["code"] for d in plan.json["diagnostics"]]


def test_an_upload_that_nobody_can_tell_about_is_never_sent_again(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("list.yaml", LIST)
    calls.write("members.yaml", uploaded(101, 102))
    sandbox.set_faults([{**UPLOAD, "nth": 1, "fault": f} for f in ({"kind": "drop_after"}, ANOTHER_LANDS)])
    assert calls("apply", "--yes").code == 9
    sandbox.set_faults([])
    again = calls("apply", "--yes")
    assert again.code == 9
    assert "--allow unknown-members=engage/Membership/members" in again.err
    assert number(101) not in again.err
    assert uploads(sandbox) == 1


def test_an_accepted_upload_whose_read_back_fails_is_not_sent_again(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("list.yaml", LIST)
    calls.write("members.yaml", uploaded(101, 102))
    calls.apply()
    calls.write("members.yaml", uploaded(101, 102, 103))
    unreadable = {"method": "GET", "path": "/_rest/v2/lists", "nth": [*range(3, 60)]}
    sandbox.set_faults([{**unreadable, "fault": {"kind": "error_before", "status": 400}}])
    assert calls("apply", "--yes").code == 9
    sandbox.set_faults([])
    assert calls("apply", "--yes").code == 0
    assert on_the_list(sandbox) == numbers(101, 102, 103)
    assert uploads(sandbox) == 2
    calls.settled()


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGINT] * 2, [signal.SIGKILL]])
def test_an_upload_that_was_under_way_at_the_end_is_not_sent_again(
    calls: Repository, sandbox: Sandbox, signals: list[signal.Signals]
) -> None:
    calls.write("list.yaml", LIST)
    calls.write("members.yaml", uploaded(101, 102))
    calls.apply()
    calls.write("members.yaml", uploaded(101, 102, 103))
    sandbox.set_faults([{**UPLOAD, "fault": {"kind": "hang", "effect": True}}])
    command = [sys.executable, "-m", "reconciler", "apply", "--yes"]
    with subprocess.Popen(command, env={**os.environ}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while uploads(sandbox) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        for one in signals:
            process.send_signal(one)
            if len(signals) > 1 and process.stderr is not None:
                process.stderr.readline()
        process.wait(timeout=30)
    sandbox.set_faults([])
    assert calls("apply", "--yes").code == 0
    assert on_the_list(sandbox) == numbers(101, 102, 103)
    assert uploads(sandbox) == 2
    calls.settled()


def test_an_upload_that_lands_late_is_not_sent_again(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("list.yaml", LIST)
    calls.write("members.yaml", uploaded(101, 102))
    sandbox.set_faults([{**UPLOAD, "nth": 1, "fault": {"kind": "late_landing", "ms": 1000}}])
    assert calls("apply", "--yes").code == 7
    deadline = time.monotonic() + 30
    while not on_the_list(sandbox) and time.monotonic() < deadline:
        time.sleep(0.05)
    plan = calls.plan()
    assert plan.code == 3
    assert codes(plan) == ["unknown-members"]
    assert calls("apply", "--yes").code == 3
    assert on_the_list(sandbox) == numbers(101, 102)
    assert uploads(sandbox) == 1


def test_a_late_landing_is_waited_for_where_the_account_says_how_long(calls: Repository, sandbox: Sandbox) -> None:
    account = (calls.root / "manifests" / "account.yaml").read_text(encoding="utf-8")
    calls.write("account.yaml", account + "  settle: {landing: 2s, visibility: 0s}\n")
    calls.write("list.yaml", LIST)
    calls.write("members.yaml", uploaded(101, 102))
    sandbox.set_faults([{**UPLOAD, "nth": 1, "fault": {"kind": "late_landing", "ms": 500}}])
    assert calls("apply", "--yes").code == 0
    assert on_the_list(sandbox) == numbers(101, 102)
    assert uploads(sandbox) == 1


def test_a_refused_upload_and_then_one_by_hand_is_not_added_to(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("list.yaml", LIST)
    calls.write("members.yaml", uploaded(101, 102))
    sandbox.set_faults([{**UPLOAD, "nth": 1, "fault": {"kind": "error_before", "status": 422}}])
    assert calls("apply", "--yes").code == 7
    sandbox.set_faults([])
    sandbox.tamper("intelepeer", "add_contacts", list="Engage List", numbers=[number(101)])
    plan = calls.plan()
    assert plan.code == 3
    assert codes(plan) == ["unknown-members"]


def test_what_went_through_before_a_failure_is_counted(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("list.yaml", LIST)
    calls.write("members.yaml", uploaded(*range(250)))
    sandbox.set_faults([{**UPLOAD, "nth": 3, "fault": {"kind": "error_before", "status": 422}}])
    result = calls("apply", "--yes", "--format", "json")
    assert result.code == 7
    assert result.json["counts"] == {"done": 3, "failed": 1, "blocked": 0, "notAttempted": 0, "unresolved": 0}
    sandbox.set_faults([])
    calls.apply()
    assert on_the_list(sandbox) == numbers(*range(250))
    assert uploads(sandbox) == 4
    calls.settled()


def test_one_person_in_two_memberships_is_uploaded_once(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("list.yaml", LIST)
    calls.write("members.yaml", uploaded(101, 102))
    calls.write("others.yaml", uploaded(102, 103, name="others"))
    calls.apply()
    assert on_the_list(sandbox) == numbers(101, 102, 103)
    calls.settled()


def test_a_person_who_moves_between_memberships_is_uploaded_once(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("list.yaml", LIST)
    calls.write("members.yaml", uploaded(101, 102))
    calls.write("others.yaml", uploaded(103, name="others"))
    calls.apply()
    calls.write("members.yaml", uploaded(101))
    calls.write("others.yaml", uploaded(102, 103, name="others"))
    calls.apply()
    assert on_the_list(sandbox) == numbers(101, 102, 103)
    calls.settled()


def test_a_person_taken_out_and_put_back_is_uploaded_once(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("list.yaml", LIST)
    for people in ((101, 102), (101,), (101, 103), (101, 102, 103)):
        calls.write("members.yaml", uploaded(*people))
        calls.apply()
    assert on_the_list(sandbox) == numbers(101, 102, 103)
    calls.settled()


def test_a_membership_that_was_let_go_of_and_comes_back_uploads_nobody_twice(
    calls: Repository, sandbox: Sandbox
) -> None:
    calls.write("list.yaml", LIST)
    calls.write("members.yaml", uploaded(101, 102))
    calls.apply()
    calls.remove("members.yaml")
    calls.apply()
    calls.write("members.yaml", uploaded(101, 102))
    assert calls("apply", "--yes").code == 3
    assert on_the_list(sandbox) == numbers(101, 102)
    assert uploads(sandbox) == 1


def test_publishing_is_still_to_do_after_something_else_was_selected(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("list.yaml", LIST)
    calls.write("campaign.yaml", CAMPAIGN)
    calls.apply()
    calls.write("campaign.yaml", CAMPAIGN.replace("flowId:", "state: published, flowId:"))
    assert calls("apply", "--yes", "--select", "kind:List").code == 0
    assert ("update", "Campaign/texts") in calls.plan().changes()
    calls.apply()
    assert any("publish" in str(r["body"]) for r in sandbox.requests() if r["path"].endswith("/action"))
    calls.settled()


def test_the_old_list_of_a_half_done_replacement_is_deleted_later(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("list.yaml", LIST)
    calls.write("campaign.yaml", CAMPAIGN)
    calls.write("members.yaml", uploaded(101))
    calls.apply()
    calls.write("list.yaml", LIST.replace("Customer contacts", "New contacts") + "lifecycle: {replace: true}\n")
    failing = {"method": "DELETE", "path": "/_rest/v2/lists/*"}
    sandbox.set_faults([{**failing, "fault": {"kind": "error_before", "status": 422}}])
    assert calls("apply", "--yes", "--approve", "delete").code == 7
    assert len(lists_of(sandbox)) == 2
    sandbox.set_faults([])
    assert calls("apply", "--yes").code == 5
    calls.apply()
    (left,) = lists_of(sandbox)
    assert left["description"] == "New contacts"
    assert left["numbers"] == [number(101)]
    calls.settled()


def test_a_list_that_is_only_observed_and_not_there_is_said_before_its_members(
    texts: Repository, sandbox: Sandbox
) -> None:
    texts.write("list.yaml", texts_list("a", 1, life="lifecycle: {observe: true}\n"))
    plan = texts.plan()
    assert plan.code == 3
    assert "observed-dependency" in codes(plan)
    assert texts("apply", "--yes").code == 3
    assert texts.writes() == []


def test_what_we_removed_ourselves_is_no_shrinking(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", texts_list("a", *range(50)))
    texts.apply()
    texts.write("list.yaml", texts_list("a", *range(25)) + texts_list("z"))
    refused = {"kind": "error_before", "status": 422}
    sandbox.set_faults([{"method": "POST", "path": "/v1/*/lists", "contains": "L z", "fault": refused}])
    assert texts("apply", "--yes", "--approve", "delete", "--allow", "removals=25").code == 7
    sandbox.set_faults([])
    texts.apply()
    texts.settled()


def test_two_accounts_that_are_one_brand_are_refused(repository: Repository) -> None:
    repository.write("account.yaml", TEXTS + "---\n" + TEXTS.replace("name: main", "name: other"))
    for account in ("main", "other"):
        repository.write(f"{account}.yaml", texts_list("a").replace("{name: a}", f"{{name: a, account: {account}}}"))
    assert repository("validate").code == 0
    assert set(codes(repository.plan())) == {"same-account"}
    assert repository("apply", "--yes").code == 3
    assert repository.writes() == []


def test_a_created_list_that_cannot_be_read_back_is_ours(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", texts_list("a"))
    unreadable = {"method": "GET", "path": "/v1/brands/*/lists/2*"}
    sandbox.set_faults([{**unreadable, "fault": {"kind": "error_before", "status": 400}}])
    assert texts("apply", "--yes").code == 9
    (owned,) = texts("inventory", "list", "--format", "json").json["objects"]
    (live,) = sandbox.state()["slicktext"]["lists"]
    assert (owned["address"], owned["remoteId"]) == ("main/List/a", str(live["contact_list_id"]))
    sandbox.set_faults([])
    texts.settled()
    assert len(texts.writes()) == 1


def test_a_new_name_for_what_is_ours_has_to_be_said(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", texts_list("a"))
    texts.apply()
    renamed = texts_list("b").replace("name: L b", "name: L a")
    texts.write("list.yaml", renamed)
    plan = texts.plan()
    assert plan.code == 3
    (problem,) = [d for d in plan.json["diagnostics"] if d["severity"] == "error"]
    assert problem["code"] == "looks-renamed"
    assert "renamedFrom: a" in problem["hint"]
    texts.write("list.yaml", renamed.replace("---\n", "lifecycle: {renamedFrom: a}\n---\n"))
    texts.apply()
    assert len(sandbox.state()["slicktext"]["lists"]) == 1
    texts.settled()


def test_nothing_starts_contacting_a_suppressed_person_who_is_listed_all_the_same(
    texts: Repository, sandbox: Sandbox
) -> None:
    texts.write("list.yaml", texts_list("a", 1, mode="additive"))
    texts.apply()
    sandbox.tamper("slicktext", "add_members", list="L a", numbers=[number(2)])
    texts.write(
        "dnc.yaml",
        f"apiVersion: reconciler/v1\nkind: Suppression\nmetadata: {{name: dnc}}\nspec: {{numbers: ['{number(2)}']}}\n",
    )
    plan = texts.plan()
    assert plan.code == 0
    assert codes(plan) == ["suppressed-still-listed"]
    texts.write(
        "campaign.yaml",
        """\
apiVersion: slicktext/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring, body: Hello, status: scheduled, scheduled: "2099-05-01 14:00:00"}
---
apiVersion: slicktext/v1
kind: Association
metadata: {name: link}
spec: {campaign: spring, list: a}
""",
    )
    before = len(texts.writes())
    plan = texts.plan()
    assert plan.code == 3
    assert "suppressed-in-reach" in codes(plan)
    assert number(2) not in plan.out
    assert texts("apply", "--yes", "--approve", "delete,contact").code == 3
    assert len(texts.writes()) == before
    texts.write("list.yaml", texts_list("a", 1))
    texts.apply()
    (live,) = sandbox.state()["slicktext"]["lists"]
    assert live["numbers"] == [number(1)]
    assert sandbox.ledger()["consent"] == []
    texts.settled()


def test_a_name_that_is_a_phone_number_is_refused_before_it_is_shown_anywhere(texts: Repository) -> None:
    texts.write("list.yaml", texts_list("list-x").replace("{name: list-x}", "{name: '2025550138'}"))
    refused = texts("plan", "--out", "plan.json")
    assert refused.code == 3
    assert "number-in-name" in refused.err
    assert "2025550138" not in refused.out + refused.err
    assert not (texts.root / "plan.json").exists()
