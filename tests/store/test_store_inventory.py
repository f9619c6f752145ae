"""What is owned comes back as it was put in, from both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.errors import StoreError
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.hashes import NO_MEMBERS, MemberHashes
from reconciler.model.inventory import LastRead, Owned
from reconciler.model.keys import member_hash
from reconciler.model.resources import FieldValue, OnRemove
from reconciler.store import Store, open_store
from reconciler.store.codec import dump_fields, load_fields, pack_hashes

Opener = Callable[..., Store]
Hashes = Callable[[int], MemberHashes]

LIST = Address("main", Kind.LIST, "join")
PEOPLE = Address("main", Kind.MEMBERSHIP, "join-members")


def owned(address: Address = LIST, **changes: Any) -> Owned:
    return replace(Owned(address=address, provider="slicktext", remote_id=RemoteId("2222")), **changes)


def test_what_was_owned_comes_back(open_: Opener, hashes: Hashes) -> None:
    mine = owned(
        PEOPLE,
        protect=True,
        on_remove=OnRemove.DELETE,
        fields={"name": "Join", "tags": frozenset({"a", "b"}), "days": (1, 2.5, None), "nested": {"yes": True}},
        parent=RemoteId("2222"),
        applied=hashes(5),
        added=hashes(2),
    )
    run = open_().begin_run("apply", tool_version="1.0")
    run.own(mine)
    run.identity("main", "slicktext:api.example.com:123")
    run.last_read("main", LastRead(objects={Kind.LIST: 3}, members={RemoteId("2222"): 4812}))

    inventory = open_(create=False).inventory()

    assert inventory.owned == {PEOPLE: mine}
    assert inventory.identities == {"main": "slicktext:api.example.com:123"}
    assert inventory.last_reads["main"] == LastRead(objects={Kind.LIST: 3}, members={RemoteId("2222"): 4812})
    assert inventory.exists


def test_owning_again_replaces_everything_but_the_members(open_: Opener, hashes: Hashes) -> None:
    store = open_()
    run = store.begin_run("apply", tool_version="1.0")
    people = hashes(3)
    run.own(owned(PEOPLE, protect=True, parent=RemoteId("1"), fields={"a": 1}, applied=people))
    run.own(owned(PEOPLE, remote_id=RemoteId("3"), fields={"b": 2}))
    assert store.inventory().owned[PEOPLE] == owned(PEOPLE, remote_id=RemoteId("3"), fields={"b": 2}, applied=people)


def test_members_are_replaced_one_set_at_a_time(open_: Opener, hashes: Hashes) -> None:
    store = open_()
    run = store.begin_run("apply", tool_version="1.0")
    first, second = hashes(10), hashes(4)
    run.own(owned(PEOPLE))
    run.members(PEOPLE, applied=first)
    run.members(PEOPLE, added=second)
    assert store.members_of(PEOPLE) == (first, second)
    run.members(PEOPLE, applied=NO_MEMBERS, added=None)
    assert store.members_of(PEOPLE) == (NO_MEMBERS, second)


def test_an_inventory_without_members_leaves_only_them_out(open_: Opener, hashes: Hashes) -> None:
    store = open_()
    run = store.begin_run("apply", tool_version="1.0")
    run.own(owned(PEOPLE, fields={"a": 1}, applied=hashes(3)))
    assert store.inventory(members=False).owned == {PEOPLE: owned(PEOPLE, fields={"a": 1})}


def test_equal_member_sets_are_kept_once_in_memory(open_: Opener, hashes: Hashes) -> None:
    store = open_()
    people = hashes(3)
    store.begin_run("apply", tool_version="1.0").own(owned(PEOPLE, applied=people, added=MemberHashes(people)))
    found = store.inventory().owned[PEOPLE]
    assert found.added is found.applied
    assert found.applied == people


def test_members_of_what_is_not_owned_are_refused(open_: Opener, hashes: Hashes) -> None:
    run = open_().begin_run("apply", tool_version="1.0")
    with pytest.raises(StoreError):
        run.members(PEOPLE, applied=hashes(1))


def test_letting_go_takes_the_member_hashes_along(open_: Opener, hashes: Hashes) -> None:
    store = open_()
    run = store.begin_run("apply", tool_version="1.0")
    run.own(owned(PEOPLE, applied=hashes(3)))
    run.disown(PEOPLE)
    run.disown(LIST)
    assert store.inventory().owned == {}
    run.own(owned(PEOPLE))
    assert store.members_of(PEOPLE) == (NO_MEMBERS, NO_MEMBERS)


def test_a_new_name_keeps_everything(open_: Opener, hashes: Hashes) -> None:
    store = open_()
    run = store.begin_run("apply", tool_version="1.0")
    before = owned(PEOPLE, protect=True, applied=hashes(3))
    run.own(before)
    after = Address("main", Kind.MEMBERSHIP, "vip-members")
    run.rename(PEOPLE, after)
    assert store.inventory().owned == {after: replace(before, address=after)}


@pytest.mark.parametrize("taken", [True, False])
def test_a_name_that_is_taken_or_not_ours_cannot_be_renamed(open_: Opener, taken: bool) -> None:
    store = open_()
    run = store.begin_run("apply", tool_version="1.0")
    run.own(owned(LIST))
    other = Address("main", Kind.LIST, "other")
    if taken:
        run.own(owned(other))
    with pytest.raises(StoreError):
        run.rename(LIST if taken else other, other if taken else LIST)
    assert LIST in store.inventory().owned


def test_projects_and_environments_do_not_see_each_other(open_: Opener) -> None:
    prod, test = open_(namespace="acme/prod"), open_(namespace="acme/test")
    run = prod.begin_run("apply", tool_version="1.0", request_id="r1")
    run.own(owned())
    run.identity("main", "a")
    run.use_plan("digest")
    assert test.inventory().owned == {}
    assert test.inventory().identities == {}
    assert not test.inventory().exists
    assert test.runs() == ()
    assert test.run_of_request("r1") is None
    assert not test.plan_used("digest")
    test.begin_run("apply", tool_version="1.0").disown(LIST)
    assert LIST in prod.inventory().owned


def test_a_store_that_knows_nothing_reads_like_none(open_: Opener) -> None:
    none = open_(create=False)
    assert not none.exists
    assert none.inventory().owned == {}
    assert not none.inventory().exists
    store = open_()
    run = store.begin_run("apply", tool_version="1.0")
    assert store.exists
    assert not store.inventory().exists, "a plan must come out the same before and after the store is made"
    run.own(owned())
    assert store.inventory().exists


def test_the_member_key_is_random_and_stays(open_: Opener, tmp_path: object) -> None:
    key = open_().inventory().key
    assert len(key) == 32
    assert open_(create=False).inventory().key == key
    with open_store(f"sqlite:///{tmp_path}/other.db", namespace="", create=True) as other:
        assert other.inventory().key != key


def test_a_row_that_cannot_be_read_is_damage_not_a_gap(open_: Opener, hashes: Hashes) -> None:
    store = open_()
    store.begin_run("apply", tool_version="1.0").own(owned(PEOPLE, applied=hashes(2)))
    for table, change in (("members", "applied = substr(applied, 2)"), ("inventory", "on_remove = 'perhaps'")):
        with store._existing().write() as connection:
            connection.exec_driver_sql(f"UPDATE reconciler_{table} SET {change}")
        with pytest.raises(StoreError, match="cannot be read") as raised:
            store.inventory(members=table == "members")
        assert "backup" in raised.value.hint


def test_a_text_no_database_can_hold_is_a_store_error(open_: Opener) -> None:
    run = open_().begin_run("apply", tool_version="1.0")
    with pytest.raises(StoreError):
        run.own(owned(remote_id=RemoteId("\ud800")))


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values: st.SearchStrategy[FieldValue] = st.recursive(
    leaves | st.frozensets(st.text()),
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple) | st.dictionaries(st.text() | st.sampled_from(["$set", "$map"]), inner)
    ),
    max_leaves=8,
)


def typed(value: object) -> object:
    """``value`` with its types: ``1``, ``1.0`` and ``True`` are equal in Python and not the same field."""
    match value:
        case tuple():
            return tuple(typed(item) for item in value)
        case dict():
            return {name: typed(item) for name, item in value.items()}
        case _:
            return type(value), value


@given(st.dictionaries(st.text() | st.sampled_from(["$set", "$map"]), values))
def test_fields_keep_their_values_and_types(fields: dict[str, FieldValue]) -> None:
    text = dump_fields(fields)
    assert typed(load_fields(text)) == typed(fields)
    assert text == dump_fields(dict(reversed(fields.items()))), "the same fields are the same text"
    assert text.isascii()


@given(st.frozensets(st.binary(min_size=12, max_size=12)))
def test_member_hashes_keep_their_values(people: frozenset[bytes]) -> None:
    packed = pack_hashes(MemberHashes(people))
    assert packed == b"".join(sorted(people)), "as every version has written it"
    assert MemberHashes.unpacked(packed) == people


def test_a_million_members_round_trip() -> None:
    people = frozenset(member_hash(f"+1202555{number:07}", b"k") for number in range(1_000_000))
    assert MemberHashes.unpacked(pack_hashes(MemberHashes(people))) == people
