"""What the manifests ask for, whole and resolved."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property

from msgspec import Struct, field

from reconciler.diagnostics import Span
from reconciler.model.addresses import Address, Kind
from reconciler.model.contacts import ContactSet
from reconciler.model.quiet import QuietHours
from reconciler.model.resources import Account, ById, Declared, FromEnv, FromFile, Reference, Resource


class Suppression(Struct, frozen=True, kw_only=True):
    """Numbers that must never be contacted, for all accounts or those named."""

    name: str
    contacts: ContactSet
    accounts: frozenset[str] = frozenset()

    def covers(self, account: str) -> bool:
        return not self.accounts or account in self.accounts


class Waiver(Struct, frozen=True, kw_only=True):
    """Drift that is known and accepted through the day ``expires``. No ``fields`` means all of them."""

    name: str
    address: Address
    reason: str
    expires: date
    fields: frozenset[str] = frozenset()
    source: Span | None = None


def in_environment(name: str) -> str:
    """What a command that is told to people says to mean that environment, a space before it; empty for none.

    Without it the command would go to another account, or to what another store namespace owns.
    """
    return f" -e {shlex.quote(name)}" if name else ""


class Project(Struct, frozen=True, kw_only=True):
    """The Project document, with its environment already applied. ``root`` is absolute; ``store`` is a URL or empty.

    ``store_from`` says where the store's URL is, when the document does not hold it; then ``store`` is empty.
    """

    name: str = ""
    root: str
    environment: str = ""
    store: str = ""
    source: Span | None = None
    store_from: FromEnv | FromFile | None = None
    quiet_hours: QuietHours | None = None


class Desired(Struct, frozen=True, kw_only=True, dict=True):
    """Everything declared. ``resources`` is in no particular order; use ``of`` where order matters."""

    project: Project
    accounts: Mapping[str, Account] = field(default_factory=dict)
    resources: Mapping[Address, Resource] = field(default_factory=dict)
    suppressions: tuple[Suppression, ...] = ()
    inputs_digest: str = ""
    """SHA-256 over every manifest and contact file that was read, for the plan's digest."""
    waivers: tuple[Waiver, ...] = ()

    def of(self, account: str, kind: Kind | None = None) -> tuple[Resource, ...]:
        """The resources of one account (and kind), sorted by address."""
        return self._sorted.get((account, kind), ())

    @cached_property
    def _sorted(self) -> Mapping[tuple[str, Kind | None], tuple[Resource, ...]]:
        """By account, and by account and kind: a plan asks for them a dozen times."""
        found: dict[tuple[str, Kind | None], list[Resource]] = {}
        for address in sorted(self.resources):
            for kind in (None, address.kind):
                found.setdefault((address.account, kind), []).append(self.resources[address])
        return {key: tuple(resources) for key, resources in found.items()}

    def suppressed(self, account: str) -> ContactSet:
        """Every number suppressed for ``account``, in one set."""
        return ContactSet.union_of(s.contacts.select(("number",)) for s in self.suppressions if s.covers(account))

    def quiet_hours(self, account: str) -> QuietHours | None:
        """The account's own hours, else the project's; None where nothing is quiet."""
        return self.accounts[account].quiet_hours or self.project.quiet_hours

    def find(self, reference: Reference) -> Resource | None:
        match reference:
            case Declared(address):
                return self.resources.get(address)
            case ById():
                return None

    def without(self, addresses: Iterable[Address]) -> Mapping[Address, Resource]:
        gone = frozenset(addresses)
        return {a: r for a, r in self.resources.items() if a not in gone}
