"""``python -m benchmarks.profile``: where the time of a plan and of an apply goes, written into docs/performance.md.

A sampling profiler looks a thousand times a second at what the process does. Shares are of wall time, by the part of
our code or the library that the topmost frame belongs to; what compiled code takes counts for the line that calls it.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click

from benchmarks.case import Case, Size, Task, Variant
from benchmarks.cases import planning, wire
from benchmarks.child import Stopwatch
from benchmarks.measure import measure, prepare

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
LEAST = 0.02
"""Smaller shares are one row."""

IMPORTS = "imports"
_CONCURRENCY = 8
_NAMES = {
    "selectors": "waiting for answers",
    "threading": "waiting for answers",
    "queue": "waiting for answers",
    "asyncio": "event loop",
    "h11": "HTTP (h11, httpx)",
    "httpx": "HTTP (h11, httpx)",
    "httpcore": "HTTP (h11, httpx)",
    "sqlalchemy": "store (SQLAlchemy, SQLite)",
    "msgspec": "JSON (msgspec, json)",
    "json": "JSON (msgspec, json)",
    "deepdiff": "field diff (deepdiff)",
    "yaml": "YAML",
    "click": "command line",
}
_PARTS = {
    "manifest": "loading manifests",
    "plan": "planning",
    "providers": "providers: requests, rows to values",
    "store": "store (SQLAlchemy, SQLite)",
    "render": "rendering",
    "apply": "applying: order, outcomes, read-backs",
    "model": "model",
    "cli": "command line",
    "app": "wiring",
}


# --- in the process that is looked at


def plan(folder: Path, watch: Stopwatch) -> dict[str, float]:
    """A plan of lists, one in a hundred different."""
    return _profiled(lambda: planning.ours(folder, watch))


def apply(folder: Path, watch: Stopwatch) -> dict[str, float]:
    """An apply of new people on one list, one write each, at 20 ms."""
    return _profiled(lambda: wire.apply_contacts(folder, watch, _CONCURRENCY))


def _profiled(work: Callable[[], object]) -> dict[str, float]:
    import pyinstrument

    profiler = pyinstrument.Profiler(interval=0.001, async_mode="disabled")
    with profiler:
        work()
    session = profiler.last_session
    root = session.root_frame() if session is not None else None
    if root is None:
        raise RuntimeError("the profiler has seen nothing")
    shares: defaultdict[str, float] = defaultdict(float)
    for part, seconds in _parts(root, "wiring", importing=False):
        shares[part] += seconds
    total = sum(shares.values())
    return {part: seconds / total for part, seconds in shares.items()}


def _parts(frame: object, part: str, *, importing: bool) -> Iterator[tuple[str, float]]:
    """Seconds by part. What has no name here counts for whoever called it; all that an import does is an import."""
    path = str(getattr(frame, "file_path", "") or "")
    importing = importing or "importlib" in path
    part = IMPORTS if importing else _part_of(path) or part
    children = list(getattr(frame, "children", ()))
    own = float(getattr(frame, "time", 0.0)) - sum(float(child.time) for child in children)
    if own > 0:
        yield part, own
    for child in children:
        yield from _parts(child, part, importing=importing)


def _part_of(path: str) -> str | None:
    if found := re.search(r"/reconciler/(\w+)/", path):
        return _PARTS.get(found[1])
    names = re.split(r"[/.]", path)
    return next((said for module, said in _NAMES.items() if module in names), None)


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


def _shares(name: str, case: Case, variant: Variant) -> dict[str, float]:
    """Of the second of two runs: the first compiles modules."""
    looked_at = replace(variant, run=Task(target=f"benchmarks.profile:{name}"))
    folder = Path(tempfile.mkdtemp(prefix="reconciler-bench-"))
    try:
        prepare(case, Size.NORMAL, folder, limit_s=300)
        measure(looked_at, folder, limit_s=300)
        taken = measure(looked_at, folder, limit_s=300)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {part: taken.values[part] for part in (IMPORTS, *_NAMES.values(), *_PARTS.values()) if part in taken.values}


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
    """Profile a plan and an apply, and rewrite their tables in docs/performance.md."""
    page = PAGE.read_text(encoding="utf-8")
    for name, words, case, wanted in _SCENES:
        variant = next(v for v in case.variants if v.name == wanted)
        page = put(page, name, f"{words}:\n\n{shares_table(_shares(name, case, variant))}")
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
