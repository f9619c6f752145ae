"""What one Exotel account holds, and the operations that endpoints, seeds and tampering share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Protocol

from reconciler.sandbox.clock import Clock
from reconciler.sandbox.exotel.knobs import ExotelKnobs
from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.tables import Table, Tally
from reconciler.sandbox.wire import JsonObject

INDIA = timezone(timedelta(hours=5, minutes=30))
CONTACT_TEXTS = ("first_name", "last_name", "company_name", "email", "tag")
LIVE = ("created", "in-progress", "paused")  # a campaign in one of these may call people


def stamp(at: float) -> str:
    """RFC 3339 with the offset that the samples have."""
    return datetime.fromtimestamp(int(at), INDIA).isoformat()


def unstamped(text: object) -> float | None:
    """Seconds since the epoch, or None for anything but RFC 3339 with an offset."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at.timestamp() if at.tzinfo is not None and isinstance(text, str) and len(text) > 10 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One number of a started campaign. ``next_at`` None: it will not be called any more."""

    number: str
    list_sid: str | None = None
    status: str = "created"  # created, retry, completed, failed and other outcomes
    attempts: int = 0
    next_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign; ``fields`` are the writable ones of E18 with ``lists`` and ``from``, defaults filled in."""

    id: str
    fields: JsonObject
    status: str = "created"
    created: float = 0.0
    updated: float = 0.0
    started: float | None = None
    resumed: float | None = None  # calls that became due during a pause are placed then
    last_call: float | None = None
    held: bool = False  # stays in progress until somebody acts: seeded so
    lines: tuple[Line, ...] = ()  # who is called, as the lists were at the start
    calls: tuple[JsonObject, ...] = ()  # rows of E24
    due_at: float | None = 0.0  # when the clock has something to do next; None: never

    @property
    def lists(self) -> tuple[str, ...]:
        """Sids of the lists it calls; may name lists that are gone."""
        return tuple(self.fields["lists"])

    @property
    def send_at(self) -> float | None:
        """When it starts by itself; None: at once."""
        return unstamped((self.fields["schedule"] or {}).get("send_at"))

    @property
    def end_at(self) -> float | None:
        """When it stops calling."""
        return unstamped((self.fields["schedule"] or {}).get("end_at"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A CSV import; its rows are kept until they are worked on."""

    id: str
    list_sid: str
    due_at: float
    rows: tuple[JsonObject, ...] = ()
    broken: bool = False  # no usable header: it will fail
    status: str = "in-progress"
    stats: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Ids:
    """Opaque 32 hexadecimal digits, the same in every run, never reused."""

    kind: str = "sid"
    last: int = 0

    def next(self) -> str:
        """A new id."""
        self.last += 1
        return hashlib.md5(f"exotel-{self.kind}-{self.last}".encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class Account:
    """One tenant: everything below ``/v2/accounts/{sid}``."""

    sid: str
    api_key: str
    api_token: str
    tally: Tally
    ids: Ids
    outcomes: dict[str, list[str]] = field(default_factory=dict)  # number -> how its calls end; the last one repeats
    lists: Table[str, JsonObject] = field(init=False)
    contacts: Table[str, JsonObject] = field(init=False)
    campaigns: Table[str, Campaign] = field(init=False)
    uploads: Table[str, Upload] = field(init=False)
    members: dict[str, Table[str, JsonObject]] = field(default_factory=dict)  # list sid -> associations by contact sid
    by_number: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, None] = field(default_factory=dict)  # campaigns that the clock moves
    importing: dict[str, None] = field(default_factory=dict)  # uploads that the clock finishes

    def __post_init__(self) -> None:
        self.lists = Table(self.tally, by_key=False)
        self.contacts = Table(self.tally, by_key=False)
        self.campaigns = Table(self.tally, by_key=False)
        self.uploads = Table(self.tally, by_key=False)

    def new_list(
        self, name: str, tag: str | None, at: float, *, kind: str = "static", wanted: str | None = None
    ) -> JsonObject:
        """A list without members."""
        row: JsonObject = {
            "sid": wanted or self.ids.next(),
            "name": name,
            "tag": tag,
            "type": kind,
            "date_created": stamp(at),
            "date_updated": stamp(at),
            "created": at,  # not on the wire, as precise as the clock
        }
        self.lists.put(row["sid"], row)
        return row

    def list_named(self, name: str) -> JsonObject | None:
        """The one with exactly that name."""
        return next((row for row in self.lists.rows() if row["name"] == name), None)

    def drop_list(self, sid: str) -> None:
        """Gone; its contacts stay in the address book."""
        self.lists.drop(sid)  # its associations are kept for reads that lag; no sid is ever used again

    def new_contact(self, number: str, fields: JsonObject, at: float, wanted: str | None = None) -> JsonObject:
        """A contact; the number is free."""
        row: JsonObject = {
            "sid": wanted or self.ids.next(),
            "number": number,
            **{name: fields.get(name) for name in CONTACT_TEXTS},
            "custom_field": fields.get("custom_field"),
            "date_created": stamp(at),
            "date_updated": stamp(at),
        }
        self.put_contact(row)
        return row

    def put_contact(self, row: JsonObject) -> None:
        """Add or replace, keeping the number index true."""
        before = self.contacts.get(row["sid"])
        if before is not None and self.by_number.get(before["number"]) == row["sid"]:
            del self.by_number[before["number"]]
        self.by_number.setdefault(row["number"], row["sid"])  # imported data may hold a number twice: the oldest counts
        self.contacts.put(row["sid"], row)

    def drop_contact(self, sid: str) -> None:
        """Gone, from every list too."""
        row = self.contacts.drop(sid)
        if row is not None and self.by_number.get(row["number"]) == sid:
            del self.by_number[row["number"]]
        for members in self.members.values():
            members.drop(sid)

    def membership(self, list_sid: str) -> Table[str, JsonObject]:
        """Who is on a list, in the order of joining."""
        if list_sid not in self.members:
            self.members[list_sid] = Table(self.tally, by_key=False)
        return self.members[list_sid]

    def join(self, list_sid: str, contact_sid: str, at: float) -> JsonObject:
        """Put a contact on a list; already there changes nothing."""
        members = self.membership(list_sid)
        row = members.get(contact_sid)
        if row is None:
            row = {"list_sid": list_sid, "contact_sid": contact_sid, "date_created": stamp(at)}
            members.put(contact_sid, row)
        return row

    def numbers(self, list_sid: str) -> list[str]:
        """Numbers on a list."""
        found = (self.contacts.get(row["contact_sid"]) for row in self.membership(list_sid).rows())
        return [row["number"] for row in found if row is not None]

    def cap(self, row: JsonObject, knobs: ExotelKnobs) -> int:
        """How many contacts a list takes."""
        return knobs.dynamic_cap if row["type"] == "dynamic" else knobs.static_cap

    def put_campaign(self, campaign: Campaign) -> None:
        """Add or replace; the clock looks after it as long as it lives."""
        self.campaigns.put(campaign.id, campaign)
        if campaign.status in LIVE:
            self.waiting[campaign.id] = None
        else:
            self.waiting.pop(campaign.id, None)

    def using(self, list_sid: str) -> Iterator[Campaign]:
        """Campaigns not over yet that call this list."""
        for campaign_id in self.waiting:
            campaign = self.campaigns.get(campaign_id)
            if campaign is not None and list_sid in campaign.lists:
                yield campaign

    def put_upload(self, upload: Upload) -> None:
        """Add or replace."""
        self.uploads.put(upload.id, upload)
        if upload.status == "in-progress":
            self.importing[upload.id] = None
        else:
            self.importing.pop(upload.id, None)

    def outcome(self, number: str, attempt: int) -> str:
        """How the ``attempt``-th call of a number ends."""
        script: Sequence[str] = self.outcomes.get(number) or ("completed",)
        return script[min(attempt, len(script)) - 1]

    def expose(self, ledger: Ledger, reason: str, list_sid: str, numbers: Iterable[str], at: float) -> None:
        """Note who came onto a list that some campaign calls or is going to call, and which of those have begun."""
        numbers = list(numbers)
        active = list(self.using(list_sid))
        if active and numbers:
            begun = [campaign.id for campaign in active if campaign.status != "created"]
            ids = [campaign.id for campaign in active]
            ledger.exposes("exotel", reason, at, numbers, campaigns=ids, begun=begun, lists=[list_sid])


class Platform(Protocol):
    """What seeds and tampering need of the whole simulation."""

    accounts: dict[str, Account]
    ids: Ids
    tally: Tally
    clock: Clock

    knobs: ExotelKnobs
