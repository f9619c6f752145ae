"""Account documents to ``Account`` values, and where an account's requests may go.

A manifest that points an account at another host would send that host the account's token, at plan time already. So a
foreign host must have been allowed by whoever runs the tool, not by whoever wrote the manifest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from reconciler.diagnostics import Span
from reconciler.manifest.complaints import closest
from reconciler.manifest.entries import Entry
from reconciler.manifest.findings import Findings
from reconciler.manifest.hours import quiet_hours
from reconciler.manifest.schemas import KindSchema
from reconciler.manifest.values import (
    credential,
    guard_limits,
    host_allowed,
    is_loopback,
    origin,
    path_problem,
    seconds,
    split_url,
)
from reconciler.model.resources import Account, Limits, Settle
from reconciler.providers.base import Provider

_SHARED = frozenset({"auth", "baseUrl", "limits", "settle", "guards", "quietHours"})
_ADDRESSES = ("baseUrl", "authUrl")


class Accounts(Struct):
    """The declared accounts. ``entries`` has every name, also of accounts that could not be built."""

    entries: dict[str, Entry] = field(default_factory=dict)
    built: dict[str, Account] = field(default_factory=dict)

    def of(self, findings: Findings, entry: Entry) -> str:
        """The name of the account that a resource belongs to; empty, and reported, when there is none."""
        document, name, provider = entry.document, entry.account, entry.provider
        if name:
            found = self.entries.get(name)
            if found is None:
                hint = closest(name, self.entries) or "declare an Account of that name"
                message = f'no manifest declares the account "{name}"'
                findings.at(document, ("metadata", "account"), "unknown-account", message, hint=hint)
            elif found.provider != provider:
                message = f'the account "{name}" is one of {found.provider}, not of {provider}'
                hint = f"it is declared at {findings.span(found.document, ('kind',))}"
                findings.at(document, ("metadata", "account"), "wrong-provider", message, hint=hint)
            else:
                return name
            return ""
        known = [n for n, e in self.entries.items() if e.provider == provider]
        if len(known) == 1:
            return known[0]
        if known:
            message = f"there are {len(known)} accounts of {provider}: say which one this belongs to"
            hint = f"add metadata.account: {' or '.join(sorted(known))}"
            findings.at(document, ("metadata",), "ambiguous-account", message, hint=hint, at="key")
        else:
            message = f"no manifest declares an account of {provider}"
            findings.at(document, ("apiVersion",), "unknown-account", message, hint=f"add an Account of {provider}/v1")
        return ""


class Rules(Struct, frozen=True, kw_only=True):
    """What accounts are built by. ``guards`` are the project's, weakest first; ``root`` is a real path."""

    root: Path
    guards: Sequence[Mapping[str, Any]]
    allowed_hosts: frozenset[str]
    providers: Mapping[str, Provider]


def build_accounts(findings: Findings, entries: Sequence[Entry], rules: Rules) -> Accounts:
    """Every account that is declared once."""
    accounts = Accounts()
    for entry in entries:
        name = entry.name
        if not name:
            continue
        if (first := accounts.entries.get(name)) is not None:
            message = f'there is a second account "{name}"'
            hint = f"the first is at {findings.span(first.document, ('metadata', 'name'))}"
            findings.at(entry.document, ("metadata", "name"), "duplicate-address", message, hint=hint)
            continue
        accounts.entries[name] = entry
        if entry.sound and (account := _account(findings, entry, rules)) is not None:
            accounts.built[name] = account
    return accounts


def _account(findings: Findings, entry: Entry, rules: Rules) -> Account | None:
    spec, document = entry.spec, entry.document
    folder = Path(document.source.path).parent
    before = findings.failures
    for key in _ADDRESSES:
        if key in spec:
            _check_address(findings, entry, key, rules)
    for key, value in spec["auth"].items():
        if isinstance(value, dict) and "file" in value and (why := path_problem(value["file"], folder, rules.root)):
            hint = "put the file into the project, out of Git, or use {env: NAME}"
            findings.at(document, ("spec", "auth", key, "file"), "path-outside-project", why, hint=hint)
    if findings.failures != before:
        return None
    return Account(
        name=entry.name,
        provider=entry.provider,
        auth={key: credential(value, folder) for key, value in spec["auth"].items()},
        source=Span(file=document.source.name, line=document.line, column=document.column),
        base_url=spec.get("baseUrl", ""),
        settings=_settings(entry.schema, spec),
        limits=_limits(spec.get("limits", {})),
        settle=Settle(**{f"{key}_s": seconds(value) for key, value in spec.get("settle", {}).items()}),
        guards=guard_limits(*rules.guards, spec.get("guards", {})),
        quiet_hours=quiet_hours(findings, document, ("spec", "quietHours"), spec.get("quietHours")),
        labels=entry.data["metadata"].get("labels", {}),
    )


def _settings(schema: KindSchema, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The provider's own keys: ids as text, durations in seconds."""
    found = {}
    for key, value in spec.items():
        if key in _SHARED:
            continue
        found[key] = str(value) if key in schema.ids else seconds(value) if key in schema.durations else value
    return found


def _limits(given: Mapping[str, Any]) -> Limits:
    return Limits(
        requests_per_second=given.get("requestsPerSecond"),
        reads_per_minute=given.get("readsPerMinute"),
        writes_per_minute=given.get("writesPerMinute"),
        concurrency=int(given["concurrency"]) if "concurrency" in given else None,
        timeout_s=seconds(given["timeout"]) if "timeout" in given else None,
    )


def _check_address(findings: Findings, entry: Entry, key: str, rules: Rules) -> None:
    text, place = entry.spec[key], ("spec", key)
    if "@" in text.partition("://")[2].partition("/")[0]:
        message = f"{key} has credentials in it"
        hint = "take them out; if they were ever committed, replace them at the provider"
        findings.at(entry.document, place, "url-credentials", message, hint=hint)
        return
    url = split_url(text)
    if url is None:
        message = f"{key} is not a plain address of a host and a path"
        findings.at(entry.document, place, "bad-url", message, hint="such as https://api.example.com/v1")
        return
    host, port = origin(url)
    if is_loopback(host):
        return
    if url.scheme != "https":
        message = f"{key} would send the credentials unencrypted"
        findings.at(entry.document, place, "insecure-url", message, hint="use https; http is for loopback only")
        return
    own = {origin(own) for own in map(split_url, _own_addresses(entry, key, rules.providers)) if own is not None}
    if (host, port) not in own and not host_allowed(url, rules.allowed_hosts):
        shown = host if port == 443 else f"{host}:{port}"
        message = f"{key} would send this account's credentials to {shown}, which is not the provider's own host"
        hint = f"if that is meant, run with --allow-host {shown}"
        findings.at(entry.document, place, "host-not-allowed", message, hint=hint)


def _own_addresses(entry: Entry, key: str, providers: Mapping[str, Provider]) -> list[str]:
    default = entry.schema.node(("spec", key)).get("default")
    found = [default] if isinstance(default, str) else []
    if key == "baseUrl" and (provider := providers.get(entry.provider)) is not None:
        found += [provider.defaults.base_url, *provider.defaults.other_urls]
    return found
