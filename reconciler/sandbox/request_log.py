"""Every API request the sandbox got, in order, without credentials."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.sandbox.wire import JsonObject, decoded

KEPT = 200_000  # the oldest go first: a sandbox may run for days


@dataclass(slots=True, kw_only=True)
class Entry:
    """One request. ``status`` stays None when the client got no answer; ``mutated`` may turn true later."""

    seq: int
    time: float
    provider: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: tuple[str, ...]  # names only
    body: bytes
    faults: tuple[int, ...] = ()
    status: int | None = None
    mutated: bool = False

    def dump(self) -> JsonObject:
        """For people and tests; the body is decoded only now."""
        return {
            "seq": self.seq,
            "time": self.time,
            "provider": self.provider,
            "method": self.method,
            "path": self.path,
            "query": dict(self.query),
            "headers": list(self.headers),
            "body": decoded(self.body),
            "status": self.status,
            "mutated": self.mutated,
            "faults": list(self.faults),
        }


class RequestLog:
    """Append-only until cleared; sequence numbers go on after that."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=KEPT)
        self._last = 0

    def add(self, **facts: Any) -> Entry:
        """The next entry."""
        self._last += 1
        entry = Entry(seq=self._last, **facts)
        self.entries.append(entry)
        return entry

    def dump(self) -> list[JsonObject]:
        """All entries, oldest first."""
        return [entry.dump() for entry in self.entries]
