"""Where a value stands: a document is parsed once more, for its positions, when something in it has to be reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from msgspec import Struct
from yaml._yaml import CParser
from yaml.events import (
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.manifest.documents import Document, Path

At = Literal["key", "value"]


class Range(Struct, frozen=True):
    """From (line, column) up to but without (end_line, end_column), all counted from 1 within the file."""

    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def length(self) -> int:
        return self.end_column - self.column if self.end_line == self.line else 0


class Place(Struct, frozen=True):
    """A value's own range and, inside a mapping, its key's. ``scalar`` is its text, None for a mapping or a list."""

    value: Range
    key: Range | None
    scalar: str | None


class Places:
    """The place of everything in one document, by path. Of a key that is there twice, the first place counts."""

    def __init__(self, document: Document) -> None:
        self._first_line = document.start_line + 1
        self._places: dict[Path, Place] = {}
        self._next: Callable[[], Any] = CParser(document.text).get_event
        while not isinstance(self._next(), DocumentStartEvent):
            pass
        self._read(self._next(), (), None)
        self._lines: dict[int, list[tuple[Path, Place]]] = {}
        for path, place in self._places.items():
            if place.scalar is not None:
                for line in range(place.value.line, place.value.end_line + 1):
                    self._lines.setdefault(line, []).append((path, place))

    def find(self, path: Path, at: At = "value") -> Range:
        """The range of what ``path`` leads to, or of the key of the nearest thing around it that is there."""
        while path not in self._places:
            path, at = path[:-1], "key"
        place = self._places[path]
        if place.key is not None and (at == "key" or place.scalar is None):
            return place.key
        if place.scalar is not None:
            return place.value
        # Of a whole mapping or list the start is enough: nobody wants twenty lines underlined.
        start = place.value
        return Range(start.line, start.column, start.line, start.column)

    def scalars_on(self, line: int) -> Sequence[tuple[Path, Place]]:
        """The scalar values that touch a line."""
        return self._lines.get(line, ())

    def _read(self, event: Any, path: Path, key: Range | None) -> None:
        start, text = event.start_mark, None
        if isinstance(event, MappingStartEvent):
            while not isinstance(event := self._next(), MappingEndEvent):
                self._read(self._next(), (*path, event.value), self._range(event.start_mark, event.end_mark))
        elif isinstance(event, SequenceStartEvent):
            position = 0
            while not isinstance(event := self._next(), SequenceEndEvent):
                self._read(event, (*path, position), None)
                position += 1
        else:
            text = event.value if isinstance(event, ScalarEvent) else ""
        self._places.setdefault(path, Place(self._range(start, event.end_mark), key, text))

    def _range(self, start: Any, end: Any) -> Range:
        line = self._first_line
        return Range(line + start.line, start.column + 1, line + end.line, end.column + 1)
