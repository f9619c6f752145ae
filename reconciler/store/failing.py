"""What a database says when it fails, as one ``StoreError`` with a remedy."""

from __future__ import annotations

from reconciler.errors import StoreError

READ_ONLY = "this command reads the store and may not change it"

_REMEDIES = {
    "locked": "another reconciler is writing to it; try again when that one is done",
    "malformed": "restore it from a backup; do not delete it, or what it owns becomes unknown",
    "not a database": "the store URL names something else; correct it, or move that file away",
    "readonly": "this user may not write to it",
    "disk is full": "make room; nothing was recorded",
    "password": "check the user name and password of the store URL",
    "connect": "check that the database server runs, and the host and port of the store URL",
    "permission": "this user may not read or write it",
}


def unusable(place: str, detail: str) -> StoreError:
    """The store at ``place`` cannot be used; the first line of ``detail`` says why."""
    why = detail.strip().split("\n")[0]
    hint = next((remedy for sign, remedy in _REMEDIES.items() if sign in why.lower()), "check the store URL")
    return StoreError(f"the store {place} cannot be used: {why}", hint=hint)
