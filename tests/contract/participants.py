"""The providers of the suite. A new one joins with a ``Contract`` here: its manifests, and what is special about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts import Contract, Drift, Refusal

ADA, BEN, CLEO, DORA = (f"+120255501{n}" for n in range(10, 14))


def manifest(provider: str, kind: str, name: str, spec: str, lifecycle: str = "") -> str:
    """One document; ``spec`` and ``lifecycle`` are the insides of flow mappings."""
    head = f"apiVersion: {provider}/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n"
    return head + (f"lifecycle: {{{lifecycle}}}\n" if lifecycle else "") + f"spec: {{{spec}}}\n"


def with_lifecycle(text: str, lifecycle: str = "onRemove: delete") -> str:
    return text.replace("spec:", f"lifecycle: {{{lifecycle}}}\nspec:")


def people(*numbers: str, **columns: str) -> str:
    more = "".join(f", {name}: {value}" for name, value in columns.items())
    return "contacts: [" + ", ".join(f'{{number: "{n}"{more}}}' for n in numbers) + "]"


def ours(rows: Any, *names: str) -> list[Any]:
    """Some fields of some rows, in an order that ids do not change."""
    return sorted((tuple(row[name] for name in names) for row in rows), key=repr)


GONE = "onRemove: delete"
UPDATABLE = "every field of the kind can be updated"

# --- SlickText


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

# --- IntelePeer


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

# --- Exotel


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

# --- Contact centre


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

# --- a provider of another package


def acme(note: str = "spring", members: tuple[str, ...] = (ADA, BEN, DORA)) -> dict[str, str]:
    return {
        "list.yaml": manifest("acme", "List", "vips", f"name: VIPs, note: {note}", GONE),
        "members.yaml": manifest("acme", "Membership", "people", f"list: vips, mode: exact, {people(*members)}"),
    }


ACME = Contract(
    name="acme",
    account_name="lists",
    account="""\
apiVersion: acme/v1
kind: Account
metadata: {name: lists}
spec: {baseUrl: URL, auth: {token: {env: ACME_TOKEN}}}
""",
    secrets={"ACME_TOKEN": "acme-token"},
    walk=(acme(), acme("autumn", (ADA, CLEO, DORA)), {}),
    writes=6,
    picture=lambda section: ours(section["lists"].values(), "name", "note", "numbers"),
    unlisted=ADA,
    drifts=(
        Drift(
            operation={"op": "edit_list", "list": "VIPs", "set": {"note": "edited"}}, shows=(("update", "List/vips"),)
        ),
        Drift(
            operation={"op": "add_members", "list": "VIPs", "numbers": [CLEO]}, shows=(("update", "Membership/people"),)
        ),
        Drift(
            operation={"op": "remove_members", "list": "VIPs", "numbers": [ADA]},
            shows=(("update", "Membership/people"),),
        ),
    ),
)

CONTRACTS = (SLICKTEXT, INTELEPEER, EXOTEL, CONTACTCENTER, ACME)
