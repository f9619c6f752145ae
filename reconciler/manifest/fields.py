"""What a kind or a field of it is, out of its JSON Schema: for people who write manifests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches

from msgspec import Struct

from reconciler.manifest.schemas import Node, resolved, schema_files, standalone

ANY_NAME = "NAME"
"""Stands for every name of one's own choosing, in a mapping whose keys the schema does not list."""

_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minItems": "at least {}",
    "maxItems": "at most {}",
}


class Field(Struct, frozen=True, kw_only=True):
    """A kind (``slicktext/v1/List``) or a field (``slicktext/v1/List.spec.name``), and what is in it.

    ``form`` is what it looks like in words, ``values`` are the only ones allowed when there are such, ``limits`` are
    phrases (``at most 100 characters``). ``default`` is as one writes it, empty where the schema names none. Among
    ``fields`` of a kind are those of its spec, with ``spec.`` before their names.
    """

    path: str
    name: str
    type: str
    required: bool
    description: str
    form: str = ""
    values: tuple[str, ...] = ()
    default: str = ""
    limits: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()


class NoSuchField(LookupError):
    """Nothing is called that; ``close`` is what may have been meant."""

    def __init__(self, close: tuple[str, ...] = ()) -> None:
        super().__init__("no such kind or field")
        self.close = close


def _kinds() -> list[str]:
    return sorted(f"{version}/{kind}" for version, kind in schema_files())


def explained(text: str) -> tuple[Field, ...]:
    """What ``text`` names: a kind (``List`` means that of every provider), or after dots a field of it.

    A field is one of ``spec`` or of the document itself; what is in the items of an array comes right after the array's
    name. Raises NoSuchField.
    """
    start = text.rfind("/") + 1
    kind, *steps = text[start:].split(".")
    word = text[:start] + kind
    short = {k: k.rpartition("/")[2] for k in _kinds()}
    if not (named := [k for k in short if word in (k, short[k])]):
        raise NoSuchField(tuple(get_close_matches(word, [*short, *sorted(set(short.values()))], n=3)))
    found = [field for k in named if (field := _at(k, steps)) is not None]
    if not found:
        raise NoSuchField(tuple(dict.fromkeys(c for k in named for c in _close(k, word, steps)))[:3])
    return tuple(found)


def _at(kind: str, steps: list[str]) -> Field | None:
    schema = standalone(*kind.rsplit("/", 1))
    node: Node = schema
    required, path = True, kind
    if steps and steps[0] not in schema["properties"]:
        steps = ["spec", *steps]
    for step in steps:
        children = dict(_children(schema, node))
        if (found := children.get(step) or (children.get(ANY_NAME) if step else None)) is None:
            return None
        required, path = step in _required(schema, node), f"{path}.{step}"
        node = found
    fields = _fields(schema, node, path)
    if not steps:
        fields += _fields(schema, schema["properties"]["spec"], f"{path}.spec", prefix="spec.")
    return _field(schema, node, path, steps[-1] if steps else kind, required=required, fields=fields)


def _fields(schema: Node, node: Node, path: str, prefix: str = "") -> tuple[Field, ...]:
    required = _required(schema, node)
    return tuple(
        _field(schema, child, f"{path}.{name}", prefix + name, required=name in required)
        for name, child in _children(schema, node)
    )


def _field(schema: Node, node: Node, path: str, name: str, *, required: bool, fields: tuple[Field, ...] = ()) -> Field:
    own = resolved(schema, node)
    # That a text is not empty goes without saying, and so does that a count is not negative.
    told = {
        key: own[key] for key in _LIMITS if key in own and (key, own[key]) not in (("minLength", 1), ("minimum", 0))
    }
    return Field(
        path=path,
        name=name,
        type=_type(schema, node),
        required=required,
        description=own.get("description", ""),
        form=own.get("x-format", own.get("x-expects", "")),
        values=tuple(_plain(v) for v in _values(own)),
        default=_plain(own["default"]) if "default" in own else "",
        limits=tuple(_LIMITS[key].format(value) for key, value in told.items()),
        fields=fields,
    )


def _values(own: Node) -> list[object]:
    return [own["const"]] if "const" in own else list(own.get("enum", ()))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _type(schema: Node, node: Node) -> str:
    """``string``, ``array of object``, ``string or integer``."""
    own = resolved(schema, node)
    if "type" not in own and "anyOf" in own:
        return " or ".join(dict.fromkeys(_type(schema, choice) for choice in own["anyOf"]))
    if "type" not in own:
        values = _values(own)
        return "string" if values and all(isinstance(v, str) for v in values) else "any"
    types = [own["type"]] if isinstance(own["type"], str) else list(own["type"])
    inside = f" of {_type(schema, own['items'])}" if "items" in own else ""
    return " or ".join(f"array{inside}" if t == "array" else t for t in types)


def _shapes(schema: Node, node: Node) -> Iterator[Node]:
    """The objects that ``node`` can be, or hold as items."""
    own = resolved(schema, node)
    yield own
    for choice in own.get("anyOf", ()):
        yield from _shapes(schema, choice)
    if "items" in own:
        yield from _shapes(schema, own["items"])


def _children(schema: Node, node: Node) -> Iterator[tuple[str, Node]]:
    for shape in _shapes(schema, node):
        yield from shape.get("properties", {}).items()
        if isinstance(extra := shape.get("additionalProperties"), dict):
            yield ANY_NAME, extra


def _required(schema: Node, node: Node) -> frozenset[str]:
    """Names that have to be there; where there is a choice, those that every choice asks for."""
    own = resolved(schema, node)
    found = frozenset(own.get("required", ()))
    objects = [
        c for choice in own.get("anyOf", ()) if {"properties", "required"} & (c := resolved(schema, choice)).keys()
    ]
    if objects:
        found |= frozenset.intersection(*(_required(schema, choice) for choice in objects))
    return found | (_required(schema, own["items"]) if "items" in own else frozenset())


def _close(kind: str, word: str, steps: list[str]) -> Iterator[str]:
    """What the first wrong step of ``steps`` may have been meant to be, written with ``word`` as it was."""
    good = next(n for n in range(len(steps) - 1, -1, -1) if _at(kind, steps[:n]) is not None)
    parent = _at(kind, steps[:good])
    names = [f.name.removeprefix("spec.") for f in parent.fields] if parent is not None else []
    for name in get_close_matches(steps[good], names, n=3):
        yield ".".join([word, *steps[:good], name])
