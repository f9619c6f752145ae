"""The benchmarks still run: every case once at a tiny size, all variants doing the same work. No times are judged."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import flame, machine, plot, profile, samples
from benchmarks.case import Budget, Cap, Case, Ratio, Share, Size
from benchmarks.cases import CASES
from benchmarks.judge import Verdict, judged
from benchmarks.measure import Failed, Measurement
from benchmarks.run import Result, run
from benchmarks.table import README, put, section


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_runs_and_is_judged(case: Case) -> None:
    result = run(case, Size.TINY, 1, warm=False, limit_s=60, tell=lambda text: None)
    rows = judged(result)
    assert [row.budget for row in rows] == [b for b in case.budgets if Size.TINY in b.sizes]
    assert all(value >= 0 for row in rows for value in row.values)
    assert set(case.agree) <= {fact for runs in result.runs.values() for m in runs for fact in m.values}


def a_result(*, ours: list[float], peer: list[float], budget: Budget) -> Result:
    case = Case(name="made-up", what="", prepare="", sizes={}, variants=(), budgets=(budget,))

    def taken(seconds: list[float]) -> list[Measurement]:
        return [Measurement(values={"wall_s": s, "peak_mib": 50.0, "done": 9.0, "asked": 10.0}) for s in seconds]

    return Result(case=case, size=Size.NORMAL, runs={"ours": taken(ours), "peer": taken(peer)})


def judge(budget: Budget) -> Verdict:
    (row,) = judged(a_result(ours=[2.0, 9.0, 3.0], peer=[1.0, 3.0, 2.0], budget=budget))
    return row


def test_ratios_are_taken_inside_each_run() -> None:
    row = judge(Budget(what="w", peer="p", measure=Ratio(of="ours", to="peer", at_most=1.9)))
    assert row.values == (2.0, 3.0, 1.5)
    assert (row.median, row.met) == (2.0, False)
    assert (row.ours, row.theirs) == ((3.0, 50.0), (2.0, 50.0))


@pytest.mark.parametrize(
    ("measure", "met"),
    [
        (Ratio(of="ours", to="peer"), None),
        (Ratio(of="ours", to="peer", at_most=2.0), True),
        (Share(of="ours", part="done", whole="asked", at_least=0.9), True),
        (Share(of="ours", part="done", whole="asked", at_least=0.95), False),
        (Share(of="ours", part="done", whole="asked", at_most=0.8), False),
        (Cap(of="ours", at_most=49.0), False),
        (Cap(of="ours", at_most=50.0), True),
    ],
)
def test_the_median_decides(measure: Ratio | Share | Cap, met: bool | None) -> None:
    assert judge(Budget(what="w", peer="p", measure=measure)).met is met


def test_variants_that_differ_in_what_they_found_are_no_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import run as running
    from benchmarks.case import Command, Variant

    found = iter([1.0, 2.0])
    monkeypatch.setattr(running, "prepare", lambda *_, **__: None)
    monkeypatch.setattr(running, "measure", lambda *_, **__: Measurement(values={"adds": next(found)}))
    variants = tuple(Variant(name=name, run=Command(words=())) for name in ("a", "b"))
    case = Case(name="odd", what="", prepare="", sizes={Size.TINY: 1}, variants=variants, budgets=(), agree=("adds",))
    with pytest.raises(Failed, match="adds"):
        run(case, Size.TINY, 1, warm=False, tell=lambda text: None)


def test_results_take_their_place_in_the_page(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
    rows = [judge(Budget(what="a `thing`", peer="p", measure=Ratio(of="ours", to="peer", at_most=1.9)))]
    text = section(rows, machine.described(), Size.NORMAL, runs=3, note="Shared machine.")
    put(text, Size.NORMAL, page)
    once = page.read_text(encoding="utf-8")
    assert "| a `thing` | p | ≤ 1.9x | **2.00x** | 1.50x to 3.00x | 3.00 s / 2.00 s | 50 / 50 | **not met** |" in once
    assert "**0 of 1 budgets met.** Shared machine." in once
    put(text, Size.NORMAL, page)
    assert page.read_text(encoding="utf-8") == once


def test_the_plot_is_one_and_the_same_picture() -> None:
    row = judge(Budget(what="a < b", peer="p", measure=Cap(of="ours", at_most=25.0)))
    assert plot.used(row) == (2.0, 2.0, 2.0)
    drawn = plot.svg([row])
    assert drawn == plot.svg([row])
    assert ElementTree.fromstring(drawn).find("{http://www.w3.org/2000/svg}circle") is not None


def test_a_profile_names_our_parts_and_the_libraries() -> None:
    parts = {
        "/x/reconciler/plan/planner.py": "planning",
        "/x/site-packages/sqlalchemy/engine/base.py": "store (SQLAlchemy, SQLite)",
        "/x/python3.11/selectors.py": "waiting for answers",
        "/x/somewhere/else.py": None,
    }
    assert {path: samples.part_of(path) for path in parts} == parts
    table = profile.shares_table({"planning": 0.7, "YAML": 0.29, "command line": 0.01})
    assert table.splitlines()[2:] == ["| planning | 70% |", "| YAML | 29% |", "| the rest | 1% |"]


def test_a_profile_names_our_functions_one_by_one_and_libraries_as_a_whole() -> None:
    named = {
        ("/x/reconciler/plan/planner.py", "plan"): "plan.planner.plan",
        ("/x/reconciler/manifest/__init__.py", "load"): "manifest.load",
        ("/x/site-packages/sqlalchemy/engine/base.py", "execute"): "sqlalchemy",
        ("/x/python3.11/asyncio/events.py", "_run"): "asyncio",
        ("/x/python3.11/selectors.py", "select"): "selectors",
        ("/x/benchmarks/child.py", "main"): None,
        ("<string>", "__init__"): None,
    }
    assert {where: samples.name_of(*where) for where in named} == named


def slept() -> None:
    """What the profiler is to see."""
    from time import sleep

    sleep(0.02)


def test_what_the_profiler_saw_is_read_again(tmp_path: Path) -> None:
    samples.take(slept, tmp_path / "samples.json")
    seen = samples.read(tmp_path / "samples.json")
    assert seen.name == "all"
    assert 0.02 <= seen.seconds < 10
    assert sum(samples.shares(seen).values()) == pytest.approx(1)


def a_profile() -> samples.Node:
    tiny = samples.Node("tiny", "planning", own=0.004)
    plan = samples.Node("plan.planner.<plan>", "planning", own=0.5, children=[tiny])
    return samples.Node("all", "wiring", own=0.096, children=[samples.Node("yaml", "YAML", own=0.4), plan])


def test_shares_are_of_what_nobody_below_accounts_for() -> None:
    assert samples.shares(a_profile()) == pytest.approx({"planning": 0.504, "YAML": 0.4, "wiring": 0.096})
    assert [*samples.shares(a_profile())] == ["planning", "YAML", "wiring"]


def test_a_flame_graph_is_one_and_the_same_picture_and_tells_what_is_in_it() -> None:
    drawn = flame.svg(a_profile(), "Where <time> goes")
    assert drawn == flame.svg(a_profile(), "Where <time> goes")
    root, svg = ElementTree.fromstring(drawn), "{http://www.w3.org/2000/svg}"
    assert (root.findtext(f"{svg}title"), root.get("role")) == ("Where <time> goes", "img")
    assert root.findtext(f"{svg}desc") == "Shares of the time: planning 50%, YAML 40%, wiring 10%."
    boxes = {
        (box.findtext(f"{svg}title") or "").partition(":")[0]: box.find(f"{svg}rect") for box in root.iter(f"{svg}g")
    }
    assert boxes.keys() == {"all", "yaml", "plan.planner.<plan>"}  # what is narrower than a line is left out
    widths = {name: float(box.get("width", "0")) for name, box in boxes.items() if box is not None}
    assert widths == pytest.approx({"all": 1200, "yaml": 480, "plan.planner.<plan>": 604.8})


@pytest.mark.parametrize("name", ["plan", "apply"])
def test_the_flame_graphs_are_beside_their_page_and_small(name: str) -> None:
    picture = profile.PAGE.with_name(f"profile-{name}.svg")
    assert f"]({picture.name})" in profile.PAGE.read_text(encoding="utf-8")
    assert picture.stat().st_size < 150_000


def test_a_profile_is_put_between_its_comments_and_nowhere_else() -> None:
    page = "a\n<!-- profile plan -->\nold\n<!-- /profile -->\nb\n"
    assert profile.put(page, "plan", "new") == "a\n<!-- profile plan -->\n\nnew\n\n<!-- /profile -->\nb\n"
    with pytest.raises(ValueError, match="apply"):
        profile.put(page, "apply", "new")
