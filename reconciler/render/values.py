"""Field values as text that cannot be mistaken for the text around it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reconciler.render.screen import ELLIPSIS, fit, safe, width_of

_CONTEXT = 8
"""Columns of common text kept before the first difference, when two long values begin alike."""


def shown(value: Any) -> str:
    """A JSON value on one line: text in quotes with quotes and backslashes escaped, ``not set`` for null."""
    match value:
        case None:
            return "not set"
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{safe(escaped)}"'
        case list() | tuple():
            return f"[{', '.join(map(shown, value))}]"
        case Mapping():
            return "{" + ", ".join(f"{safe(str(k))}: {shown(v)}" for k, v in value.items()) + "}"
        case _:
            return safe(json.dumps(value))


def change_between(old: str, new: str, left: int, room: int) -> str:
    """``old -> new``, both already ``shown``, in at most ``room`` columns, the old value padded to ``left``.

    When both are long and begin alike, the common beginning is what gets cut: the difference has to be seen.
    """
    right = room - left - len(" -> ")
    if width_of(old) > left or width_of(new) > right:
        common = _common(old, new)
        if width_of(old[:common]) > min(left, right) - _CONTEXT:
            start = max(common - _CONTEXT, 0)
            old, new = ELLIPSIS + old[start:], ELLIPSIS + new[start:]
    old = fit(old, left)
    return f"{old}{' ' * (left - width_of(old))} -> {fit(new, right)}"


def _common(first: str, second: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))
