"""Which fields of a live object its manifest declares: what the schema takes, and the live object says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from msgspec import Struct

from reconciler.manifest.drafts.draft import schema_of
from reconciler.manifest.scalars import hidden_characters
from reconciler.manifest.schemas import KindSchema
from reconciler.model.addresses import Kind
from reconciler.model.kinds import FieldRule
from reconciler.model.resources import Fields, FieldValue

_PLAIN = FieldRule()


class Declarable(Struct, frozen=True, kw_only=True):
    """``fields`` in the order of the schema. ``refused`` are live values that no manifest may have, ``lacking`` those
    fields without which there is no manifest of the kind, ``required`` all of these."""

    fields: Mapping[str, Any]
    refused: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()


def declarable(
    provider: str, kind: Kind, live: Fields, rules: Mapping[str, FieldRule], given: Mapping[str, Any]
) -> Declarable:
    """What of ``live`` can be declared. ``given`` is the rest of the spec: an id, or the ends of a link.

    What is empty, or what an object without the field has anyway, is left out, as a person would.
    """
    schema = schema_of(provider, kind)
    wanted: dict[str, Any] = {}
    for name in schema.fields:
        rule, value = rules.get(name, _PLAIN), live.get(name)
        said = value is not None and value not in ("", (), {}, frozenset())
        if name not in given and said and (rule.absent is None or rule.normalise(value) != rule.absent):
            wanted[name] = plain(value)
    required = schema.node(("spec",)).get("required", ())
    hidden = {name for name, value in wanted.items() if _unwritable(value)}
    refused = hidden | _refused(schema, provider, kind, {**wanted, **given})
    kept = {name: value for name, value in wanted.items() if name not in refused}
    return Declarable(
        fields=kept,
        refused=tuple(name for name in wanted if name in refused),
        lacking=tuple(name for name in required if name not in kept and name not in given),
        required=frozenset(required),
    )


def fits(provider: str, kind: Kind, name: str, value: Any) -> bool:
    """Whether ``value`` may stand in the field ``name``, as far as the schema and the loader go."""
    schema = schema_of(provider, kind)
    return not _unwritable(value) and name not in _refused(schema, provider, kind, {name: value})


def plain(value: FieldValue) -> Any:
    """A field as YAML has it."""
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    return [plain(part) for part in value] if isinstance(value, tuple) else value


def _unwritable(value: Any) -> bool:
    """Whether there is text in it that no manifest may have: control, bidirectional and invisible characters."""
    if isinstance(value, Mapping):
        return any(map(_unwritable, value.values()))
    if isinstance(value, list):
        return any(map(_unwritable, value))
    return isinstance(value, str) and bool(hidden_characters(value))


def _refused(schema: KindSchema, provider: str, kind: Kind, spec: Mapping[str, Any]) -> set[str]:
    """The top fields of ``spec`` that the schema does not take; what is missing is not asked here."""
    document = {"apiVersion": f"{provider}/v1", "kind": str(kind), "metadata": {"name": "x"}, "spec": dict(spec)}
    if schema.is_valid(document):
        return set()
    paths = (list(error.instance_path) for error in _validator(provider, kind).iter_errors(document))
    return {str(path[1]) for path in paths if len(path) > 1 and path[0] == "spec"}


@cache
def _validator(provider: str, kind: Kind) -> Any:
    """The engine that decides what is valid, asked for its reasons: the one that explains differs in small print, such
    as whether ``$`` matches before a line end."""
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(dict(schema_of(provider, kind).schema))
