"""Pages of contacts, straight from bytes into columns.

A page is decoded into typed structs, which live only until their values are in columns. A page that does not fit the
types (a number where text is documented, say) is decoded again in the tolerant way, so no oddity of one row costs speed
on the others. Where nobody asks for attributes, the decoder skips them: that halves the time and the memory of a read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from reconciler.errors import ReadIncomplete
from reconciler.providers.slicktext.convert import (
    CONTACT_IDS,
    AccountMismatch,
    check_brand,
    id_of,
    numbers_of,
    statuses_of,
)

ATTRIBUTES: tuple[str, ...] = (
    "first_name",
    "last_name",
    "email",
    "address",
    "city",
    "state",
    "zip",
    "country",
    "birthdate",
    "timezone",
    "language",
)
"""The attributes of a contact that can be written (API notes, 2.3); custom fields are not [A-7]."""

WHO: tuple[str, ...] = ("number", "contact_id", "status")
"""The columns that are always there; ``ATTRIBUTES`` follow where they are asked for."""

Columns: TypeAlias = dict[str, list[str | None]]


class Who(msgspec.Struct, gc=False):
    """A contact without its attributes; every other field is skipped by the decoder."""

    contact_id: int
    mobile_number: str | None = None
    brand: int | None = msgspec.field(default=None, name="_brand_id")
    opt_in_status: str | None = None


class Row(Who, gc=False):
    """A contact with its attributes, as it is documented."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    address: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | int | None = None
    country: str | None = None
    birthdate: str | None = None
    timezone: str | None = None
    language: str | None = None


class Paging(msgspec.Struct):
    """The one field of ``pagingData`` that means something when paging by offset."""

    has_more: bool | None = msgspec.field(default=None, name="hasMore")


class Envelope(msgspec.Struct):
    """A page of contacts with their attributes."""

    data: list[Row]
    paging: Paging | None = msgspec.field(default=None, name="pagingData")


class LeanEnvelope(msgspec.Struct):
    """A page of contacts without."""

    data: list[Who]
    paging: Paging | None = msgspec.field(default=None, name="pagingData")


class ContactPage(Struct, frozen=True):
    """One page: ids in order, the same rows as columns, and whether the provider says that there is more.

    ``raw`` has the ids as numbers and the people's numbers as they came, for those who look at many pages at once.
    """

    ids: Sequence[int]
    raw: Mapping[str, Sequence[str | int | None]]
    more: bool

    @property
    def numbers(self) -> list[str | None]:
        """The people's numbers as they are compared."""
        return numbers_of([None if n is None else str(n) for n in self.raw["number"]])

    @property
    def columns(self) -> Columns:
        """All of it as text."""
        texts: Columns = {name: [None if v is None else str(v) for v in values] for name, values in self.raw.items()}
        return texts | {"number": self.numbers}


_whole = msgspec.json.Decoder(Envelope)
_lean = msgspec.json.Decoder(LeanEnvelope)
_all_of = attrgetter(*ATTRIBUTES)


def decode(raw: bytes) -> Envelope | LeanEnvelope:
    """Raises msgspec.DecodeError for what is no JSON, ReadIncomplete for what is no page of contacts."""
    try:
        return _whole.decode(raw)
    except msgspec.ValidationError:
        return _tolerant(msgspec.json.decode(raw))


def decode_lean(raw: bytes) -> Envelope | LeanEnvelope:
    """As ``decode``, without the attributes."""
    try:
        return _lean.decode(raw)
    except msgspec.ValidationError:
        return _tolerant(msgspec.json.decode(raw))


def page_of(envelope: Envelope | LeanEnvelope, brand: str) -> ContactPage:
    """The rows as columns, normalised. AccountMismatch for rows of another brand."""
    rows = envelope.data
    if others := {r.brand for r in rows} - {None, int(brand)}:
        raise AccountMismatch(f"SlickText returned a contact of brand {others.pop()} for brand {brand}.")
    ids = [r.contact_id for r in rows]
    raw: dict[str, Sequence[str | int | None]] = {
        "number": [r.mobile_number for r in rows],
        "contact_id": ids,
        "status": statuses_of([r.opt_in_status for r in rows]),
    }
    if isinstance(envelope, Envelope):
        raw |= _attributes(envelope.data)
    more = envelope.paging is not None and bool(envelope.paging.has_more)
    return ContactPage(ids, raw, more)


def _attributes(rows: list[Row]) -> Columns:
    # Reading all of a row at once costs a third of reading one after the other.
    found = map(list, zip(*map(_all_of, rows), strict=True)) if rows else ([] for _ in ATTRIBUTES)
    columns: Columns = dict(zip(ATTRIBUTES, found, strict=True))
    columns["zip"] = [str(z) if isinstance(z, int) else z for z in columns["zip"]]
    columns["birthdate"] = [None if b == "null" else b for b in columns["birthdate"]]
    return columns


def contact_of(body: Any, brand: str) -> Columns:
    """One contact as C2, C3 and C4 answer it, as columns of one row."""
    if not isinstance(body, Mapping):
        raise ReadIncomplete("SlickText returned a contact in an unknown shape.")
    check_brand(body, brand)
    return page_of(Envelope(data=[_row(body)]), brand).columns


def _tolerant(body: Any) -> Envelope:
    if not isinstance(body, Mapping) or not isinstance(body.get("data"), list):
        raise ReadIncomplete("SlickText returned contacts in an unknown shape.")
    paging = body.get("pagingData")
    more = paging.get("hasMore") if isinstance(paging, Mapping) else None
    return Envelope(data=[_row(row) for row in body["data"]], paging=Paging(more in (True, 1, "true", "1")))


def _row(row: Any) -> Row:
    found = id_of(row, CONTACT_IDS)
    if found is None:
        raise ReadIncomplete("SlickText returned a contact without an id.")
    brand = id_of(row, ("_brand_id",))
    return Row(
        contact_id=int(found),
        mobile_number=_text(row.get("mobile_number")),
        brand=int(brand) if brand else None,
        opt_in_status=_text(row.get("opt_in_status")),
        **{name: _text(row.get(name)) for name in ATTRIBUTES},
    )


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else str(value)
