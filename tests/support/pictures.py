"""What a person would see at a simulated provider: its state without ids, times, tombstones and order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_IDS = ("contact_list_id", "contact_id", "campaign_id", "id", "sid")
_NAMES = ("name", "mobile_number", "number", "phone")
_UNSEEN = frozenset({"last_ids", "ids", "last_id", "audience_ids", "app_id", "tokens", "uploads"})
_TIME_TEXT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d.*")
_EPOCH_S, _FUTURE_S = 1.8e9, 3e9
"""Whatever lies between is when something happened; what the tests schedule lies far behind."""


def picture(section: Mapping[str, Any]) -> Any:
    """One provider's part of ``World.dump``, to compare two runs that should have made the same things."""
    return _plain(section, names_of(section))


def names_of(section: Any) -> dict[str, str]:
    """Every id there is, with the name or number of what has it."""
    names: dict[str, str] = {}
    if isinstance(section, Mapping):
        inside = section.get("fields")
        parts = (section, inside) if isinstance(inside, Mapping) else (section,)
        name = next((str(part[n]) for part in parts for n in _NAMES if part.get(n)), "")
        names |= {str(section[key]): name for key in _IDS if name and section.get(key)}
    parts = section.values() if isinstance(section, Mapping) else section if isinstance(section, list | tuple) else ()
    for part in parts:
        names |= names_of(part)
    return names


def _plain(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {names.get(str(k), k): _plain(v, names) for k, v in sorted(value.items()) if k not in _UNSEEN}
    if isinstance(value, list | tuple):
        living = (one for one in value if not (isinstance(one, Mapping) and one.get("deleted")))
        return sorted((_plain(one, names) for one in living), key=repr)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    if str(value) in names:
        return names[str(value)]
    return "a time" if _happened(value) else value


def _happened(value: str | float) -> bool:
    if isinstance(value, str):
        return bool(_TIME_TEXT.fullmatch(value)) and value < "2099"
    return _EPOCH_S < value < _FUTURE_S
