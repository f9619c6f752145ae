"""The account's token: bought with a login, good for 24 hours, renewed before that and once after a 401.

The login is on another host than the API. The token goes into ``Authorization`` without a scheme; older documents put
``Bearer`` before it, so the account can ask for that (source: IntelePeer API notes, section 1).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from reconciler.errors import NoAnswer, NotSent
from reconciler.model.resources import Account
from reconciler.providers.base import Secret
from reconciler.providers.http import Auth, LoginSender, StaticAuth, is_loopback
from reconciler.providers.intelepeer.client import authenticate
from reconciler.providers.intelepeer.settings import AuthScheme, settings_of

AUTH_URL = "https://customer.intelepeer.com/_rest/v4/authenticate"
_AUTH_PATH = urlsplit(AUTH_URL).path

RENEW_AFTER_S = 23 * 3600.0
"""The documented life of a token is 24 hours; no expiry comes with it."""


def auth_url(account: Account, base_url: str) -> str:
    """Where to log in: as the account says, else at IntelePeer, else beside an API on this machine."""
    if given := settings_of(account).auth_url:
        return given
    if not is_loopback(base_url):
        return AUTH_URL
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}{_AUTH_PATH}"


def auth_for(account: Account, secrets: Mapping[str, Secret], base_url: str) -> Auth:
    """The account's way of proving itself: a given token, or one that it logs in for."""
    scheme = settings_of(account).auth_scheme
    if (token := secrets.get("token")) is not None:
        return StaticAuth(_header(token, scheme))
    return TokenAuth(
        url=auth_url(account, base_url),
        username=secrets["username"],
        password=secrets["password"],
        scheme=scheme,
    )


def _header(token: Secret, scheme: AuthScheme) -> Mapping[str, str]:
    value = token.reveal()
    return {"authorization": f"Bearer {value}" if scheme is AuthScheme.BEARER else value}


class TokenAuth:
    """A token that is fetched when first needed and again before it dies; ``clock`` is monotonic, in seconds."""

    def __init__(
        self,
        *,
        url: str,
        username: Secret,
        password: Secret,
        scheme: AuthScheme,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._username = username
        self._password = password
        self._scheme = scheme
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._headers: Mapping[str, str] | None = None
        self._issued_at = 0.0

    async def headers(self, sender: LoginSender) -> Mapping[str, str]:
        """Log in when there is no token or it is 23 hours old: one worker does, all others wait for it."""
        async with self._one_at_a_time:
            if self._headers is None or self._clock() - self._issued_at >= RENEW_AFTER_S:
                self._headers = await self._log_in(sender)
            return self._headers

    async def renew(self, sender: LoginSender) -> bool:
        """Log in anew after a 401: a token may be revoked at any time. Raises when the login is refused."""
        async with self._one_at_a_time:
            self._headers = await self._log_in(sender)
            return True

    async def _log_in(self, sender: LoginSender) -> Mapping[str, str]:
        started_at = self._clock()
        try:
            token = await authenticate(sender, self._url, self._username, self._password)
        except NoAnswer as error:
            # Whatever waited for the token was not sent, and that is what whoever sends it has to know.
            raise NotSent(f"The login got no answer: {error.message}", hint=error.hint) from None
        self._issued_at = started_at
        return _header(token, self._scheme)
