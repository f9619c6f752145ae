"""One kept-alive HTTP/1.1 connection over an asyncio transport: no pool, no stream, one wake-up for each answer.

A connection has one owner at a time, who says until when an answer is waited for.
"""

from __future__ import annotations

import asyncio
import select
import ssl
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import urlsplit

from reconciler.providers._http1 import Answer, AnswerReader, Garbled, Request, TooLong

if TYPE_CHECKING:
    from socket import socket


_READ = 256 * 1024
"""Bytes that are read at once; asyncio reads as many."""


class NoConnection(Exception):
    """Nothing can have been sent. What refused it is its cause; ``late`` when nothing did."""

    def __init__(self, *, late: bool = False) -> None:
        super().__init__("no connection")
        self.late = late


class NoTunnel(Exception):
    """The proxy opens no tunnel: the request itself has not left."""


class Broken(Exception):
    """The connection broke, or what came on it is no HTTP: the request may have been processed."""


class Transport(Protocol):
    """How requests get to a provider."""

    async def exchange(self, request: Request, *, until: float, most: int) -> Answer:
        """``until`` is on the clock of the loop, ``most`` how long a body may be.

        Raises NoConnection, NoTunnel and Unspeakable (nothing was sent), Broken, TooLong and TimeoutError.
        """
        ...

    async def aclose(self) -> None: ...


def buffer() -> memoryview:
    """What connections of one event loop read into, one after the other. Without, asyncio takes a quarter of a
    megabyte of memory for each read first."""
    return memoryview(bytearray(_READ))


class Connection:
    """One exchange at a time. ``idle_s``: how long a connection may have been unused before it is
    not used again."""

    def __init__(
        self, trusted: Callable[[], ssl.SSLContext], into: memoryview, *, connect_s: float, idle_s: float
    ) -> None:
        self._trusted = trusted
        self._into = into
        self._connect_s = connect_s
        self._idle_s = idle_s
        self._open: _Open | None = None

    async def exchange(self, request: Request, *, until: float, most: int) -> Answer:
        """See ``Transport``."""
        written = request.written()
        opened, self._open = self._open, None
        if opened is not None and not (opened.origin == request.origin and opened.usable(self._idle_s)):
            opened.close()
            opened = None
        if opened is None:
            opened = await self._connected(request.origin, until)
        answer = await opened.exchange(written, AnswerReader(request.method, most), until)
        if answer.last:
            opened.close()
        else:
            self._open = opened
        return answer

    async def _connected(self, origin: str, until: float) -> _Open:
        parts = urlsplit(origin)
        secure, host = parts.scheme == "https", parts.hostname or ""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(min(until, loop.time() + self._connect_s)):
                _, opened = await loop.create_connection(
                    lambda: _Open(origin, loop, self._into),
                    host,
                    parts.port or (443 if secure else 80),
                    ssl=self._trusted() if secure else None,
                    # The race between addresses loses sight of a socket when it is stopped; one address needs none.
                    happy_eyeballs_delay=None if _is_address(host) else 0.25,
                )
        except TimeoutError as late:
            raise NoConnection(late=True) from late
        except (OSError, UnicodeError) as failure:  # a name that cannot be one is looked up by nobody
            raise NoConnection from failure
        return opened

    async def aclose(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class _Open(asyncio.BufferedProtocol):
    """One open connection, and the answer that it is waiting for."""

    def __init__(self, origin: str, loop: asyncio.AbstractEventLoop, into: memoryview) -> None:
        self.origin = origin
        self._loop = loop
        self._into = into
        self._since = 0.0
        self._over = False
        self._transport = cast(asyncio.Transport, None)
        self._incoming = select.poll()
        self._reader = cast(AnswerReader, None)
        self._answer: asyncio.Future[Answer | Exception] | None = None
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        found: socket = transport.get_extra_info("socket")
        self._incoming.register(found.fileno(), select.POLLIN)

    def usable(self, idle_s: float) -> bool:
        """Whether it is open, and nothing came unasked: also what the loop has not seen yet, the end above all."""
        if self._over or self._transport.is_closing() or time.monotonic() - self._since >= idle_s:
            return False
        # What is still on its way out would be in front of the next request.
        return not self._transport.get_write_buffer_size() and not self._incoming.poll(0)

    async def exchange(self, written: bytes, reader: AnswerReader, until: float) -> Answer:
        """Only where the connection is new or ``usable``. Closed when there is no answer, whatever the reason."""
        if self._over:
            self.close()
            raise NoConnection  # it was given up as soon as it was made, and what is not written is not sent
        awaited: asyncio.Future[Answer | Exception] = self._loop.create_future()
        self._answer, self._reader = awaited, reader
        self._wait_until(until)
        try:
            self._transport.write(written)
            answer = await awaited
            if isinstance(answer, Exception):
                raise answer
        except BaseException:
            self.close()
            raise
        finally:
            self._answer = None
        self._since = time.monotonic()
        return answer

    def close(self) -> None:
        self._over = True
        self._transport.abort()
        if self._timer is not None:
            self._timer.cancel()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._into

    def buffer_updated(self, nbytes: int) -> None:
        if self._answer is None or self._answer.done():
            self.close()  # whatever that is, it would be read as the answer to the next request
            return
        try:
            told: Answer | Exception | None = self._reader.feed(self._into[:nbytes])
        except (Garbled, TooLong) as wrong:
            told = wrong
        self._tell(told)

    def eof_received(self) -> None:
        self._ended()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(exc)

    def _ended(self, exc: Exception | None = None) -> None:
        self._over = True
        if self._answer is None or self._answer.done():
            return
        try:
            self._tell(self._reader.ended() if exc is None else Broken())
        except (Garbled, TooLong) as wrong:
            self._tell(wrong)

    def _tell(self, told: Answer | Exception | None) -> None:
        """Whoever waits, if there is an outcome."""
        if told is not None and self._answer is not None and not self._answer.done():
            self._answer.set_result(Broken() if isinstance(told, Garbled) else told)

    def _wait_until(self, until: float) -> None:
        """One timer for many exchanges: it goes off when the first of them is due, and looks which one is under way."""
        self._until = until
        if self._timer is None or until < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(until, self._due)

    def _due(self) -> None:
        self._timer = None
        if self._answer is None:
            return
        if self._until > self._loop.time():
            self._wait_until(self._until)
        else:
            self._tell(TimeoutError())
