"""How an account is doing: where its campaigns stand, and how many people its lists hold (``reconciler status``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from reconciler.model.live import Observed
from reconciler.providers.base import HealthRow
from reconciler.providers.exotel.answers import Row, number
from reconciler.providers.exotel.checks import send_at
from reconciler.providers.exotel.convert import OPEN, SCHEDULED, lists_of, status_of
from reconciler.providers.exotel.reading import Reader

OVERDUE = timedelta(minutes=5)
"""How long after its time a campaign may still say that it has not started."""

_STATS = ("created", "pending", "in-progress", "retry", "retrying", "completed", "failed", "failed-dnd", "invalid")


async def observe(reader: Reader, now: datetime) -> tuple[HealthRow, ...]:
    """Every campaign and every list, out of their listings."""
    rows, lists = await reader.campaign_rows(), await reader.lists()
    campaigns = [_campaign(live, row, lists, now) for live, row in rows]
    return (*campaigns, *(_list(x) for x in lists.values()))


def _campaign(live: Observed, row: Row, lists: Collection[str], now: datetime) -> HealthRow:
    figures: dict[str, int | float | str] = {}
    stats = row.get("stats")
    if isinstance(stats, Mapping):
        # Keys come with hyphens and with underscores.
        counts = {str(name).replace("_", "-"): number(value) for name, value in stats.items()}
        figures |= {name: count for name in _STATS if (count := counts.get(name))}
    if live.facts.get("complete"):
        figures["lists"] = len(lists_of(live))
    starts = send_at(live.fields)
    if status_of(live) == SCHEDULED and starts is not None:
        figures["at"] = starts.isoformat().replace("+00:00", "Z")
    return HealthRow(
        subject="campaign",
        remote_id=live.remote_id,
        name=str(live.fields.get("name", "")),
        state=status_of(live),
        problem="; ".join(_problems(live, lists, now)),
        figures=figures,
    )


def _problems(live: Observed, lists: Collection[str], now: datetime) -> list[str]:
    status, found = status_of(live), []
    if status in ("failed", "canceled"):
        found.append(
            f"Exotel reports that it was {status}" if status == "canceled" else "Exotel reports that it failed"
        )
    if status not in OPEN:
        return found
    if dangling := sorted(lists_of(live) - set(lists)):
        found.append(f"it names lists that do not exist: {', '.join(dangling)}")
    starts = send_at(live.fields)
    if status == SCHEDULED and starts is not None and starts + OVERDUE < now:
        found.append("its time is past and it has not started")
    return found


def _list(live: Observed) -> HealthRow:
    count = live.facts.get("count")
    figures: dict[str, int | float | str] = {"people": count} if isinstance(count, int) else {}
    return HealthRow(subject="list", remote_id=live.remote_id, name=live.name, figures=figures)
