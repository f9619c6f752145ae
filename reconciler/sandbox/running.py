"""Starlette and uvicorn around a world. Imported only when a sandbox starts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from reconciler.sandbox import control
from reconciler.sandbox.persist import Store
from reconciler.sandbox.serving import BreakableProtocol, Gateway
from reconciler.sandbox.world import World

TICK_S = 0.05  # how late something due may happen when no request comes along
SAVE_EVERY_S = 0.5
GRACE_S = 2.0  # what answers in flight get when the server stops
POLL_S = 0.002
TURNS_TO_ARRIVE = 3  # of the loop, until whoever was accepted is a connection that can be closed

_log = logging.getLogger("reconciler.sandbox")


class Running:
    """One run of the server: its event loop, its ticking and saving, its end."""

    def __init__(self, world: World, listener: socket.socket, store: Store | None) -> None:
        self._world = world
        self._listener = listener
        self._store = store
        self._on_ready: Callable[[], None] | None = None
        self._caught: int | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.ready = threading.Event()

    def serve(self, *, handle_signals: bool, on_ready: Callable[[], None] | None = None) -> int | None:
        """Blocks until ``stop`` or a signal; the number of that signal."""
        self._on_ready = on_ready
        asyncio.run(self._serve(handle_signals=handle_signals))
        return self._caught

    def stop(self) -> None:
        """From any thread: end the run. Harmless after it."""
        loop = self.loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop may have ended by itself
                loop.call_soon_threadsafe(self._closing.set)

    async def _serve(self, *, handle_signals: bool) -> None:
        self._closing = asyncio.Event()
        server = _Server(_config(self._world, self._closing), self._closing, self._started)
        with self._signals() if handle_signals else contextlib.nullcontext():
            ticking = asyncio.create_task(self._tick())
            try:
                await server.serve(sockets=[self._listener])
            finally:
                self.loop = None
                self._closing.set()
                await ticking

    def _started(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.ready.set()
        if self._on_ready is not None:
            self._on_ready()

    async def _tick(self) -> None:
        """Let due things happen and save, until the end; a failure there must not be silent."""
        loop = asyncio.get_running_loop()
        saved_at = loop.time()
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), TICK_S)
            try:
                self._world.tick()
                if self._store is not None and (loop.time() - saved_at >= SAVE_EVERY_S or self._closing.is_set()):
                    self._store.save(self._world)
                    saved_at = loop.time()
            except Exception:
                _log.exception("the sandbox could not tick or save")

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the run instead of the process."""

        loop = asyncio.get_running_loop()

        def caught(number: int, frame: FrameType | None) -> None:
            self._caught = number
            loop.call_soon_threadsafe(self._closing.set)  # also wakes a loop that waits for the network

        before = {number: signal.signal(number, caught) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Server(uvicorn.Server):
    """uvicorn, woken when it shall stop instead of looking every tenth of a second."""

    def __init__(self, config: uvicorn.Config, closing: asyncio.Event, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._closing = closing
        self._on_started = started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are our business, not uvicorn's."""
        yield

    async def main_loop(self) -> None:
        """Idle until the end: there is nothing to do every tick, dates come from the sandbox clock."""
        self._on_started()
        await self._closing.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close idle connections, give the others a moment, then cut them off."""
        loop = asyncio.get_running_loop()
        # A server that closes loses whoever was accepted and is no connection yet. So first nobody else is accepted.
        for listener in (listener for server in self.servers for listener in server.sockets):
            loop.remove_reader(listener)
        for _ in range(TURNS_TO_ARRIVE):
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        until = loop.time() + GRACE_S
        while (self.server_state.connections or self.server_state.tasks) and loop.time() < until:
            await asyncio.sleep(POLL_S)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()


def _config(world: World, closing: asyncio.Event) -> uvicorn.Config:
    mounts = [
        Mount(prefix, app=Gateway(world, provider, closing))
        for provider in world.providers.values()
        for prefix in provider.prefixes
    ]
    return uvicorn.Config(
        Starlette(routes=[*control.routes(world), *mounts]),
        http=BreakableProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_keep_alive=60,
    )
