"""Every stable code in one table, from whoever raises it: code -> (what it means, what to do)."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.manifest.codes import CODES as MANIFEST_CODES
from reconciler.manifest.drafts.codes import CODES as IMPORT_CODES
from reconciler.plan.codes import CODES as PLAN_CODES
from reconciler.providers import registry
from reconciler.providers.base import BringsCodes

OWN: Mapping[str, tuple[str, str]] = {
    "contact-file-undeclared": (
        "A contact file holds people's numbers, and no manifest names it. What is once in Git stays in its history.",
        "Name it in contactsFrom, keep it out of the commit, encrypt it, or allow it with --allow-file GLOB.",
    ),
    "contact-file-opaque": (
        "A workbook, a Parquet file or an archive can hold people's numbers without anybody seeing them in a review, "
        "and no manifest names it.",
        "Name it in contactsFrom, keep it out of the commit, encrypt it, or allow it with --allow-file GLOB.",
    ),
    "format-refused": (
        "A file cannot be put into the form of `fmt` without changing what it says, so it stays as it is. That takes "
        "an odd file, such as one with a key of a thousand characters.",
        "Write that part of it in a plainer way.",
    ),
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
