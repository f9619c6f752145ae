"""What needs something that is left out waits for it, and keeps nothing else from being applied."""

from __future__ import annotations

from repository import Repository

LISTS = """\
apiVersion: slicktext/v1
kind: List
metadata: {name: join}
spec: {name: Join}
---
apiVersion: slicktext/v1
kind: List
metadata: {name: vip}
spec: {name: VIP}
---
apiVersion: slicktext/v1
kind: Membership
metadata: {name: people}
spec: {list: join, mode: additive, missingContacts: create, contacts: [{number: "+12025550123"}]}
"""


def test_what_needs_something_excluded_is_held_back(texts: Repository) -> None:
    texts.write("lists.yaml", LISTS)
    without = ("--exclude", "main/List/join")
    plan = texts.plan(*without)
    assert (plan.code, plan.changes()) == (0, [("create", "List/vip")])
    told = {d["code"]: d["address"] for d in plan.json["diagnostics"]}
    assert told == {"held-back": "main/Membership/people"}
    texts.apply(*without)
    assert len(texts.writes()) == 1
    texts.apply()
    texts.settled()


def test_what_is_asked_for_alone_needs_what_it_needs(texts: Repository) -> None:
    texts.write("lists.yaml", LISTS)
    plan = texts.plan("--select", "main/Membership/people")
    assert plan.code == 3
    assert {d["code"] for d in plan.json["diagnostics"]} == {"excluded-dependency"}
    assert texts.writes() == []
