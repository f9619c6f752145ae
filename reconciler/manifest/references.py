"""What resources say about each other: names to addresses, and back to the places where they are declared."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct, field

from reconciler.manifest.complaints import nearest
from reconciler.manifest.entries import Entry
from reconciler.manifest.findings import Findings
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.resources import ById, Declared, Reference


class Declarations(Struct):
    """Every declared address with its entry, also of documents that do not fit their schema.

    ``unreadable`` is the text of what could not be parsed: a name in there is not called undeclared.
    """

    entries: dict[Address, Entry] = field(default_factory=dict)
    pinned: dict[tuple[str, Kind, str], Address] = field(default_factory=dict)
    unreadable: str = ""
    hints_left: int = 20
    """Looking for what was meant takes a while among ten thousand names, so that only the first mistakes get it."""

    def add(self, findings: Findings, address: Address, entry: Entry) -> bool:
        """Declare an address. False, and reported, when another document did so before."""
        first = self.entries.setdefault(address, entry)
        if first is not entry:
            message = f"{address} is declared a second time"
            hint = f"the first is at {findings.span(first.document, ('metadata', 'name'))}"
            findings.at(entry.document, ("metadata", "name"), "duplicate-address", message, hint=hint)
            return False
        if (given := entry.spec.get("id") if entry.sound else None) is not None:
            other = self.pinned.setdefault((address.account, address.kind, str(given)), address)
            if other != address:
                message = f"{other} is pinned to the same live object"
                hint = f"at {findings.span(self.entries[other].document, ('spec', 'id'))}"
                findings.at(entry.document, ("spec", "id"), "duplicate-id", message, hint=hint)
        return True

    def resolve(self, findings: Findings, entry: Entry, address: Address, key: str, kind: Kind) -> Reference | None:
        """What ``spec.<key>`` of ``entry`` refers to; None, and reported, when nothing of that name is declared."""
        given: Any = entry.spec[key]
        account = address.account
        if isinstance(given, dict):
            remote_id = RemoteId(str(given["id"]))
            declared = self.pinned.get((account, kind, remote_id))
            return ById(remote_id) if declared is None else Declared(declared)
        wanted = Address(account, kind, given)
        if wanted in self.entries:
            return Declared(wanted)
        if not re.search(rf"\bname:\s*[\"']?{re.escape(given)}\b", self.unreadable):
            message = (
                f'{address.kind.lower()} "{address.name}" uses {kind.lower()} "{given}", which no manifest declares'
            )
            hint = self._hint(findings, wanted)
            findings.at(entry.document, ("spec", key), "unknown-reference", message, hint=hint)
        return None

    def _hint(self, findings: Findings, wanted: Address) -> str:
        """The other place that was probably meant."""
        kind = wanted.kind.lower()
        instead = f"declare a {wanted.kind} of that name, or write {{id: …}} for a live {kind} that nobody declares"
        self.hints_left -= 1
        if self.hints_left < 0:
            return instead
        for address, entry in self.entries.items():
            if address.kind is wanted.kind and address.name == wanted.name:
                return f'{self._place(findings, entry)} declares "{address.name}", in the account "{address.account}"'
        near = {a.name: e for a, e in self.entries.items() if (a.account, a.kind) == (wanted.account, wanted.kind)}
        if name := nearest(wanted.name, near):
            return f'did you mean "{name}"? {self._place(findings, near[name])} declares it'
        return instead

    @staticmethod
    def _place(findings: Findings, entry: Entry) -> str:
        return str(findings.span(entry.document, ("metadata", "name")))
