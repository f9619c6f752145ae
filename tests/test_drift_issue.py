"""The steps of the drift job that ``init`` writes for GitHub, run as GitHub does, with programs of the test's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli import run

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")

MARK = "<!-- reconciler-drift -->"
URL = "https://github.com/acme/outreach/actions/runs/7"
TITLE = "Live accounts differ from Git"

# Writes down what it is asked; a search finds the numbers in `known`.
GH = """\
echo "$@" >>asked
case "$1 $2" in
  "api --paginate") cat known 2>/dev/null || true ;;
  "issue create" | "issue edit") for word; do file=$word; done; cp "$file" sent ;;
  "issue close") ;;
  *) exit 1 ;;
esac
"""


@dataclass
class Job:
    """The job in a folder; ``steps`` are those with a name."""

    folder: Path
    definition: Mapping[str, Any]

    @property
    def steps(self) -> Mapping[str, Any]:
        return {step["name"]: step for step in self.definition["steps"] if "name" in step}

    def program(self, name: str, text: str) -> None:
        file = self.folder / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/usr/bin/env bash\n{text}")
        file.chmod(0o755)

    def step(self, name: str, **env: str) -> subprocess.CompletedProcess[str]:
        """As GitHub runs a step that names no shell."""
        given = {"GH_REPO": "acme/outreach", "RUN_URL": URL, "GITHUB_OUTPUT": str(self.folder / "outputs")}
        return subprocess.run(
            ["bash", "-e", "-c", self.steps[name]["run"]],
            env={"PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}", **given, **env},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=30,
        )

    def issue(self, code: int, *, known: str = "", report: str | None = None) -> list[str]:
        """What is asked of gh after the search, which finds ``known``."""
        self.program("gh", GH)
        (self.folder / "known").write_text(known)
        (self.folder / "asked").unlink(missing_ok=True)
        if report is not None:
            (self.folder / "drift.md").write_text(report)
        done = self.step("Issue", EXIT_CODE=str(code))
        assert done.returncode == 0, done.stderr
        search, *rest = [line for line in self.asked() if line.startswith(("api", "issue"))]
        assert search.startswith("api --paginate repos/acme/outreach/issues?state=open")
        return rest

    def asked(self) -> list[str]:
        return (self.folder / "asked").read_text().splitlines()

    @property
    def sent(self) -> str:
        return (self.folder / "sent").read_text()


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "new"]) == 0
    workflow = yaml.safe_load((tmp_path / "new" / ".github/workflows/reconciler.yaml").read_text())
    folder = tmp_path / "job"
    folder.mkdir()
    return Job(folder, workflow["jobs"]["drift"])


def test_the_first_drift_opens_an_issue(job: Job) -> None:
    (asked,) = job.issue(2, report="**1 drifted** `$(touch pwned)`\n")
    assert asked.startswith(f"issue create --title {TITLE} --body-file ")
    assert job.sent == f"{MARK}\n\nAs of {URL}\n\n**1 drifted** `$(touch pwned)`\n"
    assert not (job.folder / "pwned").exists()


def test_every_run_after_it_edits_the_same_one(job: Job) -> None:
    (asked,) = job.issue(2, known="41\n57\n", report="**2 drifted**\n")
    assert asked.startswith("issue edit 41 --body-file ")
    assert job.sent.startswith(MARK)


def test_it_is_closed_when_nothing_drifts_any_more(job: Job) -> None:
    (asked,) = job.issue(0, known="41\n")
    assert asked == f"issue close 41 --comment Nothing drifts any more: {URL}"
    assert job.issue(0) == []


def test_a_report_that_is_too_long_is_not_cut_somewhere(job: Job) -> None:
    job.issue(2, report="x" * 65_000)
    assert "too long" in job.sent
    assert len(job.sent) < 1000


def test_an_issue_that_cannot_be_searched_for_is_not_opened_twice(job: Job) -> None:
    job.program("gh", 'echo "$@" >>asked; exit 1\n')
    assert job.step("Issue", EXIT_CODE="2").returncode != 0
    assert len([line for line in job.asked() if line.startswith("api")]) == 1
    assert not any(line.startswith("issue") for line in job.asked())


@pytest.mark.parametrize("code", [0, 2, 4, 10])
def test_the_job_ends_as_the_comparison_did(code: int, job: Job) -> None:
    job.program("reconciler", f'printf "%s\\n" "$*" >words\nexit {code}\n')
    assert job.step("Drift").returncode == 0
    assert (job.folder / "outputs").read_text() == f"exit-code={code}\n"
    assert (job.folder / "words").read_text().startswith("drift -e prod ")
    assert job.step("Result", EXIT_CODE=str(code)).returncode == code


def test_what_could_not_be_compared_says_nothing_about_drift(job: Job) -> None:
    told = job.steps["Issue"]["if"]
    assert told == " || ".join(f"steps.drift.outputs.exit-code == '{code}'" for code in (0, 2))
    assert job.steps["Issue"]["continue-on-error"] is True
    assert list(job.steps)[-1] == "Result"
    assert "if" not in job.steps["Result"]


def test_the_job_may_write_issues_and_nothing_that_it_need_not(job: Job) -> None:
    assert job.definition["permissions"] == {"contents": "read", "issues": "write", "security-events": "write"}
    assert job.definition["concurrency"]["cancel-in-progress"] is False


def test_the_search_asks_for_the_mark_and_for_a_bot(job: Job) -> None:
    job.issue(2, report="drift\n")
    search = (job.folder / "asked").read_text()
    assert '.user.type == "Bot"' in search
    assert f'startswith("{MARK}")' in search


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not here, and gh has its own inside")
def test_only_an_open_issue_of_a_bot_with_the_mark_is_found(job: Job) -> None:
    issues = [
        {"number": 1, "user": {"type": "User"}, "body": MARK},
        {"number": 2, "user": {"type": "Bot"}, "body": MARK, "pull_request": {}},
        {"number": 3, "user": {"type": "Bot"}, "body": None},
        {"number": 4, "user": {"type": "Bot"}, "body": f"{MARK}\nmore"},
    ]
    job.issue(2, report="drift\n")
    query = (job.folder / "asked").read_text().partition("--jq ")[2].partition("issue ")[0]
    found = subprocess.run(["jq", query], input=json.dumps(issues), capture_output=True, text=True, timeout=30)
    assert found.stdout == "4\n"
