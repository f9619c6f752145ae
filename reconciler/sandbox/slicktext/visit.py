"""One authenticated request on its way through a SlickText endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from reconciler.sandbox.slicktext.knobs import SlickTextKnobs
from reconciler.sandbox.slicktext.paging import envelope, filtered
from reconciler.sandbox.slicktext.state import Brand
from reconciler.sandbox.tables import Table
from reconciler.sandbox.visit import AnyVisit
from reconciler.sandbox.wire import JsonObject, Refusal, Reply, json_reply

Row = TypeVar("Row")
Spelling = Callable[[Sequence[JsonObject]], Sequence[JsonObject]]


def _as_they_are(rows: Sequence[JsonObject]) -> Sequence[JsonObject]:
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(AnyVisit[SlickTextKnobs]):
    """What endpoints share. They raise ``Refusal`` for everything that is not a success."""

    brand: Brand
    shift: int  # see ``paging.envelope``

    def json_object(self) -> JsonObject:
        """The body as an object (item 4)."""
        return self.object_or(Refusal(400, "Invalid JSON"), Refusal(422, "The body must be an object."))

    def json_array(self) -> list[Any]:
        """The body as an array; no body at all counts as the wrong type (items 4 and 12)."""
        body = self.decoded(Refusal(400, "Invalid JSON")) if self.request.body else None
        if not isinstance(body, list):
            raise Refusal(422, "The body must be an array.")
        return body

    def true(self, table: Table[int, Row], param: str) -> Row:
        """The row a write is about."""
        row = table.get(self._id(param))
        if row is None:
            raise Refusal(404)
        return row

    def seen(self, table: Table[int, Row], param: str) -> Row:
        """The row a read is about, as reads see it now."""
        row = table.show(self._id(param), self.now)
        if row is None:
            raise Refusal(404)
        return row

    def page(self, rows: Sequence[JsonObject], fields: frozenset[str], spelled: Spelling = _as_they_are) -> Reply:
        """A filtered page of a collection; ``spelled`` is applied to the rows of that page only."""
        if not self.knobs.filter_ignored:
            rows = filtered(rows, self.request.query, fields)
        body = envelope(rows, self.request, self.knobs, self.shift)
        return json_reply({**body, "data": spelled(body["data"])})

    def created(self, row: JsonObject) -> Reply:
        """A bare object (item 5)."""
        return json_reply(row, self.knobs.create_status)

    def deleted(self) -> Reply:
        """An empty array (item 5)."""
        return Reply(200, b"[]" if self.knobs.delete_body == "[]" else b"")

    def _id(self, param: str) -> int:
        text = self.params[param]
        if not (text.isascii() and text.isdigit()) or len(text) > 18:
            raise Refusal(404)
        return int(text)
