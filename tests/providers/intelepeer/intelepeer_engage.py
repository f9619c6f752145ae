"""The provider's session against its simulation, and a plain way to carry out a plan."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from intelepeer_world import NOTHING_OWNED, account, planned

from reconciler.model.addresses import Address, RemoteId
from reconciler.model.desired import Desired
from reconciler.model.inventory import Inventory
from reconciler.model.live import AccountLive
from reconciler.plan.calls import Effect, Evidence, Step, resolved
from reconciler.plan.changes import Plan
from reconciler.providers.base import Answer, Connection, Scope, Secret, Session
from reconciler.providers.intelepeer import PROVIDER
from reconciler.sandbox import Sandbox

Got = TypeVar("Got")
SECRETS = {"username": Secret("sandbox"), "password": Secret("sandbox-intelepeer-password")}


def using(
    sandbox: Sandbox,
    do: Callable[[Session], Awaitable[Got]],
    *,
    read_only: bool = False,
    path: str = "",
    **settings: Any,
) -> Got:
    """What ``do`` makes of a session of its own."""

    async def work() -> Got:
        declared = account(sandbox.url + path, **settings)
        session = PROVIDER.connect(declared, Connection(secrets=SECRETS, read_only=read_only))
        try:
            return await do(session)
        finally:
            await session.aclose()

    return asyncio.run(work())


def fetched(sandbox: Sandbox, wanted: Desired, known: Inventory = NOTHING_OWNED, **more: Any) -> AccountLive:
    scope = Scope(desired=wanted, inventory=known, everything=more.pop("everything", False))
    return using(sandbox, lambda session: session.fetch(scope), read_only=True, **more)


def observed(sandbox: Sandbox, effect: Effect, rows: Any = None) -> Evidence:
    return using(sandbox, lambda session: session.observe(effect, rows), read_only=True)


def sent(sandbox: Sandbox, step: Step) -> Answer:
    return using(sandbox, lambda session: session.send(step.request({}), step.effect))


def steps_of(plan: Plan) -> Iterator[tuple[Address, Step]]:
    """Every step in the order of its phase, then of its change."""
    assert plan.blocking == (), plan.blocking
    found = [(step.phase, i, change.address, step) for i, change in enumerate(plan.changes) for step in change.steps]
    for _, _, address, step in sorted(found, key=lambda row: row[:2]):
        yield address, step


async def carry_out(session: Session, plan: Plan) -> dict[Address, RemoteId]:
    """Send every call of a plan in order, looking after each; returns the ids of what was created."""
    ids: dict[Address, RemoteId] = {}
    for address, step in steps_of(plan):
        for batch in step.batches():
            effect = resolved(batch.effect, ids)
            before = await session.observe(effect, batch.rows)
            assert before.state is Evidence.State.ABSENT, (address, batch.title, before)
            answer = await session.send(batch.request(ids), effect)
            after = await session.observe(effect, batch.rows)
            assert after.state is Evidence.State.HOLDS, (address, batch.title, after)
            if answer.remote_id is not None:
                assert after.remote_id == answer.remote_id
                ids[address] = answer.remote_id
    return ids


def converge(
    sandbox: Sandbox, wanted: Desired, known: Inventory = NOTHING_OWNED, *, allow: tuple[str, ...] = ()
) -> Plan:
    """Plan and carry out; returns the plan."""
    made = planned(wanted, fetched(sandbox, wanted, known), known, allow=allow)
    using(sandbox, lambda session: carry_out(session, made))
    return made


def methods(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Every request so far, without the common start of its path."""
    return [(r["method"], r["path"].removeprefix("/_rest/v2")) for r in sandbox.requests()]
