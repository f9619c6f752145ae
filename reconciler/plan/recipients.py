"""Whom a call would contact, and when: its own rows, or everybody on the lists of its campaign. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct

from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Desired
from reconciler.model.live import OPTED_OUT, AccountLive, Observed
from reconciler.model.resources import ById, Declared, Fields, Reference
from reconciler.plan.changes import Change
from reconciler.plan.rules import Rules, Timed


class Recipients(Struct, frozen=True, kw_only=True):
    """``people`` can be told apart, ``uncounted`` more cannot. ``at`` is the time that the campaign itself has."""

    people: ContactSet
    uncounted: int = 0
    at: datetime | None = None


class _Fed(Struct, frozen=True, kw_only=True):
    """A campaign with its ids; either may be missing."""

    address: Address | None
    remote_id: RemoteId | None

    def is_(self, reference: Reference) -> bool:
        match reference:
            case Declared(address):
                return address == self.address
            case ById(remote_id):
                return remote_id == self.remote_id


def of_campaign(
    change: Change, desired: Desired, live: AccountLive, bound: Mapping[Address, RemoteId], rules: Rules
) -> Recipients:
    """Everybody whom the campaign that ``change`` is about would contact: those on its lists now, and those who are
    declared to be. Lists that were not read and audiences that cannot be told make at least one more person."""
    reach, timed = change.reach, _timed(rules)
    people, uncounted = [reach.numbers.select(())], reach.uncounted
    at = None
    if (campaign := _campaign(change, live, bound)) is not None:
        observed = live.objects.get((Kind.CAMPAIGN, campaign.remote_id)) if campaign.remote_id else None
        for list_id, address in _lists(campaign, change.address.account, desired, live, bound):
            known, more = _on(list_id, address, change.address.account, desired, live)
            people.append(known)
            uncounted += more
        if observed is not None and (observed.facts.get("segments") or observed.facts.get("all_contacts")):
            uncounted = max(uncounted, 1)
        if timed is not None:
            at = timed.contacts_at(_fields(campaign, change, desired, observed))
    everybody = ContactSet.union_of(people).without(desired.suppressed(change.address.account))
    return Recipients(people=everybody, uncounted=uncounted, at=at)


def _timed(rules: object) -> Timed | None:
    return rules if isinstance(rules, Timed) else None


def _campaign(change: Change, live: AccountLive, bound: Mapping[Address, RemoteId]) -> _Fed | None:
    address = change.address
    if address.kind is Kind.CAMPAIGN:
        return _Fed(address=address, remote_id=bound.get(address) or change.remote_id)
    if address.kind is not Kind.ASSOCIATION:
        return None
    if change.desired is not None and change.desired.link is not None:
        match change.desired.link.campaign:
            case Declared(declared):
                return _Fed(address=declared, remote_id=bound.get(declared))
            case ById(remote_id):
                return _Fed(address=None, remote_id=remote_id)
    link = live.links.get(change.remote_id) if change.remote_id is not None else None
    if link is None:
        return None
    own = next((a for a, i in bound.items() if i == link.campaign and a.kind is Kind.CAMPAIGN), None)
    return _Fed(address=own, remote_id=link.campaign)


def _lists(
    campaign: _Fed, account: str, desired: Desired, live: AccountLive, bound: Mapping[Address, RemoteId]
) -> Iterator[tuple[RemoteId | None, Address | None]]:
    """Every list that feeds the campaign, or shall: by id, by address, or by both. One may come twice."""
    if campaign.remote_id is not None:
        for link in live.links_of(campaign.remote_id):
            own = next((a for a, i in bound.items() if i == link.list and a.kind is Kind.LIST), None)
            yield link.list, own
    for resource in desired.of(account, Kind.ASSOCIATION):
        if resource.link is not None and campaign.is_(resource.link.campaign):
            match resource.link.list:
                case Declared(address):
                    yield bound.get(address), address
                case ById(remote_id):
                    yield remote_id, None


def _on(
    list_id: RemoteId | None, address: Address | None, account: str, desired: Desired, live: AccountLive
) -> tuple[ContactSet, int]:
    """Who is on a list, or declared to be; and how many more of whom nothing is known."""
    fed = _Fed(address=address, remote_id=list_id)
    declared = [
        r.members.contacts
        for r in desired.of(account, Kind.MEMBERSHIP)
        if r.members is not None and fed.is_(r.members.of)
    ]
    people = ContactSet.union_of(declared)
    if list_id is None:
        return people, 0
    members = live.members.get(list_id)
    if members is None:
        return people, 1
    if not members.readable:
        return people, max(members.count - len(people), 0)
    present = members.contacts.where("status", {OPTED_OUT}, keep=False)
    return ContactSet.union_of((present, people)), 0


def _fields(campaign: _Fed, change: Change, desired: Desired, observed: Observed | None) -> Fields:
    """The campaign's fields once the plan is applied."""
    own = change.desired if change.address == campaign.address else None
    if own is None and campaign.address is not None:
        own = desired.resources.get(campaign.address)
    return {**(observed.fields if observed is not None else {}), **(own.fields if own is not None else {})}
