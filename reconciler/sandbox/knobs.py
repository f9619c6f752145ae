"""Knobs: how a simulated provider behaves where the vendor's documents leave room.

Each provider has one frozen dataclass of them; names, types and defaults there are the documentation.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from reconciler.sandbox.wire import JsonObject, SandboxError


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """What every provider has."""

    read_lag_ms: float = 0  # every change stays invisible to reads for so long


AnyKnobs = TypeVar("AnyKnobs", bound=Knobs)


def turned(knobs: AnyKnobs, wishes: Mapping[str, Any], where: str) -> AnyKnobs:
    """The knobs with ``wishes`` applied; an unknown name or a value of the wrong kind is an error."""
    known = [field.name for field in fields(knobs)]
    hints = get_type_hints(type(knobs))
    for name, value in wishes.items():
        if name not in known:
            raise SandboxError(f"{where}: unknown knob {name!r}; known: {', '.join(sorted(known))}")
        if not _fits(value, hints[name]):
            raise SandboxError(f"{where}.{name}: {value!r} does not fit {_spelled(hints[name])}")
    return replace(knobs, **dict(wishes))


def dump(knobs: Knobs) -> JsonObject:
    """Names and values."""
    return asdict(knobs)


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return any(value == choice and type(value) is type(choice) for choice in get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        return any(_fits(value, part) for part in get_args(hint))
    if isinstance(value, bool):
        return hint is bool
    if hint in (int, float):
        return isinstance(value, int | float if hint is float else int) and value >= 0
    return isinstance(value, hint)


def _spelled(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " | ".join(repr(choice) for choice in get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        return " | ".join(_spelled(part) for part in get_args(hint))
    return "null" if hint is type(None) else str(getattr(hint, "__name__", hint))
