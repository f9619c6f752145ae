"""Secrets, fetched at the last moment: from the environment or from a file, never from a manifest."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import CredentialsRefused
from reconciler.model.resources import Account, Credential, FromEnv, FromFile, Literally
from reconciler.providers.base import Secret

MAX_BYTES = 64 * 1024


def reveal(account: Account) -> Mapping[str, Secret]:
    """The account's credentials by name. Raises CredentialsRefused naming the variable or file that is missing."""
    return {n: secret(f"account {account.name!r}", n, credential) for n, credential in sorted(account.auth.items())}


def secret(owner: str, name: str, credential: Credential) -> Secret:
    """One secret. Raises CredentialsRefused; ``owner`` and ``name`` are for its message."""
    match credential:
        case Literally(text):
            return Secret(text)
        case FromEnv(variable):
            value, place = os.environ.get(variable, ""), f"the environment variable {variable}"
        case FromFile(path):
            value, place = _content(owner, name, Path(path)), f"the file {path}"
    value = value.strip()
    if not value:
        raise CredentialsRefused(
            f"{owner} has no {name}: {place} is not set or empty",
            hint=f"export {credential.variable}=…" if isinstance(credential, FromEnv) else "write it there",
        )
    if any(ord(c) < 0x20 or ord(c) == 0x7F for c in value):
        raise CredentialsRefused(f"{owner}: {name} in {place} holds a control character")
    return Secret(value)


def _content(owner: str, name: str, path: Path) -> str:
    try:
        # Whatever it has become since the manifest was checked, a pipe must not make us wait.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
                return ""
            return file.read(MAX_BYTES).decode()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as failure:
        raise CredentialsRefused(f"{owner}: the file for {name} cannot be read: {type(failure).__name__}") from None
