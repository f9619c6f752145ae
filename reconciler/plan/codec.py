"""A plan as its JSON document (``schemas/plan.json``): what every format is drawn from, live or saved.

Masking happens here, so that nothing downstream can leak: numbers are masked, and a contact's other attributes never
leave the columns. ``show_pii`` is the one way around it, and a saved plan never takes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from reconciler.diagnostics import Diagnostic, Span
from reconciler.masking import mask_in_place, mask_number, mask_text
from reconciler.model.addresses import Kind
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import ContactClass
from reconciler.model.resources import FieldValue
from reconciler.plan.calls import Call, Column, Each, EachPart, Json, Ref, Step
from reconciler.plan.changes import ACTIONS, AccountRead, Change, Create, MemberDelta, Plan, action, people_reached
from reconciler.plan.order import steps_in_order
from reconciler.plan.quiet import Waiting

FORMAT_VERSION = "1"
LATER = "(known after apply)"
HIDDEN = "•••"
EXAMPLES = 3
LISTED_CALLS = 50
LISTED_ROWS = 5
"""A step over many people is shown by its first calls, and a bulk body by its first rows; the rest is counted."""


def encode(
    plan: Plan,
    *,
    tool: str,
    digest: str = "",
    created_at: str = "",
    expires_at: str = "",
    show_pii: bool = False,
    calls: bool = False,
    timings: bool = True,
    waits: Iterable[Waiting] | None = None,
    estimate_s: float | None = None,
) -> dict[str, Any]:
    """The document. Times are RFC 3339 in UTC. ``timings`` adds what was measured, which is never the same twice.

    ``waits`` is what would be held back now; None where nobody declared quiet hours and nothing is. ``estimate_s`` is
    how long the calls take, by what was measured.
    """
    document: dict[str, Any] = {
        "formatVersion": FORMAT_VERSION,
        "tool": tool,
        "project": plan.project,
        "environment": plan.environment,
        "createdAt": created_at,
        "expiresAt": expires_at,
        "digest": digest,
        "accounts": [account_document(a, show_pii) for a in plan.accounts],
        "changes": [_change(c, show_pii) for c in plan.changes],
        "summary": summary(plan),
        "guards": [
            {
                "guard": g.guard,
                "account": g.account,
                "actual": round(g.actual, 1),
                "limit": g.limit,
                "message": g.message,
                "lift": g.lift,
            }
            for g in plan.guards
        ],
        "unmanaged": [{"account": a, "kind": k, "count": n} for a, k, n in plan.unmanaged],
        "diagnostics": [diagnostic(d, show_pii) for d in plan.diagnostics],
        "reads": {
            a.name: {"requests": a.requests, "elapsedSeconds": round(a.elapsed_s, 2)}
            for a in plan.accounts
            if timings and a.problem is None
        },
    }
    if timings and estimate_s is not None and plan.call_count:
        document["estimate"] = {"seconds": round(estimate_s, 1)}
    if waits is not None:
        document["waits"] = [_wait(w, show_pii) for w in waits]
    if calls:
        document["calls"] = [c for change, step in steps_in_order(plan.changes) for c in _calls(change, step, show_pii)]
    return document


def summary(plan: Plan) -> dict[str, int]:
    """Flat counts, every one always present."""
    counts = dict.fromkeys(ACTIONS.values(), 0)
    for change in plan.changes:
        counts[action(change)] += 1
    members = [c.members for c in plan.changes if c.members is not None]
    by_class = {
        cls: people_reached(c for c in plan.changes if c.contact_class is cls)
        for cls in (ContactClass.MAY_NOTIFY, ContactClass.STARTS_CONTACTING)
    }
    return counts | {
        "associate": sum(isinstance(c, Create) and c.address.kind is Kind.ASSOCIATION for c in plan.changes),
        "membersAdd": sum(len(m.add) for m in members),
        "membersRemove": sum(len(m.remove) for m in members),
        "membersChange": sum(len(m.change) for m in members),
        "calls": plan.call_count,
        "reach": plan.reach,
        "mayNotify": by_class[ContactClass.MAY_NOTIFY],
        "startsContacting": by_class[ContactClass.STARTS_CONTACTING],
    }


def _wait(wait: Waiting, show_pii: bool) -> dict[str, Any]:
    times = sorted(wait.people.items(), key=lambda item: (item[0] is None, str(item[0])))
    return {
        "address": str(wait.address),
        "title": wait.title,
        "people": wait.count,
        "whole": wait.whole,
        "scheduled": _stamp(wait.at),
        "until": _stamp(wait.until),
        "times": [{"from": _stamp(at), "people": people} for at, people in times],
        "reason": wait.reason if show_pii else mask_text(wait.reason),
    }


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def diagnostic(problem: Diagnostic, show_pii: bool = False) -> dict[str, Any]:
    """A diagnostic as JSON; numbers masked, also in the quoted line."""
    mask = _same if show_pii else mask_text
    return {
        "code": problem.code,
        "severity": str(problem.severity),
        "message": mask(problem.message),
        "hint": mask(problem.hint),
        "address": problem.address,
        "source": span_document(problem.source),
        "excerpt": problem.excerpt if show_pii else mask_in_place(problem.excerpt),
        **({"policy": problem.policy} if problem.policy else {}),
    }


def _same(text: str) -> str:
    return text


def span_document(span: Span | None) -> dict[str, Any] | None:
    """A place as JSON."""
    if span is None:
        return None
    return {"file": span.file, "line": span.line, "column": span.column, "length": span.length}


def account_document(account: AccountRead, show_pii: bool) -> dict[str, Any]:
    """What was read of an account, as JSON."""
    return {
        "name": account.name,
        "provider": account.provider,
        "identity": account.identity,
        "counts": dict(account.counts),
        "problem": diagnostic(account.problem, show_pii) if account.problem else None,
        **({"counted": [*map(str, account.counted)]} if account.counted else {}),
    }


def _change(change: Change, show_pii: bool) -> dict[str, Any]:
    address = change.address
    return {
        "address": str(address),
        "account": address.account,
        "provider": change.provider,
        "kind": str(address.kind),
        "name": address.name,
        "action": action(change),
        "reason": change.reason,
        "contactClass": str(change.contact_class),
        "deltas": [
            {"path": d.path, "live": field_value(d.live, show_pii), "desired": field_value(d.desired, show_pii)}
            for d in change.deltas
        ],
        "members": None if change.members is None else _members(change, change.members, show_pii),
        "reach": change.reach.count,
        "calls": change.call_count,
        "carriedBy": str(change.carried_by) if change.carried_by else None,
        "requires": [str(a) for a in change.requires],
        "approvals": sorted(change.approvals),
        "source": span_document(change.source),
    }


def field_value(value: FieldValue, show_pii: bool = False) -> Any:
    """A field as JSON, numbers masked; what has no order comes out sorted."""
    match value:
        case str():
            return value if show_pii else mask_text(value)
        case None:  # as live as anything is that is about to be created
            return None
        case frozenset():
            return sorted(str(field_value(v, show_pii)) for v in value)
        case tuple():
            return [field_value(v, show_pii) for v in value]
        case Mapping():
            return {k: field_value(value[k], show_pii) for k in sorted(value)}
        case _:
            return value


def _members(change: Change, members: MemberDelta, show_pii: bool) -> dict[str, Any]:
    def shown(contacts: ContactSet) -> list[str]:
        return [n if show_pii else mask_number(n) for n in contacts.head(EXAMPLES).numbers()]

    return {
        "add": len(members.add),
        "remove": len(members.remove),
        "change": len(members.change),
        "unchanged": members.unchanged,
        "reach": change.reach.count,
        "create": len(members.create),
        "examples": {"add": shown(members.add), "remove": shown(members.remove), "change": shown(members.change)},
    }


def _calls(change: Change, step: Step, show_pii: bool) -> Iterator[dict[str, Any]]:
    """One entry a request; those past ``LISTED_CALLS`` of one step are one entry with their count."""

    def entry(call: Call, count: int) -> dict[str, Any]:
        return {
            "address": str(change.address),
            "title": step.title,
            "method": str(call.method),
            "path": "/" + "/".join(p if isinstance(p, str) else LATER for p in call.path) + _query(call, show_pii),
            "body": _json(call.body, show_pii),
            "count": count,
            "contactClass": str(step.contact_class),
        }

    shown = [*islice(step.batches(), LISTED_CALLS)]
    for batch in shown:
        yield entry(_previewed(batch, show_pii), 1)
    if (rest := step.count - len(shown)) > 0:
        yield entry(step.call, rest)


def _previewed(batch: Step, show_pii: bool) -> Call:
    """A single-call step as it would be sent, with people masked and long arrays cut."""
    if batch.rows is None or show_pii:
        return batch.request({})
    count = len(batch.rows)
    kept = batch.rows.slice(0, LISTED_ROWS)
    columns = {name: [_cell(name, v) for v in kept.column(name)] for name in kept.columns}
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    body = _filled(batch.call.body, rows, count)
    path = tuple(_path_part(p, rows[0] if rows else {}) for p in batch.call.path)
    return Call(method=batch.call.method, path=path, query=batch.call.query, body=body)


def _cell(name: str, value: str | None) -> str | None:
    """What may be shown of one cell: ids are nobody's secret, numbers are masked, everything else is hidden."""
    if value is None or name == "contact_id":
        return value
    return mask_number(value) if name == "number" else HIDDEN


def _path_part(part: str | Ref | Column, row: Mapping[str, str | None]) -> str | Ref | Column:
    return (row.get(part.name) or part) if isinstance(part, Column) else part


def _filled(body: Json, rows: list[dict[str, str | None]], count: int) -> Json:
    first = rows[0] if rows else {}
    match body:
        case Column(name, as_int):
            value = first.get(name)
            if value is None:
                return body if name == "contact_id" else None
            return int(value) if as_int and value.isdigit() else value
        case Each(item):
            more = (f"… {count - len(rows)} more",) if count > len(rows) else ()
            return (*(_filled(item, [r], 1) for r in rows), *more)
        case tuple():
            return tuple(_filled(x, rows, count) for x in body)
        case Mapping():
            filled = {k: _filled(v, rows, count) for k, v in body.items()}
            return {k: v for k, v in filled.items() if v is not None or not isinstance(body[k], Column)}
        case _:
            return body


def _query(call: Call, show_pii: bool) -> str:
    if not call.query:
        return ""
    return "?" + "&".join(f"{k}={v if show_pii else mask_text(v)}" for k, v in call.query)


def _json(body: Json, show_pii: bool) -> Any:
    match body:
        case Ref() | Column() | Each() | EachPart():
            return LATER
        case str():
            return body if show_pii else mask_text(body)
        case tuple():
            return [_json(v, show_pii) for v in body]
        case Mapping():
            return {k: _json(v, show_pii) for k, v in body.items()}
        case _:
            return body
