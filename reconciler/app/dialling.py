"""Dial: send one campaign now. The only command besides ``call`` that can, and the only one meant for it.

At most once: the intent is durable before the request leaves, a request is never repeated once it may have been
processed, and a campaign of which nobody knows whether it went out is not sent again before a person has looked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from reconciler.app import clock
from reconciler.app.dial_history import History, ago
from reconciler.app.dial_sending import Dialled, Sending, exit_code_of
from reconciler.app.leasing import Held, in_daemon, leased
from reconciler.app.loading import Request
from reconciler.app.planning import TOOL, Workspace, store_for
from reconciler.apply.control import FREEZE_VARIABLE, Control
from reconciler.errors import (
    Exit,
    InvalidInput,
    NotFound,
    ReconcilerError,
    Refused,
    UsageError,
)
from reconciler.masking import mask_number
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import in_environment
from reconciler.model.inventory import Inventory
from reconciler.model.resources import Account, Declared
from reconciler.model.zones import crowd
from reconciler.plan.binding import ownership
from reconciler.plan.changes import Approval
from reconciler.plan.quiet import held_back, hours_of
from reconciler.plan.reached import remembered
from reconciler.providers.base import Dial, Dialler, Provider, Undiallable
from reconciler.store import OperationRecord, OperationState, Store


class CannotDial(InvalidInput):
    """The campaign cannot be sent as it is, or not by its provider. Nothing was sent."""

    code = "cannot-dial"


class UnresolvedDial(ReconcilerError):
    """An earlier dial of this campaign may have gone out. Nothing was sent now."""

    exit_code = Exit.UNRESOLVED
    code = "dial-unresolved"


class Preview(Struct, frozen=True, kw_only=True):
    """What is about to be sent. ``lists`` are its lists by our address where we own them, with their entries."""

    address: Address
    dial: Dial
    lists: Mapping[str, int]


class DialOptions(Struct, kw_only=True):
    """What a dial needs besides the request. ``ask`` returns what a person typed; None where nobody can be asked.

    ``found`` is what a person found out about an earlier dial: whether it went out. Then nothing is sent.
    """

    address: Address
    approve: frozenset[Approval] = frozenset()
    confirm: str = ""
    again: bool = False
    request_id: str = ""
    found: bool | None = None
    show: Callable[[Preview], None] = lambda preview: None
    ask: Callable[[Preview], str] | None = None
    signals: Callable[[Control], None] = lambda control: None


async def dial(request: Request, options: DialOptions) -> Dialled:
    """Send one campaign.

    Raises UsageError, InvalidManifests, CannotDial, LeaseHeld, ProviderError, UnresolvedDial, Refused and Interruption:
    nothing was sent then. Raises StoreError too.
    """
    workspace = Workspace.of(request)
    account, provider = _declared(workspace, options.address)
    control = Control(root=Path(workspace.desired.project.root), variable=os.environ.get(FREEZE_VARIABLE))
    options.signals(control)
    accounts = {account.name: account}
    with store_for(workspace.desired, request, create=True) as store:
        async with (
            leased(store, accounts, workspace.providers, control, command="dial") as lease,
            workspace.connected(accounts, read_only=False) as sessions,
        ):
            inventory = store.inventory()
            campaign = _owned(workspace, options.address, inventory)
            if (refused := sessions.refused.get(account.name)) is not None:
                raise refused
            session = sessions.by_account[account.name]
            if not isinstance(session, Dialler):
                raise CannotDial(f"{options.address} cannot be dialled: {provider.name} has no call for it")
            work = _Dialling(
                workspace=workspace,
                options=options,
                account=account,
                provider=provider,
                store=store,
                inventory=inventory,
                session=session,
                campaign=campaign,
                control=control,
                lease=lease,
            )
            return await work.run()


def _declared(workspace: Workspace, address: Address) -> tuple[Account, Provider]:
    """Whose campaign it is. Raises UsageError for what is no campaign, CannotDial for one that nobody can dial."""
    if address.kind is not Kind.CAMPAIGN:
        raise UsageError(f"{address} is no campaign", hint="dial ACCOUNT/Campaign/NAME")
    resource = workspace.desired.resources.get(address)
    if resource is None:
        raise CannotDial(f"no manifest declares {address}", hint="declare the campaign and apply it first")
    account = workspace.desired.accounts[address.account]
    provider = workspace.providers[account.provider]
    if isinstance(provider, Undiallable):
        raise CannotDial(f"{address} cannot be dialled: {provider.undiallable}")
    if resource.lifecycle.observe:
        raise CannotDial(f"{address} is only observed", hint="remove lifecycle.observe to have it managed")
    return account, provider


def _owned(workspace: Workspace, address: Address, inventory: Inventory) -> RemoteId:
    owned = ownership(workspace.desired.resources[address], workspace.desired, inventory)
    if owned is None:
        raise CannotDial(f"{address} is not ours yet", hint="apply it first, or adopt it: reconciler inventory adopt")
    return owned.remote_id


class _Dialling(Struct, kw_only=True):
    """One dial, with everything it is made with."""

    workspace: Workspace
    options: DialOptions
    account: Account
    provider: Provider
    store: Store
    inventory: Inventory
    session: Dialler
    campaign: RemoteId
    control: Control
    lease: Held

    @property
    def address(self) -> Address:
        return self.options.address

    async def run(self) -> Dialled:
        history = History(store=self.store, session=self.session, account=self.account.name, campaign=self.campaign)
        if self.options.found is not None:
            return self._found(history, went_out=self.options.found)
        if (earlier := await self.control.unless_interrupted(self._before(history))) is not None:
            return earlier
        made = await self.control.unless_interrupted(self._prepared())
        preview = Preview(address=self.address, dial=made, lists=self._named(made))
        await self._check(made)
        self.options.show(preview)
        await self.control.unless_interrupted(self._approved(preview))
        sending = Sending(
            address=self.address,
            campaign=self.campaign,
            account=self.account,
            provider=self.provider,
            session=self.session,
            store=self.store,
            lease=self.lease,
            control=self.control,
            request_id=self.options.request_id,
            quiet=lambda: self._quiet(made),
        )
        return await sending.send(made)

    # --- what happened before

    async def _before(self, history: History) -> Dialled | None:
        """The dial that this request was made for already. Raises UnresolvedDial and Refused when another is one too
        many."""
        if (request_id := self.options.request_id) and (made := history.of_request(request_id)) is not None:
            return self._repeated(await history.looked_up(made) if made.state.open else made)
        for operation in history.open():
            looked = await history.looked_up(operation)
            if looked.state.open:
                raise self._unresolved(looked)
        recent = history.recent(datetime.now(UTC))
        if recent is not None and not self.options.again and not request_id:
            raise Refused(
                f"{self.address} was dialled {ago(recent)} ago, by run {recent.run}",
                hint="if everybody is to be contacted once more, add: --again",
            )
        return None

    def _repeated(self, operation: OperationRecord) -> Dialled:
        code = exit_code_of(operation.state, operation.note)
        return Dialled(
            address=self.address,
            run=operation.run,
            state=operation.state,
            recipients=operation.intent.rows,
            detail=operation.note,
            exit_code=code,
            repeated=True,
        )

    def _unresolved(self, operation: OperationRecord) -> UnresolvedDial:
        there = in_environment(self.workspace.desired.project.environment)
        return UnresolvedDial(
            f"{self.address} was dialled {ago(operation)} ago by run {operation.run}, and nothing tells whether that "
            "went out",
            hint=f"look in the provider's portal, then say: reconciler dial {self.address}{there} --found sent, or "
            "--found not-sent",
        )

    def _found(self, history: History, *, went_out: bool) -> Dialled:
        """What a person says of the dials that are open. Raises Refused when none is, or the name was not confirmed."""
        if not (left := history.open()):
            raise Refused(f"no dial of {self.address} is unresolved", hint="there is nothing to be said about it")
        self._check_name(self.options.confirm or self._typed_nothing())
        state = OperationState.DONE if went_out else OperationState.VOID
        note = "a person looked and found that it was sent" if went_out else "a person looked and found that it was not"
        settled = [history.settle(operation, state, note) for operation in left][-1]
        return Dialled(
            address=self.address,
            run=settled.run,
            state=settled.state,
            recipients=settled.intent.rows,
            detail=note,
            exit_code=Exit.OK,
            repeated=True,
        )

    def _typed_nothing(self) -> str:
        raise Refused(f"not confirmed: {self.address}", hint=f"add: --confirm {self.address.name}")

    # --- what it would do

    async def _prepared(self) -> Dial:
        """Raises CannotDial, and what reads raise."""
        try:
            made = await self.session.prepare(self.campaign)
        except NotFound:
            raise CannotDial(f"{self.address} is gone at {self.account.name}", hint="plan again") from None
        if made.problems:
            raise CannotDial(f"{self.address} cannot be dialled: {'; '.join(made.problems)}")
        return made

    def _named(self, made: Dial) -> Mapping[str, int]:
        ours = {remote_id: address for address, remote_id in self._owned_lists(made)}
        return {str(ours.get(list_id, f"list id {list_id}")): size for list_id, size in sorted(made.lists.items())}

    def _owned_lists(self, made: Dial) -> list[tuple[Address, RemoteId]]:
        ours = (o for o in self.inventory.of(self.account.name) if o.address.kind is Kind.LIST)
        return [(o.address, o.remote_id) for o in ours if o.remote_id in made.lists]

    async def _check(self, made: Dial) -> None:
        """Raises Refused for people who must not be contacted, too many of them, a policy, and a freeze."""
        desired = self.workspace.desired
        suppressed = desired.suppressed(self.account.name)
        hit = made.contacts.within(suppressed)
        if hit:
            raise _suppressed(self.address, f"{len(hit)} ({mask_number(next(hit.numbers()))}, …)")
        if not self.provider.rules.membership.readable:
            known = remembered(self.inventory, self.account.name, made.lists, suppressed)
            if known:
                raise _suppressed(self.address, str(len(known)))
        campaign = desired.resources[self.address]
        await self.workspace.judging.check_dial(campaign, desired, made.recipients, tool=TOOL)
        limit = self.account.guards.max_reach
        if limit is not None and made.recipients > max(limit, self.workspace.allows.up_to("reach", self.account.name)):
            raise Refused(
                f"{self.address} would contact {made.recipients} people, more than {limit}",
                hint=f"if this is meant, add: --allow reach={made.recipients}",
            )
        if reason := self.control.refusal(self.account.name):
            raise Refused(f"nothing is sent: {reason}", hint="lift that, then dial again")
        if reason := self._quiet(made):
            raise Refused(f"{self.address}: {reason}", hint="dial then")

    def _quiet(self, made: Dial) -> str:
        """Why nobody is to be contacted at this moment, or nothing."""
        desired, listed = self.workspace.desired, {a for a, _ in self._owned_lists(made)}
        members = (r.members for r in desired.of(self.account.name, Kind.MEMBERSHIP) if r.members is not None)
        declared = (m.contacts for m in members if isinstance(m.of, Declared) and m.of.address in listed)
        people = ContactSet.union_of((made.contacts, *declared)).without(desired.suppressed(self.account.name))
        hours = hours_of(desired, self.account.name, self.provider.rules)
        return held_back(hours, crowd(people, max(made.recipients - len(people), 0)), clock.now())

    async def _approved(self, preview: Preview) -> None:
        """Raises Refused unless somebody named the campaign and said that people are to be contacted."""
        options, name = self.options, self.address.name
        if options.confirm:
            self._check_name(options.confirm)
        if options.confirm and Approval.CONTACT in options.approve:
            return
        if options.ask is None:
            raise Refused(
                f"not approved: {self.address} contacts {preview.dial.recipients} people",
                hint=f"if this is meant, add: --approve contact --confirm {name}",
            )
        ask = options.ask
        self._check_name(await in_daemon(lambda: ask(preview)))
        if await self._prepared() != preview.dial:
            raise Refused(f"{self.address} or its lists changed while you were asked", hint="look again, then dial")

    def _check_name(self, typed: str) -> None:
        if typed != self.address.name:
            raise Refused(
                f"{self.address} was not confirmed: what was typed is not its name; nothing was sent",
                hint=f"type its metadata.name: {self.address.name}",
            )


def _suppressed(address: Address, who: str) -> Refused:
    return Refused(
        f"{address} would contact people whom a Suppression keeps from being contacted: {who}",
        hint="take them off its lists; there is no flag for this",
    )
