"""Changing one value in a YAML file and no other byte of it: comments, order, quotes and blank lines stay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

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
from reconciler.manifest.drafts.texts import fits_block, quoted, scalar, value_text
from reconciler.manifest.variables import escaped, varies


class Edit(Struct, frozen=True):
    """What stands from ``start`` up to but without ``end`` in a file becomes ``text``."""

    start: int
    end: int
    text: str


def applied(text: str, edits: Iterable[Edit]) -> str:
    """``text`` with edits that do not overlap."""
    for edit in sorted(edits, key=lambda e: e.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


class _Node(Struct, frozen=True, kw_only=True):
    """A value within its document: where it is, where its key begins, and how it is written.

    ``style`` is YAML's of a scalar (empty when plain); ``flow`` says whether the mapping around it is in braces.
    """

    start: int
    end: int
    key: int
    style: str = ""
    scalar: bool = True
    flow: bool = False


class Editor:
    """The edits that change values of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._text = document.text
        self._nodes: dict[Path, _Node] = {}
        self._next: Callable[[], Any] = CParser(self._text).get_event
        while not isinstance(self._next(), DocumentStartEvent):
            pass
        self._read(self._next(), (), 0, False)

    def change(self, path: Path, value: Any) -> Edit | None:
        """The edit that makes ``path`` say ``value``; None for what is not there, or has a variable in it."""
        node = self._nodes.get(path)
        if node is None or varies(self._text[node.start : node.end]):
            return None
        return self._edit(node.start, node.end, self._written(node, value))

    def drop(self, path: Path) -> Edit | None:
        """The edit that takes the line of a field out, with whatever is written behind it; None where it shares it."""
        node = self._nodes.get(path)
        if node is None or node.flow or varies(self._text[node.start : node.end]):
            return None
        start = self._text.rfind("\n", 0, node.key) + 1
        if self._text[start : node.key].strip() or not any(self._beside(path)):
            return None
        end = self._text.find("\n", node.end) + 1 or len(self._text)
        return self._edit(start, end, "")

    def add_after(self, path: Path, name: str, value: Any) -> Edit | None:
        """The edit that puts a field behind another one of the same mapping; None where that is not there."""
        node = self._nodes.get(path)
        if node is None:
            return None
        field = f"{name}: {value_text(value)}"
        if node.flow:
            return self._edit(node.end, node.end, f", {field}")
        line = self._text.rfind("\n", 0, node.key) + 1
        end = self._text.find("\n", node.end)
        end = len(self._text) if end < 0 else end
        end -= self._text[end - 1 : end] == "\r"
        return self._edit(end, end, f"{self._newline}{self._text[line : node.key]}{field}")

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self._text else "\n"

    def _edit(self, start: int, end: int, text: str) -> Edit:
        return Edit(self._document.start + start, self._document.start + end, text)

    def _beside(self, path: Path) -> Iterable[Path]:
        return (p for p in self._nodes if len(p) == len(path) and p[:-1] == path[:-1] and p != path)

    def _written(self, node: _Node, value: Any) -> str:
        """``value`` in the style of what stands there, as far as that can say it."""
        if not node.scalar or not isinstance(value, str):
            return value_text(value)
        text = escaped(value)
        if node.style == "'" and value.isprintable():
            return "'" + text.replace("'", "''") + "'"
        if node.style in ("|", ">") and fits_block(value):
            indent = self._indent(node)
            head = "|" if value.endswith("\n") else "|-"
            lines = (f"{indent}{line}" if line else "" for line in text.rstrip("\n").split("\n"))
            return self._newline.join((head, *lines))
        return scalar(text) if node.style == "" else quoted(text)

    def _indent(self, node: _Node) -> str:
        """The white space before the first line of a block."""
        lines = self._text[node.start : node.end].split("\n")[1:]
        first = next((line for line in lines if line.strip()), "  ")
        return first[: len(first) - len(first.lstrip(" "))]

    # --- reading

    def _read(self, event: Any, path: Path, key: int, flow: bool) -> Any:
        """Notes every value below ``path``; where the last one of them ends."""
        start = event.start_mark.index
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            end = self._inside(event, path)
        else:
            end = event.end_mark.index
        if isinstance(event, ScalarEvent) and event.style in ("|", ">"):
            # The parser says where the next thing begins; the line ends before that belong to nobody.
            end = start + len(self._text[start:end].rstrip())
        is_scalar = isinstance(event, ScalarEvent)
        style = str(event.style or "") if is_scalar else ""
        self._nodes.setdefault(path, _Node(start=start, end=end, key=key, style=style, scalar=is_scalar, flow=flow))
        return end

    def _inside(self, event: Any, path: Path) -> Any:
        flow, end, position = bool(event.flow_style), event.end_mark.index, 0
        while not isinstance(inner := self._next(), MappingEndEvent | SequenceEndEvent):
            if isinstance(event, MappingStartEvent):
                at, name = inner.start_mark.index, inner.value
                end = self._read(self._next(), (*path, name), at, flow)
            else:
                end = self._read(inner, (*path, position), inner.start_mark.index, flow)
                position += 1
        # Of a block the parser says where the next thing begins; a bracket ends where it stands.
        closed: Any = inner
        return closed.end_mark.index if flow else end
