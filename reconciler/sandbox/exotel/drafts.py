"""What a campaign may look like, sent and shown (E18 and E20; item 11)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from reconciler.sandbox.exotel.envelope import invalid, missing, unknown
from reconciler.sandbox.exotel.numbers import stored
from reconciler.sandbox.exotel.state import Campaign, stamp, unstamped
from reconciler.sandbox.exotel.visit import Kinds, Visit, typed
from reconciler.sandbox.wire import JsonObject

CALLBACKS = frozenset({"status_callback", "call_status_callback", "call_schedule_callback"})
KINDS: Kinds = {
    "action": str,
    "caller_id": str,
    "lists": list,
    "from": (list, str),
    "campaign_type": str,
    "flow_type": str,
    "url": str,
    "read_via_text": str,
    "repeat_menu_attempts": int,
    "name": str,
    "type": str,
    "call_duplicate_numbers": bool,
    "retries": dict,
    "schedule": dict,
    **dict.fromkeys(CALLBACKS, str),
    "mode": str,
    "throttle": int,
    "custom_field": str,
}
DEFAULTS: JsonObject = {
    "caller_id": None,
    "lists": [],
    "from": [],
    "campaign_type": "static",
    "flow_type": None,
    "url": None,
    "read_via_text": None,
    "repeat_menu_attempts": 0,
    "name": None,
    "type": "trans",
    "call_duplicate_numbers": False,
    "retries": None,
    "schedule": None,
    "status_callback": None,
    "call_status_callback": None,
    "call_schedule_callback": None,
    "mode": "auto",
    "throttle": None,
    "custom_field": None,
}
MOST_LISTS = 5
MOST_NUMBERS = 5000
MOST_RETRIES = 3
COUNTERS = ("created", "in-progress", "retry", "retrying", "failed", "failed-dnd", "invalid", "paused")


def wrapped(visit: Visit) -> JsonObject:
    """The one campaign of the body; a body without its wrapping has none (item 4)."""
    entries = visit.items("campaigns", "Campaigns", KINDS)
    if len(entries) != 1:
        raise invalid("exactly one campaign is expected")
    return entries[0]


def normal(body: JsonObject) -> JsonObject:
    """Known fields, null dropped; numbers as an array whichever way they came."""
    found = {key: value for key, value in body.items() if (key in DEFAULTS or key == "action") and value is not None}
    if isinstance(found.get("from"), str):
        found["from"] = [number.strip() for number in found["from"].split(",") if number.strip()]
    return found


def checked(visit: Visit, fields: JsonObject, *, fresh: bool) -> JsonObject:
    """The fields when they may stand together; ``fresh`` also holds the schedule against the clock (item 11)."""
    if not fields["caller_id"]:
        raise missing("CallerId")
    if fields["name"] is not None and len(fields["name"]) < 4:
        raise invalid("name must be greater than 3 characters")
    for name, allowed in (
        ("campaign_type", ("static", "dynamic")),
        ("type", ("trans",)),
        ("mode", ("auto", "custom")),
        ("flow_type", (None, "ivr", "greeting")),
    ):
        if fields[name] not in allowed:
            raise invalid(f"{name} {fields[name]} is not supported")
    if not fields["url"] and not fields["flow_type"]:
        raise missing("Url")
    if fields["mode"] == "custom" and (fields["throttle"] is None or fields["throttle"] < 1):
        raise invalid("throttle must be at least 1 in custom mode")
    _check_retries(fields["retries"])
    _check_schedule(visit, fields["schedule"], fresh=fresh)
    return {**fields, "from": _numbers(fields), "lists": _lists(visit, fields)}


def shape(visit: Visit, campaign: Campaign) -> JsonObject:
    """A campaign on the wire."""
    fields, knobs = campaign.fields, visit.knobs
    found: JsonObject = {
        "id": campaign.id,
        "account_sid": visit.account.sid,
        "name": fields["name"],
        **{key: fields[key] for key in ("type", "campaign_type", "caller_id", "url")},
        "lists": list(campaign.lists),
        **{key: fields[key] for key in ("retries", "schedule", "call_duplicate_numbers", "mode", "throttle")},
        "status": status_word(campaign.status, knobs.status_style),
        "date_created": stamp(campaign.created),
        "date_updated": stamp(campaign.updated),
        "date_started": None if campaign.started is None else stamp(campaign.started),
        "stats": {key: visit.number(value) for key, value in _stats(visit, campaign).items()},
        **{key: fields[key] for key in ("flow_type", "read_via_text", "repeat_menu_attempts", "custom_field")},
        **{key: fields[key] for key in sorted(CALLBACKS)},
    }
    if fields["from"]:
        found["from"] = list(fields["from"])
    if knobs.caller_id_echo == "local" and str(fields["caller_id"]).startswith("+91"):
        found["caller_id"] = f"0{fields['caller_id'][3:]}"
    if knobs.campaign_lists == "objects":
        names = {one: (visit.account.lists.get(one) or {}).get("name") for one in campaign.lists}
        found["lists"] = [{"sid": one, "name": name} for one, name in names.items()]
    elif knobs.campaign_lists == "hidden":
        del found["lists"]
    if campaign.status in ("completed", "archived"):
        found["report_url"] = f"https://my.exotel.com/{visit.account.sid}/campaigns/{campaign.id}/report"
    return found


def status_word(status: str, style: str) -> str:
    """The status as people of this platform spell it, one way or the other."""
    return status if style == "kebab" else "".join(word.capitalize() for word in status.split("-"))


def summary(campaign: Campaign) -> JsonObject:
    """The call counters beside a campaign's data."""
    ends = Counter(line.status for line in campaign.lines)
    waiting = sum(line.next_at is not None for line in campaign.lines)
    called = sum(line.attempts > 0 for line in campaign.lines)
    return {
        "campaign_sid": campaign.id,
        "call_scheduled": len(campaign.lines),
        "call_initialized": called,
        "call_completed": ends["completed"],
        "call_failed": sum(line.next_at is None for line in campaign.lines) - ends["completed"],
        "call_inprogress": waiting,
    }


def _stats(visit: Visit, campaign: Campaign) -> dict[str, int]:
    if campaign.started is None:
        members = (len(visit.account.membership(one)) for one in campaign.lists if one in visit.account.lists)
        expected = len(campaign.fields["from"]) + sum(members)
        ends: Counter[str] = Counter()
    else:
        expected = len(campaign.lines)
        ends = Counter(line.status for line in campaign.lines)
    stats = {name: ends[name] for name in COUNTERS}
    stats["created"] = expected
    untried = sum(line.attempts == 0 and line.next_at is None for line in campaign.lines)
    pending = expected if campaign.started is None else ends["created"]
    return {**stats, "failed-no-attempt": untried, "completed": ends["completed"], "pending": pending}


def _check_retries(retries: JsonObject | None) -> None:
    if not retries:
        return
    typed(retries, {"number_of_retries": int, "interval_mins": int, "mechanism": str, "on_status": list}, "retries")
    count = retries.get("number_of_retries") or 0
    if not 0 <= count <= MOST_RETRIES:
        raise invalid(f"number_of_retries must be from 0 to {MOST_RETRIES}")
    if count and (retries.get("interval_mins") or 0) < 1:
        raise missing("IntervalMins")
    if retries.get("mechanism") not in (None, "Linear", "Exponential"):
        raise invalid(f"mechanism {retries['mechanism']} is not supported")
    for word in retries.get("on_status") or ():
        if word not in ("busy", "no-answer", "failed"):
            raise invalid(f"on_status {word} is not supported")


def _check_schedule(visit: Visit, schedule: JsonObject | None, *, fresh: bool) -> None:
    times: dict[str, float] = {}
    for name in ("send_at", "end_at"):
        text = (schedule or {}).get(name)
        if text is None:
            continue
        at = unstamped(text)
        if at is None:
            raise invalid(f"{name} must be in RFC 3339 format")
        if fresh and at <= visit.now:
            raise invalid(f"{name} must be in the future")
        times[name] = at
    if "send_at" in times:
        if fresh and times["send_at"] < visit.now + visit.knobs.min_lead_s:
            raise invalid(f"send_at must be at least {visit.knobs.min_lead_s:g} seconds ahead")
        if times.get("end_at", float("inf")) <= times["send_at"]:
            raise invalid("end_at must be after send_at")


def _numbers(fields: JsonObject) -> list[str]:
    if bool(fields["from"]) == bool(fields["lists"]):
        raise invalid("exactly one of from and lists is expected") if fields["from"] else missing("From or Lists")
    if len(fields["from"]) > MOST_NUMBERS:
        raise invalid(f"from takes no more than {MOST_NUMBERS} numbers")
    found = []
    for text in fields["from"]:
        number = stored(text)
        if number is None:
            raise invalid(f"Invalid number {text}")
        found.append(number)
    return found


def _lists(visit: Visit, fields: JsonObject) -> list[str]:
    wanted: list[Any] = fields["lists"]
    most = 1 if fields["campaign_type"] == "dynamic" else MOST_LISTS
    if len(wanted) > most:
        raise invalid(f"lists takes no more than {most} for a {fields['campaign_type']} campaign")
    for one in wanted:
        row = visit.account.lists.get(one) if isinstance(one, str) else None
        if row is None or 0 <= visit.now - row["created"] < visit.knobs.list_propagation_s:
            raise unknown(f"List {one}")
    return list(dict.fromkeys(wanted))
