"""Lists and who is on them (L1 to L9; items 10, 12 and 13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from reconciler.sandbox.slicktext.contacts import collection as contact_collection
from reconciler.sandbox.slicktext.contacts import text_field
from reconciler.sandbox.slicktext.state import LIST_FIELDS
from reconciler.sandbox.slicktext.visit import Visit
from reconciler.sandbox.tables import RowsOf
from reconciler.sandbox.wire import JsonObject, Refusal, Reply, json_reply

Pair = tuple[int, int]  # contact id, list id


def enumerate_lists(visit: Visit) -> Reply:
    """L1."""
    return visit.page(visit.brand.lists.shown(visit.now), LIST_FIELDS)


def show(visit: Visit) -> Reply:
    """L2."""
    return json_reply(visit.seen(visit.brand.lists, "id"))


def create(visit: Visit) -> Reply:
    """L3: a name is required; names may repeat unless the knob says otherwise."""
    body = visit.json_object()
    name = text_field(body, "name")
    if not name:
        raise Refusal(422, "The name field is required.")
    namesakes = [row["contact_list_id"] for row in visit.brand.lists.rows() if row["name"] == name]
    if namesakes and visit.knobs.unique_list_names:
        raise Refusal(422, "A list with this name already exists.")
    row = visit.brand.new_list(name, text_field(body, "description") or None, visit.now)
    if namesakes:
        visit.ledger.duplicated("slicktext", "list", visit.now, name, [*namesakes, row["contact_list_id"]])
    return visit.created(row)


def edit(visit: Visit) -> Reply:
    """L4: merges what is given; null or "" clears the description."""
    row = visit.true(visit.brand.lists, "id")
    body = visit.json_object()
    given: dict[str, str | None] = {key: text_field(body, key) for key in ("name", "description") if key in body}
    if not given:
        raise Refusal(422, "At least one of name and description is required.")
    if "name" in given and not given["name"]:
        raise Refusal(422, "The name field must not be empty.")
    if "description" in given:
        given["description"] = given["description"] or None
    edited = {**row, **given}
    if edited != row:
        visit.brand.lists.put(row["contact_list_id"], edited)
    return json_reply(edited)


def delete(visit: Visit) -> Reply:
    """L5: the contacts stay."""
    visit.brand.drop_list(visit.true(visit.brand.lists, "id")["contact_list_id"])
    return visit.deleted()


def count(visit: Visit) -> Reply:
    """L6: a bare number, every opt-in status counted."""
    row = visit.seen(visit.brand.lists, "id")
    members = visit.brand.members.shown(row["contact_list_id"], visit.now)
    contacts = visit.brand.contacts
    if not contacts.lags(visit.now):
        return json_reply(len(members))
    return json_reply(sum(contacts.show(contact, visit.now) is not None for contact in members))


def enumerate_members(visit: Visit) -> Reply:
    """L7: plain contacts, there is no membership object."""
    row = visit.seen(visit.brand.lists, "id")
    contacts, now = visit.brand.contacts, visit.now
    ids = visit.brand.members.shown(row["contact_list_id"], now)
    if not contacts.lags(now):
        return contact_collection(visit, RowsOf(contacts, ids))
    found = [contacts.show(contact, now) for contact in ids]
    return contact_collection(visit, [contact for contact in found if contact is not None])


def add_members(visit: Visit) -> Reply:
    """L8: adding who is there already succeeds and counts nothing; who is new may start a workflow (items 12, 13)."""
    brand = visit.brand

    def add(contact_id: int, list_id: int) -> bool:
        if not brand.members.add(list_id, contact_id):
            return False
        _start_workflows(visit, contact_id, list_id)
        return True

    return _bulk(visit, add)


def remove_members(visit: Visit) -> Reply:
    """L9: a DELETE with a body, which some stacks lose on the way (item 12)."""
    if visit.knobs.drop_delete_body:
        return json_reply({"count": 0})
    members = visit.brand.members
    return _bulk(visit, lambda contact_id, list_id: members.remove(list_id, contact_id))


def _bulk(visit: Visit, change: Callable[[int, int], bool]) -> Reply:
    pairs = list(_pairs(visit.json_array(), visit.knobs.max_bulk))
    unknown = [pair for pair in pairs if not _is_known(visit, pair)]
    mode, twist = visit.knobs.bulk_unknown, visit.request.twist
    refusal = Refusal(422, *(f"Unknown contact {contact} or list {listed}." for contact, listed in unknown))
    if unknown and mode == "reject":
        raise refusal
    if unknown and mode == "partial_then_422":
        for contact_id, list_id in pairs[: pairs.index(unknown[0])]:
            change(contact_id, list_id)
        raise refusal
    accepted = [pair for pair in pairs if pair not in set(unknown)] if unknown else pairs
    changed = sum(change(contact_id, list_id) for contact_id, list_id in accepted[: twist.bulk_apply])
    if twist.bulk_apply is not None and twist.bulk_status != 200:
        raise Refusal(twist.bulk_status)
    return json_reply({"count": changed if visit.knobs.bulk_count == "changed" else len(pairs)})


def _pairs(entries: list[Any], limit: int) -> Iterator[Pair]:
    if not entries:
        raise Refusal(422, "At least one contact is required.")
    if len(entries) > limit:
        raise Refusal(422, f"No more than {limit} contacts are allowed at once.")
    for entry in entries:
        if not isinstance(entry, dict) or type(entry.get("contact_id")) is not int:
            raise Refusal(422, "Every entry needs a contact_id.")
        lists = entry.get("lists")
        if not isinstance(lists, list) or not lists or any(type(list_id) is not int for list_id in lists):
            raise Refusal(422, "Every entry needs a non-empty array of list ids.")
        for list_id in lists:
            yield entry["contact_id"], list_id


def _is_known(visit: Visit, pair: Pair) -> bool:
    return pair[0] in visit.brand.contacts and pair[1] in visit.brand.lists


def _start_workflows(visit: Visit, contact_id: int, list_id: int) -> None:
    listed: JsonObject = visit.brand.lists.get(list_id) or {}
    for workflow in visit.brand.workflows:
        if workflow.trigger == "contact_added_to_list" and workflow.starts_on(listed):
            contact: JsonObject = visit.brand.contacts.get(contact_id) or {}
            visit.ledger.contacted(
                "slicktext",
                "workflow",
                visit.now,
                contact.get("mobile_number"),
                workflow=workflow.name,
                contact=contact_id,
                list=list_id,
            )
