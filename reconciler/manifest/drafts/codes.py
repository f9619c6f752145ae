"""The codes of an import, for ``reconciler explain``: what each means, and what to do."""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, tuple[str, str]] = {
    "import-exists": (
        "There are files where an import would write. Nothing was touched.",
        "Bring them in line with --update, or choose another folder with --out.",
    ),
    "import-kept": (
        "A manifest says something else than what is live, and an import does not change that: the object is gone, or "
        "the value is written in a way that only a person can change.",
        "Change the manifest yourself, or remove it when that is meant.",
    ),
    "import-left-out": (
        "Something live has no manifest after an import: the provider's rules would refuse it, it is history, or its "
        "name is another manifest's.",
        "The message says why. What must stay as it is needs no manifest: what is not declared is never touched.",
    ),
    "import-note": (
        "Something to know about a manifest that an import wrote, mostly what the provider does not tell. It stands "
        "there as a comment, too.",
        "Read it once; nothing is wrong.",
    ),
    "import-not-owned": (
        "A plan right after an import holds a change that does more than take ownership, so the import left it alone.",
        "See it with: reconciler plan",
    ),
}
