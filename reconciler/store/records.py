"""What the journal is told and what it tells: intents, outcomes, operations and runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NewType, assert_never

from msgspec import Struct, field

from reconciler.model.addresses import Address, RemoteId
from reconciler.model.hashes import NO_MEMBERS, MemberHashes
from reconciler.model.kinds import ContactClass
from reconciler.model.resources import Fields
from reconciler.plan.calls import (
    Call,
    Changed,
    Column,
    ContactsChanged,
    ContactsCreated,
    Created,
    Deleted,
    Effect,
    Linked,
    MembersAdded,
    MembersRemoved,
    Method,
    Phase,
    Ref,
    Step,
    Target,
)

OpId = NewType("OpId", int)
"""An operation's number within its run, from 1 in the order of the intents."""


class OperationState(StrEnum):
    """How far an operation got.

    INTENT: about to be sent, or sent and not heard of. DONE: it is so. REJECTED: the provider refused. NOT_PROCESSED:
    it certainly never took effect. UNKNOWN: sent without a usable answer. UNRESOLVED: looked up and still not clear, a
    person is needed. VOID: never sent, or looked up and found not to have landed.
    """

    INTENT = "intent"
    DONE = "done"
    REJECTED = "rejected"
    NOT_PROCESSED = "not-processed"
    UNKNOWN = "unknown"
    UNRESOLVED = "unresolved"
    VOID = "void"

    @property
    def open(self) -> bool:
        """Whether it may still turn out to have taken effect without our knowing."""
        return self in {self.INTENT, self.UNKNOWN, self.UNRESOLVED}


class Intent(Struct, frozen=True, kw_only=True):
    """One request that is about to be sent. Whoever sends it promises not to begin after ``not_after``.

    ``path`` is a template: ids that are yet to come and contacts' values are placeholders. ``known_ids`` already
    matched before. ``members`` are the keyed hashes of the people in the request. ``effect`` describes what it makes
    true, without field values: enough to look for a created object when its manifest is gone.
    """

    address: Address
    title: str
    phase: Phase
    method: Method
    path: str
    not_after: datetime
    contact_class: ContactClass = ContactClass.SILENT
    rows: int = 0
    effect: Fields = field(default_factory=dict)
    known_ids: frozenset[str] = frozenset()
    members: MemberHashes = NO_MEMBERS

    def __post_init__(self) -> None:
        if self.not_after.tzinfo is None:
            raise ValueError("not_after needs a time zone")


def intent_of(address: Address, step: Step, *, not_after: datetime, members: MemberHashes = NO_MEMBERS) -> Intent:
    """The intent of a single-call step (see ``Step.batches``)."""
    return Intent(
        address=address,
        title=step.title,
        phase=step.phase,
        method=step.call.method,
        path=path_template(step.call),
        not_after=not_after,
        contact_class=step.contact_class,
        rows=0 if step.rows is None else len(step.rows),
        effect=described(step.effect),
        known_ids=_known_ids(step.effect),
        members=members,
    )


def path_template(call: Call) -> str:
    """The path with ``{address}`` for an id that is yet to come and ``{column}`` for a contact's value."""

    def segment(part: str | Ref | Column) -> str:
        match part:
            case Ref(address):
                return f"{{{address}}}"
            case Column(name):
                return f"{{{name}}}"
            case _:
                return part

    return "/" + "/".join(segment(part) for part in call.path)


def described(effect: Effect) -> Fields:
    """What ``effect`` is about: which kind, name and objects; never field values or people."""
    match effect:
        case Created(kind=kind, name=name):
            return {"effect": "created", "kind": str(kind), "name": name}
        case Changed(kind=kind, target=target):
            return {"effect": "changed", "kind": str(kind), "target": _named(target)}
        case Deleted(kind=kind, target=target):
            return {"effect": "deleted", "kind": str(kind), "target": _named(target)}
        case Linked(campaign=campaign, lists=lists):
            return {"effect": "linked", "campaign": _named(campaign), "lists": tuple(_named(x) for x in lists)}
        case ContactsCreated():
            return {"effect": "contacts-created"}
        case ContactsChanged(columns=columns):
            return {"effect": "contacts-changed", "columns": columns}
        case MembersAdded(of=of):
            return {"effect": "members-added", "of": _named(of)}
        case MembersRemoved(of=of):
            return {"effect": "members-removed", "of": _named(of)}
        case _:
            assert_never(effect)


def _named(target: Target) -> str:
    return f"{{{target.address}}}" if isinstance(target, Ref) else target


def _known_ids(effect: Effect) -> frozenset[str]:
    match effect:
        case Created(known_ids=known_ids):
            return frozenset(str(known) for known in known_ids)
        case MembersAdded(known_ids=ids):
            return ids
        case _:
            return frozenset()


class Outcome(Struct, frozen=True, kw_only=True):
    """How one operation ended, for recording several at once. ``note`` is for people; numbers in it are masked."""

    op: OpId
    state: OperationState
    remote_id: RemoteId | None = None
    note: str = ""


class OperationRecord(Struct, frozen=True, kw_only=True):
    """One operation as the journal has it. Times are UTC. ``recorded_by`` is the run that wrote the outcome."""

    run: str
    op: OpId
    intent: Intent
    state: OperationState
    intended_at: datetime
    recorded_at: datetime | None
    recorded_by: str | None
    remote_id: RemoteId | None
    note: str


class RunRecord(Struct, frozen=True, kw_only=True):
    """One run of a command that may write. ``ended`` is None while it runs, and for ever when it died."""

    id: str
    command: str
    tool_version: str
    plan_digest: str
    request_id: str
    started: datetime
    ended: datetime | None
    exit_code: int | None
    counts: Mapping[str, int]
