"""What a portal user, a CSV import or the dialler can do behind everybody's back.

Nothing here makes a ledger entry by itself. A campaign that is started, or gets leads while it runs, calls people as
soon as the clock lets it, and those calls are in the ledger.

Campaigns are found by id or name, leads by id, or by number within ``campaign`` if given (the first one), queues
by id or name, the account by ``account`` (its id or domain) or as the first one. The answer is the id of what was
made or changed.
"""

from __future__ import annotations

from reconciler.sandbox.contactcenter import seeding
from reconciler.sandbox.contactcenter.state import NEW, RUNNING, STOPPED, Account, Platform, number_key
from reconciler.sandbox.portal import Portal, settings
from reconciler.sandbox.wire import JsonObject, SandboxError


def _create_campaign(platform: Platform, account: Account, a: JsonObject) -> str:
    return seeding.add_campaign(platform, a, "create_campaign")


def _edit_campaign(platform: Platform, account: Account, a: JsonObject) -> str:
    """``set: {name, status}``; any status word is possible, only ``running`` dials."""
    campaign = seeding.find_campaign(account, a["campaign"], "edit_campaign")
    wanted = settings(a, ("name", "status"), "edit_campaign")
    account.put_campaign({**campaign, "dial_at": platform.clock.now(), **wanted})
    return str(campaign["id"])


def _start_campaign(platform: Platform, account: Account, a: JsonObject) -> str:
    return _edit_campaign(platform, account, {**a, "set": {"status": RUNNING}})


def _stop_campaign(platform: Platform, account: Account, a: JsonObject) -> str:
    return _edit_campaign(platform, account, {**a, "set": {"status": STOPPED}})


def _delete_campaign(platform: Platform, account: Account, a: JsonObject) -> str:
    campaign = seeding.find_campaign(account, a["campaign"], "delete_campaign")
    account.drop_campaign(campaign["id"])
    return str(campaign["id"])


def _add_leads(platform: Platform, account: Account, a: JsonObject) -> list[str]:
    """``leads`` as a seed has them: what a CSV import or a CRM brings."""
    campaign = seeding.find_campaign(account, a["campaign"], "add_leads")
    return seeding.add_leads(platform, account, campaign["id"], a["leads"], "add_leads")


def _edit_lead(platform: Platform, account: Account, a: JsonObject) -> str:
    """``set`` takes the fields of a lead, read-only ones included."""
    row = _lead(account, a, "edit_lead")
    account.put_lead({**row, **settings(a, {*row, "outcome"}, "edit_lead")})
    return str(row["id"])


def _set_lead_status(platform: Platform, account: Account, a: JsonObject) -> str:
    """Any word, also one that the API does not take."""
    row = _lead(account, a, "set_lead_status")
    account.put_lead({**row, "status": a["status"], "ready_at": platform.clock.now(), "ends_at": None})
    return str(row["id"])


def _delete_lead(platform: Platform, account: Account, a: JsonObject) -> str:
    row = _lead(account, a, "delete_lead")
    account.drop_lead(row["id"])
    return str(row["id"])


def _purge_finished(platform: Platform, account: Account, a: JsonObject) -> int:
    """All leads that are neither new nor being called, of ``campaign`` or everywhere; the answer is how many."""
    wanted = a.get("campaign")
    campaigns = [seeding.find_campaign(account, wanted, "purge_finished")] if wanted else account.campaigns.rows()
    gone = [
        row["id"]
        for campaign in campaigns
        for row in account.leads[campaign["id"]].rows()
        if row["status"] != NEW and row["ends_at"] is None
    ]
    for lead_id in gone:
        account.drop_lead(lead_id)
    return len(gone)


def _create_queue(platform: Platform, account: Account, a: JsonObject) -> str:
    return seeding.add_queue(platform, a, "create_queue")


def _edit_queue(platform: Platform, account: Account, a: JsonObject) -> str:
    """``set`` takes the fields of a queue; the counters follow from its agents."""
    at = _queue(account, a, "edit_queue")
    account.queues[at] = {**account.queues[at], **a["set"]}
    platform.tally.changes += 1
    return str(account.queues[at]["id"])


def _edit_agent(platform: Platform, account: Account, a: JsonObject) -> str:
    """``agent`` by id, name or extension; ``set: {logged_in, status, registered, …}``."""
    at = _queue(account, a, "edit_agent")
    queue = account.queues[at]
    names = ("id", "name", "extension")
    found = [one["id"] for one in queue["agents"] if a["agent"] in [one[name] for name in names]]
    if not found:
        raise SandboxError(f"edit_agent: agent {a['agent']!r} is unknown")
    agents = [{**one, **a["set"]} if one["id"] == found[0] else one for one in queue["agents"]]
    account.queues[at] = {**queue, "agents": agents}
    platform.tally.changes += 1
    return str(found[0])


def _delete_queue(platform: Platform, account: Account, a: JsonObject) -> str:
    queue = account.queues.pop(_queue(account, a, "delete_queue"))
    platform.tally.changes += 1
    return str(queue["id"])


def _add_activity(platform: Platform, account: Account, a: JsonObject) -> str:
    return seeding.add_activity(platform, a, "add_activity")


def _forget_activity(platform: Platform, account: Account, a: JsonObject) -> int:
    """The whole call history is gone; the answer is how many records."""
    count = len(account.activity)
    account.activity.clear()
    platform.tally.changes += 1
    return count


def _set_outcomes(platform: Platform, account: Account, a: JsonObject) -> str:
    """How the next calls end: ``outcomes: {number: [failed, success]}``."""
    seeding.add_outcomes(account, a["outcomes"], "set_outcomes")
    for number in a["outcomes"]:
        account.attempts.pop(number_key(str(number)), None)
    return account.account_id


def _expire_tokens(platform: Platform, account: Account, a: JsonObject) -> str:
    account.tokens.clear()
    return account.account_id


def _edit_account(platform: Platform, account: Account, a: JsonObject) -> str:
    """``set: {users, domain}``; users as ``{name: password}``."""
    wanted = settings(a, ("users", "domain"), "edit_account")
    account.users = dict(wanted.get("users", account.users))
    account.domain = wanted.get("domain", account.domain)
    platform.tally.changes += 1
    return account.account_id


def _lead(account: Account, a: JsonObject, where: str) -> JsonObject:
    wanted = str(a["lead"])
    row = account.lead(wanted)
    if row is not None:
        return row
    campaign = a.get("campaign")
    homes = [seeding.find_campaign(account, campaign, where)] if campaign else account.campaigns.rows()
    for home in homes:
        for lead_id in account.namesakes(home["id"], wanted):
            return account.lead(lead_id) or {}
    raise SandboxError(f"{where}: lead {wanted!r} is unknown")


def _queue(account: Account, a: JsonObject, where: str) -> int:
    for at, queue in enumerate(account.queues):
        if a["queue"] in (queue["id"], queue["name"]):
            return at
    raise SandboxError(f"{where}: queue {a['queue']!r} is unknown")


PORTAL: Portal[Platform, Account] = Portal(
    provider="contactcenter",
    find=seeding.find_account,
    edits={
        "create_campaign": _create_campaign,
        "edit_campaign": _edit_campaign,
        "start_campaign": _start_campaign,
        "stop_campaign": _stop_campaign,
        "delete_campaign": _delete_campaign,
        "add_leads": _add_leads,
        "edit_lead": _edit_lead,
        "set_lead_status": _set_lead_status,
        "delete_lead": _delete_lead,
        "purge_finished": _purge_finished,
        "create_queue": _create_queue,
        "edit_queue": _edit_queue,
        "edit_agent": _edit_agent,
        "delete_queue": _delete_queue,
        "add_activity": _add_activity,
        "forget_activity": _forget_activity,
        "set_outcomes": _set_outcomes,
        "expire_tokens": _expire_tokens,
        "edit_account": _edit_account,
    },
)
