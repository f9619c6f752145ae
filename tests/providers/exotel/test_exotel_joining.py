"""A campaign that starts between the plan and its last request gets nobody whom nobody approved to be called."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from exotel_world import (
    BIFF,
    DOC,
    JENNY,
    MARTY,
    a_list,
    a_membership,
    desired,
    fetched,
    inventory,
    people,
    plan_of,
    using,
)

from reconciler.errors import Rejected
from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import ContactClass
from reconciler.plan.calls import MembersAdded, Phase, Step
from reconciler.providers.base import Scope
from reconciler.providers.exotel import calls
from reconciler.providers.exotel.session import ExotelSession
from reconciler.sandbox import Sandbox

SID = "sandbox1"
OLD = MembersAdded(of=RemoteId("L1"))
NOW = datetime.now(UTC)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    soon = (NOW + timedelta(hours=1)).isoformat()
    seed = {
        "exotel": {
            "lists": [{"sid": "L1", "name": "Old", "members": [MARTY]}, {"sid": "L2", "name": "Free"}],
            "contacts": [{"number": n} for n in (DOC, BIFF, JENNY)],
            "campaigns": [
                {
                    "id": "C1",
                    "name": "By hand",
                    "lists": ["Old"],
                    "campaign_type": "dynamic",
                    "schedule": {"send_at": soon},
                    "url": "http://my.exotel.com/sandbox1/exoml/start_voice/926",
                }
            ],
        }
    }
    with Sandbox(seed=seed) as running:
        yield running


def start(sandbox: Sandbox, status: str = "in-progress") -> None:
    sandbox.tamper("exotel", "set_campaign_status", campaign="C1", status=status)


def add(sandbox: Sandbox, number: str, effect: MembersAdded = OLD) -> Step:
    book = {c["number"]: c["sid"] for c in sandbox.state()["exotel"]["contacts"]}
    rows = ContactSet.from_columns({"number": [number], "contact_id": [book[number]]})
    return Step(
        phase=Phase.MEMBERSHIP, title="add", call=calls.add_members(SID, effect.of), effect=effect, rows=rows, chunk=10
    )


def on_old(sandbox: Sandbox) -> list[str]:
    found: list[str] = next(x for x in sandbox.state()["exotel"]["lists"] if x["sid"] == "L1")["numbers"]
    return sorted(found)


def planned_with(sandbox: Sandbox) -> Scope:
    return Scope(desired=desired(a_list("old", "Old"), base_url=sandbox.url), inventory=inventory())


def test_nobody_joins_a_list_whose_campaign_started_since_the_plan(sandbox: Sandbox) -> None:
    async def run(session: ExotelSession) -> None:
        await session.fetch(planned_with(sandbox))
        start(sandbox)
        step = add(sandbox, DOC)
        with pytest.raises(Rejected) as refused:
            await session.send(step.request({}), step.effect)
        assert refused.value.code == "exotel-campaign-started-since"
        assert "'By hand'" in refused.value.message

    using(sandbox, run)
    assert on_old(sandbox) == [MARTY]
    assert DOC not in str(sandbox.ledger()["contacted"])


def test_a_look_holds_for_a_moment_only(sandbox: Sandbox) -> None:
    now_s = [0.0]

    async def run(session: ExotelSession) -> int:
        await session.fetch(planned_with(sandbox))
        session._joining.clock = lambda: now_s[0]
        before = session.requests
        for number in (DOC, JENNY):
            step = add(sandbox, number)
            await session.send(step.request({}), step.effect)
            now_s[0] += 1.5
        looked = session.requests - before - 2
        start(sandbox)
        step = add(sandbox, BIFF)
        with pytest.raises(Rejected):
            await session.send(step.request({}), step.effect)
        return looked

    assert using(sandbox, run) == 1
    assert on_old(sandbox) == sorted([MARTY, DOC, JENNY])


def test_a_time_that_has_come_counts_as_a_start(sandbox: Sandbox) -> None:
    clock = [NOW]

    async def run(session: ExotelSession) -> None:
        await session.fetch(planned_with(sandbox))
        clock[0] = NOW + timedelta(hours=1)
        step = add(sandbox, DOC)
        with pytest.raises(Rejected):
            await session.send(step.request({}), step.effect)

    using(sandbox, run, now=lambda: clock[0])
    assert on_old(sandbox) == [MARTY]
    late = fetched(sandbox, planned_with(sandbox).desired, now=lambda: clock[0])
    assert [o.facts["due"] for o in late.objects.values() if o.remote_id == "C1"] == [True]


def test_what_was_approved_as_contacting_goes_on(sandbox: Sandbox) -> None:
    start(sandbox)
    wanted = desired(a_list("old", "Old"), a_membership("old", people(MARTY, DOC)), base_url=sandbox.url)
    (change,) = [c for c in plan_of(sandbox, wanted).changes if c.members is not None]
    assert change.contact_class is ContactClass.STARTS_CONTACTING

    async def run(session: ExotelSession) -> None:
        await session.fetch(planned_with(sandbox))
        step = add(sandbox, DOC)
        await session.send(step.request({}), step.effect)

    using(sandbox, run)
    assert on_old(sandbox) == sorted([MARTY, DOC])


def test_a_look_that_fails_sends_nobody(sandbox: Sandbox) -> None:
    async def run(session: ExotelSession) -> None:
        await session.fetch(planned_with(sandbox))
        sandbox.set_faults([{"method": "GET", "path": "/v2/*/campaigns", "fault": {"kind": "truncate"}}])
        step = add(sandbox, DOC)
        with pytest.raises(Rejected):
            await session.send(step.request({}), step.effect)

    using(sandbox, run)
    assert on_old(sandbox) == [MARTY]


def test_a_list_that_no_campaign_has_costs_no_look(sandbox: Sandbox) -> None:
    async def run(session: ExotelSession) -> Any:
        await session.fetch(planned_with(sandbox))
        before = session.requests
        step = add(sandbox, DOC, MembersAdded(of=RemoteId("L2")))
        await session.send(step.request({}), step.effect)
        return session.requests - before

    assert using(sandbox, run) == 1
