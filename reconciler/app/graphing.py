"""What is declared as a graph, without asking any provider."""

from __future__ import annotations

from typing import Any

from reconciler.app.loading import Request, check_selectors, loaded, required, selection_of
from reconciler.plan.graph import graph_document
from reconciler.providers.registry import get as get_provider


def graph_of(request: Request) -> dict[str, Any]:
    """The graph's document. Raises InvalidManifests, and UsageError for a selector that means nothing."""
    selection = selection_of(request.inputs)
    desired = required(loaded(request))
    check_selectors(selection, desired)
    names = {account.provider for account in desired.accounts.values()}
    return graph_document(desired, selection, {name: get_provider(name).rules for name in names})
