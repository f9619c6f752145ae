"""Whoever a campaign is armed at is known, and nobody suppressed is among them, whoever manages the list."""

from __future__ import annotations

import pytest

from reconciler.sandbox import Sandbox

from repository import VOICE, Repository

CALLING = """\
apiVersion: exotel/v1
kind: Campaign
metadata: {name: round}
spec:
  name: Spring round
  caller_id: "+12025550100"
  url: http://my.exotel.com/sandbox1/exoml/start_voice/926
  schedule: {send_at: "2099-02-02T09:00:00+05:30"}
---
apiVersion: exotel/v1
kind: Association
metadata: {name: round--hand}
spec: {campaign: round, list: {id: SID}}
"""
TEXTING = """\
apiVersion: slicktext/v1
kind: List
metadata: {name: hand}
spec: {name: Hand, description: Made by hand}
---
apiVersion: slicktext/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring, body: "Hello, reply STOP to opt out", status: scheduled, scheduled: "2099-05-01 14:00:00"}
---
apiVersion: slicktext/v1
kind: Association
metadata: {name: spring--hand}
spec: {campaign: spring, list: hand}
"""
ENGAGE = """\
apiVersion: intelepeer/v1
kind: List
metadata: {name: people}
spec: {name: Engage List, description: Customer contacts, headers: [phone]}
---
apiVersion: intelepeer/v1
kind: Membership
metadata: {name: members}
spec: {list: people, mode: additive, contacts: [{number: "+12025550001"}, {number: "+12025550002"}]}
---
apiVersion: intelepeer/v1
kind: Campaign
metadata: {name: texts}
spec: {name: Florida Test, description: A test, callerIdentification: "+16075550100", flowId: 5bef29e1c5480c40e2ab4ef0}
"""
LINK = """\
apiVersion: intelepeer/v1
kind: Association
metadata: {name: texts--people}
spec: {campaign: texts, list: people, moc: phone}
"""
SUPPRESSION = """\
apiVersion: reconciler/v1
kind: Suppression
metadata: {name: dnc}
spec: {numbers: ["+12025550002"]}
"""


@pytest.fixture
def by_hand(repository: Repository, sandbox: Sandbox) -> Repository:
    """A list that somebody made and filled in the Exotel portal, and a campaign that is to call it."""
    repository.write("account.yaml", VOICE)
    sandbox.tamper("exotel", "create_list", name="Hand")
    sandbox.tamper("exotel", "create_contact", number="+12025550001")
    sandbox.tamper("exotel", "create_contact", number="+12025550002")
    sandbox.tamper("exotel", "add_members", list="Hand", numbers=["+12025550001", "+12025550002"])
    (live,) = sandbox.state()["exotel"]["lists"]
    repository.write("campaign.yaml", CALLING.replace("SID", f'"{live["sid"]}"'))
    return repository


def test_no_call_campaign_is_armed_at_a_suppressed_person(by_hand: Repository) -> None:
    by_hand.write("dnc.yaml", SUPPRESSION)
    plan = by_hand.plan()
    assert plan.code == 3
    assert [d["code"] for d in plan.json["diagnostics"] if d["severity"] == "error"] == ["suppressed-in-reach"]
    assert by_hand("apply", "--yes", "--approve", "contact").code == 3
    assert by_hand.writes() == []
    assert "+12025550002" not in "".join(by_hand.said)


def test_nor_is_the_time_of_one_changed(by_hand: Repository, sandbox: Sandbox) -> None:
    by_hand.apply()
    by_hand.settled()
    by_hand.write("dnc.yaml", SUPPRESSION)
    assert by_hand.plan("--detailed-exitcode").code == 0, "what is armed already is not armed by this plan"
    before = len(by_hand.writes())
    campaign = (by_hand.root / "manifests" / "campaign.yaml").read_text()
    by_hand.write("campaign.yaml", campaign.replace("2099-02-02", "2099-02-03"))
    assert by_hand("apply", "--yes", "--approve", "contact").code == 3
    assert len(by_hand.writes()) == before
    sandbox.tamper("exotel", "remove_members", list="Hand", numbers=["+12025550002"])
    by_hand.apply()
    by_hand.settled()


def test_a_change_of_the_time_reaches_everybody_on_the_lists(by_hand: Repository) -> None:
    by_hand.apply()
    campaign = (by_hand.root / "manifests" / "campaign.yaml").read_text()
    by_hand.write("campaign.yaml", campaign.replace("2099-02-02", "2099-02-03"))
    summary = by_hand.plan().json["summary"]
    assert (summary["reach"], summary["startsContacting"]) == (2, 2)
    by_hand.write("account.yaml", VOICE + "  guards: {maxReach: 1}\n")
    assert by_hand("apply", "--yes", "--approve", "contact").code == 5
    by_hand.apply("--allow", "reach=2")
    by_hand.settled()


def test_members_are_read_only_for_a_plan_that_starts_calling_them(by_hand: Repository, sandbox: Sandbox) -> None:
    def member_reads() -> int:
        return sum(1 for r in sandbox.requests() if r["method"] == "GET" and r["path"].endswith("/contacts"))

    by_hand.apply()
    before = member_reads()
    assert before > 0
    by_hand.plan()
    assert member_reads() == before


def test_no_text_campaign_is_armed_at_a_suppressed_person(texts: Repository, sandbox: Sandbox) -> None:
    for number in ("+12025550001", "+12025550002"):
        sandbox.tamper("slicktext", "create_contact", mobile_number=number)
    sandbox.tamper("slicktext", "create_list", name="Hand", description="Made by hand")
    sandbox.tamper("slicktext", "add_members", list="Hand", numbers=["+12025550001", "+12025550002"])
    texts.write("campaign.yaml", TEXTING)
    texts.write("dnc.yaml", SUPPRESSION)
    assert texts("apply", "--yes", "--approve", "contact").code == 3
    assert texts.writes() == []
    texts.remove("dnc.yaml")
    assert texts.plan().json["summary"]["startsContacting"] == 2
    texts.apply()
    texts.settled()
    texts.write("dnc.yaml", SUPPRESSION)
    texts.write("campaign.yaml", TEXTING.replace("Hello", "Hello again"))
    before = len(texts.writes())
    refused = texts("apply", "--yes", "--approve", "contact")
    assert (refused.code, len(texts.writes())) == (3, before)
    assert "suppressed-in-reach" in refused.out


def test_of_a_list_that_nobody_can_read_those_are_known_whom_an_apply_has_put_there(
    calls: Repository, sandbox: Sandbox
) -> None:
    calls.write("list.yaml", ENGAGE)
    calls.apply()
    sandbox.tamper("intelepeer", "edit_campaign", campaign="Florida Test", set={"active": True})
    calls.write("link.yaml", LINK)
    assert calls.plan().json["summary"]["startsContacting"] == 2
    calls.write("dnc.yaml", SUPPRESSION)
    before = len(calls.writes())
    refused = calls("apply", "--yes", "--approve", "contact")
    assert (refused.code, len(calls.writes())) == (3, before)
    assert "suppressed-in-reach" in refused.out
