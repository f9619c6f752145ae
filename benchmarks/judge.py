"""Measurements against budgets: one row a budget, values pair by pair inside the run, medians over the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import assert_never

from benchmarks.case import Budget, Cap, Ratio, Share
from benchmarks.measure import Measurement
from benchmarks.run import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One row. ``values`` has one entry a run; ``ours`` and ``theirs`` are medians, (seconds, MiB), where there are."""

    case: str
    budget: Budget
    values: tuple[float, ...]
    ours: tuple[float, float]
    theirs: tuple[float, float] | None

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median keeps the budget; None where there is none."""
        low, high = bounds(self.budget)
        if low is None and high is None:
            return None
        return (low is None or self.median >= low) and (high is None or self.median <= high)


def judged(result: Result) -> tuple[Verdict, ...]:
    """The rows of one case."""
    return tuple(_verdict(result, budget) for budget in result.case.budgets if result.size in budget.sizes)


def bounds(budget: Budget) -> tuple[float | None, float | None]:
    """The least and the most that is within budget."""
    match budget.measure:
        case Ratio(at_most=most):
            return None, most
        case Share(at_least=least, at_most=most):
            return least, most
        case Cap(at_most=most):
            return None, most
        case _ as never:
            assert_never(never)


def _verdict(result: Result, budget: Budget) -> Verdict:
    runs = result.runs
    theirs = None
    match budget.measure:
        case Ratio(of=of, to=to, value=value):
            values = [a.values[value] / b.values[value] for a, b in zip(runs[of], runs[to], strict=True)]
            theirs = _absolute(runs[to], budget.seconds)
        case Share(of=of, part=part, whole=whole):
            values = [_quotient(m.values, part, whole) for m in runs[of]]
        case Cap(of=of, value=value):
            values = [m.values[value] for m in runs[of]]
        case _ as never:
            assert_never(never)
    return Verdict(
        case=result.case.name,
        budget=budget,
        values=tuple(values),
        ours=_absolute(runs[of], budget.seconds),
        theirs=theirs,
    )


def _quotient(values: Mapping[str, float], part: str, whole: str) -> float:
    """0 of 0 is all of it: an empty plan that wrote nothing met its bound."""
    return values[part] / values[whole] if values[whole] else (1.0 if not values[part] else float("inf"))


def _absolute(runs: Sequence[Measurement], seconds: str) -> tuple[float, float]:
    return median(m.values[seconds] for m in runs), median(m.values["peak_mib"] for m in runs)
