"""The fixtures of the end-to-end tests; see ``tests/support/repository.py``."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.sandbox import Sandbox

from repository import CALLS, EXAMPLES, PROJECT, SECRETS, TEXTS, Repository


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def repository(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Repository:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "RECONCILER_FREEZE", "RECONCILER_ALLOWED_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "repository"
    (root / "manifests").mkdir(parents=True)
    (root / "reconciler.yaml").write_text(PROJECT, encoding="utf-8")
    monkeypatch.chdir(root)
    return Repository(root, sandbox, capsys.readouterr)


@pytest.fixture
def texts(repository: Repository) -> Repository:
    """A repository with one SlickText account."""
    repository.write("account.yaml", TEXTS)
    return repository


@pytest.fixture
def calls(repository: Repository) -> Repository:
    """A repository with one IntelePeer account."""
    repository.write("account.yaml", CALLS)
    return repository


@pytest.fixture
def example(repository: Repository) -> Callable[[str], Repository]:
    """One of the shipped examples in place of the empty repository, on its own seed."""

    def unpack(name: str) -> Repository:
        shutil.rmtree(repository.root / "manifests")
        shutil.copytree(EXAMPLES / name, repository.root, dirs_exist_ok=True)
        return repository

    return unpack
