"""YAML text to documents. One that cannot be read does not keep the others of its file from being read.

Values carry no positions; whoever has to report one asks the document, which is then parsed once more (see ``places``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import yaml
from yaml._yaml import CParser
from yaml.events import DocumentStartEvent, StreamEndEvent

from reconciler.manifest import plain
from reconciler.manifest.builder import Abandoned, Builder
from reconciler.manifest.documents import Broken, Document, Flaw, Parsed, Source

MAX_DOCUMENT_BYTES = 1 << 20
MAX_DOCUMENTS = 100_000
"""In one file: a document of three characters costs as much as one of three hundred."""

_BOUNDARY = re.compile(r"\n(?:---|\.\.\.)(?=\s|\Z)")


def parse(source: Source) -> Parsed:
    """Every document of a file, each by itself: what is wrong with one of them is no matter of the others'."""
    text = source.text
    if (count := text.count("\n---") + text.count("\n...")) > MAX_DOCUMENTS:
        return Parsed(broken=[Broken(source=source, flaw=_crowded_flaw(count), text="")])
    if len(text) <= _SURELY_SMALL and _together(text):
        try:
            return Parsed(list(_documents(source, 0, len(text), 0)))
        except Abandoned:
            pass
    parsed, clean = Parsed(), plain.printable(text)
    for start, end, line in _chunks(text):
        document = plain.read(source, start, end, line, clean=clean)
        if document is not None and end - start <= _SURELY_SMALL:
            parsed.documents.append(document)
            continue
        try:
            if _too_large(text[start:end]):
                raise Abandoned(_size_flaw(line))
            parsed.documents.extend(_documents(source, start, end, line))
        except Abandoned as abandoned:
            parsed.broken.append(Broken(source=source, flaw=abandoned.flaw, text=text[start:end]))
    return parsed


def _together(text: str) -> bool:
    """Whether documents hang together: a directive says something about the one after it, ``...`` ends the one before.
    A pattern for starts of lines would take a tenth of a load."""
    return text.startswith(("%", "...")) or "\n%" in text or "\n..." in text


_SURELY_SMALL = MAX_DOCUMENT_BYTES // 4
"""Characters that cannot be more than ``MAX_DOCUMENT_BYTES`` bytes, whatever they are."""


def _too_large(chunk: str) -> bool:
    return len(chunk) > _SURELY_SMALL and len(chunk.encode()) > MAX_DOCUMENT_BYTES


def _size_flaw(line: int) -> Flaw:
    return Flaw(
        code="yaml-document-too-large",
        message="this document has more than 1 MiB",
        line=line + 1,
        hint="put contacts into a file and name it in contactsFrom",
    )


def _crowded_flaw(count: int) -> Flaw:
    return Flaw(
        code="file-too-large",
        message=f"this file has {count:,} documents; at most {MAX_DOCUMENTS:,} are read",
        line=1,
        hint="split it, or put contacts into a file and name it in contactsFrom",
    )


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each document: a line that begins with ``---`` or ``...`` ends whatever came before it."""
    if "\n---" not in text and "\n..." not in text:
        return iter([(0, len(text))])  # as in most files, where people have one for each object
    return pairwise([0, *[m.start() + 1 for m in _BOUNDARY.finditer(text)], len(text)])


def _chunks(text: str) -> Iterator[tuple[int, int, int]]:
    """(start, end, first line from 0) of each document that is not blank."""
    line = 0
    for start, end in _ranges(text):
        chunk = text[start:end]
        if chunk and not chunk.isspace():
            yield start, end, line
        line += _line_ends(chunk)


def _line_ends(text: str) -> int:
    """How many line ends there are in ``text``, as libyaml counts them."""
    return len(re.findall(r"\r\n|\r|\n", text)) if "\r" in text else text.count("\n")


def _documents(source: Source, start: int, end: int, line: int) -> Iterator[Document]:
    text = source.text[start:end]
    parser = CParser(text)
    marked = "&" in text or "!" in text
    try:
        while True:
            event = parser.get_event()
            if isinstance(event, DocumentStartEvent):
                document = Builder(parser, line, marked).document(event, source, start)
                if document is not None:
                    yield document
            elif isinstance(event, StreamEndEvent):
                return
    except yaml.YAMLError as exc:
        raise Abandoned(_syntax_flaw(exc, text, line)) from exc


_SYNTAX_HINTS = (
    (
        "found character that cannot start any token",
        "indent with spaces, not tabs, and quote text that begins with @, ` or %",
    ),
    ("mapping values are not allowed", "quote text that has a colon and a space in it, or look at the indentation"),
    (
        "did not find expected key",
        "look at the indentation here and on the line before; text with an apostrophe needs double quotes",
    ),
    ("did not find expected ',' or", "close the bracket, or put text with brackets or ${…} in quotes"),
    ("could not find expected ':'", "write a colon and a space after the key"),
    ("found unexpected end of stream", "close the quote"),
)


def _syntax_flaw(exc: yaml.YAMLError, text: str, line: int) -> Flaw:
    problem = getattr(exc, "problem", None) or "it cannot be read"
    context, opened = getattr(exc, "context", None), getattr(exc, "context_mark", None)
    mark = getattr(exc, "problem_mark", None) or opened
    content = text.rstrip()
    if mark and opened and mark.index >= len(content) > opened.index:
        mark = opened  # noticed at the end only: what was opened and never closed is the better place
    at = min(mark.index, len(content)) if mark else 0
    hint = next((hint for start, hint in _SYNTAX_HINTS if problem.startswith(start)), "")
    return Flaw(
        code="yaml-syntax",
        message=f"not valid YAML: {problem}" + (f" {context}" if context else ""),
        line=line + _line_ends(text[:at]) + 1,
        column=at - max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)),
        hint=hint,
    )
