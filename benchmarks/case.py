"""What a benchmark is: inputs written once, variants that do the same work in processes of their own, and budgets.

A topic is a module of ``benchmarks.cases`` with ``CASES: tuple[Case, ...]``. Everything a case says is data; what runs
is named as ``module:function`` and imported only in the process that runs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias


class Size(StrEnum):
    """How much of it: ``tiny`` proves that a case still runs, ``normal`` is what the budgets are about."""

    TINY = "tiny"
    NORMAL = "normal"
    LARGE = "large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """``module:function`` of ours, run as ``function(folder, watch, **arguments)``; it returns its facts.

    Facts are numbers by name: counts that variants must agree in, and whatever a ``Share`` compares. ``watch`` is a
    ``benchmarks.child.Stopwatch`` around the section that is measured without imports.
    """

    target: str
    arguments: Mapping[str, str | int | float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Words after the interpreter: ``("-m", "reconciler", "--help")``, and the exit code of work that was done. Only
    wall, CPU and memory are known of it."""

    words: tuple[str, ...]
    exit_code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to do the work of a case, in a fresh process that runs in the folder of the inputs.

    ``server`` runs beside it, not measured: its first line of output is the URL, which the measured process finds in
    ``BENCH_URL``; at the end its last line, a JSON object, adds to the facts. ``environment`` is added to ours.
    """

    name: str
    run: Task | Command
    server: Task | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    sizes: frozenset[Size] = frozenset(Size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """``value`` of a variant over that of another, pair by pair. Without ``at_most`` it is only shown."""

    of: str
    to: str
    value: str = "wall_s"
    at_most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Two values of the same measurement of one variant, ``part / whole``, with bounds as far as there are any."""

    of: str
    part: str
    whole: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """A value of one variant that has an absolute bound."""

    of: str
    value: str = "peak_mib"
    at_most: float


Measure: TypeAlias = Ratio | Share | Cap


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One row of the table. ``peer`` says in words what it is measured against, ``seconds`` which time is shown."""

    what: str
    peer: str
    measure: Measure
    seconds: str = "wall_s"
    sizes: frozenset[Size] = frozenset(Size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Variants over the same inputs, run interleaved.

    ``prepare`` writes the inputs into an empty folder, given ``size``; the same seed gives the same bytes. ``agree``
    names facts that every variant that has them must agree in: work that differs cannot be compared. ``sizes`` without
    an entry for LARGE are not run by `make bench-large`.
    """

    name: str
    what: str
    prepare: str
    sizes: Mapping[Size, int]
    variants: tuple[Variant, ...]
    budgets: tuple[Budget, ...]
    agree: tuple[str, ...] = ()
    runs: int | None = None
    """At most so many runs, where one takes long."""
