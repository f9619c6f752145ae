"""Names for resources: ours (``main/List/join``) and the provider's opaque ids."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, NewType

RemoteId = NewType("RemoteId", str)
"""The provider's own identifier: opaque text, never parsed, never shown where a name would do."""


class Kind(StrEnum):
    """What we manage at a provider."""

    LIST = "List"
    CAMPAIGN = "Campaign"
    ASSOCIATION = "Association"
    MEMBERSHIP = "Membership"


class Address(NamedTuple):
    """Our name for a resource, ``account/Kind/name``; it outlives any renumbering by the provider.

    A tuple, since a plan looks things up by address all the time, and sorts by it.
    """

    account: str
    kind: Kind
    name: str

    def __str__(self) -> str:
        return "/".join(self)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Raises ValueError when ``text`` is not ``account/Kind/name``."""
        account, kind, name = text.split("/", 2)
        return cls(account, Kind(kind), name)

    def replaced(self, remote_id: RemoteId) -> Address:
        """The name of what stood behind this address before, for as long as that is still there."""
        return Address(self.account, self.kind, f"{self.name}--replaced-{remote_id}")


def link_id(campaign: RemoteId, list_id: RemoteId) -> RemoteId:
    """The id of an association, which no provider gives one: both ends joined. Not to be taken apart again."""
    return RemoteId(f"{campaign}+{list_id}")
