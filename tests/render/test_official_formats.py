"""SARIF and JUnit are what those say who read them, whatever the document holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_documents import change, drifts, hostile, plan, plans, problem, report, reports

from reconciler.render import Format, Render, render_drift, render_plan, render_report
from reconciler.render.findings import plan_findings
from reconciler.render.sarif import LIMIT, sarif

from official import SARIF, json_problems, junit_problems

GOLDEN = Path(__file__).parents[1] / "golden"
ODD = ("main/List/a\x00b\x1b[2J\ud800", "main/List/ÄÖ ]]>&amp;<x/>", "/", "List", " \t\n")
documents = st.one_of(
    st.tuples(st.just(render_plan), plans(hostile, hostile)),
    st.tuples(st.just(render_report), reports(hostile)),
    st.tuples(st.just(render_drift), drifts(hostile, hostile)),
)


def cases() -> list[Any]:
    kept = [
        pytest.param(render, json.loads(file.read_bytes()), id=f"{file.parent.name}-{file.stem}")
        for render, kind in ((render_plan, "plans"), (render_report, "reports"))
        for file in sorted((GOLDEN / kind).glob(f"*/{kind[:-1]}.json"))
    ]
    assert len(kept) > 6
    somewhere = {"file": "a b/ä#?%.yaml", "line": 3, "column": 1, "length": 0}
    odd = [change("main/List/a") | {"address": name, "source": somewhere} for name in ODD]
    return [
        *kept,
        pytest.param(render_plan, plan(), id="no findings"),
        pytest.param(render_plan, plan(*odd, diagnostics=[problem(address=name) for name in ODD]), id="odd names"),
        pytest.param(render_report, report(endedAt=None), id="no end"),
    ]


def junit(render: Render, doc: dict[str, Any]) -> list[str]:
    return list(junit_problems(render(doc, Format.JUNIT, width=100, color=False)))


def sarif_log(render: Render, doc: dict[str, Any]) -> Any:
    return json.loads(render(doc, Format.SARIF, width=100, color=False))


@pytest.mark.parametrize(("render", "doc"), cases())
def test_junit_is_what_its_readers_take(render: Render, doc: dict[str, Any]) -> None:
    assert junit(render, doc) == []


@pytest.mark.parametrize(("render", "doc"), cases())
def test_sarif_is_what_its_standard_says(render: Render, doc: dict[str, Any]) -> None:
    assert json_problems(SARIF, sarif_log(render, doc)) == []


@settings(max_examples=60, deadline=None)
@given(made=documents)
def test_junit_of_any_document(made: tuple[Render, dict[str, Any]]) -> None:
    assert junit(*made) == []


@settings(max_examples=60, deadline=None)
@given(made=documents)
def test_sarif_of_any_document(made: tuple[Render, dict[str, Any]]) -> None:
    render, doc = made
    assert json_problems(SARIF, sarif_log(render, doc)) == []


def test_a_report_that_is_none_is_noticed() -> None:
    """The checks above can fail."""
    text = render_plan(plan(), Format.JUNIT, width=100, color=False)
    assert list(junit_problems(text.replace("timestamp", "when")))
    assert json_problems(SARIF, {"version": "2.1.0"})


def test_beyond_what_code_scanning_takes_the_least_important_are_left_out() -> None:
    doc = plan(*(change(f"main/List/l{i}") for i in range(30)), diagnostics=[problem(), problem(severity="warning")])
    told = json.loads(sarif(plan_findings(doc), limit=5))
    assert json_problems(SARIF, told) == []
    (run,) = told["runs"]
    assert [r["level"] for r in run["results"]] == ["error", "warning", "note", "note", "note"]
    (said,) = run["invocations"][0]["toolExecutionNotifications"]
    assert said["message"]["text"] == "27 more findings were left out."
    assert "invocations" not in json.loads(sarif(plan_findings(doc)))["runs"][0]
    assert LIMIT == 25_000
