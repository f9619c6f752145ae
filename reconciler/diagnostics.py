"""Problems as values: what is wrong, where, and what to do about it.

A problem found in an input is never an exception: it is a ``Diagnostic``, so that one run can report all of them.
Whoever finds a problem needs to know neither the file nor the renderer; the place is filled in by whoever knows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct


class Severity(StrEnum):
    """How much a problem matters: an error blocks, a warning does not, a note explains."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Span(Struct, frozen=True, kw_only=True, order=True):
    """A place in a file; ``line`` and ``column`` count from 1, ``length`` is in characters (0: unknown)."""

    file: str
    line: int
    column: int = 1
    length: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Diagnostic(Struct, frozen=True, kw_only=True):
    """One problem. ``code`` is stable (``reconciler explain CODE``); ``excerpt`` is the quoted source line, if any.

    ``policy`` is the name of the Policy document that says so; the code is its own then.
    """

    code: str
    severity: Severity
    message: str
    hint: str = ""
    address: str = ""
    source: Span | None = None
    excerpt: str = ""
    policy: str = ""

    @property
    def blocking(self) -> bool:
        return self.severity is Severity.ERROR


def error(code: str, message: str, *, hint: str = "", address: str = "", source: Span | None = None) -> Diagnostic:
    return Diagnostic(code=code, severity=Severity.ERROR, message=message, hint=hint, address=address, source=source)


def warning(code: str, message: str, *, hint: str = "", address: str = "", source: Span | None = None) -> Diagnostic:
    return Diagnostic(code=code, severity=Severity.WARNING, message=message, hint=hint, address=address, source=source)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sorted by place, then address, then code: the same problems always come out in the same order."""

    def key(d: Diagnostic) -> tuple[bool, str, int, int, str, str, str]:
        span = d.source
        place = (span.file, span.line, span.column) if span else ("", 0, 0)
        return (span is None, *place, d.address, d.code, d.message)

    return tuple(sorted(diagnostics, key=key))
