"""What a sampling profiler saw, as a tree: our functions by name, libraries and imports by what they are called.

Consecutive frames of one library are one node, and so is everything that an import does until it imports something
else: what is inside them is not ours to change. Siblings of one name are one node.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

IMPORTS = "imports"
NAMES = {
    "selectors": "waiting for answers",
    "threading": "waiting for answers",
    "queue": "waiting for answers",
    "asyncio": "event loop",
    "h11": "HTTP (h11, httpx)",
    "httpx": "HTTP (h11, httpx)",
    "httpcore": "HTTP (h11, httpx)",
    "sqlalchemy": "store (SQLAlchemy, SQLite)",
    "msgspec": "JSON (msgspec, json)",
    "json": "JSON (msgspec, json)",
    "deepdiff": "field diff (deepdiff)",
    "yaml": "YAML",
    "click": "command line",
}
"""Parts of the time by a module or package that others wrote."""
PARTS = {
    "manifest": "loading manifests",
    "plan": "planning",
    "providers": "providers: requests, rows to values",
    "store": "store (SQLAlchemy, SQLite)",
    "render": "rendering",
    "apply": "applying: order, outcomes, read-backs",
    "model": "model",
    "cli": "command line",
    "app": "wiring",
}
"""Parts of the time by a package of ours."""


@dataclass(slots=True)
class Node:
    """Frames of one name below the same caller. ``own`` seconds are those that no child accounts for."""

    name: str
    part: str
    own: float = 0.0
    children: list[Node] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.own + sum(child.seconds for child in self.children)

    def child(self, name: str, part: str) -> Node:
        """The child of this name, made if there is none."""
        found = next((c for c in self.children if c.name == name), None)
        if found is None:
            self.children.append(found := Node(name, part))
        return found


def take(work: Callable[[], object], file: Path) -> None:
    """Do ``work`` under the profiler, which looks a thousand times a second, and write what it saw."""
    import pyinstrument

    profiler = pyinstrument.Profiler(interval=0.001, async_mode="disabled")
    with profiler:
        work()
    session = profiler.last_session
    frame = session.root_frame() if session is not None else None
    if frame is None:
        raise RuntimeError("the profiler has seen nothing")
    root = Node("all", PARTS["app"])
    _add(frame, root, importing=False)
    file.write_text(json.dumps(asdict(root)), encoding="utf-8")


def read(file: Path) -> Node:
    """What ``take`` wrote."""
    return _node(json.loads(file.read_text(encoding="utf-8")))


def _node(held: dict[str, Any]) -> Node:
    return Node(held["name"], held["part"], held["own"], [_node(child) for child in held["children"]])


def shares(root: Node) -> dict[str, float]:
    """The share of each part in all the time, the greatest first."""
    found: defaultdict[str, float] = defaultdict(float)
    for node in _each(root):
        found[node.part] += node.own
    total = root.seconds
    return {part: found[part] / total for part in sorted(found, key=lambda part: -found[part])}


def _each(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _each(child)


def _add(frame: Any, into: Node, *, importing: bool) -> None:
    """``frame`` and all below it. What has no name here counts for whoever called it."""
    path = str(frame.file_path or "")
    importing = importing or "importlib" in path
    name = _imported(path) if importing else name_of(path, str(frame.function))
    part = IMPORTS if importing else part_of(path)
    node = into if name in (None, into.name) else into.child(name or into.name, part or into.part)
    children = list(frame.children)
    node.own += max(float(frame.time) - sum(float(child.time) for child in children), 0.0)
    for child in children:
        _add(child, node, importing=importing)


def part_of(path: str) -> str | None:
    """What a source file is part of; None where that is whatever its caller is part of."""
    if re.search(r"/reconciler/providers/_(http1|line|wire|proxied)\.py$", path):
        return NAMES["h11"]
    if found := re.search(r"/reconciler/(\w+)/", path):
        return PARTS.get(found[1])
    names = re.split(r"[/.]", path)
    return next((said for module, said in NAMES.items() if module in names), None)


def name_of(path: str, function: str) -> str | None:
    """``plan.planner.plan`` of ours, the package of a library; None for what is neither."""
    if found := re.search(r"/reconciler/([\w/]+)\.py$", path):
        return f"{found[1].replace('/', '.').removesuffix('.__init__')}.{function}"
    return None if "/benchmarks/" in path else _package(path)


def _imported(path: str) -> str | None:
    package = None if "importlib" in path else _package(path)
    return f"import {package}" if package else None


def _package(path: str) -> str | None:
    found = re.search(r"/(?:site-packages|python3\.\d+)/(?!site-packages)(?:lib-dynload/)?(\w+)", path)
    if found is None and "/reconciler/" in path:
        return "reconciler"
    return found[1] if found else None
