"""A plan's digest and its document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import get_args

import pytest
from msgspec import Struct
from msgspec.structs import replace

from reconciler.errors import StalePlan
from reconciler.model.addresses import Kind, RemoteId
from reconciler.plan.allows import Allow, Allows
from reconciler.plan.calls import (
    Call,
    Column,
    ContactsCreated,
    Created,
    Deleted,
    Each,
    EachPart,
    Effect,
    MembersAdded,
    MembersRemoved,
    Method,
    Phase,
    Ref,
    Step,
)
from reconciler.plan.changes import Plan
from reconciler.plan.codec import encode
from reconciler.plan.digest import digest, fingerprint, matches
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


def with_step(made: Plan, effect: Effect, *path: str | Ref | Column) -> Plan:
    step = Step(phase=Phase.LIST, title="x", call=Call(method=Method.POST, path=path), effect=effect)
    return replace(made, changes=(replace(made.changes[0], steps=(step,)), *made.changes[1:]))


def test_what_a_call_is_for_is_told_by_its_class_as_well() -> None:
    base, list_id = a_plan(1), RemoteId("7")
    effects = [
        ContactsCreated(),
        MembersAdded(of=list_id),
        MembersRemoved(of=list_id),
        Deleted(kind=Kind.LIST, target=list_id),
        Deleted(kind=Kind.LIST, target=Ref(base.changes[0].address)),
        Created(kind=Kind.LIST, name="", fields={"name": None}),
        Created(kind=Kind.LIST, name="", fields={"name": ""}),
        Created(kind=Kind.LIST, name="", fields={"name": "\ud83d"}),
    ]
    paths: list[tuple[str | Ref | Column, ...]] = [(), ("x",), (Column("x"),), (Column("x", as_int=True),), ("x", "x")]
    prints = {print_of(with_step(base, effect)) for effect in effects}
    prints |= {print_of(with_step(base, ContactsCreated(), *path)) for path in paths}
    assert len(prints) == len(effects) + len(paths) - 1


@pytest.mark.parametrize("record", [*get_args(Effect), Ref, Column, Each, EachPart])
def test_whatever_can_stand_in_place_of_another_has_its_class_beside_it(record: type[Struct]) -> None:
    assert record.__struct_config__.tag == record.__name__


@pytest.mark.parametrize("text", ["x", "\ud83d"])
def test_what_has_no_order_makes_no_difference(text: str) -> None:
    def one(ids: Iterable[str], fields: Mapping[str, str]) -> bytes:
        made = Created(kind=Kind.LIST, name=text, fields=fields, known_ids=frozenset(map(RemoteId, ids)))
        return print_of(with_step(a_plan(1), made))

    there, back = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
    ids = list(map(str, range(50)))
    assert one(ids, there) == one(reversed(ids), back) == one(ids, MappingProxyType(there))
    assert one(ids, there) != one(ids[1:], there)
