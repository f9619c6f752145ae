"""People as columns: immutable sets of contacts, keyed by number, from a handful to tens of millions.

Three engines stand behind one class: plain Python lists below ``PLAIN_BELOW`` rows, one Polars frame in memory from
there on, and many frames outside of it from ``SPOOLED_FROM``. Which one serves never shows in a result. Polars is
imported when the first large set appears.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.model._rows import NUMBER, Engine, Rows
from reconciler.model.hashes import MemberHashes
from reconciler.model.keys import member_hasher

if TYPE_CHECKING:
    import polars

    from reconciler.model._spool import Filler

Row: TypeAlias = Mapping[str, str | None]
Repeated: TypeAlias = "Callable[[polars.DataFrame], None]"
_Appended: TypeAlias = "tuple[int, polars.DataFrame, polars.Series | None]"
"""How many rows were there before, the rows, and their numbers as integers."""

PLAIN_BELOW = 100_000
"""Rows from which a set is a Polars frame: below, the import alone costs more than the whole work in plain Python."""
_FAR = 8
"""So many times larger is a set in which people are looked for one by one, and not all of it at once."""

SPOOLED_FROM = 1_500_000
SPOOLED_VALUES = 8_000_000
"""Rows, or values of all columns, from which a set is frames outside of memory (see ``_spool`` for where)."""

ORDINAL = "\0ordinal"
"""The column that says of a row how many were appended before it, for those who ask what comes again."""

_CHUNK = 8_192


class ContactSet:
    """Contacts sorted by number (code point order), each number once; every value is text or None.

    The column ``number`` is always there. A column that a set does not have reads as None everywhere, except in
    ``columns``. Nothing here ever shows a value in ``repr``.
    """

    __slots__ = ("_engine", "_hashed")

    _engine: Engine

    def __init__(self) -> None:
        self._engine = Rows([], {})
        self._hashed: tuple[bytes, MemberHashes] | None = None

    @classmethod
    def _of(cls, engine: Engine) -> ContactSet:
        made = cls.__new__(cls)
        made._hashed = None
        made._engine = engine if engine.rank == Rows.rank else _lowered(engine)
        return made

    @staticmethod
    def empty() -> ContactSet:
        return _NOBODY

    @classmethod
    def from_columns(cls, columns: Mapping[str, Sequence[str | None]]) -> ContactSet:
        """Columns of one length, ``number`` among them; ValueError otherwise.

        The first row of a number wins, rows whose number is None are left out.
        """
        _check_columns({name: len(values) for name, values in columns.items()})
        if len(columns[NUMBER]) < PLAIN_BELOW:
            return cls._of(Rows.of(columns))
        import polars as pl

        return cls.from_frame(pl.DataFrame([pl.Series(n, v, dtype=pl.String) for n, v in columns.items()]))

    @classmethod
    def from_frame(cls, frame: polars.DataFrame) -> ContactSet:
        """As ``from_columns``; columns of other types are cast to text."""
        _check_columns(dict.fromkeys(frame.columns, frame.height))
        builder = FrameBuilder()
        builder.append(frame)
        return builder.build()

    @classmethod
    def union_of(cls, sets: Iterable[ContactSet]) -> ContactSet:
        """Every number of every set, with the row of the first set that has it; columns are united."""
        parts = list(sets)
        whole = [part for part in parts if part] or parts[:1]
        if len(whole) < 2 and all(part.columns == whole[0].columns for part in parts):
            return whole[0] if whole else cls()
        first, *others = _aligned(*parts, rows=sum(map(len, parts)))
        return cls._of(first.united(others))

    def __len__(self) -> int:
        return len(self._engine)

    def __bool__(self) -> bool:
        return len(self._engine) > 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ContactSet):
            return NotImplemented
        if len(self) != len(other) or self.columns != other.columns:
            return False
        mine, theirs = _both(self, other)
        return mine.equals(theirs)

    def __hash__(self) -> int:
        return hash((self.columns, len(self)))

    def __repr__(self) -> str:
        return f"ContactSet({len(self)} rows: {', '.join(self.columns)})"

    @property
    def columns(self) -> tuple[str, ...]:
        """``number`` first, the others sorted."""
        return (NUMBER, *self._engine.names)

    def column(self, name: str) -> Sequence[str | None]:
        """One value per row, in order; all None when there is no such column."""
        return self._engine.column(name)

    def numbers(self) -> Iterator[str]:
        return self._engine.numbers()

    def rows(self, start: int = 0, stop: int | None = None) -> Iterator[Row]:
        """The rows from ``start`` to before ``stop``, made as they are asked for."""
        end = len(self) if stop is None else min(stop, len(self))
        for at in range(start, end, _CHUNK):
            part = self._engine.slice(at, min(at + _CHUNK, end)).plain()
            yield from part.mappings(0, len(part))

    def slice(self, start: int, stop: int) -> ContactSet:
        """The rows from ``start`` (not negative) to before ``stop``; shorter when there are not that many."""
        return self._of(self._engine.slice(start, max(start, stop)))

    def head(self, n: int) -> ContactSet:
        return self.slice(0, n)

    def get(self, number: str) -> Row | None:
        return self._engine.get(number)

    def select(self, columns: Iterable[str]) -> ContactSet:
        """Only these columns; ``number`` stays, unknown ones are ignored."""
        return self._of(self._engine.select(frozenset(columns)))

    def without(self, other: ContactSet) -> ContactSet:
        """The rows whose number is not in ``other``."""
        if not other:
            return self
        mine, theirs = _both(self, self._near(other))
        return self._of(mine.without(theirs))

    def within(self, other: ContactSet) -> ContactSet:
        """The rows whose number is in ``other``."""
        if not other:
            return self._of(self._engine.slice(0, 0))
        if other._is_small_beside(self):
            return self._of(self._engine.having([*other._engine.unordered()]))
        mine, theirs = _both(self, self._near(other))
        found = mine.within(theirs)
        return self if len(found) == len(self) else self._of(found)

    def _is_small_beside(self, other: ContactSet) -> bool:
        return self._engine.rank == Rows.rank and len(self) * _FAR < len(other)

    def _near(self, other: ContactSet) -> ContactSet:
        """``other``, and of a far larger set only our own people: many lists are held against one address book."""
        if not self._is_small_beside(other):
            return other
        return self._of(other._engine.having([*self._engine.unordered()]))

    def where(self, column: str, values: Collection[str | None], *, keep: bool = True) -> ContactSet:
        """The rows whose ``column`` is one of ``values``, or with ``keep=False`` the others."""
        return self._of(self._engine.where(column, values, keep))

    def grouped(self, length: int, column: str) -> Mapping[tuple[str, str | None], int]:
        """How many numbers begin with the same ``length`` characters and have the same value in ``column``."""
        return self._engine.grouped(length, column)

    def beginning(self, length: int, beginnings: frozenset[str]) -> ContactSet:
        """The rows whose number's first ``length`` characters are one of ``beginnings``."""
        return self._of(self._engine.beginning(length, beginnings))

    def matching(self, pattern: str, *, keep: bool = True) -> ContactSet:
        """The rows whose whole number fits ``pattern``, or with ``keep=False`` the others.

        Only what means the same in every dialect of regular expressions may be in it: characters, sets of them, counts.
        """
        return self._of(self._engine.matching(pattern, keep))

    def masked(self, mask: Sequence[bool]) -> ContactSet:
        """The rows for which ``mask``, one entry a row in order, is true."""
        return self._of(self._engine.masked(mask))

    def joined(self, other: ContactSet, columns: Iterable[str]) -> ContactSet:
        """With ``columns`` of ``other`` put in where the number is in ``other``; elsewhere our own value or None.

        A column that ``other`` does not have says nothing: our own values stay.
        """
        names = _attributes(columns)
        mine, theirs = _both(self, self._near(other))
        return self._of(mine.joined(theirs, names))

    def filled(self, column: str, values: Mapping[str, str]) -> ContactSet:
        """With ``values`` (by number) put into ``column``; elsewhere our own value or None."""
        _check_attribute(column)
        return self._of(self._engine.filled(column, values))

    def with_column(self, name: str, value: str | None) -> ContactSet:
        """With ``name`` set to ``value`` in every row."""
        _check_attribute(name)
        return self._of(self._engine.with_column(name, value))

    def changed(self, other: ContactSet, columns: Iterable[str]) -> ContactSet:
        """Our rows whose number is in ``other`` with another value in any of ``columns``.

        None is no value: what we do not say is not compared. Their None is "".
        """
        if not other:
            return self.within(other)
        mine, theirs = _both(self, self._near(other))
        return self._of(mine.changed(theirs, _attributes(columns)))

    def compared(self, other: ContactSet, columns: Iterable[str]) -> tuple[ContactSet, ContactSet, ContactSet]:
        """``self.without(other)``, ``other.without(self)`` and ``self.changed(other, columns)`` in one pass."""
        mine, theirs = _both(self, other)
        ours, others, differing = mine.compared(theirs, _attributes(columns))
        return self._of(ours), self._of(others), self._of(differing)

    def hashes(self, key: bytes) -> MemberHashes:
        """``member_hash`` of every number; of the same set they are worked out once, which takes a second a million."""
        if self._hashed is None or self._hashed[0] != key:
            self._hashed = key, MemberHashes(map(member_hasher(key), self._engine.unordered()))
        return self._hashed[1]

    def where_hashed(self, key: bytes, hashes: Set[bytes], *, keep: bool = True) -> ContactSet:
        """The rows whose number's ``member_hash`` is in ``hashes``, or with ``keep=False`` the others."""
        hashed = member_hasher(key)
        return self._of(self._engine.keeping(lambda number: (hashed(number) in hashes) is keep))

    def digest(self) -> str:
        """SHA-256 in hex over columns and rows: equal exactly when the sets are.

        Every name and value carries its length, and None has a mark of its own, so no two sets encode alike.
        """
        whole = sha256(f"{len(self)} rows, {len(self.columns)} columns\n".encode())
        for name in self.columns:
            whole.update(f"{len(name.encode())}:{name}".encode())
            for piece in self._engine.encoded(name):
                whole.update(piece)
        return whole.hexdigest()


def is_spooled(rows: int, attributes: int) -> bool:
    """Whether so many are frames outside of memory."""
    return rows >= SPOOLED_FROM or rows * (1 + attributes) >= SPOOLED_VALUES


class FrameBuilder:
    """Frames appended as they are read, of whatever columns, ``number`` among them.

    ``counted``: whoever asks what comes again is told which rows these are.
    """

    __slots__ = ("_counted", "_filler", "_frames", "_names", "_rows")

    def __init__(self, *, counted: bool = False) -> None:
        self._counted = counted
        self._names: set[str] = set()
        self._frames: list[_Appended] = []
        self._filler: Filler | None = None
        self._rows = 0

    def __len__(self) -> int:
        """How many rows were appended, repeated numbers included."""
        return self._rows

    def append(self, frame: polars.DataFrame, codes: polars.Series | None = None) -> None:
        """Columns are cast to text; rows whose number is None are left out, but counted. ``codes``: the numbers as
        integers, if they are known, and then all are E.164."""
        self._frames.append((self._rows, frame, codes))
        self._rows += frame.height
        self._names |= set(frame.columns) - {NUMBER}
        if is_spooled(self._rows, len(self._names)):
            self._spool()

    def _spool(self) -> None:
        from reconciler.model._spool import Filler

        self._filler = self._filler or Filler()
        for appended in self._frames:
            self._filler.add(_readied(appended, counted=self._counted))
        self._frames = []

    def build(self, repeated: Repeated | None = None) -> ContactSet:
        """Everything appended so far; the first row of a number wins.

        ``repeated`` is given every row whose number comes more than once, the first one too; of a very large set in
        several frames, all rows of one number in the same. ``counted`` rows have the column ``ORDINAL``.
        """
        if self._filler is not None:
            from reconciler.model._spool import one_of_each
            from reconciler.model._spooled import Spooled

            return ContactSet._of(Spooled(one_of_each(self._filler.finish(), repeated), self._names))
        import polars as pl

        from reconciler.model._codes import CODE, in_parallel
        from reconciler.model._frames import Frame

        whole = pl.concat(in_parallel(_readied, self._frames), how="diagonal")
        made = Frame.of(whole.select(NUMBER, *self._names, CODE))
        if repeated is not None and len(made) < whole.height:
            if self._counted:
                whole = pl.concat([_readied(each, counted=True) for each in self._frames], how="diagonal")
            repeated(whole.filter(pl.col(NUMBER).is_duplicated()).drop(CODE))
        return ContactSet._of(made)


def _readied(appended: _Appended, *, counted: bool = False) -> polars.DataFrame:
    """Text, with the numbers as integers beside it, and counted if asked for: that column is in other chunks than those
    of a file, and all of them would be copied to have the same."""
    import polars as pl

    from reconciler.model._codes import CODE, codes_of

    start, frame, codes = appended
    ordinals = pl.int_range(start, start + frame.height, dtype=pl.UInt32).alias(ORDINAL)
    frame = frame.with_columns(pl.all().cast(pl.String), *([ordinals] if counted else ()))
    frame = frame.with_columns((codes_of(frame[NUMBER]) if codes is None else codes).alias(CODE))
    return frame.filter(pl.col(NUMBER).is_not_null()) if frame[NUMBER].null_count() else frame


_NOBODY: Final = ContactSet()


def _lowered(engine: Engine) -> Engine:
    """``engine`` as the one that serves so many rows."""
    rows = len(engine)
    if rows < PLAIN_BELOW:
        return engine.plain()
    return engine if is_spooled(rows, len(engine.names)) else engine.in_memory()


def _both(one: ContactSet, other: ContactSet) -> tuple[Engine, Engine]:
    """The engines of two sets, both of the same sort."""
    mine, theirs = one._engine, other._engine
    if mine.rank == theirs.rank:
        return mine, theirs
    rank = max(mine.rank, theirs.rank)
    return _raised(mine, rank), _raised(theirs, rank)


def _aligned(*sets: ContactSet, rows: int = 0) -> list[Engine]:
    """The engines of ``sets``, all of one sort: that of the greatest, or the one that serves ``rows`` rows."""
    engines = [s._engine for s in sets]
    wanted = 0 if rows < PLAIN_BELOW else 1 if rows < SPOOLED_FROM else 2
    ranks = {engine.rank for engine in engines}
    if ranks == {wanted}:
        return engines
    rank = max(wanted, *ranks)
    return [_raised(engine, rank) for engine in engines]


def _raised(engine: Engine, rank: int) -> Engine:
    if engine.rank == rank:
        return engine
    from reconciler.model._frames import Frame

    frame = engine if isinstance(engine, Frame) else Frame.of_rows(engine.plain())
    if rank == Frame.rank:
        return frame
    from reconciler.model._spooled import Spooled

    return Spooled.of(frame)


def _attributes(columns: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([name for name in columns if name != NUMBER]))


def _check_attribute(name: str) -> None:
    if name == NUMBER:
        raise ValueError("the number is the key of a contact and cannot be overwritten")


def _check_columns(sizes: Mapping[str, int]) -> None:
    if NUMBER not in sizes:
        raise ValueError(f"contacts need a column {NUMBER!r}; there are {', '.join(sorted(sizes)) or 'none'}")
    if len(set(sizes.values())) > 1:
        raise ValueError(f"columns of different length: {', '.join(f'{n}: {size}' for n, size in sizes.items())}")
