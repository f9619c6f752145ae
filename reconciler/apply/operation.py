"""One request, sent with care: look, write down the intent, send, classify, read back, write down the outcome.

A request without an answer is unknown, not failed. It is looked up after the provider's settle time and sent again only
when it is proven not to have landed, and never when it starts contacting people. Once a request has left, nothing a
provider does raises out of here: what cannot be looked at is unresolved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from reconciler.apply.control import Control
from reconciler.apply.journal import Intending, Journal, Recorded, Verdict
from reconciler.errors import (
    CredentialsRefused,
    NoAnswer,
    NotFound,
    NotSent,
    ProviderError,
    RateLimited,
    Rejected,
)
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import ContactClass
from reconciler.plan.calls import Changed, Created, Deleted, Effect, Evidence, Step
from reconciler.providers.base import Answer, Session

State = Evidence.State

HIDDEN = "•••"

ECHOES_UP_TO = 100_000
"""Memberships of more people are not searched for in a provider's messages; those of the request itself always are."""

MAX_SENDS = 3
"""How often one request may be sent in all, when each time it provably did not land."""

LONGEST_SETTLE_S = 300.0
"""A settle time above this is not waited out in the run; the outcome stays unresolved."""

NOT_AFTER_S = 10.0
"""A request starts at most this long after its intent became durable."""

DELETE_WAIT_S = 120.0
VISIBLE_WAIT_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 15.0


class Result(StrEnum):
    """How a step ended. STOPPED: it was not sent (any more), and may be later."""

    DONE = "done"
    FAILED = "failed"
    UNRESOLVED = "unresolved"
    STOPPED = "stopped"


class Watch(Protocol):
    """Told how far a step over people is: ``done`` of ``total`` people have been sent."""

    def __call__(self, address: Address, title: str, done: int, total: int) -> None: ...


def unwatched(address: Address, title: str, done: int, total: int) -> None:
    """The watch nobody keeps."""


class Stop(Exception):
    """Nothing may start any more in this account."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """``rows`` are the people for whom the step is done; ``remote_id`` what it created; ``accepted`` how many of its
    requests went through."""

    result: Result
    detail: str = ""
    remote_id: RemoteId | None = None
    rows: ContactSet = field(default_factory=ContactSet.empty)
    contact_ids: Mapping[str, str] = field(default_factory=dict)
    sent: int = 0
    accepted: int = 0


@dataclass(slots=True, kw_only=True)
class Operator:
    """Sends for one account. ``settle_s`` is landing plus visibility."""

    session: Session
    journal: Journal
    control: Control
    account: str
    landing_s: float
    visibility_s: float
    slots: asyncio.Semaphore
    """As many as the account may have under way. What waits for one can still be stopped: it has not begun."""
    people: tuple[ContactSet, ...] = ()
    """Everybody the account's manifests declare: what a provider echoes of them is struck out of its messages."""
    watch: Watch = unwatched
    under_way: set[Address] = field(default_factory=set)
    """Changes with a request on the wire; after an abort, that is what may have landed."""
    _known: frozenset[str] | None = None

    @property
    def settle_s(self) -> float:
        return self.landing_s + self.visibility_s

    async def single(self, address: Address, step: Step, ids: Mapping[Address, RemoteId]) -> StepResult:
        """A step that is one request."""
        before = await self.look(step.effect, None)
        if before.state is State.HOLDS and not isinstance(step.effect, Created):
            return StepResult(result=Result.DONE, detail="already so", accepted=1)
        if stale := _stale(step.effect, before):
            return StepResult(result=Result.FAILED, detail=stale)
        sent = 0
        while True:
            try:
                op, answer, failure = await self.send(address, step, ids)
            except Stop as stop:
                return StepResult(result=Result.STOPPED, detail=stop.reason, sent=sent)
            sent += 1
            if answer is not None:
                return replace(await self._confirmed(op, step, answer), sent=sent)
            verdict = await self.looked_up(op, step, failure, None)
            if verdict.result is not Result.STOPPED or sent >= MAX_SENDS:
                result = Result.FAILED if verdict.result is Result.STOPPED else verdict.result
                return replace(verdict, result=result, sent=sent)

    async def send(
        self, address: Address, batch: Step, ids: Mapping[Address, RemoteId]
    ) -> tuple[int, Answer | None, ProviderError | None]:
        """Intent, then the request. A failure is returned, not raised: the outcome must be written down first.

        Raises Stop when nothing may start any more, and what the store raises when the intent cannot be kept.
        """
        async with self.slots:
            if reason := self.control.refusal(self.account):
                raise Stop(reason)
            op = await self.journal.intend(Intending(address=address, batch=batch, not_after_s=NOT_AFTER_S))
            self.under_way.add(address)
            try:
                answer = await self.session.send(batch.request(ids), batch.effect)
            except ProviderError as failure:
                failure.message = self._scrubbed(failure.message, batch.rows)
                self.under_way.discard(address)
                return op, None, failure
            except asyncio.CancelledError:
                note = "stopped while it was under way"
                await asyncio.shield(self.journal.record([Recorded(op=op, verdict=Verdict.UNKNOWN, note=note)]))
                raise
            self.under_way.discard(address)
            if answer.detail:
                answer = replace(answer, detail=self._scrubbed(answer.detail, batch.rows))
            return op, answer, None

    def _scrubbed(self, text: str, rows: ContactSet | None) -> str:
        """A provider's words without what they echo of people; their numbers are masked already."""
        if self._known is None:
            self._known = _attributes(p for p in self.people if len(p) <= ECHOES_UP_TO)
        known = self._known if rows is None else self._known | _attributes((rows,))
        for value in sorted((v for v in known if v in text), key=len, reverse=True):
            text = text.replace(value, HIDDEN)
        return text

    async def look(self, effect: Effect, rows: ContactSet | None) -> Evidence:
        """What the provider shows now; a look that fails tells nothing, and says so."""
        try:
            return await self.session.observe(effect, rows)
        except CredentialsRefused as failure:
            self._halt(failure)
            return Evidence(state=State.AMBIGUOUS, detail=f"cannot be looked at: {failure.message}")
        except ProviderError as failure:
            return Evidence(state=State.AMBIGUOUS, detail=f"cannot be looked at: {failure.message}")

    def _halt(self, failure: CredentialsRefused) -> None:
        self.control.halted[self.account] = f"credentials refused: {failure.message}"

    async def looked_up(
        self, op: int, step: Step, failure: ProviderError | None, rows: ContactSet | None
    ) -> StepResult:
        """What a request without success means. STOPPED says: not processed, and may be sent again."""
        match failure:
            case Rejected() | NotFound():
                return await self._ended(op, Verdict.REJECTED, failure.message)
            case CredentialsRefused():
                self._halt(failure)
                return await self._ended(op, Verdict.NOT_PROCESSED, f"credentials refused: {failure.message}")
            case NotSent() | RateLimited():
                return await self._ended(op, Verdict.NOT_PROCESSED, f"not processed: {failure.message}")
            case NoAnswer():
                return await self._settled(op, step, failure, rows)
            case _:
                return await self.unresolved(op, failure.message if failure else "no answer")

    async def _ended(self, op: int, verdict: Verdict, detail: str) -> StepResult:
        await self.journal.record([Recorded(op=op, verdict=verdict, note=detail)])
        return StepResult(result=Result.FAILED, detail=detail)

    async def _settled(self, op: int, step: Step, failure: NoAnswer, rows: ContactSet | None) -> StepResult:
        """The outcome of a request without an answer, after the time in which it could still land or show."""
        await self.journal.record([Recorded(op=op, verdict=Verdict.UNKNOWN, note=failure.message)])
        if self.settle_s > LONGEST_SETTLE_S:
            return await self.unresolved(op, f"{failure.message}; its settle time is {self.settle_s:.0f} s")
        if not await self.pause(self.settle_s):
            return await self.unresolved(op, f"{failure.message}; interrupted before it could be looked up")
        look = await self.look(step.effect, rows)
        done = rows if rows is not None else ContactSet.empty()
        match look.state:
            case State.HOLDS:
                note = "found after a lost answer"
                await self.journal.record([Recorded(op=op, verdict=Verdict.DONE, remote_id=look.remote_id, note=note)])
                return StepResult(
                    result=Result.DONE,
                    remote_id=look.remote_id,
                    rows=done,
                    contact_ids=look.contact_ids,
                    accepted=1,
                )
            case State.ABSENT | State.PARTLY if step.contact_class is ContactClass.STARTS_CONTACTING:
                return await self.unresolved(
                    op, f"{failure.message}; it starts contacting people and is never sent twice by itself"
                )
            case State.ABSENT | State.PARTLY:
                await self.journal.record([Recorded(op=op, verdict=Verdict.VOID, note="looked up: it did not land")])
                left = look.remaining if look.remaining is not None else done
                return StepResult(
                    result=Result.STOPPED,
                    detail=failure.message,
                    rows=done.without(left),
                    contact_ids=look.contact_ids,
                )
            case State.AMBIGUOUS | State.DIFFERS:
                return await self.unresolved(op, ambiguous(look))

    async def unresolved(self, op: int, detail: str, remote_id: RemoteId | None = None) -> StepResult:
        await self.journal.record([Recorded(op=op, verdict=Verdict.UNRESOLVED, remote_id=remote_id, note=detail)])
        return StepResult(result=Result.UNRESOLVED, detail=detail, remote_id=remote_id)

    async def _confirmed(self, op: int, step: Step, answer: Answer) -> StepResult:
        """The read-back after a 2xx; the outcome is written down only now."""
        effect, remote_id = step.effect, answer.remote_id
        if isinstance(effect, Created) and remote_id is not None:
            effect = Changed(kind=effect.kind, target=remote_id, base={}, expected=effect.fields)
        look = await self.visible(effect, None)
        if look.state is State.HOLDS:
            await self.journal.record([Recorded(op=op, verdict=Verdict.DONE, remote_id=remote_id)])
            return StepResult(result=Result.DONE, remote_id=remote_id, detail=look.detail, accepted=1)
        if look.state is State.AMBIGUOUS:
            return await self.unresolved(op, f"accepted, and {ambiguous(look)}", remote_id)
        if isinstance(effect, Deleted):
            detail = "accepted, and still there after waiting: the deletion is pending"
            return await self.unresolved(op, detail)
        detail = f"accepted, but reads back otherwise: {look.detail or look.state}"
        await self.journal.record([Recorded(op=op, verdict=Verdict.DONE, remote_id=remote_id, note=detail)])
        return StepResult(result=Result.FAILED, detail=detail, remote_id=remote_id)

    async def visible(self, effect: Effect, rows: ContactSet | None) -> Evidence:
        """Look until the effect shows, within the time that the provider may take."""
        limit = DELETE_WAIT_S if isinstance(effect, Deleted) else max(self.visibility_s, VISIBLE_WAIT_S)
        waited, pause = 0.0, _FIRST_PAUSE_S
        while True:
            look = await self.look(effect, rows)
            if look.state is State.HOLDS or waited >= limit:
                return look
            if not await self.pause(pause):
                return look
            waited += pause
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def pause(self, seconds: float) -> bool:
        """False when an interrupt came instead."""
        if self.control.interrupted.is_set():
            return False
        try:
            await asyncio.wait_for(self.control.interrupted.wait(), timeout=seconds)
        except TimeoutError:
            return True
        return False


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


def ambiguous(look: Evidence) -> str:
    """Why nobody can tell what happened."""
    found = f" ({', '.join(look.candidates)})" if look.candidates else ""
    return look.detail or f"several live objects could be the one{found}"


def _attributes(people: Iterable[ContactSet]) -> frozenset[str]:
    """Every attribute value of these people that is long enough to mean somebody."""
    return frozenset(
        value
        for contacts in people
        for name in contacts.columns
        if name not in ("number", "contact_id", "status")
        for value in contacts.column(name)
        if value and len(value) > 2
    )
