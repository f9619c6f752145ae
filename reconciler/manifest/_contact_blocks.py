"""A large CSV file in stretches of several blocks, read ahead and parsed by Polars meanwhile."""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from reconciler.manifest._contact_files import BOM, BadFile, check_text, has_long_line
from reconciler.manifest._contact_rows import MAX_FIELD, NUMBER
from reconciler.manifest.numbers import e164_code

if TYPE_CHECKING:
    import polars

_STRETCH: Final = 4
"""Blocks that are parsed as one: Polars then has enough to do for all processors."""
_WORKERS: Final = 2
_AHEAD: Final = 6
"""Blocks that are read before they are asked for."""
_NO_SEPARATOR: Final = b"\x1f"
"""A byte that is in no line, so that a line is one column."""

_CODE: Final = "code"

Blocks: TypeAlias = "Sequence[bytes]"


class Parsed(Struct, frozen=True):
    """Blocks as text columns under our names; ``codes``: the numbers as integers, if all are E.164."""

    frame: polars.DataFrame
    codes: polars.Series | None


Parse: TypeAlias = "Callable[[Blocks], Parsed | None]"


class BlockParser(Struct, frozen=True, kw_only=True):
    """Parses what can be shown to mean the same to Polars and to ``csv``; of everything else it makes None.

    ``width`` is the number of columns in the file, ``wanted`` our names with their positions there.
    """

    width: int
    wanted: Mapping[str, int]
    delimiter: str

    def __call__(self, blocks: Blocks) -> Parsed | None:
        import polars as pl

        try:
            for block in blocks:
                check_text(block, 1)
        except BadFile:
            return None
        last, quoted = f"{self.width - 1}", any(b'"' in block for block in blocks)
        if not all(blocks) or any(map(_has_odd_lines, blocks)):
            return None
        try:
            frame = self._read(blocks, quoted)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None
        if quoted and not _is_plainly_quoted(blocks, frame.height, self.delimiter):
            return None
        if frame[last].null_count() and not self._adds_up(blocks, frame, quoted):
            return None
        codes = frame[_CODE]
        frame = frame.select(pl.col(f"{i}").alias(name) for name, i in self.wanted.items())
        if quoted:
            frame = frame.select(pl.all().replace("", None))
        return Parsed(frame, None if codes.null_count() else codes)

    def _read(self, blocks: Blocks, quoted: bool) -> polars.DataFrame:
        import polars as pl

        kept = range(self.width) if quoted else sorted({*self.wanted.values(), self.width - 1})
        rows = pl.scan_csv(
            list(blocks),
            has_header=False,
            schema={f"{i}": pl.String for i in range(self.width)},
            separator=self.delimiter,
            raise_if_empty=False,
        )
        number = pl.col(f"{self.wanted[NUMBER]}")
        return rows.select(*(f"{i}" for i in kept), e164_code(number).alias(_CODE)).collect(engine="streaming")

    def _adds_up(self, blocks: Blocks, frame: polars.DataFrame, quoted: bool) -> bool:
        """Whether no row is too short. Polars refuses rows that are too long and fills short ones up with nulls.

        So a short row leaves a null in the last column, and only then is it worth counting: with no row too long, the
        delimiters are as many as they should be only if no row is too short either. A blank line of one column is a
        row to Polars and none to ``csv``.
        """
        import polars as pl

        inside = (
            frame.select(pl.exclude(_CODE).str.count_matches(self.delimiter, literal=True).sum()).row(0)
            if quoted
            else ()
        )
        delimiter = self.delimiter.encode()
        between = sum(block.count(delimiter) for block in blocks) - sum(n or 0 for n in inside)
        return self.width > 1 and between == frame.height * (self.width - 1)


def _has_odd_lines(block: bytes) -> bool:
    """Line ends other than LF and CRLF, a line as long as a field may not be, or a BOM that is no BOM here."""
    if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
        return True
    return block.startswith(BOM) or has_long_line(block, MAX_FIELD)


def _is_plainly_quoted(blocks: Blocks, rows: int, delimiter: str) -> bool:
    """Whether every record is one line, and every quote opens, closes or is doubled within a field.

    Of anything else (``""a""``, ``a"b``) Polars and ``csv`` make different things.
    """
    import polars as pl

    lines = sum(block.count(b"\n") + (not block.endswith(b"\n")) for block in blocks)
    if rows != lines or any(_NO_SEPARATOR in block for block in blocks):
        return False
    separator = f"\\x{{{ord(delimiter):x}}}"
    field = f'(?:[^"{separator}]*|"(?:[^"]|"")*")'
    line = pl.col("line").str.contains(f"^{field}(?:{separator}{field})*\\r?$").fill_null(True)
    whole = pl.scan_csv(
        list(blocks), has_header=False, schema={"line": pl.String}, separator=_NO_SEPARATOR.decode(), quote_char=None
    )
    return bool(whole.select(line.all()).collect(engine="streaming").item())


def ahead(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks, the next ones being read, decoded and hashed while the last one is worked on.

    They are for Polars, and importing that takes as long as reading the first of them, which wants no interpreter.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="contacts-read") as reader:
        coming = deque(reader.submit(next, blocks, None) for _ in range(_AHEAD))
        importlib.import_module("polars")
        while (block := coming.popleft().result()) is not None:
            coming.append(reader.submit(next, blocks, None))
            yield block


def parsed_ahead(blocks: Iterator[bytes], parse: Parse) -> Generator[tuple[Blocks, Parsed | None], None, None]:
    """Blocks with what they were parsed to, in order; those before a damaged one come before its BadFile.

    Of a stretch that was refused each block is parsed on its own, so that most of it still is.
    """
    waiting: deque[tuple[Blocks, Future[Parsed | None]]] = deque()

    def done() -> Iterator[tuple[Blocks, Parsed | None]]:
        stretch, parsing = waiting.popleft()
        if (parsed := parsing.result()) is not None or len(stretch) == 1:
            yield stretch, parsed
            return
        alone = [(block,) for block in stretch]
        yield from zip(alone, pool.map(parse, alone), strict=True)

    with ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="contacts-parse") as pool:
        try:
            for stretch in _stretches(blocks):
                waiting.append((stretch, pool.submit(parse, stretch)))
                if len(waiting) > _WORKERS:
                    yield from done()
        except BadFile:
            while waiting:
                yield from done()
            raise
        while waiting:
            yield from done()


def _stretches(blocks: Iterator[bytes]) -> Iterator[Blocks]:
    """As many blocks at a time as are parsed as one, and whatever comes before a damaged one."""
    stretch: list[bytes] = []
    try:
        for block in blocks:
            stretch.append(block)
            if len(stretch) == _STRETCH:
                yield stretch
                stretch = []
    except BadFile:
        if stretch:
            yield stretch
        raise
    if stretch:
        yield stretch
