"""One HTTP exchange: bytes out, bytes in, and whether the request can have been seen.

No redirect is followed, no cookie kept and no ``.netrc`` read. Two things of the environment count, as everywhere: the
proxy (``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``), never for this machine itself; and the certificates to trust
(``SSL_CERT_FILE``, ``SSL_CERT_DIR``). Both are httpx's to deal with, which is imported where they are needed.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
import zlib
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

from msgspec import Struct

from reconciler.errors import NoAnswer, NotSent, ReadIncomplete, Rejected
from reconciler.providers._connection import Broken, Connection, NoConnection, NoTunnel, Transport, buffer
from reconciler.providers._http1 import Answer, Request, TooLong, Unspeakable
from reconciler.providers.pace import is_loopback

CONNECTIONS_EACH = 8
"""Through a proxy. httpx's pool does work quadratic in its connections: above eight a second pool costs less."""
MAX_RESPONSE_BYTES = 64 * 1024 * 1024
# Shorter than the idle time-outs of common servers: when they close while we write, the answer is lost.
KEEP_ALIVE_S = 4.0

PROXY_HINT = "Check HTTPS_PROXY, ALL_PROXY and NO_PROXY."

_COMPRESSED = {"gzip": (zlib.MAX_WBITS | 16,), "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS)}
"""How zlib is told of each. Some servers leave out the header that belongs to deflate."""
_MOST_MEMBERS = 1_000
_SAFE = "[0-9A-Za-z_~/?=&:,.-]*"
_PLAIN_URL = re.compile(
    rf"(https?://(?:[0-9a-z.-]+|\[[0-9a-f:]+\])(?::[0-9]{{1,5}})?)(/{_SAFE}(?:%[0-9A-Fa-f]{{2}}{_SAFE})*)"
)
"""One that says what it means, in two parts. Others are put right by httpx, which takes longer than sending them."""
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Received(Struct, frozen=True):
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


class _Origin(NamedTuple):
    """The start of a URL, up to its path, and what goes for all that begin with it."""

    text: str
    host: str
    """What the Host header says."""
    proxy: str


class _Place:
    """One of the places for an exchange, taken and given back: see ``Wire.slot``."""

    __slots__ = ("_free", "_places", "_taken")

    def __init__(self, places: asyncio.Semaphore, free: list[int]) -> None:
        self._places = places
        self._free = free

    async def __aenter__(self) -> int:
        await self._places.acquire()
        self._taken = self._free.pop()
        return self._taken

    async def __aexit__(self, *_: object) -> None:
        self._free.append(self._taken)
        self._places.release()


class Wire:
    """Connections of one account: ``concurrency`` exchanges at a time, all with one TLS context."""

    def __init__(self, *, account: str, concurrency: int, timeout_s: float) -> None:
        self._account = account
        self._timeout_s = timeout_s
        self._free = list(range(concurrency - 1, -1, -1))
        self._places = asyncio.Semaphore(concurrency)
        self._transports: dict[tuple[int, str], Transport] = {}
        self._origins: dict[str, _Origin] = {}
        self._into = buffer()

    def slot(self) -> _Place:
        """A place for one exchange, as a context; waits while ``concurrency`` of them are taken."""
        return _Place(self._places, self._free)

    async def exchange(
        self, slot: int, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> Received:
        """Raises NotSent when nothing can have been processed, NoAnswer when the answer is lost or cut,
        ReadIncomplete (reads) or NoAnswer (writes) above the size cap."""
        start, target = _split(url)
        origin = self._origins.get(start) or self._origin(start)
        request = Request(method, origin.text, origin.host, target, headers, content)
        transport = self._transport(slot, origin.proxy)
        try:
            # One deadline for everything: a server that sends a byte now and then never trips a time-out between bytes.
            until = asyncio.get_running_loop().time() + self._timeout_s
            answer = await transport.exchange(request, until=until, most=MAX_RESPONSE_BYTES)
            return Received(answer.status, answer.headers, self._inflated(answer, method))
        except NoTunnel:
            raise NotSent(f"The proxy {_place(origin.proxy)} opens no way to {_place(url)}.", hint=PROXY_HINT) from None
        except NoConnection as failure:
            raise _unreachable(url, origin.proxy, failure) from None
        except Unspeakable:
            # Which header it is would be told with the header, which may be the credential.
            raise Rejected(f"The request to {self._account} cannot be written as HTTP.") from None
        except TooLong:
            too_much = ReadIncomplete if method == "GET" else NoAnswer
            raise too_much(f"The answer of {self._account} is larger than {MAX_RESPONSE_BYTES >> 20} MiB.") from None
        except TimeoutError:
            raise TimedOut(f"No answer from {self._account} within {self._timeout_s:g} s.") from None
        except (Broken, zlib.error, OSError):
            raise NoAnswer(f"The connection to {self._account} broke before the answer was complete.") from None

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()
        self._transports.clear()
        # A closed connection lets go of its socket in the next turn of the loop, which may be about to end.
        await asyncio.sleep(0)

    def _origin(self, start: str) -> _Origin:
        scheme, _, place = start.partition("://")
        found = _Origin(start, place.removesuffix(_DEFAULT_PORTS.get(scheme, "")), proxy_for(start))
        return self._origins.setdefault(start, found)

    def _transport(self, slot: int, proxy: str) -> Transport:
        key = (slot // CONNECTIONS_EACH if proxy else slot, proxy)
        if key not in self._transports:
            self._transports[key] = self._through(proxy) if proxy else self._connection()
        return self._transports[key]

    def _connection(self) -> Transport:
        return Connection(_trusted, self._into, connect_s=self._timeout_s / 3, idle_s=KEEP_ALIVE_S)

    def _through(self, proxy: str) -> Transport:
        from reconciler.providers._proxied import through

        try:
            return through(
                proxy, _trusted(), connections=CONNECTIONS_EACH, keep_alive_s=KEEP_ALIVE_S, timeout_s=self._timeout_s
            )
        except ValueError:  # without the text: there may be a password in it
            raise Hopeless(
                "The proxy that the environment names is no http:// or https:// address.", hint=PROXY_HINT
            ) from None

    def _inflated(self, answer: Answer, method: str) -> bytes:
        """What was compressed, as far as it may be that large. Raises TooLong and zlib.error."""
        encoding = answer.headers.get("content-encoding", "").strip().lower()
        if encoding in ("", "identity"):
            return answer.raw
        if encoding not in _COMPRESSED:
            failure = ReadIncomplete if method == "GET" else NoAnswer
            raise failure(f"{self._account} answered in a compression that was not asked for.")
        return _inflated(answer.raw, _COMPRESSED[encoding]) if answer.raw else b""


def _inflated(raw: bytes, forms: tuple[int, ...]) -> bytes:
    for form in forms:
        try:
            return _members(raw, form)
        except zlib.error:
            continue
    raise zlib.error


def _members(raw: bytes, form: int) -> bytes:
    """A gzip may be several, one after the other; nothing else may follow, or part of the answer would be lost."""
    opened = b""
    for _ in range(_MOST_MEMBERS):
        stream = zlib.decompressobj(form)
        opened += stream.decompress(raw, MAX_RESPONSE_BYTES + 1 - len(opened))
        if len(opened) > MAX_RESPONSE_BYTES:
            raise TooLong
        raw = stream.unused_data
        if not stream.eof:
            break
        if not raw:
            return opened
    raise zlib.error


def _split(url: str) -> tuple[str, str]:
    """Where to ask, and for what. Raises Hopeless for a URL that is none."""
    if (plain := _PLAIN_URL.fullmatch(url)) is not None and "/." not in plain[2]:
        return plain[1], plain[2]
    import httpx

    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise Hopeless("The URL to ask cannot be one.", hint="Check the account's baseUrl.") from None
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii')}", parsed.raw_path.decode("ascii")


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


def _place(url: str) -> str:
    """Host and port, without credentials."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""


def _unreachable(url: str, proxy: str, failure: NoConnection) -> NotSent:
    host = f"the proxy {_place(proxy)}" if proxy else _place(url)
    hint = PROXY_HINT if proxy else "Check the network and the account's baseUrl."
    tls = _tls_cause(failure)
    if tls is not None:
        reason = getattr(tls, "verify_message", "") or tls.reason or "the handshake failed"
        hint = (
            "A certificate of your own authority? Name its file in SSL_CERT_FILE." if "certificate" in reason else hint
        )
        return TlsRefused(f"No TLS connection to {_place(url)}: {reason}.", hint=hint)
    return NotSent(f"Cannot connect to {host}{' in time' if failure.late else ''}.", hint=hint)


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
    import httpx

    for name in ("httpx", "httpcore"):
        # Their debug lines carry URLs and headers.
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.create_ssl_context()
