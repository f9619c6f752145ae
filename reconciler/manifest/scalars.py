"""What an unquoted word or number in YAML means here, and where other readers would take it for something else.

The rules are those of YAML 1.2, made narrower: ``true`` and ``false`` are the only booleans, plain decimal numbers the
only numbers. Whatever a YAML 1.1 or 1.2 reader would turn into a value that no longer says what was written (a number
with a plus sign or a leading zero, a time, ``no``) is refused instead of being guessed at.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TypeAlias

from msgspec import Struct

Scalar: TypeAlias = "str | int | float | bool | None"

NULLS = frozenset({"", "~", "null", "Null", "NULL"})

_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}

_BOOLEAN_WORDS = frozenset(
    spelling for word in ("yes", "no", "on", "off", "y", "n") for spelling in (word, word.capitalize(), word.upper())
)

MERGE = "<<"

SPECIAL = NULLS | frozenset(_BOOLEANS) | _BOOLEAN_WORDS | {MERGE, "="}
"""Words that are not simply text when they stand unquoted. Everything else that is special starts as a number does."""

NUMBER_STARTS = frozenset("0123456789+-.")

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,39})\Z")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,39})\.[0-9]{1,40}\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}\Z")
_CHANGED = (
    (re.compile(r"\+[0-9_]+\Z"), 'as an integer and drops its "+"'),
    (re.compile(r"[-+]?0[0-9_]+\Z"), "as an integer, some readers as an octal one, and drops its leading zero"),
    (re.compile(r"[-+]?[0-9][0-9_]*\Z"), "as an integer"),
    (re.compile(r"[-+]?0(?:x[0-9a-fA-F_]+|o[0-7_]+|b[01_]+)\Z"), "as an integer in another base"),
    (re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z"), "as a number in base 60"),
    (re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?\Z"), "as a floating-point number"),
    (re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"), "as a floating-point number"),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}.*\Z"), "as a point in time"),
)


class Changed(Struct, frozen=True):
    """An unquoted scalar that YAML changes: how it reads it. A ``date`` may stand where a date is asked for."""

    text: str
    read_as: str
    date: bool = False


def resolve(text: str) -> Scalar | Changed:
    """The value of an unquoted scalar that is in ``SPECIAL`` or begins with one of ``NUMBER_STARTS``."""
    if text in NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text in _BOOLEAN_WORDS:
        return Changed(text, "as a boolean")
    if _INTEGER.match(text):
        return int(text)
    if _DECIMAL.match(text):
        return float(text)
    if _DATE.match(text):
        return Changed(text, "as a date", date=True)
    for pattern, read_as in _CHANGED:
        if pattern.match(text):
            return Changed(text, read_as)
    return Changed(text, "as a key with a meaning of its own") if text in {MERGE, "="} else text


_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_PLAIN_BYTES = bytes({0x09, 0x0A, 0x0D, *range(0x20, 0x7F)})


def hidden_characters(text: str) -> list[int]:
    """Where ``text`` has control, bidirectional, zero-width, private or unassigned characters.

    Tabs and line ends are fine, and so are the joiners of emoji and of some scripts, unless they stand beside ASCII.
    """
    if text.isascii() and not text.encode().translate(None, _PLAIN_BYTES):
        return []
    hidden = {c for c in set(text) if unicodedata.category(c) in _HIDDEN and c not in "\t\n\r"}
    return [i for i, c in enumerate(text) if c in hidden and not _joins(text, i)] if hidden else []


def _joins(text: str, at: int) -> bool:
    if text[at] not in "\u200c\u200d":
        return False
    around = (text[at - 1 : at] if at else "", text[at + 1 : at + 2])
    return all(c > "\x7f" for c in around)
