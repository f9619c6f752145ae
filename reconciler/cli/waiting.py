"""Running one piece of asynchronous work to its end."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` returns or raises, as ``asyncio.run`` would have it.

    asyncio writes out its main task, with what that returned, when it takes its signal handler back. Of a plan over ten
    thousand resources that takes longer than to make it, so the main task returns nothing.
    """
    import asyncio  # 40 ms, which --help need not take

    results: list[T] = []

    async def keep() -> None:
        results.append(await work)

    asyncio.run(keep())
    return results[0]
