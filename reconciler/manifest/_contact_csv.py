"""Contact files in CSV.

``csv`` in strict mode is the only judge of what a file says. For a large file Polars parses those blocks of which it
can be shown that it reads them the same way; every other block, and every block that Polars refuses, is read as in a
small file. So a problem is always found by the engine that can tell its line.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Final, cast

from reconciler.manifest._contact_blocks import BlockParser, Blocks, Parsed, ahead, parsed_ahead
from reconciler.manifest._contact_files import BOM, BadFile, check_beginning, check_text, has_long_line
from reconciler.manifest._contact_rows import (
    MAX_FIELD,
    ROWS_AT_ONCE,
    Asked,
    Flaw,
    Framed,
    Piece,
    Plain,
    too_long,
    wanted_columns,
)

_MAX_HEADER: Final = 1 << 20


class CsvReader:
    """A CSV file being read; ``_line`` is the line that the next block starts with. ``large``: there are surely several
    blocks."""

    def __init__(self, blocks: Iterator[bytes], asked: Asked, *, large: bool = False) -> None:
        self._asked = asked
        self._blocks = ahead(blocks) if large else blocks
        self._large = large
        self._parsed: Iterator[tuple[Blocks, Parsed | None]] = iter(())
        self._width = 0
        self._wanted: Mapping[str, int] = {}
        self._line = 1

    def pieces(self) -> Iterator[Piece]:
        """The rows in order. Raises BadFile."""
        first = next(self._blocks, b"").removeprefix(BOM)
        second = next(self._blocks, None)
        check_text(first, 1)
        rest = self._after_header(first)
        if second is None:
            yield from self._plain(rest)
            return
        parse = BlockParser(width=self._width, wanted=self._wanted, delimiter=self._asked.delimiter)
        with closing(
            parsed_ahead(chain((rest, second), self._blocks if self._large else ahead(self._blocks)), parse)
        ) as self._parsed:
            for blocks, parsed in self._parsed:
                if parsed is None:
                    block = b"".join(blocks)
                    check_text(block, self._line)
                    yield from self._plain(block)
                else:
                    lines = range(self._line, self._line + parsed.frame.height)
                    self._line = lines.stop
                    yield Framed(frame=parsed.frame, lines=lines, codes=parsed.codes)

    def simple(self, content: bytes) -> Plain | None:
        """All rows of a file that is no more than ``content``; None where lines have to be looked at one by one, or
        there are none. Raises BadFile."""
        check_beginning(content)
        first = content.removeprefix(BOM)
        check_text(first, 1)
        return self._simple(self._after_header(first))

    def _next_block(self) -> bytes | None:
        for blocks, _ in self._parsed:
            block = b"".join(blocks)
            check_text(block, self._line)
            return block
        return None

    def _after_header(self, block: bytes) -> bytes:
        text, rest = _split_header(block)
        asked = self._asked
        self._width, self._wanted = _header(text, asked.delimiter, asked.region, tuple(asked.columns.items()))
        self._line = text.count(b"\n") + 1
        return rest

    def _plain(self, block: bytes) -> Iterator[Plain]:
        if (piece := self._simple(block)) is not None:
            yield piece
            return
        base, width = self._line, self._width

        def more() -> bytes | None:
            self._line = base + reader.line_num
            return self._next_block()

        lines = _Lines(block, more)
        reader = csv.reader(lines, delimiter=self._asked.delimiter, strict=True)
        rows: list[list[str]] = []
        starts, flaws = array("q"), list[Flaw]()
        while not lines.exhausted:
            before = reader.line_num
            try:
                row = next(reader)
            except BadFile:
                yield self._piece(rows, starts, flaws)
                raise
            except csv.Error as cause:
                yield self._piece(rows, starts, flaws)
                raise _broken(cause, line=base + before, spans=reader.line_num > before + 1) from None
            if not row:
                continue
            if len(row) != width:
                text = f"the row has {_fields(len(row))}, the header {_fields(width)}"
                flaws.append(Flaw(base + before, "contact-file-ragged-row", "ragged-row", text))
            elif sum(map(len, row)) > MAX_FIELD and max(map(len, row)) > MAX_FIELD:
                flaws.append(too_long(base + before))
            else:
                rows.append(row)
                starts.append(base + before)
            if len(rows) == ROWS_AT_ONCE:
                yield self._piece(rows, starts, flaws)
                rows, starts, flaws = [], array("q"), []
        self._line = base + reader.line_num
        yield self._piece(rows, starts, flaws)

    def _simple(self, block: bytes) -> Plain | None:
        """A block of which each line is a row and no row has a flaw, without a loop over them; None for any other."""
        delimiter, width = self._asked.delimiter, self._width
        # Without quotes and carriage returns a delimiter is a delimiter and a line a row; blank lines are none.
        if not block or b'"' in block or b"\r" in block or (width == 1 and b"\n\n" in b"\n" + block):
            return None
        text = block.decode() if block.endswith(b"\n") else f"{block.decode()}\n"
        rows = text.count("\n")
        if rows > ROWS_AT_ONCE or (len(block) >= MAX_FIELD and has_long_line(block, MAX_FIELD)):
            return None
        # Line ends become fields of their own: all rows are of one length only if these are all in their places.
        fields = text.replace("\n", f"{delimiter}\n{delimiter}").split(delimiter)
        if len(fields) != rows * (width + 1) + 1 or fields[width :: width + 1].count("\n") != rows:
            return None
        first, self._line = self._line, self._line + rows
        columns = {name: _without_empty(fields[i : -1 : width + 1]) for name, i in self._wanted.items()}
        return Plain(columns=columns, lines=range(first, self._line))

    def _piece(self, rows: list[list[str]], starts: array[int], flaws: list[Flaw]) -> Plain:
        columns = {name: [row[i] or None for row in rows] for name, i in self._wanted.items()}
        return Plain(columns=columns, lines=starts, flaws=tuple(flaws))


@lru_cache(maxsize=16)
def _header(
    text: bytes, delimiter: str, region: str, columns: tuple[tuple[str, str], ...]
) -> tuple[int, Mapping[str, int]]:
    """How many fields a row has, and the positions of our columns. Raises BadFile.

    Remembered, because of a thousand small files nearly all begin alike, and this takes as long as fifty rows.
    """
    try:
        rows = [row for row in csv.reader(_lines(text), delimiter=delimiter, strict=True) if row]
    except csv.Error as cause:
        raise _broken(cause, line=1, spans=text.count(b"\n") > 1) from None
    if not rows:
        raise BadFile("contact-file-empty", "it is empty", hint="a file without contacts still needs its header")
    names = [name.strip() for name in rows[0]]
    asked = Asked(columns=dict(columns), region=region, delimiter=delimiter)
    return len(names), MappingProxyType(wanted_columns(names, asked))


def _fields(count: int) -> str:
    return f"{count} field" if count == 1 else f"{count} fields"


def _without_empty(values: list[str]) -> list[str | None]:
    return [value or None for value in values] if "" in values else cast("list[str | None]", values)


def _split_header(block: bytes) -> tuple[bytes, bytes]:
    """The first record that is not blank, with the blank lines before it, and the rest."""
    cut, quotes, blank = 0, 0, True
    while cut < min(len(block), _MAX_HEADER):
        start = cut
        cut = block.find(b"\n", start) + 1 or len(block)
        # Only what is new is looked at: a file of a hundred thousand blank lines is not counted anew with each.
        quotes += block.count(b'"', start, cut)
        blank = blank and not block[start:cut].strip()
        if not blank and quotes % 2 == 0:
            break
    return block[:cut], block[cut:]


def _lines(block: bytes) -> list[str]:
    # Only LF counts: str.splitlines would also break a name at U+2028.
    *whole, last = block.decode().split("\n")
    lines = [f"{line}\n" for line in whole]
    return [*lines, last] if last else lines


class _Lines:
    """The lines of a block, for ``csv``. A quoted field that leaves the block pulls in the next one."""

    def __init__(self, block: bytes, more: Callable[[], bytes | None]) -> None:
        self._more = more
        self._lines = _lines(block)
        self._at = 0

    @property
    def exhausted(self) -> bool:
        return self._at == len(self._lines)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while self.exhausted:
            block = self._more()
            if block is None:
                raise StopIteration
            self._lines, self._at = _lines(block), 0
        self._at += 1
        return self._lines[self._at - 1]


def _broken(cause: csv.Error, *, line: int, spans: bool) -> BadFile:
    """What the parser of ``csv`` says in its own words, by the words that CPython's ``_csv.c`` has for it."""
    said = str(cause)
    if "new-line character" in said:
        return BadFile(
            "contact-file-line-ends",
            "a line ends with a lone carriage return",
            hint="save it with LF or CRLF",
            line=line,
        )
    if "field larger" in said and not spans:
        return BadFile("contact-file-field-too-long", f"a field has more than {MAX_FIELD} characters", line=line)
    if "expected after" in said:
        return BadFile(
            "contact-file-quote",
            "a quoted field goes on after its closing quote",
            hint="double quotes inside",
            line=line,
        )
    return BadFile(
        "contact-file-quote", "a quote that opens in this row is never closed", hint="close or double it", line=line
    )
