"""One ordinary change set for each provider: what is live, what is declared, and the fewest requests that it takes.

The bounds follow from what the provider documents (pages, bulk sizes, which lookups exist), and from what has to be
read to be sure: an identity, a count before and after pages that may move. Logins and read-backs are not in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from benchmarks.data import number

LIVE, ADDED, REMOVED, BOOK = 1_250, 240, 60, 1_590
SECRETS = {"BENCH_KEY": "a-key"}
FIRST = 20_000
"""The first person's index: the numbers are those of area code 202, one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """``seed`` of the sandbox, ``manifests`` with URL for its address, ``people`` in ``people.csv``.

    ``reads`` are the fewest requests of a plan, ``writes`` of its apply.
    """

    seed: Mapping[str, Any]
    manifests: str
    people: range
    reads: int
    writes: int


def _many(first: int, count: int) -> dict[str, Any]:
    return {"first": number(FIRST + first), "count": count}


def _leads(count: int) -> list[dict[str, str]]:
    return [{"number": number(FIRST + i), "first_name": "Pat"} for i in range(count)]


# Everybody of the list but the first sixty stays, and as many as ADDED come from the address book.
_DECLARED = range(FIRST + REMOVED, FIRST + LIVE + ADDED)

CHANGE_SETS: Mapping[str, ChangeSet] = {
    "slicktext": ChangeSet(
        seed={
            "brands": [{"brand_id": 26136, "api_key": "a-key"}],
            "contacts": [{"generate": _many(0, BOOK)}],
            "lists": [{"name": "VIP", "members": _many(0, LIVE)}],
            "campaigns": [{"name": "Spring", "body": "Hello, reply STOP to opt out", "status": "draft"}],
        },
        manifests="""\
apiVersion: slicktext/v1
kind: Account
metadata: {name: main}
spec: {brandId: "26136", baseUrl: URL, auth: {apiKey: {env: BENCH_KEY}}}
---
apiVersion: slicktext/v1
kind: List
metadata: {name: vip}
spec: {name: VIP}
---
apiVersion: slicktext/v1
kind: List
metadata: {name: new}
spec: {name: New}
---
apiVersion: slicktext/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring, body: "Hello again, reply STOP to opt out", status: draft}
---
apiVersion: slicktext/v1
kind: Membership
metadata: {name: vip}
spec: {list: vip, mode: exact, contactsFrom: [{file: people.csv}]}
""",
        people=_DECLARED,
        # The brand, lists, campaigns; a count twice and its pages; the address book for the ids of those to be added.
        reads=1 + 1 + 1 + 2 + ceil(LIVE / 100) + ceil(BOOK / 100),
        # A list, a campaign, eighty people at a time.
        writes=1 + 1 + ceil(ADDED / 80) + ceil(REMOVED / 80),
    ),
    "exotel": ChangeSet(
        seed={
            "accounts": [{"sid": "bench1", "api_key": "a-key", "api_token": "a-key"}],
            "contacts": [{"generate": _many(0, LIVE)}],
            "lists": [{"name": "VIP", "members": _many(0, LIVE)}],
        },
        manifests="""\
apiVersion: exotel/v1
kind: Account
metadata: {name: main}
spec:
  accountSid: bench1
  baseUrl: URL
  auth: {apiKey: {env: BENCH_KEY}, apiToken: {env: BENCH_KEY}}
---
apiVersion: exotel/v1
kind: List
metadata: {name: vip}
spec: {name: VIP}
---
apiVersion: exotel/v1
kind: List
metadata: {name: new}
spec: {name: New}
---
apiVersion: exotel/v1
kind: Membership
metadata: {name: vip}
spec: {list: vip, mode: exact, missingContacts: create, contactsFrom: [{file: people.csv}]}
""",
        people=_DECLARED,
        # Lists, campaigns, five hundred members a page.
        reads=1 + 1 + ceil(LIVE / 500),
        # A list; the new people made at once and put on the list at once; each removal by itself.
        writes=1 + 1 + 1 + REMOVED,
    ),
    "contactcenter": ChangeSet(
        seed={
            "accounts": [
                {
                    "account_id": "0123456789abcdef0123456789abcdef",
                    "domain": "acme",
                    "users": [{"username": "bench", "password": "a-key"}],
                }
            ],
            "campaigns": [{"name": "Renewals", "status": "stopped", "leads": _leads(LIVE)}],
        },
        manifests="""\
apiVersion: contactcenter/v1
kind: Account
metadata: {name: main}
spec:
  baseUrl: URL
  accountId: 0123456789abcdef0123456789abcdef
  domain: acme
  auth: {username: bench, password: {env: BENCH_KEY}}
---
apiVersion: contactcenter/v1
kind: Campaign
metadata: {name: renewals}
spec: {name: Renewals}
---
apiVersion: contactcenter/v1
kind: Membership
metadata: {name: renewals}
spec: {campaign: renewals, mode: exact, contactsFrom: [{file: people.csv}]}
""",
        people=_DECLARED,
        # Campaigns, leads a page, and the look-back at who was called already.
        reads=1 + ceil(LIVE / 100) + 1,
        # Each lead by itself.
        writes=ADDED + REMOVED,
    ),
    "intelepeer": ChangeSet(
        seed={
            "accounts": [{"customerId": "1028811", "users": [{"username": "bench", "password": "a-key"}]}],
            "lists": [{"name": "VIP calls", "description": "VIPs", "headers": ["phone", "firstname"]}],
        },
        manifests="""\
apiVersion: intelepeer/v1
kind: Account
metadata: {name: main}
spec:
  baseUrl: URL
  membershipMode: append
  associateSemantics: add
  auth: {username: bench, password: {env: BENCH_KEY}}
---
apiVersion: intelepeer/v1
kind: List
metadata: {name: vip}
spec: {name: VIP calls, headers: [phone, firstname]}
---
apiVersion: intelepeer/v1
kind: List
metadata: {name: new}
spec: {name: New calls, headers: [phone, firstname]}
---
apiVersion: intelepeer/v1
kind: Membership
metadata: {name: vip}
spec: {list: vip, mode: additive, contactsFrom: [{file: people.csv}]}
""",
        people=range(FIRST, FIRST + LIVE),
        # Lists and campaigns without paging, and the one list whose members are about to grow.
        reads=1 + 1 + 1,
        # A list, a hundred people at a time.
        writes=1 + ceil(LIVE / 100),
    ),
}
