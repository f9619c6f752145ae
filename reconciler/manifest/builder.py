"""One document built from the events of libyaml's parser.

A builder of our own instead of PyYAML's constructor: it keeps to plain mappings, lists and scalars, refuses what YAML
does behind the reader's back (aliases, merge keys, tags, duplicate keys, changed scalars), and is faster.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.manifest.documents import Document, Flaw, Path, Source
from reconciler.manifest.scalars import MERGE, NUMBER_STARTS, SPECIAL, Changed, Scalar, hidden_characters, resolve

MAX_DEPTH = 50


class Abandoned(Exception):
    """This document cannot be read any further."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.code)
        self.flaw = flaw


class Builder:
    """Builds one document from parser events; the flaws it can live with are collected on the way."""

    __slots__ = ("_line", "_marked", "_parser", "_stack", "flaws")

    def __init__(self, parser: CParser, line: int, marked: bool) -> None:
        self._parser = parser
        self._line = line
        self._marked = marked
        """Whether there can be anchors or tags at all: most files have not one character of them."""
        self._stack: list[Any] = []
        self.flaws: list[Flaw] = []

    def document(self, opened: Any, source: Source, start: int) -> Document | None:
        """The document that ``opened`` begins, up to and including its end; None when there is nothing in it."""
        if opened.version or opened.tags:
            self._flaw(opened, (), "yaml-directive", "YAML directives are not supported", "take this line out")
        mark, ended, data = self._build()
        if data is None:
            return None
        opening = opened.start_mark
        return Document(
            source=source,
            data=data,
            line=self._line + mark.line + 1,
            column=mark.column + 1,
            start=start + opening.index - opening.column,
            end=start + ended.end_mark.index,
            start_line=self._line + opening.line,
            flaws=tuple(self.flaws),
        )

    def _build(self) -> tuple[Any, Any, Any]:
        """(mark of the first value, the document's end, its value). The hot loop: nothing in here is done twice."""
        # Untyped on purpose: every event would be asked what it is a second time, only to please the type checker.
        get: Callable[[], Any] = self._parser.get_event
        stack, marked = self._stack, self._marked
        box: Any = None  # the mapping or list that is being filled
        key: Any = None  # the key that waits for its value
        root: Any = None
        mark: Any = None
        value: Any
        while True:
            event = get()
            kind = event.__class__
            if kind is ScalarEvent:
                value = event.value
                if event.style == "":
                    if value in SPECIAL or value[0] in NUMBER_STARTS:
                        value = self._unquoted(event, box, key)
                elif event.style == '"' and not value.isprintable():
                    self._escaped(event, box, key)
            elif kind is MappingStartEvent:
                value = {}
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                box, key = stack.pop(), None
                continue
            elif kind is SequenceStartEvent:
                value = []
            elif kind is DocumentEndEvent:
                return mark, event, root
            else:
                value = self._alias(event, box, key)
            if marked and (event.anchor is not None or event.tag is not None):
                self._mark(event, box, key)
            if box is None:
                root, mark = value, event.start_mark
            elif box.__class__ is list:
                box.append(value)
            elif key is None:
                key = value if value.__class__ is str and value not in box else self._odd_key(event, box, value)
                continue
            else:
                box[key], key = value, None
            if kind is not ScalarEvent and kind is not AliasEvent:
                if len(stack) == MAX_DEPTH:
                    raise Abandoned(self._too_deep(event))
                stack.append(box)
                box = value

    def _too_deep(self, event: Event) -> Flaw:
        message = f"this is nested deeper than {MAX_DEPTH} levels"
        return self._at(event, (), "yaml-too-deep", message, "no manifest needs that: look for stray brackets")

    def _alias(self, event: Event, box: Any, key: str | None) -> str:
        message = "aliases (*name) are not supported: what is written is what is meant"
        self._flaw(event, self._path(box, key, event), "yaml-alias", message, "write the value out")
        return ""

    def _unquoted(self, event: ScalarEvent, box: Any, key: str | None) -> Scalar:
        text, is_key = event.value, isinstance(box, dict) and key is None
        value = resolve(text)
        path = self._path(box, key, event)
        if value is None and not is_key and box is not None:
            message = "null is not a value here: a field that is left out is not managed"
            self._flaw(event, path, "null-value", message, 'take the line out, or write "" for no text')
        if not isinstance(value, Changed):
            return value
        if text == MERGE:
            if not is_key:
                return text
            kept = f"{text}\0{len(box)}"
            message = "merge keys (<<) are not supported: what is written is what is meant"
            self._flaw(event, (*path[:-1], kept), "yaml-merge-key", message, "write the fields out")
            return kept
        phone = len(text) >= 8 and text.lstrip("+").isdigit()
        message = f"YAML reads this {'phone number ' if phone else ''}{value.read_as}"
        self._flaw(event, path, "yaml-changed-value", message, "put it in quotes", date=value.date)
        return text

    def _escaped(self, event: ScalarEvent, box: Any, key: str | None) -> None:
        if hidden_characters(event.value):
            message = "this text has control or invisible characters"
            hint = "take the escapes out; only \\n and \\t are text"
            self._flaw(event, self._path(box, key, event), "yaml-control-character", message, hint)

    def _mark(self, event: Any, box: Any, key: str | None) -> None:
        if isinstance(event, AliasEvent):
            return
        path = self._path(box, key, event)
        if event.anchor is not None:
            message = "anchors (&name) are not supported: what is written is what is meant"
            self._flaw(event, path, "yaml-alias", message, "take it out, and write the value out where it is used")
        if event.tag is not None:
            self._flaw(event, path, "yaml-tag", "tags (!name) are not supported", "take it out")

    def _odd_key(self, event: Event, box: dict[str, Any], value: Any) -> str:
        """A key that must not be: kept under a name that no key can have, so that the rest can still be checked."""
        kept = f"{value}\0{len(box)}"
        path = self._path(box, kept, event)
        if isinstance(value, dict | list):
            message = "a mapping or a list cannot be a key"
            raise Abandoned(self._at(event, path, "yaml-key", message, "quote text with brackets or ${…}"))
        if isinstance(value, str):
            message = f'the key "{value}" is there twice' if value.isidentifier() else "this key is there twice"
            self._flaw(event, path, "yaml-duplicate-key", message)
        elif value is None:
            self._flaw(event, path, "null-value", "there is no key here", "write a key before the colon")
        else:
            message = f"YAML reads this key as {'a boolean' if isinstance(value, bool) else 'a number'}"
            self._flaw(event, path, "yaml-changed-value", message, "put it in quotes")
        return kept

    def _path(self, box: Any, key: str | None, event: Any) -> Path:
        """The way to what is read next, or to the key that it is itself.

        What is open was attached to its parent last, so that the parent's last key leads to it.
        """
        path: list[str | int] = []
        for parent in self._stack[1:]:
            path.append(len(parent) - 1 if isinstance(parent, list) else next(reversed(parent)))
        if isinstance(box, list):
            path.append(len(box))
        elif box is not None:
            path.append(key if key is not None else getattr(event, "value", ""))
        return tuple(path)

    def _flaw(self, event: Event, path: Path, code: str, message: str, hint: str = "", *, date: bool = False) -> None:
        self.flaws.append(self._at(event, path, code, message, hint, date=date))

    def _at(self, event: Any, path: Path, code: str, message: str, hint: str, *, date: bool = False) -> Flaw:
        start, end = event.start_mark, event.end_mark
        return Flaw(
            code=code,
            message=message,
            line=self._line + start.line + 1,
            column=start.column + 1,
            length=end.column - start.column if end.line == start.line else 0,
            hint=hint,
            path=path,
            date=date,
        )
