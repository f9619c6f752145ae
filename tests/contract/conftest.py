"""The fixtures of the contract suite: every provider in ``participants`` takes every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from contracts import Contract, Trial
from participants import CONTRACTS

from reconciler.manifest.schemas import kind_schema, schema_files
from reconciler.providers import registry
from reconciler.sandbox import Sandbox, catalogue

from repository import PROJECT, Repository

THIRD_PARTY = Path(__file__).parent / "thirdparty"


def forget_what_is_installed() -> None:
    registry._places.cache_clear()
    registry.get.cache_clear()
    schema_files.cache_clear()
    kind_schema.cache_clear()


@pytest.fixture(autouse=True)
def third_party(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The folder is as good as installed: its dist-info names the entry point. Its simulator joins the others."""
    monkeypatch.syspath_prepend(THIRD_PARTY)
    forget_what_is_installed()
    from acme_sandbox import Acme

    monkeypatch.setitem(catalogue.PROVIDERS, Acme.name, Acme)
    yield
    forget_what_is_installed()


@pytest.fixture(params=CONTRACTS, ids=lambda contract: contract.name)
def contract(request: pytest.FixtureRequest) -> Contract:
    found: Contract = request.param
    return found


@pytest.fixture
def start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[[Contract], Trial]]:
    """Makes worlds: a sandbox of its own and an empty repository each time."""
    for name in ("NO_COLOR", "RECONCILER_FREEZE", "RECONCILER_ALLOWED_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as stack:
        count = 0

        def make(contract: Contract) -> Trial:
            nonlocal count
            count += 1
            for name, value in contract.secrets.items():
                monkeypatch.setenv(name, value)
            sandbox = Sandbox(seed={contract.name: contract.seed}, knobs={contract.name: contract.knobs})
            stack.enter_context(sandbox)
            root = tmp_path / f"repository{count}"
            (root / "manifests").mkdir(parents=True)
            (root / "reconciler.yaml").write_text(PROJECT, encoding="utf-8")
            monkeypatch.chdir(root)
            trial = Trial(contract, Repository(root, sandbox, capsys.readouterr), sandbox)
            trial.declare({})
            return trial

        yield make


@pytest.fixture
def trial(contract: Contract, start: Callable[[Contract], Trial]) -> Trial:
    return start(contract)
