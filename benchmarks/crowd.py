"""A SlickText brand of millions of people, whose answers are worked out and never kept.

Who has which number follows from the id, in an order that is nobody's. One list holds all but the first few and takes
adds and removals. Like ``platform.Brand`` it believes everything. The numbers are of area codes that nobody has: they
are kept for the day when numbers get longer.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from benchmarks.platform import BRAND, MOST, list_row, page

NAME = "Everybody"

_FIRST, _AREA, _EACH = 12_902_000_000, 10_000_000, 8_000_000
_MIXER = 179_424_673
"""A prime that no number of people is a multiple of."""
_ROW = (
    b'{"contact_id":%d,"_brand_id":26136,"first_name":"Ada","last_name":null,"mobile_number":"+%d",'
    b'"mobile_number_carrier":null,"email":null,"birthdate":null,"address":null,"city":null,"state":null,"zip":null,'
    b'"country":null,"language":null,"timezone":null,"opt_in_status":"subscribed","source":null,'
    b'"created":"2026-01-01 00:00:00","last_updated":null}'
)


def digits(index: int) -> int:
    """Somebody's number without its plus."""
    return _FIRST + index // _EACH * _AREA + index % _EACH


def write_people(file: Path, count: int) -> None:
    """A contact file of the first so many, in no order."""
    import polars as pl

    index = pl.int_range(count, eager=True).shuffle(seed=1)
    numbers = _FIRST + index // _EACH * _AREA + index % _EACH
    numbers.alias("number").to_frame().select(pl.format("+{}", "number").alias("number")).write_csv(file)


class Crowd:
    """``people`` contacts with the ids from 1 on; all but the first ``apart`` of them, by number, are on the list."""

    def __init__(self, people: int, apart: int) -> None:
        self._people = people
        self._back = pow(_MIXER, -1, people)
        self._listed = array("I", (i for i in range(1, people + 1) if self._index(i) >= apart))
        self._apart = apart
        self._moved: dict[int, bool] = {}
        """Of whoever was added to the list or removed since, whether they are on it."""
        self._unsettled = False

    def _index(self, contact_id: int) -> int:
        return contact_id * _MIXER % self._people

    def _known(self, number: str) -> int | None:
        """The id of whoever has this number."""
        area, line = divmod(int(number.lstrip("+ ")) - _FIRST, _AREA)
        index = area * _EACH + line
        return (index * self._back % self._people or self._people) if 0 <= index < self._people else None

    def _on_list(self, contact_id: int) -> bool:
        return self._moved.get(contact_id, self._index(contact_id) >= self._apart)

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        path, _, query = target.partition("?")
        if method != "GET":
            return self._write(on=method == "POST", entries=json.loads(body))
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        match path.split("/")[4:]:  # "", v1, brands, the brand
            case []:
                return b'{"brand_id": %d}' % BRAND
            case ["lists"]:
                return page([list_row(1, NAME, None)] if asked.get("offset") == "0" else (), False)
            case ["lists", "1"]:
                return list_row(1, NAME, None)
            case ["lists", "1", "contacts", "count"]:
                return str(self._count()).encode()
            case ["lists", "1", "contacts"]:
                return self._people_of(self._listed, asked, listed=True)
            case ["contacts"]:
                return self._people_of(range(1, self._people + 1), asked, listed=False)
            case _:
                return page((), False)

    def _count(self) -> int:
        """How many are on the list. Whoever was moved takes or leaves their place now: every read begins with this."""
        if self._unsettled:
            stay = (i for i in self._listed if i not in self._moved)
            self._listed = array("I", [*stay, *(i for i, there in self._moved.items() if there)])
            self._unsettled = False
        return len(self._listed)

    def _people_of(self, ids: Sequence[int], asked: dict[str, str], *, listed: bool) -> bytes:
        start = int(asked["offset"])
        if "mobile_number" in asked:
            found = self._known(asked["mobile_number"])
            there = found is not None and not start and (not listed or self._on_list(found))
            return page([self._row(found)] if found is not None and there else (), False)
        end = start + min(int(asked["limit"]), MOST)
        return page([self._row(i) for i in ids[start:end]], end < len(ids))

    def _row(self, contact_id: int) -> bytes:
        return _ROW % (contact_id, digits(self._index(contact_id)))

    def _write(self, *, on: bool, entries: Any) -> bytes:
        self._moved |= {int(entry["contact_id"]): on for entry in entries}
        self._unsettled = True
        return b'{"count": %d}' % len(entries)
