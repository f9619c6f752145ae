"""The clock that everything in the sandbox goes by: real time plus an offset, or frozen."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.sandbox.wire import JsonObject, SandboxError

YEAR_S = 366 * 86400.0


class Clock:
    """Seconds since the epoch that tests can hold and move forward, never back."""

    def __init__(self) -> None:
        self._offset_s = 0.0
        self._frozen_at: float | None = None

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time() + self._offset_s if self._frozen_at is None else self._frozen_at

    @property
    def setting(self) -> tuple[float, float | None]:
        """Offset in seconds, and where it stands when frozen."""
        return self._offset_s, self._frozen_at

    def advance(self, seconds: float) -> None:
        """Move forward."""
        if not 0 <= seconds <= 100 * YEAR_S:
            raise SandboxError(f"clock: cannot advance by {seconds} s")
        if self._frozen_at is None:
            self._offset_s += seconds
        else:
            self._frozen_at += seconds

    def freeze(self) -> None:
        """Stand still from now on."""
        self._frozen_at = self.now()

    def resume(self) -> None:
        """Run again from where the clock stands."""
        if self._frozen_at is not None:
            self._offset_s = self._frozen_at - time.time()
            self._frozen_at = None

    def set(self, at: float) -> None:
        """Jump to ``at``; a frozen clock stays frozen. Unlike ``advance`` this may go back."""
        if self._frozen_at is None:
            self._offset_s = at - time.time()
        else:
            self._frozen_at = at

    def change(self, wish: Any) -> None:
        """Apply ``{"now"?: text or seconds, "advance_s"?: number, "freeze"?: bool}``; unfreezing comes last."""
        if not isinstance(wish, Mapping):
            raise SandboxError("clock: an object is needed")
        if unknown := set(wish) - {"now", "advance_s", "freeze"}:
            raise SandboxError(f"clock: unknown key {sorted(unknown)[0]!r}; known: now, advance_s, freeze")
        if "now" in wish:
            self.set(moment(wish["now"]))
        if wish.get("freeze") is True:
            self.freeze()
        if "advance_s" in wish:
            self.advance(_number(wish["advance_s"]))
        if wish.get("freeze") is False:
            self.resume()

    def dump(self) -> JsonObject:
        """What ``load`` takes back, and what people read."""
        return {
            "now": self.now(),
            "iso": datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="milliseconds"),
            "offset_s": self._offset_s,
            "frozen": self._frozen_at is not None,
        }

    def load(self, dump: JsonObject) -> None:
        """Take over a dump: a running clock keeps its offset, a frozen one its time."""
        self._offset_s = _number(dump.get("offset_s", 0))
        self._frozen_at = _number(dump["now"]) if dump.get("frozen") else None


def moment(value: Any) -> float:
    """Seconds since the epoch from a number or ISO text; text without a zone is UTC."""
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError as error:
            raise SandboxError(f"clock: {value!r} is no ISO time") from error
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return _number(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SandboxError(f"clock: {value!r} is no number")
    return float(value)
