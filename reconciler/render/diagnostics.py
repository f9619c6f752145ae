"""Problems as compilers print them: place, code, text, the quoted line with a caret below it, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import cast

from msgspec.structs import asdict

from reconciler.diagnostics import Diagnostic, Severity, in_order
from reconciler.masking import mask_in_place, mask_text
from reconciler.render.documents import DiagnosticDocument, SourceDocument
from reconciler.render.json import document_json
from reconciler.render.screen import NARROWEST, Line, Piece, Style, fit, line, paint, safe, width_of, wrapped
from reconciler.render.words import counted

LISTED = 100
"""Problems of one severity that are told one by one; the others are counted, and JSON has them all."""
COUNTING = "… and "
"""How the text of a problem begins that stands for so many like the one before it."""
_STYLES = {"error": Style.ALARM, "warning": Style.CHANGED}
_LINE_NUMBER = 7
_QUOTED = 160
"""Columns of a quoted line where no width is given; a line of a data file can be megabytes long."""
_BEFORE_CARET = 24


def diagnostics_text(
    diagnostics: Iterable[Diagnostic], color: bool, *, width: int | None = None, show_pii: bool = False
) -> str:
    """Diagnostics in order of place, the first ``LISTED`` of each severity, then how many there are; empty for none.

    Messages are one line each unless a ``width`` (columns) is given. Numbers of people are masked unless ``show_pii``.
    """
    documents = _documents(diagnostics, show_pii=show_pii)
    if not documents:
        return ""
    width = width and max(width, NARROWEST)
    listed = _first(documents)
    lines = [shown for document in listed for shown in diagnostic_lines(document, width)]
    if more := len(documents) - len(listed):
        lines.append(line(f"… and {more:,} more; `reconciler validate --format json` lists them all"))
    return paint([*lines, line(_totals(documents))], color=color)


def diagnostics_json(diagnostics: Iterable[Diagnostic], *, show_pii: bool = False) -> str:
    """``{"formatVersion", "diagnostics": [...], "summary": {"errors", "warnings", "notes"}}`` in order of place."""
    documents = _documents(diagnostics, show_pii=show_pii)
    summary = {f"{severity}s": _count(documents, severity) for severity in Severity}
    return document_json({"formatVersion": "1", "diagnostics": documents, "summary": summary})


def _first(documents: Iterable[DiagnosticDocument]) -> list[DiagnosticDocument]:
    """A folder of YAML that is no manifests would fill a terminal with what is wrong in it."""
    of_severity, listed = Counter[str](), []
    for document in documents:
        of_severity[document["severity"]] += 1
        # One that counts the others of its file stays: nothing else tells of them.
        if of_severity[document["severity"]] <= LISTED or document["message"].startswith(COUNTING):
            listed.append(document)
    return listed


def _documents(diagnostics: Iterable[Diagnostic], *, show_pii: bool) -> list[DiagnosticDocument]:
    return [diagnostic_document(d, show_pii=show_pii) for d in in_order(diagnostics)]


def diagnostic_document(diagnostic: Diagnostic, *, show_pii: bool = False) -> DiagnosticDocument:
    """One diagnostic in its JSON shape, numbers masked unless ``show_pii``."""
    text, quoted = (str, str) if show_pii else (mask_text, mask_in_place)
    span = diagnostic.source
    document: DiagnosticDocument = {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": text(diagnostic.message),
        "hint": text(diagnostic.hint),
        "address": diagnostic.address,
        "source": cast(SourceDocument, asdict(span)) if span else None,
        "excerpt": quoted(diagnostic.excerpt),
    }
    if diagnostic.policy:
        document["policy"] = diagnostic.policy
    return document


def diagnostic_lines(problem: DiagnosticDocument, width: int | None) -> list[Line]:
    """One problem: its text, the quoted line, the caret, the hint; wrapped to ``width`` columns if that is given."""
    source = problem["source"]
    place = place_of(source) if source else safe(problem["address"])
    severity = f"{safe(problem['severity'])}[{safe(problem['code'])}]:"
    style = _STYLES.get(problem["severity"], Style.DIM)
    message = f"{f'{place}: ' if place else ''}{severity} {safe(problem['message'])}"
    lines = [_with_styled(text, severity, style) for text in _wrapped(message, width, indent=2)]
    if source and problem.get("excerpt"):
        lines += _quoted(source, problem["excerpt"], width, style)
    if problem["hint"]:
        lines += [line(text) for text in _wrapped(f"  hint: {safe(problem['hint'])}", width, indent=4)]
    return lines


def place_of(source: SourceDocument) -> str:
    """``file:line:column``, which editors and terminals open."""
    return f"{safe(source['file'])}:{source['line']}:{source['column']}"


def _wrapped(text: str, width: int | None, *, indent: int) -> list[str]:
    if width is None or width_of(text) <= width:
        return [text]
    blanks = " " * (len(text) - len(text.lstrip(" ")))
    first, *_ = wrapped(text.lstrip(" "), width - len(blanks))
    rest = text.lstrip(" ")[len(first) :].lstrip(" ")
    continued = wrapped(rest, width - indent) if rest else []
    return [blanks + first, *(" " * indent + more for more in continued)]


def _with_styled(text: str, part: str, style: Style) -> Line:
    before, found, after = text.partition(part)
    return line(before, Piece(found, style), after) if found else line(text)


def _quoted(source: SourceDocument, excerpt: str, width: int | None, style: Style) -> list[Line]:
    """The quoted line and its caret; of a long line the part around the caret."""
    excerpt = excerpt.rstrip("\r\n")
    gutter = f"{source['line']:>{_LINE_NUMBER}} | "
    room = (width or _QUOTED + len(gutter)) - len(gutter)
    at = min(max(source["column"] - 1, 0), len(excerpt))
    length = max(source.get("length", 0), 1)
    lead = ""
    if width_of(safe(excerpt[: at + length])) > room:
        start = max(at - _BEFORE_CARET, 0)
        excerpt, at, lead = excerpt[start:], at - start, "…" if start else ""
    column = width_of(lead) + width_of(safe(excerpt[:at]))
    marked = max(width_of(safe(excerpt[at : at + length])), 1)
    if column >= room:
        return [line(Piece(gutter, Style.DIM), fit(lead + safe(excerpt), room))]
    caret = "^" + "~" * (min(marked, room - column) - 1)
    return [
        line(Piece(gutter, Style.DIM), fit(lead + safe(excerpt), room)),
        line(" " * (len(gutter) + column), Piece(caret, style)),
    ]


def _count(problems: Sequence[DiagnosticDocument], severity: Severity) -> int:
    return sum(p["severity"] == severity for p in problems)


def _totals(problems: Sequence[DiagnosticDocument]) -> str:
    counts = ((severity, _count(problems, severity)) for severity in Severity)
    return ", ".join(counted(count, f"{severity}s") for severity, count in counts if count)
