"""Accounts kept for one command that writes, and questions that are asked meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from reconciler.apply.control import Control, Elapsed
from reconciler.errors import LeaseHeld, StoreError
from reconciler.model.resources import Account
from reconciler.providers.base import Provider
from reconciler.providers.pace import base_url
from reconciler.store import Lease, Store

RENEW_EVERY_S = 20.0

T = TypeVar("T")


class Held:
    """A lease that is kept."""

    def __init__(self, store: Store, lease: Lease) -> None:
        self._store, self._lease = store, lease
        self._renewed = Elapsed()
        self._renewing = asyncio.Lock()
        self._lost = ""

    def renew(self) -> None:
        """Raises LeaseHeld when somebody has taken it over or broken it, StoreError when nobody can tell."""
        began = Elapsed()
        self._lease = self._store.renew(self._lease)
        self._renewed = began

    async def lost(self) -> str:
        """Why it is not ours any more, or nothing. After half its life without a heartbeat it is renewed before
        anything else is sent: while this machine slept, somebody may have taken it over."""
        async with self._renewing:
            if self._lost or self._renewed.seconds < self._lease.ttl.total_seconds() / 2:
                return self._lost
            try:
                await asyncio.to_thread(self.renew)
            except LeaseHeld as lost:
                self._lost = lost.message
            except StoreError as unclear:
                return unclear.message
            return self._lost

    async def renewed(self) -> None:
        """``renew``, without holding up what is under way, one at a time. What is lost once stays lost."""
        async with self._renewing:
            if self._lost:
                raise LeaseHeld(self._lost)
            try:
                await asyncio.to_thread(self.renew)
            except LeaseHeld as lost:
                self._lost = lost.message
                raise

    def release(self) -> None:
        with suppress(LeaseHeld, StoreError):
            self._store.release(self._lease)


def identity_of(account: Account, provider: Provider) -> str:
    """What the lease of an account is taken on: whose account it is, as far as that is declared."""
    return provider.identity(account) or f"{provider.name}:{base_url(account, provider.defaults)}:{account.name}"


@asynccontextmanager
async def leased(
    store: Store,
    accounts: Mapping[str, Account],
    providers: Mapping[str, Provider],
    control: Control,
    *,
    command: str = "apply",
    renew_every_s: float = RENEW_EVERY_S,
) -> AsyncIterator[Held]:
    """Nobody else writes to these accounts meanwhile. Raises LeaseHeld."""
    identities = [identity_of(account, providers[account.provider]) for account in accounts.values()]
    lease = Held(store, store.acquire(identities, command=command))
    control.lost = lease.lost
    heartbeat = asyncio.create_task(_renewed(lease, accounts, control, renew_every_s))
    try:
        yield lease
    finally:
        heartbeat.cancel()
        lease.release()


async def _renewed(lease: Held, accounts: Mapping[str, Account], control: Control, every_s: float) -> None:
    """Keeps the lease; when it is lost, or cannot be renewed, nothing new starts."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await lease.renewed()
        except (LeaseHeld, StoreError) as lost:
            control.halted.update(dict.fromkeys(accounts, lost.message))
            return


async def in_daemon(ask: Callable[[], T]) -> T:
    """Ask in a thread that nobody waits for at exit: a prompt can be left, and the lease is renewed meanwhile."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(set_: Callable[[], None]) -> None:
        if not answer.done():
            set_()

    def asking() -> None:
        try:
            given = ask()
        except BaseException as failure:  # it belongs to whoever waits, not to this thread
            problem = failure
            loop.call_soon_threadsafe(settle, lambda: answer.set_exception(problem))
        else:
            loop.call_soon_threadsafe(settle, lambda: answer.set_result(given))

    threading.Thread(target=asking, name="prompt", daemon=True).start()
    return await answer
