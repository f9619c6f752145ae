"""The seeded mutants still fit the source: one that no longer does proves nothing, and nobody would notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutants.seeding import ROOT, Mutant, mutants

EVERY = mutants()


@pytest.mark.parametrize("mutant", EVERY, ids=[m.name for m in EVERY])
def test_a_mutant_can_be_put_in(mutant: Mutant) -> None:
    assert mutant.problem(ROOT) == ""
    assert mutant.why.endswith(".")


def test_there_are_enough_and_each_once() -> None:
    assert len({m.name for m in EVERY}) == len(EVERY) >= 30


def test_a_mutant_is_put_in_and_taken_out(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    source = tmp_path / "source.py"
    source.write_text("one = 1\n", encoding="utf-8")
    mutant = Mutant(name="two", why=".", file="source.py", old="one = 1", new="one = 2", tests=("tests",))
    assert mutant.problem(tmp_path) == ""
    assert mutant.apply(tmp_path) == "one = 1\n"
    assert source.read_text(encoding="utf-8") == "one = 2\n"
    assert "0 times" in mutant.problem(tmp_path)
