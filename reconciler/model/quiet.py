"""Quiet hours: whether somebody may be contacted at an instant, in each time zone that they may be in.

Everything is asked of an instant in UTC and looked up in the zone, never computed on local times. So an hour that a
clock change skips or repeats needs no rule of its own: what the clock on the wall shows is what counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct, field

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

LONGEST_WAIT = timedelta(days=15)
"""How far ahead an allowed time is looked for: what does not come within two weeks does not come with the hours."""

_DAY = 24 * 60


class QuietHours(Struct, frozen=True, kw_only=True):
    """When nobody is to be contacted, in the recipient's local time.

    From ``start`` until before ``end``, over midnight when ``end`` is earlier; both are ``HH:MM``, or both empty for no
    such hours; the same time twice is the whole day. ``days`` (``mon`` … ``sun``) are quiet as a whole, from their
    midnight to the next. ``zones`` are those of people whose number tells none.
    """

    start: str = ""
    end: str = ""
    days: frozenset[str] = frozenset()
    zones: tuple[str, ...] = ()

    def quiet(self, zone: str, at: datetime) -> bool:
        """Whether nobody in ``zone`` may be contacted at ``at`` (aware). In a zone that nobody knows, always."""
        found = known_zone(zone)
        return found is None or self._quiet(at.astimezone(found))

    def _quiet(self, local: datetime) -> bool:
        if WEEKDAYS[local.weekday()] in self.days:
            return True
        if not self.start:
            return False
        start, end, now = _minutes(self.start), _minutes(self.end), local.hour * 60 + local.minute
        return start <= now < end if start < end else now >= start or now < end

    def allowed_from(self, zones: Iterable[str], at: datetime) -> datetime | None:
        """The first instant from ``at`` (aware) on at which it is quiet in none of ``zones``, in UTC.

        None when there is none within ``LONGEST_WAIT``, and when there is no zone at all or one that nobody knows.
        """
        found = [known_zone(name) for name in sorted(set(zones))]
        places = [zone for zone in found if zone is not None]
        if not places or len(places) < len(found):
            return None
        at = at.astimezone(UTC)
        limit = at + LONGEST_WAIT
        while at <= limit:
            if (quiet := next((z for z in places if self._quiet(at.astimezone(z))), None)) is None:
                return at
            at = self._next(quiet, at)
        return None

    def _next(self, zone: ZoneInfo, at: datetime) -> datetime:
        """The next instant at which it may stop being quiet: a time of day of the rules, or a change of the clock."""
        local = at.astimezone(zone)
        second = timedelta(seconds=local.second, microseconds=local.microsecond)
        now = local.hour * 60 + local.minute
        times = {0, _minutes(self.end)} if self.end else {0}
        ahead = min((t - now - 1) % _DAY + 1 for t in times)
        then = at + timedelta(minutes=ahead) - second
        return _clock_change(zone, at, then) if then.astimezone(zone).utcoffset() != local.utcoffset() else then


def _clock_change(zone: ZoneInfo, at: datetime, then: datetime) -> datetime:
    """The first instant after ``at`` with another offset than at ``at``; ``then`` has another one."""
    before = at.astimezone(zone).utcoffset()
    while then - at > timedelta(seconds=1):
        middle = at + (then - at) / 2
        if middle.astimezone(zone).utcoffset() == before:
            at = middle
        else:
            then = middle
    # Clocks change on whole seconds; halving ends within one of them.
    return then.replace(microsecond=0)


@lru_cache(maxsize=1024)
def known_zone(name: str) -> ZoneInfo | None:
    """The zone with an IANA name, None for a name that is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:5])


class Crowd(Struct, frozen=True, kw_only=True):
    """People by the zones that they may be in, and how many there are of each sort. No zones: nothing is known."""

    sizes: dict[tuple[str, ...], int] = field(default_factory=dict)

    @property
    def people(self) -> int:
        return sum(self.sizes.values())

    def waiting(self, hours: QuietHours, at: datetime) -> dict[datetime | None, int]:
        """How many may not be contacted at ``at``, by when they may; None: not in sight."""
        found: dict[datetime | None, int] = {}
        for zones, size in self.sizes.items():
            until = hours.allowed_from(zones or hours.zones, at)
            if until != at:
                found[until] = found.get(until, 0) + size
        return found

    def allowed_from(self, hours: QuietHours, at: datetime) -> datetime | None:
        """When all of them may be contacted at once."""
        if any(not (zones or hours.zones) for zones in self.sizes):
            return None
        return hours.allowed_from({z for zones in self.sizes for z in zones or hours.zones}, at)
