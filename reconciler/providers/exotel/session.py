"""One account: fetch, send, look."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from msgspec.structs import replace

from reconciler.errors import CredentialsRefused, Exit, NoAnswer, NotFound, ProviderError, ReadIncomplete, Rejected
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import AccountLive
from reconciler.model.resources import Account
from reconciler.plan.calls import (
    Call,
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
    Method,
)
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
from reconciler.providers.exotel import answers, calls, convert, forms, health, people
from reconciler.providers.exotel.answers import CONFLICT, Item, Row
from reconciler.providers.exotel.bulk import Bulk
from reconciler.providers.exotel.campaigns import CALLBACKS
from reconciler.providers.exotel.checks import CLOSED, EARLIEST, send_at
from reconciler.providers.exotel.client import WRONG_REGION, Client
from reconciler.providers.exotel.codes import CODES
from reconciler.providers.exotel.convert import CAMPAIGN_IDS, LIST_IDS, OPEN, SCHEDULED, lists_of, status_of
from reconciler.providers.exotel.fetching import Fetch, with_members
from reconciler.providers.exotel.joining import Joining
from reconciler.providers.exotel.looking import Look, Seen
from reconciler.providers.exotel.reading import Reader
from reconciler.providers.exotel.settings import Settings
from reconciler.providers.exotel.uploading import Uploads
from reconciler.providers.http import Http, Reply, StaticAuth, base_url, pace

YOUNG_LIST_PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Between tries of a campaign create that does not see its lists yet (H19)."""

Pause = Callable[[float], Awaitable[None]]
Check = Callable[[], Awaitable[None]]


class CampaignAstray(ProviderError):
    """A campaign is not as it was asked for, and may be calling people: a person has to look."""

    exit_code = Exit.UNRESOLVED
    code = "exotel-campaign-astray"


class TooNear(Rejected):
    """A campaign would start too soon, or is about to. Nothing was sent."""

    code = "exotel-schedule-too-near"


def utc_now() -> datetime:
    return datetime.now(UTC)


class ExotelSession:
    """See ``base.Session``. What answers told of contacts and campaigns is kept, for the looks that come after."""

    def __init__(
        self,
        account: Account,
        connection: Connection,
        defaults: Defaults,
        identity: str,
        now: Callable[[], datetime] = utc_now,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._settings = Settings.of(account)
        self._account = account.name
        self._identity = identity
        self._now = now
        self._pause = pause
        limits = pace(account, defaults, connection.concurrency)
        secrets = connection.secrets
        pair = f"{secrets['apiKey'].reveal()}:{secrets['apiToken'].reveal()}"
        self._http = Http(
            account=account.name,
            base_url=base_url(account, defaults),
            # In a header and never in the address, where the vendor's samples have it (H27).
            auth=StaticAuth({"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}),
            pace=limits,
            read_only=connection.read_only,
            error_text=answers.error_text,
            form=forms.written,
        )
        self._client = Client(self._http, self._settings.sid)
        self._reader = Reader(self._client, self._settings, limits.concurrency, connection.progress)
        self._seen = Seen()
        self._look = Look(self._reader, self._client, self._seen)
        self._joining = Joining(self._reader, now)
        self._uploads = Uploads(self._client, account.name, connection.progress, pause)
        self._bulk = Bulk(self._sent, lambda round_: self._pause(0.5 * round_), self._seen)

    @property
    def requests(self) -> int:
        return self._http.requests

    @property
    def latency_s(self) -> float:
        return self._http.latency_s

    async def fetch(self, scope: Scope) -> AccountLive:
        before = self.requests
        live = await Fetch(self._reader, scope, self._account, self._now()).run(self._identity)
        self._seen.lists = sum(1 for kind, _ in live.objects if kind is Kind.LIST)
        self._joining.planned(live)
        self._seen.campaigns.update({i: o for (kind, i), o in live.objects.items() if kind is Kind.CAMPAIGN})
        return replace(live, requests=self.requests - before)

    async def with_members(self, live: AccountLive, lists: frozenset[RemoteId]) -> AccountLive:
        """See ``base.ReadsMembers``."""
        return await with_members(self._reader, self._account, live, lists)

    async def counts(self, lists: frozenset[RemoteId]) -> Mapping[RemoteId, int]:
        """See ``base.Counting``; the total beside one member (Exotel API notes, E8)."""
        return await self._reader.counts(lists)

    async def observe(self, effect: Effect, rows: ContactSet | None) -> Evidence:
        if isinstance(effect, MembersAdded) and rows is not None and self._uploads.unanswered(effect):
            return await self._uploads.landed(effect, rows, self._look)
        return await self._look.at(effect, rows)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def call(self, operation: Operation, call: Call) -> Response:
        """See ``base.Caller``. An answer is judged by its entries: a conflict may come as 200."""
        response = await self._http.ask(call)
        if response.failure is not None or call.method is Method.GET:
            return response
        try:
            failed = [item for item in answers.items(response.body) if not item.ok]
        except ReadIncomplete:
            return response
        return replace(response, failure=answers.failure(failed[0])) if failed else response

    async def concerned(self, operation: Operation, call: Call) -> Concerned:
        return await people.concerned(self._reader, self._client, operation, call)

    async def health(self) -> tuple[HealthRow, ...]:
        return await health.observe(self._reader, self._now())

    # --- writes

    async def send(self, call: Call, effect: Effect, *, start: Start = at_once) -> Answer:
        match effect:
            case MembersAdded(of=str() as list_id) if self._joining.used(RemoteId(list_id)):
                check = partial(self._joining.check, RemoteId(list_id))
                async with self._joining.turn(RemoteId(list_id)):
                    return await self._add_members(call, effect, start, check)
            case MembersAdded():
                return await self._add_members(call, effect, start)
            case ContactsCreated() | ContactsChanged():
                return await self._bulk.run(call, effect, start)
            case Created(kind=Kind.CAMPAIGN):
                return await self._create_campaign(call, start)
            case Created():
                return await self._create_list(call, effect, start)
            case MembersRemoved() | Deleted():
                try:
                    return await self._single(call, start)
                except NotFound as gone:
                    # Already gone is what was wanted.
                    return Answer(status=gone.status)
            case Changed(kind=Kind.CAMPAIGN) | Linked():
                self._check_edit(call, effect)
        return await self._single(call, start)

    async def _add_members(self, call: Call, effect: MembersAdded, start: Start, check: Check | None = None) -> Answer:
        """E7, or E10 for a first load. ``check`` raises what forbids a request by now."""
        if calls.is_upload(call):
            return await self._uploads.run(call, effect, partial(self._sent, start=start, check=check))
        return await replace(self._bulk, send=partial(self._sent, check=check)).run(call, effect, start)

    async def _sent(self, call: Call, start: Start = at_once, *, check: Check | None = None) -> Reply:
        """Raises as the core does; a write whose answer makes no sense is unknown, not failed."""
        try:
            reply = await self._http.send(call, start=start, check=check)
            answers.items(reply.body)
        except ReadIncomplete as unreadable:
            raise NoAnswer(unreadable.message) from None
        except CredentialsRefused as refused:
            refused.hint = WRONG_REGION
            raise
        return reply

    async def _single(self, call: Call, start: Start) -> Answer:
        reply = await self._sent(call, start)
        return Answer(status=reply.status, body=self._one(reply))

    def _one(self, reply: Reply) -> Row:
        try:
            return answers.single(reply.body)
        except ReadIncomplete as unreadable:
            raise NoAnswer(unreadable.message) from None

    async def _create_list(self, call: Call, effect: Created, start: Start) -> Answer:
        (answer,) = await self.send_together(call, (effect,), start=start)
        if isinstance(answer, ProviderError):
            raise answer
        return answer

    async def send_together(
        self, call: Call, effects: tuple[Effect, ...], *, start: Start = at_once
    ) -> tuple[Answer | ProviderError, ...]:
        """See ``base.WritesTogether``: E1 and E5. Names are unique: a new list that turns out to be there is taken, if
        it was not there when we planned."""
        items = await self._bulk.judged(call, start)
        taken = {at: e for at, e in enumerate(effects) if isinstance(e, Created) and items[at].code == CONFLICT}
        try:
            looks = await self._look.together(tuple(taken.values()))
        except ProviderError as failure:
            # The others are judged already: whoever sent these looks again.
            looks = (Evidence(state=Evidence.State.AMBIGUOUS, detail=failure.message),) * len(taken)
        namesakes = dict(zip(taken, looks, strict=True))
        return tuple(self._judged(effects[at], item, namesakes.get(at)) for at, item in enumerate(items))

    def _judged(self, effect: Effect, item: Item, namesake: Evidence | None) -> Answer | ProviderError:
        if not item.ok:
            if namesake is not None and namesake.state is Evidence.State.HOLDS:
                return Answer(status=CONFLICT, remote_id=namesake.remote_id)
            if namesake is not None and namesake.state is Evidence.State.AMBIGUOUS:
                return NoAnswer(namesake.detail)
            return answers.failure(item)
        if not isinstance(effect, Created):
            return Answer(status=item.code, body=item.data)
        remote_id = convert.id_of(item.data, LIST_IDS)
        if remote_id is None:
            return NoAnswer(f"{self._account} answered a create without the id of what it made.")
        return Answer(status=item.code, body=item.data, remote_id=remote_id)

    async def observe_together(self, effects: tuple[Effect, ...]) -> tuple[Evidence, ...]:
        return await self._look.together(effects)

    def _new_id(self, row: Row, names: tuple[str, ...]) -> RemoteId:
        found = convert.id_of(row, names)
        if found is None:
            raise NoAnswer(f"{self._account} answered a create without the id of what it made.")
        return found

    # --- campaigns

    async def _create_campaign(self, call: Call, start: Start) -> Answer:
        """Repeated only when Exotel says that it does not know a list: then it made nothing (H19)."""
        starts = send_at(calls.only_entry(call, "campaigns"))
        for wait_s in (*YOUNG_LIST_PAUSES_S, None):
            if starts is None or starts < self._now() + EARLIEST:
                raise _too_near()
            try:
                reply = await self._sent(call, start)
                row = self._one(reply)
            except NotFound:
                if wait_s is None:
                    raise
                await self._pause(wait_s)
                continue
            remote_id = self._new_id(row, CAMPAIGN_IDS)
            self._check_echo(call, row, remote_id)
            return Answer(status=reply.status, body=row, remote_id=remote_id)
        raise AssertionError("the last try returns or raises")

    def _check_edit(self, call: Call, effect: Changed | Linked) -> None:
        """Refuses what a plan cannot know: how near a campaign's time is at this moment. It was looked at just now."""
        entry = calls.only_entry(call, "campaigns")
        if "action" in entry or set(entry) <= CALLBACKS:
            return
        target = effect.target if isinstance(effect, Changed) else effect.campaign
        live = self._seen.campaigns.get(RemoteId(str(target)))
        before, after = send_at(live.fields) if live is not None else None, send_at(entry)
        moved = after is not None and after != before
        if before is not None and before < self._now() + CLOSED:
            raise _too_near()
        if moved and after is not None and after < self._now() + EARLIEST:
            raise _too_near()

    def _check_echo(self, call: Call, row: Row, remote_id: RemoteId) -> None:
        """A campaign that came back otherwise than it was asked for may be calling the wrong people, or now."""
        echo = convert.campaign_of({**row, "id": remote_id}, self._settings.sid)
        wanted = calls.only_entry(call, "campaigns")
        lists = wanted.get("lists")
        found = []
        if "status" in row and status_of(echo) != SCHEDULED:
            found.append(f"is {status_of(echo) or 'in no status'}" + (", open" if status_of(echo) in OPEN else ""))
        if "lists" in row and isinstance(lists, tuple) and lists_of(echo) != {str(x) for x in lists}:
            found.append("has other lists")
        if "schedule" in row and send_at(echo.fields) != send_at(wanted):
            found.append("has another send_at")
        if found:
            text = f"Campaign {remote_id} was created and {' and '.join(found)}: it may be calling people."
            raise CampaignAstray(text, hint=CODES[CampaignAstray.code][1])


def _too_near() -> TooNear:
    meaning, remedy = CODES[TooNear.code]
    return TooNear(meaning, hint=remedy)
