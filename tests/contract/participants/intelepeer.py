"""IntelePeer in the suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts import Contract, Drift, Refusal

from participants.manifests import ADA, BEN, CLEO, GONE, UPDATABLE, manifest, ours, people, with_lifecycle


def intelepeer(description: str = "A test", members: tuple[str, ...] = (ADA, BEN)) -> dict[str, str]:
    return {
        "list.yaml": manifest(
            "intelepeer",
            "List",
            "people",
            "name: Engage List, description: Customer contacts, headers: [phone, firstname]",
            GONE,
        ),
        "members.yaml": manifest(
            "intelepeer",
            "Membership",
            "members",
            f"list: people, mode: additive, {people(*members, firstname='Ada')}",
        ),
        "campaign.yaml": manifest(
            "intelepeer",
            "Campaign",
            "texts",
            f'name: Florida Test, description: {description}, callerIdentification: "+16075550100", '
            "flowId: 5bef29e1c5480c40e2ab4ef0",
            GONE,
        ),
        "link.yaml": manifest(
            "intelepeer", "Association", "texts--people", "campaign: texts, list: people, moc: phone"
        ),
    }


def intelepeer_picture(section: Mapping[str, Any]) -> Any:
    lists = [x for x in section["lists"] if not x["deleted"]]
    campaigns = [
        (x["name"], x["description"], x["caller_id"], x["active"], len(x["links"])) for x in section["campaigns"]
    ]
    return ours(lists, "name", "description", "headers", "numbers"), sorted(campaigns)


INTELEPEER = Contract(
    name="intelepeer",
    account_name="engage",
    account="""\
apiVersion: intelepeer/v1
kind: Account
metadata: {name: engage}
spec:
  baseUrl: URL
  membershipMode: append
  associateSemantics: add
  auth: {username: {env: INTELEPEER_USERNAME}, password: {env: INTELEPEER_PASSWORD}}
  settle: {landing: 0s, visibility: 0s}
""",
    secrets={"INTELEPEER_USERNAME": "sandbox", "INTELEPEER_PASSWORD": "sandbox-intelepeer-password"},
    knobs={"delete_delay_s": 0.0},
    walk=(intelepeer(), intelepeer("Another test", (ADA, BEN, CLEO)), {}),
    writes=8,
    picture=intelepeer_picture,
    unlisted=ADA,
    drifts=(
        Drift(
            operation={"op": "edit_campaign", "campaign": "Florida Test", "set": {"campaignDescription": "edited"}},
            shows=(("update", "Campaign/texts"),),
        ),
        Drift(
            operation={"op": "unlink", "campaign": "Florida Test", "list": "Engage List"},
            shows=(("create", "Association/texts--people"),),
        ),
    ),
    refusals=(
        Refusal(
            ability="List.update",
            code="intelepeer-list-immutable",
            files={"list.yaml": intelepeer()["list.yaml"].replace("Customer", "Other")},
        ),
        Refusal(ability="Campaign.replace", code="intelepeer-campaign-replace", never=UPDATABLE),
        Refusal(
            ability="Association.delete",
            code="intelepeer-no-dissociate",
            first={
                "link.yaml": manifest(
                    "intelepeer", "Association", "texts--people", "campaign: texts, list: people, moc: phone", GONE
                )
            },
            files={"link.yaml": None},
        ),
        Refusal(
            ability="Membership.exact",
            code="intelepeer-exact-membership",
            files={"members.yaml": intelepeer()["members.yaml"].replace("additive", "exact")},
        ),
        Refusal(
            ability="Membership.remove",
            code="intelepeer-members-append-only",
            first={"members.yaml": with_lifecycle(intelepeer()["members.yaml"])},
            files={"members.yaml": None},
        ),
        Refusal(
            ability="Membership.change",
            code="intelepeer-members-append-only",
            never="attributes of members cannot be read, so none is ever seen to differ",
        ),
    ),
)
