"""Phone numbers in any spelling to E.164, or a reason why not.

A number that is E.164 already is taken as it stands, whatever its number plan says: judging ten million of them would
take minutes. Every other spelling goes through libphonenumber with the file's declared region, and then has to fit the
number plan of its country: that is what catches a file whose region was declared wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from msgspec import Struct

from reconciler.model.e164 import E164

if TYPE_CHECKING:
    import phonenumbers
    import polars

_LEAST: Final = 1_000_000
_MOST: Final = 999_999_999_999_999
"""What is E.164, as an integer."""
_E164 = re.compile(E164)
# Possessive: texts of which one is no number are given up at once, and not tried again with fewer digits or lines.
_ALL_E164 = re.compile(rf"(?:{E164}+\n)*+{E164}")
_DAMAGED = re.compile(r"""\d+(?:[.,]\d+)?e[+-]?\d+ | \d+[.,]0* | =.* | '.* | \#.*""", re.VERBOSE | re.IGNORECASE)
"""What spreadsheets leave of a number: an exponent, decimals, a formula, an apostrophe, ``#N/A`` or ``####``."""
_EXTENSION = re.compile(r"(?:;ext=|\bext(?:ension|n)?\b|[x#])\W*\d{1,7}\s*$", re.IGNORECASE)
_SEPARATORS: Final = frozenset(" .-()/\u00a0\u2007\u202f\u2010\u2011\u2012\u2013\u2014\u2212\u2060")
_INVISIBLE: Final = dict.fromkeys(
    map(ord, "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
)
_SHORT_CODE_DIGITS: Final = range(3, 7)

_AMERICAN: Final = r"(?:\+?1[ .-]?)?\(?[2-9][0-9]{2}\)?[ .-]?[0-9]{3}[ .-]?[0-9]{4}"
_AMERICAN_REGIONS: Final = frozenset({"US", "CA"})


class Reason(StrEnum):
    """Why a text is no number that can be written to a provider."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not-a-number"
    NOT_TEXT = "not-text"
    SPREADSHEET_DAMAGE = "spreadsheet-damage"
    HAS_EXTENSION = "has-extension"
    NO_COUNTRY = "no-country"
    UNKNOWN_COUNTRY = "unknown-country"
    SHORT_CODE = "short-code-or-emergency"
    NO_AREA_CODE = "no-area-code"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    NOT_IN_PLAN = "not-in-number-plan"


REASONS: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.EMPTY: "the row has no number",
        Reason.NOT_A_NUMBER: "the text is no phone number",
        Reason.NOT_TEXT: "the number is not text, so a plus or leading zeros may be lost",
        Reason.SPREADSHEET_DAMAGE: "a spreadsheet has turned the number into something else; export the column as text",
        Reason.HAS_EXTENSION: "an extension cannot be dialled by a provider",
        Reason.NO_COUNTRY: "a national number needs defaultRegion, or a leading + and country code",
        Reason.UNKNOWN_COUNTRY: "no country has this country code",
        Reason.SHORT_CODE: "short codes and emergency numbers are never contacted",
        Reason.NO_AREA_CODE: "the area code is missing",
        Reason.TOO_SHORT: "digits are missing",
        Reason.TOO_LONG: "there are too many digits",
        Reason.NOT_IN_PLAN: "the country has no such numbers; is defaultRegion the right one?",
    }
)


class Unusable(Struct, frozen=True):
    """A text that is no number, and why. The text itself is left out on purpose."""

    reason: Reason


def known_region(region: str) -> bool:
    """Whether ``region`` is an ISO 3166 country that has phone numbers (``US``, ``GB``)."""
    import phonenumbers

    return region in phonenumbers.SUPPORTED_REGIONS


def normalise(text: str | None, *, region: str = "") -> str | Unusable:
    """``text`` as E.164. ``region`` (ISO 3166, see ``known_region``) says how to read a national number."""
    if text is None:
        return Unusable(Reason.EMPTY)
    if _E164.fullmatch(text):
        return text
    text = text.translate(_INVISIBLE).strip()
    if _E164.fullmatch(text):
        return text
    if reason := _unusable_text(text):
        return Unusable(reason)
    return _parsed(text, region)


def normalise_all(
    texts: Sequence[str | None], *, region: str = ""
) -> tuple[Sequence[str | None], list[tuple[int, Reason]]]:
    """Every text as E.164, None where it is no number, and the position and reason of those.

    Texts that are all E.164 are returned themselves.
    """
    if all_e164(texts):
        return texts, []
    numbers: list[str | None] = []
    refused: list[tuple[int, Reason]] = []
    matches = _E164.fullmatch
    for i, text in enumerate(texts):
        number = text if text is not None and matches(text) else normalise(text, region=region)
        if isinstance(number, Unusable):
            refused.append((i, number.reason))
            numbers.append(None)
        else:
            numbers.append(number)
    return numbers, refused


def all_e164(texts: Sequence[str | None]) -> bool:
    """Whether there are any, and every one is E.164."""
    try:
        joined = "\n".join(cast("Sequence[str]", texts))
    except TypeError:  # asking for None beforehand would take as long as all the rest
        return False
    # A line end within a number would make two of one.
    return _ALL_E164.fullmatch(joined) is not None and joined.count("\n") == len(texts) - 1


def normalise_series(texts: polars.Series, *, region: str = "") -> tuple[polars.Series, list[tuple[int, Reason]]]:
    """As ``normalise_all`` for a column of text: only what no vectorised pattern fits is looked at one by one."""
    import polars as pl

    strict = pl.select(e164_code(pl.lit(texts)).is_not_null()).to_series()
    if strict.all():
        return texts, []
    if region in _AMERICAN_REGIONS:
        digits = texts.str.replace_all("[^0-9]", "")
        american = texts.str.contains(f"^(?:{_AMERICAN})$").fill_null(False) & ~strict
        texts = pl.select(pl.when(american).then(pl.lit("+1") + digits.str.slice(-10)).otherwise(texts)).to_series()
        strict |= american
    odd = (~strict).arg_true()
    numbers, refused = normalise_all(texts.gather(odd).to_list(), region=region)
    at = odd.to_list()
    # scatter writes into the series it is called on, and that one may still be the caller's.
    whole = texts.clone().scatter(odd, pl.Series(numbers, dtype=pl.String)) if at else texts
    return whole, [(at[i], reason) for i, reason in refused]


def e164_code(text: polars.Expr) -> polars.Expr:
    """An integer for what is E.164 and null for all else, in a third of the time that asking the pattern takes."""
    import polars as pl

    # In the order of text a plus and a digit but nought come between these two. The cast takes nothing but digits then.
    code = text.cast(pl.UInt64, strict=False)
    return pl.when((text >= "+1") & (text < "+:") & code.is_between(_LEAST, _MOST)).then(code)


def _unusable_text(text: str) -> Reason | None:
    """What can be told without knowing any number plan."""
    if not text:
        return Reason.EMPTY
    if _DAMAGED.fullmatch(text):
        return Reason.SPREADSHEET_DAMAGE
    body = text.removeprefix("tel:")
    body = body.removeprefix("+").removeprefix("\uff0b")
    if _EXTENSION.search(body):
        return Reason.HAS_EXTENSION
    digits = sum(c.isdecimal() for c in body)
    if not digits or any(not c.isdecimal() and c not in _SEPARATORS for c in body):
        return Reason.NOT_A_NUMBER
    if digits in _SHORT_CODE_DIGITS:
        return Reason.SHORT_CODE
    return Reason.TOO_SHORT if digits < _SHORT_CODE_DIGITS.start else None


def _parsed(text: str, region: str) -> str | Unusable:
    import phonenumbers
    from phonenumbers import NumberParseException as Failure

    try:
        number = phonenumbers.parse(text, region or None)
    except Failure as failure:
        international = text.removeprefix("tel:").startswith(("+", "\uff0b"))
        match failure.error_type:
            case Failure.INVALID_COUNTRY_CODE:
                return Unusable(Reason.UNKNOWN_COUNTRY if region or international else Reason.NO_COUNTRY)
            case Failure.TOO_SHORT_NSN | Failure.TOO_SHORT_AFTER_IDD:
                return Unusable(Reason.TOO_SHORT)
            case Failure.TOO_LONG:
                return Unusable(Reason.TOO_LONG)
            case _:
                return Unusable(Reason.NOT_A_NUMBER)
    if reason := _misfit(number):
        return Unusable(reason)
    made = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return made if _E164.fullmatch(made) else Unusable(Reason.NOT_IN_PLAN)


def _misfit(number: phonenumbers.PhoneNumber) -> Reason | None:
    """How ``number`` fails its country's number plan.

    The plan's outline is asked, not its list of ranges in use: an outline is as old as the country's numbering, while
    ranges are handed out every month and would make the answer depend on the library's release.
    """
    import phonenumbers
    from phonenumbers import PhoneMetadata, ValidationResult

    match phonenumbers.is_possible_number_with_reason(number):
        case ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            return Reason.NO_AREA_CODE
        case ValidationResult.TOO_SHORT:
            return Reason.TOO_SHORT
        case ValidationResult.TOO_LONG:
            return Reason.TOO_LONG
        case ValidationResult.INVALID_COUNTRY_CODE:
            return Reason.UNKNOWN_COUNTRY
        case ValidationResult.INVALID_LENGTH:
            return Reason.NOT_IN_PLAN
    country = number.country_code or 0
    region = phonenumbers.region_code_for_country_code(country)
    plan = PhoneMetadata.metadata_for_region_or_calling_code(country, region)
    outline = plan.general_desc.national_number_pattern if plan and plan.general_desc else None
    national = phonenumbers.national_significant_number(number)
    return None if outline and re.fullmatch(outline, national) else Reason.NOT_IN_PLAN
