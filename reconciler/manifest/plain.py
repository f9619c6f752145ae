"""The YAML that nearly all manifests are written in, read without libyaml.

libyaml makes three Python objects of every key and of every value, and that is two thirds of what a load takes. Here a
document is read line by line with one regular expression: block mappings and lists, keys that are names, values on one
line, texts in blocks. A document with anything else in it, mistakes included, is none of ours: libyaml reads it whole.
So this module reports nothing, and what it reads it must read as libyaml does (``tests/manifest/test_plain.py``).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from reconciler.manifest.documents import Document, Source
from reconciler.manifest.scalars import NUMBER_STARTS, SPECIAL, Changed, Scalar, resolve

_DEEPEST = 20

# The parts of a line. What one of them does not fit is libyaml's, so each may be narrower than YAML, and never wider.
_NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,99}"
_QUOTED = r""" "[^"\\\n]*" | '[^'\n]*' """
# Text without quotes: a colon or a number sign in it belongs to it only where YAML says so (``a:b``, ``a#b``). The
# quantifiers are possessive, or a long line that is no such text would be tried again from every place in it.
_TEXT = r"(?=[A-Za-z0-9_/+.$(])[^:\#\n]*+(?:(?::(?=\S)|(?<=\S)\#)[^:\#\n]*+)*+"
# What may stand within ``{…}`` and ``[…]``: fewer characters, and one more level of either.
_FLOW_WORD = r"[\w./@+-]+"
_FLOW_VALUE = rf"(?:{_QUOTED}|(?=\w){_FLOW_WORD}(?:\ +{_FLOW_WORD})*)"
_FLAT = rf"(?:{_FLOW_VALUE} | \{{[^{{}}\[\]]*\}} | \[[^{{}}\[\]]*\])"
_PAIR = rf"({_NAME}):\ +({_FLAT})"
_LINE = re.compile(
    rf"""
    (\ *)                                    # indentation
    (-\ +)?
    (?:({_NAME}):(?:\ +|\Z))?
    ({_QUOTED} | \{{[^{{}}]*(?:\{{[^{{}}]*\}}[^{{}}]*)*\}} | \[[^\[\]]*\] | [|>]-? | {_TEXT})?
    \ *(?:(?<![^\ ])\#.*)?                   # a comment
    """,
    re.VERBOSE,
)
_PAIRS = re.compile(_PAIR, re.VERBOSE | re.ASCII)
_FLOW = re.compile(rf"\{{\ *(?:{_PAIR}(?:\ *,\ *{_PAIR})*)?\ *\}}", re.VERBOSE | re.ASCII)
_ITEMS = re.compile(_FLOW_VALUE, re.VERBOSE | re.ASCII)
_FLOW_LIST = re.compile(rf"\[\ *(?:{_FLOW_VALUE}(?:\ *,\ *{_FLOW_VALUE})*)?\ *\]", re.VERBOSE | re.ASCII)
_LEAD = re.compile(r"(?:[ ]*(?:#.*)?\n)*")
_LEADS = (" ", "#", "\n")
_HEAD = re.compile(rf"(\ *)(-\ +)?({_NAME})", re.VERBOSE)
_QUOTES = frozenset("\"'")
_TEXT_STARTS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/$(")
"""With which an unquoted text begins that is no number; other characters may mean something else."""


class _NotPlain(Exception):
    """Something that is libyaml's to read."""


def printable(text: str) -> bool:
    """Whether all of a text can be printed. That is more than YAML asks for; but a tab, a carriage return or an odd
    space is worth a second look."""
    return text.replace("\n", "").isprintable()


def read(source: Source, start: int, end: int, line: int, *, clean: bool = False) -> Document | None:
    """The document between ``start`` and ``end``, which begin with ``---`` or at the start of the file; None when it is
    not plain. ``line`` is that of ``start``, from 0; ``clean``: all of the text is ``printable``."""
    text = source.text
    marked = text.startswith("---\n", start)
    first = start + 4 if marked else start
    if text.startswith(_LEADS, first) and (lead := _LEAD.match(text, first, end)) is not None:
        first = lead.end()
    body = text[first:end]
    if not body or not (clean or printable(text[start:end])):
        return None
    try:
        data = _mapping(body)
    except _NotPlain:
        return None
    opened = line + text.count("\n", start, first)
    return Document(
        source=source,
        data=data,
        line=opened + 1,
        column=1,
        start=start if marked else first,
        end=end,
        start_line=line if marked else opened,
    )


def _mapping(body: str) -> dict[str, Any]:
    """The hot loop, once for every line; one function, because all it keeps goes from line to line.

    A line goes into the block of text that is open, or is blank, or begins what a key waits for, or closes what is
    indented further than it; then it adds an item or a key to ``box``. What fits none of this is not plain.
    """
    root: dict[str, Any] = {}
    box: Any = root  # the mapping or list that is being filled, and how far it is indented
    depth = 0
    outer: list[tuple[Any, int]] = []
    waiting = ""  # the key of ``box`` whose mapping or list the next line begins
    block: _Block | None = None
    for line in body.removesuffix("\n").split("\n"):
        if block is not None:
            if block.takes(line, depth):
                continue
            box[block.key] = block.text()
            block = None
        at, dash, key, value = _parts(line)
        if not key and not dash and value is None:
            continue
        if waiting:
            if at < depth or (at == depth and not dash) or len(outer) > _DEEPEST:
                raise _NotPlain
            outer.append((box, depth))
            box[waiting] = box = [] if dash else {}
            depth, waiting = at, ""
        else:
            while at < depth or (at == depth and not dash and box.__class__ is list):
                if not outer:
                    raise _NotPlain
                box, depth = outer.pop()
        if at != depth or (dash > 0) is not (box.__class__ is list):
            raise _NotPlain
        if value.__class__ is _Flow:
            value = value.read()
        if dash:
            if not key:
                box.append(value)
                continue
            outer.append((box, depth))
            box.append({})
            box, depth = box[-1], at + dash
        if not key or key in box:
            raise _NotPlain
        if value is None:
            waiting = key
        elif value.__class__ is _Fold:
            block = _Block(key, value)
        else:
            box[key] = value
    if block is not None:
        if not body.endswith("\n"):
            raise _NotPlain
        box[block.key] = block.text()
    if waiting or not root:
        raise _NotPlain
    return root


class _Flow(NamedTuple):
    """``{name: join, labels: {team: growth}}`` or ``[name, description]``: made anew for each line that has it."""

    raw: str

    def read(self) -> dict[str, Any] | list[Scalar]:
        raw = self.raw
        if raw[0] == "[":
            if not _FLOW_LIST.fullmatch(raw):
                raise _NotPlain
            return [_scalar(item) for item in _ITEMS.findall(raw)]
        if not _FLOW.fullmatch(raw):
            raise _NotPlain
        found: dict[str, Any] = {}
        for key, value in _PAIRS.findall(raw):
            if key in found or key in SPECIAL:
                raise _NotPlain
            found[key] = _Flow(value).read() if value[0] in "{[" else _scalar(value)
        return found


class _Fold(NamedTuple):
    """How a block of text is put together: what stands between its lines, and what after the last."""

    between: str
    last: str


_FOLDS = {"|": _Fold("\n", "\n"), "|-": _Fold("\n", ""), ">": _Fold(" ", "\n"), ">-": _Fold(" ", "")}


class _Block:
    """A block of text whose lines are all indented alike; where one is not, or is empty, folding is libyaml's."""

    __slots__ = ("_at", "_fold", "_lines", "key")

    def __init__(self, key: str, fold: _Fold) -> None:
        self.key = key
        self._fold = fold
        self._at = 0
        self._lines: list[str] = []

    def takes(self, line: str, depth: int) -> bool:
        """Whether ``line`` belongs to the block, being indented more than ``depth``."""
        text = line.lstrip(" ")
        at = len(line) - len(text)
        if not text or (at > depth and at != (self._at or at)):
            raise _NotPlain
        if at <= depth:
            return False
        self._at = at
        self._lines.append(text)
        return True

    def text(self) -> str:
        if not self._lines:
            raise _NotPlain
        return self._fold.between.join(self._lines) + self._fold.last


@lru_cache(4096)
def _parts(line: str) -> tuple[int, int, str, Any]:
    """Indentation, length of the dash with its blanks, key and value of a line; None where it has no value.

    Half of the lines of many manifests are the same ones again.
    """
    head, _, text = line.partition(": ")
    if (value := _easy(text)) is not None and (before := _head(head)) is not None:
        return (*before, value)
    found = _LINE.fullmatch(line)
    if found is None:
        raise _NotPlain
    indent, dash, key, raw = found.groups("")
    if (key and key in SPECIAL) or (dash and not key and (not raw or raw[0] in "|>")):
        raise _NotPlain
    return len(indent), len(dash), key, _value(raw) if raw else None


def _easy(text: str) -> str | None:
    """The value that is written as ``text`` and nothing else, where that is told without a pattern: most are bare words
    or simply quoted."""
    first = text[:1]
    if first in _TEXT_STARTS:
        bare = ":" not in text and "#" not in text and text[-1] != " " and text not in SPECIAL
        return text if bare else None
    quoted = first in _QUOTES and len(text) > 1 and text[-1] == first and text.count(first) == 2
    return text[1:-1] if quoted and "\\" not in text else None


@lru_cache(1024)
def _head(head: str) -> tuple[int, int, str] | None:
    """Indentation, length of the dash with its blanks, and key of a line up to its colon; None where it is no key."""
    found = _HEAD.fullmatch(head)
    if found is None or found[3] in SPECIAL:
        return None
    return len(found[1]), len(found[2] or ""), found[3]


def _value(raw: str) -> Scalar | _Fold | _Flow:
    if raw in _FOLDS:
        return _FOLDS[raw]
    return _Flow(raw) if raw[0] in "{[" else _scalar(raw)


def _scalar(raw: str) -> Scalar:
    first = raw[0]
    if first == '"' or first == "'":
        return raw[1:-1]
    text = raw.rstrip(" ")
    if text in SPECIAL or first in NUMBER_STARTS:
        value = resolve(text)
        if value is None or isinstance(value, Changed):
            raise _NotPlain
        return value
    return text
