"""The account's token: bought with a login, renewed before it dies and when a refusal may mean that it did.

No call that renews a token is documented, so renewing is logging in again (API notes, section 1 and A-1). The token is
opaque; only its expiry, and whose it is, are read out of it where it is a JWT.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from reconciler.errors import CredentialsRefused, NoAnswer, NotSent, Rejected
from reconciler.providers.base import Secret
from reconciler.providers.contactcenter.convert import whole
from reconciler.providers.http import LoginSender

RENEW_BEFORE_S = 120.0
UNKNOWN_LIFE_S = 50 * 60.0
"""How long a token that does not tell its expiry is used; other clients keep one for 55 to 60 minutes."""


class PortalAuth:
    """A token fetched when first needed. ``clock`` is monotonic, ``now`` is Unix time; both in seconds.

    ``logins`` counts them: whoever was refused can tell if somebody logged in meanwhile. ``token_account`` is the
    account that the token names, empty where it names none.
    """

    def __init__(
        self,
        *,
        url: str,
        credentials: Mapping[str, Secret],
        domain: str,
        account_id: str,
        suspect_s: float,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._credentials = credentials
        self._domain = domain
        self._account_id = account_id
        self._suspect_s = suspect_s
        self._clock = clock
        self._now = now
        self._one_at_a_time = asyncio.Lock()
        self._headers: Mapping[str, str] | None = None
        self._issued_at = 0.0
        self._renew_at = 0.0
        self._dies_at = 0.0
        self.logins = 0
        self.token_account = ""

    async def headers(self, sender: LoginSender) -> Mapping[str, str]:
        """Logs in when there is no token or it is about to die: one worker does, all others wait for it."""
        async with self._one_at_a_time:
            if self._headers is None or self._clock() >= self._renew_at:
                self._headers = await self._log_in(sender)
            return self._headers

    async def renew(self, sender: LoginSender) -> bool:
        """Logs in anew after a 401. Raises when the login is refused."""
        async with self._one_at_a_time:
            self._headers = await self._log_in(sender)
            return True

    def suspect(self) -> bool:
        """Whether a 400 may mean that the token died: its time has come, or it is not quite fresh."""
        now = self._clock()
        return now >= self._dies_at or now - self._issued_at >= self._suspect_s

    def discard(self, logins: int) -> None:
        """Forget the token of the login that was the ``logins``-th; a newer one stays."""
        if self.logins == logins:
            self._headers = None

    async def _log_in(self, sender: LoginSender) -> Mapping[str, str]:
        started_at = self._clock()
        body = {name: self._credentials[name].reveal() for name in ("username", "password")} | {"domain": self._domain}
        try:
            status, answer = await sender("POST", self._url, body)
        except NoAnswer as error:
            # Whatever waited for the token was not sent, and that is what whoever sends it has to know.
            raise NotSent(f"The login got no answer: {error.message}", hint=error.hint) from None
        token, life_s = _token(status, answer)
        self._issued_at = started_at
        self.logins += 1
        claims = _claims(token)
        self.token_account = str(claims.get("identity") or "").partition(":")[0] if claims else ""
        expires = whole(claims.get("exp"))
        left_s = life_s if life_s is not None else (float(expires) - self._now() if expires else 0.0)
        # A clock that is off makes a fresh token look dead: then its age decides, as if it told nothing.
        life_s = left_s if left_s > 0 else UNKNOWN_LIFE_S
        self._dies_at = started_at + life_s
        margin_s = min(RENEW_BEFORE_S, life_s / 2) if left_s > 0 else 0.0
        self._renew_at = self._dies_at - margin_s
        return {"authorization": f"Bearer {token.reveal()}", "x-account-id": self._account_id}


def _token(status: int, answer: Any) -> tuple[Secret, float | None]:
    """The token and its life in seconds, where the answer tells it. Never repeats a word of the answer."""
    if status in (400, 401, 403):
        raise CredentialsRefused(
            f"The portal refused the login with HTTP {status}.",
            hint="Check username, password and domain. It was tried once only: portals lock accounts.",
        )
    if not 200 <= status < 300:
        raise Rejected(f"The portal answered the login with HTTP {status}.", hint="Check baseUrl.", status=status)
    found = answer if isinstance(answer, Mapping) else {}
    token = found.get("access_token") or found.get("accessToken")
    if not isinstance(token, str) or not token.strip():
        raise Rejected("The portal answered the login without a token.", hint="Check baseUrl.", status=status)
    life = whole(found.get("expiresIn"))
    return Secret(token.strip()), float(life) if life is not None and int(life) > 0 else None


def _claims(token: Secret) -> Mapping[str, Any]:
    """What a JWT says of itself, its signature unchecked; nothing for any other token."""
    parts = token.reveal().split(".")
    if len(parts) != 3:
        return {}
    try:
        decoded = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return {}
    return decoded if isinstance(decoded, Mapping) else {}
