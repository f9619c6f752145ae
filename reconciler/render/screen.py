"""Lines for a terminal: what people typed made harmless, fitted to a width in columns, coloured last.

A line is pieces of plain text with a style each. Everything is measured and cut as plain text; only ``paint`` turns
styles into escapes, so nothing ever has to look for escapes in a text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from reconciler.masking import harmless

ELLIPSIS = "…"
GAP = "   "
NARROWEST = 60
"""Columns below which nothing is laid out: a narrower terminal wraps the lines itself."""


class Style(StrEnum):
    """What a piece is, as the terminal's SGR code. Colour repeats what symbols and words say already."""

    PLAIN = ""
    BOLD = "1"
    DIM = "2"
    GOOD = "32"
    CHANGED = "33"
    BAD = "31"
    ALARM = "1;31"


class Piece(Struct, frozen=True, gc=False):
    """A run of text in one style; the text is harmless already (see ``safe``)."""

    text: str
    style: Style = Style.PLAIN


Line: TypeAlias = tuple[Piece, ...]

safe = harmless
"""A text on one line, unable to move the cursor or to talk to the CI system that shows our output."""


def line(*pieces: str | Piece) -> Line:
    """A line of pieces; a bare string is plain."""
    return tuple([p if isinstance(p, Piece) else Piece(p) for p in pieces])


def width_of(text: str) -> int:
    """How many columns ``text`` takes: two for East Asian wide characters, none for combining marks."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.east_asian_width(char) in "WF":
        return 2
    return 0 if unicodedata.category(char) in {"Mn", "Me"} else 1


def fit(text: str, room: int) -> str:
    """``text`` in at most ``room`` columns; what is cut off the end leaves an ellipsis."""
    if len(text) <= room and text.isascii():
        return text
    # Combining marks take no columns: without the second limit a name could hide any number of them.
    if width_of(text) <= room and len(text) <= 3 * room:
        return text
    if room < 1:
        return ""
    kept, used = [], 0
    for char in text[: 3 * room]:
        used += _columns(char)
        if used > room - 1:
            break
        kept.append(char)
    return "".join(kept) + ELLIPSIS


def padded(text: str, room: int) -> str:
    """``text`` in exactly ``room`` columns."""
    short = fit(text, room)
    return short + " " * (room - width_of(short))


def wrapped(text: str, room: int) -> list[str]:
    """``text`` broken at spaces into lines of at most ``room`` columns; longer words are broken anywhere."""
    lines = [""]
    for word in text.split(" "):
        grown = f"{lines[-1]} {word}" if lines[-1] else word
        if width_of(grown) <= room:
            lines[-1] = grown
            continue
        parts = broken(word, room)
        lines[-1:] = [lines[-1], *parts] if lines[-1] else parts
    return lines


def broken(text: str, room: int) -> list[str]:
    """``text`` broken anywhere into lines of at most ``room`` columns."""
    parts, used = [""], 0
    for char in text:
        taken = _columns(char)
        if used + taken > room:
            parts.append("")
            used = 0
        parts[-1] += char
        used += taken
    return parts


def spaced(cells: Iterable[Piece], gap: str = GAP) -> Line:
    """The cells that are not empty, with a gap between them."""
    filled: list[Piece] = []
    for cell in cells:
        if cell.text:
            filled += (Piece(gap), cell) if filled else (cell,)
    return tuple(filled)


def columns_of(pieces: Iterable[Piece]) -> int:
    """The columns that ``pieces`` take, side by side."""
    return sum([width_of(p.text) for p in pieces])


def paragraph(text: str, width: int, style: Style = Style.PLAIN) -> list[Line]:
    """A sentence over as many lines as it needs, further lines indented; none for an empty one."""
    if not text:
        return []
    first, *more = wrapped(text, width - 2)
    return [line(Piece(first, style)), *(line("  ", Piece(shown, style)) for shown in more)]


def cut(pieces: Line, room: int) -> Line:
    """``pieces`` in at most ``room`` columns, cut at the end."""
    if columns_of(pieces) <= room:
        return pieces
    kept: list[Piece] = []
    for piece in pieces:
        taken = width_of(piece.text)
        # The last column is kept free for the ellipsis that says that more is missing.
        if taken >= room:
            kept.append(Piece(fit(piece.text + ELLIPSIS, room), piece.style))
            break
        kept.append(piece)
        room -= taken
    return tuple(kept)


def sections(blocks: Iterable[Iterable[Line]]) -> Iterator[Line]:
    """Blocks of lines with an empty line between those that hold anything."""
    begun = False
    for block in blocks:
        apart = begun
        for shown in block:
            if apart:
                yield ()
            yield shown
            begun, apart = True, False


def paint(lines: Iterable[Line], *, color: bool) -> str:
    """The text: every line ends in LF, trailing blanks are gone, styles are escapes only if ``color``."""
    painted = _painted if color else _plain
    return "".join([f"{painted(pieces)}\n" for pieces in lines])


def _plain(pieces: Line) -> str:
    return "".join([p.text for p in pieces]).rstrip(" ")


def _painted(pieces: Line) -> str:
    visible_length = len(_plain(pieces))
    shown = []
    for piece in pieces:
        kept = piece.text[:visible_length]
        visible_length -= len(kept)
        shown.append(f"\x1b[{piece.style}m{kept}\x1b[0m" if piece.style and kept.strip() else kept)
    return "".join(shown)
