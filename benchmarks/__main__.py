"""``python -m benchmarks``: run cases, print their table; a run of all of them also writes the README and its plot."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from benchmarks import machine, plot
from benchmarks.case import Case, Size
from benchmarks.cases import CASES
from benchmarks.judge import Verdict, judged
from benchmarks.measure import Failed
from benchmarks.run import Result, run
from benchmarks.table import put, section, table


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Only cases whose name begins so; repeatable.")
@click.option("--size", type=click.Choice([str(s) for s in Size]), default=str(Size.NORMAL), show_default=True)
@click.option("--runs", default=5, show_default=True, help="Interleaved runs; a slow case may do fewer.")
@click.option("--json", "json_file", metavar="FILE", help="Write every measurement as JSON, too.")
@click.option("--note", default="", help="A sentence about the circumstances, for above the table.")
@click.option("--list", "listing", is_flag=True, help="Name the cases and what they are about.")
def main(only: tuple[str, ...], size: str, runs: int, json_file: str | None, note: str, listing: bool) -> None:
    """Measure every budget beside its peer or floor. Without --only, rewrites benchmarks/README.md and its plot."""
    chosen = [c for c in CASES if Size(size) in c.sizes and (not only or c.name.startswith(only))]
    if listing:
        click.echo("".join(f"{case.name:<12} {case.what}\n" for case in chosen), nl=False)
        return
    if not chosen:
        raise click.UsageError(f"no case is named like that; there are {', '.join(c.name for c in CASES)}")
    results, failures = _measured(chosen, Size(size), runs)
    verdicts = [v for result in results for v in judged(result)]
    found = machine.described()
    if json_file is not None:
        document = _document(results, verdicts, found, note)
        Path(json_file).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if not only and not failures and size != Size.TINY:
        put(section(verdicts, found, Size(size), runs=runs, note=note), Size(size))
        plot.path(Size(size)).write_text(plot.svg(verdicts), encoding="utf-8")
    click.echo(table(verdicts))
    for failure in failures:
        click.echo(f"\n{failure}", err=True)
    sys.exit(1 if failures else 0)


def _measured(cases: list[Case], size: Size, runs: int) -> tuple[list[Result], list[Failed]]:
    """Every case that could be measured, and what kept the others from it: they took too long to be lost with them."""

    def tell(text: str) -> None:
        click.echo(text, err=True)

    results, failures = [], []
    for case in cases:
        try:
            results.append(run(case, size, runs, warm=size is Size.NORMAL, tell=tell))
        except Failed as failed:
            failures.append(failed)
    return results, failures


def _document(results: list[Result], verdicts: list[Verdict], found: dict[str, str], note: str) -> dict[str, object]:
    return {
        "machine": found,
        "note": note,
        "cases": [
            {"name": r.case.name, "size": r.size, "runs": {n: [dict(m.values) for m in ms] for n, ms in r.runs.items()}}
            for r in results
        ],
        "rows": [
            {"case": v.case, "what": v.budget.what, "values": v.values, "median": v.median, "met": v.met}
            for v in verdicts
        ],
    }


if __name__ == "__main__":
    main()
