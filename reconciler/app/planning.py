"""Making a plan: load the manifests, read the accounts, compare. And telling whether a saved one is still the same."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler import __version__
from reconciler.app import clock
from reconciler.app.loading import Request, check_selectors, loaded, required, selection_of
from reconciler.app.policies import Judging
from reconciler.app.refreshing import Reading
from reconciler.app.speeds import speeds
from reconciler.diagnostics import Diagnostic
from reconciler.errors import CredentialsRefused, Exit, StalePlan, StoreError, UsageError
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.desired import Desired, Project
from reconciler.model.inventory import Inventory
from reconciler.model.live import AccountLive, Live
from reconciler.model.resources import Account
from reconciler.plan.allows import Allow, Allows
from reconciler.plan.binding import bind
from reconciler.plan.changes import Plan
from reconciler.plan.codec import encode
from reconciler.plan.counted import concerned, countable
from reconciler.plan.digest import digest as digest_of
from reconciler.plan.digest import fingerprint, matches
from reconciler.plan.estimate import Speed, seconds
from reconciler.plan.planner import OTHER_ACCOUNT, PlanOptions, in_scope
from reconciler.plan.planner import plan as make_plan
from reconciler.plan.quiet import Quiet
from reconciler.plan.reached import unread_lists
from reconciler.plan.rules import Rules
from reconciler.plan.saved import (
    DEFAULT_TTL,
    Inputs,
    SavedPlan,
    check_life,
    check_seal,
    differences,
    expiry,
    salt,
    stamp,
)
from reconciler.plan.selection import Refresh, Selection
from reconciler.providers.base import Provider, Scope
from reconciler.providers.credentials import secret
from reconciler.providers.reading import Sessions, connected, read_members
from reconciler.providers.registry import get as get_provider
from reconciler.store import DEFAULT_URL, Known, known_at

if TYPE_CHECKING:
    from reconciler.store import Store

TOOL = f"reconciler {__version__}"


class Planned(Struct, frozen=True, kw_only=True):
    """A plan with everything it was made from, so that an apply can go on from it."""

    plan: Plan
    desired: Desired
    live: Live
    inventory: Inventory
    allows: Allows
    request: Request
    rules: Mapping[str, Rules]
    speeds: Mapping[str, Speed] = field(default_factory=dict)
    """How fast each account goes that was read."""

    @property
    def exit_code(self) -> Exit:
        """What keeps this plan from being applied, the first that fails; OK when nothing does."""
        codes = {a.exit_code for a in self.plan.accounts if a.problem is not None}
        for code in (Exit.CREDENTIALS, Exit.UNREACHABLE):
            if code in codes:
                return code
        if any(d.code == OTHER_ACCOUNT for d in self.plan.blocking):
            return Exit.STALE
        return Exit.INVALID if self.plan.blocking else Exit.OK

    @property
    def fingerprint(self) -> bytes:
        read = (a.name for a in self.plan.accounts)
        accounts = [self.desired.accounts[name] for name in read]
        return fingerprint(self.plan, tool=TOOL, allows=self.allows, accounts=accounts)

    @property
    def quiet(self) -> Quiet:
        """The quiet hours that hold for this plan."""
        declared = any(self.desired.quiet_hours(name) is not None for name in self.desired.accounts)
        return Quiet(self.plan, self.desired, self.live, bound_ids(self) if declared else {}, self.rules)

    def document(self, *, digest: str = "", created: datetime | None = None, **options: Any) -> dict[str, Any]:
        """The plan's JSON document; ``options`` are those of ``codec.encode``."""
        ends = stamp(expiry(digest)) if digest else ""
        quiet, now = self.quiet, clock.now()
        waits = [*(quiet.all_waiting(now) if quiet.declared else ()), *quiet.all_frozen(now)]
        estimate = seconds(self.plan, self.speeds)
        return encode(
            self.plan,
            tool=TOOL,
            digest=digest,
            created_at=stamp(created) if created else "",
            expires_at=ends,
            waits=waits if waits or quiet.declared else None,
            estimate_s=estimate,
            **options,
        )


def allows_of(inputs: Inputs) -> Allows:
    """``--allow``. Raises UsageError."""
    try:
        return Allows(tuple(map(Allow.parse, inputs.allow)))
    except ValueError as problem:
        raise UsageError(f"--allow {problem}") from None


def _check_selectors(selection: Selection, desired: Desired, request: Request) -> None:
    """The same, where what we own counts as well as what is declared."""
    if selection.everything:
        return
    with known_for(desired, request) as store:
        owned = store.inventory(members=False).owned
    check_selectors(selection, desired, owned)


def store_for(desired: Desired, request: Request, *, create: bool) -> Store:
    """The project's store. Without ``create`` nothing is made or written."""
    from reconciler.store import open_store  # with SQLAlchemy, which a plan goes without

    return open_store(
        _url(desired.project, request),
        namespace=_namespace(desired.project),
        create=create,
        root=Path(desired.project.root),
    )


def known_for(desired: Desired, request: Request) -> Known:
    """What the project's store knows to be owned; nothing is made or written."""
    project = desired.project
    return known_at(_url(project, request), namespace=_namespace(project), root=Path(project.root))


def _url(project: Project, request: Request) -> str:
    return request.store or project.store or _store_elsewhere(project) or DEFAULT_URL


def _namespace(project: Project) -> str:
    return f"{project.name}/{project.environment}"


def _store_elsewhere(project: Project) -> str:
    """The store's URL where the Project document only says where it is; never the default store in its stead."""
    if project.store_from is None:
        return ""
    try:
        return secret("project", "store", project.store_from).reveal()
    except CredentialsRefused as missing:
        raise StoreError(f"the store's URL is missing: {missing.message}", hint="set it, or pass --store URL") from None


class Workspace(Struct):
    """One loaded project with its providers and what of it is in scope, ready to be read and planned."""

    request: Request
    desired: Desired
    notes: tuple[Diagnostic, ...]
    selection: Selection
    allows: Allows
    judging: Judging = Judging()
    accounts: Mapping[str, Account] = field(default_factory=dict)
    revise: Callable[[Desired, Live], Desired] = lambda desired, live: desired
    """The last word on what is desired, once it is known what is live."""
    providers: Mapping[str, Provider] = field(default_factory=dict)

    @classmethod
    def of(cls, request: Request) -> Workspace:
        """Raises InvalidManifests and UsageError."""
        selection, allows = selection_of(request.inputs), allows_of(request.inputs)
        found = loaded(request)
        desired = required(found)
        _check_selectors(selection, desired, request)
        names = {a.provider for a in desired.accounts.values()}
        return cls(
            request=request,
            desired=desired,
            notes=found.diagnostics,
            selection=selection,
            allows=allows,
            judging=Judging.of(found),
            providers={name: get_provider(name) for name in sorted(names)},
        )

    @asynccontextmanager
    async def connected(self, accounts: Mapping[str, Account], *, read_only: bool) -> AsyncIterator[Sessions]:
        """Sessions for these accounts. Raises RefusedByPolicy for one that no request may be sent to."""
        self.judging.check_accounts(accounts, self.desired.project.environment)
        request = self.request
        async with connected(
            accounts,
            self.providers,
            read_only=read_only,
            concurrency=request.parallelism,
            progress=request.progress,
        ) as sessions:
            yield sessions

    def scoped(self, inventory: Inventory) -> Mapping[str, Account]:
        """The accounts that this run is about."""
        return {n: self.desired.accounts[n] for n in in_scope(self.desired, inventory, self.selection)}

    @property
    def rules(self) -> Mapping[str, Rules]:
        """By provider name."""
        return {name: provider.rules for name, provider in self.providers.items()}

    def reading(
        self, inventory: Inventory, sessions: Sessions, accounts: Mapping[str, Account], *, whole: bool = False
    ) -> Reading:
        """How these accounts are read; ``whole`` whatever ``--refresh`` says."""
        scope = Scope(desired=self.desired, inventory=inventory)
        if self.request.inputs.refresh is Refresh.COUNTS and not whole:
            scope = replace(scope, taken=countable(self.desired, inventory, accounts, self.rules))
        return Reading(accounts=accounts, sessions=sessions, scope=scope)

    async def planned(
        self, inventory: Inventory, sessions: Sessions, accounts: Mapping[str, Account], *, whole: bool = False
    ) -> Planned:
        """Read the accounts and plan. An account that cannot be read is in the plan as a problem. ``whole``: no list is
        only counted."""
        reading, rules = self.reading(inventory, sessions, accounts, whole=whole), self.rules
        options = PlanOptions(
            selection=self.selection, allows=self.allows, refresh=self.request.inputs.refresh, notes=self.notes
        )
        live = await reading.live()
        while True:
            desired = self.revise(self.desired, live)
            made = make_plan(desired, live, inventory, rules, options)
            if not (lists := concerned(made.changes, live)):
                break
            live = await reading.again(live, lists)
        if lists := unread_lists(made):
            # Whom it would start to contact is read now, so that only plans that do so pay for it.
            live = await read_members(accounts, sessions, live, lists)
            made = make_plan(desired, live, inventory, rules, options)
        return Planned(
            plan=await self.judging.judged(made, desired, self.selection, accounts, tool=TOOL),
            desired=desired,
            live=live,
            inventory=inventory,
            allows=self.allows,
            request=self.request,
            rules=rules,
            speeds=speeds(accounts, self.providers, live, self.request.parallelism),
        )


async def plan(request: Request, workspace: Workspace | None = None) -> Planned:
    """A plan, read-only from end to end: no write leaves and the store is not touched."""
    workspace = workspace or Workspace.of(request)
    with known_for(workspace.desired, request) as store:
        inventory = store.inventory()
    accounts = workspace.scoped(inventory)
    async with workspace.connected(accounts, read_only=True) as sessions:
        return await workspace.planned(inventory, sessions, accounts)


def sealed(planned: Planned, *, ttl: timedelta = DEFAULT_TTL, now: datetime | None = None) -> str:
    """A digest for ``planned`` that lives for ``ttl``."""
    ends = (now or datetime.now(UTC)) + ttl
    return digest_of(planned.fingerprint, salt(ends, secrets.token_bytes(16)))


def check_saved(planned: Planned, saved: SavedPlan, store: Store) -> None:
    """Raises StalePlan unless ``planned``, made just now, is the plan that was saved."""
    _check_project(planned, saved)
    check_life(saved.digest, datetime.now(UTC))
    _check_unused(saved.digest, store)
    fresh = planned.document()
    if planned.exit_code is Exit.INVALID or not _same(planned, saved.digest):
        changed = differences(saved, fresh)
        where = f": {', '.join(changed[:5])}" if changed else ""
        raise StalePlan(
            f"the plan is stale: manifests, live state or tool changed since it was made{where}",
            hint="make a new plan and have it reviewed",
        )
    check_seal(saved, planned.fingerprint)


def check_expected(planned: Planned, expected: str, store: Store) -> None:
    """Raises StalePlan unless ``planned`` has the digest ``expected``."""
    check_life(expected, datetime.now(UTC))
    _check_unused(expected, store)
    if planned.exit_code is Exit.INVALID or not _same(planned, expected):
        raise StalePlan(
            "this is not the plan that was approved: manifests, live state, flags or tool changed since",
            hint="make a new plan and have it reviewed",
        )


def _same(planned: Planned, digest: str) -> bool:
    """Raises StalePlan for what is no digest of this version."""
    try:
        return matches(planned.fingerprint, digest)
    except ValueError as problem:
        raise StalePlan(str(problem), hint="copy the digest whole from the plan, or make a new plan") from None


def _check_project(planned: Planned, saved: SavedPlan) -> None:
    here = (planned.plan.project, planned.plan.environment)
    there = (saved.document.get("project"), saved.document.get("environment"))
    if here != there:
        raise StalePlan(
            f"the plan is for project {there[0]!r} environment {there[1]!r}, this is {here[0]!r} {here[1]!r}",
            hint="apply it where it was made",
        )
    identities = {a.name: a.identity for a in planned.plan.accounts if a.problem is None}
    for account in saved.document.get("accounts", ()):
        now = identities.get(account["name"])
        if now is not None and account["identity"] and now != account["identity"]:
            raise StalePlan(
                f"the plan is for another account: {account['name']} was {account['identity']} and is {now}",
                hint="check the credentials and ids of the account",
            )


def _check_unused(digest: str, store: Store) -> None:
    if store.plan_used(digest):
        raise StalePlan("this plan was applied already; a plan can be used once", hint="make a new plan")


def merged(request: Request, saved: SavedPlan) -> Request:
    """The request that makes a saved plan again.

    Variables may be given once more, because numbers among them are masked in the file. Hosts must be: a file that
    somebody can edit is no reason to send credentials anywhere. Raises UsageError for flags that would make another
    plan, and StalePlan for another environment.
    """
    now, then = request.inputs, saved.inputs
    for flag, given in (("--select", now.select), ("--exclude", now.exclude), ("--allow", now.allow)):
        if given:
            raise UsageError(
                f"{flag} goes without a plan file: the file has its own", hint="make the plan again with it"
            )
    if now.refresh is not then.refresh and now.refresh is not Refresh.FULL:
        raise UsageError("--refresh goes without a plan file: the file has its own", hint="make the plan again with it")
    if now.environment and now.environment != then.environment:
        raise StalePlan(
            f"the plan is for environment {then.environment!r}, not {now.environment!r}", hint="make a new plan"
        )
    inputs = replace(
        then,
        variables=then.variables + now.variables,
        values=then.values + now.values,
        allow_hosts=now.allow_hosts,
    )
    return replace(request, inputs=inputs)


def bound_ids(planned: Planned) -> dict[Address, RemoteId]:
    """The remote ids of everything declared that is live, in every account that was read."""
    ids: dict[Address, RemoteId] = {}
    for name, state in planned.live.accounts.items():
        if isinstance(state, AccountLive):
            found = bind(planned.desired, planned.inventory, name, state.objects)
            ids.update({a: o.remote_id for a, o in found.bound.items()})
    return ids
