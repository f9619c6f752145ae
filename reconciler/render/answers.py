"""What a provider answered, as JSON that may be shown: whoever is in it stays unknown unless somebody asked to see.

Texts lose their phone numbers wherever they stand. A person's attributes are known by the names that the providers give
them, and where a name alone does not tell (``name``), by what the operation says of its answer. Ids stay readable: they
are what the next command needs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
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
    | {"customfields", "customfield", "custom", "metadata", "note", "notes", "createdby", "modifiedby"}
)
_ID = re.compile(r"(?:^|_)s?ids?$|[a-z](?:I[dD]|S[iI][dD])s?$|[a-z]Rel$")
"""``id``, ``list_sid``, ``runId``, ``leadID``, ``contactRel``; not ``said`` or ``paid``."""
_GLUED = re.compile(r"(?<![0-9A-Za-z])\+?[0-9]{10,15}(?![0-9A-Za-z])")
"""A number between other signs, as in the names of recordings (``rec_16155550123-2.wav``)."""
_WHOLE = re.compile(r"[2-9][0-9]{2}[2-9][0-9]{6}|[1-9][0-9]{10,14}")
"""A whole number that may be somebody's. Seconds since 1970 are none in North America: those start with 1."""
_MILLISECONDS = (10**12, 2 * 10**12)
"""Points in time until 2033. Thirteen digits that begin with 1 are no phone number anywhere."""


def answer_json(body: Any, *, show_pii: bool, people: Collection[str] = ()) -> str:
    """The body of an answer as JSON text, masked unless ``show_pii``. ``people`` as ``Operation.people``."""
    if show_pii:
        return document_json(body)
    shown = masked(body, people=people)
    if isinstance(body, Mapping) and isinstance(body.get("metadata"), Mapping):
        # Around a whole answer it is about pages; what belongs to a person stands deeper.
        shown = {**shown, "metadata": masked(body["metadata"], people=people)}
    return document_json(shown)


def masked(value: Any, key: str = "", *, within: str = "", people: Collection[str] = ()) -> Any:
    """``value`` without anybody's number or attributes.

    ``key`` is the name that it has where it stands, ``within`` that of what it stands in.
    """
    name = re.sub(r"[^a-z0-9]", "", key.lower())
    personal = name in _PERSONAL or key in people or f"{within}.{key}" in people
    match value:
        case Mapping() if personal:
            return _hidden(value)
        case Mapping():
            return {k: masked(entry, str(own), within=key, people=people) for k, own, entry in _named(value)}
        case list() | tuple():
            return [masked(entry, key, within=within, people=people) for entry in value]
        case None | bool() | "":
            return value
        case _ if personal:
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


def _named(value: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """The members with the names that they are shown by: some answers are keyed by number."""
    found = set[str]()
    for key, entry in value.items():
        name = mask_text(str(key))
        while name in found:
            # Two numbers may look alike once they are masked, and neither may hide the other.
            name += "'"
        found.add(name)
        yield name, key, entry


def _hidden(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _hidden(entry) for name, _, entry in _named(value)}
        case list() | tuple():
            return [_hidden(entry) for entry in value]
        case None | "":
            return value
        case _:
            return HIDDEN
