"""What somebody asked for, and the manifests that it is about: as far as a command comes without a network or a store.

Apart from planning, because what that needs (HTTP, SQL) takes longer to import than most repositories take to check.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path

from msgspec import Struct

from reconciler.diagnostics import Diagnostic
from reconciler.errors import InvalidInput, UsageError
from reconciler.manifest.load import Loaded, LoadOptions, load
from reconciler.model.addresses import Address
from reconciler.model.desired import Desired
from reconciler.plan.saved import Inputs
from reconciler.plan.selection import Selection, Selector
from reconciler.providers.base import Progress, silent


class InvalidManifests(InvalidInput):
    """The manifests cannot be used; ``diagnostics`` say where and why."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("the manifests have errors")
        self.diagnostics = diagnostics


class Request(Struct, frozen=True, kw_only=True):
    """What somebody asked for, whichever command it came through."""

    inputs: Inputs = Inputs()
    store: str = ""
    parallelism: int | None = None
    show_pii: bool = False
    progress: Progress = silent
    tell: Callable[[str], None] = lambda text: None
    """Told what a command waits for, at once."""
    coming: Path | None = None
    """A folder, seen from the project's, that the command itself writes, so that it need not be there before."""
    reviewed: bool = False
    """Whether somebody approved this very plan before (a saved one, or a digest): its flags cannot be added to then."""


def loaded(request: Request) -> Loaded:
    """The manifests, checked as far as that goes without a network."""
    return load([Path(p) for p in request.inputs.paths], load_options(request))


def load_options(request: Request) -> LoadOptions:
    """What a request says about loading. Raises UsageError for a variable that is not written NAME=VALUE."""
    inputs = request.inputs
    return LoadOptions(
        environment=inputs.environment,
        variables=_variables(inputs.variables),
        values_files=tuple(map(Path, inputs.values)),
        allowed_hosts=_allowed_hosts(inputs),
        show_pii=request.show_pii,
        coming=request.coming,
    )


def _allowed_hosts(inputs: Inputs) -> frozenset[str]:
    named = os.environ.get("RECONCILER_ALLOWED_HOSTS", "")
    return frozenset(inputs.allow_hosts) | {h for h in named.replace(",", " ").split() if h}


def _variables(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if wrong := [name for name, equals, _ in pairs if not equals or not name]:
        raise UsageError(f"--var {wrong[0]}: write NAME=VALUE")
    return {name: value for name, _, value in pairs}


def selection_of(inputs: Inputs) -> Selection:
    """``--select`` and ``--exclude``. Raises UsageError for one that can never match."""
    try:
        return Selection(
            select=tuple(map(Selector.parse, inputs.select)), exclude=tuple(map(Selector.parse, inputs.exclude))
        )
    except ValueError as problem:
        raise UsageError(str(problem)) from None


def required(found: Loaded) -> Desired:
    """What was loaded, or InvalidManifests."""
    if found.desired is None:
        raise InvalidManifests(found.diagnostics)
    return found.desired


def check_selectors(selection: Selection, desired: Desired, owned: Iterable[Address] = ()) -> None:
    """Raises UsageError for a selector that means nothing: a typo would otherwise choose or exclude nothing."""
    known = {*desired.resources, *owned}
    for flag, selectors in (("--select", selection.select), ("--exclude", selection.exclude)):
        for selector in selectors:
            if selector.prefix == "account" and selector.matches_account(desired.accounts):
                continue
            if not any(selector.matches(a, desired.resources.get(a)) for a in known):
                close = get_close_matches(selector.value, map(str, known), n=1)
                hint = f"did you mean {close[0]}?" if close else ""
                raise UsageError(f"{flag} {selector} matches nothing", hint=hint)
