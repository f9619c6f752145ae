"""One account over the wire: reads it, sends the calls of a plan, and looks whether they took effect."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import Rejected
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import AccountLive
from reconciler.model.resources import Account
from reconciler.plan.calls import Call, Created, Effect, Evidence, Method
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
from reconciler.providers.http import Http, base_url, pace
from reconciler.providers.intelepeer import answers, client, dialling, people
from reconciler.providers.intelepeer.auth import auth_for
from reconciler.providers.intelepeer.endpoints import BASE, Action, action_of
from reconciler.providers.intelepeer.health import observe
from reconciler.providers.intelepeer.looking import Memory, look
from reconciler.providers.intelepeer.reading import read_account
from reconciler.providers.intelepeer.wire import accepted, error_text, inner_failure


class IntelePeerSession:
    """Implements ``providers.base.Session``. No request is sent before the first read or write, the login included."""

    def __init__(self, account: Account, connection: Connection, defaults: Defaults) -> None:
        # The API's own path is part of every call, so a base URL may have it or not.
        self._base_url = base_url(account, defaults).removesuffix("/" + "/".join(BASE))
        self._account = account.name
        self._progress = connection.progress
        self._memory = Memory()
        self._http = Http(
            account=account.name,
            base_url=self._base_url,
            auth=auth_for(account, connection.secrets, self._base_url),
            pace=pace(account, defaults, connection.concurrency),
            read_only=connection.read_only,
            error_text=error_text,
            # Asked for on every request, those without a body included.
            headers={"content-type": "application/json"},
        )

    @property
    def requests(self) -> int:
        return self._http.requests

    @property
    def latency_s(self) -> float:
        return self._http.latency_s

    async def fetch(self, scope: Scope) -> AccountLive:
        """Two listings, and one request for each list that somebody needs to know more about."""
        return await read_account(self._http, self._account, self._base_url, scope, self._progress)

    async def send(self, call: Call, effect: Effect, *, start: Start = at_once) -> Answer:
        """Send one call, once, and judge the answer by what it should be: a new object, a list, or ``true``."""
        if call.method is Method.GET:
            reply = await self._http.send(call)
            return Answer(status=reply.status, body=reply.body)
        if call.path[-1] == "uploadcontacts":
            return await self._upload(call, start)
        reply = await self._http.send(call, start=start)
        if isinstance(effect, Created):
            if effect.kind is Kind.LIST:
                made = answers.created_list(reply, _headers(call)).remote_id
            else:
                made = answers.created_campaign(reply).remote_id
            return Answer(status=reply.status, body=reply.body, remote_id=made)
        if call.path[-1] == "action" or call.method is Method.DELETE:
            answers.require_true(reply, action_of(call) or "a deletion")
        else:
            answers.refuse_inner_failure(reply)
        if action_of(call) == Action.PUBLISH:
            self._memory.published.add(RemoteId(str(call.path[-2])))
        return Answer(status=reply.status, body=reply.body)

    async def _upload(self, call: Call, start: Start) -> Answer:
        list_id = RemoteId(str(call.path[-2]))
        self._memory.upload_starts(list_id)
        reply = await client.send_upload(self._http, call, start)
        uploaded = answers.uploaded_list(reply)
        if uploaded.contact_ids is not None:
            self._memory.after[list_id] = uploaded.contact_ids
        return Answer(status=reply.status, body=reply.body)

    async def observe(self, effect: Effect, rows: ContactSet | None) -> Evidence:
        """Look, without writing, whether ``effect`` is true now."""
        return await look(self._http, effect, rows, self._memory)

    async def call(self, operation: Operation, call: Call) -> Response:
        """See ``base.Caller``. An error inside a 200 is the error that it says it is."""
        said = await self._http.ask(call)
        if said.failure is not None:
            return said
        if status := inner_failure(said.body):
            inner = Rejected(f"IntelePeer answered {said.status} with an error inside, status {status}.", status=status)
            return Response(status=status, body=said.body, failure=inner)
        if accepted(said.body) is False:
            no = Rejected(f"IntelePeer answered {said.status} with false: it was not done.", status=said.status)
            return Response(status=said.status, body=said.body, failure=no)
        return said

    async def concerned(self, operation: Operation, call: Call) -> Concerned:
        """Which person a contact id stands for cannot be read; which lists are contacted can."""
        return await people.concerned(self._http, operation, call)

    async def health(self) -> tuple[HealthRow, ...]:
        return await observe(self._http, self._progress)

    dial_operation = "campaigns.run"

    async def prepare(self, campaign: RemoteId) -> Dial:
        """See ``base.Dialler``."""
        return await dialling.prepare(self._http, campaign)

    async def dial(self, dial: Dial) -> None:
        """Contacts people. Nothing but ``reconciler dial`` may come here."""
        await dialling.dial(self._http, dial)

    async def evidence(self, campaign: RemoteId, before: Mapping[str, str]) -> Sent:
        return await dialling.evidence(self._http, campaign, before)

    async def aclose(self) -> None:
        await self._http.aclose()


def _headers(call: Call) -> tuple[str, ...] | None:
    """The headers that a list was to be created with; None when it was left to IntelePeer."""
    headers = call.body.get("headers") if isinstance(call.body, Mapping) else None
    return tuple(str(h) for h in headers) if isinstance(headers, tuple) else None
