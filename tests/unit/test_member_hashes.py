"""Sets of member hashes agree with Python's own sets, however the two lie to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from operator import and_, lt, or_, sub, xor
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model import hashes as module
from reconciler.model.contacts import ContactSet
from reconciler.model.hashes import NO_MEMBERS, MemberHashes
from reconciler.model.keys import MEMBER_HASH_SIZE, member_hash

# Few different bytes: then hashes share beginnings, and one can be found across two others.
SETS = st.frozensets(st.lists(st.sampled_from([0, 1, 255]), min_size=12, max_size=12).map(bytes), max_size=400)
KEY = b"a key"


def many(indexes: Iterable[int]) -> frozenset[bytes]:
    return frozenset(blake2b(i.to_bytes(4), digest_size=MEMBER_HASH_SIZE).digest() for i in indexes)


@pytest.fixture(autouse=True)
def little_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a few hundred hashes were many."""
    monkeypatch.setattr(module, "_AT_ONCE", 50)
    monkeypatch.setattr(module, "_WINDOW", 4)


@given(SETS)
def test_it_is_the_set_in_order(wanted: frozenset[bytes]) -> None:
    made = MemberHashes(wanted)
    assert (len(made), bool(made), list(made)) == (len(wanted), bool(wanted), sorted(wanted))
    assert made == wanted
    assert wanted == made
    assert hash(made) == hash(wanted)
    assert made == MemberHashes([*sorted(wanted, reverse=True), *wanted]) == MemberHashes.unpacked(made.packed)
    assert len(made.packed) == MEMBER_HASH_SIZE * len(wanted)


@pytest.mark.parametrize("work", [or_, and_, sub, xor, lt])
@given(one=SETS, other=SETS, shared=SETS)
def test_two_sets_are_combined_as_sets_are(
    work: Callable[[Any, Any], Any], one: frozenset[bytes], other: frozenset[bytes], shared: frozenset[bytes]
) -> None:
    a, b = one | shared, other | shared
    expected = work(a, b)
    assert work(MemberHashes(a), MemberHashes(b)) == expected
    assert work(MemberHashes(a), b) == work(a, MemberHashes(b)) == expected


@pytest.mark.parametrize("kept", [0, 1, 7, 5_000, 9_990, 10_000])
@pytest.mark.parametrize("strangers", [0, 1, 10_000])
def test_large_sets_are_combined_as_sets_are(kept: int, strangers: int) -> None:
    one = many(range(10_000))
    other = frozenset(Random(1).sample(sorted(one), kept)) | many(range(20_000, 20_000 + strangers))
    for a, b in ((one, other), (other, one)):
        mine, theirs = MemberHashes(a), MemberHashes(b)
        found = [work(mine, theirs) for work in (or_, and_, sub)]
        assert found == [a | b, a & b, a - b]
        assert all(MemberHashes.unpacked(each.packed) == each for each in found), "in order, each once"


@given(SETS, SETS)
def test_who_is_in_it_is_found_and_nobody_else(inside: frozenset[bytes], asked: frozenset[bytes]) -> None:
    made = MemberHashes(inside)
    assert {each for each in inside | asked if each in made} == inside


def test_what_lies_across_two_hashes_is_not_in_it() -> None:
    made = MemberHashes([bytes([1] * 12), bytes([2] * 12)])
    assert bytes([1] * 6 + [2] * 6) not in made
    assert [each in made for each in (b"", bytes([1]), bytes([1] * 13))] == [False] * 3
    assert "1" * 12 not in made


def test_a_union_of_any_number_of_sets() -> None:
    parts = [MemberHashes(many(range(at, at + 20))) for at in range(0, 100, 10)]
    assert MemberHashes.union_of(parts) == many(range(110))
    assert MemberHashes.union_of([]) == NO_MEMBERS


@pytest.mark.parametrize("count", [1, 300])
def test_only_member_hashes_are_taken(count: int) -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        MemberHashes([*many(range(count - 1)), b"short"])


def test_what_is_cut_short_or_out_of_order_is_refused() -> None:
    first, second, third = sorted(many(range(3)))
    for damaged in (first + second[:-1], first + third + second, first + first):
        with pytest.raises(ValueError, match="member hashes"):
            MemberHashes.unpacked(damaged)


def test_order_is_looked_at_from_run_to_run() -> None:
    ordered = sorted(many(range(3 * 4_096)))
    ordered[4_095], ordered[4_096] = ordered[4_096], ordered[4_095]
    with pytest.raises(ValueError, match="out of order"):
        MemberHashes.unpacked(b"".join(ordered))


def test_nobody_can_read_it_from_what_is_shown() -> None:
    made = MemberHashes([member_hash("+16155550123", KEY)])
    assert repr(made) == "MemberHashes(1)"


@pytest.mark.parametrize("keep", [True, False])
def test_people_are_found_by_their_hashes(keep: bool) -> None:
    numbers = [f"+1615555{i:04}" for i in range(100, 200)]
    everybody = ContactSet.from_columns({"number": numbers})
    known = ContactSet.from_columns({"number": numbers[::3]}).hashes(KEY)
    found = everybody.where_hashed(KEY, known, keep=keep)
    assert [*found.numbers()] == [n for n in numbers if (n in numbers[::3]) is keep]
