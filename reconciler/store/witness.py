"""A mark beside a store's file that says how far it had got, so that an older copy put in its place is noticed.

An older copy looks sound, and has forgotten what was created, dialled and used up since. The mark is a file of its own
because nothing inside the copy can tell. A store that is another one altogether, or new, says nothing about the mark.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from reconciler.errors import StoreError

SUFFIX = ".seen"


def check(path: Path, found: tuple[str, int]) -> None:
    """Raises StoreError when the store at ``path`` was further than ``found`` before."""
    mark = path.with_name(path.name + SUFFIX)
    try:
        seen = json.loads(mark.read_text(encoding="utf-8"))
        store, done = str(seen["store"]), int(seen["runs"])
    except (OSError, ValueError, KeyError, TypeError):
        return  # without a mark that can be read nothing is known, and nothing is claimed
    if store == found[0] and done > found[1]:
        raise StoreError(
            f"the store {path} is an older copy: the last {done - found[1]} runs are missing",
            hint=f"put the newest copy back; if there is none, check the portal for what was done since, remove {mark} "
            "and plan",
        )


def leave(path: Path, found: tuple[str, int]) -> None:
    """Writes the mark. Where that cannot be done it stays as it is: an older mark is as true."""
    mark = path.with_name(path.name + SUFFIX)
    draft = mark.with_name(f".{mark.name}.{os.getpid()}")
    with suppress(OSError):
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump({"store": found[0], "runs": found[1]}, file)
        draft.replace(mark)
