"""What the executor needs of a store, and how concurrent operations share its transactions.

Every intent is durable before its request leaves, and every transaction costs a disk flush. Operations that are under
way at the same time therefore share one: whoever comes while a flush runs is in the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Protocol, TypeVar

from reconciler.model.addresses import Address, RemoteId
from reconciler.model.inventory import Owned
from reconciler.plan.calls import Step

T = TypeVar("T")

BETWEEN_FLUSHES_S = 0.004
"""From the start of one flush to the start of the next, at least. A transaction costs as much processor time as ten
intents in it, and requests that are announced ahead do not wait for theirs."""


class Verdict(StrEnum):
    """What became of one request; the store's words for the states of an operation."""

    DONE = "done"
    REJECTED = "rejected"
    NOT_PROCESSED = "not-processed"
    UNKNOWN = "unknown"
    UNRESOLVED = "unresolved"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intending:
    """A request about to be sent: a single-call step, and how many seconds from now it may start at the latest."""

    address: Address
    batch: Step
    not_after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The outcome of operation ``op``."""

    op: int
    verdict: Verdict
    remote_id: RemoteId | None = None
    note: str = ""


class Ledger(Protocol):
    """The writing side of a store for one run. Every method is durable when it returns. Called from one thread."""

    def intend(self, intents: list[Intending]) -> list[int]: ...

    def record(self, outcomes: list[Recorded]) -> None: ...

    def own(self, owned: list[Owned], gone: list[Address]) -> None: ...

    def disown(self, address: Address) -> None: ...


class Journal:
    """The ledger behind one thread, with group commit."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._waiting: list[tuple[Intending, asyncio.Future[int]]] = []
        self._flush: asyncio.Task[None] | None = None
        self._next_flush = 0.0

    async def intend(self, *intents: Intending) -> list[int]:
        """The operations' numbers, once all intents are durable: they are in one transaction. Whatever the store
        raises, nothing may be sent then."""
        loop = asyncio.get_running_loop()
        waiting = [(intent, loop.create_future()) for intent in intents]
        self._waiting += waiting
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._flush_waiting())
        return list(await asyncio.gather(*(future for _, future in waiting)))

    async def _flush_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            if (wait_s := self._next_flush - loop.time()) > 0:
                await asyncio.sleep(wait_s)
            self._next_flush = loop.time() + BETWEEN_FLUSHES_S
            group, self._waiting = self._waiting, []
            intents = [intent for intent, _ in group]
            try:
                numbers = await self._in_thread(partial(self._ledger.intend, intents))
            except BaseException as failure:  # every waiter must hear of it, whatever it is: none of them may send
                for _, future in group:
                    if not future.done():
                        future.set_exception(failure)
                continue
            for (_, future), number in zip(group, numbers, strict=True):
                if not future.done():
                    future.set_result(number)

    async def record(self, outcomes: list[Recorded]) -> None:
        if outcomes:
            await self._in_thread(lambda: self._ledger.record(outcomes))

    async def own(self, *owned: Owned, gone: Iterable[Address] = ()) -> None:
        """``owned`` is ours from now on, and ``gone`` no more: all of it or nothing, since an object that two addresses
        own can be planned for by neither."""
        leaving = list(gone)
        if owned or leaving:
            await self._in_thread(lambda: self._ledger.own(list(owned), leaving))

    async def disown(self, address: Address) -> None:
        await self._in_thread(lambda: self._ledger.disown(address))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        self._thread.shutdown(wait=True)
