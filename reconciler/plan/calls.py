"""Calls as data: what would be sent, in terms that preview and apply share.

A ``Step`` is one kind of call together with the ``Effect`` it is for. A step over people holds the people as columns
and one call as a template; the single requests are cut from it lazily, so a plan over a million members stays small.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum, StrEnum
from typing import TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import ContactClass
from reconciler.model.resources import Fields


class Method(StrEnum):
    """An HTTP method. Only ``GET`` reads."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


class Ref(Struct, frozen=True, tag=True):
    """The remote id of a resource that an earlier call of the same plan creates; shown as ``(known after apply)``."""

    address: Address
    as_int: bool = False


class Column(Struct, frozen=True, tag=True):
    """A contact's value, put in for each row. An empty ``contact_id`` is one that an earlier call creates."""

    name: str
    as_int: bool = False


class Each(Struct, frozen=True, tag=True):
    """An array with one ``item`` for each row of the batch."""

    item: Json


class EachPart(Struct, frozen=True, tag=True):
    """An array with the ``entry`` of each part of the step."""


Json: TypeAlias = (
    "bool | int | float | str | Ref | Column | Each | EachPart | tuple[Json, ...] | Mapping[str, Json] | None"
)
Target: TypeAlias = RemoteId | Ref
"""A live object: known by id already, or only after an earlier call."""


class Call(Struct, frozen=True, kw_only=True):
    """One HTTP request, not yet sent.

    ``path`` is in segments, below the account's base URL; without a ``body`` none is sent.
    """

    method: Method
    path: tuple[str | Ref | Column, ...]
    query: tuple[tuple[str, str], ...] = ()
    body: Json = None


class Phase(IntEnum):
    """Where in an apply a step runs: deletes go backwards, and what people can be reached by comes last of all."""

    LIST = 1
    CONTACT = 2
    MEMBERSHIP = 3
    CAMPAIGN = 4
    ASSOCIATION = 5
    DISSOCIATE = 6
    CAMPAIGN_DELETE = 7
    RELINK = 7  # a link that waits until another has gone, alone or with its campaign
    MEMBER_DELETE = 8
    LIST_DELETE = 9
    ARM = 10

    @property
    def deleting(self) -> bool:
        return Phase.DISSOCIATE <= self <= Phase.LIST_DELETE


class Created(Struct, frozen=True, kw_only=True, tag=True):
    """A new list or campaign. ``known_ids`` already had this name when we planned: they are not ours."""

    kind: Kind
    name: str
    fields: Fields
    known_ids: frozenset[RemoteId] = frozenset()


class Changed(Struct, frozen=True, kw_only=True, tag=True):
    """Fields of a live object. ``base`` is what they were when we planned, for the fields in ``expected`` only."""

    kind: Kind
    target: Target
    base: Fields
    expected: Fields


class Deleted(Struct, frozen=True, kw_only=True, tag=True):
    """A list or campaign that is gone, tombstones included."""

    kind: Kind
    target: Target


class Linked(Struct, frozen=True, kw_only=True, tag=True):
    """Lists that feed a campaign, all of them. ``base`` were linked when we planned.

    ``attributes`` are what the settings of links that exist already are changed to; where they cannot be read back,
    being linked is enough.
    """

    campaign: Target
    lists: tuple[Target, ...]
    base: frozenset[RemoteId] = frozenset()
    exact: bool = False
    attributes: Fields = field(default_factory=dict)


class ContactsCreated(Struct, frozen=True, kw_only=True, tag=True):
    """The rows of the step exist in the address book."""


class ContactsChanged(Struct, frozen=True, kw_only=True, tag=True):
    """The attribute columns of the step's rows are what the address book says."""

    columns: tuple[str, ...]


class MembersAdded(Struct, frozen=True, kw_only=True, tag=True):
    """The rows of the step are on the list.

    ``counted``: who is on it cannot be read, only opaque ids can; ``known_ids`` were there before. Such batches go one
    at a time, each looked at by how the list grew, and the new ids come back as the evidence's ``candidates``.
    """

    of: Target
    known_ids: frozenset[str] = frozenset()
    counted: bool = False


class MembersRemoved(Struct, frozen=True, kw_only=True, tag=True):
    """The rows of the step are not on the list."""

    of: Target


Effect: TypeAlias = (
    Created | Changed | Deleted | Linked | ContactsCreated | ContactsChanged | MembersAdded | MembersRemoved
)
"""What a call makes true, so that anybody can look whether it is true."""


class Part(Struct, frozen=True, kw_only=True):
    """One object's share of a call that writes several: whose change it is, its own effect, and its ``entry`` in the
    body, where an ``EachPart`` stands."""

    address: Address
    effect: Effect
    entry: Json


class Step(Struct, frozen=True, kw_only=True):
    """One call, or one call per ``chunk`` rows of ``rows``. ``title`` names it for people (``add members``).

    With ``parts`` it is one call for several objects, whose answer judges each of them: every part is an operation of
    its own change, which ends as the part does and not as the call. The first is that of the change that has the step,
    and ``effect`` is its effect; the other changes are ``carried_by`` that one.
    """

    phase: Phase
    title: str
    call: Call
    effect: Effect
    contact_class: ContactClass = ContactClass.SILENT
    rows: ContactSet | None = None
    chunk: int = 1
    parts: tuple[Part, ...] = ()

    @property
    def count(self) -> int:
        """How many requests this step sends."""
        return 1 if self.rows is None else -(-len(self.rows) // self.chunk)

    def batches(self) -> Iterator[Step]:
        """The step as single-call steps, in order; rows are sliced, never copied out."""
        if self.rows is None:
            yield self
            return
        for start in range(0, len(self.rows), self.chunk):
            yield replace(self, rows=self.rows.slice(start, start + self.chunk))

    def only(self, *parts: Part) -> Step:
        """The step for these of its parts and no other."""
        return replace(self, effect=parts[0].effect, parts=parts)

    def request(self, ids: Mapping[Address, RemoteId]) -> Call:
        """This single-call step as the request to send: rows and parts put in, and every ``Ref`` that ``ids`` knows.

        Refs that ``ids`` does not know stay: a preview shows them, nothing may send them (see ``unresolved``).
        """
        rows = list(self.rows.rows()) if self.rows is not None else []
        first: Mapping[str, str | None] = rows[0] if rows else {}
        path = tuple(_segment(part, first, ids) for part in self.call.path)
        body = _with_entries(self.call.body, tuple(part.entry for part in self.parts))
        return replace(self.call, path=path, body=_filled(body, rows, first, ids))


def _with_entries(body: Json, entries: tuple[Json, ...]) -> Json:
    match body:
        case EachPart():
            return entries
        case Mapping():
            return {k: _with_entries(v, entries) for k, v in body.items()}
        case _:
            return body


def _segment(
    part: str | Ref | Column, row: Mapping[str, str | None], ids: Mapping[Address, RemoteId]
) -> str | Ref | Column:
    match part:
        case Ref(address):
            return ids.get(address, part)
        case Column(name):
            return row.get(name) or part
        case _:
            return part


def _filled(
    body: Json,
    rows: list[Mapping[str, str | None]],
    row: Mapping[str, str | None],
    ids: Mapping[Address, RemoteId],
) -> Json:
    match body:
        case Ref(address, as_int):
            found = ids.get(address)
            return body if found is None else (int(found) if as_int else found)
        case Column(name, as_int):
            value = row.get(name)
            if value is None:
                return body if name == "contact_id" else None
            return int(value) if as_int else value
        case Each(item):
            return tuple(_filled(item, rows, r, ids) for r in rows)
        case tuple():
            return tuple(_filled(x, rows, row, ids) for x in body)
        case Mapping():
            filled = {k: _filled(v, rows, row, ids) for k, v in body.items()}
            # A contact without the attribute is sent without it: null would clear what somebody else wrote.
            return {k: v for k, v in filled.items() if v is not None or not isinstance(body[k], Column)}
        case _:
            return body


def unresolved(call: Call) -> bool:
    """Whether a ``Ref`` or an unknown contact id is left, which may be shown but never sent."""

    def holds(value: object) -> bool:
        match value:
            case str() | None:
                return False
            case Ref() | Column() | Each() | EachPart():
                return True
            case tuple():
                return any(holds(v) for v in value)
            case Mapping():
                return any(holds(v) for v in value.values())
            case _:
                return False

    return holds(call.path) or holds(call.body)


def columns_of(call: Call) -> frozenset[str]:
    """The contact columns that a call is filled from."""

    def within(value: object) -> frozenset[str]:
        match value:
            case Column(name):
                return frozenset({name})
            case Each(item):
                return within(item)
            case tuple():
                return frozenset().union(*(within(v) for v in value))
            case Mapping():
                return frozenset().union(*(within(v) for v in value.values()))
            case _:
                return frozenset()

    return within(call.path) | within(call.body)


def resolved(effect: Effect, ids: Mapping[Address, RemoteId]) -> Effect:
    """``effect`` with every ``Ref`` that ``ids`` knows put in."""

    def known(target: Target) -> Target:
        return ids.get(target.address, target) if isinstance(target, Ref) else target

    match effect:
        case Changed(target=target) | Deleted(target=target):
            return replace(effect, target=known(target))
        case Linked(campaign=campaign, lists=lists):
            return replace(effect, campaign=known(campaign), lists=tuple(known(x) for x in lists))
        case MembersAdded(of=of) | MembersRemoved(of=of):
            return replace(effect, of=known(of))
        case _:
            return effect


class Evidence(Struct, frozen=True, kw_only=True):
    """What a look at the provider says about an ``Effect``.

    HOLDS: it is so (``remote_id`` names the object for ``Created``). ABSENT: nothing of it is there.
    PARTLY: some of ``rows`` are still to do (``remaining``). DIFFERS: the object is there and is neither as planned nor
    as wanted, so somebody else changed it. AMBIGUOUS: several new objects could be ours (``candidates``).
    """

    class State(StrEnum):
        HOLDS = "holds"
        ABSENT = "absent"
        PARTLY = "partly"
        DIFFERS = "differs"
        AMBIGUOUS = "ambiguous"

    state: State
    remote_id: RemoteId | None = None
    candidates: tuple[str, ...] = ()
    remaining: ContactSet | None = None
    contact_ids: Mapping[str, str] = field(default_factory=dict)
    """For ``ContactsCreated``: the ids by number, as far as they are known."""
    detail: str = ""
