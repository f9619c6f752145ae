"""Wire to model: tolerant reading of what SlickText sends.

The quirks, from the SlickText API notes section 3:

* Ids come as numbers or as digit strings, under several names (``contact_list_id``, ``list_id``, ``id``, or inside
  ``data``). A leading underscore marks a reference to another object (``_brand_id``, ``_contact_list_id``).
* A missing key, null and ``""`` are the same; the text ``"null"`` is null in ``birthdate`` and the source fields.
* ``zip`` is text or a number; flags are 0/1, booleans or digits; ``custom_fields`` is an object, null or ``[]``.
* A campaign's ``audience`` is an array of rows when read and an object when written; collection rows may lack it. The
  last timestamp of a campaign is printed as ``last_Editd`` by the docs; no timestamp decides anything here.
* ``opt_in_status`` may have values nobody documented; those are kept and mean "do not text".
* A count is a bare number, a digit string, ``{"count": n}`` or ``{"total": n}``; anything else is an error, never 0.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.errors import CredentialsRefused, ReadIncomplete
from reconciler.masking import is_masked
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.e164 import E164
from reconciler.model.live import OPTED_OUT, Observed
from reconciler.model.resources import Fields, FieldValue

LIST_IDS = ("contact_list_id", "list_id", "id")
CAMPAIGN_IDS = ("campaign_id", "id")
CONTACT_IDS = ("contact_id", "id")

EDITABLE = frozenset({"draft", "scheduled"})
"""Statuses in which a campaign can change or be deleted; every other one, known or not, is immutable for us."""
FINISHED = frozenset({"sent", "failed", "canceled", "cancelled"})
"""Statuses in which nothing will happen any more. ``queued`` and ``sending`` are neither editable nor finished."""

_STATUSES: dict[str, str] = {
    "subscribed": "subscribed",
    "not subscribed": "not-subscribed",
    "unsubscribed": OPTED_OUT,
    "blocked": OPTED_OUT,
}
_E164 = re.compile(E164)


class AccountMismatch(CredentialsRefused):
    """The key, or a row, belongs to another brand than the one that is declared."""

    code = "account-mismatch"


def tidy(value: FieldValue) -> FieldValue:
    """One spelling of a text: null is empty, composed characters, Unix line ends, no surrounding white space."""
    if value is None:
        return ""
    return unicodedata.normalize("NFC", str(value)).replace("\r\n", "\n").strip()


def id_of(body: Any, names: tuple[str, ...]) -> RemoteId | None:
    """The object's id under any of its names, also one level down in ``data``; None when there is none."""
    if not isinstance(body, Mapping):
        return None
    for name in names:
        if (found := digits(body.get(name))) is not None:
            return RemoteId(found)
    inner = body.get("data")
    if isinstance(inner, list) and len(inner) == 1:
        inner = inner[0]
    return id_of(inner, names) if isinstance(inner, Mapping) else None


def digits(value: Any) -> str | None:
    """An id as text; None for null, and for everything that is no id."""
    if value.__class__ is int and 0 <= value < 10**19:
        return str(value)
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip()
    return str(int(text)) if text.isascii() and text.isdigit() and len(text) <= 19 else None


def flag(value: Any) -> bool:
    return value in (True, 1, "1", "true", "True")


def count(body: Any) -> int:
    """L6. ReadIncomplete for anything that is no count: 0 would read as an empty list."""
    if isinstance(body, Mapping):
        body = body.get("count", body.get("total"))
    found = digits(body)
    if found is None:
        raise ReadIncomplete("SlickText answered a count with something that is no number.")
    return int(found)


def check_brand(row: Mapping[str, Any], brand: str) -> None:
    """AccountMismatch when a row says that it belongs to another brand."""
    found = digits(row.get("_brand_id"))
    if found is not None and found != brand:
        raise AccountMismatch(
            f"SlickText returned an object of brand {found}, and the account is declared for brand {brand}.",
            hint="Use a key of the declared brand, or correct spec.brandId.",
        )


def brand_of(body: Any) -> str | None:
    """B1: the key's brand, one object without an envelope; one in an envelope is taken as well."""
    found = id_of(body, ("brand_id", "id"))
    return None if found is None else str(found)


def list_of(row: Mapping[str, Any], brand: str) -> Observed:
    """A List as L1 and L2 show it."""
    check_brand(row, brand)
    fields = {"name": tidy(row.get("name")), "description": tidy(row.get("description"))}
    return Observed(kind=Kind.LIST, remote_id=_required(row, LIST_IDS, "list"), name=str(fields["name"]), fields=fields)


def campaign_of(row: Mapping[str, Any], brand: str) -> Observed:
    """A Campaign as M1 and M2 show it.

    Facts: ``status``, ``all_contacts``, ``lists`` and ``segments`` (ids as text), ``segment_people`` (how many the
    segments hold), and ``complete``: whether the row told its audience.
    """
    check_brand(row, brand)
    status = str(row.get("status") or "").strip().lower()
    fields: Fields = {
        **{name: tidy(row.get(name)) for name in ("name", "body", "media_url", "scheduled")},
        "status": status,
    }
    return Observed(
        kind=Kind.CAMPAIGN,
        remote_id=_required(row, CAMPAIGN_IDS, "campaign"),
        name=str(fields["name"]),
        fields=fields,
        facts={"status": status, **_audience(row.get("audience"))},
    )


def _audience(rows: Any) -> Fields:
    entries = [r for r in rows if isinstance(r, Mapping)] if isinstance(rows, list) else []
    lists = (digits(r.get("_contact_list_id")) for r in entries)
    segments = {s: r for r in entries if (s := digits(r.get("_segment_id"))) is not None}
    return {
        "all_contacts": any(flag(r.get("all_contacts")) for r in entries),
        "lists": frozenset(x for x in lists if x is not None),
        "segments": frozenset(segments),
        "segment_people": sum(int(digits(r.get("size")) or 0) for r in segments.values()),
        "complete": isinstance(rows, list),
    }


def ids_fact(live: Observed, name: str) -> frozenset[str]:
    """``lists`` or ``segments`` of a campaign."""
    found = live.facts.get(name)
    return found if isinstance(found, frozenset) else frozenset()


def status_of(live: Observed) -> str:
    return str(live.facts.get("status", ""))


def _required(row: Mapping[str, Any], names: tuple[str, ...], what: str) -> RemoteId:
    found = id_of(row, names)
    if found is None:
        raise ReadIncomplete(f"SlickText returned a {what} without an id.")
    return found


def opt_in(value: str | None) -> str | None:
    """A contact's ``status`` column. Values nobody documented are kept as they came, and are not textable."""
    if value is None:
        return None
    known = _STATUSES.get(value)
    if known is not None:
        return known
    return _STATUSES.get(value.strip().lower().replace("_", " "), value)


def statuses_of(values: Sequence[str | None]) -> list[str | None]:
    """``opt_in`` of many, among which there are few different ones."""
    if values and values.count(values[0]) == len(values):
        return [opt_in(values[0])] * len(values)
    meaning = {value: opt_in(value) for value in set(values)}
    return [meaning[value] for value in values]


def numbers_of(values: Sequence[str | None]) -> list[str | None]:
    """``number_of`` of many. Nearly all of them are in E.164 already."""
    plain = _E164.fullmatch
    return [v if v is not None and plain(v) else number_of(v) for v in values]


def number_of(value: str | None) -> str | None:
    """A ``mobile_number`` in E.164; None when it is no number.

    ReadIncomplete for a number that is masked: whoever is on the list cannot be told apart, so nothing can be compared.
    """
    if value is None:
        return None
    if _E164.fullmatch(value):
        return value
    if is_masked(value):
        raise ReadIncomplete(
            "SlickText shows masked numbers, so members cannot be compared.",
            hint="Use an API key that may see whole numbers.",
        )
    plain = re.sub(r"\D", "", value)
    if value.strip().startswith("+"):
        whole = f"+{plain}"
    elif plain.startswith("00"):
        whole = f"+{plain[2:]}"
    elif len(plain) == 10:
        whole = f"+1{plain}"
    else:
        whole = f"+{plain}" if len(plain) == 11 and plain[0] == "1" else ""
    return whole if _E164.fullmatch(whole) else None


def error_text(body: Any, raw: bytes) -> str:
    """What an error answer says, whatever its shape (API notes, 1.8): the first known key, flattened."""
    if isinstance(body, Mapping):
        for key in ("error", "message", "errors", "detail", "title", "error_description"):
            if body.get(key):
                return "; ".join(_texts(body[key]))
        return ""
    if isinstance(body, str | list):
        return "; ".join(_texts(body))
    text = raw.decode("utf-8", "replace").strip()
    # A gateway's page says nothing that its status does not.
    return "" if text.startswith("<") or text in ("null", "[]") else text


def _texts(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case list():
            return [text for entry in value for text in _texts(entry)]
        case Mapping():
            return [f"{key}: {text}" for key, entry in value.items() for text in _texts(entry)]
        case None:
            return []
        case _:
            return [str(value)]
