"""The pure half: a table of abilities, and decisions turned into calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, error
from reconciler.model.addresses import Kind
from reconciler.model.desired import Desired
from reconciler.model.kinds import ContactClass, FieldRule, KindRules, MembershipRules, text
from reconciler.model.resources import Account, Resource
from reconciler.plan.calls import (
    Call,
    Changed,
    Column,
    Created,
    Deleted,
    Each,
    MembersAdded,
    MembersRemoved,
    Method,
    Phase,
    Step,
    Target,
)
from reconciler.plan.changes import Adopt, Change, Create, Delete, Reach, Update
from reconciler.plan.rules import Compiled, World

FIELD = FieldRule(normalise=text, absent="")
KINDS: Mapping[Kind, KindRules] = {Kind.LIST: KindRules(fields={"name": FIELD, "note": FIELD})}
CHUNK = 100
NOTE_CHARACTERS = 80
CODES: Mapping[str, tuple[str, str]] = {
    "acme-note-too-long": ("A note is longer than Acme keeps.", f"Use at most {NOTE_CHARACTERS} characters."),
}


class AcmeRules:
    """See ``reconciler.plan.rules.Rules``."""

    provider = "acme"
    kinds = KINDS
    membership = MembershipRules(attributes=frozenset())

    def check(self, resource: Resource, account: Account, desired: Desired) -> Iterable[Diagnostic]:
        note = resource.fields.get("note")
        if isinstance(note, str) and len(note) > NOTE_CHARACTERS:
            what, remedy = CODES["acme-note-too-long"]
            yield error("acme-note-too-long", what, hint=remedy, address=str(resource.address), source=resource.source)

    def compile(self, changes: tuple[Change, ...], world: World) -> Compiled:
        return Compiled(changes=tuple(_compiled(change, world) for change in changes))


def _compiled(change: Change, world: World) -> Change:
    if change.carried_by is not None:
        return change
    return _list(change, world) if change.address.kind is Kind.LIST else _members(change, world)


def _list(change: Change, world: World) -> Change:
    match change:
        case Create(desired=Resource() as desired):
            fields = {name: str(value) for name, value in desired.fields.items()}
            known = frozenset(o.remote_id for o in world.live.named(Kind.LIST, fields["name"]))
            effect = Created(kind=Kind.LIST, name=fields["name"], fields=fields, known_ids=known)
            call = Call(method=Method.POST, path=("lists",), body=fields)
            return change.with_steps(Step(phase=Phase.LIST, title="create", call=call, effect=effect))
        case Update(remote_id=str() as target) | Adopt(remote_id=str() as target) if change.deltas:
            wanted = {d.path: str(d.desired) for d in change.deltas}
            base = {d.path: d.live for d in change.deltas}
            changed = Changed(kind=Kind.LIST, target=target, base=base, expected=wanted)
            call = Call(method=Method.PUT, path=("lists", target), body=wanted)
            return change.with_steps(Step(phase=Phase.LIST, title="update", call=call, effect=changed))
        case Delete(remote_id=str() as target):
            call = Call(method=Method.DELETE, path=("lists", target))
            gone = Deleted(kind=Kind.LIST, target=target)
            return change.with_steps(Step(phase=Phase.LIST_DELETE, title="delete", call=call, effect=gone))
        case _:
            return change


def _members(change: Change, world: World) -> Change:
    members, target = change.members, _list_of(change, world)
    if members is None or target is None:
        return change
    steps = []
    body = {"numbers": Each(Column("number"))}
    if members.remove:
        steps.append(
            Step(
                phase=Phase.MEMBER_DELETE if isinstance(change, Delete) else Phase.MEMBERSHIP,
                title="remove members",
                call=Call(method=Method.DELETE, path=("lists", target, "members"), body=body),
                effect=MembersRemoved(of=target),
                rows=members.remove.select(()),
                chunk=CHUNK,
            )
        )
    if members.add:
        steps.append(
            Step(
                phase=Phase.MEMBERSHIP,
                title="add members",
                call=Call(method=Method.POST, path=("lists", target, "members"), body=body),
                effect=MembersAdded(of=target),
                contact_class=ContactClass.MAY_NOTIFY,
                rows=members.add.select(()),
                chunk=CHUNK,
            )
        )
    return replace(change.with_steps(*steps), reach=Reach(numbers=members.add.select(())))


def _list_of(change: Change, world: World) -> Target | None:
    if change.desired is not None and change.desired.members is not None:
        return world.target(change.desired.members.of)
    return change.remote_id
