"""Faults as data: rules that say which requests go wrong, and how.

A rule is a mapping::

    {provider?: slicktext, method?: POST, path?: "/v1/*/lists", contains?: "associate",
     nth?: 3 | [1, 3], times?: 2, fault: {kind: error_after, status: 502}}

``path`` is a glob over the whole path without the query (``*`` also takes slashes), or a regular expression after
``re:``. ``contains`` is looked for in the query and the body. ``nth`` counts matching requests from when the rule was
set, ``times`` limits how often it fires. All rules that match one request act together, in order; where they disagree
the later one wins. The kinds and their parameters are the table in ``fault_kinds``.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.sandbox.course import STRAIGHT, Course
from reconciler.sandbox.fault_kinds import KINDS
from reconciler.sandbox.wire import JsonObject, Request, SandboxError

KEYS = ("provider", "method", "path", "contains", "nth", "times", "fault")


@dataclass(slots=True, kw_only=True)
class Rule:
    """One parsed rule with its counters; the rest of the rule never changes."""

    number: int
    source: JsonObject  # as given, for people
    provider: str | None
    methods: frozenset[str] | None
    path: re.Pattern[str] | None
    contains: str | None
    nth: frozenset[int] | None
    times: int | None
    kind: str
    params: JsonObject
    seen: int = 0
    fired: int = 0

    def fires(self, provider: str, request: Request, query: str) -> bool:
        """Whether this request is hit; counts it."""
        if self.provider not in (None, provider) or (self.methods is not None and request.method not in self.methods):
            return False
        if self.path is not None and not self.path.search(request.path):
            return False
        if self.contains is not None and self.contains not in query and self.contains.encode() not in request.body:
            return False
        self.seen += 1
        if self.nth is not None and self.seen not in self.nth:
            return False
        if self.times is not None and self.fired >= self.times:
            return False
        self.fired += 1
        return True


@dataclass(slots=True)
class Faults:
    """The rules in force."""

    rules: list[Rule] = field(default_factory=list)
    _last_number: int = 0

    def set(self, rules: Iterable[Any], providers: Iterable[str]) -> None:
        """Replace all rules, counters at zero; all or nothing. Raises ``SandboxError``."""
        known = tuple(providers)
        parsed = [_parse(rule, self._last_number + at, known) for at, rule in enumerate(rules, start=1)]
        self._last_number += len(parsed)
        self.rules = parsed

    def add(self, rules: Iterable[Any], providers: Iterable[str]) -> None:
        """More rules after those in force."""
        before = self.rules
        self.set(rules, providers)
        self.rules = before + self.rules

    def course(self, provider: str, request: Request, query: str) -> tuple[Course, tuple[int, ...]]:
        """How this request will go, and the numbers of the rules that decided it."""
        course, hits = STRAIGHT, []
        for rule in self.rules:
            if rule.fires(provider, request, query):
                course = KINDS[rule.kind].bend(course, rule.params)
                hits.append(rule.number)
        return course, tuple(hits)

    def dump(self) -> list[JsonObject]:
        """Rules as given, with what they counted."""
        return [{**rule.source, "rule": rule.number, "seen": rule.seen, "fired": rule.fired} for rule in self.rules]


def _parse(rule: Any, number: int, providers: tuple[str, ...]) -> Rule:
    where = f"faults[{number}]"
    if not isinstance(rule, Mapping):
        raise SandboxError(f"{where}: a rule is a mapping, not {type(rule).__name__}")
    source = {key: value for key, value in rule.items() if key not in ("rule", "seen", "fired")}
    if unknown := set(source) - set(KEYS):
        raise SandboxError(f"{where}: unknown key {sorted(map(str, unknown))[0]!r}; known: {', '.join(KEYS)}")
    provider = source.get("provider")
    if provider is not None and provider not in providers:
        raise SandboxError(f"{where}: unknown provider {provider!r}; known: {', '.join(providers)}")
    kind, params = _parse_fault(source.get("fault"), where)
    contains = source.get("contains")
    return Rule(
        number=number,
        source=source,
        provider=provider,
        methods=_methods(source.get("method"), where),
        path=_path(source.get("path"), where),
        contains=None if contains is None else str(contains),
        nth=_nth(source.get("nth"), where),
        times=_count(source.get("times"), f"{where}.times"),
        kind=kind,
        params=params,
    )


def _parse_fault(fault: Any, where: str) -> tuple[str, JsonObject]:
    if isinstance(fault, str):
        fault = {"kind": fault}
    if not isinstance(fault, Mapping) or not isinstance(fault.get("kind"), str):
        raise SandboxError(f"{where}.fault: needs a kind: {', '.join(KINDS)}")
    name = fault["kind"].replace("-", "_")
    if name not in KINDS:
        raise SandboxError(f"{where}.fault: unknown kind {fault['kind']!r}; known: {', '.join(KINDS)}")
    given = {key: value for key, value in fault.items() if key != "kind"}
    return name, KINDS[name].params(given, f"{where}.fault")


def _methods(value: Any, where: str) -> frozenset[str] | None:
    if value is None:
        return None
    methods = [value] if isinstance(value, str) else value
    if not isinstance(methods, list | tuple) or not all(isinstance(method, str) for method in methods):
        raise SandboxError(f"{where}.method: a method or a list of methods, not {value!r}")
    return frozenset(method.upper() for method in methods)


def _path(value: Any, where: str) -> re.Pattern[str] | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise SandboxError(f"{where}.path: a glob, or re: and a regular expression, not {value!r}")
    try:
        return re.compile(value[3:] if value.startswith("re:") else fnmatch.translate(value.rstrip("/") or "/"))
    except re.error as error:
        raise SandboxError(f"{where}.path: {value!r} is no regular expression: {error}") from error


def _nth(value: Any, where: str) -> frozenset[int] | None:
    if value is None:
        return None
    numbers = value if isinstance(value, list | tuple) else [value]
    return frozenset(_count(number, f"{where}.nth") or 0 for number in numbers)


def _count(value: Any, where: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SandboxError(f"{where}: a whole number from 1, not {value!r}")
    return value
