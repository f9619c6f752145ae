"""The pure half: what SlickText can do, what is wrong with a manifest, and decisions turned into calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.desired import Desired
from reconciler.model.kinds import FieldRule, KindRules, MembershipRules, Refusal
from reconciler.model.live import AccountLive, Observed
from reconciler.model.resources import Account, Fields, Resource
from reconciler.model.zones import UNITED_STATES
from reconciler.plan.calls import Changed, Created, Deleted, Json, MembersAdded, Phase, Step, Target
from reconciler.plan.changes import Adopt, Change, Create, Delete, Update
from reconciler.plan.rules import Compiled, Freeze, Reachable, World
from reconciler.providers.audiences import Case, cases
from reconciler.providers.slicktext import calls, checks
from reconciler.providers.slicktext.audience import freeze, users
from reconciler.providers.slicktext.campaigns import compile_campaigns
from reconciler.providers.slicktext.codes import problem
from reconciler.providers.slicktext.contacts import ATTRIBUTES
from reconciler.providers.slicktext.convert import tidy
from reconciler.providers.slicktext.memberships import audience_warnings, compile_membership
from reconciler.providers.slicktext.settings import Settings

_NEVER_TWICE = Refusal(
    code="slicktext-campaign-dispatched",
    reason="a campaign made anew could text people a second time",
    remedy="Declare a campaign with a new name.",
)

_TEXT = FieldRule(normalise=tidy, absent="")

KINDS: Mapping[Kind, KindRules] = {
    Kind.LIST: KindRules(fields={"name": _TEXT, "description": _TEXT}),
    Kind.CAMPAIGN: KindRules(
        fields=dict.fromkeys(("name", "body", "media_url", "scheduled", "status"), _TEXT), replace=_NEVER_TWICE
    ),
    Kind.ASSOCIATION: KindRules(),
}

MEMBERSHIP = MembershipRules(contacts_apart=True, attributes=frozenset(ATTRIBUTES))


class SlickTextRules:
    """See ``plan.rules.Rules``."""

    provider = "slicktext"
    kinds = KINDS
    membership = MEMBERSHIP
    reachable = Reachable(pattern=checks.REACHABLE, code="slicktext-not-us-ca")

    def home_zones(self, account: Account) -> tuple[str, ...]:
        """See ``plan.rules.Local``."""
        return UNITED_STATES

    def contacts_at(self, fields: Fields) -> datetime | None:
        """See ``plan.rules.Timed``."""
        return checks.moment(fields.get("scheduled")) if fields.get("status") == "scheduled" else None

    def freeze(self, step: Step, account: Account, live: AccountLive, now: datetime) -> Freeze | None:
        """See ``plan.rules.Freezing``."""
        match step.effect:
            case MembersAdded(of=str() as list_id):
                campaigns = (o for (kind, _), o in live.objects.items() if kind is Kind.CAMPAIGN)
                return freeze(campaigns, {str(list_id)}, now, Settings.of(account).freeze)
            case _:
                return None

    def check(self, resource: Resource, account: Account, desired: Desired) -> Iterable[Diagnostic]:
        return checks.problems(resource)

    def compile(self, changes: tuple[Change, ...], world: World) -> Compiled:
        settings = Settings.of(world.account)
        campaigns = compile_campaigns(changes, world, settings.brand)
        found = cases(changes, world)
        cancelled, using = frozenset(_cancelled(found)), users(found, world)
        compiled: dict[Address, Change | None] = {}
        diagnostics = list(campaigns.diagnostics)
        for change in changes:
            match change.address.kind:
                case Kind.LIST:
                    compiled[change.address] = _compile_list(change, using, world, settings, diagnostics)
                case Kind.MEMBERSHIP:
                    compiled[change.address] = compile_membership(change, world, settings)
                    diagnostics += audience_warnings(change, world, cancelled, settings)
                case Kind.CAMPAIGN | Kind.ASSOCIATION:
                    compiled[change.address] = campaigns.changes.get(change.address, change)
        made = {a: c for a, c in compiled.items() if c is not None}
        leaving = _leaving(found, made, world)
        return Compiled(
            changes=tuple(_after_audience(c, leaving) for c in made.values()),
            diagnostics=tuple(diagnostics),
        )


def _cancelled(found: Mapping[Target, Case]) -> Iterator[RemoteId]:
    """Scheduled campaigns that the plan deletes or turns back into drafts."""
    for case in found.values():
        change = case.change
        if case.live is not None and change is not None:
            drafted = any(d.path == "status" and d.desired == "draft" for d in change.deltas)
            if drafted or isinstance(change, Delete):
                yield case.live.remote_id


def _compile_list(
    change: Change,
    using: Mapping[str, Sequence[Observed]],
    world: World,
    settings: Settings,
    diagnostics: list[Diagnostic],
) -> Change:
    brand = settings.brand
    match change:
        case Create(desired=Resource() as desired):
            fields = {name: tidy(value) for name, value in desired.fields.items() if name in ("name", "description")}
            name = str(fields.get("name", ""))
            known = frozenset(o.remote_id for o in world.live.named(Kind.LIST, name))
            effect = Created(kind=Kind.LIST, name=name, fields=fields, known_ids=known)
            call = calls.create_list(brand, _texts(fields))
            return change.with_steps(Step(phase=Phase.LIST, title="create", call=call, effect=effect))
        case Update() | Adopt() if change.deltas and change.remote_id is not None:
            base, wanted = ({d.path: d.live for d in change.deltas}, {d.path: d.desired for d in change.deltas})
            made = Changed(kind=Kind.LIST, target=change.remote_id, base=base, expected=wanted)
            call = calls.update_list(brand, change.remote_id, _texts(wanted))
            return change.with_steps(Step(phase=Phase.LIST, title="update", call=call, effect=made))
        case Delete(remote_id=str() as remote_id):
            if still := using.get(remote_id):
                names = ", ".join(f"{u.name!r}" for u in still[:3])
                text = f"{len(still)} campaigns that are not finished have it in their audience: {names}"
                diagnostics.append(problem(Severity.ERROR, "slicktext-list-in-use", text, change.address))
                return change
            gone = Deleted(kind=Kind.LIST, target=remote_id)
            call = calls.delete_list(brand, remote_id)
            return change.with_steps(Step(phase=Phase.LIST_DELETE, title="delete", call=call, effect=gone))
        case _:
            return change


def _leaving(
    found: Mapping[Target, Case], made: Mapping[Address, Change], world: World
) -> Mapping[RemoteId, set[Address]]:
    """By list, whatever takes it out of audiences: also another change that carries that call."""
    leaving: dict[RemoteId, set[Address]] = {}
    for link in (link for case in found.values() for link in case.removes):
        compiled = made.get(link.address)
        live = world.live.links.get(link.remote_id) if link.remote_id is not None else None
        if compiled is not None and live is not None:
            leaving.setdefault(live.list, set()).add(compiled.carried_by or compiled.address)
    return leaving


def _after_audience(change: Change, leaving: Mapping[RemoteId, set[Address]]) -> Change:
    """A list is deleted after whatever takes it out of audiences."""
    if not isinstance(change, Delete) or change.address.kind is not Kind.LIST or change.remote_id is None:
        return change
    return replace(change, requires=tuple(sorted({*change.requires, *leaving.get(change.remote_id, ())})))


def _texts(fields: Mapping[str, object]) -> dict[str, Json]:
    """List fields as they are written: clearing a description is the empty text [A-17]."""
    return {name: str(value or "") for name, value in fields.items()}
