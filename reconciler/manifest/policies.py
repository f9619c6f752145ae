"""Policy documents to values, and what they say of the other documents, put at its place in there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from glob import escape
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Severity, Span, in_order, warning
from reconciler.manifest.accounts import Accounts
from reconciler.manifest.codes import CODES
from reconciler.manifest.complaints import closest
from reconciler.manifest.documents import Path
from reconciler.manifest.entries import Entry
from reconciler.manifest.findings import LISTED_IN_FILE, Findings
from reconciler.manifest.resources import Built, unique
from reconciler.manifest.variables import varies
from reconciler.model.addresses import Address, Kind
from reconciler.model.desired import Desired
from reconciler.model.resources import Account
from reconciler.plan.changes import Approval
from reconciler.plan.codes import CODES as PLAN_CODES
from reconciler.plan.policy import (
    ACCOUNTS,
    Check,
    ForbiddenActions,
    ForbiddenHosts,
    ForbiddenKinds,
    ForbiddenProviders,
    MaxReach,
    Naming,
    PlugIn,
    Policies,
    RequiredLabels,
    Rule,
    breaches,
    matcher,
    selects,
)
from reconciler.plan.selection import Selection, Selector
from reconciler.providers.base import BringsCodes, Located, Provider
from reconciler.providers.pace import base_url


def build_policies(
    findings: Findings,
    entries: list[Entry],
    environments: Collection[str] | None,
    providers: Mapping[str, Provider],
    home: str = ".",
) -> Policies:
    """Every rule that can be used. ``environments`` are those of the Project, None where it could not be read. ``home``
    is how files call the project's folder: a rule means the same ones wherever a command is run."""
    brought = (p.codes for p in providers.values() if isinstance(p, BringsCodes))
    taken = frozenset({*CODES, *PLAN_CODES}.union(*brought))
    seen: dict[str, Entry] = {}
    rules: list[Rule] = []
    plugins: list[PlugIn] = []
    for entry in entries:
        if not unique(findings, entry, seen):
            continue
        seen[entry.name] = entry
        if not entry.sound or not _constant(findings, entry):
            continue
        for i, given in enumerate(entry.spec.get("rules", ())):
            reading = _Reading(findings, entry, ("spec", "rules", i), environments, home)
            if (rule := reading.rule(given, taken)) is not None:
                rules.append(rule)
        for i, given in enumerate(entry.spec.get("plugins", ())):
            plugins.append(_Reading(findings, entry, ("spec", "plugins", i), environments).plugin(given))
    return Policies(rules=tuple(rules), plugins=tuple(plugins))


def _constant(findings: Findings, entry: Entry) -> bool:
    """Whether a policy says the same to everybody: a variable could be set by whoever is to be kept from something."""
    before = findings.failures
    for path, text in _texts(entry.spec, ("spec",)):
        if varies(text):
            message, hint = "a policy cannot have variables in it", "write the value out; rules can have environments"
            findings.at(entry.document, path, "bad-variable", message, hint=hint)
    return findings.failures == before


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for key, inner in value.items():
                yield from _texts(inner, (*path, key))
        case list():
            for i, inner in enumerate(value):
                yield from _texts(inner, (*path, i))
        case _:
            pass


class _Reading:
    """One rule, or one plug-in, of a document that fits its schema."""

    def __init__(
        self, findings: Findings, entry: Entry, path: Path, environments: Collection[str] | None, home: str = "."
    ) -> None:
        self._findings, self._entry, self._path = findings, entry, path
        self._environments = environments
        self._home = home

    def rule(self, given: Mapping[str, Any], taken: frozenset[str]) -> Rule | None:
        before = self._findings.failures
        if given["code"] in taken:
            message = f"{given['code']} is a code of reconciler's own"
            self._wrong(("code",), "policy-code-taken", message, hint="begin it with the name of your house")
        check = self._check(given)
        scope = Selection(
            select=self._selectors(given, "select", check), exclude=self._selectors(given, "exclude", check)
        )
        environments = self._known(given)
        if self._findings.failures != before:
            return None
        return Rule(
            policy=self._entry.name,
            code=given["code"],
            check=check,
            severity=Severity(given.get("severity", Severity.ERROR)),
            source=self._findings.span(self._entry.document, (*self._path, "code")),
            message=given.get("message", ""),
            hint=given.get("hint", ""),
            scope=scope,
            environments=environments,
        )

    def plugin(self, given: Mapping[str, Any]) -> PlugIn:
        return PlugIn(
            policy=self._entry.name,
            use=given["use"],
            source=self._findings.span(self._entry.document, (*self._path, "use")),
            options=given.get("options", {}),
            environments=self._known(given),
        )

    def _check(self, given: Mapping[str, Any]) -> Check:
        match given:
            case {"naming": naming}:
                self._pattern(naming["pattern"])
                return Naming(**naming)
            case {"requiredLabels": labels}:
                return RequiredLabels(labels={label: frozenset(values) for label, values in labels.items()})
            case {"forbid": {"providers": names}}:
                return ForbiddenProviders(providers=frozenset(names))
            case {"forbid": {"hosts": globs}}:
                return ForbiddenHosts(hosts=frozenset(glob.lower() for glob in globs))
            case {"forbid": {"kinds": names}}:
                return ForbiddenKinds(kinds=frozenset(map(Kind, names)))
            case {"forbid": {"actions": names}}:
                return ForbiddenActions(actions=frozenset(map(Approval, names)))
            case _:
                return MaxReach(people=int(given["maxReach"]))

    def _pattern(self, pattern: str) -> None:
        try:
            matcher(pattern)
        except ValueError:
            message = "this is no pattern that a name can be matched with in one pass"
            hint = "a regular expression without look-around and back-references"
            self._wrong(("naming", "pattern"), "bad-format", message, hint=hint)

    def _selectors(self, given: Mapping[str, Any], key: str, check: Check) -> tuple[Selector, ...]:
        found = []
        for i, text in enumerate(given.get(key, ())):
            try:
                selector = ACCOUNTS if text == str(ACCOUNTS) else Selector.parse(text)
            except ValueError as problem:
                self._wrong((key, i), "bad-format", str(problem))
                continue
            accounts_only = isinstance(check, ForbiddenProviders | ForbiddenHosts)
            if accounts_only and selector != ACCOUNTS and selector.prefix in ("kind", "address"):
                message = "this rule is about accounts, and the selector about resources"
                hint = "use account:, label:, path: or kind:Account"
                self._wrong((key, i), "bad-combination", message, hint=hint)
            if selector.prefix == "path" and self._home != ".":
                selector = Selector(selector.prefix, f"{escape(self._home)}/{selector.value}")
            found.append(selector)
        return tuple(found)

    def _known(self, given: Mapping[str, Any]) -> frozenset[str]:
        """The environments of a rule. One that nobody declares would be a rule that never holds."""
        names: list[str] = given.get("environments", [])
        for i, name in enumerate(names):
            if self._environments is not None and name not in self._environments:
                hint = closest(name, self._environments) or "a rule for it would never hold; declare it in the Project"
                self._wrong(("environments", i), "unknown-environment", f'there is no environment "{name}"', hint=hint)
        return frozenset(names)

    def _wrong(self, path: Path, code: str, message: str, *, hint: str = "") -> None:
        self._findings.at(self._entry.document, (*self._path, *path), code, message, hint=hint)


def judged(
    findings: Findings,
    policies: Policies,
    desired: Desired,
    built: Built,
    accounts: Accounts,
    providers: Mapping[str, Provider],
) -> tuple[Diagnostic, ...]:
    """What the policies say of the manifests, each at the place that is wrong. None of it is collected in ``findings``:
    the manifests can be used. And none is only counted, however many there are: whoever leaves those that are listed
    out of a plan must not get past the others."""
    hosts = {a.name: _hosts(a, providers.get(a.provider)) for a in desired.accounts.values()}
    said: list[Diagnostic] = []
    for breach in breaches(policies.within(desired.project.environment), desired, hosts):
        about = breach.about
        document = (built.entries[about] if isinstance(about, Address) else accounts.entries[about]).document
        found = breach.found
        if len(said) < LISTED_IN_FILE:
            found = findings.with_line(document, replace(found, source=findings.span(document, breach.path)))
        else:  # finding the very place means parsing the document once more
            found = replace(found, source=Span(file=document.source.name, line=document.line, column=document.column))
        said.append(replace(found, message=findings.shown(found.message), hint=findings.shown(found.hint)))
    return in_order(said)


def idle_selectors(findings: Findings, policies: Policies, desired: Desired) -> None:
    """A warning for each selector of a rule that means nothing that is declared: a word of it may be wrong, and then
    the rule guards nothing. That a kind is not declared says nothing, since there is no other word for it."""
    for rule in policies.within(desired.project.environment).rules:
        for selector in (*rule.scope.select, *rule.scope.exclude):
            if selector.prefix != "kind" and not selects(selector, desired):
                message = f"the rule {rule.code} selects {selector}, which nothing that is declared fits"
                findings.add([warning("policy-selects-nothing", message, source=rule.source)])


def _hosts(account: Account, provider: Provider | None) -> dict[str, str]:
    """Where an account's requests go, by the field that says so or would."""
    urls = {"baseUrl": account.base_url, "authUrl": str(account.settings.get("authUrl", ""))}
    if provider is not None:
        api = provider.location(account) if isinstance(provider, Located) else base_url(account, provider.defaults)
        urls["baseUrl"] = api
    return {key: host for key, url in urls.items() if (host := (urlsplit(url).hostname or "").lower())}
