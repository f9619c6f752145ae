"""An apply for people: how it ended, and if not everything is done, what is, what is not, why, and how to go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from reconciler.render.documents import ReportDocument, ReportedChangeDocument
from reconciler.render.screen import (
    GAP,
    NARROWEST,
    Line,
    Piece,
    Style,
    columns_of,
    cut,
    fit,
    line,
    padded,
    paint,
    paragraph,
    safe,
    sections,
    spaced,
    width_of,
    wrapped,
)
from reconciler.render.words import counted

_LONGEST_LIST = 20
"""Changes shown of an outcome that needs nobody's attention; the run's history has all of them."""
_ORDER = ("done", "not-attempted", "blocked", "failed", "unresolved")
_STYLES = {"done": Style.GOOD, "failed": Style.BAD, "unresolved": Style.ALARM, "blocked": Style.CHANGED}
_COUNTS = (
    ("done", "done"),
    ("failed", "failed"),
    ("blocked", "blocked"),
    ("not attempted", "notAttempted"),
    ("unresolved", "unresolved"),
)
_EVERYTHING = frozenset({"failed", "unresolved"})


def report_text(doc: Mapping[str, Any], *, width: int, color: bool) -> str:
    """The report document ``doc`` (``schemas/report.json``) in lines of at most ``width`` columns, 60 or more.

    The command that continues comes last and is never broken or cut.
    """
    return _report(doc, width, color, changes=True)


def report_concise(doc: Mapping[str, Any], *, width: int, color: bool) -> str:
    """The last lines of ``report_text``: the counts, whether it was verified, and the command that continues."""
    return _report(doc, width, color, changes=False)


def _report(doc: Mapping[str, Any], width: int, color: bool, *, changes: bool) -> str:
    report = cast(ReportDocument, doc)
    width = max(width, NARROWEST)
    ended = [change["outcome"] for change in report["changes"]]
    told = changes and any(outcome != "done" for outcome in ended)
    blocks = [_changes(report["changes"], outcome, width) for outcome in _ORDER] if told else []
    return paint(sections([[shown for block in blocks for shown in block], _closing(report, width)]), color=color)


def _changes(changes: Sequence[ReportedChangeDocument], outcome: str, width: int) -> list[Line]:
    found = [change for change in changes if change["outcome"] == outcome]
    kept = found if outcome in _EVERYTHING else found[:_LONGEST_LIST]
    lines = [shown for change in kept for shown in _change(change, width)]
    if len(found) > len(kept):
        lines.append(line(f"{padded(_word(outcome), _widest())}{GAP}… {len(found) - len(kept):,} more"))
    return lines


def _word(outcome: str) -> str:
    return outcome.replace("-", " ")


def _widest() -> int:
    return max(width_of(_word(outcome)) for outcome in _ORDER)


def _change(change: ReportedChangeDocument, width: int) -> Iterator[Line]:
    """``failed   main/List/join   create   1 of 2 done``, then the reason and what to do, wrapped and never cut."""
    word = Piece(padded(_word(safe(change["outcome"])), _widest()), _STYLES.get(change["outcome"], Style.DIM))
    partly = change["outcome"] != "done" and change["operations"] > 1
    progress = f"{change['operationsDone']:,} of {counted(change['operations'], 'operations')} done" if partly else ""
    rest = "".join(f"{GAP}{text}" for text in (safe(change["action"]), progress) if text)
    address = fit(safe(change["address"]), max(width - _widest() - len(GAP) - width_of(rest), 12))
    yield cut(line(word, GAP, address, rest), width)
    if change["outcome"] == "done":
        return
    indent = _widest() + len(GAP)
    for label, text in (("why", change["detail"]), ("do", change["hint"])):
        if text:
            yield from _row(label, safe(text), indent, width)


def _row(label: str, text: str, indent: int, width: int) -> Iterator[Line]:
    lead = indent + len("why  ")
    first, *more = wrapped(text, width - lead)
    yield line(" " * indent, Piece(f"{label:<3}  ", Style.DIM), first)
    for part in more:
        yield line(" " * lead, part)


def _closing(report: ReportDocument, width: int) -> list[Line]:
    lines = [*_counts(report, width)]
    if report["interrupted"]:
        lines.append(line(Piece("Interrupted: nothing new was started after that.", Style.CHANGED)))
    elif report["exit"] is None:
        lines += paragraph("This run did not end: it is still under way, or its process died.", width, Style.ALARM)
    lines += _verified(report, width)
    if report["resume"]:
        lines.append(line("To continue: ", Piece(safe(report["resume"]), Style.BOLD)))
    return lines


def _counts(report: ReportDocument, width: int) -> Iterator[Line]:
    counts = cast(dict[str, int], report["counts"])
    cells = [
        Piece(f"{word} {counts[key]:,}", _STYLES.get(word, Style.PLAIN) if counts[key] else Style.PLAIN)
        for word, key in _COUNTS
    ]
    run = Piece(f"run {safe(report['run'])}", Style.DIM)
    together = spaced([*cells, run])
    if columns_of(together) <= width:
        yield together
        return
    yield cut(spaced(cells, " "), width)
    yield cut((run,), width)


def _verified(report: ReportDocument, width: int) -> list[Line]:
    if report["verified"] is True:
        return [line(Piece("Verified: a fresh plan is empty.", Style.GOOD))]
    reasons = "; ".join(map(safe, report["unverified"]))
    if report["verified"] is False:
        told = (
            f"Not verified, a fresh plan is not empty: {reasons}"
            if reasons
            else "Not verified: a fresh plan is not empty."
        )
    else:
        told = f"Not verified: {reasons or 'no fresh plan was made'}"
    return paragraph(told, width, Style.CHANGED)


def progress_line(
    *,
    done: int,
    total: int,
    address: str,
    title: str,
    width: int,
    part: tuple[int, int] | None = None,
    calls_per_s: float | None = None,
    left_s: float | None = None,
) -> str:
    """``[ 7/11] main/Membership/vip-members   add 80/120   3.9 calls/s   0:02 left``, without LF, never over ``width``.

    ``done`` of ``total`` operations are finished; ``part`` is how many people of how many the operation at hand has
    done. When it gets narrow the speed goes first, then the time left, then the end of the address.
    """
    digits = len(f"{total:,}")
    lead = f"[{f'{done:,}':>{digits}}/{total:,}] "
    doing = safe(title) + (f" {part[0]:,}/{part[1]:,}" if part else "")
    left = "" if left_s is None else f"{_clock(left_s)} left"
    speed = "" if calls_per_s is None else f"{calls_per_s:.1f} calls/s"
    for extras in ((speed, left), (left,), ()):
        tail = "".join(f"{GAP}{text}" for text in (doing, *extras) if text)
        text = f"{lead}{safe(address)}{tail}"
        if width_of(text) <= width:
            return text
    tail = f"{GAP}{fit(doing, max(width // 3, 1))}" if doing else ""
    return fit(lead + fit(safe(address), max(width - width_of(lead) - width_of(tail), 1)) + tail, width)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
