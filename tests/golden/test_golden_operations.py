"""The tables of ``docs/operations.md`` are those that the providers publish; ``make golden`` writes them anew."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.plan.calls import Method
from reconciler.providers.base import FillsPaths, Operation
from reconciler.providers.registry import names, providers
from reconciler.render.operations import operations_markdown

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operations.md"
MARK = "<!-- The tables below are written by `make golden` from the providers' own tables. -->\n"
COMMANDS = {"plan", "apply", "status", "drift", "import", "dial"}
OPERATIONS = [(name, o) for name, provider in providers().items() for o in provider.operations]

Golden = Callable[[Path, str], None]


def test_every_operation_is_in_the_page(golden: Golden) -> None:
    prose, mark, _ = PAGE.read_text().partition(MARK)
    assert mark
    tables = {name: provider.operations for name, provider in providers().items()}
    golden(PAGE, f"{prose}{mark}\n{operations_markdown(tables)}")


@pytest.mark.parametrize("provider", names())
def test_operations_have_names_of_their_own(provider: str) -> None:
    found = [o.name for o in providers()[provider].operations]
    assert found
    assert len(found) == len(set(found))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*", name) for name in found)


@pytest.mark.parametrize(("provider", "operation"), OPERATIONS, ids=lambda x: x.name if isinstance(x, Operation) else x)
def test_an_operation_can_be_typed(provider: str, operation: Operation) -> None:
    """Every part of its path comes from somewhere, nothing is named twice, and an array is the whole body."""
    placeholders = set(re.findall(r"\{([^{}]+)\}", operation.path))
    in_path = {p.name for p in operation.params if p.place == "path"}
    assert in_path <= placeholders
    assert in_path == placeholders or isinstance(providers()[provider], FillsPaths)
    assert all(p.required for p in operation.params if p.place == "path")
    given = [p.name for p in operation.params] + [name for name, _ in operation.fixed]
    assert len(given) == len(set(given))
    in_body = [p.name for p in operation.params if p.place == "body"]
    assert in_body == ["body"] if operation.array_body else True
    assert not (in_body and operation.method == Method.GET)
    assert operation.method in set(Method)
    assert operation.summary
    assert set(operation.used_by) <= COMMANDS
