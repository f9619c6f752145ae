"""What compiling one account's changes works on: the changes so far, the problems, and who would be reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import LiveLink, Observed
from reconciler.model.resources import Resource
from reconciler.plan.calls import Ref, Target
from reconciler.plan.changes import Change, Delete, Forget, Reach, Replace
from reconciler.plan.rules import World
from reconciler.providers.intelepeer.codes import diagnose
from reconciler.providers.intelepeer.settings import Settings, settings_of

Links = Mapping[RemoteId, LiveLink]


class Index(Struct, frozen=True, kw_only=True):
    """The world by what compiling asks for, sorted out once: plans may have tens of thousands of changes."""

    named: Mapping[tuple[Kind, str], frozenset[RemoteId]]
    """The ids of the live objects of each name."""
    going: Mapping[Kind, Mapping[RemoteId, Change]]
    """The live objects of each kind that this plan deletes or replaces."""
    links: Mapping[RemoteId, Links]
    """The live links of each campaign, by list."""
    declared: Mapping[Target, tuple[Resource, ...]]
    """The declared associations of each campaign, by address."""
    linking: Mapping[Target, Mapping[Address, Target]]
    """The associations of each campaign that this plan makes or adopts, with their lists."""
    users: Mapping[RemoteId, frozenset[RemoteId]]
    """The campaigns of each list, whichever end tells it."""
    uploads: Mapping[Target, Mapping[Address, ContactSet]]
    """Who is added to each list by this plan, and by which change."""

    @classmethod
    def of(cls, changes: tuple[Change, ...], world: World) -> Index:
        named: dict[tuple[Kind, str], set[RemoteId]] = {}
        for (kind, remote_id), observed in world.live.objects.items():
            named.setdefault((kind, observed.name), set()).add(remote_id)
        links: dict[RemoteId, dict[RemoteId, LiveLink]] = {}
        for _, link in sorted(world.live.links.items()):
            links.setdefault(link.campaign, {})[link.list] = link
        declared: dict[Target, list[Resource]] = {}
        for resource in world.desired.of(world.account.name, Kind.ASSOCIATION):
            if resource.link is not None:
                declared.setdefault(world.target(resource.link.campaign), []).append(resource)
        return cls(
            named={key: frozenset(found) for key, found in named.items()},
            going=_going(changes),
            links=links,
            declared={target: tuple(found) for target, found in declared.items()},
            linking=_linking(changes, world),
            users=_users(world),
            uploads=_uploads(changes, world),
        )


def _going(changes: tuple[Change, ...]) -> Mapping[Kind, Mapping[RemoteId, Change]]:
    going: dict[Kind, dict[RemoteId, Change]] = {kind: {} for kind in Kind}
    for change in changes:
        if isinstance(change, Delete | Replace) and change.remote_id is not None:
            going[change.address.kind][change.remote_id] = change
    return going


def _linking(changes: tuple[Change, ...], world: World) -> Mapping[Target, Mapping[Address, Target]]:
    linking: dict[Target, dict[Address, Target]] = {}
    for change in changes:
        link = change.desired.link if change.desired is not None else None
        if link is not None and not isinstance(change, Delete | Forget):
            linking.setdefault(world.target(link.campaign), {})[change.address] = world.target(link.list)
    return linking


def _users(world: World) -> Mapping[RemoteId, frozenset[RemoteId]]:
    users: dict[RemoteId, set[RemoteId]] = {}
    for link in world.live.links.values():
        users.setdefault(link.list, set()).add(link.campaign)
    for (kind, remote_id), live in world.live.objects.items():
        told = live.facts.get("campaigns") if kind is Kind.LIST else None
        if isinstance(told, frozenset):
            users.setdefault(remote_id, set()).update(RemoteId(c) for c in told)
    return {list_id: frozenset(campaigns) for list_id, campaigns in users.items()}


def _uploads(changes: tuple[Change, ...], world: World) -> Mapping[Target, Mapping[Address, ContactSet]]:
    uploads: dict[Target, dict[Address, ContactSet]] = {}
    for change in changes:
        members = change.desired.members if change.desired is not None else None
        if members is not None and change.members is not None and change.members.add:
            uploads.setdefault(world.target(members.of), {})[change.address] = change.members.add.select(("number",))
    return uploads


class Work(Struct):
    """One account being compiled. ``changes`` keeps the planner's order; a change that turns out empty is taken out."""

    world: World
    settings: Settings
    index: Index
    changes: dict[Address, Change]
    diagnostics: list[Diagnostic] = field(default_factory=list)
    _counted: set[RemoteId] = field(default_factory=set)

    @classmethod
    def begin(cls, changes: tuple[Change, ...], world: World) -> Work:
        return cls(
            world=world,
            settings=settings_of(world.account),
            index=Index.of(changes, world),
            changes={c.address: c for c in changes},
        )

    def say(self, code: str, message: str, about: Change, severity: Severity = Severity.ERROR) -> None:
        self.diagnostics.append(diagnose(code, message, about=about, severity=severity))

    def put(self, change: Change) -> None:
        self.changes[change.address] = change

    def of_kind(self, kind: Kind) -> Iterator[Change]:
        """The changes of one kind that still have to be given their calls."""
        for change in tuple(self.changes.values()):
            if change.address.kind is kind and change.carried_by is None:
                yield change

    def links_of(self, campaign: Target) -> Links:
        """The live links of a campaign, by list; a new one has none."""
        return {} if isinstance(campaign, Ref) else self.index.links.get(campaign, {})

    def active(self, campaign: Target) -> bool:
        """Whether people are being contacted for this campaign already. A new one is a draft."""
        if isinstance(campaign, Ref):
            return False
        live = self.world.live.objects.get((Kind.CAMPAIGN, campaign))
        return live is not None and is_active(live)

    def active_users(self, list_id: Target) -> tuple[Observed, ...]:
        """The active campaigns of a list, sorted by id."""
        if isinstance(list_id, Ref):
            return ()
        objects = self.world.live.objects
        found = (objects.get((Kind.CAMPAIGN, c)) for c in sorted(self.index.users.get(list_id, ())))
        return tuple(o for o in found if o is not None and is_active(o))

    def reach(self, lists: Iterable[Target]) -> Reach:
        """The people on these lists, now and after the plan. Whom nobody can name counts once in a plan."""
        numbers: list[ContactSet] = []
        uncounted, unread = 0, set()
        for list_id in lists:
            numbers.extend(self.index.uploads.get(list_id, {}).values())
            if isinstance(list_id, Ref):
                continue
            unread.add(list_id)
            if list_id in self._counted:
                continue
            self._counted.add(list_id)
            if (members := self.world.live.members.get(list_id)) is not None:
                uncounted += members.count
        return Reach(numbers=ContactSet.union_of(numbers), uncounted=uncounted, unread=frozenset(unread))


def is_active(campaign: Observed) -> bool:
    """Whether people are being contacted for a campaign; one that does not tell counts as active."""
    return campaign.facts.get("active") is not False
