"""Tokens: fetched once for everybody, renewed in time, and once more when one is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from intelepeer_world import account

from reconciler.errors import CredentialsRefused, NoAnswer, NotSent, RateLimited, ReadIncomplete, Rejected
from reconciler.providers.base import Secret
from reconciler.providers.http import StaticAuth
from reconciler.providers.intelepeer.auth import AUTH_URL, RENEW_AFTER_S, TokenAuth, auth_for, auth_url
from reconciler.providers.intelepeer.settings import AuthScheme

PASSWORD = "correct horse"
SECRETS = {"username": Secret("api-user"), "password": Secret(PASSWORD)}


class Login:
    """A login endpoint that hands out token-1, token-2, …, or does as it is told."""

    def __init__(self, *answers: Any) -> None:
        self.answers = [*answers]
        self.asked: list[tuple[str, str, Any]] = []

    async def __call__(self, method: str, url: str, json: Any) -> tuple[int, Any]:
        self.asked.append((method, url, json))
        await asyncio.sleep(0)
        if not self.answers:
            return 200, {"token": f"token-{len(self.asked)}"}
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def token_auth(clock: Clock | None = None, scheme: AuthScheme = AuthScheme.RAW) -> TokenAuth:
    return TokenAuth(
        url=AUTH_URL,
        username=SECRETS["username"],
        password=SECRETS["password"],
        scheme=scheme,
        clock=clock or Clock(),
    )


def test_the_token_stands_alone_unless_the_account_wants_a_scheme():
    login = Login()
    assert asyncio.run(token_auth().headers(login)) == {"authorization": "token-1"}
    assert asyncio.run(token_auth(scheme=AuthScheme.BEARER).headers(login)) == {"authorization": "Bearer token-2"}
    assert login.asked[0] == ("POST", AUTH_URL, {"username": "api-user", "password": PASSWORD})


def test_one_login_serves_all_workers():
    async def work() -> tuple[list[Any], int]:
        auth, login = token_auth(), Login()
        found = await asyncio.gather(*(auth.headers(login) for _ in range(20)))
        return found, len(login.asked)

    found, logins = asyncio.run(work())
    assert (logins, {h["authorization"] for h in found}) == (1, {"token-1"})


def test_a_token_is_renewed_an_hour_before_it_dies():
    async def work() -> list[str]:
        clock, login = Clock(), Login()
        auth = token_auth(clock)
        found = []
        for passed in (0.0, RENEW_AFTER_S - 1, 1.0, RENEW_AFTER_S):
            clock.now += passed
            found.append((await auth.headers(login))["authorization"])
        return found

    assert asyncio.run(work()) == ["token-1", "token-1", "token-2", "token-3"]


def test_a_refused_token_is_replaced():
    async def work() -> tuple[bool, str]:
        auth, login = token_auth(), Login()
        await auth.headers(login)
        renewed = await auth.renew(login)
        return renewed, (await auth.headers(login))["authorization"]

    assert asyncio.run(work()) == (True, "token-2")


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        ((401, {"code": 401, "error": "Unauthorized"}), CredentialsRefused),
        ((403, None), CredentialsRefused),
        ((200, {"code": 401, "error": "Unauthorized"}), CredentialsRefused),
        ((429, None), RateLimited),
        ((404, None), Rejected),
        ((200, None), ReadIncomplete),
        ((200, {}), ReadIncomplete),
        ((200, {"token": ""}), ReadIncomplete),
        ((200, {"token": 17, "note": PASSWORD}), ReadIncomplete),
        ((200, [PASSWORD]), ReadIncomplete),
        # Whatever waits for the token has not been sent.
        (NoAnswer("reset"), NotSent),
        (NotSent("refused"), NotSent),
    ],
)
def test_logins_that_fail(answer, failure):
    with pytest.raises(failure) as caught:
        asyncio.run(token_auth().headers(Login(answer)))
    assert type(caught.value) is failure
    assert PASSWORD not in caught.value.message


def test_a_given_token_needs_no_login():
    auth = auth_for(account(), {"token": Secret("given")}, "https://engage.intelepeer.com")
    assert isinstance(auth, StaticAuth)
    assert asyncio.run(auth.headers(Login())) == {"authorization": "given"}
    assert asyncio.run(auth.renew(Login())) is False
    bearer = auth_for(account(authScheme="bearer"), {"token": Secret("given")}, "https://engage.intelepeer.com")
    assert asyncio.run(bearer.headers(Login())) == {"authorization": "Bearer given"}


def test_where_to_log_in():
    assert auth_url(account(), "https://engage.intelepeer.com") == AUTH_URL
    assert auth_url(account(), "https://engage.example.com") == AUTH_URL
    assert auth_url(account(), "http://127.0.0.1:8080") == "http://127.0.0.1:8080/_rest/v4/authenticate"
    given = account(authUrl="https://login.example.com/token")
    assert auth_url(given, "http://127.0.0.1:8080") == "https://login.example.com/token"
