"""The calls of a plan in the order they would be sent, each with its method, path and body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from reconciler.render.changes import CONTACT_STYLES
from reconciler.render.documents import CallDocument, PlanDocument
from reconciler.render.screen import NARROWEST, Line, Piece, Style, broken, fit, line, paint, safe, width_of
from reconciler.render.values import shown

_ITEMS = 3
"""How many elements of a long array are shown: bulk bodies repeat one shape for every person."""
_LEFT_OUT = re.compile(r"… (\d+) more")
_METHOD = len("DELETE")
_CONTACT_WORDS = {"may-notify": "may notify", "starts-contacting": "starts contacting"}


def calls_text(doc: Mapping[str, Any], *, width: int, color: bool) -> str:
    """The ``calls`` of a plan document, numbered; a step that is sent several times is told once with its count."""
    return paint(call_lines(cast(PlanDocument, doc), max(width, NARROWEST)), color=color)


def call_lines(plan: PlanDocument, width: int) -> list[Line]:
    """Empty when the document was made without calls; a line that says so when there are none."""
    if "calls" not in plan:
        return []
    calls = plan["calls"]
    if not calls:
        return [line("No calls.")]
    numbers = len(str(len(calls)))
    lines = [line(Piece("Calls, in order", Style.BOLD))]
    for number, call in enumerate(calls, start=1):
        lines += _call(f"{number:>{numbers}}", call, width)
    return lines


def _call(number: str, call: CallDocument, width: int) -> Iterator[Line]:
    lead = f"  {number}  "
    indent = " " * (len(lead) + _METHOD + 1)
    first, *more = broken(safe(call["path"]), width - len(indent))
    yield line(lead, Piece(f"{safe(call['method']):<{_METHOD}} ", Style.BOLD), first)
    for part in more:
        yield line(indent, part)
    yield _about(call, indent, width)
    if call["body"] is not None:
        for text in _body(call["body"], width - len(indent)):
            yield line(indent, text)


def _about(call: CallDocument, indent: str, width: int) -> Line:
    """Whose call it is; how often and what it means for people come first, so that they are never cut off."""
    count = f"× {call['count']:,}   " if call["count"] != 1 else ""
    words = _CONTACT_WORDS.get(call["contactClass"], "")
    contact = f"{words}   " if words else ""
    room = width - len(indent) - width_of(count) - len(contact)
    owner = fit(f"{safe(call['address'])}: {safe(call['title'])}", room)
    return line(
        indent,
        count,
        Piece(contact, CONTACT_STYLES.get(call["contactClass"], Style.PLAIN)),
        Piece(owner, Style.DIM),
    )


def _body(body: Any, room: int) -> list[str]:
    """JSON on one line if it fits, else one element a line."""
    flat = _flat(body)
    return [flat] if width_of(flat) <= room else [fit(text, room) for text in _tall(body, 0)]


def _flat(value: Any) -> str:
    match value:
        case None:
            return "null"
        case list():
            return f"[{', '.join([*map(_flat, _listed(value)[0][:_ITEMS]), *_more(value)])}]"
        case dict():
            return "{" + ", ".join(f"{shown(str(k))}: {_flat(v)}" for k, v in value.items()) + "}"
        case str():
            return shown(value)
        case _:
            return safe(json.dumps(value))


def _tall(value: Any, depth: int, key: str = "", end: str = "") -> Iterator[str]:
    blanks = "  " * depth
    match value:
        case dict() if value:
            yield f"{blanks}{key}{{"
            last = len(value) - 1
            for i, (name, inner) in enumerate(value.items()):
                yield from _tall(inner, depth + 1, f"{shown(str(name))}: ", "," if i < last else "")
            yield f"{blanks}}}{end}"
        case list() if value:
            yield f"{blanks}{key}["
            # One line each: elements are rows, and seeing several is worth more than seeing all of one.
            elements = [*map(_flat, _listed(value)[0][:_ITEMS]), *_more(value)]
            for i, text in enumerate(elements, start=1):
                yield f"{blanks}  {text}{',' if i < len(elements) else ''}"
            yield f"{blanks}]{end}"
        case _:
            yield f"{blanks}{key}{_flat(value)}{end}"


def _more(value: Sequence[Any]) -> list[str]:
    """What stands for the elements that are not shown; the document may have left out some itself."""
    listed, left_out = _listed(value)
    hidden = max(len(listed) - _ITEMS, 0) + left_out
    return [f"… {hidden:,} more"] if hidden else []


def _listed(value: Sequence[Any]) -> tuple[Sequence[Any], int]:
    """The elements that the document holds, and how many more its last one says there are."""
    said = _LEFT_OUT.fullmatch(value[-1]) if value and isinstance(value[-1], str) else None
    return (value[:-1], int(said[1])) if said else (value, 0)
