"""The contact centre in the suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts import Contract, Drift, Refusal

from participants.manifests import ADA, BEN, CLEO, DORA, GONE, manifest, ours, people


def contactcenter(members: tuple[str, ...] = (ADA, BEN, DORA)) -> dict[str, str]:
    rows = people(*members, priority="'4'")
    return {
        "campaign.yaml": manifest("contactcenter", "Campaign", "spring", "name: Spring"),
        "members.yaml": manifest(
            "contactcenter",
            "Membership",
            "people",
            f"campaign: spring, mode: exact, {rows}",
            GONE,
        ),
    }


def contactcenter_picture(section: Mapping[str, Any]) -> Any:
    return [
        (c["name"], c["status"], ours(c["leads"], "number", "status", "priority", "first_name"))
        for account in section["accounts"]
        for c in account["campaigns"]
    ]


CONTACTCENTER = Contract(
    name="contactcenter",
    account_name="center",
    account="""\
apiVersion: contactcenter/v1
kind: Account
metadata: {name: center}
spec:
  baseUrl: URL
  accountId: 0123456789abcdef0123456789abcdef
  domain: sandbox
  pageSize: 1
  auth: {username: sandbox, password: {env: CONTACTCENTER_PASSWORD}}
  settle: {landing: 0s, visibility: 0s}
""",
    secrets={"CONTACTCENTER_PASSWORD": "sandbox-contactcenter-password"},
    seed={
        "accounts": [
            {
                "account_id": "0123456789abcdef0123456789abcdef",
                "domain": "sandbox",
                "users": [{"username": "sandbox", "password": "sandbox-contactcenter-password"}],
            }
        ],
        "campaigns": [{"name": "Spring", "leads": [{"number": "+12025550199", "status": "success"}]}],
    },
    knobs={"strict_fields": True},
    walk=(contactcenter(), contactcenter((ADA, CLEO, DORA)), {"campaign.yaml": contactcenter()["campaign.yaml"]}),
    writes=8,
    picture=contactcenter_picture,
    unlisted=ADA,
    drifts=(
        Drift(
            operation={"op": "add_leads", "campaign": "Spring", "leads": [CLEO]},
            shows=(("update", "Membership/people"),),
        ),
    ),
    refusals=(
        Refusal(
            ability="Campaign.create",
            code="contactcenter-campaign-missing",
            files={"other.yaml": manifest("contactcenter", "Campaign", "summer", "name: Summer")},
        ),
        Refusal(
            ability="Campaign.delete",
            code="contactcenter-campaign-read-only",
            files={"campaign.yaml": manifest("contactcenter", "Campaign", "spring", "name: Spring", GONE)},
        ),
        *(
            Refusal(ability=f"Campaign.{a}", code="contactcenter-campaign-read-only", never="its name is all there is")
            for a in ("update", "replace")
        ),
        Refusal(
            ability="Membership.fixed",
            code="contactcenter-attribute-fixed",
            files={"members.yaml": contactcenter()["members.yaml"].replace("'4'", "'4', first_name: Ada")},
            exit_code=0,
        ),
    ),
    samples={
        "startDate": "startDate=2026-01-01 00:00:00",
        "endDate": "endDate=2026-01-02 00:00:00",
    },
)
