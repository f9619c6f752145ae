"""``fmt``: manifests in their one form, each file written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Any

from msgspec import Struct

from reconciler.app.writing import replace_file
from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.errors import InvalidInput
from reconciler.manifest.documents import Broken
from reconciler.manifest.files import decode
from reconciler.manifest.findings import Findings
from reconciler.manifest.formatting.form import CannotFormat, formatted
from reconciler.manifest.inputs import ManifestFile, files_at
from reconciler.manifest.yaml import parse
from reconciler.plan.codec import diagnostic as diagnostic_document

_PLAINER = "write what is unusual in it in a plainer way"


class FormattedFile(Struct, frozen=True, kw_only=True):
    """One file that was read. ``form`` is its text as it ought to be, None where it has no form."""

    file: ManifestFile
    form: str | None

    @property
    def name(self) -> str:
        return self.file.source.name

    @property
    def differs(self) -> bool:
        return self.form is not None and self.form.encode() != self.file.content


class Formatting(Struct, frozen=True, kw_only=True):
    """Every file that was read, and what is wrong with those that have no form."""

    files: tuple[FormattedFile, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def differing(self) -> tuple[FormattedFile, ...]:
        return tuple(f for f in self.files if f.differs)

    @property
    def failed(self) -> bool:
        return any(d.severity is Severity.ERROR for d in self.diagnostics)

    def document(self, *, show_pii: bool = False) -> dict[str, Any]:
        """The JSON document."""
        return {
            "formatVersion": "1",
            "files": [{"path": f.name, "changed": f.differs} for f in self.files if f.form is not None],
            "diagnostics": [diagnostic_document(d, show_pii) for d in self.diagnostics],
        }


def format_paths(paths: Sequence[str], *, show_pii: bool = False) -> Formatting:
    """The form of every file at ``paths`` (none: the project in the current folder). Nothing is written.

    Raises UsageError for a path that does not exist.
    """
    findings = Findings(show_pii=show_pii)
    files = files_at(findings, [Path(path) for path in paths], Path.cwd())
    return _formatting(findings, files)


def format_text(content: bytes, name: str, *, show_pii: bool = False) -> Formatting:
    """The form of one file that is no file yet; ``name`` is how it is called in diagnostics."""
    findings = Findings(show_pii=show_pii)
    source, flaws = decode(name, name, content)
    parsed = parse(source)
    parsed.broken += [Broken(source=source, flaw=flaw, text=source.text) for flaw in flaws]
    for broken in parsed.broken:
        findings.broken(broken)
    return _formatting(findings, [ManifestFile(source, content, parsed)])


def _formatting(findings: Findings, files: Sequence[ManifestFile]) -> Formatting:
    formed = tuple(FormattedFile(file=file, form=_form(findings, file)) for file in files)
    return Formatting(files=formed, diagnostics=findings.all())


def _form(findings: Findings, file: ManifestFile) -> str | None:
    """None, with the reasons told, for a file that a load would refuse whatever its schema."""
    if file.parsed.broken:
        return None
    before = findings.failures
    for document in file.parsed.documents:
        # Whether a date may stand where it does is the schema's business, and no form changes it.
        findings.flaws(document, [flaw for flaw in document.flaws if not flaw.date])
        if not isinstance(document.data, dict):
            findings.at(document, (), "not-a-mapping", "this document is no mapping; a manifest is one")
    if findings.failures > before:
        return None
    try:
        return formatted(file.source, file.parsed.documents)
    except CannotFormat as problem:
        message = f"this file stays as it is: in the form of fmt {problem}"
        findings.error("format-refused", message, hint=_PLAINER, source=Span(file=file.source.name, line=1))
        return None


def write_forms(formatting: Formatting) -> None:
    """Put every file that differs into its form. Raises InvalidInput for one that cannot be written."""
    for formed in formatting.differing:
        path = Path(os.path.realpath(formed.file.source.path))
        try:
            replace_file(path, (formed.form or "").encode())
        except OSError as failure:
            raise InvalidInput(f"{formed.name} cannot be written: {failure.strerror}") from None


def difference(formed: FormattedFile, *, show_pii: bool = False) -> list[str]:
    """A unified diff from a file to its form, in lines fit to be shown: numbers, attributes and secrets are hidden.

    It is for people: of what only differs at the ends of lines it has nothing to show.
    """
    findings, source = Findings(show_pii=show_pii), formed.file.source
    form, _ = decode(source.path, source.name, (formed.form or "").encode())
    old = findings.quotable(source, formed.file.parsed.documents)
    new = Findings(show_pii=show_pii).quotable(form, parse(form).documents)
    return list(unified_diff(old, new, "as it is", "as it should be", lineterm="", n=2))
