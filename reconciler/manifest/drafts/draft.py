"""A manifest in the making: what it would declare, and what has to be said beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct, field

from reconciler.diagnostics import Diagnostic, Severity, Span, warning
from reconciler.manifest.schemas import KindSchema, kind_schema
from reconciler.manifest.values import frozen
from reconciler.masking import mask_text, visible
from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.live import Observed
from reconciler.model.resources import ById, Declared, Link, Members, Reference, Resource

Key: TypeAlias = tuple[Kind, RemoteId]
"""What is live: the id of a list, a campaign or a link; of a membership the id of what its members are of."""

_NOWHERE = Span(file="import", line=1)


class Draft(Struct, frozen=True, kw_only=True):
    """One manifest. ``fields`` are those of its spec by their names there, plain values as YAML has them.
    ``parent`` is what a Membership's members are of.

    ``why_mode`` says beside a Membership's mode why it is that one. ``notes`` are sentences for whoever reads the
    file. ``optional`` are fields, or columns of its contacts, that it can do without.
    """

    key: Key
    address: Address
    provider: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    pinned: RemoteId | None = None
    link: Link | None = None
    members: Members | None = None
    parent: Kind = Kind.LIST
    why_mode: str = ""
    notes: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.provider}/v1"

    @property
    def resource(self) -> Resource:
        """What a load would make of it."""
        ids = schema_of(self.provider, self.address.kind).ids
        return Resource(
            address=self.address,
            provider=self.provider,
            fields={n: str(v) if n in ids else frozen(v) for n, v in self.fields.items()},
            source=_NOWHERE,
            link=self.link,
            members=self.members,
            pinned=self.pinned,
        )

    def spec(self, file: str = "") -> dict[str, Any]:
        """Its spec in the order in which it is written. ``file`` is where its contacts are."""
        spec: dict[str, Any] = {} if self.pinned is None else {"id": str(self.pinned)}
        if self.link is not None:
            spec |= {"campaign": _reference(self.link.campaign), "list": _reference(self.link.list)}
        if self.members is not None:
            of = self.members.of
            spec |= {self.parent.lower(): _reference(of), "mode": str(self.members.mode)}
            spec |= {"contactsFrom": [{"file": file}]}
        return spec | dict(self.fields)


class Drafts(Struct, frozen=True, kw_only=True):
    """Everything that is to be written, sorted by kind and name, and what is left out, by the kind it is of."""

    drafts: tuple[Draft, ...]
    left: Sequence[tuple[Kind, Diagnostic]] = ()

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All there is to tell, with the notes that stand in the files as comments."""
        notes = (
            Diagnostic(code="import-note", severity=Severity.NOTE, message=note, address=str(d.address))
            for d in self.drafts
            for note in d.notes
        )
        return (*(told for _, told in self.left), *notes)


def left_out(account: str, live: Observed, why: str, hint: str = "") -> tuple[Kind, Diagnostic]:
    """A live object that gets no manifest, and why."""
    message = f"{live.kind.lower()} {shown(live.name)} ({live.remote_id}) is left out: {why}"
    return live.kind, warning("import-left-out", message, hint=hint, address=account)


def shown(name: str) -> str:
    """Somebody else's name within a sentence of ours: on its line, and without a number that could be dialled."""
    return f'"{mask_text(visible(name))}"'


def schema_of(provider: str, kind: Kind) -> KindSchema:
    """The schema of a kind. Raises LookupError where the provider has none."""
    schema = kind_schema(f"{provider}/v1", str(kind))
    if schema is None:
        raise LookupError(f"{provider} has no schema of {kind}")
    return schema


def _reference(reference: Reference) -> Any:
    match reference:
        case Declared(address):
            return address.name
        case ById(remote_id):
            return {"id": str(remote_id)}
