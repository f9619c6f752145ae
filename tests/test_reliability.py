"""The table of ``docs/reliability.md`` says what the tests show, no more and no less."""

from __future__ import annotations

from pathlib import Path

import pytest

from fault_catalogue import ROWS
from survival import ROOT, SURVEY, Survey, committed, everywhere, open_cells, survived_in, table

HINT = "make reliability writes the table anew; read the difference"


@pytest.fixture
def survey(pytestconfig: pytest.Config) -> Survey:
    return pytestconfig.stash[SURVEY]


@pytest.fixture
def whole(pytestconfig: pytest.Config) -> bool:
    """Whether this session collected every test there is."""
    start = pytestconfig.invocation_params.dir
    return any((start / Path(a)).resolve() in (ROOT, ROOT / "tests") for a in pytestconfig.args)


def test_whatever_is_shown_is_in_the_table(survey: Survey) -> None:
    assert survey.cells - survived_in(committed()) == set(), HINT


def test_whatever_is_in_the_table_is_shown(survey: Survey, whole: bool) -> None:
    if not whole:
        pytest.skip("only a part of the tests was collected")
    assert survived_in(committed()) - survey.cells == set(), HINT
    assert committed() == table(survey, survey.cells), HINT


def test_no_fault_of_the_catalogue_is_forgotten() -> None:
    """A cell is survived, or it is on the list of what is open with the reason, and never both."""
    survived = survived_in(committed())
    assert everywhere() - survived == open_cells()
    assert open_cells() <= everywhere()


def test_the_catalogue_has_no_gap() -> None:
    assert list(ROWS) == [f"F{n:03}" for n in range(1, len(ROWS) + 1)]
