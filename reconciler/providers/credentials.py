"""Secrets, fetched at the last moment: from the environment or from a file, never from a manifest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import CredentialsRefused
from reconciler.model.resources import Account, Credential, FromEnv, FromFile, Literally
from reconciler.providers.base import Secret

MAX_BYTES = 64 * 1024


def reveal(account: Account) -> Mapping[str, Secret]:
    """The account's credentials by name. Raises CredentialsRefused naming the variable or file that is missing."""
    return {name: _one(account.name, name, credential) for name, credential in sorted(account.auth.items())}


def _one(account: str, name: str, credential: Credential) -> Secret:
    match credential:
        case Literally(text):
            return Secret(text)
        case FromEnv(variable):
            value, place = os.environ.get(variable, ""), f"the environment variable {variable}"
        case FromFile(path):
            value, place = _content(account, name, Path(path)), f"the file {path}"
    value = value.strip()
    if not value:
        raise CredentialsRefused(
            f"account {account!r} has no {name}: {place} is not set or empty",
            hint="set it, or point auth in the account's manifest elsewhere",
        )
    if any(ord(c) < 0x20 or ord(c) == 0x7F for c in value):
        raise CredentialsRefused(f"account {account!r}: {name} in {place} holds a control character")
    return Secret(value)


def _content(account: str, name: str, path: Path) -> str:
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return ""
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise CredentialsRefused(
            f"account {account!r}: the file for {name} cannot be read: {type(failure).__name__}"
        ) from None
