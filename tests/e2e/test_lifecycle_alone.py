"""A change of nothing but ``lifecycle`` is something to apply, although nothing is sent for it."""

from __future__ import annotations

import pytest

from repository import Repository

LIST = "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: join}\nlifecycle: {%s}\nspec: {name: Join}\n"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("onRemove: delete", "onRemove: delete, protect: true", "protect: true"),
        ("onRemove: keep", "onRemove: delete", "onRemove: delete"),
        ("protect: true, onRemove: delete", "onRemove: keep", "protect: false and onRemove: keep"),
    ],
)
def test_a_lifecycle_that_changed_alone_is_told_and_remembered(
    texts: Repository, before: str, after: str, told: str
) -> None:
    texts.write("list.yaml", LIST % before)
    texts.apply()
    texts.write("list.yaml", LIST % after)
    plan = texts.plan("--detailed-exitcode")
    assert (plan.code, plan.json["changes"]) == (2, [])
    assert [told in d["message"] for d in plan.json["diagnostics"]] == [True]
    assert texts.plan().code == 0
    texts.apply()
    assert len(texts.writes()) == 1, "the list was created, and nothing else sent"
    texts.settled()


def test_a_saved_plan_of_nothing_but_a_lifecycle_protects(texts: Repository) -> None:
    texts.write("list.yaml", LIST % "onRemove: delete")
    texts.apply()
    texts.write("list.yaml", LIST % "onRemove: delete, protect: true")
    assert texts("plan", "--out", "plan.json", "--detailed-exitcode").code == 2
    assert texts("apply", "plan.json").code == 0
    texts.remove("list.yaml")
    plan = texts.plan()
    assert plan.json["changes"] == []
    assert "protected-kept" in {d["code"] for d in plan.json["diagnostics"]}
