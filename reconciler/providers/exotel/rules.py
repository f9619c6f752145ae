"""The pure half: what Exotel can do, what is wrong with a manifest, and decisions turned into calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic
from reconciler.model.addresses import Address, Kind
from reconciler.model.desired import Desired
from reconciler.model.kinds import KindRules, MembershipRules, Refusal
from reconciler.model.resources import Account, Fields, Resource
from reconciler.plan.calls import Target
from reconciler.plan.changes import Change, Delete
from reconciler.plan.rules import Compiled, World
from reconciler.providers.audiences import Case, cases, ends
from reconciler.providers.exotel import checks
from reconciler.providers.exotel.audience import People, is_ending
from reconciler.providers.exotel.campaigns import compile_campaigns
from reconciler.providers.exotel.convert import ATTRIBUTES, CAMPAIGN_FIELDS, LIST_FIELDS
from reconciler.providers.exotel.lists import compile_lists
from reconciler.providers.exotel.memberships import compile_membership
from reconciler.providers.exotel.settings import HOME_ZONES, Settings

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

    def home_zones(self, account: Account) -> tuple[str, ...]:
        """See ``plan.rules.Local``."""
        return HOME_ZONES[Settings.of(account).region]

    def contacts_at(self, fields: Fields) -> datetime | None:
        """See ``plan.rules.Timed``."""
        return checks.send_at(fields)

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
        diagnostics = list(campaigns.diagnostics)
        lists = compile_lists([c for c in changes if c.address.kind is Kind.LIST], world, settings, people, diagnostics)
        compiled: dict[Address, Change | None] = {c.address: c for c in lists}
        for change in changes:
            match change.address.kind:
                case Kind.LIST:
                    pass
                case Kind.MEMBERSHIP:
                    compiled[change.address] = compile_membership(change, world, settings, people, diagnostics)
                case Kind.CAMPAIGN | Kind.ASSOCIATION:
                    compiled[change.address] = campaigns.changes.get(change.address, change)
        made = {a: c for a, c in compiled.items() if c is not None}
        return Compiled(
            changes=tuple(_after_campaigns(c, made, found, world) for c in made.values()),
            diagnostics=tuple(diagnostics),
        )


def _after_campaigns(
    change: Change, made: Mapping[Address, Change], found: Mapping[Target, Case], world: World
) -> Change:
    """A list is deleted after whatever takes it off campaigns or ends these, also where another change carries that."""
    if not isinstance(change, Delete) or change.address.kind is not Kind.LIST:
        return change
    carriers = set(change.requires)
    for case in found.values():
        links = [c for c in case.removes if (e := ends(c, world)) is not None and e.list == change.remote_id]
        ending = [case.change] if case.change is not None and is_ending(case) else []
        for other in (*links, *ending):
            if (compiled := made.get(other.address)) is not None:
                carriers.add(compiled.carried_by or compiled.address)
    return replace(change, requires=tuple(sorted(carriers)))
