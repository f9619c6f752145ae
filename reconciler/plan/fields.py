"""Field diffs: what differs between a live object and its manifest, in the fields that the manifest manages.

Equality comes first, of the whole object, then of each field and of the members of a mapping; deepdiff, which costs
some hundred times as much, sees only mappings of mappings that are unequal. This is the one module that knows it.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.kinds import FieldRule
from reconciler.model.resources import Fields, FieldValue
from reconciler.plan.changes import Delta

_PLAIN = FieldRule()


def normalised(fields: Fields, rules: Mapping[str, FieldRule]) -> dict[str, FieldValue]:
    """``fields`` in the one spelling that comparisons use."""
    return {name: rules.get(name, _PLAIN).normalise(value) for name, value in fields.items()}


def comparable(
    live: Fields, desired: Fields, rules: Mapping[str, FieldRule], ignore: frozenset[str]
) -> tuple[dict[str, FieldValue], dict[str, FieldValue]]:
    """Both sides, cut to the fields that are managed, readable and not ignored. A field left out is hands off."""
    names = [name for name in desired if name not in ignore and (rules.get(name, _PLAIN).readable or name in live)]
    left = {name: live.get(name, rules.get(name, _PLAIN).absent) for name in names}
    right = normalised({name: desired[name] for name in names}, rules)
    return {n: _managed(v, right[n]) for n, v in normalised(left, rules).items()}, right


def _managed(live: FieldValue, desired: FieldValue) -> FieldValue:
    """What the manifest manages of a value: of a mapping, the members that it declares."""
    if isinstance(live, Mapping) and isinstance(desired, Mapping):
        return {name: _managed(value, desired[name]) for name, value in live.items() if name in desired}
    return live


def diff(
    live: Fields,
    desired: Fields,
    rules: Mapping[str, FieldRule],
    ignore: frozenset[str] = frozenset(),
) -> tuple[Delta, ...]:
    """The deltas, sorted by path; empty when nothing that is managed differs."""
    for name, value in desired.items():
        found = live.get(name)
        if found != value or (found.__class__ is not str and name in rules and not _exactly(found, value)):
            return _deltas(live, desired, rules, ignore)
    # Everything declared is live to the letter: true of nearly all objects, and so it is in every spelling.
    return ()


def _exactly(live: FieldValue, desired: FieldValue) -> bool:
    """Of equal values, whether their types are the same all the way down: what is true in one spelling may be a 1 in
    another. Texts need no look: nothing else equals one."""
    if live.__class__ is not desired.__class__:
        return False
    if isinstance(live, dict) and isinstance(desired, dict):
        return all(value.__class__ is str or _exactly(live[name], value) for name, value in desired.items())
    if isinstance(live, tuple) and isinstance(desired, tuple):
        return all(map(_exactly, live, desired))
    return not isinstance(desired, Mapping)


def _deltas(live: Fields, desired: Fields, rules: Mapping[str, FieldRule], ignore: frozenset[str]) -> tuple[Delta, ...]:
    left, right = comparable(live, desired, rules, ignore)
    paths = sorted(path for name in right if left[name] != right[name] for path in _paths(name, left, right))
    return tuple(Delta(path=".".join(p), live=_at(left, p), desired=_at(right, p)) for p in paths)


def as_new(desired: Fields) -> tuple[Delta, ...]:
    """The deltas of something that does not exist yet: every field, from nothing."""
    return tuple(Delta(path=name, live=None, desired=desired[name]) for name in sorted(desired))


def _paths(name: str, left: Fields, right: Fields) -> set[tuple[str, ...]]:
    """Where one field differs: in which members, if both sides are mappings."""
    live, desired = left[name], right[name]
    if not (isinstance(live, Mapping) and isinstance(desired, Mapping)):
        return {(name,)}
    if not any(isinstance(value, Mapping) for side in (live, desired) for value in side.values()):
        return {(name, *member) for member in _members(live, desired)}
    from deepdiff import DeepDiff  # a quarter of a second to import where there are numpy and Polars

    levels = (level for found in DeepDiff(live, desired, view="tree").values() for level in found)
    return {(name, *_whole_path(level.path(output_format="list"), live, desired)) for level in levels}


def _members(live: Fields, desired: Fields) -> set[tuple[str, ...]]:
    """Which members of two mappings differ. What has hardly a name in common is told whole, as deepdiff would."""
    common, every = live.keys() & desired.keys(), live.keys() | desired.keys()
    if len(every) > 1 and len(common) < len(every) / 3:
        return {()}
    return {(key,) for key in every if key not in common or live[key] != desired[key]}


def _whole_path(keys: list[object], left: FieldValue, right: FieldValue) -> tuple[str, ...]:
    """Down through mappings only: a list or a set that differs is told whole, as a person would."""
    path: list[str] = []
    for key in keys:
        if not (isinstance(left, Mapping) and isinstance(right, Mapping)):
            break
        path.append(str(key))
        left, right = left.get(str(key)), right.get(str(key))
    return tuple(path)


def _at(fields: Fields, path: tuple[str, ...]) -> FieldValue:
    value: FieldValue = fields
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
