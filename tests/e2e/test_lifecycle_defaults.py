"""Lifecycle rules of a folder: what an apply did under them is remembered when the manifest, or the folder, is gone."""

from __future__ import annotations

import shutil

import pytest

from repository import PROJECT, Repository

LIST = """\
apiVersion: slicktext/v1
kind: List
metadata: {name: vip}
spec: {name: VIP customers}
"""


def ruled(repository: Repository, rules: str) -> None:
    text = PROJECT.replace("{manifests: [manifests]}", f"{{manifests: [manifests], lifecycle: [{rules}]}}")
    assert text != PROJECT
    (repository.root / "reconciler.yaml").write_text(text)


@pytest.mark.parametrize("late", [False, True], ids=["from-the-start", "after-the-apply"])
@pytest.mark.parametrize("keep_rules", [True, False], ids=["rules-stay", "rules-go"])
def test_removing_a_manifest_means_what_its_folder_said(texts: Repository, late: bool, keep_rules: bool) -> None:
    rules = "{path: manifests/vip, onRemove: delete}"
    texts.write("vip/list.yaml", LIST)
    if late:
        texts.apply()
    ruled(texts, rules)
    texts.apply()
    shutil.rmtree(texts.root / "manifests/vip")
    if not keep_rules:
        (texts.root / "reconciler.yaml").write_text(PROJECT)
    plan = texts.plan()
    assert plan.code == 0, plan.err
    assert plan.changes() == [("delete", "List/vip")]
    texts("apply", "--yes", "--approve", "delete", "--allow", "deletes=1")
    assert texts.plan("--detailed-exitcode").code == 0
    assert texts.sandbox.state()["slicktext"]["lists"] == []


def test_a_protected_folder_protects_what_was_in_it(texts: Repository) -> None:
    texts.write("vip/list.yaml", LIST)
    ruled(texts, "{path: manifests/vip, protect: true, onRemove: delete}")
    texts.apply()
    assert texts("inventory", "list", "--format", "json").json["objects"][0]["protected"]
    shutil.rmtree(texts.root / "manifests/vip")
    plan = texts.plan()
    assert plan.code == 0
    assert ("delete", "List/vip") not in plan.changes()
    assert "protected-kept" in plan.out
    assert len(texts.sandbox.state()["slicktext"]["lists"]) == 1


def test_explain_tells_of_them(texts: Repository) -> None:
    found = texts("explain", "Project.lifecycle")
    assert found.code == 0
    assert "path" in found.out
    assert "onRemove" in found.out
    assert "Project.lifecycle" in texts("explain", "List.lifecycle").out
