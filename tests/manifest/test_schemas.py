"""The schemas themselves: complete, self-contained, and the same to both validators."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator

from reconciler.manifest.documents import Source
from reconciler.manifest.schemas import kind_schema, schema_files, schemas_folder, standalone
from reconciler.manifest.yaml import parse

KINDS = sorted(schema_files())
GOOD = sorted((Path(__file__).parent / "good").glob("*.yaml"))


def nodes(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every subschema with the way to it."""
    if isinstance(node, dict):
        yield path, node
        for key in ("properties", "$defs", "patternProperties"):
            for name, child in node.get(key, {}).items():
                yield from nodes(child, f"{path}/{name}")
        for key in ("items", "additionalProperties", "propertyNames"):
            yield from nodes(node.get(key), f"{path}/{key}")
        for key in ("anyOf", "oneOf", "allOf"):
            for i, child in enumerate(node.get(key, ())):
                yield from nodes(child, f"{path}/{key}{i}")


@pytest.mark.parametrize(("api_version", "kind"), KINDS)
class TestEverySchema:
    def test_is_a_schema_that_stands_alone(self, api_version: str, kind: str) -> None:
        schema = standalone(api_version, kind)
        Draft202012Validator.check_schema(schema)
        references = {n["$ref"] for _, n in nodes(schema) if "$ref" in n}
        assert references <= {f"#/$defs/{name}" for name in schema["$defs"]}
        assert "$id" not in schema

    def test_describes_every_field(self, api_version: str, kind: str) -> None:
        schema = standalone(api_version, kind)
        for path, node in nodes(schema):
            for name, field in node.get("properties", {}).items():
                target = schema["$defs"].get(field.get("$ref", "").rpartition("/")[2], {})
                assert field.get("description") or target.get("description"), f"{path}/{name}"

    def test_knows_every_field_of_every_mapping(self, api_version: str, kind: str) -> None:
        for path, node in nodes(standalone(api_version, kind)):
            if node.get("type") == "object":
                assert "additionalProperties" in node, path

    def test_names_its_own_kind(self, api_version: str, kind: str) -> None:
        properties = standalone(api_version, kind)["properties"]
        assert (properties["apiVersion"]["const"], properties["kind"]["const"]) == (api_version, kind)

    def test_patterns_say_what_they_mean(self, api_version: str, kind: str) -> None:
        for path, node in nodes(standalone(api_version, kind)):
            assert ("pattern" in node) <= ("x-format" in node), path


def test_every_provider_kind_is_there() -> None:
    kinds = {"Account", "List", "Campaign", "Association", "Membership"}
    for provider in ("slicktext/v1", "intelepeer/v1"):
        assert kinds <= {kind for version, kind in KINDS if version == provider}
    ours = {"Policy", "Project", "Suppression", "Waiver"}
    assert {kind for version, kind in KINDS if version == "reconciler/v1"} == ours


def test_the_schema_for_editors_chooses_among_all_kinds() -> None:
    whole = json.loads((schemas_folder() / "manifest.json").read_text())
    chosen = {b["then"]["$ref"] for b in whole["allOf"]}
    assert chosen == {f"{version}/{kind}.json" for version, kind in KINDS}


@pytest.mark.parametrize("path", GOOD, ids=lambda p: p.stem)
def test_both_validators_accept_what_is_good(path: Path) -> None:
    for document in parse(Source(name=path.name, path=str(path), text=path.read_text())).documents:
        schema = kind_schema(document.data["apiVersion"], document.data["kind"])
        assert schema is not None
        assert list(schema.errors(document.data)) == []
        assert jsonschema_rs.Draft202012Validator(dict(schema.schema)).is_valid(document.data)


def test_ids_and_durations_are_told_by_the_schema() -> None:
    account, campaign = kind_schema("slicktext/v1", "Account"), kind_schema("intelepeer/v1", "Campaign")
    assert account is not None
    assert campaign is not None
    assert (set(account.ids), set(account.durations)) == ({"brandId"}, {"freezeWindow"})
    assert campaign.ids == {"id", "flowId"}
    assert kind_schema("slicktext/v1", "Lists") is None
    assert account.node(("spec", "limits", "timeout"))["pattern"]
    assert account.node(("spec", "nothing", 3)) == {}
