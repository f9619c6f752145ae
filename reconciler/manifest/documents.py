"""What reading YAML makes: documents, and the flaws of those that are not as they must be."""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Struct, field

Path: TypeAlias = tuple[str | int, ...]
"""The way to a value inside a document: keys and list positions."""


class Flaw(Struct, frozen=True, kw_only=True):
    """Something wrong with the YAML itself. Lines and columns count from 1.

    ``path`` leads to what was found, as far as the document could be read. ``date``: no flaw where a date is asked for.
    """

    code: str
    message: str
    line: int
    column: int = 1
    length: int = 0
    hint: str = ""
    path: Path = ()
    date: bool = False


class Source(Struct, frozen=True, kw_only=True):
    """One YAML file. ``name`` is how diagnostics call it, ``path`` the absolute path, ``text`` its content."""

    name: str
    path: str
    text: str
    has_mark: bool = False
    """Whether ``${`` is anywhere in the text."""


class Document(Struct, eq=False):
    """One YAML document that could be read. ``line`` and ``column`` are those of its first value.

    ``start`` and ``end`` delimit its text within the source, ``start_line`` is the line (from 0) on which that begins.
    """

    source: Source
    data: Any
    line: int
    column: int
    start: int
    end: int
    start_line: int
    flaws: tuple[Flaw, ...] = ()

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def has_mark(self) -> bool:
        """Whether a variable may be in it."""
        return self.source.has_mark and self.source.text.find("${", self.start, self.end) >= 0


class Broken(Struct, frozen=True, kw_only=True):
    """A document, or a file, that could not be read at all."""

    source: Source
    flaw: Flaw
    text: str = ""


class Parsed(Struct):
    """What is in a file: the documents that could be read, in their order, and those that could not."""

    documents: list[Document] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
