"""The envelope: what an answer says about each thing that was asked for (Exotel API notes, 1.2 and 1.3).

An item's own code beats the answer's ``http_code``, and both beat the HTTP status: a conflict can arrive as 200.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from reconciler.errors import (
    CredentialsRefused,
    NoAnswer,
    NotFound,
    ProviderError,
    RateLimited,
    ReadIncomplete,
    Rejected,
)

Row = Mapping[str, Any]
CONFLICT = 409


class Item(Struct, frozen=True):
    """One entry of an answer. ``data`` may be there for a failure too: a duplicate contact names the existing one."""

    code: int
    ok: bool
    data: Row | None
    text: str = ""

    @property
    def transient(self) -> bool:
        """Worth sending again: turned away for now."""
        return not self.ok and (self.code == 429 or self.code >= 500)


def items(body: Any) -> list[Item]:
    """Every entry, whether ``response`` is an array or one object. Raises ReadIncomplete for an unknown shape."""
    response = body.get("response") if isinstance(body, Mapping) else None
    found = response if isinstance(response, list) else [response]
    rows = [row for row in found if isinstance(row, Mapping)]
    if len(rows) != len(found):
        raise ReadIncomplete("Exotel answered in an unknown shape.")
    return [_item(row, body) for row in rows]


def _item(row: Row, body: Row) -> Item:
    flat = "data" not in row and "code" not in row
    data = row if flat else row.get("data")
    code = number(row.get("code")) or number(body.get("http_code")) or 200
    status = row.get("status")
    ok = str(status).lower() == "success" if isinstance(status, str) and not flat else 200 <= code < 300
    if not ok and 200 <= code < 300:
        code = 400
    return Item(code, ok, data if isinstance(data, Mapping) else None, _error_text(row.get("error_data")))


def entities(body: Any) -> list[Row]:
    """The objects of a read. Raises what ``failure`` makes of an entry that failed."""
    found = items(body)
    for item in found:
        if not item.ok:
            raise failure(item)
        if item.data is None:
            raise ReadIncomplete("Exotel left out an object that it announced.")
    return [item.data for item in found if item.data is not None]


def single(body: Any) -> Row:
    """The one object of an answer, {} when it says nothing but success. Raises what ``failure`` makes of a failure."""
    found = items(body)
    if len(found) != 1:
        raise ReadIncomplete(f"Exotel answered one question with {len(found)} entries.")
    if not found[0].ok:
        raise failure(found[0])
    return found[0].data or {}


def failure(item: Item) -> ProviderError:
    """What an entry that failed means, as the HTTP core would have said it."""
    text = f"Exotel refused with {item.code}" + (f": {item.text}" if item.text else "")
    if item.code == 404:
        return NotFound(text, status=404)
    if item.code == 429:
        return RateLimited(text, status=429)
    if item.code in (401, 403):
        return CredentialsRefused(text, status=item.code)
    return NoAnswer(text, status=item.code) if item.code >= 500 else Rejected(text, status=item.code)


def total(body: Any) -> int | None:
    """How many there are in all, where a page says so."""
    metadata = body.get("metadata") if isinstance(body, Mapping) else None
    return number(metadata.get("total")) if isinstance(metadata, Mapping) else None


def matched(
    answered: Sequence[Item], asked: Sequence[str], keys_of: Callable[[Row], frozenset[str]]
) -> list[Item] | None:
    """One entry for each thing asked for, in that order; None when they cannot be told apart.

    An entry that names what it is about is put there; the others stand in order, if none is missing.
    """
    places = {key: at for at, key in enumerate(asked)}
    found: list[Item | None] = [None] * len(asked)
    rest: list[tuple[int, Item]] = []
    for at, item in enumerate(answered):
        named = next((places[k] for k in keys_of(item.data or {}) if k in places), None)
        if named is None or found[named] is not None:
            rest.append((at, item))
        else:
            found[named] = item
    if rest and len(answered) != len(asked):
        return None
    for at, item in rest:
        if found[at] is not None:
            return None
        found[at] = item
    whole = [item for item in found if item is not None]
    return whole if len(whole) == len(asked) else None


def number(value: Any) -> int | None:
    """A count or code, also as digits in text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10 else None


def error_text(body: Any, raw: bytes) -> str:
    """What an error answer says, whatever its shape (API notes, 1.3)."""
    if not isinstance(body, Mapping):
        text = raw.decode("utf-8", "replace").strip()
        # A gateway's page says nothing that its status does not.
        return "" if text.startswith(("<", "[", "null")) else text
    response = body.get("response")
    row = response[0] if isinstance(response, list) and response else response
    said = ""
    if isinstance(row, Mapping):
        said = _error_text(row.get("error_data")) or _error_text(row.get("error"))
    if said:
        return said
    exception = body.get("RestException")
    return str(exception.get("Message") or "") if isinstance(exception, Mapping) else ""


def _error_text(error: Any) -> str:
    if isinstance(error, str):
        return error.strip()
    if not isinstance(error, Mapping):
        return ""
    return str(error.get("description") or error.get("message") or "").strip()
