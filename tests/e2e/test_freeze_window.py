"""Shortly before a scheduled campaign is sent, nobody joins its lists: the plan says so, and the apply holds to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.sandbox import Sandbox

from repository import TEXTS, Repository

ANNA, BORIS = "+12025550110", "+12025550111"
SEED: dict[str, Any] = {
    "slicktext": {
        "contacts": [{"number": ANNA}, {"number": BORIS}],
        "lists": [{"id": 10, "name": "VIP", "members": [ANNA]}, {"id": 11, "name": "Others"}],
    }
}
LISTS = """\
apiVersion: slicktext/v1
kind: Membership
metadata: {name: NAME}
spec: {list: {id: "ID"}, mode: MODE, allowEmpty: true, contacts: [PEOPLE]}
"""


def in_minutes(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=SEED, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def texts(repository: Repository) -> Repository:
    repository.write("account.yaml", TEXTS)
    return repository


def scheduled(sandbox: Sandbox, name: str, minutes: float, *lists: int) -> str:
    """A campaign that somebody scheduled in the portal; when."""
    at = in_minutes(minutes)
    sandbox.tamper("slicktext", "create_campaign", name=name, body="Hi", status="scheduled", scheduled=at, lists=lists)
    return at


def members(texts: Repository, name: str, list_id: str, *numbers: str, mode: str = "additive") -> None:
    people = ", ".join(f'{{number: "{n}"}}' for n in numbers)
    text = LISTS.replace("NAME", name).replace("ID", list_id).replace("MODE", mode).replace("PEOPLE", people)
    texts.write(f"{name}.yaml", text)


def on_list(sandbox: Sandbox, list_id: int) -> list[str]:
    (found,) = [x for x in sandbox.state()["slicktext"]["lists"] if x["contact_list_id"] == list_id]
    return sorted(found["numbers"])


def test_the_plan_knows_that_the_apply_will_refuse(texts: Repository, sandbox: Sandbox) -> None:
    at = scheduled(sandbox, "Sale", 20, 10)
    members(texts, "vip", "10", ANNA, BORIS)
    plan = texts.plan()
    assert plan.code == 0
    (wait,) = plan.json["waits"]
    assert (wait["address"], wait["people"], wait["whole"]) == ("main/Membership/vip", 1, True)
    assert wait["until"] == at.replace(" ", "T") + "Z"
    assert "freeze window" in wait["reason"]
    assert "'Sale'" in wait["reason"]
    assert f"would wait: {wait['reason']}" in " ".join(texts("plan").out.split())
    result = texts("apply", "--yes")
    assert result.code == 7
    assert "within the freeze window" in result.out + result.err
    assert texts.writes() == []


def test_the_window_is_told_before_it_begins(texts: Repository, sandbox: Sandbox) -> None:
    at = scheduled(sandbox, "Sale", 40, 10)
    members(texts, "vip", "10", BORIS)
    plan = texts.plan().json
    assert "waits" not in plan
    (warning,) = [d for d in plan["diagnostics"] if d["code"] == "slicktext-scheduled-audience"]
    begins = datetime.strptime(at, "%Y-%m-%d %H:%M:%S") - timedelta(minutes=30)
    assert f"from {begins} UTC on nobody is added until it was sent" in warning["message"]
    texts.apply()
    assert on_list(sandbox, 10) == [ANNA, BORIS]


def test_the_window_is_the_accounts_own(texts: Repository, sandbox: Sandbox) -> None:
    scheduled(sandbox, "Sale", 40, 10)
    texts.write("account.yaml", TEXTS + "  freezeWindow: 1h\n")
    members(texts, "vip", "10", BORIS)
    assert len(texts.plan().json["waits"]) == 1
    texts.write("account.yaml", TEXTS + "  freezeWindow: 0s\n")
    plan = texts.plan().json
    assert "waits" not in plan
    assert not [d for d in plan["diagnostics"] if "nobody is added" in d["message"]]


def test_only_who_joins_that_list_waits(texts: Repository, sandbox: Sandbox) -> None:
    scheduled(sandbox, "Sale", 20, 10)
    members(texts, "vip", "10", mode="exact")
    members(texts, "others", "11", BORIS)
    assert "waits" not in texts.plan().json
    texts.apply("--allow", "empty=main/Membership/vip")
    assert (on_list(sandbox, 10), on_list(sandbox, 11)) == ([], [BORIS])


def test_of_several_campaigns_the_last_one_counts(texts: Repository, sandbox: Sandbox) -> None:
    scheduled(sandbox, "Early", 10, 10)
    late = scheduled(sandbox, "Late", 25, 10, 11)
    scheduled(sandbox, "Much later", 90, 10)
    members(texts, "vip", "10", BORIS)
    (wait,) = texts.plan().json["waits"]
    assert wait["until"] == late.replace(" ", "T") + "Z"
    assert "'Late'" in wait["reason"]


def test_a_time_that_has_come_is_no_end(texts: Repository, sandbox: Sandbox) -> None:
    """The campaign is on its way any moment; when it was sent, nobody can tell."""
    at = in_minutes(20)
    sandbox.tamper("slicktext", "create_campaign", name="Sale", body="Hi", status="scheduled", scheduled=at, lists=[10])
    late = {"kind": "rewrite", "pattern": at, "replacement": in_minutes(-5)}
    sandbox.set_faults([{"method": "GET", "path": "/v1/brands/*/campaigns**", "times": 99, "fault": late}])
    members(texts, "vip", "10", BORIS)
    (wait,) = texts.plan().json["waits"]
    assert wait["until"] is None
    assert wait["times"] == [{"from": None, "people": 1}]


def test_a_saved_plan_does_not_go_stale_when_the_window_begins(texts: Repository, sandbox: Sandbox) -> None:
    scheduled(sandbox, "Sale", 20, 10)
    members(texts, "vip", "10", BORIS)
    saved = texts("plan", "--out", "saved.json")
    assert saved.code == 0
    assert "would wait" in texts("show", "saved.json").out
    assert texts("apply", "saved.json").code == 7


def test_a_campaigns_name_tells_no_number_and_moves_no_cursor(texts: Repository, sandbox: Sandbox) -> None:
    scheduled(sandbox, "Sale \u202e +1 202 555 0123", 20, 10)
    members(texts, "vip", "10", BORIS)
    for form in ("text", "markdown", "html", "json"):
        told = texts("plan", "--format", form).out
        assert "freeze" in told
        assert "\u202e" not in told
        assert "555 0123" not in told
