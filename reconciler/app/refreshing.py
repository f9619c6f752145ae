"""Reading accounts with as much of their lists as it takes: some only counted, until more turns out to be needed."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.addresses import RemoteId
from reconciler.model.live import AccountState, Live, Unread
from reconciler.model.resources import Account
from reconciler.plan.counted import disputed, without
from reconciler.providers.base import Scope
from reconciler.providers.reading import Sessions, read


class Reading(Struct, kw_only=True):
    """The reads for one plan. ``scope.taken`` are the lists that may still be only counted."""

    accounts: Mapping[str, Account]
    sessions: Sessions
    scope: Scope

    async def live(self) -> Live:
        """Every account."""
        return await self._undisputed(await read(self.accounts, self.sessions, self.scope))

    async def again(self, live: Live, lists: Mapping[str, frozenset[RemoteId]]) -> Live:
        """``live`` with the accounts of ``lists`` read once more, these lists now whole. The whole account, because who
        else has to be looked up depends on who is on them."""
        return await self._undisputed(await self._reread(live, lists))

    async def _undisputed(self, live: Live) -> Live:
        while lists := disputed(self.scope.desired, self.scope.inventory, live):
            live = await self._reread(live, lists)
        return live

    async def _reread(self, live: Live, lists: Mapping[str, frozenset[RemoteId]]) -> Live:
        self.scope = replace(self.scope, taken=without(self.scope.taken, lists))
        more = await read({name: self.accounts[name] for name in lists}, self.sessions, self.scope)
        summed = {name: _summed(live.accounts[name], state) for name, state in more.accounts.items()}
        return Live(accounts={**live.accounts, **summed})


def _summed(before: AccountState, state: AccountState) -> AccountState:
    """``state`` with what both reads took."""
    if isinstance(before, Unread) or isinstance(state, Unread):
        return state
    return replace(state, requests=before.requests + state.requests, elapsed_s=before.elapsed_s + state.elapsed_s)
