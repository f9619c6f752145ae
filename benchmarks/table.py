"""Verdicts as a Markdown table, and that table in its place in the README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import plot
from benchmarks.case import Cap, Ratio, Share, Size
from benchmarks.judge import Verdict, bounds

README = Path(__file__).parent / "README.md"
_HEAD = (
    "| what | peer or floor | budget | median | spread | time, ours / peer | peak MiB, ours / peer | verdict |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
)


def table(verdicts: Sequence[Verdict]) -> str:
    return _HEAD + "".join(_row(v) for v in verdicts)


def section(verdicts: Sequence[Verdict], machine: Mapping[str, str], size: Size, *, runs: int, note: str = "") -> str:
    """What stands between the markers of one size: the machine, the verdicts in one line, the plot, the table."""
    met = [v.met for v in verdicts if v.met is not None]
    taken = "One run each" if runs == 1 else f"Medians of at most {runs} interleaved runs"
    lines = [
        f"{machine['date']}; {machine['cpu']}, {machine['memory']}; {machine['os']}; {machine['python']}.",
        f"Packages: {machine['packages']}.",
        "",
        f"{taken}. **{sum(met)} of {len(met)} budgets met.** {note}".rstrip(),
        "",
        f"![How much of each budget is used]({plot.path(size).name})",
    ]
    return "\n".join(lines) + "\n\n" + table(verdicts)


def put(text: str, size: Size, page: Path = README) -> None:
    """Replace what stands between the markers of ``size``. Raises ValueError where they are missing."""
    begin, end = f"<!-- {size} -->\n", f"<!-- /{size} -->\n"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page.name} has no place for {size} results")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def _row(verdict: Verdict) -> str:
    low, high = min(verdict.values), max(verdict.values)
    cells = [
        verdict.budget.what,
        verdict.budget.peer,
        _bound(verdict),
        f"**{_value(verdict, verdict.median)}**",
        f"{_value(verdict, low)} to {_value(verdict, high)}",
        " / ".join(_seconds(a[0]) for a in (verdict.ours, verdict.theirs) if a is not None),
        " / ".join(f"{a[1]:.0f}" for a in (verdict.ours, verdict.theirs) if a is not None),
        {True: "met", False: "**not met**", None: "shown"}[verdict.met],
    ]
    return f"| {' | '.join(cells)} |\n"


def _bound(verdict: Verdict) -> str:
    low, high = bounds(verdict.budget)
    unit = _unit(verdict)
    parts = [f"≥ {low:g}{unit}"] if low is not None else []
    parts += [f"≤ {high:g}{unit}"] if high is not None else []
    return ", ".join(parts) or "–"


def _unit(verdict: Verdict) -> str:
    match verdict.budget.measure:
        case Ratio():
            return "x"
        case Cap(value="peak_mib"):
            return " MiB"
        case Share() | Cap():
            return ""


def _value(verdict: Verdict, value: float) -> str:
    unit = _unit(verdict)
    match verdict.budget.measure:
        case Ratio():
            return f"{value:.3f}{unit}" if value < 0.0995 else f"{value:.2f}{unit}"
        case Share():
            return f"{value:.3f}"
        case Cap():
            return f"{value:.0f}{unit}" if value >= 99.5 else f"{value:.3g}{unit}"


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"
