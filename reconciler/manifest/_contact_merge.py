"""Pieces of several contact files into one set, and the rows of it that stand there twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.manifest._contact_rows import NUMBER, Flaw, Framed, Piece, Plain
from reconciler.model import contacts as model
from reconciler.model.contacts import ContactSet

if TYPE_CHECKING:
    import polars

KEPT: Final = 10_000
"""Rejected rows, and duplicates, that are kept as values; the counts are always complete."""
_LINES_NAMED: Final = 5
_READ, _LINE, _FIRST, _DIFFERS = "\0read", "\0line", "\0first", "\0differs"
"""Columns beside those of the files, which have no NUL in them."""

Place: TypeAlias = Callable[[int], Span]


@dataclass(slots=True, kw_only=True)
class Read:
    """One file (or the inline rows) as far as it could be read. ``place`` turns a line into a span."""

    place: Place
    pieces: list[Piece] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    rows: int = 0
    flawed: int = 0
    problems: list[Diagnostic] = field(default_factory=list)
    digest: str = ""

    def take(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self.rows += len(piece.lines)
            # Text takes a quarter of the memory in a frame, so a long file is packed on the way.
            self.pieces.append(_packed(piece) if self.rows >= model.PLAIN_BELOW else replace(piece, flaws=()))
            self.flawed += len(piece.flaws)
            self.flaws += islice(piece.flaws, max(KEPT - len(self.flaws), 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A row whose number an earlier row has. ``differs``: the attributes are not the same, and these are lost."""

    file: str
    line: int
    first_file: str
    first_line: int
    differs: bool = False


def united(pieces: Sequence[Piece]) -> ContactSet:
    """All rows as one set; plain as long as nothing needs a frame."""
    if all(isinstance(piece, Plain) for piece in pieces) and _rows_in(pieces) < model.PLAIN_BELOW:
        return ContactSet.from_columns(_columns_of(pieces))
    import polars as pl

    return ContactSet.from_frame(pl.concat([_frame_of(piece) for piece in pieces], how="diagonal"))


def _rows_in(pieces: Iterable[Piece]) -> int:
    return sum(len(piece.lines) for piece in pieces)


def _columns_of(pieces: Sequence[Piece]) -> dict[str, list[str | None]]:
    plain = [piece for piece in pieces if isinstance(piece, Plain)]
    names = {NUMBER: None} | {name: None for piece in plain for name in piece.columns}
    united: dict[str, list[str | None]] = {name: [] for name in names}
    for piece in plain:
        for name, values in united.items():
            values.extend(piece.columns.get(name) or [None] * len(piece.lines))
    return united


def _packed(piece: Piece) -> Framed:
    return Framed(frame=_frame_of(piece), lines=piece.lines)


def _frame_of(piece: Piece) -> polars.DataFrame:
    import polars as pl

    match piece:
        case Framed(frame=frame):
            return frame
        case Plain(columns=columns):
            return pl.DataFrame([pl.Series(name, values, dtype=pl.String) for name, values in columns.items()])


@dataclass(slots=True)
class Repeats:
    """Rows whose number an earlier row has, counted per pair of files (positions in ``reads``).

    ``pairs`` maps (read, first read, differs) to how many there are and the lines of the first few.
    """

    reads: Sequence[Read]
    kept: list[Duplicate] = field(default_factory=list)
    pairs: dict[tuple[int, int, bool], tuple[int, list[int]]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(count for count, _ in self.pairs.values())

    def keep(self, read: int, line: int, first_read: int, first_line: int, differs: bool) -> None:
        here, first = self.reads[read].place(line), self.reads[first_read].place(first_line)
        self.kept.append(
            Duplicate(file=here.file, line=here.line, first_file=first.file, first_line=first.line, differs=differs)
        )

    def warnings(self) -> Iterator[Diagnostic]:
        for (read, first, differs), (count, lines) in self.pairs.items():
            places = [self.reads[read].place(line) for line in lines]
            rows = "1 row repeats a number" if count == 1 else f"{count:,} rows repeat numbers"
            where = "" if read == first else f" of {self.reads[first].place(0).file}"
            apart = " with other attributes" if differs else ""
            named = ", ".join(f"{span.file}:{span.line}" for span in places) + (", …" if count > len(lines) else "")
            yield Diagnostic(
                code="contact-duplicate-differs" if differs else "contact-duplicate",
                severity=Severity.WARNING,
                message=f"{rows}{where}{apart}: {named}",
                hint="the first row of a number is used",
                source=places[0],
            )


def repeats_in(reads: Sequence[Read]) -> Repeats:
    """What the rows of all files repeat, in their order."""
    if any(isinstance(piece, Framed) for read in reads for piece in read.pieces):
        return _repeats_in_frames(reads)
    found = Repeats(reads)
    firsts: dict[str, tuple[int, int, Mapping[str, str]]] = {}
    for i, read in enumerate(reads):
        for number, line, attributes in (row for piece in read.pieces for row in _rows_of(piece)):
            first_read, first_line, first = firsts.setdefault(number, (i, line, attributes))
            if first is attributes:
                continue
            differs = attributes != first
            count, lines = found.pairs.setdefault((i, first_read, differs), (0, []))
            found.pairs[i, first_read, differs] = count + 1, [*lines, line] if count < _LINES_NAMED else lines
            if len(found.kept) < KEPT:
                found.keep(i, line, first_read, first_line, differs)
    return found


def _rows_of(piece: Piece) -> Iterator[tuple[str, int, Mapping[str, str]]]:
    """Number, line, and the attributes that have a value."""
    if isinstance(piece, Plain):
        names = [name for name in piece.columns if name != NUMBER]
        for i, number in enumerate(piece.columns[NUMBER]):
            if number is not None:
                yield number, piece.lines[i], {n: v for n in names if (v := piece.columns[n][i]) is not None}


def _repeats_in_frames(reads: Sequence[Read]) -> Repeats:
    """The same in columns: a list that is named twice repeats millions of rows."""
    import polars as pl

    placed = [
        _frame_of(piece).with_columns(pl.lit(i).alias(_READ), pl.Series(_LINE, piece.lines, dtype=pl.Int64))
        for i, read in enumerate(reads)
        for piece in read.pieces
    ]
    rows = pl.concat(placed, how="diagonal").filter(pl.col(NUMBER).is_duplicated())
    first = pl.col(NUMBER).is_first_distinct()
    both = rows.filter(~first).join(rows.filter(first), on=NUMBER, how="left", suffix=_FIRST, maintain_order="left")
    names = [name for name in rows.columns if name not in {NUMBER, _READ, _LINE}]
    differs = pl.any_horizontal(pl.lit(False), *(pl.col(name).ne_missing(pl.col(name + _FIRST)) for name in names))
    both = both.select(_READ, _LINE, _READ + _FIRST, _LINE + _FIRST, differs.alias(_DIFFERS))
    pairs = both.group_by(_READ, _READ + _FIRST, _DIFFERS, maintain_order=True).agg(
        pl.len(), pl.col(_LINE).head(_LINES_NAMED)
    )
    found = Repeats(reads)
    found.pairs.update({(read, other, apart): (count, lines) for read, other, apart, count, lines in pairs.iter_rows()})
    for row in both.head(KEPT).iter_rows():
        found.keep(*row)
    return found
