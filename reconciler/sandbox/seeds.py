"""Reading seeds: the document, and checked access to its mappings. What a section may hold, its provider knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from reconciler.sandbox.wire import JsonObject, SandboxError

REQUIRED = object()
Spec = Mapping[str, tuple[tuple[type, ...], Any]]  # key -> accepted types, default or REQUIRED


def read_document(path: Path) -> Any:
    """A YAML or JSON file; raises ``SandboxError``."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SandboxError(f"{path}: {error.strerror}") from error
    if path.suffix == ".json":
        try:
            return msgspec.json.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SandboxError(f"{path}: no JSON: {error}") from error
    import yaml  # only for this: seeds given as mappings must not pay for it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(content, Loader=loader)  # a safe loader, the fast one where it was built
    except yaml.YAMLError as error:
        raise SandboxError(f"{path}: no YAML: {error}") from error


def read(value: Any, where: str, spec: Spec) -> JsonObject:
    """The mapping with defaults filled in; an unknown key, a missing one or a wrong type is an error."""
    if not isinstance(value, Mapping):
        raise SandboxError(f"{where}: a mapping is needed, not {_kind(value)}")
    for key in value:
        if key not in spec:
            raise SandboxError(f"{where}: unknown key {key!r}; known: {', '.join(spec)}")
    found: JsonObject = {}
    for key, (kinds, default) in spec.items():
        if key not in value or (value[key] is None and default is not REQUIRED):
            if default is REQUIRED:
                raise SandboxError(f"{where}: {key} is missing")
            found[key] = default
            continue
        if not isinstance(value[key], kinds) or (isinstance(value[key], bool) and bool not in kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise SandboxError(f"{where}.{key}: {wanted} is needed, not {_kind(value[key])}")
        found[key] = value[key]
    return found


def entries(value: Any, where: str) -> Iterator[tuple[Any, str]]:
    """The entries of a list with their places; nothing at all is an empty list."""
    if value is None:
        return
    if not isinstance(value, list | tuple):
        raise SandboxError(f"{where}: a list is needed, not {_kind(value)}")
    for at, entry in enumerate(value):
        yield entry, f"{where}[{at}]"


def _kind(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"[:80]
