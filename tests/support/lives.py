"""A repository, its store and its provider over a long time: people edit both sides, requests get lost, programs die.

Time is virtual and the sandbox is in the same event loop (``virtual``), so that settle times cost nothing and the order
of everything is the same in every run.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection

from reconciler.app.applying import ApplyOptions, apply
from reconciler.app.drifting import drift
from reconciler.app.loading import Request, loaded
from reconciler.app.planning import Inputs, Planned, Workspace, store_for
from reconciler.apply.control import Control
from reconciler.errors import Exit, ReconcilerError
from reconciler.plan.changes import Approval
from reconciler.providers import _limits
from reconciler.providers.reading import connected
from reconciler.sandbox.world import World
from reconciler.store import leases, snapshots, sqlite
from reconciler.store.database import Connected

from repository import PROJECT, SECRETS
from virtual import Clock, install, run

URL = "http://127.0.0.1:9"
LANDING_S, VISIBILITY_S = 20.0, 5.0
SETTLE = f"  settle: {{landing: {LANDING_S:.0f}s, visibility: {VISIBILITY_S:.0f}s}}\n"
LOGINS = ("/authenticate", "/login")
DOCUMENTED = frozenset(Exit) - {Exit.ERROR, Exit.USAGE}


class Death(BaseException):
    """The end of the simulated program."""


@dataclass(slots=True, kw_only=True)
class Doom:
    """What befalls a run at its write number ``at``, from 1: a signal, or its end before or after the effect."""

    at: int
    how: str
    seen: int = 0


@dataclass(slots=True)
class Run:
    """``code`` is None when the program died. ``sent`` are its writes as (method, path, body)."""

    code: int | None = None
    said: str = ""
    sent: list[tuple[str, str, bytes]] = field(default_factory=list)


class Life:
    """One account at the sandbox, one repository and one store. Files and settings are undone by ``end``."""

    def __init__(self, folder: Path, seed: Mapping[str, Any], account: str, lag_s: float) -> None:
        self.folder, self.clock, self.patch = folder, Clock(), pytest.MonkeyPatch()
        (self.provider,) = seed
        self.account = account + SETTLE
        knobs: dict[str, dict[str, Any]] = {p: {"read_lag_ms": lag_s * 1000} for p in World().providers}
        knobs["slicktext"]["rate_limit"] = None
        world = World(knobs=knobs)
        now = self.clock.time
        world.clock.now = lambda: now()
        world.replace(dict(seed))
        world.turn(knobs)
        self.world = self.clock.world = world
        self._doom: Doom | None = None
        self._dead = False
        self._current = Run()
        self._control: Control | None = None
        self._prepare()

    def _prepare(self) -> None:
        for name, value in SECRETS.items():
            self.patch.setenv(name, value)
        for name in ("RECONCILER_FREEZE", "RECONCILER_ALLOWED_HOSTS"):
            self.patch.delenv(name, raising=False)
        self.folder.mkdir(parents=True)
        (self.folder / "reconciler.yaml").write_text(PROJECT, encoding="utf-8")
        self.patch.chdir(self.folder)
        install(self.patch, self.clock, lambda: self._reached)
        # Who is paced or told to wait would else wait in real time, within a loop that never sleeps.
        self.patch.setitem(_limits.Limiter.__init__.__kwdefaults__, "now", self.clock.time)
        self.patch.setattr(_limits.Breaker.__init__, "__defaults__", (self.clock.time,))
        self.patch.setattr(time, "monotonic", self.clock.time)
        self.patch.setattr(Connected, "write", self._commits(Connected.write))
        certainly_gone = leases.certainly_gone
        # A run that has died was a process of its own.
        self.patch.setattr(leases, "certainly_gone", lambda process: self._widowed or certainly_gone(process))
        self._widowed = False
        opened = snapshots.connected
        # Programs die here and computers do not; a flush of the disk would be most of a run.
        self.patch.setattr(sqlite, "connected", lambda *a, **k: _unsynced(opened(*a, **k)))

    def end(self) -> None:
        self.patch.undo()
        shutil.rmtree(self.folder)

    @property
    def store(self) -> Path:
        return self.folder / ".reconciler"

    def write(self, files: Mapping[str, str]) -> None:
        """The manifests, replacing all there are."""
        folder = self.folder / "manifests"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, text in {"account.yaml": self.account, **files}.items():
            (folder / name).write_text(text.replace("URL", URL), encoding="utf-8")

    def edit_in_portal(self, op: str, arguments: Mapping[str, Any]) -> None:
        self.world.tamper({"provider": self.provider, "op": op, **arguments})

    def lose_the_store(self) -> None:
        shutil.rmtree(self.store, ignore_errors=True)

    def pass_time(self, seconds: float) -> None:
        self.clock.move(seconds)
        self.world.tick()

    def apply(self, *allow: str, contact: bool = True, doom: Doom | None = None) -> Run:
        """One apply, with everything approved but perhaps contacting."""
        self._doom, self._dead, self._current = doom, False, Run()
        ended = self._ended(self._applied(allow, contact), self._current)
        self._widowed, self._doom = ended.code is None, None
        return ended

    def applies_at_once(self, *allow: str) -> list[Run]:
        """Two applies on one store."""
        self._doom, self._dead, self._widowed, self._current = None, False, False, Run()
        runs = [Run(), Run()]

        async def both() -> None:
            await asyncio.gather(*(self._into(r, self._applied(allow, True)) for r in runs))

        run(self.clock, both())
        return runs

    def plan(self) -> tuple[Run, Planned | None]:
        made: list[Planned] = []

        async def work() -> tuple[int, str]:
            request = Request()
            workspace = Workspace.of(request)
            with store_for(workspace.desired, request, create=False) as store:
                inventory = store.inventory()
            accounts = workspace.scoped(inventory)
            async with connected(accounts, workspace.providers, read_only=True, concurrency=None) as sessions:
                made.append(await workspace.planned(inventory, sessions, accounts))
            return made[0].exit_code, "; ".join(d.message for d in made[0].plan.blocking)

        return self._read(work), made[0] if made else None

    def drift(self) -> Run:
        async def work() -> tuple[int, str]:
            found = await drift(Request())
            return found.exit_code, "; ".join(f"{i.address} {i.state} {i.reason}" for i in found.drift.items)

        return self._read(work)

    def validate(self) -> Run:
        async def work() -> tuple[int, str]:
            problems = [d for d in loaded(Request()).diagnostics if d.blocking]
            return (Exit.INVALID if problems else Exit.OK), "; ".join(d.message for d in problems)

        return self._read(work)

    def _read(self, work: Callable[[], Awaitable[tuple[int, str]]]) -> Run:
        self._doom, self._dead, self._current = None, False, Run()
        return self._ended(work(), self._current)

    def _ended(self, work: Awaitable[tuple[int, str]], into: Run) -> Run:
        try:
            run(self.clock, self._into(into, work))
        except Death:
            into.code = None
        except RuntimeError:
            if not self._dead:
                raise
            # What the program had under way waits for the part of it that died: a real one would be gone as a whole.
        if self._dead:
            into.code = None
        return into

    async def _into(self, into: Run, work: Awaitable[tuple[int, str]]) -> None:
        try:
            into.code, into.said = await work
        except ReconcilerError as failure:
            into.code, into.said = failure.exit_code, failure.message

    async def _applied(self, allow: tuple[str, ...], contact: bool) -> tuple[int, str]:
        approve = frozenset(Approval) if contact else frozenset(Approval) - {Approval.CONTACT}
        options = ApplyOptions(approve=approve, signals=self._signals)
        applied = await apply(Request(inputs=Inputs(allow=allow)), options)
        said = [d.message for d in applied.planned.plan.blocking]
        if applied.report is not None:
            said += [f"{c.address}: {c.outcome} {c.detail}" for c in applied.report.changes if c.detail]
            said += applied.report.unverified
        return applied.exit_code, "; ".join(said)

    def _signals(self, control: Control) -> None:
        self._control = control

    def _commits(self, write: Callable[[Connected], Any]) -> Callable[[Connected], Any]:
        life = self

        @contextmanager
        def watched(database: Connected) -> Iterator[Connection]:
            if life._dead:
                raise Death
            with write(database) as connection:
                yield connection

        return watched

    async def _reached(
        self, request: httpx.Request, body: bytes, carry_out: Callable[[], Awaitable[httpx.Response]]
    ) -> httpx.Response:
        if self._dead:
            raise Death
        if request.method == "GET" or request.url.path.endswith(LOGINS):
            return await carry_out()
        doomed = self._doomed()
        if doomed == "dies before":
            self._dead = True
            raise Death
        if doomed.startswith("signal") and self._control is not None:
            self._control.interrupt(terminated=False)
            if doomed == "signal twice":
                self._control.interrupt(terminated=False)
        self._current.sent.append((request.method, request.url.path, body))
        response = await carry_out()
        if doomed == "dies after":
            self._dead = True
            raise Death
        return response

    def _doomed(self) -> str:
        if self._doom is None:
            return ""
        self._doom.seen += 1
        return self._doom.how if self._doom.seen == self._doom.at else ""


def _unsynced(connection: Any) -> Any:
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def digits(body: bytes) -> frozenset[str]:
    """Every run of ten digits or more in a request."""
    return frozenset(d[-10:] for d in re.findall(r"\d{10,}", body.decode(errors="replace")))
