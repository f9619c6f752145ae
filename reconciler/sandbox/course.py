"""The course one request takes: how long it waits, whether it takes effect, what the client gets to see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from reconciler.sandbox.wire import PLAIN, JsonObject, Reply, Twist

Ending = Literal["answer", "reset", "close", "hang", "break", "drip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """An answer given instead of the endpoint's own; without a body, the provider's usual one for the status."""

    status: int
    body: bytes | None = None
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Decided before a request is served. Faults bend it with ``dataclasses.replace``."""

    wait_before_s: float = 0.0  # before anything happens
    wait_after_s: float = 0.0  # between effect and answer
    effects: int = 1  # how often the endpoint runs: 0, 1, or 2 for a request delivered twice
    lands_after_s: float | None = None  # the endpoint runs so much later, long after the client has its answer
    tampers: tuple[JsonObject, ...] = ()  # what somebody else changes just before this request is served
    expires_tokens: bool = False
    replacement: Replacement | None = None
    ending: Ending = "answer"
    keep: float = 1.0  # what fraction of the body is sent
    keep_bytes: int | None = None  # or how many bytes of it
    drip_s: float = 0.0  # pause between single bytes when dripping
    rewrites: tuple[tuple[re.Pattern[str], str], ...] = ()
    twist: Twist = PLAIN

    def shaped(self, reply: Reply) -> Reply:
        """The reply after rewriting, before it is cut."""
        if not self.rewrites:
            return reply
        text = reply.body.decode()
        for pattern, replacement in self.rewrites:
            text = pattern.sub(replacement, text)
        return Reply(reply.status, text.encode(), reply.content_type, reply.headers)

    def kept(self, body: bytes) -> bytes:
        """The part of the body that is sent."""
        return body[: self.keep_bytes] if self.keep_bytes is not None else body[: int(len(body) * self.keep)]


STRAIGHT = Course()
