"""Phone numbers as this platform takes them (item 8)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.sandbox.wire import SandboxError

ACCEPTED = re.compile(r"\+?[0-9]{7,15}")
INDIAN = re.compile(r"[6-9][0-9]{9}")


def stored(text: object) -> str | None:
    """The number as it is kept, or None when it is none. Ten bare digits may become an Indian number."""
    if not isinstance(text, str) or not ACCEPTED.fullmatch(text):
        return None
    if text.startswith("+"):
        return text
    return f"+91{text}" if INDIAN.fullmatch(text) else f"+{text}"


def consecutive(first: str, count: int) -> Iterator[str]:
    """``count`` numbers upwards from ``first``."""
    if not re.fullmatch(r"\+[0-9]{7,15}", first):
        raise SandboxError(f"{first!r} is no number of the form +…")
    start = int(first[1:])
    for step in range(count):
        yield f"+{start + step}"
