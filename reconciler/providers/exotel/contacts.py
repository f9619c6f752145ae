"""Pages of contacts, straight from bytes into columns.

A page is decoded into typed structs, which live only until their values are in columns. A page that does not fit the
documented form (an entry that failed, a contact inside another object, a flag where text is documented) is decoded
again in the tolerant way, so no oddity of one row costs speed on the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Literal, TypeAlias, cast

import msgspec
from msgspec import Struct

from reconciler.errors import ReadIncomplete
from reconciler.model.contacts import ContactSet
from reconciler.model.gathering import ContactSetBuilder
from reconciler.providers.exotel import answers, convert
from reconciler.providers.exotel.convert import ATTRIBUTES, CONTACT_IDS

Columns: TypeAlias = dict[str, list[str | None]]
Text: TypeAlias = str | int | None

WHO: tuple[str, ...] = ("contact_id", "created")
"""The columns that are always there besides the number; ``ATTRIBUTES`` follow where they are asked for."""


class Who(msgspec.Struct, gc=False):
    """A contact without its attributes; every other field is skipped by the decoder."""

    contact_sid: str | None = None
    sid: str | None = None
    id: str | None = None
    number: str | None = None
    date_created: str | None = None


class Plain(msgspec.Struct, gc=False):
    """The same with its id where it usually is, and so nothing to choose from."""

    sid: str
    number: str
    date_created: str | None = None
    contact_sid: None = None


class Contact(Who, gc=False):
    """A contact as it is documented; an inner object, which may have attributes, is left to the tolerant way."""

    company_name: Text = None
    email: Text = None
    first_name: Text = None
    last_name: Text = None
    tag: Text = None
    contact: None = None
    Contact: None = None


class Item(msgspec.Struct, gc=False):
    """One entry of a page. One that failed does not fit, and is left to the tolerant way."""

    status: Literal["success"]
    data: Contact


class LeanItem(msgspec.Struct, gc=False):
    """The same without attributes."""

    status: Literal["success"]
    data: Who


class PlainItem(msgspec.Struct, gc=False):
    """The same, nearly always."""

    status: Literal["success"]
    data: Plain


class Metadata(msgspec.Struct):
    """How many there are in all."""

    total: Text = None


class Envelope(msgspec.Struct):
    """A page."""

    response: list[Item]
    metadata: Metadata | None = None


class LeanEnvelope(msgspec.Struct):
    """A page without attributes."""

    response: list[LeanItem]
    metadata: Metadata | None = None


class PlainEnvelope(msgspec.Struct):
    """The same, nearly always."""

    response: list[PlainItem]
    metadata: Metadata | None = None


class ContactPage(Struct, frozen=True):
    """One page: the ids in order, the same rows as columns, and how many there are in all, if that is told.

    ``columns`` have the people's numbers as they came, for those who look at many pages at once.
    """

    ids: Sequence[str]
    columns: Columns
    total: int | None

    @property
    def numbers(self) -> list[str | None]:
        """The people's numbers as they are compared."""
        return convert.numbers_of(self.columns["number"])


_whole = msgspec.json.Decoder(Envelope)
_lean = msgspec.json.Decoder(LeanEnvelope)
_plain = msgspec.json.Decoder(PlainEnvelope)
_all_of: Callable[[Contact], tuple[Text, ...]] = attrgetter(*ATTRIBUTES)


def decode(raw: bytes) -> ContactPage:
    """Raises msgspec.DecodeError for what is no JSON, ReadIncomplete for what is no page of contacts, and what
    ``answers.failure`` makes of an entry that failed."""
    try:
        found = _whole.decode(raw)
    except msgspec.ValidationError:
        return _tolerant(msgspec.json.decode(raw))
    rows = [item.data for item in found.response]
    attributes = {name: _texts(values) for name, values in zip(ATTRIBUTES, _attributes(rows), strict=True)}
    return _page(rows, attributes, found.metadata) or _tolerant(msgspec.json.decode(raw))


def decode_lean(raw: bytes) -> ContactPage:
    """As ``decode``, without the attributes."""
    try:
        plain = _plain.decode(raw)
    except msgspec.ValidationError:
        return _decode_less_plain(raw)
    rows = [item.data for item in plain.response]
    page = _laid_out([r.sid for r in rows], [r.number for r in rows], rows, {}, plain.metadata)
    return page or _tolerant(msgspec.json.decode(raw))


def _decode_less_plain(raw: bytes) -> ContactPage:
    try:
        found = _lean.decode(raw)
    except msgspec.ValidationError:
        return _tolerant(msgspec.json.decode(raw))
    return _page([item.data for item in found.response], {}, found.metadata) or _tolerant(msgspec.json.decode(raw))


def _page(rows: Sequence[Who], attributes: Columns, metadata: Metadata | None) -> ContactPage | None:
    """None where not every row has its id and number in the usual place. For ids, see ``convert.CONTACT_IDS``."""
    numbers = [r.number for r in rows]
    found = [r.contact_sid or r.sid or r.id for r in rows]
    if None in numbers or None in found:
        return None
    return _laid_out(cast("list[str]", found), numbers, rows, attributes, metadata)


def _laid_out(
    found: list[str],
    numbers: Sequence[str | None],
    rows: Sequence[Who | Plain],
    attributes: Columns,
    metadata: Metadata | None,
) -> ContactPage | None:
    """None where one of the ids that were ``found`` is empty."""
    ids = [*map(str.strip, found)]
    if not all(ids):
        return None
    columns: Columns = {"number": [*numbers], "contact_id": [*ids], "created": [r.date_created for r in rows]}
    return ContactPage(ids, columns | attributes, None if metadata is None else answers.number(metadata.total))


def _attributes(rows: Sequence[Contact]) -> Iterable[Sequence[Text]]:
    """A column for each attribute: reading all of a row at once costs a third of reading one after the other."""
    return zip(*map(_all_of, rows), strict=True) if rows else ((),) * len(ATTRIBUTES)


def _texts(values: Sequence[Text]) -> list[str | None]:
    return [str(value) if value else None for value in values] if any(values) else [None] * len(values)


def _tolerant(body: Any) -> ContactPage:
    if not isinstance(body, dict) or not isinstance(body.get("response"), list):
        raise ReadIncomplete("Exotel answered contacts in an unknown shape.")
    rows = answers.entities(body)
    ids = [str(convert.id_of(r, CONTACT_IDS) or convert.id_of(r.get("contact"), CONTACT_IDS) or "") for r in rows]
    if "" in ids:
        raise ReadIncomplete("Exotel returned one of the contacts without an id.")
    return ContactPage(ids, columns_of([convert.contact_of(row) for row in rows]), answers.total(body))


def columns_of(rows: Sequence[dict[str, str | None]]) -> Columns:
    """Contacts as ``convert.contact_of`` tells them."""
    return {name: [row[name] for row in rows] for name in ("number", *WHO, *ATTRIBUTES)}


class People(Struct, frozen=True):
    """Contacts by number; ``count`` is of all of them, ``unusable`` had no number, ``twice`` one of another."""

    contacts: ContactSet
    count: int
    unusable: int
    twice: int


class Gathered:
    """Contacts from pages: of several with one number the oldest counts (H3). ``wanted``: only these numbers."""

    def __init__(self, wanted: frozenset[str] | None = None, *, attributes: bool = True) -> None:
        self._wanted = wanted
        self._columns = ("contact_id", *ATTRIBUTES) if attributes else ("contact_id",)
        self._builder = ContactSetBuilder((*self._columns, "created"), key="contact_id", number_of=convert.number_of)
        self._others = set[str]()

    def take(self, page: ContactPage) -> None:
        columns = page.columns
        if self._wanted is not None:
            numbers = page.numbers
            at = [i for i, number in enumerate(numbers) if number in self._wanted]
            self._others.update(x for x, number in zip(page.ids, numbers, strict=True) if number not in self._wanted)
            columns = {name: [values[i] for i in at] for name, values in columns.items()}
        self._builder.append(columns)

    def count(self) -> int:
        return self._builder.count() + len(self._others)

    def people(self, count: int) -> People:
        """Everybody; ``count`` is how many contacts were read."""
        contacts, unusable = self._builder.build(), self._builder.numberless()
        if twice := self._builder.count() - unusable - len(contacts):
            contacts = self._builder.build(least="created")
        return People(contacts.select(self._columns), count, unusable, twice)
