"""What the state machine declares and does by hand at each of the four providers: two lists, a campaign, six people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

PEOPLE = tuple(f"+120255501{n}" for n in range(10, 16))
SUPPRESSED, OPTED_OUT = PEOPLE[4], PEOPLE[5]
LISTS = ("alpha", "beta")
SUPPRESSION = f"""\
apiVersion: reconciler/v1
kind: Suppression
metadata: {{name: never}}
spec: {{numbers: ["{SUPPRESSED}"]}}
"""


@dataclass(slots=True)
class Wanted:
    """What Git says. Of what a provider does not have, its manifests say nothing."""

    lists: dict[str, str] = field(default_factory=dict)
    """Name -> description."""
    people: dict[str, tuple[str, ...]] = field(default_factory=dict)
    campaign: str = ""
    """Its text; nothing for no campaign."""
    links: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """``portal`` are edits by hand, as (operation, arguments); those of things that are not there are left out."""

    name: str
    account: str
    seed: Mapping[str, Any]
    manifests: Callable[[Wanted], Mapping[str, str]]
    portal: tuple[tuple[str, Mapping[str, Any]], ...]
    unmanaged: str
    """The name of an object that nobody declares."""
    frees_lists: tuple[str, Mapping[str, Any]] | None = None
    """The edit by hand of a person who is told that a campaign keeps a list from being deleted."""
    approved_before: frozenset[str] = frozenset()
    """Ledger reasons that need no approval as contacting while no campaign of the list has begun: whoever joins it is
    called by what was approved with a campaign that waits for its time."""
    only_the_store_knows: bool = False
    """Whether nobody but the store can say who is on a list: without it, or with an old one, a person must look."""


def _doc(provider: str, kind: str, name: str, spec: str, life: str = "onRemove: delete") -> dict[str, str]:
    head = f"apiVersion: {provider}/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n"
    return {f"{kind.lower()}-{name}.yaml": f"{head}lifecycle: {{{life}}}\nspec: {{{spec}}}\n"}


def _contacts(people: tuple[str, ...], **columns: str) -> str:
    more = "".join(f", {k}: {v}" for k, v in columns.items())
    return "contacts: [" + ", ".join(f'{{number: "{n}"{more}}}' for n in people) + "]"


def _account(provider: str, name: str, spec: str) -> str:
    head = f"apiVersion: {provider}/v1\nkind: Account\nmetadata: {{name: {name}}}\nspec:\n  baseUrl: URL\n"
    return head + spec


def _slicktext(wanted: Wanted) -> Mapping[str, str]:
    files: dict[str, str] = {}
    for name, about in wanted.lists.items():
        files |= _doc("slicktext", "List", name, f"name: {name.title()}, description: {about}")
    for name, people in wanted.people.items():
        what = f"list: {name}, mode: exact, missingContacts: create, {_contacts(people)}"
        files |= _doc("slicktext", "Membership", name, what)
    if wanted.campaign:
        files |= _doc("slicktext", "Campaign", "spring", f"name: Spring, body: {wanted.campaign}, status: draft")
        for name in sorted(wanted.links):
            files |= _doc("slicktext", "Association", name, f"campaign: spring, list: {name}")
    return files


def _intelepeer(wanted: Wanted) -> Mapping[str, str]:
    files: dict[str, str] = {}
    for name in wanted.lists:
        files |= _doc("intelepeer", "List", name, f"name: {name.title()}, headers: [phone, firstname]")
    for name, people in wanted.people.items():
        what = f"list: {name}, mode: additive, {_contacts(people, firstname='Ada')}"
        files |= _doc("intelepeer", "Membership", name, what, "onRemove: keep")
    if wanted.campaign:
        what = f'name: Spring, description: {wanted.campaign}, callerIdentification: "+16075550100", flowId: 5bef29e1'
        files |= _doc("intelepeer", "Campaign", "spring", what)
        for name in sorted(wanted.links):
            what = f"campaign: spring, list: {name}, moc: phone"
            files |= _doc("intelepeer", "Association", name, what, "onRemove: keep")
    return files


def _exotel(wanted: Wanted) -> Mapping[str, str]:
    files: dict[str, str] = {}
    for name, about in wanted.lists.items():
        files |= _doc("exotel", "List", name, f"name: {name.title()}, tag: {about}")
    for name, people in wanted.people.items():
        what = f"list: {name}, mode: exact, missingContacts: create, {_contacts(people)}"
        files |= _doc("exotel", "Membership", name, what)
    if wanted.campaign and wanted.links:
        times = 'schedule: {send_at: "2099-02-02T09:00:00+05:30", end_at: "2099-02-02T18:00:00+05:30"}'
        flow = f"url: http://my.exotel.com/sandbox1/exoml/start_voice/{len(wanted.campaign)}"
        files |= _doc("exotel", "Campaign", "spring", f'name: Spring, caller_id: "+12025550100", {flow}, {times}')
        for name in sorted(wanted.links):
            files |= _doc("exotel", "Association", name, f"campaign: spring, list: {name}")
    return files


def _contactcenter(wanted: Wanted) -> Mapping[str, str]:
    files: dict[str, str] = {}
    for name in LISTS:
        files |= _doc("contactcenter", "Campaign", name, f"name: {name.title()}", "protect: false")
    for name, people in wanted.people.items():
        files |= _doc("contactcenter", "Membership", name, f"campaign: {name}, mode: exact, {_contacts(people)}")
    return files


def _edits(spare: str, **words: Any) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Edits of lists that SlickText and Exotel spell alike."""
    return (
        ("edit_list", {"list": "Alpha", "set": {words["about"]: "changed by hand"}}),
        ("delete_list", {"list": "Beta"}),
        ("add_members", {"list": "Alpha", "numbers": [PEOPLE[3], OPTED_OUT]}),
        ("remove_members", {"list": "Alpha", "numbers": [PEOPLE[0]]}),
        ("create_list", {"name": "Beta"}),
        ("delete_campaign", {"campaign": "Spring"}),
        ("add_members", {"list": spare, "numbers": [PEOPLE[1]]}),
    )


PLATFORMS = (
    Platform(
        name="slicktext",
        account=_account("slicktext", "main", '  brandId: "123456789"\n  auth: {apiKey: {env: SLICKTEXT_API_KEY}}\n'),
        seed={
            "slicktext": {
                "contacts": [{"number": n} for n in PEOPLE[:4]]
                + [{"number": OPTED_OUT, "opt_in_status": "unsubscribed"}],
                "lists": [{"name": "Walk-ins", "description": "by hand", "members": [PEOPLE[2]]}],
            }
        },
        manifests=_slicktext,
        portal=_edits("Walk-ins", about="description"),
        frees_lists=("edit_campaign", {"campaign": "Spring", "lists": []}),
        unmanaged="Walk-ins",
    ),
    Platform(
        name="intelepeer",
        account=_account(
            "intelepeer",
            "main",
            "  membershipMode: append\n  associateSemantics: add\n"
            "  auth: {username: {env: INTELEPEER_USERNAME}, password: {env: INTELEPEER_PASSWORD}}\n",
        ),
        seed={"intelepeer": {"lists": [{"name": "Walk-ins", "headers": ["phone", "firstname"]}]}},
        manifests=_intelepeer,
        portal=(
            ("edit_campaign", {"campaign": "Spring", "set": {"description": "changed by hand"}}),
            ("delete_campaign", {"campaign": "Spring"}),
            ("add_contacts", {"list": "Walk-ins", "numbers": [PEOPLE[1]]}),
        ),
        unmanaged="Walk-ins",
        only_the_store_knows=True,
    ),
    Platform(
        name="exotel",
        account=_account(
            "exotel",
            "main",
            "  accountSid: sandbox1\n  auth: {apiKey: {env: EXOTEL_API_KEY}, apiToken: {env: EXOTEL_API_TOKEN}}\n",
        ),
        seed={
            "exotel": {
                "contacts": [{"number": n} for n in PEOPLE[:4]],
                "lists": [{"name": "Walk-ins", "members": [PEOPLE[2]]}],
            }
        },
        manifests=_exotel,
        portal=_edits("Walk-ins", about="tag"),
        frees_lists=("delete_campaign", {"campaign": "Spring"}),
        approved_before=frozenset({"members"}),
        unmanaged="Walk-ins",
    ),
    Platform(
        name="contactcenter",
        account=_account(
            "contactcenter",
            "main",
            "  accountId: 0123456789abcdef0123456789abcdef\n  domain: sandbox\n"
            "  auth: {username: sandbox, password: {env: CONTACTCENTER_PASSWORD}}\n",
        ),
        seed={
            "contactcenter": {
                "accounts": [
                    {
                        "account_id": "0123456789abcdef0123456789abcdef",
                        "domain": "sandbox",
                        "users": [{"username": "sandbox", "password": "sandbox-contactcenter-password"}],
                    }
                ],
                "campaigns": [
                    {"name": "Alpha", "status": "stopped", "leads": [{"number": PEOPLE[3], "status": "success"}]},
                    {"name": "Beta", "status": "paused"},
                    {"name": "Walk-ins", "status": "stopped", "leads": [{"number": PEOPLE[2]}]},
                ],
            }
        },
        manifests=_contactcenter,
        portal=(
            ("add_leads", {"campaign": "Alpha", "leads": [{"number": PEOPLE[3]}]}),
            ("delete_lead", {"campaign": "Alpha", "lead": PEOPLE[0]}),
            ("set_lead_status", {"campaign": "Alpha", "lead": PEOPLE[1], "status": "success"}),
            ("start_campaign", {"campaign": "Beta"}),
            ("stop_campaign", {"campaign": "Beta"}),
        ),
        unmanaged="Walk-ins",
    ),
)
