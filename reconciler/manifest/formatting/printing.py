"""A tree as text, in the one form that ``reconciler fmt`` knows.

Two spaces a level, also before the dashes of a list; ``---`` between documents and nowhere else; at most one blank
line, and none where a block begins or ends. Braces and brackets stay on one line while they fit there, and become a
block otherwise. The envelope has its order; everything below it stays in the order in which it was written, because
people put side by side what belongs together, with a comment above it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from reconciler.manifest.formatting.tree import Box, Comment, Entry, File, Node, Page, Text

WIDTH = 110
"""Longer lines than this are only written where one scalar needs them."""

ENVELOPE = ("apiVersion", "kind", "metadata", "lifecycle", "spec")

STEP = "  "

_GAP = "\n"
"""Stands for a blank line until it is known whether there is one already: a text may end with some of its own."""


def printed(file: File) -> str:
    """The text of a file, with ``\\n`` at the end of each line. ValueError for a document that is no mapping."""
    lines: list[str] = []
    for page in file.pages:
        lines += ["---"] if lines else []
        lines += _page(page)
    lines += _comments(file.rest, "", opening=not lines)
    spaced: list[str] = []
    for line in lines:
        if line != _GAP:
            spaced.append(line)
        elif spaced[-1]:
            spaced.append("")
    return "".join(f"{line}\n" for line in spaced)


def _page(page: Page) -> list[str]:
    root = page.root
    if not isinstance(root, Box) or root.is_list:
        raise ValueError("every document is a mapping")
    lines = _comments(page.head, "", opening=True)
    if lines and root.entries and root.entries[0].gap:
        lines.append(_GAP)  # it parts the head from whatever comes first
        root.entries[0].gap = False
    return [*lines, *_block(replace(root, entries=_in_order(root.entries)), "", opening=not lines)]


def _in_order(entries: Sequence[Entry]) -> list[Entry]:
    """The entries of a document in the order of the envelope; those of another document as they are."""
    names = {e.key.value for e in entries if e.key is not None}
    if not {"apiVersion", "kind"} <= names:
        return list(entries)
    ranks = {name: rank for rank, name in enumerate(ENVELOPE)}
    return sorted(entries, key=lambda e: ranks.get(e.key.value if e.key else "", len(ranks)))


def _comments(comments: Iterable[Comment], pad: str, *, opening: bool) -> list[str]:
    """Comments on lines of their own. ``opening``: nothing of the block is above, so there is no blank line."""
    lines: list[str] = []
    for comment in comments:
        if comment.gap and comment.alone and not (opening and not lines):
            lines.append(_GAP)
        lines.append(pad + comment.text)
    return lines


class _Lines(Struct, frozen=True):
    """An entry: the comments above it, and its own lines."""

    above: list[str]
    own: list[str]


def _block(box: Box, pad: str, *, opening: bool) -> list[str]:
    lines: list[str] = []
    for entry in box.entries:
        found = _entry(entry, pad, opening=opening and not lines)
        lines += found.above + found.own
    return [*lines, *_comments(box.tail, pad, opening=False)]


def _entry(entry: Entry, pad: str, *, opening: bool) -> _Lines:
    start = f"{pad}- " if entry.key is None else f"{pad}{_key(entry.key)}: "
    above = _comments(entry.above, pad, opening=opening)
    box = _opened(entry.value, start)
    if box is None:
        found = _closed(entry, start, pad)
    elif entry.key is None:
        found = _opened_item(entry, box, pad)
    else:
        found = _opened_field(entry, box, start, pad)
    above += found.above
    gap = [_GAP] if entry.gap and (above or not opening) else []
    return _Lines(above + gap, found.own)


def _opened(value: Node, start: str) -> Box | None:
    """A value that goes on lines of its own; ``start`` is what stands before it."""
    if not isinstance(value, Box) or not value.entries:
        return None
    if not value.flow or value.has_comments():
        return value
    flow = _flow(value)
    return value if flow is None or len(start) + len(flow) > WIDTH else None


def _opened_field(entry: Entry, box: Box, start: str, pad: str) -> _Lines:
    """What stands between the key and its value is behind the key or goes inside."""
    above: list[Comment] = []
    beside, inside = entry.behind, entry.between
    if beside is not None:
        above, inside = inside, above
        beside = replace(beside, column=0)  # it stood behind the braces
    elif inside and not inside[0].alone:
        beside, inside = inside[0], inside[1:]
    first = _comments(inside, pad + STEP, opening=True)
    lines = [_line(start.rstrip(), beside, entry), *first, *_block(box, pad + STEP, opening=not first)]
    return _Lines(_comments(above, pad, opening=True), lines)


def _opened_item(entry: Entry, box: Box, pad: str) -> _Lines:
    """An item begins on the line of its dash, so that comments above its first entry are above the dash."""
    above = _comments([entry.behind] if entry.behind else [], pad, opening=True)
    first = _entry(box.entries[0], pad + STEP, opening=not above)
    above += [line if line == _GAP else pad + line.strip() for line in first.above]
    others = _block(replace(box, entries=box.entries[1:]), pad + STEP, opening=False)
    return _Lines(above, [f"{pad}- {first.own[0].removeprefix(pad + STEP)}", *first.own[1:], *others])


def _closed(entry: Entry, start: str, pad: str) -> _Lines:
    """A scalar, or braces that stay on their line; in those a comment can only be when nothing else is."""
    value = entry.value
    if isinstance(value, Box):
        above, lines = [*entry.between, *value.tail], [start + (_flow(value) or "")]
    else:
        above, lines = entry.between, _scalar(value, start, pad + STEP)
    at = 0 if isinstance(value, Text) and value.is_block else -1
    lines[at] = _line(lines[at], entry.behind, entry)
    return _Lines(_comments(above, pad, opening=True), lines)


def _line(text: str, comment: Comment | None, entry: Entry) -> str:
    """A line with what is behind it, in its column if that can be: comments of several lines may be aligned."""
    if comment is None:
        return text
    column = comment.column if comment.line == entry.line else 0
    return f"{text:<{max(column, len(text) + 2)}}{comment.text}"


# --- scalars and braces


def _key(key: Text) -> str:
    return json.dumps(key.value, ensure_ascii=False) if key.is_block or "\n" in key.raw else key.raw


def _scalar(value: Text, start: str, pad: str) -> list[str]:
    """``pad`` is before its second line and all others."""
    if value.is_block:
        return _literal(value, start, pad)
    first, *others = value.raw.split("\n")
    if not others:
        return [start + first]
    # Line ends and the blanks around them are one blank to YAML; one behind a backslash is text.
    kept = [line if line.rstrip().endswith("\\") else line.rstrip() for line in (first, *others)]
    stripped = (line.lstrip(" \t") for line in kept[1:])
    return [start + kept[0], *(pad + line if line else "" for line in stripped)]


def _literal(value: Text, start: str, pad: str) -> list[str]:
    """A block scalar. How far it is indented is not in its text, and is found by comparing the two."""
    head, *lines = value.raw.split("\n")
    rest, sign, comment = head.partition("#")
    style, marks = rest[0], rest[1:].strip()
    if lines and not lines[-1]:
        lines.pop()
    first = next((line for line in lines if line.strip()), "")
    indent = _depth(first) - _depth(next((line for line in value.value.split("\n") if line.strip()), ""))
    lines = [line[indent:] if first and not line[:indent].strip() else "" for line in lines]
    text = value.value.rstrip("\n")
    if not value.value.endswith("\n"):
        marks = re.sub("[-+]", "", marks) + "-"  # perhaps the file ended here without a line end; now no file does
    elif text and value.value == f"{text}\n":
        marks = marks.replace("+", "")  # nothing to keep, and a blank line below would be kept
    if "+" not in marks:
        while lines and not lines[-1]:
            lines.pop()
    marks = re.sub("[0-9]", str(len(STEP)), marks)
    head = start + style + marks + (f"  {sign}{comment.rstrip()}" if sign else "")
    return [head, *(pad + line if line else "" for line in lines)]


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _flow(value: Node) -> str | None:
    """A value on one line; None for one that has a scalar of several lines in it."""
    if isinstance(value, Text):
        return None if "\n" in value.raw else value.raw
    texts = []
    for entry in value.entries:
        text = _flow(entry.value)
        if text is None:
            return None
        texts.append(text if entry.key is None else f"{_key(entry.key)}: {text}")
    return f"[{', '.join(texts)}]" if value.is_list else f"{{{', '.join(texts)}}}"
