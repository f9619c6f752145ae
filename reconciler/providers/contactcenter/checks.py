"""What is wrong with one declared resource, as far as that can be told without a network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.model.addresses import Kind
from reconciler.model.contacts import ContactSet
from reconciler.model.resources import Mode, OnRemove, Resource
from reconciler.providers.contactcenter.calls import NUMBERS, TEXTS
from reconciler.providers.contactcenter.codes import problem
from reconciler.providers.contactcenter.convert import NEW

MAX_TEXT = 255
MAX_NOTE = 2000
"""Nothing is published about lengths; longer ones are refused rather than cut off by somebody [A-3]."""

_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_error = partial(problem, Severity.ERROR)


def problems(resource: Resource, finished: frozenset[str]) -> Iterator[Diagnostic]:
    """Every problem of one resource. ``finished`` are the statuses in which a lead may be declared."""
    match resource.address.kind:
        case Kind.CAMPAIGN:
            yield from _campaign(resource)
        case Kind.MEMBERSHIP:
            yield from _leads(resource, finished)
        case Kind.LIST | Kind.ASSOCIATION:
            pass


def _campaign(resource: Resource) -> Iterator[Diagnostic]:
    if "name" in resource.fields and not str(resource.fields["name"]).strip():
        yield _error("contactcenter-campaign-missing", "the name is empty", resource)
    lifecycle = resource.lifecycle
    for word, asked in (("onRemove: delete", lifecycle.on_remove is OnRemove.DELETE), ("replace", lifecycle.replace)):
        if asked:
            yield _error("contactcenter-campaign-read-only", f"{word} can never be done to a campaign", resource)


def _leads(resource: Resource, finished: frozenset[str]) -> Iterator[Diagnostic]:
    members = resource.members
    if members is None:
        return
    if members.options.get("deleteFinished") is True and members.mode is not Mode.EXACT:
        text = "deleteFinished means nothing with mode: additive, which deletes nobody"
        yield problem(Severity.WARNING, "contactcenter-setting", text, resource)
    contacts = members.contacts
    for column in contacts.columns[1:]:
        if column in NUMBERS:
            yield from _values(resource, contacts, column, _is_whole, "a whole number")
        elif column in TEXTS:
            most = MAX_NOTE if column == "note" else MAX_TEXT
            right = partial(_fits, most=most)
            yield from _values(resource, contacts, column, right, f"up to {most} characters without spaces around")
        elif column == "status":
            yield from _statuses(resource, contacts, finished)
        else:
            yield _error("contactcenter-attribute", f"{column} is no attribute of a lead", resource)


def _values(
    resource: Resource, contacts: ContactSet, column: str, right: Callable[[str], bool], what: str
) -> Iterator[Diagnostic]:
    found = contacts.grouped(0, column)
    if rows := sum(count for (_, value), count in found.items() if value and not right(value)):
        yield _error("contactcenter-attribute", f"{rows} contacts have a {column} that is not {what}", resource)


def _statuses(resource: Resource, contacts: ContactSet, finished: frozenset[str]) -> Iterator[Diagnostic]:
    values = contacts.column("status")
    if again := sum(1 for v in values if v == NEW):
        text = f"{again} contacts are declared with status new: they would be dialled again and again"
        yield _error("contactcenter-status", text, resource)
    known = ", ".join(sorted(finished))
    if others := sum(1 for v in values if v and v != NEW and v not in finished):
        text = f"{others} contacts are declared with a status that is none of {known}"
        yield _error("contactcenter-status", text, resource)


def _is_whole(text: str) -> bool:
    return _WHOLE.fullmatch(text) is not None


def _fits(text: str, most: int) -> bool:
    return text == text.strip() and len(text) <= most
