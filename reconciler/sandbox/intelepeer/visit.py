"""One authenticated request on its way through an IntelePeer endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from reconciler.sandbox.intelepeer.knobs import IntelePeerKnobs
from reconciler.sandbox.intelepeer.state import Account, Campaign, ContactList
from reconciler.sandbox.visit import AnyVisit
from reconciler.sandbox.wire import JsonObject, Refusal

Row = TypeVar("Row")

NO_CAMPAIGN = "The 'campaign id' parameter is required"  # as documented: also when the id is merely wrong
WRONG_CAMPAIGN = "The 'campaign id' parameter is incorrect"
WRONG_LIST = "The 'list id' parameter is incorrect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(AnyVisit[IntelePeerKnobs]):
    """What endpoints share. They raise ``Refusal`` for everything that is not a success."""

    account: Account
    new_id: Callable[[], str]

    def json_object(self, failure: str) -> JsonObject:
        """The body as an object; anything else is the documented 500 of the endpoint (item 11)."""
        return self.object_or(Refusal(500, failure))

    def campaign(self, refusal: str, *, pending: bool = False) -> Campaign:
        """The campaign a write is about. One whose deletion goes on exists only for another deletion."""
        row = self.account.campaigns.get(self.params["id"])
        if row is None or (row.deleted and not pending):
            raise Refusal(404, refusal)
        return row

    def contact_list(self, status: int, refusal: str, *, pending: bool = False) -> ContactList:
        """The list a write is about."""
        row = self.account.lists.get(self.params["id"])
        if row is None or (row.deleted and not pending):
            raise Refusal(status, refusal)
        return row

    def collection(self, rows: Sequence[Row]) -> list[Row]:
        """All rows, as far as faults let them be seen; there are no pages here."""
        twist = self.request.twist
        if twist.empty:
            return []
        return [*rows[:1], *rows] if twist.row_shift < 0 else list(rows[twist.row_shift :])

    def wanted_name(self) -> str:
        """The name asked for; shorter than four characters is 422 (items 4 and 10)."""
        name = self.request.query["name"]
        if len(name) < 4:
            raise Refusal(422, "The 'name' parameter must be at least 4 characters")
        return name.casefold()


def text(value: Any) -> str:
    """Whatever was sent, as this platform stores texts."""
    return "" if value is None else str(value)
