"""Ids that were seen are those of a Python set, however they are kept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.providers.slicktext import seen as module
from reconciler.providers.slicktext.seen import Seen

IDS = st.integers(0, 200) | st.integers(4_090, 4_110) | st.integers(0, 1 << 40)


def positions_of_new(ids: list[int], before: set[int]) -> list[int]:
    return [at for at, found in enumerate(ids) if found not in before and found not in ids[:at]]


@settings(deadline=None)
@given(pages=st.lists(st.lists(IDS, max_size=60), max_size=20), packed_from=st.sampled_from([1, 20, 1_000]))
def test_each_page_is_told_what_is_new_in_it(pages: list[list[int]], packed_from: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_PACKED_FROM", packed_from)
        patched.setattr(module, "_DENSE", 3)
        known, seen = set[int](), Seen()
        for page in pages:
            assert list(seen.add_page(page)) == positions_of_new(page, known)
            known |= set(page)
            assert len(seen) == len(known)
            assert all(found in seen for found in page)
    assert set(seen) == known
    assert not {found for found in range(300) if found in seen} - known


def test_ids_that_follow_each_other_take_less_than_a_byte() -> None:
    seen = Seen()
    for start in range(0, 200_000, 100):
        seen.add_page(range(start, start + 100))
    assert len(seen) == 200_000
    kept = sum(bits.__sizeof__() for bits in seen._blocks.values())
    assert kept < 0.2 * 200_000
    assert len(seen._loose) < 70_000
