"""Plan and report documents as people see them: every folder of ``plans`` and ``reports`` is one case."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.render import Format, render_plan, render_report
from reconciler.render.calls import calls_text

HERE = Path(__file__).parent
SCHEMAS = HERE.parent.parent / "schemas"
PLANS = sorted((HERE / "plans").iterdir())
REPORTS = sorted((HERE / "reports").iterdir())

Golden = Callable[[Path, str], None]


def load(case: Path, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((case / name).read_bytes())
    return loaded


@pytest.mark.parametrize("case", PLANS, ids=lambda case: case.name)
@pytest.mark.parametrize(
    ("name", "format", "width"),
    [
        ("plan.txt", Format.TEXT, 100),
        ("plan.narrow.txt", Format.TEXT, 60),
        ("plan.concise.txt", Format.CONCISE, 100),
    ],
)
def test_plan_is_golden(case: Path, name: str, format: Format, width: int, golden: Golden) -> None:
    plan = load(case, "plan.json")

    golden(case / name, render_plan(plan, format, width=width, color=False))


@pytest.mark.parametrize("case", [c for c in PLANS if "calls" in load(c, "plan.json")], ids=lambda case: case.name)
def test_calls_are_golden(case: Path, golden: Golden) -> None:
    golden(case / "calls.txt", calls_text(load(case, "plan.json"), width=100, color=False))


@pytest.mark.parametrize("case", REPORTS, ids=lambda case: case.name)
@pytest.mark.parametrize(("name", "format"), [("report.txt", Format.TEXT), ("report.concise.txt", Format.CONCISE)])
def test_report_is_golden(case: Path, name: str, format: Format, golden: Golden) -> None:
    golden(case / name, render_report(load(case, "report.json"), format, width=100, color=False))


@pytest.mark.parametrize(("cases", "name"), [(PLANS, "plan"), (REPORTS, "report")], ids=["plans", "reports"])
def test_golden_documents_are_what_the_schemas_say(cases: list[Path], name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)

    problems = [
        f"{case.name}: {e.message}" for case in cases for e in validator.iter_errors(load(case, f"{name}.json"))
    ]

    assert problems == []
