"""What a person can do in a vendor's portal: a table of edits by name, and how one of them is carried out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from reconciler.sandbox.wire import JsonObject, SandboxError

Platform = TypeVar("Platform")
Owner = TypeVar("Owner")


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal(Generic[Platform, Owner]):
    """``find`` finds whose portal it is, by the argument named ``owner``; without it, the first account's."""

    provider: str
    find: Callable[[Platform, Any, str], Owner]
    edits: Mapping[str, Callable[[Platform, Owner, JsonObject], Any]]
    owner: str = "account"

    def carry_out(self, platform: Platform, operation: str, arguments: JsonObject) -> Any:
        """One edit; the answer is the id of what was made or changed. Raises ``SandboxError``."""
        if operation not in self.edits:
            raise SandboxError(f"{self.provider}: unknown operation {operation!r}; known: {', '.join(self.edits)}")
        try:
            owner = self.find(platform, arguments.get(self.owner), operation)
            return self.edits[operation](platform, owner, arguments)
        except KeyError as error:
            raise SandboxError(f"{self.provider}.{operation}: {error.args[0]} is missing") from error


def settings(arguments: JsonObject, known: Collection[str], where: str) -> JsonObject:
    """What ``set`` holds; a field that is not known is an error."""
    wanted: JsonObject = arguments["set"]
    if unknown := sorted(set(wanted) - set(known)):
        raise SandboxError(f"{where}: unknown field {unknown[0]!r}; known: {', '.join(known)}")
    return wanted
