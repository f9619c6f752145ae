"""A machine that dies at a chosen moment of an apply, and is switched on again.

A run is cut into micro-steps: before each commit of the store, and for each request that is not a read *never* (it does
not leave), *late* (it leaves, and lands long after the crash) and *landed* (it took effect, and nobody heard). Between
two of these nothing durable happens, so that these are all the states a crash can leave. What the program does after
its death (``finally``, handlers of exceptions) comes to nothing, as it would.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection

from reconciler.app.applying import Applied, ApplyOptions, apply
from reconciler.app.loading import Request
from reconciler.app.planning import Inputs
from reconciler.apply.departure import NOT_AFTER_S
from reconciler.errors import ReconcilerError
from reconciler.plan.changes import Approval
from reconciler.sandbox.world import World
from reconciler.store import leases, open_store, snapshots, sqlite
from reconciler.store.database import Connected

from repository import PROJECT, SECRETS
from virtual import Clock, install, run

URL = "http://127.0.0.1:9"
LANDING_S, VISIBILITY_S = 20.0, 5.0
LATEST_S = NOT_AFTER_S + LANDING_S - 0.1
"""When a request of a dead program lands at the latest: it may have left as late as its intent allowed."""
LOGINS = ("/authenticate", "/login")


class Crash(BaseException):
    """The end of the simulated program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Manifests before and after, for one account. ``contacts`` are parts of the URLs of requests that start contacting
    people, and ``repeat`` is how the addresses begin of which a person says that they may be sent again, when a run
    ends with exit 9 because one of them may have gone out."""

    name: str
    account: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    seed: Mapping[str, Any] = field(default_factory=dict)
    knobs: Mapping[str, Any] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    repeat: str = ""

    def __str__(self) -> str:
        return self.name


@dataclass(slots=True)
class Ended:
    """How one run ended. ``code`` is None when it crashed; ``steps`` are the micro-steps it got to."""

    code: int | None
    steps: list[str]
    sent: list[tuple[str, str, bytes]]
    said: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A machine at rest, with everything under way at the provider."""

    world: World
    at: float
    store: Path


class Machine:
    """One account at the sandbox, one repository, one store; time is virtual."""

    def __init__(self, scenario: Scenario, folder: Path, monkeypatch: pytest.MonkeyPatch, lag_s: float) -> None:
        self.scenario, self.folder, self.clock = scenario, folder, Clock()
        knobs = {p: {"read_lag_ms": lag_s * 1000} for p in ("slicktext", "intelepeer", "exotel", "contactcenter")}
        for provider, own in scenario.knobs.items():
            knobs[provider] |= own
        knobs["slicktext"] |= {"rate_limit": None}
        self.clock.world = self._on_this_clock(World(knobs=knobs))
        self.world.replace(dict(scenario.seed))
        self.world.turn(knobs)
        self._die_at: int | None = None
        self._fault = False
        self._ended = Ended(None, [], [])
        self._dead = False
        self._copies = 0
        self._prepare(monkeypatch)
        self.write(scenario.before)
        assert self.apply().code == 0, self._ended.said
        self.pass_time(600)
        self.write(scenario.after)

    def _on_this_clock(self, world: World) -> World:
        now = self.clock.time
        world.clock.now = lambda: now()  # type: ignore[method-assign]  # a function, so that a copy keeps this clock
        return world

    def _prepare(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in SECRETS.items():
            monkeypatch.setenv(name, value)
        for name in ("RECONCILER_FREEZE", "RECONCILER_ALLOWED_HOSTS"):
            monkeypatch.delenv(name, raising=False)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "reconciler.yaml").write_text(PROJECT, encoding="utf-8")
        monkeypatch.chdir(self.folder)
        install(monkeypatch, self.clock, lambda: self._reached)
        monkeypatch.setattr(Connected, "write", self._commits(Connected.write))
        # Each run is a process of its own: whoever held the lease before has died.
        monkeypatch.setattr(leases, "certainly_gone", lambda process: True)
        connected = snapshots.connected
        # Programs crash here and computers do not; a flush of the disk would be most of a run.
        monkeypatch.setattr(sqlite, "connected", lambda *a, **k: _unsynced(connected(*a, **k)))

    def write(self, files: Mapping[str, str]) -> None:
        """The manifests, replacing all there are."""
        folder = self.folder / "manifests"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, text in {"account.yaml": self.scenario.account, **files}.items():
            (folder / name).write_text(text.replace("URL", URL), encoding="utf-8")

    def apply(self, *allow: str, die_at: int | None = None, fault: bool = False) -> Ended:
        """One apply with everything approved. ``die_at`` counts micro-steps from 0. With ``fault`` the request of that
        step loses its answer instead, and nobody dies."""
        self._die_at, self._fault, self._dead = die_at, fault, False
        self._ended = ended = Ended(None, [], [])
        request = Request(inputs=Inputs(allow=(*self.scenario.allow, *allow)))
        options = ApplyOptions(approve=frozenset(Approval))
        try:
            applied: Applied = run(self.clock, apply(request, options))
        except Crash:
            pass
        except ReconcilerError as failure:
            if not self._dead:
                ended.code, ended.said = failure.exit_code, failure.message
        else:
            if not self._dead:
                ended.code, ended.said = applied.exit_code, _said(applied)
        self._die_at = None
        return ended

    @property
    def world(self) -> World:
        assert self.clock.world is not None
        return self.clock.world

    def pass_time(self, seconds: float) -> None:
        self.clock.move(seconds)
        self.world.tick()

    def snapshot(self) -> Snapshot:
        self._copies += 1
        kept = self.folder.parent / f"store-{self._copies}"
        shutil.copytree(self.folder / ".reconciler", kept)
        return Snapshot(copy.deepcopy(self.world), self.clock.at, kept)

    def restore(self, snapshot: Snapshot) -> None:
        self.clock.world, self.clock.at = copy.deepcopy(snapshot.world), snapshot.at
        shutil.rmtree(self.folder / ".reconciler")
        shutil.copytree(snapshot.store, self.folder / ".reconciler")

    def owned(self) -> dict[str, str]:
        with open_store("sqlite:///.reconciler/store.db", namespace="test/", create=False, root=self.folder) as store:
            return {str(a): str(o.remote_id) for a, o in store.inventory().owned.items()}

    def _step(self, name: str) -> bool:
        """Whether this is the moment. Raises Crash when it has come already."""
        if self._dead:
            raise Crash
        self._ended.steps.append(name)
        return len(self._ended.steps) - 1 == self._die_at

    def _die(self) -> None:
        self._dead = True
        raise Crash

    def _commits(self, write: Callable[[Connected], Any]) -> Callable[[Connected], Any]:
        machine = self

        @contextmanager
        def watched(database: Connected) -> Iterator[Connection]:
            outermost = not database._connection.in_transaction()
            with write(database) as connection:
                yield connection
                if outermost and machine._step("commit"):
                    machine._die()

        return watched

    async def _reached(
        self, request: httpx.Request, body: bytes, carry_out: Callable[[], Awaitable[httpx.Response]]
    ) -> httpx.Response:
        if self._dead:
            raise Crash
        if request.method == "GET" or request.url.path.endswith(LOGINS):
            return await carry_out()
        name = f"{request.method} {request.url.path}"
        if self._step(f"never {name}"):
            self._die()
        late, self._ended.sent = (
            self._step(f"late {name}"),
            [*self._ended.sent, (request.method, str(request.url), body)],
        )
        if late:
            seconds = LANDING_S - 0.1 if self._fault else LATEST_S
            rule = {"times": 1, "fault": {"kind": "late_landing", "ms": seconds * 1000}}
            self.world.faults.set([rule], self.world.providers)
        try:
            response = await carry_out()
        finally:
            self.world.faults.set([], self.world.providers)
            if late and not self._fault:
                self._die()
        if self._step(f"landed {name}"):
            if not self._fault:
                self._die()
            raise httpx.ReadError("the answer was lost")
        return response


def _unsynced(connection: Any) -> Any:
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def _said(applied: Applied) -> str:
    """Why it did not go through, for the message of a failing test."""
    problems = [d.message for d in applied.planned.plan.blocking]
    if applied.report is not None:
        problems += [f"{c.address}: {c.outcome} {c.detail}" for c in applied.report.changes if c.detail]
        problems += applied.report.unverified
    return "; ".join(problems)
