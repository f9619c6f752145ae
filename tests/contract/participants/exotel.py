"""Exotel in the suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts import Contract, Drift, Refusal

from participants.manifests import ADA, BEN, CLEO, DORA, GONE, UPDATABLE, manifest, people


def exotel(tag: str = "spring", day: str = "2099-02-02", members: tuple[str, ...] = (ADA, BEN, DORA)) -> dict[str, str]:
    return {
        "list.yaml": manifest("exotel", "List", "renewals", f"name: Renewals, tag: {tag}", GONE),
        "members.yaml": manifest(
            "exotel",
            "Membership",
            "people",
            f"list: renewals, mode: exact, missingContacts: create, {people(*members)}",
        ),
        "campaign.yaml": manifest(
            "exotel",
            "Campaign",
            "round",
            'name: Spring round, caller_id: "+12025550100", url: http://my.exotel.com/sandbox1/exoml/start_voice/926, '
            f'schedule: {{send_at: "{day}T09:00:00+05:30"}}',
            GONE,
        ),
        "link.yaml": manifest("exotel", "Association", "round--renewals", "campaign: round, list: renewals", GONE),
    }


def exotel_picture(section: Mapping[str, Any]) -> Any:
    lists = [(x["name"], x["tag"], sorted(x["numbers"])) for x in section["lists"]]
    campaigns = [
        (x["fields"]["name"], x["status"], x["fields"]["schedule"]["send_at"], len(x["fields"]["lists"]))
        for x in section["campaigns"]
    ]
    return sorted(lists), sorted(campaigns)


EXOTEL = Contract(
    name="exotel",
    account_name="voice",
    account="""\
apiVersion: exotel/v1
kind: Account
metadata: {name: voice}
spec:
  accountSid: sandbox1
  baseUrl: URL
  auth: {apiKey: {env: EXOTEL_API_KEY}, apiToken: {env: EXOTEL_API_TOKEN}}
  settle: {landing: 0s, visibility: 0s}
""",
    secrets={"EXOTEL_API_KEY": "sandbox-exotel-key", "EXOTEL_API_TOKEN": "sandbox-exotel-token"},
    seed={"contacts": [{"number": n} for n in (ADA, BEN, CLEO)]},
    knobs={"max_page": 2, "max_contact_page": 2},
    walk=(
        exotel(),
        exotel("autumn", "2099-02-03", (ADA, CLEO, DORA)),
        {},
    ),
    writes=11,
    picture=exotel_picture,
    unlisted=ADA,
    drifts=(
        Drift(
            operation={"op": "edit_list", "list": "Renewals", "set": {"tag": "edited"}},
            shows=(("update", "List/renewals"),),
        ),
        Drift(
            operation={"op": "add_members", "list": "Renewals", "numbers": [CLEO]},
            shows=(("update", "Membership/people"),),
        ),
        Drift(
            operation={"op": "remove_members", "list": "Renewals", "numbers": [ADA]},
            shows=(("update", "Membership/people"),),
        ),
    ),
    refusals=(Refusal(ability="Campaign.replace", code="exotel-campaign-started", never=UPDATABLE),),
)
