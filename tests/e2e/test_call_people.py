"""``call`` is no way around the suppression list where people are named by id, in whatever shape they are given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.sandbox import Sandbox

import center
from repository import SECRETS, VOICE, Repository

VOICE_LIST = (
    VOICE
    + """\
---
apiVersion: reconciler/v1
kind: Suppression
metadata: {name: do-not-contact}
spec: {numbers: ["+12025550142"]}
"""
)
SUPPRESSED, ANYBODY = "+12025550142", "+12025550143"
SOON = {"send_at": "2099-02-02T09:00:00+05:30"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    seed = {
        "exotel": {
            "contacts": [{"number": SUPPRESSED}, {"number": ANYBODY}],
            "lists": [{"name": "Mixed", "members": [SUPPRESSED, ANYBODY]}, {"name": "Clean", "members": [ANYBODY]}],
        },
        "contactcenter": {
            "accounts": [
                {
                    "account_id": "0123456789abcdef0123456789abcdef",
                    "domain": "sandbox",
                    "users": [{"username": "sandbox", "password": SECRETS["CONTACTCENTER_PASSWORD"]}],
                }
            ],
            "campaigns": [{"name": "Spring", "leads": [{"number": SUPPRESSED}, {"number": ANYBODY}]}],
        },
    }
    with Sandbox(seed=seed) as running:
        yield running


@pytest.fixture
def voice(repository: Repository) -> Repository:
    repository.write("account.yaml", VOICE_LIST)
    return repository


def sids(sandbox: Sandbox, what: str, key: str) -> dict[str, str]:
    found: dict[str, Any] = sandbox.state()["exotel"]
    return {row[key]: row["sid"] for row in found[what]}


def campaign(lists: Any) -> list[dict[str, Any]]:
    return [{"caller_id": "+12025550100", "url": "http://my.exotel.com/x", "schedule": SOON, "lists": lists}]


def test_no_shape_of_a_campaign_hides_its_lists(voice: Repository, sandbox: Sandbox) -> None:
    lists = sids(sandbox, "lists", "name")
    mixed = lists["Mixed"]
    bodies = [
        campaign([mixed]),
        campaign([{"list_sid": mixed}]),
        campaign(mixed),
        campaign({"sid": mixed}),
        campaign([mixed])[0],
        json.dumps(campaign([mixed])),
        [campaign([mixed])],
        [*campaign([lists["Clean"]]), *campaign([mixed])],
        campaign([17]),
        [{"LISTS" if k == "lists" else k: v for k, v in campaign([mixed])[0].items()}],
        [{**campaign([lists["Clean"]])[0], "li\u017fts": [mixed]}],
    ]
    for body in bodies:
        for name, words in (("campaigns.create", ()), ("campaigns.update", ("id=c1",))):
            refused = voice("call", "voice", name, *words, f"campaigns:={json.dumps(body)}", "--approve", "contact")
            assert (refused.code, refused.out) == (5, ""), (name, body, refused.err)
            assert "0142" not in refused.err
    assert voice.writes() == []
    clean = f"campaigns:={json.dumps(campaign([lists['Clean']]))}"
    assert voice("call", "voice", "campaigns.create", clean, "--approve", "contact").code == 0


def test_no_shape_of_a_membership_hides_its_contact(voice: Repository, sandbox: Sandbox) -> None:
    contacts = sids(sandbox, "contacts", "number")
    into = f"list_sid={sids(sandbox, 'lists', 'name')['Clean']}"
    whom = contacts[SUPPRESSED]
    bodies: list[Any] = [
        [{"contact_sid": whom}],
        {"contact_sid": whom},
        [[{"contact_sid": whom}]],
        [whom],
        whom,
        json.dumps([{"contact_sid": whom}]),
        [{"contact_sid": contacts[ANYBODY]}, {"contact_sid": whom}],
        [{"contact_sid": contacts[ANYBODY], "Contact_sid": whom}],
    ]
    for body in bodies:
        words = (into, f"contact_references:={json.dumps(body)}", "--approve", "contact")
        assert voice("call", "voice", "lists.add-contacts", *words).code == 5, body
        entries = json.loads(json.dumps(body).replace("contact_sid", "sid").replace("Contact_sid", "Sid"))
        words = (f"contacts:={json.dumps(entries)}", "--yes")
        assert voice("call", "voice", "contacts.update-many", *words).code == 5, body
    assert voice.writes() == []


def test_a_lead_that_cannot_be_found_gets_no_status_while_somebody_is_suppressed(
    voice: Repository, sandbox: Sandbox
) -> None:
    voice.write("center.yaml", center.ACCOUNT)
    (account,) = sandbox.state()["contactcenter"]["accounts"]
    whose = {lead["number"]: lead["id"] for lead in account["campaigns"][0]["leads"]}
    suppressed, anybody = whose[SUPPRESSED], whose[ANYBODY]
    set_status = ("call", "center", "leads.set-status", "status=new", "--approve", "contact")
    for lead in (suppressed, suppressed.upper(), f"0{suppressed}", "nobody"):
        assert voice(*set_status, f"leadID={lead}").code == 5
    assert voice(*set_status, f"leadID={suppressed} ").code == 64
    assert voice.writes() == []
    assert voice(*set_status, f"leadID={anybody}").code == 0
    voice.remove("account.yaml")
    assert voice(*set_status, "leadID=nobody").code == 1
