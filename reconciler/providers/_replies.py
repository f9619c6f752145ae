"""What an answer means: a reply, or the exception that its status stands for.

No message made here holds a URL, a credential or a person's number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from reconciler.errors import CredentialsRefused, NoAnswer, NotFound, RateLimited, ReadIncomplete, Rejected
from reconciler.masking import mask_text, visible
from reconciler.providers._answers import without_credentials
from reconciler.providers._limits import MAX_WAIT_S, asked_wait_s, try_again_after
from reconciler.providers._wire import Received

MAX_TEXT = 200
"""Characters of a provider's own error text that go into a message, counted when everything is hidden in it."""

SEARCHED = 65_536
"""Characters of an error text that are looked at: what is shown of it is far less."""


class Reply(Struct, frozen=True, kw_only=True):
    """A 2xx. ``body`` is the decoded JSON, None when the answer was empty; header names are in lower case."""

    status: int
    body: Any
    headers: Mapping[str, str]
    raw: bytes


class Unreadable(ReadIncomplete):
    """A read was answered 2xx without JSON: a login or maintenance page, which is worth one more try."""


class Throttled(RateLimited):
    """A 429. ``wait_s`` is what the provider asked for, if it did."""

    def __init__(self, message: str, *, wait_s: float | None) -> None:
        hint = try_again_after(wait_s) if wait_s is not None and wait_s > MAX_WAIT_S else ""
        super().__init__(message, hint=hint, status=429)
        self.wait_s = wait_s


def decoded(raw: bytes) -> Any:
    """JSON as Python values, None for an empty body. Raises msgspec.DecodeError, UnicodeDecodeError, RecursionError."""
    return msgspec.json.decode(raw) if raw.strip() else None


_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Judge(Struct, frozen=True, kw_only=True):
    """Of one account's answers. ``error_text`` finds what a provider says of a refusal in its decoded and its raw body;
    ``reset_header`` is where it says how long to wait."""

    account: str
    error_text: Callable[[Any, bytes], str]
    reset_header: str | None

    def reply(
        self, received: Received, decode: Callable[[bytes], Any], *, read: bool, auth_headers: Mapping[str, str]
    ) -> Reply:
        """A 2xx, read by ``decode``. Raises what anything else means: it depends on whether it answers a ``read``."""
        if not 200 <= received.status < 300:
            self.fail(received, auth_headers, read=read)
        try:
            body = decode(received.raw)
        except _UNDECODABLE as error:
            if not read:
                raise NoAnswer(f"{self.account} answered a write with something that is not JSON.") from None
            if isinstance(error, msgspec.ValidationError):
                shape = mask_text(visible(str(error)))[:MAX_TEXT]
                raise ReadIncomplete(f"{self.account} answered in an unknown shape: {shape}") from None
            raise Unreadable(
                f"{self.account} answered a read with something that is not JSON.",
                hint="A login or maintenance page in between? Check the account's baseUrl.",
            ) from None
        return Reply(status=received.status, body=body, headers=received.headers, raw=received.raw)

    def fail(self, received: Received, auth_headers: Mapping[str, str], *, read: bool) -> NoReturn:
        """Raises what a status outside 200 to 299 means."""
        status = received.status
        text = f"HTTP {status} from {self.account}"
        if 300 <= status < 400:
            host = urlsplit(received.headers.get("location", "")).hostname or "elsewhere"
            text += f": redirected to {visible(host)[:80]}, which is not followed"
            if read:
                raise ReadIncomplete(text, status=status, hint="Check the account's baseUrl.")
            # 307 and 308 ask for the same request at another place; the others may come after it was processed.
            raise (Rejected if status in (307, 308) else NoAnswer)(text, status=status)
        if said := self._said(received.raw, auth_headers):
            text += f": {said}"
        if status == 429:
            wait_s = asked_wait_s(received.headers, self.reset_header)
            raise Throttled(text, wait_s=wait_s)
        if status in (401, 403):
            raise CredentialsRefused(text, status=status, hint="Check the account's auth and what it may access.")
        if status == 404:
            raise NotFound(text, status=status)
        raise (Rejected if 400 <= status < 500 else NoAnswer)(text, status=status)

    def _said(self, raw: bytes, auth_headers: Mapping[str, str]) -> str:
        """The provider's own words, without the credentials it may echo, numbers and control characters.

        Cut at the very end: half a credential or number is not known for what it is any more.
        """
        said = self.error_text(json_or_none(raw), raw).strip()[:SEARCHED]
        return mask_text(visible(without_credentials(said, auth_headers)))[:MAX_TEXT]


def json_or_none(raw: bytes) -> Any:
    """``decoded``, and None for what cannot be."""
    try:
        return decoded(raw)
    except _UNDECODABLE:
        return None
