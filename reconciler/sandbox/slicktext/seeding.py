"""SlickText state from and to documents: seeds and dumps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from reconciler.sandbox.seeds import MANY, REQUIRED, SOME, SPREAD, TEXT, WHOLE, entries, numbers, owner, pick, read
from reconciler.sandbox.slicktext.contacts import FIELDS as CONTACT_FIELDS
from reconciler.sandbox.slicktext.contacts import STATUSES
from reconciler.sandbox.slicktext.numbers import consecutive, stored
from reconciler.sandbox.slicktext.state import Brand, Campaign, Platform, Workflow, stamp, unstamped
from reconciler.sandbox.wire import JsonObject, Refusal, SandboxError

DEFAULT_BRAND = {"brand_id": 123456789, "api_key": "sandbox-slicktext-key", "name": "Sandbox Brand"}
TRIGGERS = ("contact_created", "contact_added_to_list")
CAMPAIGN_STATUSES = ("draft", "scheduled", "queued", "sending", "sent", "failed", "canceled")

_REF = (int, str)
_SECTION = {
    "brands": (MANY, None),
    "custom_fields": (MANY, None),
    "contacts": (SOME, None),
    "lists": (MANY, None),
    "segments": (MANY, None),
    "campaigns": (MANY, None),
}
_BRAND = {
    "brand_id": (WHOLE, REQUIRED),
    "api_key": (TEXT, REQUIRED),
    "name": (TEXT, "Sandbox Brand"),
    "trial": ((bool,), False),
    "workflows": (MANY, ()),
    "account_id": (WHOLE, 987654321),
}
_WORKFLOW = {"name": (TEXT, "workflow"), "trigger": (TEXT, REQUIRED), "list": (_REF, None)}
_CONTACT = {
    "brand": (WHOLE, None),
    "id": (WHOLE, None),
    "number": (TEXT, None),
    "mobile_number": (TEXT, None),
    "lists": (MANY, ()),
    "custom_fields": ((dict,), None),
    **dict.fromkeys(CONTACT_FIELDS - {"contact_id", "_brand_id", "mobile_number"}, ((str, int), None)),
}
_GENERATE = {
    **SPREAD,
    "opt_in_status": (TEXT, "subscribed"),
    "first_name": (TEXT, None),
    "lists": (MANY, ()),
    "brand": (WHOLE, None),
}
_LIST = {
    "brand": (WHOLE, None),
    "id": (WHOLE, None),
    "name": (TEXT, REQUIRED),
    "description": (TEXT, None),
    "members": (SOME, ()),
}
_SEGMENT = {"brand": (WHOLE, None), "id": (WHOLE, None), "name": (TEXT, REQUIRED), "numbers": (MANY, ())}
_FIELD = {
    "brand": (WHOLE, None),
    "id": (WHOLE, None),
    "name": (TEXT, REQUIRED),
    "internal_name": (TEXT, REQUIRED),
    "data_type": (TEXT, "text"),
}
_CAMPAIGN = {
    "brand": (WHOLE, None),
    "id": (WHOLE, None),
    "name": (TEXT, REQUIRED),
    "body": (TEXT, "Hello"),
    "media_url": (TEXT, None),
    "status": (TEXT, "draft"),
    "scheduled": (TEXT, None),
    "lists": (MANY, ()),
    "segments": (MANY, ()),
}


def seed(platform: Platform, section: JsonObject) -> None:
    """Add a seed section. Members and segment numbers that no contact has yet become subscribed contacts."""
    section = read(section, "slicktext", _SECTION)
    for entry, where in entries(section["brands"], "slicktext.brands"):
        _add_brand(platform, entry, where)
    if not platform.brands:
        _add_brand(platform, DEFAULT_BRAND, "slicktext.brands")
    for entry, where in entries(section["custom_fields"], "slicktext.custom_fields"):
        _add_custom_field(platform, entry, where)
    # List rows first, because contacts may name lists; members last, because contacts may fix their ids.
    places = [
        (where, *_add_list_row(platform, entry, where)) for entry, where in entries(section["lists"], "slicktext.lists")
    ]
    contacts = section["contacts"]
    for entry, where in entries([contacts] if isinstance(contacts, Mapping) else contacts, "slicktext.contacts"):
        add_contacts(platform, entry, where)
    for where, brand, list_id, members in places:
        _add_members(platform, brand, list_id, members, where)
    for entry, where in entries(section["segments"], "slicktext.segments"):
        _add_segment(platform, entry, where)
    for entry, where in entries(section["campaigns"], "slicktext.campaigns"):
        add_campaign(platform, entry, where)


def dump(platform: Platform) -> JsonObject:
    """Everything, flat: rows carry ``_brand_id``; ``numbers`` of a list is for people, ``members`` is what counts."""
    rows: JsonObject = {key: [] for key in ("brands", "custom_fields", "contacts", "lists", "segments", "campaigns")}
    for brand in platform.brands.values():
        rows["brands"].append({**brand.facts, "workflows": [asdict(workflow) for workflow in brand.workflows]})
        rows["custom_fields"] += brand.custom_fields.rows()
        rows["contacts"] += brand.contacts.rows()
        rows["segments"] += brand.segments.rows()
        rows["campaigns"] += [
            {
                **campaign.row,
                "lists": campaign.lists,
                "segments": campaign.segments,
                "audience_ids": campaign.audience_ids,
                "audience_created": campaign.audience_created,
                "queued_at": campaign.queued_at,
            }
            for campaign in brand.campaigns.rows()
        ]
        for row in brand.lists.rows():
            members = brand.members.ids(row["contact_list_id"])
            numbers = [(brand.contacts.get(contact) or {}).get("mobile_number") for contact in members]
            rows["lists"].append({**row, "members": list(members), "numbers": numbers})
    return {"last_ids": dict(platform.ids.last), **rows}


def load(platform: Platform, document: JsonObject) -> None:
    """Take over a dump; the platform is empty."""
    for entry in document["brands"]:
        _add_brand(platform, entry, "slicktext.brands")
    brands = platform.brands
    for row in document["custom_fields"]:
        brands[row["_brand_id"]].custom_fields.put(row["custom_field_id"], row)
    for row in document["contacts"]:
        brands[row["_brand_id"]].put_contact(row)
    for row in document["segments"]:
        brands[row["_brand_id"]].segments.put(row["segment_id"], row)
    for row in document["lists"]:
        brand, list_id = brands[row["_brand_id"]], row["contact_list_id"]
        brand.lists.put(list_id, {key: value for key, value in row.items() if key not in ("members", "numbers")})
        for contact_id in row["members"]:
            brand.members.add(list_id, contact_id)
    for row in document["campaigns"]:
        row = dict(row)
        references: JsonObject = {key: tuple(row.pop(key)) for key in ("lists", "segments", "audience_ids")}
        times: JsonObject = {key: row.pop(key) for key in ("audience_created", "queued_at")}
        brands[row["_brand_id"]].put_campaign(Campaign(row=row, **references, **times))
    platform.ids.last.update(document["last_ids"])


def _add_brand(platform: Platform, entry: Any, where: str) -> None:
    facts = read(entry, where, _BRAND)
    workflows = []
    for workflow, place in entries(facts.pop("workflows"), f"{where}.workflows"):
        parsed = Workflow(**read(workflow, place, _WORKFLOW))
        if parsed.trigger not in TRIGGERS:
            raise SandboxError(f"{place}.trigger: {parsed.trigger!r} is none of {', '.join(TRIGGERS)}")
        workflows.append(parsed)
    if facts["brand_id"] in platform.brands:
        raise SandboxError(f"{where}: brand {facts['brand_id']} is there already")
    platform.brands[facts["brand_id"]] = Brand(facts, workflows, platform.ids, platform.tally)


def find_brand(platform: Platform, brand_id: int | None, where: str) -> Brand:
    """The named one, or the first."""
    return owner(platform.brands, brand_id, f"{where}.brand")


def _number(text: Any, where: str) -> str:
    try:
        return stored(str(text))
    except Refusal as refusal:
        raise SandboxError(f"{where}: {text!r}: {refusal.texts[0]}") from refusal


def add_contacts(platform: Platform, entry: Any, where: str) -> None:
    if isinstance(entry, Mapping) and "generate" in entry:
        wanted = read(entry["generate"], f"{where}.generate", _GENERATE)
        brand = find_brand(platform, wanted["brand"], where)
        fields = {"opt_in_status": wanted["opt_in_status"], "first_name": wanted["first_name"]}
        listed = [find_list(brand, name, where) for name in wanted["lists"]]
        for number in consecutive(wanted["first"], wanted["count"]):
            _add_contact(platform, brand, number, fields, listed, where)
        return
    found = read(entry, where, _CONTACT)
    brand = find_brand(platform, found.pop("brand"), where)
    text = found.pop("number") or found["mobile_number"]
    if text is None:
        raise SandboxError(f"{where}: number is missing")
    del found["mobile_number"]
    listed = [find_list(brand, name, where) for name in found.pop("lists")]
    wanted_id = found.pop("id")
    fields = {"opt_in_status": "subscribed", **{key: value for key, value in found.items() if value is not None}}
    if fields["opt_in_status"] not in STATUSES and not str(fields["opt_in_status"]).startswith("pending"):
        raise SandboxError(f"{where}.opt_in_status: {fields['opt_in_status']!r} is none of {', '.join(STATUSES)}")
    _add_contact(platform, brand, _number(text, where), fields, listed, where, wanted_id)


def _add_contact(
    platform: Platform,
    brand: Brand,
    number: str,
    fields: JsonObject,
    listed: list[int],
    where: str,
    wanted: int | None = None,
) -> int:
    known = brand.by_number.get(number)
    if known is not None and fields:
        row = brand.contacts.get(known) or {}
        brand.put_contact({**row, **fields})  # known already, here come more details
    contact_id = known or brand.new_contact(number, platform.clock.now(), fields, wanted)["contact_id"]
    if known is not None and wanted not in (None, known):
        raise SandboxError(f"{where}: the contact is there already, as {known}")
    for list_id in listed:
        brand.members.add(list_id, contact_id)
    return int(contact_id)


def ensure_contact(platform: Platform, brand: Brand, number: Any, where: str) -> int:
    """The contact of that number, made if need be."""
    text = _number(number, where)
    fields = {} if text in brand.by_number else {"opt_in_status": "subscribed"}
    return _add_contact(platform, brand, text, fields, [], where)


def add_list(platform: Platform, entry: Any, where: str) -> int:
    """A list with its members."""
    brand, list_id, members = _add_list_row(platform, entry, where)
    _add_members(platform, brand, list_id, members, where)
    return list_id


def _add_list_row(platform: Platform, entry: Any, where: str) -> tuple[Brand, int, Any]:
    wanted = read(entry, where, _LIST)
    brand = find_brand(platform, wanted["brand"], where)
    row = brand.new_list(wanted["name"], wanted["description"], platform.clock.now(), wanted["id"])
    return brand, row["contact_list_id"], wanted["members"]


def _add_members(platform: Platform, brand: Brand, list_id: int, members: Any, where: str) -> None:
    for number, place in numbers(members, f"{where}.members", consecutive):
        brand.members.add(list_id, ensure_contact(platform, brand, number, place))


def _add_segment(platform: Platform, entry: Any, where: str) -> None:
    wanted = read(entry, where, _SEGMENT)
    brand = find_brand(platform, wanted["brand"], where)
    people = [_number(number, place) for number, place in entries(wanted["numbers"], f"{where}.numbers")]
    for number in people:
        ensure_contact(platform, brand, number, where)
    segment_id, now = platform.ids.claim("segment", wanted["id"]), stamp(platform.clock.now())
    brand.segments.put(
        segment_id,
        {
            "segment_id": segment_id,
            "_brand_id": brand.id,
            "name": wanted["name"],
            "description": None,
            "created": now,
            "last_updated": None,
            "numbers": people,
        },
    )


def _add_custom_field(platform: Platform, entry: Any, where: str) -> None:
    wanted = read(entry, where, _FIELD)
    brand = find_brand(platform, wanted["brand"], where)
    field_id, now = platform.ids.claim("custom_field", wanted["id"]), stamp(platform.clock.now())
    brand.custom_fields.put(
        field_id,
        {
            "custom_field_id": field_id,
            "_brand_id": brand.id,
            "name": wanted["name"],
            "internal_name": wanted["internal_name"],
            "description": None,
            "data_type": wanted["data_type"],
            "created": now,
            "last_updated": None,
        },
    )


def add_campaign(platform: Platform, entry: Any, where: str) -> int:
    wanted = read(entry, where, _CAMPAIGN)
    brand, now = find_brand(platform, wanted["brand"], where), platform.clock.now()
    if wanted["status"] not in CAMPAIGN_STATUSES:
        raise SandboxError(f"{where}.status: {wanted['status']!r} is none of {', '.join(CAMPAIGN_STATUSES)}")
    if wanted["scheduled"] is not None and unstamped(wanted["scheduled"]) is None:
        raise SandboxError(f"{where}.scheduled: {wanted['scheduled']!r} must look like 2026-10-17 14:00:00")
    fields = {key: wanted[key] for key in ("name", "body", "media_url", "status", "scheduled")}
    campaign = brand.new_campaign(fields, now, wanted["id"])
    lists = [find_list(brand, name, where) for name in wanted["lists"]]
    segments = [find_segment(brand, name, where) for name in wanted["segments"]]
    if lists or segments:
        campaign = brand.with_audience(campaign, lists, segments, now)
    brand.put_campaign(replace(campaign, queued_at=now if wanted["status"] == "queued" else None))
    return int(campaign.row["campaign_id"])


def find_list(brand: Brand, wanted: Any, where: str) -> int:
    """By id or name."""
    row = pick(brand.lists.rows(), lambda one: (one["contact_list_id"], one["name"]), wanted, f"{where}: list")
    return int(row["contact_list_id"])


def find_segment(brand: Brand, wanted: Any, where: str) -> int:
    """By id or name."""
    row = pick(brand.segments.rows(), lambda one: (one["segment_id"], one["name"]), wanted, f"{where}: segment")
    return int(row["segment_id"])


def find_campaign(brand: Brand, wanted: Any, where: str) -> Campaign:
    """By id or name."""
    rows = brand.campaigns.rows()
    return pick(rows, lambda one: (one.row["campaign_id"], one.row["name"]), wanted, f"{where}: campaign")
