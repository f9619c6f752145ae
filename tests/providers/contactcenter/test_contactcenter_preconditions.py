"""What is looked at right before a write, how old a look may be, and what one costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from contactcenter_portal import (
    ANNA,
    BORIS,
    CLARA,
    DORA,
    SPRING,
    Clock,
    desired,
    leads,
    membership,
    people,
    seed,
    using,
)

from reconciler.errors import Rejected, Unchecked
from reconciler.model import contacts
from reconciler.model.inventory import Inventory
from reconciler.plan.calls import Evidence, MembersAdded, MembersRemoved, Method, Phase, Step
from reconciler.providers.base import Scope
from reconciler.providers.contactcenter import calls
from reconciler.providers.contactcenter.session import CampaignStarted, ContactCenterSession
from reconciler.sandbox import Sandbox

State = Evidence.State
ADDED, REMOVED = MembersAdded(of=SPRING), MembersRemoved(of=SPRING)
SCOPE = Scope(desired=desired(membership(people(ANNA))), inventory=Inventory())
REPORT = {"method": "GET", "path": "/api/v2/reports/**"}
LEADS = {"method": "GET", "path": "/api/v2/config/**"}
PUT = {"method": "PUT", "path": "/api/v2/config/**"}
STARTED = {"provider": "contactcenter", "op": "edit_campaign", "campaign": "Spring", "set": {"status": "running?"}}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    given = seed({"number": ANNA, "id": "lead-a"}, {"number": DORA, "id": "lead-d"})
    with Sandbox(seed=given, knobs={"contactcenter": {"strict_fields": True}}) as running:
        yield running


def add(number: str) -> Any:
    call = calls.add_lead(SPRING, (), Method.PUT)
    return Step(phase=Phase.MEMBERSHIP, title="", call=call, effect=ADDED, rows=people(number)).request({})


def delete(lead: str) -> Any:
    rows = people(ANNA, contact_id=[lead])
    return Step(phase=Phase.MEMBERSHIP, title="", call=calls.delete_lead(), effect=REMOVED, rows=rows).request({})


def sent(sandbox: Sandbox) -> list[str]:
    """What was asked after the fetch: ``report``, ``leads``, or the method of a write."""
    words = {"status": "report", "leads": "leads"}
    found = sandbox.requests()[3:]
    return [words[r["path"].rsplit("/", 1)[-1]] if r["method"] == "GET" else r["method"] for r in found]


def after_fetch(sandbox: Sandbox, *steps: tuple[float, Any, Any], clock: Clock | None = None) -> list[str]:
    """Requests of writes, each so many seconds after the one before."""
    clock = clock or Clock()

    async def act(session: ContactCenterSession) -> None:
        await session.fetch(SCOPE)
        for seconds, call, effect in steps:
            clock.at += seconds
            await session.send(call, effect)

    using(sandbox, act, clock=clock)
    return sent(sandbox)


def test_the_first_add_is_always_looked_before_and_then_once_a_second(sandbox: Sandbox) -> None:
    numbers = [f"+120255502{n:02d}" for n in range(7)]
    steps = [(0.4, add(number), ADDED) for number in numbers]
    assert after_fetch(sandbox, *steps) == [
        *("report", "PUT", "PUT", "PUT"),
        *("report", "PUT", "PUT", "PUT"),
        *("report", "PUT"),
    ]


def test_adds_to_a_campaign_that_was_not_stopped_cost_nothing_more() -> None:
    with Sandbox(seed=seed({"number": ANNA, "id": "lead-a"}, status="previewing")) as running:
        assert after_fetch(running, (5.0, add(BORIS), ADDED), (5.0, add(CLARA), ADDED)) == ["PUT", "PUT"]


def test_a_campaign_that_was_started_stays_that_until_the_next_plan(sandbox: Sandbox) -> None:
    clock = Clock()

    async def act(session: ContactCenterSession) -> None:
        await session.fetch(SCOPE)
        sandbox.set_faults([{**REPORT, "nth": 1, "fault": {"kind": "tamper", "operation": STARTED}}])
        for status in ("running?", "stopped"):
            with pytest.raises(CampaignStarted):
                await session.send(add(BORIS), ADDED)
            sandbox.tamper("contactcenter", "edit_campaign", campaign="Spring", set={"status": status})
            clock.at += 5.0
        await session.fetch(SCOPE)
        await session.send(add(BORIS), ADDED)

    using(sandbox, act, clock=clock)
    assert sent(sandbox) == ["report", "report", "leads", "report", "PUT"]


def test_a_wait_makes_what_was_seen_before_it_old(sandbox: Sandbox) -> None:
    async def act(session: ContactCenterSession) -> None:
        await session.fetch(SCOPE)
        wait = {"kind": "rate_limited", "retry_after": 1.2}
        sandbox.set_faults(
            [{**PUT, "nth": 1, "fault": wait}, {**REPORT, "nth": 2, "fault": {"kind": "tamper", "operation": STARTED}}]
        )
        with pytest.raises(CampaignStarted):
            await session.send(add(BORIS), ADDED)

    using(sandbox, act, clock=time.monotonic)
    assert sent(sandbox) == ["report", "PUT", "report"]
    assert {x["number"] for x in leads(sandbox)} == {ANNA, DORA}


def test_somebody_who_is_not_waiting_any_more_makes_it_old_as_well(sandbox: Sandbox) -> None:
    async def act(session: ContactCenterSession) -> None:
        await session.fetch(SCOPE)
        await session.send(add(BORIS), ADDED)
        sandbox.tamper("contactcenter", "set_lead_status", lead=DORA, status="in_progress")
        await session.observe(ADDED, people(BORIS))
        await session.send(add(CLARA), ADDED)
        await session.observe(ADDED, people(BORIS))
        await session.send(add("+12025550114"), ADDED)

    using(sandbox, act)
    assert sent(sandbox) == ["report", "PUT", "leads", "report", "PUT", "leads", "PUT"]


@pytest.mark.parametrize(
    "fault", [{"kind": "error_before", "status": 500}, {"kind": "non_json", "status": 200}], ids=str
)
def test_what_cannot_be_looked_at_is_not_sent(
    sandbox: Sandbox, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.providers.http.backoff_s", lambda attempt, *, base_s: 0.0)
    clock = Clock()

    async def act(session: ContactCenterSession) -> None:
        await session.fetch(SCOPE)
        clock.at += 2.0
        sandbox.set_faults([{**REPORT, "times": 9, "fault": fault}, {**LEADS, "times": 9, "fault": fault}])
        with pytest.raises(Unchecked):
            await session.send(add(BORIS), ADDED)
        with pytest.raises(Unchecked):
            await session.send(delete("lead-a"), REMOVED)

    using(sandbox, act, clock=clock)
    assert {"PUT", "DELETE"}.isdisjoint(sent(sandbox))


@pytest.fixture(params=["plain", "columns", "outside of memory"])
def large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leads are held as those of a small campaign, of one of 100,000, and of one of millions."""
    if request.param != "plain":
        monkeypatch.setattr(contacts, "PLAIN_BELOW", 0)
    if request.param == "outside of memory":
        monkeypatch.setattr(contacts, "SPOOLED_FROM", 0)


@pytest.mark.usefixtures("large")
def test_the_last_look_decides_whether_a_lead_is_deleted(sandbox: Sandbox) -> None:
    async def act(session: ContactCenterSession) -> None:
        await session.fetch(SCOPE)
        sandbox.tamper("contactcenter", "set_lead_status", lead=ANNA, status="in_progress")
        # As the read-back of another delete does.
        await session.observe(REMOVED, people(DORA, contact_id=["lead-d"]))
        with pytest.raises(Rejected, match="may be in a call"):
            await session.send(delete("lead-a"), REMOVED)
        await session.send(delete("lead-d"), REMOVED)

    using(sandbox, act)
    assert sent(sandbox) == ["leads", "DELETE"]
    assert {x["number"] for x in leads(sandbox)} == {ANNA}


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("first", ["new", "in_progress"])
def test_of_a_number_with_several_leads_none_in_a_call_is_deleted(sandbox: Sandbox, first: str) -> None:
    given = seed(
        {"number": ANNA, "id": "lead-a", "status": first},
        {"number": ANNA, "id": "lead-b", "status": "in_progress"},
        {"number": ANNA, "id": "lead-c", "status": "success"},
    )

    async def act(session: ContactCenterSession) -> None:
        await session.fetch(SCOPE)
        for lead in ("lead-b", *(("lead-a",) if first == "in_progress" else ())):
            with pytest.raises(Rejected, match="may be in a call"):
                await session.send(delete(lead), REMOVED)
        await session.send(delete("lead-c"), REMOVED)

    with Sandbox(seed=given, knobs={"contactcenter": {"strict_fields": True}}) as running:
        using(running, act)
        assert {x["id"] for x in leads(running)} == {"lead-a", "lead-b"}


@pytest.mark.usefixtures("large")
def test_somebody_in_a_call_makes_the_report_old_however_leads_are_held(sandbox: Sandbox) -> None:
    async def act(session: ContactCenterSession) -> None:
        await session.fetch(SCOPE)
        await session.send(add(BORIS), ADDED)
        sandbox.tamper("contactcenter", "set_lead_status", lead=DORA, status="in_progress")
        await session.observe(ADDED, people(BORIS))
        await session.send(add(CLARA), ADDED)

    using(sandbox, act)
    assert sent(sandbox) == ["report", "PUT", "leads", "report", "PUT"]


def test_leads_are_looked_at_again_before_a_delete_once_a_second(sandbox: Sandbox) -> None:
    steps = [(0.6, delete(lead), REMOVED) for lead in ("lead-a", "lead-d")]
    assert after_fetch(sandbox, *steps) == ["DELETE", "leads", "DELETE"]


def test_of_a_large_campaign_what_was_seen_last_decides(sandbox: Sandbox) -> None:
    clock = Clock()

    async def act(session: ContactCenterSession) -> None:
        await session.fetch(SCOPE)
        clock.at += 60.0
        before = session.requests
        await session.send(delete("lead-a"), REMOVED)
        assert session.requests == before + 1

    sandbox.tamper(
        "contactcenter", "add_leads", campaign="Spring", leads=[BORIS, CLARA, "+12025550114", "+12025550115"]
    )
    using(sandbox, act, clock=clock, pageSize=1)


def test_an_add_in_between_is_no_lead_that_cannot_be_read(sandbox: Sandbox) -> None:
    async def act(session: ContactCenterSession) -> Evidence:
        await session.fetch(SCOPE)
        look, _ = await asyncio.gather(session.observe(ADDED, people(CLARA)), session.send(add(BORIS), ADDED))
        return look

    assert using(sandbox, act).state is State.ABSENT


def test_a_lead_of_somebody_else_in_between_is_found_at_the_second_look(sandbox: Sandbox) -> None:
    async def act(session: ContactCenterSession) -> tuple[Evidence, Evidence]:
        await session.fetch(SCOPE)
        found = []
        for number in (BORIS, CLARA):
            late = {"provider": "contactcenter", "op": "add_leads", "campaign": "Spring", "leads": [number]}
            sandbox.set_faults([{**REPORT, "nth": 1, "fault": {"kind": "tamper", "operation": late}}])
            found.append(await session.observe(ADDED, people(CLARA)))
        return found[0], found[1]

    stranger, ours = using(sandbox, act)
    assert (stranger.state, ours.state) == (State.ABSENT, State.HOLDS)
