"""Phone numbers as this platform takes them: the United States and Canada, stored as E.164."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.sandbox.wire import Refusal, SandboxError

NANP = re.compile(r"\+1[2-9]\d{2}[2-9]\d{6}")
# Country code 1 is shared: these area codes belong to other countries and territories.
# fmt: off
ELSEWHERE = frozenset({
    "242", "246", "264", "268", "284", "340", "345", "441", "473", "649", "658", "664", "670", "671", "684",
    "721", "758", "767", "784", "787", "809", "829", "849", "868", "869", "876", "939",
})
# fmt: on


def stored(text: str) -> str:
    """The E.164 form, or ``Refusal`` (item 11)."""
    digits = re.sub(r"\D", "", text)
    if len(digits) < 10:
        raise Refusal(422, "The mobile number must have at least 10 digits.")
    number = f"+1{digits}" if len(digits) == 10 else f"+{digits}"
    if not NANP.fullmatch(number) or number[2:5] in ELSEWHERE:
        raise Refusal(422, "Only mobile numbers from the US and CA are supported.")
    return number


def consecutive(first: str, count: int) -> Iterator[str]:
    """``count`` valid numbers upwards from ``first``, stepping over those no one can have."""
    if not NANP.fullmatch(first):
        raise SandboxError(f"{first!r} is no number of the form +1 [2-9]xx [2-9]xxxxxx")
    area, local = int(first[2:5]), int(first[5:])
    for _ in range(count):
        yield f"+1{area}{local}"
        local += 1
        if local == 10_000_000:
            area, local = area + 1, 2_000_000
            if area == 1000:
                raise SandboxError(f"no {count} numbers upwards from {first}")
