"""What people see: nothing personal, nothing that moves a cursor, stdout for the result and stderr for the rest."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.sandbox import Sandbox

from repository import Repository

MANIFESTS = """\
apiVersion: slicktext/v1
kind: List
metadata: {name: join}
spec: {name: Join, description: "Questions: +1 (615) 555-0177 or 6155550178"}
---
apiVersion: slicktext/v1
kind: Membership
metadata: {name: members}
spec:
  list: join
  mode: exact
  contacts:
    - {number: "+16155550123", first_name: Plantedname}
    - {number: "+16155550124"}
"""
PLANTED = ("6155550123", "6155550124", "555-0177", "6155550178", "Plantedname", "sandbox-slicktext-key", "5550199")


@pytest.fixture
def sandbox() -> object:
    people = [{"number": f"+161555501{n}", "first_name": "Plantedname"} for n in (23, 24, 99)]
    seed = {"slicktext": {"contacts": people, "lists": [{"name": "Join", "members": ["+16155550199"]}]}}
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.mark.parametrize("format_", ["text", "concise", "json"])
def test_no_number_attribute_or_secret_is_in_any_output(texts: Repository, format_: str, sandbox: Sandbox) -> None:
    texts.write("manifests.yaml", MANIFESTS)
    flags = ("--format", format_)
    listing = flags if format_ != "concise" else ()  # what is a line each anyway
    texts("validate", *listing)
    assert texts("plan", "--calls", "--out", "plan.json", *flags).code == 0
    texts("show", "plan.json", "--calls", *flags)
    texts("apply", "--yes", *flags)
    echo = {"error": ["number +16155550123 of Plantedname with key sandbox-slicktext-key is wrong"]}
    sandbox.set_faults([{"method": "DELETE", "fault": {"kind": "error_before", "status": 422, "body": echo}}])
    texts("apply", "--yes", "--approve", "delete", *flags)
    sandbox.set_faults([])
    texts("apply", "--yes", "--approve", "delete", *flags)
    texts("history", *listing)
    texts("history", "show", json.loads(texts("history", "--format", "json").out)["runs"][0]["id"], *listing)
    texts("inventory", "list", *listing)
    everything = "".join(texts.said) + (texts.root / "plan.json").read_text()
    store = b"".join(p.read_bytes() for p in (texts.root / ".reconciler").rglob("*") if p.is_file())
    for planted in PLANTED:
        assert planted not in everything, planted
    for planted in ("6155550123", "6155550124", "6155550199", "Plantedname", "sandbox-slicktext-key"):
        assert planted.encode() not in store, planted


def test_show_pii_shows_them(texts: Repository) -> None:
    texts.write("manifests.yaml", MANIFESTS)
    assert "+16155550123" in texts("plan", "--show-pii").out


def test_control_characters_from_a_provider_are_written_out(texts: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_list", list="Join", set={"description": "\x1b[2Jgone\u202e\r\n::set-output"})
    texts.write("manifests.yaml", MANIFESTS)
    for format_ in ("text", "concise", "json"):
        shown = texts("plan", "--format", format_).out
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "\r" not in shown


def test_results_go_to_stdout_and_everything_else_to_stderr(texts: Repository) -> None:
    texts.write("manifests.yaml", MANIFESTS)
    plan = texts("plan", "--format", "json", "--out", "plan.json")
    json.loads(plan.out)
    refused = texts("apply", "--format", "json")
    assert refused.code == 5
    assert refused.out == ""
    assert "error[refused]" in refused.err
    applied = texts("apply", "--yes", "--approve", "delete", "--format", "json")
    assert json.loads(applied.out)["verified"] is True


def test_plan_bytes_are_the_same_twice_and_whatever_the_hash_seed(texts: Repository) -> None:
    texts.write("manifests.yaml", MANIFESTS)
    stable = []
    for seed in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", "plan", "--format", "json", "--calls"],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=60,
        )
        document = json.loads(done.stdout)
        stable.append(json.dumps([document[k] for k in ("accounts", "changes", "summary", "diagnostics", "calls")]))
    assert len(set(stable)) == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("plan", "nowhere"), 64),
        (("plan", "--format", "yaml"), 64),
        (("plan", "--no-such-option"), 64),
        (("plan", "--allow", "everything"), 64),
        (("plan", "--select", "kind:Contact"), 64),
        (("apply", "--approve", "everything"), 64),
        (("nonsense",), 64),
        (("show", "nowhere.json"), 64),
        (("explain", "no-such-code"), 64),
    ],
)
def test_usage_errors_are_64(texts: Repository, words: tuple[str, ...], code: int) -> None:
    texts.write("manifests.yaml", MANIFESTS)
    result = texts(*words)
    assert result.code == code
    assert "Traceback" not in result.err
    assert texts.sandbox.requests() == []


def test_what_is_told_of_a_missing_word_can_be_read(texts: Repository) -> None:
    bare = texts()
    assert (bare.code, bare.out) == (64, "")
    assert bare.err.startswith("Usage: reconciler [OPTIONS] COMMAND [ARGS]...\n\n")
    assert re.search(r"^  plan +Show what differs", bare.err, re.MULTILINE)
    shell = texts("completion")
    assert shell.code == 64
    assert shell.err.endswith("Choose from: bash, zsh, fish\n")
    # What was typed stays on its line: a log that is read by a CI system takes some lines for commands.
    typed = texts("completion", "ba\n::error::sh")
    assert typed.code == 64
    assert "\n::error" not in typed.err


def test_a_part_of_the_project_is_not_applied_as_if_it_were_all(
    texts: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts.write("manifests.yaml", MANIFESTS)
    (texts.root / "FREEZE").write_text("until monday\n", encoding="utf-8")
    monkeypatch.chdir(texts.root / "manifests")
    for words in (("validate",), ("plan",), ("apply", "--yes"), ("drift",), ("graph",)):
        refused = texts(*words)
        assert refused.code == 3
        assert f"error[project-above]: the project is in {texts.root.resolve()}; run it there\n" in refused.err
    assert not (texts.root / "manifests" / ".reconciler").exists()
    assert texts.sandbox.requests() == []
    (texts.root / "manifests" / "part").mkdir()
    (texts.root / "manifests" / "manifests.yaml").rename(texts.root / "manifests" / "part" / "manifests.yaml")
    monkeypatch.chdir(texts.root / "manifests" / "part")
    hint = texts("plan", ".").err.partition("within its project: ")[2].splitlines()[0]
    folder, _, command = hint.removeprefix("cd ").partition(" && ")
    monkeypatch.chdir(folder)
    assert Path.cwd() == texts.root.resolve()
    assert {address for _, address in texts(*shlex.split(command)[1:], "--format", "json").changes()} == {
        "List/join",
        "Membership/members",
    }


def test_global_flags_work_before_and_after_the_command(texts: Repository) -> None:
    texts.write("manifests.yaml", MANIFESTS)
    after = texts("plan", "--format", "concise").out
    before = texts("--format", "concise", "plan").out
    assert before == after


def test_reports_are_written_beside_the_text(texts: Repository) -> None:
    texts.write("manifests.yaml", MANIFESTS)
    result = texts("plan", "--report", "json=report.json")
    assert result.out.count("{") < 5
    assert json.loads((texts.root / "report.json").read_text())["summary"]["membersAdd"] == 2
