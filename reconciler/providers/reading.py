"""Reads every account at once. One that cannot be read whole is ``Unread``; the others do not suffer for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.errors import CredentialsRefused, Exit, ProviderError, ReadIncomplete
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.live import AccountLive, AccountState, Live, Unread
from reconciler.model.resources import Account
from reconciler.providers.base import (
    Connection,
    Counting,
    Progress,
    Provider,
    ReadsMembers,
    Scope,
    Session,
    Timed,
    silent,
)
from reconciler.providers.credentials import reveal


class Sessions(Struct, kw_only=True):
    """The open sessions of a run, by account; an account without credentials has none."""

    by_account: dict[str, Session] = field(default_factory=dict)
    refused: dict[str, CredentialsRefused] = field(default_factory=dict)


@asynccontextmanager
async def connected(
    accounts: Mapping[str, Account],
    providers: Mapping[str, Provider],
    *,
    read_only: bool,
    concurrency: int | None = None,
    progress: Progress = silent,
) -> AsyncIterator[Sessions]:
    """Sessions for ``accounts``, closed at the end. No request is sent by opening one."""
    sessions = Sessions()
    try:
        for name, account in sorted(accounts.items()):
            try:
                secrets = reveal(account)
            except CredentialsRefused as failure:
                sessions.refused[name] = failure
                continue

            def told(what: str, done: int, total: int | None, name: str = name) -> None:
                progress(f"{name}: {what}", done, total)

            connection = Connection(secrets=secrets, read_only=read_only, concurrency=concurrency, progress=told)
            sessions.by_account[name] = providers[account.provider].connect(account, connection)
        yield sessions
    finally:
        for session in sessions.by_account.values():
            await session.aclose()


async def read(accounts: Mapping[str, Account], sessions: Sessions, scope: Scope) -> Live:
    """Every account, side by side; what went wrong is in its place."""
    names = sorted(accounts)
    states = await asyncio.gather(*(_read_one(accounts[n], sessions, scope) for n in names))
    return Live(accounts=dict(zip(names, states, strict=True)))


async def _read_one(account: Account, sessions: Sessions, scope: Scope) -> AccountState:
    if (refused := sessions.refused.get(account.name)) is not None:
        return _unread(account, refused)
    session = sessions.by_account[account.name]
    before, started = session.requests, time.monotonic()
    try:
        live = _named(await session.fetch(await _counted(account.name, session, scope)))
    except ProviderError as failure:
        return _unread(account, failure)
    notes = (*live.notes, *_namesakes(account, live, scope))
    return replace(
        live,
        requests=session.requests - before,
        elapsed_s=time.monotonic() - started,
        latency_s=session.latency_s if isinstance(session, Timed) else 0.0,
        notes=notes,
    )


async def _counted(account: str, session: Session, scope: Scope) -> Scope:
    """``scope`` with only those members taken for granted of which the provider counts as many as they are."""
    known = scope.taken.get(account, {})
    counts = await session.counts(frozenset(known)) if known and isinstance(session, Counting) else {}
    unmoved = {i: members for i, members in known.items() if counts.get(i) == members.count}
    return replace(scope, taken={account: unmoved})


def _named(live: AccountLive) -> AccountLive:
    """``live``; raises ReadIncomplete when a kind has objects and none of them has a name. One nameless object is
    possible, all of them nameless is a field that was renamed: what is declared would be created a second time."""
    for kind in sorted({kind for kind, _ in live.objects}):
        if not any(o.name for (k, _), o in live.objects.items() if k is kind):
            raise ReadIncomplete(f"every {kind.lower()} was answered without a name")
    return live


def _namesakes(account: Account, live: AccountLive, scope: Scope) -> Iterator[Diagnostic]:
    """Live objects that have the name of one of ours and are not ours: a network may deliver a request twice."""
    names: dict[tuple[Kind, str], list[RemoteId]] = {}
    for (kind, remote_id), each in live.objects.items():
        names.setdefault((kind, each.name), []).append(remote_id)
    if len(names) == len(live.objects):
        return
    ours = {(o.address.kind, o.remote_id): o.address for o in scope.inventory.of(account.name)}
    for key, address in sorted(ours.items()):
        resource = scope.desired.resources.get(address)
        if (observed := live.objects.get(key)) is None or (resource is not None and resource.pinned is not None):
            continue
        twins = sorted(i for i in names[observed.kind, observed.name] if (observed.kind, i) not in ours)
        if twins:
            yield warning(
                "namesake",
                f"{address} has a namesake that is not ours: {', '.join(twins)}",
                hint="delete it in the portal if it is a double; it is never touched from here",
                address=str(address),
                source=resource.source if resource is not None else None,
            )


async def read_members(
    accounts: Mapping[str, Account],
    sessions: Sessions,
    live: Live,
    lists: Mapping[str, frozenset[RemoteId]],
) -> Live:
    """``live`` with the members of ``lists`` (by account) as well, where the provider tells who is on a list."""
    names = sorted(lists)
    states = await asyncio.gather(*(_read_more(accounts[n], sessions, live.accounts[n], lists[n]) for n in names))
    return Live(accounts={**live.accounts, **dict(zip(names, states, strict=True))})


async def _read_more(
    account: Account, sessions: Sessions, state: AccountState, lists: frozenset[RemoteId]
) -> AccountState:
    session = sessions.by_account[account.name]
    if isinstance(state, Unread) or not isinstance(session, ReadsMembers):
        return state
    before, started = session.requests, time.monotonic()
    try:
        more = await session.with_members(state, lists)
    except ProviderError as failure:
        return _unread(account, failure)
    return replace(
        more,
        requests=state.requests + session.requests - before,
        elapsed_s=state.elapsed_s + time.monotonic() - started,
    )


def _unread(account: Account, failure: ProviderError) -> Unread:
    credentials = isinstance(failure, CredentialsRefused)
    reason = failure.message.removeprefix(f"account {account.name!r} ").removeprefix(f"account {account.name!r}: ")
    problem = error(
        failure.code,
        f"account {account.name!r} ({account.provider}) could not be read: {reason}",
        hint=failure.hint or f"nothing was planned for it; --exclude account:{account.name} takes it out of this run",
        address=account.name,
        source=account.source,
    )
    return Unread(problem=problem, exit_code=Exit.CREDENTIALS if credentials else Exit.UNREACHABLE)
