"""From files to Desired: the one door of this package."""

from __future__ import annotations

import gc
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Span
from reconciler.errors import UsageError
from reconciler.manifest.accounts import Rules, build_accounts
from reconciler.manifest.crosschecks import check_providers, check_together
from reconciler.manifest.documents import Broken
from reconciler.manifest.entries import Entries, Entry, check, check_projects
from reconciler.manifest.files import Found, Unreadable, decode, read_bytes, shown_name
from reconciler.manifest.findings import Findings
from reconciler.manifest.inputs import Inputs, gather, policies_of
from reconciler.manifest.members import People
from reconciler.manifest.policies import build_policies, idle_selectors, judged
from reconciler.manifest.project import Settings, check_values, given_variables, settings
from reconciler.manifest.references import Declarations
from reconciler.manifest.resources import build_resources, build_waivers
from reconciler.manifest.yaml import parse
from reconciler.model.desired import Desired
from reconciler.plan.policy import Policies
from reconciler.providers.base import Provider


class LoadOptions(Struct, frozen=True, kw_only=True):
    """What the command line says about a load.

    ``variables`` win over those of ``values_files``, the later file over the earlier, all of them over the project's.
    ``allowed_hosts`` are ``HOST`` or ``HOST:PORT``. ``providers`` None: those of the registry. ``coming`` is a folder,
    seen from the project's, that is about to be written: the project may name it although it is not there yet.
    """

    environment: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    values_files: Sequence[Path] = ()
    allowed_hosts: Collection[str] = ()
    show_pii: bool = False
    providers: Mapping[str, Provider] | None = None
    coming: Path | None = None


class Loaded(Struct, frozen=True, kw_only=True):
    """``desired`` is None when any diagnostic is an error: half of what is wanted would read as the rest unwanted.

    ``judged`` is what the policies say of the manifests. It keeps nothing from being loaded.
    """

    desired: Desired | None
    diagnostics: tuple[Diagnostic, ...]
    policies: Policies = Policies()
    judged: tuple[Diagnostic, ...] = ()


def load(paths: Sequence[Path], options: LoadOptions | None = None) -> Loaded:
    """Read, check and resolve every manifest at or below ``paths`` (none: the project in the current folder).

    Reports every problem at once and sends nothing anywhere. Raises UsageError for a path that does not exist, and
    InvalidInput in a folder whose manifests belong to a project above it; what is wrong inside files is a diagnostic.
    """
    options = options or LoadOptions()
    findings = Findings(show_pii=options.show_pii)
    folder = Path.cwd()
    with _uncollected():
        inputs = gather(findings, paths, folder, options.coming)
        found = _loaded(findings, inputs, options, folder)
    return replace(found, desired=None if findings.failures else found.desired, diagnostics=findings.all())


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for cycles meanwhile: documents have none, all of them stay, and it would take a fifth of the
    time to go through them again and again. What was made counts as old then, as if it had been looked through."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.freeze()
            gc.unfreeze()
            gc.enable()


def load_policies(folder: Path) -> Policies:
    """The policies of the project in ``folder``, as far as they can be used, whatever else is wrong in there."""
    findings = Findings()
    entries = check(findings, policies_of(findings, folder), {}).policies
    return build_policies(findings, entries, None, {})


def contact_files(options: LoadOptions | None = None) -> frozenset[Path]:
    """The real paths of all files that the project in the current folder names in ``contactsFrom``.

    Whatever else is wrong with its manifests does not matter here. Raises InvalidInput as ``load`` does.
    """
    options, findings, folder = options or LoadOptions(), Findings(), Path.cwd()
    inputs = gather(findings, (), folder)
    project = settings(findings, check_projects(findings, inputs.documents), inputs.root, options.environment)
    entries = check(findings, inputs.documents, _variables(findings, inputs, project, options, folder))
    return frozenset(
        Path(os.path.realpath(Path(entry.document.source.path).parent / file))
        for entry in (*entries.resources, *entries.suppressions)
        for file in _files_of(entry)
    )


def _files_of(entry: Entry) -> list[str]:
    """What an entry names in ``contactsFrom``, also where it does not fit its schema."""
    spec = entry.data.get("spec")
    given = spec.get("contactsFrom") if isinstance(spec, dict) else None
    files = [f.get("file") for f in given if isinstance(f, dict)] if isinstance(given, list) else []
    return [file for file in files if isinstance(file, str)]


def _loaded(findings: Findings, inputs: Inputs, options: LoadOptions, folder: Path) -> Loaded:
    """Everything that could be built; every problem found on the way is in ``findings``."""
    projects = check_projects(findings, inputs.documents)
    project = settings(findings, projects, inputs.root, options.environment)
    entries = check(findings, inputs.documents, _variables(findings, inputs, project, options, folder))
    entries.unknown += len(inputs.unreadable)
    if not entries.known and not findings.failures:
        where = Span(file=shown_name(inputs.root, folder), line=1)
        message = "no manifests were found here"
        findings.error("no-manifests", message, hint="manifests are *.yaml and *.yml files", source=where)
    entries.policies += check(findings, inputs.policies, {}).policies
    providers = _registered(entries) if options.providers is None else options.providers
    rules = Rules(
        root=inputs.root,
        guards=project.guards,
        allowed_hosts=frozenset(host.strip().lower() for host in options.allowed_hosts if host.strip()),
        providers=providers,
    )
    accounts = build_accounts(findings, entries.accounts, rules)
    declarations = Declarations(unreadable="\n".join(inputs.unreadable))
    people = People(findings, declarations, inputs.root, folder)
    built = build_resources(findings, entries, accounts, declarations, people.members, project.lifecycle)
    suppressions = people.suppressions(entries.suppressions, accounts)
    waivers = build_waivers(findings, entries.waivers, declarations)
    home = str(Path(projects[0].document.source.name).parent) if projects else "."
    policies = build_policies(findings, entries.policies, project.environments, providers, home)
    check_together(findings, built, declarations)
    desired = Desired(
        project=project.project,
        accounts=accounts.built,
        resources=built.resources,
        suppressions=suppressions,
        inputs_digest=inputs.digest(people.digests),
        waivers=waivers,
    )
    check_providers(findings, built, desired, providers, people)
    if inputs.whole:  # of a part of the project, nothing follows for what its policies select
        idle_selectors(findings, policies, desired)
    said = judged(findings, policies, desired, built, accounts, providers)
    return Loaded(desired=desired, diagnostics=(), policies=policies, judged=said)


def _registered(entries: Entries) -> Mapping[str, Provider]:
    """The providers that are in use. Their modules are not cheap, so the others are left alone."""
    from reconciler.providers import registry

    used = {e.provider for e in (*entries.accounts, *entries.resources)}
    return {name: registry.get(name) for name in sorted(filter(registry.known, used))}


def _variables(
    findings: Findings, inputs: Inputs, project: Settings, options: LoadOptions, folder: Path
) -> Mapping[str, str]:
    """Every variable, the stronger source over the weaker."""
    variables = dict(project.variables)
    for path in options.values_files:
        variables.update(_values(findings, inputs, folder / path, folder))
    variables.update(given_variables(findings, options.variables))
    return variables


def _values(findings: Findings, inputs: Inputs, path: Path, folder: Path) -> Mapping[str, str]:
    """The variables of one values file: a mapping of names to text. It may lie anywhere, whoever runs us names it."""
    if not path.exists():
        raise UsageError(f"There is no {path}.", hint="--values takes the path of a YAML file.")
    name = shown_name(path, folder)
    found = Found(str(path), str(path.resolve()))
    content = read_bytes(found)
    if isinstance(content, Unreadable):
        findings.error(content.code, content.message, hint=content.hint, source=Span(file=name, line=1))
        return {}
    inputs.digests[found.real] = sha256(content).hexdigest()
    source, flaws = decode(found.path, name, content)
    parsed = parse(source)
    for broken in (*parsed.broken, *(Broken(source=source, flaw=f) for f in flaws)):
        findings.broken(broken)
    values: dict[str, str] = {}
    for document in parsed.documents:
        findings.flaws(document, document.flaws)
        values.update(check_values(findings, document))
    return values
