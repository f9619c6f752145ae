"""Rails that hold over several commands: protection that sticks, a freeze in mid-run, what others did meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.app import applying
from reconciler.apply import control
from reconciler.sandbox import Sandbox

from repository import Repository


def a_list(name: str, protect: str = "", remove: str = "delete") -> str:
    life = f"lifecycle: {{onRemove: {remove}{protect}}}\n"
    return f"apiVersion: slicktext/v1\nkind: List\nmetadata: {{name: {name}}}\nspec: {{name: L {name}}}\n{life}---\n"


def names(sandbox: Sandbox) -> set[str]:
    return {x["name"] for x in sandbox.state()["slicktext"]["lists"]}


def test_protection_outlives_its_manifest_and_takes_two_applies_to_lift(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("a.yaml", a_list("a", protect=", protect: true"))
    texts.apply()
    texts.remove("a.yaml")
    for _ in range(2):
        applied = texts("apply", "--yes", "--approve", "delete", "--format", "json")
        assert applied.code == 0
        assert names(sandbox) == {"L a"}
    assert "protected-kept" in texts("plan").out
    # Saying in one step that it may go and taking it away is not enough: there is nobody left to say it.
    texts.write("a.yaml", a_list("a", protect=", protect: false"))
    assert texts.plan().json["changes"] == []
    texts.apply()
    assert names(sandbox) == {"L a"}
    texts.remove("a.yaml")
    assert texts("apply", "--yes").code == 5
    texts.apply()
    assert names(sandbox) == set()


def test_a_freeze_in_mid_run_stops_before_the_next_write(
    texts: Repository, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts.write("lists.yaml", "".join(a_list(f"l{i}") for i in range(5)))
    real = control.frozen
    assert applying.frozen is real  # imported before, so that only what asks in mid-run is told otherwise

    def frozen(root: Path, variable: str | None) -> str:
        if len(names(sandbox)) >= 2:
            (root / "FREEZE").touch()
        return real(root, variable)

    monkeypatch.setattr(control, "frozen", frozen)
    result = texts("apply", "--yes", "--parallelism", "1", "--format", "json")
    assert result.code == 7
    assert result.json["counts"] == {"done": 2, "failed": 0, "blocked": 0, "notAttempted": 3, "unresolved": 0}
    assert "FREEZE" in result.out
    assert texts("apply", "--yes").code == 5
    monkeypatch.setattr(control, "frozen", real)
    (texts.root / "FREEZE").unlink()
    texts.apply()
    texts.settled()


def test_a_change_by_somebody_else_between_plan_and_apply_stops_that_object_only(
    texts: Repository, sandbox: Sandbox, tmp_path: Path
) -> None:
    texts.write("lists.yaml", a_list("a") + a_list("b"))
    texts.apply()
    text = a_list("a").replace("name: L a}", "name: L a, description: new}")
    texts.write("lists.yaml", text + a_list("b"))
    assert texts("plan", "--out", str(tmp_path / "plan.json")).code == 0
    sandbox.tamper("slicktext", "edit_list", list="L a", set={"description": "by hand"})
    before = len(texts.writes())
    stale = texts("apply", str(tmp_path / "plan.json"))
    assert stale.code == 6
    assert "main/List/a" in stale.err
    assert len(texts.writes()) == before


def test_an_object_that_was_renamed_by_hand_is_renamed_back_and_not_made_again(
    texts: Repository, sandbox: Sandbox
) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.apply()
    sandbox.tamper("slicktext", "edit_list", list="L a", set={"name": "Elsewhere"})
    assert texts.plan().changes() == [("update", "List/a")]
    texts.apply()
    assert names(sandbox) == {"L a"}


def test_an_object_of_that_name_that_is_not_ours_is_adopted_only_when_approved(
    texts: Repository, sandbox: Sandbox
) -> None:
    sandbox.tamper("slicktext", "create_list", name="L a")
    texts.write("lists.yaml", a_list("a"))
    assert texts.plan().changes() == [("adopt", "List/a")]
    assert texts("apply", "--approve", "update").code == 5
    texts.apply()
    assert texts.writes() == []


def test_an_interrupt_between_the_plan_and_the_apply_sends_nothing(texts: Repository, sandbox: Sandbox) -> None:
    """The signal comes while the account is read: approved or not, nothing is applied any more."""
    texts.write("lists.yaml", a_list("a"))
    sandbox.set_faults([{"method": "GET", "path": "/v1/*/lists", "fault": {"kind": "latency", "ms": 3000}}])
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "--yes"],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not any(r["path"].endswith("/lists") for r in sandbox.requests()) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    assert texts.writes() == []


def test_an_empty_set_of_manifests_is_refused_and_a_missing_path_as_well(texts: Repository) -> None:
    texts.write("lists.yaml", a_list("a"))
    texts.apply()
    before = len(texts.writes())
    for file in (texts.root / "manifests").iterdir():
        file.unlink()
    assert texts("apply", "--yes", "--approve", "delete").code in (0, 3)
    assert texts("apply", "nowhere", "--yes", "--approve", "delete").code == 64
    assert len(texts.writes()) == before
