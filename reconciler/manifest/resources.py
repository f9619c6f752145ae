"""Entries to ``Resource`` values, their accounts and references resolved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from reconciler.diagnostics import Span
from reconciler.manifest.accounts import Accounts
from reconciler.manifest.complaints import closest
from reconciler.manifest.entries import Entries, Entry
from reconciler.manifest.findings import Findings
from reconciler.manifest.lifecycles import LifecycleDefaults
from reconciler.manifest.references import Declarations
from reconciler.manifest.values import frozen
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.desired import Waiver
from reconciler.model.resources import Lifecycle, Link, Members, OnRemove, Resource

_NO_LIFECYCLE = Lifecycle()
_KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind}
_NOT_FIELDS: Mapping[Kind, frozenset[str]] = {
    Kind.LIST: frozenset({"id"}),
    Kind.CAMPAIGN: frozenset({"id"}),
    Kind.ASSOCIATION: frozenset({"campaign", "list"}),
}


class Built(Struct, frozen=True, kw_only=True):
    """The resources that could be built, and the kinds of those that could not (None: not even that is known).

    ``entries`` are those of all declared addresses.
    """

    resources: Mapping[Address, Resource]
    entries: Mapping[Address, Entry]
    missing: frozenset[Kind | None]


def build_resources(
    findings: Findings,
    entries: Entries,
    accounts: Accounts,
    declarations: Declarations,
    members: Callable[[Entry, Address], Members | None],
    defaults: LifecycleDefaults,
) -> Built:
    """Every resource whose document fits its schema. ``members`` makes the memberships'."""
    addressed: list[tuple[Address, Entry]] = []
    missing: set[Kind | None] = {None} if entries.unknown else set()
    for entry in entries.resources:
        kind = _KINDS[entry.schema.kind]
        address = _address(findings, entry, kind, accounts)
        if address is None or not declarations.add(findings, address, entry) or not entry.sound:
            missing.add(kind)
        else:
            addressed.append((address, entry))
    building = _Building(findings, declarations, members, defaults)
    resources: dict[Address, Resource] = {}
    for address, entry in addressed:
        resource = building.resource(address, entry)
        if resource is None:
            missing.add(address.kind)
        else:
            resources[address] = resource
    return Built(resources=resources, entries=declarations.entries, missing=frozenset(missing))


def _address(findings: Findings, entry: Entry, kind: Kind, accounts: Accounts) -> Address | None:
    account, name = accounts.of(findings, entry), entry.name
    return Address(account, kind, name) if account and name else None


class _Building(Struct, frozen=True):
    findings: Findings
    declarations: Declarations
    members: Callable[[Entry, Address], Members | None]
    defaults: LifecycleDefaults

    def resource(self, address: Address, entry: Entry) -> Resource | None:
        document, data, spec = entry.document, entry.data, entry.spec
        kind = address.kind
        link, members, fields = None, None, {}
        if kind is Kind.ASSOCIATION:
            campaign = self.declarations.resolve(self.findings, entry, address, "campaign", Kind.CAMPAIGN)
            list_ = self.declarations.resolve(self.findings, entry, address, "list", Kind.LIST)
            if campaign is None or list_ is None:
                return None
            link = Link(campaign=campaign, list=list_)
        elif kind is Kind.MEMBERSHIP:
            members = self.members(entry, address)
            if members is None:
                return None
        if members is None:
            ids, leave_out = entry.schema.ids, _NOT_FIELDS[kind]
            fields = {
                k: v if v.__class__ is str else str(v) if k in ids else frozen(v)
                for k, v in spec.items()
                if k not in leave_out
            }
        pinned = spec.get("id")
        lifecycle = {**self.defaults.of(document, entry.schema), **data.get("lifecycle", {})}
        return Resource(
            address=address,
            provider=entry.provider,
            fields=fields,
            source=Span(file=document.source.name, line=document.line, column=document.column),
            lifecycle=self._lifecycle(entry, address, lifecycle) if lifecycle else _NO_LIFECYCLE,
            labels=data["metadata"].get("labels", {}),
            link=link,
            members=members,
            pinned=None if pinned is None else RemoteId(str(pinned)),
        )

    def _lifecycle(self, entry: Entry, address: Address, given: Mapping[str, Any]) -> Lifecycle:
        document = entry.document
        if given.get("replace") and address.kind is Kind.MEMBERSHIP:
            message = "a membership is never replaced: that would drop everybody and add them again"
            self.findings.at(document, ("lifecycle", "replace"), "membership-replace", message, hint="take it out")
        for i, name in enumerate(given.get("ignore", ())):
            if name not in entry.schema.fields:
                message = f'{address.kind} of {entry.provider} has no field "{name}"'
                hint = closest(name, entry.schema.fields) or f"known are {', '.join(entry.schema.fields)}"
                self.findings.at(document, ("lifecycle", "ignore", i), "unknown-field", message, hint=hint)
        return Lifecycle(
            protect=given.get("protect", False),
            ignore=frozenset(given.get("ignore", ())),
            replace=given.get("replace", False),
            on_remove=OnRemove(given.get("onRemove", OnRemove.KEEP)),
            renamed_from=given.get("renamedFrom", ""),
            observe=given.get("observe", False),
        )


def build_waivers(findings: Findings, entries: list[Entry], declarations: Declarations) -> tuple[Waiver, ...]:
    """Every waiver; one for what no manifest declares is a mistake, since drift is reported of declared things only."""
    found: dict[str, Waiver] = {}
    for entry in entries:
        if not entry.sound or not unique(findings, entry, found):
            continue
        document, spec = entry.document, entry.spec
        address = Address.parse(spec["address"])
        if address not in declarations.entries:
            near = [str(a) for a in declarations.entries]
            hint = closest(spec["address"], near) or "take the waiver out, or declare the resource"
            message = f'no manifest declares "{address}"'
            findings.at(document, ("spec", "address"), "unknown-reference", message, hint=hint)
        try:
            expires = date.fromisoformat(spec["expires"])
        except ValueError:
            findings.at(document, ("spec", "expires"), "bad-format", "there is no such day")
            continue
        found[entry.name] = Waiver(
            name=entry.name,
            address=address,
            reason=spec["reason"],
            expires=expires,
            fields=frozenset(spec.get("fields", ())),
            source=Span(file=document.source.name, line=document.line, column=document.column),
        )
    return tuple(found[name] for name in sorted(found))


def unique(findings: Findings, entry: Entry, others: Mapping[str, object]) -> bool:
    """Whether a document of one of our own kinds is the only one of its name; reported when it is not."""
    if entry.name not in others:
        return True
    message = f'there is a second {entry.kind} "{entry.name}"'
    findings.at(entry.document, ("metadata", "name"), "duplicate-address", message, hint="names are unique for a kind")
    return False
