"""Who must not be reached: nothing may start contacting the suppressed, however they came to be on a list, and who
opted out too late to be kept off one is told.

A read brings the members of lists that manifests are about. A campaign may be given any list, so the lists that a plan
would start to contact and whose members were not read are named by the plan, for whoever can read them; of those that
nobody can read only the people are known whom an apply has put there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from reconciler.diagnostics import Diagnostic, error
from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.hashes import NO_MEMBERS, MemberHashes
from reconciler.model.inventory import Inventory
from reconciler.model.kinds import ContactClass
from reconciler.model.live import OPTED_OUT, AccountLive, Live
from reconciler.plan.changes import Change, Plan
from reconciler.plan.members import examples


def unread_lists(plan: Plan) -> Mapping[str, frozenset[RemoteId]]:
    """The lists that the plan starts contacting without knowing who is on them, by account."""
    found: dict[str, frozenset[RemoteId]] = {}
    for change in plan.changes:
        if _starts(change) and change.reach.unread:
            account = change.address.account
            found[account] = found.get(account, frozenset()) | change.reach.unread
    return found


def remembered(inventory: Inventory, account: str, lists: Collection[RemoteId], suppressed: ContactSet) -> MemberHashes:
    """The suppressed among those whom an apply has put on ``lists``, as keyed hashes: where nobody can read a list."""
    if not suppressed or not lists:
        return NO_MEMBERS
    hashes = suppressed.hashes(inventory.key)
    owned = [o for o in inventory.of(account) if o.parent in lists]
    return MemberHashes.union_of((o.applied | o.added) & hashes for o in owned)


def suppressed_in_reach(
    changes: tuple[Change, ...], suppressed: ContactSet, inventory: Inventory
) -> tuple[Diagnostic, ...]:
    """Every change that would start contacting somebody who must never be contacted, as an error."""
    found = []
    for change in changes:
        if not suppressed or not _starts(change):
            continue
        people = change.reach.numbers.within(suppressed)
        known = remembered(inventory, change.address.account, change.reach.unread, suppressed)
        if not people and not known:
            continue
        count = len(people) or len(known)
        who = f": {examples(people)}" if people else " whom an earlier apply put on its lists"
        found.append(
            error(
                "suppressed-in-reach",
                f"it would start contacting {count} suppressed {'person' if count == 1 else 'people'}{who}",
                hint="take them off the list first: in the portal, or with mode: exact on its membership",
                address=str(change.address),
                source=change.source,
            )
        )
    return tuple(found)


def _starts(change: Change) -> bool:
    return change.contact_class is ContactClass.STARTS_CONTACTING


def opted_out_since(plan: Plan, live: Live, inventory: Inventory) -> Iterator[str]:
    """What must be told of people who are on a list because of ``plan``, and had not opted out when it was made: no
    provider can be asked to add somebody only unless. ``live`` and ``inventory`` are as they were afterwards."""
    for change in plan.changes:
        owned, account = inventory.owned.get(change.address), live.accounts.get(change.address.account)
        if change.members is None or not change.members.add or owned is None or not isinstance(account, AccountLive):
            continue
        if owned.parent is None or (members := account.members.get(owned.parent)) is None:
            continue
        if gone := change.members.add.within(members.contacts.where("status", {OPTED_OUT})):
            some = "1 person" if len(gone) == 1 else f"{len(gone)} people"
            yield (
                f"{change.address}: {some} opted out while this ran, and joined the list: {examples(gone)}. The "
                "provider's own opt-out holds; look whether they should stay declared"
            )
