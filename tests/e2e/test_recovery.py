"""What an apply finds of one that died: taken over under strict rules, never repeated where it contacts people."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.sandbox import Sandbox
from reconciler.store import Store, open_store

import center
from repository import TEXTS, VOICE, Repository

LISTS = "/v1/brands/123456789/lists"
CREATE = {"method": "POST", "path": "/v1/*/lists"}
LANDS = {"kind": "hang", "effect": True}
LOST = {"kind": "hang", "effect": False}
SPRING = f"{center.ACCOUNT}---\n{center.CAMPAIGN}"
RENEWALS = (
    VOICE
    + """\
---
apiVersion: exotel/v1
kind: List
metadata: {name: renewals}
spec: {name: Renewals, tag: spring}
"""
)
ROUND = """\
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
ANNA, BORIS, CLARA = (f"+120255501{n}" for n in (10, 11, 12))
PORTAL = {
    "account_id": "0123456789abcdef0123456789abcdef",
    "domain": "sandbox",
    "users": [{"username": "sandbox", "password": "sandbox-contactcenter-password"}],
}
SEED = {"contactcenter": {"accounts": [PORTAL], "campaigns": [{"name": "Spring", "leads": [{"number": ANNA}]}]}}

DIES = """
import os, signal, sys
from reconciler.app import running
from reconciler.store import Run, Store
at = sys.argv.pop(1)
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
match at:
    case "owning":
        running.RunLedger.own = die
    case "recording":
        running.RunLedger.record = die
    case "settling":
        Run.settle = die
    case "ending":
        Store.end_run = die
from reconciler.cli import main
main()
"""
"""The command, killed at one of its writes to the store."""


@pytest.fixture
def sandbox() -> object:
    with Sandbox(seed=SEED, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


def a_list(name: str, life: str = "") -> str:
    head = f"apiVersion: slicktext/v1\nkind: List\nmetadata: {{name: {name}}}\n"
    return f"{head}spec: {{name: L {name}}}\n{life}---\n"


def lists(sandbox: Sandbox) -> list[str]:
    return sorted(x["name"] for x in sandbox.state()["slicktext"]["lists"])


def asked(sandbox: Sandbox, method: str, ending: str) -> int:
    return sum(1 for r in sandbox.requests() if r["method"] == method and r["path"].endswith(ending))


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def killed(sandbox: Sandbox, method: str, ending: str, *words: str, by: signal.Signals = signal.SIGKILL) -> int:
    """An apply that ends by a signal as soon as its request has arrived."""
    before = asked(sandbox, method, ending)
    command = [sys.executable, "-m", "reconciler", "apply", "--yes", *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until(lambda: asked(sandbox, method, ending) > before)
        process.send_signal(by)
        return process.wait(timeout=30)


def dies(at: str, *words: str) -> None:
    command = [sys.executable, "-c", DIES, at, "apply", "--yes", *words]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == -signal.SIGKILL


def made_by_hand(sandbox: Sandbox, name: str) -> None:
    headers = {"authorization": "Bearer sandbox-slicktext-key", "content-type": "application/json"}
    body = json.dumps({"name": name}).encode()
    urllib.request.urlopen(urllib.request.Request(sandbox.url + LISTS, body, headers, method="POST")).close()


def owned(repository: Repository) -> list[str]:
    return [o["address"] for o in repository("inventory", "list", "--format", "json").json["objects"]]


def the_store(repository: Repository) -> Store:
    return open_store(f"sqlite:///{repository.root}/.reconciler/store.db", namespace="test/", create=False)


def runs(repository: Repository) -> list[Any]:
    found: list[Any] = repository("history", "--format", "json").json["runs"]
    return found


# --- objects


def test_a_list_that_was_made_is_ours_even_when_its_manifest_is_gone(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", a_list("a", "lifecycle: {onRemove: delete}\n"))
    sandbox.set_faults([{**CREATE, "fault": LANDS}])
    killed(sandbox, "POST", LISTS)
    sandbox.set_faults([])
    texts.remove("list.yaml")
    assert texts("apply").code == 5  # nobody approved; what was found is kept all the same
    assert owned(texts) == ["main/List/a"]
    assert texts("history", "show", runs(texts)[-1]["id"], "--format", "json").json["operations"][0]["state"] == "done"
    assert runs(texts)[-1]["exit"] == 7


def test_of_several_new_ones_a_person_says_which_is_ours(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", a_list("a") + a_list("b"))
    sandbox.set_faults([{**CREATE, "contains": "L a", "fault": LANDS}])
    killed(sandbox, "POST", LISTS, "--select", "main/List/a")
    sandbox.set_faults([])
    made_by_hand(sandbox, "L a")
    assert lists(sandbox) == ["L a", "L a"]
    refused = texts("apply", "--yes")
    assert refused.code == 9
    ids = re.findall(r"reconciler inventory adopt main/List/a (\d+)", refused.err)
    assert len(set(ids)) == 2
    assert lists(sandbox) == ["L a", "L a"]
    assert texts("apply", "--yes", "--exclude", "main/List/a").code == 0
    assert lists(sandbox) == ["L a", "L a", "L b"]
    assert texts("apply", "--yes").code == 9
    assert texts("inventory", "adopt", "main/List/a", ids[0], "--yes").code == 0
    texts.apply()
    assert lists(sandbox) == ["L a", "L a", "L b"]
    texts.settled()


def test_what_was_answered_is_ours_before_its_outcome_is_written_down(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", a_list("a"))
    dies("recording")
    assert owned(texts) == ["main/List/a"]
    made_by_hand(sandbox, "L a")
    texts.apply()
    assert owned(texts) == ["main/List/a"]
    assert asked(sandbox, "POST", LISTS) == 2
    texts.settled()


def test_an_answer_that_nothing_was_kept_of_is_like_a_lost_one(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", a_list("a"))
    dies("owning")
    assert owned(texts) == []
    texts.apply()
    assert owned(texts) == ["main/List/a"]
    assert asked(sandbox, "POST", LISTS) == 1
    texts.settled()


def test_an_answer_that_nothing_was_kept_of_is_not_guessed_at(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", a_list("a"))
    dies("owning")
    made_by_hand(sandbox, "L a")
    again = texts("apply", "--yes")
    assert again.code == 9
    assert "several new objects have its name" in again.err
    assert asked(sandbox, "POST", LISTS) == 2


@pytest.mark.parametrize("at", ["settling", "ending"])
def test_a_recovery_that_dies_is_done_again(texts: Repository, sandbox: Sandbox, at: str) -> None:
    texts.write("list.yaml", a_list("a"))
    sandbox.set_faults([{**CREATE, "fault": LANDS}])
    killed(sandbox, "POST", LISTS)
    sandbox.set_faults([])
    dies(at)
    texts.apply()
    assert lists(sandbox) == ["L a"]
    assert asked(sandbox, "POST", LISTS) == 1
    texts.settled()


def test_an_account_that_is_left_out_keeps_its_questions(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", a_list("a"))
    texts.write("center.yaml", SPRING)
    sandbox.set_faults([{**CREATE, "fault": LANDS}])
    killed(sandbox, "POST", LISTS)
    sandbox.set_faults([])
    assert texts("apply", "--yes", "--select", "account:center").code == 0
    with the_store(texts) as store:
        assert len(store.open_intents()) == 1
    assert owned(texts) == []
    texts.apply()
    with the_store(texts) as store:
        assert store.open_intents() == ()
    assert "main/List/a" in owned(texts)
    assert lists(sandbox) == ["L a"]


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_what_lands_after_the_end_is_waited_for(texts: Repository, sandbox: Sandbox, by: signal.Signals) -> None:
    account = (texts.root / "manifests" / "account.yaml").read_text(encoding="utf-8")
    texts.write("account.yaml", account + "  settle: {landing: 3s, visibility: 0s}\n")
    texts.write("list.yaml", a_list("a"))
    sandbox.set_faults([{**CREATE, "nth": 1, "fault": {"kind": "late_landing", "ms": 2000}}])
    killed(sandbox, "POST", LISTS, "--allow", "cold=main", by=by)
    assert lists(sandbox) == []
    again = texts("apply", "--yes")
    assert again.code == 0
    assert "waiting until" in again.err
    assert lists(sandbox) == ["L a"]
    assert asked(sandbox, "POST", LISTS) == 1


# --- people


def people(*numbers: str) -> str:
    rows = "".join(f"    - {{number: {n!r}}}\n" for n in numbers)
    head = "apiVersion: contactcenter/v1\nkind: Membership\nmetadata: {name: people}\n"
    return f"{head}spec:\n  campaign: spring\n  mode: additive\n  contacts:\n{rows}"


@pytest.fixture
def running_campaign(repository: Repository, sandbox: Sandbox) -> Repository:
    """A campaign that calls every new lead."""
    sandbox.tamper("contactcenter", "edit_campaign", campaign="Spring", set={"status": "running"})
    repository.write("center.yaml", SPRING)
    return repository


def leads(sandbox: Sandbox) -> list[str]:
    (account,) = sandbox.state()["contactcenter"]["accounts"]
    return sorted(lead["number"] for lead in account["campaigns"][0]["leads"])


ADD = {"method": "PUT", "path": "*lead"}


def test_a_lead_that_may_be_called_already_is_not_added_again(running_campaign: Repository, sandbox: Sandbox) -> None:
    running_campaign.write("people.yaml", people(BORIS))
    sandbox.set_faults([{**ADD, "fault": LOST}])
    killed(sandbox, "PUT", "lead", "--approve", "contact")
    sandbox.set_faults([])
    for _ in range(2):
        refused = running_campaign("apply", "--yes", "--approve", "contact")
        assert refused.code == 9
        assert "--allow repeat=center/Membership/people" in refused.err
        assert BORIS not in refused.err
    assert leads(sandbox) == [ANNA]
    assert running_campaign("apply", "--yes", "--allow", "repeat=center/Membership/people").code == 5
    assert running_campaign("apply", "--yes", "--approve", "contact").code == 9
    running_campaign.apply("--allow", "repeat=center/Membership/people")
    assert leads(sandbox) == [ANNA, BORIS]
    running_campaign.settled()


def test_others_may_be_added_meanwhile(running_campaign: Repository, sandbox: Sandbox) -> None:
    running_campaign.write("people.yaml", people(BORIS))
    sandbox.set_faults([{**ADD, "fault": LOST}])
    killed(sandbox, "PUT", "lead", "--approve", "contact")
    sandbox.set_faults([])
    running_campaign.write("people.yaml", people(CLARA))
    running_campaign.apply()
    assert leads(sandbox) == [ANNA, CLARA]


def test_a_lead_that_landed_is_found_and_nothing_is_asked(running_campaign: Repository, sandbox: Sandbox) -> None:
    running_campaign.write("people.yaml", people(BORIS))
    sandbox.set_faults([{**ADD, "fault": LANDS}])
    killed(sandbox, "PUT", "lead", "--approve", "contact")
    sandbox.set_faults([])
    running_campaign.apply()
    assert leads(sandbox) == [ANNA, BORIS]
    assert asked(sandbox, "PUT", "lead") == 1
    running_campaign.settled()


def test_who_landed_with_a_lost_request_was_put_there_by_us(texts: Repository, sandbox: Sandbox) -> None:
    members = (
        "apiVersion: slicktext/v1\nkind: Membership\nmetadata: {name: m}\nlifecycle: {onRemove: delete}\n"
        f"spec: {{list: a, mode: additive, missingContacts: create, contacts: [{{number: '{BORIS}'}}]}}\n"
    )
    texts.write("list.yaml", a_list("a"))
    texts.write("members.yaml", members)
    sandbox.set_faults([{"method": "POST", "path": "/v1/*/lists/contacts", "fault": LANDS}])
    killed(sandbox, "POST", "/lists/contacts")
    sandbox.set_faults([])
    texts.apply()
    assert asked(sandbox, "POST", "/lists/contacts") == 1
    texts.remove("members.yaml")
    assert texts.plan().json["summary"]["membersRemove"] == 1
    texts.apply("--allow", "empty=main/Membership/m")
    texts.settled()


def test_a_saved_plan_has_to_say_it_itself(running_campaign: Repository, sandbox: Sandbox) -> None:
    running_campaign.write("people.yaml", people(BORIS))
    sandbox.set_faults([{**ADD, "fault": LOST}])
    killed(sandbox, "PUT", "lead", "--approve", "contact")
    sandbox.set_faults([])
    running_campaign("plan", "--out", "plan.json")
    refused = running_campaign("apply", "plan.json", "--approve", "contact")
    assert refused.code == 9
    assert "make the plan again with: --allow repeat=center/Membership/people" in refused.err
    running_campaign("plan", "--out", "again.json", "--allow", "repeat=center/Membership/people")
    assert running_campaign("apply", "again.json", "--approve", "contact").code == 0
    assert leads(sandbox) == [ANNA, BORIS]


@pytest.mark.parametrize("landed", [True, False])
def test_a_campaign_that_calls_people_is_made_once(repository: Repository, sandbox: Sandbox, landed: bool) -> None:
    repository.write("voice.yaml", RENEWALS)
    repository.apply()
    repository.write("round.yaml", ROUND)
    sandbox.set_faults([{"method": "POST", "path": "*/campaigns", "fault": LANDS if landed else LOST}])
    killed(sandbox, "POST", "/campaigns", "--approve", "contact")
    sandbox.set_faults([])
    again = repository("apply", "--yes", "--approve", "contact")
    if landed:
        assert again.code == 0
    else:
        assert again.code == 9
        assert "--allow repeat=voice/Campaign/round" in again.err
        assert asked(sandbox, "POST", "/campaigns") == 1
        repository.apply("--allow", "repeat=voice/Campaign/round")
    assert len(sandbox.state()["exotel"]["campaigns"]) == 1
    repository.settled()


# --- when nothing is known


@pytest.fixture
def slow(texts: Repository) -> Repository:
    """An account where a request may land two seconds after it was sent."""
    account = (texts.root / "manifests" / "account.yaml").read_text(encoding="utf-8")
    texts.write("account.yaml", account + "  settle: {landing: 2s, visibility: 0s}\n")
    texts.write("list.yaml", a_list("a"))
    return texts


def test_without_a_journal_the_first_creation_waits(slow: Repository, sandbox: Sandbox) -> None:
    first = slow("apply", "--yes")
    assert first.code == 0
    assert "nothing is known of earlier applies: waiting until" in first.err
    slow.write("list.yaml", a_list("a") + a_list("b"))
    second = slow("apply", "--yes")
    assert second.code == 0
    assert "waiting" not in second.err
    assert lists(sandbox) == ["L a", "L b"]


def test_a_lost_store_makes_nothing_twice(slow: Repository, sandbox: Sandbox) -> None:
    sandbox.set_faults([{**CREATE, "nth": 1, "fault": {"kind": "late_landing", "ms": 1200}}])
    killed(sandbox, "POST", LISTS, "--allow", "cold=main")
    shutil.rmtree(slow.root / ".reconciler")
    assert lists(sandbox) == []
    again = slow("apply", "--yes")
    assert again.code == 0
    assert "waiting until" in again.err
    assert lists(sandbox) == ["L a"]
    assert asked(sandbox, "POST", LISTS) == 1
    slow.settled()


def test_the_wait_can_be_lifted_for_one_account(slow: Repository, sandbox: Sandbox) -> None:
    lifted = slow("apply", "--yes", "--allow", "cold=main")
    assert lifted.code == 0
    assert "waiting" not in lifted.err


def test_what_is_refused_anyway_waits_for_nothing(slow: Repository, sandbox: Sandbox) -> None:
    refused = slow("apply")
    assert refused.code == 5
    assert "waiting" not in refused.err


def test_who_would_wait_too_long_is_told_when(slow: Repository, sandbox: Sandbox) -> None:
    account = TEXTS + "  settle: {landing: 10m, visibility: 0s}\n"
    slow.write("account.yaml", account)
    told = slow("apply", "--yes")
    assert told.code == 9
    assert "--allow cold=main" in told.err
    assert slow.writes() == []
    assert [r["command"] for r in runs(slow)] == ["settle"]


def test_what_the_provider_keeps_unique_need_not_wait(repository: Repository, sandbox: Sandbox) -> None:
    repository.write("voice.yaml", RENEWALS.replace("  auth:", "  settle: {landing: 2s, visibility: 0s}\n  auth:"))
    made = repository("apply", "--yes")
    assert made.code == 0
    assert "waiting" not in made.err


def test_on_loopback_nothing_waits(texts: Repository) -> None:
    texts.write("list.yaml", a_list("a"))
    assert texts("apply", "--yes").err.count("waiting") == 0
