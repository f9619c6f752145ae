"""Lifecycle rules of folders: the deepest wins, the document's own win over all, field by field."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.manifest.load import Loaded, LoadOptions, load
from reconciler.model.resources import Lifecycle, OnRemove

ACCOUNT = """\
apiVersion: slicktext/v1
kind: Account
metadata: {name: main}
spec: {brandId: "26136", auth: {apiKey: {env: SLICKTEXT_API_KEY}}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "manifests/vip/gold").mkdir(parents=True)
    (tmp_path / "manifests/account.yaml").write_text(ACCOUNT)
    return tmp_path


def write(root: Path, file: str, name: str, lifecycle: str = "", kind: str = "List", spec: str = "") -> None:
    own = f"lifecycle: {lifecycle}\n" if lifecycle else ""
    spec = spec or f"{{name: The {name} list}}"
    text = f"apiVersion: slicktext/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n{own}spec: {spec}\n"
    (root / "manifests" / file).write_text(text)


def loaded(root: Path, rules: str, *paths: str, environment: str = "", more: str = "") -> Loaded:
    (root / "reconciler.yaml").write_text(
        f"apiVersion: reconciler/v1\nkind: Project\nmetadata: {{name: acme}}\n"
        f"spec:\n  manifests: [manifests]\n  lifecycle:\n{rules}{more}"
    )
    return load([Path(path) for path in paths], LoadOptions(environment=environment))


def lifecycles(found: Loaded) -> dict[str, Lifecycle]:
    assert found.desired is not None, found.diagnostics
    return {str(a): r.lifecycle for a, r in found.desired.resources.items()}


RULES = """\
    - {path: manifests/vip/gold, onRemove: keep, ignore: [description]}
    - {path: manifests/vip, protect: true, onRemove: delete}
"""


def test_the_deepest_folder_wins_and_the_document_over_all(project: Path) -> None:
    write(project, "plain.yaml", "plain")
    write(project, "vip/vip.yaml", "vip")
    write(project, "vip/own.yaml", "own", "{protect: false, observe: true}")
    write(project, "vip/gold/gold.yaml", "gold")
    write(project, "vip/gold/mine.yaml", "mine", "{ignore: [name]}")
    assert lifecycles(loaded(project, RULES)) == {
        "main/List/plain": Lifecycle(),
        "main/List/vip": Lifecycle(protect=True, on_remove=OnRemove.DELETE),
        "main/List/own": Lifecycle(on_remove=OnRemove.DELETE, observe=True),
        "main/List/gold": Lifecycle(protect=True, ignore=frozenset({"description"})),
        "main/List/mine": Lifecycle(protect=True, ignore=frozenset({"name"})),
    }


def test_they_hold_when_only_a_file_is_given(project: Path) -> None:
    """The Project of the current folder counts then, too: a protected list must not lose its protection that way."""
    write(project, "vip/vip.yaml", "vip")
    found = loaded(project, RULES, "manifests/account.yaml", "manifests/vip/vip.yaml")
    assert lifecycles(found)["main/List/vip"].protect


def test_a_kind_takes_what_it_can_have(project: Path) -> None:
    write(project, "vip/vip.yaml", "vip")
    spec = '{list: vip, mode: additive, contacts: [{number: "+12025550143"}]}'
    write(project, "vip/members.yaml", "vip-members", kind="Membership", spec=spec)
    found = lifecycles(loaded(project, "    - {path: manifests, replace: true, ignore: [description, body]}\n"))
    assert found["main/List/vip"] == Lifecycle(replace=True, ignore=frozenset({"description"}))
    assert found["main/Membership/vip-members"] == Lifecycle()


def test_what_a_provider_never_does_is_not_asked_of_it(project: Path) -> None:
    (project / "manifests/center.yaml").write_text(
        "apiVersion: contactcenter/v1\nkind: Account\nmetadata: {name: center}\nspec:\n"
        "  accountId: 0123456789abcdef0123456789abcdef\n  domain: acme\n  baseUrl: http://127.0.0.1:9\n"
        "  auth: {username: {env: CENTER_USERNAME}, password: {env: CENTER_PASSWORD}}\n---\n"
        "apiVersion: contactcenter/v1\nkind: Campaign\nmetadata: {name: welcome}\nspec: {name: Welcome}\n"
    )
    write(project, "plain.yaml", "plain")
    rules = "    - {path: manifests, onRemove: delete, replace: true, protect: true}\n"
    found = lifecycles(loaded(project, rules))
    assert found["center/Campaign/welcome"] == Lifecycle(protect=True)
    assert found["main/List/plain"] == Lifecycle(protect=True, replace=True, on_remove=OnRemove.DELETE)


def test_an_environment_has_its_own(project: Path) -> None:
    write(project, "vip/vip.yaml", "vip")
    more = (
        "  environments:\n    prod:\n      lifecycle:\n        - {path: manifests/vip, protect: true}\n    test: {}\n"
    )
    rules = "    - {path: manifests/vip, protect: false, observe: true}\n"
    assert lifecycles(loaded(project, rules, environment="prod", more=more))["main/List/vip"] == Lifecycle(
        protect=True, observe=True
    )
    assert lifecycles(loaded(project, rules, environment="test", more=more))["main/List/vip"] == Lifecycle(observe=True)


@pytest.mark.parametrize(
    ("rule", "code", "column"),
    [
        ("{path: ../other, protect: true}", "path-outside-project", 14),
        ("{path: manifests}", "bad-combination", 7),
        ("{protect: true, observe: true}", "missing-field", 7),
        ("{path: manifests, renamedFrom: x}", "unknown-field", 25),
        ("{path: manifests, ignore: [descripton]}", "unknown-field", 34),
        ("{path: manifests, protect: true}\n    - {path: ./manifests, observe: true}", "duplicate-item", 14),
    ],
)
def test_what_is_wrong_is_told_at_its_place(rule: str, code: str, column: int, project: Path) -> None:
    write(project, "plain.yaml", "plain")
    found = loaded(project, f"    - {rule}\n")
    assert found.desired is None
    [problem] = found.diagnostics
    assert problem.source is not None
    assert (problem.code, problem.source.file, problem.source.column) == (code, "reconciler.yaml", column)
    assert problem.source.line == 7 + rule.count("\n")


def test_a_folder_that_is_gone_is_a_warning(project: Path) -> None:
    write(project, "plain.yaml", "plain")
    found = loaded(project, "    - {path: manifests/gone, protect: true}\n")
    assert found.desired is not None
    assert [d.code for d in found.diagnostics] == ["lifecycle-path-not-found"]
