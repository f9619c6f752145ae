"""Reads of a brand that take more than one request: whole collections, proven members, contacts by number."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from reconciler.errors import NotFound, ReadIncomplete
from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet, ContactSetBuilder
from reconciler.model.live import OPTED_OUT, Observed
from reconciler.providers.base import Progress
from reconciler.providers.parallel import together
from reconciler.providers.slicktext import convert
from reconciler.providers.slicktext.client import Client, Filters, Page
from reconciler.providers.slicktext.contacts import ATTRIBUTES, WHO, Columns, ContactPage
from reconciler.providers.slicktext.paging import Reading, read_all
from reconciler.providers.slicktext.settings import Settings

TRIES = 3
"""How often a list that changes while it is read is read from the start."""
MOST_LOOKUPS = 200
"""Above so many single lookups, reading the whole address book is cheaper (H5)."""


@dataclass(frozen=True, slots=True)
class Members:
    """A list, read whole: people by number, the ids of everybody on it, and how many had no usable number."""

    contacts: ContactSet
    ids: AbstractSet[int]
    unusable: int


class Gathered:
    """Contacts from pages. Of a number that occurs twice the first row counts, but an opt-out of any of them wins."""

    def __init__(self, *, attributes: bool) -> None:
        self._builder = ContactSetBuilder((*WHO, *ATTRIBUTES) if attributes else WHO)
        self._opted_out: list[str] = []
        self.unusable = 0

    def take(self, page: ContactPage, fresh: Sequence[int]) -> None:
        self.add(page.columns if len(fresh) == len(page.ids) else _rows(page.columns, fresh))

    def add(self, columns: Columns) -> None:
        self._builder.append(columns)
        numbers, statuses = columns["number"], columns["status"]
        self.unusable += numbers.count(None)
        if OPTED_OUT in statuses:
            people = zip(numbers, statuses, strict=True)
            self._opted_out += [n for n, status in people if status == OPTED_OUT and n is not None]

    def build(self) -> ContactSet:
        made = self._builder.build()
        if len(made) == len(self._builder) - self.unusable:
            return made
        return made.filled("status", dict.fromkeys(self._opted_out, OPTED_OUT))


class Reader:
    """All reads that take more than one request."""

    def __init__(self, client: Client, settings: Settings, width: int, progress: Progress) -> None:
        self._client = client
        self._settings = settings
        self._width = width
        self._progress = progress

    async def lists(self, filters: Filters = ()) -> dict[RemoteId, Observed]:
        """Every list, or those that a filter leaves; whoever filters checks the rows again."""
        rows = await self._whole(lambda offset: self._client.lists(offset, self._settings.page_size, filters), "lists")
        found = [convert.list_of(row, self._client.brand) for row in rows]
        return {o.remote_id: o for o in found}

    async def campaigns(self, filters: Filters = ()) -> dict[RemoteId, Observed]:
        """Every campaign. Those whose row lacked the audience have the fact ``complete`` false."""
        rows = await self.campaign_rows(filters)
        found = [convert.campaign_of(row, self._client.brand) for row in rows]
        return {o.remote_id: o for o in found}

    async def campaign_rows(self, filters: Filters = ()) -> list[Mapping[str, Any]]:
        """Every campaign as the listing shows it."""
        return await self._whole(
            lambda offset: self._client.campaigns(offset, self._settings.page_size, filters), "campaigns"
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
            ids = await read_all(
                lambda offset: self._client.members(list_id, offset, self._settings.page_size, attributes=attributes),
                gathered.take,
                self._reading(f"members of {name}", before),
            )
            after = await self._client.member_count(list_id)
            if len(ids) == before == after:
                return Members(gathered.build(), ids, gathered.unusable)
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
        self, numbers: ContactSet, *, attributes: bool = False
    ) -> tuple[ContactSet, Mapping[str, tuple[str, ...]]]:
        """The contacts with these numbers, and the ids for each number that several contacts have.

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
        return await self._from_book(numbers, attributes)

    async def _with_number(self, number: str, attributes: bool) -> Columns | None:
        """The contacts with one number; None when the server ignored the filter, so that nothing can be concluded."""
        wanted = [("mobile_number", number)]
        page = await self._client.contacts(0, self._settings.page_size, wanted, attributes=attributes)
        if any(found != number for found in page.columns["number"]):
            return None
        return page.columns

    async def _from_book(
        self, numbers: ContactSet, attributes: bool
    ) -> tuple[ContactSet, Mapping[str, tuple[str, ...]]]:
        wanted = frozenset(numbers.numbers())
        parts: list[Columns] = []

        def take(page: ContactPage, fresh: Sequence[int]) -> None:
            kept = [at for at in fresh if page.columns["number"][at] in wanted]
            if kept:
                parts.append(_rows(page.columns, kept))

        await read_all(
            lambda offset: self._client.contacts(offset, self._settings.page_size, attributes=attributes),
            take,
            self._reading("contacts"),
        )
        return _sorted_out(parts, attributes)

    async def _whole(self, read: Callable[[int], Awaitable[Page]], what: str) -> list[Mapping[str, Any]]:
        rows: list[Mapping[str, Any]] = []
        await read_all(read, lambda page, fresh: rows.extend(page.rows[at] for at in fresh), self._reading(what))
        return rows

    def _reading(self, what: str, expected: int | None = None) -> Reading:
        settings = self._settings
        return Reading(
            what=what,
            limit=settings.page_size,
            cap=settings.max_rows,
            width=self._width,
            expected=expected,
            told=lambda done: self._progress(what, done, expected),
        )


def _rows(columns: Columns, at: Sequence[int]) -> Columns:
    return {name: [values[i] for i in at] for name, values in columns.items()}


def _sorted_out(parts: Iterable[Columns], attributes: bool) -> tuple[ContactSet, Mapping[str, tuple[str, ...]]]:
    gathered = Gathered(attributes=attributes)
    ids: dict[str, list[str]] = {}
    for columns in parts:
        gathered.add(columns)
        for number, contact_id in zip(columns["number"], columns["contact_id"], strict=True):
            if number is not None and contact_id is not None:
                ids.setdefault(number, []).append(contact_id)
    return gathered.build(), {n: tuple(sorted(set(found))) for n, found in ids.items() if len(set(found)) > 1}
