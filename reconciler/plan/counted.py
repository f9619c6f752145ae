"""Lists that a count is enough for: ``--refresh counts``. Pure.

A count never says that a list is as it should be, only that it has as many entries as when all of it was. So it stands
in for a read where nothing would be done about what the read shows, and everything else is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Desired
from reconciler.model.inventory import Inventory, Owned
from reconciler.model.kinds import MembershipRules
from reconciler.model.live import AccountLive, Live, LiveMembers
from reconciler.model.resources import Account, ById, Declared, Mode, Resource
from reconciler.plan.binding import bind
from reconciler.plan.changes import Change
from reconciler.plan.rules import Rules
from reconciler.plan.selection import Selection

Lists = Mapping[str, Mapping[RemoteId, LiveMembers]]
"""By account and list, what is taken for granted about it."""

CONFIRMED = "confirmed"
"""The name under which an owned Membership remembers how many were on its list when all of it was as declared."""


def countable(
    desired: Desired, inventory: Inventory, accounts: Mapping[str, Account], rules: Mapping[str, Rules]
) -> Lists:
    """The lists of ``accounts`` that need not be read while their count is the one given here. ``rules`` is by
    provider name.

    Each Membership of such a list is declared, ours, and as it was when an apply last found all of the list as
    declared; nobody's attributes are kept in step, and nobody is suppressed.
    """
    return {
        name: dict(_countable(desired, inventory, name, rules[account.provider].membership))
        for name, account in accounts.items()
        if not desired.suppressed(name)
    }


def _countable(
    desired: Desired, inventory: Inventory, account: str, rules: MembershipRules
) -> Iterator[tuple[RemoteId, LiveMembers]]:
    last = inventory.last_reads.get(account)
    owned = [o for o in inventory.of(account) if o.address.kind is Kind.MEMBERSHIP and o.parent is not None]
    by_list = sorted(owned, key=lambda o: (o.parent or "", o.address))
    for list_id, ours in groupby(by_list, key=lambda o: o.parent):
        together = [*ours]
        counts = {o.fields.get(CONFIRMED) for o in together}
        count = next(iter(counts))
        if list_id is None or last is None or not isinstance(count, int) or counts != {last.members.get(list_id)}:
            continue
        declared = [_settled(desired.resources.get(o.address), o, count, inventory.key, rules) for o in together]
        people = [contacts for contacts in declared if contacts is not None]
        if len(people) == len(together):
            addresses = frozenset(o.address for o in together)
            yield list_id, LiveMembers(contacts=ContactSet.union_of(people), count=count, counted=addresses)


def _settled(
    resource: Resource | None, owned: Owned, count: int, key: bytes, rules: MembershipRules
) -> ContactSet | None:
    """Whom a Membership declares, if a plan would do nothing about it as long as live is as it was."""
    if resource is None or (members := resource.members) is None or resource.lifecycle.observe:
        return None
    compared = rules.leads.settable if rules.leads is not None else frozenset[str]()
    if members.contact_attributes != "create" or compared.intersection(members.contacts.columns):
        return None
    if members.mode is Mode.EXACT and len(members.contacts) != count:
        # Somebody else was left on it, for a reason that may have passed.
        return None
    return members.contacts.select(()) if members.contacts.hashes(key) == owned.applied else None


def without(taken: Lists, read: Mapping[str, frozenset[RemoteId]]) -> Lists:
    """``taken`` without the lists that have to be ``read``."""
    return {a: {i: m for i, m in lists.items() if i not in read.get(a, ())} for a, lists in taken.items()}


def disputed(desired: Desired, inventory: Inventory, live: Live) -> Mapping[str, frozenset[RemoteId]]:
    """Counted lists that, now that the names are known, a Membership turns out to be about that was not thought of."""
    found: dict[str, frozenset[RemoteId]] = {}
    for name, lists in _counted(live).items():
        state = live.accounts[name]
        bound = bind(desired, inventory, name, state.objects).bound if isinstance(state, AccountLive) else {}
        ids = {address: each.remote_id for address, each in bound.items()}
        about = ((_target(r, ids), r.address) for r in desired.of(name, Kind.MEMBERSHIP))
        lost = {i for i, address in about if i is not None and i in lists and address not in lists[i].counted}
        if lost:
            found[name] = frozenset(lost)
    return found


def _target(resource: Resource, bound: Mapping[Address, RemoteId]) -> RemoteId | None:
    match resource.members.of if resource.members is not None else None:
        case ById(remote_id):
            return remote_id
        case Declared(address):
            return bound.get(address)
        case None:
            return None


def concerned(changes: Iterable[Change], live: Live) -> Mapping[str, frozenset[RemoteId]]:
    """Counted lists that these changes have to do with: who is on them must be known before anything is done.

    A change of a campaign or of what feeds it has to do with all lists of its account: it may contact anybody.
    """
    counted, found = _counted(live), dict[str, set[RemoteId]]()
    for change in changes:
        lists = counted.get(change.address.account, {})
        if change.address.kind in (Kind.CAMPAIGN, Kind.ASSOCIATION):
            met = set(lists)
        else:
            met = {i for i, m in lists.items() if i == change.remote_id or change.address in m.counted}
        found.setdefault(change.address.account, set()).update(met)
    return {name: frozenset(lists) for name, lists in found.items() if lists}


def _counted(live: Live) -> Mapping[str, Mapping[RemoteId, LiveMembers]]:
    states = {name: state for name, state in live.accounts.items() if isinstance(state, AccountLive)}
    found = {name: {i: m for i, m in state.members.items() if m.counted} for name, state in states.items()}
    return {name: lists for name, lists in found.items() if lists}


def counted_only(live: AccountLive, desired: Desired, selection: Selection) -> tuple[Address, ...]:
    """The selected Memberships of which only was counted how many are on their list."""
    addresses = sorted(a for m in live.members.values() for a in m.counted)
    return tuple(a for a in addresses if selection.covers(a, desired.resources.get(a)))
