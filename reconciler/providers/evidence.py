"""What a look found, as evidence: the comparisons that are the same for every provider."""

from __future__ import annotations

from reconciler.model.addresses import RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.plan.calls import Evidence, Linked, Ref, Target

State = Evidence.State


def known(target: Target) -> RemoteId:
    """The id of what is looked at. ValueError while it is yet to be created: nobody can look then."""
    if isinstance(target, Ref):
        raise ValueError(f"the id of {target.address} is not known yet")
    return target


def left(rows: ContactSet, remaining: ContactSet) -> Evidence:
    """What is still to do out of ``rows``."""
    if not remaining:
        return Evidence(state=State.HOLDS)
    state = State.ABSENT if len(remaining) == len(rows) else State.PARTLY
    return Evidence(state=state, remaining=remaining)


def linked(effect: Linked, now: frozenset[str], what: str) -> Evidence:
    """Lists of a campaign against those it has now; ``what`` somebody else must have changed otherwise."""
    wanted = frozenset(known(x) for x in effect.lists)
    if now == wanted if effect.exact else wanted <= now:
        return Evidence(state=State.HOLDS)
    if now == effect.base:
        return Evidence(state=State.ABSENT)
    return Evidence(state=State.DIFFERS, detail=f"somebody else changed {what}")
