"""How the accounts are doing, as their providers tell it: read, given our names, and put into one document.

A read that fails is told in its account's place and never passes for health.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from reconciler.app.leasing import identity_of
from reconciler.app.loading import Request
from reconciler.app.planning import Workspace, store_for
from reconciler.diagnostics import Diagnostic, error
from reconciler.errors import CredentialsRefused, Exit, ProviderError
from reconciler.masking import mask_text
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.inventory import Inventory
from reconciler.model.resources import Account
from reconciler.plan.codec import diagnostic
from reconciler.plan.saved import stamp
from reconciler.providers.base import HealthRow, Observer
from reconciler.providers.reading import Sessions
from reconciler.store import OperationRecord, OperationState, Store

_KINDS = {"campaign": Kind.CAMPAIGN, "list": Kind.LIST}


class AccountHealth(Struct, frozen=True, kw_only=True):
    """One account. ``problem`` says why it could not be read; ``observable`` whether its provider tells anything."""

    name: str
    provider: str
    rows: tuple[HealthRow, ...] = ()
    problem: Diagnostic | None = None
    exit_code: Exit = Exit.OK
    observable: bool = True
    requests: int = 0
    elapsed_s: float = 0.0

    @property
    def healthy(self) -> bool:
        return self.problem is None and not any(row.problem for row in self.rows)


class Observation(Struct, frozen=True, kw_only=True):
    """Every account in scope. ``names`` are our addresses of the live objects that we own."""

    project: str
    environment: str
    at: datetime
    accounts: tuple[AccountHealth, ...]
    names: Mapping[tuple[str, Kind, RemoteId], Address]

    @property
    def healthy(self) -> bool:
        return all(account.healthy for account in self.accounts)

    @property
    def exit_code(self) -> Exit:
        """4 or 10 when an account could not be read, else 0."""
        codes = {account.exit_code for account in self.accounts}
        return next((c for c in (Exit.CREDENTIALS, Exit.UNREACHABLE) if c in codes), Exit.OK)

    def document(self, *, show_pii: bool = False) -> dict[str, Any]:
        """The JSON document (``schemas/status.json``); numbers of people are masked unless ``show_pii``."""
        rows = [row for account in self.accounts for row in account.rows]
        return {
            "formatVersion": "1",
            "project": self.project,
            "environment": self.environment,
            "observedAt": stamp(self.at),
            "healthy": self.healthy,
            "accounts": [self._account(account, show_pii) for account in self.accounts],
            "summary": {
                "accounts": len(self.accounts),
                "unread": sum(account.problem is not None for account in self.accounts),
                "observed": len(rows),
                "unhealthy": sum(bool(row.problem) for row in rows),
            },
        }

    def _account(self, account: AccountHealth, show_pii: bool) -> dict[str, Any]:
        return {
            "name": account.name,
            "provider": account.provider,
            "healthy": account.healthy,
            "observable": account.observable,
            "requests": account.requests,
            "elapsedSeconds": round(account.elapsed_s, 3),
            "problem": diagnostic(account.problem, show_pii) if account.problem else None,
            "rows": [self._row(account.name, row, show_pii) for row in account.rows],
        }

    def _row(self, account: str, row: HealthRow, show_pii: bool) -> dict[str, Any]:
        shown = str if show_pii else mask_text
        kind = _KINDS.get(row.subject)
        ours = self.names.get((account, kind, RemoteId(row.remote_id))) if kind is not None else None
        return {
            "subject": row.subject,
            "remoteId": row.remote_id,
            "name": shown(row.name),
            "address": str(ours) if ours is not None else "",
            "state": shown(row.state),
            "healthy": not row.problem,
            "problem": shown(row.problem),
            "figures": {shown(k): shown(v) if isinstance(v, str) else v for k, v in row.figures.items()},
        }


async def observe(request: Request) -> Observation:
    """Read every account in scope, side by side. Raises what loading the manifests raises; writes nothing."""
    workspace = Workspace.of(request)
    with store_for(workspace.desired, request, create=False) as store:
        inventory = store.inventory(members=False)
        accounts = workspace.scoped(inventory)
        uploads = {name: _uploads(store, account, workspace) for name, account in accounts.items()}
    async with workspace.connected(accounts, read_only=True) as sessions:
        found = await asyncio.gather(*(_observed(accounts[n], sessions, uploads[n]) for n in sorted(accounts)))
    project = workspace.desired.project
    return Observation(
        project=project.name,
        environment=project.environment,
        at=datetime.now(UTC),
        accounts=tuple(found),
        names=_names(inventory),
    )


def _uploads(store: Store, account: Account, workspace: Workspace) -> tuple[HealthRow, ...]:
    """People who are on their way to a list, as the journal has them: no provider lists its uploads."""
    working = store.holder(identity_of(account, workspace.providers[account.provider])) is not None
    found: dict[tuple[Address, bool], list[OperationRecord]] = {}
    for operation in (*store.open_intents(), *store.unresolved()):
        intent = operation.intent
        if intent.address.account == account.name and intent.effect.get("effect") == "members-added":
            at_it = working and operation.state is not OperationState.UNRESOLVED
            found.setdefault((intent.address, at_it), []).append(operation)
    return tuple(
        HealthRow(
            subject="upload",
            remote_id=str(operations[0].intent.effect.get("of") or ""),
            name=str(address),
            state="in progress" if at_it else "left open",
            problem="" if at_it else "it may have landed: apply again, which looks before anything is sent",
            figures={
                "people": sum(o.intent.rows for o in operations),
                "since": stamp(min(o.intended_at for o in operations)),
            },
        )
        for (address, at_it), operations in sorted(found.items())
    )


async def _observed(account: Account, sessions: Sessions, uploads: tuple[HealthRow, ...]) -> AccountHealth:
    if (refused := sessions.refused.get(account.name)) is not None:
        return _unread(account, refused)
    session, started = sessions.by_account[account.name], time.monotonic()
    if not isinstance(session, Observer):
        return AccountHealth(name=account.name, provider=account.provider, observable=False)
    try:
        rows = await session.health()
    except ProviderError as failure:
        return _unread(account, failure)
    return AccountHealth(
        name=account.name,
        provider=account.provider,
        rows=_in_order((*rows, *uploads)),
        requests=session.requests,
        elapsed_s=time.monotonic() - started,
    )


def _in_order(rows: Sequence[HealthRow]) -> tuple[HealthRow, ...]:
    """By subject as the provider has them, what is unhealthy first, then by name."""
    subjects = {subject: at for at, subject in enumerate(dict.fromkeys(row.subject for row in rows))}
    return tuple(sorted(rows, key=lambda r: (subjects[r.subject], not r.problem, r.name, r.remote_id)))


def _unread(account: Account, failure: ProviderError) -> AccountHealth:
    refused = isinstance(failure, CredentialsRefused)
    return AccountHealth(
        name=account.name,
        provider=account.provider,
        problem=error(
            failure.code,
            f"account {account.name!r} ({account.provider}) could not be read: {failure.message}",
            hint=failure.hint,
            address=account.name,
            source=account.source,
        ),
        exit_code=Exit.CREDENTIALS if refused else Exit.UNREACHABLE,
    )


def _names(inventory: Inventory) -> Mapping[tuple[str, Kind, RemoteId], Address]:
    return {(a.account, a.kind, owned.remote_id): a for a, owned in sorted(inventory.owned.items())}
