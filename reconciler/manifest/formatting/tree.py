"""A YAML file as a tree that forgets nothing a reader sees: scalars as they were typed, and who each comment is about.

A comment belongs to the entry below it, or to the one on whose line it stands. At the end of a block it belongs to
that block when it is indented as such, or deeper than what follows. Line ends are ``\\n``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import Struct, field
from yaml._yaml import CParser
from yaml.events import (
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)


class Comment(Struct, frozen=True, kw_only=True):
    """``alone`` on its line, or behind something; ``column`` is only of use behind something. ``gap``: a blank line
    stands above."""

    text: str
    start: int
    line: int
    column: int
    alone: bool
    gap: bool


class Text(Struct, frozen=True, kw_only=True):
    """A scalar: what it says, and the characters that say so. ``style`` is YAML's, empty when it is plain."""

    value: str
    raw: str
    style: str

    @property
    def is_block(self) -> bool:
        return self.style in ("|", ">")


class Entry(Struct, kw_only=True):
    """A key with its value, or an item of a list, where ``key`` is None.

    ``above`` are the comments before it, ``between`` those between a key and its value, ``behind`` is the one on the
    line on which it ends.
    """

    key: Text | None
    value: Node
    line: int
    gap: bool
    above: list[Comment] = field(default_factory=list)
    between: list[Comment] = field(default_factory=list)
    behind: Comment | None = None


class Box(Struct, kw_only=True):
    """A mapping or a list. ``flow``: in braces or brackets. ``tail`` are the comments below its last entry."""

    is_list: bool
    flow: bool
    entries: list[Entry] = field(default_factory=list)
    tail: list[Comment] = field(default_factory=list)

    def has_comments(self) -> bool:
        return bool(self.tail) or any(
            e.above or e.between or e.behind or (isinstance(e.value, Box) and e.value.has_comments())
            for e in self.entries
        )


Node: TypeAlias = Text | Box


class Page(Struct, kw_only=True):
    """One document: ``head`` are the comments above its first key."""

    head: list[Comment]
    root: Node


class File(Struct):
    """Every document that says something, and the comments below the last one.

    ``comments`` are the texts of all that there are, in their order.
    """

    pages: list[Page]
    rest: list[Comment]
    comments: list[str]


def read(text: str) -> File:
    """The tree of a file that the loader takes: no tags, no aliases, keys that are scalars."""
    return _Reader(text).file()


_COMMENT = re.compile(r"#[^\n]*")
_NEXT_TO = re.compile(r"[ \t,]*\Z")


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._get: Callable[[], Any] = CParser(text).get_event
        self._starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self._kept: set[int] = set()
        """Blank lines that a block scalar keeps as part of its text."""
        self._seen = 0
        """Up to here comments have been looked for."""
        self._sign = self._sign_from(0)
        """Where the next one can begin: most of the time nowhere near, and there is nothing to look for."""
        self._waiting: deque[Comment] = deque()
        """Comments that were seen and belong to nobody yet."""
        self._comments: list[str] = []

    def file(self) -> File:
        pages: list[Page] = []
        while not isinstance(event := self._next(), StreamEndEvent):
            if isinstance(event, StreamStartEvent | DocumentStartEvent):
                continue
            head = self._drained()
            root, _ = self._node(event)
            self._next()  # the end of the document
            if isinstance(root, Text) and not root.raw:
                self._waiting.extendleft(reversed(head))  # a document of comments says nothing: they go to the next one
                continue
            if isinstance(root, Box):
                root.tail += self._drained()
            pages.append(Page(head=head, root=root))
        return File(pages, self._drained(), self._comments)

    # --- events and comments

    def _next(self) -> Any:
        """The next event; comments before it are waiting by then. No comment is ever inside a scalar."""
        event: Any = self._get()
        start, end = event.start_mark.index, event.end_mark.index
        if self._sign < start:
            for found in _COMMENT.finditer(self._text, self._seen, start):
                self._waiting.append(self._comment(found))
                self._comments.append(self._waiting[-1].text)
        self._seen = end if isinstance(event, ScalarEvent) else max(start, self._seen)
        if self._sign < self._seen:
            self._sign = self._sign_from(self._seen)
        return event

    def _sign_from(self, start: int) -> int:
        at = self._text.find("#", start)
        return len(self._text) if at < 0 else at

    def _comment(self, found: re.Match[str]) -> Comment:
        line = bisect_right(self._starts, found.start()) - 1
        start = self._starts[line]
        return Comment(
            text=found.group().rstrip(),
            start=found.start(),
            line=line,
            column=found.start() - start,
            alone=not self._text[start : found.start()].strip(),
            gap=self._gap(line),
        )

    def _gap(self, line: int) -> bool:
        above = line - 1
        if above < 0 or above in self._kept:
            return False
        return not self._text[self._starts[above] : self._starts[line]].strip()

    def _drained(self) -> list[Comment]:
        found = list(self._waiting)
        self._waiting.clear()
        return found

    def _behind(self, end: int | None) -> Comment | None:
        """The comment on the line on which something ends, if it is next."""
        if end is None or not self._waiting or self._waiting[0].alone:
            return None
        return self._waiting.popleft() if _NEXT_TO.match(self._text[end : self._waiting[0].start]) else None

    # --- nodes

    def _node(self, event: Any) -> tuple[Node, int | None]:
        """What ``event`` begins, and where it ends; None for a block, where the last thing in it does."""
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            return self._box(event)
        return self._scalar(event), event.end_mark.index

    def _scalar(self, event: Any) -> Text:
        start, end = event.start_mark, event.end_mark
        text = Text(value=event.value, raw=self._text[start.index : end.index], style=event.style or "")
        if text.is_block:
            marks, sign, comment = text.raw.partition("\n")[0].partition("#")
            if sign:
                self._comments.append((sign + comment).rstrip())
            if "+" in marks:
                self._kept.update(range(start.line, end.line))
        return text

    def _box(self, opened: Any) -> tuple[Box, int | None]:
        box = Box(is_list=isinstance(opened, SequenceStartEvent), flow=bool(opened.flow_style))
        last, last_end = None, None
        while True:
            event = self._next()
            if last is not None:
                last.behind = self._behind(last_end)
            if not isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent):
                break
            last, last_end = self._entry(event, box)
            box.entries.append(last)
        self._end(box, opened, event)
        return box, event.end_mark.index if box.flow else None

    def _entry(self, event: Any, box: Box) -> tuple[Entry, int | None]:
        line, above = event.start_mark.line, self._drained()
        gap = self._gap(line)
        if box.is_list:
            value, end = self._node(event)
            return Entry(key=None, value=value, line=line, gap=gap, above=above), end
        key = self._scalar(event)
        opened = self._next()
        between = self._drained()
        value, end = self._node(opened)
        return Entry(key=key, value=value, line=line, gap=gap, above=above, between=between), end

    def _end(self, box: Box, opened: Any, closed: Any) -> None:
        """Gives a box that ends the comments that are its own; others wait for what follows."""
        if box.flow:
            box.tail += self._drained()
            return
        # Nothing follows at the end of a document, and what is not indented there is about the document.
        follows = closed.start_mark.index < len(self._text)
        column, following = opened.start_mark.column, closed.start_mark.column if follows else 0
        while self._waiting and self._waiting[0].column >= column and self._waiting[0].column > following:
            box.tail.append(self._waiting.popleft())
