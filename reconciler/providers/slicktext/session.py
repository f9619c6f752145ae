"""One brand, logged in: fetch, send, look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from reconciler.errors import Exit, NoAnswer, ProviderError, Rejected
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import OPTED_OUT, AccountLive, Observed
from reconciler.model.resources import Account
from reconciler.plan.calls import (
    Call,
    Changed,
    ContactsCreated,
    Created,
    Effect,
    Evidence,
    Linked,
    MembersAdded,
    Method,
)
from reconciler.providers.base import (
    Answer,
    Concerned,
    Connection,
    Defaults,
    Dial,
    HealthRow,
    Operation,
    Response,
    Scope,
    Sent,
    Start,
    at_once,
)
from reconciler.providers.http import Http, StaticAuth, base_url, pace
from reconciler.providers.slicktext import convert, dialling, health, people
from reconciler.providers.slicktext.audience import freeze
from reconciler.providers.slicktext.checks import moment
from reconciler.providers.slicktext.client import Client
from reconciler.providers.slicktext.codes import CODES
from reconciler.providers.slicktext.convert import CAMPAIGN_IDS, CONTACT_IDS, LIST_IDS, status_of
from reconciler.providers.slicktext.fetching import Fetch, with_members
from reconciler.providers.slicktext.looking import Look
from reconciler.providers.slicktext.reading import Reader
from reconciler.providers.slicktext.settings import Settings

EARLIEST = timedelta(minutes=15)
"""How far ahead of being written a campaign's time must be (H1)."""


class CampaignAstray(ProviderError):
    """A campaign is not in the state that was asked for, and may be sending: a person has to look."""

    exit_code = Exit.UNRESOLVED
    code = "slicktext-unexpected-status"


class FieldLost(CampaignAstray):
    """An edit changed a field that it did not name (H16)."""

    code = "slicktext-field-lost"


class TooNear(Rejected):
    """A campaign would be scheduled for too soon. Nothing was sent."""

    code = "slicktext-schedule-too-near"


class Frozen(Rejected):
    """A scheduled campaign is about to go to this list. Nothing was sent."""

    code = "slicktext-freeze-window"


def utc_now() -> datetime:
    return datetime.now(UTC)


class SlickTextSession:
    """See ``base.Session``. What was last seen of campaigns is kept, for the checks that come before a write."""

    def __init__(
        self,
        account: Account,
        connection: Connection,
        defaults: Defaults,
        identity: str,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = Settings.of(account)
        self._account = account.name
        self._identity = identity
        self._now = now
        limits = pace(account, defaults, connection.concurrency)
        self._http = Http(
            account=account.name,
            base_url=base_url(account, defaults),
            auth=StaticAuth({"authorization": f"Bearer {connection.secrets['apiKey'].reveal()}"}),
            pace=limits,
            read_only=connection.read_only,
            error_text=convert.error_text,
            reset_header="x-RateLimit-Reset",
        )
        self._client = Client(self._http, self._settings.brand)
        self._reader = Reader(self._client, self._settings, limits.concurrency, connection.progress)
        self._campaigns: dict[RemoteId, Observed] = {}
        self._seen_all = False
        self._sizes: dict[RemoteId, int] = {}
        self._look = Look(self._reader, self._client, self._settings, self._campaigns, self._sizes)

    @property
    def requests(self) -> int:
        return self._http.requests

    @property
    def latency_s(self) -> float:
        return self._http.latency_s

    async def fetch(self, scope: Scope) -> AccountLive:
        before = self.requests
        live = await Fetch(self._reader, self._client, scope, self._account, self._settings.brand).run(self._identity)
        self._remember({i: o for (kind, i), o in live.objects.items() if kind is Kind.CAMPAIGN})
        self._sizes.update({list_id: members.count for list_id, members in live.members.items()})
        return replace(live, requests=self.requests - before)

    async def with_members(self, live: AccountLive, lists: frozenset[RemoteId]) -> AccountLive:
        """See ``base.ReadsMembers``."""
        more = await with_members(self._reader, self._account, live, lists)
        self._sizes.update({x: more.members[x].count for x in lists if x in more.members})
        return more

    async def counts(self, lists: frozenset[RemoteId]) -> Mapping[RemoteId, int]:
        """See ``base.Counting``; every status counts (SlickText API notes, L6)."""
        return await self._reader.counts(lists)

    async def observe(self, effect: Effect, rows: ContactSet | None) -> Evidence:
        return await self._look.at(effect, rows)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def call(self, operation: Operation, call: Call) -> Response:
        """See ``base.Caller``. What no plan may send goes through here, after it was approved by name."""
        return await self._http.ask(call)

    async def concerned(self, operation: Operation, call: Call) -> Concerned:
        return await people.concerned(self._reader, self._client, operation, call)

    async def health(self) -> tuple[HealthRow, ...]:
        return await health.observe(self._reader, self._client, self._now())

    dial_operation = ""

    async def prepare(self, campaign: RemoteId) -> Dial:
        """See ``base.Dialler``."""
        return await dialling.prepare(self._reader, self._settings.brand, campaign)

    async def dial(self, dial: Dial) -> None:
        """Texts people. Nothing but ``reconciler dial`` may come here."""
        await dialling.dial(self._http, dial)

    async def evidence(self, campaign: RemoteId, before: Mapping[str, str]) -> Sent:
        return await dialling.evidence(self._reader, campaign, before)

    async def send(self, call: Call, effect: Effect, *, start: Start = at_once) -> Answer:
        await self._check(call, effect)
        try:
            reply = await self._http.send(call, start=start)
        except Rejected as refused:
            if isinstance(effect, ContactsCreated) and (answer := await self._there_already(call, refused)):
                return answer
            raise
        body = reply.body
        match effect:
            case Created(kind=Kind.LIST):
                return Answer(status=reply.status, body=body, remote_id=self._new_id(body, LIST_IDS))
            case Created():
                remote_id = self._new_id(body, CAMPAIGN_IDS)
                self._check_echo(call, body, remote_id)
                return Answer(status=reply.status, body=body, remote_id=remote_id)
            case ContactsCreated():
                return Answer(status=reply.status, body=body, remote_id=self._new_id(body, CONTACT_IDS))
            case Changed(kind=Kind.CAMPAIGN, target=str() as remote_id) | Linked(campaign=str() as remote_id):
                self._check_echo(call, body, remote_id)
        return Answer(status=reply.status, body=body)

    # --- before a write

    async def _check(self, call: Call, effect: Effect) -> None:
        """Refuses what a plan cannot know: how near a campaign's time is at this moment."""
        match effect:
            case Created(kind=Kind.CAMPAIGN) | Changed(kind=Kind.CAMPAIGN) | Linked():
                self._check_campaign(call)
            case MembersAdded():
                await self._check_freeze(call)
            case _:
                return

    def _check_campaign(self, call: Call) -> None:
        body = call.body if isinstance(call.body, Mapping) else {}
        status = body.get("status")
        if status not in ("draft", "scheduled"):
            # The last of several locks: no plan is compiled to anything else.
            raise Rejected("A campaign is written as a draft or as scheduled and in no other status.")
        if status == "scheduled":
            at = moment(body.get("scheduled"))
            if at is None or at < self._now() + EARLIEST:
                meaning, remedy = CODES[TooNear.code]
                raise TooNear(meaning, hint=remedy)

    async def _check_freeze(self, call: Call) -> None:
        """Only for adds: taking people off a list protects them at any time."""
        if not self._seen_all:
            self._remember(await self._reader.campaigns())
        entries = call.body if isinstance(call.body, tuple) else ()
        lists = {str(x) for e in entries if isinstance(e, Mapping) for x in _tuple(e.get("lists"))}
        if found := freeze(self._campaigns.values(), lists, self._now(), self._settings.freeze):
            raise Frozen(f"Not sent: {found.reason}.", hint=CODES[Frozen.code][1])

    def _remember(self, campaigns: Mapping[RemoteId, Observed]) -> None:
        self._campaigns.clear()
        self._campaigns.update(campaigns)
        self._seen_all = True

    # --- after a write

    def _new_id(self, body: Any, names: tuple[str, ...]) -> RemoteId:
        if isinstance(body, Mapping):
            convert.check_brand(body, self._settings.brand)
        found = convert.id_of(body, names)
        if found is None:
            raise NoAnswer(f"{self._account} answered a create without the id of what it made.")
        return found

    async def _there_already(self, call: Call, refused: Rejected) -> Answer | None:
        """The contact that a refused create was for, where there is exactly one and it has not opted out.

        The texts of refusals are no contract (SlickText API notes, 1.8), so nothing is read out of them: whoever is
        found with the number is there. Somebody made the contact since the plan, or the plan's look-up passed it over.
        """
        number = call.body.get("mobile_number") if isinstance(call.body, Mapping) else None
        if not isinstance(number, str):
            return None
        try:
            found, several = await self._reader.look_up(ContactSet.from_columns({"number": [number]}))
        except ProviderError:
            return None  # the refusal is what there is to tell
        row = next(found.rows(), None)
        if row is None or several or row["status"] == OPTED_OUT or row["contact_id"] is None:
            return None
        return Answer(status=refused.status or 0, remote_id=RemoteId(row["contact_id"]))

    def _check_echo(self, call: Call, body: Any, remote_id: RemoteId) -> None:
        """A campaign that came back in another status than was asked for may be sending already [A-9]."""
        if call.method is Method.DELETE or not isinstance(body, Mapping) or not isinstance(call.body, Mapping):
            return
        row = body["data"] if isinstance(body.get("data"), Mapping) else body
        if "status" not in row:
            return
        echo = convert.campaign_of({**row, "campaign_id": remote_id}, self._settings.brand)
        wanted = call.body.get("status")
        if status_of(echo) != wanted:
            found = status_of(echo) or "in no status"
            raise CampaignAstray(
                f"Campaign {remote_id} was to be {wanted} and is {found}: it may be sending.",
                hint=CODES[CampaignAstray.code][1],
            )
        before = self._campaigns.get(remote_id)
        untouched = [n for n in ("name", "body", "media_url") if n in row and n not in call.body]
        lost = [n for n in untouched if before is not None and before.fields.get(n) != echo.fields.get(n)]
        self._campaigns[remote_id] = echo
        if lost:
            raise FieldLost(
                f"Campaign {remote_id}: {', '.join(lost)} changed with an edit that did not name it.",
                hint=CODES[FieldLost.code][1],
            )


def _tuple(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()
