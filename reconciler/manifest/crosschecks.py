"""What can only be told of all resources together."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, error
from reconciler.manifest.entries import Entry
from reconciler.manifest.findings import LISTED, Findings
from reconciler.manifest.members import People
from reconciler.manifest.references import Declarations
from reconciler.manifest.resources import Built
from reconciler.masking import mask_text
from reconciler.model.addresses import Address, Kind
from reconciler.model.desired import Desired
from reconciler.model.resources import Mode, Reference
from reconciler.plan.rules import Reachable
from reconciler.providers.base import Provider


def check_together(findings: Findings, built: Built, declarations: Declarations) -> None:
    """Resources that contradict each other."""
    _check_names(findings, built)
    _check_memberships(findings, built)
    _check_links(findings, built)
    _check_renames(findings, built, declarations)


def _check_names(findings: Findings, built: Built) -> None:
    """A name stands in every plan, log and report, where no number of a person may ever stand."""
    for address in built.resources:
        if mask_text(address.name) != address.name:
            hint = "a name is shown everywhere: choose one that is not a phone number"
            path = ("metadata", "name")
            message = "this name looks like a phone number"
            findings.at(built.entries[address].document, path, "number-in-name", message, hint=hint)


def _check_memberships(findings: Findings, built: Built) -> None:
    """An exact membership wants everybody else gone, so it must be the only one of its list."""
    by_list: dict[tuple[str, Reference], list[Address]] = {}
    exact: set[tuple[str, Reference]] = set()
    for address, resource in built.resources.items():
        if resource.members is not None:
            key = (address.account, resource.members.of)
            by_list.setdefault(key, []).append(address)
            if resource.members.mode is Mode.EXACT:
                exact.add(key)
    for key in exact:
        first, *others = by_list[key]
        for other in others:
            message = f"{first} declares members of the same list, and one of the two is exact"
            hint = f"it is at {_place(findings, built.entries[first])}; make both additive, or put them together"
            path = ("spec", "mode")
            findings.at(built.entries[other].document, path, "membership-conflict", message, hint=hint)


def _check_links(findings: Findings, built: Built) -> None:
    first: dict[tuple[str, Reference, Reference], Address] = {}
    for address, resource in built.resources.items():
        if resource.link is not None:
            key = (address.account, resource.link.campaign, resource.link.list)
            other = first.setdefault(key, address)
            if other != address:
                message = f"{other} associates the same list with the same campaign"
                hint = f"it is at {_place(findings, built.entries[other])}; keep one of the two"
                document = built.entries[address].document
                findings.at(document, ("spec", "list"), "duplicate-association", message, hint=hint)


def _check_renames(findings: Findings, built: Built, declarations: Declarations) -> None:
    taken: dict[Address, Address] = {}
    for address, resource in built.resources.items():
        if not resource.lifecycle.renamed_from:
            continue
        old = Address(address.account, address.kind, resource.lifecycle.renamed_from)
        document, path = built.entries[address].document, ("lifecycle", "renamedFrom")
        if old in declarations.entries:
            itself = "this is its name now" if old == address else f"{old} is still declared"
            place = _place(findings, declarations.entries[old])
            hint = "take renamedFrom out" if old == address else f"at {place}; take that out, or renamedFrom"
            findings.at(document, path, "renamed-from-declared", itself, hint=hint)
        elif (other := taken.setdefault(old, address)) != address:
            message = f"{other} was renamed from {old} as well"
            hint = f"it is at {_place(findings, built.entries[other])}"
            findings.at(document, path, "renamed-from-declared", message, hint=hint)


def _place(findings: Findings, entry: Entry) -> str:
    return str(findings.span(entry.document, ("metadata", "name")))


def check_providers(
    findings: Findings, built: Built, desired: Desired, providers: Mapping[str, Provider], people: People
) -> None:
    """What each provider has to say about its accounts and resources without a network.

    A campaign is not judged while associations are missing because of other problems: it would be told to have none.
    """
    for account in desired.accounts.values():
        if (provider := providers.get(account.provider)) is not None:
            for said in provider.check_account(account):
                address = said.address or account.name
                findings.add([replace(said, address=address, source=said.source or account.source)])
    half_known = built.missing & {Kind.ASSOCIATION, None}
    for at, resource in built.resources.items():
        holder = desired.accounts.get(at.account)
        judge = providers.get(resource.provider)
        if holder is None or judge is None or (half_known and at.kind is Kind.CAMPAIGN):
            continue
        for found in judge.rules.check(resource, holder, desired):
            if _at_rows(findings, built.entries[at], found, judge, people):
                continue
            about = built.resources.get(_parsed(found.address) or at, resource)
            findings.add([replace(found, address=found.address or str(at), source=found.source or about.source)])


def _at_rows(findings: Findings, entry: Entry, found: Diagnostic, provider: Provider, people: People) -> bool:
    """A diagnostic about numbers that cannot be reached, put at the first rows that have them; False where it has to
    stand for itself, because there are more or none is found."""
    reachable = getattr(provider.rules, "reachable", None)
    if not isinstance(reachable, Reachable) or found.code != reachable.code:
        return False
    fits = reachable.pattern.fullmatch
    places = list(islice(people.places(entry, lambda number: fits(number) is None), LISTED + 1))
    for place in places[:LISTED]:
        message = "this provider cannot reach this number"
        findings.quoted(entry.document, error(found.code, message, hint=found.hint, source=place))
    return 0 < len(places) <= LISTED


def _parsed(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except ValueError:
        return None
