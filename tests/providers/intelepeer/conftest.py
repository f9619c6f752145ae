"""One sandbox a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from reconciler.sandbox import Sandbox


@pytest.fixture
def start() -> Iterator[Callable[..., Sandbox]]:
    """Start a sandbox with this provider's section of a seed. Its clock stands still: only tests make things due."""
    with ExitStack() as stack:

        def begin(**seed: Any) -> Sandbox:
            sandbox = stack.enter_context(Sandbox(seed={"intelepeer": seed}))
            sandbox.call(lambda: sandbox.world.clock.change({"freeze": True}))
            return sandbox

        yield begin


@pytest.fixture
def sandbox(start: Callable[..., Sandbox]) -> Sandbox:
    """One with nothing but the list that every account has."""
    return start()
