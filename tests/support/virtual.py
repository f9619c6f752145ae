"""Time that passes only when nobody has anything to do, and the sandbox within the same event loop.

Settle times and late landings are minutes; here they cost nothing. The loop runs what would run in threads at once, so
that it knows when everybody waits, and then jumps to the next moment anything is due. The sandbox is its own ASGI
application behind an httpx transport, and goes by the same clock: the order of everything is the same in every run.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from datetime import UTC, datetime, tzinfo
from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType
from typing import Any, TypeVar
from urllib.parse import unquote

import httpx
import pytest

import reconciler
from reconciler.providers._proxied import ByHttpx
from reconciler.providers._wire import Wire
from reconciler.providers.contactcenter.session import ContactCenterSession
from reconciler.sandbox.serving import Gateway
from reconciler.sandbox.world import World

T = TypeVar("T")
Reached = Callable[[httpx.Request, bytes, Callable[[], Awaitable[httpx.Response]]], Awaitable[httpx.Response]]
"""Told of every request, with its body and what carries it out."""


class _AnyDatetime(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime)


class Clock:
    """Seconds since the epoch; only the loop below and tests move it."""

    def __init__(self) -> None:
        self.at = 1_900_000_000.0
        self.world: World | None = None

    def time(self) -> float:
        return self.at

    def move(self, seconds: float) -> None:
        """Let time pass; what the sandbox has to do meanwhile happens when it is due, not when somebody asks."""
        end, world = self.at + seconds, self.world
        if world is not None:
            for due in sorted(at for at, *_ in world._later if at < end):
                self.at = max(self.at, due)
                world.tick()
        self.at = end

    def moment(self) -> type[datetime]:
        """A ``datetime`` whose ``now`` is this clock's."""
        clock = self

        class Virtual(datetime, metaclass=_AnyDatetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return datetime.fromtimestamp(clock.at, tz or UTC)

        return Virtual


class _Jumping(selectors.SelectSelector):
    """Never waits: when a loop would, the clock moves on by as much."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits for something that never comes")
        if timeout > 0:
            self._clock.move(timeout + 1e-6)  # a date has seven digits behind the second: less would be no step at all
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """An event loop on a virtual clock, without threads."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(_Jumping(clock))
        self._virtual = clock
        # At a date this large a nanosecond is nothing: what is due at this very moment would be due for ever.
        self._clock_resolution = 1e-6
        self.set_exception_handler(lambda loop, context: None)  # what a killed program leaves behind is no news

    def time(self) -> float:
        return self._virtual.at

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        """At once: what took no virtual time needs no thread."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except BaseException as failure:
            done.set_exception(failure)
        return done


def run(clock: Clock, work: Coroutine[Any, Any, T]) -> T:
    """``work``, on that clock; whatever it left running is cancelled."""
    with asyncio.Runner(loop_factory=lambda: Loop(clock)) as runner:
        return runner.run(work)


class _Line:
    """The connection of one request, which a fault may cut."""

    def __init__(self) -> None:
        self.cut = asyncio.Event()

    def get_extra_info(self, name: str) -> None:
        return None

    def abort(self) -> None:
        self.cut.set()

    close = abort


class InLoop(httpx.AsyncBaseTransport):
    """Requests to the sandbox of ``clock``, in the same loop. ``reached`` is asked for anew every time."""

    def __init__(self, clock: Clock, reached: Callable[[], Reached]) -> None:
        self._clock, self._reached = clock, reached

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        return await self._reached()(request, body, lambda: self._served(request, body))

    async def _served(self, request: httpx.Request, body: bytes) -> httpx.Response:
        world, line = self._clock.world, _Line()
        assert world is not None
        path = unquote(request.url.path)
        provider = next(p for p in world.providers.values() if path.startswith(p.prefixes))
        waiting: list[MutableMapping[str, Any]] = [{"type": "http.request", "body": body}]
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            if not waiting:
                await line.cut.wait()
                return {"type": "http.disconnect"}
            return waiting.pop()

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope = {
            "method": request.method,
            "path": path,
            "query_string": request.url.query,
            "headers": request.headers.raw,
            "state": {"transport": line},
        }
        await Gateway(world, provider, asyncio.Event())(scope, receive, send)
        if line.cut.is_set():
            raise httpx.ReadError("the connection was cut")
        content = b"".join(m["body"] for m in sent[1:])
        return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=content, request=request)


@cache
def _modules() -> list[ModuleType]:
    """All of the tool but its sandbox: whatever a run imported on its way would go by the real clock."""
    names = sorted(m.name for m in walk_packages(reconciler.__path__, "reconciler."))
    return [import_module(name) for name in names if ".sandbox" not in name and not name.endswith("__main__")]


def install(monkeypatch: pytest.MonkeyPatch, clock: Clock, reached: Callable[[], Reached]) -> None:
    """Every clock of the tool is ``clock``, and every request goes to its sandbox."""
    moment = clock.moment()
    for module in _modules():
        if getattr(module, "datetime", None) is datetime:
            monkeypatch.setattr(module, "datetime", moment)
    monkeypatch.setattr(ContactCenterSession.__init__, "__defaults__", (clock.time, clock.time))
    way = ByHttpx(InLoop(clock, reached), timeout_s=30.0)
    monkeypatch.setattr(Wire, "_transport", lambda wire, *where: way)
