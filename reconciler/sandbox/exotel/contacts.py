"""The address book (E12 to E17; items 8 and 9)."""

from __future__ import annotations

from reconciler.sandbox.exotel.envelope import DUPLICATE, Rejected, invalid, missing, success
from reconciler.sandbox.exotel.numbers import stored
from reconciler.sandbox.exotel.state import CONTACT_TEXTS, stamp
from reconciler.sandbox.exotel.visit import Kinds, Visit, typed
from reconciler.sandbox.wire import JsonObject, Reply

FIELDS: Kinds = {
    "sid": str,
    "number": str,
    **dict.fromkeys(CONTACT_TEXTS, str),
    "custom_field": dict,
    "custom": dict,
}


def create(visit: Visit) -> Reply:
    """E12: a known number is a conflict that names the contact and leaves it as it is (item 8)."""

    def add(entry: JsonObject) -> JsonObject:
        number = _number(entry)
        if (known := visit.account.by_number.get(number)) is not None:
            row = visit.account.contacts.get(known)
            assert row is not None
            raise Rejected(409, DUPLICATE, f"contact with number {number} already exists", shape(visit, row))
        return success(shape(visit, visit.account.new_contact(number, _given(entry), visit.now)))

    return visit.bulk(visit.items("contacts", "Contacts", FIELDS), add)


def enumerate_contacts(visit: Visit) -> Reply:
    """E13: twenty at most; ``list_sids`` narrows, ``filter=show_list`` adds the lists (item 9)."""
    account, query = visit.account, visit.request.query
    rows = account.contacts.shown(visit.now)
    if query.get("list_sids"):
        wanted: set[str] = set()
        for list_sid in query["list_sids"].split(","):
            if account.lists.show(list_sid.strip(), visit.now) is not None:
                wanted.update(row["contact_sid"] for row in account.membership(list_sid.strip()).shown(visit.now))
        rows = [row for row in rows if row["sid"] in wanted]
    if query.get("name") or query.get("sort_by", "").startswith("name"):
        rows = [{**row, "name": f"{row['first_name'] or ''} {row['last_name'] or ''}".strip()} for row in rows]
    show_lists = query.get("filter") == "show_list"

    def item(row: JsonObject) -> JsonObject:
        found = shape(visit, {key: value for key, value in row.items() if key != "name"})
        return success({**found, "lists": _lists_of(visit, row["sid"])} if show_lists else found)

    return visit.page(visit.ordered(visit.named(rows)), item, cap=visit.knobs.max_contact_page)


def show(visit: Visit) -> Reply:
    """E14."""
    return visit.single(shape(visit, visit.seen(visit.account.contacts, "contact", "Contact")))


def edit(visit: Visit) -> Reply:
    """E15: a bare object."""
    row = visit.true(visit.account.contacts, "contact", "Contact")
    return visit.single(_edited(visit, row, typed(visit.json_object(), FIELDS, "contact")))


def edit_many(visit: Visit) -> Reply:
    """E16."""
    table = visit.account.contacts
    return visit.edit_each("contacts", FIELDS, table, "Contact", lambda row, entry: _edited(visit, row, entry))


def delete(visit: Visit) -> Reply:
    """E17: for good, and off every list."""
    row = visit.true(visit.account.contacts, "contact", "Contact")
    visit.account.drop_contact(row["sid"])
    return visit.single(shape(visit, row))


def shape(visit: Visit, row: JsonObject) -> JsonObject:
    """A contact on the wire."""
    if visit.knobs.contact_key == "sid" or "sid" not in row:
        return row
    return {"contact_sid": row["sid"], **{key: value for key, value in row.items() if key != "sid"}}


def _number(entry: JsonObject) -> str:
    if not entry.get("number"):
        raise missing("Number")
    number = stored(entry["number"])
    if number is None:
        raise invalid("Invalid number")
    return number


def _given(entry: JsonObject) -> JsonObject:
    """What the body says; ``custom`` is another spelling of ``custom_field``, an empty text clears."""
    given = {key: entry[key] or None for key in CONTACT_TEXTS if entry.get(key) is not None}
    for key in ("custom", "custom_field"):
        if entry.get(key) is not None:
            given["custom_field"] = entry[key]
    return given


def _edited(visit: Visit, row: JsonObject, entry: JsonObject) -> JsonObject:
    given = _given(entry)
    if entry.get("number") is not None:
        given["number"] = _number(entry)
        if visit.account.by_number.get(given["number"], row["sid"]) != row["sid"]:
            raise Rejected(409, DUPLICATE, f"contact with number {given['number']} already exists")
    if not given:
        raise missing("Contact")
    if visit.knobs.put == "replace":
        given = {**dict.fromkeys((*CONTACT_TEXTS, "custom_field")), **given}
    edited = {**row, **given}
    if edited != row:
        edited["date_updated"] = stamp(visit.now)
        visit.account.put_contact(edited)
    return shape(visit, edited)


def _lists_of(visit: Visit, contact_sid: str) -> list[JsonObject]:
    account, now = visit.account, visit.now
    return [
        {"sid": row["sid"], "name": row["name"]}
        for row in account.lists.shown(now)
        if account.membership(row["sid"]).show(contact_sid, now) is not None
    ]
