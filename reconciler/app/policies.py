"""Policies where plans are made: what rules and plug-ins say goes into the diagnostics of a plan, and nowhere else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Severity, Span, error, in_order
from reconciler.errors import Refused
from reconciler.manifest.load import Loaded, load_policies
from reconciler.model.addresses import Address
from reconciler.model.desired import Desired
from reconciler.model.resources import Account, Resource
from reconciler.plan.changes import Approval, Plan
from reconciler.plan.policy import (
    WAY_OUT,
    ForbiddenHosts,
    ForbiddenProviders,
    PlugIn,
    Policies,
    feeding,
    refusals_of_call,
    refusals_of_changes,
    refusals_of_dial,
)
from reconciler.plan.policy_plugins import ByHand, PolicyPlugin, View, view
from reconciler.plan.selection import Selection

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "reconciler.policies"
"""The entry-point group through which an installed package adds a plug-in: ``name = "module:attribute"``."""

MOST_FINDINGS = 10_000
"""Who finds more than this is broken."""


class RefusedByPolicy(Refused):
    """A policy does not allow it; nothing was sent. ``diagnostics`` say what and why, each with a code of its own."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("refused by policy, which no flag lifts; nothing was sent")


class Judging(Struct, frozen=True, kw_only=True):
    """The policies of one project. ``declared`` is what they said of its manifests when those were loaded."""

    policies: Policies = Policies()
    declared: tuple[Diagnostic, ...] = ()

    @classmethod
    def of(cls, found: Loaded) -> Judging:
        return cls(policies=found.policies, declared=found.judged)

    async def judged(
        self, plan: Plan, desired: Desired, selection: Selection, accounts: Collection[str], *, tool: str
    ) -> Plan:
        """``plan`` with what the policies say of it, and with the plug-ins among what its digest is made from."""
        active = self.policies.within(desired.project.environment)
        told = [d for d in self.declared if _concerns(d, desired, selection, accounts)]
        told += refusals_of_changes(active, plan.changes, desired)
        places = _places(plan, desired, accounts)
        chosen = [r for a, r in sorted(desired.resources.items()) if selection.covers(a, r)] if active.plugins else []
        for use in active.plugins:
            told += await _asked(use, view(plan, chosen, tool=tool, options=use.options), places)
        if not (told or active.plugins):
            return plan
        versions = tuple(sorted({_version(use) for use in active.plugins}))
        return replace(
            plan,
            diagnostics=in_order((*plan.diagnostics, *told)),
            digest_inputs=(*plan.digest_inputs, *versions),
        )

    def unjudgeable(self, environment: str) -> tuple[Diagnostic, ...]:
        """The plug-ins that are asked for and cannot be asked, as far as that shows without a plan."""
        active = self.policies.within(environment)
        return tuple(problem for use in active.plugins if isinstance(problem := _plugin(use), Diagnostic))

    def check_accounts(self, accounts: Collection[str], environment: str) -> None:
        """Raises RefusedByPolicy for an account whose provider or host is forbidden: no login may be sent there."""
        rules = self.policies.within(environment).rules
        closing = {(r.policy, r.code) for r in rules if isinstance(r.check, ForbiddenProviders | ForbiddenHosts)}
        told = (d for d in self.declared if d.address in accounts and (d.policy, d.code) in closing)
        if refused := [d for d in told if d.blocking]:
            raise RefusedByPolicy(refused)

    async def check_dial(self, campaign: Resource, desired: Desired, people: int, *, tool: str) -> None:
        """Raises RefusedByPolicy when ``people`` may not be contacted through this campaign now."""
        address = campaign.address
        asked = ByHand(
            command="dial",
            account=address.account,
            address=str(address),
            approvals=(Approval.CONTACT,),
            reach=people,
        )
        told = await self._by_hand(asked, desired, feeding(desired, address), tool)
        rules = refusals_of_dial(self.policies.within(desired.project.environment), campaign, people)
        self._refuse(address, (*rules, *told))

    async def check_call(
        self, account: Account, desired: Desired, operation: str, classes: frozenset[Approval], *, tool: str
    ) -> None:
        """Raises RefusedByPolicy when an operation of these classes may not be sent by hand."""
        approvals = tuple(sorted(classes))
        asked = ByHand(command="call", account=account.name, operation=operation, approvals=approvals)
        told = await self._by_hand(asked, desired, (), tool)
        rules = refusals_of_call(self.policies.within(desired.project.environment), account, classes)
        self._refuse(account.name, (*rules, *told))

    async def _by_hand(
        self, request: ByHand, desired: Desired, about: tuple[Resource, ...], tool: str
    ) -> list[Diagnostic]:
        """What the plug-ins say of a request that no plan holds."""
        project, told = desired.project, list[Diagnostic]()
        nothing = Plan(project=project.name, environment=project.environment, accounts=(), changes=())
        places = _places(nothing, desired, [request.account])
        for use in self.policies.within(project.environment).plugins:
            told += await _asked(use, view(nothing, about, tool=tool, options=use.options, request=request), places)
        return told

    def _refuse(self, about: Address | str, found: Iterable[Diagnostic]) -> None:
        """Raises RefusedByPolicy for errors among ``found``, and for what is declared and may not be."""
        names = {str(about), about.account} if isinstance(about, Address) else {about}
        told = [*(d for d in self.declared if d.address in names), *found]
        if refused := [d for d in told if d.blocking]:
            raise RefusedByPolicy(refused)


def codes_here(folder: Path) -> Mapping[str, tuple[str, str]]:
    """The codes that the Policy documents of the project in ``folder`` bring, and those of the plug-ins that they name:
    what each means, and what to do."""
    found = load_policies(folder)
    known: dict[str, tuple[str, str]] = {}
    for use in found.plugins:
        if not isinstance(plugin := _plugin(use), Diagnostic):
            known |= plugin.codes
    for rule in found.rules:
        known[rule.code] = (
            rule.message or f"The policy {rule.policy} says so.",
            f"{rule.hint or WAY_OUT} ({rule.source})",
        )
    return known


def _concerns(found: Diagnostic, desired: Desired, selection: Selection, accounts: Collection[str]) -> bool:
    """Whether what is wrong with a document is about what is planned: nothing else is refused because of it."""
    try:
        address = Address.parse(found.address)
    except ValueError:
        return found.address in accounts
    return selection.covers(address, desired.resources.get(address))


def _point(use: PlugIn) -> EntryPoint | str:
    """The entry point of a plug-in, or why there is none."""
    from importlib.metadata import entry_points

    points = {p.value: p for p in entry_points(group=GROUP, name=use.use)}
    if len(points) == 1:
        return next(iter(points.values()))
    return f"several packages bring a plug-in {use.use}" if points else f"no package brings a plug-in {use.use}"


def _plugin(use: PlugIn) -> PolicyPlugin | Diagnostic:
    """The plug-in, imported now, or why it cannot be asked."""
    if isinstance(point := _point(use), str):
        return _unjudged(use, "policy-plugin-missing", point)
    try:
        found = point.load()
        if isinstance(found, PolicyPlugin) and all(map(_explained, found.codes.items())):
            return found
    except (Exception, SystemExit) as failure:  # foreign code; whatever it raises, it did not agree
        return _unjudged(
            use, "policy-plugin-failed", f"the plug-in {use.use} cannot be loaded: {type(failure).__name__}"
        )
    return _unjudged(use, "policy-plugin-failed", f"{point.value} is no policy plug-in")


def _explained(item: tuple[object, object]) -> bool:
    """Whether a code comes with what it means and what to do."""
    code, told = item
    return isinstance(code, str) and isinstance(told, tuple) and [type(t) for t in told] == [str, str]


def _version(use: PlugIn) -> str:
    """What a digest knows a plug-in by: another version of it may judge otherwise."""
    point = _point(use)
    package = f"{point.dist.name} {point.dist.version}" if not isinstance(point, str) and point.dist else ""
    return f"policy {use.use}: {package}"


def _places(plan: Plan, desired: Desired, accounts: Collection[str]) -> Mapping[str, Span | None]:
    """What a plug-in can speak about, and where that stands."""
    places: dict[str, Span | None] = {str(c.address): c.source for c in plan.changes}
    places |= {name: desired.accounts[name].source for name in accounts}
    return places | {str(a): r.source for a, r in desired.resources.items()}


async def _asked(use: PlugIn, seen: View, places: Mapping[str, Span | None]) -> tuple[Diagnostic, ...]:
    """What a plug-in says, in a thread: one that takes its time must not keep a lease from being renewed, nor Ctrl-C
    from ending it."""
    from reconciler.app.leasing import in_daemon  # imported by those who wait: most repositories have no plug-in

    return await in_daemon(partial(_verdict, use, seen, places))


def _verdict(use: PlugIn, seen: View, places: Mapping[str, Span | None]) -> tuple[Diagnostic, ...]:
    """What a plug-in says, or that it cannot be told: never nothing where something went wrong."""
    if isinstance(plugin := _plugin(use), Diagnostic):
        return (plugin,)
    try:
        said = tuple(islice(plugin.evaluate(seen), MOST_FINDINGS + 1))
        if len(said) > MOST_FINDINGS:
            return (_unjudged(use, "policy-plugin-failed", f"the plug-in {use.use} finds no end"),)
        return tuple(_placed(use, found, plugin, places) for found in said)
    except _Nonsense as nonsense:
        return (_unjudged(use, "policy-plugin-failed", f"the plug-in {use.use} answers {nonsense}"),)
    except (Exception, SystemExit) as failure:  # its text is left out: it may hold anything
        return (_unjudged(use, "policy-plugin-failed", f"the plug-in {use.use} raised {type(failure).__name__}"),)


class _Nonsense(Exception):
    """A plug-in said what nobody can act on."""


def _placed(use: PlugIn, found: object, plugin: PolicyPlugin, places: Mapping[str, Span | None]) -> Diagnostic:
    """A finding of a plug-in, at the manifest that it is about. Raises _Nonsense for what is no finding."""
    if not isinstance(found, Diagnostic):
        raise _Nonsense("something that is no diagnostic")
    if found.code not in plugin.codes:
        raise _Nonsense("with a code that it does not explain")
    texts = (found.message, found.hint, found.address, found.excerpt)
    if not isinstance(found.severity, Severity) or not found.message or not all(isinstance(t, str) for t in texts):
        raise _Nonsense("with a diagnostic that is none")
    if found.address and found.address not in places:
        raise _Nonsense("about what is not in the plan")
    source = found.source if isinstance(found.source, Span) else places.get(found.address)
    hint = f"{found.hint or plugin.codes[found.code][1]} (policy {use.policy}, {use.source})"
    return replace(found, source=source or use.source, hint=hint, policy=use.policy)


def _unjudged(use: PlugIn, code: str, message: str) -> Diagnostic:
    hint = f"install the package that brings it, or mend it: without it nothing is applied (policy {use.policy})"
    return replace(error(code, message, hint=hint, source=use.source), policy=use.policy)
