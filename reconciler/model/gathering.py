"""People on their way from pages into a ``ContactSet``: many small pages, looked at column by column, seldom.

What has to be asked of every row (is this a number, was it there before) costs a tenth when it is asked of a column of
many. So pages are only laid end to end as they arrive. Below ``PLAIN_BELOW`` rows all is plain Python, as it is in
``ContactSet``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from reconciler.model import contacts
from reconciler.model._rows import NUMBER, Column
from reconciler.model.contacts import ContactSet
from reconciler.model.e164 import E164

if TYPE_CHECKING:
    from reconciler.model._packing import Packed

Value: TypeAlias = str | int | None
NumberOf: TypeAlias = Callable[[str], str | None]

_E164 = re.compile(E164)


class ContactSetBuilder:
    """Pages appended as they arrive. ``columns`` says what is kept; what a page lacks is None in its rows.

    ``key`` is the column that tells rows apart, never None, as text or as whole numbers: of rows with one key the first
    counts. Without it every row is another. ``number_of`` is asked what a number means that is not in E.164, None if
    it is none; without it numbers are taken as they are.
    """

    __slots__ = ("_columns", "_key", "_number_of", "_packed", "_page", "_rows", "_settled")

    def __init__(self, columns: Sequence[str], *, key: str | None = None, number_of: NumberOf | None = None) -> None:
        self._columns = tuple(dict.fromkeys((NUMBER, *columns)))
        self._key = key
        self._number_of = number_of
        self._page: dict[str, list[Value]] = {name: [] for name in self._columns}
        self._packed: Packed | None = None
        self._rows = self._settled = 0

    def __len__(self) -> int:
        """How many rows were appended, whatever came again included."""
        return self._rows

    def append(self, columns: Mapping[str, Sequence[Value]]) -> None:
        """One page, ``number`` among its columns, all of one length; ValueError otherwise."""
        size = len(columns[NUMBER])
        if any(len(values) != size for values in columns.values()):
            raise ValueError(f"columns of different length: {', '.join(f'{n}: {len(v)}' for n, v in columns.items())}")
        for name, kept in self._page.items():
            kept.extend(columns[name] if name in columns else [None] * size)
        self._rows += size
        # Text in a frame takes a quarter of what it takes as Python objects, so a long read is packed on the way.
        if len(self._page[NUMBER]) >= contacts.PLAIN_BELOW:
            self._pack()

    def count(self) -> int:
        """How many rows there are, each key once. To be asked when something hangs on it: it looks at all of them."""
        if (packed := self._whole()) is not None:
            return packed.count()
        return len(set(self._page[self._key])) if self._key else self._rows

    def numberless(self) -> int:
        """How many rows have no number, each key once."""
        packed = self._whole()
        return self._plain()[NUMBER].count(None) if packed is None else packed.numberless()

    def holding(self, keys: Collection[int]) -> set[int]:
        """Those of ``keys``, all of them whole numbers, that a row has."""
        if (packed := self._whole()) is not None:
            return packed.holding(keys)
        return {k for k in self._page[self._key or NUMBER] if isinstance(k, int)}.intersection(keys)

    def repeated_rows(self) -> Mapping[str, Sequence[str | None]]:
        """The rows whose number an earlier row has, those of one number in order."""
        if (packed := self._whole()) is not None:
            return packed.repeated_rows(self._columns)
        page = self._plain()
        seen = set[str | None]()
        at = []
        for i, number in enumerate(page[NUMBER]):
            if number in seen and number is not None:
                at.append(i)
            seen.add(number)
        return {name: [values[i] for i in at] for name, values in page.items()}

    def build(self, *, least: str = NUMBER) -> ContactSet:
        """Everything appended so far; the first row of a number wins, or the one with the least value in ``least``."""
        if (packed := self._whole()) is None:
            page = self._plain()
            return ContactSet.from_columns(page if least == NUMBER else _by(least, page))
        built, several = packed.built()
        if least == NUMBER or not several:
            return built
        import polars as pl

        best = pl.concat(several).select(self._columns).sort(pl.col(least).fill_null(""), maintain_order=True)
        return ContactSet.union_of([ContactSet.from_frame(best), built])

    def _whole(self) -> Packed | None:
        """Every row packed; None while there are too few to pack any."""
        if self._packed is not None and self._page[NUMBER]:
            self._pack()
        return self._packed

    def _pack(self) -> None:
        from reconciler.model._packing import Packed

        self._packed = self._packed or Packed(self._key, self._number_of)
        self._packed.add(self._page)
        self._page = {name: [] for name in self._columns}

    def _plain(self) -> dict[str, Column]:
        """Rows that were never packed: each key once, numbers as they are compared."""
        if self._settled != self._rows:
            self._settled = self._rows
            page = _distinct(self._key, self._page) if self._key else self._page
            page[NUMBER] = [self._number(value) for value in page[NUMBER]]
            self._page = page
        return {name: [None if v is None else str(v) for v in values] for name, values in self._page.items()}

    def _number(self, value: Value) -> Value:
        if value is None or self._number_of is None or _E164.fullmatch(text := str(value)):
            return value
        return self._number_of(text)


def _distinct(key: str, columns: dict[str, list[Value]]) -> dict[str, list[Value]]:
    """The first row of each key."""
    keys = columns[key]
    first = dict(zip(reversed(keys), range(len(keys) - 1, -1, -1), strict=True))
    if len(first) == len(keys):
        return columns
    return {name: [values[at] for at in sorted(first.values())] for name, values in columns.items()}


def _by(name: str, columns: Mapping[str, Column]) -> Mapping[str, Column]:
    """The rows sorted by one column, where no value comes first."""
    order = sorted(range(len(columns[name])), key=lambda at: columns[name][at] or "")
    return {each: [values[at] for at in order] for each, values in columns.items()}
