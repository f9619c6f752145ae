"""How a portal is doing: campaigns with their leads, queues with their agents, and the calls of the last day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from reconciler.providers.base import HealthRow
from reconciler.providers.contactcenter.activity import SKEW_S, records
from reconciler.providers.contactcenter.client import Client
from reconciler.providers.contactcenter.convert import Campaign, text, whole

WINDOW_S = 86_400


async def observe(client: Client, now: float, size: int) -> tuple[HealthRow, ...]:
    """Every campaign and queue, and who was called by which campaign since this time yesterday (E2, E4, E5)."""
    campaigns = await client.campaigns()
    queues = await client.queues()
    calls = await records(client, int(now) - WINDOW_S, int(now) + SKEW_S, size)
    made = Counter(record.campaign for record in calls)
    return (
        *(_campaign(campaign) for campaign in campaigns.values()),
        *(_queue(row) for row in queues),
        *(
            HealthRow(subject="activity", remote_id="", name=name, figures={"calls in 24 h": made[name]})
            for name in sorted(made)
        ),
    )


def _campaign(campaign: Campaign) -> HealthRow:
    figures: dict[str, int | float | str] = {} if campaign.total is None else {"leads": campaign.total}
    return HealthRow(
        subject="campaign",
        remote_id=campaign.remote_id,
        name=campaign.name,
        state=campaign.status,
        figures=figures | dict(sorted(campaign.leads.items())),
    )


def _queue(row: Mapping[str, Any]) -> HealthRow:
    """An agent is there for a call only when logged in, registered and idle: the word alone is also said of others."""
    found = row.get("agents")
    agents = [agent for agent in found if isinstance(agent, Mapping)] if isinstance(found, list) else []
    logged_in = [agent for agent in agents if agent.get("logged_in") is True]
    free = [agent for agent in logged_in if agent.get("registered") is True and agent.get("status") == "idle"]
    wrong = int(whole(row.get("misconfigured_agents")) or 0)
    figures: dict[str, int | float | str] = {"agents": len(agents), "logged in": len(logged_in), "available": len(free)}
    if (talking := whole(row.get("agents_on_call"))) is not None:
        figures["on call"] = int(talking)
    return HealthRow(
        subject="queue",
        remote_id=text(row.get("id")) or "",
        name=text(row.get("name")) or "",
        problem=f"{wrong} agents are misconfigured" if wrong else "",
        figures=figures,
    )
