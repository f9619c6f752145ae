"""Documents told apart by kind and checked against their schemas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from reconciler.manifest.complaints import closest, complain, schema_flaws
from reconciler.manifest.documents import Document
from reconciler.manifest.findings import Findings
from reconciler.manifest.schemas import KindSchema, kind_schema, schema_files
from reconciler.manifest.variables import substitute

OURS = "reconciler/v1"

_CONSTANT = ("Project", "Policy")
"""Kinds without variables: where the variables are, and what whoever sets variables must not change."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")


class Entry(Struct, eq=False):
    """One document of a known kind. ``data`` has its variables put in; only when ``sound`` does it fit its schema."""

    document: Document
    schema: KindSchema
    data: Mapping[str, Any]
    sound: bool

    @property
    def kind(self) -> str:
        return self.schema.kind

    @property
    def provider(self) -> str:
        """``slicktext`` of ``slicktext/v1``."""
        return self.schema.provider

    @property
    def spec(self) -> Mapping[str, Any]:
        spec: Mapping[str, Any] = self.data.get("spec", {})
        return spec

    @property
    def name(self) -> str:
        """``metadata.name``; empty where an unsound document has none that could be one."""
        return self._metadata("name")

    @property
    def account(self) -> str:
        """``metadata.account``, empty when it is left out."""
        return self._metadata("account")

    def _metadata(self, key: str) -> str:
        if self.sound:
            found: str = self.data["metadata"].get(key, "")
            return found
        metadata = self.data.get("metadata")
        value = metadata.get(key) if isinstance(metadata, dict) else None
        return value if isinstance(value, str) and _NAME.match(value) else ""


class Entries(Struct):
    """Every entry by what it is. ``unknown`` counts documents of which not even the kind is known."""

    projects: list[Entry] = field(default_factory=list)
    accounts: list[Entry] = field(default_factory=list)
    suppressions: list[Entry] = field(default_factory=list)
    waivers: list[Entry] = field(default_factory=list)
    policies: list[Entry] = field(default_factory=list)
    resources: list[Entry] = field(default_factory=list)
    unknown: int = 0

    @property
    def known(self) -> bool:
        """Whether there is anything at all besides Projects."""
        return bool(self.accounts or self.suppressions or self.waivers or self.policies or self.resources)


def is_project(document: Document) -> bool:
    data = document.data
    return isinstance(data, dict) and data.get("apiVersion") == OURS and data.get("kind") == "Project"


def is_policy(document: Document) -> bool:
    data = document.data
    return isinstance(data, dict) and data.get("apiVersion") == OURS and data.get("kind") == "Policy"


def check_projects(findings: Findings, documents: Iterable[Document]) -> list[Entry]:
    """The Project documents. They come first: the variables of all others are in there."""
    found = (_entry(findings, d, {}) for d in documents if is_project(d))
    return [entry for entry in found if entry is not None]


def check(findings: Findings, documents: Iterable[Document], variables: Mapping[str, str]) -> Entries:
    """Every document but the Projects, checked and sorted by kind."""
    entries = Entries()
    by_kind = {
        "Account": entries.accounts,
        "Suppression": entries.suppressions,
        "Waiver": entries.waivers,
        "Policy": entries.policies,
    }
    for document in documents:
        if is_project(document):
            continue
        entry = _entry(findings, document, variables)
        if entry is None:
            entries.unknown += 1
        else:
            by_kind.get(entry.schema.kind, entries.resources).append(entry)
    return entries


def _entry(findings: Findings, document: Document, variables: Mapping[str, str]) -> Entry | None:
    data = document.data
    schema = None
    if isinstance(data, dict):
        api_version, kind = data.get("apiVersion"), data.get("kind")
        if isinstance(api_version, str) and isinstance(kind, str):
            schema = kind_schema(api_version, kind)
    if schema is None:
        findings.flaws(document, document.flaws)
        _unknown(findings, document)
        return None
    before = findings.failures
    if document.flaws:
        findings.flaws(document, schema_flaws(document, schema))
    if document.has_mark and schema.kind not in _CONSTANT:
        data = substitute(findings, document, variables)
    valid = schema.is_valid(data)
    sound = valid and findings.failures == before
    if not valid:
        complain(findings, document, schema, data)
    return Entry(document, schema, data, sound)


def _unknown(findings: Findings, document: Document) -> None:
    """What is wrong with the head of a document that is of no kind."""
    data = document.data
    if not isinstance(data, dict):
        what = "a list" if isinstance(data, list) else "a single value"
        findings.at(document, (), "not-a-mapping", f"this document is {what}; a manifest is a mapping")
        return
    missing = [key for key in ("apiVersion", "kind") if key not in data]
    if missing:
        message = f"this document has no {' and no '.join(missing)}"
        findings.at(document, (), "missing-field", message, hint=_HEAD_HINT, at="key")
        return
    api_version, kind = data["apiVersion"], data["kind"]
    versions = sorted({version for version, _ in schema_files()})
    if api_version not in versions:
        hint = closest(str(api_version), versions) or f"known are {', '.join(versions)}"
        findings.at(
            document,
            ("apiVersion",),
            "unknown-api-version",
            f"there is no apiVersion {_quoted(api_version)}",
            hint=hint,
        )
        return
    kinds = [k for version, k in schema_files() if version == api_version]
    hint = closest(str(kind), kinds) or f"known are {', '.join(kinds)}"
    findings.at(document, ("kind",), "unknown-kind", f"{api_version} has no kind {_quoted(kind)}", hint=hint)


_HEAD_HINT = "every manifest begins with apiVersion, kind and metadata"


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) and len(value) <= 60 else "like this"
