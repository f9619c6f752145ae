"""One HTTP exchange: bytes out, bytes in, and whether the request can have been seen.

This is the only module, with the line under it, that knows httpx. It works on transports, not on clients: a transport
follows no redirect, keeps no cookie and reads no ``.netrc``. Two things of the environment count, as everywhere: the
proxy (``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``), never for this machine itself; and the certificates to trust
(``SSL_CERT_FILE``, ``SSL_CERT_DIR``).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import httpx

from reconciler.errors import NoAnswer, NotSent, ReadIncomplete, Rejected
from reconciler.providers._line import Line
from reconciler.providers.pace import is_loopback

CONNECTIONS_EACH = 8
"""Through a proxy. httpx's pool does work quadratic in its connections: above eight a second pool costs less."""
MAX_RESPONSE_BYTES = 64 * 1024 * 1024
# Shorter than the idle time-outs of common servers: when they close while we write, the answer is lost.
KEEP_ALIVE_S = 4.0

PROXY_HINT = "Check HTTPS_PROXY, ALL_PROXY and NO_PROXY."

_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
"""Methods whose requests say nothing about a length when they have no body."""
_PLAIN = frozenset({"", "identity"})
_READABLE_ENCODINGS = _PLAIN | {"gzip", "deflate"}


@dataclass(frozen=True, slots=True)
class Received:
    """A complete response; header names in lower case, ``raw`` decompressed."""

    status: int
    headers: Mapping[str, str]
    raw: bytes


class Hopeless(NotSent):
    """Nothing was sent, and trying again changes nothing."""


class TlsRefused(Hopeless):
    """The certificate or the TLS version was not acceptable."""


class TimedOut(NoAnswer):
    """No whole answer before the deadline."""


class Wire:
    """Connections of one account: ``concurrency`` exchanges at a time, in pools that share one TLS context."""

    def __init__(self, *, account: str, concurrency: int, timeout_s: float) -> None:
        self._account = account
        self._timeout_s = timeout_s
        self._timeouts = dict.fromkeys(("read", "write", "pool"), timeout_s) | {"connect": timeout_s / 3}
        self._free = list(range(concurrency - 1, -1, -1))
        self._slots = asyncio.Semaphore(concurrency)
        self._transports: dict[tuple[int, str], httpx.AsyncBaseTransport] = {}
        self._origins: dict[str, tuple[str, str]] = {}

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
        host, proxy = self._origin(url)
        length = {"content-length": str(len(content or b""))} if content is not None or method not in _BODILESS else {}
        request = httpx.Request(
            method,
            url,
            headers={"host": host, **headers, **length},
            stream=httpx.ByteStream(content or b""),  # httpx would look for a host and a length in them
            extensions={"timeout": self._timeouts},
        )
        transport = self._transport(slot, proxy)
        try:
            # One deadline for everything: a server that sends a byte now and then never trips a time-out between bytes.
            async with asyncio.timeout(self._timeout_s):
                response = await transport.handle_async_request(request)
                try:
                    return await self._received(response, method)
                finally:
                    await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _unreachable(url, proxy, error) from None
        except httpx.ProxyError:
            # It happens as the tunnel is asked for: the request itself has not left.
            raise NotSent(f"The proxy {_place(proxy)} opens no way to {_place(url)}.", hint=PROXY_HINT) from None
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL):
            # The library's text would quote the header, which may be the credential.
            raise Rejected(f"The request to {self._account} cannot be written as HTTP.") from None
        except (TimeoutError, httpx.TimeoutException):
            raise TimedOut(f"No answer from {self._account} within {self._timeout_s:g} s.") from None
        except (httpx.TransportError, httpx.DecodingError, OSError):
            raise NoAnswer(f"The connection to {self._account} broke before the answer was complete.") from None

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()
        self._transports.clear()
        # A closed connection lets go of its socket in the next turn of the loop, which may be about to end.
        await asyncio.sleep(0)

    def _origin(self, url: str) -> tuple[str, str]:
        """The Host header, and the proxy: both are the same for every request of an account."""
        scheme, _, rest = url.partition("://")
        origin = f"{scheme}://{rest.partition('/')[0]}"
        if origin not in self._origins:
            self._origins[origin] = httpx.URL(origin).netloc.decode("ascii"), proxy_for(origin)
        return self._origins[origin]

    def _transport(self, slot: int, proxy: str) -> httpx.AsyncBaseTransport:
        key = (slot // CONNECTIONS_EACH if proxy else slot, proxy)
        if key not in self._transports:
            self._transports[key] = self._through(proxy) if proxy else self._line()
        return self._transports[key]

    def _line(self) -> Line:
        return Line(_trusted, connect_s=self._timeout_s / 3, idle_s=KEEP_ALIVE_S)

    def _through(self, proxy: str) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(
            max_connections=CONNECTIONS_EACH,
            max_keepalive_connections=CONNECTIONS_EACH,
            keepalive_expiry=KEEP_ALIVE_S,
        )
        return httpx.AsyncHTTPTransport(verify=_trusted(), trust_env=False, proxy=_usable(proxy), limits=limits)

    async def _received(self, response: httpx.Response, method: str) -> Received:
        headers = {name.lower(): value for name, value in response.headers.items()}
        too_much = ReadIncomplete if method == "GET" else NoAnswer
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding not in _READABLE_ENCODINGS:
            raise too_much(f"{self._account} answered in a compression that was not asked for.")
        pieces: AsyncIterable[bytes] = response.aiter_bytes()
        if encoding in _PLAIN and isinstance(response.stream, httpx.AsyncByteStream):
            pieces = response.stream  # without the layers that would decode it
        chunks, size = [], 0
        async for chunk in pieces:
            size += len(chunk)
            if size > MAX_RESPONSE_BYTES:
                raise too_much(f"The answer of {self._account} is larger than {MAX_RESPONSE_BYTES >> 20} MiB.")
            chunks.append(chunk)
        return Received(response.status_code, headers, b"".join(chunks))


def proxy_for(url: str) -> str:
    """The proxy that the environment names for this address, ``""`` for none. This machine is always asked directly."""
    if is_loopback(url):
        return ""
    proxies = getproxies_environment()
    if _bypassed(_place(url), proxies.get("no", "")):
        return ""
    found = proxies.get(urlsplit(url).scheme) or proxies.get("all") or ""
    return found if "://" in found or not found else f"http://{found}"


def _bypassed(place: str, exceptions: str) -> bool:
    """Whether NO_PROXY names the host or a domain above it, with or without the port; ``*`` names everything."""
    host = place.rpartition(":")[0] or place
    for entry in (e.strip().lower().removeprefix("*").lstrip(".") for e in exceptions.split(",") if e.strip()):
        if not entry or any(name == entry or name.endswith(f".{entry}") for name in (host, place)):
            return True
    return False


def _usable(proxy: str) -> httpx.Proxy:
    """Raises Hopeless, without the text: there may be a password in it."""
    try:
        if urlsplit(proxy).scheme in ("http", "https"):
            return httpx.Proxy(proxy)
    except (ValueError, httpx.InvalidURL):
        pass
    raise Hopeless("The proxy that the environment names is no http:// or https:// address.", hint=PROXY_HINT)


def _place(url: str) -> str:
    """Host and port, without credentials."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""


def _unreachable(url: str, proxy: str, error: httpx.TransportError) -> NotSent:
    host = f"the proxy {_place(proxy)}" if proxy else _place(url)
    hint = PROXY_HINT if proxy else "Check the network and the account's baseUrl."
    tls = _tls_cause(error) if isinstance(error, httpx.ConnectError) else None
    if tls is not None:
        reason = getattr(tls, "verify_message", "") or tls.reason or "the handshake failed"
        hint = (
            "A certificate of your own authority? Name its file in SSL_CERT_FILE." if "certificate" in reason else hint
        )
        return TlsRefused(f"No TLS connection to {_place(url)}: {reason}.", hint=hint)
    late = not isinstance(error, httpx.ConnectError)
    return NotSent(f"Cannot connect to {host}{' in time' if late else ''}.", hint=hint)


def _tls_cause(error: BaseException) -> ssl.SSLError | None:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError) and not isinstance(seen, ssl.SSLWantReadError | ssl.SSLWantWriteError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _trusted() -> ssl.SSLContext:
    try:
        return _tls()
    except OSError:  # ssl.SSLError is one
        raise Hopeless(
            "The certificates to trust cannot be loaded.", hint="Check SSL_CERT_FILE and SSL_CERT_DIR."
        ) from None


@cache
def _tls() -> ssl.SSLContext:
    """One context for the process: loading the certificates takes tens of milliseconds."""
    for name in ("httpx", "httpcore"):
        # Their debug lines carry URLs and headers.
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.create_ssl_context()
