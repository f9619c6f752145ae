"""What this repository gives to pipelines: it parses, is safe, names commands that exist, and does as it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from command_lines import check_typed, command_lines, scripts
from official import pipeline_problems

ROOT = Path(__file__).parent.parent
ACTION = ROOT / "ci/github/action.yml"
JOBS = ROOT / "ci/gitlab/reconciler.gitlab-ci.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
SCAFFOLD = ROOT / "reconciler/app/scaffold"
STEPS = {step["name"]: step for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"] if "name" in step}

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")


@pytest.mark.parametrize("file", [ACTION, JOBS], ids=lambda file: file.name)
def test_no_template_is_part_of_a_script(file: Path) -> None:
    found = scripts(yaml.safe_load(file.read_text()))
    assert found
    assert not any("${{" in script for script in found)
    assert "pull_request_target" not in file.read_text()


@pytest.mark.parametrize("file", [ACTION, JOBS, HOOKS], ids=lambda file: file.name)
def test_every_command_exists(file: Path) -> None:
    found = yaml.safe_load(file.read_text())
    texts = [hook["entry"] for hook in found] if file is HOOKS else scripts(found)
    lines = [line for text in texts for line in command_lines(text)]
    assert lines
    for line in lines:
        check_typed(line)
        assert "--yes" not in line
        assert "contact" not in line


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        (ACTION, "github-action.json"),
        (ROOT / ".github/workflows/ci.yml", "github-workflow.json"),
        (JOBS, "gitlab-ci.json"),
        (HOOKS, "pre-commit-hooks.json"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_reads_it_takes_it(file: Path, schema: str) -> None:
    assert pipeline_problems(schema, file.read_text()) == []


def test_every_value_of_the_action_is_declared() -> None:
    action = yaml.safe_load(ACTION.read_text())
    used = set(re.findall(r"inputs\.([a-z-]+)", ACTION.read_text()))
    assert used == action["inputs"].keys()
    told = set(re.findall(r'echo "([a-z-]+)=', STEPS["Plan"]["run"]))
    assert told == action["outputs"].keys()


def test_the_page_names_every_input() -> None:
    page = (ROOT / "docs/ci.md").read_text()
    assert [name for name in yaml.safe_load(ACTION.read_text())["inputs"] if f"`{name}`" not in page] == []


def test_the_image_has_what_the_package_is_built_from_and_does_not_run_as_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER ")] == ["USER reconciler"]
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {"reconciler", "schemas", "examples", "pyproject.toml", "constraints.txt", "README.md", "LICENSE"} <= kept
    assert all((ROOT / name).exists() for name in kept)


def test_the_templates_of_init_name_no_secret() -> None:
    for file in SCAFFOLD.rglob("*"):
        if file.is_file():
            assert not re.search(r"(?i)(password|token|api_?key): *[\"'a-z0-9]", file.read_text()), file.name


# --- the scripts of the action, run


Script = Callable[[str, Mapping[str, str]], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Runs a step of the action with programs of the test's own in front of the path."""
    (tmp_path / "bin").mkdir()

    def run(step: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", STEPS[step]["run"]],
            env={"PATH": path, "RUNNER_TEMP": str(tmp_path), **env},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
        )

    return run


def program(folder: Path, name: str, text: str) -> None:
    file = folder / "bin" / name
    file.write_text(f"#!/usr/bin/env bash\n{text}")
    file.chmod(0o755)


@needs_bash
@pytest.mark.parametrize(("code", "changes"), [(0, "false"), (2, "true"), (3, "false")])
def test_the_plan_says_how_it_ended(code: int, changes: str, script: Script, tmp_path: Path) -> None:
    program(tmp_path, "reconciler", f'printf "%s\\n" "$@" >{tmp_path}/words\nexit {code}\n')
    out = tmp_path / "outputs"
    hostile = "$(touch pwned); a b"
    done = script("Plan", {"GITHUB_OUTPUT": str(out), "PROJECT_ENVIRONMENT": hostile, "MANIFESTS": "one two"})
    assert done.returncode == 0, done.stderr
    told = dict(line.split("=", 1) for line in out.read_text().splitlines())
    assert (told["exit-code"], told["changes"]) == (str(code), changes)
    words = (tmp_path / "words").read_text().splitlines()
    assert words[-5:] == ["-e", hostile, "--", "one", "two"]
    assert not (tmp_path / "pwned").exists()
    assert script("Result", {"EXIT_CODE": str(code)}).returncode == (0 if code in (0, 2) else code)


def comment(script: Script, folder: Path, known: str, **env: str) -> tuple[list[str], str]:
    """What the comment step asks of ``gh``, which knows one comment or none: its words, and the text it sends."""
    program(
        folder,
        "gh",
        f"""
if [[ " $* " == *" --paginate "* ]]; then printf '%s' '{known}'; exit; fi
printf '%s\\n' "$@" >{folder}/asked
for word; do case $word in body=@*) cp "${{word#body=@}}" {folder}/sent ;; esac; done
""",
    )
    given = {"MARKER": "reconciler", "PULL_REQUEST": "7", "GITHUB_REPOSITORY": "acme/outreach", "EXIT_CODE": "2"}
    done = script("Comment", given | {"MARKDOWN": str(folder / "plan.md")} | env)
    assert done.returncode == 0, done.stderr
    return (folder / "asked").read_text().splitlines(), (folder / "sent").read_text()


@needs_bash
@pytest.mark.parametrize(
    ("known", "method", "path"),
    [
        ("", "POST", "repos/acme/outreach/issues/7/comments"),
        ("41\n42\n", "PATCH", "repos/acme/outreach/issues/comments/41"),
    ],
)
def test_one_comment_is_kept_up_to_date(known: str, method: str, path: str, script: Script, tmp_path: Path) -> None:
    (tmp_path / "plan.md").write_text("**a plan** `$(touch pwned)`\n")
    asked, sent = comment(script, tmp_path, known)
    assert method in asked
    assert path in asked
    assert sent == "<!-- reconciler -->\n**a plan** `$(touch pwned)`\n"
    assert not (tmp_path / "pwned").exists()


@needs_bash
def test_a_comment_says_so_when_there_is_no_plan_or_too_much_of_one(script: Script, tmp_path: Path) -> None:
    _, sent = comment(script, tmp_path, "", EXIT_CODE="4")
    assert "exit code 4" in sent
    (tmp_path / "plan.md").write_text("x" * 65_536)
    _, sent = comment(script, tmp_path, "")
    assert "too long" in sent
    assert len(sent) < 1000


@needs_bash
def test_a_marker_cannot_end_the_marker(script: Script) -> None:
    assert script("Comment", {"MARKER": "x --> @everyone"}).returncode == 64


def test_the_pipelines_name_reports_that_the_tool_writes() -> None:
    from reconciler.render import Format

    text = json.dumps([scripts(yaml.safe_load(f.read_text())) for f in (ACTION, JOBS)])
    named = set(re.findall(r"--report \\?\"?([a-z-]+)=", text))
    assert named == {"markdown", "sarif", "gitlab", "gitlab-codequality"}
    assert named <= {str(f) for f in Format}
