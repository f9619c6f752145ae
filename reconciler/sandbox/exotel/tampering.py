"""What a person in the dashboard can do behind everybody's back. Nothing but the dialler reaches the ledger.

Lists and campaigns are found by sid or name, contacts by sid or number, the account by ``account`` or as the first
one. ``set`` takes wire fields, computed ones included. The answer is the id of what was made or changed.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.sandbox.exotel import seeding
from reconciler.sandbox.exotel.drafts import DEFAULTS
from reconciler.sandbox.exotel.state import LIVE, Account, Platform
from reconciler.sandbox.portal import Portal, settings
from reconciler.sandbox.wire import JsonObject, SandboxError


def _create_list(platform: Platform, account: Account, a: JsonObject) -> str:
    return seeding.add_list(platform, a, "create_list")


def _edit_list(platform: Platform, account: Account, a: JsonObject) -> str:
    sid = seeding.find_list(account, a["list"], "edit_list")
    account.lists.put(sid, {**(account.lists.get(sid) or {}), **a["set"]})
    return sid


def _delete_list(platform: Platform, account: Account, a: JsonObject) -> str:
    sid = seeding.find_list(account, a["list"], "delete_list")
    account.drop_list(sid)
    return sid


def _create_contact(platform: Platform, account: Account, a: JsonObject) -> str:
    seeding.add_contacts(platform, a, "create_contact")
    return str(seeding.find_contact(account, a["number"], "create_contact")["sid"])


def _duplicate_contact(platform: Platform, account: Account, a: JsonObject) -> str:
    """A second contact of one number, as old imports have left them."""
    row = seeding.find_contact(account, a["contact"], "duplicate_contact")
    return str(account.new_contact(row["number"], {**row, **a.get("set", {})}, platform.clock.now())["sid"])


def _edit_contact(platform: Platform, account: Account, a: JsonObject) -> str:
    row = seeding.find_contact(account, a["contact"], "edit_contact")
    account.put_contact({**row, **a["set"]})
    return str(row["sid"])


def _delete_contact(platform: Platform, account: Account, a: JsonObject) -> str:
    sid = str(seeding.find_contact(account, a["contact"], "delete_contact")["sid"])
    account.drop_contact(sid)
    return sid


def _add_members(platform: Platform, account: Account, a: JsonObject) -> str:
    sid = seeding.find_list(account, a["list"], "add_members")
    seeding.add_members(platform, account, sid, a["numbers"], "add_members")
    return sid


def _remove_members(platform: Platform, account: Account, a: JsonObject) -> str:
    sid = seeding.find_list(account, a["list"], "remove_members")
    for number in a["numbers"]:
        account.membership(sid).drop(seeding.find_contact(account, number, "remove_members")["sid"])
    return sid


def _create_campaign(platform: Platform, account: Account, a: JsonObject) -> str:
    return seeding.add_campaign(platform, a, "create_campaign")


def _edit_campaign(platform: Platform, account: Account, a: JsonObject) -> str:
    """``set`` takes the fields of E18, ``lists`` names or sids."""
    campaign = seeding.find_campaign(account, a["campaign"], "edit_campaign")
    fields = dict(settings({"set": {}, **a}, DEFAULTS, "edit_campaign"))
    if "lists" in a:
        fields["lists"] = [seeding.find_list(account, one, "edit_campaign") for one in a["lists"]]
    account.put_campaign(
        replace(campaign, fields={**campaign.fields, **fields}, updated=platform.clock.now(), due_at=0.0)
    )
    return campaign.id


def _set_campaign_status(platform: Platform, account: Account, a: JsonObject) -> str:
    """Any status, in one step. ``in-progress`` starts a campaign that has not started: the dialler calls people."""
    campaign = seeding.find_campaign(account, a["campaign"], "set_campaign_status")
    status, now = a["status"], platform.clock.now()
    if status not in seeding.STATUSES:
        raise SandboxError(f"exotel.set_campaign_status: {status!r} is none of {', '.join(seeding.STATUSES)}")
    if status == "in-progress" and campaign.started is None:
        fields = {**campaign.fields, "schedule": {**(campaign.fields["schedule"] or {}), "send_at": None}}
        campaign, status = replace(campaign, fields=fields), "created"  # created and due is what starts
    resumed = now if campaign.status == "paused" else campaign.resumed
    due_at = 0.0 if status in LIVE else None
    account.put_campaign(replace(campaign, status=status, updated=now, resumed=resumed, due_at=due_at, held=False))
    return campaign.id


def _delete_campaign(platform: Platform, account: Account, a: JsonObject) -> str:
    """``purge: true`` leaves no trace."""
    campaign = seeding.find_campaign(account, a["campaign"], "delete_campaign")
    account.put_campaign(replace(campaign, status="deleted", updated=platform.clock.now(), due_at=None))
    if a.get("purge"):
        account.campaigns.drop(campaign.id)
    return campaign.id


def _set_outcomes(platform: Platform, account: Account, a: JsonObject) -> str:
    """How the next calls end: ``outcomes: {number: [busy, completed]}``."""
    seeding.add_outcomes(account, a["outcomes"], "set_outcomes")
    return account.sid


def _edit_account(platform: Platform, account: Account, a: JsonObject) -> str:
    """``set: {api_key, api_token}``."""
    for key, value in settings(a, ("api_key", "api_token"), "edit_account").items():
        setattr(account, key, value)
    platform.tally.changes += 1
    return account.sid


def _switch_account(platform: Platform, account: Account, a: JsonObject) -> str:
    """Key and token of ``account`` belong to the account ``to`` from now on, and the other way round."""
    other = seeding.find_account(platform, a["to"], "switch_account")
    mine, theirs = (account.api_key, account.api_token), (other.api_key, other.api_token)
    (account.api_key, account.api_token), (other.api_key, other.api_token) = theirs, mine
    platform.tally.changes += 1
    return other.sid


PORTAL: Portal[Platform, Account] = Portal(
    provider="exotel",
    find=seeding.find_account,
    edits={
        "create_list": _create_list,
        "edit_list": _edit_list,
        "delete_list": _delete_list,
        "create_contact": _create_contact,
        "duplicate_contact": _duplicate_contact,
        "edit_contact": _edit_contact,
        "delete_contact": _delete_contact,
        "add_members": _add_members,
        "remove_members": _remove_members,
        "create_campaign": _create_campaign,
        "edit_campaign": _edit_campaign,
        "set_campaign_status": _set_campaign_status,
        "delete_campaign": _delete_campaign,
        "set_outcomes": _set_outcomes,
        "edit_account": _edit_account,
        "switch_account": _switch_account,
    },
)
