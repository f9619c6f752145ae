"""What one IntelePeer account holds, and the operations that endpoints, seeds and tampering share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from reconciler.sandbox.clock import Clock
from reconciler.sandbox.intelepeer.knobs import IntelePeerKnobs
from reconciler.sandbox.tables import Table, Tally
from reconciler.sandbox.wire import JsonObject

DEFAULT_LIST = "default_trans_list"
DEFAULT_HEADERS = (
    "session_id",
    "ANI",
    "DNIS",
    "start_datetime",
    "end_datetime",
    "first_name",
    "last_name",
    "address1",
    "address2",
    "city",
    "state",
    "zip",
    "to_trans",
    "trans_datetime",
    "send_datetime",
    "last_update",
)
NOBODY = "*"  # createdBy and modifiedBy of everything


def iso(at: float) -> str:
    """``YYYY-MM-DDTHH:MM:SS.mmmZ``."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One list of one campaign, with what associating it said."""

    list_id: str
    moc: str | None = None
    auto_detect_tz: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign; its wire shapes are in ``shapes``."""

    id: str
    name: str = ""
    description: str = ""
    caller_id: str = ""
    flow_id: str = ""
    app_id: str = ""
    active: bool = False
    status: str | None = None  # only "Error" is known
    links: tuple[Link, ...] = ()
    schedule_id: str | None = None
    created: float = 0.0
    modified: float = 0.0
    published: float | None = None
    last_executed: float | None = None
    run_id: str = ""
    delete_at: float | None = None  # when a deletion in progress will be done; None with ``deleted`` is never
    deleted: bool = False

    @property
    def list_ids(self) -> tuple[str, ...]:
        """``listRel``; may name lists that are gone."""
        return tuple(link.list_id for link in self.links)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactList:
    """A list with the ids of its contacts; numbers are in the account's ``contacts``."""

    id: str
    name: str
    description: str | None = None
    headers: tuple[str, ...] = ()
    sharing: str = "public"
    moc: str | None = None
    auto_detect_tz: bool | None = None
    contact_ids: tuple[str, ...] = ()
    campaign_ids: tuple[str, ...] = ()
    uploaded: bool = False
    created: float = 0.0
    modified: float = 0.0
    delete_at: float | None = None
    deleted: bool = False

    @property
    def status(self) -> str:
        """``created`` until the first upload (item 10)."""
        return "completed" if self.uploaded else "created"


@dataclass(slots=True)
class Ids:
    """Opaque ids, never reused: they carry their time like the published samples, and a counter."""

    last: int = 0

    def next(self, at: float, style: str) -> str:
        """A new id, 24 hexadecimal digits or something odder."""
        self.last += 1
        plain = f"{int(at) & 0xFFFFFFFF:08x}c6c0c841da{self.last & 0xFFFFFF:06x}"
        return plain if style == "hex24" else f"{plain[:5]}otame{plain[11:]}"


@dataclass(slots=True)
class Account:
    """One customer."""

    customer_id: str
    plan: str
    users: dict[str, str]  # user name -> password
    static_tokens: tuple[str, ...]  # accepted for ever
    tally: Tally
    tokens: dict[str, float] = field(default_factory=dict)  # issued token -> when
    campaigns: Table[str, Campaign] = field(init=False)
    lists: Table[str, ContactList] = field(init=False)
    contacts: dict[str, JsonObject] = field(default_factory=dict)  # contact id -> {phone, metadata}
    doomed: bool = False  # some deletion may be waiting for its time

    def __post_init__(self) -> None:
        self.campaigns = Table(self.tally, by_key=False)
        self.lists = Table(self.tally, by_key=False)

    def numbers(self, list_id: str) -> list[str]:
        """Phones on a list, duplicates included."""
        row = self.lists.get(list_id)
        return [str(self.contacts[one]["phone"]) for one in row.contact_ids] if row else []

    def upload(self, list_id: str, entries: Iterable[tuple[str, JsonObject]], at: float) -> None:
        """Append contacts, duplicates and all (item 11)."""
        row = self.lists.get(list_id)
        assert row is not None
        added = []
        for contact_id, entry in entries:
            self.contacts[contact_id] = entry
            added.append(contact_id)
        # The published sample shows modifiedDate unmoved by uploads.
        self.lists.put(list_id, replace(row, contact_ids=(*row.contact_ids, *added), uploaded=True))

    def link(self, campaign: Campaign, links: Iterable[Link], at: float) -> Campaign:
        """Give the campaign exactly these links and make both sides agree."""
        links = tuple(links)
        after = replace(campaign, links=links, modified=at)
        self.campaigns.put(campaign.id, after)
        for list_id in set(campaign.list_ids) - set(after.list_ids):
            self._set_campaigns(list_id, lambda ids: tuple(one for one in ids if one != campaign.id))
        for link in links:
            self._set_campaigns(link.list_id, lambda ids: tuple(dict.fromkeys((*ids, campaign.id))))
        return after

    def set_contact_method(self, list_id: str, moc: str | None, auto_detect_tz: bool) -> None:
        """What associating writes on the list itself (item 7)."""
        row = self.lists.get(list_id)
        if row is not None:
            self.lists.put(list_id, replace(row, moc=moc, auto_detect_tz=auto_detect_tz))

    def drop_campaign(self, campaign_id: str) -> None:
        """Gone; lists no longer name it."""
        campaign = self.campaigns.drop(campaign_id)
        for list_id in campaign.list_ids if campaign else ():
            self._set_campaigns(list_id, lambda ids: tuple(one for one in ids if one != campaign_id))

    def drop_list(self, list_id: str, *, dangling: bool) -> None:
        """Gone with its contacts; campaigns keep the dangling id or lose it (item 8)."""
        row = self.lists.drop(list_id)
        for contact_id in row.contact_ids if row else ():
            self.contacts.pop(contact_id, None)
        for campaign in () if dangling else self.linked(list_id):
            kept = tuple(link for link in campaign.links if link.list_id != list_id)
            self.campaigns.put(campaign.id, replace(campaign, links=kept))

    def linked(self, list_id: str) -> Iterator[Campaign]:
        """Live campaigns that have this list."""
        for campaign in list(self.campaigns.rows()):
            if list_id in campaign.list_ids and not campaign.deleted:
                yield campaign

    def finish_deletions(self, now: float, *, dangling: bool) -> None:
        """Objects whose deletion was accepted and is due now disappear."""
        if not self.doomed:
            return
        for campaign in [one for one in self.campaigns.rows() if one.delete_at is not None and one.delete_at <= now]:
            self.drop_campaign(campaign.id)
        for row in [one for one in self.lists.rows() if one.delete_at is not None and one.delete_at <= now]:
            self.drop_list(row.id, dangling=dangling)
        waiting = [one.delete_at for one in self.campaigns.rows()] + [row.delete_at for row in self.lists.rows()]
        self.doomed = any(due is not None for due in waiting)

    def _set_campaigns(self, list_id: str, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
        row = self.lists.get(list_id)
        if row is not None:
            after = change(row.campaign_ids)
            if after != row.campaign_ids:
                self.lists.put(list_id, replace(row, campaign_ids=after))


class Platform(Protocol):
    """What seeds and tampering need of the whole simulation."""

    accounts: dict[str, Account]
    ids: Ids
    tally: Tally
    clock: Clock

    knobs: IntelePeerKnobs

    def new_id(self) -> str:
        """An id that was never used."""
        ...
