"""Several requests at once, within the account's limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from reconciler.errors import ProviderError

Value = TypeVar("Value")

PAGES_EACH = 2
"""Pages that may be waiting for the one that is due or be under way, for each request that may be: while one is late,
the others go on."""


async def together(jobs: Iterable[Awaitable[Value]]) -> list[Value]:
    """All results in order; the first failure cancels the rest and is raised as itself."""

    async def run(job: Awaitable[Value]) -> Value:
        return await job

    coroutines: list[Coroutine[Any, Any, Value]] = [run(job) for job in jobs]
    if len(coroutines) == 1:
        return [await coroutines[0]]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(c) for c in coroutines]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [t.result() for t in tasks]


class Wanted(NamedTuple):
    """The page that is due: where it begins, where the one behind it would, and how many there may be from it on."""

    offset: int
    stride: int
    left: int


async def in_order(
    read: Callable[[int], Awaitable[Value]], first: Wanted, take: Callable[[Value], Wanted | None], *, width: int
) -> None:
    """Gives each page to ``take`` when its turn has come, while ``width`` of those behind it are on their way. ``take``
    says what is due then, None at the end. A page that was asked for and is not needed is dropped; one that cannot be
    read is a failure when it is due."""
    reading = _Pages(read, take, width)
    try:
        await reading.all_from(first)
    finally:
        await reading.stop()


class _Pages(Generic[Value]):
    """As many workers as requests that may be under way, each asking for one page after the other: a task for each page
    and somebody who waits for it would take as long as sending the request."""

    def __init__(
        self, read: Callable[[int], Awaitable[Value]], take: Callable[[Value], Wanted | None], width: int
    ) -> None:
        self._read = read
        self._take = take
        self._width = width
        self._due: Wanted | None = None
        self._coming: dict[int, Value | ProviderError | None] = {}
        """What was asked for, in order, and how it turned out; None while it is under way."""
        self._workers = set[asyncio.Task[None]]()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def all_from(self, first: Wanted) -> None:
        self._due = first
        self._employ()
        await self._over

    async def stop(self) -> None:
        self._due = None
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def _employ(self) -> None:
        while len(self._workers) < self._width and (start := self._next()) is not None:
            worker = asyncio.ensure_future(self._work(start))
            self._workers.add(worker)
            worker.add_done_callback(self._left)

    def _left(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and (failure := worker.exception()) is not None and not self._over.done():
            self._over.set_exception(failure)

    async def _work(self, start: int | None) -> None:
        while start is not None:
            try:
                came: Value | ProviderError = await self._read(start)
            except ProviderError as failure:
                came = failure
            if start in self._coming:
                self._coming[start] = came
                self._take_due()
            start = self._next()

    def _next(self) -> int | None:
        """Where the next page to ask for begins; None while there is none, or too many wait for one that is late."""
        due = self._due
        if due is None or len(self._coming) >= min(PAGES_EACH * self._width, due.left):
            return None
        start = next(reversed(self._coming)) + due.stride if self._coming else due.offset
        self._coming[start] = None
        return start

    def _take_due(self) -> None:
        """Everything whose turn has come."""
        due = self._due
        while due is not None and (page := self._coming.get(due.offset)) is not None:
            del self._coming[due.offset]
            if isinstance(page, ProviderError):
                raise page
            self._due = due = self._take(page)
            if due is None:
                self._over.set_result(None)
            elif self._coming and due.offset not in self._coming:
                self._coming.clear()
        self._employ()
