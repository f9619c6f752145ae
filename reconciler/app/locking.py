"""Who may write to which account now, and taking that away from somebody."""

from __future__ import annotations

from reconciler import __version__
from reconciler.app.loading import Request, loaded, required
from reconciler.app.planning import store_for
from reconciler.errors import Exit, UsageError
from reconciler.store import Holder


def holders(request: Request) -> tuple[Holder, ...]:
    """Everybody who has not given a lease back, the dead included. Of every project in the store: an account has one
    lease, whoever uses it."""
    with store_for(required(loaded(request)), request, create=False) as store:
        return store.holders()


def break_leases(request: Request, identities: tuple[str, ...]) -> tuple[Holder, ...]:
    """Take these leases away; who had them. Raises UsageError, and breaks none, when nobody holds one of them."""
    desired = required(loaded(request))
    with store_for(desired, request, create=False) as store:
        held = {h.identity for h in store.holders()}
    if unknown := [i for i in identities if i not in held]:
        known = f"held are: {', '.join(sorted(held))}" if held else "no lease is held at all"
        raise UsageError(f"nobody holds the lease of {unknown[0]!r}", hint=known)
    with store_for(desired, request, create=True) as store:
        run = store.begin_run("lock break", tool_version=__version__)
        broken = store.break_leases(identities)
        run.close(exit_code=Exit.OK)
    return broken
