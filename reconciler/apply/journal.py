"""What the executor needs of a store, and how concurrent operations share its transactions.

Every intent is durable before its request leaves, and every transaction costs a disk flush. Operations that are under
way at the same time therefore share one, intents, inventory and outcomes alike: whoever comes while a flush runs is in
the next.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Protocol

from msgspec import Struct, field

from reconciler.errors import ReconcilerError
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.inventory import Owned
from reconciler.plan.calls import Step

BETWEEN_FLUSHES_S = 0.004
"""From the start of one flush to the start of the next, at least. A transaction costs as much processor time as ten
intents in it, and requests that are announced ahead do not wait for theirs."""
AHEAD_S = 0.004
"""How long an intent may wait for others when its request has no place yet. Answers come in bursts, and each makes room
for one more request to announce: without the wait the first of them would have a transaction to itself."""


class Verdict(StrEnum):
    """What became of one request; the store's words for the states of an operation."""

    DONE = "done"
    REJECTED = "rejected"
    NOT_PROCESSED = "not-processed"
    UNKNOWN = "unknown"
    UNRESOLVED = "unresolved"
    VOID = "void"


class Intending(Struct, frozen=True, kw_only=True):
    """A request about to be sent: a single-call step, and how many seconds from now it may start at the latest."""

    address: Address
    batch: Step
    not_after_s: float


class Recorded(Struct, frozen=True, kw_only=True):
    """The outcome of operation ``op``."""

    op: int
    verdict: Verdict
    remote_id: RemoteId | None = None
    note: str = ""


class Ledger(Protocol):
    """The writing side of a store for one run. Called from one thread."""

    def together(self) -> AbstractContextManager[None]:
        """Everything within is one transaction, durable when the block ends."""
        ...

    def intend(self, intents: list[Intending]) -> list[int]: ...

    def own(self, owned: list[Owned], gone: list[Address]) -> None:
        """``owned`` is ours from now on, and ``gone`` no more."""
        ...

    def record(self, outcomes: list[Recorded]) -> None: ...


class _Entry(Struct, frozen=True, kw_only=True):
    """What one caller wants written, and the numbers of its intents once it is durable."""

    intents: tuple[Intending, ...] = ()
    owned: tuple[Owned, ...] = ()
    gone: tuple[Address, ...] = ()
    outcomes: tuple[Recorded, ...] = ()
    written: asyncio.Future[list[int]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def needless(self) -> bool:
        """Whether it announces a request that nobody is going to send any more. What has happened is always told."""
        return bool(self.intents) and self.written.cancelled()


class Journal:
    """The ledger behind one thread, with group commit: one transaction for everything that is waiting.

    What is written is durable in the order in which it was given, an object that is ours no later than the outcome that
    is given after it. When a transaction fails, so does everybody in it: none of it is in the store, and none may send.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._waiting: list[_Entry] = []
        self._due = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._flush: asyncio.Task[None] | None = None
        self._next_flush = 0.0
        self.failure: ReconcilerError | None = None
        """What the store raised, the first time: nothing new may be sent after it, and the run ends with it."""

    async def intend(self, *intents: Intending, ahead: bool = False) -> list[int]:
        """The operations' numbers, once all intents are durable: they are in one transaction. Whatever the store
        raises, nothing may be sent then. ``ahead``: there is no place for the request yet, so there is no hurry."""
        return await self._written(_Entry(intents=intents), within_s=AHEAD_S if ahead else 0.0)

    async def record(self, outcomes: Iterable[Recorded]) -> None:
        if told := tuple(outcomes):
            await self._written(_Entry(outcomes=told))

    async def own(self, *owned: Owned, gone: Iterable[Address] = ()) -> None:
        """``owned`` is ours from now on, and ``gone`` no more: all of it or nothing, since an object that two addresses
        own can be planned for by neither."""
        leaving = tuple(gone)
        if owned or leaving:
            await self._written(_Entry(owned=owned, gone=leaving))

    async def _written(self, entry: _Entry, *, within_s: float = 0.0) -> list[int]:
        self._waiting.append(entry)
        self._due = min(self._due, asyncio.get_running_loop().time() + within_s)
        if self._flush is None:
            self._arrange()
        return await entry.written

    def _arrange(self) -> None:
        """The next flush is when somebody wants it, but not too soon after the last one."""
        when = max(self._due, self._next_flush)
        if self._timer is not None and when >= self._timer.when():
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self._begin)

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._flush = None, asyncio.create_task(self._flush_waiting())

    async def _flush_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        self._next_flush = loop.time() + BETWEEN_FLUSHES_S
        group = [entry for entry in self._waiting if not entry.needless]
        self._waiting, self._due = [], math.inf
        try:
            numbers = iter(await loop.run_in_executor(self._thread, self._write, group))
        except BaseException as failure:  # every waiter must hear of it, whatever it is: none of them may send
            if isinstance(failure, ReconcilerError):
                self.failure = self.failure or failure
            for entry in group:
                if not entry.written.done():
                    entry.written.set_exception(failure)
        else:
            for entry in group:
                its_own = [next(numbers) for _ in entry.intents]
                if not entry.written.done():
                    entry.written.set_result(its_own)
        self._flush = None
        if self._waiting:
            self._arrange()

    def _write(self, group: list[_Entry]) -> list[int]:
        """One transaction. Outcomes come last: of what was created, and of intents in earlier groups."""
        if not group:
            return []
        with self._ledger.together():
            intents = [intent for entry in group for intent in entry.intents]
            numbers = self._ledger.intend(intents) if intents else []
            for owned, gone in _books(group):
                self._ledger.own(owned, gone)
            if outcomes := [outcome for entry in group for outcome in entry.outcomes]:
                self._ledger.record(outcomes)
        return numbers

    async def close(self) -> None:
        """When everything that is waiting has been written, also for those who do not wait for it any more."""
        while self._waiting or self._flush is not None:
            if self._flush is None:
                self._begin()
            else:
                await asyncio.wait([self._flush])
        await asyncio.to_thread(self._thread.shutdown)


def _books(group: list[_Entry]) -> Iterator[tuple[list[Owned], list[Address]]]:
    """What becomes ours and what leaves, in as few pieces as keep the order: an address that was let go of may be taken
    again."""
    owned: list[Owned] = []
    gone: list[Address] = []
    for entry in group:
        if gone and entry.owned:
            yield owned, gone
            owned, gone = [], []
        owned += entry.owned
        gone += entry.gone
    if owned or gone:
        yield owned, gone
