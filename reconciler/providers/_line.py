"""One kept-alive HTTP/1.1 connection as an httpx transport: h11 for the protocol, asyncio for the bytes, no pool.

httpx's own transport costs two to four times as much per request: a pool that looks at every connection twice, locks,
trace points, and a time-out around every read. A line has one owner at a time, who also keeps the time.
"""

from __future__ import annotations

import asyncio
import select
import ssl
import time
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

import h11
import httpx

if TYPE_CHECKING:
    from socket import socket

_ENOUGH = 1 << 18
"""Bytes that may wait here to be read; above, the sender is held up."""
_MOST_HEADERS = 100 * 1024


class Line(httpx.AsyncBaseTransport):
    """Raises httpx's exceptions: ``ConnectError`` and ``ConnectTimeout`` while nothing can have been sent.

    ``idle_s``: how long a connection may have been unused before it is not used again.
    """

    def __init__(self, trusted: Callable[[], ssl.SSLContext], *, connect_s: float, idle_s: float) -> None:
        self._trusted = trusted
        self._connect_s = connect_s
        self._idle_s = idle_s
        self._open: _Open | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Only one at a time: the answer is read or closed before the next request."""
        origin = (request.url.scheme, request.url.raw_host.decode("ascii"), request.url.port)
        line = self._open
        self._open = None
        if line is not None and not (line.origin == origin and line.usable(self._idle_s)):
            line.close()
            line = None
        if line is None:
            line = await self._connected(origin)
        try:
            await line.say(request)
            heard = await line.hear_head()
        except BaseException:
            line.close()
            raise
        headers = heard.headers.raw_items()
        return httpx.Response(heard.status_code, headers=headers, stream=_Body(line, self._kept))

    def _kept(self, line: _Open) -> None:
        self._open = line

    async def _connected(self, origin: tuple[str, str, int | None]) -> _Open:
        scheme, host, port = origin
        secure = scheme == "https"
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_s):
                _, stream = await loop.create_connection(
                    _Stream,
                    host,
                    port or (443 if secure else 80),
                    ssl=self._trusted() if secure else None,
                    # The race between addresses loses sight of a socket when it is stopped; one address needs none.
                    happy_eyeballs_delay=None if _is_address(host) else 0.25,
                )
        except TimeoutError as late:
            raise httpx.ConnectTimeout("no connection in time") from late
        except (OSError, UnicodeError) as failure:  # a name that cannot be one is looked up by nobody
            raise httpx.ConnectError("no connection") from failure
        return _Open(origin, stream)

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


class _Body(httpx.AsyncByteStream):
    """The rest of an answer. Read to its end, the connection is ``kept``; closed before, it is given up."""

    def __init__(self, line: _Open, kept: Callable[[_Open], None]) -> None:
        self._line: _Open | None = line
        self._kept = kept

    async def __aiter__(self) -> AsyncIterator[bytes]:
        line = self._line
        if line is None:
            return
        while (piece := await line.hear_body()) is not None:
            yield piece
        self._line = None
        if line.again():
            self._kept(line)
        else:
            line.close()

    async def aclose(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


class _Open:
    """One open connection, and where it is in the protocol."""

    __slots__ = ("_http", "_since", "_stream", "origin")

    def __init__(self, origin: tuple[str, str, int | None], stream: _Stream) -> None:
        self.origin = origin
        self._stream = stream
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEADERS)
        self._since = time.monotonic()

    def usable(self, idle_s: float) -> bool:
        return time.monotonic() - self._since < idle_s and self._stream.quiet()

    def again(self) -> bool:
        """Whether another request may follow the one that is over."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        if self._http.trailing_data[0]:
            return False  # whatever that is, it would be read as the answer to the next request
        self._http.start_next_cycle()
        self._since = time.monotonic()
        return True

    def close(self) -> None:
        self._stream.close()

    async def say(self, request: httpx.Request) -> None:
        """Head and body in one write: two would be two packets."""
        content = cast(httpx.ByteStream, request.stream)
        try:
            head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
            said = [self._http.send(head) or b""]
            said += [self._http.send(h11.Data(data=piece)) or b"" for piece in content if piece]
            said.append(self._http.send(h11.EndOfMessage()) or b"")
        except h11.LocalProtocolError as wrong:
            raise httpx.LocalProtocolError(str(wrong)) from wrong
        await self._stream.write(b"".join(said))

    async def hear_head(self) -> h11.Response:
        while True:
            heard = await self._hear()
            if isinstance(heard, h11.Response):
                return heard
            if not isinstance(heard, h11.InformationalResponse):
                raise httpx.RemoteProtocolError("the answer has no head")

    async def hear_body(self) -> bytes | None:
        """The next piece; None when that was all."""
        heard = await self._hear()
        return bytes(heard.data) if isinstance(heard, h11.Data) else None

    async def _hear(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            while (heard := self._http.next_event()) is h11.NEED_DATA:
                self._http.receive_data(await self._stream.read())
        except h11.RemoteProtocolError as wrong:
            raise httpx.RemoteProtocolError(str(wrong)) from wrong
        return heard


class _Stream(asyncio.Protocol):
    """Bytes of one connection. What arrived before it broke can still be read."""

    def __init__(self) -> None:
        self._transport = cast(asyncio.Transport, None)
        self._arrived = bytearray()
        self._ended = False
        self._broken: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._held: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        if len(self._arrived) >= _ENOUGH:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._broken = True, exc
        self._wake()
        self.resume_writing()

    def pause_writing(self) -> None:
        self._held = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        held, self._held = self._held, None
        if held is not None and not held.done():
            held.set_result(None)

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def quiet(self) -> bool:
        """Whether it is open, and nothing came unasked: also what the loop has not seen yet, the end above all."""
        if self._ended or self._arrived or self._transport.is_closing():
            return False
        found: socket | None = self._transport.get_extra_info("socket")
        if found is None or found.fileno() < 0:
            return False
        ready = select.poll()
        ready.register(found.fileno(), select.POLLIN)
        return not ready.poll(0)

    async def read(self) -> bytes:
        """What has arrived, or arrives next; ``b""`` at the end. Raises ReadError when the connection broke."""
        while not self._arrived:
            if self._broken is not None:
                raise httpx.ReadError("the connection broke") from self._broken
            if self._ended:
                return b""
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        data = bytes(self._arrived)
        self._arrived.clear()
        if len(data) >= _ENOUGH and not self._transport.is_closing():
            self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Waits while too much is on its way out. A connection that breaks under it may have brought an answer before:
        whoever reads next finds out."""
        self._transport.write(data)
        if self._held is not None:
            await self._held

    def close(self) -> None:
        self._transport.abort()
