"""Exotel state from and to documents: seeds and dumps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reconciler.sandbox import seeds
from reconciler.sandbox.exotel.drafts import DEFAULTS
from reconciler.sandbox.exotel.numbers import consecutive, stored
from reconciler.sandbox.exotel.state import CONTACT_TEXTS, LIVE, Account, Campaign, Line, Platform, Upload, unstamped
from reconciler.sandbox.seeds import MANY, REQUIRED, SOME, SPREAD, TEXT, entries, numbers, owner, pick, read
from reconciler.sandbox.wire import JsonObject, SandboxError

DEFAULT_ACCOUNT = {"sid": "sandbox1", "api_key": "sandbox-exotel-key", "api_token": "sandbox-exotel-token"}
STATUSES = (*LIVE, "completed", "failed", "canceled", "deleted", "archived")

_SECTION = {
    "accounts": (MANY, None),
    "contacts": (SOME, None),
    "lists": (MANY, None),
    "campaigns": (MANY, None),
    "outcomes": ((Mapping,), None),
}
_ACCOUNT = {
    "sid": (TEXT, REQUIRED),
    "api_key": (TEXT, REQUIRED),
    "api_token": (TEXT, REQUIRED),
    "outcomes": ((Mapping,), None),
}
_CONTACT = {
    "account": (TEXT, None),
    "sid": (TEXT, None),
    "number": (TEXT, REQUIRED),
    "lists": (MANY, ()),
    "custom_field": ((dict,), None),
    **dict.fromkeys(CONTACT_TEXTS, (TEXT, None)),
}
_GENERATE = {
    **SPREAD,
    "first_name": (TEXT, None),
    "lists": (MANY, ()),
    "account": (TEXT, None),
}
_LIST = {
    "account": (TEXT, None),
    "sid": (TEXT, None),
    "name": (TEXT, REQUIRED),
    "tag": (TEXT, None),
    "type": (TEXT, "static"),
    "members": (SOME, ()),
}
_CAMPAIGN = {
    "account": (TEXT, None),
    "id": (TEXT, None),
    "status": (TEXT, "created"),
    **{name: ((object, bool), default) for name, default in DEFAULTS.items()},
}


def seed(platform: Platform, section: JsonObject) -> None:
    """Add a seed section. Members that no contact has yet become contacts."""
    section = read(section, "exotel", _SECTION)
    for entry, where in entries(section["accounts"], "exotel.accounts"):
        _open(platform, entry, where)
    if not platform.accounts:
        _open(platform, DEFAULT_ACCOUNT, "exotel.accounts")
    add_outcomes(find_account(platform, None, "exotel"), section["outcomes"], "exotel.outcomes")
    # List rows first, because contacts may name lists; members last, because contacts may fix their sids.
    places = [
        (where, *_add_list_row(platform, entry, where)) for entry, where in entries(section["lists"], "exotel.lists")
    ]
    contacts = section["contacts"]
    for entry, where in entries([contacts] if isinstance(contacts, Mapping) else contacts, "exotel.contacts"):
        add_contacts(platform, entry, where)
    for where, account, sid, members in places:
        add_members(platform, account, sid, members, where)
    for entry, where in entries(section["campaigns"], "exotel.campaigns"):
        add_campaign(platform, entry, where)


def dump(platform: Platform) -> JsonObject:
    """Everything, flat; ``numbers`` of a list is for people, ``members`` is what counts."""
    found: JsonObject = {"last_id": platform.ids.last}
    found |= {key: [] for key in ("accounts", "lists", "contacts", "campaigns", "uploads")}
    for account in platform.accounts.values():
        owner = {"account": account.sid}
        facts = {"api_key": account.api_key, "api_token": account.api_token, "outcomes": dict(account.outcomes)}
        found["accounts"].append({"sid": account.sid, **facts})
        found["contacts"] += [{**owner, **row} for row in account.contacts.rows()]
        found["lists"] += [
            {
                **owner,
                **row,
                "members": list(account.membership(row["sid"]).rows()),
                "numbers": account.numbers(row["sid"]),
            }
            for row in account.lists.rows()
        ]
        found["campaigns"] += [{**owner, **asdict(one)} for one in account.campaigns.rows()]
        found["uploads"] += [{**owner, **asdict(one)} for one in account.uploads.rows()]
    return found


def load(platform: Platform, document: JsonObject) -> None:
    """Take over a dump; the platform is empty."""
    accounts = platform.accounts
    for entry in document["accounts"]:
        _open(platform, entry, "exotel.accounts")
    for entry in document["contacts"]:
        row = dict(entry)
        accounts[row.pop("account")].put_contact(row)
    for entry in document["lists"]:
        row = {key: value for key, value in entry.items() if key != "numbers"}
        account, members = accounts[row.pop("account")], row.pop("members")
        account.lists.put(row["sid"], row)
        for member in members:
            account.membership(row["sid"]).put(member["contact_sid"], member)
    for entry in document["campaigns"]:
        row = dict(entry)
        account = accounts[row.pop("account")]
        lines = tuple(Line(**line) for line in row.pop("lines"))
        account.put_campaign(Campaign(**{**row, "calls": tuple(row["calls"])}, lines=lines))
    for entry in document["uploads"]:
        row = dict(entry)
        account = accounts[row.pop("account")]
        account.put_upload(Upload(**{**row, "rows": tuple(row["rows"])}))
    platform.ids.last = document["last_id"]


def find_account(platform: Platform, wanted: str | None, where: str) -> Account:
    """The named one, or the first."""
    return owner(platform.accounts, wanted, f"{where}.account")


def find_list(account: Account, wanted: object, where: str) -> str:
    """By sid or name."""
    row = pick(account.lists.rows(), lambda one: (one["sid"], one["name"]), wanted, f"{where}: list")
    return str(row["sid"])


def find_contact(account: Account, wanted: object, where: str) -> JsonObject:
    """By sid or number."""
    row = account.contacts.get(account.by_number.get(str(wanted), str(wanted)))
    if row is None:
        raise SandboxError(f"{where}: contact {wanted!r} is unknown")
    return row


def find_campaign(account: Account, wanted: object, where: str) -> Campaign:
    """By id, else the newest of that name."""
    found = [one for one in account.campaigns.rows() if wanted in (one.id, one.fields["name"])]
    if not found:
        raise SandboxError(f"{where}: campaign {wanted!r} is unknown")
    return next((one for one in found if one.id == wanted), found[-1])


def add_contacts(platform: Platform, entry: Any, where: str) -> None:
    """One contact, or many as ``{generate: {count, first}}``."""
    if isinstance(entry, Mapping) and "generate" in entry:
        wanted = read(entry["generate"], f"{where}.generate", _GENERATE)
        people = consecutive(wanted["first"], wanted["count"])
    else:
        wanted = read(entry, where, _CONTACT)
        people = iter([_number(wanted["number"], where)])
    account = find_account(platform, wanted["account"], where)
    listed = [find_list(account, name, where) for name in wanted["lists"]]
    given = {key: wanted.get(key) for key in (*CONTACT_TEXTS, "custom_field") if wanted.get(key) is not None}
    for number in people:
        sid = _ensure(platform, account, number, given, wanted.get("sid"), where)
        for list_sid in listed:
            account.join(list_sid, sid, platform.clock.now())


def add_list(platform: Platform, entry: Any, where: str) -> str:
    """A list with its members."""
    account, sid, members = _add_list_row(platform, entry, where)
    add_members(platform, account, sid, members, where)
    return sid


def add_members(platform: Platform, account: Account, sid: str, members: Any, where: str) -> None:
    """Numbers, or ``{count, first}`` for many."""
    for number, place in numbers(members, f"{where}.members", consecutive):
        contact = _ensure(platform, account, _number(number, place), {}, None, place)
        account.join(sid, contact, platform.clock.now())


def add_campaign(platform: Platform, entry: Any, where: str) -> str:
    """A campaign as E18 takes it, lists by name or sid, plus ``status``; the clock takes it from there."""
    wanted = read(entry, where, _CAMPAIGN)
    account, now, status = (
        find_account(platform, wanted.pop("account"), where),
        platform.clock.now(),
        wanted.pop("status"),
    )
    if status not in STATUSES:
        raise SandboxError(f"{where}.status: {status!r} is none of {', '.join(STATUSES)}")
    for name, text in (wanted["schedule"] or {}).items():
        if unstamped(text) is None:
            raise SandboxError(f"{where}.schedule.{name}: {text!r} must look like 2026-10-17T14:00:00+05:30")
    campaign_id = wanted.pop("id") or platform.ids.next()
    wanted["name"] = wanted["name"] or f"{account.sid} campaign"
    wanted["caller_id"] = wanted["caller_id"] or "03349360005"
    wanted["from"] = [_number(number, where) for number in wanted["from"]]
    wanted["lists"] = [find_list(account, name, where) for name in wanted["lists"]]
    begun = now if status in ("in-progress", "completed", "archived") else None
    fields = {**DEFAULTS, **wanted}
    # A seeded campaign in progress has called everybody already: seeds make no calls.
    people = [*((number, None) for number in fields["from"]), *_numbers_of(account, fields["lists"])]
    lines = tuple(
        Line(number=number, list_sid=one, status="completed", attempts=1) for number, one in (people if begun else ())
    )
    account.put_campaign(
        Campaign(
            id=campaign_id,
            fields=fields,
            status=status,
            created=now,
            updated=now,
            started=begun,
            lines=lines,
            held=status == "in-progress",
        )
    )
    return str(campaign_id)


def add_outcomes(account: Account, outcomes: Any, where: str) -> None:
    """See ``seeds.outcomes``."""
    for number, words in seeds.outcomes(outcomes, where):
        account.outcomes[_number(number, where)] = words


def _open(platform: Platform, entry: Any, where: str) -> None:
    facts = read(entry, where, _ACCOUNT)
    if facts["sid"] in platform.accounts:
        raise SandboxError(f"{where}: account {facts['sid']} is there already")
    outcomes = facts.pop("outcomes")
    account = Account(**facts, tally=platform.tally, ids=platform.ids)
    add_outcomes(account, outcomes, f"{where}.outcomes")
    platform.accounts[account.sid] = account


def _add_list_row(platform: Platform, entry: Any, where: str) -> tuple[Account, str, Any]:
    wanted = read(entry, where, _LIST)
    account = find_account(platform, wanted["account"], where)
    if account.list_named(wanted["name"]) is not None:
        raise SandboxError(f"{where}: list {wanted['name']!r} is there already")
    if wanted["type"] not in ("static", "dynamic"):
        raise SandboxError(f"{where}.type: {wanted['type']!r} is neither static nor dynamic")
    now = platform.clock.now()
    row = account.new_list(wanted["name"], wanted["tag"], now, kind=wanted["type"], wanted=wanted["sid"])
    return account, row["sid"], wanted["members"]


def _number(text: Any, where: str) -> str:
    number = stored(text)
    if number is None:
        raise SandboxError(f"{where}: {text!r} is no number")
    return number


def _ensure(
    platform: Platform, account: Account, number: str, given: JsonObject, wanted: str | None, where: str
) -> str:
    """The contact of that number, made or filled in if need be."""
    known = account.by_number.get(number)
    if known is None:
        return str(account.new_contact(number, given, platform.clock.now(), wanted)["sid"])
    if wanted not in (None, known):
        raise SandboxError(f"{where}: the contact is there already, as {known}")
    if given:
        account.put_contact({**(account.contacts.get(known) or {}), **given})
    return known


def _numbers_of(account: Account, lists: list[str]) -> list[tuple[str, str]]:
    return [(number, one) for one in lists for number in account.numbers(one)]
