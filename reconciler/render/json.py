"""Documents as JSON text that is safe to print: no control or bidi character, no command to a CI system."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.masking import visible

_SUSPECT = re.compile(r"[^\n\x20-\x7e]")
_CI_COMMAND = re.compile(r"##(?=\w*\[)")


def document_json(document: Mapping[str, Any]) -> str:
    """``document`` with its own key order, indented by two, ending in LF.

    What a terminal would obey is written ``\\uXXXX``, all else as itself. Raises ValueError for NaN and infinity, which
    JSON does not have.
    """
    return _safe(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def _safe(dumped: str) -> str:
    escaped = _SUSPECT.sub(lambda m: _escaped(m.group()), dumped)
    return _CI_COMMAND.sub(r"#\\u0023", escaped)


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1] if char == "\x7f" or visible(char) != char else char


def listed_json(rows: list[Any]) -> str:
    """A bare array, as some readers want it; as safe as ``document_json``."""
    return _safe(json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def lines_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """One JSON object a line (NDJSON), as safe as ``document_json``."""
    return "".join(f"{_safe(json.dumps(row, ensure_ascii=False, allow_nan=False))}\n" for row in rows)
