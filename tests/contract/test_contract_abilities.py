"""The tables of abilities are true: what they allow is walked through, what they refuse is refused with its code."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from contracts import Contract, Refusal, Trial
from participants import CONTRACTS

from reconciler.plan.rules import Rules

REFUSALS = [pytest.param(c, r, id=f"{c.name}-{r.ability}") for c in CONTRACTS for r in c.refusals if not r.never]
OBJECT_ABILITIES = ("create", "update", "delete", "replace")
MEMBER_ABILITIES = ("exact", "add", "remove", "change")


def refused(rules: Rules) -> Iterator[tuple[str, str]]:
    """(ability, code) of every refusal in a provider's tables."""
    for kind, rule in rules.kinds.items():
        for ability in OBJECT_ABILITIES:
            if (refusal := getattr(rule, ability)) is not None:
                yield f"{kind}.{ability}", refusal.code
    for ability in MEMBER_ABILITIES:
        if (refusal := getattr(rules.membership, ability)) is not None:
            yield f"Membership.{ability}", refusal.code
    if rules.membership.leads is not None:
        yield "Membership.fixed", rules.membership.leads.fixed.code


def test_every_refusal_of_the_tables_is_tried(contract: Contract) -> None:
    assert {(r.ability, r.code) for r in contract.refusals} >= set(refused(contract.rules))


def test_every_refusal_has_a_reason_and_a_remedy(contract: Contract) -> None:
    from reconciler.app.codes import codes

    known = codes()
    for refusal in contract.refusals:
        assert all(known[refusal.code]), refusal.code


@pytest.mark.parametrize(("contract", "refusal"), REFUSALS)
def test_what_cannot_be_done_is_refused_with_a_remedy_and_without_a_write(
    contract: Contract, refusal: Refusal, start: Callable[[Contract], Trial]
) -> None:
    trial = start(contract)
    base = {**contract.walk[0], **refusal.first}
    trial.declare(base)
    trial.repository.apply()
    if refusal.tamper is not None:
        trial.tamper(refusal.tamper)
    before, wrote = trial.picture, trial.writes()
    trial.declare({**base, **refusal.files})
    plan = trial.repository.plan()
    assert plan.code == refusal.exit_code, plan.out + plan.err
    if plan.out:
        told = [d for d in plan.json["diagnostics"] if d["code"] == refusal.code]
        assert told, plan.out
        assert all(d["hint"] and d["message"] for d in told)
    else:
        assert f"error[{refusal.code}]" in plan.err
        assert "hint: " in plan.err
    assert trial.apply().code == refusal.exit_code
    assert trial.picture == before
    assert trial.writes() == wrote


def test_what_the_tables_allow_is_done_on_the_way(trial: Trial) -> None:
    rules, done = trial.contract.rules, set()
    for files in trial.contract.walk:
        trial.declare(files)
        for change in trial.repository.plan().json["changes"]:
            done.add(f"{change['kind']}.{change['action']}")
            members = change["members"] or {}
            done |= {f"Membership.{name}" for name in ("add", "remove") if members.get(name)}
        trial.repository.apply()
    impossible = {ability for ability, _ in refused(rules)}
    wanted = {
        f"{kind}.{ability}"
        for kind, rule in rules.kinds.items()
        if kind != "Membership"
        for ability in ("create", "update", "delete")
        # An association is there or not; its settings are changed where a provider has some.
        if (kind, ability) != ("Association", "update") and not rule.read_only
    }
    assert done >= (wanted | {"Membership.add", "Membership.remove"}) - impossible
