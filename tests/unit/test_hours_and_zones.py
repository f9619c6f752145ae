"""Quiet hours against a brute-force oracle: every zone, every change of the clock, every quarter of an hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from reconciler.model.contacts import ContactSet
from reconciler.model.quiet import LONGEST_WAIT, Crowd, QuietHours
from reconciler.model.zones import crowd, zones_of

QUARTER = timedelta(minutes=15)
FROM, TO = datetime(2025, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)

NIGHT = QuietHours(start="20:00", end="09:00", days=frozenset({"sat", "sun"}))
RULES = {
    "night and weekend": NIGHT,
    "from inside a gap": QuietHours(start="01:30", end="02:30"),
    "over a fold": QuietHours(start="22:15", end="01:45"),
    "noon": QuietHours(start="12:00", end="13:00", days=frozenset({"wed"})),
    "days only": QuietHours(days=frozenset({"sun"})),
    "to midnight": QuietHours(start="18:00", end="00:00"),
    "all day long": QuietHours(start="08:00", end="08:00"),
    "nothing": QuietHours(),
}
FEW = (
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",  # its clock changes by half an hour
    "Asia/Kathmandu",
    "Africa/Casablanca",  # changes around Ramadan
    "America/Santiago",  # at midnight: the day begins at one
    "Asia/Beirut",
    "Pacific/Apia",
    "Europe/Dublin",
    "UTC",
)


def oracle(rules: QuietHours, zone: str, at: datetime) -> bool:
    """Told from the text that a clock on the wall there shows."""
    shown = datetime.fromtimestamp(at.timestamp(), ZoneInfo(zone)).strftime("%a %H:%M").lower()
    day, time = shown.split()
    if day in rules.days:
        return True
    if not rules.start:
        return False
    if rules.start < rules.end:
        return rules.start <= time < rules.end
    return not rules.end <= time < rules.start


def quarters(since: datetime, until: datetime) -> Iterator[datetime]:
    at = since
    while at < until:
        yield at
        at += QUARTER


def clock_changes(zone: str, since: datetime, until: datetime) -> Iterator[datetime]:
    """The quarters of an hour at which the offset is another one than a quarter before."""
    place, day = ZoneInfo(zone), timedelta(days=1)
    at = since
    while at < until:
        if at.astimezone(place).utcoffset() != (at + day).astimezone(place).utcoffset():
            before = at.astimezone(place).utcoffset()
            yield next(q for q in quarters(at, at + day + QUARTER) if q.astimezone(place).utcoffset() != before)
        at += day


def agrees(rules: QuietHours, zone: str, since: datetime, until: datetime) -> int:
    """Every quarter of an hour is judged as the oracle judges it, and what is quiet ends when the oracle says so."""
    samples = list(quarters(since, until + LONGEST_WAIT))
    verdicts = [oracle(rules, zone, at) for at in samples]
    following: datetime | None = None
    checked = 0
    for at, quiet in zip(reversed(samples), reversed(verdicts), strict=True):
        following = following if quiet else at
        if at >= until:
            continue
        checked += 1
        assert rules.quiet(zone, at) is quiet, (zone, at)
        expected = following if following is not None and following <= at + LONGEST_WAIT else None
        assert rules.allowed_from([zone], at) == expected, (zone, at)
    return checked


@pytest.mark.parametrize("name", RULES)
def test_a_few_zones_agree_with_the_oracle_at_every_change_of_the_clock(name: str) -> None:
    rules, around = RULES[name], timedelta(hours=30)
    for zone in FEW if name in ("night and weekend", "from inside a gap", "over a fold") else FEW[:3]:
        changes = list(clock_changes(zone, FROM, TO)) or [FROM + timedelta(days=58)]
        for change in changes[:4]:
            assert agrees(rules, zone, change - around, change + around) > 200


@pytest.mark.long
@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["night and weekend", "from inside a gap", "over a fold"])
def test_every_zone_agrees_with_the_oracle_at_every_change_of_three_years(name: str) -> None:
    changes = 0
    for zone in sorted(available_timezones() - {"localtime", "Factory"}):
        for change in clock_changes(zone, FROM, TO):
            changes += 1
            agrees(RULES[name], zone, change - timedelta(hours=26), change + timedelta(hours=26))
    assert changes > 1000


def test_several_zones_are_allowed_only_where_all_are() -> None:
    rules = QuietHours(start="20:00", end="09:00")
    zones = ["America/New_York", "America/Los_Angeles", "Pacific/Honolulu"]
    for at in quarters(datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)):
        until = rules.allowed_from(zones, at)
        assert until is not None
        scan = next(q for q in quarters(at, at + timedelta(days=3)) if not any(oracle(rules, z, q) for z in zones))
        assert until == scan


def test_seconds_count_to_the_boundary_and_not_beyond() -> None:
    last = datetime(2026, 11, 24, 0, 59, 59, 999_999, tzinfo=UTC)  # one microsecond before 20:00 in New York
    assert NIGHT.allowed_from(["America/New_York"], last) == last
    first = last + timedelta(microseconds=1)
    assert NIGHT.quiet("America/New_York", first)
    assert NIGHT.allowed_from(["America/New_York"], first) == datetime(2026, 11, 24, 14, tzinfo=UTC)


def test_a_time_that_the_clock_skips_ends_when_the_clock_goes_on() -> None:
    # In New York there is no 02:30 on 8 March 2026: the clock goes from 01:59 to 03:00, at 07:00 in UTC.
    rules = QuietHours(start="01:30", end="02:30")
    assert rules.allowed_from(["America/New_York"], datetime(2026, 3, 8, 6, 45, tzinfo=UTC)) == datetime(
        2026, 3, 8, 7, tzinfo=UTC
    )


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    rules = QuietHours(start="01:00", end="02:00")
    quiet = [
        q
        for q in quarters(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
        if rules.quiet("America/New_York", q)
    ]
    assert len(quiet) == 8


@pytest.mark.parametrize("zones", [[], ["Mars/Olympus"], ["UTC", "Mars/Olympus"], ["../etc/passwd"]])
def test_nobody_is_contacted_where_the_zone_is_not_known(zones: list[str]) -> None:
    assert NIGHT.allowed_from(zones, datetime(2026, 11, 23, 12, tzinfo=UTC)) is None


def test_a_leap_day_and_a_year_that_ends() -> None:
    rules = QuietHours(start="22:00", end="06:00")
    assert rules.allowed_from(["UTC"], datetime(2028, 2, 28, 23, tzinfo=UTC)) == datetime(2028, 2, 29, 6, tzinfo=UTC)
    assert rules.allowed_from(["UTC"], datetime(2026, 12, 31, 23, tzinfo=UTC)) == datetime(2027, 1, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+12025550123", ("America/New_York",)),
        ("+16155550123", ("America/Chicago",)),
        ("+18085550123", ("Pacific/Honolulu",)),
        ("+80012345678", ()),
    ],
)
def test_a_number_tells_its_zones(number: str, zones: tuple[str, ...]) -> None:
    assert zones_of(number) == zones


def test_a_number_used_all_over_a_country_has_all_its_zones() -> None:
    assert {"America/New_York", "Pacific/Honolulu"} <= set(zones_of("+18005550123"))
    # These begin like a place in Sydney and in Moscow.
    assert {"Australia/Perth", "Australia/Sydney"} <= set(zones_of("+61412345678"))
    assert {"Europe/Moscow", "Asia/Kamchatka"} <= set(zones_of("+79123456789"))
    assert zones_of("+61255501234") == ("Australia/Sydney",)


def test_somebodys_own_zone_wins_when_it_is_one() -> None:
    assert zones_of("+12025550123", "America/Los_Angeles") == ("America/Los_Angeles",)
    assert zones_of("+12025550123", "Pacific Time") == ("America/New_York",)


def test_a_crowd_is_counted_on_columns_as_one_by_one() -> None:
    beginnings = ["1202", "1605", "1615", "1701", "1808", "1800", "61412", "7701", "7777", "91981", "441624", "800"]
    numbers = [f"+{b}{i:0{11 - len(b)}d}" for b in beginnings for i in (0, 5550123 % 10 ** (11 - len(b)), 55, 338)]
    own = ["America/Denver" if i % 7 == 0 else None for i in range(len(numbers))]
    people = ContactSet.from_columns({"number": numbers, "timezone": own})
    singly: dict[tuple[str, ...], int] = {(): 2}
    for row in people.rows():
        zones = zones_of(str(row["number"]), row["timezone"])
        singly[zones] = singly.get(zones, 0) + 1
    assert crowd(people, 2) == Crowd(sizes=singly)


def test_large_sets_are_counted_like_small_ones() -> None:
    numbers = [f"+1{area}555{i:04d}" for area in (202, 605, 615, 808, 907) for i in range(10_000)]
    large = crowd(ContactSet.from_columns({"number": [*numbers, *(f"+9198{i:08d}" for i in range(60_000))]}))
    small = crowd(ContactSet.from_columns({"number": numbers}))
    assert large.people == 110_000
    assert large.sizes == {**small.sizes, ("Asia/Calcutta",): 60_000}


def test_who_waits_is_told_by_time() -> None:
    people = ContactSet.from_columns({"number": ["+12025550100", "+12025550101", "+18085550100"]})
    at = datetime(2026, 11, 24, 2, tzinfo=UTC)  # Monday, 21:00 in Washington, 16:00 on Hawaii
    morning = datetime(2026, 11, 24, 14, tzinfo=UTC)
    there = crowd(people, 1)
    assert there.waiting(NIGHT, at) == {morning: 2, None: 1}
    assert there.allowed_from(NIGHT, at) is None
    assert crowd(people).allowed_from(NIGHT, at) == datetime(2026, 11, 24, 19, tzinfo=UTC)
