"""Wire to model: tolerant reading of what Exotel sends (Exotel API notes, section 3).

* An id is text under several names (``sid``, ``list_sid``, ``list_id``, ``contact_sid``, ``campaign_sid``, ``id``).
* Null, missing and ``""`` are the same. Unknown keys are dropped; a count that is not told is unknown, never 0.
* A campaign's ``lists`` are ids or objects; a campaign without the key does not tell them, which is not "none".
* A status is spelled ``InProgress``, ``in-progress`` or ``in_progress``: only its letters count.
* Caller ids, flow addresses and times come back in another spelling than they were sent in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from reconciler.errors import CredentialsRefused, ReadIncomplete
from reconciler.masking import is_masked
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.e164 import E164
from reconciler.model.kinds import FieldRule
from reconciler.model.live import Observed
from reconciler.model.resources import Fields, FieldValue
from reconciler.providers.exotel.answers import Row, number

LIST_IDS = ("sid", "list_sid", "list_id", "id")
CONTACT_IDS = ("contact_sid", "sid", "id")
CAMPAIGN_IDS = ("id", "campaign_sid", "sid")

ATTRIBUTES: tuple[str, ...] = ("company_name", "email", "first_name", "last_name", "tag")
"""The attributes of a contact that are written; custom data is left alone (API notes, H17)."""

SCHEDULED, RUNNING, PAUSED = "created", "inprogress", "paused"
OPEN = frozenset({SCHEDULED, RUNNING, PAUSED})
"""Statuses of a campaign that people may still be called by. Every other one, known or not, is history."""
GONE = "deleted"
"""A deleted campaign can still be read; to us it is not there (H21)."""

STATES: Mapping[str, str] = {SCHEDULED: "active", RUNNING: "active", PAUSED: "paused"}
"""A campaign's ``state`` in manifests by its status; other statuses stand for themselves."""

_E164 = re.compile(E164)
_FLOW = re.compile(r"/([^/]+)/exoml/start_voice/([^/?#]+)", re.IGNORECASE)


class AccountUnknown(CredentialsRefused):
    """The account in the path is not known, or a row belongs to another one."""

    code = "exotel-account-unknown"


# --- ids and texts


def id_of(row: Any, names: tuple[str, ...]) -> RemoteId | None:
    """An object's id under any of its names."""
    if not isinstance(row, Mapping):
        return None
    for name in names:
        value = row.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return RemoteId(str(value).strip())
    return None


def required_id(row: Row, names: tuple[str, ...], what: str) -> RemoteId:
    """As ``id_of``; ReadIncomplete when there is none."""
    found = id_of(row, names)
    if found is None:
        raise ReadIncomplete(f"Exotel returned a {what} without an id.")
    return found


def tidy(value: FieldValue) -> FieldValue:
    """One spelling of a text: null is empty, composed characters, Unix line ends, no surrounding white space."""
    if value is None:
        return ""
    return unicodedata.normalize("NFC", str(value)).replace("\r\n", "\n").strip()


_WITH_COUNTRY = 11
"""Digits from which on a number without a plus is taken to have its country in front."""


def number_of(value: Any) -> str | None:
    """A contact's number in E.164; None when it is no number. ReadIncomplete for one that is masked."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    text = str(value).strip()
    if _E164.fullmatch(text):
        return text
    if is_masked(text):
        raise ReadIncomplete("Exotel shows masked numbers, so members cannot be compared.")
    plain = re.sub(r"[\s().-]", "", text)
    if plain.startswith("00"):
        plain = f"+{plain[2:]}"
    if not plain.startswith("+") and len(plain) < _WITH_COUNTRY:
        return None  # a national spelling, and nobody says of which country
    whole = plain if plain.startswith("+") else f"+{plain}"
    return whole if _E164.fullmatch(whole) else None


def numbers_of(values: Sequence[str | int | None]) -> list[str | None]:
    """``number_of`` of many. Nearly all of them are in E.164 already."""
    plain = _E164.fullmatch
    return [v if isinstance(v, str) and plain(v) else number_of(v) for v in values]


def instant(value: object) -> datetime | None:
    """A time with its offset; None for every other spelling."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return None if found.tzinfo is None else found.astimezone(UTC)


def letters(word: object) -> str:
    """A status without case and punctuation."""
    return re.sub(r"[^a-z]", "", str(word or "").lower())


# --- one spelling for what both sides say


def _caller(value: FieldValue) -> FieldValue:
    digits = re.sub(r"\D", "", str(value or ""))
    if len(digits) == 12 and digits.startswith("91"):
        return digits[2:]
    return digits[1:] if len(digits) == 11 and digits.startswith("0") else digits


def _flow(value: FieldValue) -> FieldValue:
    text = str(value or "").strip()
    if (found := _FLOW.search(text)) is not None:
        return f"{found.group(1)}/{found.group(2)}"
    url = urlsplit(text)
    return f"{url.netloc.lower()}{url.path.rstrip('/')}" + (f"?{url.query}" if url.query else "")


def _when(value: FieldValue) -> FieldValue:
    found = instant(value)
    return tidy(value) if found is None else found.isoformat().replace("+00:00", "Z")


def _schedule(value: FieldValue) -> FieldValue:
    given = value if isinstance(value, Mapping) else {}
    return {name: _when(given[name]) for name in ("send_at", "end_at") if given.get(name)}


def _retries(value: FieldValue) -> FieldValue:
    given = value if isinstance(value, Mapping) else {}
    found: dict[str, FieldValue] = {
        name: _count(given[name]) for name in ("number_of_retries", "interval_mins") if given.get(name) is not None
    }
    if given.get("mechanism"):
        found["mechanism"] = str(given["mechanism"]).capitalize()
    on_status = given.get("on_status")
    if isinstance(on_status, tuple):
        found["on_status"] = tuple(sorted(str(x).lower() for x in on_status))
    return found


def _count(value: FieldValue) -> FieldValue:
    found = number(value)
    return value if found is None else found


def _flag(value: FieldValue) -> FieldValue:
    return value in (True, 1, "1", "true", "True")


def _word(value: FieldValue) -> FieldValue:
    return str(value or "").strip().lower()


_TEXT = FieldRule(normalise=tidy, absent="")

LIST_FIELDS: Mapping[str, FieldRule] = {"name": _TEXT, "tag": _TEXT}
CAMPAIGN_FIELDS: Mapping[str, FieldRule] = {
    **dict.fromkeys(("name", "read_via_text", "custom_field"), _TEXT),
    **dict.fromkeys(("call_status_callback", "call_schedule_callback", "status_callback"), _TEXT),
    "caller_id": FieldRule(normalise=_caller, absent=""),
    "url": FieldRule(normalise=_flow, absent=""),
    "flow_type": FieldRule(normalise=_word, absent=""),
    "campaign_type": FieldRule(normalise=_word, absent="static"),
    "mode": FieldRule(normalise=_word, absent="auto"),
    "throttle": FieldRule(normalise=_count),
    "repeat_menu_attempts": FieldRule(normalise=_count, absent=0),
    "call_duplicate_numbers": FieldRule(normalise=_flag, absent=False),
    "retries": FieldRule(normalise=_retries),
    "schedule": FieldRule(normalise=_schedule),
    "state": FieldRule(normalise=_word, absent=""),
}


def same(rules: Mapping[str, FieldRule], left: Fields, right: Fields, name: str) -> bool:
    """Whether a field says the same on both sides, in what the right one declares."""
    rule = rules.get(name, FieldRule())
    here, there = rule.normalise(left.get(name, rule.absent)), rule.normalise(right.get(name, rule.absent))
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        return all(here.get(key) == value for key, value in there.items())
    return here == there


# --- objects


def list_of(row: Row) -> Observed:
    """A List as E2 and E3 show it. Facts: ``count`` where the row tells it, and ``type``."""
    fields = {name: tidy(row.get(name)) for name in LIST_FIELDS}
    facts: dict[str, FieldValue] = {"type": _word(row.get("type")) or "static"}
    for name in ("contact_count", "contacts_count", "count", "total"):
        if (found := number(row.get(name))) is not None:
            facts["count"] = found
            break
    remote_id = required_id(row, LIST_IDS, "list")
    return Observed(kind=Kind.LIST, remote_id=remote_id, name=str(fields["name"]), fields=fields, facts=facts)


def campaign_of(row: Row, account_sid: str) -> Observed:
    """A Campaign as E19 and E20 show it. AccountUnknown when the row belongs to another account.

    Facts: ``status`` (letters only), ``lists`` (ids), ``complete`` (whether the row told them), ``started``, and
    ``spelled``: what is compared in another spelling than it came in.
    One that is over has its status beside its name: a manifest of the same name means another campaign (H21).
    """
    owner = row.get("account_sid")
    if isinstance(owner, str) and owner and owner != account_sid:
        raise AccountUnknown("Exotel returned a campaign of another account than the one that is declared.")
    status = letters(row.get("status"))
    fields: dict[str, FieldValue] = {
        name: rule.normalise(_plain(row[name])) for name, rule in CAMPAIGN_FIELDS.items() if row.get(name) is not None
    }
    name = str(tidy(row.get("name")))
    fields |= {"name": name, "state": STATES.get(status, status)}
    lists = row.get("lists")
    return Observed(
        kind=Kind.CAMPAIGN,
        remote_id=required_id(row, CAMPAIGN_IDS, "campaign"),
        name=name if status in OPEN else f"{name} [{status or 'unknown'}]",
        fields=fields,
        facts={
            "status": status,
            "lists": _ids(lists),
            "complete": isinstance(lists, list) or isinstance(row.get("from"), list | str),
            "started": status == RUNNING or bool(row.get("date_started")),
            "spelled": {name: str(tidy(row[name])) for name in ("caller_id", "url") if isinstance(row.get(name), str)},
        },
    )


def _ids(lists: Any) -> frozenset[str]:
    rows = lists if isinstance(lists, list) else []
    found = (x.strip() if isinstance(x, str) else id_of(x, LIST_IDS) for x in rows)
    return frozenset(str(x) for x in found if x)


def _plain(value: Any) -> FieldValue:
    if isinstance(value, list):
        return tuple(_plain(x) for x in value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return value if isinstance(value, str | int | float | bool) else None


def spelling_of(live: Observed) -> Fields:
    """The caller id and the flow's address as they came; an address without its scheme, or with a login, anew."""
    told = live.facts.get("spelled")
    found: dict[str, FieldValue] = dict(told) if isinstance(told, Mapping) else {}
    address = str(found.pop("url", ""))
    if address and (not urlsplit(address).scheme or "@" in address):
        account, _, app = str(_flow(address)).partition("/")
        address = f"http://my.exotel.com/{account}/exoml/start_voice/{app}" if _FLOW.search(address) else ""
    return found | ({"url": address} if address else {})


def status_of(live: Observed) -> str:
    return str(live.facts.get("status", ""))


def lists_of(live: Observed) -> frozenset[str]:
    found = live.facts.get("lists")
    return found if isinstance(found, frozenset) else frozenset()


# --- contacts


def contact_of(row: Row) -> dict[str, str | None]:
    """A Contact as columns: ``number``, ``contact_id``, ``created`` and the attributes. Nested ones are looked into."""
    inner = row.get("contact") or row.get("Contact")
    nested: Row = inner if isinstance(inner, Mapping) else {}
    found: dict[str, str | None] = {
        "number": number_of(row.get("number") or nested.get("number")),
        "contact_id": id_of(row, CONTACT_IDS) or id_of(nested, CONTACT_IDS),
        "created": str(row.get("date_created") or nested.get("date_created") or ""),
    }
    for name in ATTRIBUTES:
        value = row.get(name) or nested.get(name)
        found[name] = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    return found
