"""Memberships and suppressions: contacts written in the manifest, and those in files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from reconciler.diagnostics import Span
from reconciler.manifest.accounts import Accounts
from reconciler.manifest.complaints import closest
from reconciler.manifest.entries import Entry
from reconciler.manifest.files import shown_name
from reconciler.manifest.findings import Findings
from reconciler.manifest.numbers import known_region
from reconciler.manifest.references import Declarations
from reconciler.manifest.resources import unique
from reconciler.manifest.values import frozen
from reconciler.model.addresses import Address, Kind
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Suppression
from reconciler.model.e164 import E164
from reconciler.model.resources import Members, Mode

if TYPE_CHECKING:
    from reconciler.manifest.contacts import ContactFile, InlineContacts

_E164 = re.compile(E164)

_NOT_OPTIONS = frozenset(
    {
        "list",
        "campaign",
        "mode",
        "missingContacts",
        "contactAttributes",
        "allowEmpty",
        "contacts",
        "contactsFrom",
        "defaultRegion",
    }
)


class People(Struct):
    """Reads contacts and remembers which files that took.

    ``root`` is the project's real path; files are named relative to ``folder`` in diagnostics.
    """

    findings: Findings
    declarations: Declarations
    root: Path
    folder: Path
    digests: dict[str, str] = field(default_factory=dict)

    def members(self, entry: Entry, address: Address) -> Members | None:
        """What a Membership declares; None, and reported, when its list is unknown or a row cannot be used."""
        findings, spec = self.findings, entry.spec
        key, kind = ("list", Kind.LIST) if "list" in spec else ("campaign", Kind.CAMPAIGN)
        of = self.declarations.resolve(findings, entry, address, key, kind)
        before = findings.failures
        rows: Sequence[Mapping[str, str]] = spec.get("contacts", ())
        contacts = self._contacts(entry, [row["number"] for row in rows], rows)
        if of is None or findings.failures != before:
            return None
        mode, allow_empty = Mode(spec["mode"]), spec.get("allowEmpty", False)
        if mode is Mode.EXACT and not len(contacts) and not allow_empty:
            message = "this exact membership declares nobody, which would empty the list"
            hint = "if that is meant, set allowEmpty: true"
            findings.at(entry.document, ("spec", "mode"), "empty-exact-membership", message, hint=hint)
            return None
        return Members(
            of=of,
            mode=mode,
            contacts=contacts,
            allow_empty=allow_empty,
            missing_contacts=spec.get("missingContacts", "fail"),
            contact_attributes=spec.get("contactAttributes", "create"),
            options={k: frozen(v) for k, v in spec.items() if k not in _NOT_OPTIONS},
        )

    def suppressions(self, entries: Sequence[Entry], accounts: Accounts) -> tuple[Suppression, ...]:
        """Every Suppression, sorted by name."""
        found: dict[str, Suppression] = {}
        for entry in entries:
            if not entry.sound or not unique(self.findings, entry, found):
                continue
            spec = entry.spec
            for i, name in enumerate(spec.get("accounts", ())):
                if name not in accounts.entries:
                    hint = closest(name, accounts.entries)
                    message = f'no manifest declares the account "{name}"'
                    self.findings.at(entry.document, ("spec", "accounts", i), "unknown-account", message, hint=hint)
            found[entry.name] = Suppression(
                name=entry.name,
                contacts=self._contacts(entry, spec.get("numbers", ()), ()).select(("number",)),
                accounts=frozenset(spec.get("accounts", ())),
            )
        return tuple(found[name] for name in sorted(found))

    def _contacts(self, entry: Entry, numbers: Sequence[str], rows: Sequence[Mapping[str, str]]) -> ContactSet:
        """What is written in the manifest first, then the files in their order. ``rows`` is empty for bare numbers."""
        files: Sequence[Mapping[str, Any]] = entry.spec.get("contactsFrom", ())
        if not files and len(set(numbers)) == len(numbers) and all(map(_E164.fullmatch, numbers)):
            # Nothing to normalise and nothing to report: true of nearly every membership, so it must cost little.
            return ContactSet.from_columns(_columns(numbers, rows)) if numbers else ContactSet.empty()
        region = entry.spec.get("defaultRegion", "")
        if region and not known_region(region):
            message = f"{region} is no country with phone numbers"
            self.findings.at(entry.document, ("spec", "defaultRegion"), "bad-format", message, hint="such as US or GB")
            return ContactSet.empty()
        return self._read(entry, numbers, rows, region)

    def _read(self, entry: Entry, numbers: Sequence[str], rows: Sequence[Mapping[str, str]], region: str) -> ContactSet:
        from reconciler.manifest.contacts import read_contacts

        document, files = entry.document, self._files(entry, region)
        inline = self._inline(entry, numbers, rows, region)
        read = read_contacts(files, self.root, inline=inline, shown=self._shown)
        for file, digest in zip(files, read.digests, strict=True):
            self.digests[_real(f"{file.base}{os.sep}{file.file}")] = digest
        for diagnostic in read.diagnostics:
            self.findings.quoted(document, diagnostic)
        return read.contacts

    def places(self, entry: Entry, wrong: Callable[[str], bool]) -> Iterator[Span]:
        """Where the rows of a Membership are whose number, in E.164, is ``wrong``; see ``contacts.places_of``."""
        from reconciler.manifest.contacts import places_of

        region, rows = entry.spec.get("defaultRegion", ""), entry.spec.get("contacts", ())
        inline = self._inline(entry, [row["number"] for row in rows], rows, region)
        return places_of(wrong, self._files(entry, region), self.root, inline=inline, shown=self._shown)

    def _shown(self, path: Path) -> str:
        return shown_name(path, self.folder)

    def _inline(
        self, entry: Entry, numbers: Sequence[str], rows: Sequence[Mapping[str, str]], region: str
    ) -> InlineContacts | None:
        from reconciler.manifest.contacts import InlineContacts

        def place(i: int) -> Span:
            path = ("spec", "contacts", i, "number") if rows else ("spec", "numbers", i)
            return self.findings.span(entry.document, path)

        if not numbers:
            return None
        return InlineContacts(columns=_columns(numbers, rows), place=place, default_region=region)

    def _files(self, entry: Entry, region: str) -> list[ContactFile]:
        from reconciler.manifest.contacts import ContactFile, OnInvalid

        base = Path(entry.document.source.path).parent
        return [
            ContactFile(
                file=given["file"],
                base=base,
                source=partial(self.findings.span, entry.document, ("spec", "contactsFrom", i, "file")),
                columns=given.get("columns", {}),
                on_invalid=OnInvalid(given.get("onInvalid", OnInvalid.FAIL)),
                default_region=given.get("defaultRegion", region),
                delimiter=given.get("delimiter", ""),
                format=given.get("format", ""),
            )
            for i, given in enumerate(entry.spec.get("contactsFrom", ()))
        ]


def _columns(numbers: Sequence[str], rows: Sequence[Mapping[str, str]]) -> dict[str, Sequence[str | None]]:
    """Rows as columns; an empty attribute is none."""
    columns: dict[str, Sequence[str | None]] = {"number": numbers}
    for name in {name for row in rows for name in row} - {"number"}:
        columns[name] = [row.get(name) or None for row in rows]
    return columns


def _real(path: str) -> str:
    """The real path; as it is written where a link became something else in the very moment it was looked at."""
    from reconciler.manifest._contact_files import resolved

    try:
        return resolved(path)[0]
    except OSError:
        return os.path.normpath(path)
