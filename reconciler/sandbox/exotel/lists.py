"""Lists and who is on them (E1 to E9; items 5 to 7 and 9)."""

from __future__ import annotations

from reconciler.sandbox.exotel import contacts
from reconciler.sandbox.exotel.envelope import DUPLICATE, Rejected, invalid, missing, success, unknown
from reconciler.sandbox.exotel.state import stamp
from reconciler.sandbox.exotel.visit import Kinds, Visit, typed
from reconciler.sandbox.wire import JsonObject, Reply

TEXTS: Kinds = {"sid": str, "name": str, "tag": str}
REFERENCE: Kinds = {"contact_sid": str}


def create(visit: Visit) -> Reply:
    """E1: an existing name is a conflict without a sid (item 5)."""

    def add(entry: JsonObject) -> JsonObject:
        _free(visit, entry.get("name"), None)
        return success(shape(visit, visit.account.new_list(entry["name"], entry.get("tag") or None, visit.now)))

    return visit.bulk(visit.items("lists", "Lists", TEXTS), add)


def enumerate_lists(visit: Visit) -> Reply:
    """E2."""
    rows = visit.ordered(visit.named(visit.account.lists.shown(visit.now)))
    return visit.page(rows, lambda row: success(shape(visit, row)))


def show(visit: Visit) -> Reply:
    """E3."""
    return visit.single(shape(visit, visit.seen(visit.account.lists, "list", "List")))


def edit(visit: Visit) -> Reply:
    """E4: a bare object; a taken name is HTTP 409 (item 5)."""
    row = visit.true(visit.account.lists, "list", "List")
    body = typed(visit.json_object(), TEXTS, "list")
    try:
        return visit.single(_edited(visit, row, body))
    except Rejected as rejected:
        if rejected.status == 409 and visit.knobs.rename_conflict_http == 200:
            return visit.failed(rejected)
        raise


def edit_many(visit: Visit) -> Reply:
    """E5."""
    table = visit.account.lists
    return visit.edit_each("lists", TEXTS, table, "List", lambda row, entry: _edited(visit, row, entry))


def delete(visit: Visit) -> Reply:
    """E6: refused while a campaign that is not over calls the list (item 13)."""
    row = visit.true(visit.account.lists, "list", "List")
    for campaign in visit.account.using(row["sid"]):
        raise invalid(f"list is used by campaign {campaign.id}")
    deleted = shape(visit, row)
    visit.account.drop_list(row["sid"])
    return visit.single(deleted)


def add_members(visit: Visit) -> Reply:
    """E7: contacts by sid, each exists already (item 7)."""
    row = visit.true(visit.account.lists, "list", "List")
    members, list_sid, joined = visit.account.membership(row["sid"]), row["sid"], []

    def add(entry: JsonObject) -> JsonObject:
        if not entry.get("contact_sid"):
            raise missing("ContactSid")
        contact = visit.account.contacts.get(entry["contact_sid"])
        if contact is None:
            raise unknown("Contact")
        there = members.get(contact["sid"])
        if there is not None:
            if visit.knobs.existing_member == 200:
                return success(_association(visit, there))
            raise Rejected(409, DUPLICATE, "contact already exists in the list", _association(visit, there))
        if len(members) >= visit.account.cap(row, visit.knobs):
            raise invalid(f"list takes no more than {visit.account.cap(row, visit.knobs)} contacts")
        joined.append(contact["number"])
        return success(_association(visit, visit.account.join(list_sid, contact["sid"], visit.now)))

    try:
        return visit.bulk(visit.items("contact_references", "ContactReferences", REFERENCE), add)
    finally:
        visit.account.expose(visit.ledger, "members", list_sid, joined, visit.now)


def enumerate_members(visit: Visit) -> Reply:
    """E8: in the order of joining."""
    row = visit.seen(visit.account.lists, "list", "List")
    account, now = visit.account, visit.now
    rows = account.membership(row["sid"]).shown(now)
    if account.contacts.lags(now):
        rows = [one for one in rows if account.contacts.show(one["contact_sid"], now) is not None]

    def item(one: JsonObject) -> JsonObject:
        if visit.knobs.member_rows == "association":
            return success(one)
        return success(contacts.shape(visit, account.contacts.show(one["contact_sid"], now) or {}))

    return visit.page(rows, item)


def remove_member(visit: Visit) -> Reply:
    """E9: the contact stays."""
    row = visit.true(visit.account.lists, "list", "List")
    gone = visit.account.membership(row["sid"]).drop(visit.params["contact"])
    if gone is None:
        raise unknown("Contact")
    return visit.single(_association(visit, gone))


def shape(visit: Visit, row: JsonObject) -> JsonObject:
    """A list on the wire."""
    members = visit.account.membership(row["sid"]).shown(visit.now)
    found = {
        "sid": row["sid"],
        "name": row["name"],
        "tag": row["tag"],
        "contact_count": visit.number(len(members)),
        "date_created": row["date_created"],
        "date_updated": row["date_updated"],
    }
    return {**found, "type": row["type"]} if visit.knobs.list_type else found


def _association(visit: Visit, row: JsonObject) -> JsonObject:
    found = {visit.knobs.list_key: row["list_sid"], "sid": row["contact_sid"], "contact_sid": row["contact_sid"]}
    if visit.knobs.contact_key == "contact_sid":
        del found["sid"]
    return {**found, "date_created": row["date_created"]}


def _free(visit: Visit, name: str | None, own: str | None) -> None:
    if not name:
        raise missing("Name")
    namesake = visit.account.list_named(name)
    if namesake is not None and namesake["sid"] != own:
        raise Rejected(409, DUPLICATE, f"list with name {name} already exists")


def _edited(visit: Visit, row: JsonObject, body: JsonObject) -> JsonObject:
    given = {key: body[key] for key in ("name", "tag") if body.get(key) is not None}
    if not given:
        raise missing("Name")
    if visit.knobs.put == "replace":
        given = {"tag": None, **given}
    if "name" in given:
        _free(visit, given["name"], row["sid"])
    if "tag" in given:
        given["tag"] = given["tag"] or None
    edited = {**row, **given}
    if edited != row:
        edited["date_updated"] = stamp(visit.now)
        visit.account.lists.put(row["sid"], edited)
    return shape(visit, edited)
