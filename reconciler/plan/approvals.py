"""What somebody must have agreed to before a change may run."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.addresses import Kind
from reconciler.model.kinds import ContactClass
from reconciler.plan.calls import Created, Phase, Step
from reconciler.plan.changes import Adopt, Approval, Change, Create, Delete, Forget, Plan, Replace, Update

YES: frozenset[Approval] = frozenset({Approval.CREATE, Approval.UPDATE, Approval.ASSOCIATE})
"""What ``--yes`` means. Deleting and contacting people are never implied."""


def needed(change: Change) -> frozenset[Approval]:
    """The classes that one change needs, all of them."""
    classes = set(_by_action(change))
    if members := change.members:
        if members.add:
            classes.add(Approval.CREATE)
        if members.change:
            classes.add(Approval.UPDATE)
        if len(members.remove) > len(members.protective):
            classes.add(Approval.DELETE)
    if any(_publishes(s) for s in change.steps):
        classes.add(Approval.UPDATE)
    if change.contact_class is ContactClass.STARTS_CONTACTING:
        classes.add(Approval.CONTACT)
    return frozenset(classes)


def _publishes(step: Step) -> bool:
    """Whether a step arms what is there already. Where a campaign is armed by being created, creating it is all."""
    arms = step.phase is Phase.ARM and step.contact_class is not ContactClass.SILENT
    return arms and not isinstance(step.effect, Created)


def _by_action(change: Change) -> Iterable[Approval]:
    link = change.address.kind is Kind.ASSOCIATION
    match change:
        case Create():
            return (Approval.ASSOCIATE,) if link else (Approval.CREATE,)
        case Adopt():
            return (Approval.CREATE, Approval.UPDATE) if change.deltas else (Approval.CREATE,)
        case Update():
            if change.address.kind is Kind.MEMBERSHIP:
                return ()
            return (Approval.ASSOCIATE,) if link else (Approval.UPDATE,)
        case Forget():
            return (Approval.UPDATE,)
        case Replace() | Delete():
            return (Approval.DELETE,)


def missing(plan: Plan, granted: frozenset[Approval]) -> dict[Approval, tuple[Change, ...]]:
    """The classes that were not granted, each with the changes that need it, in the order of ``Approval``."""
    result: dict[Approval, tuple[Change, ...]] = {}
    for approval in Approval:
        if approval not in granted:
            wanting = tuple(c for c in plan.changes if approval in c.approvals)
            if wanting:
                result[approval] = wanting
    return result
