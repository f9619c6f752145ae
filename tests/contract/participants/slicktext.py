"""SlickText in the suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts import Contract, Drift, Refusal

from participants.manifests import ADA, BEN, CLEO, DORA, GONE, UPDATABLE, manifest, people


def slicktext(
    description: str = "Join the VIP list",
    body: str = "Hello, reply STOP to opt out",
    members: tuple[str, ...] = (ADA, BEN, DORA),
) -> dict[str, str]:
    return {
        "list.yaml": manifest("slicktext", "List", "join", f"name: Join, description: {description}", GONE),
        "members.yaml": manifest(
            "slicktext",
            "Membership",
            "members",
            f"list: join, mode: exact, missingContacts: create, {people(*members)}",
        ),
        "campaign.yaml": manifest(
            "slicktext", "Campaign", "spring", f'name: Spring, body: "{body}", status: draft', GONE
        ),
        "link.yaml": manifest("slicktext", "Association", "spring--join", "campaign: spring, list: join", GONE),
    }


def slicktext_picture(section: Mapping[str, Any]) -> Any:
    lists = [(x["name"], x["description"], sorted(x["numbers"])) for x in section["lists"]]
    campaigns = [(x["name"], x["body"], x["status"], len(x["lists"])) for x in section["campaigns"]]
    return sorted(lists), sorted(campaigns)


SLICKTEXT = Contract(
    name="slicktext",
    account_name="main",
    account="""\
apiVersion: slicktext/v1
kind: Account
metadata: {name: main}
spec:
  brandId: "123456789"
  baseUrl: URL
  auth: {apiKey: {env: SLICKTEXT_API_KEY}}
  settle: {landing: 0s, visibility: 0s}
""",
    secrets={"SLICKTEXT_API_KEY": "sandbox-slicktext-key"},
    seed={"contacts": [{"number": n} for n in (ADA, BEN, CLEO)]},
    knobs={"rate_limit": None, "max_page": 2},
    walk=(
        slicktext(),
        slicktext("Gold", "Hello again, reply STOP to opt out", (ADA, CLEO, DORA)),
        {"list.yaml": slicktext()["list.yaml"].replace("VIP list", "end")},
        {},
    ),
    writes=11,
    picture=slicktext_picture,
    unlisted=ADA,
    opt_out={"op": "edit_contact", "contact": ADA, "set": {"opt_in_status": "unsubscribed"}},
    drifts=(
        Drift(
            operation={"op": "edit_list", "list": "Join", "set": {"description": "edited"}},
            shows=(("update", "List/join"),),
        ),
        Drift(
            operation={"op": "add_members", "list": "Join", "numbers": [CLEO]},
            shows=(("update", "Membership/members"),),
        ),
        Drift(
            operation={"op": "remove_members", "list": "Join", "numbers": [ADA]},
            shows=(("update", "Membership/members"),),
        ),
        Drift(
            operation={"op": "edit_campaign", "campaign": "Spring", "set": {"body": "edited"}},
            shows=(("update", "Campaign/spring"),),
        ),
        Drift(
            operation={"op": "edit_campaign", "campaign": "Spring", "lists": []},
            shows=(("create", "Association/spring--join"),),
        ),
    ),
    refusals=(Refusal(ability="Campaign.replace", code="slicktext-campaign-dispatched", never=UPDATABLE),),
)
