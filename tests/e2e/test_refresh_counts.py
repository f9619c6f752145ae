"""``--refresh counts``: lists that are only counted, what that saves, what it does not see, and that this is said."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.sandbox import Sandbox

import center
from repository import TEXTS, VOICE, Repository

MANY = 240
MORE = "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: more}\nspec: {name: More}\n"
TEXT_LIST = """\
apiVersion: slicktext/v1
kind: List
metadata: {name: join}
spec: {name: Join, description: Join the VIP list}
---
apiVersion: slicktext/v1
kind: List
metadata: {name: other}
spec: {name: Other, description: Another list}
"""
TEXT_CAMPAIGN = """\
apiVersion: slicktext/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring, body: "Hello, reply STOP to opt out", status: draft}
---
apiVersion: slicktext/v1
kind: Association
metadata: {name: spring--join}
spec: {campaign: spring, list: join}
"""
RENEWALS = (
    VOICE
    + """\
---
apiVersion: exotel/v1
kind: List
metadata: {name: join}
spec: {name: Renewals, tag: spring}
"""
)


def number(index: int) -> str:
    return f"+1202555{index:04d}"


def people(provider: str, *indexes: int, name: str = "members", of: str = "join", more: str = "") -> str:
    rows = "".join(f'    - {{number: "{number(i)}"}}\n' for i in indexes)
    head = f"apiVersion: {provider}/v1\nkind: Membership\nmetadata: {{name: {name}}}\n"
    return f"{head}spec:\n  list: {of}\n  mode: exact\n  missingContacts: create\n{more}  contacts:\n{rows}"


@pytest.fixture
def sandbox() -> Any:
    seed = {"slicktext": {"contacts": [{"generate": {"count": MANY + 9, "first": number(0)}}]}, **center.SEED}
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def texts(repository: Repository) -> Repository:
    """A SlickText list of MANY people, applied."""
    repository.write("account.yaml", TEXTS)
    repository.write("list.yaml", TEXT_LIST)
    repository.write("people.yaml", people("slicktext", *range(MANY)))
    repository.apply()
    return repository


@pytest.fixture
def voice(repository: Repository) -> Repository:
    """An Exotel list of three people, applied."""
    repository.write("account.yaml", RENEWALS)
    repository.write("people.yaml", people("exotel", 1, 2, 3))
    repository.apply()
    return repository


@pytest.fixture
def leads(repository: Repository) -> Repository:
    """A campaign with two leads who wait, applied."""
    repository.write("account.yaml", center.ACCOUNT)
    repository.write("campaign.yaml", center.CAMPAIGN)
    repository.write("people.yaml", center.members(center.ANNA, center.BORIS, mode="additive"))
    repository.apply()
    return repository


def sent(repository: Repository, *words: str) -> Counter[str]:
    """The paths of what a plan with these words asks for, logins left out."""
    before = len(repository.sandbox.requests())
    assert repository.plan(*words).code == 0
    asked = repository.sandbox.requests()[before:]
    return Counter(r["path"] for r in asked if not r["path"].endswith(("/authenticate", "/login")))


def counted(repository: Repository, command: str = "plan") -> list[str]:
    result = repository(command, "--format", "json", "--refresh", "counts")
    return [address for a in result.json["accounts"] for address in a.get("counted", [])]


def the_list(sandbox: Sandbox, name: str) -> dict[str, Any]:
    return next(x for x in sandbox.state()["slicktext"]["lists"] if x["name"] == name)


# --- what it saves


def test_who_was_only_counted_is_not_called_verified(texts: Repository) -> None:
    counts = texts("apply", "--yes", "--refresh", "counts", "--format", "json")
    assert (counts.code, counts.json["verified"]) == (0, None)
    assert counts.json["unverified"] == ["who is on a list was counted and not read (--refresh counts)"]
    told = texts("apply", "--yes", "--refresh", "counts").out
    assert "Verified" not in told
    assert "Not verified: who is on a list was counted and not read" in told
    assert texts("apply", "--yes", "--format", "json").json["verified"] is True
    # After a write everything is read, whatever the flag says.
    texts.write("more.yaml", MORE)
    assert texts("apply", "--yes", "--refresh", "counts", "--format", "json").json["verified"] is True


def test_the_command_that_continues_counts_as_well(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("more.yaml", MORE)
    refused = {"kind": "error_before", "status": 422}
    sandbox.set_faults([{"method": "POST", "path": "/v1/*/lists", "fault": refused}])
    ended = texts("apply", "--yes", "--refresh", "counts", "--format", "json")
    assert ended.code == 7
    assert "--refresh counts" in ended.json["resume"]


def test_a_list_is_confirmed_by_one_request(texts: Repository) -> None:
    full, counts = sent(texts), sent(texts, "--refresh", "counts")
    (path,) = [p for p in full if p.endswith("/contacts")]
    assert full[path] > 1
    assert counts[path] == 0
    assert counts[f"{path}/count"] == 1
    assert counts.total() < full.total()
    assert counted(texts) == ["main/Membership/members"]


def test_exotel_tells_the_total_beside_one_member(voice: Repository) -> None:
    assert sent(voice, "--refresh", "counts").total() == sent(voice).total()  # the list fits on one page
    before = len(voice.sandbox.requests())
    assert counted(voice) == ["voice/Membership/members"]
    asked = [r for r in voice.sandbox.requests()[before:] if r["path"].endswith("/contacts")]
    assert [(r["method"], dict(r["query"])) for r in asked] == [("GET", {"offset": "0", "limit": "1"})]


def test_one_report_has_the_totals_of_all_campaigns(leads: Repository) -> None:
    full, counts = sent(leads), sent(leads, "--refresh", "counts")
    (path,) = [p for p in full if p.endswith("/leads") and "config" in p]
    assert full[path] >= 1
    assert counts[path] == 0
    assert counted(leads) == ["center/Membership/people"]


# --- that it is said, and what is not seen


def test_every_format_says_what_was_only_counted(texts: Repository) -> None:
    for command in ("plan", "drift"):
        for form in ("text", "concise", "markdown", "html"):
            result = texts(command, "--format", form, "--refresh", "counts")
            assert result.code == 0
            assert "1 membership counted, not compared" in result.out, (command, form)
            assert "live matches the manifests" not in result.out
        for form in ("text", "markdown", "html"):
            assert "main/Membership/members" in texts(command, "--format", form, "--refresh", "counts").out
    assert "counted" not in texts("plan").out
    drift, whole = (
        texts("drift", "--format", "json", *words).json["summary"] for words in (["--refresh", "counts"], [])
    )
    assert (whole["inOrder"] - drift["inOrder"], whole["compared"] - drift["compared"]) == (1, 1)


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_the_documents_are_what_their_schemas_say(texts: Repository, command: str) -> None:
    schema = json.loads((Path(__file__).parents[2] / "schemas" / f"{command}.json").read_text(encoding="utf-8"))
    document = texts(command, "--format", "json", "--refresh", "counts").json
    assert document["accounts"][0]["counted"]
    jsonschema.validate(document, schema)


def test_an_exchange_of_people_is_not_seen_and_that_is_said(texts: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "remove_members", list="Join", numbers=[number(0)])
    sandbox.tamper("slicktext", "add_members", list="Join", numbers=[number(MANY)])
    result = texts.plan("--refresh", "counts")
    assert result.changes() == []
    assert result.json["accounts"][0]["counted"] == ["main/Membership/members"]
    assert texts("drift", "--refresh", "counts").code == 0
    assert texts.plan().changes() == [("update", "Membership/members")]
    assert texts("drift").code == 2


# --- what is read in full


def test_another_count_is_read_in_full(texts: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "remove_members", list="Join", numbers=[number(0)])
    result = texts.plan("--refresh", "counts")
    (change,) = result.json["changes"]
    assert (change["members"]["add"], change["members"]["create"]) == (1, 0)
    assert "counted" not in result.json["accounts"][0]
    assert texts("drift", "--refresh", "counts").code == 2
    texts.apply("--refresh", "counts")
    texts.settled()
    assert counted(texts) == ["main/Membership/members"]


def test_a_lead_that_is_gone_is_read_in_full(leads: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("contactcenter", "delete_lead", lead=center.BORIS)
    result = leads.plan("--refresh", "counts")
    assert "counted" not in result.json["accounts"][0]
    assert result.json == {
        **leads.plan().json,
        **{k: result.json[k] for k in ("digest", "createdAt", "expiresAt", "reads")},
    }


def test_a_suppression_reads_everything(texts: Repository) -> None:
    texts.write(
        "never.yaml",
        f"""\
apiVersion: reconciler/v1
kind: Suppression
metadata: {{name: never}}
spec: {{numbers: ["{number(MANY + 5)}"]}}
""",
    )
    assert counted(texts) == []


def test_attributes_that_are_kept_in_step_read_everything(texts: Repository) -> None:
    texts.write("people.yaml", people("slicktext", *range(MANY), more="  contactAttributes: sync\n"))
    texts.apply()
    assert counted(texts) == []


def test_a_manifest_that_moved_is_compared(texts: Repository) -> None:
    texts.write("people.yaml", people("slicktext", *range(1, MANY + 1)))
    result = texts.plan("--refresh", "counts")
    (change,) = result.json["changes"]
    assert (change["members"]["add"], change["members"]["remove"]) == (1, 1)


def test_who_a_campaign_would_contact_is_read(texts: Repository, sandbox: Sandbox) -> None:
    """Also in the numbers: the plan is the one that is made of everything."""
    sandbox.tamper("slicktext", "remove_members", list="Join", numbers=[number(0)])
    sandbox.tamper("slicktext", "add_members", list="Join", numbers=[number(MANY)])
    texts.write("campaign.yaml", TEXT_CAMPAIGN)
    result = texts.plan("--refresh", "counts")
    assert "counted" not in result.json["accounts"][0]
    assert result.changes() == texts.plan().changes()
    assert ("update", "Membership/members") in result.changes()


def test_somebody_on_a_counted_list_is_looked_up_for_another(texts: Repository) -> None:
    """What was only counted tells neither ids nor opt-outs, so nobody is taken from there."""
    texts.write("others.yaml", people("slicktext", 3, 4, name="others", of="other"))
    result = texts.plan("--refresh", "counts", "--calls")
    assert result.json["accounts"][0]["counted"] == ["main/Membership/members"]
    whole = texts.plan("--calls")
    assert result.json["changes"] == whole.json["changes"]
    assert result.json["calls"] == whole.json["calls"]


def test_a_list_that_two_memberships_are_about_by_other_names(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", TEXT_LIST)
    found = the_list(sandbox, "Join")["contact_list_id"]
    texts.write("more.yaml", people("slicktext", 7, name="more", of=f'{{id: "{found}"}}').replace("exact", "additive"))
    texts.write("people.yaml", people("slicktext", *range(MANY)).replace("exact", "additive"))
    result = texts.plan("--refresh", "counts")
    assert "counted" not in result.json["accounts"][0]
    assert result.changes() == texts.plan().changes() == [("adopt", "Membership/more")]


def test_what_an_apply_left_undone_is_never_taken_for_granted(texts: Repository, sandbox: Sandbox) -> None:
    """Somebody is taken off, and an apply of something else reads the list without putting it right."""
    sandbox.tamper("slicktext", "remove_members", list="Join", numbers=[number(0)])
    texts.write("list.yaml", TEXT_LIST.replace("Another", "A different"))
    texts.apply("--select", "main/List/other")
    assert counted(texts) == []
    assert texts.plan("--refresh", "counts").changes() == [("update", "Membership/members")]


# --- saved plans


def test_a_saved_plan_is_made_again_the_same_way(texts: Repository) -> None:
    texts.write("others.yaml", people("slicktext", 3, name="others", of="other"))
    assert texts("plan", "--refresh", "counts", "--out", "saved.json").code == 0
    assert "counted, not compared" in texts("show", "saved.json").out
    before = len(texts.sandbox.requests())
    assert texts("apply", "saved.json").code == 0
    after = [r["path"] for r in texts.sandbox.requests()[before:]]
    writes = [i for i, r in enumerate(texts.sandbox.requests()[before:]) if r["method"] != "GET"]
    # Counted for the plan, read for the proof that comes after it.
    list_id = next(p for p in after if p.endswith("/contacts/count")).removesuffix("/count")
    assert list_id not in after[: writes[0]]
    assert list_id in after[writes[0] :]


def test_the_setting_is_part_of_what_was_approved(texts: Repository) -> None:
    texts.write("others.yaml", people("slicktext", 3, name="others", of="other"))
    digest = texts.plan("--refresh", "counts").json["digest"]
    assert texts("apply", "--expect", digest).code == 6
    assert texts("plan", "--out", "full.json").code == 0
    assert texts("apply", "full.json", "--refresh", "counts").code == 64
    assert texts("apply", "--expect", digest, "--refresh", "counts").code == 0
