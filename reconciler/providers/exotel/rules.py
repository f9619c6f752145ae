"""The pure half: what Exotel can do, what is wrong with a manifest, and decisions turned into calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.model.addresses import Address, Kind
from reconciler.model.desired import Desired
from reconciler.model.kinds import KindRules, MembershipRules, Refusal
from reconciler.model.resources import Account, Resource
from reconciler.plan.calls import Changed, Created, Deleted, Json, Phase, Step, Target
from reconciler.plan.changes import Adopt, Change, Create, Delete, Update
from reconciler.plan.rules import Compiled, World
from reconciler.providers.exotel import calls, checks
from reconciler.providers.exotel.audience import Case, People, cases, ends, using
from reconciler.providers.exotel.campaigns import compile_campaigns
from reconciler.providers.exotel.codes import problem
from reconciler.providers.exotel.convert import ATTRIBUTES, CAMPAIGN_FIELDS, LIST_FIELDS, tidy
from reconciler.providers.exotel.memberships import compile_membership
from reconciler.providers.exotel.settings import Settings

_NEVER_TWICE = Refusal(
    code="exotel-campaign-started",
    reason="a campaign made anew would call people again",
    remedy="Declare a campaign with a new name.",
)

KINDS: Mapping[Kind, KindRules] = {
    Kind.LIST: KindRules(fields=LIST_FIELDS, unique_names=True),
    Kind.CAMPAIGN: KindRules(fields=CAMPAIGN_FIELDS, replace=_NEVER_TWICE),
    Kind.ASSOCIATION: KindRules(),
}

MEMBERSHIP = MembershipRules(contacts_apart=True, attributes=frozenset(ATTRIBUTES))


class ExotelRules:
    """See ``plan.rules.Rules``."""

    provider = "exotel"
    kinds = KINDS
    membership = MEMBERSHIP

    def __init__(self) -> None:
        self._declarations: checks.Declarations | None = None

    def check(self, resource: Resource, account: Account, desired: Desired) -> Iterable[Diagnostic]:
        # Gathered once for a whole load: each resource is asked about on its own.
        known = self._declarations
        if known is None or known.desired is not desired:
            known = self._declarations = checks.Declarations.of(desired)
        return checks.problems(resource, known)

    def compile(self, changes: tuple[Change, ...], world: World) -> Compiled:
        settings = Settings.of(world.account)
        found = cases(changes, world)
        people = People(changes, world, found)
        campaigns = compile_campaigns(found, world, settings.sid, people)
        compiled: dict[Address, Change | None] = {}
        diagnostics = list(campaigns.diagnostics)
        for change in changes:
            match change.address.kind:
                case Kind.LIST:
                    compiled[change.address] = _compile_list(change, world, settings, people, diagnostics)
                case Kind.MEMBERSHIP:
                    compiled[change.address] = compile_membership(change, world, settings, people, diagnostics)
                case Kind.CAMPAIGN | Kind.ASSOCIATION:
                    compiled[change.address] = campaigns.changes.get(change.address, change)
        made = {a: c for a, c in compiled.items() if c is not None}
        return Compiled(
            changes=tuple(_after_campaigns(c, made, found, world) for c in made.values()),
            diagnostics=tuple(diagnostics),
        )


def _compile_list(
    change: Change, world: World, settings: Settings, people: People, diagnostics: list[Diagnostic]
) -> Change:
    sid = settings.sid
    match change:
        case Create(desired=Resource() as desired):
            fields = {name: tidy(value) for name, value in desired.fields.items() if name in LIST_FIELDS}
            name = str(fields.get("name", ""))
            known = frozenset(o.remote_id for o in world.live.named(Kind.LIST, name))
            effect = Created(kind=Kind.LIST, name=name, fields=fields, known_ids=known)
            call = calls.create_list(sid, _texts(fields))
            return change.with_steps(Step(phase=Phase.LIST, title="create", call=call, effect=effect))
        case Update() | Adopt() if change.deltas and change.remote_id is not None and change.desired is not None:
            base, wanted = ({d.path: d.live for d in change.deltas}, {d.path: d.desired for d in change.deltas})
            made = Changed(kind=Kind.LIST, target=change.remote_id, base=base, expected=wanted)
            # All declared fields: whether what is left out stays or is cleared is not documented (H22).
            ignored = change.desired.lifecycle.ignore
            declared = {n: v for n, v in change.desired.fields.items() if n in LIST_FIELDS and n not in ignored}
            call = calls.update_list(sid, change.remote_id, _texts(declared))
            return change.with_steps(Step(phase=Phase.LIST, title="update", call=call, effect=made))
        case Delete(remote_id=str() as remote_id):
            if users := list(using(remote_id, people)):
                names = ", ".join(f"{name!r}" for name in users[:3])
                text = f"{len(users)} campaigns that are not over have it: {names}"
                diagnostics.append(problem(Severity.ERROR, "exotel-list-in-use", text, change.address))
                return change
            gone = Deleted(kind=Kind.LIST, target=remote_id)
            call = calls.delete_list(sid, remote_id)
            return change.with_steps(Step(phase=Phase.LIST_DELETE, title="delete", call=call, effect=gone))
        case _:
            return change


def _after_campaigns(
    change: Change, made: Mapping[Address, Change], found: Mapping[Target, Case], world: World
) -> Change:
    """A list is deleted after whatever takes it off campaigns or ends these, also where another change carries that."""
    if not isinstance(change, Delete) or change.address.kind is not Kind.LIST:
        return change
    carriers = set(change.requires)
    for case in found.values():
        links = [c for c in case.removes if (e := ends(c, world)) is not None and e.list == change.remote_id]
        ending = [case.change] if case.change is not None and case.ends else []
        for other in (*links, *ending):
            if (compiled := made.get(other.address)) is not None:
                carriers.add(compiled.carried_by or compiled.address)
    return replace(change, requires=tuple(sorted(carriers)))


def _texts(fields: Mapping[str, object]) -> dict[str, Json]:
    """List fields as they are written: clearing a tag is the empty text (Q17)."""
    return {name: str(value or "") for name, value in fields.items()}
