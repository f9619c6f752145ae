"""What the pure planner needs from a provider: tables of abilities, and decisions turned into calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

from msgspec import Struct, field

from reconciler.diagnostics import Diagnostic
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.desired import Desired
from reconciler.model.inventory import Inventory
from reconciler.model.kinds import KindRules, MembershipRules
from reconciler.model.live import AccountLive, Observed
from reconciler.model.resources import Account, ById, Declared, Fields, Reference, Resource
from reconciler.plan.allows import Allows
from reconciler.plan.calls import Ref, Step, Target
from reconciler.plan.changes import Change


class World(Struct, frozen=True, kw_only=True):
    """One account as the planner sees it. ``bound`` maps our addresses to the live objects they stand for now.

    ``allows`` are the exceptions that somebody armed.
    """

    account: Account
    desired: Desired
    live: AccountLive
    inventory: Inventory
    bound: Mapping[Address, Observed] = field(default_factory=dict)
    allows: Allows = Allows()

    def target(self, reference: Reference) -> Target:
        """The remote id behind a reference, or the ``Ref`` to it when it is yet to be created."""
        match reference:
            case ById(remote_id):
                return remote_id
            case Declared(address):
                live = self.bound.get(address)
                return live.remote_id if live else Ref(address)

    def known_id(self, reference: Reference) -> RemoteId | None:
        target = self.target(reference)
        return None if isinstance(target, Ref) else target

    def live_object(self, kind: Kind, reference: Reference) -> Observed | None:
        remote_id = self.known_id(reference)
        return None if remote_id is None else self.live.objects.get((kind, remote_id))


class Compiled(Struct, frozen=True, kw_only=True):
    """Changes with their calls, contact classes and reach; and what cannot be done, with remedies."""

    changes: tuple[Change, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


class Reachable(Struct, frozen=True, kw_only=True):
    """The numbers that a provider can reach at all, and the code of the diagnostic about those it cannot. With it the
    loader can point at the row; a provider's rules may have one as ``reachable``."""

    pattern: re.Pattern[str]
    code: str


class Rules(Protocol):
    """The pure half of a provider. Nothing in here does I/O."""

    provider: str
    kinds: Mapping[Kind, KindRules]
    membership: MembershipRules

    def check(self, resource: Resource, account: Account, desired: Desired) -> Iterable[Diagnostic]:
        """Problems of one declared resource that need no network; ``source`` may be left for the loader to fill in."""
        ...

    def compile(self, changes: tuple[Change, ...], world: World) -> Compiled:
        """One account's decisions with ``steps`` (and ``carried_by``, ``contact_class``, ``reach``, further
        ``requires``) filled in. Changes that cannot be done are left without steps and explained by a diagnostic."""
        ...


@runtime_checkable
class Timed(Protocol):
    """What the rules of a provider have whose campaigns contact people at a time of their own. Optional."""

    def contacts_at(self, fields: Fields) -> datetime | None:
        """When a campaign with these fields (live and declared, normalised or not) begins by itself, in UTC; None for
        one that has no time."""
        ...


class Freeze(Struct, frozen=True, kw_only=True):
    """Why a call is refused at an instant, whoever approves it, and when that ends (None: not in sight)."""

    reason: str
    until: datetime | None


@runtime_checkable
class Freezing(Protocol):
    """What the rules of a provider have that refuses some calls for a time, such as right before a campaign goes to a
    list. Optional; whoever sends the call decides anew."""

    def freeze(self, step: Step, account: Account, live: AccountLive, now: datetime) -> Freeze | None:
        """What the call would be refused with at ``now``; None when it would not be."""
        ...


@runtime_checkable
class Local(Protocol):
    """What the rules of a provider have that serves certain countries. Optional."""

    def home_zones(self, account: Account) -> tuple[str, ...]:
        """The time zones (IANA) of the people whom the account contacts, for those whose number does not tell."""
        ...
