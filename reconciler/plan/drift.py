"""What drift is: resources that are not as Git says, who moved them, and what somebody accepted of it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from reconciler.diagnostics import Diagnostic, Span
from reconciler.model.addresses import Kind
from reconciler.model.desired import in_environment
from reconciler.model.resources import FieldValue
from reconciler.plan.changes import AccountRead
from reconciler.plan.drifted_members import MemberDrift


class DriftState(StrEnum):
    """Who moved. CONFLICT: both did, and apart. MISSING: ours, and gone. UNMANAGED: live, and nobody's."""

    DRIFTED = "drifted"
    PENDING = "pending"
    CONFLICT = "conflict"
    MISSING = "missing"
    UNMANAGED = "unmanaged"


class Accepted(StrEnum):
    """Why a difference is shown and not complained about."""

    NO = ""
    IGNORED = "ignored"
    OBSERVED = "observed"
    WAIVED = "waived"


class FieldDrift(Struct, frozen=True, kw_only=True):
    """One field three ways. ``last_applied`` is None where nothing of it was ever applied."""

    path: str
    last_applied: FieldValue
    live: FieldValue
    desired: FieldValue
    state: DriftState
    accepted: Accepted = Accepted.NO


class DriftItem(Struct, frozen=True, kw_only=True):
    """One resource that is not as it should be. ``address`` is ``account/Kind/~REMOTE_ID`` for what nobody declares.

    ``title`` is the live name of an unmanaged object. What is not declared has the place of its account as ``source``.
    ``dependents`` are declared relations that went with it. ``environment`` is that of the comparison, which the
    command that puts it right has to name as well.
    """

    address: str
    account: str
    provider: str
    kind: Kind
    state: DriftState
    reason: str = ""
    title: str = ""
    fields: tuple[FieldDrift, ...] = ()
    members: MemberDrift | None = None
    source: Span | None = None
    accepted: Accepted = Accepted.NO
    waiver: str = ""
    """Why somebody accepted it, and until when."""
    dependents: tuple[str, ...] = ()
    by_hand: str = ""
    """What a person does about it where no apply can."""
    environment: str = ""

    @property
    def counts(self) -> bool:
        """Whether somebody has to act because live is not what was applied."""
        return not self.accepted and self.state in (DriftState.DRIFTED, DriftState.CONFLICT, DriftState.MISSING)

    @property
    def remedy(self) -> str:
        """Who should act, and with which command."""
        place = f"{self.source.file}:{self.source.line}" if self.source else "its manifest"
        there = in_environment(self.environment)
        selected = (f" --select {address}" for address in (self.address, *self.dependents))
        put_back = "".join([f"reconciler apply{there}", *selected])
        match self.state:
            case DriftState.DRIFTED | DriftState.CONFLICT if self.by_hand:
                return f"no apply can put it back: {self.by_hand}; to keep what is live: change {place}"
            case DriftState.MISSING if self.by_hand:
                return f"no apply can make it: {self.by_hand}; if it is meant to be gone: remove {place}"
            case DriftState.PENDING if self.by_hand:
                return f"Git is ahead, and no apply can follow: {self.by_hand}"
            case DriftState.DRIFTED:
                return f"to put it back: {put_back}; to keep what is live: change {place}"
            case DriftState.CONFLICT:
                return f"decide which is right: {put_back} makes live what {place} says; else change {place} first"
            case DriftState.PENDING:
                return f"Git is ahead: {put_back}"
            case DriftState.MISSING:
                return f"to have it again: {put_back}; if it is meant to be gone: remove {place}"
            case DriftState.UNMANAGED:
                return f"to manage it: reconciler import {self.account}{there}; else leave it alone"


class Drift(Struct, frozen=True, kw_only=True):
    """The whole comparison. ``compared`` counts declared and owned resources, those in order included."""

    project: str
    environment: str
    accounts: tuple[AccountRead, ...]
    items: tuple[DriftItem, ...]
    compared: int
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether ``drift`` has something to complain about."""
        return any(item.counts for item in self.items)


def together(fields: tuple[FieldDrift, ...]) -> DriftState:
    """Who moved a resource, by the fields that nobody accepted; by all of them when there is no other."""
    states = {f.state for f in fields if not f.accepted} or {f.state for f in fields}
    if len(states) > 1:
        return DriftState.CONFLICT
    return states.pop()
