"""The dialler: the reason why adding a lead to a running campaign is a call (item 13)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from math import inf

from reconciler.sandbox.contactcenter.knobs import ContactCenterKnobs
from reconciler.sandbox.contactcenter.state import FAILED, IN_PROGRESS, NEW, RUNNING, Account, go_time
from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.wire import JsonObject

RULES: dict[str, Callable[[JsonObject], tuple[float, str]]] = {
    "high_first": lambda row: (-row["priority"], row["id"]),
    "low_first": lambda row: (row["priority"], row["id"]),
    "oldest": lambda row: (row["created"], row["id"]),
}
NOBODY = {"name": "", "extension": ""}


def advance(account: Account, knobs: ContactCenterKnobs, ledger: Ledger, now: float) -> None:
    """Let every campaign do what is due, in the order of time."""
    for campaign_id in [one for one, due_at in account.due.items() if due_at <= now]:
        while (campaign := account.campaigns.get(campaign_id)) is not None:
            ending = _ending(account, campaign_id)
            starting = _starting(account, campaign, knobs, now)
            if ending is not None and ending["ends_at"] <= min(now, starting[0] if starting else now):
                _end(account, ending)
            elif starting is not None and starting[0] <= now:
                _dial(account, campaign, starting[1], knobs, ledger, starting[0])
            else:
                account.due[campaign_id] = min(ending["ends_at"] if ending else inf, starting[0] if starting else inf)
                break
        else:
            account.due.pop(campaign_id, None)


def _ending(account: Account, campaign_id: str) -> JsonObject | None:
    """The lead whose call ends next."""
    talking = (account.lead(lead_id) for lead_id in account.talking.get(campaign_id, ()))
    return min((row for row in talking if row), key=lambda row: (float(row["ends_at"]), str(row["id"])), default=None)


def _starting(
    account: Account, campaign: JsonObject, knobs: ContactCenterKnobs, now: float
) -> tuple[float, JsonObject] | None:
    """Whom a running campaign calls next, and when; a stopped one calls nobody."""
    if campaign["status"] != RUNNING:
        return None
    waiting = [row for row in account.leads[campaign["id"]].rows() if row["status"] == NEW]
    if not waiting:
        return None
    at = max(campaign["dial_at"], min(row["ready_at"] for row in waiting))
    ready = [row for row in waiting if row["ready_at"] <= at]
    # At 0, everything is seeded and has never been looked at before.
    return at or now, min(ready, key=RULES[knobs.priority_rule])


def _dial(
    account: Account, campaign: JsonObject, row: JsonObject, knobs: ContactCenterKnobs, ledger: Ledger, at: float
) -> None:
    account.put_campaign({**campaign, "dial_at": at + knobs.dial_interval_s})
    account.put_lead(
        {**row, "status": IN_PROGRESS, "ends_at": at + knobs.call_s, "outcome": account.outcome(row["number"])}
    )
    record = _record(account, campaign, row, at)
    account.activity.append(record)
    facts = {"campaign": campaign["id"], "name": campaign["name"], "lead": row["id"], "call": record["call_id"]}
    ledger.contacted("contactcenter", "campaign", at, row["number"], **facts)


def _end(account: Account, row: JsonObject) -> None:
    """The call is over: a failed attempt may be repeated after the lead has cooled off."""
    at, outcome = row["ends_at"], row.get("outcome", "success")
    over = {key: value for key, value in row.items() if key != "outcome"} | {"ends_at": None}
    if row["status"] == IN_PROGRESS:
        over["status"] = outcome
        if outcome == FAILED and row["retries"] > 0:
            over |= {"status": NEW, "retries": row["retries"] - 1, "ready_at": at + row["cool_off"]}
    account.put_lead(over)


def _record(account: Account, campaign: JsonObject, row: JsonObject, at: float) -> JsonObject:
    """What the call history says about one attempt; columns that have to be asked for included."""
    agents = [agent for queue in account.queues for agent in queue["agents"]]
    agent = agents[len(account.activity) % len(agents)] if agents else NOBODY
    call = hashlib.md5(f"{row['id']}-{len(account.activity)}".encode(), usedforsecurity=False).hexdigest()
    event: JsonObject = {
        "agent": {
            "delay": 0,
            "device_endpoints": [],
            "email": "",
            "endpoint": agent.get("id", ""),
            "ext": agent["extension"],
            "first_name": agent["name"],
            "last_answered": 0,
            "last_attempt": at,
            "last_hangup": 0,
            "last_name": "",
            "status": "idle",
            "timeout": 20,
            "total_talk_time": 0,
            "type": "user",
        },
        "event": "campaign dial",
        "ext": agent["extension"],
        "last_attempt": at,
        "type": "dial agent",
        "uuid": f"{call}-clicktocall",
    }
    return {
        "datetime": go_time(at),
        "timestamp": int(at),
        "campaign_name": campaign["name"],
        "lead_name": f"{row['first_name']} {row['last_name']}".strip(),
        "lead_number": row["number"],
        "agent_name": agent["name"],
        "agent_extension": agent["extension"],
        "lead_history": [event],
        "call_id": call,
        "lead_first_name": row["first_name"],
        "lead_last_name": row["last_name"],
        "lead_ticket_id": row["ticket_id"],
        "lead_type": row["type"],
        "disposition": "",
    }
