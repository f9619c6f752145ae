"""A plan's digest and its document."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from reconciler.errors import StalePlan
from reconciler.model.addresses import Kind
from reconciler.plan.allows import Allow, Allows
from reconciler.plan.calls import ContactsCreated, Method
from reconciler.plan.changes import Plan
from reconciler.plan.codec import encode
from reconciler.plan.digest import _canonical, digest, fingerprint, matches
from reconciler.plan.saved import check_life, expiry, salt

from worlds import a_list, a_membership, live, live_list, number, owned, people, planned

NOW = datetime(2026, 11, 21, 20, 14, tzinfo=UTC)


def a_plan(*members: int, description: str = "x") -> Plan:
    return planned(
        a_list("join", fields={"description": description}), a_membership("m", "join", people(*members)), now=live()
    )


def print_of(made: Plan, *, tool: str = "1", allow: tuple[str, ...] = ()) -> bytes:
    return fingerprint(made, tool=tool, allows=Allows(tuple(map(Allow.parse, allow))))


def test_the_same_plan_has_the_same_fingerprint_and_any_difference_another() -> None:
    base = print_of(a_plan(1, 2))
    assert base == print_of(a_plan(2, 1))
    others = [
        print_of(a_plan(1, 3)),
        print_of(a_plan(1, 2, description="y")),
        print_of(a_plan(1, 2), tool="2"),
        print_of(a_plan(1, 2), allow=("deletes=3",)),
        print_of(replace(a_plan(1, 2), environment="prod")),
        print_of(replace(a_plan(1, 2), digest_inputs=("other",))),
    ]
    assert len({base, *others}) == 1 + len(others)


def test_what_was_merely_seen_does_not_matter() -> None:
    seen = replace(a_plan(1), unmanaged=(("main", "List", 7),), diagnostics=())
    assert print_of(seen) == print_of(a_plan(1))


def test_a_digest_compares_carries_its_end_and_cannot_be_prolonged() -> None:
    secret = print_of(a_plan(1))
    made = digest(secret, salt(NOW + timedelta(hours=1), b"12345678"))
    assert matches(secret, made)
    assert not matches(print_of(a_plan(2)), made)
    assert expiry(made) == NOW + timedelta(hours=1)
    check_life(made, NOW)
    with pytest.raises(StalePlan):
        check_life(made, NOW + timedelta(hours=2))
    parts = made.split("$")
    later = digest(secret, salt(NOW + timedelta(days=9), b"12345678")).split("$")
    assert not matches(secret, "$".join([*parts[:4], later[4], parts[5]]))


@pytest.mark.parametrize("text", ["", "nonsense", "scrypt$1$2$3$4$5", "scrypt$15$8$1$AAAA"])
def test_what_is_no_digest_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a plan digest"):
        matches(b"x", text)


@pytest.mark.parametrize("text", ["", "nonsense", "scrypt$15$8$1$AAAA", "scrypt$15$8$1$____________$x"])
def test_what_is_no_digest_has_no_end(text: str) -> None:
    with pytest.raises(StalePlan):
        expiry(text)


def test_the_document_is_masked_and_stable() -> None:
    made = a_plan(*range(200))
    document = encode(made, tool="t", calls=True)
    assert document == encode(a_plan(*reversed(range(200))), tool="t", calls=True)
    assert number(1)[1:] not in str(document)
    assert document["summary"]["membersAdd"] == 200
    assert document["summary"]["calls"] == sum(c["count"] for c in document["calls"]) == 4
    assert number(0) in str(encode(made, tool="t", calls=True, show_pii=True))


def test_calls_are_listed_as_they_run_and_counted_beyond_the_first() -> None:
    many = planned(a_list("join"), a_membership("m", "join", people(*range(5000))), now=live())
    listed = encode(many, tool="t", calls=True)["calls"]
    assert listed[0]["title"] == "create list"
    assert len(listed) < 60
    assert sum(c["count"] for c in listed) == many.call_count == 1 + 63


def test_an_empty_plan_has_every_count() -> None:
    made = planned(a_list("join"), now=live(live_list("1", "Join")), ours=(owned(Kind.LIST, "join", "1"),))
    summary = encode(made, tool="t")["summary"]
    assert set(summary) >= {"create", "update", "replace", "delete", "adopt", "forget", "membersAdd", "calls", "reach"}
    assert not any(summary.values())


def test_a_class_without_fields_is_told_from_others_by_its_name() -> None:
    assert _canonical(ContactsCreated()) == {"_": "ContactsCreated"}
    assert _canonical((Method.POST, frozenset({"b", "a"}))) == ["POST", ["a", "b"]]
