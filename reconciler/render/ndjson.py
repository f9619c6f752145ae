"""Documents as lines of JSON, one thing a line with its ``type``: for logs and for programs that read along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.render.json import lines_json

_PARTS = {
    "accounts": "account",
    "changes": "change",
    "items": "item",
    "guards": "guard",
    "diagnostics": "diagnostic",
}
_LEFT_OUT = {*_PARTS, "formatVersion", "calls", "unmanaged", "reads", "estimate"}


def document_lines(doc: Mapping[str, Any], kind: str) -> str:
    """A line for each account, change, item, guard and diagnostic of the document; the rest of it last, as ``kind``."""
    parts = [{"type": word, **row} for name, word in _PARTS.items() for row in doc.get(name, ())]
    whole = {"type": kind, **{name: value for name, value in doc.items() if name not in _LEFT_OUT}}
    return lines_json([*parts, whole])
