"""What can be said about a manifest without asking IntelePeer (source: IntelePeer API notes, sections 4.1 and 4.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.masking import mask_number
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.desired import Desired
from reconciler.model.resources import Account, ById, Declared, Members, Mode, Reference, Resource
from reconciler.providers.intelepeer.codes import diagnose
from reconciler.providers.intelepeer.convert import PUBLISHED
from reconciler.providers.intelepeer.endpoints import SHORTEST_NAME
from reconciler.providers.intelepeer.settings import MembershipMode, settings_of
from reconciler.providers.intelepeer.wire import truth

PHONE = "phone"
"""The header that a contact's number fills."""

NO_CALLER = "0000000000"
"""What the documents' own sample sends in place of a caller id."""

_CALLER = re.compile(r"\+[0-9]{8,15}")


class Declarations(Struct, frozen=True, kw_only=True):
    """Everything declared, by what the checks look for."""

    desired: Desired
    names: Mapping[tuple[str, Kind, str], tuple[Address, ...]]
    pins: Mapping[tuple[str, Kind, RemoteId], Address]
    feeding: Mapping[Address, tuple[Resource, ...]]
    """The associations of each declared campaign, and of each declared list."""

    @classmethod
    def of(cls, desired: Desired) -> Declarations:
        names: dict[tuple[str, Kind, str], list[Address]] = {}
        pins: dict[tuple[str, Kind, RemoteId], Address] = {}
        for address, resource in sorted(desired.resources.items()):
            if isinstance(name := resource.fields.get("name"), str):
                names.setdefault((address.account, address.kind, name), []).append(address)
            if resource.pinned is not None:
                pins[(address.account, address.kind, resource.pinned)] = address
        feeding: dict[Address, list[Resource]] = {}
        for address, resource in sorted(desired.resources.items()):
            if resource.link is not None:
                for kind, end in ((Kind.CAMPAIGN, resource.link.campaign), (Kind.LIST, resource.link.list)):
                    if (found := _declared(end, address.account, kind, pins)) is not None:
                        feeding.setdefault(found, []).append(resource)
        return cls(
            desired=desired,
            names={key: tuple(found) for key, found in names.items()},
            pins=pins,
            feeding={address: tuple(found) for address, found in feeding.items()},
        )

    def resource(self, reference: Reference, account: str, kind: Kind) -> Resource | None:
        """The declared resource that a reference means, also when it names it by its pinned id."""
        address = _declared(reference, account, kind, self.pins)
        return None if address is None else self.desired.resources.get(address)


def _declared(
    reference: Reference, account: str, kind: Kind, pins: Mapping[tuple[str, Kind, RemoteId], Address]
) -> Address | None:
    match reference:
        case Declared(address):
            return address
        case ById(remote_id):
            return pins.get((account, kind, remote_id))


def check(resource: Resource, account: Account, known: Declarations) -> Iterator[Diagnostic]:
    """Problems of one resource."""
    checks: Mapping[Kind, Callable[[Resource, Account, Declarations], Iterator[Diagnostic]]] = {
        Kind.LIST: _list,
        Kind.CAMPAIGN: _campaign,
        Kind.ASSOCIATION: _association,
        Kind.MEMBERSHIP: _membership,
    }
    return checks[resource.address.kind](resource, account, known)


def _name(resource: Resource, known: Declarations) -> Iterator[Diagnostic]:
    name = resource.fields.get("name")
    if not isinstance(name, str) or len(name.strip()) < SHORTEST_NAME:
        message = f"the name has fewer than {SHORTEST_NAME} characters"
        yield diagnose("intelepeer-name-too-short", message, about=resource)
        return
    address = resource.address
    namesakes = known.names.get((address.account, address.kind, name), (address,))
    first = namesakes[0]
    # Objects that share a name already can be told apart by their ids, and by nothing else.
    by_id = all(known.desired.resources[a].pinned is not None for a in namesakes)
    if first != address and not by_id:
        yield diagnose("intelepeer-duplicate-name", f"{first} has the same name, {name!r}", about=resource)


def _list(resource: Resource, account: Account, known: Declarations) -> Iterator[Diagnostic]:
    yield from _name(resource, known)
    headers = _headers(resource)
    if headers is None:
        return
    if bad := [h for h in headers if not h or any(c.isspace() for c in h)]:
        message = f"headers cannot be empty or hold spaces: {', '.join(map(repr, bad))}"
        yield diagnose("intelepeer-header-invalid", message, about=resource)
    folded = [h.lower() for h in headers]
    # The API's own sample differs in case between headers and data, so case is not enough to tell two apart.
    if twice := sorted({h for h in headers if folded.count(h.lower()) > 1}):
        yield diagnose("intelepeer-header-invalid", f"headers are not distinct: {', '.join(twice)}", about=resource)


def _headers(resource: Resource | None) -> tuple[str, ...] | None:
    """The declared headers of a list; None when it declares none, and so leaves them open."""
    headers = resource.fields.get("headers") if resource is not None else None
    return tuple(str(h) for h in headers) if isinstance(headers, tuple) else None


def _campaign(resource: Resource, account: Account, known: Declarations) -> Iterator[Diagnostic]:
    yield from _name(resource, known)
    fields = resource.fields
    missing = [name for name in ("flowId", "callerIdentification") if not fields.get(name)]
    if missing and not resource.lifecycle.observe:
        message = f"a campaign needs {' and '.join(missing)}: without, it could never be updated"
        yield diagnose("intelepeer-campaign-incomplete", message, about=resource)
    caller = fields.get("callerIdentification")
    if caller and caller != NO_CALLER and not (isinstance(caller, str) and _CALLER.fullmatch(caller)):
        shown = mask_number(str(caller))
        message = f"callerIdentification {shown!r} is neither + and 8 to 15 digits nor ten zeros"
        yield diagnose("intelepeer-caller-id", message, about=resource)
    published = fields.get("state") == PUBLISHED and not resource.lifecycle.observe
    if published and not known.feeding.get(resource.address):
        message = "a campaign that is to be published has no Association"
        yield diagnose("intelepeer-publish-without-list", message, about=resource)


def _association(resource: Resource, account: Account, known: Declarations) -> Iterator[Diagnostic]:
    fields, link = resource.fields, resource.link
    if "autoDetectTZ" in fields and truth(fields["autoDetectTZ"]) is not True:
        message = "autoDetectTZ can only be true, or left out"
        yield diagnose("intelepeer-timezone-off", message, about=resource)
    moc = fields.get("moc")
    fed = known.resource(link.list, account.name, Kind.LIST) if link is not None else None
    if fed is None or not moc:
        return
    headers = _headers(fed)
    if headers is not None and moc not in headers:
        message = f"moc {moc!r} is none of the headers of {fed.address}: {', '.join(headers)}"
        yield diagnose("intelepeer-moc-not-a-header", message, about=resource)
    others = (r for r in known.feeding.get(fed.address, ()) if r.address < resource.address)
    for other in others:
        if other.fields.get("moc") not in (None, moc):
            message = f"{other.address} uses {fed.address} with another moc, {other.fields['moc']!r}"
            yield diagnose("intelepeer-moc-conflict", message, about=resource)
            break


def _membership(resource: Resource, account: Account, known: Declarations) -> Iterator[Diagnostic]:
    members = resource.members
    if members is None:
        return
    if members.mode is Mode.EXACT:
        message = "mode cannot be exact: nobody can be taken off a list"
        yield diagnose("intelepeer-exact-membership", message, about=resource)
    if settings_of(account).membership is MembershipMode.NONE and not resource.lifecycle.observe:
        message = f"account {account.name!r} has membershipMode: none"
        yield diagnose("intelepeer-membership-off", message, about=resource)
    for option, given, usual in (
        ("contactAttributes", members.contact_attributes, "create"),
        ("missingContacts", members.missing_contacts, "fail"),
    ):
        if given != usual:
            # Attributes that nobody can compare would be called the same; contacts that need not exist are only noise.
            severity = Severity.ERROR if option == "contactAttributes" else Severity.WARNING
            message = f"{option}: {given} cannot be done here"
            yield diagnose("intelepeer-membership-option", message, about=resource, severity=severity)
    attributes = [c for c in members.contacts.columns if c != "number"]
    if PHONE in attributes:
        message = "the contacts have both a number and an attribute phone"
        yield diagnose("intelepeer-phone-attribute", message, about=resource)
    fed = known.resource(members.of, account.name, Kind.LIST)
    yield from _attributes(resource, attributes, fed)
    yield from _unfilled(resource, members, fed, known)


def _attributes(resource: Resource, attributes: list[str], fed: Resource | None) -> Iterator[Diagnostic]:
    headers = _headers(fed)
    if headers is None or fed is None:
        return
    if stray := [a for a in attributes if a not in headers and a != PHONE]:
        message = f"{', '.join(stray)}: no headers of {fed.address} (it has {', '.join(headers)})"
        yield diagnose("intelepeer-attribute-not-a-header", message, about=resource)


def _unfilled(resource: Resource, members: Members, fed: Resource | None, known: Declarations) -> Iterator[Diagnostic]:
    """A campaign contacts people by the column ``moc``: these contacts should have it."""
    if fed is None:
        return
    filled = {PHONE, *members.contacts.columns}
    for link in known.feeding.get(fed.address, ()):
        moc = link.fields.get("moc")
        if moc and moc not in filled:
            message = f"{link.address} contacts people by {moc!r}, which these contacts do not have"
            yield diagnose("intelepeer-moc-unfilled", message, about=resource, severity=Severity.WARNING)
            return
