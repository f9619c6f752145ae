"""Every documented operation is in the table once, well formed, and can be called."""

from __future__ import annotations

import re
from collections import Counter

from contracts import Contract, Trial

from reconciler.model.kinds import ContactClass
from reconciler.providers import registry
from reconciler.providers.base import FillsPaths, Operation, Param

NAME = re.compile(r"[a-z][a-z-]*\.[a-z][a-z-]*")
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


def operations(contract: Contract) -> tuple[Operation, ...]:
    return registry.get(contract.name).operations


def word(contract: Contract, operation: Operation, param: Param) -> str:
    """A required parameter as it is typed."""
    if param.name in contract.samples and not operation.array_body:
        return contract.samples[param.name]
    return f"{param.name}:=[]" if operation.array_body and param.place == "body" else f"{param.name}=1"


def words(contract: Contract, operation: Operation) -> list[str]:
    return [word(contract, operation, p) for p in operation.params if p.required]


def test_names_are_unique_and_speak(contract: Contract) -> None:
    counted = Counter(o.name for o in operations(contract))
    assert [name for name, times in counted.items() if times > 1] == []
    assert [name for name in counted if not NAME.fullmatch(name)] == []
    assert all(o.summary for o in operations(contract))


def test_parameters_fit_their_paths(trial: Trial) -> None:
    provider = registry.get(trial.contract.name)
    for operation in provider.operations:
        names = [p.name for p in operation.params]
        assert len(names) == len(set(names)), operation.name
        placeholders = set(PLACEHOLDER.findall(operation.path))
        given = {p.name for p in operation.params if p.place == "path"}
        assert given <= placeholders, operation.name
        assert given == placeholders or isinstance(provider, FillsPaths), operation.name
        assert all(p.required for p in operation.params if p.place == "path"), operation.name
        assert not set(dict(operation.fixed)) & set(names), operation.name
        if operation.method == "GET":
            assert not any(p.place == "body" for p in operation.params), operation.name
            assert operation.contact_class is ContactClass.SILENT, operation.name


def test_every_read_can_be_called(trial: Trial) -> None:
    trial.reach()
    for operation in operations(trial.contract):
        if operation.method != "GET":
            continue
        wrote, sent = trial.writes(), len(trial.sandbox.requests())
        result = trial.repository(
            "call", trial.contract.account_name, operation.name, *words(trial.contract, operation)
        )
        assert result.code in (0, 1), f"{operation.name}: {result.err}"
        # A refusal that may mean an old token is asked about once more.
        (asked,) = {r["path"] for r in trial.sandbox.requests()[sent:] if r["method"] == "GET"}
        template = "[^/]+".join(re.escape(part) for part in PLACEHOLDER.sub("\0", operation.path).split("\0"))
        assert re.search(f"{template}$", asked), operation.name
        assert trial.writes() == wrote


def test_every_write_is_understood_and_waits_for_approval(trial: Trial) -> None:
    for operation in operations(trial.contract):
        if operation.method == "GET":
            continue
        result = trial.repository(
            "call", trial.contract.account_name, operation.name, *words(trial.contract, operation)
        )
        assert result.code == 5, f"{operation.name}: {result.err}"
        flag = "--approve contact" if operation.contact_class is ContactClass.STARTS_CONTACTING else "--yes"
        assert flag in result.err, operation.name
    assert trial.sandbox.requests() == []
