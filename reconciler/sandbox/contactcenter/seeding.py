"""Contact-centre state from and to documents: seeds and dumps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reconciler.sandbox import seeds
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
from reconciler.sandbox.seeds import MANY, REQUIRED, SOME, SPREAD, TEXT, WHOLE, entries, owner, pick, read, users
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

_YES = (bool,)
_SECTION = {
    "accounts": (MANY, None),
    "campaigns": (MANY, None),
    "queues": (MANY, None),
    "activity": (MANY, None),
    "outcomes": ((Mapping,), None),
}
_ACCOUNT = {
    "account_id": (TEXT, REQUIRED),
    "domain": (TEXT, REQUIRED),
    "users": (MANY, ()),
    "outcomes": ((Mapping,), None),
}
_CAMPAIGN = {
    "account": (TEXT, None),
    "id": (TEXT, None),
    "name": (TEXT, REQUIRED),
    "status": (TEXT, STOPPED),
    "leads": (SOME, ()),
}
_LEAD = {
    "id": (TEXT, None),
    "status": (TEXT, NEW),
    "created": ((int, str), None),
    **{name: ((kind,), None) for name, kind in WRITABLE.items()},
    "number": (TEXT, REQUIRED),
}
_GENERATE = {
    **SPREAD,
    "status": (TEXT, NEW),
    "priority": (WHOLE, 0),
}
_QUEUE = {
    "account": (TEXT, None),
    "id": (TEXT, None),
    "name": (TEXT, REQUIRED),
    "extension": (TEXT, "5586"),
    "max_time_caller_in_queue": (WHOLE, 120),
    "strategy": (TEXT, "single"),
    "agents": (MANY, ()),
    "calls": ((dict,), None),
}
_AGENT = {
    "id": (TEXT, None),
    "name": (TEXT, REQUIRED),
    "extension": (TEXT, ""),
    "extension_is_valid": (_YES, True),
    "delay": (WHOLE, 0),
    "timeout": (WHOLE, 15),
    "logged_in": (_YES, False),
    "status": (TEXT, "idle"),
    "registered": (_YES, False),
    "tags": (MANY, ()),
}
_ACTIVITY = {
    "account": (TEXT, None),
    "timestamp": ((int, float), REQUIRED),
    "campaign_name": (TEXT, REQUIRED),
    "lead_number": (TEXT, REQUIRED),
    "lead_name": (TEXT, ""),
    "agent_name": (TEXT, ""),
    "agent_extension": (TEXT, ""),
    "lead_history": (MANY, ()),
    "call_id": (TEXT, None),
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


def find_account(platform: Platform, wanted: str | None, where: str) -> Account:
    """By account id or domain, else the first."""
    by_domain = {account.domain: account for account in platform.accounts.values()}
    return owner({**platform.accounts, **by_domain}, wanted, f"{where}.account")


def find_campaign(account: Account, wanted: object, where: str) -> JsonObject:
    """By id or name."""
    return pick(account.campaigns.rows(), lambda row: (row["id"], row["name"]), wanted, f"{where}: campaign")


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
    """See ``seeds.outcomes``."""
    for number, words in seeds.outcomes(outcomes, where):
        account.outcomes[number_key(number)] = words


def _open(platform: Platform, entry: Any, where: str) -> Account:
    facts = read(entry, where, _ACCOUNT)
    if facts["account_id"] in platform.accounts:
        raise SandboxError(f"{where}: account {facts['account_id']} is there already")
    account = Account(
        account_id=facts["account_id"],
        domain=facts["domain"],
        users=users(facts["users"], f"{where}.users"),
        tally=platform.tally,
    )
    add_outcomes(account, facts["outcomes"], f"{where}.outcomes")
    platform.accounts[account.account_id] = account
    return account
