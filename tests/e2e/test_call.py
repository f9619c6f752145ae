"""``call``: any documented endpoint, typed, approved, screened, masked and written into the journal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.app import arguments
from reconciler.errors import UsageError
from reconciler.providers.base import Operation, Param
from reconciler.providers.registry import providers
from reconciler.providers.slicktext import SlickTextProvider
from reconciler.sandbox import Sandbox

from repository import CALLS, Repository

SUPPRESSION = """\
apiVersion: reconciler/v1
kind: Suppression
metadata: {name: do-not-contact}
spec: {numbers: ["+16155550142"]}
"""
ELSEWHERE = SUPPRESSION.replace("spec: {", "spec: {accounts: [engage], ")
SUPPRESSED, OPTED_OUT, ANYBODY = 142, 123, 124
BRAND = "/v1/brands/123456789"


class Closed:
    """A session of a provider that has nothing but what plans need."""

    async def aclose(self) -> None:
        pass


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    contacts = [
        {"id": SUPPRESSED, "number": "+16155550142"},
        {"id": OPTED_OUT, "number": "+16155550123", "opt_in_status": "unsubscribed"},
        {"id": ANYBODY, "number": "+16155550124", "first_name": "Marty", "email": "marty@example.com"},
    ]
    seed = {
        "slicktext": {
            "contacts": contacts,
            "lists": [
                {"id": 10, "name": "Clean", "members": ["+16155550124"]},
                {"id": 11, "name": "Mixed", "members": ["+16155550124", "+16155550142"]},
            ],
            "campaigns": [{"id": 30, "name": "Draft", "lists": ["Mixed"]}],
        },
        "intelepeer": {
            "lists": [{"id": "list1", "name": "Engage List", "headers": ["phone"], "members": ["+16155550124"]}],
            "campaigns": [
                {"id": "camp1", "name": "Calls", "state": "published", "lists": ["Engage List"]},
                {"id": "camp2", "name": "Later", "lists": ["Engage List"]},
            ],
        },
    }
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def guarded(texts: Repository) -> Repository:
    """SlickText with somebody suppressed."""
    texts.write("suppression.yaml", SUPPRESSION)
    return texts


def pairs(*contacts: Any, of: int = 10) -> str:
    return f"body:={json.dumps([{'contact_id': c, 'lists': [of]} for c in contacts])}"


# --- reads


def test_a_read_needs_nothing_and_hides_people(texts: Repository) -> None:
    result = texts("call", "main", "contacts.get", f"contact_id={ANYBODY}")
    assert (result.code, result.err) == (0, "")
    assert result.json["contact_id"] == ANYBODY
    assert result.json["mobile_number"] == "+1 615 ••• ••24"
    assert (result.json["first_name"], result.json["email"]) == ("•••", "•••")
    whole = texts("call", "main", "contacts.get", f"contact_id={ANYBODY}", "--show-pii").json
    assert (whole["mobile_number"], whole["first_name"]) == ("+16155550124", "Marty")
    assert not (texts.root / ".reconciler").exists()


def test_queries_are_sent_as_they_are_named(texts: Repository) -> None:
    found = texts("call", "main", "contacts.list", "mobile_number=+16155550124", "limit:=5").json
    assert [row["contact_id"] for row in found["data"]] == [ANYBODY]


def test_a_refusal_is_on_stdout_and_in_one_line_on_stderr(texts: Repository) -> None:
    result = texts("call", "main", "lists.get", "list_id=999")
    assert result.code == 1
    assert result.json == {"error": "Not Found"}
    assert result.err == "error[not-found]: HTTP 404 from main: Not Found\n"


def test_refused_credentials_are_4(texts: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLICKTEXT_API_KEY", "another-key-entirely")
    result = texts("call", "main", "lists.list")
    assert result.code == 4
    assert result.json == {"error": "Unauthorized"}
    assert "another-key-entirely" not in result.out + result.err
    monkeypatch.delenv("SLICKTEXT_API_KEY")
    missing = texts("call", "main", "lists.list")
    assert (missing.code, missing.out) == (4, "")


def test_a_failing_login_is_4(calls: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTELEPEER_PASSWORD", "wrong-password")
    assert calls("call", "engage", "lists.list").code == 4


def test_an_echoed_credential_is_taken_out(texts: Repository, sandbox: Sandbox) -> None:
    echo = {"error": ["no list for Bearer sandbox-slicktext-key and +16155550124"]}
    sandbox.set_faults([{"method": "GET", "fault": {"kind": "error_before", "status": 422, "body": echo}}])
    result = texts("call", "main", "lists.list")
    assert result.code == 1
    assert "sandbox-slicktext-key" not in result.out + result.err
    assert "5550124" not in result.out + result.err


def test_an_error_inside_a_200_is_no_success(calls: Repository, sandbox: Sandbox) -> None:
    sandbox.set_faults([{"method": "DELETE", "fault": {"kind": "false_body"}}])
    result = calls("call", "engage", "campaigns.delete", "id=camp2", "--yes")
    assert (result.code, result.json) == (1, False)
    assert "it was not done" in result.err


# --- writes and what they need


def test_a_write_is_sent_once_it_is_approved(texts: Repository, sandbox: Sandbox) -> None:
    refused = texts("call", "main", "lists.create", "name=Join")
    assert (refused.code, refused.out) == (5, "")
    assert "--yes" in refused.err
    assert sandbox.requests() == []
    made = texts("call", "main", "lists.create", "name=Join", "description=Join the VIP list", "--yes")
    assert (made.code, made.json["name"]) == (0, "Join")
    assert texts.writes() == [("POST", f"{BRAND}/lists")]


def test_what_can_start_contacting_needs_its_own_word(calls: Repository, sandbox: Sandbox) -> None:
    refused = calls("call", "engage", "campaigns.run", "id=camp1", "--yes")
    assert refused.code == 5
    assert "--approve contact" in refused.err
    assert sandbox.ledger()["contacted"] == {}
    assert calls("call", "engage", "campaigns.run", "id=camp1", "--approve", "contact").json is True
    assert sandbox.ledger()["contacted"] == {"intelepeer": ["+16155550124"]}


def test_what_an_operation_is_about_is_sent_and_cannot_be_given(calls: Repository, sandbox: Sandbox) -> None:
    assert calls("call", "engage", "campaigns.publish", "id=camp2", "action=run", "--approve", "contact").code == 64
    assert calls("call", "engage", "campaigns.publish", "id=camp2", "--yes").code == 0
    assert sandbox.ledger()["contacted"] == {}
    assert sandbox.requests()[-1]["body"] == {"action": "publish"}


def test_a_freeze_refuses_writes_only(texts: Repository, sandbox: Sandbox) -> None:
    (texts.root / "FREEZE").touch()
    frozen = texts("call", "main", "lists.create", "name=Join", "--yes")
    assert frozen.code == 5
    assert "FREEZE" in frozen.err
    assert texts.writes() == []
    assert texts("call", "main", "lists.list").code == 0


def test_every_write_is_in_the_journal(texts: Repository, sandbox: Sandbox) -> None:
    texts("call", "main", "lists.create", "name=Join", "--yes")
    texts("call", "main", "lists.update", "list_id=999", "name=X", "--yes")
    sandbox.set_faults([{"method": "DELETE", "fault": {"kind": "drop_after"}}])
    lost = texts("call", "main", "lists.delete", "list_id=10", "--yes")
    assert (lost.code, lost.out) == (1, "")
    runs = texts("history", "--format", "json").json["runs"]
    assert [(r["command"], r["exit"]) for r in runs].count(("call", 1)) == 2
    assert {name for r in runs for name in r["counts"]} == {"done", "failed", "unresolved"}
    states = {}
    for run in runs:
        (operation,) = texts("history", "show", run["id"], "--format", "json").json["operations"]
        states[operation["title"]] = (operation["state"], operation["path"])
    assert states == {
        "call lists.create": ("done", f"{BRAND.removeprefix('/v1')}/lists"),
        "call lists.update": ("rejected", f"{BRAND.removeprefix('/v1')}/lists/999"),
        "call lists.delete": ("unresolved", f"{BRAND.removeprefix('/v1')}/lists/10"),
    }
    assert len([w for w in texts.writes() if w[0] == "DELETE"]) == 1


def test_a_call_leaves_nothing_that_stops_an_apply(texts: Repository, sandbox: Sandbox) -> None:
    sandbox.set_faults([{"method": "POST", "fault": {"kind": "drop_after"}}])
    assert texts("call", "main", "lists.create", "name=Join", "--yes").code == 1
    sandbox.set_faults([])
    texts.write("list.yaml", "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: other}\nspec: {name: Other}\n")
    texts.apply()
    texts.settled()


# --- suppression


@pytest.mark.parametrize(
    "spelling",
    [
        "mobile_number=+16155550142",
        "mobile_number=6155550142",
        "mobile_number=(615) 555-0142",
        "mobile_number=tel:+1-615-555-0142",
        "mobile_number=001 615.555.0142",
        "mobile_number=%2B1%20615%20555%200142",
        "mobile_number=＋１６１５５５５０１４２",
        "mobile_number:=16155550142",
        "mobile_number:=6155550142.0",
        "mobile_number=@number.txt",
    ],
)
def test_a_suppressed_number_goes_nowhere_in_any_spelling(guarded: Repository, sandbox: Sandbox, spelling: str) -> None:
    (guarded.root / "number.txt").write_text("+1 615 555 0142\n")
    result = guarded("call", "main", "contacts.create", spelling, "--approve", "contact")
    assert (result.code, result.out) == (5, "")
    assert "mobile_number" in result.err
    assert "5550142" not in result.err
    assert sandbox.requests() == []


def test_nor_in_an_array_a_file_or_a_longer_text(guarded: Repository, sandbox: Sandbox) -> None:
    guarded.write("calls.yaml", CALLS)
    people = [{"phone": "615-555-0124"}, {"phone": "615-555-0142"}]
    (guarded.root / "people.json").write_text(json.dumps(people))
    for argument in (f"contactInfo:={json.dumps(people)}", "contactInfo=@people.json"):
        upload = guarded("call", "engage", "lists.add-contacts", "id=list1", argument, "--approve", "contact")
        assert upload.code == 5
    text = guarded("call", "main", "lists.create", "name=Ask 615 555 0142 about it", "--yes")
    assert text.code == 5
    assert sandbox.requests() == []


def test_a_suppression_of_another_account_does_not_count(texts: Repository) -> None:
    texts.write("calls.yaml", CALLS)
    texts.write("suppression.yaml", ELSEWHERE)
    assert texts("call", "main", "lists.create", "name=615 555 0142", "--yes").code == 0
    assert texts("call", "engage", "lists.create", "listName=615 555 0142", "--yes").code == 5


def test_a_contact_id_is_looked_up(guarded: Repository, sandbox: Sandbox) -> None:
    for contact in (SUPPRESSED, OPTED_OUT, str(SUPPRESSED), f"0{OPTED_OUT}"):
        result = guarded("call", "main", "lists.add-contacts", pairs(ANYBODY, contact), "--yes")
        assert result.code == 5, result.err
        assert "55501" not in result.err
    assert guarded.writes() == []
    assert guarded("call", "main", "lists.add-contacts", pairs(ANYBODY, 123.5), "--yes").code == 5
    assert guarded("call", "main", "lists.add-contacts", pairs(ANYBODY), "--yes").code == 0


def test_an_opted_out_person_is_given_nothing_without_any_suppression(texts: Repository) -> None:
    for words in (
        ("lists.add-contacts", pairs(OPTED_OUT)),
        ("contacts.update", f"contact_id={OPTED_OUT}", "opt_in_status=subscribed"),
    ):
        refused = texts("call", "main", *words, "--yes")
        assert refused.code == 5
        assert "opted out" in refused.err
    assert texts.writes() == []


def test_taking_people_off_a_list_is_always_allowed(guarded: Repository) -> None:
    removed = guarded("call", "main", "lists.remove-contacts", pairs(SUPPRESSED, OPTED_OUT, of=11), "--yes")
    assert (removed.code, removed.json) == (0, {"count": 1})
    assert guarded("call", "main", "contacts.delete", f"contact_id={SUPPRESSED}", "--yes").code == 5
    assert guarded("call", "main", "contacts.delete", f"contact_id={OPTED_OUT}", "--yes").code == 0


def test_a_campaign_is_not_sent_to_a_list_with_somebody_suppressed(guarded: Repository, sandbox: Sandbox) -> None:
    def campaign(audience: str, status: str = "send") -> int:
        words = ("name=Now", "body=Hello", f"status={status}", f"audience:={audience}")
        return guarded("call", "main", "campaigns.create", *words, "--approve", "contact").code

    assert campaign('{"contact_lists": [10, 11]}') == 5
    assert campaign('{"contact_lists": ["11"]}') == 5
    assert campaign('{"all": true}') == 5
    assert campaign('"everybody"') == 5
    update = ("campaigns.update", "campaign_id=30", "status=send", "--approve", "contact")
    assert guarded("call", "main", *update).code == 5
    assert guarded.writes() == []
    assert campaign('{"contact_lists": [11]}', "draft") == 0
    assert campaign('{"contact_lists": [10]}') == 0
    sandbox.advance(60)
    assert sandbox.ledger()["contacted"] == {"slicktext": ["+16155550124"]}


# --- what is typed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("main", "lists.creat", "name=X", "--yes"), "did you mean lists.create"),
        (("mian", "lists.list"), "did you mean main"),
        (("main", "lists.create", "nam=X", "--yes"), "did you mean name"),
        (("main", "lists.create", "--yes"), "needs name"),
        (("main", "lists.create", "name=X", "name=Y", "--yes"), "given twice"),
        (("main", "lists.create", "+16155550124", "--yes"), "has no name"),
        (("main", "lists.list", "limit:=[1]"), "a text or a number"),
        (("main", "lists.list", "limit:={"), "no JSON (line 1"),
        (("main", "lists.list", "limit:=NaN"), "no JSON"),
        (("main", "lists.create", "name:=1e999", "--yes"), "no number that can be sent"),
        (("main", "lists.create", 'name:=["\\ud800"]', "--yes"), "half a character"),
        (("main", "lists.create", "name=\udcff", "--yes"), "half a character"),
        (("main", "lists.list", "name=\udcff"), "half a character"),
        (("main", "lists.get", "list_id=1\r\nX: y"), "holds a character"),
        (("main", "lists.get", "list_id=.."), "no id"),
        (("main", "lists.get", "list_id=@missing.txt"), "is no file"),
        (("main", "lists.get", "list_id=1", "brand_id=5"), "no parameter 'brand_id'"),
        (("main", "lists.add-contacts", "body:={}", "--yes"), "JSON array"),
        (("main",), "ACCOUNT OPERATION"),
    ],
)
def test_what_cannot_be_typed_is_64(texts: Repository, sandbox: Sandbox, words: tuple[str, ...], said: str) -> None:
    result = texts("call", *words)
    assert (result.code, result.out) == (64, "")
    assert said in result.err
    assert "6155550124" not in result.err
    assert sandbox.requests() == []


IN_PATHS = [
    pytest.param(operation, param, id=f"{name}:{operation.name}:{param.name}")
    for name, provider in sorted(providers().items())
    for operation in provider.operations
    for param in operation.params
    if param.place == "path"
]


@pytest.mark.parametrize(("operation", "param"), IN_PATHS)
def test_no_id_makes_another_path_of_it(operation: Operation, param: Param) -> None:
    others = {p.name: "7" for p in operation.params if p.required and p.place != "body"}
    for value in ("../x", "a/b", "x?y", "a#b", "a b", "", "é", "1.0", "a\n", "a" * 129):
        with pytest.raises(UsageError, match=f"{param.name} is no id"):
            arguments.request(operation, {**others, param.name: value}, {})


def test_an_id_that_is_none_is_refused_before_anything_is_sent(texts: Repository, sandbox: Sandbox) -> None:
    result = texts("call", "main", "lists.delete", "list_id=1/../2?x=1", "--yes")
    assert result.code == 64
    assert "list_id is no id" in result.err
    assert sandbox.requests() == []


def test_a_provider_without_a_door_for_calls_says_so(texts: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SlickTextProvider, "connect", lambda *_: Closed())
    assert texts("call", "main", "lists.list").code == 3
    assert texts("call", "main", "lists.create", "name=Join", "--yes").code == 3
    assert texts.writes() == []


def test_the_list_of_operations_is_whole(texts: Repository, sandbox: Sandbox) -> None:
    everything = texts("call", "--list", "--format", "json").json["operations"]
    assert {(o["provider"], o["operation"]) for o in everything} == {
        (name, o.name) for name, p in providers().items() for o in p.operations
    }
    mine = {o["operation"]: o for o in texts("call", "main", "--list", "--format", "json").json["operations"]}
    assert mine["lists.add-contacts"]["contactClass"] == "may-notify"
    assert mine["lists.create"]["method"] == "POST"
    assert mine["lists.create"]["path"] == "/brands/{brand_id}/lists"
    assert [(p["name"], p["required"]) for p in mine["lists.create"]["params"]] == [
        ("name", True),
        ("description", False),
    ]
    for name in mine:
        assert name in texts("call", "main", "--list").out
        assert name in texts("call", "main", "--list", "--format", "concise").out
    assert sandbox.requests() == []


def test_help_tells_what_an_operation_takes(texts: Repository, sandbox: Sandbox) -> None:
    told = texts("call", "main", "campaigns.create", "--help")
    assert told.code == 0
    assert "status" in told.out
    assert "can start contacting people" in told.out
    assert "--approve contact" in told.out
    assert texts("call", "main", "campaigns.craete", "--help").code == 64
    assert "--list" in texts("call", "--help").out
    assert sandbox.requests() == []
