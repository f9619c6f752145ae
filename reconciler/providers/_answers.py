"""Answers kept as they came, for whoever asked for the answer itself and not for what it means."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
    """Every text that gives a credential away: header values, tokens, and both halves of Basic; longest first."""
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
    return sorted((s for s in found if len(s) >= 4 and s.lower() not in _SCHEMES), key=len, reverse=True)
