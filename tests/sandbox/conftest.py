"""A sandbox per test, and clients that are logged in to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from reconciler.sandbox import Sandbox

NOON = "2026-03-02T12:00:00"
Start = Callable[..., Sandbox]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a sandbox with a frozen clock, or as the test wants it."""
    with ExitStack() as stack:

        def begin(**options: Any) -> Sandbox:
            sandbox = stack.enter_context(Sandbox(**options))
            if "store" not in options:
                sandbox.call(lambda: sandbox.world.clock.change({"now": NOON, "freeze": True}))
            return sandbox

        yield begin


@pytest.fixture
def sandbox(start: Start) -> Sandbox:
    """The default one."""
    return start()


@pytest.fixture
def connect() -> Iterator[Callable[..., httpx.Client]]:
    """A client for any path; closed after the test."""
    with ExitStack() as stack:

        def open_client(sandbox: Sandbox, path: str = "", token: str | None = None) -> httpx.Client:
            headers = {} if token is None else {"Authorization": token}
            client = httpx.Client(
                base_url=f"{sandbox.url}{path}", headers=headers, trust_env=False, verify=False, timeout=5
            )
            return stack.enter_context(client)

        yield open_client


@pytest.fixture
def texts(connect: Callable[..., httpx.Client]) -> Callable[[Sandbox], httpx.Client]:
    """SlickText below the default brand."""
    return lambda sandbox: connect(sandbox, "/v1/brands/123456789", "Bearer sandbox-slicktext-key")


@pytest.fixture
def engage(connect: Callable[..., httpx.Client]) -> Callable[[Sandbox], httpx.Client]:
    """IntelePeer v2 with the static token."""
    return lambda sandbox: connect(sandbox, "/_rest/v2", "sandbox-intelepeer-token")


@pytest.fixture
def control(connect: Callable[..., httpx.Client]) -> Callable[[Sandbox], httpx.Client]:
    """The control endpoints."""
    return lambda sandbox: connect(sandbox, "/__sandbox__")
