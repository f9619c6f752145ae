"""One authenticated request on its way through a contact-centre endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.sandbox.contactcenter.knobs import ContactCenterKnobs
from reconciler.sandbox.contactcenter.state import Account, Ids
from reconciler.sandbox.visit import AnyVisit
from reconciler.sandbox.wire import JsonObject, Refusal, Reply, json_reply

INVALID = "The information sent is invalid."


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(AnyVisit[ContactCenterKnobs]):
    """What endpoints share. They raise ``Refusal`` for everything that is not a success."""

    account: Account
    ids: Ids

    def json_object(self) -> JsonObject:
        """The body as an object, whatever its content type says (item 7)."""
        return self.object_or(Refusal(400))

    def lead(self) -> JsonObject | None:
        """The lead of the path."""
        return self.account.lead(self.params["lead"])

    def size(self, name: str, default: int, cap: int) -> int:
        """A page size: more than the cap is cut silently, what is no number from 1 is 400 (item 6)."""
        text = self.request.query.get(name)
        if text is None:
            return min(default, cap)
        if not (text.isascii() and text.isdigit()) or len(text) > 12 or int(text) < 1:
            raise Refusal(400)
        return min(int(text), cap)

    def done(self, text: str) -> Reply:
        """A write that worked; what it answers is nothing to rely on (item 7)."""
        match self.knobs.write_body:
            case "empty":
                return Reply(200, b"", "text/plain; charset=utf-8")
            case "json":
                return json_reply({"message": text})
            case "text":
                return Reply(200, text.encode(), "text/plain; charset=utf-8")

    def cursor(self, following: str | None) -> JsonObject:
        """What says where the next page starts, or that there is none (item 6)."""
        if following is not None:
            return {"next_start_key": following}
        match self.knobs.last_cursor:
            case "absent":
                return {}
            case "null":
                return {"next_start_key": None}
            case "empty":
                return {"next_start_key": ""}


def window(start: int, size: int, total: int, shift: int) -> tuple[list[int], int]:
    """Positions of the rows on a page, and where the next one starts; ``shift`` moves it as a fault wants."""
    start += shift
    if start < 0:  # on the very first page a row shows twice
        return [*range(min(1, total)), *range(min(size - 1, total))], size - 1
    return list(range(start, min(start + size, total))), start + size


def is_kind(value: Any, kind: type) -> bool:
    """Whether a JSON value decodes into a Go field of that kind; null counts as a wrong one."""
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))
