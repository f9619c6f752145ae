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

_NUMBERS = frozenset({"number", "mobilenumber", "phone", "phonenumber", "callerid", "calleridnumber", "mobile", "to"})
_PERSONAL = frozenset(
    {"firstname", "lastname", "middlename", "fullname", "email", "birthdate", "birthday", "companyname"}
    | {"address", "address1", "address2", "street", "city", "zip", "zipcode", "postalcode"}
    | {"customfields", "customfield", "metadata", "note", "notes"}
)
_ID = re.compile(r"(?:^|_)s?ids?$|[a-z](?:I[dD]|S[iI][dD])s?$|[a-z]Rel$")
"""``id``, ``list_sid``, ``runId``, ``leadID``, ``contactRel``; not ``said`` or ``paid``."""


def answer_json(body: Any, *, show_pii: bool) -> str:
    """The body of an answer as JSON text, masked unless ``show_pii``."""
    return document_json(body if show_pii else masked(body))


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
            return mask_text(value)
        case _:
            return value


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
