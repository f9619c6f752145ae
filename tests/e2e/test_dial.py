"""``dial``: a campaign is sent at most once, by name, after the people were counted, and by nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import reconciler.providers.intelepeer as calls_package
import reconciler.providers.slicktext as texts_package
from reconciler.app import dialling
from reconciler.app.dialling import DialOptions, Preview
from reconciler.app.loading import Request, loaded
from reconciler.errors import Refused
from reconciler.model.addresses import Address
from reconciler.providers.registry import providers
from reconciler.sandbox import Sandbox

from repository import Repository, Result

SCHEMA = Draft202012Validator(json.loads((Path(__file__).parents[2] / "schemas" / "dial.json").read_bytes()))
TEXT, CALL = "main/Campaign/spring", "engage/Campaign/spring"
BOTH = [("texts", TEXT), ("calls", CALL)]
PEOPLE = ["+16155550123", "+16155550124"]
NAMED = ("--approve", "contact", "--confirm", "spring")

TEXT_CAMPAIGN = """\
apiVersion: slicktext/v1
kind: List
metadata: {name: vip}
spec: {name: VIP customers}
---
apiVersion: slicktext/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring sale, body: Hello, status: draft}
---
apiVersion: slicktext/v1
kind: Association
metadata: {name: spring-vip}
spec: {campaign: spring, list: vip}
"""
CALL_CAMPAIGN = """\
apiVersion: intelepeer/v1
kind: List
metadata: {name: vip}
spec: {name: VIP calls, headers: [phone]}
---
apiVersion: intelepeer/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring calls, callerIdentification: "+13125550100", flowId: 61a9a3ecf6b8387f078d52a1, state: published}
---
apiVersion: intelepeer/v1
kind: Association
metadata: {name: spring-vip}
spec: {campaign: spring, list: vip, moc: phone}
"""
CALL_MEMBERS = """\
apiVersion: intelepeer/v1
kind: Membership
metadata: {name: vip}
spec: {list: vip, mode: additive, contacts: [{number: "+16155550123"}, {number: "+16155550124"}]}
"""
SUPPRESSION = """\
apiVersion: reconciler/v1
kind: Suppression
metadata: {name: do-not-contact}
spec: {numbers: ["+16155550124"]}
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    seed = {
        "slicktext": {
            "contacts": [{"number": n} for n in PEOPLE],
            "lists": [{"id": 10, "name": "VIP customers", "members": PEOPLE}],
        },
        "intelepeer": {},
    }
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def ready(request: pytest.FixtureRequest) -> Any:
    """A repository of one provider whose campaign is applied and ready to be sent."""

    def prepare(name: str) -> Repository:
        repository: Repository = request.getfixturevalue(name)
        repository.write("campaign.yaml", TEXT_CAMPAIGN if name == "texts" else CALL_CAMPAIGN)
        if name == "calls":
            repository.write("members.yaml", CALL_MEMBERS)
        repository.apply()
        assert sends(repository.sandbox) == 0
        return repository

    return prepare


def sends(sandbox: Sandbox) -> int:
    """How many requests asked for a campaign to be sent, whatever came of them."""
    bodies = [r["body"] for r in sandbox.requests() if isinstance(r["body"], dict)]
    return sum(b.get("action") == "run" or b.get("status") == "send" for b in bodies)


def contacted(sandbox: Sandbox) -> list[str]:
    """Everybody who was called or texted, once for each time."""
    sandbox.advance(60)
    return sorted(m["number"] for m in sandbox.ledger()["messages"])


def campaign_id(repository: Repository) -> str:
    """The remote id of IntelePeer's campaign."""
    objects = repository("inventory", "list", "--format", "json").json["objects"]
    (found,) = [o["remoteId"] for o in objects if o["address"] == CALL]
    return str(found)


def lose(sandbox: Sandbox, path: str, **fault: Any) -> None:
    method = "PUT" if path == TEXT else "POST"
    glob = "*/campaigns/*" if path == TEXT else "*/action"
    sandbox.set_faults([{"method": method, "path": glob, "fault": fault}])


def told(result: Result) -> dict[str, Any]:
    """What a dial says of itself, in the shape that is published."""
    document: dict[str, Any] = result.json
    SCHEMA.validate(document)
    return document


def made(repository: Repository) -> list[tuple[int | None, str]]:
    """(exit, state) of every dial in the journal."""
    runs = repository("history", "--format", "json").json["runs"]
    found: list[tuple[int | None, str]] = []
    for run in (r for r in runs if r["command"] == "dial"):
        for operation in repository("history", "show", run["id"], "--format", "json").json["operations"]:
            found.append((run["exit"], operation["state"]))
    return found


# --- sending


@pytest.mark.parametrize(("provider", "address"), BOTH)
def test_everybody_is_contacted_once(ready: Any, sandbox: Sandbox, provider: str, address: str) -> None:
    repository = ready(provider)
    result = repository("dial", address, *NAMED, "--format", "json")
    assert (result.code, told(result)["outcome"], told(result)["recipients"]) == (0, "done", 2), result.err
    assert "2 people" in result.err
    assert "5550123" not in result.err + result.out
    assert contacted(sandbox) == PEOPLE
    assert made(repository) == [(0, "done")]
    assert repository.plan().code == 0


@pytest.mark.parametrize(("provider", "address"), BOTH)
def test_one_request_is_sent_once_however_often_it_is_made(
    ready: Any, sandbox: Sandbox, provider: str, address: str
) -> None:
    repository = ready(provider)
    for _ in range(3):
        result = repository("dial", address, *NAMED, "--request-id", "job-17", "--format", "json")
        assert (result.code, told(result)["outcome"]) == (0, "done")
    assert told(result)["repeated"] is True
    assert (sends(sandbox), contacted(sandbox)) == (1, PEOPLE)


def test_a_request_id_stands_for_one_campaign(ready: Any, sandbox: Sandbox, texts: Repository) -> None:
    repository = ready("texts")
    assert repository("dial", TEXT, *NAMED, "--request-id", "job-17").code == 0
    other = TEXT_CAMPAIGN.split("---\n")[1].replace("spring", "autumn").replace("Spring", "Autumn")
    link = TEXT_CAMPAIGN.split("---\n")[2].replace("spring", "autumn")
    texts.write("autumn.yaml", f"{other}---\n{link}")
    repository.apply()
    words = ("--approve", "contact", "--confirm", "autumn")
    refused = repository("dial", "main/Campaign/autumn", *words, "--request-id", "job-17")
    assert (refused.code, sends(sandbox)) == (5, 1)


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_request_id_is_no_id(ready: Any, sandbox: Sandbox, empty: str) -> None:
    repository = ready("calls")
    assert repository("dial", CALL, *NAMED, "--request-id", empty).code == 64
    assert (sends(sandbox), made(repository)) == (0, [])


def test_what_was_typed_in_the_place_of_a_name_is_not_repeated(ready: Any, sandbox: Sandbox) -> None:
    refused = ready("calls")("dial", CALL, "--approve", "contact", "--confirm", "Marty 6155550123")
    assert refused.code == 5
    assert "Marty" not in refused.err


def test_within_a_day_it_takes_the_word_again(ready: Any, sandbox: Sandbox) -> None:
    repository = ready("calls")
    assert repository("dial", CALL, *NAMED).code == 0
    refused = repository("dial", CALL, *NAMED)
    assert refused.code == 5
    assert "--again" in refused.err
    assert sends(sandbox) == 1
    assert repository("dial", CALL, *NAMED, "--again").code == 0
    assert contacted(sandbox) == sorted(PEOPLE * 2)


@pytest.mark.parametrize(("later", "code"), [(timedelta(hours=23, minutes=50), 5), (timedelta(hours=24, minutes=5), 0)])
def test_after_a_day_it_does_not(
    ready: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, later: timedelta, code: int
) -> None:
    repository = ready("calls")
    assert repository("dial", CALL, *NAMED).code == 0
    monkeypatch.setattr(dialling, "datetime", SimpleNamespace(now=lambda tz: datetime.now(tz) + later))
    assert repository("dial", CALL, *NAMED).code == code
    assert sends(sandbox) == (2 if code == 0 else 1)


def test_what_was_called_by_hand_counts_too(ready: Any, sandbox: Sandbox) -> None:
    repository = ready("calls")
    campaign = f"id={campaign_id(repository)}"
    assert repository("call", "engage", "campaigns.run", campaign, "--approve", "contact").code == 0
    assert repository("dial", CALL, *NAMED).code == 5
    assert sends(sandbox) == 1


def test_a_call_without_an_answer_waits_for_a_person_as_a_dial_does(ready: Any, sandbox: Sandbox) -> None:
    repository = ready("calls")
    run = ("call", "engage", "campaigns.run", f"id={campaign_id(repository)}", "--approve", "contact")
    lose(sandbox, CALL, kind="drop_before")
    assert repository(*run).code == 1
    sandbox.set_faults([])
    repository.apply()
    assert repository("dial", CALL, *NAMED, "--again").code == 9
    assert repository("dial", CALL, "--found", "not-sent", "--confirm", "spring").code == 0
    assert repository("dial", CALL, *NAMED).code == 0
    assert contacted(sandbox) == PEOPLE


def test_a_campaign_that_was_sent_is_no_draft_any_more(ready: Any, sandbox: Sandbox) -> None:
    repository = ready("texts")
    assert repository("dial", TEXT, *NAMED).code == 0
    again = repository("dial", TEXT, *NAMED, "--again")
    assert again.code == 3
    assert "only a draft" in again.err
    assert sends(sandbox) == 1


def test_a_run_that_fails_is_told(ready: Any, sandbox: Sandbox) -> None:
    repository = ready("calls")
    sandbox.turn(intelepeer={"run_fails": True})
    result = repository("dial", CALL, *NAMED)
    assert result.code == 7
    assert "failed" in result.out
    assert made(repository) == [(7, "done")]


# --- lost answers


@pytest.mark.parametrize(("provider", "address"), BOTH)
@pytest.mark.parametrize("fault", [{"kind": "drop_after"}, {"kind": "error_after", "status": 500}])
def test_a_lost_answer_is_success_on_evidence_only(
    ready: Any, sandbox: Sandbox, provider: str, address: str, fault: dict[str, Any]
) -> None:
    repository = ready(provider)
    lose(sandbox, address, **fault)
    for _ in range(2):
        result = repository("dial", address, *NAMED, "--request-id", "job-17")
        assert result.code == 0, result.err
    assert sends(sandbox) == 1
    assert contacted(sandbox) == PEOPLE


@pytest.mark.parametrize(("provider", "address"), BOTH)
@pytest.mark.parametrize("fault", [{"kind": "drop_before"}, {"kind": "error_before", "status": 500}])
def test_without_evidence_it_is_unresolved_and_stays_so(
    ready: Any, sandbox: Sandbox, provider: str, address: str, fault: dict[str, Any]
) -> None:
    repository = ready(provider)
    lose(sandbox, address, **fault)
    lost = repository("dial", address, *NAMED, "--request-id", "job-17", "--format", "json")
    assert (lost.code, told(lost)["outcome"]) == (9, "unresolved")
    sandbox.set_faults([])
    repository.apply()
    for words in (("--request-id", "job-17"), ("--request-id", "job-18"), ("--again",), ()):
        assert repository("dial", address, *NAMED, *words).code == 9
    assert (sends(sandbox), contacted(sandbox)) == (1, [])
    assert made(repository) == [(9, "unresolved")]


def test_a_person_settles_what_nobody_can_tell(ready: Any, sandbox: Sandbox) -> None:
    repository = ready("calls")
    assert repository("dial", CALL, "--found", "not-sent", "--confirm", "spring").code == 5
    lose(sandbox, CALL, kind="drop_before")
    assert repository("dial", CALL, *NAMED).code == 9
    sandbox.set_faults([])
    assert repository("dial", CALL, "--found", "not-sent").code == 5
    found = repository("dial", CALL, "--found", "not-sent", "--confirm", "spring", "--format", "json")
    assert (found.code, told(found)["outcome"]) == (0, "void")
    assert sends(sandbox) == 1
    assert repository("dial", CALL, *NAMED).code == 0
    assert contacted(sandbox) == PEOPLE


def test_found_to_be_sent_counts_as_sent(ready: Any, sandbox: Sandbox) -> None:
    repository = ready("calls")
    lose(sandbox, CALL, kind="drop_before")
    assert repository("dial", CALL, *NAMED).code == 9
    sandbox.set_faults([])
    assert repository("dial", CALL, "--found", "sent", "--confirm", "spring").code == 0
    assert repository("dial", CALL, *NAMED).code == 5


def test_a_refusal_that_is_no_refusal_is_seen_through(ready: Any, sandbox: Sandbox) -> None:
    repository = ready("calls")
    lose(sandbox, CALL, kind="false_body", effect=True)
    assert repository("dial", CALL, *NAMED).code == 0
    assert (sends(sandbox), contacted(sandbox)) == (1, PEOPLE)


@pytest.mark.parametrize("provider_address", BOTH)
@pytest.mark.parametrize("status", [401, 403, 408, 425, 429])
def test_no_answer_is_taken_for_leave_to_send_again(
    ready: Any, sandbox: Sandbox, provider_address: tuple[str, str], status: int
) -> None:
    provider, address = provider_address
    repository = ready(provider)
    lose(sandbox, address, kind="error_after", status=status)
    assert repository("dial", address, *NAMED).code == 0
    assert (sends(sandbox), contacted(sandbox)) == (1, PEOPLE)


def test_a_throttled_dial_is_not_sent_and_may_be_tried_again(ready: Any, sandbox: Sandbox) -> None:
    repository = ready("calls")
    lose(sandbox, CALL, kind="error_before", status=429)
    throttled = repository("dial", CALL, *NAMED, "--format", "json")
    assert (throttled.code, told(throttled)["outcome"], sends(sandbox)) == (7, "not-processed", 1)
    sandbox.set_faults([])
    assert repository("dial", CALL, *NAMED).code == 0
    assert contacted(sandbox) == PEOPLE


def test_a_refusal_is_7_and_may_be_tried_again(ready: Any, sandbox: Sandbox) -> None:
    repository = ready("texts")
    lose(sandbox, TEXT, kind="error_before", status=409, body={"error": "Please have them upgrade"})
    refused = repository("dial", TEXT, *NAMED, "--format", "json")
    assert (refused.code, told(refused)["outcome"]) == (7, "rejected")
    assert "upgrade" in refused.out
    sandbox.set_faults([])
    assert repository("dial", TEXT, *NAMED).code == 0
    assert contacted(sandbox) == PEOPLE


# --- death


KILLED = """\
import os, signal, sys
from reconciler.cli import run
from reconciler.providers.intelepeer.session import IntelePeerSession as Calls
from reconciler.providers.slicktext.session import SlickTextSession as Texts
after = sys.argv[1] == "after"
def dying(send):
    async def die(self, dial):
        if after:
            await send(self, dial)
        os.kill(os.getpid(), signal.SIGKILL)
    return die
Calls.dial, Texts.dial = dying(Calls.dial), dying(Texts.dial)
run(sys.argv[2:])
"""


@pytest.mark.parametrize(("provider", "address"), BOTH)
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_between_intent_and_outcome(
    ready: Any, sandbox: Sandbox, provider: str, address: str, when: str
) -> None:
    repository = ready(provider)
    words = ("dial", address, *NAMED, "--request-id", "job-17")
    died = subprocess.run(
        [sys.executable, "-c", KILLED, when, *words], cwd=repository.root, env=dict(os.environ), capture_output=True
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert made(repository) == [(None, "intent")]
    repository.apply()
    for _ in range(2):
        assert repository(*words).code == (0 if when == "after" else 9)
    assert repository("dial", address, *NAMED).code == (5 if when == "after" else 9)
    assert contacted(sandbox) == (PEOPLE if when == "after" else [])
    assert sends(sandbox) == (1 if when == "after" else 0)


def test_interrupted_while_it_waits_is_130_and_unresolved(ready: Any, sandbox: Sandbox) -> None:
    repository = ready("calls")
    lose(sandbox, CALL, kind="latency", ms=30_000)
    command = [sys.executable, "-c", "from reconciler.cli import main; main()", "dial", CALL, *NAMED]
    process = subprocess.Popen(command, cwd=repository.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until = time.monotonic() + 30
    while not sends(sandbox):
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode in (130, 143)
    ((code, state),) = made(repository)
    assert (code in (130, 143), state) == (True, "unresolved")


# --- what it needs


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--approve", "contact"),
        ("--confirm", "spring"),
        ("--approve", "update", "--confirm", "spring"),
        ("--approve", "contact", "--confirm", "Spring sale"),
        ("--approve", "contact", "--confirm", "spring-vip"),
    ],
)
def test_without_a_terminal_it_takes_the_word_and_the_name(
    ready: Any, sandbox: Sandbox, words: tuple[str, ...]
) -> None:
    repository = ready("texts")
    refused = repository("dial", TEXT, *words)
    assert (refused.code, refused.out) == (5, "")
    assert "spring" in refused.err
    assert sends(sandbox) == 0
    assert made(repository) == []


@pytest.mark.parametrize(("typed", "goes"), [("spring", True), ("yes", False), ("spring ", False)])
def test_on_a_terminal_the_name_is_typed(ready: Any, sandbox: Sandbox, typed: str, goes: bool) -> None:
    ready("texts")
    shown: list[Preview] = []
    options = DialOptions(address=Address.parse(TEXT), show=shown.append, ask=lambda _: typed)
    if goes:
        assert asyncio.run(dialling.dial(Request(), options)).exit_code == 0
    else:
        with pytest.raises(Refused):
            asyncio.run(dialling.dial(Request(), options))
    assert [(p.dial.recipients, dict(p.lists)) for p in shown] == [(2, {"main/List/vip": 2})]
    assert sends(sandbox) == int(goes)


@pytest.mark.parametrize(("typed", "code"), [("spring", 0), ("yes", 5), ("", 5)])
def test_a_real_terminal_is_asked(ready: Any, sandbox: Sandbox, typed: str, code: int) -> None:
    repository = ready("texts")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from reconciler.cli import main; main()", "dial", TEXT]
    process = subprocess.Popen(command, cwd=repository.root, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    while b"to send it" not in said:
        said += os.read(ours, 4096)
    assert b"2 people" in said
    os.write(ours, typed.encode() + b"\n")
    assert process.wait(20) == code
    os.close(ours)
    assert sends(sandbox) == int(code == 0)


def test_what_changes_while_somebody_is_asked_is_not_sent(ready: Any, sandbox: Sandbox) -> None:
    ready("texts")

    def ask(_: Preview) -> str:
        sandbox.tamper("slicktext", "create_contact", number="+16155550125")
        sandbox.tamper("slicktext", "add_members", list="VIP customers", numbers=["+16155550125"])
        return "spring"

    options = DialOptions(address=Address.parse(TEXT), ask=ask)
    with pytest.raises(Refused, match="changed while"):
        asyncio.run(dialling.dial(Request(), options))
    assert sends(sandbox) == 0


def test_a_freeze_refuses(ready: Any, sandbox: Sandbox) -> None:
    repository = ready("texts")
    (repository.root / "FREEZE").touch()
    assert repository("dial", TEXT, *NAMED).code == 5
    assert sends(sandbox) == 0


@pytest.mark.parametrize(("provider", "address"), BOTH)
def test_too_many_people_are_refused(ready: Any, sandbox: Sandbox, provider: str, address: str) -> None:
    repository = ready(provider)
    path = repository.root / "manifests" / "account.yaml"
    path.write_text(path.read_text() + "  guards: {maxReach: 1}\n")
    refused = repository("dial", address, *NAMED)
    assert refused.code == 5
    assert "--allow reach=2" in refused.err
    assert repository("dial", address, *NAMED, "--allow", "reach=2").code == 0
    assert contacted(sandbox) == PEOPLE


@pytest.mark.parametrize(("provider", "address"), BOTH)
def test_nobody_suppressed_is_contacted(ready: Any, sandbox: Sandbox, provider: str, address: str) -> None:
    repository = ready(provider)
    repository.write("suppression.yaml", SUPPRESSION)
    refused = repository("dial", address, *NAMED)
    assert refused.code == 5
    assert "Suppression" in refused.err
    assert "5550124" not in refused.err
    assert sends(sandbox) == 0


def test_nor_by_a_call_that_does_the_same(ready: Any, sandbox: Sandbox) -> None:
    repository = ready("calls")
    campaign = campaign_id(repository)
    objects = repository("inventory", "list", "--format", "json").json["objects"]
    (vip,) = [o["remoteId"] for o in objects if o["address"] == "engage/List/vip"]
    associate = ("campaigns.associate", f"id={campaign}")
    calls = [("campaigns.run", f"id={campaign}"), (*associate, f'selectedLists:=["{vip}"]')]
    for words in calls:
        assert repository("call", "engage", *words, "--approve", "contact").code == 0
    repository.write("suppression.yaml", SUPPRESSION)
    before = len(repository.writes())
    for words in (*calls, (*associate, f"selectedLists={vip}"), (*associate, "selectedLists:=[1]")):
        refused = repository("call", "engage", *words, "--approve", "contact")
        assert (refused.code, refused.out) == (5, "")
        assert "5550124" not in refused.err
    assert len(repository.writes()) == before


def test_a_draft_cannot_be_run(calls: Repository, sandbox: Sandbox) -> None:
    calls.write("campaign.yaml", CALL_CAMPAIGN.replace("published", "draft"))
    calls.write("members.yaml", CALL_MEMBERS)
    assert calls("dial", CALL, *NAMED).code == 3
    calls.apply()
    refused = calls("dial", CALL, *NAMED)
    assert refused.code == 3
    assert "draft" in refused.err
    assert sends(sandbox) == 0


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (TEXT_CAMPAIGN.replace("VIP customers", "Nobody yet"), "nobody is on"),
        ("---\n".join(TEXT_CAMPAIGN.split("---\n")[:2]), "no list"),
    ],
)
def test_a_campaign_without_people_is_not_sent(texts: Repository, sandbox: Sandbox, manifest: str, said: str) -> None:
    texts.write("campaign.yaml", manifest)
    texts.apply()
    refused = texts("dial", TEXT, *NAMED)
    assert refused.code == 3
    assert said in refused.err
    assert sends(sandbox) == 0


def test_what_cannot_be_dialled_says_why(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("campaign.yaml", TEXT_CAMPAIGN)
    assert texts("dial", "spring").code == 64
    assert texts("dial", "main/List/vip", *NAMED).code == 64
    assert texts("dial", "main/Campaign/winter", *NAMED).code == 3
    assert "not ours" in texts("dial", TEXT, *NAMED).err
    assert sends(sandbox) == 0


@pytest.mark.parametrize(
    ("name", "why"),
    [("exotel", "schedule"), ("contactcenter", "portal")],
)
def test_other_providers_refuse_with_the_reason(example: Any, sandbox: Sandbox, name: str, why: str) -> None:
    repository = example(name)
    desired = loaded(Request()).desired
    assert desired is not None
    campaign = next(a for a in desired.resources if a.kind == "Campaign")
    refused = repository("dial", str(campaign), "--approve", "contact", "--confirm", campaign.name)
    assert (refused.code, refused.out) == (3, "")
    assert why in refused.err
    assert sandbox.requests() == []


@pytest.mark.parametrize(("provider", "address"), BOTH)
def test_every_endpoint_that_it_uses_is_said_to_be(ready: Any, sandbox: Sandbox, provider: str, address: str) -> None:
    repository = ready(provider)
    before = len(sandbox.requests())
    assert repository("dial", address, *NAMED).code == 0
    name = {"texts": "slicktext", "calls": "intelepeer"}[provider]
    said = [o for o in providers()[name].operations if "dial" in o.used_by]
    patterns = [f"{o.method} .*{re.sub(r'{[^{}]+}', '[^/]+', o.path)}" for o in said]
    used = {f"{r['method']} {r['path']}" for r in sandbox.requests()[before:]}
    strangers = {u for u in used if not any(re.fullmatch(p, u) for p in patterns)}
    assert {u for u in strangers if not u.endswith("/authenticate")} == set()


# --- and nothing else sends


def test_no_plan_and_no_apply_sends_anything(ready: Any, sandbox: Sandbox) -> None:
    for provider, address in BOTH:
        repository = ready(provider)
        for words in (("plan",), ("plan", "--calls"), ("apply", "--yes", "--approve", "delete,contact"), ("status",)):
            repository(*words)
        assert repository("dial", address).code == 5
    assert sends(sandbox) == 0


def test_the_requests_that_send_are_written_in_one_place_each() -> None:
    def modules(package: Any, word: str) -> set[str]:
        assert package.__file__
        return {p.stem for p in Path(package.__file__).parent.glob("*.py") if word in p.read_text()}

    assert modules(texts_package, '"status": "send"') == {"dialling"}
    assert modules(calls_package, "endpoints.run(") == {"client", "dialling"}
    assert modules(calls_package, "Action.RUN") == {"endpoints", "operations"}
