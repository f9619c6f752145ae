"""Lifecycle rules that an apply has yet to remember: they are ours alone, so no change of the plan shows them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.model.inventory import Owned
from reconciler.model.resources import Lifecycle
from reconciler.plan.changes import TO_REMEMBER
from reconciler.plan.rules import World
from reconciler.plan.selection import Selection


def to_remember(busy: Collection[str], world: World, selection: Selection) -> Iterator[Diagnostic]:
    """What a manifest that is otherwise in order (not ``busy``) says anew of its own end: whoever removes it counts on
    that."""
    owned = world.inventory.owned
    for resource in world.desired.of(world.account.name):
        known = owned.get(resource.address)
        if known is None or resource.lifecycle.observe or not (new := _new(resource.lifecycle, known)):
            continue
        if str(resource.address) not in busy and selection.covers(resource.address, resource):
            yield Diagnostic(
                code=TO_REMEMBER,
                severity=Severity.NOTE,
                message=f"{' and '.join(new)} does not hold yet: the next apply remembers it, and sends nothing for it",
                hint="apply before the manifest is removed",
                address=str(resource.address),
                source=resource.source,
            )


def _new(wanted: Lifecycle, known: Owned) -> list[str]:
    return [
        *([f"protect: {str(wanted.protect).lower()}"] if wanted.protect != known.protect else ()),
        *([f"onRemove: {wanted.on_remove}"] if wanted.on_remove is not known.on_remove else ()),
    ]
