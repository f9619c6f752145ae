"""What a provider is: rules for the planner, and a session that reads, sends and looks.

A provider fetches, converts, and turns a change into calls. It never diffs, plans or prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from reconciler.diagnostics import Diagnostic
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.desired import Desired
from reconciler.model.inventory import Inventory
from reconciler.model.kinds import ContactClass
from reconciler.model.live import AccountLive
from reconciler.model.resources import Account
from reconciler.plan.calls import Call, Effect, Evidence
from reconciler.plan.rules import Rules


class Secret(str):
    """A credential in the clear. Its ``repr`` and any formatting of it are masked; only ``reveal`` gives it away."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def reveal(self) -> str:
        return str.__str__(self)


class Progress(Protocol):
    """Told about long reads: what is being read, how far, out of how many (None: unknown)."""

    def __call__(self, what: str, done: int, total: int | None) -> None: ...


def silent(what: str, done: int, total: int | None) -> None:
    """The progress nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Everything a session needs besides the account. ``read_only`` makes the transport refuse every write."""

    secrets: Mapping[str, Secret]
    read_only: bool
    concurrency: int | None = None
    """A cap from the command line, below the account's own."""
    progress: Progress = silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a fetch is for: the members of every list that a Membership (or an owned one) names, all lists, all
    campaigns, all links. ``everything`` asks for the members of every list, as an import does."""

    desired: Desired
    inventory: Inventory
    everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A 2xx to a call. ``remote_id`` is set when the call created one object and the answer names it."""

    status: int
    body: Any = None
    remote_id: RemoteId | None = None


class Session(Protocol):
    """One account, logged in. Everything raises ``errors.ProviderError`` and nothing else for what goes wrong."""

    @property
    def requests(self) -> int:
        """Every request put on the wire so far, logins and retries included."""
        ...

    async def fetch(self, scope: Scope) -> AccountLive:
        """The whole account, or an exception: never a part."""
        ...

    async def send(self, call: Call, effect: Effect) -> Answer:
        """Send one call, once. Retries only what is proven not processed. ``effect`` says what kind of answer to read.

        Raises NotSent, RateLimited (not processed), Rejected, NotFound (refused), NoAnswer (unknown).
        """
        ...

    async def observe(self, effect: Effect, rows: ContactSet | None) -> Evidence:
        """Look, without writing, whether ``effect`` (all Refs resolved) is true now."""
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A parameter of an operation, under its wire name. ``place`` is where it goes in the request."""

    name: str
    place: Literal["path", "query", "body"]
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One documented endpoint. ``name`` is ``resource.verb``; ``path`` has ``{placeholders}``.

    ``array_body``: the body is one JSON array, given as the parameter ``body``. ``fixed`` are members of the body that
    the operation is about: always sent, and not for a caller to give or change.
    """

    name: str
    method: str
    path: str
    summary: str
    params: tuple[Param, ...] = ()
    contact_class: ContactClass = ContactClass.SILENT
    array_body: bool = False
    fixed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What the provider's page recommends where an account says nothing. Times in seconds."""

    base_url: str
    requests_per_second: float | None = None
    reads_per_minute: float | None = None
    writes_per_minute: float | None = None
    concurrency: int = 4
    timeout_s: float = 30.0
    landing_s: float = 120.0
    visibility_s: float = 30.0


class Provider(Protocol):
    """The plug-in. Registered in ``providers.registry`` or by the entry-point group ``reconciler.providers``."""

    name: str
    rules: Rules
    defaults: Defaults
    kinds: tuple[Kind, ...]
    credentials: tuple[frozenset[str], ...]
    """The sets of names that ``auth`` may have, e.g. ``({username, password}, {token})``."""
    operations: tuple[Operation, ...]

    def identity(self, account: Account) -> str:
        """Whose account this is by declaration: provider, host and brand, sid or account id. ``""`` when only a login
        can tell; ``AccountLive.identity`` is then the only truth."""
        ...

    def check_account(self, account: Account) -> tuple[Diagnostic, ...]:
        """Problems of the account's own settings that need no network."""
        ...

    def connect(self, account: Account, connection: Connection) -> Session:
        """A session; no request is sent yet."""
        ...
