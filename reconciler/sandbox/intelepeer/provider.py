"""The IntelePeer Engage API as a whole: tokens, which endpoint answers, errors (items 1 and 2)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, ClassVar

from reconciler.sandbox.clock import Clock
from reconciler.sandbox.intelepeer import campaigns, lists, seeding, tampering
from reconciler.sandbox.intelepeer.knobs import IntelePeerKnobs
from reconciler.sandbox.intelepeer.state import Account, Ids
from reconciler.sandbox.intelepeer.visit import Visit
from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.provider import Provider
from reconciler.sandbox.routes import Routes, UnknownPath, WrongMethod
from reconciler.sandbox.wire import BadJson, JsonObject, Refusal, Reply, Request, json_reply

LOGIN = "/_rest/v4/authenticate"
TEXTS = {
    401: "Authorization token is invalid",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Something went wrong",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}

ROUTES: Routes[Callable[[Visit], Reply]] = Routes(
    {
        "GET /_rest/v2/campaigns": campaigns.read,
        "POST /_rest/v2/campaigns": campaigns.create,
        "GET /_rest/v2/campaigns/errors": campaigns.errors,
        "PUT /_rest/v2/campaigns/{id}": campaigns.update,
        "DELETE /_rest/v2/campaigns/{id}": campaigns.delete,
        "POST /_rest/v2/campaigns/{id}/action": campaigns.act,
        "GET /_rest/v2/lists": lists.read,
        "POST /_rest/v2/lists": lists.create,
        "DELETE /_rest/v2/lists/{id}": lists.delete,
        "PUT /_rest/v2/lists/{id}/uploadcontacts": lists.upload,
    }
)


class IntelePeer(Provider[IntelePeerKnobs]):
    """All customers; the token says whose request it is."""

    name: ClassVar[str] = "intelepeer"
    prefixes: ClassVar[tuple[str, ...]] = ("/_rest",)
    login: ClassVar[str | None] = LOGIN

    seed = seeding.seed
    dump = seeding.dump
    load = seeding.load

    def __init__(self, clock: Clock, ledger: Ledger) -> None:
        super().__init__(clock, ledger, IntelePeerKnobs())
        self.clear()

    def clear(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.ids = Ids()
        self.tally.changes += 1

    def answer(self, request: Request) -> Reply:
        try:
            if request.path == LOGIN and request.method == "POST":
                return self._login(request)
            account = self._account_of(request)
            if account is None:
                raise Refusal(401)
            return self._served(account, request)
        except Refusal as refusal:
            return self.refusal(refusal.status, *refusal.texts)

    def refusal(self, status: int, *texts: str) -> Reply:
        text = "; ".join(texts) or TEXTS.get(status, "Error")
        return json_reply({"message": text, "status": status}, status)

    def tick(self) -> None:
        now = self.clock.now()
        for account in self.accounts.values():
            account.finish_deletions(now, dangling=self.knobs.dangling_links)

    def tamper(self, operation: str, arguments: JsonObject) -> Any:
        return tampering.PORTAL.carry_out(self, operation, arguments)

    def expire_tokens(self) -> None:
        for account in self.accounts.values():
            account.tokens.clear()

    def new_id(self) -> str:
        """An id in the style of the knob."""
        return self.ids.next(self.clock.now(), self.knobs.id_style)

    def _login(self, request: Request) -> Reply:
        """A new token; older ones stay valid (item 1)."""
        try:
            body = request.json()
        except BadJson:
            body = None
        name, password = (body.get("username"), body.get("password")) if isinstance(body, dict) else (None, None)
        for account in self.accounts.values():
            if isinstance(name, str) and name in account.users and account.users[name] == password:
                token = secrets.token_urlsafe(24)
                account.tokens[token] = self.clock.now()
                return json_reply({"token": token})
        return json_reply({"code": 401, "error": "Unauthorized"}, 401)

    def _account_of(self, request: Request) -> Account | None:
        header = request.headers.get("authorization", "").strip()
        bearer = header[:7].lower() == "bearer "
        if self.knobs.require_scheme != "any" and bearer != (self.knobs.require_scheme == "bearer"):
            return None
        token = header[7:].strip() if bearer else header
        alive_since = self.clock.now() - self.knobs.token_ttl_s
        for account in self.accounts.values():
            if token in account.static_tokens or account.tokens.get(token, float("-inf")) > alive_since:
                return account
        return None

    def _served(self, account: Account, request: Request) -> Reply:
        try:
            endpoint, params = ROUTES.find(request.method, request.path)
        except (UnknownPath, WrongMethod):
            raise Refusal(404) from None
        return endpoint(
            Visit(
                account=account,
                request=request,
                params=params,
                knobs=self.knobs,
                ledger=self.ledger,
                now=self.clock.now(),
                new_id=self.new_id,
            )
        )
