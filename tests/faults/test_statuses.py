"""What a status, and a body that belongs to it, means: F021 to F043."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from suffering import World, fault, reads, rule, spoken, writes

from reconciler.providers import _limits

LOGINS = "re:/(authenticate|login)$"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that a 429 made, which take no time here."""
    found: list[float] = []
    monkeypatch.setattr(_limits.Limiter, "pause", lambda self, seconds: found.append(seconds))
    monkeypatch.setattr(_limits.Limiter, "slow_down", lambda self, sent_at: None)
    return found


# --- 429


@fault("F022")
def test_429_with_seconds_is_waited_out(world: World, waits: list[float]) -> None:
    world.survives(writes("rate_limited", nth=1, retry_after=7), reads("rate_limited", nth=1, retry_after=90))
    assert [round(w) for w in sorted(waits)] in ([7, 90], [8, 90], [7, 91], [8, 91])


@fault("F023")
@pytest.mark.parametrize(
    ("offset_s", "zone"), [(60, UTC), (-3600, UTC), (60, timezone(timedelta(hours=5, minutes=30)))]
)
def test_429_with_a_date_is_waited_out(world: World, waits: list[float], offset_s: int, zone: timezone) -> None:
    until = datetime.now(zone) + timedelta(seconds=offset_s)
    date = format_datetime(until, usegmt=zone is UTC)
    world.survives(writes("rate_limited", nth=1, retry_after=date))
    assert all(0 <= w <= max(0, offset_s) + 8 for w in waits)
    assert len(waits) == 1


@fault("F024", "F025")
@pytest.mark.parametrize("after", [None, "soon", "-5", "1e9", "NaN", "Wed, 99 Feb 2099 00:00:00 GMT"])
def test_429_that_does_not_say_how_long(world: World, waits: list[float], after: str | None) -> None:
    world.survives(writes("rate_limited", nth=1, retry_after=after))
    assert waits == [0.0]  # the back-off of this suite


@fault("F025")
@pytest.mark.parametrize("after", [1_000_000_000, "Fri, 01 Jan 2100 00:00:00 GMT", "999999999999"])
def test_429_for_years_ends_the_run_and_says_when_to_come_back(world: World, waits: list[float], after: Any) -> None:
    before = len(world.sandbox.requests())
    result = world.suffer(reads("rate_limited", retry_after=after), codes=(10,))
    assert "again after" in spoken(result) or "years" in spoken(result)
    assert len(world.sandbox.requests()) - before < 6
    world.suffer(writes("rate_limited", retry_after=after), codes=(7,))
    assert waits == []
    world.recovers()


@fault("F026")
def test_429_for_ever_ends(world: World, waits: list[float]) -> None:
    good = len(world.sandbox.requests())
    world.suffer(writes("rate_limited", retry_after=0), codes=(7,))
    sent = len(world.sandbox.requests()) - good
    assert sent <= 60
    world.suffer(reads("rate_limited", retry_after=0), codes=(10,))
    world.recovers()


@fault("F102")
def test_all_workers_reach_the_limit_together(world: World, waits: list[float]) -> None:
    world.survives(rule("rate_limited", path="re:^(?!.*/(authenticate|login)$)", nth=[3, 4, 5], retry_after=1))
    assert len(waits) == 3


# --- 5xx


@fault("F027")
def test_503_for_everything_is_not_asked_for_long(world: World) -> None:
    """While reading, and in the middle of the writing."""
    before = len(world.sandbox.requests())
    world.suffer(rule("error_before", status=503), codes=(10,))
    assert len(world.sandbox.requests()) - before <= 12
    world.suffer(writes("error_before", status=503), codes=(7, 9))
    world.recovers()


@fault("F021")
def test_a_run_that_is_refused_with_500_is_not_repeated(world: World) -> None:
    world.at(0).repository.apply()
    account = world.contract.account_name
    campaign = world.sandbox.state()["intelepeer"]["campaigns"][0]["id"]
    result = world.repository("call", account, "campaigns.run", f"id={campaign}", "--yes", "--approve", "contact")
    assert result.code in (1, 9, 64), result.out + result.err
    assert sum('"run"' in json.dumps(r["body"]) for r in world.sandbox.requests()) <= 1
    assert not any(world.sandbox.ledger()["contacted"].values())


# --- credentials


@fault("F028")
@pytest.mark.parametrize("nth", [1, 2, 4, 6])
def test_a_token_that_expires_in_mid_run(world: World, nth: int) -> None:
    """At another request of the run each time. Keys that never change cannot be renewed: that ends the run."""
    renewable = world.name in ("intelepeer", "contactcenter")
    world.suffer(
        rule("expired_token", path="re:^(?!.*/(authenticate|login)$)", nth=nth),
        codes=(0,) if renewable else (4, 7),
    )
    if renewable:
        assert sum(r["path"].endswith(("/authenticate", "/login")) for r in world.sandbox.requests()) == 2
    world.recovers()


@fault("F029")
def test_credentials_that_are_refused_for_ever(world: World) -> None:
    before = len(world.sandbox.requests())
    world.suffer(rule("error_before", path="re:^(?!.*/(authenticate|login)$)", status=401), codes=(4,))
    assert len(world.sandbox.requests()) - before <= 8
    assert sum(r["path"].endswith(("/authenticate", "/login")) for r in world.sandbox.requests()) <= 2
    world.suffer(writes("error_before", status=401), codes=(7,))
    world.recovers()


@fault("F030")
@pytest.mark.parametrize("status", [400, 500])
def test_an_expired_token_told_otherwise(world: World, status: int) -> None:
    body = "The access token expired"
    world.suffer(rule("error_before", path="re:leads", nth=1, status=status, body=body), codes=(0, 4, 10))
    logins = sum(r["path"].endswith("/login") for r in world.sandbox.requests())
    assert logins <= 3
    world.recovers()


@fault("F031")
@pytest.mark.parametrize(
    "fault_of_login",
    [
        {"kind": "error_before", "status": 200, "body": {"hello": "planted-answer"}},
        {"kind": "error_before", "status": 200, "body": {}},
        {"kind": "error_before", "status": 500, "body": {"message": "planted-answer"}},
        {"kind": "error_before", "status": 401, "body": {"message": "planted-answer"}},
        {"kind": "non_json", "status": 200},
        {"kind": "drop_after"},
    ],
    ids=["no-token", "empty", "500", "401", "page", "lost"],
)
def test_a_login_that_fails(world: World, fault_of_login: dict[str, Any]) -> None:
    kind = dict(fault_of_login)
    result = world.suffer(rule(kind.pop("kind"), path=LOGINS, **kind), codes=(4, 10))
    assert "planted-answer" not in spoken(result)
    assert all(r["path"].endswith(("/authenticate", "/login")) for r in world.sandbox.requests())
    assert len(world.sandbox.requests()) <= 5
    world.recovers()


# --- 4xx


@fault("F032")
def test_403_for_one_object_is_no_proof_that_it_is_gone(world: World) -> None:
    world.at(0)
    world.suffer(writes("error_before", nth=1, status=403), codes=(0, 7))
    world.recovers()


@fault("F033")
def test_404_for_what_exists_is_no_deletion(world: World) -> None:
    """Reads of what stands in a listing answer 404: nothing is created anew."""
    world.at(0)
    created = world.contract.picture(world.sandbox.state()[world.name])
    path = {
        "slicktext": "re:/(lists|campaigns)/\\d+$",
        "exotel": "re:/lists/[^/]+/contacts$",
        "intelepeer": "re:v2/(lists|campaigns)$",
        "contactcenter": "re:leads",
    }[world.name]
    more = {"contains": "id="} if world.name == "intelepeer" else {}
    result = world.suffer(reads("error_before", path=path, status=404, **more), codes=(0, 7, 9, 10), struck=False)
    if result.code == 10:
        assert world.picture == created
    world.recovers()


@fault("F034")
@pytest.mark.parametrize("status", [404, 400])
def test_a_deletion_of_what_is_gone_already(world: World, status: int) -> None:
    last = len(world.contract.walk) - 1
    world.at(last - 1)
    world.suffer(rule("error_after", method="DELETE", nth=1, status=status), codes=(0, 7, 9))
    world.recovers()


@fault("F035")
def test_404_for_everything_is_no_empty_account(world: World) -> None:
    world.unreadable(rule("error_before", path="re:^(?!.*/(authenticate|login)$)", status=404), codes=(4, 10))


@fault("F036")
@pytest.mark.parametrize("status", [409, 422, 400])
def test_a_name_that_is_taken(world: World, status: int) -> None:
    world.suffer(writes("error_before", nth=1, status=status), codes=(0, 7))
    world.recovers()


@fault("F037")
@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_shows_no_value_of_a_person(world: World, status: int) -> None:
    body = {"message": "mobile_number +12025550110 is wrong", "first_name": "Ada"}
    world.suffer(writes("error_before", status=status, body=body), codes=(7,))
    world.recovers()


@fault("F038")
def test_out_of_credit(world: World) -> None:
    world.suffer(writes("error_before", nth=[3, 4, 5, 6, 7, 8], status=402), codes=(7,))
    world.recovers()


# --- answers that are none


@fault("F039")
def test_a_page_instead_of_data_is_never_an_empty_account(world: World) -> None:
    world.unreadable(reads("non_json", status=200))


@fault("F039")
def test_a_page_instead_of_the_answer_to_a_write(world: World) -> None:
    world.survives(writes("non_json", nth=1, status=200, effect=True), codes=(0, 7, 9))


@fault("F040")
def test_a_body_that_says_500(world: World) -> None:
    body = {"status": 500, "message": "Internal error"}
    world.unreadable(reads("error_before", status=200, body=body))


@fault("F040")
@pytest.mark.parametrize("effect", [False, True])
def test_a_write_whose_body_says_500(world: World, effect: bool) -> None:
    kind = "error_after" if effect else "error_before"
    body = {"status": 500, "message": "Internal error"}
    world.survives(writes(kind, nth=1, status=200, body=body), codes=(0, 7, 9))


@fault("F041")
@pytest.mark.parametrize("body", [True, [], {"count": 3}, {}, ""], ids=["true", "list", "count", "object", "nothing"])
def test_a_success_without_substance(world: World, body: Any) -> None:
    """Of a write that had no effect. What counts is what can be read afterwards."""
    world.survives(writes("error_before", nth=1, status=200, body=body), codes=(0, 7, 9))


@fault("F041")
@pytest.mark.parametrize("body", [True, {}, "", None, 7], ids=["true", "object", "nothing", "null", "number"])
def test_a_read_without_substance_is_never_an_empty_account(world: World, body: Any) -> None:
    world.at(0)
    owned = world.picture
    raw = json.dumps(body) if body != "" else ""
    rules = reads("error_before", status=200, body=raw, content_type="application/json")
    result = world.suffer(rules, codes=(0, 3, 5, 7, 10))
    assert result.code != 0 or world.picture != owned
    world.recovers()


@fault("F042")
def test_a_success_that_does_not_name_what_it_made(world: World) -> None:
    """Never does this provider name a new lead: it is found by its number."""
    world.survives(writes("error_after", nth=1, status=200, body=""), codes=(0, 7))


@fault("F043")
@pytest.mark.parametrize("status", [207, 226, 299, 305, 418, 451, 499, 520, 530, 599])
def test_statuses_that_no_document_knows(world: World, status: int) -> None:
    world.survives(writes("error_after", nth=1, status=status), codes=(0, 7, 9))
