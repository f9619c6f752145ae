"""Which files a load reads: the paths given, or what the Project document names."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from msgspec import Struct, field

from reconciler.diagnostics import Span, warning
from reconciler.errors import InvalidInput, UsageError
from reconciler.manifest.documents import Broken, Document, Parsed, Source
from reconciler.manifest.entries import is_policy, is_project
from reconciler.manifest.files import SKIPPED, Found, Unreadable, decode, manifest_files, read_bytes, shown_name
from reconciler.manifest.findings import Findings
from reconciler.manifest.values import path_problem
from reconciler.manifest.yaml import parse

PROJECT_FILES = ("reconciler.yaml", "reconciler.yml")
_POLICY = b"Policy"
_PROJECT = b"Project"


class ProjectAbove(InvalidInput):
    """The current folder is a part of a project, and was about to be read as if there were none."""

    code = "project-above"

    def __init__(self, project: Path, here: Path) -> None:
        super().__init__(
            f"the project is in {project.parent}; run it there",
            hint="from here its guards, policies, freeze and store would not hold; for this part of it: "
            + _within(project, here, here),
        )


def _within(project: Path, part: Path, here: Path) -> str:
    """How a part of a project is planned within it."""
    folder = project.parent.resolve()
    pattern = part.relative_to(folder).as_posix() + ("/*" if part.is_dir() else "")
    select = shlex.quote(f"path:{pattern}")
    return f"cd {shlex.quote(os.path.relpath(folder, here))} && reconciler plan --select {select}"


class Inputs(Struct):
    """Everything that was read. ``root`` is the project's real path; ``unreadable`` the text of what was no YAML.

    ``policies`` are the project's Policy documents in files that nobody named. ``whole``: surely no part was named.
    """

    root: Path
    documents: list[Document] = field(default_factory=list)
    policies: list[Document] = field(default_factory=list)
    whole: bool = False
    unreadable: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def digest(self, others: Mapping[str, str]) -> str:
        """SHA-256 over the names and the contents of all that was read, ``others`` included: real paths to digests.

        Names are relative to the project, so that every checkout has the same digest; what lies elsewhere counts by
        its bare name.
        """
        names = []
        below = f"{self.root}{os.sep}"
        for path, digest in {**self.digests, **others}.items():
            name = path.removeprefix(below) if path.startswith(below) else Path(path).name
            names.append(f"{len(name)}:{name}:{digest}\n")
        return sha256("".join(sorted(names)).encode()).hexdigest()


class ManifestFile(Struct, frozen=True):
    """One file as it is on disk: ``source`` is its text without a byte order mark."""

    source: Source
    content: bytes
    parsed: Parsed

    @property
    def digest(self) -> str:
        return sha256(self.content).hexdigest()


def files_at(findings: Findings, paths: Sequence[Path], folder: Path) -> list[ManifestFile]:
    """The files that ``paths`` name (none: the project in ``folder``), each once and nothing beside them.

    A folder with a project file stands for that and the manifests that it names. What cannot be read is
    reported. Raises UsageError for a path that does not exist.
    """
    _check_there(paths)
    given = [folder / path for path in paths] or [folder]
    gathering = _Gathering(findings, folder, Inputs(root=_common_folder(given)))
    for path in given:
        gathering.add(path) if path.is_dir() else gathering.take(_found(path))
    files = (gathering.known[real] for real in gathering.inputs.digests)
    return [file for file in files if isinstance(file, ManifestFile)]


def gather(findings: Findings, paths: Sequence[Path], folder: Path, coming: Path | None = None) -> Inputs:
    """Read every manifest at or below ``paths``, or the project in ``folder`` when there are none.

    A folder with a project file stands for the manifests that it names. Without any Project document in what was
    given, the one in ``folder`` counts when everything given is below it: its guards, its store and its policies hold
    there too, wherever the policies are. ``coming`` is a folder, seen from the project's, that is about to be written:
    a project may name it already.
    Raises UsageError for a path that does not exist, and ProjectAbove without paths; with them that is a warning.
    """
    _check_there(paths)
    given = [folder / path for path in paths] or [folder]
    gathering = _Gathering(findings, folder, Inputs(root=_common_folder(given)), coming)
    project = next((p for p in map(gathering.project_file, given) if p is not None), None)
    own = gathering.project_file(folder) if project is None else None
    if own is not None and all(p.resolve().is_relative_to(folder.resolve()) for p in given):
        project = own
        gathering.take(_found(own))
    if project is not None:
        gathering.inputs.root = project.parent.resolve()
    for path in given:
        gathering.add(path)
    if own is not None and project == own:
        gathering.add_policies(own)
    inputs = gathering.inputs
    inputs.whole = not paths or (project is not None and project != own and all(p.is_dir() for p in given))
    found = next((d for d in inputs.documents if is_project(d)), None) if project is None else None
    if found is not None:
        inputs.root = Path(found.source.path).resolve().parent
    elif project is None and not paths:
        gathering.check_above()
    elif project is None:
        gathering.warn_above(given)
    return inputs


def policies_of(findings: Findings, folder: Path) -> list[Document]:
    """The Policy documents of the project in ``folder``, if there is one; nothing else is parsed."""
    gathering = _Gathering(findings, folder, Inputs(root=folder.resolve()))
    if (project := gathering.project_file(folder)) is not None:
        gathering.add_policies(project)
    return gathering.inputs.policies


def _check_there(paths: Sequence[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise UsageError(f"There is no {path}.", hint="Give the path of a manifest or of a folder with manifests.")


def _common_folder(paths: Sequence[Path]) -> Path:
    real = [p.resolve() for p in paths]
    return Path(os.path.commonpath([p if p.is_dir() else p.parent for p in real]))


class _Gathering(Struct):
    findings: Findings
    folder: Path
    inputs: Inputs
    coming: Path | None = None
    known: dict[str, ManifestFile | Unreadable] = field(default_factory=dict)
    refused: set[Path] = field(default_factory=set)

    def project_file(self, path: Path) -> Path | None:
        """The file with a Project document that ``path`` is, or that it has at its top."""
        candidates = [path / name for name in PROJECT_FILES] if path.is_dir() else [path]
        return next((c for c in candidates if c.is_file() and self._projects(c)), None)

    def add(self, path: Path) -> None:
        """Take a file, or what is below a folder; a project file stands for the manifests that it names."""
        project = self.project_file(path)
        if project is not None:
            self.take(_found(project))
        named = [d for d in self._projects(project) if _manifests(d) is not None] if project else []
        if project is not None and named:
            for document in named:
                self._add_named(project, document)
        else:
            real = path.resolve()
            self._walk(path, real if path.is_dir() else real.parent)

    def take(self, found: Found) -> None:
        """The documents of one file, once."""
        if found.real in self.inputs.digests:
            return
        file = self._read(found)
        if isinstance(file, Unreadable):
            self._refuse(file)
            return
        self.inputs.digests[found.real] = file.digest
        self.inputs.documents += file.parsed.documents
        for broken in file.parsed.broken:
            self.findings.broken(broken)
            self.inputs.unreadable.append(broken.text)

    def check_above(self) -> None:
        """Raises ProjectAbove when a project of a folder above has manifests in ``folder``, or may have them."""
        here = self.folder.resolve()
        if (project := self._above(here)) is not None:
            raise ProjectAbove(project, here)

    def warn_above(self, given: Iterable[Path]) -> None:
        """Who names a part of a project gets that part alone, and is told what does not hold then."""
        for path in given:
            real = path.resolve()
            if (project := self._above(real)) is not None:
                part = f"{shown_name(str(path), self.folder)} is a part of the project in {project.parent}"
                message = f"{part}, and is read alone: that project's guards, policies, freeze and store do not hold"
                hint = f"within its project: {_within(project, real, self.folder.resolve())}"
                self.findings.add([warning(ProjectAbove.code, message, hint=hint)])

    def _above(self, real: Path) -> Path | None:
        """The project of a folder above that has manifests in this one, or may have them."""
        candidates = (above / name for above in real.parents for name in PROJECT_FILES)
        return next((c for c in candidates if c.is_file() and self._may_read(c, real)), None)

    def _may_read(self, project: Path, here: Path) -> bool:
        file = self._read(_found(project), only=_PROJECT)
        if isinstance(file, Unreadable) or file.parsed.broken:
            return True  # what it names cannot be known
        named = [_manifests(d) for d in file.parsed.documents if is_project(d)]
        texts = [text for one in named for text in (["."] if one is None else one)]
        places = [(project.parent / text).resolve() for text in texts if isinstance(text, str)]
        return any(_walks_into(place, here) or _walks_into(here, place) for place in places)

    def _projects(self, path: Path) -> list[Document]:
        file = self._read(_found(path))
        return [] if isinstance(file, Unreadable) else [d for d in file.parsed.documents if is_project(d)]

    def _add_named(self, project: Path, document: Document) -> None:
        root = project.resolve().parent
        for i, text in enumerate(_manifests(document) or ()):
            if not isinstance(text, str):
                continue  # told by the schema
            if problem := path_problem(text, project.parent, root):
                self.findings.at(document, ("spec", "manifests", i), "path-outside-project", problem)
            elif not (project.parent / text).exists():
                if self._is_coming(project.parent / text, root):
                    continue
                message = "there is no such folder or file"
                self.findings.at(document, ("spec", "manifests", i), "manifests-not-found", message)
            else:
                self._walk(project.parent / text, root)

    def add_policies(self, project: Path) -> None:
        """The Policy documents of a project of which only a part was given, and nothing else from their files."""
        root = project.resolve().parent
        named = [text for d in self._projects(project) for text in _manifests(d) or ()] or ["."]
        places = [project.parent / text for text in named if isinstance(text, str)]
        for place in places:
            if not path_problem(str(place.relative_to(project.parent)), project.parent, root) and place.exists():
                self._walk(place, root, self._take_policies)

    def _take_policies(self, found: Found) -> None:
        if found.real in self.inputs.digests:
            return
        file = self._read(found, only=_POLICY)
        if isinstance(file, Unreadable):
            self._refuse(file)
            return
        policies = [d for d in file.parsed.documents if is_policy(d)]
        for broken in file.parsed.broken:
            self.findings.broken(broken)
        if policies:
            self.inputs.digests[found.real] = file.digest
            self.inputs.policies += policies

    def _is_coming(self, path: Path, root: Path) -> bool:
        return self.coming is not None and Path(os.path.realpath(root / self.coming)).is_relative_to(path.resolve())

    def _walk(self, path: Path, root: Path, take: Callable[[Found], None] | None = None) -> None:
        for found in manifest_files(path, root):
            if isinstance(found, Unreadable):
                self._refuse(found)
            else:
                (take or self.take)(found)

    def _refuse(self, file: Unreadable) -> None:
        if file.path in self.refused:
            return
        self.refused.add(file.path)
        source = Span(file=shown_name(file.path, self.folder), line=1)
        self.findings.error(file.code, file.message, hint=file.hint, source=source)

    def _read(self, found: Found, only: bytes = b"") -> ManifestFile | Unreadable:
        """What is in a file. Without the word ``only`` in it, it is not worth being parsed."""
        if found.real not in self.known:
            content = read_bytes(found)
            if isinstance(content, Unreadable):
                self.known[found.real] = content
            elif only not in content:
                unread = Source(name=shown_name(found.path, self.folder), path=found.path, text="")
                return ManifestFile(unread, content, Parsed())
            else:
                source, flaws = decode(found.path, shown_name(found.path, self.folder), content)
                parsed = parse(source)
                parsed.broken += [Broken(source=source, flaw=flaw, text=source.text) for flaw in flaws]
                self.known[found.real] = ManifestFile(source, content, parsed)
        return self.known[found.real]


def _walks_into(folder: Path, place: Path) -> bool:
    """Whether looking for manifests below ``folder`` gets to ``place``."""
    if not place.is_relative_to(folder):
        return False
    return not any(part.startswith(".") or part in SKIPPED for part in place.relative_to(folder).parts)


def _found(path: Path) -> Found:
    return Found(str(path), str(path.resolve()))


def _manifests(project: Document) -> Sequence[object] | None:
    """``spec.manifests`` of a project that may not fit its schema; None when it is left out."""
    spec = project.data.get("spec")
    named = spec.get("manifests") if isinstance(spec, dict) else None
    return named if isinstance(named, list) else None
