"""``python -m benchmarks.profile``: where the time of a plan and of an apply goes, written into docs/performance.md.

A sampling profiler looks a thousand times a second at what the process does. Shares are of wall time, by the part of
our code or the library that the topmost frame belongs to; what compiled code takes counts for the line that calls it.
The flame graphs beside the page are of the same samples. Where valgrind is installed, instructions are counted as well.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from benchmarks import flame, samples
from benchmarks.case import Case, Size, Task, Variant
from benchmarks.cases import planning, wire
from benchmarks.child import Stopwatch
from benchmarks.measure import measure, prepare

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
LEAST = 0.02
"""Smaller shares are one row."""

_CONCURRENCY = 8
_SAMPLES = "samples.json"
_COUNTED = (500, 1_000)
"""Lists of the two plans whose difference tells what one more list takes."""


# --- in the process that is looked at


def plan(folder: Path, watch: Stopwatch) -> dict[str, float]:
    """A plan of lists, one in a hundred different."""
    samples.take(lambda: planning.profiled(folder, watch), folder / _SAMPLES)
    return {}


def apply(folder: Path, watch: Stopwatch) -> dict[str, float]:
    """An apply of new people on one list, one write each, at 20 ms."""
    samples.take(lambda: wire.apply_contacts(folder, watch, _CONCURRENCY), folder / _SAMPLES)
    return {}


def counted_plan(folder: Path, watch: Stopwatch) -> dict[str, float]:
    """The processor's instructions for a plan, as valgrind counts them: the same on a busy machine."""
    command = [sys.executable, "-m", "benchmarks.child", "benchmarks.cases.planning:profiled", "{}"]
    counting = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    # Compiled first, and an account written.
    subprocess.run(command, check=True, capture_output=True)
    said = subprocess.run([*counting, *command], check=True, capture_output=True, text=True).stderr
    found = re.search(r"Collected : (\d+)", said)
    if found is None:
        raise RuntimeError("valgrind has counted nothing")
    return {"instructions": float(found[1])}


# --- the command


_SCENES: tuple[tuple[str, str, Case, str], ...] = (
    ("plan", "`reconciler plan` of 10,000 lists, one in a hundred different", planning.CASES[0], "ours"),
    (
        "apply",
        f"`reconciler apply` of new people, one write each, {_CONCURRENCY} at a time, answers after 20 ms",
        next(c for c in wire.CASES if c.name == "writes"),
        f"apply_contacts {_CONCURRENCY}",
    ),
)
"""Name, words, and the variant of a benchmark whose inputs and server are used."""


def _prepared(case: Case, size: int, variant: Variant, function: str, folder: Path) -> Variant:
    """The inputs of ``variant`` written; and the variant that has another function of this module look at it."""
    prepare(replace(case, sizes={Size.NORMAL: size}), Size.NORMAL, folder, limit_s=300)
    return replace(variant, run=Task(target=f"benchmarks.profile:{function}"))


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="reconciler-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _seen(name: str, case: Case, variant: Variant) -> samples.Node:
    """The second of two runs: the first compiles modules."""
    with _folder() as folder:
        looked_at = _prepared(case, case.sizes[Size.NORMAL], variant, name, folder)
        measure(looked_at, folder, limit_s=300)
        measure(looked_at, folder, limit_s=300)
        return samples.read(folder / _SAMPLES)


def _instructions(case: Case, variant: Variant) -> str:
    """What a plan takes to start with, and for each list."""
    few, many = _COUNTED
    taken = []
    for size in _COUNTED:
        with _folder() as folder:
            counted = _prepared(case, size, variant, "counted_plan", folder)
            taken.append(measure(counted, folder, limit_s=600).values["instructions"])
    each = (taken[1] - taken[0]) / (many - few)
    return (
        f"A plan takes {(taken[0] - each * few) / 1e6:,.0f} million instructions of the processor, "
        f"and {each / 1e3:,.0f} thousand more for each list."
    )


def shares_table(shares: dict[str, float]) -> str:
    """The parts, greatest first; small ones together."""
    large = sorted(((s, p) for p, s in shares.items() if s >= LEAST), reverse=True)
    rest = sum(s for s in shares.values() if s < LEAST)
    rows = [f"| {part} | {share:.0%} |" for share, part in [*large, (rest, "the rest")]]
    return "\n".join(["| part | share of wall time |", "|---|---:|", *rows])


def put(page: str, name: str, text: str) -> str:
    """``page`` with the text between the comments of ``name`` replaced. Raises ValueError where there are none."""
    found, count = re.subn(
        rf"(<!-- profile {name} -->\n).*?(<!-- /profile -->)",
        lambda m: f"{m[1]}\n{text}\n\n{m[2]}",
        page,
        flags=re.DOTALL,
    )
    if count != 1:
        raise ValueError(f"the page has {count} places for the profile of {name}")
    return found


@click.command()
def main() -> None:
    """Profile a plan and an apply, and rewrite their tables and flame graphs in docs/performance.md."""
    page = PAGE.read_text(encoding="utf-8")
    for name, words, case, wanted in _SCENES:
        seen = _seen(name, case, next(v for v in case.variants if v.name == wanted))
        picture, title = PAGE.with_name(f"profile-{name}.svg"), f"Flame graph of {words.replace('`', '')}"
        picture.write_text(flame.svg(seen, title), encoding="utf-8")
        shown = f"[![{title}]({picture.name})]({picture.name})"
        page = put(page, name, f"{words}:\n\n{shares_table(samples.shares(seen))}\n\n{shown}")
    if shutil.which("valgrind"):
        case = planning.CASES[0]
        page = put(page, "instructions", _instructions(case, next(v for v in case.variants if v.name == "ours")))
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
