"""Pieces of several contact files into one set, and the rows of it that stand there twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct, field

from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.manifest._contact_rows import NUMBER, Flaw, Framed, Piece, Plain
from reconciler.model import contacts as model
from reconciler.model.contacts import ORDINAL, ContactSet, FrameBuilder

if TYPE_CHECKING:
    import polars

KEPT: Final = 10_000
"""Rejected rows, and duplicates, that are kept as values; the counts are always complete."""
_LINES_NAMED: Final = 5
_READ, _LINE, _FIRST, _DIFFERS = "\0read", "\0line", "\0first", "\0differs"
"""Columns beside those of the files, which have no NUL in them."""

Place: TypeAlias = Callable[[int], Span]


class Read(Struct, kw_only=True):
    """One file (or the inline rows) as far as it could be read. ``place`` turns a line into a span."""

    place: Place
    flaws: list[Flaw] = field(default_factory=list)
    rows: int = 0
    flawed: int = 0
    problems: list[Diagnostic] = field(default_factory=list)
    digest: str = ""


class Duplicate(Struct, frozen=True, kw_only=True):
    """A row whose number an earlier row has. ``differs``: the attributes are not the same, and these are lost."""

    file: str
    line: int
    first_file: str
    first_line: int
    differs: bool = False


class Repeats(Struct):
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


class Gathering:
    """The rows of all files on their way into one set: plain as long as nothing needs a frame."""

    def __init__(self) -> None:
        self.reads: list[Read] = []
        self._plain: list[tuple[int, Plain]] = []
        self._frames: FrameBuilder | None = None
        self._lines: list[tuple[int, Sequence[int]]] = []
        self._rows = 0

    def begin(self, place: Place) -> Read:
        self.reads.append(Read(place=place))
        return self.reads[-1]

    def take(self, pieces: Iterable[Piece]) -> None:
        """The next rows of the file that was begun last."""
        read, at = self.reads[-1], len(self.reads) - 1
        for piece in pieces:
            read.rows += len(piece.lines)
            read.flawed += len(piece.flaws)
            read.flaws += islice(piece.flaws, max(KEPT - len(read.flaws), 0))
            self._rows += len(piece.lines)
            if self._frames is None and isinstance(piece, Plain) and self._rows < model.PLAIN_BELOW:
                self._plain.append((at, piece))
            else:
                self._pack(at, piece)

    def _pack(self, at: int, piece: Piece) -> None:
        self._frames = self._frames or FrameBuilder(counted=True)
        for earlier, waiting in (*self._plain, (at, piece)):
            self._frames.append(*_frame_of(waiting))
            self._lines.append((earlier, waiting.lines))
        self._plain = []

    def build(self) -> tuple[ContactSet, Repeats]:
        """All rows as one set, and what they repeat."""
        if self._frames is not None:
            return self._built(self._frames)
        contacts = ContactSet.from_columns(_columns_of([piece for _, piece in self._plain]))
        return contacts, self._repeats() if len(contacts) < self._rows else Repeats(self.reads)

    def _built(self, frames: FrameBuilder) -> tuple[ContactSet, Repeats]:
        """The same in columns: a list that is named twice repeats millions of rows."""
        import polars as pl

        found = Repeats(self.reads)
        told: list[polars.DataFrame] = []
        contacts = frames.build(lambda rows: told.append(_paired(rows)))
        if told:
            again, places = pl.concat(told).sort(ORDINAL), _places(self._lines)
            here, first = places[again[ORDINAL]], places[again[ORDINAL + _FIRST]].select(pl.all().name.suffix(_FIRST))
            both = pl.concat([here, first, again.select(_DIFFERS)], how="horizontal")
            pairs = both.group_by(_READ, _READ + _FIRST, _DIFFERS, maintain_order=True).agg(
                pl.len(), pl.col(_LINE).head(_LINES_NAMED)
            )
            found.pairs.update({(here, other, apart): (n, lines) for here, other, apart, n, lines in pairs.iter_rows()})
            for row in both.head(KEPT).iter_rows():
                found.keep(*row)
        return contacts, found

    def _repeats(self) -> Repeats:
        found = Repeats(self.reads)
        firsts: dict[str, tuple[int, int, Mapping[str, str]]] = {}
        for i, number, line, attributes in ((i, *row) for i, piece in self._plain for row in _rows_of(piece)):
            first_read, first_line, first = firsts.setdefault(number, (i, line, attributes))
            if first is attributes:
                continue
            differs = attributes != first
            count, lines = found.pairs.setdefault((i, first_read, differs), (0, []))
            found.pairs[i, first_read, differs] = count + 1, [*lines, line] if count < _LINES_NAMED else lines
            if len(found.kept) < KEPT:
                found.keep(i, line, first_read, first_line, differs)
        return found


def _columns_of(pieces: Sequence[Plain]) -> dict[str, list[str | None]]:
    if len(pieces) == 1:
        return dict(pieces[0].columns)
    names = {NUMBER: None} | {name: None for piece in pieces for name in piece.columns}
    united: dict[str, list[str | None]] = {name: [] for name in names}
    for piece in pieces:
        for name, values in united.items():
            values.extend(piece.columns.get(name) or [None] * len(piece.lines))
    return united


def _rows_of(piece: Plain) -> Iterator[tuple[str, int, Mapping[str, str]]]:
    """Number, line, and the attributes that have a value."""
    names = [name for name in piece.columns if name != NUMBER]
    for i, number in enumerate(piece.columns[NUMBER]):
        if number is not None:
            yield number, piece.lines[i], {n: v for n in names if (v := piece.columns[n][i]) is not None}


def _frame_of(piece: Piece) -> tuple[polars.DataFrame, polars.Series | None]:
    """The rows, and their numbers as integers, if these are known."""
    import polars as pl

    match piece:
        case Framed(frame=frame, codes=codes):
            return frame, codes
        case Plain(columns=columns):
            return pl.DataFrame([pl.Series(name, values, dtype=pl.String) for name, values in columns.items()]), None


def _places(lines: Iterable[tuple[int, Sequence[int]]]) -> polars.DataFrame:
    """Read and line of every row, in the order in which they were read."""
    import polars as pl

    def one(read: int, lines: Sequence[int]) -> polars.DataFrame:
        match lines:
            case range(start=start, stop=stop):
                column = pl.int_range(start, stop, eager=True)
            case _:
                column = pl.Series(lines, dtype=pl.Int64)
        return pl.DataFrame({_LINE: column}).select(pl.lit(read, dtype=pl.Int32).alias(_READ), _LINE)

    return pl.concat([one(read, some) for read, some in lines])


def _paired(rows: polars.DataFrame) -> polars.DataFrame:
    """Which row repeats a number, which one it repeats, and whether the two differ."""
    import polars as pl

    first = pl.col(NUMBER).is_first_distinct()
    both = rows.filter(~first).join(rows.filter(first), on=NUMBER, how="left", suffix=_FIRST)
    names = [name for name in rows.columns if name not in {NUMBER, ORDINAL}]
    differs = pl.any_horizontal(pl.lit(False), *(pl.col(name).ne_missing(pl.col(name + _FIRST)) for name in names))
    return both.select(ORDINAL, ORDINAL + _FIRST, differs.alias(_DIFFERS))
