"""Policies: what a repository's own rules say of its manifests and of a plan. They judge and never change anything.

A rule is about what is declared (names, labels, kinds, providers, hosts) or about what would be done (classes of
approval, reach). The first is judged without a plan, and whoever has the documents places it in them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Literal, TypeAlias, assert_never

from msgspec import Struct, field

from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.model.addresses import Address, Kind
from reconciler.model.desired import Desired
from reconciler.model.resources import Account, Declared, Resource
from reconciler.plan.changes import Approval, Change, people_reached
from reconciler.plan.selection import Selection, Selector

ACCOUNTS = Selector("kind", "Account")
"""What no ``--select`` knows: accounts themselves, which have names and labels as well."""

_PATTERN_BYTES = 1 << 20


class Naming(Struct, frozen=True, kw_only=True):
    """The whole of a name fits ``pattern``: our own name, or the one that the provider shows."""

    pattern: str
    field: Literal["metadata.name", "spec.name"] = "metadata.name"


class RequiredLabels(Struct, frozen=True, kw_only=True):
    """Each label is there, with one of these values; an empty set means any."""

    labels: Mapping[str, frozenset[str]]


class ForbiddenProviders(Struct, frozen=True, kw_only=True):
    providers: frozenset[str]


class ForbiddenHosts(Struct, frozen=True, kw_only=True):
    """Globs on host names in small letters."""

    hosts: frozenset[str]


class ForbiddenKinds(Struct, frozen=True, kw_only=True):
    kinds: frozenset[Kind]


class ForbiddenActions(Struct, frozen=True, kw_only=True):
    """The classes that ``--approve`` names; here nobody can approve them."""

    actions: frozenset[Approval]


class MaxReach(Struct, frozen=True, kw_only=True):
    """At most so many distinct people newly exposed to being contacted, over everything that the rule is about."""

    people: int


Check: TypeAlias = (
    Naming | RequiredLabels | ForbiddenProviders | ForbiddenHosts | ForbiddenKinds | ForbiddenActions | MaxReach
)


class Rule(Struct, frozen=True, kw_only=True):
    """One rule of a Policy document. ``environments`` empty: in all of them. ``source`` is where the rule stands."""

    policy: str
    code: str
    check: Check
    severity: Severity
    source: Span
    message: str = ""
    hint: str = ""
    scope: Selection = Selection()
    environments: frozenset[str] = frozenset()

    def finding(self, fact: str, *, address: str = "", source: Span | None = None) -> Diagnostic:
        """``fact`` is what was found; why that matters, and what to do, the rule says itself."""
        return Diagnostic(
            code=self.code,
            severity=self.severity,
            message=f"{fact}: {self.message}" if self.message else fact,
            hint=f"{self.hint or WAY_OUT} (policy {self.policy}, {self.source})",
            address=address,
            source=source,
            policy=self.policy,
        )


WAY_OUT = "change what is declared, or have the policy changed: no flag lifts it"


class PlugIn(Struct, frozen=True, kw_only=True):
    """A Policy document asks for the plug-in ``use``; ``options`` are plain JSON values."""

    policy: str
    use: str
    source: Span
    options: Mapping[str, Any] = field(default_factory=dict)
    environments: frozenset[str] = frozenset()


class Policies(Struct, frozen=True, kw_only=True):
    """Everything that the Policy documents of a project say, whatever the environment."""

    rules: tuple[Rule, ...] = ()
    plugins: tuple[PlugIn, ...] = ()

    def within(self, environment: str) -> Policies:
        """What holds in one environment, empty for none."""

        def holds(one: Rule | PlugIn) -> bool:
            return not one.environments or environment in one.environments

        return Policies(rules=tuple(filter(holds, self.rules)), plugins=tuple(filter(holds, self.plugins)))


class Breach(Struct, frozen=True, kw_only=True):
    """A rule that a declaration breaks: of which document, and where in it. ``about`` a text: the account's name."""

    about: Address | str
    path: tuple[str, ...]
    found: Diagnostic


def breaches(active: Policies, desired: Desired, hosts: Mapping[str, Mapping[str, str]]) -> Iterator[Breach]:
    """What is declared and may not be, in a fixed order. ``hosts``: of each account, the field that names a host, and
    that host."""
    for rule in active.rules:
        match rule.check:
            case Naming() | RequiredLabels() | ForbiddenKinds():
                for address in sorted(desired.resources):
                    resource = desired.resources[address]
                    if rule.scope.covers(address, resource):
                        yield from _resource_breaches(rule, rule.check, resource)
                yield from _account_metadata(rule, rule.check, desired)
            case ForbiddenProviders(providers=providers):
                for account in _accounts(rule, desired):
                    if account.provider in providers:
                        yield _breach(
                            rule, account.name, ("apiVersion",), f"the provider {account.provider} is forbidden"
                        )
            case ForbiddenHosts(hosts=patterns):
                for account in _accounts(rule, desired):
                    for key, host in sorted(hosts.get(account.name, {}).items()):
                        if any(fnmatchcase(host, pattern) for pattern in patterns):
                            yield _breach(rule, account.name, ("spec", key), f"the host {host} is forbidden")
            case ForbiddenActions() | MaxReach():
                pass
            case _:
                assert_never(rule.check)


def _resource_breaches(
    rule: Rule, check: Naming | RequiredLabels | ForbiddenKinds, resource: Resource
) -> Iterator[Breach]:
    address = resource.address
    match check:
        case Naming(field="spec.name"):
            if isinstance(name := resource.fields.get("name"), str):
                yield from _name(rule, check, address, name)
        case Naming():
            yield from _name(rule, check, address, address.name)
        case RequiredLabels():
            yield from _labels(rule, check, address, resource.labels)
        case ForbiddenKinds(kinds=kinds):
            if address.kind in kinds:
                yield _breach(rule, address, ("kind",), f"the kind {address.kind} is forbidden")


def _account_metadata(rule: Rule, check: Check, desired: Desired) -> Iterator[Breach]:
    """Accounts have names and labels too, and are meant when the rule says so."""
    if ACCOUNTS not in rule.scope.select:
        return
    for account in _accounts(rule, desired):
        match check:
            case Naming(field="metadata.name"):
                yield from _name(rule, check, account.name, account.name)
            case RequiredLabels():
                yield from _labels(rule, check, account.name, account.labels)
            case _:
                pass


def _accounts(rule: Rule, desired: Desired) -> Iterator[Account]:
    for name in sorted(desired.accounts):
        account, scope = desired.accounts[name], rule.scope
        wanted = not scope.select or any(_about_account(s, account) for s in scope.select)
        if wanted and not any(_about_account(s, account) for s in scope.exclude):
            yield account


def selects(selector: Selector, desired: Desired) -> bool:
    """Whether anything that is declared, an account included, is what a selector means."""
    resources = any(selector.matches(a, r) for a, r in desired.resources.items())
    return resources or any(_about_account(selector, account) for account in desired.accounts.values())


def _about_account(selector: Selector, account: Account) -> bool:
    match selector.prefix:
        case "account":
            return fnmatchcase(account.name, selector.value)
        case "label":
            name, _, value = selector.value.partition("=")
            return account.labels.get(name) == value
        case "path":
            return fnmatchcase(account.source.file, selector.value)
        case _:
            return selector == ACCOUNTS


def _name(rule: Rule, check: Naming, about: Address | str, name: str) -> Iterator[Breach]:
    if not matcher(check.pattern)(name):
        path = tuple(check.field.split("."))
        yield _breach(rule, about, path, f'the name "{name}" is not of the form {check.pattern}')


def _labels(rule: Rule, check: RequiredLabels, about: Address | str, labels: Mapping[str, str]) -> Iterator[Breach]:
    for label, allowed in sorted(check.labels.items()):
        value = labels.get(label)
        path = ("metadata", "labels", label)
        if value is None:
            yield _breach(rule, about, path, f'the label "{label}" is missing')
        elif allowed and value not in allowed:
            one_of = ", ".join(sorted(allowed))
            yield _breach(rule, about, path, f'the label "{label}" is "{value}", and has to be one of: {one_of}')


def _breach(rule: Rule, about: Address | str, path: tuple[str, ...], fact: str) -> Breach:
    return Breach(about=about, path=path, found=rule.finding(fact, address=str(about)))


def refusals_of_changes(active: Policies, changes: Sequence[Change], desired: Desired) -> tuple[Diagnostic, ...]:
    """What the rules about changes say of a plan, each at the manifest or, where there is none, at the rule."""
    found: list[Diagnostic] = []
    for rule in active.rules:
        covered = [c for c in changes if _covers(rule.scope, c, desired)]
        match rule.check:
            case ForbiddenActions(actions=actions):
                for change in covered:
                    if classes := actions & change.approvals:
                        found.append(_forbidden(rule, classes, str(change.address), change.source))
            case MaxReach(people=limit):
                if (reach := people_reached(covered)) > limit:
                    found.append(_too_many(rule, reach, limit))
            case _:
                pass
    return tuple(found)


def refusals_of_dial(active: Policies, campaign: Resource, people: int) -> tuple[Diagnostic, ...]:
    """What the rules about changes say of sending one campaign now: it contacts ``people``."""
    found: list[Diagnostic] = []
    for rule in active.rules:
        if not rule.scope.covers(campaign.address, campaign):
            continue
        match rule.check:
            case ForbiddenActions(actions=actions) if Approval.CONTACT in actions:
                found.append(_forbidden(rule, {Approval.CONTACT}, str(campaign.address), campaign.source))
            case MaxReach(people=limit) if people > limit:
                found.append(_too_many(rule, people, limit))
            case _:
                pass
    return tuple(found)


def feeding(desired: Desired, campaign: Address) -> tuple[Resource, ...]:
    """A campaign with what is declared of whom it contacts: its links, their lists, and who is on them, sorted."""
    links = [r for r in desired.resources.values() if r.link is not None and r.link.campaign == Declared(campaign)]
    fed = {Declared(campaign), *(r.link.list for r in links if r.link is not None)}
    declared = (r for a, r in sorted(desired.resources.items()) if r not in links)
    about = [r for r in declared if Declared(r.address) in fed or (r.members is not None and r.members.of in fed)]
    return tuple(sorted((*links, *about), key=lambda r: r.address))


def refusals_of_call(active: Policies, account: Account, classes: frozenset[Approval]) -> tuple[Diagnostic, ...]:
    """What they say of an operation that is sent as it is. It can be about anything in its account, so every rule that
    is about something in there counts; how many it reaches is not known, so no rule about that does."""
    found: list[Diagnostic] = []
    for rule in active.rules:
        select = rule.scope.select
        forbidden = rule.check.actions & classes if isinstance(rule.check, ForbiddenActions) else frozenset()
        if forbidden and (not select or any(_within(s, account) for s in select)):
            found.append(_forbidden(rule, forbidden, account.name, rule.source))
    return tuple(found)


def _within(selector: Selector, account: Account) -> bool:
    """Whether a selector can mean something in an account."""
    match selector.prefix:
        case "account":
            return fnmatchcase(account.name, selector.value)
        case "address":
            return fnmatchcase(account.name, selector.value.partition("/")[0])
        case _:
            return True


def _forbidden(rule: Rule, classes: Collection[Approval], address: str, source: Span | None) -> Diagnostic:
    return rule.finding(f"{' and '.join(sorted(classes))} is forbidden", address=address, source=source or rule.source)


def _too_many(rule: Rule, reach: int, limit: int) -> Diagnostic:
    return rule.finding(f"{reach} people could newly be contacted, more than {limit}", source=rule.source)


def _covers(scope: Selection, change: Change, desired: Desired) -> bool:
    """Whether a change is within a rule. What no manifest declares any more may have had any label and stood in any
    file: it counts as meant, since the other way a label would protect nothing from being deleted."""
    resource = desired.resources.get(change.address) or change.desired
    if resource is not None:
        return scope.covers(change.address, resource)
    unknown = any(s.prefix in ("label", "path") for s in scope.select)
    wanted = not scope.select or unknown or any(s.matches(change.address, None) for s in scope.select)
    return wanted and not any(s.matches(change.address, None) for s in scope.exclude)


@lru_cache(maxsize=256)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a whole text fits ``pattern``. Raises ValueError for what is no pattern, or none that can be matched in
    one pass: no look-around, no back-references, and nothing that would fill the memory."""
    import jsonschema_rs  # the engine that the schemas are checked with; this one of its two never goes back

    def compiled(whole: str) -> Callable[[str], bool]:
        options = jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES)
        return jsonschema_rs.Draft202012Validator({"pattern": whole}, pattern_options=options).is_valid

    # By itself first: `a)|(b` is a pattern only between our brackets.
    compiled(pattern)
    return compiled(f"^(?:{pattern})$")
