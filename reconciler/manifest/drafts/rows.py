"""A contact file brought in line with who is live: rows stay where they are, whatever else is in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from reconciler.manifest.drafts.people import usable
from reconciler.manifest.numbers import normalise
from reconciler.model.contacts import ContactSet

_BOM = "\ufeff"


class Layout(Struct, frozen=True, kw_only=True):
    """How a file is read: ``columns`` maps our names to the file's, empty for those of the file."""

    columns: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ","
    region: str = ""


class Moves(Struct, frozen=True, kw_only=True):
    """Who is no longer there, who has come, and whose attributes are others now (with those that they are)."""

    gone: ContactSet = field(default_factory=ContactSet.empty)
    come: ContactSet = field(default_factory=ContactSet.empty)
    changed: ContactSet = field(default_factory=ContactSet.empty)

    @property
    def empty(self) -> bool:
        return not (len(self.gone) or len(self.come) or len(self.changed))


def rewritten(text: str, layout: Layout, moves: Moves) -> str:
    """``text`` without who is gone, and with who has come behind the others. It was read by a load before."""
    mark, text = (_BOM, text.removeprefix(_BOM)) if text.startswith(_BOM) else ("", text)
    records = _records(text, layout.delimiter)
    out, header = [mark], [""]
    for raw, cells in records:
        out.append(raw)
        if cells:
            header = [name.strip() for name in cells]
            break
    newline = "\r\n" if out[-1].endswith("\r\n") else "\n"
    at = _positions(header, layout)
    gone, changed = frozenset(moves.gone.numbers()), dict.fromkeys(moves.changed.numbers())
    for raw, cells in records:
        number = normalise(cells[at["number"]], region=layout.region) if len(cells) == len(header) else None
        if number in gone:
            continue
        if number in changed and (row := moves.changed.get(str(number))) is not None:
            raw = _row(_filled(cells, row, at), layout.delimiter, newline)
        out.append(raw)
    if moves.come and out[-1] and not out[-1].endswith("\n"):
        out.append(newline)
    for row in moves.come.rows():
        out.append(_row(_filled([""] * len(header), row, at), layout.delimiter, newline))
    return "".join(out)


def _records(text: str, delimiter: str) -> Iterator[tuple[str, list[str]]]:
    """Every record as it stands, and its cells; a blank line has none."""
    *whole, last = text.split("\n")
    lines = [f"{line}\n" for line in whole] + ([last] if last else [])
    reader, before = csv.reader(lines, delimiter=delimiter, strict=True), 0
    for cells in reader:
        yield "".join(lines[before : reader.line_num]), cells
        before = reader.line_num


def _positions(header: list[str], layout: Layout) -> dict[str, int]:
    """Our names to places in a row."""
    names = {"number": layout.columns.get("number", "number"), **(layout.columns or {n: n for n in header if n})}
    return {ours: header.index(theirs) for ours, theirs in names.items() if theirs in header}


def _filled(cells: list[str], row: Mapping[str, str | None], at: Mapping[str, int]) -> list[str]:
    """``cells`` with what ``row`` says; the number stays as somebody wrote it."""
    found = list(cells)
    for name, value in row.items():
        place = at.get(name)
        if place is not None and (name != "number" or not found[place]) and (value is None or usable(value)):
            found[place] = value or ""
    return found


def _row(cells: list[str], delimiter: str, newline: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=newline).writerow(cells)
    return out.getvalue()
