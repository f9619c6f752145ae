"""The decisions of a plan: a closed union, frozen all the way down. Whoever handles a change handles every action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Self, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Span
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import ContactClass, gravest
from reconciler.model.live import Observed
from reconciler.model.resources import FieldValue, Resource
from reconciler.plan.calls import Part, Step

TO_REMEMBER = "lifecycle-to-remember"
"""The code of what an apply remembers of its own (``plan.lifecycles``)."""


class Approval(StrEnum):
    """What somebody must have agreed to; the words of ``--approve``."""

    CREATE = "create"
    UPDATE = "update"
    ASSOCIATE = "associate"
    DELETE = "delete"
    CONTACT = "contact"


class Delta(Struct, frozen=True, kw_only=True):
    """One field that differs. Values are normalised; ``path`` is dotted."""

    path: str
    live: FieldValue
    desired: FieldValue


class MemberDelta(Struct, frozen=True, kw_only=True):
    """How one membership differs: columns, never a row per person.

    ``protective`` is the part of ``remove`` that suppressions ask for: it only protects people, so no approval and no
    guard stands before it. ``create`` is the part of ``add`` that must first be created as contacts. ``unchanged``
    counts declared members that are on the list already. ``live_count`` is the list's size before.
    """

    add: ContactSet = field(default_factory=ContactSet.empty)
    remove: ContactSet = field(default_factory=ContactSet.empty)
    change: ContactSet = field(default_factory=ContactSet.empty)
    create: ContactSet = field(default_factory=ContactSet.empty)
    protective: ContactSet = field(default_factory=ContactSet.empty)
    unchanged: int = 0
    live_count: int = 0

    @property
    def empty(self) -> bool:
        return not (len(self.add) or len(self.remove) or len(self.change))


class Reach(Struct, frozen=True, kw_only=True, dict=True):
    """People newly exposed to being contacted: those we can tell apart, and those we can only count.

    ``unread`` are the lists among theirs of which it was not read who is on them.
    """

    numbers: ContactSet = field(default_factory=ContactSet.empty)
    uncounted: int = 0
    unread: frozenset[RemoteId] = frozenset()

    @cached_property
    def count(self) -> int:
        return len(self.numbers) + self.uncounted


class ChangeBase(Struct, frozen=True, kw_only=True):
    """What every change has. ``reason`` is for people only; nothing may decide by it.

    ``requires`` must be done before any step of this one; ``arm_after`` before its ARM steps. ``carried_by`` names the
    change whose calls do this one's work too; such a change has no steps of its own. It ends as that one does, or where
    a step of that one has a part for it, as the part does. ``remote_id`` is the live object.
    """

    address: Address
    provider: str
    reason: str
    source: Span | None = None
    remote_id: RemoteId | None = None
    desired: Resource | None = None
    live: Observed | None = None
    deltas: tuple[Delta, ...] = ()
    members: MemberDelta | None = None
    steps: tuple[Step, ...] = ()
    requires: tuple[Address, ...] = ()
    arm_after: tuple[Address, ...] = ()
    carried_by: Address | None = None
    contact_class: ContactClass = ContactClass.SILENT
    reach: Reach = Reach()
    approvals: frozenset[Approval] = frozenset()
    deletes: int = 0
    """How many deletes the guards count for this change (a dissociation counts, members are counted apart)."""

    def with_steps(self, *steps: Step) -> Self:
        """This change with its calls, and with the gravest contact class among them."""
        worst = gravest([self.contact_class, *(s.contact_class for s in steps)])
        return replace(self, steps=self.steps + steps, contact_class=worst)

    @property
    def call_count(self) -> int:
        return sum([step.count for step in self.steps])

    @property
    def parts(self) -> tuple[Part, ...]:
        """The shares of several changes, this one's among them, that the steps of this one do."""
        return tuple(part for step in self.steps for part in step.parts)


class Create(ChangeBase, frozen=True, kw_only=True):
    """Not live: make it."""


class Update(ChangeBase, frozen=True, kw_only=True):
    """Ours and different."""


class Replace(ChangeBase, frozen=True, kw_only=True):
    """Ours, different, and the provider cannot update: delete and create, as the manifest allows."""


class Delete(ChangeBase, frozen=True, kw_only=True):
    """Ours, no longer declared, and its manifest had said to delete then."""


class Adopt(ChangeBase, frozen=True, kw_only=True):
    """A live match that is not ours yet: take ownership, and update what differs."""


class Forget(ChangeBase, frozen=True, kw_only=True):
    """Ours and no longer declared (or gone): let go of it without touching anything live."""


Change: TypeAlias = Create | Update | Replace | Delete | Adopt | Forget

ACTIONS: Mapping[type[ChangeBase], str] = {
    Create: "create",
    Update: "update",
    Replace: "replace",
    Delete: "delete",
    Adopt: "adopt",
    Forget: "forget",
}


def people_reached(changes: Iterable[Change]) -> int:
    """Distinct people whom these changes newly expose to being contacted."""
    reaches = [c.reach for c in changes if c.reach.count]
    known = ContactSet.union_of(r.numbers.select(("number",)) for r in reaches)
    return len(known) + sum(r.uncounted for r in reaches)


def action(change: Change) -> str:
    """The word for a change in JSON and on the command line."""
    return ACTIONS[type(change)]


class AccountRead(Struct, frozen=True, kw_only=True):
    """One line of a plan's head: what was read. ``problem`` is set when the account could not be read."""

    name: str
    provider: str
    identity: str
    counts: tuple[tuple[str, int], ...] = ()
    requests: int = 0
    elapsed_s: float = 0.0
    problem: Diagnostic | None = None
    exit_code: int = 0
    counted: tuple[Address, ...] = ()
    """The Memberships of which only was counted how many are on their list."""


class GuardFinding(Struct, frozen=True, kw_only=True):
    """A guard that would refuse. ``lift`` is the exact ``--allow`` value that lifts this one and no other."""

    guard: str
    account: str
    actual: float
    limit: float
    message: str
    lift: str


class Plan(Struct, frozen=True, kw_only=True):
    """The ordered changes and their calls, one immutable value that preview and apply share.

    ``changes`` are sorted by account, then in order of application. ``reach`` counts distinct people over the plan.
    ``digest_inputs`` are the digests of what the plan was made from (manifests, files, tool version).
    """

    project: str
    environment: str
    accounts: tuple[AccountRead, ...]
    changes: tuple[Change, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    guards: tuple[GuardFinding, ...] = ()
    reach: int = 0
    digest_inputs: tuple[str, ...] = ()
    unmanaged: tuple[tuple[str, str, int], ...] = ()
    """(account, kind, how many) live objects that nobody declares and nobody owns."""

    @property
    def differs(self) -> bool:
        """Whether an apply would do anything: at a provider, or to what we remember of our own."""
        return bool(self.changes) or any(d.code == TO_REMEMBER for d in self.diagnostics)

    @property
    def blocking(self) -> tuple[Diagnostic, ...]:
        """What makes the plan impossible, whoever wants it."""
        return tuple(d for d in self.diagnostics if d.blocking and not d.policy)

    @property
    def refusals(self) -> tuple[Diagnostic, ...]:
        """What policies refuse. It could be done; nothing but another policy allows it."""
        return tuple(d for d in self.diagnostics if d.blocking and d.policy)

    @property
    def call_count(self) -> int:
        return sum(c.call_count for c in self.changes)
