"""Which providers there are. Nothing is imported until a provider is asked for by name."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module

from reconciler.errors import InvalidInput
from reconciler.providers.base import Provider

GROUP = "reconciler.providers"
"""The entry-point group through which an installed package adds a provider: ``name = "module:attribute"``."""

BUILT_IN: Mapping[str, str] = {
    "contactcenter": "reconciler.providers.contactcenter:PROVIDER",
    "exotel": "reconciler.providers.exotel:PROVIDER",
    "intelepeer": "reconciler.providers.intelepeer:PROVIDER",
    "slicktext": "reconciler.providers.slicktext:PROVIDER",
}


@cache
def _places() -> Mapping[str, str]:
    """Every provider's ``module:attribute`` by name; what ships with the tool cannot be replaced from outside."""
    from importlib.metadata import entry_points  # long to import, and to ask; most projects use none but ours

    installed = {point.name: point.value for point in entry_points(group=GROUP)}
    return {**installed, **BUILT_IN}


def known(name: str) -> bool:
    """Whether there is a provider of that name."""
    return name in BUILT_IN or name in _places()


def names() -> tuple[str, ...]:
    """The names of all providers, sorted."""
    return tuple(sorted(_places()))


@cache
def get(name: str) -> Provider:
    """The provider of that name, imported now if it was not yet. Raises InvalidInput for an unknown or broken one."""
    places = BUILT_IN if name in BUILT_IN else _places()
    if name not in places:
        raise InvalidInput(f'There is no provider "{name}".', hint=f"Known providers: {', '.join(sorted(places))}.")
    module, _, attribute = places[name].partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise InvalidInput(
            f'The provider "{name}" cannot be loaded from {places[name]}: {type(error).__name__}.',
            hint="Reinstall the package that brings it.",
        ) from error
    provider: Provider = found
    return provider


def installed() -> Mapping[str, Provider]:
    """The providers of other packages, by name, without those that cannot be imported.

    Somebody else's broken package must not keep everybody from working; what it brings stays unknown.
    """
    found = {}
    for name in names():
        with suppress(InvalidInput):
            if name not in BUILT_IN:
                found[name] = get(name)
    return found


def providers() -> Mapping[str, Provider]:
    """Every provider by name, all of them imported; use ``get`` where one is enough."""
    return {name: get(name) for name in names()}
