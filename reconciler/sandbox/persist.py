"""The state on disk, so that a sandbox can be stopped and started again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from reconciler.sandbox.wire import SandboxError
from reconciler.sandbox.world import World


class Store:
    """One JSON file that always holds a complete state: written beside, synced, then moved over the old one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._saved: object = None

    def restore(self, world: World) -> bool:
        """Take over what the file holds; False when there is no file yet."""
        if not self.path.exists():
            return False
        try:
            world.replace(_document(self.path))
        except SandboxError as error:
            raise SandboxError(f"{self.path}: {error}") from error
        self._saved = world.revision
        return True

    def save(self, world: World) -> bool:
        """Write if something changed since the last time."""
        revision = world.revision
        if revision == self._saved:
            return False
        content = msgspec.json.encode(world.dump())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
        self._saved = revision
        return True


def _document(path: Path) -> Any:
    try:
        document = msgspec.json.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SandboxError(f"no JSON: {error}") from error
    if not isinstance(document, dict) or "format" not in document:
        raise SandboxError("not a saved state; a seed is given separately")
    return document
