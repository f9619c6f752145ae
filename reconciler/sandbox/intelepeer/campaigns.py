"""Campaigns (E1 to E9; items 3 to 9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.sandbox.intelepeer import shapes
from reconciler.sandbox.intelepeer.state import Campaign, Link
from reconciler.sandbox.intelepeer.visit import NO_CAMPAIGN, WRONG_CAMPAIGN, Visit, text
from reconciler.sandbox.wire import JsonObject, Refusal, Reply, json_reply

CREATE_FAILED = "Something went wrong during campaign creation"
UPDATE_FAILED = "Something went wrong when trying to update the campaign"
PUBLISH_FAILED = "Something went wrong when trying to publish the campaign"
RUN_FAILED = "Something went wrong when trying to run the campaign"
NO_ACTION = "The 'action' parameter is required"
NO_LISTS = "The 'selectedLists' parameter is required"
FIELDS = {  # wire name -> field; the only ones that can be written (item 5)
    "campaignName": "name",
    "callerIdentification": "caller_id",
    "flowId": "flow_id",
    "campaignDescription": "description",
}


def read(visit: Visit) -> Reply:
    """E1 without parameters, else E2; ``id`` wins over ``name`` (items 3 and 4)."""
    query, account, knobs = visit.request.query, visit.account, visit.knobs
    if "id" in query:
        found = account.campaigns.show(query["id"], visit.now)
        if found is None:
            raise Refusal(404, "Campaign not found")
        return json_reply(shapes.campaign_detail(account, found, knobs))
    shown = account.campaigns.shown(visit.now)
    if "name" in query:
        wanted = visit.wanted_name()
        matches = [shapes.campaign_detail(account, one, knobs) for one in shown if wanted in one.name.casefold()]
        if not matches:
            raise Refusal(404, "Campaign not found")
        return json_reply(matches if knobs.e2_name_shape == "array" else matches[0])
    rows = visit.collection([shapes.campaign_detail(account, one, knobs) for one in shown])
    if knobs.e1_shape == "wrapped":
        return json_reply({"campaigns": rows})
    return json_reply(rows[0] if knobs.e1_shape == "single_object" and len(rows) == 1 else rows)


def create(visit: Visit) -> Reply:
    """E3: nothing is required, names may repeat, a draft comes out (item 5)."""
    body = visit.json_object(CREATE_FAILED)
    fields: JsonObject = {field: text(body[name]) for name, field in FIELDS.items() if name in body}
    campaign = Campaign(
        app_id=visit.new_id(),
        id=visit.new_id(),
        created=visit.now,
        modified=visit.now,
        **fields,
    )
    namesakes = [one.id for one in visit.account.campaigns.rows() if one.name == campaign.name and not one.deleted]
    visit.account.campaigns.put(campaign.id, campaign)
    if namesakes:
        visit.ledger.duplicated("intelepeer", "campaign", visit.now, campaign.name, [*namesakes, campaign.id])
    return json_reply(shapes.campaign_created(visit.account, campaign, visit.knobs), 201)


def update(visit: Visit) -> Reply:
    """E4: id, then body, then state (items 2 and 6)."""
    campaign = visit.campaign(NO_CAMPAIGN)
    body = visit.json_object(UPDATE_FAILED)
    for name in ("campaignName", "flowId", "callerIdentification"):
        if not body.get(name):
            raise Refusal(422, f"The '{name}' parameter is required")
    if not campaign.flow_id:
        raise Refusal(500, UPDATE_FAILED)
    fields: JsonObject = {field: text(body[name]) for name, field in FIELDS.items() if name in body}
    if "description" not in fields and visit.knobs.put_description == "clear":
        fields["description"] = ""
    campaign = replace(campaign, modified=visit.now, **fields)
    visit.account.campaigns.put(campaign.id, campaign)
    return json_reply(shapes.campaign_updated(visit.account, campaign))


def act(visit: Visit) -> Reply:
    """E5, E6 and E7 share a path (item 7)."""
    campaign = visit.campaign(WRONG_CAMPAIGN)
    body = visit.json_object(RUN_FAILED)
    actions = {"publish": _publish, "run": _run, "associate": _associate}
    action = body.get("action")
    if not isinstance(action, str) or action not in actions:
        raise Refusal(422, NO_ACTION)
    actions[action](visit, campaign, body)
    return json_reply(True)


def delete(visit: Visit) -> Reply:
    """E8: accepted, done later; again while it goes on is accepted too (item 8)."""
    campaign = visit.campaign(NO_CAMPAIGN, pending=True)
    delay = visit.knobs.delete_delay_s
    if delay == 0:
        visit.account.drop_campaign(campaign.id)
    elif not campaign.deleted:
        due = None if delay is None else visit.now + delay
        visit.account.doomed = True
        visit.account.campaigns.put(campaign.id, replace(campaign, deleted=True, delete_at=due))
    return json_reply(True, 202)


def errors(visit: Visit) -> Reply:
    """E9: campaigns whose run failed (item 9)."""
    shown = [one for one in visit.account.campaigns.shown(visit.now) if one.status == "Error" and not one.deleted]
    return json_reply(visit.collection([shapes.campaign_in_error(visit.account, one, visit.knobs) for one in shown]))


def _publish(visit: Visit, campaign: Campaign, body: JsonObject) -> None:
    if visit.knobs.strict_publish and not (campaign.flow_id and campaign.caller_id and campaign.links):
        raise Refusal(422, PUBLISH_FAILED)
    if not campaign.active:
        published = replace(campaign, active=True, status=None, published=visit.now, modified=visit.now)
        visit.account.campaigns.put(campaign.id, published)


def _run(visit: Visit, campaign: Campaign, body: JsonObject) -> None:
    """Everybody on every linked list is contacted, once per list they are on."""
    if not campaign.active:
        raise Refusal(500, RUN_FAILED)
    executed = replace(
        campaign, last_executed=visit.now, modified=visit.now, run_id=f"{campaign.id}:{int(visit.now * 1000)}"
    )
    if visit.knobs.run_fails:
        visit.account.campaigns.put(campaign.id, replace(executed, status="Error", active=False))
        return
    visit.account.campaigns.put(campaign.id, executed)
    for list_id in campaign.list_ids:
        for number in visit.account.numbers(list_id):
            visit.ledger.contacted(
                "intelepeer", "run", visit.now, number, campaign=campaign.id, name=campaign.name, list=list_id
            )


def _associate(visit: Visit, campaign: Campaign, body: JsonObject) -> None:
    wanted: Any = body.get("selectedLists")
    lists = visit.account.lists
    if not isinstance(wanted, list) or not wanted:
        raise Refusal(422, NO_LISTS)
    rows = [lists.get(one) if isinstance(one, str) else None for one in wanted]
    if any(row is None or row.deleted for row in rows):
        raise Refusal(422, NO_LISTS)
    moc = None if body.get("moc") is None else str(body["moc"])
    zone = body.get("autoDetectTZ") in (True, "true", "True", 1)
    links = {} if visit.knobs.associate_semantics == "replace" else {link.list_id: link for link in campaign.links}
    links.update({one: Link(list_id=one, moc=moc, auto_detect_tz=zone) for one in wanted})
    visit.account.link(campaign, links.values(), visit.now)
    for one in dict.fromkeys(wanted):
        visit.account.set_contact_method(one, moc, zone)
    added = [one for one in dict.fromkeys(wanted) if one not in campaign.list_ids]
    if campaign.active and added:
        numbers = [number for one in added for number in visit.account.numbers(one)]
        visit.ledger.exposes("intelepeer", "associate", visit.now, numbers, campaign=campaign.id, lists=added)
