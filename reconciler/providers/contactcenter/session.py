"""One account of a portal: fetch, send, look."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from msgspec.structs import replace

from reconciler.diagnostics import Severity
from reconciler.errors import NoAnswer, NotFound, NotSent, ReadIncomplete, Rejected, Unchecked
from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import AccountLive, Standing
from reconciler.model.resources import Account
from reconciler.plan.calls import Call, ContactsChanged, Effect, Evidence, MembersAdded, MembersRemoved, Method
from reconciler.providers.base import (
    Answer,
    Concerned,
    Connection,
    Defaults,
    HealthRow,
    Operation,
    Response,
    Scope,
    Start,
    at_once,
)
from reconciler.providers.contactcenter import convert, health
from reconciler.providers.contactcenter.auth import PortalAuth
from reconciler.providers.contactcenter.client import Client
from reconciler.providers.contactcenter.codes import CODES, problem
from reconciler.providers.contactcenter.fetching import Fetch
from reconciler.providers.contactcenter.looking import Look, Memory
from reconciler.providers.contactcenter.reading import Leads, Reader
from reconciler.providers.contactcenter.settings import API, Settings, portal_url
from reconciler.providers.http import Http, pace

FRESH_S = 30.0
"""A reading older than this is done again before the first write that builds on it, unless that takes too long."""

QUICK_PAGES = 5
"""A write leaves within seconds after it was written down, so what is read in between must be little."""

STATUS_FRESH_S = 1.0
"""How long a campaign that was stopped is taken to be stopped still, while leads are added to it."""

BUSY_FRESH_S = 1.0
"""How long a lead that was in no call is taken to be in none still; as long as the read took, where that is more."""


class CampaignStarted(Rejected):
    """A campaign that was stopped when it was planned is not stopped any more. Nothing was sent."""

    code = "contactcenter-campaign-started"


class ContactCenterSession:
    """See ``base.Session``."""

    def __init__(
        self,
        account: Account,
        connection: Connection,
        defaults: Defaults,
        identity: str,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = Settings.of(account)
        self._account = account.name
        self._identity = identity
        self._now = now
        url = portal_url(account)
        self._auth = PortalAuth(
            url="/".join((url, *API, "login")),
            credentials=connection.secrets,
            domain=self._settings.domain,
            account_id=self._settings.account_id,
            suspect_s=self._settings.suspect_s,
            clock=clock,
            now=now,
        )
        self._http = Http(
            account=account.name,
            base_url=url,
            auth=self._auth,
            pace=pace(account, defaults, connection.concurrency),
            read_only=connection.read_only,
            error_text=convert.error_text,
        )
        self._client = Client(self._http, self._auth)
        self._reader = Reader(self._client, self._settings, connection.progress)
        self._memory = Memory(clock)
        self._added_at: dict[RemoteId, float] = {}
        self._look = Look(self._reader, self._memory)

    @property
    def requests(self) -> int:
        return self._http.requests

    @property
    def latency_s(self) -> float:
        return self._http.latency_s

    async def fetch(self, scope: Scope) -> AccountLive:
        before = self.requests
        fetch = Fetch(self._reader, self._client, self._settings, scope, self._account, self._now)
        found = await fetch.run(self._identity)
        self._memory.fetched(found)
        notes = found.live.notes
        if self._auth.token_account not in ("", self._settings.account_id):
            text = "the login belongs to another account than accountId names"
            notes = (*notes, problem(Severity.WARNING, "contactcenter-other-account", text, self._account))
        return replace(found.live, notes=notes, requests=self.requests - before)

    async def counts(self, lists: frozenset[RemoteId]) -> Mapping[RemoteId, int]:
        """See ``base.Counting``; one report has the totals of all campaigns (Contact centre API notes, E2)."""
        report = await self._reader.report()
        return {i: c.total for i, c in report.items() if i in lists and c.total is not None}

    async def observe(self, effect: Effect, rows: ContactSet | None) -> Evidence:
        return await self._look.at(effect, rows)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def send(self, call: Call, effect: Effect, *, start: Start = at_once) -> Answer:
        if call.method is Method.GET:
            reply = await self._client.renewing(lambda: self._http.send(call))
            return Answer(status=reply.status, body=reply.body)
        match effect:
            case MembersAdded(of=str() as campaign):
                async with self._memory.alone(RemoteId(campaign)):
                    return await self._write(call, effect, start, partial(self._check_stopped, RemoteId(campaign)))
            case _:
                return await self._write(call, effect, start)

    async def _write(
        self, call: Call, effect: Effect, start: Start, check: Callable[[], Awaitable[None]] | None = None
    ) -> Answer:
        with _nothing_sent():
            needless = await self._needless(call, effect)
        if needless:
            return Answer(status=200)
        try:
            return Answer(status=(await self._client.send(call, start, check)).status)
        except (NotFound, Rejected) as refusal:
            if await self._done_anyway(call, effect, refusal):
                return Answer(status=200)
            raise self._explained(refusal, effect) from None

    # --- for single operations, and for health

    async def call(self, operation: Operation, call: Call) -> Response:
        """See ``base.Caller``. What no plan may send goes through here, after it was approved by name."""
        return await self._client.ask(call)

    async def concerned(self, operation: Operation, call: Call) -> Concerned:
        """Whose lead it is that gets a status. A lead is named without its campaign, so all of them are looked through.

        Deleting one keeps somebody from being called, whoever it is; adding one names the number.
        """
        if operation.name != "leads.set-status":
            return Concerned()
        lead = str(call.path[-3])

        async def reached() -> ContactSet | None:
            for campaign in await self._reader.report():
                found = await self._reader.leads(campaign)
                if lead in found.ids:
                    extra = [s.number for s in found.surplus if s.lead == lead]
                    whose = found.contacts.where("contact_id", {lead})
                    return ContactSet.union_of((whose, ContactSet.from_columns({"number": extra})))
            # A portal may take another spelling of an id for the same lead.
            return None

        return Concerned(reached=reached)

    async def health(self) -> tuple[HealthRow, ...]:
        return await health.observe(self._client, self._now(), self._settings.page_size)

    # --- before a write

    async def _needless(self, call: Call, effect: Effect) -> bool:
        """Whether it is so already. Raises Rejected for what a plan cannot know: what the campaign is at right now."""
        match effect:
            case MembersAdded(of=str() as campaign):
                leads = await self._again(RemoteId(campaign))
                return leads is not None and leads.contacts.get(_number(call)) is not None
            case MembersRemoved(of=str() as campaign):
                leads = await self._as_now(RemoteId(campaign))
                if _standing(leads, str(call.path[-1])) == Standing.BUSY:
                    raise Rejected("The lead may be in a call now, and was not when the plan was made.")
                return str(call.path[-1]) not in leads.ids
            case ContactsChanged():
                if call.path[-1] == convert.NEW:
                    # The last of several locks: no plan is compiled to it.
                    raise Rejected("No plan puts a lead back in line.")
        return False

    async def _check_stopped(self, campaign: RemoteId) -> None:
        """Only for campaigns that were stopped when planned: adding to the others was approved as contacting."""
        memory = self._memory
        if campaign not in memory.planned_stopped:
            return
        seen_at = memory.reported_at
        if campaign not in memory.started and (seen_at is None or memory.clock() - seen_at > STATUS_FRESH_S):
            with _nothing_sent():
                await self._look.report()
        if campaign in memory.started:
            meaning, remedy = CODES[CampaignStarted.code]
            raise CampaignStarted(meaning, hint=remedy)

    async def _again(self, campaign: RemoteId) -> Leads | None:
        """The leads, read again before the first write after a while; None when what was read is fresh."""
        memory = self._memory
        idle_s = memory.clock() - max(memory.read_at.get(campaign, 0.0), self._added_at.get(campaign, 0.0))
        # Each write keeps it fresh: only the first one after a pause builds on something old.
        self._added_at[campaign] = memory.clock()
        return None if idle_s <= FRESH_S or not self._quick(campaign) else await self._look.leads(campaign)

    async def _as_now(self, campaign: RemoteId) -> Leads:
        """The leads as they were a moment ago; as they were seen last, where reading them takes too long."""
        memory = self._memory
        known = memory.leads.get(campaign)
        if known is not None:
            # Looking takes no longer than writing: a read is repeated when as much time has passed as it took.
            fresh_s = max(BUSY_FRESH_S, memory.took[campaign])
            if not self._quick(campaign) or memory.clock() - memory.read_at[campaign] <= fresh_s:
                return known
        return await self._look.leads(campaign)

    def _quick(self, campaign: RemoteId) -> bool:
        known = self._memory.leads.get(campaign)
        return known is not None and len(known.ids) <= QUICK_PAGES * self._settings.page_size

    # --- after a refusal

    async def _done_anyway(self, call: Call, effect: Effect, refusal: Rejected | NotFound) -> bool:
        """What a portal answers for an unknown lead is not documented: what counts is how things are (Q-13)."""
        if refusal.status not in (400, 404):
            return False
        match effect:
            case MembersRemoved(of=str() as campaign):
                lead = str(call.path[-1])
                return lead not in (await self._look.leads(RemoteId(campaign))).ids
            case ContactsChanged():
                lead = str(call.path[-3])
                campaign_of = self._memory.campaign_of(lead)
                if campaign_of is None:
                    return False
                contacts = (await self._look.leads(campaign_of)).contacts.where("contact_id", {lead})
                return list(contacts.column("status")) == [call.path[-1]]
        return False

    def _explained(self, refusal: Rejected | NotFound, effect: Effect) -> Rejected | NotFound:
        if isinstance(effect, MembersAdded) and refusal.status in (404, 405):
            text = (
                f"{refusal.message}. Leads are added with {self._settings.add_method}; some portals take the other of "
                "PUT and POST: see addLeadMethod"
            )
            return type(refusal)(text, status=refusal.status)
        return refusal


@contextmanager
def _nothing_sent() -> Iterator[None]:
    """A read before a write that fails says nothing about the write, which was not sent."""
    try:
        yield
    except (NoAnswer, NotSent, ReadIncomplete) as failure:
        raise Unchecked(f"Not sent, because it cannot be told whether it may be: {failure.message}") from None


def _number(call: Call) -> str:
    body = call.body if isinstance(call.body, dict) else {}
    return str(body.get("number", ""))


def _standing(leads: Leads, lead: str) -> str | None:
    found = leads.contacts.where("contact_id", {lead})
    others = (s.standing for s in leads.surplus if s.lead == lead)
    return next(iter(found.column("standing")), next(others, None))
