"""Steps over people: many requests that make one thing true.

The first request goes alone and is looked at (the canary), the rest goes side by side, and everything that was accepted
is read back in one look before any outcome is written down. Where people cannot be read back, requests go one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.apply.departure import Stop
from reconciler.apply.journal import Recorded, Verdict
from reconciler.apply.judging import Result, State, StepResult, ambiguous, divisible
from reconciler.apply.operation import MAX_SENDS, Held, Operator
from reconciler.apply.together import run_parts
from reconciler.errors import ReconcilerError
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.plan.calls import MembersAdded, Step, columns_of, resolved
from reconciler.providers.base import Answer

TURNS_TO_LEAVE = 2
"""Turns of the loop until a request that is given a place is on its way."""
SIDE_BY_SIDE = 64
"""More than any account has announced at once, which is what really bounds the requests under way."""


async def run_step(operator: Operator, address: Address, step: Step, ids: Mapping[Address, RemoteId]) -> StepResult:
    """One step of a change, whole. What a provider does is in the result, and so is what the store did not take: that
    is raised by whoever runs the plan, when everything has ended."""
    if step.parts:
        return await run_parts(operator, step, ids)
    step = replace(step, effect=resolved(step.effect, ids))
    if step.rows is None:
        return await operator.single(address, step, ids)
    if not step.rows:
        return StepResult(result=Result.DONE)
    tally = _Tally()
    if "contact_id" in columns_of(step.call) and (lost := step.rows.where("contact_id", {None, ""})):
        # Whoever was refused as a contact keeps nobody else from the list.
        step = replace(step, rows=step.rows.without(lost))
        tally.refused.append(f"left out {len(lost)} {'person' if len(lost) == 1 else 'people'} without a contact id")
        if not step.rows:
            return tally.told()
    if (held := operator.hours(address, step)) is not None:
        return await _cut(operator, address, step, ids, tally, held)
    return await _over_people(operator, address, step, ids, tally)


async def _cut(
    operator: Operator, address: Address, step: Step, ids: Mapping[Address, RemoteId], tally: _Tally, held: Held
) -> StepResult:
    """Those who may be contacted now; the others wait, and so the step is not done."""
    if not held.free:
        tally.stopped = held.reason
        return tally.told()
    result = await _over_people(operator, address, replace(step, rows=held.free), ids, tally)
    ended = Result.STOPPED if result.result is Result.DONE else result.result
    return replace(result, result=ended, detail="; ".join(filter(None, (result.detail, held.reason))))


async def _over_people(
    operator: Operator, address: Address, step: Step, ids: Mapping[Address, RemoteId], tally: _Tally
) -> StepResult:
    work = _Batches(operator, address, step, ids, tally)
    if isinstance(step.effect, MembersAdded) and step.effect.counted:
        return await work.one_by_one(step.effect)
    return await work.run()


class _Tally(Struct):
    """What became of the requests of one step so far. ``ops`` are accepted and not read back yet."""

    ops: list[int] = field(default_factory=list)
    accepted: list[ContactSet] = field(default_factory=list)
    finished: list[ContactSet] = field(default_factory=list)
    contact_ids: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Why single people were refused by requests that took the others: it fails the step and stops nobody else."""
    unresolved: int = 0
    stopped: str = ""
    sent: int = 0
    through: int = 0
    people: int = 0

    @property
    def result(self) -> Result:
        if self.unresolved:
            return Result.UNRESOLVED
        if self.failures or self.refused:
            return Result.FAILED
        return Result.STOPPED if self.stopped else Result.DONE

    @property
    def detail(self) -> str:
        texts = [*dict.fromkeys((*self.failures, *self.refused)), *([self.stopped] if self.stopped else [])]
        return "; ".join(texts[:3]) + (f"; and {len(texts) - 3} more" if len(texts) > 3 else "")

    def accept(self, op: int, rows: ContactSet, answer: Answer) -> None:
        self.ops.append(op)
        if answer.refused:
            self.refused.append(answer.detail)
        self.accepted.append(rows)
        if answer.remote_id is not None and len(rows) == 1:
            self.contact_ids[next(iter(rows.numbers()))] = answer.remote_id

    def done(self, rows: ContactSet, contact_ids: Mapping[str, str]) -> None:
        if rows:
            self.finished.append(rows)
        self.contact_ids.update(contact_ids)

    def told(self, *shown: ContactSet) -> StepResult:
        """How the step ended; ``shown`` are done besides those who were found to be."""
        return StepResult(
            result=self.result,
            detail=self.detail,
            rows=ContactSet.union_of((*shown, *self.finished)),
            contact_ids=self.contact_ids,
            sent=self.sent,
            accepted=self.through,
            unresolved=self.unresolved,
            only_people=bool(self.refused) and not self.failures and not self.stopped,
        )

    def fail(self, detail: str, *, unresolved: bool = False) -> None:
        self.failures.append(detail)
        self.unresolved += unresolved


class _Batches(Struct):
    """One step over people at work."""

    operator: Operator
    address: Address
    step: Step
    ids: Mapping[Address, RemoteId]
    tally: _Tally = field(default_factory=_Tally)

    async def run(self) -> StepResult:
        """The canary, then the rest side by side, then one look at everything."""
        try:
            return await self._run()
        except asyncio.CancelledError:
            note = "accepted, and stopped before it was read back"
            outcomes = [Recorded(op=op, verdict=Verdict.UNKNOWN, note=note) for op in self.tally.ops]
            await asyncio.shield(self.operator.journal.record(outcomes))
            if self.tally.ops:
                self.operator.under_way.add(self.address)
            raise

    async def _run(self) -> StepResult:
        batches, tally = list(self.step.batches()), self.tally
        await self._counted(batches[0])
        # One person who is refused says nothing about the others, as long as anybody of the first request went through.
        proven = not tally.stopped and not tally.unresolved and bool(tally.accepted or tally.finished)
        if proven and len(batches) > 1 and not await self._canary(batches[0]):
            tally.fail("the first request was accepted and changed nothing; the rest was not sent")
            proven = False
        if proven and len(batches) > 1:
            await self._side_by_side(batches[1:])
        elif len(batches) > 1 and not tally.failures and not tally.stopped:
            tally.fail("nobody of the first request went through; the rest was not sent")
        return await self._told()

    async def _side_by_side(self, batches: list[Step]) -> None:
        queue = iter(batches)

        async def worker() -> None:
            for batch in queue:
                if self.tally.stopped or self.operator.control.halted.get(self.operator.account):
                    return
                await self._counted(batch)
                # Requests that waited for this place leave first: nobody waits for the next one to be announced.
                for _ in range(TURNS_TO_LEAVE):
                    await asyncio.sleep(0)

        await asyncio.gather(*(worker() for _ in range(min(len(batches), SIDE_BY_SIDE))))

    async def _counted(self, batch: Step) -> None:
        """One request over several people. Where the store fails, its neighbours still go on to their answers."""
        try:
            if await self._batch(batch):
                self.tally.through += 1
        except ReconcilerError as untold:
            self.tally.fail(untold.message, unresolved=True)

    async def _canary(self, batch: Step) -> bool:
        sample = (batch.rows or ContactSet.empty()).within(ContactSet.union_of(self.tally.accepted)).head(1)
        return not sample or (await self.operator.visible(batch.effect, sample)).state is State.HOLDS

    async def _batch(self, batch: Step) -> bool:
        """One request over several people, until it is accepted, proven not to have landed, or given up.

        True when all of it went through.
        """
        rows, tally = batch.rows or ContactSet.empty(), self.tally
        for _ in range(MAX_SENDS):
            try:
                op, answer, failure = await self.operator.send(self.address, batch, self.ids)
            except Stop as stop:
                tally.stopped = stop.reason
                return False
            tally.sent += 1
            if answer is not None:
                if taken := _taken(rows, answer):
                    tally.accept(op, taken, answer)
                else:
                    await self.operator.journal.record([Recorded(op=op, verdict=Verdict.REJECTED, note=answer.detail)])
                    tally.refused.append(answer.detail)
                return not answer.refused
            if divisible(failure) and len(rows) > 1:
                note = failure.message if failure else ""
                await self.operator.journal.record([Recorded(op=op, verdict=Verdict.REJECTED, note=note)])
                return await self._rest(batch)
            verdict = await self.operator.looked_up(op, self.address, batch, failure, rows)
            tally.done(verdict.rows, verdict.contact_ids)
            if verdict.result is not Result.STOPPED:
                if verdict.result is Result.FAILED and divisible(failure):
                    tally.refused.append(verdict.detail)  # of a request about one person
                elif verdict.result is not Result.DONE:
                    tally.fail(verdict.detail, unresolved=verdict.result is Result.UNRESOLVED)
                return verdict.result is Result.DONE
            rows = rows.without(verdict.rows)
            batch = replace(batch, rows=rows)
        tally.fail("no answer, and each time it had not landed")
        return False

    def _progressed(self, people: int) -> None:
        self.tally.people += people
        total = len(self.step.rows) if self.step.rows is not None else 0
        self.operator.watch(self.address, self.step.title, self.tally.people, total)

    async def _rest(self, batch: Step) -> bool:
        """After a refusal that may have come in the middle: what landed is found, and only the rest is tried again."""
        rows = batch.rows or ContactSet.empty()
        look = await self.operator.look(batch.effect, rows)
        if look.state is State.DIFFERS:
            self.tally.fail(look.detail or "the object is not as it was planned for")
            return False
        if look.state is State.AMBIGUOUS:
            self.tally.fail(ambiguous(look), unresolved=True)
            return False
        left = ContactSet.empty() if look.state is State.HOLDS else rows
        if look.state is State.PARTLY and look.remaining is not None:
            left = look.remaining
        self.tally.done(rows.without(left), look.contact_ids)
        return await self._halves(replace(batch, rows=left)) if len(left) > 1 else await self._batch_of(batch, left)

    async def _batch_of(self, batch: Step, rows: ContactSet) -> bool:
        return not rows or await self._batch(replace(batch, rows=rows))

    async def _halves(self, batch: Step) -> bool:
        """A refused request over several people: the one that is refused is found, the others go through."""
        rows = batch.rows or ContactSet.empty()
        middle = len(rows) // 2
        first = await self._batch(replace(batch, rows=rows.slice(0, middle)))
        second = await self._batch(replace(batch, rows=rows.slice(middle, len(rows))))
        return first and second

    async def _told(self) -> StepResult:
        """The read-back of everything that was accepted, in one look; then the outcomes, in one transaction."""
        tally = self.tally
        accepted = ContactSet.union_of(tally.accepted)
        shown = accepted
        if accepted:
            look = await self.operator.visible(self.step.effect, accepted)
            tally.contact_ids |= look.contact_ids
            if look.state is State.AMBIGUOUS and all(n in tally.contact_ids for n in accepted.numbers()):
                pass  # every answer named the contact it made: that is as good as a look
            elif look.state is State.AMBIGUOUS:
                tally.fail(ambiguous(look), unresolved=True)
                shown = ContactSet.empty()
            elif look.state is not State.HOLDS:
                missing = look.remaining if look.remaining is not None else accepted
                shown = accepted.without(missing)
                tally.fail(f"accepted for {len(accepted)} people, and {len(missing)} of them do not show")
        verdict = Verdict.DONE if shown or not accepted else Verdict.UNRESOLVED
        try:
            await self.operator.journal.record([Recorded(op=op, verdict=verdict) for op in tally.ops])
        except ReconcilerError as untold:
            tally.fail(untold.message, unresolved=True)
        return tally.told(shown)

    async def one_by_one(self, effect: MembersAdded) -> StepResult:
        """Members that cannot be read back: each request is looked at by how the list grew before the next leaves."""
        # Another Membership of the same list may have brought some since the plan: its growth is not ours.
        brought = self.operator.brought.setdefault(effect.of, set())
        effect = replace(effect, known_ids=effect.known_ids | brought)
        for batch in self.step.batches():
            try:
                grown = await self._grown(replace(batch, effect=effect))
            except ReconcilerError as untold:
                self.tally.fail(untold.message, unresolved=True)
                break
            if grown is None:
                break
            brought |= grown
            effect = replace(effect, known_ids=effect.known_ids | grown)
            self.tally.through += 1
        return self.tally.told()

    async def _grown(self, batch: Step) -> frozenset[str] | None:
        """The ids that one upload brought, None when it did not clearly go through."""
        tally, operator = self.tally, self.operator
        try:
            op, answer, failure = await operator.send(self.address, batch, self.ids)
        except Stop as stop:
            tally.stopped = stop.reason
            return None
        tally.sent += 1
        if answer is None:
            verdict = await operator.looked_up(op, self.address, batch, failure, batch.rows)
            tally.done(verdict.rows, {})
            if verdict.result is not Result.DONE:
                # Growth is the only evidence, so nothing is sent again here: the next plan knows who is missing.
                tally.fail(verdict.detail, unresolved=verdict.result is Result.UNRESOLVED)
                return None
            look = await operator.look(batch.effect, batch.rows)
            return frozenset(look.candidates)
        look = await operator.visible(batch.effect, batch.rows)
        if look.state is not State.HOLDS:
            detail = f"accepted, but the list did not grow as it should: {look.detail}"
            await operator.unresolved(op, detail)
            tally.fail(detail, unresolved=True)
            return None
        await operator.journal.record([Recorded(op=op, verdict=Verdict.DONE)])
        self._progressed(len(batch.rows) if batch.rows is not None else 0)
        tally.done(batch.rows or ContactSet.empty(), {})
        return frozenset(look.candidates)


def _taken(rows: ContactSet, answer: Answer) -> ContactSet:
    """The rows of a request that its answer did not refuse."""
    if not answer.refused:
        return rows
    refused = frozenset(answer.refused)
    numbers = [n for at, n in enumerate(rows.numbers()) if at in refused]
    return rows.without(ContactSet.from_columns({"number": numbers}))
