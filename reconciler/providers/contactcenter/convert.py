"""Wire to model: tolerant reading of what a portal sends.

The quirks, from the contact centre API notes section 3:

* The campaign report is an object keyed by campaign id; the id stands nowhere else. Empty it may be ``[]`` or ``null``.
* The documents print the key ``success`` twice in one object, where a fourth status must be meant. The counts only add
  up if both count, so repeated keys are kept apart here and summed where they are counts.
* Whole numbers come as integers, as floats without a fraction, or as digits. A missing key is unknown, not zero.
* A number is compared by its digits: the portal may show it without its plus, or with spaces.
* The status of a lead is an open set of words; one that is not known means that a call may be in progress.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from reconciler.errors import ReadIncomplete
from reconciler.masking import is_masked
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.live import Observed, Standing
from reconciler.model.resources import Fields
from reconciler.providers.contactcenter.settings import ID

NEW = "new"
STOPPED = "stopped"
"""The one campaign status that is known, and the one in which nobody is dialled (API notes, A-11)."""

SHORTEST_KEY = 7
"""Digits from which one number can be the end of another (API notes, Q-8)."""

_FILLING = str.maketrans("", "", " -.()\u00a0")
_DIGITS = re.compile(r"[0-9]{4,20}", re.ASCII)
_PLAIN = re.compile(r"\+[0-9]{4,20}", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)


class Several(list[Any]):
    """The values of a key that one object has several times."""


class Campaign(Struct, frozen=True, kw_only=True):
    """One row of the campaign report. ``repeated`` are statuses that it counts twice; None is unknown."""

    remote_id: RemoteId
    name: str
    status: str
    total: int | None = None
    leads: Mapping[str, int] = field(default_factory=dict)
    repeated: tuple[str, ...] = ()

    @property
    def stopped(self) -> bool:
        return self.status == STOPPED

    def observed(self) -> Observed:
        facts = {"status": self.status, "total": self.total, "leads": dict(self.leads)}
        fields = {"name": self.name}
        return Observed(kind=Kind.CAMPAIGN, remote_id=self.remote_id, name=self.name, fields=fields, facts=facts)


class Surplus(Struct, frozen=True, kw_only=True):
    """One more lead of a number that the campaign has already."""

    number: str
    lead: str
    standing: Standing


def surplus_fact(surplus: Iterable[Surplus]) -> Fields:
    """As a fact of ``LiveMembers``."""
    return {"surplus": tuple((s.number, s.lead, str(s.standing)) for s in surplus)}


def surplus_of(facts: Fields) -> Iterator[Surplus]:
    """What ``surplus_fact`` made."""
    found = facts.get("surplus")
    for entry in found if isinstance(found, tuple) else ():
        if isinstance(entry, tuple):
            number, lead, standing = map(str, entry)
            yield Surplus(number=number, lead=lead, standing=Standing(standing))


def decode_report(raw: bytes) -> Any:
    """JSON with repeated keys as ``Several``. Raises msgspec.DecodeError, also for an empty body."""
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_object)
    except ValueError as error:
        raise msgspec.DecodeError(f"not JSON: {type(error).__name__}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key not in found:
            found[key] = value
        elif isinstance(found[key], Several):
            found[key].append(value)
        else:
            found[key] = Several([found[key], value])
    return found


def campaigns_of(body: Any) -> dict[RemoteId, Campaign]:
    """The campaign report (E2). Raises ReadIncomplete for what is none."""
    if body is None or body == []:
        return {}
    if not isinstance(body, Mapping):
        raise ReadIncomplete("The portal answered the campaign report in an unknown shape.")
    return {RemoteId(key): _campaign(key, row) for key, row in body.items()}


def _campaign(remote_id: str, row: Any) -> Campaign:
    if ID.fullmatch(remote_id) is None or not isinstance(row, Mapping):
        raise ReadIncomplete("The portal's campaign report has a row in an unknown shape.")
    counts = row.get("leads_by_status")
    leads: dict[str, int] = {}
    repeated = []
    for status, value in counts.items() if isinstance(counts, Mapping) else ():
        values = value if isinstance(value, Several) else [value]
        leads[status] = sum(int(whole(v) or 0) for v in values)
        if isinstance(value, Several):
            repeated.append(status)
    total = whole(_once(row, "total_leads"))
    return Campaign(
        remote_id=RemoteId(remote_id),
        name=text(_once(row, "name")) or "",
        status=word(_once(row, "status")),
        total=None if total is None else int(total),
        leads=leads,
        repeated=tuple(sorted(repeated)),
    )


def _once(row: Mapping[str, Any], key: str) -> Any:
    value = row.get(key)
    if not isinstance(value, Several):
        return value
    if any(other != value[0] for other in value):
        raise ReadIncomplete(f"The portal's campaign report says two things about {key}.")
    return value[0]


def stopped(live: Observed | None) -> bool:
    """Whether nobody is dialled: any other status, known or not, counts as dialling."""
    return live is not None and live.facts.get("status") == STOPPED


def text(value: Any) -> str | None:
    """A text without white space around it; None for what is none. Objects are never made into text."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value).strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def word(value: Any) -> str:
    """A status as it stands, empty where there is none: only the exact word is the one that is known [A-11]."""
    return value if isinstance(value, str) else ""


def whole(value: Any) -> str | None:
    """A whole number as text, None for what is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else None
    if isinstance(value, str):
        return str(int(value)) if _WHOLE.fullmatch(value.strip()) else None
    return str(value) if isinstance(value, int) else None


def number_of(value: str | None) -> str | None:
    """A number as it is compared: a plus and all of its digits; None when it is no number.

    ReadIncomplete for a number that is masked: its lead would look missing, and be added and called once more.
    """
    if value is None:
        return None
    plain = value.translate(_FILLING).removeprefix("+")
    if _DIGITS.fullmatch(plain):
        return f"+{plain}"
    if is_masked(value):
        raise ReadIncomplete(
            "The contact centre shows masked numbers, so leads cannot be compared.",
            hint="Use a login that may see whole numbers.",
        )
    return None


def numbers_of(values: Sequence[str | None]) -> list[str | None]:
    """``number_of`` of many. Nearly all of them are a plus and digits already."""
    plain = _PLAIN.fullmatch
    return [v if v is not None and plain(v) else number_of(v) for v in values]


def standing(status: str, finished: frozenset[str]) -> Standing:
    """How far a lead is. A word that nobody told us about means that it may be in a call."""
    if status == NEW:
        return Standing.WAITING
    return Standing.FINISHED if status in finished else Standing.BUSY


def respelt(number: str, others: Iterable[str]) -> list[str]:
    """Those of ``others`` that look like ``number`` with more or fewer digits before it (API notes, Q-8)."""
    own = number.removeprefix("+")
    found = []
    for other in others:
        theirs = other.removeprefix("+")
        shorter, longer = sorted((own, theirs), key=len)
        if len(shorter) >= SHORTEST_KEY and shorter != longer and longer.endswith(shorter):
            found.append(other)
    return found


def error_text(body: Any, raw: bytes) -> str:
    """What an error says: plain text, or one of the usual keys (API notes, A-12)."""
    if isinstance(body, Mapping):
        said = next((str(body[k]) for k in ("error", "message", "detail") if body.get(k)), "")
    else:
        said = raw.decode("utf-8", "replace").strip()
    # A gateway's page says nothing that its status does not.
    return "" if said.startswith(("<", "{", "[")) else said
