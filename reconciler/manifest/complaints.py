"""Violations of a schema, told to people: one problem for one mistake, with a place and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.manifest.documents import Document, Flaw, Path
from reconciler.manifest.findings import Findings
from reconciler.manifest.places import At
from reconciler.manifest.schemas import KindSchema

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_TYPE_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
}


class Complaint(Struct, frozen=True, kw_only=True):
    """A violation in our own terms; ``at`` says whether the key or the value is at fault.

    ``missing`` is the field that is not there, ``meant`` the one that an unknown field was probably meant to be.
    """

    code: str
    path: Path
    message: str
    hint: str = ""
    at: At = "value"
    missing: str = ""
    meant: str = ""


def nearest(word: str, words: Iterable[str]) -> str:
    """The one of ``words`` that ``word`` was probably meant to be, or nothing."""
    known = {w.lower(): w for w in words}
    found = difflib.get_close_matches(word.lower(), known, 1, 0.6)
    return known[found[0]] if found else ""


def closest(word: str, words: Iterable[str]) -> str:
    """A ``did you mean`` for a word that is not among ``words``, or nothing."""
    found = nearest(word, words)
    return f'did you mean "{found}"?' if found else ""


def dotted(path: Path) -> str:
    """A path for people: ``spec.contacts[3].number``."""
    text = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
    return text.removeprefix(".")


def complain(findings: Findings, document: Document, schema: KindSchema, data: Any) -> None:
    """Every violation of ``schema`` by ``data``, which is the document's data with its variables put in."""
    found = list(dict.fromkeys(c for violation in schema.errors(data) for c in _complaints(violation)))
    if not found and not schema.is_valid(data):
        # The fast check is stricter in rare corners, such as a line end after what a pattern asks for.
        message = f"this does not fit the schema of {schema.api_version} {schema.kind}"
        found = [Complaint(code="bad-format", path=(), message=message)]
    meant = {(c.path[:-1], c.meant) for c in found if c.meant}
    for complaint in found:
        if complaint.missing and (complaint.path, complaint.missing) in meant:
            continue  # it is there, under the name that was typed wrong
        findings.at(document, complaint.path, complaint.code, complaint.message, hint=complaint.hint, at=complaint.at)


def schema_flaws(document: Document, schema: KindSchema) -> tuple[Flaw, ...]:
    """The document's flaws in the light of its schema: dates may stand where one is asked for, hints fit the place."""
    flaws = []
    for flaw in document.flaws:
        node: Mapping[str, Any] = schema.node(flaw.path) if flaw.code == "yaml-changed-value" else {}
        if flaw.date and node.get("format") == "date":
            continue
        if node.get("type") == "boolean":
            flaw = replace(flaw, hint="write true or false")
        elif node.get("type") in ("integer", "number"):
            flaw = replace(flaw, hint="write a plain decimal number")
        flaws.append(flaw)
    return tuple(flaws)


def _complaints(error: ValidationError, base: Path = ()) -> Iterator[Complaint]:
    path = (*base, *error.relative_path)
    name = dotted(path) or "the document"
    keyword = str(error.validator)
    if (handle := _HANDLERS.get(keyword)) is not None:
        yield from handle(error, path, name)
    elif (code := _SIMPLE.get(keyword)) is not None:
        yield Complaint(code=code[0], path=path, message=code[1].format(name=name, limit=error.validator_value))
    else:
        yield Complaint(code="bad-value", path=path, message=f"{name} does not fit the schema ({keyword})")


_SIMPLE = {
    "maxLength": ("too-long", "{name} is longer than {limit} characters"),
    "minimum": ("out-of-range", "{name} must be at least {limit}"),
    "maximum": ("out-of-range", "{name} must be at most {limit}"),
    "exclusiveMinimum": ("out-of-range", "{name} must be more than {limit}"),
    "exclusiveMaximum": ("out-of-range", "{name} must be less than {limit}"),
    "minItems": ("empty-value", "{name} must have at least {limit}"),
    "maxItems": ("too-many", "{name} must have at most {limit}"),
    "uniqueItems": ("duplicate-item", "{name} has the same item twice"),
    "maxProperties": ("too-many", "{name} must have at most {limit}"),
}


def _required(error: ValidationError, path: Path, name: str) -> Iterator[Complaint]:
    for missing in _strings(error.validator_value):
        if missing not in _mapping(error.instance):
            message = f"{name} has no {missing}"
            yield Complaint(code="missing-field", path=path, at="key", message=message, missing=missing)


def _dependent(error: ValidationError, path: Path, name: str) -> Iterator[Complaint]:
    instance = _mapping(error.instance)
    for given, needed in _mapping(error.validator_value).items():
        for missing in needed:
            if given in instance and missing not in instance:
                message = f"{name} has {given}, but no {missing}"
                yield Complaint(code="missing-field", path=path, at="key", message=message)


def _extra(error: ValidationError, path: Path, name: str) -> Iterator[Complaint]:
    known = _mapping(error.schema).get("properties", {})
    unsettable = _mapping(error.schema).get("x-unsettable", ())
    for extra in _mapping(error.instance):
        if extra in known:
            continue
        place = (*path, extra)
        if extra in unsettable:
            message = f'"{extra}" cannot be set through the provider\'s API'
            yield Complaint(code="unsettable-field", path=place, at="key", message=message, hint="take it out")
        else:
            meant = nearest(extra, known)
            hint = f"known are {', '.join(known)}" if len(known) <= 8 else ""
            yield Complaint(
                code="unknown-field",
                path=place,
                at="key",
                message=f'{name} has no field "{extra}"',
                hint=f'did you mean "{meant}"?' if meant else hint,
                meant=meant,
            )


def _pattern(error: ValidationError, path: Path, name: str) -> Iterator[Complaint]:
    wanted = _mapping(error.schema).get("x-format", "")
    if "propertyNames" in error.relative_schema_path:
        hint = f"it must be {wanted}" if wanted else ""
        message = f"this key of {name} cannot be used"
        yield Complaint(code="bad-name", path=(*path, str(error.instance)), at="key", message=message, hint=hint)
        return
    if error.instance == "" and "minLength" in _mapping(error.schema):
        return
    message = f"{name} is not {wanted}" if wanted else f"{name} is not written as it must be"
    yield Complaint(code="bad-format", path=path, message=message)


def _shorter(error: ValidationError, path: Path, name: str) -> Iterator[Complaint]:
    if error.validator_value == 1:
        yield Complaint(code="empty-value", path=path, message=f"{name} is empty")
    else:
        message = f"{name} has fewer than {error.validator_value} characters"
        yield Complaint(code="too-short", path=path, message=message)


def _one_of_words(error: ValidationError, path: Path, name: str) -> Iterator[Complaint]:
    words = [str(w) for w in error.validator_value] if isinstance(error.validator_value, list) else []
    given = error.instance
    if not isinstance(given, str):
        yield _wrong_type(path, name, given, ("string",), " or ".join(words))
        return
    listed = ", ".join(words[:-1]) + f" or {words[-1]}" if len(words) > 1 else "".join(words)
    yield Complaint(code="not-one-of", path=path, message=f"{name} must be {listed}", hint=closest(given, words))


def _constant(error: ValidationError, path: Path, name: str) -> Iterator[Complaint]:
    yield Complaint(code="not-one-of", path=path, message=f"{name} must be {error.validator_value}")


def _type(error: ValidationError, path: Path, name: str) -> Iterator[Complaint]:
    schema, wanted = _mapping(error.schema), error.validator_value
    if schema.get("x-secret"):
        yield _secret(path, name, schema.get("x-expects", ""))
        return
    types = tuple(_strings(wanted)) if isinstance(wanted, list) else (str(wanted),)
    yield _wrong_type(path, name, error.instance, types, schema.get("x-expects", ""))


def _secret(path: Path, name: str, expects: str) -> Complaint:
    return Complaint(
        code="secret-literal",
        path=path,
        message=f"{name} must say where the secret is, not what it is",
        hint=f"write {expects}; if the secret was ever committed, replace it at the provider",
    )


def _wrong_type(path: Path, name: str, given: Any, types: tuple[str, ...], expects: str) -> Complaint:
    if "string" in types and isinstance(given, bool | int | float):
        phone = isinstance(given, int) and not isinstance(given, bool) and len(str(given)) >= 8
        read = "a boolean" if isinstance(given, bool) else "an integer" if isinstance(given, int) else "a number"
        message = f"YAML reads this {'phone number ' if phone else ''}as {read}; {name} must be text"
        return Complaint(code="yaml-changed-value", path=path, message=message, hint="put it in quotes")
    wanted = expects or " or ".join(_TYPE_WORDS.get(t, t) for t in types)
    return Complaint(code="wrong-type", path=path, message=f"{name} must be {wanted}")


def _few_properties(error: ValidationError, path: Path, name: str) -> Iterator[Complaint]:
    expects = _mapping(error.schema).get("x-expects", "")
    yield Complaint(code="bad-combination", path=path, message=f"{name} must be {expects or 'more than nothing'}")


def _many_properties(error: ValidationError, path: Path, name: str) -> Iterator[Complaint]:
    expects = _mapping(error.schema).get("x-expects", "")
    wanted = expects or f"a mapping with at most {error.validator_value} keys"
    yield Complaint(code="bad-combination" if expects else "too-many", path=path, message=f"{name} must be {wanted}")


def _alternatives(error: ValidationError, path: Path, name: str) -> Iterator[Complaint]:
    """``anyOf`` and ``oneOf``: the one alternative that was meant, if that can be told; else what they are together."""
    branches = (
        [b for b in error.validator_value if isinstance(b, dict)] if isinstance(error.validator_value, list) else []
    )
    if all("required" in b for b in branches):
        ways = ", or ".join(" and ".join(b["required"]) for b in branches)
        yield Complaint(code="bad-combination", path=path, at="key", message=f"{name} must have {ways}")
        return
    expects = str(_mapping(error.schema).get("x-expects", ""))
    meant = [e for e in error.context or () if e.validator != "type" or e.relative_path]
    indices = {e.relative_schema_path[0] for e in meant}
    if len(indices) == 1:
        for inner in meant:
            yield from _complaints(inner, path)
    elif "{id" in expects:
        yield Complaint(code="wrong-type", path=path, message=f"{name} must be {expects}")
    else:
        yield _wrong_type(path, name, error.instance, ("string",), expects)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _strings(value: Any) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


_HANDLERS: Mapping[str, Callable[[ValidationError, Path, str], Iterator[Complaint]]] = {
    "required": _required,
    "dependentRequired": _dependent,
    "additionalProperties": _extra,
    "pattern": _pattern,
    "minLength": _shorter,
    "enum": _one_of_words,
    "const": _constant,
    "type": _type,
    "minProperties": _few_properties,
    "maxProperties": _many_properties,
    "anyOf": _alternatives,
    "oneOf": _alternatives,
}
