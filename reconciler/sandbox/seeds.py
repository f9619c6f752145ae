"""Reading seeds: the document, checked access to its mappings, and the entries that several providers have.

What a section may hold, its provider knows. ``where`` is the place that an error names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from reconciler.sandbox.wire import JsonObject, SandboxError

REQUIRED = object()
Spec = Mapping[str, tuple[tuple[type, ...], Any]]  # key -> accepted types, default or REQUIRED
TEXT, WHOLE, MANY, SOME = (str,), (int,), (list, tuple), (list, tuple, Mapping)  # some: a list, or what spreads to one
SPREAD: Spec = {"count": (WHOLE, REQUIRED), "first": (TEXT, "+12025550000")}
_USER: Spec = {"username": (TEXT, REQUIRED), "password": (TEXT, REQUIRED)}

Key = TypeVar("Key")
Owner = TypeVar("Owner")
Row = TypeVar("Row")


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


def numbers(members: Any, where: str, consecutive: Callable[[str, int], Iterable[str]]) -> Iterator[tuple[Any, str]]:
    """Numbers with their places, or ``{count, first}`` for many in a row."""
    if isinstance(members, Mapping):
        spread = read(members.get("generate", members), where, SPREAD)
        members = list(consecutive(spread["first"], spread["count"]))
    return entries(members, where)


def users(value: Any, where: str) -> dict[str, str]:
    """Passwords by name."""
    found = [read(user, place, _USER) for user, place in entries(value, where)]
    return {user["username"]: user["password"] for user in found}


def outcomes(value: Mapping[Any, Any] | None, where: str) -> Iterator[tuple[str, list[str]]]:
    """``{number: outcome or list of outcomes}``: how calls of that number end, one after the other."""
    for number, script in (value or {}).items():
        words = [script] if isinstance(script, str) else script
        if not isinstance(words, list | tuple) or not words or not all(isinstance(word, str) for word in words):
            raise SandboxError(f"{where}: {script!r} is neither an outcome nor a list of them")
        yield str(number), list(words)


def owner(owners: Mapping[Key, Owner], wanted: Key | None, where: str) -> Owner:
    """The account of that key, or the first. The last word of ``where`` is what the vendor calls it."""
    if wanted is None:
        return next(iter(owners.values()))
    if wanted not in owners:
        raise SandboxError(f"{where}: there is no {where.rpartition('.')[2]} {wanted!r}")
    return owners[wanted]


def pick(rows: Iterable[Row], names: Callable[[Row], tuple[object, object]], wanted: object, where: str) -> Row:
    """The first row that has the wanted id or name."""
    for row in rows:
        if wanted in names(row):
            return row
    raise SandboxError(f"{where} {wanted!r} is unknown")


def _kind(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"[:80]
