"""Drift: read the accounts and compare three ways. Reads only: nothing is written, not even the store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from reconciler.app.loading import Request
from reconciler.app.planning import TOOL, Workspace, store_for
from reconciler.errors import Exit
from reconciler.plan.drift import Drift
from reconciler.plan.drift_codec import encode_drift
from reconciler.plan.saved import stamp
from reconciler.plan.threeway import drift as compare


class Drifted(Struct, frozen=True, kw_only=True):
    """A comparison, and what the command ends with."""

    drift: Drift
    now: datetime

    @property
    def exit_code(self) -> Exit:
        """An account that was not read comes first; differences that nobody accepted are 2."""
        codes = {a.exit_code for a in self.drift.accounts if a.problem is not None}
        for code in (Exit.CREDENTIALS, Exit.UNREACHABLE):
            if code in codes:
                return code
        if any(d.blocking for d in self.drift.diagnostics):
            return Exit.INVALID
        return Exit.DIFFERENCES if self.drift.moved else Exit.OK

    def document(self, *, show_pii: bool = False) -> dict[str, Any]:
        return encode_drift(self.drift, tool=TOOL, created_at=stamp(self.now), show_pii=show_pii)


async def drift(request: Request) -> Drifted:
    """Raises what ``planning.plan`` raises."""
    workspace = Workspace.of(request)
    with store_for(workspace.desired, request, create=False) as store:
        inventory = store.inventory()
    accounts = workspace.scoped(inventory)
    async with workspace.connected(accounts, read_only=True) as sessions:
        live = await workspace.reading(inventory, sessions, accounts).live()
    now = datetime.now(UTC)
    compared = compare(
        workspace.desired,
        live,
        inventory,
        workspace.rules,
        selection=workspace.selection,
        today=now.date(),
        notes=workspace.notes,
    )
    return Drifted(drift=compared, now=now)
