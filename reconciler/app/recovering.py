"""What an earlier run left open, settled before anything new is planned.

First comes time: until nothing of it can land or show any more, nobody looks. Then whatever can be read back is void,
because the plan is made from what is live. Three things need more than that. An object whose creation was lost is ours
under strict rules only (see ``_Found``). Members that cannot be read back are told by how their list grew. And what
starts contacting people is never sent again by itself, whatever a look shows: that is for the plan and a person to
decide (see ``leftovers``). A ``call`` did something that no plan knows of: one that died stays unresolved in the
journal, and stops nothing. Nothing here writes to a provider, and a recovery that dies half-way is done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler import __version__
from reconciler.app.dial_history import is_call, is_dial
from reconciler.app.leftovers import Leftovers, Unresolved, allow_hint
from reconciler.app.planning import Workspace
from reconciler.app.uploads import kept_uploads, with_members
from reconciler.apply.operation import LONGEST_SETTLE_S
from reconciler.apply.ownership import owned_resource, replaced_object
from reconciler.errors import Exit, ProviderError, StalePlan
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import in_environment
from reconciler.model.inventory import Inventory, Owned
from reconciler.model.kinds import ContactClass
from reconciler.model.live import AccountLive, Observed
from reconciler.model.resources import Account
from reconciler.plan.calls import Evidence, MembersAdded
from reconciler.plan.planner import another
from reconciler.providers.base import Scope
from reconciler.providers.http import pace, settle
from reconciler.providers.reading import Sessions, read
from reconciler.report import Outcome
from reconciler.store import OperationRecord, OperationState, RunRecord, Store

AGAIN = "planned again from what is live"


async def settle_leftovers(
    store: Store,
    workspace: Workspace,
    sessions: Sessions,
    accounts: Mapping[str, Account],
    inventory: Inventory,
    *,
    leased_at: datetime,
) -> Leftovers:
    """Settles what earlier runs left open in ``accounts``, and the inventory after that. Raises Unresolved.

    ``leased_at``: since then nobody else can be sending. What other accounts left open stays open.
    """
    open_ = {(o.run, o.op): o for o in (*store.open_intents(), *store.unresolved())}
    left = [o for o in open_.values() if o.intent.address.account in sessions.by_account and not _waits(o)]
    died = [r for r in store.unfinished_runs() if r.command in ("apply", "call")]
    dead = {r.id: (r, store.operations(r.id)) for r in died}
    # Answered, and the process died before the books were written.
    unkept = [o for _, operations in dead.values() for o in operations if _unkept(o, inventory, accounts)]
    over = [(r, o) for r, o in dead.values() if o and {x.intent.address.account for x in o} <= accounts.keys()]
    recovery = _Recovery(
        store=store,
        workspace=workspace,
        sessions=sessions,
        accounts=accounts,
        inventory=inventory,
        owned=kept_uploads((o for _, operations in over for o in operations), workspace, inventory),
    )
    if left or unkept:
        await _check_accounts({o.intent.address.account for o in (*left, *unkept)}, recovery)
        await _until_settled(left, workspace, accounts, leased_at)
        await recovery.look(left, unkept)
    recovery.write(over)
    if recovery.unclear:
        raise Unresolved("; ".join(recovery.unclear), hint="; ".join(dict.fromkeys(recovery.hints)))
    kept = store.inventory() if recovery.owned else inventory
    return Leftovers(
        store=store,
        workspace=workspace,
        inventory=kept,
        pending=tuple(recovery.pending),
        added=tuple(recovery.added),
    )


def _waits(operation: OperationRecord) -> bool:
    """Whether it is none of an apply's business. A dial waits for a person, or for evidence that only ``dial`` looks
    for; a ``call`` without an answer waits for a person from the start."""
    return is_dial(operation) or (is_call(operation) and operation.state is OperationState.UNRESOLVED)


async def _check_accounts(names: set[str], recovery: _Recovery) -> None:
    """Raises StalePlan when one of them is another account than it was: there is nothing of an earlier run in that one,
    and so nothing to be concluded from what is not there. An account that cannot be read is left to the plan."""
    scope = Scope(desired=recovery.workspace.desired, inventory=recovery.inventory)
    live = await read({n: recovery.accounts[n] for n in sorted(names)}, recovery.sessions, scope)
    for name, state in live.accounts.items():
        pinned = recovery.inventory.identities.get(name, "")
        if isinstance(state, AccountLive) and another(pinned, state.identity):
            raise StalePlan(
                f"account {name!r} was {pinned} at the last apply and is {state.identity} now",
                hint="check its credentials and ids; requests of an earlier run are still open in the former",
            )


async def _until_settled(
    left: Iterable[OperationRecord], workspace: Workspace, accounts: Mapping[str, Account], leased_at: datetime
) -> None:
    """Waits until none of it can land or show any more. Also for what a run gave up as unresolved: an interrupted one
    did not wait."""
    ends = []
    for operation in left:
        account = accounts[operation.intent.address.account]
        defaults = workspace.providers[account.provider].defaults
        settle_s = sum(settle(account, defaults))
        # The sender gave up at the latest when its request timed out, and has ended since we hold its lease. One whose
        # lease was broken has not noticed yet, and may still begin what it promised to begin.
        timed_out = operation.intent.not_after + timedelta(seconds=pace(account, defaults).timeout_s)
        left_by = min(timed_out, max(operation.intent.not_after, leased_at))
        if settle_s:  # on loopback nothing lands late, unless the account says so
            ends.append(left_by + timedelta(seconds=settle_s))
    wait_s = (max(ends) - datetime.now(UTC)).total_seconds() if ends else 0.0
    if wait_s <= 0:
        return
    if wait_s > LONGEST_SETTLE_S:
        raise Unresolved(
            f"{len(ends)} requests of an earlier run may still land for {wait_s:.0f} s", hint="apply again then"
        )
    until = datetime.now(UTC) + timedelta(seconds=wait_s)
    workspace.request.tell(f"an earlier run left requests open: waiting until {until:%H:%M:%S} UTC for what may land")
    await asyncio.sleep(wait_s)


def _unkept(operation: OperationRecord, inventory: Inventory, accounts: Mapping[str, Account]) -> bool:
    return (
        operation.state is OperationState.DONE
        and operation.remote_id is not None
        and _effect(operation) == "created"
        and operation.intent.address.account in accounts
        and operation.intent.address not in inventory.owned
    )


def _effect(operation: OperationRecord) -> str:
    return str(operation.intent.effect.get("effect", ""))


class _Found(Struct, frozen=True, kw_only=True):
    """The objects that a lost creation may have made.

    All of these hold for each: it is among everything that the account has, it has exactly the name, it was not there
    when the creation was planned, and nobody owns it under another address or in another project. If there is one, it
    is ours. Of several, a person has to say which.
    """

    objects: tuple[Observed, ...]

    @classmethod
    def of(cls, operation: OperationRecord, live: AccountLive, taken: Callable[[Observed], bool]) -> _Found:
        intent = operation.intent
        name = str(intent.effect.get("name", "")).strip()
        named = [o for o in live.objects.values() if o.kind == intent.effect.get("kind") and o.name.strip() == name]
        if answered := [o for o in named if o.remote_id == operation.remote_id]:
            named = answered
        new = (o for o in named if o.remote_id not in intent.known_ids and not taken(o))
        return cls(objects=tuple(sorted(new, key=lambda o: o.remote_id)))


class _Recovery(Struct, kw_only=True):
    """What is found out, collected first and written down together."""

    store: Store
    workspace: Workspace
    sessions: Sessions
    accounts: Mapping[str, Account]
    inventory: Inventory
    outcomes: list[tuple[OperationRecord, OperationState, RemoteId | None, str]] = field(default_factory=list)
    owned: dict[Address, Owned] = field(default_factory=dict)
    pending: list[OperationRecord] = field(default_factory=list)
    added: list[OperationRecord] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    async def look(self, left: list[OperationRecord], unkept: list[OperationRecord]) -> None:
        created = [o for o in left if _effect(o) == "created"]
        names = {o.intent.address.account for o in (*created, *unkept)}
        bare = Scope(desired=replace(self.workspace.desired, resources={}), inventory=Inventory())
        live = (await read({n: self.accounts[n] for n in sorted(names)}, self.sessions, bare)).accounts
        for operation in unkept:
            if isinstance(state := live.get(operation.intent.address.account), AccountLive):
                self._keep(operation, state)
        for operation in left:
            rules = self.workspace.providers[self.accounts[operation.intent.address.account].provider].rules
            if is_call(operation):
                self._settled(operation, OperationState.UNRESOLVED, "ended before there was an answer")
            elif _effect(operation) == "created":
                # An account that cannot be read tells nothing: the plan will say why, and this stays open.
                if isinstance(state := live[operation.intent.address.account], AccountLive):
                    self._created(operation, state)
            elif _effect(operation) == "members-added" and not rules.membership.readable:
                await self._uploaded(operation)
            else:
                if _effect(operation) == "members-added":
                    self.added.append(operation)
                self._read_back(operation)

    def _settled(
        self, operation: OperationRecord, state: OperationState, note: str, id_: RemoteId | None = None
    ) -> None:
        self.outcomes.append((operation, state, id_, note))

    def _read_back(self, operation: OperationRecord, note: str = AGAIN) -> None:
        """The plan is made from what is live; what starts contacting people has to pass one more question then."""
        if operation.intent.contact_class is ContactClass.STARTS_CONTACTING:
            self.pending.append(operation)
        else:
            self._settled(operation, OperationState.VOID, note)

    # --- objects

    def _keep(self, operation: OperationRecord, live: AccountLive) -> None:
        found = _Found.of(operation, live, self._taken(operation.intent.address))
        if [o.remote_id for o in found.objects] == [operation.remote_id]:
            self._own(operation.intent.address, found.objects[0])

    def _created(self, operation: OperationRecord, live: AccountLive) -> None:
        address = operation.intent.address
        ours = self._owned(address)
        found = _Found.of(operation, live, self._taken(address))
        if ours is not None and ours.remote_id in {o.remote_id for o in found.objects}:
            self._settled(operation, OperationState.DONE, "it is ours already", ours.remote_id)
        elif not found.objects:
            self._read_back(operation, "looked up: it did not land")
        elif len(found.objects) == 1:
            self._own(address, found.objects[0])
            self._settled(operation, OperationState.DONE, "found after a lost answer", found.objects[0].remote_id)
        elif self._covered(address):
            ids = [o.remote_id for o in found.objects]
            self.unclear.append(f"{address}: several new objects have its name ({', '.join(ids)})")
            there = in_environment(self.workspace.desired.project.environment)
            adopt = " or ".join(f"reconciler inventory adopt {address} {i}{there}" for i in ids)
            self.hints.append(f"look which one it is, then: {adopt}")

    def _owned(self, address: Address) -> Owned | None:
        return self.owned.get(address) or self.inventory.owned.get(address)

    def _taken(self, address: Address) -> Callable[[Observed], bool]:
        provider = self.accounts[address.account].provider
        identity = self.inventory.identities.get(address.account, "")

        def taken(found: Observed) -> bool:
            here = (*self.inventory.of(address.account), *self.owned.values())
            if any(
                o.remote_id == found.remote_id and o.address.kind is found.kind and o.address != address for o in here
            ):
                return True
            return self.store.owned_elsewhere(provider, found.kind, found.remote_id, identity=identity)

        return taken

    def _own(self, address: Address, found: Observed) -> None:
        resource = self.workspace.desired.resources.get(address)
        provider = self.accounts[address.account].provider
        owned = Owned(address=address, provider=provider, remote_id=found.remote_id)
        old = self._owned(address)
        if old is not None and old.provider == provider and old.remote_id != found.remote_id:
            # Until now the address stood for the object that this one replaces, and which is still to be deleted.
            kept = replaced_object(address, provider, old.remote_id)
            self.owned[kept.address] = kept
            owned = replace(old, remote_id=found.remote_id, fields={})
        if resource is not None:
            # Fields as read, never as declared: the manifest may have moved on since.
            fields = {name: found.fields[name] for name in resource.fields if name in found.fields}
            owned = replace(owned_resource(resource, found.remote_id), fields=fields)
        self.owned[address] = owned

    # --- people who cannot be read back

    async def _uploaded(self, operation: OperationRecord) -> None:
        """What became of an upload, as far as the growth of its list tells."""
        intent = operation.intent
        of = RemoteId(str(intent.effect["of"]))
        # Who they were is not known here, and need not be: only how many can be seen.
        rows = ContactSet.from_columns({"number": [str(i) for i in range(intent.rows)]})
        effect = MembersAdded(of=of, known_ids=intent.known_ids, counted=True)
        try:
            look = await self.sessions.by_account[intent.address.account].observe(effect, rows)
        except ProviderError as failure:
            look = Evidence(state=Evidence.State.AMBIGUOUS, detail=failure.message)
        if look.state is Evidence.State.HOLDS:
            self.owned[intent.address] = with_members(operation, self.workspace, self._owned(intent.address))
            self._settled(operation, OperationState.DONE, "found by how the list grew")
        elif look.state is Evidence.State.ABSENT:
            self._read_back(operation, "the list did not grow")
        elif self.workspace.allows.names("unknown-members", str(intent.address)):
            self._settled(operation, OperationState.VOID, "a person looked and said that it is not there")
        elif self._covered(intent.address):
            self.unclear.append(f"{intent.address}: an upload of {intent.rows} people may have landed: {look.detail}")
            flag = allow_hint(self.workspace, f"unknown-members={intent.address}")
            self.hints.append(f"look at the list in the portal; if the upload is not there, {flag}")

    def _covered(self, address: Address) -> bool:
        """What this run leaves out stops nobody: its question stays open."""
        return self.workspace.selection.covers(address, self.workspace.desired.resources.get(address))

    # --- the books

    def write(self, over: Iterable[tuple[RunRecord, tuple[OperationRecord, ...]]]) -> None:
        """All of it at once, and the end of runs that died."""
        if self.outcomes or self.owned:
            run = self.store.begin_run("recover", tool_version=__version__)
            with run.batch():
                for operation, state, remote_id, note in self.outcomes:
                    run.settle(operation, state, remote_id=remote_id, note=note)
                for owned in self.owned.values():
                    run.own(owned)
                run.close(exit_code=Exit.UNRESOLVED if self.unclear else Exit.OK)
        for died, operations in over:
            done = sum(1 for o in operations if o.state is OperationState.DONE)
            counts = {Outcome.DONE: done, Outcome.UNRESOLVED: sum(1 for o in operations if is_call(o) and o.state.open)}
            code = Exit.ERROR if died.command == "call" else Exit.PARTIAL
            self.store.end_run(died.id, exit_code=code, counts={str(name): n for name, n in counts.items() if n})
