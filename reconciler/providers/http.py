"""The HTTP core under every adapter: authentication, pace, retries, and statuses turned into exceptions once.

Only what is proven not processed, or only reads, is ever sent twice: a lost answer to a write is ``NoAnswer``, and
whoever sent it looks before sending again. No message made here holds a URL, a credential or a person's number.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

import msgspec

from reconciler import __version__
from reconciler.errors import (
    CredentialsRefused,
    NoAnswer,
    NotFound,
    NotSent,
    ProviderError,
    RateLimited,
    ReadIncomplete,
    Rejected,
)
from reconciler.masking import mask_text, visible
from reconciler.plan.calls import Call, Json, Method, unresolved
from reconciler.providers._answers import Heard, answer_body, text_or_json, without_credentials
from reconciler.providers._auth import Auth, LoginSender, StaticAuth
from reconciler.providers._limits import (
    FAILURES_IN_A_ROW,
    MAX_ATTEMPTS,
    MAX_WAIT_S,
    TIMEOUT_COST,
    Breaker,
    Limiter,
    RetryBudget,
    asked_wait_s,
    backoff_s,
    jittered_s,
    try_again_after,
)
from reconciler.providers._wire import Hopeless, Received, TimedOut, Wire
from reconciler.providers.base import Response, Start, at_once
from reconciler.providers.pace import Pace, base_url, is_loopback, pace, settle

__all__ = [
    "Auth",
    "Http",
    "LoginSender",
    "Pace",
    "Reply",
    "StaticAuth",
    "WriteOnReadOnly",
    "base_url",
    "decoded",
    "is_loopback",
    "pace",
    "settle",
]

MAX_TEXT = 200
"""Characters of a provider's own error text that go into a message, counted when everything is hidden in it."""

SEARCHED = 65_536
"""Characters of an error text that are looked at: what is shown of it is far less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A 2xx. ``body`` is the decoded JSON, None when the answer was empty; header names are in lower case."""

    status: int
    body: Any
    headers: Mapping[str, str]
    raw: bytes


class WriteOnReadOnly(RuntimeError):
    """A write reached a read-only connection: a bug in this tool. Nothing was sent."""


def decoded(raw: bytes) -> Any:
    """JSON as Python values, None for an empty body. Raises msgspec.DecodeError, UnicodeDecodeError, RecursionError."""
    return msgspec.json.decode(raw) if raw.strip() else None


_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class _Request:
    """What is sent, again and again if need be. ``decode`` reads a 2xx."""

    method: str
    url: str
    content: bytes | None
    decode: Callable[[bytes], Any]
    heard: Heard | None = None
    content_type: str = "application/json"
    start: Start = at_once
    check: Callable[[], Awaitable[None]] | None = None

    @property
    def read(self) -> bool:
        return self.method == "GET"


class _Unreadable(ReadIncomplete):
    """A read was answered 2xx without JSON: a login or maintenance page, which is worth one more try."""


class Http:
    """One account's connection. ``requests`` counts every request put on the wire, logins and retries included."""

    def __init__(
        self,
        *,
        account: str,
        base_url: str,
        auth: Auth,
        pace: Pace,
        read_only: bool,
        error_text: Callable[[Any, bytes], str],
        headers: Mapping[str, str] | None = None,
        reset_header: str | None = None,
        form: Callable[[Call], tuple[bytes, str] | None] = lambda call: None,
    ) -> None:
        """``form`` writes the body of a call that is not sent as JSON, with its content type."""
        self._account = account
        self._form = form
        self._base_url = base_url.rstrip("/")
        self._auth = auth
        self._read_only = read_only
        self._error_text = error_text
        self._headers = {"accept": "application/json", "user-agent": f"reconciler/{__version__}", **(headers or {})}
        # Only what is decoded here: a compression asked for by default could inflate without bound.
        self._headers["accept-encoding"] = "gzip, deflate"
        self._reset_header = reset_header
        self._wire = Wire(account=account, concurrency=pace.concurrency, timeout_s=pace.timeout_s)
        self._limiter = Limiter(
            requests_per_second=pace.requests_per_second,
            reads_per_minute=pace.reads_per_minute,
            writes_per_minute=pace.writes_per_minute,
        )
        self._budget = RetryBudget()
        self._breaker = Breaker()
        self._renewing = asyncio.Lock()
        self._renewable = True
        self._answers = 0
        self._waited_s = 0.0

    @property
    def requests(self) -> int:
        return self._budget.requests

    @property
    def latency_s(self) -> float:
        """How long an answer took on average, so far."""
        return self._waited_s / self._answers if self._answers else 0.0

    async def get(
        self, *segments: str, query: Sequence[tuple[str, str]] = (), decode: Callable[[bytes], Any] = decoded
    ) -> Reply:
        """Read, repeating what may be repeated. ``decode`` may be a typed msgspec decoder's, for large pages.

        Raises NotSent, NoAnswer, RateLimited, ReadIncomplete, CredentialsRefused, NotFound or Rejected.
        """
        request = _Request("GET", self._url(segments, query, ReadIncomplete), None, decode)
        return await self._perform(request)

    async def send(
        self,
        call: Call,
        *,
        decode: Callable[[bytes], Any] = decoded,
        unrepeated: bool = False,
        start: Start = at_once,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> Reply:
        """Send a write once, repeating only what is proven not processed (no connection, 429, 401).

        Before each attempt ``check`` may read and raises what forbids the write; after every wait, when nothing but the
        request is left, ``start`` is asked. ``unrepeated`` takes no answer for a proof: what was answered at all is not
        sent again. ``decode`` reads a 2xx; one that never fails says that the status alone decides. Raises NotSent,
        RateLimited, Rejected, NotFound, CredentialsRefused (not processed), NoAnswer (unknown), and what ``check`` and
        ``start`` raise.
        """
        if call.method is Method.GET and not unresolved(call):
            return await self.get(*_texts(call.path), query=call.query, decode=decode)
        request = replace(self._request(call, decode), start=start, check=check)
        return await self._perform(request, unrepeated=unrepeated)

    async def ask(self, call: Call) -> Response:
        """Send a call, as often as ``get`` or ``send`` would, for whoever wants the answer: a refusal is one, too.

        Raises NotSent or NoAnswer when there is none, and CredentialsRefused when the login failed.
        """
        heard = Heard()
        request = self._request(call, decoded if call.method is Method.GET else text_or_json)
        failure: ProviderError | None = None
        try:
            await self._perform(replace(request, heard=heard))
        except ProviderError as refused:
            if heard.last is None or refused.status != heard.last.status:
                raise
            failure = refused
        received, auth_headers = heard.whole
        body = answer_body(received.raw, auth_headers)
        return Response(status=received.status, body=body, failure=failure)

    def _request(self, call: Call, decode: Callable[[bytes], Any]) -> _Request:
        if unresolved(call):
            raise ValueError(f"a call with unknown ids cannot be sent: {call.method} to {self._account}")
        reading = call.method is Method.GET
        if self._read_only and not reading:
            raise WriteOnReadOnly(f"{call.method} to {self._account} on a read-only connection")
        url = self._url(_texts(call.path), call.query, ReadIncomplete if reading else Rejected)
        if (form := self._form(call)) is not None:
            return _Request(call.method, url, form[0], decode, content_type=form[1])
        content = None if call.body is None else msgspec.json.encode(call.body, enc_hook=_plain)
        return _Request(call.method, url, content, decode)

    async def aclose(self) -> None:
        await self._wire.aclose()

    def _url(self, segments: Sequence[str], query: Sequence[tuple[str, str]], failure: type[ProviderError]) -> str:
        for segment in segments:
            if segment in ("", ".", "..") or any(c < " " or c == "\x7f" for c in segment):
                raise failure(f"An id or name that {self._account} was asked for cannot stand in a URL.")
        path = "".join("/" + quote(segment, safe="") for segment in segments)
        fields = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
        return f"{self._base_url}{path}?{fields}" if fields else self._base_url + path

    async def _perform(self, request: _Request, *, unrepeated: bool = False) -> Reply:
        tries = _Tries()
        while True:
            headers = await self._auth.headers(self._login)
            try:
                return self._judged(request, headers, await self._exchange(request, headers, again=tries.made > 0))
            except ProviderError as failure:
                if unrepeated and not isinstance(failure, NotSent):
                    raise
                if not await self._ready_again(request, headers, failure, tries):
                    raise
                tries.made += 1

    async def _exchange(self, request: _Request, auth_headers: Mapping[str, str], *, again: bool = False) -> Received:
        headers = {**self._headers, **auth_headers}
        if request.content is not None:
            headers["content-type"] = request.content_type
        if any(not (value.isascii() and value.isprintable()) for value in auth_headers.values()):
            raise CredentialsRefused(
                f"The credential of {self._account} has characters that cannot be sent.",
                hint="Look for a line break or a space at the end of the secret.",
            )
        if request.check is not None:
            # Its turn comes first, and before it holds a connection: waiting would make old what the check found, and
            # what the check reads needs a connection itself.
            await self._limiter.turn(read=request.read)
            await request.check()
        async with self._wire.slot() as slot:
            if request.check is None:
                await self._limiter.turn(read=request.read)
            if self._breaker.open:
                raise Hopeless(
                    f"{self._account} failed {FAILURES_IN_A_ROW} times in a row, and is asked no more for now. "
                    f"The last time: {self._breaker.why}",
                    hint="Apply again when the provider is well.",
                )
            if not request.read:
                await request.start(again=again)
            self._budget.requests += 1
            return await self._observed(slot, request, headers)

    async def _observed(self, slot: int, request: _Request, headers: Mapping[str, str]) -> Received:
        """One exchange, of which the limiter and the breaker hear how it went."""
        sent_at = time.monotonic()
        try:
            received = await self._wire.exchange(slot, request.method, request.url, headers, request.content)
        except (NotSent, NoAnswer) as failure:
            self._breaker.failed(sent_at, failure.message)
            raise
        self._answers += 1
        self._waited_s += time.monotonic() - sent_at
        if received.status >= 500:
            self._breaker.failed(sent_at, f"HTTP {received.status}.")
        else:
            self._breaker.answered()
        if received.status == 429:
            self._limiter.slow_down(sent_at)
        else:
            self._limiter.speed_up()
        return received

    async def _ready_again(
        self, request: _Request, headers: Mapping[str, str], failure: ProviderError, tries: _Tries
    ) -> bool:
        """Whether to send once more, having waited or logged in as the failure asks for."""
        match failure:
            case CredentialsRefused(status=status):
                # Turned away at the door: nothing was processed, and it is no sign of a provider in trouble.
                first, tries.renewed = not tries.renewed, True
                return first and status != 0 and (request.read or status == 401) and await self._renewed(headers)
            case _Throttled(wait_s=wait_s):
                wait_s = backoff_s(tries.attempts, base_s=2.0) if wait_s is None else jittered_s(wait_s)
                again = wait_s <= MAX_WAIT_S
                if again:
                    self._limiter.pause(wait_s)
            case _Unreadable():
                again, tries.unreadable = not tries.unreadable, True
            case NotSent():
                again = not isinstance(failure, Hopeless)
            case NoAnswer():
                again = request.read
            case _:
                again = False
        cost = TIMEOUT_COST if isinstance(failure, TimedOut) else 1
        if not again or tries.attempts >= MAX_ATTEMPTS or not self._budget.take(cost):
            return False
        if not isinstance(failure, RateLimited):
            await asyncio.sleep(backoff_s(tries.attempts, base_s=0.25))
        tries.attempts += 1
        return True

    async def _renewed(self, used: Mapping[str, str]) -> bool:
        """Whether there is another credential than ``used`` now: one worker fetches it, the others wait for it."""
        async with self._renewing:
            if await self._auth.headers(self._login) != used:
                return True
            if self._renewable:
                # Once refused, a login will be refused again: hammering it locks accounts.
                self._renewable = await self._auth.renew(self._login)
            return self._renewable

    async def _login(self, method: str, url: str, json: Any) -> tuple[int, Any]:
        content = None if json is None else msgspec.json.encode(json)
        request = _Request(method, url, content, decoded)
        tries = _Tries()
        while True:
            try:
                received = await self._exchange(request, {})
                if received.status < 500 and received.status != 429:
                    return received.status, _lenient(received.raw)
                # Without its body: whatever a login says may hold what it was asked with, or a token.
                self._fail(request, {}, replace(received, raw=b""))
            except ProviderError as failure:
                # A token that nobody got to see does no harm: a login may be repeated like a read.
                if not await self._ready_again(_Request("GET", url, None, decoded), {}, failure, tries):
                    raise

    def _judged(self, request: _Request, headers: Mapping[str, str], received: Received) -> Reply:
        if request.heard is not None:
            request.heard.take(received, headers)
        if not 200 <= received.status < 300:
            self._fail(request, headers, received)
        try:
            body = request.decode(received.raw)
        except _UNDECODABLE as error:
            if not request.read:
                raise NoAnswer(f"{self._account} answered a write with something that is not JSON.") from None
            if isinstance(error, msgspec.ValidationError):
                shape = mask_text(visible(str(error)))[:MAX_TEXT]
                raise ReadIncomplete(f"{self._account} answered in an unknown shape: {shape}") from None
            raise _Unreadable(
                f"{self._account} answered a read with something that is not JSON.",
                hint="A login or maintenance page in between? Check the account's baseUrl.",
            ) from None
        return Reply(status=received.status, body=body, headers=received.headers, raw=received.raw)

    def _fail(self, request: _Request, auth_headers: Mapping[str, str], received: Received) -> NoReturn:
        """Raises what a status outside 200 to 299 means."""
        status = received.status
        text = f"HTTP {status} from {self._account}"
        if 300 <= status < 400:
            host = urlsplit(received.headers.get("location", "")).hostname or "elsewhere"
            text += f": redirected to {visible(host)[:80]}, which is not followed"
            if request.read:
                raise ReadIncomplete(text, status=status, hint="Check the account's baseUrl.")
            # 307 and 308 ask for the same request at another place; the others may come after it was processed.
            raise (Rejected if status in (307, 308) else NoAnswer)(text, status=status)
        if said := self._said(received.raw, auth_headers):
            text += f": {said}"
        if status == 429:
            wait_s = asked_wait_s(received.headers, self._reset_header)
            raise _Throttled(text, wait_s=wait_s)
        if status in (401, 403):
            raise CredentialsRefused(text, status=status, hint="Check the account's auth and what it may access.")
        if status == 404:
            raise NotFound(text, status=status)
        raise (Rejected if 400 <= status < 500 else NoAnswer)(text, status=status)

    def _said(self, raw: bytes, auth_headers: Mapping[str, str]) -> str:
        """The provider's own words, without the credentials it may echo, numbers and control characters.

        Cut at the very end: half a credential or number is not known for what it is any more.
        """
        said = self._error_text(_lenient(raw), raw).strip()[:SEARCHED]
        return mask_text(visible(without_credentials(said, auth_headers)))[:MAX_TEXT]


@dataclass(slots=True)
class _Tries:
    """What one request has been through."""

    attempts: int = 1
    made: int = 0
    """Attempts that came to nothing."""
    renewed: bool = False
    unreadable: bool = False


class _Throttled(RateLimited):
    """A 429. ``wait_s`` is what the provider asked for, if it did."""

    def __init__(self, message: str, *, wait_s: float | None) -> None:
        hint = try_again_after(wait_s) if wait_s is not None and wait_s > MAX_WAIT_S else ""
        super().__init__(message, hint=hint, status=429)
        self.wait_s = wait_s


def _lenient(raw: bytes) -> Any:
    try:
        return decoded(raw)
    except _UNDECODABLE:
        return None


def _texts(path: Sequence[object]) -> tuple[str, ...]:
    return tuple(str(part) for part in path)


def _plain(value: Json) -> Any:
    """Read-only mappings as the dictionaries that the encoder knows."""
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(f"{type(value).__name__} cannot stand in a request")
