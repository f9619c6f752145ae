"""What the providers report now. A failed read is a ``Unread``, never an empty ``AccountLive``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

from msgspec import Struct, field

from reconciler.diagnostics import Diagnostic
from reconciler.model.addresses import Address, Kind, RemoteId, link_id
from reconciler.model.contacts import ContactSet
from reconciler.model.resources import Fields


class Observed(Struct, frozen=True, kw_only=True):
    """One live list or campaign. ``fields`` are normalised as the kind declares and may hold more than is managed.

    ``facts`` are read-only truths the provider's own rules look at (``status``, ``active``, ``lists``, ``segments`` …);
    they are never compared with a manifest.
    """

    kind: Kind
    remote_id: RemoteId
    name: str
    fields: Fields
    facts: Fields = field(default_factory=dict)


class LiveLink(Struct, frozen=True, kw_only=True):
    """One live association. ``fields`` holds only the attributes that could be read."""

    campaign: RemoteId
    list: RemoteId
    fields: Fields = field(default_factory=dict)

    @property
    def remote_id(self) -> RemoteId:
        return link_id(self.campaign, self.list)


class LiveMembers(Struct, frozen=True, kw_only=True):
    """Who is on one list now.

    ``contacts`` has the column ``number`` and, where the provider has them, ``contact_id``, ``status`` (see
    ``OPTED_OUT``) and the provider's attributes. When ``readable`` is false the provider tells how many there are and
    nothing else: ``contacts`` is empty and ``count`` is the truth. ``worked`` are numbers that are not on it any
    more and were contacted because they once were.

    ``counted`` are the Memberships for which nobody read who is on it: it has as many entries as when all of them were
    found to be as declared, and ``contacts`` are whom they declare.
    """

    contacts: ContactSet
    count: int
    readable: bool = True
    facts: Fields = field(default_factory=dict)
    worked: ContactSet = field(default_factory=ContactSet.empty)
    counted: frozenset[Address] = frozenset()


class Standing(StrEnum):
    """How far the provider is with somebody whom it works through by itself; a column of ``LiveMembers.contacts``.

    WAITING: nothing happened yet. FINISHED: history, nothing will happen any more. BUSY: perhaps being contacted now.
    """

    WAITING = "waiting"
    BUSY = "busy"
    FINISHED = "finished"


OPTED_OUT = "opted-out"
"""The value of a contact's ``status`` column that forbids every write about that person."""


class AccountLive(Struct, frozen=True, kw_only=True, dict=True):
    """One account, read whole. ``identity`` says whose account it is: host and brand, sid, customer or account id.

    ``members`` holds the lists that were asked for, by the list's id. ``contacts`` is the part of the address book that
    was looked up (same columns as ``LiveMembers.contacts``), for providers where a contact exists apart from lists.
    """

    identity: str
    objects: Mapping[tuple[Kind, RemoteId], Observed] = field(default_factory=dict)
    links: Mapping[RemoteId, LiveLink] = field(default_factory=dict)
    members: Mapping[RemoteId, LiveMembers] = field(default_factory=dict)
    contacts: ContactSet = field(default_factory=ContactSet.empty)
    requests: int = 0
    elapsed_s: float = 0.0
    latency_s: float = 0.0
    """How long one answer took on average."""
    notes: tuple[Diagnostic, ...] = ()

    def named(self, kind: Kind, name: str) -> tuple[Observed, ...]:
        """The live objects with exactly this name, sorted by id."""
        return self._by_name.get((kind, name), ())

    @cached_property
    def _by_name(self) -> Mapping[tuple[Kind, str], tuple[Observed, ...]]:
        found: dict[tuple[Kind, str], list[Observed]] = {}
        for key in sorted(self.objects):
            live = self.objects[key]
            found.setdefault((live.kind, live.name), []).append(live)
        return {key: tuple(namesakes) for key, namesakes in found.items()}

    def links_of(self, campaign: RemoteId) -> tuple[LiveLink, ...]:
        return tuple(sorted((x for x in self.links.values() if x.campaign == campaign), key=lambda x: x.list))


class Unread(Struct, frozen=True, kw_only=True):
    """An account that could not be read whole; nothing may be planned for it. ``exit_code`` is 4 or 10."""

    problem: Diagnostic
    exit_code: int


AccountState: TypeAlias = AccountLive | Unread


class Live(Struct, frozen=True, kw_only=True):
    """Every declared account, read or not."""

    accounts: Mapping[str, AccountState]
