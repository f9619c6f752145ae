"""The examples of docs/policies.md do what they say, on the plan of a shipped example."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.manifest.schemas import schemas_folder
from reconciler.sandbox import Sandbox

from repository import EXAMPLES, Repository

PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
THIRD_PARTY = Path(__file__).parent / "thirdparty"
PLAN = json.loads((schemas_folder() / "plan.json").read_bytes())
WITHIN = {"changes", "diagnostics"}
"""The arrays of a plan that the examples walk through."""


def block(language: str, index: int = 0) -> str:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[index]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=EXAMPLES / "four" / "sandbox.yaml", knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def made(example: Callable[[str], Repository], sandbox: Sandbox) -> dict[str, Any]:
    """The plan of the example that uses all providers."""
    repository = example("four")
    variables = yaml.safe_load((EXAMPLES / "four" / "reconciler.yaml").read_text())["spec"]["variables"]
    urls = [w for v in variables if v.endswith("_url") for w in ("--var", f"{v}={sandbox.url}")]
    plan = repository.plan(*urls)
    assert plan.code == 0
    document: dict[str, Any] = plan.json
    return document


def rego_paths() -> set[tuple[str, ...]]:
    """Every field of the plan that the Rego example looks at; ``*`` stands for the items of an array."""
    text = re.sub(r'"[^"]*"|#.*', "", block("rego"))
    bound: dict[str, tuple[str, ...]] = {"input": ()}
    for name, source in re.findall(r"some (\w+) in ([\w.]+)", text):
        root, *fields = source.split(".")
        bound[name] = (*bound[root], *fields, "*")
    used = re.findall(r"\b(\w+)((?:\.\w+)+)", text)
    found = {(*bound[root], *fields.strip(".").split(".")) for root, fields in used if root in bound}
    assert {root for root, _ in used} - set(bound) == {"rego"}
    return found | set(bound.values()) - {()}


def resolved(node: Any) -> list[Any]:
    """What a part of the schema can be, references followed."""
    if "$ref" in node:
        return resolved(PLAN["$defs"][node["$ref"].rpartition("/")[2]])
    choices = [shape for choice in node.get("anyOf", ()) for shape in resolved(choice)]
    return [node, *choices]


def in_schema(path: tuple[str, ...]) -> bool:
    nodes = [PLAN]
    for step in path:
        shapes = [shape for node in nodes for shape in resolved(node)]
        if step == "*":
            nodes = [s["items"] for s in shapes if "items" in s]
        else:
            nodes = [s["properties"][step] for s in shapes if step in s.get("properties", {})]
    return bool(nodes)


def values(document: Any, path: tuple[str, ...]) -> list[Any]:
    found = [document]
    for step in path:
        if step == "*":
            found = [item for value in found for item in value]
        else:
            found = [value[step] for value in found if isinstance(value, dict) and step in value]
    return found


def test_every_field_of_the_rego_example_is_in_the_schema() -> None:
    paths = rego_paths()
    assert ("changes", "*", "members", "add") in paths
    assert ("changes", "*", "approvals", "*") in paths
    assert ("summary", "startsContacting") in paths
    assert len(paths) >= 12
    assert [path for path in paths if not in_schema(path)] == []
    assert not in_schema(("changes", "*", "labels"))
    assert not in_schema(("summary", "nothing"))


def test_every_field_of_the_rego_example_is_in_a_real_plan(made: dict[str, Any]) -> None:
    assert made["diagnostics"], "the example has a suppressed person, which is a warning"
    assert [path for path in rego_paths() if not values(made, path)] == []


def test_the_python_example_refuses_what_it_says(made: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "judge.py").write_text(block("python", 1))

    def judged(document: Any) -> subprocess.CompletedProcess[str]:
        (tmp_path / "plan.json").write_text(json.dumps(document))
        words = [sys.executable, "-X", "utf8", "judge.py", "plan.json"]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)

    refused = judged(made)
    assert refused.returncode == 1
    assert re.fullmatch(r"texts/Membership/vip-members adds \d+ people \(manifests/texts.yaml:\d+\)\n", refused.stderr)
    assert judged({**made, "changes": []}).returncode == 0


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed; the Python example says the same")
def test_the_jq_example_refuses_what_it_says(made: dict[str, Any], tmp_path: Path) -> None:
    def judged(document: Any) -> int:
        (tmp_path / "plan.json").write_text(json.dumps(document))
        return subprocess.run(["sh", "-c", block("sh")], cwd=tmp_path, check=False, timeout=60).returncode

    assert judged(made) == 1
    assert judged({**made, "changes": []}) == 0


def test_the_plug_in_of_the_page_is_the_one_that_is_tested() -> None:
    source = (THIRD_PARTY / "acme_policies.py").read_text(encoding="utf-8").replace("        SEEN.append(view)\n", "")
    assert block("python") in source
    points = (THIRD_PARTY / "acme_policies-2.1.dist-info" / "entry_points.txt").read_text(encoding="utf-8")
    assert block("ini") in points
