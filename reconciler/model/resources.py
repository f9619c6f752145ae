"""What a manifest declares: accounts, resources and the references between them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

from reconciler.diagnostics import Span
from reconciler.model.addresses import Address, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.quiet import QuietHours

FieldValue: TypeAlias = (
    "str | int | float | bool | tuple[FieldValue, ...] | frozenset[str] | Mapping[str, FieldValue] | None"
)
"""A normalised field: text is trimmed where the kind says so, sequences are tuples, unordered ones frozensets."""

Fields: TypeAlias = Mapping[str, FieldValue]


class OnRemove(StrEnum):
    """What taking a manifest away means for the live object."""

    KEEP = "keep"
    DELETE = "delete"


class Mode(StrEnum):
    """Whether a membership removes people it does not declare."""

    EXACT = "exact"
    ADDITIVE = "additive"


class Lifecycle(Struct, frozen=True, kw_only=True):
    """``lifecycle`` of a manifest; the same block for every kind."""

    protect: bool = False
    ignore: frozenset[str] = frozenset()
    replace: bool = False
    on_remove: OnRemove = OnRemove.KEEP
    renamed_from: str = ""
    observe: bool = False


class Declared(Struct, frozen=True):
    """A reference to a resource that another manifest declares."""

    address: Address


class ById(Struct, frozen=True):
    """A reference to a live object that nobody declares, ``{id: "2222"}``."""

    remote_id: RemoteId


Reference: TypeAlias = Declared | ById


class Link(Struct, frozen=True, kw_only=True):
    """The two ends of an Association."""

    campaign: Reference
    list: Reference


class Members(Struct, frozen=True, kw_only=True):
    """What a Membership declares. ``of`` is its list (or campaign, for leads).

    ``contacts`` has the column ``number`` (E.164) and one column per declared attribute. Rejected rows are not in it;
    suppressed numbers still are: the planner takes them out, so that it can say so and remove live ones.
    """

    of: Reference
    mode: Mode
    contacts: ContactSet
    allow_empty: bool = False
    missing_contacts: Literal["fail", "create"] = "fail"
    contact_attributes: Literal["create", "sync"] = "create"
    options: Mapping[str, FieldValue] = field(default_factory=dict)


class Resource(Struct, frozen=True, kw_only=True):
    """One declared thing. ``fields`` holds only what the manifest manages: a field left out is absent, never null.

    Exactly one of ``link`` (Association) and ``members`` (Membership) is set for those kinds, neither for the others.
    ``pinned`` is set when the manifest names the live object by id (``spec.id``).
    """

    address: Address
    provider: str
    fields: Fields
    source: Span
    lifecycle: Lifecycle = Lifecycle()
    labels: Mapping[str, str] = field(default_factory=dict)
    link: Link | None = None
    members: Members | None = None
    pinned: RemoteId | None = None


class FromEnv(Struct, frozen=True):
    """A secret in an environment variable."""

    variable: str


class FromFile(Struct, frozen=True):
    """A secret in a file, whole content without the trailing newline; ``path`` is absolute."""

    path: str


class Literally(Struct, frozen=True):
    """A value written in the manifest; allowed for user names only."""

    text: str


Credential: TypeAlias = FromEnv | FromFile | Literally
"""How to come by a secret; the secret itself never enters the model."""


class Limits(Struct, frozen=True, kw_only=True):
    """How hard an account may be used. None: the provider's default. Minutes and seconds are wall-clock."""

    requests_per_second: float | None = None
    reads_per_minute: float | None = None
    writes_per_minute: float | None = None
    concurrency: int | None = None
    timeout_s: float | None = None


class Settle(Struct, frozen=True, kw_only=True):
    """How long an effect may take to land, and to show, in seconds. None: the provider's default."""

    landing_s: float | None = None
    visibility_s: float | None = None


class GuardLimits(Struct, frozen=True, kw_only=True):
    """Above these a plan is refused until the exact guard is lifted (``--allow``). Percentages are 0 to 100."""

    deletes_count: int = 10
    deletes_percent: float = 30.0
    removals_count: int = 100
    removals_percent: float = 10.0
    max_reach: int | None = None


class Account(Struct, frozen=True, kw_only=True):
    """One login at a provider. ``settings`` holds the provider's own keys (``brandId``, ``authScheme``, …), validated.

    ``base_url`` is empty for the provider's own host. ``host_allowed`` says that the user allowed a foreign one.
    """

    name: str
    provider: str
    auth: Mapping[str, Credential]
    source: Span
    base_url: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = Limits()
    settle: Settle = Settle()
    guards: GuardLimits = GuardLimits()
    quiet_hours: QuietHours | None = None
    """In place of the project's."""
    labels: Mapping[str, str] = field(default_factory=dict)
