"""Which live objects are to be declared, and what everything is going to be called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from reconciler.diagnostics import Diagnostic
from reconciler.manifest.drafts.draft import Key, left_out
from reconciler.manifest.drafts.naming import Names, joined, slug
from reconciler.manifest.drafts.scene import Scene
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.live import Observed
from reconciler.plan.binding import OBJECTS


class Choice(Struct, frozen=True, kw_only=True):
    """``objects`` are the lists and campaigns to declare, by name and id; ``left`` tells of those that cannot be.

    ``contested`` are those of them whose name a manifest goes by already: their links and people are that one's, too.
    """

    objects: Sequence[Observed]
    left: Sequence[tuple[Kind, Diagnostic]]
    contested: frozenset[Key]


def choose(scene: Scene) -> Choice:
    """Which live objects nobody declares yet and can be declared."""
    wanted: list[Observed] = []
    left: list[tuple[Kind, Diagnostic]] = []
    contested: set[Key] = set()
    names = _declared_names(scene)
    for live in sorted(scene.live.objects.values(), key=_by_name):
        key = (live.kind, live.remote_id)
        if key in scene.declared or live.kind not in scene.provider.kinds:
            continue
        if over := scene.over(live):
            left.append(left_out(scene.account.name, live, f"it is {over}, which no manifest can mean"))
        elif (other := names.get((live.kind, live.name.casefold()))) is not None:
            contested.add(key)
            why = f"{other} has the same name, and does not say by an id which one it is"
            left.append(left_out(scene.account.name, live, why, f"pin {other} with spec.id, then import again"))
        else:
            wanted.append(live)
    return Choice(objects=wanted, left=left, contested=frozenset(contested))


def _by_name(live: Observed) -> tuple[str, int, str]:
    """Ids that are numbers come in their order as numbers."""
    return live.name, len(live.remote_id), live.remote_id


def _declared_names(scene: Scene) -> Mapping[tuple[Kind, str], Address]:
    """Names that manifests go by: a second object of such a name, declared beside, would make them ambiguous."""
    unpinned = (r for r in scene.desired.of(scene.account.name) if r.address.kind in OBJECTS and r.pinned is None)
    return {(r.address.kind, str(r.fields.get("name", "")).casefold()): r.address for r in unpinned}


def name_all(scene: Scene, objects: Sequence[Observed]) -> Mapping[Key, str]:
    """A name for everything that may be declared. What we own keeps the name that it is owned under."""
    account = scene.account.name
    owned = {_owned_key(o.address.kind, o.remote_id, o.parent): o.address for o in scene.inventory.of(account)}
    taken = [a for a in (*scene.desired.resources, *scene.inventory.owned) if a.account == account]
    unused = {kind: Names(a.name for a in taken if a.kind is kind) for kind in Kind}
    names: dict[Key, str] = {key: address.name for key, address in scene.declared.items()}

    def take(key: Key, *wishes: str) -> None:
        if key not in names:
            ours = owned.get(key)
            names[key] = ours.name if ours is not None else unused[key[0]].take(*wishes)

    def called(kind: Kind, remote_id: RemoteId) -> str:
        if (kind, remote_id) not in names:
            live = scene.live.objects.get((kind, remote_id))
            wishes = (live.name if live is not None else "", f"{kind}-{remote_id}", str(kind))
            take((kind, remote_id), *map(slug, wishes))
        return names[(kind, remote_id)]

    for live in objects:
        called(live.kind, live.remote_id)
    for remote_id, link in sorted(scene.live.links.items()):
        ends = called(Kind.CAMPAIGN, link.campaign), called(Kind.LIST, link.list)
        take((Kind.ASSOCIATION, remote_id), joined(*ends, "--"))
    word = "members" if scene.parent is Kind.LIST else "leads"
    for remote_id in sorted(scene.live.members):
        take((Kind.MEMBERSHIP, remote_id), joined(called(scene.parent, remote_id), word, "-"))
    return names


def _owned_key(kind: Kind, remote_id: RemoteId, parent: RemoteId | None) -> Key:
    return kind, parent if kind is Kind.MEMBERSHIP and parent is not None else remote_id
