"""What stands on the command line of ``call``, as one request: ``name=text``, ``name:=json``, ``name=@file``.

The provider's table of operations is the type: every argument is one of its parameters, every required one is there,
and members that an operation is about cannot be given. No message here repeats a value: it could be a person's number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

from reconciler.errors import UsageError
from reconciler.masking import mask_text
from reconciler.plan.calls import Call, Json, Method
from reconciler.providers.base import Operation, Param

MAX_FILE_BYTES = 32 * 1024 * 1024
BODY = "body"
"""The parameter that is the whole body of an operation whose body is an array."""

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_HOW = 'write NAME=TEXT, NAME:=JSON or NAME=@FILE, for example name="Join" or body:=[1,2]'


def find(operations: Sequence[Operation], name: str, provider: str) -> Operation:
    """The operation of that name. Raises UsageError with those that are spelled alike."""
    found = {o.name: o for o in operations}
    if name not in found:
        raise UsageError(
            f"{provider} has no operation {name!r}", hint=alike(name, found) or "`reconciler call --list` has them all"
        )
    return found[name]


def parsed(operation: Operation, words: Sequence[str]) -> Mapping[str, Json]:
    """The arguments by name, each a known parameter given once; every required one among them. Raises UsageError."""
    params = {p.name: p for p in operation.params}
    given: dict[str, Json] = {}
    for word in words:
        left, equals, right = word.partition("=")
        name = left.removesuffix(":")
        if not equals or not name:
            # The word itself is not repeated: it may be a value whose name was forgotten.
            raise UsageError("an argument has no name", hint=_HOW)
        if name not in params:
            _refuse_name(operation, name, params)
        if name in given:
            raise UsageError(f"{name} is given twice")
        given[name] = _value(operation, name, right, as_json=left.endswith(":"))
        _check_sendable(name, params[name], given[name])
    if missing := [p.name for p in operation.params if p.required and p.name not in given]:
        raise UsageError(f"{operation.name} needs {', '.join(missing)}", hint=_HOW)
    return given


def request(operation: Operation, given: Mapping[str, Json], known: Mapping[str, str]) -> Call:
    """The request. ``known`` are the parts of the path that belong to the account. Raises UsageError."""
    params = {p.name: p for p in operation.params}
    path = {n: _named(params[n], _scalar(n, v)) for n, v in given.items() if params[n].place == "path"}
    query = tuple((n, _scalar(n, v)) for n, v in given.items() if params[n].place == "query")
    return Call(
        method=Method(operation.method),
        path=tuple(_filled(part, {**known, **path}) for part in operation.path.split("/") if part),
        query=query,
        body=_body(operation, params, given),
    )


def path_template(operation: Operation, given: Mapping[str, Json], known: Mapping[str, str]) -> str:
    """The path for the journal, with ids filled in; what could be a person's number stays a placeholder."""
    texts = {name: str(value) for name, value in given.items() if isinstance(value, str | int)}
    shown = {name: text for name, text in texts.items() if mask_text(text) == text}
    return _PLACEHOLDER.sub(lambda m: {**shown, **known}.get(m[1], m[0]), operation.path)


def _refuse_name(operation: Operation, name: str, params: Mapping[str, Param]) -> NoReturn:
    if name in dict(operation.fixed):
        raise UsageError(f"{operation.name} always sends its own {name}; it cannot be given")
    takes = f"{operation.name} takes {', '.join(params) or 'no parameters'}"
    raise UsageError(f"{operation.name} has no parameter {name[:80]!r}", hint=alike(name, params) or takes)


def alike(name: str, names: Mapping[str, object]) -> str:
    """A hint with the names that are spelled like ``name``, if any."""
    close = get_close_matches(name, names, n=3)
    return f"did you mean {' or '.join(close)}?" if close else ""


def _value(operation: Operation, name: str, text: str, *, as_json: bool) -> Json:
    if text.startswith("@"):
        file = text[1:]
        text = _content(name, file)
        as_json = as_json or file.endswith(".json") or (operation.array_body and name == BODY)
        text = text if as_json else text.removesuffix("\n").removesuffix("\r")
    if not as_json:
        return text
    try:
        return _frozen(json.loads(text, parse_constant=_no_constant))
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise UsageError(f"{name} is no JSON ({where})", hint="quote it for the shell: NAME:='[\"a\"]'") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{name} is no JSON that can be sent") from None


def _check_sendable(name: str, param: Param, value: Json) -> None:
    """Raises UsageError for what no request can carry: half a character, an infinite number, a line break in a path."""
    match value:
        case str():
            if any("\ud800" <= c <= "\udfff" for c in value):
                raise UsageError(f"{name} holds half a character, which cannot be sent")
            if param.place == "path" and not value.isprintable():
                raise UsageError(f"{name} stands in the address of the request and holds a character that cannot")
        case float() if not isfinite(value):
            raise UsageError(f"{name} is no number that can be sent")
        case tuple():
            for entry in value:
                _check_sendable(name, param, entry)
        case Mapping():
            for key, entry in value.items():
                _check_sendable(name, param, key)
                _check_sendable(name, param, entry)
        case _:
            return


def _content(name: str, file: str) -> str:
    path = Path(file)
    try:
        if not path.is_file():
            raise UsageError(f"{name}: {file!r} is no file")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"{name}: {file!r} is larger than {MAX_FILE_BYTES >> 20} MiB")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as failure:
        raise UsageError(f"{name}: {file!r} cannot be read: {type(failure).__name__}") from None


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)


def _frozen(value: Any) -> Json:
    match value:
        case list():
            return tuple(_frozen(v) for v in value)
        case dict():
            return {str(k): _frozen(v) for k, v in value.items()}
        case _:
            known: Json = value
            return known


def _scalar(name: str, value: Json) -> str:
    """A value that stands in the URL."""
    match value:
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
        case _:
            raise UsageError(f"{name} stands in the address of the request: it is a text or a number")


def _named(param: Param, value: str) -> str:
    """A value that names something in the path: never one that would make another path of it."""
    if re.fullmatch(param.pattern, value, re.ASCII) is None:
        raise UsageError(f"{param.name} is no id: it stands in the path and has to match {param.pattern}")
    return value


def _filled(part: str, values: Mapping[str, str]) -> str:
    filled = _PLACEHOLDER.sub(lambda m: values.get(m[1], m[0]), part)
    if filled in ("", ".", ".."):
        raise UsageError(f"{part} cannot be empty or made of dots")
    return filled


def _body(operation: Operation, params: Mapping[str, Param], given: Mapping[str, Json]) -> Json:
    if operation.array_body:
        array = given.get(BODY)
        if not isinstance(array, tuple):
            raise UsageError(f"{BODY} is a JSON array", hint=f"{BODY}:='[…]' or {BODY}=@FILE")
        return array
    members: dict[str, Json] = dict(operation.fixed)
    members |= {n: v for n, v in given.items() if params[n].place == "body"}
    takes_one = bool(operation.fixed) or any(p.place == "body" for p in operation.params)
    return members if takes_one and operation.method != Method.GET else None
