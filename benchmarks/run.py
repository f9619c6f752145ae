"""Runs cases: variants interleaved (A B C A B C …), so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.case import Case, Size
from benchmarks.measure import Failed, Measurement, measure, prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Every measurement of a case, by variant, in the order of the runs: entry ``i`` of each belongs to run ``i``."""

    case: Case
    size: Size
    runs: Mapping[str, Sequence[Measurement]]


def run(
    case: Case, size: Size, runs: int, *, warm: bool = True, limit_s: float = 900.0, tell: Callable[[str], None]
) -> Result:
    """Raises Failed when a variant fails, or when variants disagree in what they must agree in."""
    variants = [v for v in case.variants if size in v.sizes]
    folder = Path(tempfile.mkdtemp(prefix="reconciler-bench-"))
    try:
        tell(f"{case.name}: inputs")
        prepare(case, size, folder, limit_s=limit_s)
        taken: dict[str, list[Measurement]] = {v.name: [] for v in variants}
        if warm:
            # The first run of all compiles modules and fills the page cache: nobody's cost.
            for variant in variants:
                tell(f"{case.name}: warm-up, {variant.name}")
                measure(variant, folder, limit_s=limit_s)
        count = runs if case.runs is None else min(runs, case.runs)
        for i in range(count):
            for variant in variants:
                tell(f"{case.name}: run {i + 1} of {count}, {variant.name}")
                taken[variant.name].append(measure(variant, folder, limit_s=limit_s))
            _check_agreement(case, {name: found[-1] for name, found in taken.items()})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Result(case=case, size=size, runs=taken)


def _check_agreement(case: Case, run: Mapping[str, Measurement]) -> None:
    for fact in case.agree:
        said = {name: found.values[fact] for name, found in run.items() if fact in found.values}
        if len(set(said.values())) > 1:
            raise Failed(f"{case.name}: the variants differ in {fact}, so they did not do the same work: {said}")
