"""One run of a plan: execute, verify, remember, report. And what an earlier run left open, settled before it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler import __version__
from reconciler.app import clock, snapshots
from reconciler.app.planning import Planned, Workspace, bound_ids
from reconciler.apply.control import GRACE_S, Control
from reconciler.apply.executor import Executor, planned_changes
from reconciler.apply.journal import Intending, Journal, Recorded
from reconciler.apply.operation import Held, Operator, Watch, unwatched
from reconciler.apply.ownership import confirmed
from reconciler.errors import Exit, Interruption, ReconcilerError, StoreError
from reconciler.model.addresses import Address, Kind
from reconciler.model.contacts import ContactSet
from reconciler.model.hashes import NO_MEMBERS
from reconciler.model.inventory import LastRead, Owned
from reconciler.model.live import AccountLive
from reconciler.model.resources import Account
from reconciler.plan.binding import OBJECTS
from reconciler.plan.calls import Step
from reconciler.plan.changes import Change
from reconciler.plan.losses import losses
from reconciler.plan.quiet import Quiet
from reconciler.plan.reached import opted_out_since
from reconciler.plan.saved import stamp
from reconciler.plan.selection import Refresh
from reconciler.providers.http import pace, settle
from reconciler.providers.reading import Sessions
from reconciler.report import Event, Interrupted, Outcome, Report, RunEnded, RunStarted, Verified, fold
from reconciler.store import OperationState, OpId, Run, Store, intent_of
from reconciler.store import Outcome as StoredOutcome


class RunLedger:
    """A store's run as the executor's ledger. The reviewed plan is used up when the first request is about to leave."""

    def __init__(self, run: Run, key: bytes, digest: str) -> None:
        self._run, self._key, self._digest = run, key, digest

    @contextmanager
    def together(self) -> Iterator[None]:
        unused = self._digest
        try:
            with self._run.batch():
                yield
        except BaseException:
            self._digest = unused  # nothing of it is in the store, and so the plan is not used up either
            raise

    def intend(self, intents: list[Intending]) -> list[int]:
        now = datetime.now(UTC)
        rows = [
            intent_of(
                i.address,
                i.batch,
                not_after=now + timedelta(seconds=i.not_after_s),
                members=i.batch.rows.hashes(self._key) if i.batch.rows is not None else NO_MEMBERS,
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

    def own(self, owned: list[Owned], gone: list[Address]) -> None:
        with self._run.batch():
            self._run.own_many(owned)
            for one in owned:
                if one.address.kind is Kind.MEMBERSHIP and not (one.applied and one.added):
                    # An empty set leaves the stored one alone; here it means that nobody is left.
                    self._run.members(one.address, applied=one.applied, added=one.added)
            self._run.disown(*gone)


class Hours(Struct, frozen=True):
    """A plan's quiet hours as the executor asks for them: at this moment."""

    quiet: Quiet
    changes: Mapping[Address, Change]

    def __call__(self, address: Address, step: Step) -> Held | None:
        now = clock.now()
        if (waiting := self.quiet.waiting(self.changes[address], step, now)) is None:
            return None
        free = ContactSet.empty()
        if step.rows is not None and not waiting.whole:
            free = step.rows.without(self.quiet.rows_waiting(address.account, step.rows, now))
        return Held(reason=waiting.reason, free=free)


class Runner(Struct, kw_only=True):
    """One run, from the first intent to the last line of the report. ``reviewed`` is the digest that was approved."""

    workspace: Workspace
    planned: Planned
    reviewed: str
    store: Store
    sessions: Sessions
    accounts: Mapping[str, Account]
    control: Control
    emit: Callable[[Event], None]
    watch: Watch = unwatched
    events: list[Event] = field(default_factory=list)
    keep: bool = True
    """Whether what is removed is kept in a snapshot."""
    snapshot: Path | None = None
    """Where that is, once it is written."""

    async def run(self) -> tuple[Exit, Report]:
        """The exit code and the report. Raises what the store raises, after ending the run as far as that goes."""
        run = self.store.begin_run("apply", tool_version=__version__, plan_digest=self.reviewed)
        self._tell(
            RunStarted(
                run_id=run.id,
                started_at=stamp(datetime.now(UTC)),
                project=self.planned.plan.project,
                environment=self.planned.plan.environment,
                changes=planned_changes(self.planned.plan),
            )
        )
        try:
            await self._execute(run)
            exit_code = await self._conclude(run)
        except ReconcilerError as failure:
            with suppress(StoreError):
                self._close(run, failure.exit_code)
            raise
        self._close(run, exit_code)
        self._tell(RunEnded(ended_at=stamp(datetime.now(UTC)), exit_code=exit_code, resume=self._resume(exit_code)))
        return exit_code, fold(self.events)

    def _close(self, run: Run, exit_code: Exit) -> None:
        run.close(exit_code=exit_code, counts={str(o): n for o, n in fold(self.events).counts.items()})

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        self.emit(event)

    async def _execute(self, run: Run) -> None:
        if not self.planned.plan.changes:
            return
        for account in self.planned.plan.accounts:
            # Before the first write: whose account it was must be known even when nothing goes well.
            self._pin(run, account.name, account.identity)
        self._keep_losses(run)
        journal = Journal(RunLedger(run, self.planned.inventory.key, self.reviewed))
        executor = Executor(
            self.planned.plan,
            {name: self._operator(name, journal) for name in self.sessions.by_account},
            journal,
            self.planned.inventory,
            bound_ids(self.planned),
            self._tell,
        )
        try:
            await self.control.graceful(executor.run(), GRACE_S)
        finally:
            await journal.close()

    def _keep_losses(self, run: Run) -> None:
        """Before anything goes for good, what goes is written down."""
        if not self.keep:
            return
        planned = self.planned
        lost = losses(planned.plan, planned.desired, planned.live, planned.inventory, bound_ids(planned))
        if lost:
            project = planned.desired.project
            self.snapshot = snapshots.write(
                Path(project.root),
                run.id,
                lost,
                key=planned.inventory.key,
                project=project.name,
                environment=project.environment,
            )

    def _operator(self, name: str, journal: Journal) -> Operator:
        account = self.accounts[name]
        defaults = self.workspace.providers[account.provider].defaults
        landing_s, visibility_s = settle(account, defaults)
        return Operator(
            session=self.sessions.by_account[name],
            journal=journal,
            control=self.control,
            account=name,
            landing_s=landing_s,
            visibility_s=visibility_s,
            slots=pace(account, defaults, self.planned.request.parallelism).concurrency,
            people=tuple(r.members.contacts for r in self.planned.desired.of(name) if r.members is not None),
            watch=self.watch,
            hours=Hours(self.planned.quiet, {c.address: c for c in self.planned.plan.changes}),
        )

    async def _conclude(self, run: Run) -> Exit:
        """The exit code, after looking whether live is now what was asked for."""
        counts = fold(self.events).counts
        undone = any(n for outcome, n in counts.items() if outcome is not Outcome.DONE)
        try:
            fresh = None if self.control.interrupted.is_set() else await self._fresh()
        except Interruption:
            fresh = None
        if fresh is None:
            self._tell(Interrupted())
            return self.control.exit_code
        self._remember_reads(run, fresh)
        if gone := tuple(opted_out_since(self.planned.plan, fresh.live, fresh.inventory)):
            self._tell(Verified(empty=None, reasons=gone))
        if counts.get(Outcome.UNRESOLVED):
            return Exit.UNRESOLVED
        if undone or gone:
            return Exit.PARTIAL
        left = [str(c.address) for c in fresh.plan.changes] + [d.message for d in fresh.plan.blocking]
        counted = sum(len(a.counted) for a in fresh.plan.accounts)
        if left or not counted:
            self._tell(Verified(empty=not left, reasons=tuple(left[:10])))
        else:
            whose = "a list" if counted == 1 else f"{counted} lists"
            self._tell(
                Verified(empty=None, reasons=(f"who is on {whose} was counted and not read (--refresh counts)",))
            )
        if left:
            return Exit.PARTIAL
        self._remember_confirmed(run, fresh)
        return Exit.OK

    async def _fresh(self) -> Planned:
        """A plan made after the last write, of all there is; the first one when nothing was written."""
        if not self.planned.plan.changes:
            return self.planned
        inventory = self.store.inventory()
        planning = self.workspace.planned(inventory, self.sessions, self.accounts, whole=True)
        return await self.control.unless_interrupted(planning)

    def _remember_reads(self, run: Run, fresh: Planned) -> None:
        """Whose accounts these are, and how much was in them after our own writes."""
        for name, live in sorted(fresh.live.accounts.items()):
            if isinstance(live, AccountLive):
                self._pin(run, name, live.identity)
                run.last_read(name, counts_of(live))

    def _pin(self, run: Run, account: str, identity: str) -> None:
        """Whose account it is; one that stops telling does not become anybody's."""
        if not (identity.endswith("=?") and self.planned.inventory.identities.get(account)):
            run.identity(account, identity)

    def _remember_confirmed(self, run: Run, fresh: Planned) -> None:
        """Every manifest that this run was about is live as it stands, changed or not: its lifecycle holds from now on,
        and what drift is told by is what it declares."""
        changed, steady = list[Owned](), list[Owned]()
        for address, owned in sorted(fresh.inventory.owned.items()):
            resource, live = fresh.desired.resources.get(address), fresh.live.accounts.get(address.account)
            if resource is None or not isinstance(live, AccountLive):
                continue
            if resource.lifecycle.observe or not self.workspace.selection.covers(address, resource):
                continue
            members = live.members.get(owned.parent) if owned.parent is not None else None
            now = confirmed(resource, owned, members, fresh.inventory.key)
            if now != owned:
                (steady if now.applied == owned.applied else changed).append(now)
        if changed:
            RunLedger(run, fresh.inventory.key, "").own(changed, [])
        with run.batch():
            for one in steady:
                # Its people are stored already; empty sets leave them alone.
                run.own(replace(one, applied=NO_MEMBERS, added=NO_MEMBERS))

    def _resume(self, exit_code: Exit) -> str:
        """The command that continues, with everything that this one was given."""
        if exit_code is Exit.OK:
            return ""
        inputs, words = self.planned.request.inputs, ["reconciler", "apply", *self.planned.request.inputs.paths]
        words += ["-e", inputs.environment] if inputs.environment else []
        words += ["--store", self.planned.request.store] if self.planned.request.store else []
        words += [] if inputs.refresh is Refresh.FULL else ["--refresh", str(inputs.refresh)]
        for flag, values in (
            ("--var", inputs.variables),
            ("--values", inputs.values),
            ("--select", inputs.select),
            ("--exclude", inputs.exclude),
            ("--allow-host", inputs.allow_hosts),
        ):
            words += [word for value in values for word in (flag, value)]
        return shlex.join(words)


def counts_of(live: AccountLive) -> LastRead:
    """How much was in an account that was read whole."""
    return LastRead(
        objects={kind: sum(1 for k, _ in live.objects if k is kind) for kind in OBJECTS},
        members={remote_id: members.count for remote_id, members in live.members.items()},
    )
