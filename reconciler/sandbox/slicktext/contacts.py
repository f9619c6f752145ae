"""Contacts (C1 to C5; item 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.sandbox.slicktext.numbers import stored
from reconciler.sandbox.slicktext.state import CONTACT_TEXTS, stamp
from reconciler.sandbox.slicktext.visit import Visit
from reconciler.sandbox.wire import JsonObject, Refusal, Reply, json_reply

STATUSES = ("not subscribed", "subscribed", "unsubscribed", "blocked")
TIMEZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
FIELDS = frozenset(
    {
        "contact_id",
        "_brand_id",
        "first_name",
        "last_name",
        "mobile_number",
        "mobile_number_carrier",
        "email",
        "birthdate",
        "address",
        "city",
        "state",
        "zip",
        "country",
        "source",
        "_source_id",
        "sub_source",
        "_sub_source_id",
        "timezone",
        "language",
        "opt_in_status",
        "last_opt_in_status_change",
        "created",
        "last_updated",
    }
)


def enumerate_contacts(visit: Visit) -> Reply:
    """C1."""
    contacts, now = visit.brand.contacts, visit.now
    number = visit.request.query.get("mobile_number")
    if number is None or visit.knobs.filter_ignored or contacts.lags(now):
        return collection(visit, contacts.shown(now))
    row = contacts.get(visit.brand.by_number.get(number, 0))
    return collection(visit, [] if row is None else [row])


def show(visit: Visit) -> Reply:
    """C2."""
    row: JsonObject = visit.seen(visit.brand.contacts, "id")
    return json_reply(_spelled(visit, [row])[0])


def create(visit: Visit) -> Reply:
    """C3: consent that is claimed or asked for goes into the ledger; the platform itself would text people here."""
    body = visit.json_object()
    number = text_field(body, "mobile_number")
    if not number:
        raise Refusal(422, "The mobile number field is required.")
    number = stored(number)
    if number in visit.brand.by_number:
        raise Refusal(422, "The mobile number already exists.")
    fields = _fields(visit, body, {})
    row = visit.brand.new_contact(number, visit.now, fields)
    _note_consent(visit, row, fields, double_opt_in=body.get("force_double_opt_in") in (True, 1, "1", "true"))
    for workflow in visit.brand.workflows:
        if workflow.trigger == "contact_created":
            visit.ledger.contacted(
                "slicktext", "workflow", visit.now, number, workflow=workflow.name, contact=row["contact_id"]
            )
    return visit.created(_spelled(visit, [row])[0])


def edit(visit: Visit) -> Reply:
    """C4: merges what is given."""
    row: JsonObject = visit.true(visit.brand.contacts, "id")
    body = visit.json_object()
    fields = _fields(visit, body, row)
    if "mobile_number" in body:
        fields["mobile_number"] = stored(text_field(body, "mobile_number") or "")
        if visit.brand.by_number.get(fields["mobile_number"], row["contact_id"]) != row["contact_id"]:
            raise Refusal(422, "The mobile number already exists.")
    if not fields:
        raise Refusal(422, "At least one known field is required.")
    now = stamp(visit.now)
    if fields.get("opt_in_status", row["opt_in_status"]) != row["opt_in_status"]:
        fields["last_opt_in_status_change"] = now
    edited = {**row, **fields, "last_updated": now}
    visit.brand.put_contact(edited)
    _note_consent(visit, edited, fields, double_opt_in=False)
    return json_reply(_spelled(visit, [edited])[0])


def delete(visit: Visit) -> Reply:
    """C5: gone from every list; the same person created again gets a new id."""
    visit.brand.drop_contact(visit.true(visit.brand.contacts, "id")["contact_id"])
    return visit.deleted()


def collection(visit: Visit, rows: Sequence[JsonObject]) -> Reply:
    """A page of contacts, also used for the members of a list."""
    return visit.page(rows, FIELDS, lambda page: _spelled(visit, page))


def text_field(body: Mapping[str, Any], name: str) -> str | None:
    """A text that may be absent or null; anything else is refused."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise Refusal(422, f"The {name} field must be a string.")
    return value


def _fields(visit: Visit, body: Mapping[str, Any], row: Mapping[str, Any]) -> JsonObject:
    fields: JsonObject = {name: body[name] for name in CONTACT_TEXTS if name in body}
    for name, value in fields.items():
        if value is not None and not isinstance(value, str | int):
            raise Refusal(422, f"The {name} field must be a string.")
    for name, choices in (("opt_in_status", STATUSES), ("timezone", TIMEZONES)):
        if name in body:
            if body[name] not in choices:
                raise Refusal(422, f"The selected {name} is invalid.")
            fields[name] = body[name]
    custom = _custom_fields(visit, body)
    if custom:
        fields["custom_fields"] = {**(row.get("custom_fields") or {}), **custom}
    return fields


def _custom_fields(visit: Visit, body: Mapping[str, Any]) -> JsonObject:
    """Both write forms seen in the wild: nested, and flat by internal name."""
    nested = body.get("custom_fields")
    if nested is not None and not isinstance(nested, dict):
        raise Refusal(422, "The custom_fields field must be an object.")
    names = {row["internal_name"] for row in visit.brand.custom_fields.rows()}
    return {**(nested or {}), **{name: body[name] for name in names & set(body)}}


def _note_consent(visit: Visit, row: JsonObject, fields: JsonObject, *, double_opt_in: bool) -> None:
    number, contact = row["mobile_number"], row["contact_id"]
    if fields.get("opt_in_status") == "subscribed":
        visit.ledger.consented("slicktext", "subscribed", visit.now, number, contact=contact)
    if double_opt_in:
        visit.ledger.consented("slicktext", "force_double_opt_in", visit.now, number, contact=contact)
        visit.ledger.contacted("slicktext", "double_opt_in", visit.now, number, contact=contact)


def _spelled(visit: Visit, rows: Sequence[JsonObject]) -> Sequence[JsonObject]:
    if visit.knobs.mask_numbers:
        rows = [{**row, "mobile_number": f"{row['mobile_number'][:5]}***{row['mobile_number'][-4:]}"} for row in rows]
    return [_noisy(row, at) for at, row in enumerate(rows)] if visit.knobs.type_noise else rows


def _noisy(row: JsonObject, at: int) -> JsonObject:
    zip_code = row["zip"]
    if at % 2 == 0 and isinstance(zip_code, str) and zip_code.isdigit():
        zip_code = int(zip_code)
    source = row["_source_id"]
    null_text = "null" if at % 2 == 0 else None
    return {
        **row,
        "zip": zip_code,
        "_source_id": "null" if source is None else str(source),
        "sub_source": row["sub_source"] or null_text,
        "birthdate": row["birthdate"] or null_text,
    }
