"""The HTTP core asked for the answer itself: every status comes back, and nothing is repeated that was not before."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from raw_server import Behaviour, RawServer, answer, reset

from reconciler.errors import CredentialsRefused, NoAnswer, NotFound, ProviderError, RateLimited, Rejected
from reconciler.plan.calls import Call, Method
from reconciler.providers import http
from reconciler.providers.base import Response
from reconciler.providers.http import Http, Pace, StaticAuth, WriteOnReadOnly

TOKEN = "abcdef-token-123456"
GET = Call(method=Method.GET, path=("things",), query=(("name", "a b"),))
POST = Call(method=Method.POST, path=("things",), body={"name": "x"})


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off takes no time here: what is tested is how often, not how long."""
    monkeypatch.setattr(http, "backoff_s", lambda attempt, *, base_s: 0.0)


def asked(script: list[Behaviour], call: Call = POST, *, read_only: bool = False) -> tuple[Response | Exception, int]:
    """What one call gets back, and how many requests were sent for it."""

    async def main() -> Any:
        async with RawServer(script) as server:
            core = Http(
                account="main",
                base_url=server.url,
                auth=StaticAuth({"authorization": f"Bearer {TOKEN}"}),
                pace=Pace(timeout_s=5.0),
                read_only=read_only,
                error_text=lambda body, raw: str(body),
            )
            try:
                return await core.ask(call), len(server.seen)
            except ProviderError as failure:
                return failure, len(server.seen)
            finally:
                await core.aclose()

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, CredentialsRefused), (403, CredentialsRefused), (404, NotFound), (409, Rejected), (422, Rejected)],
)
def test_a_refusal_is_an_answer(status: int, kind: type[ProviderError]) -> None:
    response, requests = asked([answer(status, b'{"error": ["no"]}')])
    assert isinstance(response, Response)
    assert (response.status, response.body) == (status, {"error": ["no"]})
    assert isinstance(response.failure, kind)
    assert requests == 1


def test_what_is_sent_again_is_what_send_would_send_again() -> None:
    response, requests = asked([answer(503), answer(200, b"[1]")], GET)
    assert isinstance(response, Response)
    assert (response.body, response.failure, requests) == ([1], None, 2)
    response, requests = asked([answer(503, b'{"error": 1}'), answer(200)], POST)
    assert isinstance(response, Response)
    assert (response.status, requests) == (503, 1)
    assert isinstance(response.failure, NoAnswer)
    response, requests = asked([answer(429, b"slow", {"Retry-After": "999"})], POST)
    assert isinstance(response, Response)
    assert (response.status, response.body, requests) == (429, "slow", 1)
    assert isinstance(response.failure, RateLimited)


def test_no_answer_stays_no_answer_whatever_came_before() -> None:
    failure, requests = asked([reset])
    assert isinstance(failure, NoAnswer)
    assert requests == 1
    failure, _ = asked([answer(500), reset], GET)
    assert isinstance(failure, NoAnswer)
    assert failure.status == 0


@pytest.mark.parametrize(
    ("raw", "body"), [(b"true", True), (b"", None), (b"Lead added.", "Lead added."), (b'"x"', "x"), (b"12", 12)]
)
def test_a_write_may_be_answered_with_a_sentence(raw: bytes, body: object) -> None:
    response, _ = asked([answer(200, raw)])
    assert isinstance(response, Response)
    assert (response.body, response.failure) == (body, None)


@pytest.mark.parametrize("raw", [b"<html>maintenance</html>", b'{"cut": '])
def test_a_page_or_half_an_answer_says_nothing(raw: bytes) -> None:
    failure, _ = asked([answer(200, raw)])
    assert isinstance(failure, NoAnswer)
    refused, _ = asked([answer(422, raw)])
    assert isinstance(refused, Response)
    assert refused.body is None


def test_an_echoed_credential_is_nowhere() -> None:
    echo = f'{{"Bearer {TOKEN}": ["key {TOKEN}", {{"a": "{TOKEN}", "b": "{TOKEN[:12]}…"}}]}}'.encode()
    for status in (200, 422):
        response, _ = asked([answer(status, echo)])
        assert isinstance(response, Response)
        assert TOKEN not in repr(response.body)
        assert TOKEN not in str(response.failure)


def test_a_read_only_connection_asks_for_reads_only() -> None:
    assert asked([answer()], GET, read_only=True)[1] == 1
    with pytest.raises(WriteOnReadOnly):
        asked([answer()], POST, read_only=True)
