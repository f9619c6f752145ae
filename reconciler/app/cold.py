"""Cold settle: an apply that does not know what was done before waits until nothing of it can land any more.

A build machine that was lost takes its store with it, and perhaps a request that it sent a moment ago. A plan that is
made now does not show what that request creates, and would create it again. So where the journal is younger than the
time in which a request may land and show, the first creation of anything that can exist twice waits for the rest of
that time, and the plan is made again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from reconciler import __version__
from reconciler.app.leftovers import Unresolved, allow_hint
from reconciler.app.planning import Planned, Workspace
from reconciler.apply.operation import LONGEST_SETTLE_S
from reconciler.errors import Exit
from reconciler.model.resources import Account
from reconciler.plan.calls import Created, MembersAdded, Step
from reconciler.plan.rules import Rules
from reconciler.providers.http import settle
from reconciler.store import Store


def waits_s(store: Store, workspace: Workspace, planned: Planned, accounts: Mapping[str, Account]) -> float:
    """How long ``planned`` has to wait, 0 when it need not. Raises Unresolved for longer than a run may wait."""
    if planned.exit_code is not Exit.OK:
        return 0.0
    now = datetime.now(UTC)
    known_since = store.known_since() or now
    left_s = {}
    for name in sorted({c.address.account for c in planned.plan.changes}):
        account = accounts[name]
        provider = workspace.providers[account.provider]
        settle_s = sum(settle(account, provider.defaults))
        end = known_since + timedelta(seconds=settle_s)
        steps = (s for c in planned.plan.changes if c.address.account == name for s in c.steps)
        cold = settle_s and end > now and not workspace.allows.names("cold", name)
        if cold and any(_can_exist_twice(s, provider.rules) for s in steps):
            left_s[name] = (end - now).total_seconds()
    longest_s = max(left_s.values(), default=0.0)
    if longest_s > LONGEST_SETTLE_S:
        begin_journal(store)
        lifts = allow_hint(workspace, *(f"cold={name}" for name in left_s))
        raise Unresolved(
            f"nothing is known of what was done before, and it may still land for {longest_s:.0f} s",
            hint=f"apply again then; if nothing was under way, {lifts}",
        )
    return longest_s


async def wait(store: Store, workspace: Workspace, seconds: float) -> None:
    """Waits, and says so."""
    begin_journal(store)
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    workspace.request.tell(
        f"nothing is known of earlier applies: waiting until {until:%H:%M:%S} UTC for what may still land"
    )
    await asyncio.sleep(seconds)


def begin_journal(store: Store) -> None:
    """Has the journal begin, so that an apply that is ended while it waits has not waited for nothing."""
    if store.known_since() is None:
        store.begin_run("settle", tool_version=__version__).close(exit_code=Exit.OK)


def _can_exist_twice(step: Step, rules: Rules) -> bool:
    match step.effect:
        case Created(kind=kind):
            return not rules.kinds[kind].unique_names
        case MembersAdded(counted=counted):
            return counted or rules.membership.leads is not None
        case _:
            return False
