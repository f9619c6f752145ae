"""What one contact-centre account holds, and the operations that endpoints, seeds and tampering share."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from reconciler.sandbox.clock import Clock
from reconciler.sandbox.contactcenter.knobs import ContactCenterKnobs
from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.tables import Table, Tally
from reconciler.sandbox.wire import JsonObject

STOPPED, RUNNING = "stopped", "running"
NEW, IN_PROGRESS, SUCCESS, FAILED = "new", "in_progress", "success", "failed"
SHOWN = ("created", "campaign_id", "number", "status", "retries", "first_name", "last_name", "priority", "id")
WRITE_ONLY = ("type", "ticket_id", "note", "cool_off")
WRITABLE: dict[str, type] = {
    "number": str,
    "retries": int,
    "first_name": str,
    "last_name": str,
    "type": str,
    "priority": int,
    "ticket_id": str,
    "note": str,
    "cool_off": int,
}
SUFFIX_END = 0xFFF000


def number_key(number: str) -> str:
    """What tells people apart: digits, whatever the punctuation."""
    return re.sub(r"\D", "", number)


def go_time(at: float) -> str:
    """A time as Go prints it."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")


@dataclass(slots=True)
class Ids:
    """Ids like CouchDB's: 26 digits that stay, 6 that grow by 1 to 4095; the same in every run."""

    count: int = 0
    prefix: int = 0
    suffix: int = 0

    def next(self) -> str:
        """A new id, greater than those before it as long as the prefix lasts."""
        self.count += 1
        self.suffix += 1 + _digest(f"step-{self.count}")[0] * 16 % 4095
        if self.suffix >= SUFFIX_END:
            self.prefix, self.suffix = self.prefix + 1, 1
        return f"{_digest(f'prefix-{self.prefix}').hex()[:26]}{self.suffix:06x}"


def _digest(text: str) -> bytes:
    return hashlib.md5(f"contactcenter-{text}".encode(), usedforsecurity=False).digest()


@dataclass(slots=True)
class Account:
    """One tenant. Lead rows have the fields of ``SHOWN`` and ``WRITE_ONLY``, ``ready_at`` and ``ends_at``."""

    account_id: str
    domain: str
    users: dict[str, str]  # user name -> password
    tally: Tally
    outcomes: dict[str, list[str]] = field(default_factory=dict)  # number key -> how its calls end; the last repeats
    tokens: dict[str, float] = field(default_factory=dict)  # access token -> when it dies
    campaigns: Table[str, JsonObject] = field(init=False)  # id, name, status, dial_at
    leads: dict[str, Table[str, JsonObject]] = field(default_factory=dict)  # by campaign id
    homes: dict[str, str] = field(default_factory=dict)  # lead id -> campaign id
    by_number: dict[tuple[str, str], dict[str, None]] = field(
        default_factory=dict
    )  # campaign id, number key -> lead ids
    veiled: dict[str, int] = field(default_factory=dict)  # lead id -> reads that do not show it yet
    queues: list[JsonObject] = field(default_factory=list)
    activity: list[JsonObject] = field(default_factory=list)  # records of E5 with every column, oldest first
    attempts: dict[str, int] = field(default_factory=dict)  # number key -> calls so far
    due: dict[str, float] = field(default_factory=dict)  # campaign id -> when the dialler has to look at it
    talking: dict[str, dict[str, None]] = field(default_factory=dict)  # campaign id -> leads being called

    def __post_init__(self) -> None:
        self.campaigns = Table(self.tally, by_key=False)

    def new_campaign(self, campaign_id: str, name: str, status: str) -> None:
        """A campaign without leads."""
        self.leads[campaign_id] = Table(self.tally, by_key=True)
        self.put_campaign({"id": campaign_id, "name": name, "status": status, "dial_at": 0.0})

    def put_campaign(self, row: JsonObject) -> None:
        """Add or replace; the dialler takes notice."""
        self.campaigns.put(row["id"], row)
        self.due[row["id"]] = 0.0

    def drop_campaign(self, campaign_id: str) -> None:
        """Gone with its leads."""
        self.campaigns.drop(campaign_id)
        for lead_id in self.leads.get(campaign_id, ()):
            self.drop_lead(lead_id)
        self.leads.pop(campaign_id, None)

    def lead(self, lead_id: str) -> JsonObject | None:
        """Wherever it is."""
        home = self.homes.get(lead_id)
        return None if home is None else self.leads[home].get(lead_id)

    def put_lead(self, row: JsonObject) -> None:
        """Add or replace; the dialler takes notice."""
        self._unlist(self.lead(row["id"]))
        self.homes[row["id"]] = row["campaign_id"]
        self.by_number.setdefault((row["campaign_id"], number_key(row["number"])), {})[row["id"]] = None
        self.leads[row["campaign_id"]].put(row["id"], row)
        if row["ends_at"] is not None:
            self.talking.setdefault(row["campaign_id"], {})[row["id"]] = None
        self.due[row["campaign_id"]] = 0.0

    def new_lead(self, campaign_id: str, lead_id: str, at: float, fields: JsonObject) -> JsonObject:
        """A lead that waits to be called."""
        row: JsonObject = {
            "created": int(at),
            "campaign_id": campaign_id,
            "number": "",
            "status": NEW,
            "retries": 0,
            "first_name": "",
            "last_name": "",
            "priority": 0,
            "id": lead_id,
            "type": "",
            "ticket_id": "",
            "note": "",
            "cool_off": 0,
            "ready_at": at,
            "ends_at": None,
            **fields,
        }
        self.put_lead(row)
        return row

    def drop_lead(self, lead_id: str) -> bool:
        """Gone; a call in progress goes on without it."""
        row = self.lead(lead_id)
        if row is None:
            return False
        self._unlist(row)
        del self.homes[lead_id]
        self.leads[row["campaign_id"]].drop(lead_id)
        return True

    def namesakes(self, campaign_id: str, number: str) -> list[str]:
        """Ids of leads with that number in that campaign."""
        return list(self.by_number.get((campaign_id, number_key(number)), ()))

    def _unlist(self, row: JsonObject | None) -> None:
        if row is not None:
            ids = self.by_number.get((row["campaign_id"], number_key(row["number"])), {})
            ids.pop(row["id"], None)
            self.talking.get(row["campaign_id"], {}).pop(row["id"], None)

    def outcome(self, number: str) -> str:
        """How the next call of a number ends; counts it."""
        key = number_key(number)
        self.attempts[key] = self.attempts.get(key, 0) + 1
        script = self.outcomes.get(key) or [SUCCESS]
        return script[min(self.attempts[key], len(script)) - 1]

    def expose(self, ledger: Ledger, reason: str, row: JsonObject, at: float) -> None:
        """Note that a person came within reach of a campaign that is dialling."""
        campaign = self.campaigns.get(row["campaign_id"]) or {}
        if campaign.get("status") != STOPPED:
            ledger.exposes("contactcenter", reason, at, [row["number"]], campaigns=[row["campaign_id"]])


class Platform(Protocol):
    """What seeds and tampering need of the whole simulation."""

    accounts: dict[str, Account]
    ids: Ids
    tally: Tally
    clock: Clock

    knobs: ContactCenterKnobs
