"""The plain engine behind ``ContactSet``: Python lists, for sets small enough that importing Polars would cost more."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import compress, repeat
from operator import ne, not_
from typing import ClassVar, Protocol, Self, TypeAlias, cast

NUMBER = "number"

Column: TypeAlias = list[str | None]
_Held: TypeAlias = tuple[list[str], dict[str, Column]]
"""Numbers, and the columns beside them."""


class Engine(Protocol):
    """What every engine does; the methods mean what their namesakes in ``ContactSet`` say.

    Rows are unique by number, and in order wherever order can be seen; ``unordered`` gives the numbers as they lie. An
    argument of type ``Self`` is always of the same engine: ``ContactSet`` sees to that. ``names`` are the columns
    beside ``number``, sorted. Engines of a greater ``rank`` are for larger sets. ``having`` finds a few among many, and
    is quick when it is asked again and again.
    """

    rank: ClassVar[int]

    @property
    def names(self) -> tuple[str, ...]: ...
    def __len__(self) -> int: ...
    def numbers(self) -> Iterator[str]: ...
    def unordered(self) -> Iterator[str]: ...
    def column(self, name: str) -> Sequence[str | None]: ...
    def plain(self) -> Rows: ...
    def in_memory(self) -> Engine: ...
    def get(self, number: str) -> Mapping[str, str | None] | None: ...
    def equals(self, other: Self) -> bool: ...
    def slice(self, start: int, stop: int) -> Engine: ...
    def select(self, names: Collection[str]) -> Self: ...
    def masked(self, mask: Sequence[bool]) -> Engine: ...
    def keeping(self, decide: Callable[[str], bool]) -> Self: ...
    def grouped(self, length: int, name: str) -> Mapping[tuple[str, str | None], int]: ...
    def beginning(self, length: int, beginnings: frozenset[str]) -> Self: ...
    def matching(self, pattern: str, keep: bool) -> Self: ...
    def having(self, numbers: Sequence[str]) -> Rows: ...
    def without(self, other: Self) -> Self: ...
    def within(self, other: Self) -> Self: ...
    def where(self, name: str, values: Collection[str | None], keep: bool) -> Self: ...
    def joined(self, other: Self, names: Collection[str]) -> Self: ...
    def filled(self, name: str, values: Mapping[str, str]) -> Self: ...
    def with_column(self, name: str, value: str | None) -> Self: ...
    def changed(self, other: Self, names: Collection[str]) -> Self: ...
    def compared(self, other: Self, names: Collection[str]) -> tuple[Self, Self, Self]: ...
    def united(self, others: Sequence[Self]) -> Self: ...
    def encoded(self, name: str) -> Iterator[bytes]: ...


class Rows:
    """Columns as lists of one length, ``numbers`` without repeats; put in order when somebody first looks at it.

    Most sets are only ever compared: sorting them took a third of the time that a thousand small lists take.
    """

    __slots__ = ("_held", "_in_order", "_places")
    rank: ClassVar[int] = 0

    def __init__(self, numbers: list[str], columns: dict[str, Column], *, in_order: bool = True) -> None:
        """``columns`` are those beside ``number``, by sorted name."""
        self._held: _Held = (numbers, columns)
        self._in_order = in_order
        self._places: tuple[_Held, dict[str, int]] | None = None

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[str | None]]) -> Rows:
        """Copied and collapsed; the first row of a number wins and rows without a number are left out."""
        numbers = columns[NUMBER]
        names = sorted([name for name in columns if name != NUMBER])
        places = set(numbers)
        if len(places) == len(numbers) and None not in places:
            return cls(cast("list[str]", list(numbers)), {n: list(columns[n]) for n in names}, in_order=False)
        # Backwards, so that the first of several is written last.
        first = dict(zip(reversed(numbers), range(len(numbers) - 1, -1, -1), strict=True))
        first.pop(None, None)
        kept = cast("dict[str, int]", first)
        return cls(list(kept), {n: [columns[n][i] for i in kept.values()] for n in names}, in_order=False)

    def _ordered(self) -> _Held:
        if not self._in_order:
            numbers, _ = self._held
            # In one assignment: a thread that reads meanwhile has all columns in the one order or in the other.
            self._held = _at(self._held, sorted(range(len(numbers)), key=numbers.__getitem__))
            self._in_order = True
        return self._held

    @property
    def keys(self) -> list[str]:
        """The numbers in order."""
        return self._ordered()[0]

    @property
    def values(self) -> dict[str, Column]:
        """The other columns in the same order."""
        return self._ordered()[1]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._held[1])

    def __len__(self) -> int:
        return len(self._held[0])

    def numbers(self) -> Iterator[str]:
        return iter(self.keys)

    def unordered(self) -> Iterator[str]:
        return iter(self._held[0])

    def column(self, name: str) -> Sequence[str | None]:
        held = self._ordered()
        return list(held[0]) if name == NUMBER else list(_column(held, name))

    def plain(self) -> Rows:
        return self

    def in_memory(self) -> Rows:
        return self

    def mappings(self, start: int, stop: int) -> Iterator[Mapping[str, str | None]]:
        keys, values = self._ordered()
        names = (NUMBER, *values)
        for row in zip(keys[start:stop], *(v[start:stop] for v in values.values()), strict=True):
            yield dict(zip(names, row, strict=True))

    def get(self, number: str) -> Mapping[str, str | None] | None:
        keys = self.keys
        i = bisect_left(keys, number)
        return next(self.mappings(i, i + 1)) if i < len(keys) and keys[i] == number else None

    def equals(self, other: Rows) -> bool:
        return self._ordered() == other._ordered()

    def slice(self, start: int, stop: int) -> Rows:
        if start >= stop:
            return self._picked([])
        keys, values = self._ordered()
        return Rows(keys[start:stop], {name: held[start:stop] for name, held in values.items()})

    def select(self, names: Collection[str]) -> Rows:
        return self._with({name: held for name, held in self._held[1].items() if name in names})

    def _with(self, columns: dict[str, Column]) -> Rows:
        """The same numbers with these columns, whose names are sorted."""
        return Rows(self._held[0], columns, in_order=self._in_order)

    def _where(self, mask: Iterable[object]) -> Rows:
        """The rows for which ``mask``, in whatever order they are, is true."""
        return self._picked([*compress(range(len(self._held[0])), mask)])

    def _picked(self, places: list[int]) -> Rows:
        """The rows at ``places``, which ascend."""
        if len(places) == len(self._held[0]):
            return self
        return Rows(*_at(self._held, places), in_order=self._in_order)

    def masked(self, mask: Sequence[bool]) -> Rows:
        self._ordered()
        return self._where(mask)

    def keeping(self, decide: Callable[[str], bool]) -> Rows:
        return self._where(map(decide, self._held[0]))

    def grouped(self, length: int, name: str) -> Mapping[tuple[str, str | None], int]:
        numbers, _ = held = self._held
        return Counter(zip((number[:length] for number in numbers), _column(held, name), strict=True))

    def beginning(self, length: int, beginnings: frozenset[str]) -> Rows:
        return self._where(number[:length] in beginnings for number in self._held[0])

    def matching(self, pattern: str, keep: bool) -> Rows:
        numbers, fits = self._held[0], re.compile(pattern).fullmatch
        if _all_fit(pattern, numbers):
            return self if keep else self._picked([])
        return self._where((fits(number) is not None) is keep for number in numbers)

    def having(self, numbers: Sequence[str]) -> Rows:
        # In this order: should another thread sort us meanwhile, rows that are in order may count as if they were not.
        in_order, held = self._in_order, self._held
        if self._places is None or self._places[0] is not held:
            self._places = held, dict(zip(held[0], range(len(held[0])), strict=True))
        found = [place for place in map(self._places[1].get, numbers) if place is not None]
        return Rows(*_at(held, sorted(found)), in_order=in_order)

    def without(self, other: Rows) -> Rows:
        theirs = set(other._held[0])
        return self._where(map(not_, map(theirs.__contains__, self._held[0])))

    def within(self, other: Rows) -> Rows:
        theirs = set(other._held[0])
        return self._where(map(theirs.__contains__, self._held[0]))

    def where(self, name: str, values: Collection[str | None], keep: bool) -> Rows:
        wanted = frozenset(values)
        held: Iterable[str | None] = self._held[0] if name == NUMBER else _column(self._held, name)
        return self._where((value in wanted) is keep for value in held)

    def _and(self, columns: Mapping[str, Column]) -> Rows:
        """With ``columns`` put in."""
        whole = {**self._held[1], **columns}
        return self._with({name: whole[name] for name in sorted(whole)})

    def joined(self, other: Rows, names: Collection[str]) -> Rows:
        numbers, _ = held = self._held
        known, columns = other._held
        put = {name: _column(held, name) for name in names}
        if told := put.keys() & columns.keys():
            places = dict(zip(known, range(len(known)), strict=True))
            at = [*map(places.get, numbers)]
            for name in told:
                new = columns[name]
                put[name] = [value if i is None else new[i] for i, value in zip(at, put[name], strict=True)]
        return self._and(put)

    def filled(self, name: str, values: Mapping[str, str]) -> Rows:
        own = zip(self._held[0], _column(self._held, name), strict=True)
        return self._and({name: [values.get(number, value) for number, value in own]})

    def with_column(self, name: str, value: str | None) -> Rows:
        return self._and({name: [value] * len(self)})

    def changed(self, other: Rows, names: Collection[str]) -> Rows:
        return self.compared(other, names)[2]

    def compared(self, other: Rows, names: Collection[str]) -> tuple[Rows, Rows, Rows]:
        numbers, mine = self._held[0], [*_tuples(self._held, names)]
        theirs = dict(zip(other._held[0], _tuples(other._held, names), strict=True))
        # Nearly all are the same on both sides, so that is asked first, and without a step of Python for each.
        found = [*map(theirs.pop, numbers, repeat(None))]
        absent, differing = list[int](), list[int]()
        for i in compress(range(len(numbers)), map(ne, found, mine)):
            known = found[i]
            if known is None:
                absent.append(i)
            elif _differ(mine[i], known):
                differing.append(i)
        others = compress(range(len(other)), map(theirs.__contains__, other._held[0])) if theirs else ()
        return self._picked(absent), other._picked([*others]), self._picked(differing)

    def united(self, others: Sequence[Rows]) -> Rows:
        parts = [part._held for part in (self, *others)]
        names = sorted({name for _, values in parts for name in values})
        columns: dict[str, list[str | None]] = {NUMBER: [number for numbers, _ in parts for number in numbers]}
        for name in names:
            columns[name] = [value for part in parts for value in _column(part, name)]
        return Rows.of(columns)

    def encoded(self, name: str) -> Iterator[bytes]:
        held = self._ordered()
        values: Iterable[str | None] = held[0] if name == NUMBER else _column(held, name)
        yield "".join("~" if value is None else f"{len(value.encode())}:{value}" for value in values).encode()


def _at(held: _Held, places: list[int]) -> _Held:
    numbers, columns = held
    return [*map(numbers.__getitem__, places)], {n: [*map(held.__getitem__, places)] for n, held in columns.items()}


def _column(held: _Held, name: str) -> Column:
    numbers, columns = held
    values = columns.get(name)
    return [None] * len(numbers) if values is None else values


def _tuples(held: _Held, names: Collection[str]) -> Iterable[tuple[str | None, ...]]:
    return zip(*[_column(held, name) for name in names], strict=True) if names else repeat((), len(held[0]))


def _all_fit(pattern: str, numbers: Sequence[str]) -> bool:
    """Asked of all at once, which is what nearly always holds and takes a tenth of asking one by one."""
    joined = "\n".join(numbers)
    together = re.compile(rf"(?:(?:{pattern})\n)*+(?:{pattern})")
    return together.fullmatch(joined) is not None and joined.count("\n") == len(numbers) - 1


def _differ(mine: tuple[str | None, ...], theirs: tuple[str | None, ...]) -> bool:
    """None is no value, and their None is ""."""
    return any(a is not None and a != (b or "") for a, b in zip(mine, theirs, strict=True))
