"""The company of ``tests/support/outreach.py``, built once for each worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox import Sandbox

from outreach import SEED, Base, Outreach
from repository import SECRETS


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    with (
        pytest.MonkeyPatch.context() as patch,
        Sandbox(seed=SEED, knobs={"slicktext": {"rate_limit": None}}) as running,
    ):
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        yield Base.built(tmp_path_factory.mktemp("company") / "repository", running)


@pytest.fixture
def company(base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outreach:
    """A fresh copy, with its repository as the current folder."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    for name in ("RECONCILER_FREEZE", "RECONCILER_ALLOWED_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    made = base.unpack(tmp_path / "repository")
    monkeypatch.chdir(made.root)
    return made
