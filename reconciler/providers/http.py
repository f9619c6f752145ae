"""The HTTP core under every adapter: authentication, pace, retries, and statuses turned into exceptions once.

Only what is proven not processed, or only reads, is ever sent twice: a lost answer to a write is ``NoAnswer``, and
whoever sent it looks before sending again. No message made here holds a URL, a credential or a person's number.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from reconciler import __version__
from reconciler.errors import (
    CredentialsRefused,
    NoAnswer,
    NotSent,
    ProviderError,
    RateLimited,
    ReadIncomplete,
    Rejected,
)
from reconciler.plan.calls import Call, Json, Method, unresolved
from reconciler.providers._answers import LastAnswer, answer_body, text_or_json
from reconciler.providers._auth import Auth, LoginSender, StaticAuth
from reconciler.providers._limits import (
    FAILURES_IN_A_ROW,
    MAX_ATTEMPTS,
    MAX_WAIT_S,
    TIMEOUT_COST,
    Breaker,
    Limiter,
    RetryBudget,
    backoff_s,
    jittered_s,
)
from reconciler.providers._replies import Judge, Reply, Throttled, Unreadable, decoded, json_or_none
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


class WriteOnReadOnly(RuntimeError):
    """A write reached a read-only connection: a bug in this tool. Nothing was sent."""


_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_UNRESERVED = re.compile(r"[0-9A-Za-z_~-]+")
"""Text that stands in a URL as it is."""


class _Request(Struct, frozen=True):
    """What is sent, again and again if need be. ``decode`` reads a 2xx."""

    method: str
    url: str
    content: bytes | None
    decode: Callable[[bytes], Any]
    last_answer: LastAnswer | None = None
    content_type: str = "application/json"
    start: Start = at_once
    check: Callable[[], Awaitable[None]] | None = None

    @property
    def read(self) -> bool:
        return self.method == "GET"


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
        self._judge = Judge(account=account, error_text=error_text, reset_header=reset_header)
        self._headers = {"accept": "application/json", "user-agent": f"reconciler/{__version__}", **(headers or {})}
        # Only what is decoded here: a compression asked for by default could inflate without bound.
        self._headers["accept-encoding"] = "gzip, deflate"
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
        request = self._request(call, decode, start=start, check=check)
        return await self._perform(request, unrepeated=unrepeated)

    async def ask(self, call: Call) -> Response:
        """Send a call, as often as ``get`` or ``send`` would, for whoever wants the answer: a refusal is one, too.

        Raises NotSent or NoAnswer when there is none, and CredentialsRefused when the login failed.
        """
        last_answer = LastAnswer()
        request = self._request(call, decoded if call.method is Method.GET else text_or_json, last_answer=last_answer)
        failure: ProviderError | None = None
        try:
            await self._perform(request)
        except ProviderError as refused:
            if last_answer.received is None or refused.status != last_answer.received.status:
                raise
            failure = refused
        received, auth_headers = last_answer.whole
        body = answer_body(received.raw, auth_headers)
        return Response(status=received.status, body=body, failure=failure)

    def _request(
        self,
        call: Call,
        decode: Callable[[bytes], Any],
        *,
        last_answer: LastAnswer | None = None,
        start: Start = at_once,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> _Request:
        if unresolved(call):
            raise ValueError(f"a call with unknown ids cannot be sent: {call.method} to {self._account}")
        reading = call.method is Method.GET
        if self._read_only and not reading:
            raise WriteOnReadOnly(f"{call.method} to {self._account} on a read-only connection")
        url = self._url(_texts(call.path), call.query, ReadIncomplete if reading else Rejected)
        content, content_type = self._form(call) or (None, "application/json")
        if content is None and call.body is not None:
            content = msgspec.json.encode(call.body, enc_hook=_plain)
        return _Request(call.method, url, content, decode, last_answer, content_type, start, check)

    async def aclose(self) -> None:
        await self._wire.aclose()

    def _url(self, segments: Sequence[str], query: Sequence[tuple[str, str]], failure: type[ProviderError]) -> str:
        url = self._base_url
        for segment in segments:
            if segment in ("", ".", "..") or _CONTROLS.search(segment):
                raise failure(f"An id or name that {self._account} was asked for cannot stand in a URL.")
            url += "/" + _quoted(segment)
        mark = "?"
        for name, value in query:
            url += f"{mark}{_quoted(name)}={_quoted(value)}"
            mark = "&"
        return url

    async def _perform(self, request: _Request, *, unrepeated: bool = False) -> Reply:
        tries = _Tries()
        while True:
            headers = await self._auth.headers(self._login)
            try:
                received = await self._exchange(request, headers, again=tries.made > 0)
                if request.last_answer is not None:
                    request.last_answer.take(received, headers)
                return self._judge.reply(received, request.decode, read=request.read, auth_headers=headers)
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
        credential = "".join(auth_headers.values())
        if not (credential.isascii() and credential.isprintable()):
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
            case Throttled(wait_s=wait_s):
                wait_s = backoff_s(tries.attempts, base_s=2.0) if wait_s is None else jittered_s(wait_s)
                again = wait_s <= MAX_WAIT_S
                if again:
                    self._limiter.pause(wait_s)
            case Unreadable():
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
                    return received.status, json_or_none(received.raw)
                # Without its body: whatever a login says may hold what it was asked with, or a token.
                self._judge.fail(replace(received, raw=b""), {}, read=False)
            except ProviderError as failure:
                # A token that nobody got to see does no harm: a login may be repeated like a read.
                if not await self._ready_again(_Request("GET", url, None, decoded), {}, failure, tries):
                    raise


class _Tries(Struct):
    """What one request has been through."""

    attempts: int = 1
    made: int = 0
    """Attempts that came to nothing."""
    renewed: bool = False
    unreadable: bool = False


def _quoted(text: str) -> str:
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe="")


def _texts(path: Sequence[object]) -> tuple[str, ...]:
    return tuple(str(part) for part in path)


def _plain(value: Json) -> Any:
    """Read-only mappings as the dictionaries that the encoder knows."""
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(f"{type(value).__name__} cannot stand in a request")
