"""What we own: the addresses we created or adopted, and what we last did to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import groupby

from msgspec import Struct, field

from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.hashes import NO_MEMBERS, MemberHashes
from reconciler.model.resources import Fields, OnRemove


class Owned(Struct, frozen=True, kw_only=True):
    """One owned resource. ``protect`` is sticky: it outlives the manifest that set it.

    ``fields`` are those last applied. For a Membership, ``applied`` are the keyed hashes of the declared members after
    the last apply and ``added`` of those that we put there ourselves (a subset); ``parent`` is the list's remote id.
    """

    address: Address
    provider: str
    remote_id: RemoteId
    protect: bool = False
    on_remove: OnRemove = OnRemove.KEEP
    fields: Fields = field(default_factory=dict)
    parent: RemoteId | None = None
    applied: MemberHashes = NO_MEMBERS
    added: MemberHashes = NO_MEMBERS


class LastRead(Struct, frozen=True, kw_only=True):
    """The last good counts of an account: objects per kind, members per list id."""

    objects: Mapping[Kind, int] = field(default_factory=dict)
    members: Mapping[RemoteId, int] = field(default_factory=dict)


class Inventory(Struct, frozen=True, kw_only=True, dict=True):
    """Everything owned in one project and environment. ``exists`` is false when there was no store to read.

    ``identities`` remembers whose account each account name was; ``key`` is the secret behind the member hashes.
    """

    owned: Mapping[Address, Owned] = field(default_factory=dict)
    identities: Mapping[str, str] = field(default_factory=dict)
    last_reads: Mapping[str, LastRead] = field(default_factory=dict)
    key: bytes = b""
    exists: bool = True

    def of(self, account: str) -> tuple[Owned, ...]:
        """What is owned in one account, sorted by address."""
        return self._by_account.get(account, ())

    def memberships_of(self, account: str, parent: RemoteId) -> Sequence[Owned]:
        """The memberships that are owned of one list."""
        return self._by_parent.get((account, parent), ())

    @cached_property
    def _by_account(self) -> Mapping[str, tuple[Owned, ...]]:
        grouped = groupby(sorted(self.owned), key=lambda address: address.account)
        return {account: tuple(self.owned[a] for a in addresses) for account, addresses in grouped}

    @cached_property
    def _by_parent(self) -> Mapping[tuple[str, RemoteId], Sequence[Owned]]:
        found: dict[tuple[str, RemoteId], list[Owned]] = {}
        for address, each in self.owned.items():
            if address.kind is Kind.MEMBERSHIP and each.parent is not None:
                found.setdefault((address.account, each.parent), []).append(each)
        return found
