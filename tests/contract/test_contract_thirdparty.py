"""A package that the tool has never heard of brings a provider, with its own schemas."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from contracts import Contract, Trial
from participants import ACME

from reconciler.app.codes import codes
from reconciler.manifest.schemas import kind_schema, schema_files, standalone
from reconciler.providers import registry


def test_it_is_found_by_its_entry_point() -> None:
    assert "acme" in registry.names()
    assert "acme" not in registry.BUILT_IN
    assert registry.get("acme").name == "acme"


def test_its_schemas_are_whole_and_shown(start: Callable[[Contract], Trial]) -> None:
    assert {kind for version, kind in schema_files() if version == "acme/v1"} == {"Account", "List", "Membership"}
    assert "metadata" in standalone("acme/v1", "List")["$defs"]
    assert "acme/v1/List" in start(ACME).repository("schema").out


def test_its_manifests_are_checked(start: Callable[[Contract], Trial]) -> None:
    trial = start(ACME)
    files = dict(ACME.walk[0])
    trial.declare({**files, "list.yaml": files["list.yaml"].replace("note:", "nota:")})
    invalid = trial.repository("validate")
    assert invalid.code == 3
    assert "unknown-field" in invalid.out + invalid.err


def test_its_codes_are_explained(start: Callable[[Contract], Trial]) -> None:
    trial = start(ACME)
    files = dict(ACME.walk[0])
    trial.declare({**files, "list.yaml": files["list.yaml"].replace("note: spring", f"note: {'long' * 21}")})
    invalid = trial.repository("validate")
    assert invalid.code == 3
    assert "list.yaml:1:" in invalid.out + invalid.err
    assert "error[acme-note-too-long]" in invalid.out + invalid.err
    explained = trial.repository("explain", "acme-note-too-long")
    assert (explained.code, "Use at most 80 characters." in explained.out) == (0, True)


def test_it_cannot_say_what_the_codes_of_others_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = codes()
    claimed = {"unknown-field": ("Nothing", "Nothing"), "slicktext-campaign-dispatched": ("Nothing", "Nothing")}
    monkeypatch.setattr(type(registry.get("acme")), "codes", {**claimed, "acme-other": ("What", "How")})
    others = {code: told for code, told in ours.items() if not code.startswith("acme-")}
    assert codes() == {**others, "acme-other": ("What", "How")}


def test_a_broken_package_keeps_nobody_from_working(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {**registry._places(), "broken": "nowhere.at.all:PROVIDER"}
    with monkeypatch.context() as installed:
        installed.setattr(registry, "_places", lambda: places)
        schema_files.cache_clear()
        assert kind_schema("slicktext/v1", "List") is not None
        assert ("acme/v1", "List") in schema_files()
        assert not [version for version, _ in schema_files() if version.startswith("broken")]
        assert "unknown-field" in codes()
