"""Long lists of people as providers answer them: pages in a file, which a server hands out and a floor decodes."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qs

from benchmarks.data import NAMES, number
from benchmarks.platform import BRAND, page

SID = "bench1"


class Shape(StrEnum):
    """Whose list it is."""

    SLICKTEXT = "slicktext"
    EXOTEL = "exotel"


@dataclass(frozen=True, slots=True)
class Style:
    """How one provider pages: rows on a page, and what is asked of it."""

    rows: int
    api_version: str
    account: str


STYLES = {
    Shape.SLICKTEXT: Style(
        100,
        "slicktext/v1",
        'brandId: "26136"\n  maxRows: 10000000\n  auth: {apiKey: {env: BENCH_KEY}}',
    ),
    Shape.EXOTEL: Style(
        500,
        "exotel/v1",
        "accountSid: bench1\n  region: singapore\n  auth: {apiKey: {env: BENCH_KEY}, apiToken: {env: BENCH_KEY}}",
    ),
}

REPOSITORY = """\
apiVersion: {api_version}
kind: Account
metadata: {{name: main}}
spec:
  {account}
  baseUrl: {url}
  limits: {{concurrency: 8}}
---
apiVersion: {api_version}
kind: List
metadata: {{name: everybody}}
spec: {{name: Everybody}}
---
apiVersion: {api_version}
kind: Membership
metadata: {{name: everybody}}
spec: {{list: everybody, mode: additive, contacts: [{{number: "{number}"}}]}}
"""


def write(folder: Path, shape: Shape, people: int) -> None:
    """``SHAPE.pages`` with one body after the other, and ``SHAPE.ends`` with where each of them ends."""
    ends, at = array("Q"), 0
    with (folder / f"{shape}.pages").open("wb") as file:
        for body in _bodies(shape, people):
            at += file.write(body)
            ends.append(at)
    (folder / f"{shape}.ends").write_bytes(ends.tobytes())


def _bodies(shape: Shape, people: int) -> Iterator[bytes]:
    size = STYLES[shape].rows
    for start in range(0, people, size):
        rows = range(start, min(start + size, people))
        match shape:
            case Shape.SLICKTEXT:
                yield page([_slicktext(i) for i in rows], start + size < people)
            case Shape.EXOTEL:
                yield _enveloped((_exotel(i) for i in rows), people)


def _slicktext(i: int) -> bytes:
    return (
        f'{{"contact_id":{i + 1},"_brand_id":{BRAND},"first_name":"{NAMES[i % len(NAMES)]}","last_name":null,'
        f'"mobile_number":"{number(i)}","mobile_number_carrier":null,"email":null,"birthdate":null,"address":null,'
        '"city":null,"state":null,"zip":null,"country":null,"language":null,"timezone":null,'
        '"opt_in_status":"subscribed","source":null,"custom_fields":[],"created":"2026-01-01 00:00:00",'
        '"last_updated":null}'
    ).encode()


def _exotel(i: int) -> bytes:
    return (
        f'{{"code":200,"error_data":null,"status":"success","data":{{"sid":"{i + 1:032x}","number":"{number(i)}",'
        f'"first_name":"{NAMES[i % len(NAMES)]}","last_name":null,"company_name":null,"email":null,"tag":null,'
        '"custom_field":null,"date_created":"2026-01-01T00:00:00Z","date_updated":"2026-01-01T00:00:00Z"}}'
    ).encode()


def _enveloped(rows: Iterable[bytes], total: int) -> bytes:
    head = f'{{"request_id":"0","method":"GET","http_code":200,"metadata":{{"total":{total}}},"response":['
    return head.encode() + b",".join(rows) + b"]}"


class Pages:
    """What ``write`` wrote, one body at a time."""

    def __init__(self, folder: Path, shape: Shape) -> None:
        self._shape = shape
        self._ends = array("Q", (folder / f"{shape}.ends").read_bytes())
        # Not mapped into memory: that would be counted as the reader's own.
        self._file = os.open(folder / f"{shape}.pages", os.O_RDONLY)

    def __iter__(self) -> Iterator[bytes]:
        return (self[i] for i in range(len(self._ends)))

    def __getitem__(self, i: int) -> bytes:
        start = self._ends[i - 1] if i else 0
        return os.pread(self._file, self._ends[i] - start, start)

    def answer(self, people: int, target: str) -> bytes:
        """Whatever a plan reads of an account with this one list."""
        path, _, query = target.partition("?")
        offset = int(parse_qs(query).get("offset", ["0"])[0])
        if path.endswith("/1/contacts"):
            return self[offset // STYLES[self._shape].rows] if offset < people else self._empty(people)
        if path.endswith("/count"):
            return str(people).encode()
        if path.endswith("/brands"):
            return b'{"brand_id": %d}' % BRAND
        if path.endswith("/lists") and not offset:
            return self._list()
        return self._empty(0)

    def _empty(self, total: int) -> bytes:
        return page((), False) if self._shape is Shape.SLICKTEXT else _enveloped((), total)

    def _list(self) -> bytes:
        if self._shape is Shape.SLICKTEXT:
            return page([b'{"contact_list_id":1,"_brand_id":%d,"name":"Everybody","description":null}' % BRAND], False)
        row = b'{"code":200,"status":"success","data":{"sid":"1","name":"Everybody","type":"static","tag":null}}'
        return _enveloped((row,), 1)
