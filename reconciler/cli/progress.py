"""A line of progress on stderr: rewritten in place on a terminal, one every ten seconds elsewhere."""

from __future__ import annotations

import sys
import time

from reconciler.cli.output import aside, width

_TERMINAL_EVERY_S = 0.1
_ELSEWHERE_EVERY_S = 10.0
_QUIET_S = 0.5
"""Nothing is said about what is over sooner."""


class ProgressLine:
    """Told about every step, it shows some. ``close`` leaves the terminal clean."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._started = time.monotonic()
        self._shown_at = self._started + (_QUIET_S if self._terminal else 0.0)
        self._dirty = False

    def __call__(self, what: str, done: int, total: int | None) -> None:
        self.paced(f"{what} {done:,}" + (f" of {total:,}" if total is not None else ""))

    def paced(self, text: str) -> None:
        """``text``, unless something was shown a moment ago."""
        now = time.monotonic()
        every = _TERMINAL_EVERY_S if self._terminal else _ELSEWHERE_EVERY_S
        if now - self._shown_at >= every:
            self._shown_at = now
            self._show(text)

    def _show(self, text: str) -> None:
        if self._terminal:
            columns = width() - 1
            aside(f"\r{text[:columns]:<{columns}}")
            self._dirty = True
        else:
            aside(text + "\n")

    def told(self, text: str) -> None:
        """A line that stays, at once."""
        self.clear()
        aside(text + "\n")

    def clear(self) -> None:
        """The line gone, so that something else can be written."""
        if self._dirty:
            aside("\r" + " " * (width() - 1) + "\r")
            self._dirty = False
