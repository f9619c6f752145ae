"""One authenticated request on its way through an Exotel endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from reconciler.sandbox.exotel.envelope import (
    INTERNAL,
    UNREADABLE,
    Rejected,
    enveloped,
    failure,
    invalid,
    missing,
    success,
    unknown,
)
from reconciler.sandbox.exotel.knobs import ExotelKnobs
from reconciler.sandbox.exotel.state import Account
from reconciler.sandbox.tables import Table
from reconciler.sandbox.visit import AnyVisit
from reconciler.sandbox.wire import JsonObject, Refusal, Reply

Row = TypeVar("Row")
Kinds = Mapping[str, type | tuple[type, ...]]
Edit = Callable[[Row, JsonObject], JsonObject]  # a row and what to make of it -> the row on the wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(AnyVisit[ExotelKnobs]):
    """What endpoints share. They raise ``Rejected`` for everything that is not a success."""

    account: Account
    shift: int  # how far pages of this collection have slipped
    request_id: str

    def json_object(self) -> JsonObject:
        """The body as an object (item 4)."""
        return self.object_or(
            Rejected(400, UNREADABLE, "invalid character looking for beginning of value"),
            Rejected(400, UNREADABLE, "json: cannot unmarshal into Go value of type object"),
        )

    def items(self, wrapper: str, title: str, kinds: Kinds) -> list[JsonObject]:
        """The objects below ``wrapper``; a wrong type anywhere makes the whole body unreadable (item 4)."""
        entries = self.json_object().get(wrapper)
        if entries is None or entries == []:
            raise missing(title)
        if not isinstance(entries, list):
            raise Rejected(400, UNREADABLE, f"json: cannot unmarshal into Go struct field .{wrapper} of type array")
        if len(entries) > self.knobs.max_bulk:
            raise invalid(f"{title} must not be more than {self.knobs.max_bulk}")
        for entry in entries:
            typed(entry, kinds, wrapper)
        return entries

    def true(self, table: Table[str, Row], param: str, what: str) -> Row:
        """The row a write is about."""
        row = table.get(self.params[param])
        if row is None:
            raise unknown(what)
        return row

    def seen(self, table: Table[str, Row], param: str, what: str) -> Row:
        """The row a read is about, as reads see it now."""
        row = table.show(self.params[param], self.now)
        if row is None:
            raise unknown(what)
        return row

    def single(self, data: Any, status: int = 200) -> Reply:
        """The single form."""
        item = success(data)
        response = [item] if self.knobs.single_shape == "array" else item
        return enveloped(self.request_id, self.request.method, status, response)

    def failed(self, rejected: Rejected) -> Reply:
        """A failure that arrives as HTTP 200: only the nested code tells."""
        return enveloped(self.request_id, self.request.method, 200, failure(rejected))

    def bulk(self, entries: Sequence[JsonObject], act: Callable[[JsonObject], JsonObject]) -> Reply:
        """The bulk form: each item by itself and in order, 207 whatever comes of them (item 3)."""
        twist, found = self.request.twist, []
        for position, entry in enumerate(entries, start=1):
            cut = twist.bulk_apply is not None and position > twist.bulk_apply
            try:
                if cut or position == self.knobs.fail_bulk_item:
                    raise Rejected(500, INTERNAL)
                found.append(act(entry))
            except Rejected as rejected:
                found.append(failure(rejected))
        if twist.bulk_apply is not None and twist.bulk_status not in (200, 207):
            raise Refusal(twist.bulk_status)
        failed = sum(item["status"] == "failure" for item in found)
        metadata = {"failed": failed, "total": len(found), "success": len(found) - failed}
        return enveloped(self.request_id, self.request.method, self.knobs.bulk_http, found, self._shown(metadata))

    def edit_each(self, wrapper: str, kinds: Kinds, table: Table[str, Row], what: str, edit: Edit[Row]) -> Reply:
        """The bulk form of an edit: every item needs the sid of its row."""

        def change(entry: JsonObject) -> JsonObject:
            if not entry.get("sid"):
                raise missing("Sid")
            row = table.get(entry["sid"])
            if row is None:
                raise unknown(what)
            return success(edit(row, entry))

        return self.bulk(self.items(wrapper, wrapper.capitalize(), kinds), change)

    def page(self, rows: Sequence[Row], shape: Callable[[Row], JsonObject], *, cap: int | None = None) -> Reply:
        """The paged form; ``shape`` makes an item out of a row of this page (item 6)."""
        offset = self._whole("offset", 0, 0)
        limit = self._whole("limit", self.knobs.default_page, 1)
        cap = self.knobs.max_page if cap is None else cap
        if limit > cap and self.knobs.over_max == "reject":
            raise invalid(f"limit must not be more than {cap}")
        limit = min(limit, cap)
        if self.request.twist.empty:
            rows = ()
        start = offset + self.shift
        # Below zero, a row shows twice on the very first page.
        shown = list(rows[start : start + limit]) if start >= 0 else [*rows[:1], *rows[: limit - 1]]
        items = [shape(row) for row in shown]
        if self.knobs.flat_rows:
            items = [item.get("data", item) for item in items]
        metadata = {"count": len(items), "offset": offset, "total": len(rows), "limit": limit}
        return enveloped(self.request_id, self.request.method, 200, items, self._shown(metadata))

    def ordered(self, rows: Sequence[JsonObject]) -> Sequence[JsonObject]:
        """Rows as ``sort_by`` wants them; ties stay in the order of arrival (item 6)."""
        wish = self.request.query.get("sort_by", "date_created:asc")
        field, _, way = wish.partition(":")
        if field not in ("date_created", "name") or way not in ("asc", "desc"):
            raise invalid(f"sort_by {wish} is not supported")
        return sorted(rows, key=lambda row: str(row.get(field) or ""), reverse=way == "desc")

    def named(self, rows: Sequence[JsonObject]) -> Sequence[JsonObject]:
        """Rows whose name contains ``name``, upper and lower case alike (item 6)."""
        wanted = self.request.query.get("name", "").casefold()
        return [row for row in rows if wanted in str(row.get("name") or "").casefold()] if wanted else rows

    def _whole(self, name: str, default: int, least: int) -> int:
        text = self.request.query.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit()) or len(text) > 12 or int(text) < least:
            raise invalid(f"{name} must be a whole number from {least}")
        return int(text)

    def _shown(self, metadata: JsonObject) -> JsonObject | None:
        if not self.knobs.metadata:
            return None
        return {key: self.number(value) for key, value in metadata.items()}

    def number(self, value: int) -> int | str:
        """A count, as a number or as text."""
        return value if self.knobs.counts == "numbers" else str(value)


def typed(entry: Any, kinds: Kinds, where: str) -> JsonObject:
    """An object with values of the right kinds; null stands for absent, as Go reads it."""
    if not isinstance(entry, dict):
        raise Rejected(400, UNREADABLE, f"json: cannot unmarshal into Go struct field .{where} of type object")
    for name, kind in kinds.items():
        value = entry.get(name)
        wrong = value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool))
        if wrong:
            raise Rejected(400, UNREADABLE, f"json: cannot unmarshal into Go struct field {where}.{name}")
    return entry
