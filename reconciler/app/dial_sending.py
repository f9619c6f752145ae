"""One dial that was approved: written down, sent once, looked for, and written down again.

The intent is durable before the request leaves, and nothing here sends a second time, whatever comes back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from reconciler import __version__
from reconciler.app.dial_history import FAILED, RAN, UNTOLD, effect_of
from reconciler.app.leasing import Held
from reconciler.apply.control import GRACE_S, Control
from reconciler.apply.operation import LONGEST_SETTLE_S
from reconciler.errors import CredentialsRefused, Exit, NotFound, NotSent, ProviderError, RateLimited, Rejected
from reconciler.masking import mask_text
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.kinds import ContactClass
from reconciler.model.resources import Account
from reconciler.plan.calls import Phase
from reconciler.providers.base import Dial, Dialler, Provider, Sent
from reconciler.providers.http import settle
from reconciler.report import Outcome
from reconciler.store import Intent, OperationState, Store, path_template

_BEGINS_WITHIN = timedelta(minutes=10)
"""Waits that the provider asks for included."""


class Dialled(Struct, frozen=True, kw_only=True):
    """How it ended. ``repeated``: nothing was sent now, the request had been made before."""

    address: Address
    run: str
    state: OperationState
    recipients: int
    detail: str
    exit_code: Exit
    repeated: bool = False

    def document(self, *, show_pii: bool = False) -> dict[str, Any]:
        """The JSON document (``schemas/dial.json``); numbers of people are masked unless ``show_pii``."""
        return {
            "formatVersion": "1",
            "address": str(self.address),
            "run": self.run,
            "outcome": str(self.state),
            "recipients": self.recipients,
            "repeated": self.repeated,
            "detail": self.detail if show_pii else mask_text(self.detail),
        }


class Sending(Struct, frozen=True, kw_only=True):
    """What one request is sent with. ``lease`` is held, and whoever made this has checked everything else."""

    address: Address
    campaign: RemoteId
    account: Account
    provider: Provider
    session: Dialler
    store: Store
    lease: Held
    control: Control
    request_id: str
    quiet: Callable[[], str]
    """Why nobody is to be contacted at this moment, or nothing; asked when the request is about to leave."""

    async def send(self, made: Dial) -> Dialled:
        """Write the intent, send, write what came of it."""
        self.lease.renew()
        run = self.store.begin_run("dial", tool_version=__version__, request_id=self.request_id)
        op = run.intend(self._intent(made))
        result = _Result()
        try:
            if reason := self.control.refusal(self.account.name) or self.quiet():
                result.take(OperationState.VOID, f"not sent: {reason}")
            else:
                await self.control.graceful(self._ask(made, result), GRACE_S)
        finally:
            code = exit_code_of(result.state, result.note)
            if self.control.interrupted.is_set():
                code = self.control.exit_code
            run.record(op, result.state, note=result.note)
            run.close(exit_code=code, counts={str(_COUNTED.get(result.state, Outcome.FAILED)): 1})
        return Dialled(
            address=self.address,
            run=run.id,
            state=result.state,
            recipients=made.recipients,
            detail=result.note,
            exit_code=code,
        )

    def _intent(self, made: Dial) -> Intent:
        return Intent(
            address=self.address,
            title=f"dial {self.address.name}",
            phase=Phase.CAMPAIGN,
            method=made.call.method,
            path=path_template(made.call),
            not_after=datetime.now(UTC) + _BEGINS_WITHIN,
            contact_class=ContactClass.STARTS_CONTACTING,
            rows=made.recipients,
            effect=effect_of(self.campaign, made.before),
        )

    async def _ask(self, made: Dial, result: _Result) -> None:
        """One request. Whatever is no clear yes is looked up, a refusal too; nothing is ever sent a second time."""
        try:
            await self.session.dial(made)
        except NotSent as failure:
            result.take(OperationState.NOT_PROCESSED, failure.message)
        except ProviderError as failure:
            refused = isinstance(failure, Rejected | NotFound | CredentialsRefused | RateLimited)
            landing_s, visibility_s = settle(self.account, self.provider.defaults)
            sent = await self._looked(made, 0.0 if refused else landing_s + visibility_s)
            if sent is not Sent.UNTOLD:
                result.take(OperationState.DONE, FAILED if sent is Sent.FAILED else RAN)
            elif refused:
                throttled = isinstance(failure, RateLimited)
                state = OperationState.NOT_PROCESSED if throttled else OperationState.REJECTED
                result.take(state, failure.message)
            else:
                result.take(OperationState.UNRESOLVED, f"{UNTOLD}: {failure.message}")
        else:
            result.take(OperationState.DONE, "")
            if await self._looked(made, 0.0) is Sent.FAILED:
                result.take(OperationState.DONE, FAILED)

    async def _looked(self, made: Dial, wait_s: float) -> Sent:
        """What can be seen, at once and again until the provider's settle time is over."""
        end, pause_s = time.monotonic() + min(wait_s, LONGEST_SETTLE_S), 1.0
        while True:
            try:
                sent = await self.session.evidence(self.campaign, made.before)
            except ProviderError:
                sent = Sent.UNTOLD
            left_s = end - time.monotonic()
            if sent is not Sent.UNTOLD or left_s <= 0:
                return sent
            await asyncio.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 2, 15.0)


class _Result(Struct):
    """What is known of the request; until there is more, that it may have gone out."""

    state: OperationState = OperationState.UNRESOLVED
    note: str = "ended before there was an answer"

    def take(self, state: OperationState, note: str) -> None:
        self.state, self.note = state, note


_COUNTED = {OperationState.DONE: Outcome.DONE, OperationState.UNRESOLVED: Outcome.UNRESOLVED}


def exit_code_of(state: OperationState, note: str) -> Exit:
    """What a command ends with that says what became of a dial."""
    match state:
        case OperationState.DONE:
            return Exit.PARTIAL if note == FAILED else Exit.OK
        case OperationState.VOID:
            return Exit.REFUSED
        case OperationState.REJECTED | OperationState.NOT_PROCESSED:
            return Exit.PARTIAL
        case _:
            return Exit.UNRESOLVED
