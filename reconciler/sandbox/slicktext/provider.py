"""The SlickText API as a whole: who may call, how often, which endpoint answers (items 1 to 6)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from reconciler.sandbox.clock import Clock
from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.meter import Meter
from reconciler.sandbox.provider import Provider
from reconciler.sandbox.routes import Params, Routes, UnknownPath, WrongMethod
from reconciler.sandbox.slicktext import campaigns, contacts, lists, seeding, tampering
from reconciler.sandbox.slicktext.knobs import SlickTextKnobs
from reconciler.sandbox.slicktext.state import Brand, Sequences
from reconciler.sandbox.slicktext.visit import Visit
from reconciler.sandbox.slips import Slips
from reconciler.sandbox.wire import HTML_TYPE, JsonObject, Refusal, Reply, Request, json_reply

TEXTS = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def _show_brand(visit: Visit) -> Reply:
    """B1: the brand of the key, bare."""
    facts = visit.brand.facts
    return json_reply(
        {
            "brand_id": facts["brand_id"],
            "_account_id": facts["account_id"],
            "name": facts["name"],
            "force_double_opt_in": 0,
            "age_requirement": 0,
        }
    )


def _segments(visit: Visit) -> Reply:
    """S1: read only."""
    fields = frozenset({"segment_id", "_brand_id", "name", "description", "created", "last_updated"})
    return visit.page(visit.brand.segments.shown(visit.now), fields, lambda rows: [_segment(row) for row in rows])


def _show_segment(visit: Visit) -> Reply:
    row: JsonObject = visit.seen(visit.brand.segments, "id")
    return json_reply(_segment(row))


def _segment(row: JsonObject) -> JsonObject:
    return {key: value for key, value in row.items() if key != "numbers"}  # who is in it is not on the wire


def _custom_fields(visit: Visit) -> Reply:
    """F1: read only."""
    fields = frozenset({"custom_field_id", "_brand_id", "name", "internal_name", "data_type"})
    return visit.page(visit.brand.custom_fields.shown(visit.now), fields)


ROUTES: Routes[Callable[[Visit], Reply]] = Routes(
    {
        "GET /v1/brands": _show_brand,
        "GET /v1/brands/{brand}/lists": lists.enumerate_lists,
        "POST /v1/brands/{brand}/lists": lists.create,
        "GET /v1/brands/{brand}/lists/{id}": lists.show,
        "PUT /v1/brands/{brand}/lists/{id}": lists.edit,
        "DELETE /v1/brands/{brand}/lists/{id}": lists.delete,
        "GET /v1/brands/{brand}/lists/{id}/contacts": lists.enumerate_members,
        "GET /v1/brands/{brand}/lists/{id}/contacts/count": lists.count,
        "POST /v1/brands/{brand}/lists/contacts": lists.add_members,
        "DELETE /v1/brands/{brand}/lists/contacts": lists.remove_members,
        "GET /v1/brands/{brand}/contacts": contacts.enumerate_contacts,
        "POST /v1/brands/{brand}/contacts": contacts.create,
        "GET /v1/brands/{brand}/contacts/{id}": contacts.show,
        "PUT /v1/brands/{brand}/contacts/{id}": contacts.edit,
        "DELETE /v1/brands/{brand}/contacts/{id}": contacts.delete,
        "GET /v1/brands/{brand}/campaigns": campaigns.enumerate_campaigns,
        "POST /v1/brands/{brand}/campaigns": campaigns.create,
        "GET /v1/brands/{brand}/campaigns/{id}": campaigns.show,
        "PUT /v1/brands/{brand}/campaigns/{id}": campaigns.edit,
        "DELETE /v1/brands/{brand}/campaigns/{id}": campaigns.delete,
        "GET /v1/brands/{brand}/segments": _segments,
        "GET /v1/brands/{brand}/segments/{id}": _show_segment,
        "GET /v1/brands/{brand}/custom-fields": _custom_fields,
    }
)


class SlickText(Provider[SlickTextKnobs]):
    """All brands; the API key says which one a request is for."""

    name: ClassVar[str] = "slicktext"
    prefixes: ClassVar[tuple[str, ...]] = ("/v1",)

    seed = seeding.seed
    dump = seeding.dump
    load = seeding.load

    def __init__(self, clock: Clock, ledger: Ledger) -> None:
        super().__init__(clock, ledger, SlickTextKnobs())
        self.clear()

    def clear(self) -> None:
        self.brands: dict[int, Brand] = {}
        self.ids = Sequences()
        self._meter = Meter()
        self._slips = Slips("offset", "page")
        self.tally.changes += 1

    def answer(self, request: Request) -> Reply:
        brand = self._brand_of(request)
        if brand is None:
            return self.refusal(401)
        now = self.clock.now()
        allowed, headers = self._measured(brand, now)
        try:
            reply = self._served(brand, request, now) if allowed else self.refusal(429)
        except Refusal as refusal:
            reply = self.refusal(refusal.status, *refusal.texts)
        if not allowed and self.knobs.retry_after:
            headers = (*headers, ("Retry-After", dict(headers)["x-RateLimit-Reset"]))
        return Reply(reply.status, reply.body, reply.content_type, headers)

    def refusal(self, status: int, *texts: str) -> Reply:
        shape = self.knobs.error_shape
        usual = texts or (TEXTS.get(status, "Error"),)
        if shape == "empty":
            return Reply(status)
        if shape == "html":
            return Reply(status, f"<html><body><h1>{status}</h1></body></html>".encode(), HTML_TYPE)
        if shape == "message":
            return json_reply({"message": "; ".join(usual)}, status)
        # Only what a validation finds comes as an array: the other texts are printed bare in the contract.
        as_list = status == 422 and shape == "error_list"
        return json_reply({"error": list(usual) if as_list else "; ".join(usual)}, status)

    def tick(self) -> None:
        now = self.clock.now()
        for brand in self.brands.values():
            campaigns.advance(brand, self.knobs, self.ledger, now)

    def tamper(self, operation: str, arguments: JsonObject) -> Any:
        return tampering.PORTAL.carry_out(self, operation, arguments)

    def _brand_of(self, request: Request) -> Brand | None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        return next((brand for brand in self.brands.values() if brand.facts["api_key"] == key.strip()), None)

    def _served(self, brand: Brand, request: Request, now: float) -> Reply:
        segments = request.path.split("/")
        if len(segments) > 3 and segments[2] == "brands" and segments[3] != str(brand.id):
            raise Refusal(403)
        try:
            endpoint, params = ROUTES.find(request.method, request.path)
        except UnknownPath:
            raise Refusal(404) from None
        except WrongMethod:
            raise Refusal(405) from None
        return endpoint(self._visit(brand, request, params, now))

    def _visit(self, brand: Brand, request: Request, params: Params, now: float) -> Visit:
        return Visit(
            brand=brand,
            request=request,
            params=params,
            knobs=self.knobs,
            ledger=self.ledger,
            now=now,
            shift=self._slips.shift(request),
        )

    def _measured(self, brand: Brand, now: float) -> tuple[bool, tuple[tuple[str, str], ...]]:
        """Whether the request is within the sliding minute, and the headers that say so (item 3)."""
        limit = self.knobs.rate_limit
        if limit is None:
            return True, ()
        standing = self._meter.count(brand.id, limit, now)
        headers = (
            ("x-RateLimit", str(limit)),
            ("x-RateLimit-Remaining", str(standing.remaining)),
            ("x-RateLimit-Reset", str(math.ceil(standing.reset_at - now))),
        )
        return standing.allowed, headers
