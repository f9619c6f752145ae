"""Somebody opts out between a look and a write: kept off where it can be seen in time, and told where it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.app import applying, loading
from reconciler.errors import Exit, StalePlan
from reconciler.plan.changes import Approval
from reconciler.sandbox import Sandbox

from repository import TEXTS, Repository

ANNA, BORIS, CLARA, DORA = (f"+120255501{n}" for n in range(10, 14))
SEED: dict[str, Any] = {
    "slicktext": {
        "contacts": [{"number": n} for n in (ANNA, BORIS, CLARA)],
        "lists": [{"id": 10, "name": "VIP", "members": [ANNA]}],
    }
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=SEED, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def texts(repository: Repository) -> Repository:
    repository.write("account.yaml", TEXTS)
    members(repository, BORIS, CLARA)
    return repository


def members(texts: Repository, *numbers: str) -> None:
    people = "".join(f'    - {{number: "{n}"}}\n' for n in numbers)
    head = "apiVersion: slicktext/v1\nkind: Membership\nmetadata: {name: vip}\n"
    spec = 'spec:\n  list: {id: "10"}\n  mode: additive\n  missingContacts: create\n  contacts:\n'
    texts.write("vip.yaml", head + spec + people)


def opts_out(number: str) -> dict[str, Any]:
    edit = {"opt_in_status": "unsubscribed"}
    return {"provider": "slicktext", "op": "edit_contact", "contact": number, "set": edit}


def just_before_the_add(sandbox: Sandbox, number: str) -> None:
    fault = {"kind": "tamper", "operation": opts_out(number)}
    sandbox.set_faults([{"method": "POST", "path": "/v1/brands/*/lists/contacts", "nth": 1, "fault": fault}])


def on_list(sandbox: Sandbox) -> list[str]:
    return sorted(sandbox.state()["slicktext"]["lists"][0]["numbers"])


@pytest.mark.parametrize("everybody", [(BORIS, CLARA), (BORIS, CLARA, DORA)], ids=["known", "one created"])
def test_whoever_opts_out_as_they_are_added_is_told(
    texts: Repository, sandbox: Sandbox, everybody: tuple[str, ...]
) -> None:
    members(texts, *everybody)
    just_before_the_add(sandbox, BORIS)
    result = texts("apply", "--yes", "--format", "json")
    assert result.code == 7
    assert result.json["verified"] is None
    (reason,) = result.json["unverified"]
    assert reason.startswith("main/Membership/vip: 1 person opted out")
    assert "••11" in reason
    assert BORIS not in result.out + result.err
    assert result.json["counts"]["failed"] == 0
    # It is what the manifests say, and whoever opted out is left where they are.
    texts.settled()


def test_it_is_told_beside_what_failed(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("list.yaml", "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: gold}\nspec: {name: Gold}\n")
    refusal = {"kind": "error_before", "status": 422}
    fault = {"kind": "tamper", "operation": opts_out(BORIS)}
    sandbox.set_faults(
        [
            {"method": "POST", "path": "/v1/brands/*/lists", "nth": 1, "fault": refusal},
            {"method": "POST", "path": "/v1/brands/*/lists/contacts", "nth": 1, "fault": fault},
        ]
    )
    result = texts("apply", "--yes")
    assert result.code == 7
    assert "failed 1" in result.out
    assert "1 person opted out" in result.out


def test_whoever_had_opted_out_before_is_no_news(texts: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_contact", contact=BORIS, set={"opt_in_status": "unsubscribed"})
    result = texts("apply", "--yes", "--format", "json")
    assert result.code == 0
    assert result.json["unverified"] == []
    assert on_list(sandbox) == [ANNA, CLARA]


@pytest.mark.parametrize("slow", [True, False])
def test_what_changes_while_a_person_thinks_is_not_what_they_agreed_to(
    texts: Repository, sandbox: Sandbox, slow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "FRESH_S", 0.0 if slow else 3600.0)

    def ask(*_: object) -> frozenset[Approval]:
        sandbox.tamper("slicktext", "edit_contact", contact=BORIS, set={"opt_in_status": "unsubscribed"})
        return frozenset(Approval)

    async def act() -> None:
        await applying.apply(loading.Request(), applying.ApplyOptions(ask=ask))

    if slow:
        with pytest.raises(StalePlan, match="while the question was open"):
            asyncio.run(act())
        assert texts.writes() == []
    else:
        asyncio.run(act())
        assert on_list(sandbox) == [ANNA, BORIS, CLARA]


def test_whoever_thinks_long_and_nothing_changed_gets_what_they_agreed_to(
    texts: Repository, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "FRESH_S", 0.0)
    asked: list[object] = []

    def ask(planned: object, _: object) -> frozenset[Approval]:
        asked.append(planned)
        return frozenset(Approval)

    applied = asyncio.run(applying.apply(loading.Request(), applying.ApplyOptions(ask=ask)))
    assert applied.exit_code == 0
    assert len(asked) == 1
    assert on_list(sandbox) == [ANNA, BORIS, CLARA]


def test_a_provider_that_fails_while_a_person_thinks_is_told_as_such(
    texts: Repository, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "FRESH_S", 0.0)

    def ask(*_: object) -> frozenset[Approval]:
        sandbox.set_faults([{"method": "GET", "fault": {"kind": "error_before", "status": 403}}])
        return frozenset(Approval)

    applied = asyncio.run(applying.apply(loading.Request(), applying.ApplyOptions(ask=ask)))
    assert applied.exit_code is Exit.CREDENTIALS
    assert {d.code for d in applied.planned.plan.diagnostics} == {"credentials-refused"}
    assert texts.writes() == []
