"""The store's door: what we own, what was done, who is at it. Synchronous, and safe to call from any thread.

Every method raises ``StoreError`` when the database fails; nothing is ever read as empty because it could not be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection

from reconciler.errors import StoreError
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.hashes import NO_MEMBERS, MemberHashes
from reconciler.model.inventory import LastRead, Owned
from reconciler.store import inventory as owned_sql
from reconciler.store import journal, leases
from reconciler.store.failing import READ_ONLY
from reconciler.store.known import Database, Known
from reconciler.store.leases import LEASE_TTL, Holder, Lease
from reconciler.store.records import Intent, OperationRecord, OperationState, OpId, Outcome, RunRecord
from reconciler.store.schema import runs

T = TypeVar("T")
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Store(Known):
    """One namespace of one database; made by ``open_store``. Without a database it reads as one that knows nothing."""

    def __init__(self, database: Database | None, *, namespace: str, clock: Clock = utc_now) -> None:
        super().__init__(database, namespace=namespace)
        self._clock = clock

    def members_of(self, address: Address) -> tuple[MemberHashes, MemberHashes]:
        """The member hashes of one owned Membership: applied, added."""
        return self._read(lambda c: owned_sql.read_members(c, self._namespace, address), (NO_MEMBERS, NO_MEMBERS))

    def owned_elsewhere(self, provider: str, kind: Kind, remote_id: RemoteId, *, identity: str) -> bool:
        """Whether another project or environment in this store owns this object.

        Ids of one account mean nothing in another. Where both identities are known and differ, it is another object.
        """
        return self._read(
            lambda c: owned_sql.is_owned_elsewhere(c, self._namespace, provider, kind, remote_id, identity), False
        )

    def begin_run(self, command: str, *, tool_version: str, plan_digest: str = "", request_id: str = "") -> Run:
        """Starts a run of ``command``; durable. Raises Refused when ``request_id`` was used before."""
        with self._write() as connection:
            run = journal.insert_run(
                connection,
                self._namespace,
                command=command,
                tool_version=tool_version,
                plan_digest=plan_digest,
                request_id=request_id,
                now=self._clock(),
            )
        return Run(run, self._existing(), namespace=self._namespace, clock=self._clock)

    def runs(self) -> tuple[RunRecord, ...]:
        """Every run, newest first."""
        return self._read(lambda c: journal.read_runs(c, self._namespace), ())

    def run_of_request(self, request_id: str) -> RunRecord | None:
        """The run that was started for ``request_id``, if any."""
        return self._read(lambda c: journal.find_request(c, self._namespace, request_id), None)

    def unfinished_runs(self) -> tuple[RunRecord, ...]:
        """Runs that never ended, newest first: they are at it, or died."""
        return self._read(lambda c: journal.read_runs(c, self._namespace, runs.c.ended_at.is_(None)), ())

    def end_run(self, run_id: str, *, exit_code: int, counts: Mapping[str, int] | None = None) -> None:
        """Closes a run that died, once its operations are settled."""
        with self._write() as connection:
            journal.end_run(
                connection, self._namespace, run_id, exit_code=exit_code, counts=counts or {}, now=self._clock()
            )

    def operations(self, run_id: str) -> tuple[OperationRecord, ...]:
        """The operations of one run, in the order of their intents."""
        return self._read(lambda c: journal.read_operations(c, self._namespace, run_id), ())

    def open_intents(self) -> tuple[OperationRecord, ...]:
        """Operations of any run that may have taken effect and were not looked up yet, oldest first."""
        return self._unsettled(OperationState.INTENT, OperationState.UNKNOWN)

    def unresolved(self) -> tuple[OperationRecord, ...]:
        """Operations that wait for a person, oldest first."""
        return self._unsettled(OperationState.UNRESOLVED)

    def plan_used(self, digest: str) -> bool:
        return self._read(lambda c: journal.is_used_plan(c, self._namespace, digest), False)

    def known_since(self) -> datetime | None:
        """When this namespace's journal begins: nobody here knows what was done before. None: it is empty."""
        return self._read(lambda c: journal.first_start(c, self._namespace), None)

    def acquire(self, identities: Iterable[str], *, command: str = "apply", ttl: timedelta = LEASE_TTL) -> Lease:
        """The lease of every account in ``identities``, or of none. Raises LeaseHeld (exit 8).

        Taken over at once: a lease that ran out, or whose holder is certainly dead; on PostgreSQL, one whose holder's
        connection has ended. Renew it every third of ``ttl``.
        """
        locks = self._existing().session_locks
        with self._write() as connection:
            return leases.acquire(
                connection, identities, command=command, ttl=ttl, session_locks=locks, now=self._clock()
            )

    def renew(self, lease: Lease) -> Lease:
        """``lease`` with a later ``expires``. Raises LeaseHeld when it was taken over: nothing more may be sent."""
        with self._write() as connection:
            return leases.renew(connection, lease, now=self._clock())

    def release(self, lease: Lease) -> None:
        locks = self._existing().session_locks
        with self._write() as connection:
            leases.release(connection, lease, session_locks=locks, now=self._clock())

    def holder(self, identity: str) -> Holder | None:
        """Who holds the lease of an account now."""
        return self._read(lambda c: leases.find_holder(c, identity, now=self._clock()), None)

    def holders(self) -> tuple[Holder, ...]:
        """Everybody who has not given a lease back, the dead included, by identity; of every project in the store."""
        return self._read(lambda c: leases.read_holders(c, now=self._clock()), ())

    def break_leases(self, identities: Iterable[str]) -> tuple[Holder, ...]:
        """Takes the leases of these accounts away; who had them. A living holder stops when it renews next."""
        with self._write() as connection:
            return leases.break_(connection, identities, now=self._clock())

    def _unsettled(self, *states: OperationState) -> tuple[OperationRecord, ...]:
        return self._read(lambda c: journal.read_unsettled(c, self._namespace, frozenset(states)), ())

    def _read(self, query: Callable[[Connection], T], missing: T) -> T:
        return missing if self._database is None else self._database.read(query)

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._existing().write() as connection:
            yield connection

    def _existing(self) -> Database:
        if self._database is None:
            raise StoreError(READ_ONLY)
        return self._database


class Run:
    """One run of a command that writes. Each method is one durable transaction, unless ``batch`` joins several.

    ``intend`` returns only when a power cut can no longer lose the intent: that is what may be relied on before a
    request leaves.
    """

    def __init__(self, run_id: str, database: Database, *, namespace: str, clock: Clock) -> None:
        self.id = run_id
        self._database = database
        self._namespace = namespace
        self._clock = clock
        self._next = 1
        self._ended = False

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Everything within is recorded together, or, when anything in it fails, not at all. Holds other threads up."""
        with self._write():
            yield

    def intend(self, intent: Intent) -> OpId:
        """Records that a request is about to be sent."""
        return self.intend_many([intent])[0]

    def intend_many(self, intents: Sequence[Intent]) -> tuple[OpId, ...]:
        """Several intents at the price of one."""
        if not intents:
            return ()
        with self._write() as connection:
            first, self._next = self._next, self._next + len(intents)
            return journal.insert_intents(connection, self._namespace, self.id, first, intents, self._clock())

    def record(self, op: OpId, state: OperationState, *, remote_id: RemoteId | None = None, note: str = "") -> None:
        """Records what came of an operation. Raises StoreError when its final outcome is recorded already."""
        self.record_many([Outcome(op=op, state=state, remote_id=remote_id, note=note)])

    def record_many(self, outcomes: Iterable[Outcome]) -> None:
        """Several outcomes at the price of one."""
        self._outcomes(self.id, outcomes)

    def settle(
        self,
        operation: OperationRecord,
        state: OperationState,
        *,
        remote_id: RemoteId | None = None,
        note: str = "",
    ) -> None:
        """Records what this run found out about an operation that an earlier run left open."""
        self._outcomes(operation.run, [Outcome(op=operation.op, state=state, remote_id=remote_id, note=note)])

    def own(self, owned: Owned) -> None:
        """Takes ``owned`` into the inventory, or replaces what is known of it. Empty member sets leave the stored ones
        as they are; ``members`` empties them."""
        self.own_many([owned])

    def own_many(self, owned: Sequence[Owned]) -> None:
        """``own`` for several, at the price of one."""
        with self._write() as connection:
            owned_sql.write_owned(connection, self._namespace, owned, self._clock())

    def disown(self, *addresses: Address) -> None:
        """Lets go of ``addresses``; nothing happens to one that is not owned."""
        with self._write() as connection:
            owned_sql.delete_owned(connection, self._namespace, addresses)

    def rename(self, old: Address, new: Address) -> None:
        """Raises StoreError when ``old`` is not owned, or ``new`` is already."""
        with self._write() as connection:
            owned_sql.rename_owned(connection, self._namespace, old, new, self._clock())

    def members(
        self, address: Address, *, applied: MemberHashes | None = None, added: MemberHashes | None = None
    ) -> None:
        """Replaces the member hashes of an owned Membership; a set that is None stays as it is."""
        with self._write() as connection:
            owned_sql.write_members(connection, self._namespace, address, applied=applied, added=added)

    def identity(self, account: str, identity: str) -> None:
        """Remembers whose account ``account`` is."""
        with self._write() as connection:
            owned_sql.write_identity(connection, self._namespace, account, identity)

    def last_read(self, account: str, read: LastRead) -> None:
        """Remembers the counts of a read that was whole."""
        with self._write() as connection:
            owned_sql.write_last_read(connection, self._namespace, account, read, self._clock())

    def use_plan(self, digest: str) -> None:
        """Uses a saved plan up. Raises StalePlan when somebody else did, however close the race."""
        with self._write() as connection:
            journal.insert_used_plan(connection, self._namespace, digest, self.id, self._clock())

    def close(self, *, exit_code: int, counts: Mapping[str, int] | None = None) -> None:
        """Ends the run. Nothing can be recorded in it afterwards."""
        with self._write() as connection:
            journal.end_run(
                connection, self._namespace, self.id, exit_code=exit_code, counts=counts or {}, now=self._clock()
            )
        self._ended = True

    def _outcomes(self, run: str, outcomes: Iterable[Outcome]) -> None:
        with self._write() as connection:
            journal.write_outcomes(connection, self._namespace, run, outcomes, recorded_by=self.id, now=self._clock())

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        if self._ended:
            raise StoreError(f"run {self.id} has ended; nothing more can be recorded in it")
        with self._database.write() as connection:
            yield connection
