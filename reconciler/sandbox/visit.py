"""One authenticated request on its way through an endpoint: what every provider's visits have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic

from reconciler.sandbox.knobs import AnyKnobs
from reconciler.sandbox.ledger import Ledger
from reconciler.sandbox.wire import BadJson, JsonObject, Refusal, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyVisit(Generic[AnyKnobs]):
    """What endpoints share. They raise the provider's kind of ``Refusal`` for everything that is not a success."""

    request: Request
    params: Mapping[str, str]
    knobs: AnyKnobs
    ledger: Ledger
    now: float

    def decoded(self, unreadable: Refusal) -> Any:
        """The body, whatever its content type says."""
        try:
            return self.request.json()
        except BadJson as error:
            raise unreadable from error

    def object_or(self, unreadable: Refusal, other: Refusal | None = None) -> JsonObject:
        """The body as an object; ``other`` is for JSON of another kind, where that is refused differently."""
        body = self.decoded(unreadable)
        if not isinstance(body, dict):
            raise other or unreadable
        return body
