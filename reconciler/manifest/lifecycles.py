"""Lifecycle rules that a Project gives to whole folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from reconciler.diagnostics import warning
from reconciler.manifest.complaints import closest
from reconciler.manifest.documents import Document
from reconciler.manifest.documents import Path as Place
from reconciler.manifest.findings import Findings
from reconciler.manifest.schemas import KindSchema, kind_schema, schema_files
from reconciler.manifest.values import path_problem

_REFUSED = {"Membership": frozenset({"replace"})}
"""What is refused in every document of a kind, and so is not taken from a folder either.

What one provider refuses is in its schema: ``x-refused`` beside the ``$ref`` of ``lifecycle``.
"""

Block = tuple[Place, Sequence[Mapping[str, Any]]]
"""Where a list of rules is in the Project document, and the rules."""


class LifecycleDefaults(Struct, frozen=True):
    """The rules of every folder that has some, from the outermost to the innermost; ``path`` is a real one."""

    rules: Sequence[tuple[Path, Mapping[str, Any]]] = ()
    _known: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, document: Document, schema: KindSchema) -> Mapping[str, Any]:
        """What holds for a document that has no ``lifecycle`` of its own, in the spelling of one."""
        if not self.rules:
            return {}
        file = document.source.path
        if file not in self._known:
            real = Path(os.path.realpath(file))
            merged: dict[str, Any] = {}
            for path, given in self.rules:
                if real.is_relative_to(path):
                    merged.update(given)
            self._known[file] = merged
        own = schema.schema["properties"].get("lifecycle", {})
        refused = _REFUSED.get(schema.kind, frozenset()).union(own.get("x-refused", ()))
        found = {name: value for name, value in self._known[file].items() if name not in refused}
        if "ignore" in found:
            found["ignore"] = [name for name in found["ignore"] if name in schema.fields]
        return found


def lifecycle_defaults(findings: Findings, project: Document, blocks: Sequence[Block]) -> LifecycleDefaults:
    """The rules of ``blocks``; where two are about one folder, those of the later block win, field by field."""
    rules: list[tuple[Path, Mapping[str, Any]]] = []
    for at, given in blocks:
        seen: set[Path] = set()
        for i, rule in enumerate(given):
            path = _checked(findings, project, (*at, i), rule)
            if path is None:
                continue
            if path in seen:
                message = "there are rules for this folder already"
                findings.at(project, (*at, i, "path"), "duplicate-item", message, hint="put them together")
            seen.add(path)
            rules.append((path, {name: value for name, value in rule.items() if name != "path"}))
    return LifecycleDefaults(sorted(rules, key=lambda rule: len(rule[0].parts)))


def _checked(findings: Findings, project: Document, at: Place, rule: Mapping[str, Any]) -> Path | None:
    folder, text = Path(project.source.path).parent, rule["path"]
    if problem := path_problem(text, folder, Path(os.path.realpath(folder))):
        findings.at(project, (*at, "path"), "path-outside-project", problem)
        return None
    path = Path(os.path.realpath(folder / text))
    if not path.exists():
        # No error: it may have been the last manifest of a folder that was taken out, and the folder with it.
        message = f"there is no {text}, so these rules hold for nothing"
        place = findings.span(project, (*at, "path"))
        told = warning("lifecycle-path-not-found", message, hint="correct the path, or take them out", source=place)
        findings.quoted(project, told)
    if "ignore" in rule:
        known = sorted(set(_fields()))
        for i, name in enumerate(rule["ignore"]):
            if name not in known:
                hint = closest(name, known) or "look at `reconciler schema`"
                message = f'no kind has a field "{name}"'
                findings.at(project, (*at, "ignore", i), "unknown-field", message, hint=hint)
    return path


def _fields() -> Iterator[str]:
    for version, kind in schema_files():
        schema = kind_schema(version, kind)
        if schema is not None and "lifecycle" in schema.schema["properties"]:
            yield from schema.fields
