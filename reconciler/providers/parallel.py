"""Several requests at once, within the account's limits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

Value = TypeVar("Value")

PAGES_EACH = 2
"""Pages of a list to ask for at once, for each request that may be under way: whichever place is free finds the next
one waiting, and need not wait until the pages that arrived with it were worked on."""


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


class Ahead(Generic[Value]):
    """Pages given out in order while those behind them are on their way already.

    A window and no batches: the next page is asked for as soon as one has arrived, not when all of a batch have.
    """

    def __init__(self, read: Callable[[int], Awaitable[Value]]) -> None:
        self._read = read
        self._coming: deque[tuple[int, asyncio.Task[Value]]] = deque()

    async def page(self, offset: int, stride: int, count: int) -> Value:
        """The page at ``offset``; the ``count - 1`` behind it, each ``stride`` further, are asked for as well.

        What was asked for at another place than it turned out to be needed at is dropped.
        """
        if self._coming and self._coming[0][0] != offset:
            await self._drop()
        while len(self._coming) < max(1, count):
            start = self._coming[-1][0] + stride if self._coming else offset
            self._coming.append((start, asyncio.ensure_future(self._one(start))))
        return await self._coming.popleft()[1]

    async def _one(self, start: int) -> Value:
        return await self._read(start)

    async def _drop(self) -> None:
        coming = [task for _, task in self._coming]
        self._coming.clear()
        for task in coming:
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._drop()
