"""What travels: one request in, one reply out, and the JSON between them.

Rows are plain JSON objects and typed no further: what stands on the wire, odd spellings included, is what is simulated.
A row is never changed in place, only replaced, so an older version can still be shown to readers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

JsonObject = dict[str, Any]

HTML_TYPE = "text/html; charset=utf-8"
JSON_TYPE = "application/json"


class SandboxError(ValueError):
    """A seed, knob, fault rule or control request that makes no sense; the text says where."""


class BadJson(Exception):
    """A request body that is not JSON."""


class Refusal(Exception):
    """An endpoint refuses: the provider turns it into its own error body."""

    def __init__(self, status: int, *texts: str) -> None:
        super().__init__(status, *texts)
        self.status = status
        self.texts = texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Twist:
    """What a fault makes an endpoint do differently while the request itself stays correct."""

    row_shift: int = 0  # +1: the window of a page slips forward, one row is never shown; -1: one is shown twice
    empty: bool = False  # collections read as empty
    bulk_apply: int | None = None  # a bulk write stops after so many items
    bulk_status: int = 500  # and answers this; 200 keeps the answer that counts what was done
    hidden_s: float | None = None  # what this request changes stays invisible to reads for so long


PLAIN = Twist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One API request; ``path`` is decoded and has no trailing slash, header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    twist: Twist = PLAIN

    def json(self) -> Any:
        """The decoded body; raises ``BadJson``."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadJson(str(error)) from error


@dataclass(frozen=True, slots=True)
class Reply:
    """One API response as bytes."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()


def json_reply(value: Any, status: int = 200) -> Reply:
    """A reply whose body is ``value`` as JSON."""
    return Reply(status, msgspec.json.encode(value))


def decoded(body: bytes) -> Any:
    """A body for people to read: JSON if it is that, else text, else None when there is none."""
    if not body:
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode("utf-8", "replace")
