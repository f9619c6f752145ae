"""What is wrong with one declared resource, as far as that can be told without a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct, field

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.model.addresses import Kind
from reconciler.model.desired import Desired
from reconciler.model.resources import ById, Declared, Fields, Reference, Resource
from reconciler.providers.exotel.codes import problem
from reconciler.providers.exotel.convert import ATTRIBUTES, instant

MAX_LIST_NAME = 60
MIN_CAMPAIGN_NAME = 4
MAX_LISTS = 5
EARLIEST = timedelta(minutes=10)
"""How far ahead of being written a campaign's time must be (H14)."""
CLOSED = timedelta(seconds=60)
"""So near its time a campaign is not edited any more (H16)."""

_error = partial(problem, Severity.ERROR)


def send_at(fields: Mapping[str, object]) -> datetime | None:
    """When a campaign with these fields starts; None where it does not say, or not as a time."""
    return instant(_schedule(fields).get("send_at"))


def most_lists(fields: Fields) -> int:
    """How many lists a campaign with these fields may have."""
    return 1 if fields.get("campaign_type") == "dynamic" else MAX_LISTS


class Declarations(Struct, frozen=True, kw_only=True):
    """What checks of one resource need to know of the others, gathered once: each is asked about on its own.

    ``names`` has the first list of each name, by account and by the name without its case; ``links`` counts the
    Associations of a campaign, by account and by how they refer to it.
    """

    desired: Desired
    names: dict[tuple[str, str], Resource] = field(default_factory=dict)
    links: dict[tuple[str, Reference], int] = field(default_factory=dict)

    @classmethod
    def of(cls, desired: Desired) -> Declarations:
        found = cls(desired=desired)
        for address, resource in sorted(desired.resources.items()):
            if address.kind is Kind.LIST:
                found.names.setdefault((address.account, str(resource.fields.get("name", "")).casefold()), resource)
            elif resource.link is not None:
                key = (address.account, resource.link.campaign)
                found.links[key] = found.links.get(key, 0) + 1
        return found

    def lists_of(self, resource: Resource) -> int:
        """How many Associations give a campaign a list, also those that name it by its pinned id."""
        account = resource.address.account
        count = self.links.get((account, Declared(resource.address)), 0)
        return count + (self.links.get((account, ById(resource.pinned)), 0) if resource.pinned is not None else 0)


def problems(resource: Resource, known: Declarations) -> Iterator[Diagnostic]:
    """Every problem of one resource."""
    match resource.address.kind:
        case Kind.LIST:
            yield from _name(resource, 1, MAX_LIST_NAME)
            yield from _case(resource, known)
        case Kind.CAMPAIGN:
            yield from _name(resource, MIN_CAMPAIGN_NAME, 1_000)
            yield from _campaign(resource)
            yield from _schedules(resource)
            yield from _lists(resource, known)
        case Kind.MEMBERSHIP:
            yield from _members(resource)
        case Kind.ASSOCIATION:
            pass


def _name(resource: Resource, least: int, most: int) -> Iterator[Diagnostic]:
    name = str(resource.fields.get("name", ""))
    if any(c < " " or c == "\x7f" for c in name):
        yield _error("exotel-name", "the name has control characters or line breaks", resource)
    elif name != name.strip():
        yield _error("exotel-name", "the name has white space around it", resource)
    elif not least <= len(name) <= most:
        yield _error("exotel-name", f"the name has {len(name)} characters; {least} to {most} are possible", resource)


def _case(resource: Resource, known: Declarations) -> Iterator[Diagnostic]:
    """Whether Exotel tells names apart that differ by case only is not documented (H1)."""
    name = str(resource.fields.get("name", ""))
    first = known.names.get((resource.address.account, name.casefold()))
    if first is not None and first.address != resource.address and first.fields.get("name") != name:
        yield _error("exotel-name", f"the name differs from that of {first.address} by case only", resource)


def _campaign(resource: Resource) -> Iterator[Diagnostic]:
    fields = resource.fields
    if fields.get("flow_type") == "greeting" and not fields.get("read_via_text"):
        yield _error("exotel-campaign-field", "flow_type is greeting, and read_via_text does not say what", resource)
    if "url" in fields and "flow_type" in fields:
        yield _error("exotel-campaign-field", "url and flow_type exclude each other", resource)
    if "url" not in fields and "flow_type" not in fields:
        yield _error("exotel-campaign-field", "neither url nor flow_type says what people hear", resource)
    if "repeat_menu_attempts" in fields and fields.get("flow_type") != "ivr":
        yield _error("exotel-campaign-field", "repeat_menu_attempts is for flow_type ivr only", resource)
    if ("throttle" in fields) is not (fields.get("mode") == "custom"):
        yield _error("exotel-campaign-field", "throttle and mode custom go together", resource)
    retries = fields.get("retries")
    if isinstance(retries, Mapping) and retries.get("number_of_retries") and "interval_mins" not in retries:
        yield _error("exotel-campaign-field", "retries need interval_mins", resource)


def _schedules(resource: Resource) -> Iterator[Diagnostic]:
    schedule = _schedule(resource.fields)
    starts = send_at(resource.fields)
    if starts is None:
        yield _error("exotel-schedule", "schedule.send_at is not a time with its offset", resource)
    if "end_at" in schedule:
        ends = instant(schedule["end_at"])
        if ends is None:
            yield _error("exotel-schedule", "schedule.end_at is not a time with its offset", resource)
        elif starts is not None and ends <= starts:
            yield _error("exotel-schedule", "schedule.end_at is not after send_at", resource)


def _schedule(fields: Mapping[str, object]) -> Mapping[str, object]:
    found = fields.get("schedule")
    return found if isinstance(found, Mapping) else {}


def _lists(resource: Resource, known: Declarations) -> Iterator[Diagnostic]:
    count, most = known.lists_of(resource), most_lists(resource.fields)
    if not count:
        yield _error("exotel-campaign-without-list", "no Association gives the campaign a list", resource)
    elif count > most:
        kind = "dynamic" if most == 1 else "static"
        yield _error("exotel-too-many-lists", f"{count} lists are associated; a {kind} campaign takes {most}", resource)


def _members(resource: Resource) -> Iterator[Diagnostic]:
    if resource.members is None:
        return
    for column in resource.members.contacts.columns[1:]:
        if column not in ATTRIBUTES:
            yield _error("exotel-attribute", f"{column} is no attribute that can be written", resource)
