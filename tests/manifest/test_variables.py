"""Variables: who gives them, where they apply, and where they do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import UsageError
from reconciler.manifest.load import Loaded, LoadOptions, load

PROJECT = """
apiVersion: reconciler/v1
kind: Project
metadata: {name: acme}
spec:
  variables: {region: us, team: growth}
  environments:
    prod: {variables: {region: eu}}
"""
REST = """
---
apiVersion: slicktext/v1
kind: Account
metadata: {name: main}
spec: {brandId: 1, auth: {apiKey: {env: KEY}}}
---
apiVersion: slicktext/v1
kind: List
metadata: {name: join, labels: {team: "${var.team}"}}
spec:
  name: Join ${var.region}
  description: "${var.region}-${var.region} $${var.region} ${region} $5"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "all.yaml").write_text(PROJECT + REST)
    return tmp_path


def loaded(path: Path, **options: Any) -> Loaded:
    return load([path], LoadOptions(providers={}, **options))


def names(found: Loaded) -> tuple[str, str, str]:
    assert found.desired is not None, found.diagnostics
    (resource,) = found.desired.resources.values()
    return str(resource.fields["name"]), str(resource.fields["description"]), resource.labels["team"]


def test_the_projects_values_are_put_in(project: Path) -> None:
    assert names(loaded(project)) == ("Join us", "us-us ${var.region} ${region} $5", "growth")


def test_the_stronger_source_wins(project: Path, tmp_path: Path) -> None:
    first, second = tmp_path.parent / "one.values", tmp_path.parent / "two.values"
    first.write_text("region: north\nteam: one\n")
    second.write_text("region: south\n")
    assert names(loaded(project, environment="prod"))[0] == "Join eu"
    assert names(loaded(project, environment="prod", values_files=[first]))[0] == "Join north"
    with_both = loaded(project, values_files=[first, second])
    assert names(with_both)[::2] == ("Join south", "one")
    assert names(loaded(project, values_files=[first], variables={"region": "west"}))[0] == "Join west"


def test_a_values_file_is_part_of_the_digest(project: Path, tmp_path: Path) -> None:
    values = tmp_path.parent / "digest.values"
    values.write_text("region: north\n")
    before = loaded(project, values_files=[values]).desired
    values.write_text("region: south\n")
    after = loaded(project, values_files=[values]).desired
    assert before is not None
    assert after is not None
    assert before.inputs_digest != after.inputs_digest


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("region: no\n", "yaml-changed-value", 1),
        ("a: x\nregion: 5\n", "yaml-changed-value", 2),
        ("region: [x]\n", "wrong-type", 1),
        ("my region: x\n", "bad-name", 1),
        ("- region\n", "not-a-mapping", 1),
        ("region: ~\n", "null-value", 1),
        ("region: {\n", "yaml-syntax", 1),
        ("region: a\nregion: b\n", "yaml-duplicate-key", 2),
    ],
)
def test_what_is_wrong_in_a_values_file_is_told(project: Path, tmp_path: Path, text: str, code: str, line: int) -> None:
    values = tmp_path.parent / "bad.values"
    values.write_text(text)
    found = loaded(project, values_files=[values])
    assert [(d.code, d.source.line) for d in found.diagnostics if d.source] == [(code, line)]


def test_a_values_file_that_is_not_there_is_a_usage_error(project: Path) -> None:
    with pytest.raises(UsageError):
        loaded(project, values_files=[project / "nowhere.yaml"])


def test_a_variable_cannot_smuggle_control_characters_in(project: Path) -> None:
    found = loaded(project, variables={"region": "x\x1b[2J"})
    assert [d.code for d in found.diagnostics] == ["yaml-control-character"]


def test_an_undefined_variable_is_told_with_what_was_meant(project: Path) -> None:
    (project / "more.yaml").write_text(
        "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: b}\nspec: {name: 'A ${var.regoin} ${var.regoin}'}\n"
    )
    (found,) = loaded(project).diagnostics
    assert (found.code, found.hint) == ("undefined-variable", 'did you mean "region"?')


def test_variables_are_not_put_into_credentials_or_names(project: Path) -> None:
    (project / "more.yaml").write_text(
        "apiVersion: slicktext/v1\nkind: Account\nmetadata: {name: '${var.region}'}\n"
        "spec: {brandId: 2, auth: {apiKey: {env: '${var.region}'}}}\n"
    )
    assert [(d.code, d.source.line) for d in loaded(project).diagnostics if d.source] == [
        ("bad-format", 3),
        ("bad-format", 4),
    ]


def test_a_project_that_is_broken_elsewhere_still_gives_its_variables(project: Path) -> None:
    (project / "all.yaml").write_text(PROJECT + "  guards: {maxReach: -1}\n" + REST)
    assert [d.code for d in loaded(project).diagnostics] == ["out-of-range"]


def test_the_environment_has_to_be_declared(project: Path) -> None:
    (found,) = loaded(project, environment="prd").diagnostics
    assert (found.code, found.hint) == ("unknown-environment", 'did you mean "prod"?')
    (project / "all.yaml").write_text(REST.replace("${var.", "${"))
    (found,) = loaded(project, environment="prod").diagnostics
    assert found.code == "unknown-environment"
