"""Requests by httpx's own transports, which know proxies: in the words of ``_line``."""

from __future__ import annotations

import asyncio
import ssl
from typing import cast
from urllib.parse import urlsplit

import httpx

from reconciler.providers._connection import Broken, NoConnection, NoTunnel
from reconciler.providers._http1 import Answer, Request, TooLong, Unspeakable


class ByHttpx:
    """A ``Transport`` for as many exchanges at a time as httpx has connections."""

    def __init__(self, transport: httpx.AsyncBaseTransport, *, timeout_s: float) -> None:
        self._transport = transport
        self._timeouts = dict.fromkeys(("read", "write", "pool"), timeout_s) | {"connect": timeout_s / 3}

    async def exchange(self, request: Request, *, until: float, most: int) -> Answer:
        """See ``Transport``; raises NoTunnel as well."""
        try:
            sent = httpx.Request(
                request.method,
                request.origin + request.target,
                headers=request.all_headers(),
                stream=httpx.ByteStream(request.content or b""),  # httpx would look for a host and a length in them
                extensions={"timeout": self._timeouts},
            )
            # One deadline for everything: a server that sends a byte now and then never trips a time-out between bytes.
            async with asyncio.timeout_at(until):
                response = await self._transport.handle_async_request(sent)
                try:
                    return await _whole(response, most)
                finally:
                    await response.aclose()
        except (httpx.ConnectTimeout, httpx.PoolTimeout) as late:
            raise NoConnection(late=True) from late
        except httpx.ConnectError as failure:
            raise NoConnection from failure
        except httpx.ProxyError as refused:
            raise NoTunnel from refused
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise Unspeakable from None
        except httpx.TimeoutException:
            raise TimeoutError from None
        except (httpx.TransportError, OSError) as failure:
            if isinstance(failure, TimeoutError):
                raise
            raise Broken from failure

    async def aclose(self) -> None:
        await self._transport.aclose()


async def _whole(response: httpx.Response, most: int) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    pieces, size = [], 0
    async for piece in cast(httpx.AsyncByteStream, response.stream):  # as it came
        size += len(piece)
        if size > most:
            raise TooLong
        pieces.append(piece)
    return Answer(response.status_code, headers, b"".join(pieces))


def through(proxy: str, trusted: ssl.SSLContext, *, connections: int, keep_alive_s: float, timeout_s: float) -> ByHttpx:
    """A pool of ``connections``. Raises ValueError when ``proxy`` is no address of one, with its text."""
    if urlsplit(proxy).scheme not in ("http", "https"):
        raise ValueError
    try:
        usable = httpx.Proxy(proxy)
    except httpx.InvalidURL as wrong:
        raise ValueError from wrong
    limits = httpx.Limits(
        max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=keep_alive_s
    )
    transport = httpx.AsyncHTTPTransport(verify=trusted, trust_env=False, proxy=usable, limits=limits)
    return ByHttpx(transport, timeout_s=timeout_s)
