"""Reading what stands on the wire: collections, values and errors in any of the spellings that were seen.

What decides (ids, links, tombstones, the shape of a collection) must be recognised, or the read is incomplete: an
inventory that reads as empty would create everything a second time (source: IntelePeer API notes, section 3.5).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from reconciler.errors import ReadIncomplete

Row: TypeAlias = Mapping[str, Any]
"""One JSON object with its keys in lower case: the API spells ``modifiedBy`` in more than one way."""

_WRAPPERS = ("campaigns", "lists", "data", "items")
_IDS = ("_id", "listid", "campaignid", "id")
_PAGING = frozenset(
    {"next", "nextpage", "nextlink", "nexturl", "nexttoken", "nextpagetoken", "nextcursor", "cursor", "hasmore", "more"}
    | {"total", "totalcount", "totalitems", "totalpages", "totalrecords", "count", "paging", "pagination"}
    | {"page", "pages", "pagecount", "pagesize", "pagenumber", "offset", "limit"}
)


class Collection(Struct, frozen=True, kw_only=True):
    """The objects of a reply. ``bare``: it was a single object where a collection was expected."""

    rows: tuple[Row, ...] = ()
    bare: bool = False


def collection(body: Any, what: str) -> Collection:
    """The objects in a reply, in any of the shapes seen; ``what`` names it in errors.

    Raises ReadIncomplete for any other shape, for signs of paging (none is documented, so what is there is not all),
    and for an error that was answered with a good status.
    """
    if body is None or body == [] or body == {}:
        return Collection()
    if isinstance(body, list):
        return Collection(rows=tuple(row_of(item, f"{what}[{i}]") for i, item in enumerate(body)))
    if not isinstance(body, dict):
        raise unrecognised(what, "a collection")
    if failure := inner_failure(body):
        raise ReadIncomplete(f"IntelePeer answered {what} with an error, status {failure}.", status=failure)
    row = folded(body)
    # A campaign has a key "lists" of its own: an object with an id is never a wrapper.
    if id_of(row):
        return Collection(rows=(row,), bare=True)
    for name in _WRAPPERS:
        if isinstance(row.get(name), list):
            _refuse_pages(row.keys() - {name}, what)
            inner = enumerate(row[name])
            return Collection(rows=tuple(row_of(item, f"{what}.{name}[{i}]") for i, item in inner))
    raise unrecognised(what, "a collection")


def single(body: Any, what: str) -> Row:
    """The one object of a reply that was asked for by id. Raises ReadIncomplete when it is none or several."""
    found = collection(body, what)
    if len(found.rows) != 1:
        raise ReadIncomplete(f"IntelePeer answered {what} with {len(found.rows)} objects instead of one.")
    return found.rows[0]


def _refuse_pages(keys: Iterable[str], what: str) -> None:
    if pages := sorted(k for k in keys if k.replace("_", "").replace("-", "") in _PAGING):
        raise ReadIncomplete(
            f"IntelePeer answered {what} with {pages[0]!r}: it seems to page now, and not all may be here.",
            hint="This needs a newer version of the tool; nothing was changed.",
        )


def folded(body: Mapping[str, Any]) -> Row:
    """The object with lower-case keys; of two spellings of one key the value that says something wins."""
    row: dict[str, Any] = {}
    for key, value in body.items():
        name = key.lower()
        if row.get(name) in (None, ""):
            row[name] = value
    return row


def row_of(item: Any, where: str) -> Row:
    """``folded``, or ReadIncomplete for what is no object."""
    if not isinstance(item, dict):
        raise unrecognised(where, "an object")
    return folded(item)


def unrecognised(where: str, expected: str) -> ReadIncomplete:
    """To be raised for an unknown shape. Neither text may hold a value: it could be a person's."""
    return ReadIncomplete(
        f"IntelePeer answered {where} in a shape that is not known: {expected} was expected.",
        hint="Nothing was changed. If the API was updated, this tool has to be as well.",
    )


def text(row: Row, *names: str, where: str) -> str:
    """The first of these keys that says something, as text; ``""`` when none does."""
    for name in names:
        value = row.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise unrecognised(f"{where}.{name}", "text")
        return unicodedata.normalize("NFC", str(value))
    return ""


def loose(row: Row, *names: str) -> str:
    """Text that only informs: whatever cannot be read is left out."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            return str(value)
    return ""


def id_of(row: Row) -> str:
    """The first id that says something: an upload's answer has an empty ``listId`` beside the true ``_id``."""
    for name in _IDS:
        value = row.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value:
            return value
    return ""


_TRUTHS: Mapping[Any, bool] = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def truth(value: Any) -> bool | None:
    """A boolean as any of the API's spellings; None when the value is none of them."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | str):
        return _TRUTHS.get(str(value).strip().lower())
    return None


def accepted(body: Any) -> bool | None:
    """What the bare answer to a command says: ``true`` or ``"true"``, ``false`` or ``"false"``, None for else."""
    if isinstance(body, str):
        return {"true": True, "false": False}.get(body.strip().lower())
    return body if isinstance(body, bool) else None


def tombstone(row: Row, where: str) -> bool:
    """Whether the object is deleted and only lingers in the reply. Raises ReadIncomplete when it cannot be told."""
    value = row.get("deleteflag")
    if value is None or value == "":
        return False
    flag = truth(value)
    if flag is None:
        raise unrecognised(f"{where}.deleteFlag", "true or false")
    return flag


def ids(value: Any, where: str) -> frozenset[str] | None:
    """An array of ids, which are opaque; None when it is not there, which does not mean that there are none."""
    if value is None:
        return None
    if not isinstance(value, list):
        raise unrecognised(where, "an array of ids")
    # A list may have a million contacts: the types are looked at once, not one by one.
    if not {type(item) for item in value} <= {str, int}:
        raise unrecognised(where, "an array of ids")
    return frozenset(map(str, value)) - {""}


def inner_failure(body: Any) -> int:
    """The status of an error that came with a good status, in the API's own envelope; 0 when it is none."""
    if not isinstance(body, dict):
        return 0
    row = folded(body)
    status = row.get("status", row.get("code"))
    if id_of(row) or isinstance(status, bool) or not isinstance(status, int) or status < 400:
        return 0
    return status


def error_text(body: Any, raw: bytes) -> str:
    """The provider's own words in any of its error envelopes; ``""`` for pages that are no envelope."""
    if isinstance(body, dict):
        row = folded(body)
        for name in ("message", "error"):
            if isinstance(row.get(name), str):
                return str(row[name])
        return ""
    if raw.lstrip()[:1] in (b"<", b""):
        return ""
    return raw.decode("utf-8", "replace")
