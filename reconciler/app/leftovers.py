"""What starts contacting people and may have landed: told by the plan, and never sent again without a person.

An earlier request of this kind is over when the plan made from what is live wants nothing of the sort any more. When it
does, sending it could contact the same people twice, whatever a look shows: it ends there until somebody has looked and
says ``--allow repeat=ADDRESS``.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from reconciler import __version__
from reconciler.app.planning import Planned, Workspace
from reconciler.apply.ownership import owned_resource
from reconciler.errors import Exit, ReconcilerError
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.inventory import Inventory, Owned
from reconciler.model.kinds import ContactClass
from reconciler.model.live import AccountLive
from reconciler.plan.calls import Created, MembersAdded, Step
from reconciler.plan.changes import Change
from reconciler.store import OperationRecord, OperationState, Store
from reconciler.store.records import described


class Unresolved(ReconcilerError):
    """Nobody can tell whether an earlier request landed; planning on would risk contacting somebody twice."""

    exit_code = Exit.UNRESOLVED
    code = "unresolved"


def allow_hint(workspace: Workspace, *lifts: str) -> str:
    """How to arm these exceptions. A saved plan has its own, so there it is made again."""
    flags = " ".join(f"--allow {lift}" for lift in dict.fromkeys(lifts))
    return f"make the plan again with: {flags}" if workspace.request.reviewed else f"add: {flags}"


class Leftovers(Struct, frozen=True, kw_only=True):
    """What recovery could not end by itself. ``inventory`` is what is owned after it."""

    store: Store
    workspace: Workspace
    inventory: Inventory
    pending: tuple[OperationRecord, ...] = ()
    added: tuple[OperationRecord, ...] = ()
    """Requests that put people on lists that can be read: who of them is there was put there by us."""

    @property
    def any(self) -> bool:
        """Whether there is anything that is told by who is on a list now."""
        return bool(self.pending or self.added)

    def judge(self, planned: Planned) -> None:
        """Raises Unresolved when ``planned`` would repeat what may have landed."""
        repeated = [o for o in self._judged(planned) if _repeats(o, planned) and not self._allowed(o)]
        if not repeated:
            return
        names = sorted({str(o.intent.address) for o in repeated})
        raise Unresolved(
            "; ".join(f"{name}: an earlier request may have started contacting people" for name in names),
            hint="look in the portal whether it did; if it did not, "
            + allow_hint(self.workspace, *(f"repeat={name}" for name in names)),
        )

    def close(self, planned: Planned) -> Planned:
        """Writes down what the plan, or a person, told; to be called right before it runs. ``planned``, with what is
        owned after that."""
        settled = [(o, _repeats(o, planned)) for o in self._judged(planned)]
        landed = self._landed(planned)
        if not settled and not landed:
            return planned
        run = self.store.begin_run("recover", tool_version=__version__)
        with run.batch():
            for operation, repeated in settled:
                note = "a person looked and let it be sent again" if repeated else "live wants nothing of it any more"
                run.settle(operation, OperationState.VOID, note=note)
            for owned in landed.values():
                run.own(owned)
            run.close(exit_code=Exit.OK)
        return replace(planned, inventory=self.store.inventory())

    def _landed(self, planned: Planned) -> dict[Address, Owned]:
        """Memberships of ours with those on board whom a lost request had added: removing them later is ours to do."""
        found: dict[Address, Owned] = {}
        for operation in self.added:
            address, of = operation.intent.address, RemoteId(str(operation.intent.effect.get("of")))
            live = planned.live.accounts.get(address.account)
            members = live.members.get(of) if isinstance(live, AccountLive) else None
            known = found.get(address) or planned.inventory.owned.get(address)
            resource = planned.desired.resources.get(address)
            if known is None and resource is not None:
                known = replace(owned_resource(resource, of), parent=of)
            if members is None or known is None or known.parent != of:
                continue
            there = members.contacts.hashes(planned.inventory.key) & operation.intent.members
            if there - known.added:
                found[address] = replace(known, applied=known.applied | there, added=known.added | there)
        return found

    def _judged(self, planned: Planned) -> Iterator[OperationRecord]:
        """Those that this plan can tell about: its account was read, and its address is not left out."""
        desired, selection = planned.desired, self.workspace.selection
        for operation in self.pending:
            address = operation.intent.address
            read = isinstance(planned.live.accounts.get(address.account), AccountLive)
            if read and selection.covers(address, desired.resources.get(address)):
                yield operation

    def _allowed(self, operation: OperationRecord) -> bool:
        return self.workspace.allows.names("repeat", str(operation.intent.address))


def _repeats(operation: OperationRecord, planned: Planned) -> bool:
    account = operation.intent.address.account
    return any(
        _same(operation, change, step, planned.inventory.key)
        for change in planned.plan.changes
        if change.address.account == account
        for step in change.steps
        if step.contact_class is ContactClass.STARTS_CONTACTING
    )


def _same(operation: OperationRecord, change: Change, step: Step, key: bytes) -> bool:
    """Whether ``step`` would do to anybody what ``operation`` may have done, also under another address of ours."""
    intent = operation.intent
    wanted = described(step.effect)
    if isinstance(step.effect, MembersAdded) and intent.members and step.rows is not None:
        aimed = change.address == intent.address or wanted.get("of") == intent.effect.get("of")
        return aimed and bool(step.rows.hashes(key) & intent.members)
    if change.address == intent.address or wanted == intent.effect:
        return True
    # What it was about: an object by its kind and name, or one that is there already.
    about = ("kind", "name") if isinstance(step.effect, Created) else ("effect", "target", "campaign")
    return all(wanted.get(name) == intent.effect.get(name) for name in about)
