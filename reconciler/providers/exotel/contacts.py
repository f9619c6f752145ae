"""Pages of contacts, straight from bytes into columns.

A page is decoded into typed structs, which live only until their values are in columns. A page that does not fit the
documented form (an entry that failed, a contact inside another object, a flag where text is documented) is decoded
again in the tolerant way, so no oddity of one row costs speed on the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec

from reconciler.errors import ReadIncomplete
from reconciler.model.contacts import ContactSet, ContactSetBuilder
from reconciler.providers.exotel import answers, convert
from reconciler.providers.exotel.convert import ATTRIBUTES, CONTACT_IDS

Columns: TypeAlias = dict[str, list[str | None]]
Text: TypeAlias = str | int | None

KEPT: tuple[str, ...] = ("contact_id", "created", *ATTRIBUTES)
"""The columns of a page besides the number."""


class Contact(msgspec.Struct, gc=False):
    """A contact as it is documented; what else is there is skipped, and an inner object is left to the tolerant way."""

    contact_sid: Text = None
    sid: Text = None
    id: Text = None
    number: Text = None
    date_created: str | None = None
    company_name: Text = None
    email: Text = None
    first_name: Text = None
    last_name: Text = None
    tag: Text = None
    contact: None = None
    Contact: None = None


class Item(msgspec.Struct, gc=False):
    """One entry of a page."""

    status: str
    data: Contact


class Metadata(msgspec.Struct):
    """How many there are in all."""

    total: Text = None


class Envelope(msgspec.Struct):
    """A page."""

    response: list[Item]
    metadata: Metadata | None = None


@dataclass(frozen=True, slots=True)
class ContactPage:
    """One page: the ids in order, the same rows as columns, and how many there are in all, if that is told."""

    ids: Sequence[str]
    columns: Columns
    total: int | None


_documented = msgspec.json.Decoder(Envelope)
_all_of: Callable[[Contact], tuple[Text, ...]] = attrgetter(*ATTRIBUTES)


def decode(raw: bytes) -> ContactPage:
    """Raises msgspec.DecodeError for what is no JSON, ReadIncomplete for what is no page of contacts, and what
    ``answers.failure`` makes of an entry that failed."""
    try:
        found = _documented.decode(raw)
    except msgspec.ValidationError:
        return _tolerant(msgspec.json.decode(raw))
    rows = [item.data for item in found.response]
    ids = _ids(rows)
    if ids is None or {item.status for item in found.response} - {"success"}:
        return _tolerant(msgspec.json.decode(raw))
    columns: Columns = {
        "number": convert.numbers_of([r.number for r in rows]),
        "contact_id": [*ids],
        "created": [r.date_created for r in rows],
        **{name: _texts(values) for name, values in zip(ATTRIBUTES, _attributes(rows), strict=True)},
    }
    return ContactPage(ids, columns, None if found.metadata is None else answers.number(found.metadata.total))


def _ids(rows: Sequence[Contact]) -> list[str] | None:
    """See ``convert.CONTACT_IDS``; None when they are not all told in the usual way."""
    found = [r.contact_sid or r.sid or r.id for r in rows]
    ids = [x.strip() for x in found if isinstance(x, str)]
    return ids if len(ids) == len(rows) and all(ids) else None


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
    return {name: [row[name] for row in rows] for name in ("number", *KEPT)}


@dataclass(frozen=True, slots=True)
class People:
    """Contacts by number; ``count`` is of all of them, ``unusable`` had no number, ``twice`` one of another."""

    contacts: ContactSet
    count: int
    unusable: int
    twice: int


class Gathered:
    """Contacts from pages: of several with one number the oldest counts (H3). ``wanted``: only these numbers."""

    def __init__(self, wanted: frozenset[str] | None = None) -> None:
        self._wanted = wanted
        self._builder = ContactSetBuilder(KEPT)
        self._unusable = 0

    def take(self, page: ContactPage, fresh: Sequence[int]) -> None:
        """The rows of ``page`` at the positions ``fresh``."""
        columns = page.columns
        if self._wanted is not None:
            fresh = [at for at in fresh if columns["number"][at] in self._wanted]
        if len(fresh) != len(page.ids):
            columns = {name: [values[at] for at in fresh] for name, values in columns.items()}
        self._unusable += columns["number"].count(None)
        self._builder.append(columns)

    def people(self, count: int) -> People:
        """Everybody; ``count`` is how many contacts were read."""
        contacts = self._builder.build()
        if twice := len(self._builder) - self._unusable - len(contacts):
            contacts = self._builder.build(least="created")
        return People(contacts.select(("contact_id", *ATTRIBUTES)), count, self._unusable, twice)
