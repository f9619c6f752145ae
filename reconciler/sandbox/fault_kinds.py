"""The kinds of faults: their parameters with defaults, and how each bends the course of a request.

"Effect" is what the endpoint does to the state. Kinds that only spoil the answer leave the effect in place unless
``effect: false`` says otherwise; kinds that stand for a refusal in front of the API have none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from reconciler.sandbox.course import Course, Replacement
from reconciler.sandbox.wire import HTML_TYPE, JSON_TYPE, JsonObject, SandboxError

Bend = Callable[[Course, JsonObject], Course]

NUMBER = (int, float)
REQUIRED = object()
HTML = "<html><head><title>{status}</title></head><body><h1>Sandbox gateway page</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: what parameters it takes (accepted types, default) and what it does."""

    about: str
    takes: Mapping[str, tuple[tuple[type, ...], Any]]
    bend: Bend

    def params(self, given: Mapping[str, Any], where: str) -> JsonObject:
        """All parameters, defaults filled in; raises ``SandboxError``."""
        for name, value in given.items():
            if name not in self.takes:
                known = ", ".join(self.takes) or "none"
                raise SandboxError(f"{where}: unknown parameter {name!r}; known: {known}")
            kinds, default = self.takes[name]
            if value is None and default is not REQUIRED:
                continue
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds and object not in kinds):
                raise SandboxError(f"{where}.{name}: {value!r} is of the wrong kind")
            _sound(name, value, where)
        filled = {name: default for name, (_, default) in self.takes.items()}
        filled.update({name: value for name, value in given.items() if value is not None})
        for name, value in filled.items():
            if value is REQUIRED:
                raise SandboxError(f"{where}: {name} is missing")
        return filled


def _sound(name: str, value: Any, where: str) -> None:
    if name in ("ms", "apply", "bytes", "fraction") and value < 0:
        raise SandboxError(f"{where}.{name}: {value!r} is negative")
    if name == "status" and not 200 <= value <= 599:
        raise SandboxError(f"{where}.status: {value!r} is no status from 200 to 599")
    if name == "how" and value not in ("reset", "close"):
        raise SandboxError(f"{where}.how: {value!r} is neither 'reset' nor 'close'")
    if name == "pattern":
        try:
            re.compile(value)
        except re.error as error:
            raise SandboxError(f"{where}.pattern: {error}") from error


def _latency(course: Course, p: JsonObject) -> Course:
    seconds = p["ms"] / 1000
    if p["after"]:
        return replace(course, wait_after_s=course.wait_after_s + seconds)
    return replace(course, wait_before_s=course.wait_before_s + seconds)


def _error(effects: int) -> Bend:
    return lambda course, p: replace(course, effects=effects, replacement=_replacement(p))


def _drop(effects: int) -> Bend:
    return lambda course, p: replace(course, effects=effects, ending=p["how"])


def _hang(course: Course, p: JsonObject) -> Course:
    return replace(course, effects=int(p["effect"]), ending="hang")


def _truncate(course: Course, p: JsonObject) -> Course:
    return replace(
        course,
        keep=p["fraction"],
        keep_bytes=p["bytes"],
        ending="break" if p["short"] else course.ending,
    )


def _drip(course: Course, p: JsonObject) -> Course:
    return replace(course, ending="drip", drip_s=p["ms"] / 1000)


def _non_json(course: Course, p: JsonObject) -> Course:
    page = HTML.format(status=p["status"]) if p["body"] is None else p["body"]
    replacement = Replacement(status=p["status"], body=page.encode(), content_type=HTML_TYPE)
    return replace(course, effects=int(p["effect"]), replacement=replacement)


def _rate_limited(course: Course, p: JsonObject) -> Course:
    after = p["retry_after"]
    headers = () if after is None else (("Retry-After", str(after)),)
    return replace(course, effects=0, replacement=Replacement(status=429, headers=headers))


def _expired_token(course: Course, p: JsonObject) -> Course:
    return replace(course, effects=0, expires_tokens=True, replacement=Replacement(status=401))


def _late_landing(course: Course, p: JsonObject) -> Course:
    course = replace(course, effects=0, lands_after_s=p["ms"] / 1000)
    if p["status"] is None:
        return replace(course, ending=p["how"])
    return replace(course, replacement=Replacement(status=p["status"]))


def _double_effect(course: Course, p: JsonObject) -> Course:
    return replace(course, effects=2)


def _delayed_visibility(course: Course, p: JsonObject) -> Course:
    return replace(course, twist=replace(course.twist, hidden_s=p["ms"] / 1000))


def _partial_bulk(course: Course, p: JsonObject) -> Course:
    return replace(course, twist=replace(course.twist, bulk_apply=p["apply"], bulk_status=p["status"]))


def _row_shift(by: int) -> Bend:
    return lambda course, p: replace(course, twist=replace(course.twist, row_shift=by))


def _empty_collection(course: Course, p: JsonObject) -> Course:
    return replace(course, twist=replace(course.twist, empty=True))


def _false_body(course: Course, p: JsonObject) -> Course:
    return replace(course, effects=int(p["effect"]), replacement=Replacement(status=200, body=b"false"))


def _rewrite(course: Course, p: JsonObject) -> Course:
    return replace(course, rewrites=(*course.rewrites, (re.compile(p["pattern"]), p["replacement"])))


def _tamper(course: Course, p: JsonObject) -> Course:
    return replace(course, tampers=(*course.tampers, p["operation"]))


def _replacement(p: JsonObject) -> Replacement:
    headers = tuple((str(name), str(value)) for name, value in p["headers"].items())
    body = p["body"]
    if body is None:
        return Replacement(status=p["status"], headers=headers)
    if isinstance(body, str):
        kind = p["content_type"] or (HTML_TYPE if body.lstrip().startswith("<") else JSON_TYPE)
        return Replacement(status=p["status"], body=body.encode(), content_type=kind, headers=headers)
    kind = p["content_type"] or JSON_TYPE
    return Replacement(status=p["status"], body=msgspec.json.encode(body), content_type=kind, headers=headers)


_ERROR: Mapping[str, tuple[tuple[type, ...], Any]] = {
    "status": ((int,), 500),
    "body": ((object,), None),
    "headers": ((dict,), {}),
    "content_type": ((str,), None),
}
_HOW = {"how": ((str,), "reset")}
_EFFECT = {"effect": ((bool,), False)}

KINDS: Mapping[str, Kind] = {
    "latency": Kind(
        "answer late; after: true waits between effect and answer",
        {"ms": (NUMBER, REQUIRED), "after": ((bool,), False)},
        _latency,
    ),
    "error_before": Kind("any status, no effect", _ERROR, _error(0)),
    "error_after": Kind("any status, but the effect happened", _ERROR, _error(1)),
    "drop_before": Kind("connection lost without an answer, no effect", _HOW, _drop(0)),
    "drop_after": Kind("connection lost without an answer, but the effect happened", _HOW, _drop(1)),
    "hang": Kind("no answer ever", _EFFECT, _hang),
    "truncate": Kind(
        "the body is cut; short: true promises the full length and then closes",
        {"fraction": (NUMBER, 0.5), "bytes": ((int,), None), "short": ((bool,), False)},
        _truncate,
    ),
    "drip": Kind("one byte at a time", {"ms": (NUMBER, 100)}, _drip),
    "non_json": Kind(
        "an HTML page; mostly 200 or 502", {"status": ((int,), 502), "body": ((str,), None), **_EFFECT}, _non_json
    ),
    "rate_limited": Kind(
        "429; retry_after is sent as given", {"retry_after": ((int, float, str), None)}, _rate_limited
    ),
    "expired_token": Kind("401 without effect, and every issued token dies", {}, _expired_token),
    "late_landing": Kind(
        "no answer now (or an error status), the effect happens later",
        {"ms": (NUMBER, REQUIRED), "status": ((int,), None), **_HOW},
        _late_landing,
    ),
    "double_effect": Kind("a proxy delivers the request twice", {}, _double_effect),
    "delayed_visibility": Kind(
        "what the request changes stays invisible to reads", {"ms": (NUMBER, REQUIRED)}, _delayed_visibility
    ),
    "partial_bulk": Kind(
        "a bulk write stops after some items", {"apply": ((int,), 1), "status": ((int,), 500)}, _partial_bulk
    ),
    "duplicated_row": Kind(
        "as if a row had been inserted before this page: one row is shown twice", {}, _row_shift(-1)
    ),
    "skipped_row": Kind("as if a row had been deleted before this page: one row is never shown", {}, _row_shift(1)),
    "empty_collection": Kind("200 with no rows", {}, _empty_collection),
    "false_body": Kind("200 false", _EFFECT, _false_body),
    "rewrite": Kind(
        "regular-expression replacement in the body",
        {"pattern": ((str,), REQUIRED), "replacement": ((str,), "")},
        _rewrite,
    ),
    "tamper": Kind(
        "somebody else changes something just before this request is served",
        {"operation": ((dict,), REQUIRED)},
        _tamper,
    ),
}
