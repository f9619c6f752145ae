"""Contact-centre state from and to documents: seeds and dumps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reconciler.sandbox.clock import moment
from reconciler.sandbox.contactcenter.state import (
    IN_PROGRESS,
    NEW,
    RUNNING,
    STOPPED,
    WRITABLE,
    Account,
    Ids,
    Platform,
    go_time,
    number_key,
)
from reconciler.sandbox.seeds import REQUIRED, entries, read
from reconciler.sandbox.wire import JsonObject, SandboxError

DEFAULT_ACCOUNT = {
    "account_id": "0123456789abcdef0123456789abcdef",
    "domain": "sandbox",
    "users": [{"username": "sandbox", "password": "sandbox-contactcenter-password"}],
}
# Everybody in the running one has been called already: a sandbox that nobody touches calls nobody.
DEFAULT_CAMPAIGNS = (
    {
        "name": "Renewals",
        "status": STOPPED,
        "leads": [
            {"number": "+12025550161", "first_name": "Anna", "last_name": "Adler", "priority": 4, "retries": 3},
            {"number": "+12025550162", "first_name": "Boris", "last_name": "Brandt", "priority": 4, "retries": 3},
            {"number": "+12025550163", "first_name": "Clara", "last_name": "Conti", "status": "success"},
        ],
    },
    {
        "name": "Welcome calls",
        "status": RUNNING,
        "leads": [
            {"number": "+12025550171", "first_name": "Dora", "last_name": "Dietz", "status": "success"},
            {"number": "+12025550172", "first_name": "Emil", "last_name": "Ebner", "status": "failed"},
        ],
    },
)
DEFAULT_QUEUE = {"name": "Outbound", "extension": "5586", "agents": [{"name": "Agent One", "extension": "5865"}]}

_TEXT, _MANY, _WHOLE, _YES = (str,), (list, tuple), (int,), (bool,)
_SECTION = {
    "accounts": (_MANY, None),
    "campaigns": (_MANY, None),
    "queues": (_MANY, None),
    "activity": (_MANY, None),
    "outcomes": ((Mapping,), None),
}
_ACCOUNT = {
    "account_id": (_TEXT, REQUIRED),
    "domain": (_TEXT, REQUIRED),
    "users": (_MANY, ()),
    "outcomes": ((Mapping,), None),
}
_USER = {"username": (_TEXT, REQUIRED), "password": (_TEXT, REQUIRED)}
_CAMPAIGN = {
    "account": (_TEXT, None),
    "id": (_TEXT, None),
    "name": (_TEXT, REQUIRED),
    "status": (_TEXT, STOPPED),
    "leads": ((list, tuple, Mapping), ()),
}
_LEAD = {
    "id": (_TEXT, None),
    "status": (_TEXT, NEW),
    "created": ((int, str), None),
    **{name: ((kind,), None) for name, kind in WRITABLE.items()},
    "number": (_TEXT, REQUIRED),
}
_GENERATE = {
    "count": (_WHOLE, REQUIRED),
    "first": (_TEXT, "+12025550000"),
    "status": (_TEXT, NEW),
    "priority": (_WHOLE, 0),
}
_QUEUE = {
    "account": (_TEXT, None),
    "id": (_TEXT, None),
    "name": (_TEXT, REQUIRED),
    "extension": (_TEXT, "5586"),
    "max_time_caller_in_queue": (_WHOLE, 120),
    "strategy": (_TEXT, "single"),
    "agents": (_MANY, ()),
    "calls": ((dict,), None),
}
_AGENT = {
    "id": (_TEXT, None),
    "name": (_TEXT, REQUIRED),
    "extension": (_TEXT, ""),
    "extension_is_valid": (_YES, True),
    "delay": (_WHOLE, 0),
    "timeout": (_WHOLE, 15),
    "logged_in": (_YES, False),
    "status": (_TEXT, "idle"),
    "registered": (_YES, False),
    "tags": (_MANY, ()),
}
_ACTIVITY = {
    "account": (_TEXT, None),
    "timestamp": ((int, float), REQUIRED),
    "campaign_name": (_TEXT, REQUIRED),
    "lead_number": (_TEXT, REQUIRED),
    "lead_name": (_TEXT, ""),
    "agent_name": (_TEXT, ""),
    "agent_extension": (_TEXT, ""),
    "lead_history": (_MANY, ()),
    "call_id": (_TEXT, None),
}


def seed(platform: Platform, section: JsonObject) -> None:
    """Add a seed section. Without accounts and campaigns there are the default ones: no API call makes a campaign."""
    section = read(section, "contactcenter", _SECTION)
    for entry, where in entries(section["accounts"], "contactcenter.accounts"):
        _open(platform, entry, where)
    if not platform.accounts:
        _open(platform, DEFAULT_ACCOUNT, "contactcenter.accounts")
        if section["campaigns"] is None:
            section["campaigns"] = list(DEFAULT_CAMPAIGNS)
        if section["queues"] is None:
            section["queues"] = [DEFAULT_QUEUE]
    add_outcomes(find_account(platform, None, ""), section["outcomes"], "contactcenter.outcomes")
    for entry, where in entries(section["queues"], "contactcenter.queues"):
        add_queue(platform, entry, where)
    for entry, where in entries(section["campaigns"], "contactcenter.campaigns"):
        add_campaign(platform, entry, where)
    for entry, where in entries(section["activity"], "contactcenter.activity"):
        add_activity(platform, entry, where)


def dump(platform: Platform) -> JsonObject:
    """Everything but issued tokens: they die with the process."""
    found: JsonObject = {"ids": asdict(platform.ids), "accounts": []}
    for account in platform.accounts.values():
        found["accounts"].append(
            {
                "account_id": account.account_id,
                "domain": account.domain,
                "users": [{"username": name, "password": password} for name, password in account.users.items()],
                "outcomes": dict(account.outcomes),
                "attempts": dict(account.attempts),
                "queues": list(account.queues),
                "activity": list(account.activity),
                "campaigns": [
                    {**row, "leads": list(account.leads[row["id"]].rows())} for row in account.campaigns.rows()
                ],
            }
        )
    return found


def load(platform: Platform, document: JsonObject) -> None:
    """Take over a dump; the platform is empty."""
    for entry in document["accounts"]:
        facts = {key: entry[key] for key in _ACCOUNT}
        account = _open(platform, facts, "contactcenter.accounts")
        account.attempts = dict(entry["attempts"])
        account.queues, account.activity = list(entry["queues"]), list(entry["activity"])
        for campaign in entry["campaigns"]:
            row = dict(campaign)
            rows = row.pop("leads")
            account.new_campaign(row["id"], row["name"], row["status"])
            account.put_campaign(row)
            for lead in rows:
                account.put_lead(lead)
    for key, value in asdict(Ids(**document["ids"])).items():
        setattr(platform.ids, key, value)


def find_account(platform: Platform, wanted: object, where: str) -> Account:
    """By account id or domain, else the first."""
    if wanted is None:
        return next(iter(platform.accounts.values()))
    for account in platform.accounts.values():
        if wanted in (account.account_id, account.domain):
            return account
    raise SandboxError(f"{where}.account: there is no account {wanted!r}")


def find_campaign(account: Account, wanted: object, where: str) -> JsonObject:
    """By id or name."""
    for row in account.campaigns.rows():
        if wanted in (row["id"], row["name"]):
            return row
    raise SandboxError(f"{where}: campaign {wanted!r} is unknown")


def add_campaign(platform: Platform, entry: Any, where: str) -> str:
    """A campaign with its leads; any status but ``running`` calls nobody."""
    wanted = read(entry, where, _CAMPAIGN)
    account = find_account(platform, wanted["account"], where)
    campaign_id = wanted["id"] or platform.ids.next()
    account.new_campaign(campaign_id, wanted["name"], wanted["status"])
    add_leads(platform, account, campaign_id, wanted["leads"], f"{where}.leads")
    return str(campaign_id)


def add_leads(platform: Platform, account: Account, campaign_id: str, leads: Any, where: str) -> list[str]:
    """A list of leads, or ``{count, first, status, priority}`` for many."""
    now = platform.clock.now()
    if isinstance(leads, Mapping):
        spread = read(leads.get("generate", leads), where, _GENERATE)
        first, fields = int(number_key(spread["first"])), {key: spread[key] for key in ("status", "priority")}
        numbers = (f"+{first + step}" for step in range(spread["count"]))
        fields["ready_at"] = 0.0
        rows = [account.new_lead(campaign_id, platform.ids.next(), now, {"number": one, **fields}) for one in numbers]
        return [row["id"] for row in rows]
    found = []
    for entry, place in entries(leads, where):
        wanted = read({"number": entry} if isinstance(entry, str) else entry, place, _LEAD)
        fields = {key: value for key, value in wanted.items() if key != "id" and value is not None}
        fields["ready_at"] = 0.0  # whatever the clock is set to after seeding
        if wanted["created"] is not None:
            fields["created"] = int(moment(wanted["created"]))
        if wanted["status"] == IN_PROGRESS:
            fields["ends_at"] = None  # somebody else is talking: it takes until a person says otherwise
        found.append(account.new_lead(campaign_id, wanted["id"] or platform.ids.next(), now, fields)["id"])
    return found


def add_queue(platform: Platform, entry: Any, where: str) -> str:
    """A queue with its agents; the counters follow from them."""
    wanted = read(entry, where, _QUEUE)
    account = find_account(platform, wanted.pop("account"), where)
    plain = platform.ids.next()
    wanted["id"] = wanted["id"] or "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
    wanted["calls"] = wanted["calls"] or {}
    agents = [read(agent, place, _AGENT) for agent, place in entries(wanted["agents"], f"{where}.agents")]
    wanted["agents"] = [
        {**agent, "id": agent["id"] or platform.ids.next(), "tags": list(agent["tags"])} for agent in agents
    ]
    account.queues.append(wanted)
    platform.tally.changes += 1
    return str(wanted["id"])


def add_activity(platform: Platform, entry: Any, where: str) -> str:
    """A call of the past, as E5 shows it. Nobody is called for it."""
    wanted = read(entry, where, _ACTIVITY)
    account = find_account(platform, wanted.pop("account"), where)
    wanted["call_id"] = wanted["call_id"] or platform.ids.next()
    wanted["lead_history"] = list(wanted["lead_history"])
    account.activity.append({"datetime": go_time(wanted["timestamp"]), **wanted, "disposition": ""})
    platform.tally.changes += 1
    return str(wanted["call_id"])


def add_outcomes(account: Account, outcomes: Any, where: str) -> None:
    """``{number: outcome or list of outcomes}``: how calls of that number end, one after the other."""
    for number, script in (outcomes or {}).items():
        words = [script] if isinstance(script, str) else script
        if not isinstance(words, list | tuple) or not words or not all(isinstance(word, str) for word in words):
            raise SandboxError(f"{where}: {script!r} is neither an outcome nor a list of them")
        account.outcomes[number_key(str(number))] = list(words)


def _open(platform: Platform, entry: Any, where: str) -> Account:
    facts = read(entry, where, _ACCOUNT)
    if facts["account_id"] in platform.accounts:
        raise SandboxError(f"{where}: account {facts['account_id']} is there already")
    users = [read(user, place, _USER) for user, place in entries(facts["users"], f"{where}.users")]
    account = Account(
        account_id=facts["account_id"],
        domain=facts["domain"],
        users={user["username"]: user["password"] for user in users},
        tally=platform.tally,
    )
    add_outcomes(account, facts["outcomes"], f"{where}.outcomes")
    platform.accounts[account.account_id] = account
    return account
