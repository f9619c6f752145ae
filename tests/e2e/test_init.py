"""``init``: a new repository that validates, plans and applies before anybody has changed a line of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from reconciler.sandbox import Sandbox

from command_lines import check_typed, command_lines, scripts
from official import GITLAB, WORKFLOW, pipeline_problems
from repository import SECRETS, Repository

PROVIDERS = ("slicktext", "intelepeer", "exotel", "contactcenter")
SEED = {"contactcenter": {"campaigns": [{"name": "Welcome calls", "status": "stopped"}]}}
PIPELINES = {"github": ".github/workflows/reconciler.yaml", "gitlab": ".gitlab-ci.yml"}
IDS = {
    "slicktext": ("--brand-id", "b26136"),
    "intelepeer": ("--base-url", "https://engage.example.com"),
    "exotel": ("--account-sid", "acme1", "--region", "mumbai"),
    "contactcenter": ("--account-id", "00ff", "--domain", "acme", "--base-url", "https://portal.example.com:9443"),
}


@pytest.fixture
def sandbox() -> object:
    with Sandbox(seed=SEED, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def empty(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The command line in a folder with nothing in it."""
    repository.root = tmp_path / "acme outreach"
    repository.root.mkdir()
    monkeypatch.chdir(repository.root)
    return repository


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_validates_plans_and_applies_as_it_is(provider: str, empty: Repository) -> None:
    assert empty("init", "--provider", provider).code == 0
    assert empty("validate").out == "Valid: 1 account, 2 resources.\n"
    assert empty("validate", "-e", "prod").code == 0
    assert empty("fmt", "--check").code == 0
    on_sandbox = ("-e", "sandbox", "--var", f"{provider}_url={empty.sandbox.url}")
    plan = empty.plan(*on_sandbox)
    assert plan.code == 0, plan.out + plan.err
    assert plan.json["summary"]["create"] == (1 if provider == "contactcenter" else 2)
    assert plan.json["summary"]["membersAdd"] == 1
    assert empty.writes() == []
    assert empty("plan", "--detailed-exitcode", "--out", "plan.json", *on_sandbox).code == 2
    done = empty("apply", "plan.json", "-e", "sandbox")
    assert done.code == 0, done.out + done.err
    assert empty.plan("--detailed-exitcode", *on_sandbox).code == 0
    assert not any(empty.sandbox.ledger()["contacted"].values())


def test_a_build_machine_never_goes_on_without_the_store(empty: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    assert empty("init").code == 0
    monkeypatch.delenv("RECONCILER_STORE_URL", raising=False)
    done = empty("apply", "--yes", "-e", "prod", "--var", f"slicktext_url={empty.sandbox.url}")
    assert done.code == 1
    assert "RECONCILER_STORE_URL" in done.err
    assert empty.sandbox.requests() == []
    assert not (empty.root / ".reconciler").exists()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_ids_that_are_given_are_in_place(provider: str, empty: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    done = empty("init", "--provider", provider, "--name", "acme", "--ci", "none", *IDS[provider])
    assert done.code == 0, done.err
    monkeypatch.setenv("RECONCILER_ALLOWED_HOSTS", "portal.example.com engage.example.com")
    assert empty("validate").code == 0
    project = yaml.safe_load((empty.root / "reconciler.yaml").read_text())
    assert project["metadata"]["name"] == "acme"
    variables = project["spec"]["variables"]
    assert set(IDS[provider][1::2]) <= set(variables.values())
    if provider == "exotel":
        assert variables["exotel_url"] == "https://api.in.exotel.com"
    assert not (empty.root / ".github").exists()


@pytest.mark.parametrize("folder", ["2027", "no", "Über uns!", "a" * 80, "---"])
def test_any_folder_gives_a_name(folder: str, empty: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    assert empty("init", f"./{folder}").code == 0
    monkeypatch.chdir(empty.root / folder)
    assert empty("validate").code == 0


@pytest.mark.parametrize(
    "there", ["reconciler.yaml", "manifests/lists.yaml", ".gitignore", "contacts", PIPELINES["github"]]
)
def test_nothing_is_overwritten_and_nothing_written_beside_it(there: str, empty: Repository) -> None:
    file = empty.root / there
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine")
    before = contents(empty.root)
    done = empty("init")
    assert done.code == 3
    assert "init-exists" in done.err
    assert there in done.err
    assert contents(empty.root) == before


def test_a_link_that_leads_nowhere_is_in_the_way_too(empty: Repository) -> None:
    (empty.root / "README.md").symlink_to(empty.root.parent / "elsewhere")
    assert empty("init").code == 3
    assert not (empty.root.parent / "elsewhere").exists()
    assert [p.name for p in empty.root.iterdir()] == ["README.md"]


@pytest.mark.parametrize(
    "words",
    [
        ("--brand-id", "not a brand"),
        ("--account-sid", "acme1"),
        ("--provider", "exotel", "--region", "paris"),
        ("--name", "Not A Name"),
        ("--name", "a\nspec: {}"),
        ("--base-url", "https://user:canary@example.com"),
        ("--provider", "nobody"),
        ("--ci", "jenkins"),
        ("--format", "html"),
    ],
)
def test_what_could_not_be_is_a_usage_error(words: tuple[str, ...], empty: Repository) -> None:
    done = empty("init", *words)
    assert done.code == 64, done.err
    assert "canary" not in done.out + done.err
    assert "reconciler-init-" not in done.err
    assert contents(empty.root) == {}


def test_no_secret_is_written(empty: Repository) -> None:
    for provider in PROVIDERS:
        assert empty("init", provider, "--provider", provider).code == 0
    written = b"".join(contents(empty.root).values()).decode()
    assert [name for name, value in SECRETS.items() if value in written and value != "sandbox"] == []


def test_it_tells_machines_what_it_wrote(empty: Repository) -> None:
    told = json.loads(empty("init", "--format", "json").out)
    assert set(told["files"]) == contents(empty.root).keys()
    assert any("slicktext_brand" in step for step in told["next"])
    assert "reconciler validate" in told["next"]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("ci", PIPELINES)
def test_the_pipeline_is_what_its_readers_take(ci: str, provider: str, empty: Repository) -> None:
    assert empty("init", "--provider", provider, "--ci", ci).code == 0
    schema = {"github": WORKFLOW, "gitlab": GITLAB}[ci]
    assert pipeline_problems(schema, (empty.root / PIPELINES[ci]).read_text()) == []


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("ci", PIPELINES)
def test_a_pipeline_is_safe_and_its_commands_exist(ci: str, provider: str, empty: Repository) -> None:
    assert empty("init", "--ci", ci, "--provider", provider).code == 0
    text = (empty.root / PIPELINES[ci]).read_text()
    assert "<<" not in text
    found = scripts(yaml.safe_load(text))
    assert not any("${{" in script for script in found)
    lines = [line for script in found for line in command_lines(script)]
    assert {line.split()[1] for line in lines} == {"validate", "plan", "apply", "drift"}
    for line in [*lines, *command_lines((empty.root / "README.md").read_text())]:
        check_typed(line)
    assert not any("contact" in line or "--yes" in line for line in lines)
    if ci == "github":
        needed = [*(s for s in SECRETS if s.lower().startswith(provider)), "RECONCILER_STORE_URL"]
        assert all(text.count(f"{name}: ${{{{ secrets.{name} }}}}") == 3 for name in needed)


def test_a_github_pipeline_applies_only_what_was_approved(empty: Repository) -> None:
    empty("init")
    jobs = yaml.safe_load((empty.root / PIPELINES["github"]).read_text())["jobs"]
    assert jobs["apply"]["environment"] == "production"
    assert jobs["apply"]["needs"] == "plan"
    assert "event_name == 'push'" in jobs["apply"]["if"]
    assert jobs["apply"]["concurrency"]["cancel-in-progress"] is False
    assert "schedule" in jobs["drift"]["if"]
    assert any("upload-sarif" in step.get("uses", "") for step in jobs["plan"]["steps"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_says_whether_the_account_answers(provider: str, empty: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("--provider", provider, "--base-url", empty.sandbox.url, "--ci", "none", "--check")
    good = empty("init", "here", *words)
    assert good.code == 0, good.err
    assert f"The account answers: {provider} · " in good.out
    assert empty.writes() == []
    for name in SECRETS:
        monkeypatch.setenv(name, "canary-of-a-secret")
    refused = empty("init", "there", *words)
    assert refused.code == 4, refused.err
    assert "files are written" in refused.err
    assert (empty.root / "there" / "reconciler.yaml").is_file()
    assert "canary" not in refused.out + refused.err + str(contents(empty.root))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_the_account_holds_takes_the_place_of_the_samples(
    provider: str, empty: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = empty("init", "--provider", provider, "--base-url", empty.sandbox.url, "--import", "--format", "json")
    assert done.code == 0, done.err
    assert {*contents(empty.root)} - {".reconciler"} == {*done.json["files"]}
    assert not any("newsletter" in name or "welcome" in name for name in done.json["files"])
    assert empty.writes() == []
    plan = empty.plan()
    assert plan.code == 0, plan.out + plan.err
    assert {action for action, _ in plan.changes()} <= {"adopt"}
    assert empty("validate").code == 0
    assert empty("fmt", "--check").code == 0
