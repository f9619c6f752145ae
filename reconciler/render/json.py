"""Documents as JSON text that is safe to print: no control or bidi character, no command to a CI system."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from reconciler.masking import visible

_SUSPECT = re.compile(r"[^\n\x20-\x7e]")
_CI_COMMAND = re.compile(r"##(?=\[|vso\[)")


def document_json(document: Mapping[str, Any]) -> str:
    """``document`` with its own key order, indented by two, ending in LF.

    What a terminal would obey is written ``\\uXXXX``, all else as itself. Raises ValueError for NaN and infinity, which
    JSON does not have.
    """
    dumped = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    escaped = _SUSPECT.sub(lambda m: _escaped(m.group()), dumped)
    return _CI_COMMAND.sub(r"#\\u0023", escaped) + "\n"


def plan_json(doc: Mapping[str, Any]) -> str:
    """The plan document as text; the same document always gives the same bytes."""
    return document_json(doc)


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1] if char == "\x7f" or visible(char) != char else char
