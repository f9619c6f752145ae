"""Every documented endpoint, for ``reconciler call``. Names of parameters are the wire's."""

from __future__ import annotations

from typing import Literal

from reconciler.model.kinds import ContactClass
from reconciler.plan.calls import Method
from reconciler.providers.base import Operation, Param
from reconciler.providers.contactcenter.calls import CAMPAIGNS, REPORTS

_CAMPAIGNS = "/" + "/".join(CAMPAIGNS)
_REPORTS = "/" + "/".join(REPORTS)


def _params(place: Literal["path", "query", "body"], **about: str) -> tuple[Param, ...]:
    """A description that starts with ``!`` marks a required parameter."""
    return tuple(
        Param(name=name, place=place, required=text.startswith("!"), description=text.lstrip("!"))
        for name, text in about.items()
    )


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="campaigns.status",
        used_by=("plan", "apply", "status"),
        method=Method.GET,
        path=f"{_REPORTS}/status",
        summary="Every campaign with its status and its leads by status",
    ),
    Operation(
        name="leads.list",
        used_by=("plan", "apply"),
        method=Method.GET,
        path=f"{_CAMPAIGNS}/{{campaign_id}}/leads",
        summary="Leads of a campaign",
        params=(
            *_params("path", campaign_id="!the campaign's id"),
            *_params("query", page_size="rows to return", next_start_key="as the page before said"),
        ),
        people=("ticket_id",),
    ),
    Operation(
        name="queues.status",
        used_by=("status",),
        method=Method.GET,
        path="/callcenter/queues/status",
        summary="Queues and their agents, now",
        # What ``calls`` is made of is not documented; it is about whoever waits in line.
        people=("agents.name", "calls"),
    ),
    Operation(
        name="activity.list",
        used_by=("plan", "apply", "status"),
        method=Method.GET,
        path=f"{_REPORTS}/history",
        summary="Calls of all campaigns between two times",
        params=_params(
            "query",
            startDate="!Unix time in seconds",
            endDate="!Unix time in seconds",
            pageSize="records to return",
            startKey="as the page before said",
        ),
        people=(
            *("lead_name", "lead_first_name", "lead_last_name", "lead_ticket_id", "follow_up_notes"),
            *("agent_name", "agent.name"),
        ),
    ),
    Operation(
        name="leads.add",
        used_by=("apply",),
        method=Method.PUT,
        path=f"{_CAMPAIGNS}/{{campaign_id}}/lead",
        summary="Add somebody to a campaign; one that is not stopped calls them",
        params=(
            *_params("path", campaign_id="!the campaign's id"),
            *_params(
                "body",
                number="!E.164",
                first_name="text",
                last_name="text",
                type="text",
                priority="whole number",
                retries="whole number",
                ticket_id="shown to agents",
                note="text",
                cool_off="pause between attempts",
            ),
        ),
        contact_class=ContactClass.STARTS_CONTACTING,
    ),
    Operation(
        name="leads.set-status",
        used_by=("apply",),
        method=Method.POST,
        path=f"{_CAMPAIGNS}/leads/{{leadID}}/status/{{status}}",
        summary="Set the status of a lead; new has it dialled again",
        params=_params("path", leadID="!the lead's id", status="!success, failed, new, …"),
        contact_class=ContactClass.STARTS_CONTACTING,
    ),
    Operation(
        name="leads.delete",
        used_by=("apply",),
        method=Method.DELETE,
        path=f"{_CAMPAIGNS}/leads/{{leadID}}",
        summary="Delete a lead",
        params=_params("path", leadID="!the lead's id"),
    ),
    Operation(
        name="calls.mark-voicemail",
        method=Method.PUT,
        path=f"{_CAMPAIGNS}/call/{{cdrID}}/disposition/voicemail",
        summary="Note that a call reached a voicemail",
        params=_params("path", cdrID="!the call's id"),
    ),
)
"""In the order of the API notes; the login is done by itself."""
