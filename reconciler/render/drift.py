"""Drift for a terminal: each resource with who moved it, each difference three ways, and who should act."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from reconciler.render.diagnostics import diagnostic_lines, place_of
from reconciler.render.documents import DriftDocument, DriftedFieldDocument, DriftedMembersDocument, DriftItemDocument
from reconciler.render.screen import (
    GAP,
    NARROWEST,
    Line,
    Piece,
    Style,
    cut,
    fit,
    line,
    padded,
    paint,
    paragraph,
    safe,
    sections,
    width_of,
)
from reconciler.render.values import shown
from reconciler.render.words import counted, counted_line, uncompared

STATES = ("conflict", "drifted", "missing", "pending", "unmanaged")
"""The gravest first."""

_SYMBOLS = {"conflict": "!", "drifted": "~", "missing": "-", "pending": "+", "unmanaged": "?"}
_STYLES = {
    "conflict": Style.ALARM,
    "drifted": Style.CHANGED,
    "missing": Style.BAD,
    "pending": Style.GOOD,
    "unmanaged": Style.DIM,
}
SIDES = ("last applied", "live", "Git")
_MOVES = (
    ("appeared", "on the list, by another hand"),
    ("vanished", "taken off the list, by another hand"),
    ("changed", "changed, by another hand"),
    ("pendingAdd", "to be added"),
    ("pendingRemove", "to be removed"),
    ("pendingChange", "to be changed"),
)
_INDENT = " " * 6


def drift_text(doc: Mapping[str, Any], *, width: int, color: bool) -> str:
    """The drift document ``doc`` (``schemas/drift.json``) in lines of at most ``width`` columns, 60 or more.

    Commands to be pasted are never broken, so a line with one may be longer.
    """
    drift = cast(DriftDocument, doc)
    width = max(width, NARROWEST)
    names = dict.fromkeys(item["account"] for item in drift["items"])
    problems = [shown for problem in drift["diagnostics"] for shown in diagnostic_lines(problem, width)]
    blocks = [
        *(_account(name, [i for i in drift["items"] if i["account"] == name], width) for name in names),
        problems,
        paragraph(counted_line(drift["accounts"]), width, Style.DIM),
        paragraph(headline(drift), width, Style.BOLD),
    ]
    return paint(sections(blocks), color=color)


def drift_concise(doc: Mapping[str, Any], *, width: int, color: bool) -> str:
    """One line for every resource, then the sums."""
    drift = cast(DriftDocument, doc)
    width = max(width, NARROWEST)
    lines = [cut(line(Piece(_concise(item), _style(item))), width) for item in ordered(drift["items"])]
    return paint([*lines, *paragraph(headline(drift), width)], color=color)


def ordered(items: Sequence[DriftItemDocument]) -> list[DriftItemDocument]:
    """What counts first, the gravest first; what somebody accepted last."""
    return sorted(items, key=lambda i: (bool(i["accepted"]), STATES.index(i["state"]), i["address"]))


def headline(drift: DriftDocument) -> str:
    """``3 of 41 resources drifted, 1 conflict; 2 pending``, or that nothing did."""
    summary = drift["summary"]
    unread = sum(a["problem"] is not None for a in drift["accounts"])
    moved = [(summary["drifted"], "drifted"), (summary["conflict"], "in conflict"), (summary["missing"], "missing")]
    parts = [f"{count:,} {word}" for count, word in moved if count]
    told = f"{' + '.join(parts)} of {counted(summary['compared'], 'resources')}" if parts else ""
    if not told:
        told = "" if unread else f"Nothing drifted; {counted(summary['compared'], 'resources')} compared"
    others = [
        f"{summary['pending']:,} pending in Git" if summary["pending"] else "",
        f"{summary['unmanaged']:,} unmanaged" if summary["unmanaged"] else "",
        f"{summary['accepted']:,} accepted" if summary["accepted"] else "",
        f"{counted(unread, 'accounts')} could not be read" if unread else "",
        uncompared(drift["accounts"]),
    ]
    return "; ".join(part for part in (told, *others) if part) + "."


def moves(members: DriftedMembersDocument) -> Iterator[tuple[str, int, list[str]]]:
    """What happened to the people of a list: in words, how many, and a few masked examples."""
    for name, words in _MOVES:
        if count := cast(Mapping[str, Any], members)[name]:
            yield words, count, members["examples"].get(name, [])
    if unseen := members["unseen"]:
        yield f"{'more' if unseen > 0 else 'fewer'} than after the last apply", abs(unseen), []


def _account(name: str, items: Sequence[DriftItemDocument], width: int) -> list[Line]:
    lines = [line(Piece(fit(safe(name), width), Style.BOLD))]
    for item in ordered(items):
        lines += _item(item, width)
    return lines


def _style(item: DriftItemDocument) -> Style:
    return Style.DIM if item["accepted"] else _STYLES.get(item["state"], Style.PLAIN)


def title(item: DriftItemDocument) -> str:
    """``List/vip``; with the live name where nobody has given it an address."""
    resource = item["address"].partition("/")[2]
    return f"{resource} {shown(item['title'])}" if item["title"] else resource


def word(item: DriftItemDocument) -> str:
    """The state, and why nobody complains about it."""
    return f"{item['state']}, {item['accepted']}" if item["accepted"] else item["state"]


def _concise(item: DriftItemDocument) -> str:
    fields = ", ".join(safe(f["path"]) for f in item["fields"])
    parts = (f"{_SYMBOLS[item['state']]:>3} {safe(item['address'])}", word(item), fields, safe(item["reason"]))
    return "  ".join(part for part in parts if part)


def _item(item: DriftItemDocument, width: int) -> list[Line]:
    head = line(
        Piece(f"{_SYMBOLS[item['state']]:>3} {safe(title(item))}", _style(item)), GAP, Piece(word(item), _style(item))
    )
    if item["reason"]:
        head = (*head, Piece(GAP), Piece(safe(item["reason"]), Style.DIM))
    place = place_of(item["source"]).rsplit(":", 1)[0] if item["source"] else ""
    free = width - sum(width_of(p.text) for p in head) - width_of(place)
    if place and free >= len(GAP):
        head = (*head, Piece(" " * free), Piece(place, Style.DIM))
    lines = [cut(head, width), *_fields(item["fields"], width)]
    if item["members"] is not None:
        lines += [cut(_move(*move), width) for move in moves(item["members"])]
    for label, text in (("waiver", item["waiver"]), ("with it", ", ".join(item["dependents"]))):
        if text:
            lines.append(cut(line(_INDENT, Piece(f"{label}  ", Style.DIM), safe(text)), width))
    if not item["accepted"]:
        lines.append(line(_INDENT, Piece(safe(item["remedy"]), Style.DIM)))
    return lines


def _move(words: str, count: int, examples: Sequence[str]) -> Line:
    told = ", ".join(map(safe, examples))
    more = f", … {count - len(examples):,} more" if examples and count > len(examples) else ""
    return line(_INDENT, f"{count:,} {words}", Piece(f"   {told}{more}" if told else "", Style.DIM))


def _fields(fields: Sequence[DriftedFieldDocument], width: int) -> Iterator[Line]:
    """Path, last applied, live, Git; under a heading, in columns that share the room."""
    if not fields:
        return
    rows = [(safe(f["path"]), shown(f["lastApplied"]), shown(f["live"]), shown(f["desired"])) for f in fields]
    rows.insert(0, ("", *SIDES))
    wanted = [max(width_of(row[i]) for row in rows) for i in range(4)]
    room = width - len(_INDENT) - wanted[0] - 3 * len(GAP)
    columns = _shared(wanted[1:], room)
    for number, row in enumerate(rows):
        cells = GAP.join(padded(cell, size) for cell, size in zip(row[1:], columns, strict=True))
        style = Style.PLAIN if number else Style.DIM
        yield cut(line(_INDENT, Piece(padded(row[0], wanted[0]), Style.DIM), GAP, Piece(cells, style)), width)


def _shared(wanted: Sequence[int], room: int) -> list[int]:
    """Column widths that fit: the small ones keep what they need, the others share what is left."""
    if sum(wanted) <= room:
        return list(wanted)
    small = [w for w in wanted if w <= room // len(wanted)]
    large = len(wanted) - len(small)
    share = max((room - sum(small)) // large, 8) if large else 0
    return [min(w, max(share, room // len(wanted))) for w in wanted]
