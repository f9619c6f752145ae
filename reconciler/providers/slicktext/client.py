"""The reading endpoints as thin functions: one request each, decoded, nothing decided.

The writing ones are in ``calls`` (as data, for plans) and ``operations`` (all of them, for ``reconciler call``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from reconciler.errors import ReadIncomplete
from reconciler.providers.http import Http
from reconciler.providers.slicktext import contacts, convert
from reconciler.providers.slicktext.contacts import Columns, ContactPage

Filters = Sequence[tuple[str, str]]


class Page(Struct, frozen=True):
    """One page of lists, campaigns, segments or custom fields."""

    ids: Sequence[int]
    rows: Sequence[Mapping[str, Any]]
    more: bool


class Client:
    """One brand. ``limit`` and ``offset`` are rows; filters are exact and may be ignored by the server, so whoever uses
    one looks at every row again."""

    def __init__(self, http: Http, brand: str) -> None:
        self._http = http
        self.brand = brand

    async def own_brand(self) -> Any:
        """B1: the brand that the key belongs to."""
        return await self._read("brands")

    async def lists(self, offset: int, limit: int, filters: Filters = ()) -> Page:
        """L1."""
        return await self._page(convert.LIST_IDS, "lists", offset=offset, limit=limit, filters=filters)

    async def one_list(self, list_id: str) -> Mapping[str, Any]:
        """L2. Raises NotFound."""
        return await self._one("lists", list_id)

    async def member_count(self, list_id: str) -> int:
        """L6: everybody on the list, whatever their status."""
        return convert.count(await self._read(*self._path("lists", list_id, "contacts", "count")))

    async def members(
        self, list_id: str, offset: int, limit: int, filters: Filters = (), *, attributes: bool = True
    ) -> ContactPage:
        """L7."""
        path = ("lists", list_id, "contacts")
        return await self._contacts(*path, offset=offset, limit=limit, filters=filters, attributes=attributes)

    async def contacts(self, offset: int, limit: int, filters: Filters = (), *, attributes: bool = True) -> ContactPage:
        """C1."""
        return await self._contacts("contacts", offset=offset, limit=limit, filters=filters, attributes=attributes)

    async def one_contact(self, contact_id: str) -> Columns:
        """C2, as columns of one row. Raises NotFound."""
        return contacts.contact_of(await self._one("contacts", contact_id), self.brand)

    async def campaigns(self, offset: int, limit: int, filters: Filters = ()) -> Page:
        """M1. Rows may lack their ``audience``."""
        return await self._page(convert.CAMPAIGN_IDS, "campaigns", offset=offset, limit=limit, filters=filters)

    async def one_campaign(self, campaign_id: str) -> Mapping[str, Any]:
        """M2. Raises NotFound."""
        return await self._one("campaigns", campaign_id)

    async def segments(self, offset: int, limit: int) -> Page:
        """S1. Segments cannot be made or changed through the API."""
        return await self._page(("segment_id", "id"), "segments", offset=offset, limit=limit)

    async def custom_fields(self, offset: int, limit: int) -> Page:
        """F1."""
        return await self._page(("custom_field_id", "id"), "custom-fields", offset=offset, limit=limit)

    def _path(self, *parts: str) -> tuple[str, ...]:
        return ("brands", self.brand, *parts)

    async def _read(self, *path: str, query: Filters = ()) -> Any:
        # No read of this API answers with nothing, so an empty body is a cut one and read again.
        return (await self._http.get(*path, query=query, decode=msgspec.json.decode)).body

    async def _one(self, *parts: str) -> Mapping[str, Any]:
        body = await self._read(*self._path(*parts))
        if isinstance(body, Mapping) and isinstance(body.get("data"), Mapping):
            body = body["data"]
        if not isinstance(body, Mapping):
            raise ReadIncomplete(f"SlickText answered one of the {parts[0]} in an unknown shape.")
        return body

    async def _page(self, ids: tuple[str, ...], *parts: str, offset: int, limit: int, filters: Filters = ()) -> Page:
        query = [("limit", str(limit)), ("offset", str(offset)), *filters]
        body = await self._read(*self._path(*parts), query=query)
        rows = body.get("data") if isinstance(body, Mapping) else None
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise ReadIncomplete(f"SlickText answered {parts[-1]} in an unknown shape.")
        found = [convert.id_of(row, ids) for row in rows]
        if None in found:
            raise ReadIncomplete(f"SlickText returned one of the {parts[-1]} without an id.")
        for row in rows:
            convert.check_brand(row, self.brand)
        paging = body.get("pagingData")
        more = convert.flag(paging.get("hasMore")) if isinstance(paging, Mapping) else False
        return Page([int(x) for x in found if x is not None], rows, more)

    async def _contacts(self, *parts: str, offset: int, limit: int, filters: Filters, attributes: bool) -> ContactPage:
        query = [("limit", str(limit)), ("offset", str(offset)), *filters]
        decode = contacts.decode if attributes else contacts.decode_lean
        reply = await self._http.get(*self._path(*parts), query=query, decode=decode)
        return contacts.page_of(reply.body, self.brand)
