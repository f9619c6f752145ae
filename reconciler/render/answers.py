"""What a provider answered, as JSON that may be shown: whoever is in it stays unknown unless somebody asked to see.

Texts lose their phone numbers wherever they stand. A person's attributes are known by the names that the providers give
them. Ids stay readable, since they are what the next command needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.masking import mask_number, mask_text
from reconciler.render.json import document_json

HIDDEN = "•••"

_NUMBERS = frozenset(
    {"number", "mobilenumber", "phone", "phonenumber", "callerid", "calleridnumber", "mobile", "to", "from"}
    | {"leadnumber", "caller", "callee", "recipient"}
)
_PERSONAL = frozenset(
    {"firstname", "lastname", "middlename", "fullname", "leadname", "calleridname", "calleename"}
    | {"email", "birthdate", "birthday", "companyname"}
    | {"address", "address1", "address2", "street", "city", "zip", "zipcode", "postalcode"}
    | {"customfields", "customfield", "metadata", "note", "notes"}
)
_ID = re.compile(r"(?:^|_)s?ids?$|[a-z](?:I[dD]|S[iI][dD])s?$|[a-z]Rel$")
"""``id``, ``list_sid``, ``runId``, ``leadID``, ``contactRel``; not ``said`` or ``paid``."""
_GLUED = re.compile(r"(?<![0-9A-Za-z])\+?[0-9]{10,15}(?![0-9A-Za-z])")
"""A number between other signs, as in the names of recordings (``rec_16155550123-2.wav``)."""
_WHOLE = re.compile(r"[2-9][0-9]{2}[2-9][0-9]{6}|[1-9][0-9]{10,14}")
"""A whole number that may be somebody's. Seconds since 1970 are none in North America: those start with 1."""
_MILLISECONDS = (10**12, 2 * 10**12)
"""Points in time until 2033. Thirteen digits that begin with 1 are no phone number anywhere."""


def answer_json(body: Any, *, show_pii: bool) -> str:
    """The body of an answer as JSON text, masked unless ``show_pii``."""
    if show_pii or not isinstance(body, Mapping) or not isinstance(body.get("metadata"), Mapping):
        return document_json(body if show_pii else masked(body))
    # Around a whole answer it is about pages; what belongs to a person stands deeper.
    return document_json({**masked(body), "metadata": masked(body["metadata"])})


def masked(value: Any, key: str = "") -> Any:
    """``value`` without anybody's number or attributes; ``key`` is the name that it has where it stands."""
    name = re.sub(r"[^a-z0-9]", "", key.lower())
    match value:
        case Mapping():
            return _members(value, hide=name in _PERSONAL)
        case list() | tuple():
            return [masked(entry, key) for entry in value]
        case None | bool() | "":
            return value
        case _ if name in _PERSONAL:
            return HIDDEN
        case _ if name in _NUMBERS:
            return mask_number(str(value))
        case str() if _ID.search(key) and not value.startswith("+"):
            return value
        case str():
            return _GLUED.sub(lambda m: mask_number(m.group()), mask_text(value))
        case int() | float() if not _ID.search(key) and _somebodys(value):
            return mask_number(str(int(value)))
        case _:
            return value


def _somebodys(value: int | float) -> bool:
    """Whether a number in JSON may be a phone number."""
    whole = int(value)
    first, end = _MILLISECONDS
    return value == whole and not first <= whole < end and bool(_WHOLE.fullmatch(str(whole)))


def _members(value: Mapping[str, Any], *, hide: bool) -> dict[str, Any]:
    """The members masked, names included: some answers are keyed by number."""
    found: dict[str, Any] = {}
    for key, entry in value.items():
        shown = mask_text(str(key))
        name = shown
        while name in found:
            # Two numbers may look alike once they are masked, and neither may hide the other.
            name += "'"
        found[name] = _hidden(entry) if hide else masked(entry, str(key))
    return found


def _hidden(value: Any) -> Any:
    match value:
        case Mapping():
            return _members(value, hide=True)
        case list() | tuple():
            return [_hidden(entry) for entry in value]
        case None | "":
            return value
        case _:
            return HIDDEN
