"""Decisions about lists and campaigns: one resource against its live object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from reconciler.diagnostics import Diagnostic, Severity, error, warning
from reconciler.model.addresses import Address
from reconciler.model.kinds import KindRules, Refusal
from reconciler.model.live import Observed
from reconciler.model.resources import Lifecycle, OnRemove, Resource
from reconciler.plan.binding import OBJECTS, Bindings, orphans, ownership
from reconciler.plan.changes import Adopt, Change, Create, Delete, Delta, Forget, Replace, Update
from reconciler.plan.fields import as_new, diff, normalised
from reconciler.plan.rules import World
from reconciler.plan.selection import Selection


class Decisions(Struct):
    """What has been decided so far for one account, and what must be said about it."""

    changes: list[Change] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def refuse(self, resource: Resource, code: str, message: str, hint: str) -> None:
        self.diagnostics.append(error(code, message, hint=hint, address=str(resource.address), source=resource.source))

    def warn(self, resource: Resource, code: str, message: str, hint: str = "") -> None:
        self.diagnostics.append(
            warning(code, message, hint=hint, address=str(resource.address), source=resource.source)
        )

    def note(self, resource: Resource, code: str, message: str) -> None:
        self.diagnostics.append(
            Diagnostic(
                code=code,
                severity=Severity.NOTE,
                message=message,
                address=str(resource.address),
                source=resource.source,
            )
        )


def about(resource: Resource, reason: str, **more: Any) -> dict[str, Any]:
    """The arguments that every change of a declared resource has."""
    return {
        "address": resource.address,
        "provider": resource.provider,
        "reason": reason,
        "source": resource.source,
        "desired": resource,
        **more,
    }


def decide_objects(world: World, bindings: Bindings, kinds: KindTable, selection: Selection) -> Decisions:
    """Every declared list and campaign of the account, then those that are owned and no longer declared."""
    decisions = Decisions()
    for kind in OBJECTS:
        for resource in world.desired.of(world.account.name, kind):
            if selection.covers(resource.address, resource):
                _decide(resource, world, bindings, kinds[kind], decisions)
    for change, note in _orphaned(world, bindings, kinds, selection):
        if change is not None:
            decisions.changes.append(change)
        if note is not None:
            decisions.diagnostics.append(note)
    return decisions


KindTable = dict[Any, KindRules]


def _decide(resource: Resource, world: World, bindings: Bindings, rules: KindRules, out: Decisions) -> None:
    address = resource.address
    if ids := bindings.ambiguous.get(address):
        out.refuse(
            resource,
            "ambiguous-name",
            f"{len(ids)} live objects have this name ({', '.join(ids)}) and none of them is ours",
            f"say which one with spec.id, for example id: {ids[0]!r}",
        )
        return
    if others := [a for a in bindings.shared.get(address, ()) if a != address]:
        out.refuse(
            resource,
            "same-object",
            f"{', '.join(map(str, others))} stands for the same live object",
            "give one of them another name, or remove one of the manifests",
        )
        return
    live = bindings.bound.get(address)
    if live is None:
        _decide_absent(resource, world, rules, out)
    else:
        _decide_present(resource, live, world, rules, out)


def _decide_absent(resource: Resource, world: World, rules: KindRules, out: Decisions) -> None:
    if resource.pinned is not None:
        out.refuse(
            resource,
            "pinned-missing",
            f"no live {resource.address.kind.lower()} has the id {resource.pinned!r}",
            "correct spec.id, or remove it to have one created",
        )
        return
    if resource.lifecycle.observe:
        out.note(resource, "observed-drift", "observed only: the live object is not there")
        return
    if isinstance(rules.create, Refusal):
        reason = rules.create.reason + _there(resource, world, rules)
        out.refuse(resource, rules.create.code, reason, rules.create.remedy)
        return
    known = ownership(resource, world.desired, world.inventory)
    if _looks_renamed(resource, world, out):
        return
    reason = "was ours and is gone from the provider" if known else "not at the provider yet"
    deltas = as_new(normalised(resource.fields, rules.fields))
    out.changes.append(Create(**about(resource, reason, deltas=deltas)))


def _looks_renamed(resource: Resource, world: World, out: Decisions) -> bool:
    """A live object of this name is ours under another address: creating a second one would split its people."""
    kind = resource.address.kind
    same = {o.remote_id for o in world.live.named(kind, str(resource.fields.get("name", "")))}
    if not same:
        return False
    holders = [a for a, o in world.bound.items() if a.kind is kind and o.remote_id in same and a != resource.address]
    if not holders:
        return False
    holder = min(holders)
    declared = holder in world.desired.resources
    hint = f"give one of them another name, or remove {holder}"
    if not declared:
        hint = f"if this is the same thing, add {renaming(resource, holder)}; else give it another name"
    out.refuse(resource, "looks-renamed", f"a live {kind.lower()} of this name is ours already, as {holder}", hint)
    return True


def renaming(resource: Resource, old: Address) -> str:
    """The line that says that ``resource`` was ``old``, and where it goes."""
    source = resource.source
    place = f" to the document at {source.file}:{source.line}" if source is not None else ""
    there = "" if resource.lifecycle == Lifecycle() else ", together with what its lifecycle says already"
    return f"lifecycle: {{renamedFrom: {old.name}}}{place}{there}"


def _there(resource: Resource, world: World, rules: KindRules) -> str:
    """What there is instead, where only somebody else can make what is missing."""
    if not rules.read_only:
        return ""
    names = sorted({o.name for (kind, _), o in world.live.objects.items() if kind is resource.address.kind})
    shown = ", ".join(f"{name!r}" for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"; there {'is' if len(names) == 1 else 'are'} {shown}" if names else "; there is none at all"


def _decide_present(resource: Resource, live: Observed, world: World, rules: KindRules, out: Decisions) -> None:
    deltas = diff(live.fields, resource.fields, rules.fields, resource.lifecycle.ignore)
    if resource.lifecycle.observe:
        if deltas:
            what = ", ".join(d.path for d in deltas)
            out.note(resource, "observed-drift", f"observed only: the live object differs in {what}")
        return
    fixed = rules.fixed(d.path for d in deltas) if deltas else None
    if rules.read_only:
        if deltas and fixed is not None:
            _cannot_update(resource, deltas, fixed, rules, world, out)
        return
    known = ownership(resource, world.desired, world.inventory)
    ours = known is not None and known.remote_id == live.remote_id
    if ours and not deltas and known is not None and known.address == resource.address:
        return
    common = about(resource, "", live=live, remote_id=live.remote_id, deltas=deltas)
    if not ours:
        reason = "a live match that is not ours yet"
        if known is not None:
            reason = "the one we owned is gone, and another one has its name"
        if deltas and fixed is not None:
            _cannot_update(resource, deltas, fixed, rules, world, out)
            return
        out.changes.append(Adopt(**{**common, "reason": reason}))
    elif known is not None and known.address != resource.address:
        if deltas and fixed is not None and not resource.lifecycle.replace:
            _cannot_update(resource, deltas, fixed, rules, world, out)
            return
        out.changes.append(Adopt(**{**common, "reason": f"renamed from {known.address.name}"}))
    elif deltas:
        if fixed is None:
            out.changes.append(Update(**{**common, "reason": _differs(deltas)}))
        elif resource.lifecycle.replace and rules.replace is None and not _protected(resource, world):
            out.changes.append(Replace(**{**common, "reason": f"{_differs(deltas)} and cannot be changed in place"}))
        else:
            _cannot_update(resource, deltas, fixed, rules, world, out)


def _differs(deltas: tuple[Delta, ...]) -> str:
    names = ", ".join(d.path for d in deltas)
    return f"{names} {'differs' if len(deltas) == 1 else 'differ'}"


def _protected(resource: Resource, world: World) -> bool:
    known = world.inventory.owned.get(resource.address)
    return resource.lifecycle.protect or (known is not None and known.protect)


def _cannot_update(
    resource: Resource, deltas: tuple[Delta, ...], fixed: Refusal, rules: KindRules, world: World, out: Decisions
) -> None:
    what = ", ".join(d.path for d in deltas)
    if resource.lifecycle.replace and rules.replace is None and _protected(resource, world):
        out.refuse(
            resource,
            "protected-replace",
            f"{what} can only change by replacing the object, and it is protected",
            "put the value back, or set lifecycle.protect: false in a change of its own first",
        )
        return
    refusal = rules.replace if resource.lifecycle.replace and rules.replace is not None else fixed
    out.refuse(resource, refusal.code, f"cannot change {what}: {refusal.reason}", refusal.remedy)


def _read_only(rules: KindRules | None) -> bool:
    return rules is not None and rules.read_only


def _orphaned(
    world: World, bindings: Bindings, kinds: KindTable, selection: Selection
) -> Iterator[tuple[Change | None, Diagnostic | None]]:
    for owned in orphans(world.account.name, world.desired, world.inventory):
        address = owned.address
        if address.kind not in OBJECTS or not selection.covers(address, None):
            continue
        common: dict[str, Any] = {"address": address, "provider": owned.provider, "remote_id": owned.remote_id}
        live = bindings.bound.get(address)
        if live is None:
            yield Forget(**common, reason="no longer declared, and gone from the provider"), None
        elif owned.protect:
            yield (
                None,
                warning(
                    "protected-kept",
                    "no longer declared, and kept because it is protected",
                    hint=f"declare it again with lifecycle.protect: false and apply, or: inventory forget {address}",
                    address=str(address),
                ),
            )
        elif owned.on_remove is OnRemove.DELETE and not _read_only(kinds.get(address.kind)):
            yield Delete(**common, live=live, reason="no longer declared, and onRemove says delete"), None
        else:
            yield Forget(**common, live=live, reason="no longer declared, and onRemove says keep"), None
