"""One step, sent with care: look, write down the intent, send, classify, read back, write down the outcome.

A request without an answer is unknown, not failed. It is looked up after the provider's settle time and sent again only
when it is proven not to have landed, and never when it starts contacting people.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

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
from reconciler.plan.calls import Changed, Created, Deleted, Effect, Evidence, MembersAdded, Step, resolved
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
    """How a step ended."""

    DONE = "done"
    FAILED = "failed"
    UNRESOLVED = "unresolved"
    STOPPED = "stopped"


class _Stop(Exception):
    """Nothing may start any more in this account."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """``rows`` are the people for whom the step is done; ``remote_id`` what it created."""

    result: Result
    detail: str = ""
    remote_id: RemoteId | None = None
    rows: ContactSet = field(default_factory=ContactSet.empty)
    contact_ids: Mapping[str, str] = field(default_factory=dict)
    sent: int = 0
    accepted: int = 0
    """How many of the requests were accepted, where there are several."""


@dataclass(slots=True, kw_only=True)
class Operator:
    """Runs the steps of one account. ``settle_s`` is landing plus visibility."""

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
    _known: frozenset[str] | None = None

    @property
    def settle_s(self) -> float:
        return self.landing_s + self.visibility_s

    async def run(self, address: Address, step: Step, ids: Mapping[Address, RemoteId]) -> StepResult:
        """One step of a change, whole. Never raises a ``ProviderError``."""
        step = replace(step, effect=resolved(step.effect, ids))
        try:
            if step.rows is None:
                return await self._single(address, step, ids)
            return await self._many(address, step, ids)
        except CredentialsRefused as failure:
            self.control.halted[self.account] = f"credentials refused: {failure.message}"
            return StepResult(result=Result.FAILED, detail=failure.message)
        except ProviderError as failure:
            return StepResult(result=Result.FAILED, detail=failure.message)

    async def _single(self, address: Address, step: Step, ids: Mapping[Address, RemoteId]) -> StepResult:
        look = await self.session.observe(step.effect, None)
        if look.state is State.HOLDS and not isinstance(step.effect, Created):
            return StepResult(result=Result.DONE, detail="already so")
        if stale := _stale(step.effect, look):
            return StepResult(result=Result.FAILED, detail=stale)
        sent = 0
        while True:
            try:
                op, answer, failure = await self._send(address, step, ids)
            except _Stop as stop:
                return StepResult(result=Result.STOPPED, detail=stop.reason, sent=sent)
            sent += 1
            if answer is not None:
                return await self._confirmed(op, step, answer, sent)
            verdict = await self._looked_up(op, step, failure, None)
            if verdict.result is not Result.STOPPED or sent >= MAX_SENDS:
                result = Result.FAILED if verdict.result is Result.STOPPED else verdict.result
                return replace(verdict, result=result, sent=sent)

    async def _send(
        self, address: Address, batch: Step, ids: Mapping[Address, RemoteId]
    ) -> tuple[int, Answer | None, ProviderError | None]:
        """Intent, then the request. The failure is returned, not raised: the outcome must be written down first.

        Raises _Stop when nothing may start any more.
        """
        async with self.slots:
            if reason := self.control.refusal(self.account):
                raise _Stop(reason)
            op = await self.journal.intend(Intending(address=address, batch=batch, not_after_s=NOT_AFTER_S))
            try:
                return op, await self.session.send(batch.request(ids), batch.effect), None
            except CredentialsRefused:
                await self.journal.record([Recorded(op=op, verdict=Verdict.NOT_PROCESSED, note="credentials refused")])
                raise
            except ProviderError as failure:
                failure.message = self._scrubbed(failure.message, batch.rows)
                return op, None, failure

    def _scrubbed(self, text: str, rows: ContactSet | None) -> str:
        """A provider's words without what they echo of people; their numbers are masked already."""
        if self._known is None:
            self._known = _attributes(p for p in self.people if len(p) <= ECHOES_UP_TO)
        known = self._known if rows is None else self._known | _attributes((rows,))
        for value in sorted((v for v in known if v in text), key=len, reverse=True):
            text = text.replace(value, HIDDEN)
        return text

    async def _looked_up(
        self, op: int, step: Step, failure: ProviderError | None, rows: ContactSet | None
    ) -> StepResult:
        """What a request without success means. STOPPED says: not processed, and may be sent again."""
        match failure:
            case Rejected() | NotFound():
                await self.journal.record([Recorded(op=op, verdict=Verdict.REJECTED, note=failure.message)])
                return StepResult(result=Result.FAILED, detail=failure.message)
            case NotSent() | RateLimited():
                await self.journal.record([Recorded(op=op, verdict=Verdict.NOT_PROCESSED, note=failure.message)])
                return StepResult(result=Result.FAILED, detail=f"not processed: {failure.message}")
            case NoAnswer():
                return await self._settled(op, step, failure, rows)
            case _:
                text = failure.message if failure else "no answer"
                await self.journal.record([Recorded(op=op, verdict=Verdict.UNRESOLVED, note=text)])
                return StepResult(result=Result.UNRESOLVED, detail=text)

    async def _settled(self, op: int, step: Step, failure: NoAnswer, rows: ContactSet | None) -> StepResult:
        """The outcome of a request without an answer, after the time in which it could still land or show."""
        await self.journal.record([Recorded(op=op, verdict=Verdict.UNKNOWN, note=failure.message)])
        if self.settle_s > LONGEST_SETTLE_S:
            return await self._unresolved(op, f"{failure.message}; its settle time is {self.settle_s:.0f} s")
        if not await self._pause(self.settle_s):
            return await self._unresolved(op, f"{failure.message}; interrupted before it could be looked up")
        look = await self.session.observe(step.effect, rows)
        dials = step.contact_class is ContactClass.STARTS_CONTACTING
        match look.state:
            case State.HOLDS:
                await self.journal.record(
                    [Recorded(op=op, verdict=Verdict.DONE, remote_id=look.remote_id, note="found after a lost answer")]
                )
                done = rows if rows is not None else ContactSet.empty()
                return StepResult(result=Result.DONE, remote_id=look.remote_id, rows=done, contact_ids=look.contact_ids)
            case State.ABSENT | State.PARTLY if dials:
                return await self._unresolved(
                    op, f"{failure.message}; it starts contacting people and is never sent twice by itself"
                )
            case State.ABSENT | State.PARTLY:
                await self.journal.record([Recorded(op=op, verdict=Verdict.VOID, note="looked up: it did not land")])
                left = look.remaining if look.remaining is not None else rows
                done = rows.without(left) if rows is not None and left is not None else ContactSet.empty()
                return StepResult(
                    result=Result.STOPPED, detail=failure.message, rows=done, contact_ids=look.contact_ids
                )
            case State.AMBIGUOUS | State.DIFFERS:
                return await self._unresolved(op, _ambiguous(look))

    async def _unresolved(self, op: int, detail: str) -> StepResult:
        await self.journal.record([Recorded(op=op, verdict=Verdict.UNRESOLVED, note=detail)])
        return StepResult(result=Result.UNRESOLVED, detail=detail)

    async def _confirmed(self, op: int, step: Step, answer: Answer, sent: int) -> StepResult:
        """The read-back after a 2xx; the outcome is written down only now."""
        effect = step.effect
        if isinstance(effect, Created) and answer.remote_id is not None:
            effect = Changed(kind=effect.kind, target=answer.remote_id, base={}, expected=effect.fields)
        look = await self._visible(effect, None)
        if look.state is State.HOLDS:
            await self.journal.record([Recorded(op=op, verdict=Verdict.DONE, remote_id=answer.remote_id)])
            return StepResult(result=Result.DONE, remote_id=answer.remote_id, detail=look.detail, sent=sent)
        if isinstance(effect, Deleted):
            detail = "accepted, and still there after waiting: the deletion is pending"
            await self.journal.record([Recorded(op=op, verdict=Verdict.UNRESOLVED, note=detail)])
            return StepResult(result=Result.UNRESOLVED, detail=detail, sent=sent)
        detail = f"accepted, but reads back otherwise: {look.detail or look.state}"
        await self.journal.record([Recorded(op=op, verdict=Verdict.DONE, remote_id=answer.remote_id, note=detail)])
        return StepResult(result=Result.FAILED, detail=detail, remote_id=answer.remote_id, sent=sent)

    async def _visible(self, effect: Effect, rows: ContactSet | None) -> Evidence:
        """Look until the effect shows, within the time that the provider may take."""
        limit = DELETE_WAIT_S if isinstance(effect, Deleted) else max(self.visibility_s, VISIBLE_WAIT_S)
        waited, pause = 0.0, _FIRST_PAUSE_S
        while True:
            look = await self.session.observe(effect, rows)
            if look.state is State.HOLDS or waited >= limit:
                return look
            if not await self._pause(pause):
                return look
            waited += pause
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _pause(self, seconds: float) -> bool:
        """False when an interrupt came instead."""
        if self.control.interrupted.is_set():
            return False
        try:
            await asyncio.wait_for(self.control.interrupted.wait(), timeout=seconds)
        except TimeoutError:
            return True
        return False

    async def _many(self, address: Address, step: Step, ids: Mapping[Address, RemoteId]) -> StepResult:
        """A step over people: the first request alone and read back (the canary), then the rest side by side."""
        batches = list(step.batches())
        tally = _Tally()
        if not batches:
            return StepResult(result=Result.DONE)
        if isinstance(step.effect, MembersAdded) and step.effect.counted:
            return await self._one_by_one(address, batches, step.effect, ids)
        await self._batch(address, batches[0], ids, tally)
        if tally.ok and len(batches) > 1 and not await self._canary(batches[0], tally):
            tally.fail("the first request was accepted and changed nothing; the rest was not sent")
        if tally.ok:
            await self._side_by_side(address, batches[1:], ids, tally)
        return await self._told(step, tally)

    async def _one_by_one(
        self, address: Address, batches: list[Step], effect: MembersAdded, ids: Mapping[Address, RemoteId]
    ) -> StepResult:
        """Members that cannot be read back: each request is looked at by how the list grew before the next leaves."""
        tally = _Tally()
        for batch in batches:
            single = replace(batch, effect=effect)
            try:
                op, answer, failure = await self._send(address, single, ids)
            except _Stop as stop:
                tally.stop(stop.reason)
                break
            tally.sent += 1
            if answer is None:
                verdict = await self._looked_up(op, single, failure, batch.rows)
                tally.done(verdict.rows, {})
                if verdict.result is not Result.DONE:
                    # Growth is the only evidence, so nothing is sent again here: the next plan knows who is missing.
                    tally.fail(verdict.detail, unresolved=verdict.result is Result.UNRESOLVED)
                    break
                look = await self.session.observe(effect, batch.rows)
            else:
                look = await self._visible(effect, batch.rows)
                held = look.state is State.HOLDS
                await self.journal.record([Recorded(op=op, verdict=Verdict.DONE if held else Verdict.UNRESOLVED)])
                if not held:
                    tally.fail(f"accepted, but the list did not grow as it should: {look.detail}", unresolved=True)
                    break
                tally.done(batch.rows or ContactSet.empty(), {})
            effect = replace(effect, known_ids=effect.known_ids | frozenset(look.candidates))
        rows = ContactSet.union_of(tally.finished)
        return StepResult(result=tally.result, detail=tally.detail, rows=rows, sent=tally.sent)

    async def _side_by_side(
        self, address: Address, batches: list[Step], ids: Mapping[Address, RemoteId], tally: _Tally
    ) -> None:
        """At most as many at once as there is any use for; the session's own limit decides how many are on the wire."""
        queue = iter(batches)

        async def worker() -> None:
            for batch in queue:
                if tally.stopped:
                    return
                await self._batch(address, batch, ids, tally)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(batches), 32)):
                group.create_task(worker())

    async def _canary(self, batch: Step, tally: _Tally) -> bool:
        if batch.rows is None or (isinstance(batch.effect, MembersAdded) and batch.effect.known_ids):
            return True
        sample = batch.rows.within(ContactSet.union_of(tally.accepted)).head(1)
        return not sample or (await self._visible(batch.effect, sample)).state is State.HOLDS

    async def _batch(self, address: Address, batch: Step, ids: Mapping[Address, RemoteId], tally: _Tally) -> None:
        """One request over several people, until it is accepted, proven not to have landed, or given up."""
        rows = batch.rows or ContactSet.empty()
        for _ in range(MAX_SENDS):
            try:
                op, answer, failure = await self._send(address, replace(batch, rows=rows), ids)
            except _Stop as stop:
                tally.stop(stop.reason)
                return
            tally.sent += 1
            if answer is not None:
                tally.accept(op, rows, answer)
                return
            if _divisible(failure, rows):
                await self.journal.record([Recorded(op=op, verdict=Verdict.REJECTED, note=_said(failure))])
                await self._halves(address, replace(batch, rows=rows), ids, tally)
                return
            verdict = await self._looked_up(op, batch, failure, rows)
            tally.done(verdict.rows, verdict.contact_ids)
            if verdict.result is Result.DONE:
                return
            if verdict.result is not Result.STOPPED:
                tally.fail(verdict.detail, unresolved=verdict.result is Result.UNRESOLVED)
                return
            rows = rows.without(verdict.rows)
        tally.fail("no answer, and each time it had not landed")

    async def _halves(self, address: Address, batch: Step, ids: Mapping[Address, RemoteId], tally: _Tally) -> None:
        """A refused request over several people: the one that is refused is found, the others go through."""
        rows = batch.rows or ContactSet.empty()
        middle = len(rows) // 2
        for part in (rows.slice(0, middle), rows.slice(middle, len(rows))):
            await self._batch(address, replace(batch, rows=part), ids, tally)

    async def _told(self, step: Step, tally: _Tally) -> StepResult:
        """The read-back of everything that was accepted, in one look; then the outcomes, in one transaction."""
        accepted = ContactSet.union_of(tally.accepted)
        shown, contact_ids = accepted, dict(tally.contact_ids)
        if accepted:
            look = await self._visible(step.effect, accepted)
            contact_ids |= look.contact_ids
            if look.state is State.AMBIGUOUS:
                tally.fail(_ambiguous(look), unresolved=True)
                shown = ContactSet.empty()
            elif look.state is not State.HOLDS:
                missing = look.remaining if look.remaining is not None else accepted
                shown = accepted.without(missing)
                tally.fail(f"accepted for {len(accepted)} people, and {len(missing)} of them do not show")
        state = Verdict.DONE if shown or not accepted else Verdict.UNRESOLVED
        await self.journal.record([Recorded(op=op, verdict=state) for op in tally.ops])
        return StepResult(
            result=tally.result,
            detail=tally.detail,
            rows=ContactSet.union_of((shown, *tally.finished)),
            contact_ids=contact_ids,
            sent=tally.sent,
            accepted=len(tally.ops),
        )


@dataclass(slots=True)
class _Tally:
    """What became of the requests of one step so far."""

    ops: list[int] = field(default_factory=list)
    accepted: list[ContactSet] = field(default_factory=list)
    finished: list[ContactSet] = field(default_factory=list)
    contact_ids: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    unresolved: bool = False
    stopped: str = ""
    sent: int = 0

    @property
    def ok(self) -> bool:
        return not self.failures and not self.stopped

    @property
    def result(self) -> Result:
        if self.unresolved:
            return Result.UNRESOLVED
        if self.failures:
            return Result.FAILED
        return Result.STOPPED if self.stopped else Result.DONE

    @property
    def detail(self) -> str:
        texts = [*dict.fromkeys(self.failures), *([self.stopped] if self.stopped else [])]
        return "; ".join(texts[:3]) + (f"; and {len(texts) - 3} more" if len(texts) > 3 else "")

    def accept(self, op: int, rows: ContactSet, answer: Answer) -> None:
        self.ops.append(op)
        self.accepted.append(rows)
        if answer.remote_id is not None and len(rows) == 1:
            self.contact_ids[next(iter(rows.numbers()))] = answer.remote_id

    def done(self, rows: ContactSet, contact_ids: Mapping[str, str]) -> None:
        if rows:
            self.finished.append(rows)
        self.contact_ids.update(contact_ids)

    def fail(self, detail: str, *, unresolved: bool = False) -> None:
        self.failures.append(detail)
        self.unresolved = self.unresolved or unresolved

    def stop(self, reason: str) -> None:
        self.stopped = reason


def _stale(effect: Effect, look: Evidence) -> str:
    """Why a step must not be sent any more, or nothing: somebody else was there between plan and apply."""
    match look.state:
        case State.DIFFERS:
            return f"changed since the plan: {look.detail}" if look.detail else "changed since the plan"
        case State.AMBIGUOUS:
            return _ambiguous(look)
        case State.HOLDS if isinstance(effect, Created):
            return f"an object with this name appeared since the plan (id {look.remote_id})"
        case _:
            return ""


def _ambiguous(look: Evidence) -> str:
    found = f" ({', '.join(look.candidates)})" if look.candidates else ""
    return look.detail or f"several live objects could be the one{found}"


def _divisible(failure: ProviderError | None, rows: ContactSet) -> bool:
    return isinstance(failure, Rejected) and failure.status in (400, 413, 422) and len(rows) > 1


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


def _said(failure: ProviderError | None) -> str:
    return failure.message if failure else ""
