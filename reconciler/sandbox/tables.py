"""The rows of a simulated platform, and the older versions that lagging reads still show.

Writes always see the truth. Reads go through ``shown``, which serves the previous version of a row as long as a fault
or the knob ``read_lag_ms`` hides its change. ``Tally`` knows whether a request changed anything, and what to hide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar, overload

Key = TypeVar("Key", int, str)
Row = TypeVar("Row")


class _Hides(Protocol):
    def hide(self, key: Any, before: Any, until: float) -> None: ...


class Tally:
    """Counts changes of one provider and remembers what the request in hand found before it changed something."""

    __slots__ = ("_before", "changes")

    def __init__(self) -> None:
        self.changes = 0
        self._before: list[tuple[_Hides, Any, Any]] = []

    def note(self, table: _Hides, key: Any, before: Any) -> None:
        """One row was put, replaced or dropped."""
        self.changes += 1
        self._before.append((table, key, before))

    def begin(self) -> None:
        """A new request starts."""
        self._before.clear()

    def hide_until(self, until: float) -> None:
        """Let reads show the versions from before this request until that time."""
        for table, key, before in self._before:
            table.hide(key, before, until)


class Table(Generic[Key, Row]):
    """Rows by id. ``by_key`` tables read in ascending id order, others in the order of arrival."""

    def __init__(self, tally: Tally, *, by_key: bool) -> None:
        self._tally = tally
        self._by_key = by_key
        self._rows: dict[Key, Row] = {}
        self._stale: dict[Key, tuple[Row | None, float]] = {}
        self._ordered: list[Row] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[Key]:
        return iter(list(self._rows))

    def get(self, key: Key) -> Row | None:
        """The true row."""
        return self._rows.get(key)

    def put(self, key: Key, row: Row) -> None:
        """Add or replace."""
        self._tally.note(self, key, self._rows.get(key))
        self._rows[key] = row
        self._ordered = None

    def drop(self, key: Key) -> Row | None:
        """Remove; None when it was not there."""
        row = self._rows.pop(key, None)
        if row is not None:
            self._tally.note(self, key, row)
            self._ordered = None
        return row

    def by_id(self) -> Mapping[Any, Row]:
        """All true rows by id. Shared: do not change it."""
        return self._rows

    def rows(self) -> list[Row]:
        """All true rows in reading order. The list is shared: do not change it."""
        if self._ordered is None:
            keys = sorted(self._rows) if self._by_key else self._rows
            self._ordered = [self._rows[key] for key in keys]
        return self._ordered

    def hide(self, key: Key, before: Row | None, until: float) -> None:
        """Reads show ``before`` until that time; a row already hidden keeps its oldest version."""
        if key in self._stale:
            before, earlier = self._stale[key]
            until = max(until, earlier)
        self._stale[key] = (before, until)

    def lags(self, now: float) -> bool:
        """Whether some row reads differently from the truth."""
        if self._stale:
            self._stale = {key: pair for key, pair in self._stale.items() if pair[1] > now}
        return bool(self._stale)

    def show(self, key: Key, now: float) -> Row | None:
        """One row as a read sees it."""
        if self.lags(now) and key in self._stale:
            return self._stale[key][0]
        return self._rows.get(key)

    def shown(self, now: float) -> list[Row]:
        """All rows as a read sees them. The list is shared: do not change it."""
        if not self.lags(now):
            return self.rows()
        seen: dict[Key, Row] = dict(self._rows)
        for key, (before, _) in self._stale.items():
            if before is None:
                seen.pop(key, None)
            else:
                seen[key] = before
        return [seen[key] for key in (sorted(seen) if self._by_key else seen)]


class RowsOf(Sequence[Row]):
    """The rows of some ids, looked up when they are needed: one page of a large list must not cost the whole list."""

    def __init__(self, table: Table[Any, Row], keys: Sequence[int | str]) -> None:
        self._rows = table.by_id()
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        if isinstance(at, slice):
            return [self._rows[key] for key in self._keys[at]]
        return self._rows[self._keys[at]]


class Members:
    """Which contact is on which list."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._lists: dict[int, dict[int, None]] = {}
        self._stale: dict[tuple[int, int], tuple[bool, float]] = {}
        self._ordered: dict[int, list[int]] = {}

    def has(self, list_id: int, contact_id: int) -> bool:
        """The truth about one pair."""
        return contact_id in self._lists.get(list_id, ())

    def add(self, list_id: int, contact_id: int) -> bool:
        """True when the pair is new."""
        members = self._lists.setdefault(list_id, {})
        if contact_id in members:
            return False
        members[contact_id] = None
        self._changed(list_id, contact_id, was_member=False)
        return True

    def remove(self, list_id: int, contact_id: int) -> bool:
        """True when the pair was there."""
        members = self._lists.get(list_id, {})
        if contact_id not in members:
            return False
        del members[contact_id]
        self._changed(list_id, contact_id, was_member=True)
        return True

    def drop_list(self, list_id: int) -> None:
        """A list is gone, its contacts stay."""
        for contact_id in list(self._lists.get(list_id, ())):
            self.remove(list_id, contact_id)
        self._lists.pop(list_id, None)

    def drop_contact(self, contact_id: int) -> None:
        """A contact is gone from every list."""
        for list_id in self._lists:
            self.remove(list_id, contact_id)

    def ids(self, list_id: int) -> list[int]:
        """True members, ascending. The list is shared: do not change it."""
        if list_id not in self._ordered:
            self._ordered[list_id] = sorted(self._lists.get(list_id, ()))
        return self._ordered[list_id]

    def shown(self, list_id: int, now: float) -> list[int]:
        """Members as a read sees them, ascending."""
        if self._stale:
            self._stale = {pair: entry for pair, entry in self._stale.items() if entry[1] > now}
        if not self._stale:
            return self.ids(list_id)
        seen = set(self.ids(list_id))
        for (stale_list, contact_id), (was_member, _) in self._stale.items():
            if stale_list == list_id:
                (seen.add if was_member else seen.discard)(contact_id)
        return sorted(seen)

    def hide(self, pair: tuple[int, int], was_member: bool, until: float) -> None:
        """Reads show the pair as it was until that time."""
        if pair in self._stale:
            was_member, earlier = self._stale[pair]
            until = max(until, earlier)
        self._stale[pair] = (was_member, until)

    def _changed(self, list_id: int, contact_id: int, *, was_member: bool) -> None:
        self._ordered.pop(list_id, None)
        self._tally.note(self, (list_id, contact_id), was_member)
