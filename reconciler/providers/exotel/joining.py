"""What joining a list means for people, and whether it still means no more than when it was planned.

A plan is classed by the campaigns as they were read for it. One of them may start before all its calls are sent, by its
time or by hand, and a dynamic campaign calls whoever joins its list then. So the campaigns of a list are looked at
before each request that puts people on it, unless that was done a moment ago, and nobody joins what became graver.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.errors import NoAnswer, NotSent, ReadIncomplete, Rejected, Unchecked
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.kinds import ContactClass, gravest
from reconciler.model.live import AccountLive, Observed
from reconciler.providers.exotel.checks import CLOSED, send_at
from reconciler.providers.exotel.codes import CODES
from reconciler.providers.exotel.convert import OPEN, RUNNING, SCHEDULED, lists_of, status_of
from reconciler.providers.exotel.reading import Reader

FRESH_S = 2.0
"""How long a look at the campaigns holds; as long again as it took, where that is more."""


class CampaignStarted(Rejected):
    """A campaign of the list started since the plan. Nothing was sent."""

    code = "exotel-campaign-started-since"


def as_of(live: Observed, now: datetime) -> Observed:
    """A campaign with two more facts. ``due``: it waits for its time, and that has come, whatever the status says.
    ``closed``: its time is so near that it cannot be edited any more."""
    at = send_at(live.fields) if status_of(live) in OPEN else None
    due = at is not None and at <= now and status_of(live) == SCHEDULED
    return replace(live, facts={**live.facts, "due": due, "closed": at is not None and at < now + CLOSED})


def joining(campaigns: Iterable[Observed]) -> ContactClass:
    """What joining a list of these campaigns means for whoever joins."""
    calling = [o for o in campaigns if status_of(o) == RUNNING or o.facts.get("due")]
    return gravest(
        [
            ContactClass.STARTS_CONTACTING if o.fields.get("campaign_type") == "dynamic" else ContactClass.MAY_NOTIFY
            for o in calling
        ]
    )


class Joining(Struct):
    """The campaigns as they were planned with and as they are now. ``clock`` is monotonic, in seconds."""

    reader: Reader
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic
    _planned: Mapping[RemoteId, Observed] = field(default_factory=dict)
    _seen: Mapping[RemoteId, Observed] = field(default_factory=dict)
    _fresh_until: float = float("-inf")
    _turns: dict[RemoteId, asyncio.Lock] = field(default_factory=dict)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def planned(self, live: AccountLive) -> None:
        """What a plan is being made from."""
        self._planned = {i: o for (kind, i), o in live.objects.items() if kind is Kind.CAMPAIGN}
        self._seen, self._fresh_until = self._planned, float("-inf")

    def used(self, list_id: RemoteId) -> bool:
        """Whether a campaign that is not over had the list when it was planned: then requests go one at a time."""
        return any(_has(o, list_id) for o in self._planned.values())

    def turn(self, list_id: RemoteId) -> asyncio.Lock:
        """Held while a request puts people on the list."""
        return self._turns.setdefault(list_id, asyncio.Lock())

    async def check(self, list_id: RemoteId) -> None:
        """Raises CampaignStarted when joining the list means more now than it did, Unchecked when nobody can tell."""
        await self._look()
        before = joining(o for o in self._planned.values() if _has(o, list_id))
        users = [o for o in (as_of(x, self.now()) for x in self._seen.values()) if _has(o, list_id)]
        if joining(users).rank > before.rank:
            names = ", ".join(repr(o.fields.get("name", o.remote_id)) for o in users if joining([o]).rank > before.rank)
            meaning, remedy = CODES[CampaignStarted.code]
            raise CampaignStarted(f"Not sent: {names} has started since the plan. {meaning}", hint=remedy)

    async def _look(self) -> None:
        async with self._reading:
            started = self.clock()
            if started < self._fresh_until:
                return
            try:
                found = await self.reader.campaigns()
            except (NoAnswer, NotSent, ReadIncomplete) as failure:
                text = f"Not sent: whether a campaign of the list has started cannot be told: {failure.message}"
                raise Unchecked(text) from None
            # A listing need not tell the lists; those of a campaign that has started do not change.
            self._seen = {i: self._with_lists(o) for i, o in found.items()}
            self._fresh_until = self.clock() + max(FRESH_S, self.clock() - started)

    def _with_lists(self, live: Observed) -> Observed:
        known = self._planned.get(live.remote_id)
        if live.facts.get("complete") or known is None:
            return live
        return replace(live, facts={**live.facts, "lists": known.facts.get("lists", frozenset())})


def _has(live: Observed, list_id: RemoteId) -> bool:
    return status_of(live) in OPEN and list_id in lists_of(live)
