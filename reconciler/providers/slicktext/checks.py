"""What is wrong with one declared resource, as far as that can be told without a network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.masking import mask_number
from reconciler.model.addresses import Kind
from reconciler.model.contacts import ContactSet
from reconciler.model.resources import Resource
from reconciler.providers.slicktext.codes import problem
from reconciler.providers.slicktext.contacts import ATTRIBUTES

MAX_NAME = 100
MAX_DESCRIPTION = 500
SCHEDULE_FORMAT = "%Y-%m-%d %H:%M:%S"

TIMEZONES = frozenset({"America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"})
_CONSENT = frozenset({"opt_in_status", "force_double_opt_in"})

_NANP = r"\+1[2-9][0-9]{2}[2-9][0-9]{6}"
REACHABLE = re.compile(_NANP)
"""The numbers that SlickText takes: the US and Canada (SlickText API notes, H6)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BIRTHDATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

_error = partial(problem, Severity.ERROR)


def moment(text: object) -> datetime | None:
    """``2026-10-17 14:00:00`` as a time in UTC; None for every other spelling."""
    try:
        at = datetime.strptime(str(text), SCHEDULE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
    return at if at.strftime(SCHEDULE_FORMAT) == text else None


def problems(resource: Resource) -> Iterator[Diagnostic]:
    """Every problem of one resource."""
    match resource.address.kind:
        case Kind.LIST:
            yield from _texts(resource, {"name": MAX_NAME, "description": MAX_DESCRIPTION})
        case Kind.CAMPAIGN:
            yield from _texts(resource, {"name": MAX_NAME})
            yield from _campaign(resource)
        case Kind.MEMBERSHIP:
            yield from _members(resource)
        case Kind.ASSOCIATION:
            pass


def _texts(resource: Resource, limits: Mapping[str, int]) -> Iterator[Diagnostic]:
    for name, most in limits.items():
        if name not in resource.fields:
            continue
        text = str(resource.fields[name])
        if name == "name" and not text.strip():
            yield _error("slicktext-text", "the name is empty", resource)
        elif text != text.strip():
            yield _error("slicktext-text", f"the {name} has white space around it", resource)
        if _CONTROL.search(text):
            yield _error("slicktext-text", f"the {name} has control characters or line breaks", resource)
        if len(text) > most:
            yield _error("slicktext-text", f"the {name} has {len(text)} characters; {most} are possible", resource)


def _campaign(resource: Resource) -> Iterator[Diagnostic]:
    fields = resource.fields
    status, scheduled = fields.get("status"), fields.get("scheduled")
    if "scheduled" in fields and moment(scheduled) is None:
        yield _error("slicktext-schedule", "scheduled is not written as 2026-10-17 14:00:00", resource)
    if status not in (None, "draft", "scheduled"):
        yield _error("slicktext-status", "status is neither draft nor scheduled", resource)
    if status == "scheduled":
        if "scheduled" not in fields:
            yield _error("slicktext-schedule", "status is scheduled, and scheduled does not say when", resource)
        if not str(fields.get("body", "")).strip():
            yield _error("slicktext-campaign-body", "status is scheduled, and there is no body to send", resource)
    elif "body" in fields and not str(fields["body"]).strip():
        yield _error("slicktext-campaign-body", "the body is empty", resource)


def _members(resource: Resource) -> Iterator[Diagnostic]:
    if resource.members is None:
        return
    contacts = resource.members.contacts
    yield from _numbers(resource, contacts)
    for column in contacts.columns[1:]:
        if column in _CONSENT:
            yield _error("slicktext-consent", f"{column} cannot be declared", resource)
        elif column not in ATTRIBUTES:
            yield _error("slicktext-attribute", f"{column} is no attribute that can be written", resource)
    yield from _values(resource, contacts, "timezone", TIMEZONES.__contains__, "one of the four zones it knows")
    yield from _values(resource, contacts, "birthdate", _is_date, "a date like 1968-06-12")


def _numbers(resource: Resource, contacts: ContactSet) -> Iterator[Diagnostic]:
    wrong = contacts.matching(_NANP, keep=False)
    if not wrong:
        return
    some = "is" if len(wrong) == 1 else "are"
    first = f"the first is {mask_number(next(wrong.numbers()))}"
    yield _error(
        "slicktext-not-us-ca", f"{len(wrong)} of the numbers {some} not of the US or Canada; {first}", resource
    )


def _values(
    resource: Resource, contacts: ContactSet, column: str, right: Callable[[str], bool], what: str
) -> Iterator[Diagnostic]:
    if column not in contacts.columns:
        return
    found = contacts.grouped(0, column)
    if rows := sum(count for (_, value), count in found.items() if value and not right(value)):
        yield _error("slicktext-attribute", f"{rows} contacts have a {column} that is not {what}", resource)


def _is_date(text: str) -> bool:
    if _BIRTHDATE.fullmatch(text) is None:
        return False
    try:
        datetime.strptime(text, "%Y-%m-%d")
    except ValueError:
        return False
    return True
