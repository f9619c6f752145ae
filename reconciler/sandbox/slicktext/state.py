"""What one SlickText brand holds, and the operations that endpoints, seeds and tampering share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from reconciler.sandbox.clock import Clock
from reconciler.sandbox.tables import Members, Table, Tally
from reconciler.sandbox.wire import JsonObject

STAMP = "%Y-%m-%d %H:%M:%S"
# Where each id sequence starts: far apart, so that a mixed-up id is unknown instead of somebody else.
FIRST_IDS = {
    "contact": 5_000_001,
    "list": 2_001,
    "campaign": 3_001,
    "audience": 101,
    "segment": 501,
    "custom_field": 701,
}

LIST_FIELDS = frozenset({"contact_list_id", "_brand_id", "name", "description", "created"})
CONTACT_TEXTS = (
    "first_name",
    "last_name",
    "email",
    "birthdate",
    "address",
    "city",
    "state",
    "zip",
    "country",
    "language",
)
EDITABLE = ("draft", "scheduled")


def stamp(at: float) -> str:
    """Item 6: UTC without a zone."""
    return datetime.fromtimestamp(at, UTC).strftime(STAMP)


def unstamped(text: object) -> float | None:
    """Seconds since the epoch, or None for anything but this platform's own format."""
    try:
        at = datetime.strptime(str(text), STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return at.timestamp() if at.strftime(STAMP) == text else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """An automation of the brand that texts people (item 13). ``list`` None is any list."""

    name: str
    trigger: str  # contact_created | contact_added_to_list
    list: int | str | None = None

    def starts_on(self, row: JsonObject) -> bool:
        """Whether adding to this list starts it."""
        return self.list is None or self.list in (row["contact_list_id"], row["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign row without its audience, and the audience as references."""

    row: JsonObject
    lists: tuple[int, ...] = ()
    segments: tuple[int, ...] = ()
    audience_ids: tuple[int, ...] = ()  # campaign_audience_id, lists first; new ones after every audience write
    audience_created: str = ""
    queued_at: float | None = None


class Sequences:
    """Ids: one increasing sequence per type over all brands, never reused (item 6)."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {kind: first - 1 for kind, first in FIRST_IDS.items()}

    def next(self, kind: str) -> int:
        """A new id."""
        self.last[kind] += 1
        return self.last[kind]

    def claim(self, kind: str, wanted: int | None) -> int:
        """The id a seed asks for, or a new one."""
        if wanted is None:
            return self.next(kind)
        self.last[kind] = max(self.last[kind], wanted)
        return wanted


class Brand:
    """One brand: everything below ``/v1/brands/{brand_id}``."""

    def __init__(self, facts: JsonObject, workflows: Iterable[Workflow], ids: Sequences, tally: Tally) -> None:
        self.facts = facts  # brand_id, api_key, name, trial
        self.workflows = tuple(workflows)
        self.ids = ids
        self.contacts: Table[int, JsonObject] = Table(tally, by_key=True)
        self.lists: Table[int, JsonObject] = Table(tally, by_key=True)
        self.campaigns: Table[int, Campaign] = Table(tally, by_key=True)
        self.segments: Table[int, JsonObject] = Table(tally, by_key=True)
        self.custom_fields: Table[int, JsonObject] = Table(tally, by_key=True)
        self.members = Members(tally)
        self.by_number: dict[str, int] = {}
        self.waiting: set[int] = set()  # campaigns that the clock will move; some may be gone by then

    @property
    def id(self) -> int:
        """The brand id of paths and ``_brand_id``."""
        return int(self.facts["brand_id"])

    def put_contact(self, row: JsonObject) -> None:
        """Add or replace, keeping the number index true."""
        contact_id = row["contact_id"]
        before = self.contacts.get(contact_id)
        if before is not None and self.by_number.get(before["mobile_number"]) == contact_id:
            del self.by_number[before["mobile_number"]]
        self.by_number[row["mobile_number"]] = contact_id
        self.contacts.put(contact_id, row)

    def new_contact(
        self, number: str, at: float, fields: Mapping[str, object], wanted_id: int | None = None
    ) -> JsonObject:
        """A contact row in the documented key order."""
        now = stamp(at)
        row: JsonObject = {
            "contact_id": self.ids.claim("contact", wanted_id),
            "_brand_id": self.id,
            "first_name": None,
            "last_name": None,
            "mobile_number": number,
            "mobile_number_carrier": None,
            **dict.fromkeys(CONTACT_TEXTS[2:-1]),
            "source": "api",
            "_source_id": None,
            "sub_source": None,
            "_sub_source_id": None,
            "custom_fields": None,
            "timezone": None,
            "language": None,
            "opt_in_status": "not subscribed",
            "last_opt_in_status_change": now,
            "created": now,
            "last_updated": None,
            **fields,
        }
        self.put_contact(row)
        return row

    def drop_contact(self, contact_id: int) -> bool:
        """Remove a contact and all its memberships."""
        row = self.contacts.drop(contact_id)
        if row is None:
            return False
        self.members.drop_contact(contact_id)
        if self.by_number.get(row["mobile_number"]) == contact_id:
            del self.by_number[row["mobile_number"]]
        return True

    def new_list(self, name: str, description: str | None, at: float, wanted_id: int | None = None) -> JsonObject:
        """A list row."""
        row: JsonObject = {
            "contact_list_id": self.ids.claim("list", wanted_id),
            "_brand_id": self.id,
            "name": name,
            "description": description,
            "created": stamp(at),
        }
        self.lists.put(row["contact_list_id"], row)
        return row

    def drop_list(self, list_id: int) -> bool:
        """Remove a list and its memberships; campaigns keep a dangling audience row (items 10 and 16)."""
        if self.lists.drop(list_id) is None:
            return False
        self.members.drop_list(list_id)
        return True

    def new_campaign(self, fields: Mapping[str, object], at: float, wanted_id: int | None = None) -> Campaign:
        """A draft without an audience, with ``fields`` over the defaults. The caller puts it into the table."""
        now = stamp(at)
        row: JsonObject = {
            "campaign_id": self.ids.claim("campaign", wanted_id),
            "_brand_id": self.id,
            "_created_by_user_id": None,
            "name": "",
            "body": "",
            "media_url": None,
            "status": "draft",
            "status_detail": None,
            "status_date": now,
            "completion_percentage": 0,
            "created": now,
            "scheduled": None,
            "started": None,
            "finished": None,
            "last_updated": now,
            **fields,
        }
        return Campaign(row=row)

    def with_audience(self, campaign: Campaign, lists: Iterable[int], segments: Iterable[int], at: float) -> Campaign:
        """The campaign with that audience and fresh audience row ids (item 14)."""
        list_ids, segment_ids = tuple(dict.fromkeys(lists)), tuple(dict.fromkeys(segments))
        fresh = tuple(self.ids.next("audience") for _ in list_ids + segment_ids)
        return replace(campaign, lists=list_ids, segments=segment_ids, audience_ids=fresh, audience_created=stamp(at))

    def put_campaign(self, campaign: Campaign) -> None:
        """Add or replace."""
        self.campaigns.put(campaign.row["campaign_id"], campaign)
        if campaign.row["status"] in ("scheduled", "queued"):
            self.waiting.add(campaign.row["campaign_id"])

    def audience(self, campaign: Campaign) -> set[int]:
        """Contact ids the campaign would go to, whatever their consent."""
        reached: set[int] = set()
        for list_id in campaign.lists:
            reached.update(self.members.ids(list_id))
        for segment_id in campaign.segments:
            reached.update(self.segment_members(segment_id))
        return reached

    def segment_members(self, segment_id: int) -> set[int]:
        """Contacts of a seeded segment that still exist."""
        segment = self.segments.get(segment_id)
        numbers = segment["numbers"] if segment else ()
        return {self.by_number[number] for number in numbers if number in self.by_number}


class Platform(Protocol):
    """What seeds and tampering need of the whole simulation."""

    brands: dict[int, Brand]
    ids: Sequences
    tally: Tally
    clock: Clock
