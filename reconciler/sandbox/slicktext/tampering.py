"""What a person in the dashboard can do behind everybody's back. Nothing starts a workflow or reaches the ledger.

Lists and campaigns are found by id or name, contacts by id or number, the brand by ``brand`` or as the first one.
``set`` takes wire fields, computed ones included. The answer is the id of what was made or changed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.sandbox.portal import Portal, settings
from reconciler.sandbox.slicktext import seeding
from reconciler.sandbox.slicktext.state import Brand, Platform
from reconciler.sandbox.wire import JsonObject, SandboxError


def _create_list(platform: Platform, brand: Brand, a: JsonObject) -> int:
    return seeding.add_list(platform, a, "create_list")


def _edit_list(platform: Platform, brand: Brand, a: JsonObject) -> int:
    list_id = seeding.find_list(brand, a["list"], "edit_list")
    brand.lists.put(list_id, {**(brand.lists.get(list_id) or {}), **a["set"]})
    return list_id


def _delete_list(platform: Platform, brand: Brand, a: JsonObject) -> int:
    list_id = seeding.find_list(brand, a["list"], "delete_list")
    brand.drop_list(list_id)
    return list_id


def _create_contact(platform: Platform, brand: Brand, a: JsonObject) -> int:
    seeding.add_contacts(platform, a, "create_contact")
    return _contact(brand, a.get("number") or a["mobile_number"], "create_contact")


def _edit_contact(platform: Platform, brand: Brand, a: JsonObject) -> int:
    contact_id = _contact(brand, a["contact"], "edit_contact")
    brand.put_contact({**(brand.contacts.get(contact_id) or {}), **a["set"]})
    return contact_id


def _delete_contact(platform: Platform, brand: Brand, a: JsonObject) -> int:
    contact_id = _contact(brand, a["contact"], "delete_contact")
    brand.drop_contact(contact_id)
    return contact_id


def _add_members(platform: Platform, brand: Brand, a: JsonObject) -> int:
    list_id = seeding.find_list(brand, a["list"], "add_members")
    for number in a["numbers"]:
        brand.members.add(list_id, seeding.ensure_contact(platform, brand, number, "add_members"))
    return list_id


def _remove_members(platform: Platform, brand: Brand, a: JsonObject) -> int:
    list_id = seeding.find_list(brand, a["list"], "remove_members")
    for number in a["numbers"]:
        brand.members.remove(list_id, _contact(brand, number, "remove_members"))
    return list_id


def _create_campaign(platform: Platform, brand: Brand, a: JsonObject) -> int:
    return seeding.add_campaign(platform, a, "create_campaign")


def _edit_campaign(platform: Platform, brand: Brand, a: JsonObject) -> int:
    """``set`` for fields, ``lists`` and ``segments`` for the audience."""
    campaign = seeding.find_campaign(brand, a["campaign"], "edit_campaign")
    campaign = replace(campaign, row={**campaign.row, **a.get("set", {})})
    if "lists" in a or "segments" in a:
        lists = [seeding.find_list(brand, one, "edit_campaign") for one in a.get("lists", campaign.lists)]
        segments = [seeding.find_segment(brand, one, "edit_campaign") for one in a.get("segments", campaign.segments)]
        campaign = brand.with_audience(campaign, lists, segments, platform.clock.now())
    brand.put_campaign(campaign)
    return int(campaign.row["campaign_id"])


def _delete_campaign(platform: Platform, brand: Brand, a: JsonObject) -> int:
    campaign = seeding.find_campaign(brand, a["campaign"], "delete_campaign")
    brand.campaigns.drop(campaign.row["campaign_id"])
    return int(campaign.row["campaign_id"])


def _edit_brand(platform: Platform, brand: Brand, a: JsonObject) -> int:
    """``set: {name, api_key, trial}``."""
    brand.facts = {**brand.facts, **settings(a, ("name", "api_key", "trial"), "edit_brand")}
    return brand.id


def _switch_brand(platform: Platform, brand: Brand, a: JsonObject) -> int:
    """The API key of ``brand`` belongs to the brand ``to`` from now on, as after a mix-up of credentials."""
    other = seeding.find_brand(platform, a["to"], "switch_brand")
    other.facts, brand.facts = (
        {**other.facts, "api_key": brand.facts["api_key"]},
        {**brand.facts, "api_key": other.facts["api_key"]},
    )
    return other.id


def _contact(brand: Brand, wanted: Any, where: str) -> int:
    contact_id = wanted if isinstance(wanted, int) else brand.by_number.get(str(wanted))
    if contact_id is None or contact_id not in brand.contacts:
        raise SandboxError(f"{where}: contact {wanted!r} is unknown")
    return contact_id


PORTAL: Portal[Platform, Brand] = Portal(
    provider="slicktext",
    find=seeding.find_brand,
    owner="brand",
    edits={
        "create_list": _create_list,
        "edit_list": _edit_list,
        "delete_list": _delete_list,
        "create_contact": _create_contact,
        "edit_contact": _edit_contact,
        "delete_contact": _delete_contact,
        "add_members": _add_members,
        "remove_members": _remove_members,
        "create_campaign": _create_campaign,
        "edit_campaign": _edit_campaign,
        "delete_campaign": _delete_campaign,
        "edit_brand": _edit_brand,
        "switch_brand": _switch_brand,
    },
)
