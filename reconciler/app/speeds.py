"""How fast each account goes: what its answers took, within its limits."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.live import AccountLive, Live
from reconciler.model.resources import Account
from reconciler.plan.estimate import Speed
from reconciler.providers.base import Provider
from reconciler.providers.pace import pace


def speeds(
    accounts: Mapping[str, Account], providers: Mapping[str, Provider], live: Live, parallelism: int | None
) -> dict[str, Speed]:
    """By account, for those whose answers were timed. ``parallelism`` is the command line's."""
    found = {}
    for name, account in accounts.items():
        state = live.accounts.get(name)
        if isinstance(state, AccountLive) and state.latency_s:
            defaults = providers[account.provider].defaults
            limits = pace(account, defaults, parallelism)
            found[name] = Speed(
                latency_s=state.latency_s,
                concurrency=limits.concurrency,
                page_rows=defaults.page_rows,
                list_reads=defaults.list_reads,
                requests_per_second=limits.requests_per_second,
                reads_per_minute=limits.reads_per_minute,
                writes_per_minute=limits.writes_per_minute,
            )
    return found
