"""The documented endpoints as thin functions, E1 (the login) left out; and the second try that a dead token is worth.

A portal may answer a dead token with 400, the only client error that its documents know. A request that was refused was
not processed [A-21], so it is repeated once after a new login, whatever its method.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from reconciler.errors import CredentialsRefused, NotFound, ReadIncomplete, Rejected
from reconciler.model.addresses import RemoteId
from reconciler.plan.calls import Call, Method
from reconciler.providers.base import Response, Start, at_once
from reconciler.providers.contactcenter import leads
from reconciler.providers.contactcenter.auth import PortalAuth
from reconciler.providers.contactcenter.calls import CAMPAIGNS, REPORTS
from reconciler.providers.contactcenter.convert import Campaign, campaigns_of, decode_report
from reconciler.providers.contactcenter.leads import LeadPage
from reconciler.providers.http import Http, Reply

Value = TypeVar("Value")
Query = Sequence[tuple[str, str]]

_WRONG_PLACE = "Check the account's baseUrl: this is no portal of this API, or another version of it."


class Client:
    """One account of a portal."""

    def __init__(self, http: Http, auth: PortalAuth) -> None:
        self._http = http
        self._auth = auth

    async def campaigns(self) -> dict[RemoteId, Campaign]:
        """E2: every campaign with its status and its counts of leads."""
        return campaigns_of(await self._read(*REPORTS, "status", decode=decode_report))

    async def leads(self, campaign: RemoteId, size: int, cursor: str = "") -> LeadPage:
        """E3: one page of a campaign's leads. Raises NotFound or Rejected for a campaign that is not there."""
        query = [("page_size", str(size)), *([("next_start_key", cursor)] if cursor else [])]
        path = (*CAMPAIGNS, campaign, "leads")
        page: LeadPage = (await self.renewing(lambda: self._http.get(*path, query=query, decode=leads.decode))).body
        return page

    async def queues(self) -> list[Mapping[str, Any]]:
        """E4: the queues and their agents, as they are now. A single one may come without its array."""
        body = await self._read("callcenter", "queues", "status")
        rows = [body] if isinstance(body, Mapping) else body or []
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise ReadIncomplete("The portal answered the queues in an unknown shape.")
        return rows

    async def activity(self, start: int, end: int, size: int, cursor: str = "") -> Any:
        """E5: calls of all campaigns between two Unix times. The document's example misspells ``startDate``."""
        query = [("startDate", str(start)), ("endDate", str(end)), ("pageSize", str(size))]
        return await self._read(*REPORTS, "history", query=[*query, *([("startKey", cursor)] if cursor else [])])

    async def send(
        self, call: Call, start: Start = at_once, check: Callable[[], Awaitable[None]] | None = None
    ) -> Reply:
        """E6 to E9. The status alone decides: a sentence that cannot be read must not make a done thing undone.

        ``check`` raises what forbids it, ``start`` has the last word; see ``Http.send``.
        """
        return await self.renewing(
            lambda: self._http.send(call, decode=lambda raw: None, start=start, check=check), write=True
        )

    async def ask(self, call: Call) -> Response:
        """Any endpoint, for whoever wants the answer itself; a token that died is renewed here as well."""
        login = self._auth.logins or 1
        response = await self._http.ask(call)
        failure = response.failure
        if not isinstance(failure, Rejected | CredentialsRefused):
            return response
        if not self._dead(failure, login, write=call.method is not Method.GET):
            return response
        self._auth.discard(login)
        return await self._http.ask(call)

    async def _read(self, *path: str, query: Query = (), decode: Callable[[bytes], Any] = msgspec.json.decode) -> Any:
        try:
            # No read is answered with nothing, so an empty body is a cut one and read again.
            return (await self.renewing(lambda: self._http.get(*path, query=query, decode=decode))).body
        except (NotFound, Rejected) as failure:
            if failure.status in (404, 405):
                raise ReadIncomplete(failure.message, hint=_WRONG_PLACE, status=failure.status) from None
            raise

    async def renewing(self, act: Callable[[], Awaitable[Value]], *, write: bool = False) -> Value:
        """``act``, and once more after a new login where its refusal may mean that the token died.

        401, and 403 of reads, are renewed by the HTTP core already.
        """
        # Before anybody logged in, the request itself did.
        login = self._auth.logins or 1
        try:
            return await act()
        except (Rejected, CredentialsRefused) as failure:
            if not self._dead(failure, login, write):
                raise
        self._auth.discard(login)
        return await act()

    def _dead(self, failure: Rejected | CredentialsRefused, login: int, write: bool) -> bool:
        """Whether the token of the ``login``-th login may be what was refused. A refused login has no status."""
        if isinstance(failure, Rejected):
            return failure.status == 400 and (self._auth.logins != login or self._auth.suspect())
        return write and failure.status == 403 and self._auth.logins == login
