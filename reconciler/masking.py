"""People's numbers and control characters out of text, before anybody sees it.

Every text that leaves the tool goes through here: provider strings are typed by other people, and a number in a plan,
a log or a report is a leak.
"""

from __future__ import annotations

import re
import unicodedata

BULLET = "•"

_BETWEEN = "[ .\u00a0\u202f\u2010-\u2015-]"
"""What people write between groups of digits: spaces, dots and dashes, also those of word processors."""

_NUMBER = re.compile(
    rf"""
    (?<![\w.+-])                      # not inside a word, an id or a decimal
    (?:
        \+[1-9]\d{{6,14}}             # E.164
        # North American spellings, national and spaced; then with the area code in parentheses
      | (?:\+?1{_BETWEEN}?)?\(?[2-9]\d{{2}}\)?{_BETWEEN}\d{{3}}{_BETWEEN}\d{{4}}
      | (?:\+?1{_BETWEEN}?)?\([2-9]\d{{2}}\){_BETWEEN}?\d{{3}}{_BETWEEN}?\d{{4}}
      | \+\d{{1,3}}(?:{_BETWEEN}\d{{2,5}}){{2,5}}   # spaced international
      | 00[1-9]\d{{7,13}}             # international prefix
      | \d{{10,15}}                   # bare digits as long as a number
    )
    (?![\w-])
    """,
    re.VERBOSE,
)


def has_number(text: str) -> bool:
    """Whether ``mask_text`` would find anything to mask."""
    return _NUMBER.search(text) is not None


_HIDDEN = re.compile(r"\d[\d\s().-]*[*•#xX]{2,}|[*•#xX]{2,}[\s().-]*\d")


def is_masked(number: str) -> bool:
    """Whether somebody else hid digits of a number: people cannot be told apart by what is left."""
    return _HIDDEN.search(number) is not None


def mask_number(number: str) -> str:
    """A number for people: country and area stay, the last two digits stay, nothing can be dialled.

    ``+16155553338`` becomes ``+1 615 ••• ••38``.
    """
    digits = re.sub(r"\D", "", number)
    if len(digits) == 11 and digits[0] == "1":
        return f"+1 {digits[1:4]} {BULLET * 3} {BULLET * 2}{digits[-2:]}"
    if len(digits) < 7:
        return BULLET * len(digits)
    plus = "+" if number.startswith("+") else ""
    return f"{plus}{digits[:2]} {BULLET * (len(digits) - 4)}{digits[-2:]}"


def mask_in_place(text: str) -> str:
    """Every number in ``text`` masked without changing its length, so that carets below a quoted line stay right."""

    def hide(match: re.Match[str]) -> str:
        found = match.group()
        keep_until = 5 if found.startswith("+") else 3
        hidden = (BULLET if c.isdigit() and keep_until <= i < len(found) - 2 else c for i, c in enumerate(found))
        return "".join(hidden)

    return _NUMBER.sub(hide, text)


def mask_text(text: str) -> str:
    """Every number in ``text`` masked as ``mask_number`` does."""
    return _NUMBER.sub(lambda m: mask_number(m.group()), text)


_CI_COMMAND = re.compile(r"#(?=#\w*\[)")


def harmless(text: str) -> str:
    """``visible`` text that cannot talk to the CI system that shows our output either.

    CI systems obey ``::command::`` at the start of a line and ``##[command]`` or ``##vso[command]`` anywhere in it.
    """
    shown = visible(text)
    if "::" in shown:
        shown = shown.replace("::", ":\\x3a")
    if "##" in shown:
        shown = _CI_COMMAND.sub(r"\\x23", shown)
    return shown


def visible(text: str) -> str:
    """Control, bidi and zero-width characters written out (``\\x1b``, ``\\u202e``): data cannot move the cursor."""
    if text.isascii() and text.isprintable():
        return text

    def shown(char: str) -> str:
        if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
            return char
        code = ord(char)
        if code < 0x100:
            return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char, f"\\x{code:02x}")
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

    return "".join(shown(c) for c in text)
