"""The SQL behind runs and their operations."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, select, text, update

from reconciler.errors import Refused, StalePlan, StoreError
from reconciler.masking import mask_text
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.hashes import MemberHashes
from reconciler.model.kinds import ContactClass
from reconciler.plan.calls import Method, Phase
from reconciler.store.codec import (
    decoding,
    dump_counts,
    dump_fields,
    load_counts,
    load_fields,
    pack_hashes,
    pack_ids,
    unpack_ids,
)
from reconciler.store.inventory import upsert
from reconciler.store.prepared import Prepared
from reconciler.store.records import Intent, OperationRecord, OperationState, OpId, Outcome, RunRecord
from reconciler.store.schema import id_sets, microseconds, operations, runs, used_plans

_NOTE_LENGTH = 1000
_ID_ATTEMPTS = 20
_UNSETTLED = text("state IN ('intent', 'unknown', 'unresolved')")
"""Spelled as in the partial index, and without parameters: otherwise the index is not used."""

_NOT_YET = ("recorded_at", "recorded_by", "remote_id")
_INTEND = Prepared(
    lambda dialect: insert(operations).values(
        {column.name: bindparam(column.name) for column in operations.c if column.name not in _NOT_YET}
    )
)
_RECORD = Prepared(
    lambda dialect: (
        update(operations)
        .where(
            operations.c.namespace == bindparam("its_namespace"),
            operations.c.run == bindparam("its_run"),
            operations.c.seq == bindparam("its_seq"),
            _UNSETTLED,
        )
        .values(
            {name: bindparam(name) for name in ("state", "remote_id", "note", "recorded_at", "recorded_by")},
        )
    )
)


def insert_run(
    connection: Connection,
    namespace: str,
    *,
    command: str,
    tool_version: str,
    plan_digest: str,
    request_id: str,
    now: datetime,
) -> str:
    """The id of a new run, ``2026-11-21T20.14.05-7f3a``. Raises Refused for a request that was made before."""
    if request_id and (earlier := find_request(connection, namespace, request_id)):
        raise Refused(
            f"request {request_id} was made before, by run {earlier.id}",
            hint=f"`reconciler history show {earlier.id}` says what came of it",
        )
    values = {
        "namespace": namespace,
        "command": command,
        "tool_version": tool_version,
        "plan_digest": plan_digest,
        "request_id": request_id or None,
        "started_at": now,
        "counts": "{}",
    }
    for _ in range(_ID_ATTEMPTS):
        run = f"{now:%Y-%m-%dT%H.%M.%S}-{secrets.token_hex(2)}"
        if upsert(connection, runs, {**values, "id": run}, replacing=False):
            return run
    raise StoreError("no free run id was found for this second", hint="try again")


def end_run(
    connection: Connection, namespace: str, run: str, *, exit_code: int, counts: Mapping[str, int], now: datetime
) -> None:
    """Raises StoreError when the run has ended already."""
    where = (runs.c.namespace == namespace, runs.c.id == run, runs.c.ended_at.is_(None))
    values = {"ended_at": now, "exit_code": exit_code, "counts": dump_counts(counts)}
    if connection.execute(update(runs).where(*where).values(values)).rowcount != 1:
        raise StoreError(f"run {run} is not open")


def read_runs(connection: Connection, namespace: str, *conditions: ColumnElement[bool]) -> tuple[RunRecord, ...]:
    """The runs that meet ``conditions``, newest first."""
    found = connection.execute(
        select(runs).where(runs.c.namespace == namespace, *conditions).order_by(runs.c.started_at.desc(), runs.c.id)
    )
    with decoding("a run"):
        return tuple(_run(row) for row in found)


def find_request(connection: Connection, namespace: str, request_id: str) -> RunRecord | None:
    found = read_runs(connection, namespace, runs.c.request_id == request_id)
    return found[0] if found else None


def insert_intents(
    connection: Connection, namespace: str, run: str, first: int, intents: Sequence[Intent], now: datetime
) -> tuple[OpId, ...]:
    """Numbers ``intents`` from ``first``."""
    common = {"namespace": namespace, "run": run, "intended_at": microseconds(now)}
    rows = [_intent_row(connection, intent) | common | {"seq": seq} for seq, intent in enumerate(intents, first)]
    _INTEND.run(connection, rows)
    return tuple(OpId(row["seq"]) for row in rows)


def write_outcomes(
    connection: Connection,
    namespace: str,
    run: str,
    outcomes: Iterable[Outcome],
    *,
    recorded_by: str,
    now: datetime,
) -> None:
    """Raises StoreError for an operation that does not exist or has its final outcome: the first one stands."""
    rows = [
        {
            "its_namespace": namespace,
            "its_run": run,
            "its_seq": outcome.op,
            "state": str(outcome.state),
            "remote_id": outcome.remote_id,
            "note": mask_text(outcome.note)[:_NOTE_LENGTH],
            "recorded_at": microseconds(now),
            "recorded_by": recorded_by,
        }
        for outcome in outcomes
    ]
    if rows and _RECORD.run(connection, rows) != len(rows):
        numbers = ", ".join(str(row["its_seq"]) for row in rows)
        raise StoreError(f"of the operations {numbers} of run {run} at least one is not open")


def first_start(connection: Connection, namespace: str) -> datetime | None:
    """When the oldest run began, None when there is none."""
    found = connection.execute(
        select(runs.c.started_at).where(runs.c.namespace == namespace).order_by(runs.c.started_at).limit(1)
    )
    return found.scalar_one_or_none()


def read_operations(connection: Connection, namespace: str, run: str) -> tuple[OperationRecord, ...]:
    return _operations(connection, operations.c.namespace == namespace, operations.c.run == run)


def read_unsettled(
    connection: Connection, namespace: str, states: frozenset[OperationState]
) -> tuple[OperationRecord, ...]:
    found = _operations(connection, operations.c.namespace == namespace, _UNSETTLED)
    return tuple(operation for operation in found if operation.state in states)


def insert_used_plan(connection: Connection, namespace: str, digest: str, run: str, now: datetime) -> None:
    """Raises StalePlan when the plan was used before."""
    values = {"namespace": namespace, "digest": digest, "run": run, "used_at": now}
    if not upsert(connection, used_plans, values, replacing=False):
        raise StalePlan("this plan has been applied before", hint="plan again: `reconciler plan --out FILE`")


def is_used_plan(connection: Connection, namespace: str, digest: str) -> bool:
    where = (used_plans.c.namespace == namespace, used_plans.c.digest == digest)
    return connection.execute(select(used_plans.c.digest).where(*where)).first() is not None


def _intent_row(connection: Connection, intent: Intent) -> dict[str, Any]:
    return {
        "address": str(intent.address),
        "title": mask_text(intent.title),
        "phase": int(intent.phase),
        "method": str(intent.method),
        "path": intent.path,
        "contact_class": str(intent.contact_class),
        "row_count": intent.rows,
        "effect": dump_fields(intent.effect),
        "known_ids": _id_set(connection, intent.known_ids) if intent.known_ids else None,
        "members": pack_hashes(intent.members),
        "state": str(OperationState.INTENT),
        "not_after": microseconds(intent.not_after),
        "note": "",
    }


def _id_set(connection: Connection, ids: frozenset[str]) -> str:
    """The digest of ``ids``, which are stored when they are not yet."""
    digest, packed = pack_ids(ids)
    known = connection.execute(select(id_sets.c.digest).where(id_sets.c.digest == digest)).first()
    if known is None:
        upsert(connection, id_sets, {"digest": digest, "ids": packed}, replacing=False)
    return digest


def _operations(connection: Connection, *conditions: Any) -> tuple[OperationRecord, ...]:
    found = connection.execute(select(operations).where(*conditions).order_by(operations.c.run, operations.c.seq))
    rows = found.all()
    digests = {row.known_ids for row in rows if row.known_ids is not None}
    sets = {digest: _read_id_set(connection, digest) for digest in sorted(digests)}
    with decoding("an operation"):
        return tuple(_operation(row, sets) for row in rows)


def _read_id_set(connection: Connection, digest: str) -> frozenset[str]:
    packed = connection.execute(select(id_sets.c.ids).where(id_sets.c.digest == digest)).scalar_one()
    with decoding("known ids"):
        return unpack_ids(packed)


def _operation(row: Row[Any], sets: Mapping[str, frozenset[str]]) -> OperationRecord:
    intent = Intent(
        address=Address.parse(row.address),
        title=row.title,
        phase=Phase(row.phase),
        method=Method(row.method),
        path=row.path,
        not_after=row.not_after,
        contact_class=ContactClass(row.contact_class),
        rows=row.row_count,
        effect=load_fields(row.effect),
        known_ids=sets[row.known_ids] if row.known_ids is not None else frozenset(),
        members=MemberHashes.unpacked(row.members),
    )
    return OperationRecord(
        run=row.run,
        op=OpId(row.seq),
        intent=intent,
        state=OperationState(row.state),
        intended_at=row.intended_at,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        remote_id=None if row.remote_id is None else RemoteId(row.remote_id),
        note=row.note,
    )


def _run(row: Row[Any]) -> RunRecord:
    return RunRecord(
        id=row.id,
        command=row.command,
        tool_version=row.tool_version,
        plan_digest=row.plan_digest,
        request_id=row.request_id or "",
        started=row.started_at,
        ended=row.ended_at,
        exit_code=row.exit_code,
        counts=load_counts(row.counts, str),
    )
