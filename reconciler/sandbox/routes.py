"""Which endpoint serves a method and path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

Endpoint = TypeVar("Endpoint")
Params = Mapping[str, str]


class UnknownPath(Exception):
    """No endpoint has this path."""


class WrongMethod(Exception):
    """The path exists, but not with this method."""


class Routes(Generic[Endpoint]):
    """Endpoints by ``"METHOD template"``; ``{name}`` in a template takes one segment, fixed words win over it."""

    def __init__(self, table: Mapping[str, Endpoint]) -> None:
        self._by_length: dict[int, dict[tuple[str, ...], dict[str, Endpoint]]] = {}
        for line, endpoint in table.items():
            method, template = line.split(" ", 1)
            segments = _segments(template)
            self._by_length.setdefault(len(segments), {}).setdefault(segments, {})[method] = endpoint
        for length, templates in self._by_length.items():
            ordered = sorted(templates.items(), key=lambda item: [word.startswith("{") for word in item[0]])
            self._by_length[length] = dict(ordered)

    def find(self, method: str, path: str) -> tuple[Endpoint, Params]:
        """The endpoint and what its placeholders stand for; raises ``UnknownPath`` or ``WrongMethod``."""
        segments = _segments(path)
        for template, endpoints in self._by_length.get(len(segments), {}).items():
            params = _match(template, segments)
            if params is None:
                continue
            if method not in endpoints:
                raise WrongMethod(path)
            return endpoints[method], params
        raise UnknownPath(path)


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))


def _match(template: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for expected, found in zip(template, segments, strict=True):
        if expected.startswith("{"):
            params[expected[1:-1]] = found
        elif expected != found:
            return None
    return params
