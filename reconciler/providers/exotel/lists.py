"""Lists as calls: all that an account creates go as one request (E1), all that it changes as another (E5).

Each answer judges every list, so they succeed and fail one by one. A single change goes by itself (E4), and so does
each deletion, for which there is no bulk form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.resources import Resource
from reconciler.plan.calls import Call, Changed, Created, Deleted, EachPart, Json, Part, Phase, Step
from reconciler.plan.changes import Adopt, Change, Create, Delete, Update
from reconciler.plan.rules import World
from reconciler.providers.exotel import calls
from reconciler.providers.exotel.audience import People, using
from reconciler.providers.exotel.codes import problem
from reconciler.providers.exotel.convert import LIST_FIELDS, tidy
from reconciler.providers.exotel.settings import Settings

_Share: TypeAlias = tuple[Change, Part]


def compile_lists(
    changes: Sequence[Change], world: World, settings: Settings, people: People, diagnostics: list[Diagnostic]
) -> Iterator[Change]:
    """List changes, each with its call or with the change that carries it."""
    created: list[_Share] = []
    updated: list[_Share] = []
    for change in changes:
        match change:
            case Create(desired=Resource() as desired):
                created.append((change, _created(desired, world)))
            case Update(desired=Resource() as desired) | Adopt(desired=Resource() as desired) if change.deltas:
                updated.append((change, _updated(change, desired)))
            case Delete(remote_id=str() as remote_id):
                yield _deleted(change, remote_id, settings, people, diagnostics)
            case _:
                yield change
    for shares in _chunks(created, settings.lists_created):
        yield from _together(shares, "create", calls.create_lists(settings.sid, EachPart()))
    for shares in _chunks(updated, settings.lists_updated):
        if len(shares) == 1:
            yield _alone(*shares[0], settings.sid)
        else:
            yield from _together(shares, "update", calls.update_lists(settings.sid, EachPart()))


def _created(desired: Resource, world: World) -> Part:
    fields = {name: tidy(value) for name, value in desired.fields.items() if name in LIST_FIELDS}
    name = str(fields.get("name", ""))
    known = frozenset(o.remote_id for o in world.live.named(Kind.LIST, name))
    effect = Created(kind=Kind.LIST, name=name, fields=fields, known_ids=known)
    return Part(address=desired.address, effect=effect, entry=_texts(fields))


def _updated(change: Change, desired: Resource) -> Part:
    """With all declared fields: whether what is left out stays or is cleared is not documented (H22)."""
    target = RemoteId(str(change.remote_id))
    base, wanted = {d.path: d.live for d in change.deltas}, {d.path: d.desired for d in change.deltas}
    declared = {n: v for n, v in desired.fields.items() if n in LIST_FIELDS and n not in desired.lifecycle.ignore}
    effect = Changed(kind=Kind.LIST, target=target, base=base, expected=wanted)
    return Part(address=change.address, effect=effect, entry={"sid": target, **_texts(declared)})


def _deleted(
    change: Delete, remote_id: RemoteId, settings: Settings, people: People, diagnostics: list[Diagnostic]
) -> Change:
    if users := list(using(remote_id, people)):
        names = ", ".join(f"{name!r}" for name in users[:3])
        text = f"{len(users)} campaigns that are not over have it: {names}"
        diagnostics.append(problem(Severity.ERROR, "exotel-list-in-use", text, change.address))
        return change
    effect = Deleted(kind=Kind.LIST, target=remote_id)
    call = calls.delete_list(settings.sid, remote_id)
    return change.with_steps(Step(phase=Phase.LIST_DELETE, title="delete", call=call, effect=effect))


def _together(shares: Sequence[_Share], title: str, call: Call) -> Iterator[Change]:
    """One call for several lists, at the first of them. For one list it is a step like any other."""
    parts = tuple(part for _, part in shares)
    step = Step(phase=Phase.LIST, title=title, call=call, effect=parts[0].effect, parts=parts)
    (carrier, _), *others = shares
    if others:
        yield carrier.with_steps(step)
        yield from (replace(change, carried_by=carrier.address) for change, _ in others)
    else:
        yield carrier.with_steps(replace(step, call=step.request({}), parts=()))


def _alone(change: Change, part: Part, sid: str) -> Change:
    """One list changed by itself: its id is in the path, and the body is bare."""
    entry = part.entry if isinstance(part.entry, Mapping) else {}
    fields = {name: value for name, value in entry.items() if name != "sid"}
    call = calls.update_list(sid, RemoteId(str(change.remote_id)), fields)
    return change.with_steps(Step(phase=Phase.LIST, title="update", call=call, effect=part.effect))


def _chunks(shares: Sequence[_Share], size: int) -> Iterator[Sequence[_Share]]:
    return (shares[start : start + size] for start in range(0, len(shares), size))


def _texts(fields: Mapping[str, object]) -> dict[str, Json]:
    """List fields as they are written: clearing a tag is the empty text (Q17)."""
    return {name: str(value or "") for name, value in fields.items()}
