"""The Exotel Campaigns API as a whole: who may call, how often, which endpoint answers (items 1, 4 and 14)."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable
from typing import Any, ClassVar

from reconciler.sandbox.clock import Clock
from reconciler.sandbox.exotel import campaigns, contacts, dialling, lists, seeding, tampering, uploads
from reconciler.sandbox.exotel.envelope import INTERNAL, INVALID, MEDIA_TYPE, USUAL, Rejected, error, unknown
from reconciler.sandbox.exotel.knobs import ExotelKnobs
from reconciler.sandbox.exotel.state import Account, Ids
from reconciler.sandbox.exotel.visit import Visit
from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.meter import Meter
from reconciler.sandbox.provider import Provider
from reconciler.sandbox.routes import Routes, UnknownPath, WrongMethod
from reconciler.sandbox.slips import Slips
from reconciler.sandbox.wire import JsonObject, Refusal, Reply, Request

RETRY_AFTER_S = 30
P = "/v2/accounts/{account}"

ROUTES: Routes[Callable[[Visit], Reply]] = Routes(
    {
        f"POST {P}/lists": lists.create,
        f"GET {P}/lists": lists.enumerate_lists,
        f"PUT {P}/lists": lists.edit_many,
        f"GET {P}/lists/{{list}}": lists.show,
        f"PUT {P}/lists/{{list}}": lists.edit,
        f"DELETE {P}/lists/{{list}}": lists.delete,
        f"POST {P}/lists/{{list}}/contacts": lists.add_members,
        f"GET {P}/lists/{{list}}/contacts": lists.enumerate_members,
        f"DELETE {P}/lists/{{list}}/contacts/{{contact}}": lists.remove_member,
        f"POST {P}/contacts/csv-upload": uploads.upload,
        f"GET {P}/csv-status/{{upload}}": uploads.status,
        f"POST {P}/contacts": contacts.create,
        f"GET {P}/contacts": contacts.enumerate_contacts,
        f"PUT {P}/contacts": contacts.edit_many,
        f"GET {P}/contacts/{{contact}}": contacts.show,
        f"PUT {P}/contacts/{{contact}}": contacts.edit,
        f"DELETE {P}/contacts/{{contact}}": contacts.delete,
        f"POST {P}/campaigns": campaigns.create,
        f"GET {P}/campaigns": campaigns.enumerate_campaigns,
        f"GET {P}/campaigns/{{campaign}}": campaigns.show,
        f"PUT {P}/campaigns/{{campaign}}": campaigns.edit,
        f"DELETE {P}/campaigns/{{campaign}}": campaigns.delete,
        f"GET {P}/campaigns/{{campaign}}/call-details": campaigns.call_details,
    }
)


class Exotel(Provider[ExotelKnobs]):
    """All accounts; key and token say whose request it is, and the path has to agree."""

    name: ClassVar[str] = "exotel"
    prefixes: ClassVar[tuple[str, ...]] = ("/v2",)

    seed = seeding.seed
    dump = seeding.dump
    load = seeding.load

    def __init__(self, clock: Clock, ledger: Ledger) -> None:
        super().__init__(clock, ledger, ExotelKnobs())
        self.clear()

    def clear(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.ids = Ids()
        self._requests = Ids(kind="request")
        self._meter = Meter()
        self._slips = Slips("offset")
        self.tally.changes += 1

    def answer(self, request: Request) -> Reply:
        account = self._account_of(request)
        if account is None:
            return self._error(request.method, 401)
        allowed, headers = self._measured(account, request.method == "GET", self.clock.now())
        if not allowed:
            reply = self._error(request.method, 429)
        else:
            try:
                reply = self._served(account, request)
            except Rejected as rejected:
                reply = self._error(request.method, rejected.status, rejected.description, code=rejected.code)
            except Refusal as refusal:
                reply = self._error(request.method, refusal.status, *refusal.texts)
        return Reply(reply.status, reply.body, reply.content_type, headers)

    def refusal(self, status: int, *texts: str) -> Reply:
        return self._error("GET", status, *texts)

    def tick(self) -> None:
        now = self.clock.now()
        for account in self.accounts.values():
            uploads.advance(account, self.knobs, self.ledger, now)
            dialling.advance(account, self.knobs, self.ledger, now)

    def tamper(self, operation: str, arguments: JsonObject) -> Any:
        return tampering.PORTAL.carry_out(self, operation, arguments)

    def _error(self, method: str, status: int, *texts: str, code: int | None = None) -> Reply:
        if code is None:
            code = USUAL.get(status, INTERNAL if status >= 500 else INVALID)
        return error(self._requests.next(), method, self.knobs, status, texts, code)

    def _account_of(self, request: Request) -> Account | None:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            return None
        accounts = self.accounts.values()
        return next((one for one in accounts if f"{one.api_key}:{one.api_token}".encode() == given), None)

    def _served(self, account: Account, request: Request) -> Reply:
        try:
            endpoint, params = ROUTES.find(request.method, request.path)
        except (UnknownPath, WrongMethod):
            raise unknown("Resource") from None
        if params["account"] != account.sid:
            raise unknown("Account")
        kind = request.headers.get("content-type", "")
        if endpoint is not uploads.upload and request.body and kind.partition(";")[0].strip() != "application/json":
            raise Rejected(415, MEDIA_TYPE, kind)
        return endpoint(
            Visit(
                account=account,
                request=request,
                params=params,
                knobs=self.knobs,
                ledger=self.ledger,
                now=self.clock.now(),
                shift=self._slips.shift(request),
                request_id=self._requests.next(),
            )
        )

    def _measured(self, account: Account, reads: bool, now: float) -> tuple[bool, tuple[tuple[str, str], ...]]:
        """Whether the request is within the sliding minute, and the headers that say so (item 14)."""
        if not self.knobs.rate_limited:
            return True, ()
        limit = self.knobs.reads_per_minute if reads else self.knobs.writes_per_minute
        standing = self._meter.count((account.sid, reads), limit, now)
        headers: tuple[tuple[str, str], ...] = (
            ("X-RateLimit-Limit", str(limit)),
            ("X-RateLimit-Remaining", str(standing.remaining)),
            ("X-RateLimit-Reset", str(math.ceil(standing.reset_at))),
        )
        if not standing.allowed and self.knobs.retry_after:
            headers = (*headers, ("Retry-After", str(RETRY_AFTER_S)))
        return standing.allowed, headers
