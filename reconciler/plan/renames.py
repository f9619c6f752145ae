"""Renames that nobody declared: an object of ours leaves, and one like it is made in the same plan.

A list that is made anew has nobody on it and feeds no campaign, so that its people are added, and perhaps greeted, once
more. A manifest tells a rename with ``lifecycle.renamedFrom``; this tells the person who forgot it. What is wrong on
ordinary days is soon not read any more, so the likeness must say something: all that is declared but the name is the
same, no third object is like these two, and either there is free text among it or the names are the same but for words
or a letter. What is numbered or dated (``march-leads``, ``april-leads``) comes and goes by design.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import NamedTuple, TypeAlias

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.model.addresses import Kind
from reconciler.model.kinds import KindRules
from reconciler.model.live import Observed
from reconciler.model.resources import Fields, FieldValue, Resource
from reconciler.plan.binding import OBJECTS
from reconciler.plan.changes import Change, Create, Delete, Forget
from reconciler.plan.fields import comparable
from reconciler.plan.objects import renaming
from reconciler.plan.rules import World

_TELLING = 12
"""Characters of a text of several words that two things hardly share by chance; addresses and ids they often share."""
_DATED = re.compile(
    r"\d+|\b([a-z]|jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sep(t(ember)?)?|oct(ober)?"
    r"|nov(ember)?|dec(ember)?|(mon|tues|wednes|thurs|fri|satur|sun)day|spring|summer|autumn|fall|winter)\b",
)

_Likeness: TypeAlias = tuple[tuple[str, str], ...]


class _Left(NamedTuple):
    """A live object that this plan lets go of."""

    change: Delete | Forget
    live: Observed


def suggested_renames(changes: Iterable[Change], world: World, kinds: Mapping[Kind, KindRules]) -> Iterator[Diagnostic]:
    """A note for each list and campaign of the account that is to be created and is most likely one that leaves."""
    changes = tuple(changes)
    for kind in OBJECTS:
        created = [c.desired for c in changes if isinstance(c, Create) and c.address.kind is kind and c.desired]
        left = [
            _Left(c, c.live)
            for c in changes
            if isinstance(c, Delete | Forget) and c.address.kind is kind and c.live is not None
        ]
        if created and left:
            yield from _among(created, left, world, kinds[kind])


def _among(created: list[Resource], left: list[_Left], world: World, rules: KindRules) -> Iterator[Diagnostic]:
    if rules.read_only or rules.fixed(["name"]) is not None:
        return
    leaving = {one.live.remote_id: one for one in left}
    live: dict[frozenset[str], dict[_Likeness, list[Observed]]] = {}
    made = [(resource, _likeness(resource.fields, resource.fields, rules)) for resource in created]
    asked = Counter(likeness for _, likeness in made)
    for resource, likeness in made:
        shape = _shape(resource.fields)
        if shape not in live:
            live[shape] = _by_likeness(world, resource, rules)
        like = live[shape].get(likeness, [])
        if len(like) == 1 and asked[likeness] == 1:
            one = leaving.get(like[0].remote_id)
            if one is not None and _one_thing(resource, one):
                yield _suggestion(resource, one)


def _shape(fields: Fields) -> frozenset[str]:
    """What is managed, down into mappings: those that manage the same are compared in the same way."""
    inner = {f"{name}.{part}" for name, value in fields.items() if isinstance(value, Mapping) for part in value}
    return frozenset({*fields, *inner})


def _by_likeness(world: World, resource: Resource, rules: KindRules) -> dict[_Likeness, list[Observed]]:
    """The live objects of its kind, by what it declares."""
    found: dict[_Likeness, list[Observed]] = {}
    for (kind, _), live in world.live.objects.items():
        if kind is resource.address.kind:
            found.setdefault(_likeness(live.fields, resource.fields, rules), []).append(live)
    return found


def _likeness(fields: Fields, managed: Fields, rules: KindRules) -> _Likeness:
    """Everything managed but the name, in one spelling; as text, so that it can be looked up."""
    left, _ = comparable(fields, managed, rules.fields, frozenset({"name"}))
    return tuple((name, repr(_ordered(left[name]))) for name in sorted(left))


def _ordered(value: FieldValue) -> object:
    match value:
        case Mapping():
            return sorted((name, _ordered(one)) for name, one in value.items())
        case frozenset():
            return sorted(value)
        case _:
            return value


def _one_thing(resource: Resource, left: _Left) -> bool:
    if resource.lifecycle.renamed_from:
        return False
    old, new = left.live.name, str(resource.fields.get("name", ""))
    ours, theirs = left.change.address.name, resource.address.name
    if _series(old, new) or _series(ours, theirs):
        return False
    telling = any(_telling(value) for name, value in resource.fields.items() if name != "name")
    return telling or _alike(old, new) or _alike(ours, theirs)


def _series(one: str, other: str) -> bool:
    """Whether two names are the same but for numbers, dates and single letters."""
    ours, theirs = " ".join(_words(one)), " ".join(_words(other))
    return ours != theirs and _DATED.sub("#", ours) == _DATED.sub("#", theirs)


def _alike(one: str, other: str) -> bool:
    """Whether a name has the words of the other one and perhaps more, or one letter is added, left out or another."""
    ours, theirs = _words(one), _words(other)
    if set(ours) <= set(theirs) or set(theirs) <= set(ours):
        return bool(ours and theirs)
    short, long = sorted((" ".join(ours), " ".join(theirs)), key=len)
    head = _shared(short, long)
    return len(long) - head - _shared(short[head:][::-1], long[head:][::-1]) <= 1


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.lower())


def _telling(value: FieldValue) -> bool:
    if not isinstance(value, str) or len(value) < _TELLING:
        return False
    return sum(1 for word in value.split() if re.search(r"[^\W\d_]{2}", word)) > 1


def _suggestion(resource: Resource, left: _Left) -> Diagnostic:
    kind, old = resource.address.kind.lower(), left.change.address
    does = "deletes" if isinstance(left.change, Delete) else "lets go of"
    like = ", ".join(sorted(name for name in resource.fields if name != "name"))
    same = f"has the same {like}" if like else "has nearly the same name"
    return Diagnostic(
        code="perhaps-renamed",
        severity=Severity.NOTE,
        message=f"a {kind} is made anew while {old}, which {same}, is one that this plan {does}",
        hint=f"if it is the same {kind} under another name, add {renaming(resource, old)}",
        address=str(resource.address),
        source=resource.source,
    )
