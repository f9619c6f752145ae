"""Reads of an account that take more than one request: whole collections, members, contacts by number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from reconciler.errors import NotFound, ReadIncomplete
from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import Observed
from reconciler.providers.base import Progress
from reconciler.providers.exotel import client as wire
from reconciler.providers.exotel import convert
from reconciler.providers.exotel.answers import Row
from reconciler.providers.exotel.client import Client, Filters, Page
from reconciler.providers.exotel.convert import ATTRIBUTES, GONE, status_of
from reconciler.providers.exotel.paging import Reading, read_all
from reconciler.providers.exotel.settings import Settings

COLUMNS: tuple[str, ...] = ("number", "contact_id", *ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class People:
    """Contacts by number; ``ids`` are those of all of them, ``unusable`` had no number, ``twice`` one of another."""

    contacts: ContactSet
    ids: frozenset[str]
    unusable: int
    twice: int


class Reader:
    """All reads that take more than one request."""

    def __init__(self, client: Client, settings: Settings, width: int, progress: Progress) -> None:
        self._client = client
        self._settings = settings
        self._width = width
        self._progress = progress

    async def lists(self, filters: Filters = ()) -> dict[RemoteId, Observed]:
        """Every list, or those that a search leaves; whoever searches checks the names again."""
        rows = await read_all(
            lambda offset, limit: self._client.lists(offset, limit, filters), self._reading("lists", wire.LISTS_PAGE)
        )
        return {o.remote_id: o for o in map(convert.list_of, rows.values())}

    async def campaigns(self, filters: Filters = ()) -> dict[RemoteId, Observed]:
        """Every campaign, also those that are over; the deleted ones are left out."""
        return {o.remote_id: o for o, _ in await self.campaign_rows(filters)}

    async def campaign_rows(self, filters: Filters = ()) -> list[tuple[Observed, Row]]:
        """The same, with what the listing shows besides."""
        rows = await read_all(
            lambda offset, limit: self._client.campaigns(offset, limit, filters),
            self._reading("campaigns", wire.CAMPAIGNS_PAGE),
        )
        found = [(convert.campaign_of(row, self._client.sid), row) for row in rows.values()]
        return [(o, row) for o, row in found if status_of(o) != GONE]

    async def one_list(self, list_id: str) -> Observed:
        """One list. Raises NotFound."""
        return convert.list_of(await self._client.one_list(list_id))

    async def one_campaign(self, campaign_id: str) -> Observed:
        """One campaign. Raises NotFound, also for one that was deleted and can still be read."""
        found = convert.campaign_of(await self._client.one_campaign(campaign_id), self._client.sid)
        if status_of(found) == GONE:
            raise NotFound("Exotel says that the campaign was deleted.", status=404)
        return found

    async def members(
        self, list_id: str, name: str = "a list", *, enough: Callable[[Page], bool] | None = None
    ) -> People:
        """Everybody on one list, or with ``enough`` as many of them as that takes. Raises NotFound."""
        how = self._reading(f"members of {name}", wire.MEMBERS_PAGE, enough)
        rows: Mapping[str, Row] = await read_all(
            lambda offset, limit: self._client.members(list_id, offset, limit), how
        )
        if rows and not any(convert.contact_of(row)["number"] for row in rows.values()):
            # Bare associations: the numbers are in the address book only, 25 times as many requests (section 3).
            rows = await self._book([("list_sids", list_id)], f"contacts of {name}")
        return people_of(rows.values())

    async def look_up(self, numbers: ContactSet) -> People | None:
        """The contacts with these numbers; None where the address book is too large to be read.

        There is no way to ask for a number, so the book is read until all of them were seen.
        """
        most = self._settings.book_pages * wire.CONTACTS_PAGE
        left = set(numbers.numbers())
        large = False

        def enough(page: Page) -> bool:
            nonlocal large
            large = page.total is None or page.total > most
            left.difference_update(n for row in page.rows if (n := convert.contact_of(row)["number"]))
            return large or not left

        rows = await self._book((), "contacts", enough)
        if large and left:
            return None
        wanted = set(numbers.numbers())
        return people_of(row for row in rows.values() if convert.contact_of(row)["number"] in wanted)

    async def _book(
        self, filters: Filters, what: str, enough: Callable[[Page], bool] | None = None
    ) -> Mapping[str, Row]:
        return await read_all(
            lambda offset, limit: self._client.contacts(offset, limit, filters),
            self._reading(what, wire.CONTACTS_PAGE, enough),
        )

    def _reading(self, what: str, limit: int, enough: Callable[[Page], bool] | None = None) -> Reading:
        def told(done: int, total: int | None) -> None:
            self._progress(what, done, total)

        return Reading(what=what, limit=limit, width=self._width, told=told, enough=enough)


def people_of(rows: Iterable[Row]) -> People:
    """Contacts as columns. Of several with one number the oldest counts (H3)."""
    found = [convert.contact_of(row) for row in rows]
    if any(c["contact_id"] is None for c in found):
        raise ReadIncomplete("Exotel returned a contact without an id.")
    found.sort(key=lambda c: c["created"] or "")
    columns: dict[str, list[str | None]] = {name: [c[name] for c in found] for name in COLUMNS}
    contacts = ContactSet.from_columns(columns)
    unusable = columns["number"].count(None)
    ids = frozenset(x for x in columns["contact_id"] if x)
    return People(contacts, ids, unusable, len(found) - unusable - len(contacts))
