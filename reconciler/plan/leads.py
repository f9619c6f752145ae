"""Membership diffs where the provider works through its members by itself: leads of a dialling campaign.

Such a member has a history. Who was worked already is not put in line again, what is history is not tidied away unless
somebody asked for it, and whoever may be in a call right now is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.diagnostics import Diagnostic, Severity, warning
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import LeadRules, MembershipRules
from reconciler.model.live import LiveMembers, Standing
from reconciler.model.resources import Members, Mode, Resource
from reconciler.plan.changes import MemberDelta
from reconciler.plan.members import Population, examples, unsuppressed

_NOBODY = LiveMembers(contacts=ContactSet.empty(), count=0)


def removable(members: Members | None) -> frozenset[Standing]:
    """The standings in which a Membership takes leads away; one that is no longer declared leaves history alone."""
    finished = members is not None and members.options.get("deleteFinished") is True
    return frozenset({Standing.WAITING, Standing.FINISHED}) if finished else frozenset({Standing.WAITING})


def diff_leads(
    resource: Resource, rules: MembershipRules, population: Population
) -> tuple[MemberDelta, tuple[Diagnostic, ...]]:
    """How the declared leads differ from the live ones, and what must be said about it."""
    members, leads = resource.members, rules.leads
    if members is None or leads is None:
        raise ValueError(f"{resource.address} declares no leads")
    live = population.live or _NOBODY
    declared, problems = unsuppressed(resource, members, population)
    add = _additions(resource, declared, live, leads, population, problems)
    remove = ContactSet.empty()
    if members.mode is Mode.EXACT:
        remove = _removals(resource, members, live.contacts.without(declared), problems)
    there = declared.within(live.contacts)
    columns = frozenset(there.columns[1:])
    change = _differing(there, live.contacts, columns & leads.settable)
    change = change.select(leads.settable).joined(live.contacts, ("contact_id",))
    _tell_fixed(resource, there, live.contacts, columns, leads, problems)
    delta = MemberDelta(
        add=add,
        remove=remove,
        change=change,
        protective=remove.within(population.suppressed),
        unchanged=len(there) - len(change),
        live_count=live.count,
    )
    return delta, tuple(problems)


def _additions(
    resource: Resource,
    declared: ContactSet,
    live: LiveMembers,
    rules: LeadRules,
    population: Population,
    problems: list[Diagnostic],
) -> ContactSet:
    """Who is to be added: nobody twice, and nobody who is declared to be somewhere in the middle already."""
    add = population.taken.left_of(declared.without(live.contacts))
    for column in sorted(rules.settable):
        if late := add.where(column, {None, ""}, keep=False):
            text = f"{_counted(late)} declared with a {column} and not there; only leads that exist can have one"
            hint = f"nobody is added with a {column}: take it out to have them added"
            problems.append(say("lead-not-there", resource, f"{text}: {examples(late)}", hint))
            add = add.without(late)
    if (worked := add.within(live.worked)) and not population.recontact:
        text = f"{_counted(worked)} declared, gone, and contacted before; they stay out: {examples(worked)}"
        hint = f"take them out of the manifest, or contact them again with --allow recontact={resource.address}"
        problems.append(say("already-worked", resource, text, hint))
        add = add.without(worked)
    return add


def _removals(resource: Resource, members: Members, others: ContactSet, problems: list[Diagnostic]) -> ContactSet:
    """Whom an exact membership takes away out of those that it does not want."""
    if busy := others.where("standing", {Standing.BUSY}):
        text = f"{_counted(busy)} not wanted and may be in a call now; they stay for this time: {examples(busy)}"
        problems.append(say("lead-busy", resource, text, "apply again when they are done"))
    return others.where("standing", removable(members))


def _tell_fixed(
    resource: Resource,
    there: ContactSet,
    live: ContactSet,
    columns: frozenset[str],
    rules: LeadRules,
    problems: list[Diagnostic],
) -> None:
    """What is declared of leads that exist and can neither be written nor be compared."""
    readable = columns - rules.settable - rules.write_only
    if fixed := _differing(there, live, readable):
        names = [c for c in sorted(readable) if _differing(there, live, (c,))]
        text = f"{_counted(fixed)} there with another {' and '.join(names)}: {rules.fixed.reason}"
        problems.append(say(rules.fixed.code, resource, text, rules.fixed.remedy))
    unseen = [c for c in sorted(columns & rules.write_only) if there.where(c, {None, ""}, keep=False)]
    if unseen:
        text = f"{', '.join(unseen)} of leads that exist cannot be read, so it is neither compared nor written"
        problems.append(
            Diagnostic(
                code="write-only-attribute",
                severity=Severity.NOTE,
                message=text,
                hint="it is written when a lead is added, and only then",
                address=str(resource.address),
                source=resource.source,
            )
        )


def _differing(declared: ContactSet, live: ContactSet, columns: Iterable[str]) -> ContactSet:
    """The declared rows with another value in any of ``columns`` than is known of the live ones."""
    parts = [declared.changed(live.where(c, {None}, keep=False), (c,)).select(()) for c in columns]
    return declared.within(ContactSet.union_of(parts))


def _counted(contacts: ContactSet) -> str:
    return "1 lead is" if len(contacts) == 1 else f"{len(contacts)} leads are"


def say(code: str, resource: Resource, message: str, hint: str) -> Diagnostic:
    return warning(code, message, hint=hint, address=str(resource.address), source=resource.source)
