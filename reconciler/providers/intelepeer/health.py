"""How an account is doing: its campaigns, those whose run failed, and how many contacts its lists hold (``status``)."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import NotFound
from reconciler.model.addresses import RemoteId
from reconciler.providers.base import HealthRow, Progress
from reconciler.providers.http import Http
from reconciler.providers.intelepeer.client import (
    campaigns_in_error,
    enumerate_campaigns,
    enumerate_lists,
    list_by_id,
)
from reconciler.providers.intelepeer.convert import Campaign, ContactList
from reconciler.providers.intelepeer.reading import together

ERROR = "error"
"""The state of a campaign that is listed among those in error; the API has no word for why."""


async def observe(http: Http, progress: Progress) -> tuple[HealthRow, ...]:
    """Every campaign and every list. Only a list that is read by id tells how many contacts it has."""
    campaigns = (await enumerate_campaigns(http)).alive
    lists = await enumerate_lists(http)
    in_error = {c.remote_id: c for c in await campaigns_in_error(http) if not c.deleted}
    done = 0

    async def size(remote_id: RemoteId) -> int | None:
        nonlocal done
        try:
            ids = (await list_by_id(http, remote_id)).contact_ids
        except NotFound:
            return None
        done += 1
        progress("lists", done, len(lists.alive))
        return None if ids is None else len(ids)

    counted = await together(size(i) for i in lists.alive)
    sizes = {i: n for i, n in zip(lists.alive, counted, strict=True) if n is not None}
    # One that is in error only, and no longer in the listing, is told all the same.
    everything = {**in_error, **campaigns}
    rows = [_campaign(c, in_error.get(i), lists.items, sizes) for i, c in everything.items()]
    return (*rows, *(_list(x, sizes.get(i)) for i, x in lists.alive.items()))


def _campaign(
    found: Campaign, failed: Campaign | None, lists: Mapping[RemoteId, ContactList], sizes: Mapping[RemoteId, int]
) -> HealthRow:
    figures: dict[str, int | float | str] = {"lists": len(found.links)}
    if found.links.keys() <= sizes.keys():
        # Entries, not people: somebody on two lists is contacted for both.
        figures["entries"] = sum(sizes[i] for i in found.links)
    told = found if failed is None else failed
    for name, key in (("published", "publishedDate"), ("last run", "lastExecuted")):
        if said := told.told.get(key) or found.told.get(key):
            figures[name] = str(said)
    return HealthRow(
        subject="campaign",
        remote_id=found.remote_id,
        name=found.name,
        state=found.state if failed is None else ERROR,
        problem="; ".join(_problems(found, failed, lists)),
        figures=figures,
    )


def _problems(found: Campaign, failed: Campaign | None, lists: Mapping[RemoteId, ContactList]) -> list[str]:
    problems = []
    if failed is not None:
        problems.append("IntelePeer lists it among the campaigns in error")
    gone = sorted(i for i in found.links if i not in lists or lists[i].deleted)
    if gone:
        problems.append(f"it is linked to lists that do not exist: {', '.join(gone)}")
    return problems


def _list(found: ContactList, size: int | None) -> HealthRow:
    figures: Mapping[str, int | float | str] = {} if size is None else {"entries": size}
    return HealthRow(subject="list", remote_id=found.remote_id, name=found.name, state=found.status, figures=figures)
