"""Looking, without writing, whether what a call should have made true is true."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from msgspec import Struct, field

from reconciler.errors import NotFound, ReadIncomplete, Rejected
from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import Standing
from reconciler.plan.calls import (
    Changed,
    ContactsChanged,
    ContactsCreated,
    Created,
    Deleted,
    Effect,
    Evidence,
    Linked,
    MembersAdded,
    MembersRemoved,
)
from reconciler.providers.contactcenter.convert import Campaign, respelt
from reconciler.providers.contactcenter.fetching import Fetched
from reconciler.providers.contactcenter.reading import TRIES, Leads, Reader
from reconciler.providers.evidence import known, left

State = Evidence.State


class Memory(Struct):
    """What was seen last: leads and when, by campaign; and which campaigns were stopped when the plan was made.

    ``took`` is how long the last read of the leads lasted. ``known`` are the leads that were there when the plan was
    made: what is new since may be ours. ``started`` are the planned campaigns that were seen not to be stopped any
    more; they stay that until the next plan. ``reported_at`` is when the report was read since the plan, if it was.
    ``clock`` is monotonic, in seconds.
    """

    clock: Callable[[], float] = time.monotonic
    leads: dict[RemoteId, Leads] = field(default_factory=dict)
    read_at: dict[RemoteId, float] = field(default_factory=dict)
    took: dict[RemoteId, float] = field(default_factory=dict)
    known: dict[RemoteId, AbstractSet[str]] = field(default_factory=dict)
    planned_stopped: frozenset[RemoteId] = frozenset()
    started: frozenset[RemoteId] = frozenset()
    reported_at: float | None = None
    _alone: dict[RemoteId, asyncio.Lock] = field(default_factory=dict)

    def fetched(self, found: Fetched) -> None:
        self.leads.clear()
        for campaign, leads in found.leads.items():
            self.seen(campaign, leads)
        self.known = {campaign: leads.ids for campaign, leads in found.leads.items()}
        self.planned_stopped = frozenset(i for i, c in found.campaigns.items() if c.stopped)
        self.started, self.reported_at = frozenset(), None

    def seen(self, campaign: RemoteId, leads: Leads, took: float = 0.0) -> None:
        if _moved(self.leads.get(campaign), leads):
            # Somebody is being called, so what the report said of the campaign is over.
            self.reported_at = None
        self.leads[campaign] = leads
        self.read_at[campaign] = self.clock()
        self.took[campaign] = took

    def reported(self, found: Mapping[RemoteId, Campaign]) -> None:
        self.reported_at = self.clock()
        stopped = {i for i, c in found.items() if c.stopped}
        self.started |= self.planned_stopped - stopped

    def alone(self, campaign: RemoteId) -> asyncio.Lock:
        """Held while somebody is added to the campaign, and while one who may have been added is looked for: whoever is
        added in between would make the leads fewer than the report says."""
        return self._alone.setdefault(campaign, asyncio.Lock())

    def campaign_of(self, lead: str) -> RemoteId | None:
        """The campaign that a lead was last seen in."""
        return next((c for c, leads in self.leads.items() if lead in leads.ids), None)


class Look:
    """Looks for one account."""

    def __init__(self, reader: Reader, memory: Memory) -> None:
        self._reader = reader
        self._memory = memory

    async def at(self, effect: Effect, rows: ContactSet | None) -> Evidence:
        """See ``base.Session.observe``."""
        people = rows if rows is not None else ContactSet.empty()
        try:
            match effect:
                case MembersAdded(of=of):
                    async with self._memory.alone(known(of)):
                        return await self._added(known(of), people)
                case MembersRemoved(of=of):
                    return await self._removed(known(of), people)
                case ContactsChanged(columns=columns):
                    return await self._changed(columns, people)
                case Created() | Changed() | Deleted() | Linked() | ContactsCreated():
                    raise ValueError(f"nothing of this portal is ever {type(effect).__name__.lower()}")
        except ReadIncomplete as failure:
            # Half a look is no ground to send anything again.
            return Evidence(state=State.AMBIGUOUS, detail=failure.message)
        except (NotFound, Rejected):
            return Evidence(state=State.DIFFERS, detail="the campaign cannot be read any more")

    async def leads(self, campaign: RemoteId) -> Leads:
        """A campaign's leads as they are now."""
        started_at = self._memory.clock()
        found = await self._reader.leads(campaign)
        self._memory.seen(campaign, found, self._memory.clock() - started_at)
        return found

    async def report(self) -> Mapping[RemoteId, Campaign]:
        """The campaigns as they are now."""
        found = await self._reader.report()
        self._memory.reported(found)
        return found

    async def _added(self, campaign: RemoteId, rows: ContactSet) -> Evidence:
        """Who is not among the leads is not there only if these are all, by a total that was read after them."""
        for _ in range(TRIES):
            found = await self.leads(campaign)
            missing = rows.without(found.contacts)
            if not missing:
                return Evidence(state=State.HOLDS)
            now = (await self.report()).get(campaign)
            if now is None or len(found.ids) >= (now.total or 0):
                return self._missing(campaign, found, rows, missing)
        detail = "not found, but not all leads can be read"
        return Evidence(state=State.AMBIGUOUS, remaining=missing, detail=detail)

    def _missing(self, campaign: RemoteId, found: Leads, rows: ContactSet, missing: ContactSet) -> Evidence:
        strangers = found.contacts.where("contact_id", self._memory.known.get(campaign, ()), keep=False)
        others = list(strangers.numbers())
        if any(respelt(number, others) for number in missing.numbers()):
            detail = "the portal stored another number than was sent (contactcenter-number-rewritten)"
            return Evidence(state=State.AMBIGUOUS, remaining=missing, detail=detail)
        if campaign in self._memory.started:
            detail = "not found, and the campaign is not stopped any more"
            return Evidence(state=State.DIFFERS, remaining=missing, detail=detail)
        return left(rows, missing)

    async def _removed(self, campaign: RemoteId, rows: ContactSet) -> Evidence:
        found = await self.leads(campaign)
        there = {lead for lead in rows.column("contact_id") if lead in found.ids}
        return left(rows, rows.where("contact_id", there))

    async def _changed(self, columns: tuple[str, ...], rows: ContactSet) -> Evidence:
        remaining = []
        for campaign in sorted({x for x in rows.column("campaign_id") if x}):
            found = await self.leads(RemoteId(campaign))
            here = rows.where("campaign_id", {campaign})
            gone = here.without(found.contacts)
            remaining += [here.changed(found.contacts, columns), gone]
        return left(rows, ContactSet.union_of(remaining))


def _moved(before: Leads | None, now: Leads) -> bool:
    """Whether somebody who was waiting in line is not any more."""
    if before is None:
        return False
    waiting = before.contacts.where("standing", {Standing.WAITING})
    return bool(now.contacts.where("standing", {Standing.WAITING}, keep=False).within(waiting))
