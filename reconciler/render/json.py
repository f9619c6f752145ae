"""Documents as JSON text that is safe to print: no control or bidi character, no command to a CI system."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from reconciler.masking import visible

_SUSPECT = re.compile(r"[^\n\x20-\x7e]")
_CI_COMMAND = re.compile(r"##(?=\w*\[)")


def document_json(document: Mapping[str, Any]) -> str:
    """``document`` with its own key order, indented by two, ending in LF.

    What a terminal would obey is written ``\\uXXXX``, all else as itself. Raises ValueError for NaN and infinity, which
    JSON does not have.
    """
    return _indented(document)


def _indented(value: Any) -> str:
    """Told by ``json`` on one line and broken into lines by msgspec: ``json`` itself would indent in Python, four times
    as long. Half of a pair of surrogates is no UTF-8, and passes through."""
    flat = _flat(value)
    lines = msgspec.json.format(flat.encode(errors="surrogatepass"), indent=2).decode(errors="surrogatepass")
    # Of what is on one line it is quickly told that nothing is to be made safe.
    return (lines if flat.isascii() and flat.isprintable() and "##" not in flat else _safe(lines)) + "\n"


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _safe(dumped: str) -> str:
    escaped = _SUSPECT.sub(lambda m: _escaped(m.group()), dumped)
    return _CI_COMMAND.sub(r"#\\u0023", escaped)


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1] if char == "\x7f" or visible(char) != char else char


def listed_json(rows: list[Any]) -> str:
    """A bare array, as some readers want it; as safe as ``document_json``."""
    return _indented(rows)


def lines_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """One JSON object a line (NDJSON), as safe as ``document_json``."""
    return "".join(f"{_safe(_flat(row))}\n" for row in rows)
