"""The JSON Schemas: where they are, those of documents as well, and a compiled check for each kind of manifest.

A schema file refers to the parts it shares with others by a relative ``$ref``; here those parts are put into its own
``$defs``, so that a schema stands alone wherever it goes and nothing is ever fetched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Node: TypeAlias = Mapping[str, Any]

_COMMON = "common.json"
_ANY_MANIFEST = "manifest.json"
_OURS = "reconciler"


@cache
def schemas_folder() -> Path:
    """The folder of the schemas: inside an installed package, at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "schemas"
    return installed if installed.is_dir() else package.parent / "schemas"


@cache
def schema_files() -> Mapping[tuple[str, str], Path]:
    """(apiVersion, kind) -> file, of every kind that a manifest can have. What ships with the tool comes first."""
    return {**_installed(), **_shipped()}


@cache
def _shipped() -> Mapping[tuple[str, str], Path]:
    root = schemas_folder()
    found = (p for p in root.glob("*/v*/*.json") if p.name != _COMMON)
    return {(p.parent.relative_to(root).as_posix(), p.stem): p for p in sorted(found)}


def _file(api_version: str, kind: str) -> Path | None:
    """The file of one kind. Which packages are installed is asked for what is not shipped with the tool: that takes as
    long as all else with a small repository."""
    key = (api_version, kind)
    return _shipped().get(key) or schema_files().get(key)


def document_schemas() -> Mapping[str, Path]:
    """Name -> file, of what commands print as JSON. Each stands alone."""
    return {path.stem: path for path in sorted(schemas_folder().glob("*.json")) if path.name != _ANY_MANIFEST}


def _installed() -> dict[tuple[str, str], Path]:
    """The schemas that providers of other packages bring, each below its own name."""
    from reconciler.providers import registry
    from reconciler.providers.base import BringsSchemas

    found: dict[tuple[str, str], Path] = {}
    for name, provider in registry.installed().items():
        if isinstance(provider, BringsSchemas) and name != _OURS:
            files = sorted(provider.schemas.glob("v*/*.json"))
            found |= {(f"{name}/{p.parent.name}", p.stem): p for p in files if p.name != _COMMON}
    return found


@cache
def standalone(api_version: str, kind: str) -> dict[str, Any]:
    """The schema of a kind with everything it refers to inside. KeyError when there is no such kind."""
    if (file := _file(api_version, kind)) is None:
        raise KeyError((api_version, kind))
    schema: dict[str, Any] = _read(file)
    shared = _read(schemas_folder() / "reconciler" / "v1" / _COMMON)["$defs"]
    schema = _localised(schema)
    wanted, defs = _references(schema), {}
    while wanted:
        name = wanted.pop()
        if name not in defs:
            defs[name] = _localised(shared[name])
            wanted |= _references(defs[name])
    return {**schema, "$defs": dict(sorted(defs.items()))} if defs else schema


def _read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _localised(node: Any) -> Any:
    """Every reference into the common parts made one into the schema's own ``$defs``."""
    if isinstance(node, dict):
        return {
            k: "#" + v.partition("#")[2] if k == "$ref" and isinstance(v, str) else _localised(v)
            for k, v in node.items()
        }
    return [_localised(n) for n in node] if isinstance(node, list) else node


def _references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"].rpartition("/")[2]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(_references(v) for v in node.values()))
    return set().union(*(_references(n) for n in node)) if isinstance(node, list) else set()


class KindSchema(Struct, frozen=True, kw_only=True):
    """The compiled schema of one kind. ``is_valid`` is the fast way, ``errors`` the one that explains.

    ``fields`` are the names that ``spec`` may have; ``ids`` those that may be integers and become text; ``durations``
    those that become seconds.
    """

    api_version: str
    kind: str
    provider: str
    """``slicktext`` of ``slicktext/v1``."""
    schema: Node
    is_valid: Callable[[Any], bool]
    fields: tuple[str, ...]
    ids: frozenset[str]
    durations: frozenset[str]

    def errors(self, data: Any) -> Iterator[ValidationError]:
        """Every violation, in jsonschema's terms."""
        from jsonschema import Draft202012Validator

        return Draft202012Validator(self.schema).iter_errors(data)

    def node(self, path: tuple[str | int, ...]) -> Node:
        """The schema of what stands at ``path``, empty where it says nothing."""
        node = self.schema
        for step in path:
            node = resolved(self.schema, node)
            if isinstance(step, int):
                node = node.get("items", {})
            else:
                extra = node.get("additionalProperties")
                node = node.get("properties", {}).get(step) or (extra if isinstance(extra, dict) else {})
        return resolved(self.schema, node)


def resolved(schema: Node, node: Node) -> Node:
    """``node`` with what it refers to beneath its own keywords."""
    while "$ref" in node:
        target = schema["$defs"][node["$ref"].rpartition("/")[2]]
        node = {**target, **{k: v for k, v in node.items() if k != "$ref"}}
    return node


@cache
def kind_schema(api_version: str, kind: str) -> KindSchema | None:
    """The compiled schema of a kind, None when there is none."""
    if _file(api_version, kind) is None:
        return None
    import jsonschema_rs

    schema = standalone(api_version, kind)
    spec = resolved(schema, schema["properties"]["spec"])
    properties: Mapping[str, Node] = spec.get("properties", {})
    return KindSchema(
        api_version=api_version,
        kind=kind,
        provider=api_version.partition("/")[0],
        schema=schema,
        is_valid=jsonschema_rs.Draft202012Validator(schema).is_valid,
        fields=tuple(properties),
        ids=frozenset(
            n for n, p in properties.items() if "integer" in _types(schema, p) and "string" in _types(schema, p)
        ),
        durations=frozenset(n for n, p in properties.items() if p.get("$ref") == "#/$defs/duration"),
    )


def _types(schema: Node, node: Node) -> tuple[str, ...]:
    found = resolved(schema, node).get("type", ())
    return (found,) if isinstance(found, str) else tuple(found)
