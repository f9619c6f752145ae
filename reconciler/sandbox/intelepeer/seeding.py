"""IntelePeer state from and to documents: seeds and dumps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from reconciler.sandbox.intelepeer.state import (
    DEFAULT_HEADERS,
    DEFAULT_LIST,
    Account,
    Campaign,
    ContactList,
    Link,
    Platform,
)
from reconciler.sandbox.seeds import MANY, REQUIRED, TEXT, entries, owner, pick, read, users
from reconciler.sandbox.wire import JsonObject, SandboxError

DEFAULT_ACCOUNT = {
    "customerId": "1028811",
    "users": [{"username": "sandbox", "password": "sandbox-intelepeer-password"}],
    "tokens": ["sandbox-intelepeer-token"],
}
STATES = ("draft", "published", "error")

_SECTION = {"accounts": (MANY, None), "lists": (MANY, None), "campaigns": (MANY, None)}
_ACCOUNT = {
    "customerId": ((str, int), REQUIRED),
    "plan": (TEXT, "professional"),
    "users": (MANY, ()),
    "tokens": (MANY, ()),
}
_LIST = {
    "account": ((str, int), None),
    "id": (TEXT, None),
    "name": (TEXT, REQUIRED),
    "description": (TEXT, None),
    "headers": (MANY, ()),
    "sharing": (TEXT, "public"),
    "members": (MANY, ()),
}
_CAMPAIGN = {
    "account": ((str, int), None),
    "id": (TEXT, None),
    "name": (TEXT, ""),
    "description": (TEXT, ""),
    "callerIdentification": (TEXT, ""),
    "flowId": (TEXT, ""),
    "state": (TEXT, "draft"),
    "lists": (MANY, ()),
    "moc": (TEXT, None),
    "autoDetectTZ": ((bool,), False),
    "scheduled": (TEXT, None),
}


def seed(platform: Platform, section: JsonObject) -> None:
    """Add a seed section. Every new account gets ``default_trans_list`` first."""
    section = read(section, "intelepeer", _SECTION)
    for entry, where in entries(section["accounts"], "intelepeer.accounts"):
        _open(platform, entry, where)
    if not platform.accounts:
        _open(platform, DEFAULT_ACCOUNT, "intelepeer.accounts")
    for entry, where in entries(section["lists"], "intelepeer.lists"):
        add_list(platform, entry, where)
    for entry, where in entries(section["campaigns"], "intelepeer.campaigns"):
        add_campaign(platform, entry, where)


def dump(platform: Platform) -> JsonObject:
    """Everything but issued tokens: they die with the process. ``numbers`` of a list is for people."""
    found: JsonObject = {"last_id": platform.ids.last, "accounts": [], "lists": [], "campaigns": []}
    for account in platform.accounts.values():
        logins = [{"username": name, "password": password} for name, password in account.users.items()]
        mine = {"account": account.customer_id}
        found["accounts"].append(
            {
                "customerId": account.customer_id,
                "plan": account.plan,
                "users": logins,
                "tokens": list(account.static_tokens),
            }
        )
        found["campaigns"] += [{**mine, **asdict(one)} for one in account.campaigns.rows()]
        for one in account.lists.rows():
            contacts = [{"id": key, **account.contacts[key]} for key in one.contact_ids]
            row = {**mine, **asdict(one), "contacts": contacts, "numbers": account.numbers(one.id)}
            found["lists"].append({key: value for key, value in row.items() if key != "contact_ids"})
    return found


def load(platform: Platform, document: JsonObject) -> None:
    """Take over a dump; the platform is empty."""
    for entry in document["accounts"]:
        account = _account(platform, read(entry, "intelepeer.accounts", _ACCOUNT), "intelepeer.accounts")
        platform.accounts[account.customer_id] = account
    for entry in document["lists"]:
        row = {key: value for key, value in entry.items() if key != "numbers"}
        account, contacts = platform.accounts[row.pop("account")], row.pop("contacts")
        account.contacts.update({one["id"]: {"phone": one["phone"], "metadata": one["metadata"]} for one in contacts})
        for key in ("headers", "campaign_ids"):
            row[key] = tuple(row[key])
        account.lists.put(row["id"], ContactList(**row, contact_ids=tuple(one["id"] for one in contacts)))
    for entry in document["campaigns"]:
        row = dict(entry)
        account = platform.accounts[row.pop("account")]
        links = tuple(Link(**link) for link in row.pop("links"))
        account.campaigns.put(row["id"], Campaign(**row, links=links))
    for account in platform.accounts.values():
        account.doomed = True  # whether it is so, the first tick finds out
    platform.ids.last = document["last_id"]


def find_account(platform: Platform, wanted: object, where: str) -> Account:
    """The named one, or the first."""
    return owner(platform.accounts, None if wanted is None else str(wanted), f"{where}.account")


def find_list(account: Account, wanted: object, where: str) -> ContactList:
    """By id or name."""
    return pick(account.lists.rows(), lambda row: (row.id, row.name), wanted, f"{where}: list")


def find_campaign(account: Account, wanted: object, where: str) -> Campaign:
    """By id or name."""
    return pick(account.campaigns.rows(), lambda row: (row.id, row.name), wanted, f"{where}: campaign")


def add_list(platform: Platform, entry: Any, where: str) -> str:
    """A list with its members: numbers, or ``{phone, metadata}``."""
    wanted = read(entry, where, _LIST)
    account, now = find_account(platform, wanted["account"], where), platform.clock.now()
    row = ContactList(
        id=wanted["id"] or platform.new_id(),
        name=wanted["name"],
        description=wanted["description"],
        headers=tuple(map(str, wanted["headers"])),
        sharing=wanted["sharing"],
        created=now,
        modified=now,
    )
    if row.id in account.lists:
        raise SandboxError(f"{where}: list {row.id} is there already")
    account.lists.put(row.id, row)
    if wanted["members"]:
        add_contacts(platform, account, row, wanted["members"], where)
    return row.id


def add_contacts(platform: Platform, account: Account, row: ContactList, members: Iterable[Any], where: str) -> None:
    """Contacts as an import in the portal adds them."""
    found = []
    for member, place in entries(list(members), f"{where}.members"):
        if isinstance(member, Mapping):
            spec = {"phone": (TEXT, REQUIRED), "metadata": ((dict,), None)}
            entry = read(member, place, spec)
            found.append((platform.new_id(), {"phone": entry["phone"], "metadata": entry["metadata"] or {}}))
        elif isinstance(member, str):
            found.append((platform.new_id(), {"phone": member, "metadata": {}}))
        else:
            raise SandboxError(f"{place}: a number as text, or {{phone, metadata}} is needed")
    account.upload(row.id, found, platform.clock.now())


def add_campaign(platform: Platform, entry: Any, where: str) -> str:
    """A campaign in a given state, with its lists by id or name."""
    wanted = read(entry, where, _CAMPAIGN)
    account, now = find_account(platform, wanted["account"], where), platform.clock.now()
    if wanted["state"] not in STATES:
        raise SandboxError(f"{where}.state: {wanted['state']!r} is none of {', '.join(STATES)}")
    campaign = Campaign(
        id=wanted["id"] or platform.new_id(),
        name=wanted["name"],
        description=wanted["description"],
        caller_id=wanted["callerIdentification"],
        flow_id=wanted["flowId"],
        app_id=platform.new_id(),
        schedule_id=wanted["scheduled"],
        created=now,
        modified=now,
        active=wanted["state"] == "published",
        published=None if wanted["state"] == "draft" else now,
    )
    if wanted["state"] == "error":
        campaign = replace(campaign, status="Error", run_id=f"{campaign.id}:{int(now * 1000)}")
    lists = [find_list(account, one, where).id for one in wanted["lists"]]
    links = [Link(list_id=one, moc=wanted["moc"], auto_detect_tz=wanted["autoDetectTZ"]) for one in lists]
    account.link(campaign, links, now)
    for one in lists:
        account.set_contact_method(one, wanted["moc"], wanted["autoDetectTZ"])
    return campaign.id


def _open(platform: Platform, entry: Any, where: str) -> None:
    account = _account(platform, read(entry, where, _ACCOUNT), where)
    if account.customer_id in platform.accounts:
        raise SandboxError(f"{where}: account {account.customer_id} is there already")
    platform.accounts[account.customer_id] = account
    add_list(
        platform,
        {
            "account": account.customer_id,
            "name": DEFAULT_LIST,
            "headers": DEFAULT_HEADERS,
            "sharing": "private",
            "description": "default fields for flows requiring manual transcription.",
        },
        where,
    )


def _account(platform: Platform, facts: JsonObject, where: str) -> Account:
    return Account(
        customer_id=str(facts["customerId"]),
        plan=facts["plan"],
        users=users(facts["users"], f"{where}.users"),
        static_tokens=tuple(map(str, facts["tokens"])),
        tally=platform.tally,
    )
