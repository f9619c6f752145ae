"""What we own, what was done and who is at it: inventory, journal, used plans and leases, in SQLite or PostgreSQL.

Names are imported when they are asked for: most of them bring SQLAlchemy along, and a plan over a SQLite file needs
only ``known_at``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from reconciler.store.known import DEFAULT_URL, Known, known_at

if TYPE_CHECKING:
    from reconciler.store.leases import LEASE_TTL, Holder, Lease
    from reconciler.store.opening import open_store
    from reconciler.store.records import (
        Intent,
        OperationRecord,
        OperationState,
        OpId,
        Outcome,
        RunRecord,
        intent_of,
        path_template,
    )
    from reconciler.store.store import Run, Store

__all__ = [
    "DEFAULT_URL",
    "LEASE_TTL",
    "Holder",
    "Intent",
    "Known",
    "Lease",
    "OpId",
    "OperationRecord",
    "OperationState",
    "Outcome",
    "Run",
    "RunRecord",
    "Store",
    "intent_of",
    "known_at",
    "open_store",
    "path_template",
]

_ELSEWHERE = {
    "leases": ("LEASE_TTL", "Holder", "Lease"),
    "opening": ("open_store",),
    "store": ("Run", "Store"),
}


def __getattr__(name: str) -> Any:
    module = next((module for module, names in _ELSEWHERE.items() if name in names), "records")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
