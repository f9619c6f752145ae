"""The last steps of a request: announced in the journal, and asked once more when it is about to leave."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct, field

from reconciler.apply.control import Elapsed
from reconciler.apply.journal import Intending, Journal, Recorded, Verdict
from reconciler.errors import ReconcilerError, Withheld
from reconciler.model.addresses import Address
from reconciler.plan.calls import Step

NOT_AFTER_S = 10.0
"""A request starts at most this long after its intent became durable."""


class Stop(Exception):
    """Nothing may start any more in this account, or this request may not."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Departure(Struct):
    """The way of one request from its intent to the wire; see ``providers.base.Start``.

    Between the two it may wait for a turn, for a pause that the provider asked for, for a login. So everything that can
    stop it is asked again when it is about to leave, and where its bound has passed it gets an intent anew: recovery
    reckons with that bound.
    """

    journal: Journal
    refusal: Callable[[], Awaitable[str]]
    """Why the request may not leave at this moment, or nothing."""
    operations: Sequence[tuple[Address, Step]]
    ops: list[int] = field(default_factory=list)
    let_go: int = 0
    """How often it left with nobody knowing that it came to nothing."""
    unsent: bool = True
    _since: Elapsed = field(default_factory=Elapsed)

    async def announced(self, *, ahead: bool = False) -> None:
        """The intents, made durable; ``ahead`` of a place for the request. Raises Stop when nothing may leave, as when
        the store did not take them."""
        if reason := await self.refusal():
            raise Stop(reason)
        self._since = Elapsed()
        intents = [Intending(address=a, batch=batch, not_after_s=NOT_AFTER_S) for a, batch in self.operations]
        try:
            self.ops = await self.journal.intend(*intents, ahead=ahead)
        except ReconcilerError as failure:
            raise Stop(failure.message) from failure

    async def __call__(self, *, again: bool) -> None:
        earlier = self.let_go - again
        self.unsent = earlier == 0
        while True:
            if reason := await self.refusal():
                raise Withheld(reason)
            if self._since.seconds < NOT_AFTER_S:
                break
            late = self.ops
            try:
                await self.announced()
            except Stop as stop:
                raise Withheld(stop.reason) from None
            # In parts it may have been processed; what is still open of it is the new intent's from here on.
            verdict = Verdict.NOT_PROCESSED if self.unsent else Verdict.VOID
            told = "not begun in time, and announced again as operation"
            anew = zip(late, self.ops, strict=True)
            await self.journal.record([Recorded(op=op, verdict=verdict, note=f"{told} {new}") for op, new in anew])
        self.let_go, self.unsent = earlier + 1, False
