"""One request, sent with care: look, write down the intent, send, classify, read back, write down the outcome.

A request without an answer is unknown, not failed. It is looked up after the provider's settle time and sent again only
when it is proven not to have landed, and never when it starts contacting people. Once a request has left, nothing a
provider does raises out of here: what cannot be looked at is unresolved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from functools import cached_property, partial
from typing import Any, Protocol, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.apply.control import Control
from reconciler.apply.departure import Departure, Stop
from reconciler.apply.journal import Journal, Recorded, Verdict
from reconciler.apply.judging import (
    Judged,
    Result,
    State,
    StepResult,
    already_so,
    as_shown,
    failed,
    looked_up,
    read_back,
    unresolved,
)
from reconciler.errors import CredentialsRefused, NoAnswer, ProviderError, ReconcilerError, Withheld
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import ContactClass
from reconciler.plan.calls import Deleted, Effect, Evidence, Step, Target
from reconciler.providers.base import Answer, Session, Start

T = TypeVar("T")

HIDDEN = "•••"

ECHOES_UP_TO = 100_000
"""Memberships of more people are not searched for in a provider's messages; those of the request itself always are."""

MAX_SENDS = 3
"""How often one request may be sent in all, when each time it provably did not land."""

ANNOUNCED_AHEAD = 2
"""How many requests may be in the journal for each that may be under way: the next one then need not wait for the disk.
After a crash every one of them is looked up, so there are no more than that."""

LONGEST_SETTLE_S = 300.0
"""A settle time above this is not waited out in the run; the outcome stays unresolved."""

DELETE_WAIT_S = 120.0
VISIBLE_WAIT_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 15.0


class Watch(Protocol):
    """Told how far a step over people is: ``done`` of ``total`` people have been sent."""

    def __call__(self, address: Address, title: str, done: int, total: int) -> None: ...


class Made(Protocol):
    """Told what requests created, together, before their outcomes are written down: for each object the address of its
    change, the effect that was asked for, and its id."""

    async def __call__(self, *made: tuple[Address, Effect, RemoteId]) -> None: ...


async def unkept(*made: tuple[Address, Effect, RemoteId]) -> None:
    """What was created belongs to nobody."""


def unwatched(address: Address, title: str, done: int, total: int) -> None:
    """The watch nobody keeps."""


class Hours(Protocol):
    """Quiet hours: what of a step may not be sent now, None when nothing of it waits."""

    def __call__(self, address: Address, step: Step) -> Held | None: ...


class Held(Struct, frozen=True, kw_only=True):
    """Why, and those of the step's rows who may be contacted; none for a call that goes to everybody at once."""

    reason: str
    free: ContactSet


def always(address: Address, step: Step) -> Held | None:
    """The hours of those who have none."""
    return None


class Operator(Struct, kw_only=True, dict=True):
    """Sends for one account. ``settle_s`` is landing plus visibility."""

    session: Session
    journal: Journal
    control: Control
    account: str
    landing_s: float
    visibility_s: float
    slots: int
    """How many requests the account may have under way. What waits for its turn can still be stopped."""
    people: tuple[ContactSet, ...] = ()
    """Everybody the account's manifests declare: what a provider echoes of them is struck out of its messages."""
    watch: Watch = unwatched
    hours: Hours = always
    """Asked what of a call may not be sent at this moment."""
    made: Made = unkept
    under_way: set[Address] = field(default_factory=set)
    """Changes with a request on the wire; after an abort, that is what may have landed."""
    brought: dict[Target, set[str]] = field(default_factory=dict)
    """The ids that uploads of this run brought to each list whose members cannot be read."""
    _known: frozenset[str] | None = None

    @cached_property
    def _under_way(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(self.slots)

    @cached_property
    def _announced(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(ANNOUNCED_AHEAD * self.slots)

    @property
    def settle_s(self) -> float:
        return self.landing_s + self.visibility_s

    async def single(self, address: Address, step: Step, ids: Mapping[Address, RemoteId]) -> StepResult:
        """A step that is one request."""
        before = await self.look(step.effect, None)
        if (ended := already_so(step.effect, before)) is not None:
            return ended
        sent = 0
        while True:
            try:
                op, answer, failure = await self.send(address, step, ids)
            except Stop as stop:
                return StepResult(result=Result.STOPPED, detail=stop.reason, sent=sent)
            sent += 1
            try:
                ended = await self._ended(op, address, step, answer, failure)
            except ReconcilerError as untold:  # it has left, and the store did not take what came of it
                return StepResult(result=Result.UNRESOLVED, detail=untold.message, sent=sent)
            if ended.result is not Result.STOPPED:
                return replace(ended, sent=sent)
            if sent >= MAX_SENDS:
                return replace(ended, result=Result.FAILED, sent=sent)

    async def _ended(
        self, op: int, address: Address, step: Step, answer: Answer | None, failure: ProviderError | None
    ) -> StepResult:
        """What came of a request, written down. STOPPED says: not processed, and may be sent again."""
        if answer is None:
            return await self.looked_up(op, address, step, failure, None)
        self.under_way.add(address)  # stopped before it shows, it may have landed
        if answer.remote_id is not None:
            await self.made((address, step.effect, answer.remote_id))
        confirmed = await self._confirmed(op, step, answer)
        self.under_way.discard(address)
        return confirmed

    async def send(
        self, address: Address, batch: Step, ids: Mapping[Address, RemoteId]
    ) -> tuple[int, Answer | None, ProviderError | None]:
        """Intent, then the request. A failure is returned, not raised: the outcome must be written down first.

        Raises Stop when nothing may start any more: not when the store cannot keep the intent, either.
        """
        (op,), answer = await self.sending(
            [(address, batch)], lambda start: self.session.send(batch.request(ids), batch.effect, start=start)
        )
        if isinstance(answer, ProviderError):
            answer.message = self.scrubbed(answer.message, batch.rows)
            return op, None, answer
        if answer.detail:
            answer = replace(answer, detail=self.scrubbed(answer.detail, batch.rows))
        return op, answer, None

    async def sending(
        self, operations: Sequence[tuple[Address, Step]], request: Callable[[Start], Awaitable[T]]
    ) -> tuple[list[int], T | ProviderError]:
        """One request that is so many operations: the intents of all of them, then the request. Raises as ``send``.

        The intents are made durable while the request waits for its turn, so that no connection waits for the disk.
        What starts contacting people is announced in its turn and not before: after a crash, whatever was announced
        may have left, and such a request is never sent again.
        """
        departure = Departure(self.journal, partial(self.refusal, operations), operations)
        if any(batch.contact_class is ContactClass.STARTS_CONTACTING for _, batch in operations):
            async with self._under_way:
                await departure.announced()
                return departure.ops, await self._left(departure, nullcontext(), request)
        async with self._announced:
            await departure.announced(ahead=self._under_way.locked())
            return departure.ops, await self._left(departure, self._under_way, request)

    async def _left(
        self,
        departure: Departure,
        turn: AbstractAsyncContextManager[Any],
        request: Callable[[Start], Awaitable[T]],
    ) -> T | ProviderError:
        """What came of a request that is announced, in its turn."""
        addresses = {address for address, _ in departure.operations}
        try:
            async with turn:
                self.under_way |= addresses
                answer: T | ProviderError = await request(departure)
        except Withheld as kept:
            if departure.unsent:
                self.under_way -= addresses
                with suppress(ReconcilerError):  # it did not leave, whether that can be written down or not
                    await self._close(departure, Verdict.NOT_PROCESSED, f"not sent: {kept.message}")
                raise Stop(kept.message) from None
            answer = NoAnswer(f"stopped on its way: {kept.message}")
        except ProviderError as failure:
            answer = failure
        except asyncio.CancelledError:
            # Its address stays in ``under_way``: others of the same change may be.
            verdict = Verdict.NOT_PROCESSED if departure.unsent else Verdict.UNKNOWN
            note = "stopped before it was sent" if departure.unsent else "stopped while it was under way"
            await asyncio.shield(self._close(departure, verdict, note))
            raise
        self.under_way -= addresses
        return answer

    async def _close(self, departure: Departure, verdict: Verdict, note: str) -> None:
        await self.journal.record([Recorded(op=op, verdict=verdict, note=note) for op in departure.ops])

    def stopped(self) -> str:
        """Why nothing new may start in this account now, or nothing."""
        failure = self.journal.failure
        return self.control.refusal(self.account) or (failure.message if failure is not None else "")

    async def refusal(self, operations: Sequence[tuple[Address, Step]]) -> str:
        """Why this request may not leave at this moment, or nothing."""
        if reason := self.stopped() or await self.control.lost():
            return reason
        held = (self.hours(address, batch) for address, batch in operations)
        return next((one.reason for one in held if one is not None), "")

    def scrubbed(self, text: str, rows: ContactSet | None) -> str:
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
        except ProviderError as failure:
            return self.unseen(failure)

    def unseen(self, failure: ProviderError) -> Evidence:
        """What a look that failed tells; refused credentials stop the account."""
        self.heed(failure)
        return Evidence(state=State.AMBIGUOUS, detail=f"cannot be looked at: {failure.message}")

    def heed(self, failure: object) -> None:
        """With refused credentials nothing more is tried in the account."""
        if isinstance(failure, CredentialsRefused):
            self.control.halted[self.account] = f"credentials refused: {failure.message}"

    async def looked_up(
        self, op: int, address: Address, step: Step, failure: ProviderError | None, rows: ContactSet | None
    ) -> StepResult:
        """What a request without success means. STOPPED says: not processed, and may be sent again."""
        self.heed(failure)
        judged = failed(failure)
        if judged is None and failure is not None:
            judged = await self._settled(op, step, failure, rows)
            if judged.result.remote_id is not None:
                await self.made((address, step.effect, judged.result.remote_id))
        return await self._recorded(op, judged or unresolved("no answer"))

    async def _settled(self, op: int, step: Step, failure: ProviderError, rows: ContactSet | None) -> Judged:
        """The outcome of a request without an answer, after the time in which it could still land or show."""
        if problem := await self.settle([op], failure.message):
            return unresolved(problem)
        return looked_up(step, failure.message, rows, await self.look(step.effect, rows))

    async def settle(self, ops: Sequence[int], reason: str) -> str:
        """Wait until what got no answer can no longer land; why it cannot be looked up even then, or nothing."""
        await self.journal.record([Recorded(op=op, verdict=Verdict.UNKNOWN, note=reason) for op in ops])
        if self.settle_s > LONGEST_SETTLE_S:
            return f"{reason}; its settle time is {self.settle_s:.0f} s"
        if not await self.pause(self.settle_s):
            return f"{reason}; interrupted before it could be looked up"
        return ""

    async def _recorded(self, op: int, judged: Judged) -> StepResult:
        await self.journal.record([judged.recorded(op)])
        return judged.result

    async def unresolved(self, op: int, detail: str) -> StepResult:
        return await self._recorded(op, unresolved(detail))

    async def _confirmed(self, op: int, step: Step, answer: Answer) -> StepResult:
        """The read-back after a 2xx; the outcome is written down only now."""
        effect = as_shown(step.effect, answer)
        return await self._recorded(op, read_back(effect, answer, await self.visible(effect, None)))

    async def visible(self, effect: Effect, rows: ContactSet | None) -> Evidence:
        """Look until the effect shows, within the time that the provider may take."""
        limit = DELETE_WAIT_S if isinstance(effect, Deleted) else self.shown_s
        return await self.until(lambda: self.look(effect, rows), lambda look: look.state is State.HOLDS, limit)

    @property
    def shown_s(self) -> float:
        """How long what was written may take to show."""
        return max(self.visibility_s, VISIBLE_WAIT_S)

    async def until(self, look: Callable[[], Awaitable[T]], enough: Callable[[T], bool], limit_s: float) -> T:
        """Look again and again, less and less often, until it is enough or the time is over. An interrupt does not end
        it: what does not show yet is not gone, and a run that says so has the next one make it again. Whatever is not
        seen within the grace of an interrupt is cancelled, and stays unknown."""
        waited, pause = 0.0, _FIRST_PAUSE_S
        while True:
            seen = await look()
            if enough(seen) or waited >= limit_s:
                return seen
            await asyncio.sleep(pause)
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
