"""What happened in an apply: events in the order they were journalled, and the report they fold into. Pure.

An operation is one call, or one piece of bookkeeping that sends nothing (taking ownership, letting go). Counts are of
operations, and every planned operation is counted exactly once: what no event tells of was not attempted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeAlias, assert_never

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.masking import mask_text

RECOVERY = "recover"
"""The action of a change that this run did not plan: an operation left over from an earlier run was settled."""


class Outcome(StrEnum):
    """How an operation ended. BLOCKED: something it depends on did not get done. UNRESOLVED: it may have landed."""

    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    NOT_ATTEMPTED = "not-attempted"
    UNRESOLVED = "unresolved"


_GRAVEST_FIRST = (Outcome.UNRESOLVED, Outcome.FAILED, Outcome.BLOCKED, Outcome.NOT_ATTEMPTED, Outcome.DONE)


class PlannedChange(Struct, frozen=True, kw_only=True):
    """A change of the plan that is run, with its number of ``operations`` (at least 1 unless it is ``carried_by``)."""

    address: str
    action: str
    operations: int = 1
    carried_by: str = ""


class RunStarted(Struct, frozen=True, kw_only=True):
    """The first event of a run. ``changes`` are in order of application; times are RFC 3339 in UTC."""

    run_id: str
    started_at: str
    project: str = ""
    environment: str = ""
    changes: tuple[PlannedChange, ...] = ()


class OperationEvent(Struct, frozen=True, kw_only=True):
    """How ``count`` operations of one change ended.

    A later event with the same ``operation`` of the same address replaces the earlier one (an unresolved outcome that
    was settled); events without an ``operation`` all count. ``detail`` says why, ``hint`` what to do about it;
    neither may hold a number of a person. ``requests`` were sent, look-ups and retries included.
    """

    address: str
    title: str
    outcome: Outcome
    operation: str = ""
    count: int = 1
    requests: int = 0
    detail: str = ""
    hint: str = ""


class Interrupted(Struct, frozen=True, kw_only=True):
    """Somebody or something asked the run to stop: nothing new started after this."""


class Verified(Struct, frozen=True, kw_only=True):
    """A fresh plan was made after the run. ``reasons`` say what it still held, or why it could not be made.

    ``empty`` is None for one that holds nothing and was made without reading all of it."""

    empty: bool | None
    reasons: tuple[str, ...] = ()


class RunEnded(Struct, frozen=True, kw_only=True):
    """The last event. ``exit_code`` is the command's; ``resume`` the exact command that continues, if one would."""

    ended_at: str
    exit_code: int
    resume: str = ""


Event: TypeAlias = RunStarted | OperationEvent | Interrupted | Verified | RunEnded


class ReportedChange(Struct, frozen=True, kw_only=True):
    """How one change ended: the gravest outcome among its operations, and the ``detail`` and ``hint`` of that one."""

    address: str
    action: str
    outcome: Outcome
    operations: int = 0
    operations_done: int = 0
    detail: str = ""
    hint: str = ""


class Report(Struct, frozen=True, kw_only=True):
    """One run. ``counts`` has every outcome. ``ended_at`` and ``exit_code`` are None for a run that died.

    ``verified`` is None when no fresh plan was made; ``unverified`` says why it is not True.
    """

    run_id: str
    started_at: str
    project: str = ""
    environment: str = ""
    ended_at: str | None = None
    exit_code: int | None = None
    changes: tuple[ReportedChange, ...] = ()
    counts: Mapping[Outcome, int] = field(default_factory=dict)
    requests: int = 0
    verified: bool | None = None
    unverified: tuple[str, ...] = ()
    interrupted: bool = False
    resume: str = ""


def fold(events: Iterable[Event]) -> Report:
    """The report of one run's events. Raises ValueError when they do not begin with ``RunStarted``."""
    rest = iter(events)
    started = next(rest, None)
    if not isinstance(started, RunStarted):
        raise ValueError("a run begins with RunStarted")
    report = Report(
        run_id=started.run_id,
        started_at=started.started_at,
        project=started.project,
        environment=started.environment,
    )
    operations: list[OperationEvent] = []
    for event in rest:
        match event:
            case OperationEvent():
                operations.append(event)
            case Interrupted():
                report = replace(report, interrupted=True)
            case Verified(empty=empty, reasons=reasons):
                report = replace(report, verified=empty, unverified=() if empty else reasons)
            case RunEnded(ended_at=ended_at, exit_code=exit_code, resume=resume):
                report = replace(report, ended_at=ended_at, exit_code=exit_code, resume=resume)
            case RunStarted():
                raise ValueError("a run starts once")
            case _:
                assert_never(event)
    return _with_operations(report, started.changes, operations)


def _with_operations(report: Report, planned: Sequence[PlannedChange], operations: Sequence[OperationEvent]) -> Report:
    requests = sum(event.requests for event in operations)
    settled = _by_address(operations)
    known = {change.address for change in planned}
    strays = [PlannedChange(address=a, action=RECOVERY, operations=0) for a in sorted(settled.keys() - known)]
    counts = dict.fromkeys(Outcome, 0)
    changes: dict[str, ReportedChange] = {}
    for change in (*planned, *strays):
        ended = _ended(change, settled.get(change.address, ()))
        for event in ended:
            counts[event.outcome] += event.count
        changes[change.address] = _reported(change, ended)
    carried = tuple(_as_carrier(changes[c.address], c, changes) for c in (*planned, *strays))
    return replace(report, changes=carried, counts=counts, requests=requests)


def _by_address(operations: Iterable[OperationEvent]) -> dict[str, tuple[OperationEvent, ...]]:
    """The last event of every operation, by address, in the order in which the operations first appeared."""
    latest: dict[str, dict[object, OperationEvent]] = {}
    for number, event in enumerate(operations):
        latest.setdefault(event.address, {})[event.operation or number] = event
    return {address: tuple(found.values()) for address, found in latest.items()}


def _ended(change: PlannedChange, events: Sequence[OperationEvent]) -> tuple[OperationEvent, ...]:
    """What is known of a change's operations; those that nothing is known of were not attempted."""
    missing = change.operations - sum(event.count for event in events)
    if missing <= 0:
        return tuple(events)
    rest = OperationEvent(address=change.address, title="", outcome=Outcome.NOT_ATTEMPTED, count=missing)
    return (*events, rest)


def _reported(change: PlannedChange, events: Sequence[OperationEvent]) -> ReportedChange:
    outcomes = {event.outcome for event in events} or {Outcome.NOT_ATTEMPTED}
    outcome = next(o for o in _GRAVEST_FIRST if o in outcomes)
    telling = [event for event in events if event.outcome is outcome]
    cause = next((event for event in telling if event.detail), None)
    return ReportedChange(
        address=change.address,
        action=change.action,
        outcome=outcome,
        operations=sum(event.count for event in events),
        operations_done=sum(event.count for event in events if event.outcome is Outcome.DONE),
        detail=": ".join(text for text in (cause.title, cause.detail) if text) if cause else "",
        hint=next((event.hint for event in telling if event.hint), ""),
    )


def _as_carrier(reported: ReportedChange, change: PlannedChange, changes: dict[str, ReportedChange]) -> ReportedChange:
    """A change without calls of its own ended as the change did whose calls did its work."""
    carrier = changes.get(change.carried_by)
    if carrier is None or reported.operations:
        return reported
    return replace(reported, outcome=carrier.outcome, detail=f"with {carrier.address}", hint=carrier.hint)


def event_document(event: Event) -> dict[str, Any]:
    """An event as one JSON object with its ``type``; numbers of people are masked."""
    match event:
        case RunStarted():
            return {
                "type": "run-started",
                "run": event.run_id,
                "at": event.started_at,
                "operations": sum(c.operations for c in event.changes),
            }
        case OperationEvent():
            return {
                "type": "operation",
                "address": event.address,
                "title": event.title,
                "outcome": str(event.outcome),
                "count": event.count,
                "requests": event.requests,
                "detail": mask_text(event.detail),
                "hint": mask_text(event.hint),
            }
        case Interrupted():
            return {"type": "interrupted"}
        case Verified():
            return {"type": "verified", "empty": event.empty, "reasons": [mask_text(r) for r in event.reasons]}
        case RunEnded():
            return {"type": "run-ended", "at": event.ended_at, "exit": event.exit_code, "resume": event.resume}
        case _:
            assert_never(event)


def report_document(report: Report, *, show_pii: bool = False) -> dict[str, Any]:
    """The report in its JSON shape (``schemas/report.json``); numbers of people are masked unless ``show_pii``."""
    text = str if show_pii else mask_text
    return {
        "formatVersion": "1",
        "run": report.run_id,
        "project": report.project,
        "environment": report.environment,
        "startedAt": report.started_at,
        "endedAt": report.ended_at,
        "exit": report.exit_code,
        "interrupted": report.interrupted,
        "counts": {
            "done": report.counts.get(Outcome.DONE, 0),
            "failed": report.counts.get(Outcome.FAILED, 0),
            "blocked": report.counts.get(Outcome.BLOCKED, 0),
            "notAttempted": report.counts.get(Outcome.NOT_ATTEMPTED, 0),
            "unresolved": report.counts.get(Outcome.UNRESOLVED, 0),
        },
        "requests": report.requests,
        "changes": [
            {
                "address": change.address,
                "action": change.action,
                "outcome": change.outcome.value,
                "operations": change.operations,
                "operationsDone": change.operations_done,
                "detail": text(change.detail),
                "hint": text(change.hint),
            }
            for change in report.changes
        ],
        "verified": report.verified,
        "unverified": [text(reason) for reason in report.unverified],
        "resume": report.resume,
    }
