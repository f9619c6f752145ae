"""Campaigns (M1 to M5) and their way from draft to sent (items 14 to 16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.slicktext.contacts import text_field
from reconciler.sandbox.slicktext.knobs import SlickTextKnobs
from reconciler.sandbox.slicktext.state import EDITABLE, Brand, Campaign, stamp, unstamped
from reconciler.sandbox.slicktext.visit import Visit
from reconciler.sandbox.wire import JsonObject, Refusal, Reply, json_reply

FIELDS = frozenset(
    {
        "campaign_id",
        "_brand_id",
        "_created_by_user_id",
        "name",
        "body",
        "media_url",
        "status",
        "status_detail",
        "status_date",
        "completion_percentage",
        "created",
        "scheduled",
        "started",
        "finished",
        "last_updated",
    }
)
WRITABLE = ("name", "body", "media_url", "status", "scheduled", "audience")
UPGRADE = "Please contact your account owner and have them upgrade to start sending messages."


def enumerate_campaigns(visit: Visit) -> Reply:
    """M1: rows without audience_size, and without their audience if the knob says so."""
    shown = visit.brand.campaigns.shown(visit.now)
    campaigns = {campaign.row["campaign_id"]: campaign for campaign in shown}

    def spelled(rows: Any) -> list[JsonObject]:
        return [_spelled(visit, campaigns[row["campaign_id"]], in_collection=True) for row in rows]

    return visit.page([campaign.row for campaign in shown], FIELDS, spelled)


def show(visit: Visit) -> Reply:
    """M2."""
    return json_reply(_spelled(visit, visit.seen(visit.brand.campaigns, "id"), in_collection=False))


def create(visit: Visit) -> Reply:
    """M3: name, body and status are required; ``send`` goes out at once."""
    body = visit.json_object()
    for name in ("name", "body"):
        if not text_field(body, name):
            raise Refusal(422, f"The {name} field is required.")
    status = body.get("status")
    if status is None:
        status = visit.knobs.status_default
        if status == "reject":
            raise Refusal(422, "The status field is required.")
    fields = _texts(body)
    audience = _audience(visit, body.get("audience") or {})
    _check(visit, status, fields.get("scheduled"), audience)
    namesakes = [c.row["campaign_id"] for c in visit.brand.campaigns.rows() if c.row["name"] == fields["name"]]
    campaign = visit.brand.new_campaign(fields, visit.now)
    if any(audience):
        campaign = visit.brand.with_audience(campaign, *audience, visit.now)
    campaign = _put(visit, campaign, status)
    if namesakes:
        ids = [*namesakes, campaign.row["campaign_id"]]
        visit.ledger.duplicated("slicktext", "campaign", visit.now, str(fields["name"]), ids)
    return visit.created(_spelled(visit, campaign, in_collection=False))


def edit(visit: Visit) -> Reply:
    """M4: merges keys, but an audience replaces the whole one; only drafts and scheduled ones (item 15)."""
    campaign = visit.true(visit.brand.campaigns, "id")
    body = visit.json_object()
    if campaign.row["status"] not in EDITABLE:
        raise Refusal(422, f"A campaign with status {campaign.row['status']} cannot be edited.")
    if not set(body) & set(WRITABLE):
        raise Refusal(422, "At least one known field is required.")
    fields = _texts(body)
    for name in ("name", "body"):
        if name in fields and not fields[name]:
            raise Refusal(422, f"The {name} field must not be empty.")
    audience = campaign.lists, campaign.segments
    if "audience" in body:
        audience = _audience(visit, body["audience"] or {})
    status = body.get("status") or (campaign.row["status"] if visit.knobs.put_status_default == "keep" else "send")
    _check(visit, status, fields.get("scheduled", campaign.row["scheduled"]), audience)
    campaign = replace(campaign, row={**campaign.row, **fields, "last_updated": stamp(visit.now)})
    if "audience" in body:
        campaign = visit.brand.with_audience(campaign, *audience, visit.now)
    return json_reply(_spelled(visit, _put(visit, campaign, status), in_collection=False))


def delete(visit: Visit) -> Reply:
    """M5: deleting a scheduled campaign cancels it; others only with the knob."""
    campaign = visit.true(visit.brand.campaigns, "id")
    if campaign.row["status"] not in EDITABLE and not visit.knobs.delete_any_campaign:
        raise Refusal(422, f"A campaign with status {campaign.row['status']} cannot be deleted.")
    visit.brand.campaigns.drop(campaign.row["campaign_id"])
    return visit.deleted()


def advance(brand: Brand, knobs: SlickTextKnobs, ledger: Ledger, now: float) -> None:
    """What the clock has made due: scheduled ones are dispatched, dispatched ones become sent (item 15)."""
    for campaign_id in sorted(brand.waiting):
        campaign = brand.campaigns.get(campaign_id)
        if campaign is not None and campaign.row["status"] == "scheduled":
            due = unstamped(campaign.row["scheduled"])
            if due is not None and due <= now:
                campaign = dispatch(brand, campaign, ledger, due)
        if campaign is not None and campaign.row["status"] == "queued":
            finished_at = (campaign.queued_at or 0.0) + knobs.dispatch_s
            if finished_at <= now:
                _finish(brand, campaign, stamp(finished_at))
                campaign = None
        if campaign is None or campaign.row["status"] not in ("scheduled", "queued"):
            brand.waiting.discard(campaign_id)


def _finish(brand: Brand, campaign: Campaign, at: str) -> None:
    ended = {"status": "sent", "status_date": at, "finished": at, "completion_percentage": 100, "last_updated": at}
    brand.put_campaign(replace(campaign, row={**campaign.row, **ended}))


def dispatch(brand: Brand, campaign: Campaign, ledger: Ledger, at: float) -> Campaign:
    """Text everybody who is in the audience now and subscribed; into the ledger, that is."""
    row = {
        **campaign.row,
        "status": "queued",
        "status_date": stamp(at),
        "started": stamp(at),
        "last_updated": stamp(at),
    }
    campaign = replace(campaign, row=row, queued_at=at)
    brand.put_campaign(campaign)
    for contact_id in sorted(brand.audience(campaign)):
        contact = brand.contacts.get(contact_id)
        if contact is not None and contact["opt_in_status"] == "subscribed":
            ledger.contacted(
                "slicktext",
                "campaign",
                at,
                contact["mobile_number"],
                contact=contact_id,
                campaign=row["campaign_id"],
                name=row["name"],
            )
    return campaign


def _put(visit: Visit, campaign: Campaign, status: str) -> Campaign:
    """Store it in its new status; ``send`` is a wish, never a stored status."""
    if status == "send":
        return dispatch(visit.brand, campaign, visit.ledger, visit.now)
    row = campaign.row
    if row["status"] != status:
        row = {**row, "status": status, "status_date": stamp(visit.now)}
    campaign = replace(campaign, row=row)
    visit.brand.put_campaign(campaign)
    return campaign


def _texts(body: Mapping[str, Any]) -> JsonObject:
    return {name: text_field(body, name) for name in ("name", "body", "media_url", "scheduled") if name in body}


def _audience(visit: Visit, wanted: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if not isinstance(wanted, dict) or set(wanted) - {"contact_lists", "segments"}:
        raise Refusal(422, "The audience may only have contact_lists and segments.")
    lists = _known(wanted, "contact_lists", visit.brand.lists)
    return lists, _known(wanted, "segments", visit.brand.segments)


def _known(wanted: Mapping[str, Any], key: str, table: Any) -> tuple[int, ...]:
    ids = wanted.get(key) or []
    if not isinstance(ids, list) or any(type(one) is not int or one not in table for one in ids):
        raise Refusal(422, f"The audience names unknown {key}.")
    return tuple(ids)


def _check(visit: Visit, status: Any, scheduled: str | None, audience: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    if status not in ("draft", "scheduled", "send"):
        raise Refusal(422, "The selected status is invalid.")
    at = unstamped(scheduled)
    if scheduled and at is None:
        raise Refusal(422, "The scheduled field must look like 2026-10-17 14:00:00.")
    if status == "draft":
        return
    if visit.brand.facts["trial"]:
        raise Refusal(409, UPGRADE)
    if not any(audience):
        raise Refusal(422, "The audience must not be empty.")
    if status == "scheduled" and (at is None or at <= visit.now):
        raise Refusal(422, "The scheduled time must be in the future.")


def _spelled(visit: Visit, campaign: Campaign, *, in_collection: bool) -> JsonObject:
    row = dict(campaign.row)
    row[visit.knobs.updated_key] = row.pop("last_updated")
    if not (in_collection and visit.knobs.collection_no_audience):
        row["audience"] = _audience_rows(visit.brand, campaign)
    if not in_collection:
        row["audience_size"] = len(visit.brand.audience(campaign))
    return row


def _audience_rows(brand: Brand, campaign: Campaign) -> list[JsonObject]:
    """One row per list and segment; a deleted list leaves a row of size 0 (item 16)."""
    targets: list[tuple[int | None, int | None, int]] = [
        (one, None, len(brand.members.ids(one))) for one in campaign.lists
    ]
    targets += [(None, one, len(brand.segment_members(one))) for one in campaign.segments]
    return [
        {
            "campaign_audience_id": row_id,
            "_campaign_id": campaign.row["campaign_id"],
            "all_contacts": 0,
            "_contact_list_id": list_id,
            "_segment_id": segment_id,
            "size": size,
            "created": campaign.audience_created,
        }
        for row_id, (list_id, segment_id, size) in zip(campaign.audience_ids, targets, strict=True)
    ]
