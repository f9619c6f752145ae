"""Events of an apply folded into a report, and the report as people see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from plan_documents import report

from reconciler.render.apply import progress_line, report_concise, report_text
from reconciler.report import (
    Event,
    Interrupted,
    OperationEvent,
    Outcome,
    PlannedChange,
    Report,
    RunEnded,
    RunStarted,
    Verified,
    fold,
    report_document,
)

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "report.json").read_bytes())


def started(*changes: PlannedChange) -> RunStarted:
    return RunStarted(run_id="r1", started_at="2026-11-21T20:14:05Z", project="acme", changes=changes)


def planned(address: str, operations: int = 1, carried_by: str = "") -> PlannedChange:
    return PlannedChange(address=address, action="create", operations=operations, carried_by=carried_by)


def ended(address: str, outcome: Outcome, **more: Any) -> OperationEvent:
    return OperationEvent(address=address, title="create list", outcome=outcome, **more)


def document(*events: Event) -> dict[str, Any]:
    made = report_document(fold(events))
    Draft202012Validator(SCHEMA).validate(made)
    return made


def outcomes(folded: Report) -> dict[str, Outcome]:
    return {change.address: change.outcome for change in folded.changes}


def test_a_run_in_which_everything_was_done() -> None:
    made = document(
        started(planned("m/List/a"), planned("m/Membership/a", 3)),
        ended("m/List/a", Outcome.DONE, requests=2),
        ended("m/Membership/a", Outcome.DONE, count=3, requests=4),
        Verified(empty=True),
        RunEnded(ended_at="2026-11-21T20:15:00Z", exit_code=0),
    )

    assert made["counts"] == {"done": 4, "failed": 0, "blocked": 0, "notAttempted": 0, "unresolved": 0}
    assert made["requests"] == 6
    assert made["verified"] is True
    assert [c["outcome"] for c in made["changes"]] == ["done", "done"]


def test_the_gravest_operation_speaks_for_its_change() -> None:
    folded = fold(
        [
            started(planned("m/Membership/a", 4)),
            ended("m/Membership/a", Outcome.DONE, count=2),
            ended("m/Membership/a", Outcome.FAILED, detail="refused", hint="look"),
            ended("m/Membership/a", Outcome.UNRESOLVED, detail="no answer", hint="wait"),
        ]
    )

    (change,) = folded.changes
    assert (change.outcome, change.detail, change.hint) == (Outcome.UNRESOLVED, "create list: no answer", "wait")
    assert (change.operations_done, change.operations) == (2, 4)


def test_what_nothing_is_known_of_was_not_attempted() -> None:
    made = document(
        started(planned("m/List/a"), planned("m/List/b"), planned("m/Membership/c", 5)),
        ended("m/List/a", Outcome.DONE),
        ended("m/Membership/c", Outcome.DONE, count=2),
        Interrupted(),
    )

    assert made["counts"] == {"done": 3, "failed": 0, "blocked": 0, "notAttempted": 4, "unresolved": 0}
    assert [c["outcome"] for c in made["changes"]] == ["done", "not-attempted", "not-attempted"]
    assert made["interrupted"] is True
    assert made["exit"] is None
    assert made["endedAt"] is None


def test_a_settled_outcome_replaces_the_unresolved_one() -> None:
    folded = fold(
        [
            started(planned("m/List/a")),
            ended("m/List/a", Outcome.UNRESOLVED, operation="7", requests=1),
            ended("m/List/a", Outcome.DONE, operation="7", requests=2),
        ]
    )

    assert outcomes(folded) == {"m/List/a": Outcome.DONE}
    assert folded.counts[Outcome.UNRESOLVED] == 0
    assert folded.requests == 3


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_carried_change_ends_as_its_carrier_does(outcome: Outcome) -> None:
    folded = fold(
        [
            started(planned("m/Association/x", 0, carried_by="m/Campaign/c"), planned("m/Campaign/c")),
            ended("m/Campaign/c", outcome, detail="because"),
        ]
    )

    assert set(outcomes(folded).values()) == {outcome}
    assert sum(folded.counts.values()) == 1


def test_what_an_earlier_run_left_over_is_told_last() -> None:
    made = document(started(planned("m/List/a")), ended("m/List/old", Outcome.DONE), ended("m/List/a", Outcome.DONE))

    assert [(c["address"], c["action"]) for c in made["changes"]] == [("m/List/a", "create"), ("m/List/old", "recover")]


def test_events_without_a_start_are_refused() -> None:
    with pytest.raises(ValueError, match="begins with RunStarted"):
        fold([Verified(empty=True)])
    with pytest.raises(ValueError, match="starts once"):
        fold([started(), started()])


def test_numbers_of_people_are_masked_in_a_report() -> None:
    folded = fold(
        [
            started(planned("m/Membership/a")),
            ended("m/Membership/a", Outcome.FAILED, detail="+16155550138 was refused", hint="remove +16155550138"),
            Verified(empty=False, reasons=("+16155550138 is missing",)),
        ]
    )

    assert "55501" not in json.dumps(report_document(folded))
    assert json.dumps(report_document(folded, show_pii=True)).count("+16155550138") == 3


plan_of = st.lists(
    st.builds(planned, st.sampled_from(["m/List/a", "m/List/b", "m/List/c"]), st.integers(1, 4)),
    max_size=3,
    unique_by=lambda change: change.address,
)


@given(changes=plan_of, data=st.data())
def test_every_planned_operation_is_counted_once(changes: list[PlannedChange], data: st.DataObject) -> None:
    events = []
    for change in changes:
        for number in range(data.draw(st.integers(0, change.operations))):
            for outcome in data.draw(st.lists(st.sampled_from(Outcome), min_size=1, max_size=2)):
                events.append(ended(change.address, outcome, operation=str(number)))

    folded = fold([started(*changes), *data.draw(st.permutations(events))])

    assert sum(folded.counts.values()) == sum(change.operations for change in changes)
    assert [change.address for change in folded.changes] == [change.address for change in changes]


def test_verified_is_said_only_when_it_is_true() -> None:
    def shown(verified: bool | None) -> str:
        return report_text(report(verified=verified), width=80, color=False)

    assert "Verified: a fresh plan is empty.\n" in shown(True)
    assert "Not verified" in shown(False)
    assert "Not verified" in shown(None)
    assert "Verified:" not in shown(False) + shown(None)


def test_the_command_that_continues_is_the_last_line_and_whole() -> None:
    resume = "reconciler apply -e prod --parallelism 4 " + " ".join(f"manifests/team-{n}" for n in range(9))
    failed = {"address": "m/List/a", "action": "create", "outcome": "failed", "operations": 1, "operationsDone": 0}
    doc = report({**failed, "detail": "refused", "hint": "ask"}, verified=None, exit=7, resume=resume)

    for render in (report_text, report_concise):
        assert render(doc, width=60, color=False).splitlines()[-1] == f"To continue: {resume}"
    assert "why  refused" in report_text(doc, width=60, color=False)


def test_progress_gives_up_speed_before_time_before_the_address() -> None:
    def shown(width: int) -> str:
        return progress_line(
            done=7,
            total=11,
            address="main/Membership/vip-members",
            title="add",
            part=(80, 120),
            calls_per_s=3.94,
            left_s=62,
            width=width,
        )

    assert shown(80) == "[ 7/11] main/Membership/vip-members   add 80/120   3.9 calls/s   1:02 left"
    assert shown(62) == "[ 7/11] main/Membership/vip-members   add 80/120   1:02 left"
    assert shown(50) == "[ 7/11] main/Membership/vip-members   add 80/120"
    assert len(shown(30)) <= 30


def test_progress_without_figures() -> None:
    assert progress_line(done=0, total=3, address="a/List/b", title="", width=80) == "[0/3] a/List/b"
    line = progress_line(done=0, total=3, address="a/List/b", title="wait", left_s=3725.2, width=80)
    assert line == "[0/3] a/List/b   wait   1:02:05 left"
