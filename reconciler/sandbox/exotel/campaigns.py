"""Campaigns on the wire (E18 to E24; items 11 to 13)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from reconciler.sandbox.exotel import drafts
from reconciler.sandbox.exotel.dialling import started
from reconciler.sandbox.exotel.envelope import enveloped, invalid, success, unknown
from reconciler.sandbox.exotel.state import LIVE, Campaign, stamp
from reconciler.sandbox.exotel.visit import Visit
from reconciler.sandbox.wire import JsonObject, Refusal, Reply

ACTIONS = {  # action -> the states it is allowed in, the state after it (E22)
    "pause": (("created", "in-progress"), "paused"),
    "resume": (("paused",), "in-progress"),
    "complete": (("paused",), "completed"),
    "archive": (("completed",), "archived"),
}


def create(visit: Visit) -> Reply:
    """E18: exactly one campaign; without send_at its calls go out now (item 11)."""
    body = drafts.wrapped(visit)
    if visit.knobs.out_of_credit:
        raise Refusal(402, "Insufficient balance")
    fields = drafts.checked(visit, {**drafts.DEFAULTS, **drafts.normal(body)}, fresh=True)
    account, now = visit.account, visit.now
    fields["name"] = fields["name"] or f"{account.sid} {stamp(now)[:10]} {stamp(now)[11:19]}"
    campaign = Campaign(id=account.ids.next(), fields=fields, created=now, updated=now)
    namesakes = [
        one.id for one in account.campaigns.rows() if one.fields["name"] == fields["name"] and one.status in LIVE
    ]
    account.put_campaign(campaign)
    if namesakes:
        visit.ledger.duplicated("exotel", "campaign", now, fields["name"], [*namesakes, campaign.id])
    _expose(visit, campaign, "campaign create")
    return _answer(visit, _under_way(visit, campaign))


def enumerate_campaigns(visit: Visit) -> Reply:
    """E19: deleted ones only when asked for (item 13)."""
    shown = {one.id: one for one in visit.account.campaigns.shown(visit.now)}
    rows: Sequence[JsonObject] = [
        {"id": one.id, "name": one.fields["name"], "date_created": stamp(one.created), "status": letters(one.status)}
        for one in shown.values()
    ]
    wanted = {letters(word) for word in visit.request.query.get("status", "").split(",") if word.strip()}
    if wanted:
        rows = [row for row in rows if row["status"] in wanted]
    else:
        rows = [row for row in rows if row["status"] != "deleted"]
    if visit.request.query.get("type", "trans") != "trans":
        rows = []
    return visit.page(visit.ordered(visit.named(rows)), lambda row: _item(visit, shown[row["id"]]))


def show(visit: Visit) -> Reply:
    """E20: an array of one."""
    return _answer(visit, _seen(visit))


def edit(visit: Visit) -> Reply:
    """E21 and E22 share a path: an action, or fields."""
    campaign = visit.true(visit.account.campaigns, "campaign", "Campaign")
    if campaign.status == "deleted":
        raise unknown("Campaign")
    body = drafts.wrapped(visit)
    campaign = _acted(visit, campaign, body) if "action" in body else _edited(visit, campaign, body)
    return _answer(visit, _under_way(visit, campaign))


def delete(visit: Visit) -> Reply:
    """E23: soft, and only before the start (item 13)."""
    campaign = visit.true(visit.account.campaigns, "campaign", "Campaign")
    if campaign.status == "deleted":
        raise unknown("Campaign")
    if campaign.status != "created" or campaign.started is not None:
        raise invalid("campaign has started and cannot be deleted")
    deleted = replace(campaign, status="deleted", updated=visit.now, due_at=None)
    visit.account.put_campaign(deleted)
    return _answer(visit, deleted)


def call_details(visit: Visit) -> Reply:
    """E24: flat rows, one per attempt; before the first there is nothing to find."""
    campaign = _seen(visit)
    if not campaign.calls:
        raise unknown("Call details")
    rows: Sequence[JsonObject] = campaign.calls
    if "status" in visit.request.query:
        wanted = {letters(word) for word in visit.request.query["status"].split(",")}
        rows = [row for row in rows if letters(row["status"]) in wanted]
    return visit.page(visit.ordered(rows), lambda row: row)


def letters(word: str) -> str:
    """A status without case and punctuation."""
    return re.sub(r"[^a-z]", "", word.lower())


def _seen(visit: Visit) -> Campaign:
    campaign = visit.seen(visit.account.campaigns, "campaign", "Campaign")
    if campaign.status == "deleted" and visit.knobs.deleted_campaign == "missing":
        raise unknown("Campaign")
    return campaign


def _acted(visit: Visit, campaign: Campaign, body: JsonObject) -> Campaign:
    action = body["action"]
    if not isinstance(action, str) or action not in ACTIONS:
        raise invalid(f"action {action!r} is not supported")
    if others := sorted(set(drafts.normal(body)) - {"action"} - drafts.CALLBACKS):
        raise invalid(f"{others[0]} cannot be changed together with an action")
    allowed, after = ACTIONS[action]
    if campaign.status not in allowed:
        raise invalid(f"cannot {action} a campaign that is {campaign.status}")
    if action == "resume" and campaign.started is None:
        after = "created"
    lines = campaign.lines
    if action == "complete":  # whoever was not called counts as failed, for good
        lines = tuple(
            line if line.status == "completed" else replace(line, status="failed", next_at=None) for line in lines
        )
    resumed = visit.now if action == "resume" else campaign.resumed
    due_at = 0.0 if after in LIVE else None
    return replace(campaign, status=after, lines=lines, updated=visit.now, resumed=resumed, due_at=due_at)


def _edited(visit: Visit, campaign: Campaign, body: JsonObject) -> Campaign:
    given = drafts.normal(body)
    editable = campaign.started is None and campaign.status in ("created", "paused")
    passed = campaign.send_at is not None and campaign.send_at <= visit.now
    if (not editable or passed) and (late := sorted(set(given) - drafts.CALLBACKS)):
        raise invalid(f"{late[0]} cannot be changed after the campaign has started")
    if editable and not passed:
        base = campaign.fields if visit.knobs.put == "merge" else {**drafts.DEFAULTS, "name": campaign.fields["name"]}
        if given.get("from"):
            base = {**base, "lists": []}
        elif given.get("lists"):
            base = {**base, "from": []}
        fresh = "schedule" in given or visit.knobs.put == "replace"
        fields = drafts.checked(visit, {**base, **given}, fresh=fresh)
        edited = replace(campaign, fields=fields, updated=visit.now, due_at=0.0)
        if fields["lists"] != campaign.fields["lists"] or fields["from"] != campaign.fields["from"]:
            _expose(visit, edited, "campaign edit")
        return edited
    return replace(campaign, fields={**campaign.fields, **given}, updated=visit.now)


def _under_way(visit: Visit, campaign: Campaign) -> Campaign:
    """Store it, started if its time has come."""
    campaign = started(visit.account, campaign, visit.knobs, visit.now)
    visit.account.put_campaign(campaign)
    return campaign


def _expose(visit: Visit, campaign: Campaign, reason: str) -> None:
    numbers = dict.fromkeys(campaign.fields["from"])
    for list_sid in campaign.lists:
        numbers.update(dict.fromkeys(visit.account.numbers(list_sid)))
    visit.ledger.exposes("exotel", reason, visit.now, numbers, campaigns=[campaign.id], lists=list(campaign.lists))


def _answer(visit: Visit, campaign: Campaign) -> Reply:
    return enveloped(visit.request_id, visit.request.method, 200, [_item(visit, campaign)])


def _item(visit: Visit, campaign: Campaign) -> JsonObject:
    summary = drafts.summary(campaign)
    summary = {key: visit.number(value) if isinstance(value, int) else value for key, value in summary.items()}
    return success(drafts.shape(visit, campaign), summary=summary)
