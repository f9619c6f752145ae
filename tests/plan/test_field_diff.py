"""Field diffs: which fields are told, and what counts as the same."""

import subprocess
import sys

import pytest
from deepdiff import DeepDiff
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.kinds import FieldRule, text
from reconciler.plan.fields import diff

TEXT = {"name": FieldRule(normalise=text)}
PLAIN = {"settings": FieldRule()}
MEMBERS = st.dictionaries(st.sampled_from("abc"), st.none() | st.text("xy", max_size=2) | st.tuples(st.integers(0, 1)))


def paths(live: dict, desired: dict, rules: dict | None = None) -> list[str]:
    return [d.path for d in diff(live, desired, rules or {})]


@pytest.mark.parametrize(
    ("live", "desired"), [(True, 1), (1, True), (1, 1.0), ((1, 2), (True, 2)), ({"a": 1}, {"a": True})]
)
def test_another_type_is_asked_for_its_spelling(live: object, desired: object) -> None:
    # As texts they differ, although Python calls them equal.
    assert paths({"name": live}, {"name": desired}, TEXT) == ["name"]


def test_spellings_of_one_value_do_not_differ() -> None:
    assert paths({"name": " Join "}, {"name": "Join"}, TEXT) == []
    assert paths({"name": 1}, {"name": "1"}, TEXT) == []


def test_what_is_not_declared_is_not_compared() -> None:
    assert paths({"name": "a", "other": 1}, {"name": "a"}) == []
    assert paths({"settings": {"a": 1, "b": 2}}, {"settings": {"a": 1}}, PLAIN) == []


def test_mappings_are_told_by_their_members_and_all_else_whole() -> None:
    live = {"b": 1, "a": "x", "settings": {"p": {"q": 1, "r": 2}, "s": (1, 2)}}
    desired = {"b": 2, "a": "y", "settings": {"p": {"q": 1, "r": 3}, "s": (1, 3)}}

    assert paths(live, desired, PLAIN) == ["a", "b", "settings.p.r", "settings.s"]


def test_a_member_that_is_null_is_not_one_that_is_missing() -> None:
    assert paths({"settings": {"a": 1}}, {"settings": {"a": 1, "b": None}}, PLAIN) == ["settings.b"]


@given(MEMBERS, MEMBERS)
def test_the_members_of_a_mapping_are_told_as_deepdiff_tells_them(live: dict, desired: dict) -> None:
    managed = {name: value for name, value in live.items() if name in desired}
    levels = (level for found in DeepDiff(managed, desired, view="tree").values() for level in found)
    told = {".".join(("settings", *level.path(output_format="list")[:1])) for level in levels}

    assert set(paths({"settings": live}, {"settings": desired})) == told


def test_deepdiff_is_for_mappings_of_mappings_that_differ_and_for_nothing_else() -> None:
    script = (
        "import sys; from reconciler.plan.fields import diff; "
        "assert diff({'a': 1, 's': {'b': {'c': 1}}}, {'a': 2, 's': {'b': {'c': 1}}}, {}); "
        "assert diff({'s': {'b': (1,)}}, {'s': {'b': (2,)}}, {}); assert 'deepdiff' not in sys.modules; "
        "assert diff({'s': {'b': {'c': 1}}}, {'s': {'b': {'c': 2}}}, {}); assert 'deepdiff' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
