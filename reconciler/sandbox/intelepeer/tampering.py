"""What a person in the portal can do behind everybody's back, API-less edits included. Nothing reaches the ledger.

Lists and campaigns are found by id or name, the account by ``account`` or as the first one. ``set`` takes the wire
names of ``CAMPAIGN_FIELDS`` and ``LIST_FIELDS``. The answer is the id of what was made or changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.sandbox.intelepeer import seeding
from reconciler.sandbox.intelepeer.state import Account, Link, Platform
from reconciler.sandbox.portal import Portal, settings
from reconciler.sandbox.wire import JsonObject

CAMPAIGN_FIELDS = {
    "campaignName": "name",
    "campaignDescription": "description",
    "callerIdentification": "caller_id",
    "flowId": "flow_id",
    "active": "active",
    "scheduled": "schedule_id",
    "status": "status",
}
LIST_FIELDS = {"listName": "name", "description": "description", "headers": "headers", "sharing": "sharing"}


def _create_list(platform: Platform, account: Account, a: JsonObject) -> str:
    return seeding.add_list(platform, a, "create_list")


def _edit_list(platform: Platform, account: Account, a: JsonObject) -> str:
    row = seeding.find_list(account, a["list"], "edit_list")
    fields = _fields(a, LIST_FIELDS, "edit_list")
    if "headers" in fields:
        fields["headers"] = tuple(fields["headers"])
    account.lists.put(row.id, replace(row, **fields, modified=platform.clock.now()))
    return row.id


def _delete_list(platform: Platform, account: Account, a: JsonObject) -> str:
    row = seeding.find_list(account, a["list"], "delete_list")
    account.drop_list(row.id, dangling=platform.knobs.dangling_links)
    return row.id


def _add_contacts(platform: Platform, account: Account, a: JsonObject) -> str:
    row = seeding.find_list(account, a["list"], "add_contacts")
    seeding.add_contacts(platform, account, row, a["numbers"], "add_contacts")
    return row.id


def _remove_contacts(platform: Platform, account: Account, a: JsonObject) -> str:
    row = seeding.find_list(account, a["list"], "remove_contacts")
    gone = {one for one in row.contact_ids if account.contacts[one]["phone"] in a["numbers"]}
    account.lists.put(row.id, replace(row, contact_ids=tuple(one for one in row.contact_ids if one not in gone)))
    for one in gone:
        del account.contacts[one]
    return row.id


def _create_campaign(platform: Platform, account: Account, a: JsonObject) -> str:
    return seeding.add_campaign(platform, a, "create_campaign")


def _edit_campaign(platform: Platform, account: Account, a: JsonObject) -> str:
    row = seeding.find_campaign(account, a["campaign"], "edit_campaign")
    fields = _fields(a, CAMPAIGN_FIELDS, "edit_campaign")
    if "active" in fields:
        fields["active"] = bool(fields["active"])
        if fields["active"]:
            fields["published"] = platform.clock.now()
    account.campaigns.put(row.id, replace(row, **fields, modified=platform.clock.now()))
    return row.id


def _delete_campaign(platform: Platform, account: Account, a: JsonObject) -> str:
    row = seeding.find_campaign(account, a["campaign"], "delete_campaign")
    account.drop_campaign(row.id)
    return row.id


def _link(platform: Platform, account: Account, a: JsonObject) -> str:
    row = seeding.find_campaign(account, a["campaign"], "link")
    listed = seeding.find_list(account, a["list"], "link").id
    kept = [link for link in row.links if link.list_id != listed]
    link = Link(list_id=listed, moc=a.get("moc"), auto_detect_tz=bool(a.get("autoDetectTZ")))
    account.link(row, [*kept, link], platform.clock.now())
    return row.id


def _unlink(platform: Platform, account: Account, a: JsonObject) -> str:
    row = seeding.find_campaign(account, a["campaign"], "unlink")
    listed = seeding.find_list(account, a["list"], "unlink").id
    account.link(row, [link for link in row.links if link.list_id != listed], platform.clock.now())
    return row.id


def _expire_tokens(platform: Platform, account: Account, a: JsonObject) -> str:
    account.tokens.clear()
    return account.customer_id


def _change_password(platform: Platform, account: Account, a: JsonObject) -> str:
    """``username`` and ``password``: also revokes every issued token."""
    account.users[a["username"]] = a["password"]
    account.tokens.clear()
    return account.customer_id


def _fields(a: JsonObject, known: Mapping[str, str], where: str) -> JsonObject:
    return {known[name]: value for name, value in settings(a, known, where).items()}


PORTAL: Portal[Platform, Account] = Portal(
    provider="intelepeer",
    find=seeding.find_account,
    edits={
        "create_list": _create_list,
        "edit_list": _edit_list,
        "delete_list": _delete_list,
        "add_contacts": _add_contacts,
        "remove_contacts": _remove_contacts,
        "create_campaign": _create_campaign,
        "edit_campaign": _edit_campaign,
        "delete_campaign": _delete_campaign,
        "link": _link,
        "unlink": _unlink,
        "expire_tokens": _expire_tokens,
        "change_password": _change_password,
    },
)
