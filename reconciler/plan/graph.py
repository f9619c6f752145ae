"""What is declared as a graph: resources, and what each of them feeds. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.addresses import Address, Kind
from reconciler.model.desired import Desired
from reconciler.model.resources import Declared, Reference, Resource
from reconciler.plan.rules import Rules
from reconciler.plan.selection import Selection

GRAPH_FORMAT_VERSION = "1"


def graph_document(desired: Desired, selection: Selection, rules: Mapping[str, Rules]) -> dict[str, Any]:
    """``{"formatVersion", "accounts", "nodes", "edges"}``, each sorted, of what is selected and what that touches.

    An edge goes from what feeds to what is fed: people to their list, a list to an association, that to its campaign.
    What is named by id and declared by nobody is a node as well, ``account/Kind/~ID``. ``rules`` are by provider.
    """
    chosen = [r for a, r in sorted(desired.resources.items()) if selection.covers(a, r)]
    edges = sorted(
        {edge for resource in chosen for edge in _edges(resource, rules[resource.provider].membership.parent)}
    )
    addresses = {str(r.address) for r in chosen}.union(*((start, end) for start, end, _ in edges))
    declared = {str(address) for address in desired.resources}
    nodes = [_node(address, declared=address in declared) for address in sorted(addresses)]
    return {
        "formatVersion": GRAPH_FORMAT_VERSION,
        "accounts": sorted({node["account"] for node in nodes}),
        "nodes": nodes,
        "edges": [{"from": start, "to": end, "as": word} for start, end, word in edges],
    }


def _node(address: str, *, declared: bool) -> dict[str, Any]:
    account, kind, name = address.split("/", 2)
    return {"address": address, "account": account, "kind": kind, "name": name, "declared": declared}


def _edges(resource: Resource, parent: Kind) -> Iterator[tuple[str, str, str]]:
    """(from, to, what the one does for the other); ``parent`` is what a membership by id hangs on."""
    here = str(resource.address)
    if (link := resource.link) is not None:
        yield _end(resource.address, link.list, Kind.LIST), here, "feeds"
        yield here, _end(resource.address, link.campaign, Kind.CAMPAIGN), "feeds"
    if (members := resource.members) is not None:
        yield here, _end(resource.address, members.of, parent), str(members.mode)


def _end(address: Address, reference: Reference, kind: Kind) -> str:
    if isinstance(reference, Declared):
        return str(reference.address)
    return f"{address.account}/{kind}/~{reference.remote_id}"
