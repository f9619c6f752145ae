"""One HTTP exchange: bytes out, bytes in, and whether the request can have been seen.

This is the only module that knows httpx. It works on transports, not on clients: a transport follows no redirect,
keeps no cookie and reads neither ``.netrc`` nor a proxy from the environment.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import httpx

from reconciler.errors import NoAnswer, NotSent, ReadIncomplete, Rejected

CONNECTIONS_EACH = 8
"""httpx's pool does work quadratic in its connections; above eight it costs more than a second pool."""
MAX_RESPONSE_BYTES = 64 * 1024 * 1024
# Shorter than the idle time-outs of common servers: when they close while we write, the answer is lost.
KEEP_ALIVE_S = 4.0

_READABLE_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})


@dataclass(frozen=True, slots=True)
class Received:
    """A complete response; header names in lower case, ``raw`` decompressed."""

    status: int
    headers: Mapping[str, str]
    raw: bytes


class TlsRefused(NotSent):
    """The certificate or the TLS version was not acceptable: trying again changes nothing."""


class Wire:
    """Connections of one account: ``concurrency`` exchanges at a time, in pools that share one TLS context."""

    def __init__(self, *, account: str, concurrency: int, timeout_s: float) -> None:
        self._account = account
        self._timeout_s = timeout_s
        self._timeouts = dict.fromkeys(("read", "write", "pool"), timeout_s) | {"connect": timeout_s / 3}
        self._free = list(range(concurrency - 1, -1, -1))
        self._slots = asyncio.Semaphore(concurrency)
        self._transports: dict[int, httpx.AsyncHTTPTransport] = {}

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[int]:
        """A place for one exchange; waits while ``concurrency`` of them are taken."""
        async with self._slots:
            slot = self._free.pop()
            try:
                yield slot
            finally:
                self._free.append(slot)

    async def exchange(
        self, slot: int, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> Received:
        """Raises NotSent when nothing can have been processed, NoAnswer when the answer is lost or cut,
        ReadIncomplete (reads) or NoAnswer (writes) above the size cap."""
        request = httpx.Request(
            method, url, headers=dict(headers), content=content, extensions={"timeout": self._timeouts}
        )
        transport = self._transport(slot // CONNECTIONS_EACH)
        try:
            # One deadline for everything: a server that sends a byte now and then never trips a time-out between bytes.
            async with asyncio.timeout(self._timeout_s):
                response = await transport.handle_async_request(request)
                try:
                    return await self._received(response, method)
                finally:
                    await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise self._unreachable(url, error) from None
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL):
            # The library's text would quote the header, which may be the credential.
            raise Rejected(f"The request to {self._account} cannot be written as HTTP.") from None
        except (TimeoutError, httpx.TimeoutException):
            raise NoAnswer(f"No answer from {self._account} within {self._timeout_s:g} s.") from None
        except (httpx.TransportError, httpx.DecodingError, OSError):
            raise NoAnswer(f"The connection to {self._account} broke before the answer was complete.") from None

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()
        self._transports.clear()
        # A closed connection lets go of its socket in the next turn of the loop, which may be about to end.
        await asyncio.sleep(0)

    def _transport(self, index: int) -> httpx.AsyncHTTPTransport:
        if index not in self._transports:
            self._transports[index] = httpx.AsyncHTTPTransport(
                verify=_tls(),
                trust_env=False,
                limits=httpx.Limits(
                    max_connections=CONNECTIONS_EACH,
                    max_keepalive_connections=CONNECTIONS_EACH,
                    keepalive_expiry=KEEP_ALIVE_S,
                ),
            )
        return self._transports[index]

    async def _received(self, response: httpx.Response, method: str) -> Received:
        headers = {name.lower(): value for name, value in response.headers.items()}
        too_much = ReadIncomplete if method == "GET" else NoAnswer
        if headers.get("content-encoding", "").strip().lower() not in _READABLE_ENCODINGS:
            raise too_much(f"{self._account} answered in a compression that was not asked for.")
        chunks, size = [], 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > MAX_RESPONSE_BYTES:
                raise too_much(f"The answer of {self._account} is larger than {MAX_RESPONSE_BYTES >> 20} MiB.")
            chunks.append(chunk)
        return Received(response.status_code, headers, b"".join(chunks))

    def _unreachable(self, url: str, error: httpx.TransportError) -> NotSent:
        parts = urlsplit(url)
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
        hint = "Check the network and the account's baseUrl."
        if not isinstance(error, httpx.ConnectError):
            return NotSent(f"Cannot connect to {host} in time.", hint=hint)
        tls = _tls_cause(error)
        if tls is None:
            return NotSent(f"Cannot connect to {host}.", hint=hint)
        reason = getattr(tls, "verify_message", "") or tls.reason or "the handshake failed"
        return TlsRefused(f"No TLS connection to {host}: {reason}.", hint=hint)


def _tls_cause(error: BaseException) -> ssl.SSLError | None:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError) and not isinstance(seen, ssl.SSLWantReadError | ssl.SSLWantWriteError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


@cache
def _tls() -> ssl.SSLContext:
    """One context for the process: loading the certificates takes tens of milliseconds."""
    for name in ("httpx", "httpcore"):
        # Their debug lines carry URLs and headers.
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.create_ssl_context()
