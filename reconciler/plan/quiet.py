"""Quiet hours of a plan: which of its calls may not be sent at an instant, for how many people, and when they may.

A call whose rows are its recipients is cut: those who may be contacted go, the others wait. A call about a campaign
goes to everybody on its lists at once, so it waits until all of them may be contacted. A campaign that has a time of
its own contacts people then, so that is the instant that counts.

Calls that a provider freezes for a while are told in the same way; they are judged where they are sent, not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.model.addresses import Address, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Desired
from reconciler.model.kinds import ContactClass
from reconciler.model.live import AccountLive, Live
from reconciler.model.quiet import Crowd, QuietHours
from reconciler.model.zones import TIMEZONE, crowd, zones_of
from reconciler.plan.calls import Step
from reconciler.plan.changes import Change, Plan
from reconciler.plan.recipients import of_campaign
from reconciler.plan.rules import Freezing, Local, Rules


class Waiting(Struct, frozen=True, kw_only=True):
    """A call, or the part of one, that may not be sent now.

    ``people`` of its recipients are in quiet hours, by when those end for them (None: not in sight). ``until`` is when
    all of it may be sent. ``whole``: nothing of it may be sent before. ``at`` is the time that the campaign has itself;
    then waiting is no help. ``frozen`` is why it may not where quiet hours have no part in it.
    """

    address: Address
    title: str
    people: Mapping[datetime | None, int]
    until: datetime | None
    whole: bool
    at: datetime | None = None
    frozen: str = ""

    @property
    def count(self) -> int:
        return sum(self.people.values())

    @property
    def reason(self) -> str:
        """In words, without a number."""
        if self.frozen:
            return self.frozen
        reason = _reason(self.count, self.until)
        return reason if self.at is None else f"at its time, {told(self.at)}: {reason}; move its time"


def told(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


def hours_of(desired: Desired, account: str, rules: object) -> QuietHours | None:
    """An account's hours, with the zones of its country for people whose number tells none."""
    found = desired.quiet_hours(account)
    if found is None or found.zones or not isinstance(rules, Local):
        return found
    return replace(found, zones=rules.home_zones(desired.accounts[account]))


def held_back(hours: QuietHours | None, there: Crowd, now: datetime) -> str:
    """Why a call to everybody ``there`` may not be sent at ``now``, or nothing."""
    if hours is None or not (people := there.waiting(hours, now)):
        return ""
    return _reason(sum(people.values()), there.allowed_from(hours, now))


def _reason(count: int, until: datetime | None) -> str:
    when = f"allowed from {told(until)}" if until is not None else "no allowed time is in sight"
    return f"quiet hours for {'1 person' if count == 1 else f'{count} people'}; {when}"


class Quiet(Struct):
    """The quiet hours of every account that a plan is about, and who its calls would contact."""

    plan: Plan
    desired: Desired
    live: Live
    bound: Mapping[Address, RemoteId]
    rules: Mapping[str, Rules]
    """By provider name."""
    _hours: dict[str, QuietHours | None] = field(default_factory=dict)
    _campaigns: dict[Address, tuple[Crowd, datetime | None]] = field(default_factory=dict)

    @property
    def declared(self) -> bool:
        return any(self.hours(name) is not None for name in self.desired.accounts)

    def hours(self, account: str) -> QuietHours | None:
        """See ``hours_of``."""
        if account not in self._hours:
            provider = self.desired.accounts[account].provider
            self._hours[account] = hours_of(self.desired, account, self.rules[provider])
        return self._hours[account]

    def waiting(self, change: Change, step: Step, now: datetime) -> Waiting | None:
        """What of a step (whole, or one batch of it) may not be sent at ``now``; None when nothing waits."""
        hours = self.hours(change.address.account)
        if hours is None or step.contact_class is not ContactClass.STARTS_CONTACTING:
            return None
        if step.rows is not None:
            there, at = crowd(step.rows), None
        else:
            there, at = self._campaign(change)
        own = at if at is not None and at > now else None
        people = there.waiting(hours, own or now)
        if not people:
            return None
        return Waiting(
            address=change.address,
            title=step.title,
            people=people,
            until=there.allowed_from(hours, own or now),
            whole=step.rows is None or sum(people.values()) == there.people,
            at=own,
        )

    def rows_waiting(self, account: str, rows: ContactSet, now: datetime) -> ContactSet:
        """Those of ``rows`` who may not be contacted at ``now``."""
        hours = self.hours(account)
        if hours is None:
            return ContactSet.empty()
        verdicts: dict[tuple[str, ...], bool] = {}

        def waits(number: str, zone: str | None) -> bool:
            zones = zones_of(number, zone)
            if zones not in verdicts:
                verdicts[zones] = bool(Crowd(sizes={zones: 1}).waiting(hours, now))
            return verdicts[zones]

        pairs = zip(rows.numbers(), rows.column(TIMEZONE), strict=True)
        return rows.masked([waits(number, zone) for number, zone in pairs])

    def _campaign(self, change: Change) -> tuple[Crowd, datetime | None]:
        if change.address not in self._campaigns:
            account = self.live.accounts.get(change.address.account)
            if not isinstance(account, AccountLive):
                raise ValueError(f"{change.address}: its account was not read")
            found = of_campaign(change, self.desired, account, self.bound, self.rules[change.provider])
            self._campaigns[change.address] = crowd(found.people, found.uncounted), found.at
        return self._campaigns[change.address]

    def all_waiting(self, now: datetime) -> tuple[Waiting, ...]:
        """Everything of the plan that would wait at ``now``, in the plan's order."""
        found = (self.waiting(change, step, now) for change in self.plan.changes for step in change.steps)
        return tuple(w for w in found if w is not None)

    def all_frozen(self, now: datetime) -> Iterator[Waiting]:
        """Everything of the plan that its provider would refuse at ``now``, and only for a while."""
        freezing = {name: rules for name, rules in self.rules.items() if isinstance(rules, Freezing)}
        for change in self.plan.changes:
            live = self.live.accounts.get(change.address.account)
            if change.provider not in freezing or not isinstance(live, AccountLive):
                continue
            account = self.desired.accounts[change.address.account]
            for step in change.steps:
                if (freeze := freezing[change.provider].freeze(step, account, live, now)) is not None:
                    yield Waiting(
                        address=change.address,
                        title=step.title,
                        people={freeze.until: len(step.rows or ())},
                        until=freeze.until,
                        whole=True,
                        frozen=freeze.reason,
                    )

    def nothing_else(self, now: datetime) -> tuple[Waiting, ...]:
        """What waits, when it is all there is: not one call or note in the books is left to do. Else nothing."""
        waits = self.all_waiting(now)
        held = sum(w.whole for w in waits)
        steps = sum(len(c.steps) for c in self.plan.changes)
        books = any(not c.steps and c.carried_by is None for c in self.plan.changes)
        return waits if waits and held == steps and not books else ()
