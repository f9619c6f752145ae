"""The time that a plan's calls are said to take, against schedules that can be counted by hand."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.plan.calls import Call, Created, Effect, MembersAdded, MembersRemoved, Method, Phase, Step
from reconciler.plan.changes import Adopt, MemberDelta, Plan
from reconciler.plan.estimate import OWN_S, Speed, seconds

SPEED = Speed(latency_s=0.1 - OWN_S, concurrency=4)
"""A tenth of a second for each request, all told."""


def people(count: int) -> ContactSet:
    return ContactSet.from_columns({"number": [f"+1202555{n:04d}" for n in range(100, 100 + count)]})


def step(effect: Effect, rows: ContactSet | None = None, chunk: int = 1, phase: Phase = Phase.LIST) -> Step:
    call = Call(method=Method.POST, path=("x",))
    return Step(phase=phase, title="do it", call=call, effect=effect, rows=rows, chunk=chunk)


def plan(*steps: Step, account: str = "main", live: int = 0) -> Plan:
    """One change for each step. What kind of change has the calls makes no difference."""
    changes = tuple(
        Adopt(
            address=Address(account, Kind.LIST, f"list-{at}"),
            provider="slicktext",
            reason="asked for",
            steps=(one,),
            members=MemberDelta(live_count=live) if one.rows is not None else None,
        )
        for at, one in enumerate(steps)
    )
    return Plan(project="p", environment="", accounts=(), changes=changes)


def made(name: str = "x", phase: Phase = Phase.LIST) -> Step:
    return step(Created(kind=Kind.LIST, name=name, fields={}), phase=phase)


MEMBERS = RemoteId("7")


@pytest.mark.parametrize(
    ("steps", "live", "requests_in_a_row"),
    [
        ((made(),), 0, 3),
        ((made("a"), made("b"), made("c"), made("d")), 0, 3),
        ((*(made(str(n)) for n in range(8)),), 0, 6),
        ((made(), made(phase=Phase.CAMPAIGN)), 0, 6),
        ((step(MembersRemoved(of=MEMBERS), people(10), chunk=80),), 90, 2),
        ((step(MembersRemoved(of=MEMBERS), people(10), chunk=80),), 900, 1 + 1 + 2),
        ((step(MembersRemoved(of=MEMBERS), people(9)),), 90, 1 + 1 + 2 + 1),
        ((step(MembersAdded(of=MEMBERS, counted=True), people(5)),), 0, 10),
    ],
)
def test_requests_that_wait_for_each_other(steps: tuple[Step, ...], live: int, requests_in_a_row: int) -> None:
    assert seconds(plan(*steps, live=live), {"main": SPEED}) == pytest.approx(requests_in_a_row / 10)


def test_the_slowest_account_counts() -> None:
    both = plan(made())
    both = replace(both, changes=(*both.changes, *plan(made(), made(phase=Phase.CAMPAIGN), account="other").changes))
    assert seconds(both, {"main": SPEED, "other": SPEED}) == pytest.approx(0.6)
    assert seconds(both, {"main": SPEED}) == pytest.approx(0.3)
    assert seconds(both, {}) is None


def test_a_limit_is_waited_for_where_it_is_reached() -> None:
    removes = plan(step(MembersRemoved(of=MEMBERS), people(91)))
    assert seconds(removes, {"main": replace(SPEED, writes_per_minute=91)}) == pytest.approx(2.6)
    assert seconds(removes, {"main": replace(SPEED, writes_per_minute=30)}) == pytest.approx(180)
