"""Reads of an account that take more than one request: whole collections, members, contacts by number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from reconciler.errors import NotFound, ReadIncomplete
from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import Observed
from reconciler.providers.base import Progress
from reconciler.providers.exotel import client as wire
from reconciler.providers.exotel import convert
from reconciler.providers.exotel.answers import Row
from reconciler.providers.exotel.client import Client, Filters
from reconciler.providers.exotel.contacts import ContactPage, Gathered, People, columns_of
from reconciler.providers.exotel.convert import GONE, status_of
from reconciler.providers.exotel.paging import P, Read, Reading, all_rows, read_all
from reconciler.providers.exotel.settings import Settings
from reconciler.providers.parallel import together


class Reader:
    """All reads that take more than one request."""

    def __init__(self, client: Client, settings: Settings, width: int, progress: Progress) -> None:
        self._client = client
        self._settings = settings
        self._width = width
        self._progress = progress

    async def lists(self, filters: Filters = ()) -> dict[RemoteId, Observed]:
        """Every list, or those that a search leaves; whoever searches checks the names again."""
        rows = await all_rows(
            lambda offset, limit: self._client.lists(offset, limit, filters), self._reading("lists", wire.LISTS_PAGE)
        )
        return {o.remote_id: o for o in map(convert.list_of, rows.values())}

    async def campaigns(self, filters: Filters = ()) -> dict[RemoteId, Observed]:
        """Every campaign, also those that are over; the deleted ones are left out."""
        return {o.remote_id: o for o, _ in await self.campaign_rows(filters)}

    async def campaign_rows(self, filters: Filters = ()) -> list[tuple[Observed, Row]]:
        """The same, with what the listing shows besides."""
        rows = await all_rows(
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
        self,
        list_id: str,
        name: str = "a list",
        *,
        attributes: bool = False,
        enough: Callable[[ContactPage], bool] | None = None,
    ) -> People:
        """Everybody on one list, or with ``enough`` as many of them as that takes. Raises NotFound."""
        found = await self._people(
            lambda offset, limit: self._client.members(list_id, offset, limit, attributes=attributes),
            self._reading(f"members of {name}", wire.MEMBERS_PAGE, enough),
            lambda: Gathered(attributes=attributes),
        )
        if found.count and not found.contacts:
            # Bare associations: the numbers are in the address book only, 25 times as many requests (section 3).
            return await self._book([("list_sids", list_id)], f"contacts of {name}")
        return found

    async def counts(self, lists: Iterable[RemoteId]) -> Mapping[RemoteId, int]:
        """How many are on each list, as the shortest page tells it; what is not told is left out."""

        async def of(list_id: RemoteId) -> int | None:
            try:
                return (await self._client.members(list_id, 0, 1)).total
            except NotFound:
                return None

        ids = sorted(lists)
        found = await together(of(i) for i in ids)
        return {i: count for i, count in zip(ids, found, strict=True) if count is not None}

    async def look_up(self, numbers: ContactSet) -> People | None:
        """The contacts with these numbers; None where the address book is too large to be read.

        There is no way to ask for a number, so the book is read until all of them were seen.
        """
        most = self._settings.book_pages * wire.CONTACTS_PAGE
        left = set(numbers.numbers())
        wanted = frozenset(left)
        large = False

        def enough(page: ContactPage) -> bool:
            nonlocal large
            large = page.total is None or page.total > most
            left.difference_update(n for n in page.numbers if n is not None)
            return large or not left

        found = await self._book((), "contacts", enough, wanted)
        return None if large and left else found

    async def _book(
        self,
        filters: Filters,
        what: str,
        enough: Callable[[ContactPage], bool] | None = None,
        wanted: frozenset[str] | None = None,
    ) -> People:
        how = self._reading(what, wire.CONTACTS_PAGE, enough)
        return await self._people(
            lambda offset, limit: self._client.contacts(offset, limit, filters), how, lambda: Gathered(wanted)
        )

    async def _people(
        self, read: Read[ContactPage], how: Reading[ContactPage], begin: Callable[[], Gathered] = Gathered
    ) -> People:
        gathered, count = await read_all(read, how, begin)
        return gathered.people(count)

    def _reading(self, what: str, limit: int, enough: Callable[[P], bool] | None = None) -> Reading[P]:
        def told(done: int, total: int | None) -> None:
            self._progress(what, done, total)

        return Reading(what=what, limit=limit, width=self._width, told=told, enough=enough)


def people_of(rows: Iterable[Row]) -> People:
    """Contacts that were read one by one."""
    found = [convert.contact_of(row) for row in rows]
    ids = [c["contact_id"] for c in found if c["contact_id"] is not None]
    if len(ids) != len(found):
        raise ReadIncomplete("Exotel returned a contact without an id.")
    gathered = Gathered()
    gathered.take(ContactPage(ids, columns_of(found), None))
    return gathered.people(len(set(ids)))
