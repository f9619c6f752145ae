"""Quiet hours through the command line: who waits, who goes, what an apply says, and what it never sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.app import clock
from reconciler.sandbox import Sandbox

from repository import PROJECT, Repository

HOURS = PROJECT.replace("[manifests]}", '[manifests], quietHours: {from: "20:00", to: "09:00", days: [sun]}}')
EAST, WEST, FREE = "+12025550110", "+18085550110", "+80055501100"
EVENING_EAST = datetime(2026, 11, 24, 2, tzinfo=UTC)  # Monday, 21:00 in Washington and 16:00 on Hawaii
DAY_EAST = datetime(2026, 11, 24, 15, tzinfo=UTC)  # Tuesday, 10:00 and 05:00
DAY_BOTH = datetime(2026, 11, 24, 20, tzinfo=UTC)
CENTER = """\
apiVersion: contactcenter/v1
kind: Account
metadata: {name: center}
spec:
  baseUrl: URL
  accountId: 0123456789abcdef0123456789abcdef
  domain: sandbox
  auth: {username: sandbox, password: {env: CONTACTCENTER_PASSWORD}}
---
apiVersion: contactcenter/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring}
"""
SEED = {
    "contactcenter": {
        "accounts": [
            {
                "account_id": "0123456789abcdef0123456789abcdef",
                "domain": "sandbox",
                "users": [{"username": "sandbox", "password": "sandbox-contactcenter-password"}],
            }
        ],
        "campaigns": [{"name": "Spring", "status": "running"}],
    },
    "slicktext": {
        "contacts": [{"number": EAST}, {"number": WEST}],
        "lists": [{"id": 10, "name": "VIP", "members": [EAST, WEST]}],
    },
}
TEXT = """\
apiVersion: slicktext/v1
kind: List
metadata: {name: vip}
spec: {name: VIP}
---
apiVersion: slicktext/v1
kind: Membership
metadata: {name: vip}
spec: {list: vip, mode: additive, contacts: [{number: "+12025550110"}]}
---
apiVersion: slicktext/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring, body: Hello, status: STATUS}
---
apiVersion: slicktext/v1
kind: Association
metadata: {name: spring-vip}
spec: {campaign: spring, list: vip}
"""
SCHEDULED = 'scheduled, scheduled: "TIME"'


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=SEED, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Says what time it is."""

    def set_(now: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: now)

    return set_


@pytest.fixture
def quiet(repository: Repository) -> Repository:
    (repository.root / "reconciler.yaml").write_text(HOURS, encoding="utf-8")
    return repository


def leads(*numbers: str) -> str:
    rows = "".join(f"    - {{number: {n!r}}}\n" for n in numbers)
    head = "apiVersion: contactcenter/v1\nkind: Membership\nmetadata: {name: people}\n"
    return f"{head}spec:\n  campaign: spring\n  mode: additive\n  contacts:\n{rows}"


@pytest.fixture
def center(quiet: Repository) -> Repository:
    """A repository with one running campaign."""
    quiet.write("account.yaml", CENTER)
    quiet.write("people.yaml", leads(EAST, WEST))
    return quiet


def added(sandbox: Sandbox) -> set[str]:
    (account,) = sandbox.state()["contactcenter"]["accounts"]
    return {lead["number"] for lead in account["campaigns"][0]["leads"]}


def test_those_who_may_be_contacted_go_and_the_others_wait(
    center: Repository, sandbox: Sandbox, at: Callable[[datetime], None]
) -> None:
    at(EVENING_EAST)
    plan = center.plan()
    (wait,) = plan.json["waits"]
    assert (wait["people"], wait["whole"], wait["until"]) == (1, False, "2026-11-24T19:00:00Z")
    assert wait["times"] == [{"from": "2026-11-24T14:00:00Z", "people": 1}]
    assert "555" not in wait["reason"]
    assert "would wait" in center("plan").out

    result = center("apply", "--yes", "--approve", "contact", "--format", "json")
    assert result.code == 7
    assert result.json["counts"]["notAttempted"] == 1
    assert "quiet hours for 1 person" in result.out
    assert added(sandbox) == {WEST}

    at(DAY_BOTH)
    center.apply()
    assert added(sandbox) == {EAST, WEST}
    center.settled()


def test_where_everybody_sleeps_nothing_begins(
    center: Repository, sandbox: Sandbox, at: Callable[[datetime], None]
) -> None:
    center.write("people.yaml", leads(EAST))
    at(EVENING_EAST)
    refused = center("apply", "--yes", "--approve", "contact")
    assert refused.code == 5
    assert "allowed from 2026-11-24 14:00 UTC" in refused.err
    assert center.writes() == []
    assert center("history", "--format", "json").json["runs"] == []
    at(DAY_EAST)
    center.apply()
    assert added(sandbox) == {EAST}


def test_a_number_without_a_zone_waits_for_the_zones_that_are_declared(
    center: Repository, at: Callable[[datetime], None]
) -> None:
    center.write("people.yaml", leads(FREE))
    at(DAY_BOTH)
    refused = center("apply", "--yes", "--approve", "contact")
    assert refused.code == 5
    assert "no allowed time is in sight" in refused.err
    text = HOURS.replace("days: [sun]", "days: [sun], zones: [America/New_York, Pacific/Honolulu]")
    (center.root / "reconciler.yaml").write_text(text, encoding="utf-8")
    at(DAY_EAST)
    assert "2026-11-24 19:00 UTC" in center("apply", "--yes", "--approve", "contact").err
    at(DAY_BOTH)
    center.apply()


def test_an_account_has_its_own_hours_or_none(center: Repository, at: Callable[[datetime], None]) -> None:
    at(EVENING_EAST)
    center.write("account.yaml", CENTER.replace("  domain: sandbox\n", "  domain: sandbox\n  quietHours: {}\n"))
    assert center.plan().json["waits"] == []
    own = "  domain: sandbox\n  quietHours: {days: [mon]}\n"
    center.write("account.yaml", CENTER.replace("  domain: sandbox\n", own))
    (wait,) = center.plan().json["waits"]
    assert (wait["people"], wait["whole"]) == (2, True)


def test_the_window_is_looked_at_when_a_request_leaves(
    center: Repository, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It closes between the plan and the second request: nothing but the first is sent."""
    numbers = [f"+1808555{i:04d}" for i in range(110, 116)]
    center.write("people.yaml", leads(*numbers))
    closing = datetime(2026, 11, 24, 5, 59, tzinfo=UTC)  # 19:59 on Hawaii

    def now() -> datetime:
        sent = sum(method == "PUT" for method, _ in center.writes())
        return closing if sent == 0 else closing.replace(hour=6, minute=0)

    monkeypatch.setattr(clock, "now", now)
    result = center("apply", "--yes", "--approve", "contact", "--format", "json")
    assert result.code == 7
    assert len(added(sandbox)) == 1
    assert result.json["counts"]["unresolved"] == 0


@pytest.fixture
def texts_quiet(quiet: Repository) -> Repository:
    from repository import TEXTS

    quiet.write("account.yaml", TEXTS)
    return quiet


def campaign(status: str, time: str = "") -> str:
    return TEXT.replace("STATUS", status.replace("TIME", time))


def test_a_scheduled_campaign_is_judged_at_its_own_time(
    texts_quiet: Repository, sandbox: Sandbox, at: Callable[[datetime], None]
) -> None:
    at(EVENING_EAST)
    texts_quiet.write("campaign.yaml", campaign(SCHEDULED, "2099-05-05 17:00:00"))  # 13:00 and 07:00
    (wait,) = texts_quiet.plan().json["waits"]
    assert (wait["whole"], wait["scheduled"]) == (True, "2099-05-05T17:00:00Z")
    assert wait["until"] == "2099-05-05T19:00:00Z"
    result = texts_quiet("apply", "--yes", "--approve", "contact")
    assert result.code == 7
    assert "move its time" in result.out
    (made,) = sandbox.state()["slicktext"]["campaigns"]
    assert made["status"] == "draft"

    texts_quiet.write("campaign.yaml", campaign(SCHEDULED, "2099-05-05 19:00:00"))
    assert texts_quiet.plan().json["waits"] == []
    texts_quiet.apply()
    (made,) = sandbox.state()["slicktext"]["campaigns"]
    assert made["status"] == "scheduled"
    texts_quiet.settled()

    # Moved to a Sunday: nothing but this one call is left to do.
    texts_quiet.write("campaign.yaml", campaign(SCHEDULED, "2099-05-03 20:00:00"))
    refused = texts_quiet("apply", "--yes", "--approve", "contact")
    assert refused.code == 5
    assert "2099-05-04 19:00 UTC" in refused.err


def test_a_dial_waits_for_everybody_on_its_lists(
    texts_quiet: Repository, sandbox: Sandbox, at: Callable[[datetime], None]
) -> None:
    at(DAY_EAST)
    texts_quiet.write("campaign.yaml", campaign("draft"))
    texts_quiet.apply()
    dial = ("dial", "main/Campaign/spring", "--approve", "contact", "--confirm", "spring")
    refused = texts_quiet(*dial)
    assert refused.code == 5
    assert "allowed from 2026-11-24 19:00 UTC" in refused.err
    assert sandbox.ledger()["contacted"].get("slicktext", []) == []
    at(DAY_BOTH)
    assert texts_quiet(*dial).code == 0


def test_a_call_that_contacts_somebody_waits_as_well(
    center: Repository, sandbox: Sandbox, at: Callable[[datetime], None]
) -> None:
    (account,) = sandbox.state()["contactcenter"]["accounts"]
    campaign_id = account["campaigns"][0]["id"]
    call = ("call", "center", "leads.add", f"campaign_id={campaign_id}", f"number={EAST}")
    at(EVENING_EAST)
    refused = center(*call, "--approve", "contact")
    assert refused.code == 5, refused.err
    assert "allowed from 2026-11-24 14:00 UTC" in refused.err
    assert added(sandbox) == set()


@pytest.mark.parametrize(
    ("hours", "place"),
    [
        ("{zones: [Mars/Base]}", "zones"),
        ("{days: [mon, tue, wed, thu, fri, sat, sun]}", "days"),
        ('{from: "9"}', "from"),
    ],
)
def test_hours_that_make_no_sense_are_told_where_they_are(quiet: Repository, hours: str, place: str) -> None:
    text = PROJECT.replace("[manifests]}", f"[manifests], quietHours: {hours}}}")
    (quiet.root / "reconciler.yaml").write_text(text, encoding="utf-8")
    result: Any = quiet("validate")
    assert result.code == 3
    assert "reconciler.yaml:4" in result.err + result.out
