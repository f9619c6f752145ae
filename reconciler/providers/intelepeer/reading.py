"""One account read whole: both listings, and the details that only a read by id tells.

A read that cannot be proven whole raises. An object of ours that a listing lacks is asked for by id before it is
called gone, since acting on a listing with a hole would create it, and contact its people, a second time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.errors import NotFound, ReadIncomplete
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import AccountLive, LiveLink, LiveMembers, Observed
from reconciler.model.resources import ById, Declared, Fields, Reference
from reconciler.plan.binding import OBJECTS, Bindings, bind
from reconciler.providers.base import Progress, Scope
from reconciler.providers.http import Http
from reconciler.providers.intelepeer.client import (
    Listing,
    campaign_by_id,
    enumerate_campaigns,
    enumerate_lists,
    list_by_id,
)
from reconciler.providers.intelepeer.codes import diagnose
from reconciler.providers.intelepeer.convert import DRAFT, PUBLISHED, Campaign, ContactList

_Got = TypeVar("_Got")


async def together(reads: Iterable[Awaitable[_Got]]) -> list[_Got]:
    """All reads at once, within the account's limits; the first failure ends the others."""
    tasks = [asyncio.ensure_future(read) for read in reads]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Read(Struct, frozen=True, kw_only=True):
    """What has been read of an account. ``details`` are lists by id, for those that somebody needs more about."""

    campaigns: Listing[Campaign]
    lists: Listing[ContactList]
    details: Mapping[RemoteId, ContactList]

    def objects(self) -> Mapping[tuple[Kind, RemoteId], Observed]:
        found: dict[tuple[Kind, RemoteId], Observed] = {}
        for list_id, item in self.lists.alive.items():
            found[(Kind.LIST, list_id)] = item.observed(self.details.get(list_id))
        for campaign_id, campaign in self.campaigns.alive.items():
            found[(Kind.CAMPAIGN, campaign_id)] = campaign.observed(self.lists.items)
        return found

    def lacks(self, kind: Kind, remote_id: RemoteId) -> bool:
        """Not even a tombstone of it is listed."""
        return remote_id not in (self.lists.items if kind is Kind.LIST else self.campaigns.items)


async def read_account(http: Http, account: str, base_url: str, scope: Scope, progress: Progress) -> AccountLive:
    """Raises ReadIncomplete when it cannot be proven whole, and whatever the transport raises."""
    started_at, before = time.monotonic(), http.requests
    read = await _listings(http)
    read = await _without_holes(http, read, account, scope)
    bindings = bind(scope.desired, scope.inventory, account, read.objects())
    wanted = _wanted(read, account, scope, bindings)
    read = await _with_details(http, read, sorted(wanted), progress)
    objects = read.objects()
    bindings = bind(scope.desired, scope.inventory, account, objects)
    needed = _members_needed(account, scope, bindings)
    if any((Kind.LIST, i) in objects for i in needed - read.details.keys()):
        raise ReadIncomplete("The lists of the IntelePeer account changed while they were read.", hint="Try again.")
    return AccountLive(
        identity=f"intelepeer:{urlsplit(base_url).hostname}:customer={_customer(read) or '?'}",
        objects=objects,
        links=_links(read),
        members=_members(read, needed),
        requests=http.requests - before,
        elapsed_s=time.monotonic() - started_at,
        notes=(*_bare(read, account), *_dangling(bindings)),
    )


async def _listings(http: Http) -> _Read:
    campaigns = asyncio.ensure_future(enumerate_campaigns(http))
    lists = asyncio.ensure_future(enumerate_lists(http))
    await together((campaigns, lists))
    return _Read(campaigns=campaigns.result(), lists=lists.result(), details={})


async def _without_holes(http: Http, read: _Read, account: str, scope: Scope) -> _Read:
    """``read``, or a second one in which every object of ours is listed that a read by id finds."""
    owned = [(o.address.kind, o.remote_id) for o in scope.inventory.of(account) if o.address.kind in OBJECTS]
    missing = [key for key in owned if read.lacks(*key)]
    if not missing:
        return read
    found = await together(_exists(http, *key) for key in missing)
    hidden = [key for key, exists in zip(missing, found, strict=True) if exists]
    if not hidden:
        return read
    again = await _listings(http)
    if still := [key for key in hidden if again.lacks(*key)]:
        kind, remote_id = still[0]
        raise ReadIncomplete(
            f"IntelePeer does not list the {kind.lower()} {remote_id}, which exists when it is asked for by id: "
            "the listing is not whole."
        )
    return again


async def _exists(http: Http, kind: Kind, remote_id: RemoteId) -> bool:
    try:
        item = await (list_by_id(http, remote_id) if kind is Kind.LIST else campaign_by_id(http, remote_id))
    except NotFound:
        return False
    return not item.deleted


async def _with_details(http: Http, read: _Read, wanted: Sequence[RemoteId], progress: Progress) -> _Read:
    """``read`` with these lists read by id. One that has just gone must be gone from a new listing, too."""
    done = 0

    async def one(remote_id: RemoteId) -> ContactList | None:
        nonlocal done
        try:
            detail = await list_by_id(http, remote_id)
        except NotFound:
            return None
        done += 1
        progress("lists", done, len(wanted))
        return None if detail.deleted else detail

    found = dict(zip(wanted, await together(one(i) for i in wanted), strict=True))
    details = {i: detail for i, detail in found.items() if detail is not None}
    lists = read.lists
    if len(details) < len(found):
        lists = await enumerate_lists(http)
        if lists.alive.keys() & (found.keys() - details.keys()):
            raise ReadIncomplete("IntelePeer lists a list that it does not have when it is asked for by id.")
    return replace(read, lists=lists, details=details)


# --- what to ask for -------------------------------------------------------------------------------------------------


def _wanted(read: _Read, account: str, scope: Scope, bindings: Bindings) -> set[RemoteId]:
    """The lists to read by id: no others, since each costs a request."""
    alive = read.lists.alive
    if scope.everything:
        return set(alive)
    wanted = _members_needed(account, scope, bindings)
    for resource in scope.desired.of(account, Kind.ASSOCIATION):
        if resource.link is not None and (list_id := _id(resource.link.list, bindings)) is not None:
            wanted.add(list_id)
    # How many people a publication reaches is asked before it: links that nobody declares count as well.
    for resource in scope.desired.of(account, Kind.CAMPAIGN):
        live = bindings.bound.get(resource.address)
        if live and resource.fields.get("state") == PUBLISHED and live.fields["state"] == DRAFT:
            wanted |= read.campaigns.items[live.remote_id].links.keys()
    return wanted & alive.keys()


def _members_needed(account: str, scope: Scope, bindings: Bindings) -> set[RemoteId]:
    """The lists of declared memberships and of those that we own."""
    needed = {o.parent for o in scope.inventory.of(account) if o.parent is not None}
    for resource in scope.desired.of(account, Kind.MEMBERSHIP):
        if resource.members is not None and (list_id := _id(resource.members.of, bindings)) is not None:
            needed.add(list_id)
    return needed


def _id(reference: Reference, bindings: Bindings) -> RemoteId | None:
    match reference:
        case ById(remote_id):
            return remote_id
        case Declared(address):
            live = bindings.bound.get(address)
            return live.remote_id if live else None


# --- what was found --------------------------------------------------------------------------------------------------


def _customer(read: _Read) -> str:
    customers = {campaign.customer for campaign in read.campaigns.items.values()}
    customers |= {item.customer for item in (*read.lists.items.values(), *read.details.values())}
    customers.discard("")
    if len(customers) > 1:
        raise ReadIncomplete("IntelePeer answered with objects of more than one customer.")
    return next(iter(customers), "")


def _links(read: _Read) -> Mapping[RemoteId, LiveLink]:
    """Every link whose both ends are alive, with the attributes that are told.

    A list tells its own method of contact, too. That is the link's only as long as a single campaign uses the list.
    """
    campaigns, lists = read.campaigns.alive, read.lists.alive
    users: dict[RemoteId, set[str]] = {i: set() for i in lists}
    for campaign in campaigns.values():
        for list_id in campaign.links.keys() & lists.keys():
            users[list_id].add(campaign.remote_id)
    for list_id, detail in read.details.items():
        users.setdefault(list_id, set()).update((detail.campaign_ids or frozenset()) & campaigns.keys())
    found: dict[RemoteId, LiveLink] = {}
    for campaign in campaigns.values():
        for list_id, told in campaign.links.items():
            if list_id not in lists:
                continue
            fields: Fields = told
            if not told and len(users[list_id]) == 1 and list_id in read.details:
                fields = read.details[list_id].attributes
            link = LiveLink(campaign=campaign.remote_id, list=list_id, fields=fields)
            found[link.remote_id] = link
    return found


def _members(read: _Read, needed: set[RemoteId]) -> Mapping[RemoteId, LiveMembers]:
    """How many contacts the lists have that were read by id; who they are, nobody can read."""
    found: dict[RemoteId, LiveMembers] = {}
    for list_id, detail in read.details.items():
        if detail.contact_ids is not None:
            found[list_id] = LiveMembers(
                contacts=ContactSet.empty(),
                count=len(detail.contact_ids),
                readable=False,
                facts={"contact_ids": detail.contact_ids},
            )
        elif list_id in needed:
            # Not told is not none: uploading on that belief would add everybody once more.
            raise ReadIncomplete(f"IntelePeer does not tell the contacts of the list {list_id}.")
    return found


def _bare(read: _Read, account: str) -> Iterable[Diagnostic]:
    for what, listing in (("campaigns", read.campaigns), ("lists", read.lists)):
        if listing.bare:
            message = f"account {account!r}: the {what} were answered as one object and read as a listing of one"
            yield diagnose("intelepeer-bare-object", message, severity=Severity.NOTE)


def _dangling(bindings: Bindings) -> Iterable[Diagnostic]:
    for address, live in sorted(bindings.bound.items()):
        gone = live.facts.get("dangling")
        if isinstance(gone, frozenset) and gone:
            message = f"the live campaign names lists that no longer exist: {', '.join(sorted(gone))}"
            yield diagnose("intelepeer-dangling-link", message, about=address, severity=Severity.NOTE)
