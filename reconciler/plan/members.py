"""Membership diffs: joins on columns, never a loop over people.

The rules that protect people are here, in one place: a suppressed or opted-out number is never added, and a suppressed
one that is live on an exact list is taken off.
"""

from __future__ import annotations

from msgspec import Struct, field

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.masking import mask_number
from reconciler.model.contacts import ContactSet
from reconciler.model.hashes import MemberHashes
from reconciler.model.inventory import Owned
from reconciler.model.kinds import MembershipRules
from reconciler.model.live import OPTED_OUT, LiveMembers, Standing
from reconciler.model.resources import Members, Mode, Resource
from reconciler.plan.changes import MemberDelta

_BOOK_COLUMNS = ("contact_id", "status")


class Earlier(Struct, frozen=True):
    """Numbers that earlier changes of the same plan have.

    Each set is more than twice the size of the next one, so that many small ones are put in without copying what is
    there for each of them.
    """

    sets: tuple[ContactSet, ...] = ()

    def and_(self, contacts: ContactSet) -> Earlier:
        sets, last = self.sets, contacts.select(("number",))
        while sets and len(sets[-1]) <= 2 * len(last):
            sets, last = sets[:-1], ContactSet.union_of((sets[-1], last))
        return Earlier((*sets, last))

    def left_of(self, contacts: ContactSet) -> ContactSet:
        """Those of ``contacts`` who are not among them."""
        for some in self.sets:
            contacts = contacts.without(some)
        return contacts


class Population(Struct, frozen=True, kw_only=True):
    """What a membership is held against.

    ``live`` is None when the list does not exist yet. ``ledger`` are the hashes of everybody whom we put on this list,
    through whichever membership, None when nothing of it is ours. ``taken`` are numbers that an earlier change of the
    same plan adds to it. ``book`` is the looked-up part of the address book. ``creating`` are numbers that an earlier
    change of the same plan creates as contacts. ``trust_unknown`` and ``recontact`` are exceptions that somebody armed.
    """

    live: LiveMembers | None
    book: ContactSet
    suppressed: ContactSet
    ledger: MemberHashes | None
    key: bytes
    creating: Earlier = field(default_factory=Earlier)
    taken: Earlier = field(default_factory=Earlier)
    trust_unknown: bool = False
    recontact: bool = False


def examples(contacts: ContactSet, count: int = 3) -> str:
    """A few masked numbers for a message."""
    shown = ", ".join(mask_number(n) for n in contacts.head(count).numbers())
    more = len(contacts) - min(count, len(contacts))
    return f"{shown}, … {more} more" if more else shown


def diff_members(
    resource: Resource, rules: MembershipRules, population: Population
) -> tuple[MemberDelta, tuple[Diagnostic, ...]]:
    """How the declared members differ from the live ones, and what must be said about it."""
    members = resource.members
    if members is None:
        raise ValueError(f"{resource.address} declares no members")
    declared, problems = unsuppressed(resource, members, population)
    if population.live is not None and not population.live.readable:
        delta, more = _against_ledger(resource, declared, population)
    else:
        delta, more = _against_live(resource, members, declared, rules, population)
    return delta, (*problems, *more)


def unsuppressed(resource: Resource, members: Members, population: Population) -> tuple[ContactSet, list[Diagnostic]]:
    """The declared people without those who must never be contacted, and what must be said about these."""
    problems: list[Diagnostic] = []
    if not population.suppressed:
        return members.contacts, problems
    declared = members.contacts
    if skipped := declared.within(population.suppressed):
        declared = declared.without(skipped)
        problems.append(_skipped("suppressed-skipped", resource, skipped, "suppressed"))
    listed = population.live.contacts.within(population.suppressed) if population.live else ContactSet.empty()
    if listed and members.mode is not Mode.EXACT:
        problems.append(
            warning(
                "suppressed-still-listed",
                f"{len(listed)} suppressed {'person is' if len(listed) == 1 else 'people are'} on the live list, and "
                f"an additive membership takes nobody off: {examples(listed)}",
                hint="take them off in the portal, or declare the whole list with mode: exact",
                address=str(resource.address),
                source=resource.source,
            )
        )
    return declared, problems


def _against_live(
    resource: Resource, members: Members, declared: ContactSet, rules: MembershipRules, population: Population
) -> tuple[MemberDelta, list[Diagnostic]]:
    problems: list[Diagnostic] = []
    live = population.live.contacts if population.live else ContactSet.empty()
    synced = members.contact_attributes == "sync"
    absent, others, differing = declared.compared(live, members.contacts.columns[1:] if synced else ())
    wanted = population.taken.left_of(absent).joined(population.book, _BOOK_COLUMNS)
    add = wanted.where("status", {OPTED_OUT}, keep=False)
    if len(add) < len(wanted):
        opted_out = wanted.where("status", {OPTED_OUT})
        problems.append(_skipped("opted-out-skipped", resource, opted_out, "opted out"))

    create = ContactSet.empty()
    if rules.contacts_apart:
        missing = add.where("contact_id", {None, ""})
        create = population.creating.left_of(missing)
        if missing and members.missing_contacts == "fail":
            problems.append(
                error(
                    "missing-contacts",
                    f"{len(missing)} of the declared contacts {'does' if len(missing) == 1 else 'do'} not exist at "
                    f"the provider: {examples(missing)}",
                    hint="create them there first, or set missingContacts: create",
                    address=str(resource.address),
                    source=resource.source,
                )
            )
            add, create = add.without(missing), ContactSet.empty()

    remove = protective = ContactSet.empty()
    if members.mode is Mode.EXACT:
        remove = others
        protective = remove.within(population.suppressed) if population.suppressed else protective

    change = ContactSet.empty()
    if synced:
        change = _changed(absent, differing, live, population.book).without(create)

    kept = len(declared) - len(absent)
    delta = MemberDelta(
        add=add,
        remove=remove,
        change=change,
        create=create,
        protective=protective,
        unchanged=kept - len(change.within(differing)),
        live_count=population.live.count if population.live else 0,
    )
    return delta, problems


def _changed(absent: ContactSet, differing: ContactSet, live: ContactSet, book: ContactSet) -> ContactSet:
    """The declared people who are known with other attributes: the ``differing`` by the list, those ``absent`` from it
    by the address book. Who opted out is left as they are."""
    changed = differing.joined(live, _BOOK_COLUMNS)
    if elsewhere := absent.changed(book, absent.columns[1:]):
        changed = ContactSet.union_of((changed, elsewhere.joined(book, _BOOK_COLUMNS)))
    return changed.where("status", {OPTED_OUT}, keep=False)


def _against_ledger(
    resource: Resource, declared: ContactSet, population: Population
) -> tuple[MemberDelta, list[Diagnostic]]:
    """Members that nobody can read back: the inventory is the only record of whom we added."""
    live = population.live
    count = live.count if live else 0
    ledger = population.ledger
    if ledger is None and count and not population.trust_unknown:
        problem = error(
            "unknown-members",
            f"the list has {count} members that the provider does not show, and the store knows none of them: "
            "adding could contact somebody twice",
            hint=f"restore the store, or lift this with --allow unknown-members={resource.address}",
            address=str(resource.address),
            source=resource.source,
        )
        return MemberDelta(live_count=count), [problem]
    add = declared.where_hashed(population.key, ledger, keep=False) if ledger else declared
    add = population.taken.left_of(add)
    return MemberDelta(add=add, unchanged=len(declared) - len(add), live_count=count), []


def _skipped(code: str, resource: Resource, contacts: ContactSet, word: str) -> Diagnostic:
    people = (
        f"1 declared person is {word} and stays"
        if len(contacts) == 1
        else (f"{len(contacts)} declared people are {word} and stay")
    )
    return warning(
        code,
        f"{people} out: {examples(contacts)}",
        hint="take them out of the manifest to silence this",
        address=str(resource.address),
        source=resource.source,
    )


def departing(owned: Owned, live: LiveMembers, key: bytes, still_declared: ContactSet) -> MemberDelta:
    """Whom a removed Membership manifest takes along: the members that we added, nobody else, and nobody whom another
    manifest still declares for the same list. Of leads only those that wait: the others are history or being called."""
    ours = live.contacts.where_hashed(key, owned.added) if owned.added else ContactSet.empty()
    if "standing" in ours.columns:
        ours = ours.where("standing", {Standing.WAITING})
    return MemberDelta(remove=ours.without(still_declared), live_count=live.count)
