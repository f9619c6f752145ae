"""The problems of one load, each placed in its source and quoted without what must not be shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Span, error, in_order
from reconciler.manifest.codes import CODES
from reconciler.manifest.documents import Broken, Document, Flaw, Path, Source
from reconciler.manifest.places import At, Place, Places
from reconciler.masking import BULLET, mask_in_place, visible

MAX_EXCERPT = 160
LISTED = 100
"""Problems of one code in one document that are told one by one; the others are counted."""
LISTED_IN_FILE = 1_000
"""The same for one file: a hundred thousand broken documents must not become as many quoted lines."""

_SECRET_WORDS = re.compile(
    r"""(?i)\b(api_?key|api_?token|token|password|secret)(['"]?\s*:\s*)(?!\s*\{)("[^"]*"?|'[^']*'?|[^\s,}\]][^,}\]]*)"""
)
_USERINFO = re.compile(r"(?<=://)[^/\s\"']+(?=@)")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*\Z")


class Findings:
    """Collects diagnostics. ``show_pii`` keeps people's numbers and attributes in quoted lines; secrets never stay."""

    def __init__(self, *, show_pii: bool = False) -> None:
        self._show_pii = show_pii
        self._found: list[Diagnostic] = []
        self.failures = 0
        """How many errors there are so far."""
        self._places: dict[int, Places] = {}
        self._lines: dict[str, list[str]] = {}
        self._flawed: dict[int, frozenset[Path]] = {}
        self._told: Counter[tuple[int | str, str]] = Counter()
        self._first_untold: dict[tuple[int | str, str], Diagnostic] = {}

    def all(self) -> tuple[Diagnostic, ...]:
        """Every problem, sorted; of very many of one kind in one document the rest as a number."""
        rest = []
        for key, first in self._first_untold.items():
            limit, where = (LISTED_IN_FILE, "file") if isinstance(key[0], str) else (LISTED, "document")
            message = f"… and {self._told[key] - limit:,} more like this in this {where}"
            rest.append(replace(first, message=message, hint="", excerpt=""))
        return in_order([*self._found, *rest])

    def add(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Diagnostics that are placed already."""
        for diagnostic in diagnostics:
            if diagnostic.blocking and not diagnostic.hint and diagnostic.code in CODES:
                # Whoever found it had nothing particular to say; what helps in general is better than nothing.
                diagnostic = replace(diagnostic, hint=CODES[diagnostic.code][1])
            self._found.append(diagnostic)
            self.failures += diagnostic.blocking

    def quoted(self, document: Document, diagnostic: Diagnostic) -> None:
        """A placed diagnostic, with its line quoted when its place is in ``document``."""
        if self._enough((id(document), diagnostic.code), LISTED, diagnostic):
            return
        if self._enough((document.source.name, diagnostic.code), LISTED_IN_FILE, diagnostic):
            return
        self.add([self.with_line(document, diagnostic)])

    def with_line(self, document: Document, diagnostic: Diagnostic) -> Diagnostic:
        """A placed diagnostic with its line, when its place is in ``document``; it is not collected."""
        span = diagnostic.source
        if span is None or span.file != document.source.name:
            return diagnostic
        return replace(diagnostic, excerpt=self._excerpt(document, span))

    def _enough(self, key: tuple[int | str, str], limit: int, diagnostic: Diagnostic) -> bool:
        """Whether so many were told already; this one then only counts, and still is a failure."""
        self._told[key] += 1
        if self._told[key] <= limit:
            return False
        self._first_untold.setdefault(key, diagnostic)
        self.failures += diagnostic.blocking
        return True

    def error(self, code: str, message: str, *, hint: str = "", source: Span | None = None) -> None:
        """A problem that is in no document."""
        self.add([error(code, message, hint=hint, source=source)])

    def at(self, document: Document, path: Path, code: str, message: str, *, hint: str = "", at: At = "value") -> None:
        """A problem at the value (or key) that ``path`` leads to; nothing where the YAML itself is at fault already."""
        if self._is_flawed(document, path):
            return
        # Finding a place means parsing the document once more: not for what will only be counted.
        many = self._told[document.source.name, code] > LISTED_IN_FILE
        span = Span(file=document.source.name, line=document.line) if many else self.span(document, path, at)
        self.quoted(document, error(code, self.shown(message), hint=self.shown(hint), source=span))

    def span(self, document: Document, path: Path = (), at: At = "value") -> Span:
        """The place of a value (or of its key)."""
        found = self.places(document).find(path, at)
        return Span(file=document.source.name, line=found.line, column=found.column, length=found.length)

    def places(self, document: Document) -> Places:
        key = id(document)
        if key not in self._places:
            self._places[key] = Places(document)
        return self._places[key]

    def flaws(self, document: Document, flaws: Sequence[Flaw]) -> None:
        """Flaws of a document's YAML. What is found at the same places later on is only their consequence."""
        self._flawed[id(document)] = frozenset(f.path for f in flaws if f.path)
        for flaw in flaws:
            placed = self._placed(document.source, flaw)
            if flaw.code == "yaml-duplicate-key":
                key = flaw.path[-1].partition("\0")[0] if isinstance(flaw.path[-1], str) else flaw.path[-1]
                first = self.span(document, (*flaw.path[:-1], key), "key")
                placed = replace(placed, hint=f"it is first at {first}; keep one of the two")
            self.quoted(document, placed)

    def broken(self, broken: Broken) -> None:
        """What could not be read at all. Its line is quoted only where no row of contacts can stand."""
        placed = self._placed(broken.source, broken.flaw)
        if self._enough((broken.source.name, placed.code), LISTED_IN_FILE, placed):
            return
        if placed.source and (self._show_pii or not re.search(r"\b(?:contacts|numbers)\b", broken.text)):
            line = self._line(broken.source, placed.source.line)
            placed = replace(placed, excerpt=self._finished(line, placed.source))
        self.add([placed])

    def shown(self, text: str) -> str:
        """A text fit for a message: nothing that moves a cursor, and no numbers."""
        return visible(text if self._show_pii else mask_in_place(text))

    def _placed(self, source: Source, flaw: Flaw) -> Diagnostic:
        span = Span(file=source.name, line=flaw.line, column=flaw.column, length=flaw.length)
        return error(flaw.code, self.shown(flaw.message), hint=flaw.hint, source=span)

    def _is_flawed(self, document: Document, path: Path) -> bool:
        flawed = self._flawed.get(id(document))
        return flawed is not None and any(path[:n] in flawed for n in range(1, len(path) + 1))

    def _line(self, source: Source, line: int) -> str:
        lines = self._lines.get(source.path)
        if lines is None:
            lines = self._lines[source.path] = re.split(r"\r\n|\r|\n", source.text)
        return lines[line - 1] if line <= len(lines) else ""

    def _excerpt(self, document: Document, span: Span) -> str:
        line = list(self._line(document.source, span.line))
        for path, place in self.places(document).scalars_on(span.line):
            if keep := _shown_ends(path, place.scalar or "", show_pii=self._show_pii):
                _blank(line, span.line, place, keep)
        return self._finished("".join(line), span)

    def quotable(self, source: Source, documents: Sequence[Document]) -> list[str]:
        """Every line of a file, as quoted lines are shown; ``documents`` are those in it."""
        lines = [list(line) for line in re.split(r"\r\n|\r|\n", source.text)]
        for document in documents:
            places = self.places(document)
            last = document.start_line + document.text.count("\n") + 1
            for number in range(document.start_line + 1, min(last, len(lines)) + 1):
                for path, place in places.scalars_on(number):
                    if keep := _shown_ends(path, place.scalar or "", show_pii=self._show_pii):
                        _blank(lines[number - 1], number, place, keep)
        return [self._finished("".join(line), Span(file=source.name, line=1)) for line in lines]

    def _finished(self, line: str, span: Span) -> str:
        line = _SECRET_WORDS.sub(lambda m: m[1] + m[2] + BULLET * len(m[3]), line)
        line = _USERINFO.sub(lambda m: BULLET * len(m[0]), line)
        line = line if self._show_pii else mask_in_place(line)
        # One character stays one character, so that whoever underlines the place does not miss it.
        line = "".join(c if c.isprintable() else " " if c == "\t" else "�" for c in line)
        if len(line) <= MAX_EXCERPT:
            return line
        return line[: MAX_EXCERPT - 1] + "…" if span.column <= MAX_EXCERPT // 2 else ""


_SECRET = (0, 0)
_NUMBER = (5, 2)


def _shown_ends(path: Path, value: str, *, show_pii: bool) -> tuple[int, int] | None:
    """How much of a quoted value stays readable at its start and end; None: all of it."""
    if "auth" in path[:2]:
        named = path[-1] in {"username", "file"} or (path[-1] == "env" and _VARIABLE.match(value))
        return None if named else _SECRET
    if show_pii or len(path) < 2 or path[0] != "spec":
        return None
    if path[1] == "contacts":
        return _NUMBER if path[-1] == "number" else _SECRET
    return _NUMBER if path[1] == "numbers" else None


def _blank(line: list[str], number: int, place: Place, keep: tuple[int, int]) -> None:
    """Bullets over a value on one line, but for its ends; what is quoted keeps its quotes."""
    value = place.value
    start = value.column - 1 if value.line == number else 0
    end = value.end_column - 1 if value.end_line == number else len(line)
    while start < end and line[start] in "\"' ":
        start += 1
    while end > start and line[end - 1] in "\"' ":
        end -= 1
    first, last = keep if end - start > sum(keep) + 2 else (0, 0)
    for i in range(start + first, end - last):
        line[i] = BULLET
