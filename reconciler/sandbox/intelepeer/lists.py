"""Lists and their contacts (E10 to E14; items 8, 10 and 11)."""

from __future__ import annotations

from dataclasses import replace

from reconciler.sandbox.intelepeer import shapes
from reconciler.sandbox.intelepeer.state import ContactList
from reconciler.sandbox.intelepeer.visit import WRONG_LIST, Visit, text
from reconciler.sandbox.wire import JsonObject, Refusal, Reply, json_reply

CREATE_FAILED = "Something went wrong during list creation"
DELETE_FAILED = "Something went wrong when trying to delete the list"
UPLOAD_FAILED = "Something went wrong when trying to add contacts to the list"


def read(visit: Visit) -> Reply:
    """E10 without parameters, else E11; ``id`` wins over ``name`` (item 10)."""
    query, account, knobs = visit.request.query, visit.account, visit.knobs
    if "id" in query:
        found = account.lists.show(query["id"], visit.now)
        if found is None:
            raise Refusal(404, "List not found")
        if knobs.legacy_list_detail:
            return json_reply(shapes.list_detail_legacy(account, found))
        return json_reply(shapes.list_detail(account, found, knobs))
    shown = account.lists.shown(visit.now)
    if "name" in query:
        wanted = visit.wanted_name()
        matches = [shapes.list_by_name(account, one, knobs) for one in shown if wanted in one.name.casefold()]
        if not matches:
            raise Refusal(404, "List not found")
        return json_reply(matches)
    return json_reply({"lists": visit.collection([shapes.list_row(account, one, knobs) for one in shown])})


def create(visit: Visit) -> Reply:
    """E12: only the name is required; names may repeat; headers count unless the knob ignores them (item 10)."""
    body = visit.json_object(CREATE_FAILED)
    name = text(body.get("listName"))
    if not name:
        raise Refusal(422, "The 'listName' parameter is required")
    headers = body.get("headers")
    taken = isinstance(headers, list) and not visit.knobs.ignore_headers
    row = ContactList(
        id=visit.new_id(),
        name=name,
        description=text(body["listDescription"]) if body.get("listDescription") is not None else None,
        headers=tuple(map(str, headers or ())) if taken else (),
        created=visit.now,
        modified=visit.now,
    )
    namesakes = [one.id for one in visit.account.lists.rows() if one.name == name and not one.deleted]
    visit.account.lists.put(row.id, row)
    if namesakes:
        visit.ledger.duplicated("intelepeer", "list", visit.now, name, [*namesakes, row.id])
    return json_reply(shapes.list_created(visit.account, row, visit.knobs), 201)


def delete(visit: Visit) -> Reply:
    """E13: refused for a list of an active campaign, else accepted and done later (item 8)."""
    row = visit.contact_list(404, WRONG_LIST, pending=True)
    if any(campaign.active for campaign in visit.account.linked(row.id)):
        if visit.knobs.active_list_delete == "refuse":
            raise Refusal(500, DELETE_FAILED)
        return json_reply(True, 202)
    delay = visit.knobs.delete_delay_s
    if delay == 0:
        visit.account.drop_list(row.id, dangling=visit.knobs.dangling_links)
    elif not row.deleted:
        due = None if delay is None else visit.now + delay
        visit.account.doomed = True
        visit.account.lists.put(row.id, replace(row, deleted=True, delete_at=due))
    return json_reply(True, 202)


def upload(visit: Visit) -> Reply:
    """E14: appends, never de-duplicates, answers with all contacts so far (item 11)."""
    if not visit.knobs.upload_enabled:
        raise Refusal(404)
    row = visit.contact_list(422, WRONG_LIST)
    entries = visit.json_object(UPLOAD_FAILED).get("contactInfo")
    if not isinstance(entries, list) or not entries:
        raise Refusal(422, "The 'contactInfo' parameter is required")
    if not all(isinstance(entry, dict) and entry.get("phone") for entry in entries):
        raise Refusal(422, "The 'phone' parameter is required")
    twist = visit.request.twist
    added: list[JsonObject] = [
        {"phone": str(entry["phone"]), "metadata": entry.get("metadata") or {}} for entry in entries[: twist.bulk_apply]
    ]
    before = set(visit.account.numbers(row.id))
    visit.account.upload(row.id, [(visit.new_id(), entry) for entry in added], visit.now)
    _note(visit, row, [entry["phone"] for entry in added], before)
    if twist.bulk_apply is not None and twist.bulk_status not in (200, 201):
        raise Refusal(twist.bulk_status, UPLOAD_FAILED)
    after = visit.account.lists.get(row.id)
    assert after is not None
    return json_reply(shapes.list_uploaded(after), 201)


def _note(visit: Visit, row: ContactList, numbers: list[str], before: set[str]) -> None:
    for number in numbers:
        if number in before:
            visit.ledger.duplicated("intelepeer", "contact", visit.now, number, [row.id])
        before.add(number)
    active = [campaign.id for campaign in visit.account.linked(row.id) if campaign.active]
    if active and numbers:
        visit.ledger.exposes("intelepeer", "upload", visit.now, numbers, campaigns=active, lists=[row.id])
