"""What a simulated provider has to offer; the table of them is in ``catalogue``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic

import msgspec

from reconciler.sandbox import knobs as knobs_module
from reconciler.sandbox.clock import Clock
from reconciler.sandbox.knobs import AnyKnobs
from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.tables import Tally
from reconciler.sandbox.wire import BadJson, JsonObject, Reply, Request


class Provider(ABC, Generic[AnyKnobs]):
    """One platform with all its accounts. Everything here runs on the sandbox's one event loop."""

    name: ClassVar[str]  # as in manifests, seeds and fault rules
    prefixes: ClassVar[tuple[str, ...]]  # every path of this API starts with one, no other provider's does
    login: ClassVar[str | None] = None  # the path that credentials are sent to in the body

    def __init__(self, clock: Clock, ledger: Ledger, knobs: AnyKnobs) -> None:
        self.clock = clock
        self.ledger = ledger
        self.knobs = knobs
        self._factory_knobs = knobs
        self.tally = Tally()

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """Serve one API request. Never raises for anything a client can send."""

    @abstractmethod
    def refusal(self, status: int, *texts: str) -> Reply:
        """An error in this provider's own body shape; without a text, the usual one for the status."""

    @abstractmethod
    def tick(self) -> None:
        """Do what the clock has made due."""

    @abstractmethod
    def clear(self) -> None:
        """Forget everything, accounts included."""

    @abstractmethod
    def seed(self, section: JsonObject) -> None:
        """Add what a seed section describes, and the default account if there is none; raises ``SandboxError``."""

    @abstractmethod
    def dump(self) -> JsonObject:
        """The whole state, for ``load`` and for people."""

    @abstractmethod
    def load(self, document: JsonObject, /) -> None:
        """Take over a dump, after ``clear``."""

    @abstractmethod
    def tamper(self, operation: str, arguments: JsonObject) -> Any:
        """Change something as a person in the portal would: no request, no ledger entry."""

    def expire_tokens(self) -> None:
        """Every issued token dies. A provider with permanent keys has none."""
        return

    def redacted(self, request: Request) -> bytes:
        """The body as the request log may keep it: of a login only the names."""
        if request.path != self.login:
            return request.body
        try:
            body = request.json()
        except BadJson:
            return b""
        return msgspec.json.encode(dict.fromkeys(body, "***") if isinstance(body, dict) else None)

    def turn(self, wishes: Mapping[str, Any]) -> None:
        """Change knobs."""
        self.knobs = knobs_module.turned(self.knobs, wishes, self.name)

    def reset_knobs(self) -> None:
        """Defaults again."""
        self.knobs = self._factory_knobs
