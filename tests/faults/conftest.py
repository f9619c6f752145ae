"""The fixtures of the fault suite; what it is about stands in ``suffering.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from contracts import Contract
from suffering import Start, World

from reconciler.apply import operation
from reconciler.providers import http


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off and waiting for what does not show take no time here: what is tested is how often, not how long."""
    monkeypatch.setattr(http, "backoff_s", lambda attempt, *, base_s: 0.0)
    monkeypatch.setattr(operation, "VISIBLE_WAIT_S", 0.2)
    for name in ("NO_COLOR", "RECONCILER_FREEZE", "RECONCILER_ALLOWED_HOSTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Start]:
    starting = Start(tmp_path, monkeypatch, capsys.readouterr)
    yield starting
    starting.close()


@pytest.fixture
def world(contract: Contract, start: Start) -> World:
    """The provider's account, empty, with the first state of its walk declared."""
    return start(contract)
