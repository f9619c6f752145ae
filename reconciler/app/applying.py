"""Running a plan: lease, plan again, check what was approved, write, verify, remember."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler import __version__
from reconciler.app.planning import (
    Planned,
    Request,
    Workspace,
    bound_ids,
    check_expected,
    check_saved,
    store_for,
)
from reconciler.apply.control import FREEZE_VARIABLE, Control, frozen
from reconciler.apply.executor import Executor, planned_changes
from reconciler.apply.journal import Intending, Journal, Recorded
from reconciler.apply.operation import Operator
from reconciler.apply.ownership import owned_resource
from reconciler.errors import Exit, LeaseHeld, Refused, StoreError
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.inventory import LastRead, Owned
from reconciler.model.live import AccountLive
from reconciler.model.resources import Account
from reconciler.plan.approvals import missing
from reconciler.plan.binding import OBJECTS
from reconciler.plan.changes import Approval, Change
from reconciler.plan.saved import SavedPlan, stamp
from reconciler.providers._pace import base_url, pace, settle
from reconciler.providers.base import Provider
from reconciler.providers.reading import Sessions, connected
from reconciler.report import Event, Interrupted, Outcome, RunEnded, RunStarted, Verified, fold
from reconciler.report import Report as Report
from reconciler.store import Lease, OperationState, OpId, Run, Store, intent_of
from reconciler.store import Outcome as StoredOutcome

GRACE_S = 6.5
"""How long requests that are under way may still take after the first interrupt."""

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
    interrupts: Callable[[Control, Callable[[], object]], None] | None = None
    """Told how to stop the run: gently through the control, at once through the function."""

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
    """Plan, check, run, verify. Raises what ``planning`` raises, LeaseHeld, StalePlan and Refused; nothing was sent
    then."""
    workspace = Workspace.of(request)
    with store_for(workspace.desired, request, create=True) as store:
        inventory = store.inventory()
        accounts = workspace.scoped(inventory)
        control = _control(workspace, options)
        async with (
            _leased(store, accounts, workspace.providers, control),
            connected(
                accounts,
                workspace.providers,
                read_only=False,
                concurrency=request.parallelism,
                progress=request.progress,
            ) as sessions,
        ):
            planned = await workspace.planned(inventory, sessions, accounts)
            if planned.exit_code in (Exit.CREDENTIALS, Exit.UNREACHABLE):
                options.show(planned)
                return Applied(planned=planned, exit_code=planned.exit_code)
            _check_review(planned, options, store)
            options.show(planned)
            if planned.exit_code is not Exit.OK:
                return Applied(planned=planned, exit_code=planned.exit_code)
            _check_allowed(planned, options)
            return await _Apply(workspace, planned, options, store, sessions, accounts, control).run()


def _check_review(planned: Planned, options: ApplyOptions, store: Store) -> None:
    if options.saved is not None:
        check_saved(planned, options.saved, store)
    elif options.expect:
        check_expected(planned, options.expect, store)


def _check_allowed(planned: Planned, options: ApplyOptions) -> None:
    """Raises Refused unless every guard is lifted, every class of change approved, and nothing frozen."""
    if guards := planned.plan.guards:
        flags = " ".join(f"--allow {lift}" for lift in dict.fromkeys(g.lift for g in guards))
        raise Refused("; ".join(g.message for g in guards), hint=f"if this is meant, add: {flags}")
    if not planned.plan.changes:
        return
    granted = options.approve
    if options.reviewed:
        granted |= frozenset(Approval) - {Approval.CONTACT}
    lacking = missing(planned.plan, granted)
    # On a terminal a person is asked even about nothing special, unless the flags or a review said yes already.
    unasked = not options.approve and not options.reviewed
    if options.ask is not None and (lacking or unasked):
        lacking = missing(planned.plan, granted | options.ask(planned, lacking))
    if lacking:
        named = ", ".join(f"{a} ({len(c)} {'change' if len(c) == 1 else 'changes'})" for a, c in lacking.items())
        raise Refused(f"not approved: {named}", hint=f"add: --approve {','.join(lacking)}")
    if reason := frozen(Path(planned.desired.project.root), os.environ.get(FREEZE_VARIABLE)):
        raise Refused(f"writing is frozen: {reason}", hint="lift the freeze, then apply again")


def _control(workspace: Workspace, options: ApplyOptions) -> Control:
    deadline = options.deadline_s
    return Control(
        root=Path(workspace.desired.project.root),
        variable=os.environ.get(FREEZE_VARIABLE),
        deadline=None if deadline is None else time.monotonic() + deadline,
    )


@asynccontextmanager
async def _leased(
    store: Store, accounts: Mapping[str, Account], providers: Mapping[str, Provider], control: Control
) -> AsyncIterator[None]:
    """Nobody else applies to these accounts meanwhile. Raises LeaseHeld."""
    identities = []
    for name, account in accounts.items():
        provider = providers[account.provider]
        declared = provider.identity(account)
        identities.append(declared or f"{account.provider}:{base_url(account, provider.defaults)}:{name}")
    lease = store.acquire(identities)
    heartbeat = asyncio.create_task(_renewed(store, lease, accounts, control))
    try:
        yield
    finally:
        heartbeat.cancel()
        with suppress(LeaseHeld):
            store.release(lease)


async def _renewed(store: Store, lease: Lease, accounts: Mapping[str, Account], control: Control) -> None:
    """Keeps the lease; when somebody has taken it over, nothing new starts."""
    while True:
        await asyncio.sleep(_RENEW_EVERY_S)
        try:
            lease = await asyncio.to_thread(store.renew, lease)
        except (LeaseHeld, StoreError) as lost:
            control.halted.update(dict.fromkeys(accounts, lost.message))
            return


class _Ledger:
    """A store's run as the executor's ledger. The reviewed plan is used up when the first request is about to leave."""

    def __init__(self, run: Run, key: bytes, digest: str) -> None:
        self._run, self._key, self._digest = run, key, digest

    def intend(self, intents: list[Intending]) -> list[int]:
        now = datetime.now(UTC)
        rows = [
            intent_of(
                i.address,
                i.batch,
                not_after=now + timedelta(seconds=i.not_after_s),
                members=i.batch.rows.hashes(self._key) if i.batch.rows is not None else frozenset(),
            )
            for i in intents
        ]
        with self._run.batch():
            if self._digest:
                self._run.use_plan(self._digest)
            ops = self._run.intend_many(rows)
        self._digest = ""
        return [int(op) for op in ops]

    def record(self, outcomes: list[Recorded]) -> None:
        self._run.record_many(
            StoredOutcome(op=OpId(o.op), state=OperationState(o.verdict.value), remote_id=o.remote_id, note=o.note)
            for o in outcomes
        )

    def own(self, owned: Owned) -> None:
        with self._run.batch():
            self._run.own(owned)
            if owned.address.kind is Kind.MEMBERSHIP and not (owned.applied and owned.added):
                # An empty set leaves the stored one alone; here it means that nobody is left.
                self._run.members(owned.address, applied=owned.applied, added=owned.added)

    def disown(self, address: Address) -> None:
        self._run.disown(address)


@dataclass(slots=True)
class _Apply:
    """One run, from the first intent to the last line of the report."""

    workspace: Workspace
    planned: Planned
    options: ApplyOptions
    store: Store
    sessions: Sessions
    accounts: Mapping[str, Account]
    control: Control
    events: list[Event] = field(default_factory=list)

    async def run(self) -> Applied:
        run = self.store.begin_run("apply", tool_version=__version__, plan_digest=self.options.reviewed)
        self._tell(
            RunStarted(
                run_id=run.id,
                started_at=stamp(datetime.now(UTC)),
                project=self.planned.plan.project,
                environment=self.planned.plan.environment,
                changes=planned_changes(self.planned.plan),
            )
        )
        interrupted = await self._execute(run)
        exit_code = await self._conclude(run, interrupted)
        counts = {str(o): n for o, n in fold(self.events).counts.items()}
        run.close(exit_code=exit_code, counts=counts)
        self._tell(RunEnded(ended_at=stamp(datetime.now(UTC)), exit_code=exit_code, resume=self._resume(exit_code)))
        return Applied(planned=self.planned, exit_code=exit_code, report=fold(self.events))

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        self.options.emit(event)

    async def _execute(self, run: Run) -> bool:
        """Whether it was interrupted."""
        control = self.control
        if not self.planned.plan.changes:
            return False
        journal = Journal(_Ledger(run, self.planned.inventory.key, self.options.reviewed))
        executor = Executor(
            self.planned.plan,
            {name: self._operator(name, journal, control) for name in self.sessions.by_account},
            journal,
            self.planned.inventory,
            bound_ids(self.planned),
            self._tell,
        )
        work = asyncio.create_task(executor.run())
        if self.options.interrupts is not None:
            self.options.interrupts(control, work.cancel)
        try:
            await self._until_done(work, control)
        finally:
            await asyncio.to_thread(journal.close)
        if control.interrupted.is_set():
            self._tell(Interrupted())
        return control.interrupted.is_set()

    async def _until_done(self, work: asyncio.Task[None], control: Control) -> None:
        """Waits for the work, and after an interrupt only as long as requests under way may still take."""
        stop = asyncio.create_task(control.interrupted.wait())
        try:
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await asyncio.wait({work}, timeout=GRACE_S)
                work.cancel()
            with suppress(asyncio.CancelledError):
                await work
        finally:
            stop.cancel()

    def _operator(self, name: str, journal: Journal, control: Control) -> Operator:
        account = self.accounts[name]
        defaults = self.workspace.providers[account.provider].defaults
        landing_s, visibility_s = settle(account, defaults)
        limits = pace(account, defaults, self.planned.request.parallelism)
        return Operator(
            session=self.sessions.by_account[name],
            journal=journal,
            control=control,
            account=name,
            landing_s=landing_s,
            visibility_s=visibility_s,
            slots=asyncio.Semaphore(limits.concurrency),
            people=tuple(r.members.contacts for r in self.planned.desired.of(name) if r.members is not None),
        )

    async def _conclude(self, run: Run, interrupted: bool) -> Exit:
        """The exit code, after looking whether live is now what was asked for."""
        counts = fold(self.events).counts
        if interrupted:
            return Exit.TERMINATED if self.control.terminated else Exit.INTERRUPTED
        if counts.get(Outcome.UNRESOLVED):
            return Exit.UNRESOLVED
        if any(n for outcome, n in counts.items() if outcome is not Outcome.DONE):
            return Exit.PARTIAL
        fresh = await self._fresh()
        left = [str(c.address) for c in fresh.plan.changes] + [d.message for d in fresh.plan.blocking]
        self._tell(Verified(empty=not left, reasons=tuple(left[:10])))
        if left:
            return Exit.PARTIAL
        self._remember(run, fresh)
        return Exit.OK

    async def _fresh(self) -> Planned:
        """A plan made after the last write; the first one when nothing was written."""
        if not self.planned.plan.changes:
            return self.planned
        return await self.workspace.planned(self.store.inventory(), self.sessions, self.accounts)

    def _remember(self, run: Run, fresh: Planned) -> None:
        """What holds from now on: whose accounts these are, how much was in them, and every manifest's lifecycle."""
        for name, live in sorted(fresh.live.accounts.items()):
            if isinstance(live, AccountLive):
                run.identity(name, live.identity)
                run.last_read(name, _counts(live))
        ids = bound_ids(fresh)
        for address, owned in sorted(fresh.inventory.owned.items()):
            if (now := _as_declared(fresh, address, owned, ids)) != owned:
                _Ledger(run, fresh.inventory.key, "").own(now)

    def _resume(self, exit_code: Exit) -> str:
        if exit_code is Exit.OK:
            return ""
        paths = " ".join(self.planned.request.inputs.paths)
        environment = f" -e {self.planned.plan.environment}" if self.planned.plan.environment else ""
        return f"reconciler apply {paths}{environment}".replace("  ", " ").strip()


def _counts(live: AccountLive) -> LastRead:
    return LastRead(
        objects={kind: sum(1 for k, _ in live.objects if k is kind) for kind in OBJECTS},
        members={remote_id: members.count for remote_id, members in live.members.items()},
    )


def _as_declared(fresh: Planned, address: Address, owned: Owned, ids: Mapping[Address, RemoteId]) -> Owned:
    """What is owned, as its manifest stands now: protection and onRemove hold even when nothing else changed."""
    resource = fresh.desired.resources.get(address)
    if resource is None:
        return owned
    return owned_resource(resource, ids.get(address, owned.remote_id), owned)
