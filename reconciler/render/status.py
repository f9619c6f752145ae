"""Observed health as text, as a line each, as Markdown and as JSON, all drawn from ``schemas/status.json`` documents.

What is wrong has a mark of its own and its reason below it; colour repeats that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.errors import UsageError
from reconciler.render.json import document_json
from reconciler.render.screen import (
    NARROWEST,
    Line,
    Piece,
    Style,
    cut,
    line,
    padded,
    paint,
    paragraph,
    safe,
    sections,
    spaced,
    width_of,
)

FORMATS = ("text", "concise", "json", "markdown")
UNHEALTHY = "!"
_WIDEST_NAME = 40
_PLAIN = str.maketrans({c: f"\\{c}" for c in "\\`*_[]|~#"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "@<!-- -->"})
"""What Markdown would make something of, a mention included, as itself."""


def render_status(doc: Mapping[str, Any], format: str, *, width: int, color: bool) -> str:
    """A status document in one of ``FORMATS``. Raises UsageError for another."""
    match format:
        case "text":
            return _text(doc, max(width, NARROWEST), color)
        case "concise":
            return _concise(doc, max(width, NARROWEST), color)
        case "json":
            return document_json(doc)
        case "markdown":
            return _markdown(doc)
        case _:
            raise UsageError(f"status is not written as {format}", hint=f"one of: {', '.join(FORMATS)}")


def _text(doc: Mapping[str, Any], width: int, color: bool) -> str:
    blocks = [_account(account, width) for account in doc["accounts"]]
    return paint(sections([*blocks, paragraph(_verdict(doc), width, Style.BOLD)]), color=color)


def _account(account: Mapping[str, Any], width: int) -> list[Line]:
    read = f"{_counted(account['requests'], 'request')}  {account['elapsedSeconds']:.1f} s"
    cells = [Piece(safe(account["name"]), Style.BOLD), Piece(safe(account["provider"]))]
    if problem := account["problem"]:
        told = f"error[{problem['code']}]: {safe(problem['message'])}"
        hint = f"hint: {safe(problem['hint'])}" if problem["hint"] else ""
        return [spaced(cells), *_below(told, width, Style.ALARM), *_below(hint, width, Style.PLAIN)]
    if not account["observable"]:
        return [spaced(cells), *_below("its provider tells nothing about health", width, Style.DIM)]
    rows = account["rows"]
    cells += [Piece(_subjects(rows)), Piece(read, Style.DIM)]
    names = min(max((width_of(safe(_name(r))) for r in rows), default=0), _WIDEST_NAME)
    subjects = max((len(r["subject"]) for r in rows), default=0)
    states = max((width_of(safe(r["state"])) for r in rows), default=0)
    found = [cut(spaced(cells), width)]
    for row in rows:
        found += _row(row, (subjects, names, states), width)
    return found


def _row(row: Mapping[str, Any], columns: tuple[int, int, int], width: int) -> list[Line]:
    subjects, names, states = columns
    mark = Piece("  " if row["healthy"] else f"{UNHEALTHY} ", Style.ALARM)
    style = Style.PLAIN if row["healthy"] else Style.BAD
    cells = [
        Piece(padded(safe(row["subject"]), subjects), Style.DIM),
        Piece(padded(safe(_name(row)), names)),
        Piece(padded(safe(row["state"]), states), style),
        Piece(safe(_figures(row))),
    ]
    shown = cut((Piece("  "), mark, *spaced(cells, "  ")), width)
    return [shown, *(_below(row["problem"], width, Style.ALARM) if row["problem"] else [])]


def _below(text: str, width: int, style: Style) -> list[Line]:
    return [(Piece("      "), *shown) for shown in paragraph(safe(text), width - 6, style)]


def _concise(doc: Mapping[str, Any], width: int, color: bool) -> str:
    """One line for each account and each thing that is wrong, then the verdict."""
    lines: list[Line] = []
    for account in doc["accounts"]:
        mark, style = ("  ", Style.PLAIN) if account["healthy"] else (f"{UNHEALTHY} ", Style.ALARM)
        problem = account["problem"]
        told = f"error[{problem['code']}]: {problem['message']}" if problem else _subjects(account["rows"])
        lines.append(line(Piece(f"{mark}{safe(account['name'])}  {safe(told)}", style)))
        for row in account["rows"]:
            if not row["healthy"]:
                where = f"{account['name']} {row['subject']} {_name(row)}"
                lines.append(line(Piece(f"{UNHEALTHY} {safe(where)}: {safe(row['problem'])}", Style.ALARM)))
    return paint([*(cut(shown, width) for shown in lines), line(_verdict(doc))], color=color)


def _markdown(doc: Mapping[str, Any]) -> str:
    parts = [f"**{_cell(_verdict(doc))}**"]
    for account in doc["accounts"]:
        parts.append(f"### {_cell(account['name'])} ({_cell(account['provider'])})")
        if problem := account["problem"]:
            parts.append(f"Not read: {_cell(problem['message'])}")
        if account["rows"]:
            head = ["| | name | state | figures | problem |", "|---|---|---|---|---|"]
            parts.append("\n".join([*head, *map(_markdown_row, account["rows"])]))
    return "\n\n".join(parts) + "\n"


def _markdown_row(row: Mapping[str, Any]) -> str:
    cells = (row["subject"], _name(row), row["state"], _figures(row), row["problem"])
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    # What readers of GitHub's dialect would make a link without any brackets is broken like a mention.
    return safe(text).translate(_PLAIN).replace("://", ":<!-- -->//").replace("www.", "www<!-- -->.")


def _name(row: Mapping[str, Any]) -> str:
    """The provider's name; our address where the name alone would not say enough, the id where there is none."""
    address = str(row["address"])
    name = str(row["name"]) or str(row["remoteId"])
    return f"{name} ({address.partition('/')[2]})" if address else name


def _figures(row: Mapping[str, Any]) -> str:
    return "  ".join(f"{name} {_figure(value)}" for name, value in row["figures"].items())


def _figure(value: int | float | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def _subjects(rows: Sequence[Mapping[str, Any]]) -> str:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["subject"]] = counts.get(row["subject"], 0) + 1
    return ", ".join(_counted(n, subject) for subject, n in counts.items()) or "nothing there"


def _verdict(doc: Mapping[str, Any]) -> str:
    summary = doc["summary"]
    parts = []
    if summary["unread"]:
        parts.append(f"{_counted(summary['unread'], 'account')} could not be read")
    if summary["unhealthy"]:
        parts.append(f"{summary['unhealthy']} of {summary['observed']} need a look")
    return "; ".join(parts) if parts else f"Nothing is wrong with {_counted(summary['observed'], 'thing')} observed."


def _counted(number: int, what: str) -> str:
    plural = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{number:,} {what if number == 1 else plural}"
