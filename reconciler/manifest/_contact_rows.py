"""Rows of a contact file as columns, with the line of each: what is asked of a reader, and what it makes."""

from __future__ import annotations

import difflib
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.manifest._contact_files import BadFile
from reconciler.manifest.numbers import REASONS, Reason, Unusable, normalise, normalise_all, normalise_series
from reconciler.masking import mask_text, visible

if TYPE_CHECKING:
    import polars

NUMBER: Final = "number"
MAX_FIELD: Final = 64 * 1024
"""Characters of one field. No attribute is that long; a forgotten quote is."""

ROWS_AT_ONCE: Final = 50_000
_DELIMITERS: Final = (";", "\t", "|", ",")
_COLUMNS_NAMED: Final = 8
_COLUMNS_COMPARED: Final = 200
"""Columns of a header that are looked at for a hint; a line of data can look like half a million of them."""
_NAME: Final = re.compile(r"[\w .-]{1,40}")


class Asked(Struct, frozen=True, kw_only=True):
    """What to take from a file: ``columns`` maps our name to the file's, empty for every column under its own name."""

    columns: Mapping[str, str] = field(default_factory=dict)
    region: str = ""
    delimiter: str = ","

    @property
    def number(self) -> str:
        return self.columns.get(NUMBER, NUMBER)


class Flaw(Struct, frozen=True):
    """One row that cannot be used: the code of its diagnostic, a short stable word, and the sentence for people."""

    line: int
    code: str
    reason: str
    text: str


def refused(line: int, reason: Reason) -> Flaw:
    """A row without a usable number."""
    return Flaw(line, "contact-invalid-number", reason, REASONS[reason])


def too_long(line: int) -> Flaw:
    return Flaw(line, "contact-file-field-too-long", "field-too-long", f"a field has more than {MAX_FIELD} characters")


class Plain(Struct, frozen=True, kw_only=True):
    """Rows as lists; ``lines[i]`` is where row ``i`` starts."""

    columns: Mapping[str, list[str | None]]
    lines: Sequence[int]
    flaws: Sequence[Flaw] = ()


class Framed(Struct, frozen=True, kw_only=True):
    """Rows as a Polars frame of text columns. ``codes``: the numbers as integers, if all are known to be E.164."""

    frame: polars.DataFrame
    lines: Sequence[int]
    codes: polars.Series | None = None
    flaws: Sequence[Flaw] = ()


Piece: TypeAlias = Plain | Framed


def normalised(piece: Piece, region: str) -> Piece:
    """``piece`` with every number in E.164; the rows that have none become flaws."""
    match piece:
        case Plain():
            return _normalised_rows(piece, region)
        case Framed():
            return _normalised_frame(piece, region)


def _normalised_rows(piece: Plain, region: str) -> Plain:
    texts = piece.columns[NUMBER]
    numbers, wrong = normalise_all(texts, region=region)
    if numbers is texts:
        return piece
    columns = {**piece.columns, NUMBER: list(numbers)}
    if not wrong:
        return Plain(columns=columns, lines=piece.lines, flaws=piece.flaws)
    kept = [number is not None for number in numbers]
    return Plain(
        columns={name: _kept(values, kept) for name, values in columns.items()},
        lines=array("q", _kept(piece.lines, kept)),
        flaws=_with_refused(piece, wrong),
    )


def _normalised_frame(piece: Framed, region: str) -> Framed:
    if piece.codes is not None:
        return piece
    texts = piece.frame[NUMBER]
    numbers, wrong = normalise_series(texts, region=region)
    if numbers is texts:
        return piece
    frame = piece.frame.with_columns(numbers.alias(NUMBER))
    if not wrong:
        return replace(piece, frame=frame)
    usable = frame[NUMBER].is_not_null()
    lines = array("q", _kept(piece.lines, usable.to_list()))
    return Framed(frame=frame.filter(usable), lines=lines, flaws=_with_refused(piece, wrong))


def _kept(values: Iterable[Any], kept: Sequence[bool]) -> list[Any]:
    return [value for value, keep in zip(values, kept, strict=True) if keep]


def _with_refused(piece: Piece, wrong: Sequence[tuple[int, Reason]]) -> tuple[Flaw, ...]:
    numbers = (refused(piece.lines[i], reason) for i, reason in wrong)
    return tuple(sorted((*piece.flaws, *numbers), key=lambda flaw: flaw.line))


def wanted_columns(header: Sequence[str], asked: Asked) -> dict[str, int]:
    """Our column names to positions in the file. Raises BadFile when one is missing or stands there twice."""
    columns = asked.columns or {name: name for name in header if name}
    wanted: dict[str, int] = {}
    known, places = Counter(header), {name: at for at, name in enumerate(header)}
    for ours, theirs in {NUMBER: asked.number, **columns}.items():
        if known[theirs] > 1:
            raise BadFile("contact-file-duplicate-column", f"two columns are called {_named(theirs)}", line=1)
        if theirs not in known:
            raise missing_column(theirs, header, asked)
        wanted[ours] = places[theirs]
    return wanted


def missing_column(name: str, header: Sequence[str], asked: Asked) -> BadFile:
    """Why ``name`` is not among the columns; other names are only quoted when they can be no one's data."""
    if len(header) == 1:
        for delimiter in _DELIMITERS:
            if delimiter != asked.delimiter and delimiter in header[0]:
                return BadFile(
                    "contact-file-delimiter",
                    "the header is one column, so the fields are separated by something else",
                    hint=f"set delimiter: {delimiter!r}",
                    line=1,
                )
    few = header[:_COLUMNS_COMPARED]
    if any(_looks_like_data(cell, asked.region) for cell in few):
        return BadFile(
            "contact-file-no-header", "the first row holds a number, not column names", hint="add a header", line=1
        )
    near = difflib.get_close_matches(name, few, n=1) or [
        cell for cell in few if cell.lower().replace(" ", "_") == name.lower()
    ]
    known = ", ".join(map(_named, header[:_COLUMNS_NAMED])) + (", …" if len(header) > _COLUMNS_NAMED else "")
    # A manifest may name any file of the project, a file with a key as well: its one line is no list of columns.
    listed = len(header) > 1 and all(map(_NAME.fullmatch, header[:_COLUMNS_NAMED]))
    hint = f"did you mean {_named(near[0])}? " if near else f"the file has {known}. " if listed else ""
    hint += "Write columns: {our name: the file's name}"
    return BadFile("contact-file-missing-column", f"there is no column {_named(name)}", hint=hint, line=1)


def _looks_like_data(cell: str, region: str) -> bool:
    number = normalise(cell, region=region)
    if not isinstance(number, Unusable):
        return True
    return number.reason not in {Reason.EMPTY, Reason.NOT_A_NUMBER, Reason.HAS_EXTENSION, Reason.TOO_SHORT}


def _named(name: str) -> str:
    return f'"{mask_text(visible(name))}"'
