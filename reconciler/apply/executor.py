"""Runs a plan: the same steps that the preview showed, as soon as what they need is done.

A change is cut into one node a phase. A node waits for what its change requires; a failure blocks its dependants and
nobody else. What deletes waits until everything that adds has ended, what arms waits for everything.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.apply.batches import run_step
from reconciler.apply.journal import Journal
from reconciler.apply.judging import Result, StepResult
from reconciler.apply.operation import Operator
from reconciler.apply.ownership import lets_go, owned_members, owned_resource, replaced
from reconciler.apply.waits import Node, Waits, waits_for
from reconciler.errors import ReconcilerError
from reconciler.model.addresses import Address, Kind, RemoteId, link_id
from reconciler.model.contacts import ContactSet
from reconciler.model.inventory import Inventory, Owned
from reconciler.model.resources import ById, Declared, Reference, Resource
from reconciler.plan.calls import Created, Effect, MembersAdded, MembersRemoved, Phase, Step
from reconciler.plan.changes import Change, Plan, Replace, action
from reconciler.report import OperationEvent, Outcome, PlannedChange

Emit = Callable[[OperationEvent], None]

_OUTCOMES = {
    Result.DONE: Outcome.DONE,
    Result.FAILED: Outcome.FAILED,
    Result.UNRESOLVED: Outcome.UNRESOLVED,
    Result.STOPPED: Outcome.NOT_ATTEMPTED,
}


class _Progress(Struct):
    """What one change has achieved so far."""

    added: list[ContactSet] = field(default_factory=list)
    removed: list[ContactSet] = field(default_factory=list)
    left: int = 0


def planned_changes(plan: Plan) -> tuple[PlannedChange, ...]:
    """The plan as a report counts it: one operation a call, or one for each part of it where it is for several changes;
    and one for a change that only keeps the books."""
    parts = {part.address for c in plan.changes for part in c.parts}
    return tuple(
        PlannedChange(
            address=str(c.address),
            action=action(c),
            operations=0 if c.carried_by and c.address not in parts else max(c.call_count, 1),
            carried_by=str(c.carried_by) if c.carried_by else "",
        )
        for c in plan.changes
    )


class Executor:
    """One run of one plan. ``operators`` are by account; ``known_ids`` are the ids of what is live already."""

    def __init__(
        self,
        plan: Plan,
        operators: Mapping[str, Operator],
        journal: Journal,
        inventory: Inventory,
        known_ids: Mapping[Address, RemoteId],
        emit: Emit,
    ) -> None:
        self._changes = {c.address: c for c in plan.changes}
        self._operators = operators
        for operator in operators.values():
            operator.made = self._made
        self._journal = journal
        self._inventory = inventory
        self._emit = emit
        self._taken: dict[Address, Owned] = {}
        """New objects as they went into the inventory when they were made: mostly that is how they end, too."""
        self._ids = {a: i for a, i in known_ids.items() if not isinstance(self._changes.get(a), Replace)}
        self._contact_ids: dict[str, dict[str, str]] = {}
        self._progress = {a: _Progress() for a in self._changes}
        self._waits = Waits(self._changes)
        self._parts = {p.address for c in plan.changes for p in c.parts if p.address != c.address}
        """The changes whose work is a part of a call that another one makes."""
        self._carried: dict[Address, list[Resource]] = {}
        """The links that are made by the call that creates a campaign."""
        for change in plan.changes:
            # One that moved keeps its old link in the inventory until that is gone.
            new = change.address not in inventory.owned and not change.steps
            if new and change.carried_by is not None and change.desired is not None:
                self._carried.setdefault(change.carried_by, []).append(change.desired)
        self._part_outcomes: dict[Address, Outcome] = {}
        self._told_of: Counter[Node] = Counter()
        """How many steps of each node have been told of."""
        self._but_some: set[Node] = set()
        """Nodes that failed for single people only."""
        self._ended: dict[Node, asyncio.Future[Outcome]] = {}
        self._failure: ReconcilerError | None = None
        self._barriers: dict[tuple[str, Phase], asyncio.Future[list[Outcome | BaseException]]] = {}

    async def run(self) -> None:
        """Every node, each as soon as it may. Returns when all have ended, or raises what the store raised then.

        Raises RuntimeError, before anything is sent, for a plan whose requirements go in a circle.
        """
        loop = asyncio.get_running_loop()
        nodes = self._waits.nodes
        self._waits.check_circles()
        self._ended = {node: loop.create_future() for node in nodes}
        for address, phases in self._waits.phases.items():
            self._progress[address].left = len(phases)
        tasks = [asyncio.ensure_future(self._node(node)) for node in nodes]
        try:
            await asyncio.gather(*tasks)
        except asyncio.CancelledError:
            raise  # all of them have been told
        except BaseException:
            # Whatever this is, nobody gets an answer from the node that it came from: the others must not wait for it.
            for task in tasks:
                task.cancel()
            raise
        finally:
            # After an abort each of them still writes down what it had under way; the first to end is not the last.
            await asyncio.gather(*tasks, return_exceptions=True)
        if (failure := self._failure or self._journal.failure) is not None:
            raise failure

    async def _node(self, node: Node) -> None:
        """Never raises but when it is cancelled."""
        ended = self._ended[node]
        try:
            ended.set_result(await self._when_ready(node))
        except ReconcilerError as failure:
            # Neither a provider's nor the journal's, which are results: a temporary file that cannot be written.
            self._failure = self._failure or failure
            for account, operator in self._operators.items():
                operator.control.halted.setdefault(account, failure.message)
            ended.set_result(self._cut_short(node, failure.message))
        except asyncio.CancelledError:
            ended.cancel()
            if node.address in self._operators[node.address.account].under_way:
                self._cut_short(node, "stopped while it was under way: it may have landed")
            raise

    def _cut_short(self, node: Node, detail: str) -> Outcome:
        """What was under way may have landed; the rest of the node was not attempted."""
        under_way = self._operators[node.address.account].under_way
        outcome = Outcome.UNRESOLVED if node.address in under_way else Outcome.NOT_ATTEMPTED
        under_way.discard(node.address)
        return self._told(self._changes[node.address], node, outcome, detail)

    async def _when_ready(self, node: Node) -> Outcome:
        change = self._changes[node.address]
        if (last := waits_for(node.phase)) is not None:
            await self._all_ended(node.address.account, last)
        for other in self._waits.needed(node):
            outcome = await self._ended[other]
            if change.address in self._parts and change.address in self._part_outcomes:
                return await self._with_its_carrier(change)
            # A membership needs others for the ids of people, and leaves out those who have none.
            if outcome is not Outcome.DONE and not (other in self._but_some and change.members is not None):
                return self._not_run(change, node, other, outcome)
        operator = self._operators[change.address.account]
        carried = change.carried_by is not None and not change.steps
        # What went with another change's call is done, whatever has stopped the run since: only the books are left.
        if not carried and (reason := operator.stopped()):
            return self._told(change, node, Outcome.NOT_ATTEMPTED, reason)
        outcome = await self._steps(change, node, operator)
        progress = self._progress[change.address]
        if outcome is Outcome.DONE:
            progress.left -= 1
        if progress.left:
            await self._keep_books(change)
            return outcome
        kept = await self._finish(change)
        if not change.steps and change.carried_by is None:
            return self._told(
                change, node, Outcome.DONE if kept else Outcome.FAILED, "" if kept else operator.stopped()
            )
        return Outcome.DONE

    async def _steps(self, change: Change, node: Node, operator: Operator) -> Outcome:
        """The node's steps one after the other, until one fails; who is refused alone does not stop the others."""
        ended = Outcome.DONE
        for step in change.steps:
            if step.phase is node.phase:
                outcome, only_people = await self._step(change, step, operator)
                self._told_of[node] += 1
                if outcome is Outcome.DONE:
                    continue
                ended = outcome
                if not only_people:
                    self._but_some.discard(node)
                    break
                self._but_some.add(node)
        return ended

    async def _with_its_carrier(self, change: Change) -> Outcome:
        """A change that was a part of another one's call. How it ended has been told: only the books are left."""
        outcome = self._part_outcomes[change.address]
        if outcome is Outcome.DONE:
            await self._finish(change)
        return outcome

    async def _all_ended(self, account: str, last: Phase) -> None:
        """Until every node of the account up to this phase has ended, however."""
        barrier = self._barriers.get((account, last))
        if barrier is None:
            first = [ended for n, ended in self._ended.items() if self._waits.in_barrier(n, account, last)]
            barrier = self._barriers[account, last] = asyncio.gather(*first, return_exceptions=True)
        await barrier

    def _not_run(self, change: Change, node: Node, other: Node, outcome: Outcome) -> Outcome:
        if outcome is Outcome.NOT_ATTEMPTED:
            return self._told(change, node, outcome, f"{other.address} was not attempted")
        if other.address == node.address:
            return self._told(change, node, Outcome.BLOCKED, "an earlier step of it was not done")
        if outcome is Outcome.UNRESOLVED and change.address in self._parts:
            return self._told(change, node, outcome, f"it may have landed with {other.address}")
        word = {Outcome.UNRESOLVED: "is unresolved", Outcome.BLOCKED: "is blocked"}.get(outcome, "failed")
        return self._told(change, node, Outcome.BLOCKED, f"{other.address} {word}")

    def _told(self, change: Change, node: Node, outcome: Outcome, detail: str) -> Outcome:
        steps = [s for s in change.steps if s.phase is node.phase][self._told_of[node] :]
        if outcome is Outcome.UNRESOLVED:
            steps = steps[:1]  # of one after the other, only one can be
        silent = change.steps or (change.carried_by is not None and change.address not in self._parts)
        count = sum(s.count for s in steps) or (0 if silent else 1)
        if count:
            title = steps[0].title if steps else action(change)
            self._emit(
                OperationEvent(address=str(change.address), title=title, outcome=outcome, count=count, detail=detail)
            )
        return outcome

    async def _step(self, change: Change, step: Step, operator: Operator) -> tuple[Outcome, bool]:
        """How it ended, and if it failed, whether that was for single people only."""
        account = change.address.account
        learned = self._contact_ids.setdefault(account, {})
        if step.rows is not None and learned and "contact_id" in step.rows.columns:
            step = replace(step, rows=step.rows.filled("contact_id", learned))
        result = await run_step(operator, change.address, step, self._ids)
        if step.parts:
            return await self._learn_parts(change, step, result), False
        learned.update(result.contact_ids)
        await self._keep(*self._learned(change, step, result))
        outcome = _OUTCOMES[result.result]
        self._report(change, step, result, outcome)
        return outcome, result.only_people

    async def _learn_parts(self, carrier: Change, step: Step, result: StepResult) -> Outcome:
        """How each part of a call for several changes ended; the requests are counted once, at the carrier."""
        sent, owned = {carrier.address: result.sent}, []
        for part in step.parts:
            owned += self._learned(self._changes[part.address], step.only(part), result.parts[part.address])
        await self._keep(*owned)
        for part in step.parts:
            ended = replace(result.parts[part.address], sent=sent.get(part.address, 0))
            outcome = self._part_outcomes[part.address] = _OUTCOMES[ended.result]
            self._report(self._changes[part.address], step.only(part), ended, outcome)
        return self._part_outcomes[carrier.address]

    def _learned(self, change: Change, step: Step, result: StepResult) -> list[Owned]:
        """Takes in what a step brought, and tells what is ours because of it."""
        progress = self._progress[change.address]
        match step.effect:
            case Created() if result.remote_id is not None:
                return self._created(change.address, step.effect, result.remote_id)
            case MembersAdded() if result.rows:
                progress.added.append(result.rows)
            case MembersRemoved() if result.rows:
                progress.removed.append(result.rows)
            case _:
                pass
        return []

    async def _made(self, *made: tuple[Address, Effect, RemoteId]) -> None:
        """What was created is ours, before its outcome is written down: whoever dies between the two must not find an
        operation that is done and an object that nobody knows."""
        await self._journal.own(*(owned for one in made for owned in self._created(*one)))

    def _created(self, address: Address, effect: Effect, remote_id: RemoteId) -> list[Owned]:
        """What becomes ours with a new object; nothing when it is ours already."""
        if not isinstance(effect, Created) or self._ids.get(address) == remote_id:
            return []
        self._ids[address] = remote_id
        change = self._changes[address]
        if change.desired is None:
            return []
        # With the fields it was made with, not those it shall have: that a campaign was published is known when it is.
        new = replace(owned_resource(change.desired, remote_id), fields=dict(effect.fields))
        links = [
            owned_resource(resource, link)
            for resource in self._carried.get(address, ())
            if resource.link is not None
            and (link := self._link(resource.link.campaign, resource.link.list)) is not None
        ]
        self._taken |= {owned.address: owned for owned in (new, *links)}
        return [new, *links, *replaced(change)]

    def _report(self, change: Change, step: Step, result: StepResult, outcome: Outcome) -> None:
        address = str(change.address)
        if outcome is Outcome.DONE:
            self._emit(
                OperationEvent(
                    address=address, title=step.title, outcome=outcome, count=step.count, requests=result.sent
                )
            )
            return
        done = min(result.accepted, step.count - 1)
        if done:
            self._emit(OperationEvent(address=address, title=step.title, outcome=Outcome.DONE, count=done))
        count = max(min(result.unresolved, step.count - done), 1)
        self._emit(
            OperationEvent(
                address=address,
                title=step.title,
                outcome=outcome,
                count=count,
                requests=result.sent,
                detail=result.detail,
            )
        )

    async def _keep(self, *owned: Owned, gone: Iterable[Address] = ()) -> bool:
        """The inventory as it is now. False when the store did not take it: what was done stays told as done, the
        journal keeps the failure, and the run ends with that."""
        try:
            await self._journal.own(*owned, gone=gone)
        except ReconcilerError:
            return False
        return True

    async def _keep_books(self, change: Change) -> None:
        """While not all is done: what did go through is remembered, so that nobody is added twice."""
        progress = self._progress[change.address]
        if change.members is not None and change.desired is not None and (progress.added or progress.removed):
            await self._keep(*self._members(change))

    async def _finish(self, change: Change) -> bool:
        """The inventory after a change that is wholly done; False when the store did not take it."""
        if lets_go(change):
            return await self._keep(gone=[change.address])
        resource = change.desired
        if resource is None:
            return True
        owned = self._members(change) if resource.members is not None else self._object(change, resource)
        gone = [o.address for o in replaced(change)]
        if old := resource.lifecycle.renamed_from:
            former = Address(change.address.account, change.address.kind, old)
            gone += [former] if former in self._inventory.owned else []
        for address in gone:
            self._taken.pop(address, None)
        return await self._keep(*(o for o in owned if self._taken.get(o.address) != o), gone=gone)

    def _object(self, change: Change, resource: Resource) -> tuple[Owned, ...]:
        remote_id = self._ids.get(change.address, change.remote_id)
        if resource.link is not None:
            remote_id = self._link(resource.link.campaign, resource.link.list)
        if remote_id is None:
            return ()
        return (owned_resource(resource, remote_id, self._inventory.owned.get(change.address)),)

    def _members(self, change: Change) -> tuple[Owned, ...]:
        resource, delta, progress = change.desired, change.members, self._progress[change.address]
        if resource is None or resource.members is None or delta is None:
            return ()
        parent = self._known(resource.members.of)
        if parent is None:
            return ()
        before = self._inventory.owned.get(change.address)
        if before is None and resource.lifecycle.renamed_from:
            old = Address(change.address.account, Kind.MEMBERSHIP, resource.lifecycle.renamed_from)
            before = self._inventory.owned.get(old)
        owned = owned_members(
            resource,
            parent,
            before,
            delta,
            ContactSet.union_of(progress.added),
            ContactSet.union_of(progress.removed),
            self._inventory.key,
        )
        return (owned,)

    def _known(self, reference: Reference) -> RemoteId | None:
        match reference:
            case ById(remote_id):
                return remote_id
            case Declared(address):
                return self._ids.get(address)

    def _link(self, campaign: Reference, list_ref: Reference) -> RemoteId | None:
        ends = self._known(campaign), self._known(list_ref)
        return None if ends[0] is None or ends[1] is None else link_id(ends[0], ends[1])
