"""The shapes of the documents that renderers draw from, as ``schemas/plan.json`` and ``report.json`` have them.

Documents are masked already (unless somebody asked to see people), but raw as to control characters: whoever draws one
escapes it for its medium.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class SourceDocument(TypedDict):
    """A place in a file; lines and columns count from 1, ``length`` is in characters."""

    file: str
    line: int
    column: int
    length: NotRequired[int]


class DiagnosticDocument(TypedDict):
    code: str
    severity: str
    message: str
    hint: str
    address: str
    source: SourceDocument | None
    excerpt: NotRequired[str]
    policy: NotRequired[str]


class AccountDocument(TypedDict):
    """What was read of one account."""

    name: str
    provider: str
    identity: str
    counts: dict[str, int]
    problem: DiagnosticDocument | None
    counted: NotRequired[list[str]]
    """The memberships of which was only counted how many are on their list."""


class ReadDocument(TypedDict):
    """What reading one account took. Apart from the account, whose bytes are the same every time."""

    requests: int
    elapsedSeconds: float


class DeltaDocument(TypedDict):
    path: str
    live: Any
    desired: Any


class MembersDocument(TypedDict):
    """How many people a membership change concerns, and a few masked ``examples`` for each of the three sets."""

    add: int
    remove: int
    change: int
    unchanged: int
    reach: int
    create: int
    examples: dict[str, list[str]]


class ChangeDocument(TypedDict):
    address: str
    account: str
    provider: str
    kind: str
    name: str
    action: str
    reason: str
    contactClass: str
    deltas: list[DeltaDocument]
    members: MembersDocument | None
    reach: int
    calls: int
    carriedBy: str | None
    requires: list[str]
    approvals: list[str]
    source: SourceDocument | None


class SummaryDocument(TypedDict):
    """Counts over the plan. ``associate`` is the part of ``create`` that is associations; the last two count people."""

    create: int
    update: int
    replace: int
    delete: int
    adopt: int
    forget: int
    associate: int
    membersAdd: int
    membersRemove: int
    membersChange: int
    calls: int
    reach: int
    mayNotify: int
    startsContacting: int


class GuardDocument(TypedDict):
    guard: str
    account: str
    actual: float
    limit: float
    message: str
    lift: str


class UnmanagedDocument(TypedDict):
    account: str
    kind: str
    count: int


class CallDocument(TypedDict):
    """One step's request; ``count`` is how often it is sent, each time for other people."""

    address: str
    title: str
    method: str
    path: str
    body: Any
    count: int
    contactClass: str


class WaitDocument(TypedDict):
    """A call that quiet hours would hold back at the moment of planning, or a part of it."""

    address: str
    title: str
    people: int
    whole: bool
    scheduled: str | None
    until: str | None
    times: list[dict[str, Any]]
    reason: str


class EstimateDocument(TypedDict):
    """How long the calls take, looks before and after them included."""

    seconds: float


class PlanDocument(TypedDict):
    formatVersion: str
    tool: str
    project: str
    environment: str
    createdAt: str
    expiresAt: str
    digest: str
    accounts: list[AccountDocument]
    changes: list[ChangeDocument]
    summary: SummaryDocument
    guards: list[GuardDocument]
    unmanaged: list[UnmanagedDocument]
    diagnostics: list[DiagnosticDocument]
    reads: dict[str, ReadDocument]
    estimate: NotRequired[EstimateDocument]
    waits: NotRequired[list[WaitDocument]]
    calls: NotRequired[list[CallDocument]]


class ReportedChangeDocument(TypedDict):
    address: str
    action: str
    outcome: str
    operations: int
    operationsDone: int
    detail: str
    hint: str


class ReportCounts(TypedDict):
    """Operations by outcome."""

    done: int
    failed: int
    blocked: int
    notAttempted: int
    unresolved: int


class ReportDocument(TypedDict):
    formatVersion: str
    run: str
    project: str
    environment: str
    startedAt: str
    endedAt: str | None
    exit: int | None
    interrupted: bool
    counts: ReportCounts
    requests: int
    changes: list[ReportedChangeDocument]
    verified: bool | None
    unverified: list[str]
    resume: str


class DriftedFieldDocument(TypedDict):
    path: str
    lastApplied: Any
    live: Any
    desired: Any
    state: str
    accepted: str


class DriftedMembersDocument(TypedDict):
    """How many people live and Git moved, each way; ``unseen`` is by how much an unreadable list grew or shrank."""

    appeared: int
    vanished: int
    changed: int
    pendingAdd: int
    pendingRemove: int
    pendingChange: int
    unchanged: int
    unseen: int
    examples: dict[str, list[str]]


class DriftItemDocument(TypedDict):
    address: str
    account: str
    provider: str
    kind: str
    title: str
    state: str
    reason: str
    accepted: str
    waiver: str
    fields: list[DriftedFieldDocument]
    members: DriftedMembersDocument | None
    dependents: list[str]
    source: SourceDocument | None
    remedy: str


class DriftSummaryDocument(TypedDict):
    """Items by state; those that somebody accepted are counted only as such."""

    drifted: int
    pending: int
    conflict: int
    missing: int
    unmanaged: int
    accepted: int
    compared: int
    inOrder: int


class DriftDocument(TypedDict):
    formatVersion: str
    tool: str
    project: str
    environment: str
    createdAt: str
    accounts: list[AccountDocument]
    items: list[DriftItemDocument]
    summary: DriftSummaryDocument
    diagnostics: list[DiagnosticDocument]
