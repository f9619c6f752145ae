"""Earlier dials of a campaign, as the journal has them: the reason why one is not sent twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from reconciler import __version__
from reconciler.errors import Exit, ProviderError, Refused
from reconciler.model.addresses import RemoteId
from reconciler.providers.base import Dialler, Sent
from reconciler.store import OperationRecord, OperationState, Store

DIALLED = "dialled"
CALLED = "called"
"""The effects of a dial's and of a call's intent in the journal. No plan has an effect of these names."""

AGAIN_AFTER = timedelta(hours=24)
"""A campaign that was sent is sent once more within this time only if somebody says that it is meant."""

RAN = "the provider shows that it was sent"
FAILED = "it was sent, and the provider says that it failed"
UNTOLD = "nothing tells whether it was sent"

_NEVER_LEFT = frozenset({OperationState.REJECTED, OperationState.NOT_PROCESSED, OperationState.VOID})


def is_dial(operation: OperationRecord) -> bool:
    return operation.intent.effect.get("effect") == DIALLED


def is_call(operation: OperationRecord) -> bool:
    return operation.intent.effect.get("effect") == CALLED


def effect_of(campaign: RemoteId, before: Mapping[str, str]) -> dict[str, str | Mapping[str, str]]:
    """What a dial's intent says: enough to look for its traces later."""
    return {"effect": DIALLED, "campaign": campaign, "before": dict(before)}


class History(Struct, frozen=True, kw_only=True):
    """The dials of one live campaign, whatever address it had, and the ``call``s that did the same."""

    store: Store
    session: Dialler
    account: str
    campaign: RemoteId

    def of_request(self, request_id: str) -> OperationRecord | None:
        """The dial that was made for ``request_id``. Raises Refused when the request was for something else."""
        run = self.store.run_of_request(request_id)
        if run is None:
            return None
        mine = [o for o in self.store.operations(run.id) if self._is_mine(o) and is_dial(o)]
        if mine:
            return mine[0]
        if run.command == "dial" and not self.store.operations(run.id):
            raise Refused(
                f"request {request_id} ended in run {run.id} before anything was sent",
                hint="dial with another --request-id",
            )
        raise Refused(
            f"request {request_id} was made before, for something else, by run {run.id}",
            hint="a request id stands for one dial of one campaign; use another",
        )

    def open(self) -> tuple[OperationRecord, ...]:
        """Dials that may have gone out without our knowing, oldest first."""
        found = {(o.run, o.op): o for o in (*self.store.open_intents(), *self.store.unresolved())}
        return tuple(o for o in found.values() if self._is_mine(o))

    def recent(self, now: datetime) -> OperationRecord | None:
        """The last one that went out, or may have, less than ``AGAIN_AFTER`` ago."""
        for run in self.store.runs():
            if run.started < now - AGAIN_AFTER:
                return None
            if run.command not in ("dial", "call"):
                continue
            for operation in self.store.operations(run.id):
                if self._is_mine(operation) and operation.state not in _NEVER_LEFT:
                    return operation
        return None

    async def looked_up(self, operation: OperationRecord) -> OperationRecord:
        """``operation`` with what can be found out about it by now; written down when that is new."""
        before = operation.intent.effect.get("before")
        sent = Sent.UNTOLD
        if is_dial(operation) and isinstance(before, Mapping):
            known = {name: str(value) for name, value in before.items()}
            try:
                sent = await self.session.evidence(self.campaign, known)
            except ProviderError:
                sent = Sent.UNTOLD
        if sent is not Sent.UNTOLD:
            return self.settle(operation, OperationState.DONE, FAILED if sent is Sent.FAILED else RAN)
        if operation.state is OperationState.UNRESOLVED:
            return operation
        return self.settle(operation, OperationState.UNRESOLVED, UNTOLD)

    def settle(self, operation: OperationRecord, state: OperationState, note: str) -> OperationRecord:
        """Writes down what became of an operation, and ends its run if that died."""
        run = self.store.begin_run("settle", tool_version=__version__)
        run.settle(operation, state, note=note)
        code = Exit.UNRESOLVED if state is OperationState.UNRESOLVED else Exit.OK
        run.close(exit_code=code)
        if any(r.id == operation.run for r in self.store.unfinished_runs()):
            self.store.end_run(operation.run, exit_code=code)
        return next(o for o in self.store.operations(operation.run) if o.op == operation.op)

    def _is_mine(self, operation: OperationRecord) -> bool:
        intent = operation.intent
        if intent.address.account != self.account:
            return False
        if is_dial(operation):
            return intent.effect.get("campaign") == self.campaign
        does_the_same = self.session.dial_operation and intent.effect.get("operation") == self.session.dial_operation
        return bool(does_the_same) and self.campaign in intent.path.split("/")


def ago(operation: OperationRecord) -> str:
    """How long ago it was intended."""
    minutes = max(int((datetime.now(UTC) - operation.intended_at).total_seconds() // 60), 0)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
