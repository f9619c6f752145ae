"""How a brand is doing: where its campaigns stand, and how many people its lists hold (``reconciler status``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.errors import NotFound
from reconciler.model.addresses import RemoteId
from reconciler.model.live import Observed
from reconciler.providers.base import HealthRow
from reconciler.providers.parallel import together
from reconciler.providers.slicktext import convert
from reconciler.providers.slicktext.checks import moment
from reconciler.providers.slicktext.client import Client
from reconciler.providers.slicktext.convert import FINISHED, ids_fact, status_of
from reconciler.providers.slicktext.reading import Reader

OVERDUE = timedelta(minutes=15)
"""How long after its time a campaign may still be called scheduled."""


async def observe(reader: Reader, client: Client, now: datetime) -> tuple[HealthRow, ...]:
    """Every campaign and every list.

    Campaigns that are over are told from the listing, which lacks their audience's size; the others are read by id.
    """
    rows = await reader.campaign_rows()
    lists = await reader.lists()
    found = [convert.campaign_of(row, client.brand) for row in rows]
    rows = await together(_whole(client, row, live) for row, live in zip(rows, found, strict=True))
    campaigns = [_campaign(row, convert.campaign_of(row, client.brand), lists, now) for row in rows]
    counts = await together(_count(client, x.remote_id) for x in lists.values())
    sizes = zip(lists.values(), counts, strict=True)
    return (*campaigns, *(_list(x, people) for x, people in sizes if people is not None))


async def _whole(client: Client, row: Mapping[str, Any], live: Observed) -> Mapping[str, Any]:
    """The campaign by id where that says more than its row: while something can still happen to it."""
    if status_of(live) in FINISHED:
        return row
    try:
        return await client.one_campaign(live.remote_id)
    except NotFound:
        return row


async def _count(client: Client, list_id: RemoteId) -> int | None:
    """How many people are on a list; None when it has just gone."""
    try:
        return await client.member_count(list_id)
    except NotFound:
        return None


def _campaign(row: Mapping[str, Any], live: Observed, lists: Collection[str], now: datetime) -> HealthRow:
    figures: dict[str, int | float | str] = {}
    if (size := convert.digits(row.get("audience_size"))) is not None:
        figures["people"] = int(size)
    share = row.get("completion_percentage")
    if isinstance(share, int | float) and not isinstance(share, bool):
        figures["completion %"] = share
    if live.facts.get("complete"):
        figures["lists"] = len(ids_fact(live, "lists"))
    if status_of(live) == "scheduled" and live.fields.get("scheduled"):
        figures["at"] = f"{live.fields['scheduled']} UTC"
    return HealthRow(
        subject="campaign",
        remote_id=live.remote_id,
        name=live.name,
        state=status_of(live),
        problem="; ".join(_problems(row, live, lists, now)),
        figures=figures,
    )


def _problems(row: Mapping[str, Any], live: Observed, lists: Collection[str], now: datetime) -> list[str]:
    status = status_of(live)
    found: list[str] = []
    if status == "failed":
        found.append("SlickText reports that it failed")
    detail = row.get("status_detail")
    if status in ("failed", "canceled", "cancelled") and isinstance(detail, str) and detail:
        found.append(f"in its words: {detail}")
    if status in FINISHED:
        return found
    if dangling := sorted(ids_fact(live, "lists") - set(lists)):
        found.append(f"its audience names lists that do not exist: {', '.join(dangling)}")
    if status == "scheduled":
        at = moment(live.fields.get("scheduled"))
        if at is not None and at.astimezone(UTC) + OVERDUE < now:
            found.append("its time is past and it is still scheduled")
        nobody = not (live.facts.get("all_contacts") or ids_fact(live, "lists") or ids_fact(live, "segments"))
        if live.facts.get("complete") and nobody:
            found.append("it is scheduled and has no audience")
    return found


def _list(live: Observed, people: int) -> HealthRow:
    return HealthRow(subject="list", remote_id=live.remote_id, name=live.name, figures={"people": people})
