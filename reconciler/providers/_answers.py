"""Answers kept as they came, for whoever asked for the answer itself and not for what it means."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from reconciler.providers._wire import Received

_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_BROKEN = (b"<", b"{", b"[")
_SCHEMES = frozenset({"basic", "bearer", "token", "apikey", "digest"})


@dataclass(slots=True)
class Heard:
    """The last answer to one request, and the credential that it was asked with."""

    last: Received | None = None
    auth_headers: Mapping[str, str] | None = None

    def take(self, received: Received, auth_headers: Mapping[str, str]) -> None:
        self.last, self.auth_headers = received, auth_headers

    @property
    def whole(self) -> tuple[Received, Mapping[str, str]]:
        """Both; ValueError before there was an answer."""
        if self.last is None:
            raise ValueError("nothing was answered")
        return self.last, self.auth_headers or {}


def text_or_json(raw: bytes) -> Any:
    """JSON, None for nothing, and plain text as itself: some writes are answered with a sentence.

    Raises msgspec.DecodeError for a page and for JSON that was cut off: neither says that anything was done.
    """
    if not raw.strip():
        return None
    try:
        return msgspec.json.decode(raw)
    except _UNDECODABLE:
        if raw.lstrip()[:1] in _BROKEN:
            raise
        return raw.decode("utf-8", "replace")


def answer_body(raw: bytes, secrets: Sequence[str]) -> Any:
    """The body for showing: ``secrets`` that a provider echoes are gone, a page is None."""
    try:
        return _without(text_or_json(raw), secrets)
    except _UNDECODABLE:
        return None


def _without(value: Any, secrets: Sequence[str]) -> Any:
    match value:
        case str():
            for secret in secrets:
                value = value.replace(secret, "***")
            return value
        case list():
            return [_without(entry, secrets) for entry in value]
        case dict():
            return {_without(key, secrets): _without(entry, secrets) for key, entry in value.items()}
        case _:
            return value


def secrets_in(auth_headers: Mapping[str, str]) -> list[str]:
    """Every text that gives a credential away: header values, tokens, both halves of Basic, and how encoders write
    them; longest first."""
    found = set()
    for value in auth_headers.values():
        found |= {value, *value.split()}
        scheme, _, token = value.partition(" ")
        if scheme.lower() == "basic":
            try:
                plain = base64.b64decode(token, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                continue
            found |= {plain, *plain.split(":", 1)}
    found = {s for s in found if len(s) >= 4 and s.lower() not in _SCHEMES}
    return sorted({form for s in found for form in (s, *_spellings(s))}, key=len, reverse=True)


def _spellings(secret: str) -> Iterator[str]:
    """How encoders write ``secret``, alone or in the middle of something longer; nothing too short to be it."""
    raw = secret.encode()
    if len(raw) < 8:
        return
    yield quote(secret, safe="")
    for each in ("%{:02X}", "%{:02x}", "\\u{:04x}", "\\u{:04X}", "\\x{:02x}", "{:02x}", "{:02X}"):
        yield "".join(map(each.format, raw))
    for before in range(3):
        # Base64 writes three bytes as four characters, so there are three ways, by how many bytes come before. Only
        # the characters that hold nothing but the secret are the same whatever stands around it.
        bits = (before + len(raw)) * 8
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * before + raw).decode()[-(-before * 8 // 6) : bits // 6]
