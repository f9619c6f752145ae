"""Where the credential of each request comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class LoginSender(Protocol):
    """Sends one login request to an absolute URL, also on a read-only connection; status and decoded body (or None).

    Raises NotSent or NoAnswer (5xx included); any other status is the caller's to judge.
    """

    async def __call__(self, method: str, url: str, json: Any) -> tuple[int, Any]: ...


class Auth(Protocol):
    """Where the credential of each request comes from."""

    async def headers(self, sender: LoginSender) -> Mapping[str, str]:
        """The headers to send now; may log in first. Called by many workers at once: log in only once for all."""
        ...

    async def renew(self, sender: LoginSender) -> bool:
        """After a 401. True: a new credential was obtained. The core calls this for one worker at a time."""
        ...


class StaticAuth:
    """A credential that never changes."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)

    async def headers(self, sender: LoginSender) -> Mapping[str, str]:
        return self._headers

    async def renew(self, sender: LoginSender) -> bool:
        return False
