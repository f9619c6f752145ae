"""From state to state, and back after drift: every provider ends where its manifests say, and then stays there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from contracts import Contract, Drift, Trial
from participants import CONTRACTS

DRIFTS = [pytest.param(c, d, id=f"{c.name}-{d.title}") for c in CONTRACTS for d in c.drifts]


def test_from_state_to_state_and_then_nothing(trial: Trial) -> None:
    for files in trial.contract.walk:
        trial.declare(files)
        before = trial.writes()
        plan = trial.repository.plan("--detailed-exitcode")
        assert plan.code == 2, plan.out
        assert trial.writes() == before
        trial.repository.apply()
        assert trial.writes() - before == plan.json["summary"]["calls"]
        trial.repository.settled()
    assert trial.writes() == trial.contract.writes
    trial.nobody_was_harmed()


@pytest.mark.parametrize(("contract", "drift"), DRIFTS)
def test_drift_is_seen_and_corrected(contract: Contract, drift: Drift, start: Callable[[Contract], Trial]) -> None:
    trial = start(contract)
    trial.reach()
    wanted = trial.picture
    trial.tamper(drift.operation)
    assert trial.picture != wanted
    assert set(trial.repository.plan().changes()) == set(drift.shows)
    trial.repository.apply()
    assert trial.picture == wanted
    trial.repository.settled()
    trial.nobody_was_harmed()


def test_reading_commands_write_nothing(trial: Trial, tmp_path: Path) -> None:
    trial.reach()
    trial.declare(trial.contract.walk[1])
    before, wrote = trial.picture, trial.writes()
    saved = str(tmp_path / "saved.json")
    assert trial.repository("plan", "--calls", "--out", saved).code == 0
    assert trial.repository("status").code == 0
    assert trial.writes() == wrote
    assert trial.picture == before
    sent = len(trial.sandbox.requests())
    assert trial.repository("show", saved).code == 0
    assert trial.repository("validate").code == 0
    assert trial.repository("call", trial.contract.account_name, "--list").code == 0
    assert len(trial.sandbox.requests()) == sent


def test_two_plans_of_one_world_are_the_same(trial: Trial) -> None:
    trial.reach()
    trial.declare(trial.contract.walk[1])
    first, second = (trial.repository.plan().json for _ in range(2))
    for plan in (first, second):
        # When it was made, how long that took and may take, and a salted digest.
        for name in ("createdAt", "expiresAt", "digest", "reads"):
            plan.pop(name)
        plan.pop("estimate", None)  # there is none without figures of the provider
    assert first == second


def test_no_number_is_shown(trial: Trial) -> None:
    trial.reach(1)
    assert trial.contract.unlisted in str(trial.picture)
    assert trial.contract.unlisted not in "".join(trial.repository.said)


def test_suppressed_people_are_never_written(trial: Trial) -> None:
    number = trial.contract.unlisted
    suppression = (
        f"apiVersion: reconciler/v1\nkind: Suppression\nmetadata: {{name: dnc}}\nspec: {{numbers: ['{number}']}}\n"
    )
    before = str(trial.picture).count(number)
    for files in trial.contract.walk[:2]:
        trial.declare({**files, "dnc.yaml": suppression})
        assert "suppressed-skipped" in {d["code"] for d in trial.repository.plan().json["diagnostics"]}
        trial.repository.apply()
        assert str(trial.picture).count(number) <= before
        assert not any(number.removeprefix("+") in str(r["body"]) for r in trial.sandbox.requests())
        trial.repository.settled()
    trial.nobody_was_harmed()


def test_opted_out_people_are_never_written(trial: Trial) -> None:
    if trial.contract.opt_out is None:
        pytest.skip("this provider does not tell who opted out")
    trial.tamper(trial.contract.opt_out)
    before = str(trial.picture).count(trial.contract.unlisted)
    trial.declare(trial.contract.walk[0])
    assert "opted-out-skipped" in {d["code"] for d in trial.repository.plan().json["diagnostics"]}
    trial.repository.apply()
    assert str(trial.picture).count(trial.contract.unlisted) == before
    trial.repository.settled()
    trial.nobody_was_harmed()
