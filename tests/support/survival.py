"""Which test shows that which fault is survived: the marker ``survives``, and the table in ``docs/reliability.md``.

A test says what it shows with ``@pytest.mark.survives("F005", "F014")``; a row that ``fault_catalogue`` does not have
brings its ``title``. The provider of a cell is the test's parameter ``contract`` or ``provider``, or what the marker
says with ``provider="exotel"``; without any of them the cell belongs to the tool itself.

``make reliability`` runs the marked tests and writes the table anew, with those cells only whose tests all passed.
``test_reliability.py`` fails when the committed table and the marked tests differ: no row is dropped silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fault_catalogue import OPEN, ROWS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
TOOL = "tool"
COLUMNS = {
    "intelepeer": "IntelePeer",
    "exotel": "Exotel",
    "slicktext": "SlickText",
    "contactcenter": "contact centre",
    TOOL: "the tool",
}
BEGIN, END = "<!-- written by `make reliability`: begin -->", "<!-- end -->"
YES, NOT_YET, NEVER = "yes", "open", "-"

Cell = tuple[str, str]
"""A row and a column."""


@dataclass(slots=True)
class Survey:
    """What one session collected: the cells that have tests, those that failed or were skipped, titles of new rows."""

    cells: set[Cell] = field(default_factory=set)
    lost: set[Cell] = field(default_factory=set)
    titles: dict[str, str] = field(default_factory=dict)

    def title(self, row: str) -> str:
        return ROWS[row].title if row in ROWS else self.titles[row]


SURVEY = pytest.StashKey[Survey]()


def cells_of(item: pytest.Item) -> Mapping[Cell, str]:
    """What this test shows, with the titles that its markers bring."""
    found: dict[Cell, str] = {}
    for marker in item.iter_markers("survives"):
        column = marker.kwargs.get("provider") or _column(item)
        for row in marker.args:
            if column in COLUMNS:  # a provider of another package has no column
                found[row, column] = marker.kwargs.get("title", "")
    return found


def _column(item: pytest.Item) -> str:
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    for name in ("contract", "provider"):
        if (value := parameters.get(name)) is not None:
            return str(getattr(value, "name", value))
    return TOOL


def applies(row: str) -> frozenset[str]:
    """The columns that a row of the catalogue is about."""
    return frozenset(ROWS[row].columns) if row in ROWS else frozenset()


def everywhere() -> frozenset[Cell]:
    """Every cell that the catalogue asks for."""
    return frozenset((row, column) for row in ROWS for column in applies(row))


def open_cells() -> frozenset[Cell]:
    """What nobody has shown yet, and said so."""
    return frozenset((row, column) for row, columns in OPEN.items() for column in columns.columns)


# --- the table -------------------------------------------------------------------------------------------------------


def table(survey: Survey, survived: Iterable[Cell]) -> str:
    """The part of the page that is written by command."""
    survived = set(survived)
    rows = sorted(set(ROWS) | {row for row, _ in survived})
    lines = ["| | fault | " + " | ".join(COLUMNS.values()) + " |", "|---|---|" + "---|" * len(COLUMNS)]
    for row in rows:
        words = [_word((row, column), survived) for column in COLUMNS]
        lines.append(f"| {row} | {survey.title(row)} | " + " | ".join(words) + " |")
    if OPEN:
        lines += ["", "Open:", ""]
        lines += [f"- {row} ({', '.join(COLUMNS[c] for c in o.columns)}): {o.why}" for row, o in sorted(OPEN.items())]
    return "\n".join(lines)


def _word(cell: Cell, survived: set[Cell]) -> str:
    if cell in survived:
        return YES
    return NOT_YET if cell in everywhere() else NEVER


def committed() -> str:
    """The table as it stands on the page. Raises ValueError when the page has none."""
    page = PAGE.read_text(encoding="utf-8")
    return page[page.index(BEGIN) + len(BEGIN) : page.index(END)].strip()


def survived_in(text: str) -> set[Cell]:
    """The cells that a table says are survived."""
    found = set()
    for line in text.splitlines():
        if re.match(r"\| [FS]\d{3} \|", line):
            row, _, *words = (part.strip() for part in line.strip("|").split("|"))
            found |= {(row, column) for column, word in zip(COLUMNS, words, strict=True) if word == YES}
    return found


def rewrite(text: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, after = page[: page.index(BEGIN) + len(BEGIN)], page[page.index(END) :]
    PAGE.write_text(f"{before}\n\n{text}\n\n{after}", encoding="utf-8")


# --- pytest ----------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-reliability", action="store_true", help="write the table of docs/reliability.md anew")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "survives(*rows, title, provider): the faults that this test shows to be survived"
    )
    config.stash[SURVEY] = Survey()
    config.pluginmanager.register(Watch(config), "survival-watch")


class Watch:
    """Listens to one session. Under xdist the workers collect, and the controller hears how every test went."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._survey = config.stash[SURVEY]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Before anything is deselected: what the whole suite can show."""
        for item in items:
            for (row, column), title in cells_of(item).items():
                if row not in ROWS and not title and row not in self._survey.titles:
                    raise pytest.UsageError(f"{item.nodeid}: {row} is not in the catalogue and has no title")
                self._note((row, column), title)
                item.user_properties.append(("survives", [row, column, title]))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == "survives":
                row, column, title = value
                self._note((row, column), title)
                if report.failed or report.skipped:
                    self._survey.lost.add((row, column))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        on_worker = hasattr(self._config, "workerinput")
        if on_worker or not self._config.getoption("--rewrite-reliability", default=False):
            return
        rewrite(table(self._survey, self._survey.cells - self._survey.lost))

    def _note(self, cell: Cell, title: str) -> None:
        self._survey.cells.add(cell)
        if title:
            self._survey.titles[cell[0]] = title
