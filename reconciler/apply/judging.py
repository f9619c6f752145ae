"""What an answer, a failure or a look means for one request. Pure: the operator asks, sends and writes down."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from reconciler.apply.journal import Recorded, Verdict
from reconciler.errors import CredentialsRefused, NoAnswer, NotFound, NotSent, ProviderError, RateLimited, Rejected
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import ContactClass
from reconciler.plan.calls import Changed, Created, Deleted, Effect, Evidence, Step
from reconciler.providers.base import Answer

State = Evidence.State


class Result(StrEnum):
    """How a step ended. STOPPED: it was not sent (any more), and may be later."""

    DONE = "done"
    FAILED = "failed"
    UNRESOLVED = "unresolved"
    STOPPED = "stopped"


class StepResult(Struct, frozen=True, kw_only=True):
    """``rows`` are the people for whom the step is done; ``remote_id`` what it created; ``accepted`` how many of its
    requests went through, ``unresolved`` of how many nobody can tell. ``parts`` is how each part of a step with parts
    ended, by the address of its change.
    ``only_people``: it failed for single people, whom what follows can leave out, and was done for everybody else.
    """

    result: Result
    detail: str = ""
    remote_id: RemoteId | None = None
    rows: ContactSet = field(default_factory=ContactSet.empty)
    contact_ids: Mapping[str, str] = field(default_factory=dict)
    sent: int = 0
    accepted: int = 0
    unresolved: int = 0
    only_people: bool = False
    parts: Mapping[Address, StepResult] = field(default_factory=dict)


class Judged(Struct, frozen=True, kw_only=True):
    """What is to be written down of a request, and what it means for its step."""

    verdict: Verdict
    result: StepResult
    note: str = ""

    def recorded(self, op: int) -> Recorded:
        return Recorded(op=op, verdict=self.verdict, remote_id=self.result.remote_id, note=self.note)


def already_so(effect: Effect, look: Evidence) -> StepResult | None:
    """How a step ends without being sent: it is so already, or must not be sent any more. None: it may be sent."""
    if look.state is State.HOLDS and not isinstance(effect, Created):
        return StepResult(result=Result.DONE, detail="already so", accepted=1)
    stale = _stale(effect, look)
    return StepResult(result=Result.FAILED, detail=stale) if stale else None


def _stale(effect: Effect, look: Evidence) -> str:
    """Why a step must not be sent any more, or nothing: somebody else was there between plan and apply."""
    match look.state:
        case State.DIFFERS:
            return f"changed since the plan: {look.detail}" if look.detail else "changed since the plan"
        case State.AMBIGUOUS:
            return ambiguous(look)
        case State.HOLDS if isinstance(effect, Created):
            return f"an object with this name appeared since the plan (id {look.remote_id})"
        case _:
            return ""


def failed(failure: ProviderError | None) -> Judged | None:
    """What a failure means by itself; None when only a look can tell."""
    match failure:
        case Rejected() | NotFound():
            return _not_done(Verdict.REJECTED, failure.message)
        case CredentialsRefused():
            return _not_done(Verdict.NOT_PROCESSED, f"credentials refused: {failure.message}")
        case NotSent() | RateLimited():
            return _not_done(Verdict.NOT_PROCESSED, f"not processed: {failure.message}")
        case NoAnswer():
            return None
        case _:
            return unresolved(failure.message if failure else "no answer")


def divisible(failure: ProviderError | None) -> bool:
    """Whether a refusal may be about one entry of the request: parts of it may go through."""
    return isinstance(failure, Rejected) and failure.status in (400, 413, 422)


def _not_done(verdict: Verdict, detail: str) -> Judged:
    return Judged(verdict=verdict, note=detail, result=StepResult(result=Result.FAILED, detail=detail))


def unresolved(detail: str, remote_id: RemoteId | None = None) -> Judged:
    result = StepResult(result=Result.UNRESOLVED, detail=detail, remote_id=remote_id)
    return Judged(verdict=Verdict.UNRESOLVED, note=detail, result=result)


def looked_up(step: Step, reason: str, rows: ContactSet | None, look: Evidence) -> Judged:
    """What a look says about a request without an answer, once that can no longer land. STOPPED says: it did not, and
    may be sent again. ``reason`` is why there was no answer."""
    done = rows if rows is not None else ContactSet.empty()
    match look.state:
        case State.HOLDS:
            result = StepResult(
                result=Result.DONE, remote_id=look.remote_id, rows=done, contact_ids=look.contact_ids, accepted=1
            )
            return Judged(verdict=Verdict.DONE, note="found after a lost answer", result=result)
        case State.ABSENT | State.PARTLY if step.contact_class is ContactClass.STARTS_CONTACTING:
            return unresolved(f"{reason}; it starts contacting people and is never sent twice by itself")
        case State.ABSENT | State.PARTLY:
            left = look.remaining if look.remaining is not None else done
            result = StepResult(
                result=Result.STOPPED, detail=reason, rows=done.without(left), contact_ids=look.contact_ids
            )
            return Judged(verdict=Verdict.VOID, note="looked up: it did not land", result=result)
        case State.AMBIGUOUS | State.DIFFERS:
            return unresolved(ambiguous(look))


def as_shown(effect: Effect, answer: Answer) -> Effect:
    """What must show after a 2xx: of a new object whose id was told, that it has the fields it was made with."""
    if isinstance(effect, Created) and answer.remote_id is not None:
        return Changed(kind=effect.kind, target=answer.remote_id, base={}, expected=effect.fields)
    return effect


def read_back(effect: Effect, answer: Answer, look: Evidence) -> Judged:
    """What the read-back after a 2xx says."""
    remote_id = answer.remote_id
    if look.state is State.HOLDS:
        done = StepResult(result=Result.DONE, remote_id=remote_id, detail=look.detail, accepted=1)
        return Judged(verdict=Verdict.DONE, result=done)
    if look.state is State.AMBIGUOUS:
        return unresolved(f"accepted, and {ambiguous(look)}", remote_id)
    if isinstance(effect, Deleted):
        return unresolved("accepted, and still there after waiting: the deletion is pending")
    detail = f"accepted, but reads back otherwise: {look.detail or look.state}"
    otherwise = StepResult(result=Result.FAILED, detail=detail, remote_id=remote_id)
    return Judged(verdict=Verdict.DONE, note=detail, result=otherwise)


def ambiguous(look: Evidence) -> str:
    """Why nobody can tell what happened."""
    found = f" ({', '.join(look.candidates)})" if look.candidates else ""
    return look.detail or f"several live objects could be the one{found}"
