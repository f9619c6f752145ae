"""Apply: lease, settle what was left open, plan, check what was approved, run."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.app.planning import Planned, Request, Workspace, check_expected, check_saved, store_for
from reconciler.app.recovering import settle_leftovers
from reconciler.app.running import Runner
from reconciler.apply.control import FREEZE_VARIABLE, Control, frozen
from reconciler.apply.operation import Watch, unwatched
from reconciler.errors import Exit, LeaseHeld, Refused, StoreError
from reconciler.model.resources import Account
from reconciler.plan.approvals import missing
from reconciler.plan.changes import Approval, Change
from reconciler.plan.saved import SavedPlan
from reconciler.providers.base import Provider
from reconciler.providers.http import base_url
from reconciler.providers.reading import connected
from reconciler.report import Event, Report
from reconciler.store import Lease, Store

_RENEW_EVERY_S = 20.0

Ask = Callable[[Planned, Mapping[Approval, tuple[Change, ...]]], frozenset[Approval]]
"""Asks a person for approvals that are missing; the answer is what they granted."""


@dataclass(slots=True, kw_only=True)
class ApplyOptions:
    """What an apply needs besides the request. ``ask`` is None where nobody can be asked."""

    saved: SavedPlan | None = None
    expect: str = ""
    approve: frozenset[Approval] = frozenset()
    deadline_s: float | None = None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """How an apply ended. ``report`` is None when nothing was run."""

    planned: Planned
    exit_code: Exit
    report: Report | None = None


async def apply(request: Request, options: ApplyOptions) -> Applied:
    """Plan, check, run, verify.

    Raises what ``planning`` raises, LeaseHeld, StalePlan, Refused and Interruption: nothing was sent then. Raises
    StoreError and Unresolved too, which tell what was.
    """
    workspace = Workspace.of(request)
    with store_for(workspace.desired, request, create=True) as store:
        inventory = store.inventory()
        accounts = workspace.scoped(inventory)
        control = _control(workspace, options)
        options.signals(control)
        async with (
            _leased(store, accounts, workspace.providers, control) as lease,
            connected(
                accounts,
                workspace.providers,
                read_only=False,
                concurrency=request.parallelism,
                progress=request.progress,
            ) as sessions,
        ):
            inventory = await control.unless_interrupted(
                settle_leftovers(store, workspace, sessions, accounts, inventory)
            )
            planned = await control.unless_interrupted(workspace.planned(inventory, sessions, accounts))
            if planned.exit_code in (Exit.CREDENTIALS, Exit.UNREACHABLE):
                options.show(planned)
                return Applied(planned=planned, exit_code=planned.exit_code)
            _check_review(planned, options, store)
            options.show(planned)
            if planned.exit_code is not Exit.OK:
                return Applied(planned=planned, exit_code=planned.exit_code)
            await control.unless_interrupted(_check_allowed(planned, options))
            lease.renew()
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
            )
            exit_code, report = await runner.run()
            return Applied(planned=planned, exit_code=exit_code, report=report)


def _check_review(planned: Planned, options: ApplyOptions, store: Store) -> None:
    if options.saved is not None:
        check_saved(planned, options.saved, store)
    if options.expect:
        check_expected(planned, options.expect, store)


async def _check_allowed(planned: Planned, options: ApplyOptions) -> None:
    """Raises Refused unless every guard is lifted, every class of change approved, and nothing frozen."""
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
        answers = await _in_daemon(options.ask, planned, lacking)
        if not answers:
            raise Refused("not approved; nothing was changed")
        lacking = missing(planned.plan, granted | answers)
    if lacking:
        named = ", ".join(f"{a} ({len(c)} {'change' if len(c) == 1 else 'changes'})" for a, c in lacking.items())
        raise Refused(f"not approved: {named}", hint=f"add: --approve {','.join(lacking)}")
    if reason := frozen(Path(planned.desired.project.root), os.environ.get(FREEZE_VARIABLE)):
        raise Refused(f"writing is frozen: {reason}", hint="lift the freeze, then apply again")


async def _in_daemon(ask: Ask, planned: Planned, lacking: Mapping[Approval, tuple[Change, ...]]) -> frozenset[Approval]:
    """Ask in a thread that nobody waits for at exit: a prompt can be left, and the lease is renewed meanwhile."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[frozenset[Approval]] = loop.create_future()

    def settle(set_: Callable[[], None]) -> None:
        if not answer.done():
            set_()

    def asking() -> None:
        try:
            given = ask(planned, lacking)
        except BaseException as failure:  # it belongs to whoever waits, not to this thread
            problem = failure
            loop.call_soon_threadsafe(settle, lambda: answer.set_exception(problem))
        else:
            loop.call_soon_threadsafe(settle, lambda: answer.set_result(given))

    threading.Thread(target=asking, name="prompt", daemon=True).start()
    return await answer


def _control(workspace: Workspace, options: ApplyOptions) -> Control:
    deadline = options.deadline_s
    return Control(
        root=Path(workspace.desired.project.root),
        variable=os.environ.get(FREEZE_VARIABLE),
        deadline=None if deadline is None else time.monotonic() + deadline,
    )


class _Held:
    """A lease that is kept."""

    def __init__(self, store: Store, lease: Lease) -> None:
        self._store, self._lease = store, lease

    def renew(self) -> None:
        """Raises LeaseHeld when somebody has taken it over."""
        self._lease = self._store.renew(self._lease)

    def release(self) -> None:
        with suppress(LeaseHeld, StoreError):
            self._store.release(self._lease)


@asynccontextmanager
async def _leased(
    store: Store, accounts: Mapping[str, Account], providers: Mapping[str, Provider], control: Control
) -> AsyncIterator[_Held]:
    """Nobody else applies to these accounts meanwhile. Raises LeaseHeld."""
    identities = []
    for name, account in accounts.items():
        provider = providers[account.provider]
        declared = provider.identity(account)
        identities.append(declared or f"{account.provider}:{base_url(account, provider.defaults)}:{name}")
    lease = _Held(store, store.acquire(identities))
    heartbeat = asyncio.create_task(_renewed(lease, accounts, control))
    try:
        yield lease
    finally:
        heartbeat.cancel()
        lease.release()


async def _renewed(lease: _Held, accounts: Mapping[str, Account], control: Control) -> None:
    """Keeps the lease; when somebody has taken it over, nothing new starts."""
    while True:
        await asyncio.sleep(_RENEW_EVERY_S)
        try:
            await asyncio.to_thread(lease.renew)
        except (LeaseHeld, StoreError) as lost:
            control.halted.update(dict.fromkeys(accounts, lost.message))
            return
