"""The pure half of the provider: what is possible, what a manifest may say, and decisions turned into calls.

No call made here runs a campaign: that is an order somebody gives by name, never a difference between two states.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.diagnostics import Diagnostic
from reconciler.model.addresses import Kind
from reconciler.model.desired import Desired
from reconciler.model.kinds import KindRules, MembershipRules
from reconciler.model.resources import Account, Resource
from reconciler.model.zones import UNITED_STATES
from reconciler.plan.changes import Change
from reconciler.plan.rules import Compiled, World
from reconciler.providers.intelepeer.checks import Declarations, check
from reconciler.providers.intelepeer.linking import compile_associations
from reconciler.providers.intelepeer.objects import compile_campaigns, compile_lists
from reconciler.providers.intelepeer.tables import KINDS, MEMBERSHIP
from reconciler.providers.intelepeer.uploading import compile_memberships
from reconciler.providers.intelepeer.work import Work


class IntelePeerRules:
    """Implements ``plan.rules.Rules``."""

    provider: str = "intelepeer"
    kinds: Mapping[Kind, KindRules] = KINDS
    membership: MembershipRules = MEMBERSHIP

    def __init__(self) -> None:
        self._declarations: Declarations | None = None

    def home_zones(self, account: Account) -> tuple[str, ...]:
        """See ``plan.rules.Local``."""
        return UNITED_STATES

    def check(self, resource: Resource, account: Account, desired: Desired) -> Iterable[Diagnostic]:
        """Problems of one declared resource that need no network."""
        # Every resource is checked against all others: they are sorted out once, not once for each of them.
        known = self._declarations
        if known is None or known.desired is not desired:
            known = self._declarations = Declarations.of(desired)
        return tuple(check(resource, account, known))

    def compile(self, changes: tuple[Change, ...], world: World) -> Compiled:
        """The changes with their calls. One that turns out to change nothing is left out."""
        work = Work.begin(changes, world)
        compile_lists(work)
        compile_memberships(work)
        compile_campaigns(work)
        compile_associations(work)
        return Compiled(changes=tuple(work.changes.values()), diagnostics=tuple(work.diagnostics))
