"""``${var.region}``: text put into specs and labels, from the project and the command line, never from the environment.

Credentials are left out on purpose: ``auth`` holds references only, and a variable there could lead one astray.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from reconciler.manifest.complaints import closest, dotted
from reconciler.manifest.documents import Document, Path
from reconciler.manifest.findings import Findings

MARK = "${"
"""Text without it has no variables; most documents have none, and are not walked then."""

_REFERENCE = re.compile(r"(\$?)\$\{(?:var\.([A-Za-z_][A-Za-z0-9_-]*)\}|((?:var|[A-Za-z_]+\.)[^}\n]{0,80}\}?))")


def escaped(text: str) -> str:
    """``text`` for a spec, so that what looks like a variable in it stays as it is."""
    return _REFERENCE.sub(lambda found: f"${found.group()}", text) if MARK in text else text


def varies(text: str) -> bool:
    """Whether there is a variable in ``text``."""
    return any(not found[1] for found in _REFERENCE.finditer(text))


def substitute(findings: Findings, document: Document, variables: Mapping[str, str]) -> Any:
    """The document's data with its variables put in; what is undefined is reported and left as it stands."""
    data = document.data
    putting = _Putting(findings, document, variables)
    changed = dict(data)
    if "spec" in data:
        changed["spec"] = putting.within(data["spec"], ("spec",))
    labels = data["metadata"].get("labels") if isinstance(data.get("metadata"), dict) else None
    if labels is not None:
        changed["metadata"] = {**data["metadata"], "labels": putting.within(labels, ("metadata", "labels"))}
    return changed


class _Putting(Struct, frozen=True):
    findings: Findings
    document: Document
    variables: Mapping[str, str]

    def within(self, value: Any, path: Path) -> Any:
        if isinstance(value, str):
            return self._text(value, path) if MARK in value else value
        if isinstance(value, dict):
            return {k: v if (*path, k) == ("spec", "auth") else self.within(v, (*path, k)) for k, v in value.items()}
        if isinstance(value, list):
            return [self.within(v, (*path, i)) for i, v in enumerate(value)]
        return value

    def _text(self, text: str, path: Path) -> str:
        undefined: set[str] = set()

        def put(match: re.Match[str]) -> str:
            escaped, name, malformed = match.groups()
            if escaped:
                return match.group()[1:]
            if name is None:
                message = f"{dotted(path)} has a variable that is not written ${{var.name}}"
                hint = "write $${ for text that is no variable" if malformed is not None else ""
                self.findings.at(self.document, path, "bad-variable", message, hint=hint)
            elif name in self.variables:
                return self.variables[name]
            elif name not in undefined:
                undefined.add(name)
                message = f'no value is given for the variable "{name}"'
                hint = closest(name, self.variables) or f"give one with --var {name}=VALUE, or in the project"
                self.findings.at(self.document, path, "undefined-variable", message, hint=hint)
            return match.group()

        return _REFERENCE.sub(put, text)
