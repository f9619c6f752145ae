"""Reports as files beside the text, for plans, applies and drift alike; and events as they happen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from official import SARIF, json_problems, junit_problems
from repository import Repository

LIST = """\
apiVersion: slicktext/v1
kind: List
metadata: {name: join}
spec: {name: "Join | <b>now</b>", description: first}
"""
FILES = ("markdown=out.md", "sarif=out.sarif", "junit=out.xml", "gitlab=out.gitlab.json", "ndjson=out.ndjson")
REPORTS = tuple(word for file in FILES for word in ("--report", file))


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("drift",)], ids=lambda words: words[0])
def test_every_report_is_written_beside_the_text(
    texts: Repository, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    summary = texts.root / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    texts.write("list.yaml", LIST)
    result = texts(*command, *REPORTS)
    assert result.code == 0, result.err
    assert "List/join" in result.out
    for file in FILES:
        name = file.partition("=")[2]
        held = (texts.root / name).read_text()
        assert held.strip(), name
        assert (texts.root / name).stat().st_mode & 0o077 == 0
        told = command[0] == "drift" or "gitlab" not in name
        if told and not (command[0] == "apply" and "sarif" in name):  # what is done is no finding
            assert "main/List/join" in held, name
    assert "`main/List/join`" in summary.read_text()
    assert summary.read_text().startswith("before\n")
    if command == ("plan",):  # although the text on stdout does without
        assert all("scrypt$" in (texts.root / name).read_text() for name in ("summary.md", "out.md", "out.ndjson"))
        assert "scrypt$" not in result.out
    assert list(junit_problems((texts.root / "out.xml").read_text())) == []
    counts = json.loads((texts.root / "out.gitlab.json").read_text())
    if command[0] != "drift":
        assert counts == {"create": 1, "update": 0, "delete": 0}


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("apply",), ("drift",)], ids=" ".join)
def test_reports_are_what_their_readers_take(texts: Repository, command: tuple[str, ...]) -> None:
    texts.write("list.yaml", LIST)
    texts(*command, "--report", "junit=out.xml", "--report", "sarif=out.sarif")
    assert list(junit_problems((texts.root / "out.xml").read_text())) == []
    assert json_problems(SARIF, json.loads((texts.root / "out.sarif").read_text())) == []


def test_a_report_that_cannot_be_written_keeps_no_other_from_it(
    texts: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts.write("list.yaml", LIST)
    replaced = Path.replace

    def full(self: Path, target: Path) -> Path:
        if "out.xml" in str(target) or "out.md" in str(target):
            raise OSError(28, "No space left on device")
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", full)
    result = texts("plan", *REPORTS)
    assert result.code == 3
    assert "out.md cannot be written" in result.err
    assert "out.xml cannot be written" in result.err
    assert {f.name for f in texts.root.glob("out.*")} == {"out.sarif", "out.gitlab.json", "out.ndjson"}


def test_help_names_the_formats_of_its_command(texts: Repository) -> None:
    assert "[default: dot]" in texts("graph", "--help").out
    assert "[default: text]" in texts("plan", "--help").out


def test_an_apply_tells_its_events_as_lines(texts: Repository) -> None:
    texts.write("list.yaml", LIST)
    result = texts("apply", "--yes", "--format", "ndjson")
    assert result.code == 0, result.err
    told = [json.loads(line) for line in result.out.splitlines()]
    kinds = [row["type"] for row in told]
    assert kinds[:4] == ["run-started", "operation", "verified", "run-ended"]
    assert kinds[-1] == "report"
    assert told[-1]["exit"] == 0
    assert "List/join" in result.err


def test_a_step_summary_that_cannot_be_written_fails_nothing(
    texts: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(Path("nowhere") / "summary.md"))
    texts.write("list.yaml", LIST)
    result = texts("plan")
    assert result.code == 0
    assert "step summary cannot be written" in result.err


def test_the_page_of_the_step_has_the_digest_by_itself(texts: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(texts.root / "summary.md"))
    texts.write("list.yaml", LIST)
    texts("plan")
    assert "scrypt$" in (texts.root / "summary.md").read_text()
