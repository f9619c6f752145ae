"""Apply: lease, settle what was left open, plan, check what was approved, run."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from reconciler.app import clock, cold
from reconciler.app.leasing import RENEW_EVERY_S, in_daemon, leased
from reconciler.app.leftovers import Leftovers
from reconciler.app.loading import Request
from reconciler.app.planning import Planned, Workspace, check_expected, check_saved, store_for
from reconciler.app.policies import RefusedByPolicy
from reconciler.app.recovering import settle_leftovers
from reconciler.app.running import Runner
from reconciler.apply.control import FREEZE_VARIABLE, Control, frozen
from reconciler.apply.operation import Watch, unwatched
from reconciler.errors import Exit, Refused, StalePlan
from reconciler.plan.approvals import missing
from reconciler.plan.changes import Approval, Change
from reconciler.plan.saved import SavedPlan
from reconciler.report import Event, Report
from reconciler.store import Store

_RENEW_EVERY_S = RENEW_EVERY_S

FRESH_S = 30.0
"""How long a person may think before what they agreed to is looked at once more."""

Ask = Callable[[Planned, Mapping[Approval, tuple[Change, ...]]], frozenset[Approval]]
"""Asks a person for approvals that are missing; the answer is what they granted."""


class ApplyOptions(Struct, kw_only=True):
    """What an apply needs besides the request. ``ask`` is None where nobody can be asked."""

    saved: SavedPlan | None = None
    expect: str = ""
    approve: frozenset[Approval] = frozenset()
    deadline_s: float | None = None
    snapshot: bool = True
    """Whether what is removed is kept in a snapshot."""
    show: Callable[[Planned], None] = lambda planned: None
    ask: Ask | None = None
    emit: Callable[[Event], None] = lambda event: None
    watch: Watch = unwatched
    signals: Callable[[Control], None] = lambda control: None
    """Told which control a signal is to interrupt."""

    @property
    def reviewed(self) -> str:
        """The digest that somebody approved, if any."""
        return self.saved.digest if self.saved else self.expect


class Applied(Struct, frozen=True, kw_only=True):
    """How an apply ended. ``report`` is None when nothing was run."""

    planned: Planned
    exit_code: Exit
    report: Report | None = None
    snapshot: Path | None = None
    """Where what was removed was kept, if anything was."""


async def apply(request: Request, options: ApplyOptions, workspace: Workspace | None = None) -> Applied:
    """Plan, check, run, verify. ``workspace`` is the request's own when left out.

    Raises what ``planning`` raises, LeaseHeld, StalePlan, Refused and Interruption: nothing was sent then. Raises
    StoreError and Unresolved too, which tell what was.
    """
    workspace = workspace or Workspace.of(replace(request, reviewed=bool(options.reviewed)))
    with store_for(workspace.desired, request, create=True) as store:
        accounts = workspace.scoped(store.inventory())
        control = _control(workspace, options)
        options.signals(control)
        async with (
            leased(store, accounts, workspace.providers, control, renew_every_s=_RENEW_EVERY_S) as lease,
            workspace.connected(accounts, read_only=False) as sessions,
        ):
            # Whoever had the lease may have changed what is owned until just now.
            leftovers = await control.unless_interrupted(
                settle_leftovers(store, workspace, sessions, accounts, store.inventory(), leased_at=datetime.now(UTC))
            )
            planning = partial(workspace.planned, leftovers.inventory, sessions, accounts, whole=leftovers.any)
            planned = _checked(await control.unless_interrupted(planning()), leftovers, options)
            if wait_s := cold.waits_s(store, workspace, planned, accounts):
                if options.ask is None:
                    await _check_allowed(planned, options)  # what is refused anyway need not wait for that
                await control.unless_interrupted(cold.wait(store, workspace, wait_s))
                planned = _checked(await control.unless_interrupted(planning()), leftovers, options)
            options.show(planned)
            if planned.exit_code is not Exit.OK:
                return Applied(planned=planned, exit_code=planned.exit_code)
            planned = await control.unless_interrupted(_agreed(planned, planning, leftovers, options))
            if planned.exit_code is not Exit.OK:
                options.show(planned)
                return Applied(planned=planned, exit_code=planned.exit_code)
            lease.renew()
            planned = leftovers.close(planned)
            runner = Runner(
                workspace=workspace,
                planned=planned,
                reviewed=options.reviewed,
                store=store,
                sessions=sessions,
                accounts=accounts,
                control=control,
                emit=options.emit,
                watch=options.watch,
                keep=options.snapshot,
            )
            exit_code, report = await runner.run()
            return Applied(planned=planned, exit_code=exit_code, report=report, snapshot=runner.snapshot)


def _checked(planned: Planned, leftovers: Leftovers, options: ApplyOptions) -> Planned:
    """``planned``. Raises StalePlan and Unresolved unless it could be run as it is, were it approved."""
    if planned.exit_code not in (Exit.CREDENTIALS, Exit.UNREACHABLE):
        leftovers.judge(planned)
        _check_review(planned, options, leftovers.store)
    return planned


def _check_review(planned: Planned, options: ApplyOptions, store: Store) -> None:
    if options.saved is not None:
        check_saved(planned, options.saved, store)
    if options.expect:
        check_expected(planned, options.expect, store)


async def _agreed(
    planned: Planned, planning: Callable[[], Awaitable[Planned]], leftovers: Leftovers, options: ApplyOptions
) -> Planned:
    """The plan, allowed. Where a person thought about it for long, it is made anew: people may have opted out since,
    and a campaign have begun. Raises StalePlan when it is another one by then. One that cannot be read any more or is
    refused is returned as it is."""
    asked_at = time.monotonic()
    await _check_allowed(planned, options)
    if options.ask is None or time.monotonic() - asked_at <= FRESH_S:
        return planned
    again = _checked(await planning(), leftovers, options)
    if again.exit_code is Exit.OK and again.fingerprint != planned.fingerprint:
        raise StalePlan("what is live changed while the question was open; nothing was changed", hint="apply again")
    return again


async def _check_allowed(planned: Planned, options: ApplyOptions) -> None:
    """Raises Refused unless policies agree, guards are lifted, each class of change approved, and nothing frozen."""
    if refusals := planned.plan.refusals:
        raise RefusedByPolicy(refusals)
    if guards := planned.plan.guards:
        flags = " ".join(f"--allow {lift}" for lift in dict.fromkeys(g.lift for g in guards))
        again = f"make the plan again with: {flags}" if options.reviewed else f"if this is meant, add: {flags}"
        raise Refused("; ".join(g.message for g in guards), hint=again)
    if not planned.plan.changes:
        return
    granted = options.approve
    if options.reviewed:
        granted |= frozenset(Approval) - {Approval.CONTACT}
    lacking = missing(planned.plan, granted)
    # On a terminal a person is asked even about nothing special, unless the flags or a review said yes already.
    unasked = not options.approve and not options.reviewed
    if options.ask is not None and (lacking or unasked):
        answers = await in_daemon(partial(options.ask, planned, lacking))
        if not answers:
            raise Refused("not approved; nothing was changed")
        lacking = missing(planned.plan, granted | answers)
    if lacking:
        named = ", ".join(f"{a} ({len(c)} {'change' if len(c) == 1 else 'changes'})" for a, c in lacking.items())
        raise Refused(f"not approved: {named}", hint=f"add: --approve {','.join(lacking)}")
    if waits := planned.quiet.nothing_else(clock.now()):
        # What can be done is done, and the rest waits; where there is nothing but waiting, no run begins at all.
        raise Refused("; ".join(f"{w.address}: {w.reason}" for w in waits[:5]), hint="apply again then")
    if reason := frozen(Path(planned.desired.project.root), os.environ.get(FREEZE_VARIABLE)):
        raise Refused(f"writing is frozen: {reason}", hint="lift the freeze, then apply again")


def _control(workspace: Workspace, options: ApplyOptions) -> Control:
    deadline = options.deadline_s
    return Control(
        root=Path(workspace.desired.project.root),
        variable=os.environ.get(FREEZE_VARIABLE),
        deadline=None if deadline is None else time.monotonic() + deadline,
    )
