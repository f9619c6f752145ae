"""What waits for what in an apply: a change is cut into one node a phase. Pure; the executor only waits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from msgspec import Struct

from reconciler.model.addresses import Address
from reconciler.plan.calls import Phase
from reconciler.plan.changes import Change, Replace
from reconciler.plan.order import position


class Node(Struct, frozen=True):
    """The steps of one change in one phase; a change without calls has one node for its bookkeeping."""

    address: Address
    phase: Phase


class Waits(Struct, dict=True):
    """What each node of a plan waits for."""

    changes: Mapping[Address, Change]

    @cached_property
    def phases(self) -> Mapping[Address, tuple[Phase, ...]]:
        return {address: _phases(change) for address, change in self.changes.items()}

    @property
    def nodes(self) -> list[Node]:
        return [Node(a, phase) for a, phases in self.phases.items() for phase in phases]

    def check_circles(self) -> None:
        """What waits for itself would wait for ever, holding the lease. Raises RuntimeError for that."""
        nodes = self.nodes
        waits: dict[object, set[object]] = {n: set(self.needed(n)) for n in nodes}
        for node in nodes:
            if (last := waits_for(node.phase)) is not None:
                barrier = (node.address.account, last)
                waits[node].add(barrier)
                waits.setdefault(barrier, {n for n in nodes if self.in_barrier(n, *barrier)})
        try:
            tuple(TopologicalSorter(waits).static_order())
        except CycleError as circle:
            names = " -> ".join(str(n.address) if isinstance(n, Node) else "…" for n in circle.args[1])
            raise RuntimeError(f"the plan waits for itself: {names}") from None

    def in_barrier(self, node: Node, account: str, last: Phase) -> bool:
        """What another change carries is left out: it may be waiting for the very node that asks."""
        return node.phase <= last and node.address.account == account and self.changes[node.address].carried_by is None

    def needed(self, node: Node) -> list[Node]:
        """What must be done, or this node is blocked."""
        change = self.changes[node.address]
        needed = [Node(node.address, p) for p in self.phases[node.address] if p < node.phase]
        required = list(change.requires)
        if node.phase is Phase.ARM:
            required += change.arm_after
        if change.carried_by is not None:
            required.append(change.carried_by)
        if isinstance(change, Replace) and node.phase.deleting:
            # The old object goes only when everything hangs on the new one.
            required += [a for a, c in self.changes.items() if change.address in c.requires]
        for address in required:
            phases = self.phases.get(address, ())
            before: list[Phase] = [p for p in phases if p is not Phase.ARM] or [*phases]
            if isinstance(self.changes.get(address), Replace):
                before = [p for p in before if not p.deleting]
            needed += [Node(address, p) for p in before]
        return needed


def waits_for(phase: Phase) -> Phase | None:
    """The last phase that must have ended before this one begins: deletes wait for what adds, arming for all else."""
    if phase is Phase.ARM:
        return Phase.LIST_DELETE
    return Phase.ASSOCIATION if phase.deleting else None


def _phases(change: Change) -> tuple[Phase, ...]:
    phases = tuple(sorted({s.phase for s in change.steps}))
    return phases or (Phase(position(change)[1]),)
