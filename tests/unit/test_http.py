"""The HTTP core against a real loopback server: what is sent, what is sent again, and what the caller gets to know."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import pytest
from raw_server import Behaviour, RawServer, answer, close, drip, hang, reset

from reconciler.diagnostics import Span
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
from reconciler.model.addresses import Address, Kind
from reconciler.model.resources import Account, Limits, Settle
from reconciler.plan.calls import Call, Method, Ref
from reconciler.providers import _limits, _replies, _wire, http
from reconciler.providers.base import Defaults
from reconciler.providers.http import Http, LoginSender, Pace, StaticAuth

TOKEN = "abcdef-token-123456"
BEARER = {"authorization": f"Bearer {TOKEN}"}
POST = Call(method=Method.POST, path=("things",), body={"name": "x"})


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off takes no time here: what is tested is how often, not how long."""
    monkeypatch.setattr(http, "backoff_s", lambda attempt, *, base_s: 0.0)


def text_of(body: Any, raw: bytes) -> str:
    return str(body.get("error", "")) if isinstance(body, dict) else raw.decode("utf-8", "replace")


def connection(server: RawServer, **more: Any) -> Http:
    settings: dict[str, Any] = {
        "account": "main",
        "base_url": server.url + "/v1",
        "auth": StaticAuth(BEARER),
        "pace": Pace(timeout_s=5.0),
        "read_only": False,
        "error_text": text_of,
    }
    return Http(**(settings | more))


def run(
    script: list[Behaviour],
    use: Callable[[Http, RawServer], Awaitable[Any]],
    *,
    by_path: Mapping[str, list[Behaviour]] | None = None,
    **more: Any,
) -> Any:
    async def main() -> Any:
        async with RawServer(script, by_path or {}) as server:
            core = connection(server, **more)
            try:
                return await use(core, server)
            finally:
                await core.aclose()

    return asyncio.run(main())


def outcome(script: list[Behaviour], *, write: bool = False, **more: Any) -> tuple[ProviderError | None, int]:
    """How one read (or write) ends, and how many requests the server saw for it."""

    async def use(core: Http, server: RawServer) -> tuple[ProviderError | None, int]:
        try:
            await (core.send(POST) if write else core.get("things"))
        except ProviderError as failure:
            return failure, len(server.seen)
        return None, len(server.seen)

    result: tuple[ProviderError | None, int] = run(script, use, **more)
    return result


# --- what is sent


def test_segments_and_query_are_encoded_one_by_one() -> None:
    async def use(core: Http, server: RawServer) -> None:
        await core.get("lists", "a/b c+d%", query=[("mobile_number", "+16155550123"), ("name", "a b&c=d")])
        seen = server.seen[0]
        assert seen.target == "/v1/lists/a%2Fb%20c%2Bd%25?mobile_number=%2B16155550123&name=a%20b%26c%3Dd"
        assert seen.headers["authorization"] == f"Bearer {TOKEN}"
        assert seen.headers["accept"] == "application/json"
        assert "content-type" not in seen.headers

    run([answer()], use)


@pytest.mark.parametrize("segment", ["", ".", "..", "a\nb", "\x7f"])
def test_a_segment_that_would_change_the_path_is_never_sent(segment: str) -> None:
    async def use(core: Http, server: RawServer) -> None:
        with pytest.raises(ReadIncomplete):
            await core.get("lists", segment)
        with pytest.raises(Rejected):
            await core.send(Call(method=Method.DELETE, path=("lists", segment)))
        assert server.seen == []

    run([answer()], use)


def test_a_delete_carries_its_body() -> None:
    async def use(core: Http, server: RawServer) -> None:
        await core.send(
            Call(method=Method.DELETE, path=("lists", "contacts"), body=({"contact_id": 1, "lists": (2, 3)},))
        )
        seen = server.seen[0]
        assert seen.method == "DELETE"
        assert msgspec.json.decode(seen.body) == [{"contact_id": 1, "lists": [2, 3]}]
        assert seen.headers["content-type"] == "application/json"
        assert seen.headers["content-length"] == str(len(seen.body))

    run([answer(body=b"[]")], use)


def test_a_write_on_a_read_only_connection_is_a_bug_and_sends_nothing() -> None:
    async def use(core: Http, server: RawServer) -> None:
        with pytest.raises(RuntimeError, match="read-only"):
            await core.send(POST)
        assert server.seen == []

    run([answer()], use, read_only=True)


def test_a_call_with_unknown_ids_is_never_sent() -> None:
    async def use(core: Http, server: RawServer) -> None:
        with pytest.raises(ValueError, match="unknown ids"):
            await core.send(
                Call(method=Method.POST, path=("lists",), body={"list": Ref(Address("main", Kind.LIST, "join"))})
            )
        assert server.seen == []

    run([answer()], use)


# --- what comes back


def test_a_reply_has_body_headers_and_bytes() -> None:
    async def use(core: Http, server: RawServer) -> None:
        reply = await core.get("things")
        assert (reply.status, reply.body, reply.raw) == (201, {"a": 1}, b'{"a":1}')
        assert reply.headers["x-ratelimit-reset"] == "55"

    run([answer(201, b'{"a":1}', {"X-RateLimit-Reset": "55"})], use)


def test_an_empty_success_has_no_body() -> None:
    async def use(core: Http, server: RawServer) -> None:
        assert (await core.send(POST)).body is None
        assert (await core.get("things")).body is None

    run([answer(204, b""), answer(200, b"")], use)


def test_a_typed_decoder_reads_pages_and_reports_an_unknown_shape_at_once() -> None:
    decode = msgspec.json.Decoder(list[int]).decode

    async def use(core: Http, server: RawServer) -> None:
        assert (await core.get("things", decode=decode)).body == [1, 2]
        with pytest.raises(ReadIncomplete, match="unknown shape"):
            await core.get("things", decode=decode)
        assert core.requests == 2

    run([answer(body=b"[1,2]"), answer(body=b'{"a":1}')], use)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, Rejected), (404, NotFound), (409, Rejected), (413, Rejected), (418, Rejected), (422, Rejected)],
)
@pytest.mark.parametrize("write", [False, True])
def test_a_refusal_is_final(status: int, expected: type[ProviderError], write: bool) -> None:
    failure, requests = outcome([answer(status, b'{"error":"no"}')], write=write)
    assert type(failure) is expected
    assert failure.status == status
    assert str(failure) == f"HTTP {status} from main: no"
    assert requests == 1


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    script = [answer(status, b"", {"Location": "https://elsewhere.example/login?token=secret"})]
    failure, requests = outcome(list(script))
    assert isinstance(failure, ReadIncomplete)
    assert "elsewhere.example" in str(failure)
    assert "secret" not in str(failure)
    assert requests == 1
    failure, requests = outcome(list(script), write=True)
    assert isinstance(failure, Rejected if status in (307, 308) else NoAnswer)
    assert requests == 1


@pytest.mark.parametrize("status", [500, 502, 503, 520, 599])
def test_server_errors_are_repeated_for_reads_only(status: int) -> None:
    broken = answer(status, b"<html>gateway</html>")
    assert outcome([broken, broken, broken, answer()]) == (None, 4)
    failure, requests = outcome([broken])
    assert (type(failure), requests) == (NoAnswer, 4)
    failure, requests = outcome([broken, answer()], write=True)
    assert (type(failure), requests) == (NoAnswer, 1)


@pytest.mark.parametrize("ending", [reset, close, answer(body=b"{}", length=50)], ids=["reset", "close", "short"])
def test_a_lost_answer_is_repeated_for_reads_only(ending: Behaviour) -> None:
    assert outcome([ending, ending, answer()]) == (None, 3)
    failure, requests = outcome([ending, answer()], write=True)
    assert (type(failure), requests) == (NoAnswer, 1)


@pytest.mark.parametrize("ending", [hang, drip], ids=["hang", "drip"])
def test_one_deadline_covers_the_whole_exchange(ending: Behaviour) -> None:
    failure, requests = outcome([ending], write=True, pace=Pace(timeout_s=0.15))
    assert (type(failure), requests) == (_wire.TimedOut, 1)
    assert isinstance(failure, NoAnswer)
    assert "0.15 s" in str(failure)


def test_no_connection_means_not_sent_and_is_repeated_for_writes_too() -> None:
    async def main() -> tuple[int, int]:
        async with RawServer([answer()]) as server:
            core = connection(server)
        with pytest.raises(NotSent):
            await core.send(POST)
        after_write = core.requests
        with pytest.raises(NotSent, match="5 times in a row"):
            await core.get("things")
        return after_write, core.requests

    assert asyncio.run(main()) == (4, 5)


def test_tls_trouble_is_not_repeated_and_names_the_host() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(plain, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            core = Http(
                account="main",
                base_url=f"https://127.0.0.1:{port}/v1",
                auth=StaticAuth(BEARER),
                pace=Pace(timeout_s=5.0),
                read_only=True,
                error_text=text_of,
            )
            with pytest.raises(NotSent, match=r"No TLS connection to 127\.0\.0\.1"):
                await core.get("things")
            assert core.requests == 1
            await core.aclose()

    asyncio.run(main())


def test_a_page_that_is_not_json_is_read_once_more() -> None:
    page = answer(200, b"<html>please log in</html>", {"Content-Type": "text/html"})
    assert outcome([page, answer()]) == (None, 2)
    failure, requests = outcome([page])
    assert (type(failure), requests) == (_replies.Unreadable, 2)
    assert isinstance(failure, ReadIncomplete)


@pytest.mark.parametrize("body", [b'{"id": 1', b"<html>", b"\xff", b"[" * 100_000, b"NaN"])
def test_a_success_that_cannot_be_read_leaves_a_write_unknown(body: bytes) -> None:
    failure, requests = outcome([answer(200, body), answer()], write=True)
    assert (type(failure), requests) == (NoAnswer, 1)


def test_too_large_an_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wire, "MAX_RESPONSE_BYTES", 1 << 20)
    bomb = answer(200, gzip.compress(b" " * (8 << 20)), {"Content-Encoding": "gzip"})
    failure, requests = outcome([bomb])
    assert (type(failure), requests) == (ReadIncomplete, 1)
    failure, _ = outcome([bomb], write=True)
    assert type(failure) is NoAnswer


def test_only_compressions_that_were_asked_for_are_opened() -> None:
    failure, _ = outcome([answer(200, b"x", {"Content-Encoding": "zstd"})])
    assert type(failure) is ReadIncomplete
    assert outcome([answer(200, gzip.compress(b"{}"), {"Content-Encoding": "gzip"})]) == (None, 1)


@pytest.mark.parametrize(
    ("cut", "more", "known"), [(0, b"", True), (9, b"", True), (9, b"\0", False), (9, b"{}", False)]
)
def test_compressed_answers_are_opened_to_their_ends(cut: int, more: bytes, known: bool) -> None:
    body = b'{"data": [1, 2, 3]}'
    packed = gzip.compress(body[:cut]) + gzip.compress(body[cut:]) + more
    failure, _ = outcome([answer(200, packed, {"Content-Encoding": "gzip"})], write=True)
    assert failure is None if known else type(failure) is NoAnswer


def test_a_bomb_in_many_pieces_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wire, "MAX_RESPONSE_BYTES", 1 << 20)
    bomb = answer(200, gzip.compress(b" " * (1 << 19)) * 3, {"Content-Encoding": "gzip"})
    failure, requests = outcome([bomb])
    assert (type(failure), requests) == (ReadIncomplete, 1)


# --- what a message may hold


def test_an_echoed_credential_and_a_number_stay_out_of_the_message() -> None:
    said = f'{{"error":"Bearer {TOKEN} ({TOKEN}) may not text +16155550123 \\u001b[31m"}}'
    failure, _ = outcome([answer(422, said.encode())])
    text = str(failure)
    assert TOKEN not in text
    assert "6155550123" not in text
    assert "•••" in text
    assert "\x1b" not in text


def test_both_halves_of_basic_are_kept_out() -> None:
    basic = StaticAuth({"authorization": "Basic dXNlci1uYW1lOnMzY3JldC13b3Jk"})
    failure, _ = outcome([answer(422, b'{"error":"user-name with s3cret-word is unknown"}')], auth=basic)
    assert "user-name" not in str(failure)
    assert "s3cret-word" not in str(failure)


JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZGVudGl0eSI6ImFjbWU6dXNlciIsImV4cCI6MTc5NTMxMzQyM30.c2lnbmF0dXJl"
ECHOES = {
    "whole": f"Authorization: Bearer {JWT}",
    "without its scheme": f"token={JWT};",
    "across the cut": "x" * 180 + f" Bearer {JWT}",
    "cut off": f"Bearer {JWT[:60]}...",
    "only its end": f"...{JWT[-30:]}",
    "on two lines": f"{JWT[:50]}\n{JWT[50:]}",
    "decoded": '{"identity":"acme:user","exp":1795313423}',
}


@pytest.mark.parametrize("echo", ECHOES)
def test_no_part_of_a_credential_is_in_a_message(echo: str) -> None:
    headers = {"authorization": f"Bearer {JWT}", "x-account-id": "210ea5d942f41744f1ef37e84a4965e0"}
    failure, _ = outcome([answer(422, json.dumps({"error": ECHOES[echo]}).encode())], auth=StaticAuth(headers))
    text = str(failure)
    assert "***" in text
    assert "acme:user" not in text
    assert not [at for at in range(len(JWT) - 7) if JWT[at : at + 8] in text]


def test_a_number_across_the_cut_is_masked_first() -> None:
    failure, _ = outcome([answer(422, json.dumps({"error": "x" * 191 + " +16155550123"}).encode())])
    assert "+1615555" not in str(failure)


def test_ids_that_resemble_the_accounts_stay_readable() -> None:
    headers = {"authorization": f"Bearer {JWT}", "x-account-id": "210ea5d942f41744f1ef37e84a4965e0"}
    said = b'{"error":"lead 210ea5d942f41744f1ef37e84a59878d is unknown"}'
    failure, _ = outcome([answer(422, said)], auth=StaticAuth(headers))
    assert "210ea5d942f41744f1ef37e84a59878d" in str(failure)


def test_a_long_text_is_cut() -> None:
    failure, _ = outcome([answer(500, b"x" * 5000)], write=True)
    assert len(str(failure)) < 350


@pytest.mark.parametrize("key", ["line\nbreak", "umlaut-ü"])
def test_a_credential_that_is_no_header_is_refused_without_being_shown(key: str) -> None:
    failure, requests = outcome([answer()], auth=StaticAuth({"authorization": f"Bearer {key}"}))
    assert type(failure) is CredentialsRefused
    assert requests == 0
    assert key not in str(failure)


# --- 401


class Tokens:
    """A login whose tokens are counted: t1, t2, …"""

    def __init__(self, url: str = "") -> None:
        self.logins = 0
        self.url = url
        self._token = ""
        self._lock = asyncio.Lock()

    async def headers(self, sender: LoginSender) -> Mapping[str, str]:
        async with self._lock:
            if not self._token:
                await self.renew(sender)
        return {"authorization": f"Bearer {self._token}"}

    async def renew(self, sender: LoginSender) -> bool:
        if self.url:
            status, body = await sender("POST", self.url, {"username": "u"})
            if status != 200:
                return False
            self._token = body["token"]
        else:
            self._token = f"t{self.logins + 1}"
        self.logins += 1
        return True


@pytest.mark.parametrize("write", [False, True])
def test_an_expired_token_is_renewed_once_and_the_request_repeated(write: bool) -> None:
    tokens = Tokens()
    assert outcome([answer(401), answer()], write=write, auth=tokens) == (None, 2)
    assert tokens.logins == 2


def test_a_second_401_is_final() -> None:
    tokens = Tokens()
    failure, requests = outcome([answer(401, b'{"error":"Unauthorized"}')], auth=tokens)
    assert (type(failure), requests) == (CredentialsRefused, 2)
    assert tokens.logins == 2


def test_a_403_is_not_repeated_for_writes() -> None:
    failure, requests = outcome([answer(403)], write=True, auth=Tokens())
    assert (type(failure), requests) == (CredentialsRefused, 1)


def test_a_fixed_key_is_not_renewed() -> None:
    failure, requests = outcome([answer(401)])
    assert (type(failure), requests) == (CredentialsRefused, 1)


def test_many_workers_that_meet_a_401_log_in_once() -> None:
    tokens = Tokens()

    async def use(core: Http, server: RawServer) -> None:
        await asyncio.gather(*(core.get("things") for _ in range(4)))
        assert tokens.logins == 2
        assert len(server.seen) == 8

    run([answer(401), answer(401), answer(401), answer(401), answer()], use, auth=tokens)


def test_a_login_passes_on_a_read_only_connection_and_survives_a_lost_answer() -> None:
    tokens = Tokens()

    async def use(core: Http, server: RawServer) -> None:
        tokens.url = server.url + "/login"
        await core.get("things")
        assert [s.target for s in server.seen] == ["/login", "/login", "/login", "/v1/things"]
        assert "authorization" not in server.seen[0].headers
        assert core.requests == 4

    logins = [reset, answer(500), answer(body=b'{"token":"t1"}')]
    run([answer()], use, by_path={"/login": logins}, auth=tokens, read_only=True)


# --- pace


@pytest.mark.parametrize("write", [False, True])
def test_a_429_is_waited_out(write: bool) -> None:
    assert outcome([answer(429, b"{}", {"Retry-After": "0"}), answer()], write=write) == (None, 2)
    failure, requests = outcome([answer(429, b"{}", {"Retry-After": "0"})], write=write)
    assert isinstance(failure, RateLimited)
    assert requests == 4


def test_the_reset_header_goes_before_retry_after_and_too_long_a_wait_ends_the_run() -> None:
    reply = answer(429, b"{}", {"X-RateLimit-Reset": "0", "Retry-After": "1000000000"})
    assert outcome([reply, answer()], reset_header="x-RateLimit-Reset") == (None, 2)
    failure, requests = outcome([reply, answer()])
    assert isinstance(failure, RateLimited)
    assert "try again after 20" in failure.hint
    assert requests == 1


def test_retries_of_an_account_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_limits, "COOL_DOWN_S", 0.0)

    async def use(core: Http, server: RawServer) -> None:
        for _ in range(30):
            with pytest.raises(NoAnswer):
                await core.get("things")
        assert len(server.seen) <= 30 * 1.1 + 10

    run([answer(503)], use)


def test_a_provider_that_only_fails_is_left_alone() -> None:
    async def use(core: Http, server: RawServer) -> None:
        with pytest.raises(NoAnswer):
            await core.get("things")
        for _ in range(30):
            with pytest.raises(NotSent, match="asked no more for now"):
                await core.get("things")
        assert len(server.seen) == 5

    run([answer(503)], use)


def test_no_more_requests_at_once_than_allowed() -> None:
    async def use(core: Http, server: RawServer) -> None:
        await asyncio.gather(*(core.get("things") for _ in range(40)))
        assert server.most_at_once <= 3
        assert len(server.seen) == 40

    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.002)
        await answer()(writer)

    run([slowly], use, pace=Pace(concurrency=3, timeout_s=5.0))


# --- settings


def account(**more: Any) -> Account:
    return Account(name="main", provider="slicktext", auth={}, source=Span(file="a.yaml", line=1), **more)


DEFAULTS = Defaults(base_url="https://dev.slicktext.com/v1", requests_per_second=4.0, concurrency=4)


def test_the_base_url_keeps_its_own_path_or_takes_the_providers() -> None:
    assert http.base_url(account(), DEFAULTS) == "https://dev.slicktext.com/v1"
    assert http.base_url(account(base_url="http://127.0.0.1:8080/"), DEFAULTS) == "http://127.0.0.1:8080/v1"
    assert http.base_url(account(base_url="https://proxy.example/st/v1/"), DEFAULTS) == "https://proxy.example/st/v1"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1/x", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:80", True),
        ("http://localhost:80", True),
        ("https://127.0.0.1.example.com", False),
        ("https://localhost.example.com", False),
        ("https://dev.slicktext.com", False),
        ("", False),
    ],
)
def test_loopback_is_told_by_the_host_alone(url: str, expected: bool) -> None:
    assert http.is_loopback(url) is expected


def test_default_rates_and_settle_times_are_lifted_on_loopback_and_explicit_ones_hold() -> None:
    local = "http://127.0.0.1:1"
    assert http.pace(account(), DEFAULTS, None).requests_per_second == 4.0
    assert http.pace(account(base_url=local), DEFAULTS, None).requests_per_second is None
    explicit = account(base_url=local, limits=Limits(requests_per_second=2.0, concurrency=9, timeout_s=3.0))
    assert http.pace(explicit, DEFAULTS, 5) == Pace(requests_per_second=2.0, concurrency=5, timeout_s=3.0)
    assert http.settle(account(), DEFAULTS) == (120.0, 30.0)
    assert http.settle(account(base_url=local), DEFAULTS) == (0.0, 0.0)
    assert http.settle(account(base_url=local, settle=Settle(landing_s=7.0)), DEFAULTS) == (7.0, 0.0)


# --- every status there is


def meaning(status: int, *, write: bool) -> type[ProviderError] | None:
    """The table, once more and in other words. None: an answer."""
    if 200 <= status < 300:
        return None
    if status in (401, 403):
        return CredentialsRefused
    if status in (404, 429):
        return NotFound if status == 404 else RateLimited
    if 400 <= status < 500 or (write and status in (307, 308)):
        return Rejected
    return NoAnswer if write or not 300 <= status < 400 else ReadIncomplete


@pytest.mark.parametrize("write", [False, True])
def test_every_status_from_200_to_599_means_one_thing(monkeypatch: pytest.MonkeyPatch, write: bool) -> None:
    monkeypatch.setattr(_limits, "COOL_DOWN_S", 0.0)
    monkeypatch.setattr(http, "MAX_ATTEMPTS", 1)
    statuses = range(200, 600)

    async def use(core: Http, server: RawServer) -> dict[int, type[ProviderError] | None]:
        found: dict[int, type[ProviderError] | None] = {}
        for status in statuses:
            try:
                await (core.send(POST) if write else core.get("things"))
                found[status] = None
            except ProviderError as failure:
                found[status] = next(c for c in type(failure).__mro__ if c.__module__ == "reconciler.errors")
        assert len(server.seen) == len(statuses)
        return found

    # 204 and 304 have no body: what stood there would be taken for the next answer.
    found = run([answer(s, b"" if s in (204, 304) else b"{}") for s in statuses], use)
    assert found == {s: meaning(s, write=write) for s in statuses}


@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_an_announcement_is_no_answer(status: int) -> None:
    failure, requests = outcome([answer(status, b"")], write=True, pace=Pace(timeout_s=0.2))
    assert (type(failure), requests) == (_wire.TimedOut, 1)
