"""What this repository gives to pipelines: it parses, is safe, names commands that exist, and does as it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

import official
from command_lines import check_typed, command_lines, scripts

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
        (ACTION, official.ACTION),
        (ROOT / ".github/workflows/ci.yml", official.WORKFLOW),
        (JOBS, official.GITLAB),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_reads_it_takes_it(file: Path, schema: str) -> None:
    assert official.pipeline_problems(schema, file.read_text()) == []


def test_the_hooks_are_what_pre_commit_asks_of_hooks() -> None:
    hooks = yaml.safe_load(HOOKS.read_text())
    assert len({hook["id"] for hook in hooks}) == len(hooks) > 0
    for hook in hooks:
        assert {"id", "name", "entry", "language"} <= hook.keys()
        switches = {"pass_filenames", "require_serial"}
        assert hook.keys() <= {"id", "name", "description", "entry", "language", "files", *switches}
        assert hook["language"] == "python"
        assert all(isinstance(value, bool if key in switches else str) for key, value in hook.items())
        re.compile(hook["files"])


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


# --- the hooks, run as pre-commit does: on the staged files whose names fit


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")
PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: acme}
spec: {manifests: [manifests]}
"""
TEXTS = """\
apiVersion: slicktext/v1
kind: Account
metadata: {name: main}
spec:
  brandId: "26136"
  auth: {apiKey: {env: SLICKTEXT_API_KEY}}
---
apiVersion: slicktext/v1
kind: Membership
metadata: {name: vip-members}
spec:
  list: {id: "2222"}
  mode: additive
  contactsFrom:
    - file: ../contacts/vip.csv
"""
ROWS = "number,first_name\n+12025550143,Marty\n"


@dataclass
class Checkout:
    """A Git repository of a user, and the hooks of this one."""

    folder: Path

    def stage(self, name: str, content: str | bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--", name)

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.folder, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout

    def hook(self, name: str, *args: str) -> subprocess.CompletedProcess[str]:
        hook = next(h for h in yaml.safe_load(HOOKS.read_text()) if h["id"] == name)
        staged = self.git("diff", "--cached", "--name-only", "--diff-filter=d").splitlines()
        files = [file for file in staged if re.search(hook["files"], file)]
        program, *words = hook["entry"].split()
        assert program == "reconciler"
        if hook.get("pass_filenames", True):
            words += [*args, *files]
        if not files:
            words = ["version"]  # pre-commit does not run it at all
        command = [sys.executable, "-m", "reconciler", *words]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=60)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    found = Checkout(tmp_path)
    found.git("init", "--quiet")
    found.stage("reconciler.yaml", PROJECT)
    found.stage("manifests/texts.yaml", TEXTS)
    found.stage("contacts/vip.csv", ROWS)
    return found


@needs_git
def test_the_hooks_take_a_repository_that_is_as_it_should_be(checkout: Checkout) -> None:
    for hook in yaml.safe_load(HOOKS.read_text()):
        done = checkout.hook(hook["id"])
        assert done.returncode == 0, done.stderr
    assert checkout.git("diff") == ""


@needs_git
def test_the_format_hook_changes_what_pre_commit_then_shows(checkout: Checkout) -> None:
    checkout.stage("manifests/texts.yaml", TEXTS.replace("  list: {", "  list:   {"))
    checkout.stage(".github/workflows/x.yaml", "on:   push\n")
    done = checkout.hook("reconciler-fmt")
    assert done.returncode == 0, done.stderr
    assert checkout.git("diff", "--name-only") == "manifests/texts.yaml\n"
    assert (checkout.folder / "manifests/texts.yaml").read_text() == TEXTS


@needs_git
@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("export.csv", "name,phone\nAnn,none\nMarty,+12025550143\n", 3),
        ("deep/down/Export.CSV", "a;b\n1;(202) 555-0143\n", 2),
        ("export.tsv", "a\tb\n1\t2025550143\n", 2),
        ("export.jsonl", '{"number": "+12025550143"}\n', 1),
        ("people.vcf", "BEGIN:VCARD\nTEL:+12025550143\n", 2),
        ("windows.csv", "phone\r\n+12025550143\r\n".encode("utf-16"), 2),
        ("latin.csv", b"name,phone\nJos\xe9,+12025550143\n", 2),
        ("people.parquet", b"PAR1", 1),
        ("people.xlsx", b"PK\x03\x04", 1),
        ("people.csv.gz", b"\x1f\x8b", 1),
        ("contacts/vip2.csv", ROWS, 2),
    ],
)
def test_a_file_of_numbers_that_no_manifest_names_is_refused(
    name: str, content: str | bytes, line: int, checkout: Checkout
) -> None:
    checkout.stage(name, content)
    done = checkout.hook("reconciler-contact-guard")
    assert done.returncode == 5
    assert f"{name}:{line}:1: error[contact-file-" in done.stderr
    assert "contactsFrom" in done.stderr
    assert "555" not in done.stderr + done.stdout
    assert done.stderr.count("error[") == 1
    allowed = checkout.hook("reconciler-contact-guard", "--allow-file", name)
    assert allowed.returncode == 0, allowed.stderr


@needs_git
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("figures.csv", "day,count\n2027-01-31,12\n2027-02-01,1700\n"),
        ("sealed.csv", "-----BEGIN AGE ENCRYPTED FILE-----\n+12025550143\n"),
        ("sealed.csv.gz", b"age-encryption.org/v1\n"),
        ("header.csv", "number,first_name\n"),
        ("notes.txt", "call +12025550143\n"),
    ],
)
def test_what_holds_no_numbers_is_taken(name: str, content: str | bytes, checkout: Checkout) -> None:
    checkout.stage(name, content)
    done = checkout.hook("reconciler-contact-guard")
    assert done.returncode == 0, done.stderr


@needs_git
def test_a_broken_manifest_still_says_which_files_are_its_own(checkout: Checkout) -> None:
    checkout.stage("manifests/texts.yaml", TEXTS.replace("mode: additive", "mode: sometimes"))
    assert checkout.hook("reconciler-validate").returncode == 3
    assert checkout.hook("reconciler-contact-guard").returncode == 0
    checkout.stage("manifests/texts.yaml", TEXTS.partition("---")[0])
    assert checkout.hook("reconciler-contact-guard").returncode == 5


@needs_git
def test_folders_are_searched_and_what_is_not_there_is_a_mistake(checkout: Checkout) -> None:
    checkout.stage("a/b/export.csv", ROWS)
    checkout.stage(".cache/export.csv", ROWS)

    def guard(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "reconciler", "guard", *words]
        return subprocess.run(command, cwd=checkout.folder, capture_output=True, text=True, timeout=60)

    found = guard(".", "--format", "json")
    assert found.returncode == 5
    assert [d["source"]["file"] for d in json.loads(found.stdout)["diagnostics"]] == ["a/b/export.csv"]
    assert guard("nowhere.csv").returncode == 64
    assert guard().stderr.count("error[") == 1
