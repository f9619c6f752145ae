"""Plan and report documents made by hand and by Hypothesis, for the tests of the renderers."""

from __future__ import annotations

import unicodedata
from typing import Any

from hypothesis import strategies as st

ACTIONS = ("create", "update", "replace", "delete", "adopt", "forget")
KINDS = ("List", "Campaign", "Association", "Membership")
CLASSES = ("silent", "may-notify", "starts-contacting")
OUTCOMES = ("done", "failed", "blocked", "not-attempted", "unresolved")
HOSTILE = (
    "\x1b[2K\x1b[1A",
    "\x1b]52;c;aGk=\x07",
    "one\n0 to delete",
    "\r\x85\u2028\u2029",
    "a\u202eb\u2066c\u200bd\ufeff",
    "::add-mask::x",
    "\n::error::x",
    "##[command]rm",
    "###[group]",
    "##vso[task.complete]",
    "section_start:1:x\r\x1b[0K",
    "\x7f\x9b31m",
    "\ud800",
    "\U000e0041",
    '" -> "forged',
)

ordinary = st.text(
    st.sampled_from("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789 .,-_/'\"\\éßñÅЖд営業日本한국🎉ñ—…"), max_size=90
)
hostile = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8)), min_size=1, max_size=4).map("".join)


def summary(**counts: int) -> dict[str, int]:
    names = (*ACTIONS, "associate", "membersAdd", "membersRemove", "membersChange")
    return dict.fromkeys((*names, "calls", "reach", "mayNotify", "startsContacting"), 0) | counts


def change(address: str = "main/List/join", action: str = "create", **more: Any) -> dict[str, Any]:
    account, kind, name = address.split("/", 2)
    plain: dict[str, Any] = {
        "address": address,
        "account": account,
        "provider": "slicktext",
        "kind": kind,
        "name": name,
        "action": action,
        "reason": "",
        "contactClass": "silent",
        "deltas": [],
        "members": None,
        "reach": 0,
        "calls": 1,
        "carriedBy": None,
        "requires": [],
        "approvals": [],
        "source": None,
    }
    return plain | more


def members(**counts: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"add": 0, "remove": 0, "change": 0, "unchanged": 0, "reach": 0, "create": 0}
    return plain | {"examples": {"add": [], "remove": [], "change": []}} | counts


def problem(**more: Any) -> dict[str, Any]:
    plain = {"code": "some-code", "severity": "error", "message": "it cannot be", "hint": "", "address": ""}
    return {**plain, "source": None, "excerpt": "", **more}


def plan(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    counts = summary(**{a: sum(c["action"] == a for c in changes) for a in ACTIONS}, calls=len(changes))
    plain: dict[str, Any] = {
        "formatVersion": "1",
        "tool": "reconciler 0.1.0",
        "project": "acme",
        "environment": "",
        "createdAt": "2026-11-21T20:14:05Z",
        "expiresAt": "2026-11-22T20:14:05Z",
        "digest": "",
        "accounts": [],
        "changes": list(changes),
        "summary": counts,
        "guards": [],
        "unmanaged": [],
        "diagnostics": [],
        "reads": {},
    }
    return plain | more


def report(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "formatVersion": "1",
        "run": "2026-11-21T20.14-7f3a",
        "project": "acme",
        "environment": "",
        "startedAt": "2026-11-21T20:14:05Z",
        "endedAt": "2026-11-21T20:15:05Z",
        "exit": 0,
        "interrupted": False,
        "counts": {"done": 0, "failed": 0, "blocked": 0, "notAttempted": 0, "unresolved": 0},
        "requests": 0,
        "changes": list(changes),
        "verified": True,
        "unverified": [],
        "resume": "",
    }
    return plain | more


def sources(text: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    number = st.integers(1, 120)
    return st.fixed_dictionaries({"file": text, "line": number, "column": number, "length": st.integers(0, 40)})


def problems(text: st.SearchStrategy[str], addresses: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "code": text,
            "severity": st.sampled_from(["error", "warning", "note"]),
            "message": text,
            "hint": text,
            "address": st.one_of(st.just(""), addresses),
            "source": st.one_of(st.none(), sources(text)),
            "excerpt": text,
        },
        optional={"policy": text},
    )


@st.composite
def changes(draw: st.DrawFn, text: st.SearchStrategy[str], names: st.SearchStrategy[str]) -> dict[str, Any]:
    counts = st.integers(0, 2_000_000)
    values = st.one_of(st.none(), st.booleans(), st.integers(), text, st.lists(text, max_size=3))
    kind = draw(st.sampled_from(KINDS))
    examples = st.fixed_dictionaries({key: st.lists(text, max_size=3) for key in ("add", "remove", "change")})
    figures = st.fixed_dictionaries(
        dict.fromkeys(("add", "remove", "change", "unchanged", "reach", "create"), counts) | {"examples": examples}
    )
    deltas = st.fixed_dictionaries({"path": names, "live": values, "desired": values})
    return change(
        f"{draw(names)}/{kind}/{draw(names)}",
        draw(st.sampled_from(ACTIONS)),
        reason=draw(text),
        contactClass=draw(st.sampled_from(CLASSES)),
        deltas=draw(st.lists(deltas, max_size=3)),
        members=draw(figures) if kind == "Membership" else None,
        reach=draw(counts),
        calls=draw(counts),
        carriedBy=draw(st.one_of(st.none(), names)),
        requires=draw(st.lists(names, max_size=3)),
        source=draw(st.one_of(st.none(), sources(names))),
    )


@st.composite
def plans(draw: st.DrawFn, text: st.SearchStrategy[str], names: st.SearchStrategy[str]) -> dict[str, Any]:
    some = draw(st.lists(changes(text, names), max_size=4))
    addresses = st.sampled_from([c["address"] for c in some] or ["main/List/other"])
    accounts = st.fixed_dictionaries(
        {
            "name": names,
            "provider": names,
            "identity": text,
            "counts": st.dictionaries(st.sampled_from(["lists", "campaigns", "members"]), st.integers(0, 10**7)),
            "problem": st.one_of(st.none(), problems(text, addresses)),
        }
    )
    reads = st.fixed_dictionaries({"requests": st.integers(0, 10**5), "elapsedSeconds": st.floats(0, 10**4)})
    guards = st.fixed_dictionaries(
        {"guard": names, "account": names, "actual": st.just(2), "limit": st.just(1), "message": text, "lift": names}
    )
    calls = st.fixed_dictionaries(
        {
            "address": addresses,
            "title": text,
            "method": st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
            "path": text,
            "body": st.recursive(
                st.one_of(st.none(), st.booleans(), st.integers(), text),
                lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(text, inner, max_size=3)),
                max_leaves=8,
            ),
            "count": st.integers(1, 10**5),
            "contactClass": st.sampled_from(CLASSES),
        }
    )
    figures = draw(st.fixed_dictionaries({key: st.integers(0, 10**6) for key in summary()}))
    unmanaged = st.fixed_dictionaries({"account": names, "kind": st.sampled_from(KINDS), "count": st.integers(1, 99)})
    return plan(
        *some,
        environment=draw(st.one_of(st.just(""), names)),
        summary=figures,
        accounts=draw(st.lists(accounts, max_size=3)),
        guards=draw(st.lists(guards, max_size=2)),
        unmanaged=draw(st.lists(unmanaged, max_size=2)),
        diagnostics=draw(st.lists(problems(text, addresses), max_size=3)),
        reads=draw(st.dictionaries(names, reads, max_size=3)),
        **({"calls": draw(st.lists(calls, max_size=3))} if draw(st.booleans()) else {}),
    )


@st.composite
def reports(draw: st.DrawFn, text: st.SearchStrategy[str]) -> dict[str, Any]:
    ended = st.fixed_dictionaries(
        {
            "address": text,
            "action": st.sampled_from(ACTIONS),
            "outcome": st.sampled_from(OUTCOMES),
            "operations": st.integers(0, 10**6),
            "operationsDone": st.integers(0, 10**6),
            "detail": text,
            "hint": text,
        }
    )
    counts = st.fixed_dictionaries({k: st.integers(0, 10**6) for k in report()["counts"]})
    return report(
        *draw(st.lists(ended, max_size=5)),
        counts=draw(counts),
        exit=draw(st.one_of(st.none(), st.integers(0, 143))),
        interrupted=draw(st.booleans()),
        verified=draw(st.one_of(st.none(), st.booleans())),
        unverified=draw(st.lists(text, max_size=2)),
        run=draw(text),
        resume=draw(text),
    )


def moves_the_cursor(text: str) -> list[str]:
    """The characters, LF aside, that a terminal obeys or that have no shape."""
    dangerous = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return [c for c in text if c != "\n" and unicodedata.category(c) in dangerous]


@st.composite
def drifts(draw: st.DrawFn, text: st.SearchStrategy[str], names: st.SearchStrategy[str]) -> dict[str, Any]:
    states = ("drifted", "pending", "conflict", "missing", "unmanaged")
    accepted = st.sampled_from(["", "ignored", "observed", "waived"])
    counts = st.integers(0, 2_000_000)
    values = st.one_of(st.none(), st.booleans(), st.integers(), text, st.lists(text, max_size=3))
    sets = ("appeared", "vanished", "changed", "pendingAdd", "pendingRemove", "pendingChange")
    fields = {
        "path": names,
        "lastApplied": values,
        "live": values,
        "desired": values,
        "state": st.sampled_from(states[:3]),
        "accepted": accepted,
    }
    members = dict.fromkeys((*sets, "unchanged"), counts) | {
        "unseen": st.integers(-99, 99),
        "examples": st.fixed_dictionaries({name: st.lists(text, max_size=3) for name in sets}),
    }
    items = []
    for _ in range(draw(st.integers(0, 4))):
        account, kind = draw(names), draw(st.sampled_from(KINDS))
        items.append(
            {
                "address": f"{account}/{kind}/{draw(names)}",
                "account": account,
                "provider": draw(names),
                "kind": kind,
                "title": draw(text),
                "state": draw(st.sampled_from(states)),
                "reason": draw(text),
                "accepted": draw(accepted),
                "waiver": draw(text),
                "fields": draw(st.lists(st.fixed_dictionaries(fields), max_size=3)),
                "members": draw(st.one_of(st.none(), st.fixed_dictionaries(members))),
                "dependents": draw(st.lists(text, max_size=2)),
                "source": draw(st.one_of(st.none(), sources(text))),
                "remedy": draw(text),
            }
        )
    addresses = st.sampled_from([i["address"] for i in items] or ["main/List/other"])
    summary = draw(st.fixed_dictionaries(dict.fromkeys((*states, "accepted", "compared", "inOrder"), counts)))
    problem = st.one_of(st.none(), problems(text, addresses))
    accounts = st.fixed_dictionaries(
        {"name": names, "provider": names, "identity": text, "counts": st.just({}), "problem": problem}
    )
    return {
        "formatVersion": "1",
        "tool": "reconciler 0.1.0",
        "project": draw(text),
        "environment": draw(text),
        "createdAt": "2026-11-22T06:00:00Z",
        "accounts": draw(st.lists(accounts, max_size=2)),
        "items": items,
        "summary": summary,
        "diagnostics": draw(st.lists(problems(text, addresses), max_size=3)),
    }
