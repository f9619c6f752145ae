"""For every moment at which an apply can die, applying again makes what was asked for, once.

Requests of a dead program may land as late as its provider may take, and everything shows late: settle times are what
this is about, and with an instant provider even a tool without a journal would pass. The oracle is the same scenario
without a crash: the same objects and people live and owned, nothing created twice, nobody contacted twice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crash_scenarios import SCENARIOS
from crashes import VISIBILITY_S, Ended, Machine, Scenario
from pictures import names_of, picture

RERUNS = 3
"""How often a person applies again before calling somebody."""
LAGGING_S = VISIBILITY_S - 0.1
SHARE = 5
"""Of every so many schedules the everyday run takes one; another one for each scenario."""
SMALL = 15
"""Micro-steps of an undisturbed run up to which every pair of crashes is tried."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What can be seen of the world, and of the inventory, with names for ids."""

    picture: Any
    owned: Mapping[str, str]
    books: Mapping[str, int]
    effects: int


class Trial:
    """One scenario at one machine: the undisturbed run first, then as many disturbed ones as are asked for."""

    def __init__(self, scenario: Scenario, folder: Path, monkeypatch: pytest.MonkeyPatch, lag_s: float) -> None:
        self.scenario, self.provider = scenario, scenario.name.split()[0]
        self.machine = Machine(scenario, folder / "repository", monkeypatch, lag_s)
        self.start = self.machine.snapshot()
        ended = self.machine.apply()
        assert ended.code == 0, ended.said
        self.steps = ended.steps
        self.wanted = self._seen()

    def _seen(self) -> Seen:
        machine = self.machine
        machine.pass_time(3600)  # whatever is still on its way has landed, and shows
        section = machine.world.dump()[self.provider]
        names = names_of(section)
        owned = {a: "+".join(names.get(part, "gone") for part in i.split("+")) for a, i in machine.owned().items()}
        ledger = machine.world.ledger
        books = {"duplicates": len(ledger.duplicates), "messages": len(ledger.messages), "exposed": len(ledger.exposed)}
        return Seen(picture(section), owned, books, sum(e.mutated for e in machine.world.log.entries))

    def complaints_after(self, *deaths: int, fault: bool = False) -> list[str]:
        """What is wrong when the n-th run dies at the n-th micro-step and the rest is left alone. With ``fault`` nobody
        dies: the answer of the request at that step is lost."""
        self.machine.restore(self.start)
        runs = [self.machine.apply(die_at=at, fault=fault) for at in deaths]
        return self.complaints(runs)

    def complaints(self, runs: list[Ended]) -> list[str]:
        """Applies until a run says that all is done, and looks whether it is.

        A run that will not repeat what contacts people (exit 9) waits for a person, who looks and allows it. By then
        everything has landed that can: a wrong question shows as somebody who was contacted twice.
        """
        for _ in range(RERUNS):
            if runs[-1].code == 0:
                break
            runs.append(self.machine.apply(*self._let_again(runs[-1])))
        told = f"after {[r.code for r in runs]} {[r.said for r in runs if r.said]}"
        found = [] if runs[-1].code == 0 else ["never done"]
        seen = self._seen()
        for name in ("picture", "owned", "books"):
            if (one := getattr(seen, name)) != (other := getattr(self.wanted, name)):
                found.append(f"{name}: {one}\n    instead of {other}")
        if seen.effects > self.wanted.effects:
            found.append(f"{seen.effects} requests took effect instead of {self.wanted.effects}")
        found += self._contacted_twice(runs)
        if not found:
            again = self.machine.apply()
            if again.code != 0 or again.sent:
                found.append(f"applied once more: {again.code} {again.said}, sent {len(again.sent)}")
        return [f"{told}: {one}" for one in found]

    def _let_again(self, run: Ended) -> list[str]:
        """What a person allows who was asked about one of the scenario's addresses."""
        if not self.scenario.repeat or run.code != 9:
            return []
        return [f"repeat={a}" for a in re.findall(r"[^\s,;:]+", run.said) if a.startswith(self.scenario.repeat)]

    def _contacted_twice(self, runs: list[Ended]) -> Iterator[str]:
        """Each run was approved once: what starts contacting people leaves once in each."""
        for run in runs:
            starting = Counter(s for s in run.sent if any(part in s[1] for part in self.scenario.contacts))
            yield from (f"sent {n} times under one approval: {m} {u}" for (m, u, _), n in starting.items() if n > 1)


@pytest.fixture
def trial(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    scenario, lag_s = request.param
    return Trial(scenario, tmp_path, monkeypatch, lag_s)


lagging = pytest.mark.parametrize(
    "trial", [(s, LAGGING_S) for s in SCENARIOS], ids=[str(s) for s in SCENARIOS], indirect=True
)
instant = pytest.mark.parametrize(
    "trial", [(s, 0.0) for s in SCENARIOS], ids=[str(s) for s in SCENARIOS], indirect=True
)


def judged(found: Mapping[str, list[str]]) -> None:
    """Fails with everything that went wrong in any schedule."""
    wrong = [f"{schedule}:\n    " + "\n    ".join(problems) for schedule, problems in found.items() if problems]
    assert not wrong, f"{len(wrong)} of {len(found)} schedules\n" + "\n".join(wrong)


def every_crash(trial: Trial, moments: range) -> None:
    judged({f"dies at {at} ({trial.steps[at]})": trial.complaints_after(at) for at in moments})


def every_lost_answer(trial: Trial) -> None:
    moments = [at for at, step in enumerate(trial.steps) if step.startswith(("late", "landed"))]
    judged({f"no answer at {at} ({trial.steps[at]})": trial.complaints_after(at, fault=True) for at in moments})


@lagging
@pytest.mark.survives("F108", title="killed at any moment")
def test_a_crash_at_some_moments_of_every_scenario(trial: Trial) -> None:
    first = SCENARIOS.index(trial.scenario) % SHARE
    every_crash(trial, range(first, len(trial.steps), SHARE))


@pytest.mark.long
@lagging
@pytest.mark.survives("F108", title="killed at any moment")
def test_a_crash_at_every_moment(trial: Trial) -> None:
    every_crash(trial, range(len(trial.steps)))


@pytest.mark.long
@instant
@pytest.mark.survives("F108", title="killed at any moment")
def test_a_crash_at_every_moment_when_everything_shows_at_once(trial: Trial) -> None:
    every_crash(trial, range(len(trial.steps)))


@pytest.mark.long
@lagging
@pytest.mark.survives("F006")
@pytest.mark.survives("F016")
def test_every_lost_answer(trial: Trial) -> None:
    every_lost_answer(trial)


def pairs(trial: Trial, first: int) -> dict[str, list[str]]:
    """Every crash of the run after a crash at ``first``, until one of them ends by itself."""
    machine, found = trial.machine, {}
    machine.restore(trial.start)
    dead = machine.apply(die_at=first)
    between = machine.snapshot()
    second = 0
    while True:
        machine.restore(between)
        run = machine.apply(die_at=second)
        found[f"dies at {first} ({trial.steps[first]}), then at {second}"] = trial.complaints([dead, run])
        if run.code is not None:
            return found
        second += 1


@pytest.mark.long
@pytest.mark.nightly
@pytest.mark.timeout(1200)
@lagging
def test_every_pair_of_crashes_of_a_small_scenario(trial: Trial) -> None:
    if len(trial.steps) <= SMALL:
        for first in range(len(trial.steps)):
            judged(pairs(trial, first))


DOUBLE = [
    s
    for s in SCENARIOS
    if s.name in ("slicktext create a list", "intelepeer upload members", "contactcenter add one lead of several")
]


@pytest.mark.parametrize("trial", [(s, LAGGING_S) for s in DOUBLE], ids=[str(s) for s in DOUBLE], indirect=True)
@pytest.mark.survives("F109", title="killed again while recovering")
def test_a_crash_while_a_lost_request_is_settled(trial: Trial) -> None:
    """The recovery itself dies, at each of its moments, after the request that lands latest."""
    (late,) = (at for at, step in enumerate(trial.steps) if step.startswith("late"))
    judged(pairs(trial, late))


TRIPLE = [s for s in SCENARIOS if any(word in s.name for word in ("and", "replace", "rename", "chunks", "two"))]


@pytest.mark.long
@pytest.mark.nightly
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("trial", [(s, LAGGING_S) for s in TRIPLE], ids=[str(s) for s in TRIPLE], indirect=True)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deaths=st.lists(st.integers(0, 24), min_size=3, max_size=3))
def test_three_crashes_in_a_row(trial: Trial, deaths: list[int]) -> None:
    judged({f"dies at {deaths}": trial.complaints_after(*deaths)})
