"""Reads of a brand that take more than one request: whole collections, proven members, contacts by number."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from msgspec import Struct

from reconciler.errors import NotFound, ReadIncomplete
from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.gathering import ContactSetBuilder
from reconciler.model.live import OPTED_OUT, Observed
from reconciler.providers.base import Progress
from reconciler.providers.parallel import together
from reconciler.providers.slicktext import convert
from reconciler.providers.slicktext.client import Client, Filters, Page
from reconciler.providers.slicktext.contacts import ATTRIBUTES, WHO, Columns, ContactPage
from reconciler.providers.slicktext.paging import Reading, read_all
from reconciler.providers.slicktext.seen import Seen
from reconciler.providers.slicktext.settings import Settings

TRIES = 3
"""How often a list that changes while it is read is read from the start."""
MOST_LOOKUPS = 200
"""Above so many single lookups, reading the whole address book is cheaper (H5)."""


class Members(Struct, frozen=True):
    """A list, read whole: people by number, how many are on it, and how many of them had no usable number.

    ``having`` tells which of some contact ids are on it.
    """

    contacts: ContactSet
    count: int
    unusable: int
    having: Callable[[Collection[int]], AbstractSet[int]]


class Gathered:
    """Contacts from pages. Of a number that occurs twice the first row counts, but an opt-out of any of them wins."""

    def __init__(self, *, attributes: bool) -> None:
        columns = (*WHO, *ATTRIBUTES) if attributes else WHO
        self._builder = ContactSetBuilder(columns, key="contact_id", number_of=convert.number_of)
        self.count = self._builder.count

    def take(self, page: ContactPage) -> None:
        self._builder.append(page.raw)

    def add(self, columns: Columns) -> None:
        self._builder.append(columns)

    def build(self) -> ContactSet:
        made = self._builder.build()
        if len(made) == self.count() - self._builder.numberless():
            return made
        again = self._builder.repeated_rows()
        people = zip(again["number"], again["status"], strict=True)
        return made.filled("status", {n: OPTED_OUT for n, status in people if n is not None and status == OPTED_OUT})

    def members(self) -> Members:
        return Members(self.build(), self.count(), self._builder.numberless(), self._builder.holding)


class _Rows:
    """Lists or campaigns as the listing shows them, by id."""

    def __init__(self) -> None:
        self.by_id: dict[int, Mapping[str, Any]] = {}

    def take(self, page: Page) -> None:
        for found, row in zip(page.ids, page.rows, strict=True):
            self.by_id.setdefault(found, row)

    def count(self) -> int:
        return len(self.by_id)


class _Wanted:
    """Those of the address book who have certain numbers."""

    def __init__(self, numbers: Collection[str]) -> None:
        self._numbers = frozenset(numbers)
        self._ids = Seen()
        self.parts: list[Columns] = []

    def take(self, page: ContactPage) -> None:
        self._ids.add_page(page.ids)
        at = [i for i, number in enumerate(page.numbers) if number in self._numbers]
        if at:
            self.parts.append({name: [values[i] for i in at] for name, values in page.columns.items()})

    def count(self) -> int:
        return len(self._ids)


class Reader:
    """All reads that take more than one request."""

    def __init__(self, client: Client, settings: Settings, width: int, progress: Progress) -> None:
        self._client = client
        self._settings = settings
        self._width = width
        self._progress = progress

    async def lists(self, filters: Filters = (), *, at_least: int = 0) -> dict[RemoteId, Observed]:
        """Every list, or those that a filter leaves; whoever filters checks the rows again. ``at_least``: how many
        there must be."""
        rows = await self._whole(
            lambda offset: self._client.lists(offset, self._settings.page_size, filters), "lists", at_least
        )
        found = [convert.list_of(row, self._client.brand) for row in rows]
        return {o.remote_id: o for o in found}

    async def campaigns(self, filters: Filters = (), *, at_least: int = 0) -> dict[RemoteId, Observed]:
        """Every campaign. Those whose row lacked the audience have the fact ``complete`` false."""
        rows = await self.campaign_rows(filters, at_least=at_least)
        found = [convert.campaign_of(row, self._client.brand) for row in rows]
        return {o.remote_id: o for o in found}

    async def campaign_rows(self, filters: Filters = (), *, at_least: int = 0) -> list[Mapping[str, Any]]:
        """Every campaign as the listing shows it."""
        return await self._whole(
            lambda offset: self._client.campaigns(offset, self._settings.page_size, filters), "campaigns", at_least
        )

    async def one_campaign(self, remote_id: str) -> Observed:
        """One campaign with its audience. Raises NotFound."""
        return convert.campaign_of(await self._client.one_campaign(remote_id), self._client.brand)

    async def one_list(self, remote_id: str) -> Observed:
        """One list. Raises NotFound."""
        return convert.list_of(await self._client.one_list(remote_id), self._client.brand)

    async def members(self, list_id: str, name: str = "a list", *, attributes: bool = False) -> Members:
        """Everybody on one list, proven by the count before and after.

        Raises NotFound, and ReadIncomplete when the list does not hold still.
        """
        before = await self._client.member_count(list_id)
        for _ in range(TRIES):
            gathered = Gathered(attributes=attributes)
            count = await read_all(
                lambda offset: self._client.members(list_id, offset, self._settings.page_size, attributes=attributes),
                gathered,
                self._reading(f"members of {name}", before),
            )
            after = await self._client.member_count(list_id)
            if count == before == after:
                return gathered.members()
            before = after
        raise ReadIncomplete(
            f"The members of {name!r} cannot be read whole: pages and count differ after {TRIES} tries.",
            hint="Something is changing the list, or the provider is answering wrongly. Try again later.",
        )

    async def counts(self, lists: Iterable[RemoteId]) -> Mapping[RemoteId, int]:
        """How many are on each list; one that is not there is left out."""

        async def of(list_id: RemoteId) -> int | None:
            try:
                return await self._client.member_count(list_id)
            except NotFound:
                return None

        ids = sorted(lists)
        found = await together(of(i) for i in ids)
        return {i: count for i, count in zip(ids, found, strict=True) if count is not None}

    async def look_up(
        self, numbers: ContactSet, *, attributes: bool = False, at_least: int = 0
    ) -> tuple[ContactSet, Mapping[str, tuple[str, ...]]]:
        """The contacts with these numbers, and the ids for each number that several contacts have. ``at_least``: how
        many contacts the brand must have.

        Nobody who was not found is looked up a second time: people about to be created are the ordinary case here, and
        each would cost a request more in every plan. Should a row slip out of an answer, the plan counts one create too
        many (with ``missingContacts: fail`` it is refused). SlickText refuses that create, and the contact is found
        then.
        """
        if not numbers:
            return ContactSet.empty(), {}
        if len(numbers) <= MOST_LOOKUPS:
            found = await together(self._with_number(n, attributes) for n in numbers.numbers())
            if all(columns is not None for columns in found):
                return _sorted_out([c for c in found if c is not None], attributes)
        return await self._from_book(numbers, attributes, at_least)

    async def _with_number(self, number: str, attributes: bool) -> Columns | None:
        """The contacts with one number; None when the server ignored the filter, so that nothing can be concluded."""
        wanted = [("mobile_number", number)]
        page = await self._client.contacts(0, self._settings.page_size, wanted, attributes=attributes)
        if any(found != number for found in page.columns["number"]):
            return None
        return page.columns

    async def _from_book(
        self, numbers: ContactSet, attributes: bool, at_least: int
    ) -> tuple[ContactSet, Mapping[str, tuple[str, ...]]]:
        wanted = _Wanted(frozenset(numbers.numbers()))
        await read_all(
            lambda offset: self._client.contacts(offset, self._settings.page_size, attributes=attributes),
            wanted,
            self._reading("contacts", at_least=at_least),
        )
        return _sorted_out(wanted.parts, attributes)

    async def _whole(self, read: Callable[[int], Awaitable[Page]], what: str, at_least: int) -> list[Mapping[str, Any]]:
        rows = _Rows()
        await read_all(read, rows, self._reading(what, at_least=at_least))
        return [*rows.by_id.values()]

    def _reading(self, what: str, expected: int | None = None, *, at_least: int = 0) -> Reading:
        settings = self._settings
        return Reading(
            what=what,
            limit=settings.page_size,
            cap=settings.max_rows,
            width=self._width,
            expected=expected,
            at_least=at_least,
            told=lambda done: self._progress(what, done, expected),
        )


def _sorted_out(parts: Iterable[Columns], attributes: bool) -> tuple[ContactSet, Mapping[str, tuple[str, ...]]]:
    gathered = Gathered(attributes=attributes)
    ids: dict[str, list[str]] = {}
    for columns in parts:
        gathered.add(columns)
        for number, contact_id in zip(columns["number"], columns["contact_id"], strict=True):
            if number is not None and contact_id is not None:
                ids.setdefault(number, []).append(contact_id)
    return gathered.build(), {n: tuple(sorted(set(found))) for n, found in ids.items() if len(set(found)) > 1}
