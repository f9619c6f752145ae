"""Who must not be reached: nothing may start contacting the suppressed, however they came to be on a list.

A read brings the members of lists that manifests are about. A campaign may be given any list, so the lists that a plan
would start to contact and whose members were not read are named by the plan, for whoever can read them; of those that
nobody can read only the people are known whom an apply has put there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reconciler.diagnostics import Diagnostic, error
from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.hashes import NO_MEMBERS, MemberHashes
from reconciler.model.inventory import Inventory
from reconciler.model.kinds import ContactClass
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
