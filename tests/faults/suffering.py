"""One provider's account on a bad day: the fault happens, then it is over, and what must hold all the same.

``fault`` makes a test of each provider that a row of the catalogue concerns. ``World.survives`` is the whole trial:

- the run with the fault ends with one of the expected exit codes; when it was refused, it sent no write;
- without the fault, the same manifests end where they end in a world without faults, and then nothing is left to do;
- nothing was made twice, nobody was contacted, and no credential, number or traceback was said or kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from contracts import WRITE_METHODS, WRITE_PATHS, Contract, Files, Trial
from participants import CONTACTCENTER, EXOTEL, INTELEPEER, SLICKTEXT

from reconciler.sandbox import Sandbox

from fault_catalogue import ROWS
from repository import PROJECT, Repository, Result

PROVIDERS = {c.name: c for c in (INTELEPEER, EXOTEL, SLICKTEXT, CONTACTCENTER)}
REFUSED = (3, 4, 5, 6, 10, 64)
"""Exit codes that say that nothing was sent."""

__all__ = ["Start", "World", "fault", "reads", "rule", "spoken", "writes"]


def fault(*rows: str, only: Sequence[str] = ()) -> Callable[[Any], Any]:
    """A test of these rows, once for each provider that the first of them concerns (or ``only`` these)."""
    providers = [p for p in ROWS[rows[0]].columns if not only or p in only]

    def mark(test: Any) -> Any:
        cells = [pytest.param(PROVIDERS[p], id=f"{'+'.join(rows)}-{p}") for p in providers]
        return pytest.mark.survives(*rows)(pytest.mark.parametrize("contract", cells)(test))

    return mark


def rule(kind: str, *, method: Any = None, path: str | None = None, nth: Any = None, **params: Any) -> dict[str, Any]:
    """One fault rule; ``times`` and ``contains`` among ``params`` are the rule's, the others the fault's."""
    found: dict[str, Any] = {"method": method, "path": path, "nth": nth}
    found |= {name: params.pop(name) for name in ("times", "contains") if name in params}
    return {k: v for k, v in found.items() if v is not None} | {"fault": {"kind": kind, **params}}


def writes(kind: str, *, nth: Any = None, **params: Any) -> dict[str, Any]:
    """A fault of writes, logins left out; of every one without ``nth``."""
    params.setdefault("path", WRITE_PATHS)
    return rule(kind, method=WRITE_METHODS, nth=nth, **params)


def reads(kind: str, *, nth: Any = None, **params: Any) -> dict[str, Any]:
    return rule(kind, method="GET", nth=nth, **params)


def spoken(result: Result) -> str:
    """What a command said, in one line: a screen breaks lines anywhere."""
    return " ".join(f"{result.out} {result.err}".split())


@dataclass
class World(Trial):
    """A trial with what a fault needs. ``wanted`` tells the picture of a world without faults after the same walk."""

    wanted: Callable[[int], Any] = field(kw_only=True)
    state: int = 0

    @property
    def name(self) -> str:
        return self.contract.name

    def at(self, state: int) -> World:
        """Everything up to this state of the walk has been applied; its successor is what is declared now."""
        self.reach(state)
        self.state = state + 1
        self.declare(self.contract.walk[self.state])
        return self

    def account(self, text: str) -> None:
        """More in the account's spec."""
        self.repository.write("account.yaml", self.contract.account + f"  {text}\n")

    def suffer(self, *rules: Mapping[str, Any], codes: Sequence[int] = (0,), struck: bool = True) -> Result:
        """An apply under these faults. ``struck``: each of the rules must have fired."""
        self.sandbox.set_faults([{"provider": self.name, **r} for r in rules])
        before = self.writes()
        result = self.apply()
        assert result.code in codes, f"exit {result.code}\n{result.out}{result.err}"
        if result.code in REFUSED:
            assert self.writes() == before
        if struck:
            told = self.sandbox.call(self.sandbox.world.faults.dump)
            assert all(r["fired"] for r in told), told
        self.sandbox.set_faults([])
        return result

    def recovers(self, *, harmed: bool = False) -> None:
        """Without the fault, the same manifests lead where they lead in a good world, and stay there."""
        for _ in range(3):
            wrote = self.writes()
            last = self.apply()
            if last.code == 0 and self.writes() == wrote:
                break
        assert last.code == 0, last.out + last.err
        assert self.writes() == wrote, "there is always something left to do"
        assert self.picture == self.wanted(self.state)
        if not harmed:
            self.nobody_was_harmed()
        self.nothing_leaked()

    def survives(self, *rules: Mapping[str, Any], codes: Sequence[int] = (0,)) -> Result:
        """The whole trial, from what is declared now (the first state of the walk, in an empty account)."""
        result = self.suffer(*rules, codes=codes)
        self.recovers()
        return result

    def unreadable(self, *rules: Mapping[str, Any], codes: Sequence[int] = (10,), struck: bool = True) -> Result:
        """``plan`` and ``apply`` in a settled account both stop before anything is planned, and nothing is written."""
        self.at(0)
        self.sandbox.set_faults([{"provider": self.name, **r} for r in rules])
        plan = self.repository.plan()
        assert plan.code in codes, plan.out + plan.err
        assert plan.json["changes"] == []
        result = self.suffer(*rules, codes=codes, struck=struck)
        self.recovers()
        return result

    def nothing_leaked(self) -> None:
        """Neither in what was said nor in what was kept."""
        said = "".join(self.repository.said)
        kept = b"".join(p.read_bytes() for p in (self.repository.root / ".reconciler").rglob("*") if p.is_file())
        assert "Traceback" not in said
        for secret in self.contract.secrets.values():
            if secret != "sandbox":  # the user name is an everyday word
                assert secret not in said
                assert secret.encode() not in kept
        for number in ("2025550110", "2025550111", "2025550112", "2025550113"):
            assert number not in said
            assert number.encode() not in kept


class Start:
    """Makes worlds, each with a sandbox of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capture: Callable[[], Any]) -> None:
        self._folder, self._monkeypatch, self._capture = folder, monkeypatch, capture
        self._stack = ExitStack()
        self._count = 0

    def __call__(self, contract: Contract, *, files: Files | None = None, **knobs: Any) -> World:
        self._count += 1
        for name, value in contract.secrets.items():
            self._monkeypatch.setenv(name, value)
        sandbox = Sandbox(seed={contract.name: contract.seed}, knobs={contract.name: {**contract.knobs, **knobs}})
        self._stack.enter_context(sandbox)
        root = self._folder / f"repository{self._count}"
        (root / "manifests").mkdir(parents=True)
        (root / "reconciler.yaml").write_text(PROJECT, encoding="utf-8")
        self._monkeypatch.chdir(root)
        repository = Repository(root, sandbox, self._capture)
        world = World(contract, repository, sandbox, wanted=lambda state: self.good(contract, state, root))
        world.declare(contract.walk[0] if files is None else files)
        return world

    def good(self, contract: Contract, state: int, back: Path) -> Any:
        """The picture after a walk without faults."""
        key = contract.name, state
        if key not in _GOOD:
            world = self(contract)
            world.reach(state)
            _GOOD[key] = world.picture
            self._monkeypatch.chdir(back)
        return _GOOD[key]

    def go(self, folder: Path) -> None:
        """Work there from now on."""
        self._monkeypatch.chdir(folder)

    def close(self) -> None:
        self._stack.close()


_GOOD: dict[tuple[str, int], Any] = {}
