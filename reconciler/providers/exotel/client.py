"""The reading endpoints as thin functions: one request each, decoded, nothing decided.

The writing ones are in ``calls`` (as data, for plans) and ``operations`` (all of them, for ``reconciler call``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from reconciler.errors import CredentialsRefused, ReadIncomplete
from reconciler.providers.exotel import answers, contacts, convert
from reconciler.providers.exotel.answers import Row
from reconciler.providers.exotel.contacts import ContactPage
from reconciler.providers.http import Http, decoded

Filters = Sequence[tuple[str, str]]

LISTS_PAGE, CONTACTS_PAGE, MEMBERS_PAGE, CAMPAIGNS_PAGE = 100, 20, 500, 500
"""Rows asked for at a time: the documented maxima, and for lists what others were seen to use (API notes, 1.5)."""
OLDEST_FIRST = ("sort_by", "date_created:asc")

WRONG_REGION = "Is it the key, the token, or a key of another region? Exotel answers the same for all three."


class Page(Struct, frozen=True):
    """One page. ``total`` is how many there are in all, None where the answer does not say."""

    ids: Sequence[str]
    rows: Sequence[Row]
    total: int | None


class Client:
    """One account. ``offset`` and ``limit`` are rows; a search by name finds more than that name."""

    def __init__(self, http: Http, sid: str) -> None:
        self._http = http
        self.sid = sid

    async def lists(self, offset: int, limit: int = LISTS_PAGE, filters: Filters = ()) -> Page:
        """E2."""
        return await self._page(convert.LIST_IDS, "lists", offset=offset, limit=limit, filters=(OLDEST_FIRST, *filters))

    async def one_list(self, list_id: str) -> Row:
        """E3. Raises NotFound."""
        return answers.single(await self._read("lists", list_id))

    async def members(
        self, list_id: str, offset: int, limit: int = MEMBERS_PAGE, *, attributes: bool = False
    ) -> ContactPage:
        """E8: contacts, or bare associations. Raises NotFound."""
        return await self._contacts("lists", list_id, "contacts", offset=offset, limit=limit, attributes=attributes)

    async def contacts(self, offset: int, limit: int = CONTACTS_PAGE, filters: Filters = ()) -> ContactPage:
        """E13."""
        return await self._contacts("contacts", offset=offset, limit=limit, filters=(OLDEST_FIRST, *filters))

    async def one_contact(self, contact_id: str) -> Row:
        """E14. Raises NotFound."""
        return answers.single(await self._read("contacts", contact_id))

    async def campaigns(self, offset: int, limit: int = CAMPAIGNS_PAGE, filters: Filters = ()) -> Page:
        """E19: those that are over too."""
        filters = (OLDEST_FIRST, *filters)
        return await self._page(convert.CAMPAIGN_IDS, "campaigns", offset=offset, limit=limit, filters=filters)

    async def one_campaign(self, campaign_id: str) -> Row:
        """E20. Raises NotFound."""
        return answers.single(await self._read("campaigns", campaign_id))

    async def upload(self, upload_id: str) -> Row:
        """E11. The address that E10 answers is not followed: it is built from the id here."""
        return answers.single(await self._read("csv-status", upload_id))

    async def _read(self, *path: str, query: Filters = (), decode: Callable[[bytes], Any] = decoded) -> Any:
        try:
            return (await self._http.get(self.sid, *path, query=query, decode=decode)).body
        except CredentialsRefused as refused:
            refused.hint = WRONG_REGION
            raise

    async def _page(self, names: tuple[str, ...], *path: str, offset: int, limit: int, filters: Filters = ()) -> Page:
        body = await self._read(*path, query=_paged(offset, limit, filters))
        if not isinstance(body, dict) or not isinstance(body.get("response"), list):
            raise ReadIncomplete(f"Exotel answered {path[-1]} in an unknown shape.")
        rows = answers.entities(body)
        ids = [str(convert.id_of(row, names) or "") for row in rows]
        if "" in ids:
            raise ReadIncomplete(f"Exotel returned one of the {path[-1]} without an id.")
        return Page(ids, rows, answers.total(body))

    async def _contacts(
        self, *path: str, offset: int, limit: int, filters: Filters = (), attributes: bool = True
    ) -> ContactPage:
        decode = contacts.decode if attributes else contacts.decode_lean
        page: ContactPage = await self._read(*path, query=_paged(offset, limit, filters), decode=decode)
        return page


def _paged(offset: int, limit: int, filters: Filters) -> Filters:
    return [("offset", str(offset)), ("limit", str(limit)), *filters]
