"""A SlickText brand from memory, as far as the cases need it: it believes everything and never says no.

The sandbox is the faithful one; this one is for measuring what the client costs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

BRAND = 26136
MOST = 100
"""Rows on a page, whatever is asked for."""

ACCOUNT = """\
apiVersion: slicktext/v1
kind: Account
metadata: {{name: main}}
spec:
  brandId: "26136"
  baseUrl: {url}
  auth: {{apiKey: {{env: SLICKTEXT_API_KEY}}}}
  limits: {{concurrency: {concurrency}}}
  maxRows: 10000000
"""
KEY = {"SLICKTEXT_API_KEY": "a-key"}


def page(shown: Sequence[bytes], more: bool) -> bytes:
    """One page of a collection."""
    has_more = b"true" if more else b"false"
    return b'{"data":[' + b",".join(shown) + b'],"pagingData":{"nextPage":null,"hasMore":' + has_more + b"}}"


def list_row(list_id: int, name: str, description: str | None) -> bytes:
    row = {"contact_list_id": list_id, "_brand_id": BRAND, "name": name, "description": description}
    return json.dumps({**row, "created": "2026-01-01 00:00:00"}).encode()


def contact_row(contact_id: int, number: str, first_name: str) -> bytes:
    """Every field that is documented, most of them empty, as an export of a real brand would be."""
    empty = ("email", "birthdate", "address", "city", "state", "zip", "country", "language", "timezone", "source")
    row: dict[str, Any] = {"contact_id": contact_id, "_brand_id": BRAND, "first_name": first_name, "last_name": None}
    row |= {"mobile_number": number, "mobile_number_carrier": None, "opt_in_status": "subscribed"}
    row |= dict.fromkeys(empty)
    return json.dumps({**row, "created": "2026-01-01 00:00:00", "last_updated": None}).encode()


@dataclass(slots=True)
class Brand:
    """What is live. Ids count from 1; row ``i`` of a collection has the id ``i + 1``."""

    lists: list[bytes] = field(default_factory=list)
    list_names: dict[str, int] = field(default_factory=dict)
    contacts: list[bytes] = field(default_factory=list)
    contact_ids: dict[str, int] = field(default_factory=dict)
    members: dict[int, list[int]] = field(default_factory=dict)

    def add_list(self, name: str, description: str | None) -> bytes:
        self.lists.append(list_row(len(self.lists) + 1, name, description))
        self.list_names[name] = len(self.lists)
        return self.lists[-1]

    def add_contact(self, number: str, first_name: str = "") -> bytes:
        self.contacts.append(contact_row(len(self.contacts) + 1, number, first_name))
        self.contact_ids[number] = len(self.contacts)
        return self.contacts[-1]

    def add_members(self, list_id: int, contact_ids: Iterable[int]) -> None:
        self.members.setdefault(list_id, []).extend(contact_ids)

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        path, _, query = target.partition("?")
        parts = path.split("/")[4:]  # "", v1, brands, the brand
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        if method == "GET":
            return self._read(parts, asked)
        return self._write(parts, json.loads(body))

    def _read(self, parts: list[str], asked: Mapping[str, str]) -> bytes:
        rows: Sequence[bytes] = ()
        match parts:
            case []:
                return b'{"brand_id": %d}' % BRAND
            case ["lists", list_id]:
                return self.lists[int(list_id) - 1]
            case ["lists", list_id, "contacts", "count"]:
                return str(len(self.members.get(int(list_id), ()))).encode()
            case ["lists"]:
                rows = _only(self.lists, self.list_names, asked.get("name"))
            case ["contacts"]:
                rows = _only(self.contacts, self.contact_ids, asked.get("mobile_number"))
            case ["lists", list_id, "contacts"]:
                return self._members(int(list_id), asked)
        start, end = _window(asked)
        return page(rows[start:end], end < len(rows))

    def _members(self, list_id: int, asked: Mapping[str, str]) -> bytes:
        ids = self.members.get(list_id, [])
        if wanted := asked.get("mobile_number"):
            ids = [i for i in ids if i == self.contact_ids.get(wanted)]
        start, end = _window(asked)
        return page([self.contacts[i - 1] for i in ids[start:end]], end < len(ids))

    def _write(self, parts: list[str], body: Any) -> bytes:
        match parts:
            case ["lists"]:
                return self.add_list(body["name"], body.get("description"))
            case ["contacts"]:
                return self.add_contact(body["mobile_number"], body.get("first_name") or "")
            case ["lists", "contacts"]:
                for entry in body:
                    self.add_members(entry["lists"][0], (entry["contact_id"],))
                return b'{"count": %d}' % len(body)
        raise ValueError(f"nothing is written to {'/'.join(parts)} here")


def _window(asked: Mapping[str, str]) -> tuple[int, int]:
    start = int(asked.get("offset", 0))
    return start, start + min(int(asked.get("limit", MOST)), MOST)


def _only(rows: Sequence[bytes], ids: Mapping[str, int], name: str | None) -> Sequence[bytes]:
    if name is None:
        return rows
    return [rows[ids[name] - 1]] if name in ids else ()
