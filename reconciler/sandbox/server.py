"""The sandbox as a server: in a thread of a test, or in the foreground of a command."""

from __future__ import annotations

import importlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from reconciler.sandbox.persist import Store
from reconciler.sandbox.seeds import read_document
from reconciler.sandbox.wire import JsonObject, SandboxError
from reconciler.sandbox.world import World

if TYPE_CHECKING:
    from reconciler.sandbox.running import Running

START_LIMIT_S = 10.0
STOP_LIMIT_S = 10.0

Answer = TypeVar("Answer")


class Sandbox:
    """Simulated providers on one loopback port.

    ``seed`` is a document (or its YAML or JSON file), ``faults`` a list of rules (or a file with one), ``store`` a file
    that keeps the state between runs and wins over the seed once it exists, ``knobs`` ``{provider: {knob: value}}``.
    As a context manager it serves from a thread of its own; ``serve_forever`` serves from the calling one.
    """

    def __init__(
        self,
        seed: Mapping[str, Any] | Path | None = None,
        faults: Iterable[Any] | Path | None = None,
        store: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        knobs: Mapping[str, Any] | None = None,
    ) -> None:
        self._host = _loopback(host)
        self._port = port
        seed = read_document(seed) if isinstance(seed, Path) else seed
        self.world = World(seed=seed, faults=_rules(faults), knobs=knobs)
        self._store = Store(store) if store is not None else None
        if self._store is not None:
            self._store.restore(self.world)
        self._socket: socket.socket | None = None
        self._running: Running | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Base URL without a trailing slash. Asking for it binds the port."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._bound().getsockname()[1]}"

    def start(self) -> None:
        """Serve from a thread; returns when requests are answered."""
        if self._thread is not None:
            raise SandboxError("the sandbox is running already")
        self._running = self._prepared()
        self._thread = threading.Thread(target=self._serve, name="reconciler-sandbox", daemon=True)
        self._thread.start()
        if not self._running.ready.wait(START_LIMIT_S) or self._failure is not None:
            self.stop()
            raise SandboxError(f"the sandbox did not start: {self._failure}") from self._failure

    def stop(self) -> None:
        """Close every connection, save the state, end the thread. Harmless when nothing runs."""
        if self._running is not None:
            self._running.stop()
        if self._thread is not None:
            self._thread.join(STOP_LIMIT_S)
            self._thread = None
        self._running = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def serve_forever(self, on_ready: Callable[[str], None] | None = None) -> int | None:
        """Serve from the main thread until SIGINT or SIGTERM; returns that signal's number."""
        self._running = self._prepared()
        url = self.url
        try:
            return self._running.serve(handle_signals=True, on_ready=lambda: on_ready(url) if on_ready else None)
        finally:
            self.stop()

    def state(self) -> JsonObject:
        """The whole state; see the seed format in ``World.replace``."""
        return self.call(lambda: _as_sent(self.world.dump()))

    def requests(self) -> list[JsonObject]:
        """The request log, oldest first."""
        return self.call(lambda: _as_sent(self.world.log.dump()))

    def ledger(self) -> JsonObject:
        """Messages, consent, duplicates, exposed, contacted."""
        return self.call(lambda: _as_sent(self._ticked().ledger.dump()))

    def set_faults(self, rules: Iterable[Any]) -> None:
        """Replace all fault rules, counters at zero."""
        rules = list(rules)
        self.call(lambda: self.world.faults.set(rules, self.world.providers))

    def tamper(self, provider: str, op: str, **arguments: Any) -> Any:
        """Change something as a person in the portal would."""
        return self.call(lambda: self._ticked().tamper({"provider": provider, "op": op, **arguments}))

    def turn(self, **knobs: Mapping[str, Any]) -> None:
        """Change knobs: ``turn(slicktext={"max_page": 20})``."""
        self.call(lambda: self.world.turn(knobs))

    def advance(self, seconds: float) -> None:
        """Move the clock forward and do what that makes due."""

        def advance() -> None:
            self.world.clock.advance(seconds)
            self.world.tick()

        self.call(advance)

    def reset(self) -> None:
        """Everything as it was at the start."""
        self.call(self.world.reset)

    def call(self, act: Callable[[], Answer]) -> Answer:
        """Run something on the event loop that owns the world, and wait for its result."""
        running = self._running
        if running is None or running.loop is None or threading.current_thread() is self._thread:
            return act()
        future: Future[Answer] = Future()

        def run() -> None:
            try:
                future.set_result(act())
            except BaseException as error:
                future.set_exception(error)

        running.loop.call_soon_threadsafe(run)
        return future.result(STOP_LIMIT_S)

    def _ticked(self) -> World:
        self.world.tick()
        return self.world

    def _serve(self) -> None:
        running = self._running
        assert running is not None
        try:
            running.serve(handle_signals=False)
        except BaseException as error:
            self._failure = error
        finally:
            running.ready.set()

    def _prepared(self) -> Running:
        try:
            module = importlib.import_module("reconciler.sandbox.running")
        except ImportError as error:
            raise ImportError(
                f"the sandbox needs {error.name or 'Starlette and uvicorn'}: pip install 'reconciler[sandbox]'"
            ) from error
        running: Running = module.Running(self.world, self._bound(), self._store)
        return running

    def _bound(self) -> socket.socket:
        if self._socket is None:
            family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
            # The protocol is named because asyncio turns Nagle's algorithm off only then: 40 ms per answer otherwise.
            listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((self._host, self._port))
            except OSError as error:
                listener.close()
                raise SandboxError(f"cannot listen on {self._host}:{self._port}: {error.strerror}") from error
            self._socket = listener
        return self._socket


def _as_sent(value: Answer) -> Answer:
    """What a control endpoint would give: lists for tuples, and a copy that nobody else changes."""
    copied: Answer = msgspec.json.decode(msgspec.json.encode(value))
    return copied


def _loopback(host: str) -> str:
    """The address; anything that others could reach is refused, since nothing here is protected."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise SandboxError(f"the sandbox only listens on loopback, not on {host!r}")
    return address


def _rules(faults: Iterable[Any] | Path | None) -> list[Any]:
    if isinstance(faults, Path):
        document = read_document(faults)
        rules = document.get("faults") if isinstance(document, dict) else document
        if not isinstance(rules, list):
            raise SandboxError(f"{faults}: a list of rules is needed, at the top or under faults")
        return rules
    return list(faults or [])
