"""Whether a suppressed number occurs in the arguments of a request, however it is spelled, or behind a list.

Everything that is neither letter nor digit is dropped first, so ``+1 (615) 555-0123``, ``tel:+1-615-555-0123``,
``001.615.555.0123`` and ``6155550123`` all hold the same digits; a national spelling lacks the country code only. A
number is found inside longer text as well: a wrong refusal costs a look, a wrong call cannot be taken back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote

from reconciler.plan.calls import Json

SHORTEST = 7
"""Digits below which a national number is looked for with its country code only."""

A_VALUE = 200
"""Characters above which a text is a table or a letter, whose fields are looked at one by one: glued together, the
digits of neighbours would make numbers that nobody wrote."""

_NOISE = re.compile(r"[\W_]+")
_FIELDS = re.compile(r"[\r\n\t,;|]+")
_RUN = re.compile(rf"[0-9]{{{SHORTEST},}}")


def occurring(arguments: Mapping[str, Json], suppressed: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """The suppressed numbers (E.164) that each argument holds in any spelling; arguments without any are left out."""
    numbers = {_needle(n): n for n in suppressed}
    if not numbers:
        return {}
    lengths = sorted({len(n) for n in numbers})
    found: dict[str, list[str]] = {}
    for name, value in arguments.items():
        hits = {numbers[w] for text in _texts(value) for w in _windows(text, lengths) if w in numbers}
        if hits:
            found[name] = sorted(hits)
    return found


def _needle(number: str) -> str:
    """The digits that every spelling of ``number`` holds: the national ones, where those are enough to tell."""
    digits = number.removeprefix("+")
    national = digits[_country_digits(digits) :]
    return national if len(national) >= SHORTEST else digits


def _country_digits(digits: str) -> int:
    """How long the country code is; 0 when no country has it."""
    if digits.startswith(("1", "7")):
        return 1
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return next((n for n in (2, 3) if int(digits[:n] or 0) in COUNTRY_CODE_TO_REGION_CODE), 0)


def _texts(value: Json) -> Iterator[str]:
    """Every text and number in ``value``, names of members included."""
    match value:
        case str():
            yield value
        case bool():
            return
        case float() if value.is_integer():
            yield str(int(value))
        case int() | float():
            yield str(value)
        case tuple():
            for entry in value:
                yield from _texts(entry)
        case Mapping():
            for key, entry in value.items():
                yield key
                yield from _texts(entry)
        case _:
            return


def _windows(text: str, lengths: Sequence[int]) -> Iterator[str]:
    fields = [text] if len(text) <= A_VALUE else _FIELDS.split(text)
    for spelling in {s for field in fields for s in (field, unquote(field))}:
        for run in _RUN.findall(_NOISE.sub("", _plain(spelling))):
            for length in lengths:
                for at in range(len(run) - length + 1):
                    yield run[at : at + length]


def _plain(text: str) -> str:
    """Digits of every script as ASCII ones; compatibility forms (full width, circled) as what they stand for."""
    if text.isascii():
        return text
    normal = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in normal)
