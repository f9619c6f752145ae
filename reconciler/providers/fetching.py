"""What a fetch works out from what it has read: the ids behind references, and associations out of campaigns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from reconciler.model.addresses import Address, Kind, RemoteId
from reconciler.model.live import LiveLink, Observed
from reconciler.model.resources import ById, Declared, Reference

Bound = Mapping[Address, Observed]
"""The live objects that our addresses stand for."""


def known_id(reference: Reference, bound: Bound) -> RemoteId | None:
    """The id behind a reference; None for what is not there yet."""
    match reference:
        case ById(remote_id):
            return remote_id
        case Declared(address):
            live = bound.get(address)
            return None if live is None else live.remote_id


def links_of(
    objects: Mapping[tuple[Kind, RemoteId], Observed], lists_of: Callable[[Observed], Iterable[str]]
) -> dict[RemoteId, LiveLink]:
    """Associations out of the lists that campaigns have; a list that is gone leaves its id behind, which is no link."""
    links = [
        LiveLink(campaign=o.remote_id, list=RemoteId(x))
        for (kind, _), o in objects.items()
        if kind is Kind.CAMPAIGN
        for x in sorted(lists_of(o))
        if (Kind.LIST, RemoteId(x)) in objects
    ]
    return {x.remote_id: x for x in links}
