"""Every stable code in one table, from whoever raises it: code -> (what it means, what to do)."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.manifest.codes import CODES as MANIFEST_CODES
from reconciler.manifest.drafts.codes import CODES as IMPORT_CODES
from reconciler.plan.codes import CODES as PLAN_CODES
from reconciler.providers import registry
from reconciler.providers.base import BringsCodes

OWN: Mapping[str, tuple[str, str]] = {
    "init-exists": (
        "There are files where `init` would write. Nothing was written.",
        "Move them away, or start in another folder.",
    ),
}
"""Those of what is done here and in no part below."""

TABLES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Manifests and contact files": MANIFEST_CODES,
    "Import": IMPORT_CODES,
    "The repository's files": OWN,
    "Planning, applying and the store": PLAN_CODES,
}
"""The tool's own codes by what they are about, as the user guide has them; each provider has a table besides."""


def codes() -> Mapping[str, tuple[str, str]]:
    """All of them, sorted by code. What the tool's own say, no other package can replace."""
    known: dict[str, tuple[str, str]] = {}
    for provider in (*registry.installed().values(), *map(registry.get, registry.BUILT_IN)):
        if isinstance(provider, BringsCodes):
            known |= provider.codes
    for table in TABLES.values():
        known |= table
    return dict(sorted(known.items()))
