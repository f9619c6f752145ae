"""The contact-centre API as a whole: tokens, which endpoint answers, errors (items 1 to 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from reconciler.sandbox.clock import Clock
from reconciler.sandbox.contactcenter import dialler, leads, reports, seeding, tampering, tokens
from reconciler.sandbox.contactcenter.knobs import ContactCenterKnobs
from reconciler.sandbox.contactcenter.state import Account, Ids
from reconciler.sandbox.contactcenter.visit import INVALID, Visit
from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.meter import Meter
from reconciler.sandbox.provider import Provider
from reconciler.sandbox.routes import Routes, UnknownPath, WrongMethod
from reconciler.sandbox.wire import BadJson, JsonObject, Refusal, Reply, Request, json_reply

TEXT = "text/plain; charset=utf-8"
UNAUTHORISED = "Authentication token is invalid"
INTERNAL, INTERNAL_OF_WRITES = "Internal server error", "Error due to an internal issue."
LOGIN = "/api/v2/login"
LEADS = "/api/v2/config/campaigns/leads/{lead}"
TEXTS = {
    400: INVALID,
    401: UNAUTHORISED,
    403: "Forbidden",
    404: "404 page not found",
    429: "Too Many Requests",
    500: INTERNAL,
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def _login(visit: Visit) -> Reply:
    raise AssertionError("the provider answers this one itself")


ROUTES: Routes[Callable[[Visit], Reply]] = Routes(
    {
        f"POST {LOGIN}": _login,
        "GET /api/v2/reports/campaigns/leads/status": leads.report,
        "GET /api/v2/config/campaigns/{campaign}/leads": leads.enumerate_leads,
        "GET /callcenter/queues/status": reports.queues,
        "GET /api/v2/reports/campaigns/leads/history": reports.history,
        "PUT /api/v2/config/campaigns/{campaign}/lead": leads.add,
        "POST /api/v2/config/campaigns/{campaign}/lead": leads.add,
        f"POST {LEADS}/status/{{status}}": leads.set_status,
        f"DELETE {LEADS}": leads.delete,
        "PUT /api/v2/config/campaigns/call/{call}/disposition/voicemail": reports.set_voicemail,
    }
)
OF_WRITES = (leads.set_status, leads.delete, reports.set_voicemail)


class ContactCenter(Provider[ContactCenterKnobs]):
    """All tenants; the token says whose request it is."""

    name: ClassVar[str] = "contactcenter"
    prefixes: ClassVar[tuple[str, ...]] = ("/api", "/callcenter")
    login: ClassVar[str | None] = LOGIN

    seed = seeding.seed
    dump = seeding.dump
    load = seeding.load

    def __init__(self, clock: Clock, ledger: Ledger) -> None:
        super().__init__(clock, ledger, ContactCenterKnobs())
        self.clear()

    def clear(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.ids = Ids()
        self._serial = 0
        self._meter = Meter()
        self.tally.changes += 1

    def answer(self, request: Request) -> Reply:
        try:
            endpoint, params = ROUTES.find(request.method, request.path)
        except UnknownPath:
            return Reply(404, b"404 page not found\n", TEXT)
        except WrongMethod:
            return Reply(405, b"", TEXT)
        try:
            if endpoint is _login:
                return self._login(request)
            visit = Visit(
                account=self._account_of(request),
                request=request,
                params=params,
                knobs=self.knobs,
                ledger=self.ledger,
                now=self.clock.now(),
                ids=self.ids,
            )
            return endpoint(visit)
        except Refusal as refusal:
            if refusal.status == 500 and endpoint in OF_WRITES:
                return self.refusal(500, INTERNAL_OF_WRITES)
            reply = self.refusal(refusal.status, *refusal.texts)
            if refusal.status == 429 and self.knobs.retry_after_s is not None:
                headers = (("Retry-After", str(self.knobs.retry_after_s)),)
                return Reply(reply.status, reply.body, reply.content_type, headers)
            return reply

    def refusal(self, status: int, *texts: str) -> Reply:
        if status == 405:
            return Reply(405, b"", TEXT)
        if status == 401 and self.knobs.profile == "documented":
            status, texts = 400, ()
        text = "; ".join(texts) or TEXTS.get(status, "Error")
        match self.knobs.error_body:
            case "empty":
                return Reply(status, b"", TEXT)
            case "json":
                return json_reply({"error": text}, status)
            case "text":
                return Reply(status, (text if text == UNAUTHORISED else f"{text}\n").encode(), TEXT)

    def tick(self) -> None:
        now = self.clock.now()
        for account in self.accounts.values():
            dialler.advance(account, self.knobs, self.ledger, now)

    def tamper(self, operation: str, arguments: JsonObject) -> Any:
        return tampering.PORTAL.carry_out(self, operation, arguments)

    def expire_tokens(self) -> None:
        for account in self.accounts.values():
            account.tokens.clear()

    def _login(self, request: Request) -> Reply:
        """A new pair of tokens; older ones stay valid (item 3)."""
        try:
            body = request.json()
        except BadJson:
            raise Refusal(400) from None
        found = body if isinstance(body, dict) else {}
        given = {key: found[key] for key in ("username", "password", "domain") if isinstance(found.get(key), str)}
        if len(given) < 3 or not all(given.values()):
            raise Refusal(400)
        user, password, domain = given.values()
        for account in self.accounts.values():
            if account.domain == domain and account.users.get(user) == password:
                return json_reply(self._tokens(account, user))
        raise Refusal(401, INVALID)

    def _tokens(self, account: Account, user: str) -> JsonObject:
        now, ttl, opaque = self.clock.now(), self.knobs.token_ttl_s, self.knobs.opaque_tokens
        identity = f"{account.account_id}:{user}"
        self._serial += 1
        access = tokens.issued("access", identity, now + ttl, self._serial, opaque=opaque)
        account.tokens[access] = now + ttl
        snake = self.knobs.token_keys == "snake"
        found: JsonObject = {"user": {}, "access_token" if snake else "accessToken": access}
        if self.knobs.refresh_token:
            refresh = tokens.issued("refresh", identity, now + 24 * ttl, self._serial, opaque=opaque)
            found["refresh_token" if snake else "refreshToken"] = refresh
        return found if snake else {**found, "expiresIn": int(ttl)}

    def _account_of(self, request: Request) -> Account:
        """Whose token it is, then whether the account header agrees (item 4)."""
        header, now = request.headers.get("authorization", ""), self.clock.now()
        token = header[7:] if header.startswith("Bearer ") else ""
        account = next((one for one in self.accounts.values() if one.tokens.get(token, 0.0) > now), None)
        if account is None:
            raise Refusal(401)
        if request.headers.get("x-account-id") != account.account_id:
            raise Refusal(400)
        # Nothing is documented; a limit of one's own helps to test for one.
        limit = self.knobs.rate_limit
        if limit is not None and not self._meter.count(account.account_id, limit, now).allowed:
            raise Refusal(429)
        return account
