"""What a provider says about itself to join the contract suite, and the small world in which it is tried.

Everything else is the same for all: the laws are in ``test_contract_*.py`` and read the provider's own tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.plan.rules import Rules
from reconciler.providers import registry
from reconciler.sandbox import Sandbox

from repository import Repository, Result

Files = Mapping[str, str]
"""Manifests by file name; ``URL`` stands for the sandbox's."""

WRITE_PATHS = "re:^(?!.*/(authenticate|login)$)"
WRITE_METHODS = ["POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What somebody does in the portal, and how it shows: ``(action, Kind/name)`` of every change that corrects it."""

    operation: Mapping[str, Any]
    shows: tuple[tuple[str, str], ...]

    @property
    def title(self) -> str:
        return str(self.operation["op"])


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Something that the provider's tables say it cannot do, and the code that answers whoever asks for it.

    ``files`` ask for it, on top of the first state and ``first`` (None: a manifest that is removed), after somebody did
    ``tamper`` in the portal. ``exit_code`` 0: it is told, and the rest goes on. ``never``: why no manifest can ask.
    """

    ability: str
    code: str
    files: Mapping[str, str | None] = field(default_factory=dict)
    first: Mapping[str, str] = field(default_factory=dict)
    tamper: Mapping[str, Any] | None = None
    exit_code: int = 3
    never: str = ""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One provider in the suite.

    ``walk`` are the states that manifests lead through, from nothing; ``writes`` is how many requests the whole way
    takes. ``picture`` shows the sandbox's section without ids and times, so that two worlds can be compared.
    ``unlisted`` is a declared person, whom a Suppression keeps out; ``opt_out`` says the same in the portal.
    ``samples`` are values for parameters of operations.
    """

    name: str
    account_name: str
    account: str
    secrets: Mapping[str, str]
    walk: tuple[Files, ...]
    writes: int
    picture: Callable[[Mapping[str, Any]], Any]
    unlisted: str
    drifts: tuple[Drift, ...]
    refusals: tuple[Refusal, ...] = ()
    seed: Mapping[str, Any] = field(default_factory=dict)
    knobs: Mapping[str, Any] = field(default_factory=dict)
    opt_out: Mapping[str, Any] | None = None
    samples: Mapping[str, str] = field(default_factory=dict)

    @property
    def rules(self) -> Rules:
        return registry.get(self.name).rules


@dataclass
class Trial:
    """A provider's account in a sandbox, and a repository of manifests about it."""

    contract: Contract
    repository: Repository
    sandbox: Sandbox

    def declare(self, files: Mapping[str, str | None]) -> None:
        """These manifests and no others, besides the account's."""
        for path in (self.repository.root / "manifests").iterdir():
            path.unlink()
        self.repository.write("account.yaml", self.contract.account)
        for name, text in files.items():
            if text is not None:
                self.repository.write(name, text)

    def reach(self, state: int = 0) -> None:
        """Walk to that state."""
        for files in self.contract.walk[: state + 1]:
            self.declare(files)
            self.repository.apply()

    def tamper(self, operation: Mapping[str, Any]) -> None:
        arguments = {name: value for name, value in operation.items() if name != "op"}
        self.sandbox.tamper(self.contract.name, operation["op"], **arguments)

    @property
    def picture(self) -> Any:
        return self.contract.picture(self.sandbox.state()[self.contract.name])

    def apply(self) -> Result:
        """An apply with everything approved, whatever comes of it."""
        return self.repository("apply", "--yes", "--approve", "delete,contact")

    def apply_again(self, last: Result) -> Result:
        """As a person does it who was asked to look whether people were contacted, and found that they were not."""
        lifts = [word for repeat in re.findall(r"--allow repeat=\S+", last.err) for word in repeat.split()]
        return self.repository("apply", "--yes", "--approve", "delete,contact", *lifts)

    def writes(self) -> int:
        return len(self.repository.writes())

    def nobody_was_harmed(self) -> None:
        """Nobody contacted, no consent claimed, nothing made twice."""
        ledger = self.sandbox.ledger()
        assert not any(ledger["contacted"].values())
        assert ledger["consent"] == []
        assert ledger["duplicates"] == []


def asked(plan: Result) -> Any:
    """What a plan would do, in terms that two plans of one world share.

    Who must be made a contact first is left out: a look-up of one person has no pages, so nothing tells that a row
    slipped out of it. Whoever is there after all is not made a second time.
    """
    return [
        (c["action"], c["kind"], c["name"], c["deltas"], c["members"] and {**c["members"], "create": 0})
        for c in plan.json["changes"]
    ]
