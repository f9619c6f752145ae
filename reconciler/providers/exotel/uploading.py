"""A first load as one file: sent once, then followed until it is worked through (H5).

The work may take a quarter of an hour, and goes on whether or not its answer arrived. So a file whose answer is lost is
never sent again in the same run: the list is looked at for as long as people keep appearing on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct, field

from reconciler.errors import NoAnswer, ReadIncomplete, Rejected
from reconciler.model.contacts import ContactSet
from reconciler.plan.calls import Call, Evidence, MembersAdded, Target
from reconciler.providers.base import Answer, Progress
from reconciler.providers.exotel import answers, convert
from reconciler.providers.exotel.answers import Row
from reconciler.providers.exotel.client import Client
from reconciler.providers.exotel.looking import Look
from reconciler.providers.http import Reply

POLL_S = (2.0, 4.0, 8.0, 16.0, 30.0)
"""Between looks at an upload; the last one goes on (H5)."""
UPLOAD_ENDS_S = 1800.0
STANDS_STILL = 2
"""So many looks at a list on which nobody appeared say that waiting on is no use."""

State = Evidence.State

_STATS = (("success", "success_count"), ("duplicate", "duplicate_count"), ("failed", "failure_count"))


class Uploads(Struct):
    """The files of one account."""

    client: Client
    account: str
    progress: Progress
    pause: Callable[[float], Awaitable[None]]
    _unanswered: set[Target] = field(default_factory=set)

    async def run(self, call: Call, effect: MembersAdded, send: Callable[[Call], Awaitable[Reply]]) -> Answer:
        """E10, then E11 until the file was worked through. Raises Rejected when that failed, NoAnswer when nobody can
        tell."""
        try:
            return await self._followed(await send(call))
        except NoAnswer:
            self._unanswered.add(effect.of)
            raise

    def unanswered(self, effect: MembersAdded) -> bool:
        """Whether a file for this list may still be worked on."""
        return effect.of in self._unanswered

    async def landed(self, effect: MembersAdded, rows: ContactSet, look: Look) -> Evidence:
        """Whether everybody of such a file is on the list by now. Never that it did not land: it may yet."""
        before, still, waited = len(rows) + 1, 0, 0.0
        for at in range(1_000):
            found = await look.at(effect, rows)
            if found.state not in (State.ABSENT, State.PARTLY):
                self._unanswered.discard(effect.of)
                return found
            left = len(found.remaining if found.remaining is not None else rows)
            still = still + 1 if left >= before else 0
            if still >= STANDS_STILL or waited >= UPLOAD_ENDS_S:
                break
            before = min(before, left)
            await self.pause(wait_s := POLL_S[min(at, len(POLL_S) - 1)])
            waited += wait_s
        detail = f"the answer to a file of {len(rows)} people was lost, and {left} of them are not on the list yet"
        return Evidence(state=State.AMBIGUOUS, remaining=found.remaining, detail=detail)

    async def _followed(self, reply: Reply) -> Answer:
        try:
            row = answers.single(reply.body)
        except ReadIncomplete as unreadable:
            raise NoAnswer(unreadable.message) from None
        places = (row, row.get("summary"), row.get("list"))
        upload = next((x for place in places if (x := convert.id_of(place, ("upload_id",)))), None)
        if upload is None:
            raise NoAnswer(f"{self.account} took a file and did not say how to follow it.")
        waited = 0.0
        for at in range(1_000):
            wait_s = POLL_S[min(at, len(POLL_S) - 1)]
            if waited >= UPLOAD_ENDS_S:
                break
            await self.pause(wait_s)
            waited += wait_s
            # The address in the answer is not followed: it could be anybody's.
            state = await self.client.upload(upload)
            self._tell(state)
            word = convert.letters(state.get("status"))
            if word == "completed":
                return Answer(status=reply.status, body=state)
            if word == "failed":
                raise Rejected("Exotel could not work through the file of people.", hint="Is its header as documented?")
        raise NoAnswer(f"{self.account} is still working on a file after {waited / 60:.0f} min.")

    def _tell(self, state: Row) -> None:
        stats = state.get("stats")
        row = stats if isinstance(stats, dict) else state
        counts = [answers.number(row.get(a)) or answers.number(row.get(b)) or 0 for a, b in _STATS]
        total = answers.number(row.get("total")) or answers.number(row.get("total_records"))
        self.progress("people in the file", sum(counts), total)
