"""Answers kept as they came, for whoever asked for the answer itself and not for what it means."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from reconciler.providers._wire import Received

_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_BROKEN = (b"<", b"{", b"[")
HIDDEN = "***"
_SCHEMES = frozenset({"basic", "bearer", "token", "apikey", "digest"})


class LastAnswer(Struct):
    """The last answer to one request, and the credential that it was asked with."""

    received: Received | None = None
    auth_headers: Mapping[str, str] | None = None

    def take(self, received: Received, auth_headers: Mapping[str, str]) -> None:
        self.received, self.auth_headers = received, auth_headers

    @property
    def whole(self) -> tuple[Received, Mapping[str, str]]:
        """Both; ValueError before there was an answer."""
        if self.received is None:
            raise ValueError("nothing was answered")
        return self.received, self.auth_headers or {}


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


def answer_body(raw: bytes, auth_headers: Mapping[str, str]) -> Any:
    """The body for showing: credentials that a provider echoes are gone, a page is None."""
    try:
        return _without(text_or_json(raw), _Credentials(auth_headers))
    except _UNDECODABLE:
        return None


def without_credentials(text: str, auth_headers: Mapping[str, str]) -> str:
    """``text`` without what it echoes of the credential that it was asked with, be it whole, a part, or decoded."""
    return _Credentials(auth_headers).hidden(text)


class _Credentials:
    """What gives a credential away, and how it is taken out of texts.

    A text may hold a part of one only: whoever logged it cut it off, or broke the line. So every stretch that it shares
    with the credential itself goes, from ``SHARED`` characters on. Other headers and what stands inside a token go only
    as a whole: they hold ids of the account, which other ids resemble.
    """

    SHARED = 8

    def __init__(self, auth_headers: Mapping[str, str]) -> None:
        self._whole = _wholes(auth_headers)
        tokens = _tokens(auth_headers)
        self._parts = {t[at : at + self.SHARED] for t in tokens for at in range(len(t) - self.SHARED + 1)}

    def hidden(self, text: str) -> str:
        """``text`` with ``***`` in the place of each."""
        for whole in self._whole:
            text = text.replace(whole, HIDDEN)
        starts = [at for at in range(len(text) - self.SHARED + 1) if text[at : at + self.SHARED] in self._parts]
        found: list[str] = []
        end = 0
        for at in starts:
            if at > end or not found:
                found += [text[end:at], HIDDEN]
            end = at + self.SHARED
        return "".join(found) + text[end:]


def _without(value: Any, credentials: _Credentials) -> Any:
    match value:
        case str():
            return credentials.hidden(value)
        case list():
            return [_without(entry, credentials) for entry in value]
        case dict():
            return {_without(key, credentials): _without(entry, credentials) for key, entry in value.items()}
        case _:
            return value


def _tokens(auth_headers: Mapping[str, str]) -> set[str]:
    """The credential itself, without the word for its scheme; of Basic also its halves in the clear."""
    found = set[str]()
    for name, value in auth_headers.items():
        scheme, _, token = value.partition(" ")
        if name.lower() == "authorization":
            found.add(token or scheme)
            found |= set(_halves(token)) if scheme.lower() == "basic" else set()
    return found


def _wholes(auth_headers: Mapping[str, str]) -> list[str]:
    """Every text that gives a credential away as a whole, and how encoders write it; longest first."""
    found = set[str]()
    for value in auth_headers.values():
        found |= {value, *value.split()}
        scheme, _, token = value.partition(" ")
        if scheme.lower() == "basic":
            found |= {_decoded(token), *_halves(token)}
        elif len(parts := token.split(".")) == 3:
            found |= {_decoded(part) for part in parts}
    found = {s for s in found if len(s) >= 4 and s.lower() not in _SCHEMES}
    return sorted({form for s in found for form in (s, *_spellings(s))}, key=len, reverse=True)


def _halves(token: str) -> list[str]:
    return _decoded(token).split(":", 1)


def _decoded(text: str) -> str:
    """What a part of a credential says in the clear; nothing where it is no text."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_").decode()
    except ValueError:
        return ""


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
