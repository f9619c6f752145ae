"""A repository on the simulated providers, as in the end-to-end tests, and what every attack has to leave intact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attacks import Attacked

from reconciler.sandbox import Sandbox

from repository import PROJECT, SECRETS, TEXTS, Repository


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
    for name in ("NO_COLOR", "RECONCILER_FREEZE", "RECONCILER_ALLOWED_HOSTS", "GITHUB_STEP_SUMMARY"):
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


@pytest.fixture(scope="session", autouse=True)
def imported() -> None:
    """What is imported and compiled once is no part of how long one input takes."""
    import phonenumbers
    import polars

    from reconciler.manifest.schemas import kind_schema

    assert phonenumbers.parse("+16155550123")
    assert polars.DataFrame({"a": [1]}).height
    for kind in ("Account", "List", "Membership"):
        schema = kind_schema("slicktext/v1", kind)
        assert schema is not None
        assert list(schema.errors({}))


@pytest.fixture
def attack(texts: Repository) -> Callable[..., Attacked]:
    """Put one file beside the account, and run ``validate`` and ``plan`` over it, quickly and without any request."""

    def attempt(content: str | bytes, *, name: str = "hostile.yaml") -> Attacked:
        path = texts.root / "manifests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return Attacked.run(texts)

    return attempt
