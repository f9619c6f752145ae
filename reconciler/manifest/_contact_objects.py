"""Contact files of objects: NDJSON and Parquet."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import compress
from typing import Any, Final

from reconciler.manifest._contact_files import (
    BOM,
    MAX_DECODED,
    BadFile,
    Located,
    Stored,
    check_text,
    swollen,
    too_large,
)
from reconciler.manifest._contact_rows import (
    MAX_FIELD,
    NUMBER,
    ROWS_AT_ONCE,
    Asked,
    Flaw,
    Framed,
    Plain,
    missing_column,
    refused,
    too_long,
    wanted_columns,
)
from reconciler.manifest.numbers import Reason

_PARQUET_ROWS: Final = 500_000
_PLAIN_TYPES: Final = frozenset({str, type(None)})
_MAX_INT: Final = 1 << 63
_PARQUET_MAGIC: Final = b"PAR1"


class NdjsonReader:
    """One JSON object per line; blank lines are allowed. Read by msgspec whatever the size.

    Polars would be four times as fast and cannot be used: it turns a number into text without a word, and then nobody
    can tell that a phone number has lost its leading zeros.
    """

    def __init__(self, blocks: Iterator[bytes], asked: Asked) -> None:
        self._blocks = blocks
        self._asked = asked
        self._keys: set[str] = set()
        self._columns = {NUMBER: asked.number, **asked.columns}

    def pieces(self) -> Iterator[Plain]:
        """The rows in order. Raises BadFile."""
        line = 1
        for i, block in enumerate(self._blocks):
            check_text(block, line)
            yield from self._objects(block.removeprefix(BOM) if i == 0 else block, line)
            line += block.count(b"\n")
        if not self._keys:
            raise BadFile("contact-file-empty", "it is empty")
        for theirs in self._columns.values():
            self._check_seen(theirs)

    def _check_seen(self, name: str) -> None:
        if name not in self._keys:
            raise missing_column(name, sorted(self._keys), self._asked)

    def _objects(self, block: bytes, first_line: int) -> Iterator[Plain]:
        import msgspec

        decode = msgspec.json.Decoder(dict[str, Any]).decode
        rows: list[dict[str, Any]] = []
        lines, long = array("q"), False
        for line, text in enumerate(block.split(b"\n"), start=first_line):
            if not text.strip():
                continue
            try:
                row = decode(text)
                # With no more colons than members, no member can stand there twice.
                if text.count(b":") != len(row):
                    json.loads(text, object_pairs_hook=_once)
                rows.append(row)
            except (msgspec.DecodeError, RecursionError, _Twice):
                if rows:
                    yield self._piece(rows, lines, long)
                message = "the line is no JSON object, or has a name twice"
                raise BadFile("contact-file-json", message, hint="write one object per line", line=line) from None
            lines.append(line)
            long |= len(text) > MAX_FIELD
            if len(rows) == ROWS_AT_ONCE:
                yield self._piece(rows, lines, long)
                rows, lines, long = [], array("q"), False
        if rows:
            yield self._piece(rows, lines, long)

    def _piece(self, rows: list[dict[str, Any]], lines: array[int], long: bool) -> Plain:
        keys = set().union(*rows)
        self._keys |= keys
        # Told with the first rows: else each row of the file would be listed as one without a number.
        self._check_seen(self._asked.number)
        columns = self._columns
        if not self._asked.columns:
            columns = {**columns, **{key: key for key in sorted(keys) if key}}
        made = {ours: [row.get(theirs) for row in rows] for ours, theirs in columns.items()}
        if not long and all(set(map(type, values)) <= _PLAIN_TYPES for values in made.values()):
            return Plain(columns={name: [v or None for v in values] for name, values in made.items()}, lines=lines)
        # Something is no text: only now is it worth looking at every value.
        flaws = [self._flaw(row, line, columns.values()) for row, line in zip(rows, lines, strict=True)]
        good = [flaw is None for flaw in flaws]
        return Plain(
            columns={name: [_text(v) for v in compress(values, good)] for name, values in made.items()},
            lines=array("q", compress(lines, good)),
            flaws=tuple(flaw for flaw in flaws if flaw),
        )

    def _flaw(self, row: Mapping[str, Any], line: int, names: Iterable[str]) -> Flaw | None:
        for name in names:
            match row.get(name):
                case str() as text if len(text) > MAX_FIELD:
                    return too_long(line)
                case str() | None:
                    pass
                case _ if name == self._asked.number:
                    return refused(line, Reason.NOT_TEXT)
                case int() as whole if abs(whole) < _MAX_INT:
                    pass
                case _:
                    return Flaw(line, "contact-file-value-not-text", "not-text", "an attribute is no text")
        return None


class _Twice(ValueError):
    """A member of an object stands there twice, and decoders do not agree on which one counts."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


def _text(value: str | int | None) -> str | None:
    match value:
        case str():
            return value or None
        case bool():
            return "true" if value else "false"
        case None:
            return None
        case _:
            return str(value)


class ParquetReader:
    """A line is a row here, and the first is 1."""

    def __init__(self, located: Located, stored: Stored, asked: Asked, *, max_decoded: int = MAX_DECODED) -> None:
        self._path = located.path
        self._size = located.size
        self._stored = stored
        self._asked = asked
        self._max_decoded = max_decoded

    def pieces(self) -> Iterator[Framed]:
        """The rows in order. Raises BadFile."""
        import polars as pl

        self._check_magic()
        try:
            yield from self._slices()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            # What Polars says quotes the data, so it goes no further.
            raise _unreadable_parquet() from None

    def _check_magic(self) -> None:
        """Reads the file once, which also hashes it."""
        start = end = b""
        for piece in self._stored.stored():
            start = start or piece[:4]
            end = (end + piece[-4:])[-4:]
        if not start:
            raise BadFile("contact-file-empty", "it is empty")
        if start != _PARQUET_MAGIC or end != _PARQUET_MAGIC:
            raise _unreadable_parquet()

    def _slices(self) -> Iterator[Framed]:
        import polars as pl

        scan = pl.scan_parquet(self._path, glob=False, hive_partitioning=False)
        schema = scan.collect_schema()
        wanted = wanted_columns(list(schema), self._asked)
        columns = [pl.col(list(schema)[i]).alias(ours) for ours, i in wanted.items()]
        for ours, i in wanted.items():
            _check_type(ours, list(schema.values())[i])
        rows, decoded = scan.select(pl.len()).collect().item(), 0
        for at in range(0, rows, _PARQUET_ROWS):
            frame = scan.slice(at, _PARQUET_ROWS).select(columns).collect()
            frame = frame.select(pl.all().cast(pl.String).replace("", None))
            decoded += int(frame.estimated_size())
            if swollen(decoded, self._size) or decoded > self._max_decoded:
                raise too_large(decoded, self._size)
            yield Framed(frame=frame, lines=range(at + 1, at + 1 + frame.height))


def _check_type(ours: str, dtype: Any) -> None:
    import polars as pl

    name = dtype.base_type().__name__
    if dtype == pl.Null or isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return
    if ours == NUMBER:
        raise BadFile(
            "contact-file-number-not-text",
            f"the column of numbers has the type {name}, which keeps neither a plus nor leading zeros",
            hint="write the column as text",
        )
    if not (dtype.is_integer() or dtype.is_temporal() or dtype == pl.Boolean):
        raise BadFile(
            "contact-file-value-not-text", f"a column of attributes has the type {name}", hint="write it as text"
        )


def _unreadable_parquet() -> BadFile:
    return BadFile("contact-file-damaged", "it is no Parquet file, or it is damaged or cut off")
