"""The least of an HTTP server, for the other end of what is measured: it keeps up with any client, and it counts.

It runs in a process of its own (``benchmarks.case.Variant.server``): its first line of output is its URL, the last one
what it counted.
"""

from __future__ import annotations

import asyncio
import math
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Answer = Callable[[str, str, bytes], bytes]
"""Method, target and body of a request to the JSON of its answer, which is always 200."""

Throttle = Callable[[float], float]
"""How many seconds a request at this moment is told to stay away; 0 lets it through."""

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "


@dataclass(slots=True)
class Log:
    """Every request: when it came, when its answer left, and what it was."""

    came: list[float] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    what: list[str] = field(default_factory=list)
    turned_away: list[float] = field(default_factory=list)
    """When a request was answered 429."""

    def facts(self, *, mark: str, latency_s: float, concurrency: int) -> dict[str, float]:
        """How many requests there were, and the window from the first to the last of those whose method and path begin
        and end with the words of ``mark``: how long it was, and how long everything in it takes at its best."""
        start, _, end = mark.partition(" ")
        marked = [i for i, what in enumerate(self.what) if what.startswith(start) and what.endswith(end)]
        writes = sum(not what.startswith("GET") for what in self.what)
        facts = {"requests": float(len(self.what)), "writes": float(writes)}
        if not marked:
            return facts
        first, last = self.came[marked[0]], max(self.left[i] for i in marked)
        within = sum(first <= came <= last for came in self.came)
        ideal_s = math.ceil(within / concurrency) * latency_s
        return {**facts, "window_requests": within, "window_s": last - first, "ideal_s": ideal_s}


class _Connection(asyncio.Protocol):
    """One connection: a request at a time, answered after the latency."""

    def __init__(self, answer: Answer, latency_s: float, throttle: Throttle, log: Log) -> None:
        self._answer = answer
        self._latency_s = latency_s
        self._throttle = throttle
        self._log = log
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"\r\ncontent-length:")
            size = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + size:
                return
            method, target, _ = self._buffer[: self._buffer.index(b"\r\n")].decode("latin-1").split(" ")
            body = self._buffer[end + 4 : end + 4 + size]
            self._buffer = self._buffer[end + 4 + size :]
            self._serve(method, target, body)

    def _serve(self, method: str, target: str, body: bytes) -> None:
        log = self._log
        assert self._transport is not None
        if wait_s := self._throttle(time.perf_counter()):
            log.turned_away.append(time.perf_counter())
            self._transport.write(b"HTTP/1.1 429 X\r\nRetry-After: %.3f\r\nContent-Length: 2\r\n\r\n{}" % wait_s)
            return
        number = len(log.came)
        log.came.append(time.perf_counter())
        log.left.append(math.inf)
        log.what.append(f"{method} {target.partition('?')[0]}")
        whole = self._answer(method, target, body)
        if self._latency_s:
            asyncio.get_running_loop().call_later(self._latency_s, self._send, number, whole)
        else:
            self._send(number, whole)

    def _send(self, number: int, body: bytes) -> None:
        assert self._transport is not None
        self._transport.write(_HEAD + str(len(body)).encode() + b"\r\n\r\n" + body)
        self._log.left[number] = time.perf_counter()


def serve(
    answer: Answer,
    *,
    latency_s: float = 0.0,
    concurrency: int = 1,
    mark: str = "",
    ready: Callable[[str], object] = lambda url: None,
) -> dict[str, float]:
    """Calls ``ready`` with the URL, prints it, and serves until SIGTERM; what it counted."""
    log = served(answer, latency_s=latency_s, ready=ready)
    return log.facts(mark=mark, latency_s=latency_s, concurrency=concurrency)


def served(
    answer: Answer,
    *,
    latency_s: float = 0.0,
    throttle: Throttle = lambda now: 0.0,
    ready: Callable[[str], object] = lambda url: None,
) -> Log:
    """``serve``, and everything that came."""
    log = Log()

    async def run() -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, ended.set)
        server = await loop.create_server(lambda: _Connection(answer, latency_s, throttle, log), "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready(url)
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        await ended.wait()
        server.close()

    asyncio.run(run())
    return log
