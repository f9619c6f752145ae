"""When answers get lost and pages do not fit together: no duplicate, no plan from a part, and it converges."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from contracts import WRITE_METHODS, WRITE_PATHS, Contract, Drift, Trial, asked
from participants import CONTRACTS

LOSSES = {
    "answer": {"kind": "drop_after"},
    "gateway": {"kind": "error_after", "status": 502},
    "request": {"kind": "drop_before"},
}
SHOWS = {"answer": "F006", "gateway": "F020", "request": "F005"}
"""The rows of docs/reliability.md that each loss is about."""
LOST = [
    pytest.param(c, nth, loss, id=f"{c.name}-{nth}-{loss}", marks=pytest.mark.survives(SHOWS[loss]))
    for c in CONTRACTS
    for nth in range(1, c.writes + 1)
    for loss in LOSSES
]
DRIFTS = [pytest.param(c, d, id=f"{c.name}-{d.title}") for c in CONTRACTS for d in c.drifts]
ODD_PAGES = {
    "twice": {"kind": "duplicated_row"},
    "skipped": {"kind": "skipped_row"},
    "fails": {"kind": "error_before", "status": 500},
    "refused": {"kind": "error_before", "status": 400},
    "cut": {"kind": "truncate", "fraction": 0.5},
    "login page": {"kind": "non_json", "status": 200},
}


@pytest.mark.parametrize(("contract", "nth", "loss"), LOST)
def test_whatever_write_is_lost_nothing_is_done_twice(
    contract: Contract, nth: int, loss: str, start: Callable[[Contract], Trial]
) -> None:
    trial = start(contract)
    rule = {"provider": contract.name, "method": WRITE_METHODS, "path": WRITE_PATHS, "nth": nth, "fault": LOSSES[loss]}
    trial.sandbox.set_faults([rule])
    for files in contract.walk:
        trial.declare(files)
        ended = [trial.apply()]
        while ended[-1].code in (7, 9) and len(ended) < 4:
            ended.append(trial.apply_again(ended[-1]))
        assert ended[-1].code == 0, "".join(trial.repository.said[-2:])
        trial.repository.settled()
    (fault,) = trial.sandbox.call(trial.sandbox.world.faults.dump)
    assert fault["fired"] == 1
    trial.nobody_was_harmed()


@pytest.mark.parametrize("odd", ODD_PAGES)
def test_a_read_that_is_not_whole_is_never_a_plan(trial: Trial, odd: str) -> None:
    trial.reach()
    trial.declare(trial.contract.walk[1])
    before = len(trial.sandbox.requests())
    whole = trial.repository.plan()
    reads = sum(r["method"] == "GET" for r in trial.sandbox.requests()[before:])
    assert reads
    wrote = trial.writes()
    for nth in range(1, reads + 1):
        rule = {"provider": trial.contract.name, "method": "GET", "nth": nth, "fault": ODD_PAGES[odd]}
        trial.sandbox.set_faults([rule])
        plan = trial.repository.plan()
        if plan.code == 0:
            assert asked(plan) == asked(whole), f"read {nth} of {reads}"
        else:
            assert (plan.code, plan.json["changes"]) == (10, []), f"read {nth} of {reads}"
    assert trial.writes() == wrote


@pytest.mark.parametrize(("contract", "drift"), DRIFTS)
def test_a_change_during_the_read_is_seen_whole_or_not_at_all(
    contract: Contract, drift: Drift, start: Callable[[Contract], Trial]
) -> None:
    trial = start(contract)
    trial.reach()
    trial.declare(contract.walk[1])
    dump = trial.sandbox.state()
    before = len(trial.sandbox.requests())
    earlier = asked(trial.repository.plan())
    reads = sum(r["method"] == "GET" for r in trial.sandbox.requests()[before:])
    trial.tamper(drift.operation)
    later = asked(trial.repository.plan())
    for nth in range(1, reads + 1):
        trial.sandbox.call(lambda: trial.sandbox.world.replace(dump))
        fault = {"kind": "tamper", "operation": drift.operation}
        trial.sandbox.set_faults([{"provider": contract.name, "method": "GET", "nth": nth, "fault": fault}])
        plan = trial.repository.plan()
        assert plan.code == 10 or asked(plan) in (earlier, later), f"read {nth} of {reads}"
