"""The time zones that people may be in, told by the beginnings of their numbers. Columns in, counts out.

The table is that of libphonenumber (``phonenumbers.tzdata``): a beginning of a number, as long as needed, and the zones
of the places where such numbers are. A mobile number that is used all over a country has all zones of the country; a
number that belongs to no country has none. Where somebody moved to and kept the number is told by nothing but an
attribute of theirs.
"""

from __future__ import annotations

from functools import lru_cache

from reconciler.model.contacts import ContactSet
from reconciler.model.quiet import Crowd, known_zone

TIMEZONE = "timezone"
"""The attribute in which a provider keeps somebody's own zone, by its IANA name."""

UNITED_STATES: tuple[str, ...] = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/Adak",
    "Pacific/Honolulu",
)
"""The zones of the fifty states, for providers that serve these."""

_SHORT, _LONG, _WHOLE = 5, 10, 16
"""Characters with the plus sign. Four digits tell the country and, where it has several zones and all numbers belong to
a place (North America), the area; nine tell every place in the table. Elsewhere a mobile number can begin like a place
and be anywhere, so the whole number is looked at."""


def crowd(contacts: ContactSet, uncounted: int = 0) -> Crowd:
    """``contacts`` by their zones, and ``uncounted`` people more of whom nothing is known."""
    sizes: dict[tuple[str, ...], int] = {(): uncounted} if uncounted else {}
    for (telling, own), count in _groups(contacts).items():
        zones = _zones(telling, own)
        sizes[zones] = sizes.get(zones, 0) + count
    return Crowd(sizes=sizes)


def _groups(contacts: ContactSet) -> dict[tuple[str, str | None], int]:
    """How many there are for each beginning that tells the zones, and own zone."""
    short = contacts.grouped(_SHORT, TIMEZONE)
    lengths = {beginning: _telling(beginning) for beginning, _ in short}
    groups = {key: count for key, count in short.items() if lengths[key[0]] == _SHORT}
    for length in (_LONG, _WHOLE):
        if more := frozenset(b for b, needed in lengths.items() if needed == length):
            groups |= contacts.beginning(_SHORT, more).grouped(length, TIMEZONE)
    return groups


def zones_of(number: str, own: str | None = None) -> tuple[str, ...]:
    """The zones of a number (E.164), sorted; where somebody's ``own`` is known, that one; none when nothing tells."""
    return _zones(number[: _telling(number[:_SHORT])], own)


@lru_cache(maxsize=65_536)
def _zones(telling: str, own: str | None) -> tuple[str, ...]:
    if own and known_zone(own) is not None:
        return (own,)
    from phonenumbers.tzdata import TIMEZONE_DATA

    if len(telling) > _LONG or _telling(telling[:_SHORT]) == _WHOLE:
        return _of_whole(telling)
    found = (TIMEZONE_DATA.get(telling[1 : length + 1]) for length in range(len(telling) - 1, 0, -1))
    return tuple(sorted(next((zones for zones in found if zones), ())))


def _of_whole(number: str) -> tuple[str, ...]:
    from phonenumbers import NumberParseException, parse
    from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number
    from phonenumbers.tzdata import TIMEZONE_DATA

    try:
        zones = time_zones_for_number(parse(number))
    except NumberParseException:
        zones = (UNKNOWN_TIMEZONE,)
    if UNKNOWN_TIMEZONE in zones:
        zones = TIMEZONE_DATA.get(_country(number), ())
    return tuple(sorted(zones))


@lru_cache(maxsize=16_384)
def _telling(beginning: str) -> int:
    """How many characters of the numbers that begin like this tell their zones."""
    from phonenumbers.tzdata import TIMEZONE_DATA

    country, digits = _country(beginning), beginning[1:]
    if country == "1":
        deeper = any(key.startswith(digits) and len(key) > len(digits) for key in TIMEZONE_DATA)
        return _LONG if deeper else _SHORT
    return _WHOLE if len(TIMEZONE_DATA.get(country, ())) > 1 else _SHORT


def _country(number: str) -> str:
    """The country code, empty when no country has it."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return next((number[1:n] for n in (2, 3, 4) if int(number[1:n] or 0) in COUNTRY_CODE_TO_REGION_CODE), "")
