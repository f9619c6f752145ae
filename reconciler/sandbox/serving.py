"""The API side of the sandbox as an ASGI app, and the protocol that can break a connection in mid-answer.

ASGI has no word for "hang up": an app that just returns makes uvicorn answer 500. So the connection's own ``transport``
is handed to the app, which closes it and then waits until the server has noticed.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.sandbox.course import Course
from reconciler.sandbox.provider import Provider
from reconciler.sandbox.wire import Reply, Request
from reconciler.sandbox.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

RESET_NOW = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: closing sends RST and throws away what is unsent


class BreakableProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it; requests know their transport as ``scope["state"]["transport"]``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the transport for the requests to come."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Gateway:
    """One provider's API over ASGI. ``closing`` ends every wait when the server stops."""

    def __init__(self, world: World, provider: Provider[Any], closing: asyncio.Event) -> None:
        self._world = world
        self._provider = provider
        self._closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request along its course."""
        query = scope["query_string"].decode("latin-1")
        request = _request(scope, query, await _body(receive))
        entry, course = self._world.admit(self._provider, request, query)
        request = _twisted(request, course)
        await self._wait(course.wait_before_s)
        reply = self._world.carry_out(self._provider, request, course, entry)
        await self._wait(course.wait_after_s)
        if course.ending in ("reset", "close", "hang"):
            if course.ending == "hang":
                await self._hang(receive)
            await _hang_up(scope, receive, reset=course.ending == "reset")
            return
        entry.status = reply.status
        await self._send(scope, receive, send, reply, course)

    async def _send(self, scope: Scope, receive: Receive, send: Send, reply: Reply, course: Course) -> None:
        kept = course.kept(reply.body)
        promised = len(reply.body) if course.ending == "break" else len(kept)
        await send(
            {
                "type": "http.response.start",
                "status": reply.status,
                "headers": [
                    (b"date", formatdate(self._world.clock.now(), usegmt=True).encode()),
                    (b"content-type", reply.content_type.encode()),
                    (b"content-length", b"%d" % promised),
                    *((name.encode(), value.encode("latin-1")) for name, value in reply.headers),
                ],
            }
        )
        if course.ending == "drip":
            for at in range(len(kept)):
                await send({"type": "http.response.body", "body": kept[at : at + 1], "more_body": True})
                await self._wait(course.drip_s)
            kept = b""
        broken = course.ending == "break" and promised > len(kept)
        await send({"type": "http.response.body", "body": kept, "more_body": broken})
        if broken:
            await _hang_up(scope, receive, reset=False)

    async def _wait(self, seconds: float) -> None:
        if seconds:
            await _first_of(asyncio.sleep(seconds), self._closing.wait())

    async def _hang(self, receive: Receive) -> None:
        """Until the client has gone or the server stops."""
        await _first_of(_gone(receive), self._closing.wait())


def _request(scope: Scope, query: str, body: bytes) -> Request:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(
        method=scope["method"],
        path=scope["path"].rstrip("/"),
        query=dict(parse_qsl(query, keep_blank_values=True)) if query else {},
        headers=headers,
        body=body,
    )


def _twisted(request: Request, course: Course) -> Request:
    return Request(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=request.headers,
        body=request.body,
        twist=course.twist,
    )


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _hang_up(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """End the connection, with RST or after what was sent, and wait until the server knows: then it stays silent."""
    transport: asyncio.Transport = scope["state"]["transport"]
    if reset:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_NOW)
        transport.abort()
    else:
        transport.close()
    await _gone(receive)


async def _first_of(*waits: Awaitable[Any]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
