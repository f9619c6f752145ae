"""Several requests at once, within the account's limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable
from typing import Any, TypeVar

Value = TypeVar("Value")


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
