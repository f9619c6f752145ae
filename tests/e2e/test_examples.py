"""Every shipped example does what its README says, against the sandbox it comes with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from reconciler.apply.departure import Departure
from reconciler.errors import Withheld
from reconciler.sandbox import Sandbox

from repository import EXAMPLES, Repository


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> object:
    seed = Path(EXAMPLES / request.getfixturevalue("name") / "sandbox.yaml")
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.mark.parametrize("name", ["slicktext", "intelepeer", "both", "contactcenter", "four"])
def test_an_example_applies_and_settles(name: str, example: Callable[[str], Repository], sandbox: Sandbox) -> None:
    repository = example(name)
    variables = yaml.safe_load((EXAMPLES / name / "reconciler.yaml").read_text())["spec"]["variables"]
    urls = [w for v in variables if v.endswith("_url") for w in ("--var", f"{v}={sandbox.url}")]
    assert repository("validate").code == 0
    plan = repository.plan(*urls)
    assert plan.code == 0, plan.err
    assert plan.json["summary"]["create"] > 0
    assert repository.writes() == []
    result = repository("apply", "--yes", "--approve", "delete", "--format", "json", *urls)
    assert result.code == 0, result.err
    assert result.json["verified"] is True
    assert result.json["counts"]["done"] >= plan.json["summary"]["calls"]
    assert repository.plan("--detailed-exitcode", *urls).code == 0
    assert sandbox.ledger()["contacted"] == {} or not any(sandbox.ledger()["contacted"].values())
    assert sandbox.ledger()["duplicates"] == []


@pytest.mark.parametrize("name", ["slicktext", "intelepeer", "exotel", "contactcenter"])
def test_nothing_leaves_that_is_not_let_go(
    name: str, example: Callable[[str], Repository], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every write of every provider asks right before it leaves."""

    async def never(departure: Departure, *, again: bool) -> None:
        raise Withheld("stopped at the door")

    monkeypatch.setattr(Departure, "__call__", never)
    repository = example(name)
    variables = yaml.safe_load((EXAMPLES / name / "reconciler.yaml").read_text())["spec"]["variables"]
    urls = [w for v in variables if v.endswith("_url") for w in ("--var", f"{v}={sandbox.url}")]
    result = repository("apply", "--yes", "--approve", "delete,contact", *urls)
    assert result.code == 7, result.out + result.err
    assert "stopped at the door" in result.out
    assert repository.writes() == []


@pytest.mark.parametrize("name", ["slicktext"])
def test_five_thousand_people_take_the_fewest_calls(
    name: str, example: Callable[[str], Repository], sandbox: Sandbox
) -> None:
    repository = example(name)
    url = ("--var", f"slicktext_url={sandbox.url}")
    plan = repository.plan(*url)
    members = next(c for c in plan.json["changes"] if c["name"] == "newsletter-members")
    assert members["members"]["add"] == 4999  # one of the 5,000 is suppressed
    assert members["calls"] == 63
    assert repository("apply", "--yes", *url).code == 0
    added = [r for r in sandbox.requests() if r["method"] == "POST" and r["path"].endswith("/lists/contacts")]
    assert len(added) == 63 + 1
    newsletter = next(x for x in sandbox.state()["slicktext"]["lists"] if x["name"] == "Newsletter")
    assert len(newsletter["members"]) == 4999
    assert "+12025550042" not in newsletter["numbers"]
