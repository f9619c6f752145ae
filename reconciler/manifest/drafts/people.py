"""Who is declared of a live list, or of the leads of a campaign, so that a plan afterwards changes nobody."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from reconciler.manifest.scalars import hidden_characters
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import MembershipRules
from reconciler.model.live import OPTED_OUT, LiveMembers, Standing
from reconciler.model.resources import Mode
from reconciler.plan.rules import Reachable

_OURS = frozenset({"number", "contact_id", "status", "standing", "created"})
"""Columns of live members that are no attributes."""

_LONGEST = 10_000
"""Characters of an attribute; nothing that people write about each other is longer."""


class People(Struct, frozen=True, kw_only=True):
    """``contacts`` with the attributes that can be declared. ``why`` says why the mode is that one."""

    contacts: ContactSet
    mode: Mode
    why: str
    notes: tuple[str, ...] = ()


def people_of(
    live: LiveMembers, rules: MembershipRules, reachable: Reachable | None, suppressed: ContactSet
) -> People | None:
    """The people to declare, None where there is nobody.

    Exact where that keeps everybody who is there: the file then is the list, whoever joins it elsewhere is drift.
    """
    contacts = live.contacts
    notes: list[str] = []
    if rules.leads is not None:
        contacts = contacts.where("standing", {Standing.WAITING, Standing.BUSY})
        if finished := len(live.contacts) - len(contacts):
            notes.append(f"{_counted(finished, 'lead is', 'leads are')} finished: history, and not declared")
    here = contacts
    contacts = contacts.without(suppressed)
    stopped = len(here) - len(contacts)
    foreign = _foreign(contacts, reachable)
    contacts = contacts.without(foreign)
    if not contacts:
        return None
    notes += _about(stopped, foreign, contacts, rules)
    if rules.exact is not None:
        mode, why = Mode.ADDITIVE, "nobody can be taken off here"
    elif stopped or foreign:
        mode, why = Mode.ADDITIVE, "exact would take off whoever is not in the file"
    else:
        mode, why = Mode.EXACT, "the file is everybody who waits" if rules.leads else "the file is the whole list"
    contacts, blanked = _written(contacts.select(_attributes(contacts, rules)))
    if blanked:
        notes.append(f"{_counted(blanked, 'attribute has', 'attributes have')} characters that no file may have: empty")
    return People(contacts=contacts, mode=mode, why=why, notes=tuple(notes))


def _about(stopped: int, foreign: ContactSet, contacts: ContactSet, rules: MembershipRules) -> Iterable[str]:
    if stopped:
        yield f"{_counted(stopped, 'person', 'people')} on it must never be contacted (Suppression): not in the file"
    if foreign:
        yield f"{_counted(len(foreign), 'number', 'numbers')} on it cannot be declared here: not in the file"
    if out := len(contacts.where("status", {OPTED_OUT})):
        yield f"{_counted(out, 'person has', 'people have')} opted out: in the file as on the list, never written to"
    if rules.leads is not None and rules.leads.write_only:
        yield f"{', '.join(sorted(rules.leads.write_only))} of a lead cannot be read, so the file does not have them"


def _foreign(contacts: ContactSet, reachable: Reachable | None) -> ContactSet:
    """Those whose number no manifest of this provider may have."""
    if reachable is None:
        return ContactSet.empty()
    return contacts.select(()).matching(reachable.pattern.pattern, keep=False)


def _attributes(contacts: ContactSet, rules: MembershipRules) -> tuple[str, ...]:
    """The columns that can be written and that somebody has a value in."""
    left = _OURS | (rules.leads.settable | rules.leads.write_only if rules.leads is not None else frozenset())
    can = rules.attributes
    names = (n for n in contacts.columns if n not in left and (can is None or n in can))
    return tuple(n for n in names if contacts.where(n, {None, ""}, keep=False))


def _written(contacts: ContactSet) -> tuple[ContactSet, int]:
    """``contacts`` without the values that a contact file cannot have or that would take up several lines, and how
    many these are."""
    blanked = 0
    columns: dict[str, list[str | None]] = {"number": list(contacts.numbers())}
    for name in contacts.columns[1:]:
        values = list(contacts.column(name))
        bad = [i for i, v in enumerate(values) if v and not usable(v)]
        for i in bad:
            values[i] = None
        blanked += len(bad)
        columns[name] = values
    return (ContactSet.from_columns(columns), blanked) if blanked else (contacts, 0)


def usable(value: str) -> bool:
    """Whether an attribute can stand in a file of one line a person."""
    if value.isascii() and value.isprintable():
        return len(value) <= _LONGEST
    return len(value) <= _LONGEST and not hidden_characters(value) and not set("\r\n") & set(value)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
