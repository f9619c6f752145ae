"""Import: read an account whole, write what nobody declares yet as manifests, and own what they stand for if asked to.

Nothing is ever written to the provider: the sessions are read-only. What was written is loaded and planned again, from
what was read before, and taken back when it cannot be loaded.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler import __version__
from reconciler.app.import_files import Folder, WouldOverwrite, written
from reconciler.app.leasing import leased
from reconciler.app.loading import InvalidManifests, Request
from reconciler.app.owning import whole
from reconciler.app.planning import Workspace, store_for
from reconciler.app.recovering import settle_leftovers
from reconciler.app.running import RunLedger, counts_of
from reconciler.apply.control import FREEZE_VARIABLE, Control
from reconciler.apply.ownership import confirmed
from reconciler.diagnostics import Diagnostic, warning
from reconciler.errors import Exit, InvalidInput, UsageError
from reconciler.manifest.drafts.deciding import decide, only_adopts
from reconciler.manifest.drafts.draft import Drafts
from reconciler.manifest.drafts.revising import Revision, revise
from reconciler.manifest.drafts.scene import Scene
from reconciler.manifest.files import shown_name
from reconciler.model.addresses import Address
from reconciler.model.desired import Desired
from reconciler.model.inventory import Inventory, Owned
from reconciler.model.live import AccountLive, Live
from reconciler.model.resources import Account, Resource
from reconciler.plan.binding import ownership
from reconciler.plan.changes import Change, Plan, action
from reconciler.plan.codec import diagnostic as diagnostic_document
from reconciler.plan.planner import OTHER_ACCOUNT, PlanOptions, account_problems
from reconciler.plan.planner import plan as make_plan
from reconciler.providers.base import Scope
from reconciler.providers.reading import Sessions, read
from reconciler.report import Outcome
from reconciler.store import Store


class ImportOptions(Struct, frozen=True, kw_only=True):
    """What an import needs besides the request. ``out`` empty: ``manifests/ACCOUNT`` in the project."""

    account: str
    out: str = ""
    update: bool = False
    adopt: bool = False

    @property
    def folder(self) -> Path:
        """Where the manifests go, absolute or seen from the project's folder."""
        return Path.cwd() / self.out if self.out else Path("manifests") / self.account


class ImportedFile(Struct, frozen=True, kw_only=True):
    """One file that was written, and how many manifests or people in it are new or others now."""

    path: str
    created: bool
    count: int


class Imported(Struct, frozen=True, kw_only=True):
    """What an import did. ``left`` are the changes that a plan still holds, besides the ``adoptable`` ones."""

    account: str
    files: tuple[ImportedFile, ...]
    declared: tuple[Address, ...]
    adoptable: tuple[Address, ...]
    adopted: tuple[Address, ...]
    left: tuple[Change, ...]
    diagnostics: tuple[Diagnostic, ...]

    def document(self, *, show_pii: bool = False) -> dict[str, Any]:
        """The JSON document."""
        return {
            "formatVersion": "1",
            "account": self.account,
            "files": [{"path": f.path, "action": _word(f), "count": f.count} for f in self.files],
            "declared": [str(a) for a in self.declared],
            "adopted": [str(a) for a in self.adopted],
            "plan": {
                "adopt": [str(a) for a in self.adoptable if a not in self.adopted],
                "others": [{"address": str(c.address), "action": action(c)} for c in self.left],
            },
            "diagnostics": [diagnostic_document(d, show_pii) for d in self.diagnostics],
        }


def _word(file: ImportedFile) -> str:
    return "create" if file.created else "update"


async def import_account(request: Request, options: ImportOptions) -> Imported:
    """Import one account.

    Raises UsageError for an account that is not declared and a folder that cannot be used, WouldOverwrite,
    InvalidManifests and InvalidInput: no file was touched then. Raises ProviderError, LeaseHeld and StoreError too.
    """
    workspace = Workspace.of(replace(request, coming=options.folder))
    account = _declared(workspace.desired, options.account)
    root = Path(workspace.desired.project.root)
    folder = Folder.at(Path(options.out) if options.out else root / options.folder, root, Path.cwd())
    if not options.update and (there := folder.present()):
        raise WouldOverwrite(there, folder.cwd)
    with store_for(workspace.desired, request, create=options.adopt) as store:
        async with _reading(workspace, account, store, options) as (sessions, inventory):
            scope = Scope(desired=workspace.desired, inventory=inventory, everything=True)
            state = await read({account.name: account}, sessions, scope)
            live = whole(state.accounts[account.name])
            _check_identity(account_problems(workspace.desired, state, inventory))
            importing = _Importing(workspace, account, folder, live, inventory, options)
            return importing.run(store)


def _check_identity(problems: Mapping[str, Diagnostic]) -> None:
    """Raises InvalidManifests for an account that is another one than before, with the exit code of that."""
    if not problems:
        return
    failure = InvalidManifests(tuple(problems.values()))
    if any(problem.code == OTHER_ACCOUNT for problem in problems.values()):
        failure.exit_code = Exit.STALE
    raise failure


def _declared(desired: Desired, name: str) -> Account:
    if name not in desired.accounts:
        known = ", ".join(sorted(desired.accounts))
        hint = f"declared are {known}" if known else "declare it first: an Account manifest with its credentials"
        raise UsageError(f"no manifest declares the account {name!r}", hint=hint)
    return desired.accounts[name]


@asynccontextmanager
async def _reading(
    workspace: Workspace, account: Account, store: Store, options: ImportOptions
) -> AsyncIterator[tuple[Sessions, Inventory]]:
    """A session that cannot write. To own something nobody else may be at the account, and nothing left open by an
    apply that died: what that made would be taken for somebody else's."""
    accounts = {account.name: account}
    opened = workspace.connected(accounts, read_only=True)
    if not options.adopt:
        async with opened as sessions:
            yield sessions, store.inventory()
        return
    control = Control(root=Path(workspace.desired.project.root), variable=os.environ.get(FREEZE_VARIABLE))
    async with leased(store, accounts, workspace.providers, control) as lease, opened as sessions:
        now = datetime.now(UTC)
        leftovers = await settle_leftovers(store, workspace, sessions, accounts, store.inventory(), leased_at=now)
        yield sessions, leftovers.inventory
        lease.renew()


class _Importing(Struct):
    """One account that was read, on its way into files."""

    workspace: Workspace
    account: Account
    folder: Folder
    live: AccountLive
    inventory: Inventory
    options: ImportOptions
    told: list[Diagnostic] = field(default_factory=list)

    def run(self, store: Store) -> Imported:
        scene = self._scene(self.workspace)
        drafts = decide(scene)
        if self.options.update:
            self._revise(scene)
        self.folder.add(drafts, self.account.name, self.account.provider)
        there = [p for p in self.folder.contents if os.path.lexists(p)]
        if there and not self.options.update:
            raise WouldOverwrite(there, self.folder.cwd)
        contents = {p: c for p, c in self.folder.contents.items() if p not in there or p.read_bytes() != c}
        with written(contents, self.folder.root):
            workspace = self._loaded_again(drafts)
            made = self._planned(workspace)
            adoptable = tuple(c for c in made.changes if self._ownable(c, workspace))
            if self.options.adopt:
                self._own(store, workspace, adoptable)
        left = tuple(c for c in made.changes if c not in adoptable)
        return Imported(
            account=self.account.name,
            files=tuple(self._file(p, p not in there) for p in sorted(contents)),
            declared=tuple(d.address for d in drafts.drafts),
            adoptable=tuple(c.address for c in adoptable),
            adopted=tuple(c.address for c in adoptable) if self.options.adopt else (),
            left=left,
            diagnostics=(*self.live.notes, *drafts.diagnostics, *self.told, *map(_still, left)),
        )

    def _scene(self, workspace: Workspace) -> Scene:
        provider = workspace.providers[self.account.provider]
        return Scene.of(self.account, provider, workspace.desired, self.live, self.inventory)

    def _file(self, path: Path, created: bool) -> ImportedFile:
        name = shown_name(path, self.folder.cwd)
        return ImportedFile(path=name, created=created, count=self.folder.counts.get(path, 0))

    # --- what is declared already

    def _revise(self, scene: Scene) -> None:
        """What this folder declares is brought in line; what is declared elsewhere is somebody else's to change."""
        revisions: dict[Address, tuple[Resource, Revision]] = {}
        for resource in scene.desired.of(self.account.name):
            document = self.folder.document(resource) if self.folder.owns(resource) else None
            if document is not None:
                revisions[resource.address] = (resource, revise(scene, resource, document))
        for resource, why in self.folder.revise(list(revisions.values())):
            message = f"{resource.address} differs in its members, and stays as it is: {why}"
            self.told.append(warning("import-kept", message, address=str(resource.address), source=resource.source))
        self.told += [d for _, revision in revisions.values() for d in revision.told]

    # --- what comes of it

    def _loaded_again(self, drafts: Drafts) -> Workspace:
        """The project with what was written. Raises what a load raises, and InvalidInput when it does not see it."""
        workspace = Workspace.of(self.workspace.request)
        if lost := [d.address for d in drafts.drafts if d.address not in workspace.desired.resources]:
            where = shown_name(self.folder.path, self.folder.cwd)
            raise InvalidInput(
                f"the project does not read {where}, where {lost[0]} would be; nothing was touched",
                hint="name the folder in the Project's manifests, or choose another one with --out",
            )
        return workspace

    def _planned(self, workspace: Workspace) -> Plan:
        """A plan for this account, from what was read: a second read would find the same and take as long."""
        rules = {name: provider.rules for name, provider in workspace.providers.items()}
        live = Live(accounts={self.account.name: self.live})
        return make_plan(workspace.desired, live, self.inventory, rules, PlanOptions())

    def _ownable(self, change: Change, workspace: Workspace) -> bool:
        """Whether a change is ownership and nothing else. One that was renamed is left to an apply."""
        resource = change.desired
        if resource is None or change.remote_id is None or not only_adopts(change):
            return False
        known = ownership(resource, workspace.desired, self.inventory)
        return known is None or known.address == resource.address

    def _own(self, store: Store, workspace: Workspace, changes: tuple[Change, ...]) -> None:
        """One run, in one transaction: all of it is owned, or nothing."""
        run = store.begin_run("import", tool_version=__version__)
        owned = [self._owned(c, workspace.desired) for c in changes if c.remote_id is not None]
        try:
            with run.batch():
                if not (self.live.identity.endswith("=?") and self.inventory.identities.get(self.account.name)):
                    run.identity(self.account.name, self.live.identity)
                run.last_read(self.account.name, counts_of(self.live))
                RunLedger(run, self.inventory.key, "").own(owned, [])
        except BaseException:
            run.close(exit_code=Exit.ERROR)
            raise
        run.close(exit_code=Exit.OK, counts={str(Outcome.DONE): len(owned)})

    def _owned(self, change: Change, desired: Desired) -> Owned:
        resource, remote_id = desired.resources[change.address], change.remote_id
        if remote_id is None:
            raise ValueError(f"{change.address} has no live object")
        parent = remote_id if resource.members is not None else None
        members = self.live.members.get(parent) if parent is not None else None
        base = Owned(address=change.address, provider=change.provider, remote_id=remote_id, parent=parent)
        return confirmed(resource, base, members, self.inventory.key)


def _still(change: Change) -> Diagnostic:
    """A change that a plan holds besides those that take ownership."""
    message = f"a plan would still {action(change)} {change.address}: {change.reason}"
    return warning("import-not-owned", message, address=str(change.address), source=change.source)
