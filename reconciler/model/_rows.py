"""The plain engine behind ``ContactSet``: Python lists, for sets small enough that importing Polars would cost more."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import ClassVar, Protocol, Self, cast

NUMBER = "number"

Column = list[str | None]


class Engine(Protocol):
    """What every engine does; the methods mean what their namesakes in ``ContactSet`` say.

    Rows are unique by number, and in order wherever order can be seen. An argument of type ``Self`` is always of the
    same engine: ``ContactSet`` sees to that. ``names`` are the columns beside ``number``, sorted. Engines of a greater
    ``rank`` are for larger sets.
    """

    rank: ClassVar[int]

    @property
    def names(self) -> tuple[str, ...]: ...
    def __len__(self) -> int: ...
    def numbers(self) -> Iterator[str]: ...
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


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns as lists of one length; ``keys`` is the sorted ``number`` column without repeats."""

    rank: ClassVar[int] = 0

    keys: list[str]
    values: dict[str, Column]

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[str | None]]) -> Rows:
        """Sorted and collapsed; the first row of a number wins and rows without a number are left out."""
        # Backwards, so that the first of several is written last.
        numbers = columns[NUMBER]
        first = dict(zip(reversed(numbers), range(len(numbers) - 1, -1, -1), strict=True))
        first.pop(None, None)
        keys = sorted(cast("dict[str, int]", first))
        names = sorted(name for name in columns if name != NUMBER)
        if keys == list(numbers):
            return cls(keys, {name: list(columns[name]) for name in names})
        at = [first[number] for number in keys]
        return cls(keys, {name: [columns[name][i] for i in at] for name in names})

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.values)

    def __len__(self) -> int:
        return len(self.keys)

    def numbers(self) -> Iterator[str]:
        return iter(self.keys)

    def column(self, name: str) -> Sequence[str | None]:
        return list(self.keys) if name == NUMBER else list(self._held(name))

    def _held(self, name: str) -> Column:
        held = self.values.get(name)
        return [None] * len(self.keys) if held is None else held

    def plain(self) -> Rows:
        return self

    def in_memory(self) -> Rows:
        return self

    def mappings(self, start: int, stop: int) -> Iterator[Mapping[str, str | None]]:
        names = (NUMBER, *self.values)
        for row in zip(self.keys[start:stop], *(v[start:stop] for v in self.values.values()), strict=True):
            yield dict(zip(names, row, strict=True))

    def get(self, number: str) -> Mapping[str, str | None] | None:
        i = bisect_left(self.keys, number)
        found = i < len(self.keys) and self.keys[i] == number
        return next(self.mappings(i, i + 1)) if found else None

    def equals(self, other: Rows) -> bool:
        return self.keys == other.keys and self.values == other.values

    def slice(self, start: int, stop: int) -> Rows:
        return Rows(self.keys[start:stop], {name: held[start:stop] for name, held in self.values.items()})

    def select(self, names: Collection[str]) -> Rows:
        return Rows(self.keys, {name: held for name, held in self.values.items() if name in names})

    def _at(self, indices: list[int]) -> Rows:
        if len(indices) == len(self.keys):
            return self
        return Rows([self.keys[i] for i in indices], {n: [held[i] for i in indices] for n, held in self.values.items()})

    def masked(self, mask: Sequence[bool]) -> Rows:
        return self._at([i for i, kept in enumerate(mask) if kept])

    def keeping(self, decide: Callable[[str], bool]) -> Rows:
        return self._at([i for i, number in enumerate(self.keys) if decide(number)])

    def grouped(self, length: int, name: str) -> Mapping[tuple[str, str | None], int]:
        return Counter(zip((number[:length] for number in self.keys), self._held(name), strict=True))

    def beginning(self, length: int, beginnings: frozenset[str]) -> Rows:
        return self._at([i for i, number in enumerate(self.keys) if number[:length] in beginnings])

    def without(self, other: Rows) -> Rows:
        theirs = set(other.keys)
        return self._at([i for i, number in enumerate(self.keys) if number not in theirs])

    def within(self, other: Rows) -> Rows:
        theirs = set(other.keys)
        return self._at([i for i, number in enumerate(self.keys) if number in theirs])

    def where(self, name: str, values: Collection[str | None], keep: bool) -> Rows:
        held: Sequence[str | None] = self.keys if name == NUMBER else self._held(name)
        wanted = frozenset(values)
        return self._at([i for i, value in enumerate(held) if (value in wanted) is keep])

    def _with(self, name: str, held: Column) -> Rows:
        values = {**self.values, name: held}
        return Rows(self.keys, {n: values[n] for n in sorted(values)})

    def joined(self, other: Rows, names: Collection[str]) -> Rows:
        result = self
        theirs = other._places() if other.keys else {}
        for name in names:
            own, new = self._held(name), other.values.get(name)
            if new is not None:
                own = [
                    value if (i := theirs.get(n)) is None else new[i] for n, value in zip(self.keys, own, strict=True)
                ]
            result = result._with(name, own)
        return result

    def _places(self) -> dict[str, int]:
        return {number: i for i, number in enumerate(self.keys)}

    def filled(self, name: str, values: Mapping[str, str]) -> Rows:
        own = zip(self.keys, self._held(name), strict=True)
        return self._with(name, [values.get(number, value) for number, value in own])

    def with_column(self, name: str, value: str | None) -> Rows:
        return self._with(name, [value] * len(self.keys))

    def changed(self, other: Rows, names: Collection[str]) -> Rows:
        return self.compared(other, names)[2]

    def compared(self, other: Rows, names: Collection[str]) -> tuple[Rows, Rows, Rows]:
        mine, theirs = self._tuples(names), dict(zip(other.keys, other._tuples(names), strict=True))
        # Nearly all are the same on both sides, so that is asked first.
        apart = [(i, row) for i, (n, row) in enumerate(zip(self.keys, mine, strict=True)) if theirs.get(n) != row]
        absent = [i for i, _ in apart if self.keys[i] not in theirs]
        differing = [i for i, row in apart if (known := theirs.get(self.keys[i])) is not None and _differ(row, known)]
        none_else = len(self.keys) - len(absent) == len(other.keys)
        return self._at(absent), other._at([]) if none_else else other.without(self), self._at(differing)

    def _tuples(self, names: Collection[str]) -> Iterable[tuple[str | None, ...]]:
        return zip(*(self._held(name) for name in names), strict=True) if names else repeat((), len(self.keys))

    def united(self, others: Sequence[Rows]) -> Rows:
        parts = (self, *others)
        names = sorted({name for part in parts for name in part.values})
        columns: dict[str, list[str | None]] = {NUMBER: [number for part in parts for number in part.keys]}
        for name in names:
            columns[name] = [value for part in parts for value in part._held(name)]
        return Rows.of(columns)

    def encoded(self, name: str) -> Iterator[bytes]:
        held: Iterable[str | None] = self.keys if name == NUMBER else self._held(name)
        yield "".join("~" if value is None else f"{len(value.encode())}:{value}" for value in held).encode()


def _differ(mine: tuple[str | None, ...], theirs: tuple[str | None, ...]) -> bool:
    return any(a is not None and a != (b or "") for a, b in zip(mine, theirs, strict=True))
