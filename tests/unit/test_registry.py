"""Which providers there are, and that asking for one loads no more than it takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from reconciler.errors import InvalidInput
from reconciler.providers import registry


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """What is installed is looked up once a process; here each test has its own installation."""
    registry._places.cache_clear()
    registry.get.cache_clear()
    yield
    registry._places.cache_clear()
    registry.get.cache_clear()


def install(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    found = [EntryPoint(name, value, registry.GROUP) for name, value in points]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: found)


def test_every_built_in_provider_loads_under_its_own_name() -> None:
    assert {name: p.name for name, p in registry.providers().items()} == {n: n for n in registry.names()}
    assert "slicktext" in registry.names()


def test_an_unknown_provider_is_an_input_problem_that_lists_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="carrier-pigeon") as caught:
        registry.get("carrier-pigeon")
    assert "slicktext" in caught.value.hint


def test_a_package_can_add_a_provider_but_not_replace_one(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "reconciler.providers.slicktext:PROVIDER"
    install(monkeypatch, ("acme", other), ("slicktext", "nowhere:NOTHING"))
    assert registry.get("acme") is registry.get("slicktext")
    assert "acme" in registry.names()


@pytest.mark.parametrize("place", ["nowhere.at.all:PROVIDER", "reconciler.providers.slicktext:MISSING"])
def test_a_broken_package_is_named(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    install(monkeypatch, ("acme", place))
    with pytest.raises(InvalidInput, match="acme"):
        registry.get("acme")


def test_the_pure_half_of_a_provider_loads_no_http_client() -> None:
    code = (
        "import sys; from reconciler.providers import registry; registry.names(); "
        "assert not [m for m in sys.modules if m.startswith('reconciler.providers.slicktext')]; "
        "registry.get('slicktext').rules; "
        "heavy = {'httpx', 'polars', 'deepdiff', 'jsonschema', 'sqlalchemy', 'rich'} & set(sys.modules); "
        "sys.exit(', '.join(sorted(heavy)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
