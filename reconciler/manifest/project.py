"""The Project document, with its environment applied, and where variables get their values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct, field

from reconciler.diagnostics import Span
from reconciler.manifest.complaints import closest
from reconciler.manifest.documents import Document
from reconciler.manifest.documents import Path as Place
from reconciler.manifest.entries import Entry
from reconciler.manifest.findings import Findings
from reconciler.manifest.hours import quiet_hours
from reconciler.manifest.lifecycles import Block, LifecycleDefaults, lifecycle_defaults
from reconciler.manifest.scalars import hidden_characters
from reconciler.manifest.values import credential, path_problem
from reconciler.model.desired import Project
from reconciler.model.quiet import QuietHours
from reconciler.model.resources import FromEnv, FromFile

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")


class Settings(Struct, frozen=True, kw_only=True):
    """What holds for the whole load. ``guards`` are those of the project and its environment, the later one wins."""

    project: Project
    variables: Mapping[str, str] = field(default_factory=dict)
    guards: Sequence[Mapping[str, Any]] = ()
    environments: frozenset[str] | None = frozenset()
    """Those that are declared; None where that cannot be told."""
    lifecycle: LifecycleDefaults = LifecycleDefaults()


def settings(findings: Findings, projects: Sequence[Entry], root: Path, environment: str) -> Settings:
    """The one Project, or what holds without one. ``root`` is a real path."""
    for other in projects[1:]:
        first = findings.span(projects[0].document, ("kind",))
        message = "there is a second Project document"
        findings.at(other.document, ("kind",), "several-projects", message, hint=f"the first is at {first}; keep one")
    entry = projects[0] if projects else None
    spec = _usable(entry) if entry is not None else {}
    chosen = _environment(findings, entry, spec, environment)
    at: Place = ("spec", "environments", environment, "store") if "store" in chosen else ("spec", "store")
    store, store_from = "", None
    if entry is not None and (given := chosen.get("store", spec.get("store"))) is not None:
        store, store_from = _store(findings, entry.document, at, given, root)
    if entry is not None:
        _check_variables(findings, entry, spec)
    return Settings(
        project=Project(
            name=entry.name if entry else "",
            root=str(root),
            environment=environment,
            store=store,
            store_from=store_from,
            source=_source(entry.document) if entry else None,
            quiet_hours=_hours(findings, entry, spec, chosen, environment),
        ),
        variables={**spec.get("variables", {}), **chosen.get("variables", {})},
        guards=[g for g in (spec.get("guards"), chosen.get("guards")) if g],
        environments=None if entry is not None and not entry.sound else frozenset(spec.get("environments", {})),
        lifecycle=_lifecycle(findings, entry, spec, chosen, environment),
    )


def _usable(entry: Entry) -> Mapping[str, Any]:
    """The project's spec; of one that does not fit its schema the variables alone, so that they are not missed."""
    if entry.sound:
        sound: Mapping[str, Any] = entry.data.get("spec", {})
        return sound
    spec = entry.data.get("spec")
    variables = spec.get("variables") if isinstance(spec, dict) else None
    texts = {k: v for k, v in variables.items() if isinstance(v, str)} if isinstance(variables, dict) else {}
    return {"variables": texts}


def _source(document: Document) -> Span:
    return Span(file=document.source.name, line=document.line, column=document.column)


def _environment(findings: Findings, entry: Entry | None, spec: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    declared: Mapping[str, Any] = spec.get("environments", {})
    if not name or name in declared:
        chosen: Mapping[str, Any] = declared.get(name, {})
        return chosen
    message = f'there is no environment "{name}"'
    if entry is None:
        findings.error("unknown-environment", message, hint="a Project document declares environments; there is none")
    elif entry.sound:
        hint = closest(name, declared) or (
            f"known are {', '.join(declared)}" if declared else "the Project declares none"
        )
        place: Place = ("spec", "environments") if declared else ("kind",)
        findings.at(entry.document, place, "unknown-environment", message, hint=hint, at="key")
    return {}


def _store(
    findings: Findings, document: Document, at: Place, given: Any, root: Path
) -> tuple[str, FromEnv | FromFile | None]:
    if isinstance(given, str):
        try:
            url = urlsplit(given)
            secret = url.password is not None or "password" in url.query.lower()
        except ValueError:
            secret = "@" in given
        if secret:
            message = "the store's URL has credentials in it"
            hint = "write {env: NAME} in its place; if the password was ever committed, change it"
            findings.at(document, at, "url-credentials", message, hint=hint)
            return "", None
        if "://" not in given:
            message = "the store is not a database URL"
            findings.at(document, at, "bad-format", message, hint="such as sqlite:///.reconciler/store.db")
            return "", None
        return given, None
    folder = Path(document.source.path).parent
    if "file" in given and (problem := path_problem(given["file"], folder, root)):
        findings.at(document, (*at, "file"), "path-outside-project", problem, hint="put the file into the project")
        return "", None
    found = credential(given, folder)
    return "", found if isinstance(found, FromEnv | FromFile) else None


def _hours(
    findings: Findings, entry: Entry | None, spec: Mapping[str, Any], chosen: Mapping[str, Any], environment: str
) -> QuietHours | None:
    """Those of the environment, else the project's own."""
    if entry is None:
        return None
    if "quietHours" in chosen:
        at: Place = ("spec", "environments", environment, "quietHours")
        return quiet_hours(findings, entry.document, at, chosen["quietHours"])
    return quiet_hours(findings, entry.document, ("spec", "quietHours"), spec.get("quietHours"))


def _lifecycle(
    findings: Findings, entry: Entry | None, spec: Mapping[str, Any], chosen: Mapping[str, Any], environment: str
) -> LifecycleDefaults:
    if entry is None:
        return LifecycleDefaults()
    own: Place = ("spec", "environments", environment, "lifecycle")
    blocks: list[Block] = [(("spec", "lifecycle"), spec.get("lifecycle", ())), (own, chosen.get("lifecycle", ()))]
    return lifecycle_defaults(findings, entry.document, blocks)


def _check_variables(findings: Findings, entry: Entry, spec: Mapping[str, Any]) -> None:
    """Variables of variables do not exist: what a reader sees in the project is what is put in."""
    blocks: list[tuple[Place, Mapping[str, str]]] = [(("spec", "variables"), spec.get("variables", {}))]
    for name, block in spec.get("environments", {}).items():
        blocks.append((("spec", "environments", name, "variables"), block.get("variables", {})))
    for path, values in blocks:
        for name, value in values.items():
            if "${var." in value:
                message = "the value of a variable cannot have variables in it"
                findings.at(entry.document, (*path, name), "bad-variable", message, hint="write the value out")


def given_variables(findings: Findings, variables: Mapping[str, str]) -> Mapping[str, str]:
    """The variables of the command line, those that can be used."""
    usable = {}
    for name, value in variables.items():
        if hidden_characters(value):
            message = f'the variable "{name}" has control or invisible characters'
            findings.error("yaml-control-character", message, hint="take them out")
        else:
            usable[name] = value
    return usable


def check_values(findings: Findings, document: Document) -> Mapping[str, str]:
    """The variables of a values file, those that can be used."""
    if not isinstance(document.data, dict):
        findings.at(document, (), "not-a-mapping", "a values file is a mapping of names to text")
        return {}
    usable = {}
    for name, value in document.data.items():
        if not _VARIABLE.match(name):
            hint = "letters, digits, hyphens and underscores, beginning with a letter"
            findings.at(document, (name,), "bad-name", "this is not the name of a variable", hint=hint, at="key")
        elif isinstance(value, dict | list):
            findings.at(document, (name,), "wrong-type", f'the variable "{name}" must be text')
        elif not isinstance(value, str):
            message = f'YAML changes the value of the variable "{name}"'
            findings.at(document, (name,), "yaml-changed-value", message, hint="put it in quotes")
        else:
            usable[name] = value
    return usable
