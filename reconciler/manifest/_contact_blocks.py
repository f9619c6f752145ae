"""Blocks of a large CSV file, read ahead and parsed by Polars on several threads at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from reconciler.manifest._contact_files import BOM, BadFile, check_text, has_long_line
from reconciler.manifest._contact_rows import MAX_FIELD, NUMBER
from reconciler.manifest.numbers import e164_codes

if TYPE_CHECKING:
    import polars

_WORKERS: Final = 4
_NO_SEPARATOR: Final = b"\x1f"
"""A byte that is in no line, so that a line is one column."""


class Parsed(Struct, frozen=True):
    """A block as text columns under our names; ``codes``: the numbers as integers, if all are E.164."""

    frame: polars.DataFrame
    codes: polars.Series | None


Parse: TypeAlias = "Callable[[bytes], Parsed | None]"


class BlockParser(Struct, frozen=True, kw_only=True):
    """Parses what can be shown to mean the same to Polars and to ``csv``; of everything else it makes None.

    ``width`` is the number of columns in the file, ``wanted`` our names with their positions there.
    """

    width: int
    wanted: Mapping[str, int]
    delimiter: str

    def __call__(self, block: bytes) -> Parsed | None:
        import polars as pl

        try:
            check_text(block, 1)
        except BadFile:
            return None
        last, quoted = f"{self.width - 1}", b'"' in block
        if not block or _has_odd_lines(block):
            return None
        try:
            frame = self._read(block, quoted)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None
        if quoted and not _is_plainly_quoted(block, frame.height, self.delimiter):
            return None
        if frame[last].null_count() and not self._adds_up(block, frame, quoted):
            return None
        frame = frame.select(pl.col(f"{i}").alias(name) for name, i in self.wanted.items())
        if quoted:
            frame = frame.select(pl.all().replace("", None))
        return Parsed(frame, e164_codes(frame[NUMBER]))

    def _read(self, block: bytes, quoted: bool) -> polars.DataFrame:
        import polars as pl

        return pl.read_csv(
            block,
            has_header=False,
            schema={f"{i}": pl.String for i in range(self.width)},
            columns=None if quoted else sorted({*self.wanted.values(), self.width - 1}),
            separator=self.delimiter,
            raise_if_empty=False,
        )

    def _adds_up(self, block: bytes, frame: polars.DataFrame, quoted: bool) -> bool:
        """Whether no row is too short. Polars refuses rows that are too long and fills short ones up with nulls.

        So a short row leaves a null in the last column, and only then is it worth counting: with no row too long, the
        delimiters are as many as they should be only if no row is too short either. A blank line of one column is a
        row to Polars and none to ``csv``.
        """
        import polars as pl

        inside = frame.select(pl.all().str.count_matches(self.delimiter, literal=True).sum()).row(0) if quoted else ()
        between = block.count(self.delimiter.encode()) - sum(n or 0 for n in inside)
        return self.width > 1 and between == frame.height * (self.width - 1)


def _has_odd_lines(block: bytes) -> bool:
    """Line ends other than LF and CRLF, a line as long as a field may not be, or a BOM that is no BOM here."""
    if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
        return True
    return block.startswith(BOM) or has_long_line(block, MAX_FIELD)


def _is_plainly_quoted(block: bytes, rows: int, delimiter: str) -> bool:
    """Whether every record is one line, and every quote opens, closes or is doubled within a field.

    Of anything else (``""a""``, ``a"b``) Polars and ``csv`` make different things.
    """
    import polars as pl

    if rows != block.count(b"\n") + (not block.endswith(b"\n")) or _NO_SEPARATOR in block:
        return False
    lines = pl.read_csv(
        block, has_header=False, schema={"line": pl.String}, separator=_NO_SEPARATOR.decode(), quote_char=None
    )["line"]
    separator = f"\\x{{{ord(delimiter):x}}}"
    field = f'(?:[^"{separator}]*|"(?:[^"]|"")*")'
    return bool(lines.str.contains(f"^{field}(?:{separator}{field})*\\r?$").fill_null(True).all())


def ahead(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks, the next one being read, decoded and hashed while the last one is worked on."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="contacts-read") as reader:
        coming = reader.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = reader.submit(next, blocks, None)
            yield block


def parsed_ahead(blocks: Iterator[bytes], parse: Parse) -> Generator[tuple[bytes, Future[Parsed | None]], None, None]:
    """Each block with its parsing under way, in order; the blocks before a damaged one come before its BadFile."""
    waiting: deque[tuple[bytes, Future[Parsed | None]]] = deque()
    with ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="contacts-parse") as pool:
        try:
            for block in blocks:
                waiting.append((block, pool.submit(parse, block)))
                if len(waiting) > _WORKERS:
                    yield waiting.popleft()
        except BadFile:
            yield from waiting
            raise
        yield from waiting
