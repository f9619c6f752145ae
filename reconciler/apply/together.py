"""A step with parts: one request for several objects, and an outcome for each of them.

Every part has its own look before, its own intent and its own outcome, as if it were sent alone; only the request, and
the reads around it, are shared. What provably did not land is sent again, without what did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.apply.departure import Stop
from reconciler.apply.journal import Recorded
from reconciler.apply.judging import (
    Judged,
    Result,
    State,
    StepResult,
    already_so,
    as_shown,
    divisible,
    failed,
    looked_up,
    read_back,
    unresolved,
)
from reconciler.apply.operation import MAX_SENDS, Operator
from reconciler.errors import ProviderError, ReconcilerError
from reconciler.model.addresses import Address, RemoteId
from reconciler.plan.calls import Effect, Evidence, Part, Step, resolved
from reconciler.providers.base import Answer, WritesTogether

_GRAVEST_FIRST = (Result.UNRESOLVED, Result.FAILED, Result.STOPPED, Result.DONE)


async def run_parts(operator: Operator, step: Step, ids: Mapping[Address, RemoteId]) -> StepResult:
    """Every part of a step. What a provider does is in the result, and so is what the store did not take."""
    if not isinstance(operator.session, WritesTogether):
        raise TypeError(f"account {operator.account} has a step with parts, and no session that can send it")
    parts = tuple(replace(part, effect=resolved(part.effect, ids)) for part in step.parts)
    work = _Together(operator, operator.session, step, ids)
    try:
        await work.run(parts)
    except ReconcilerError as untold:  # it has left, and the store did not take what came of it
        unclear = StepResult(result=Result.UNRESOLVED, detail=untold.message)
        work.ended |= {part.address: unclear for part in parts if part.address not in work.ended}
    result = next(r for r in _GRAVEST_FIRST if any(x.result is r for x in work.ended.values()))
    return StepResult(result=result, sent=work.sent, parts=work.ended)


class _Sent(Struct, frozen=True):
    """One part that was on the wire, under the number of its intent."""

    part: Part
    op: int
    answer: Answer | ProviderError

    @property
    def reason(self) -> str:
        """Why it was not taken, if it was not."""
        return self.answer.message if isinstance(self.answer, ProviderError) else ""


class _Together(Struct):
    """One such step at work."""

    operator: Operator
    session: WritesTogether
    step: Step
    ids: Mapping[Address, RemoteId]
    ended: dict[Address, StepResult] = field(default_factory=dict)
    sent: int = 0

    async def run(self, parts: tuple[Part, ...]) -> None:
        looks = await self._look(tuple(part.effect for part in parts))
        for part, look in zip(parts, looks, strict=True):
            if (result := already_so(part.effect, look)) is not None:
                self.ended[part.address] = result
        left = tuple(part for part in parts if part.address not in self.ended)
        for _ in range(MAX_SENDS):
            left = await self._send(left)
        for part in left:
            # What is left was looked up each time, and had not landed.
            self.ended[part.address] = replace(self.ended[part.address], result=Result.FAILED)

    async def _send(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """One request for these parts. Those are left that may be sent again."""
        if not parts:
            return ()
        try:
            ops, answers = await self._request(parts)
        except Stop as stop:
            self.ended |= {p.address: StepResult(result=Result.STOPPED, detail=stop.reason) for p in parts}
            return ()
        self.sent += 1
        if isinstance(answers, ProviderError):
            whole = [_Sent(part, op, answers) for part, op in zip(parts, ops, strict=True)]
            if divisible(answers) and len(parts) > 1:
                left = await self._looked_up(whole)
                middle = -(-len(left) // 2)
                return (*await self._send(left[:middle]), *await self._send(left[middle:]))
            return await self._judged(whole)
        return await self._judged([_Sent(*one) for one in zip(parts, ops, answers, strict=True)])

    async def _request(
        self, parts: tuple[Part, ...]
    ) -> tuple[list[int], tuple[Answer | ProviderError, ...] | ProviderError]:
        call, effects = self.step.only(*parts).request(self.ids), tuple(part.effect for part in parts)
        ops, answers = await self.operator.sending(
            [(part.address, self.step.only(part)) for part in parts],
            lambda start: self.session.send_together(call, effects, start=start),
        )
        for failure in answers if isinstance(answers, tuple) else (answers,):
            if isinstance(failure, ProviderError):
                failure.message = self.operator.scrubbed(failure.message, None)
        return ops, answers

    async def _judged(self, sent: list[_Sent]) -> tuple[Part, ...]:
        """Outcomes for all that were sent; those are left that may be sent again."""
        taken = [(one, one.answer) for one in sent if isinstance(one.answer, Answer)]
        judged = [(one, failed(one.answer)) for one in sent if isinstance(one.answer, ProviderError)]
        unclear = [one for one, found in judged if found is None]
        for one in sent:
            self.operator.heed(one.answer)
        await self._record([(one, found) for one, found in judged if found is not None])
        await self._read_back(taken)
        if not unclear:
            return ()
        if problem := await self.operator.settle([one.op for one in unclear], unclear[0].reason):
            await self._record([(one, unresolved(problem)) for one in unclear])
            return ()
        return await self._looked_up(unclear)

    async def _read_back(self, taken: list[tuple[_Sent, Answer]]) -> None:
        if not taken:
            return
        await self._own((one, answer.remote_id) for one, answer in taken)
        effects = tuple(as_shown(one.part.effect, answer) for one, answer in taken)
        looks = await self._visible(effects)
        await self._record(
            [(one, read_back(e, answer, look)) for (one, answer), e, look in zip(taken, effects, looks, strict=True)]
        )

    async def _looked_up(self, unclear: list[_Sent]) -> tuple[Part, ...]:
        """What became of parts that nobody answered for; those are left that did not land."""
        looks = await self._look(tuple(one.part.effect for one in unclear))
        judged = [(one, looked_up(self.step, one.reason, None, look)) for one, look in zip(unclear, looks, strict=True)]
        await self._own((one, found.result.remote_id) for one, found in judged)
        await self._record(judged)
        return tuple(one.part for one, found in judged if found.result.result is Result.STOPPED)

    async def _own(self, found: Iterable[tuple[_Sent, RemoteId | None]]) -> None:
        """All that is known to be there, in one transaction."""
        made = [(one.part.address, one.part.effect, remote_id) for one, remote_id in found if remote_id is not None]
        if made:
            await self.operator.made(*made)

    async def _record(self, told: list[tuple[_Sent, Judged]]) -> None:
        outcomes: list[Recorded] = [judged.recorded(one.op) for one, judged in told]
        await self.operator.journal.record(outcomes)
        self.ended |= {one.part.address: judged.result for one, judged in told}

    async def _look(self, effects: tuple[Effect, ...]) -> tuple[Evidence, ...]:
        try:
            return await self.session.observe_together(effects)
        except ProviderError as failure:
            return (self.operator.unseen(failure),) * len(effects)

    async def _visible(self, effects: tuple[Effect, ...]) -> tuple[Evidence, ...]:
        """Look until all of them show, each time at those that did not yet."""
        seen: dict[int, Evidence] = {}

        async def look() -> bool:
            left = [at for at in range(len(effects)) if at not in seen or seen[at].state is not State.HOLDS]
            seen.update(zip(left, await self._look(tuple(effects[at] for at in left)), strict=True))
            return all(evidence.state is State.HOLDS for evidence in seen.values())

        await self.operator.until(look, bool, self.operator.shown_s)
        return tuple(seen[at] for at in range(len(effects)))
