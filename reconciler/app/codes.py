"""Every stable code in one table, from whoever raises it: code -> (what it means, what to do)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from reconciler.plan.codes import CODES as PLAN_CODES

_TABLES = (
    "reconciler.manifest.codes",
    "reconciler.manifest.contacts",
    "reconciler.providers.exotel.codes",
    "reconciler.providers.slicktext.codes",
    "reconciler.providers.intelepeer.codes",
    "reconciler.providers.contactcenter.codes",
)


def codes() -> Mapping[str, tuple[str, str]]:
    """All of them, sorted by code."""
    known = dict(PLAN_CODES)
    for name in _TABLES:
        known.update(import_module(name).CODES)
    return dict(sorted(known.items()))
