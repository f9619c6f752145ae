"""Sixty ordinary days that no guard may stand in the way of: one that blocks normal days gets switched off."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass

import pytest

from reconciler.cli import run

from outreach import (
    TEXT_LISTS,
    Edit,
    Outreach,
    call_campaign,
    call_list,
    declare,
    doc,
    drop,
    each,
    edit,
    grow,
    join,
    leads,
    move,
    number,
    people,
    portal,
    retire,
    text_campaign,
    text_list,
    voice_campaign,
    voice_list,
)

STRANGER = "+16155550101"


@dataclass(frozen=True, slots=True)
class Day:
    """What happened, what changed for it, and what a person approves beside ``--yes``."""

    story: str
    edits: tuple[Edit, ...]
    approve: str = ""
    writes: bool = True

    def __str__(self) -> str:
        return self.story


def day(story: str, *edits: Edit, approve: str = "", writes: bool = True) -> Day:
    return Day(story, edits, approve, writes)


def refreshed(name: str, count: int) -> tuple[Edit, ...]:
    return drop(name, count), grow(name, count)


def to_ndjson(at: Outreach) -> None:
    rows = "".join(json.dumps({"number": n, "first_name": f"P{n[-4:]}"}) + "\n" for n in at.rows("press"))
    at.people("press").with_suffix(".ndjson").write_text(rows, encoding="utf-8")


def to_gzip(at: Outreach) -> None:
    at.people("shop").with_suffix(".csv.gz").write_bytes(gzip.compress(at.people("shop").read_bytes()))


def backwards(text: str) -> str:
    head, *rows = text.splitlines()
    return "\n".join([head, *reversed(rows)]) + "\n"


def national(text: str) -> str:
    """As people write numbers: +12025550001 becomes (202) 555-0001."""
    head, *rows = text.splitlines()
    return "\n".join([head, *(f"(202) 555-{r[8:]}" for r in rows)]) + "\n"


SECOND_BRAND = """\
apiVersion: slicktext/v1
kind: Account
metadata: {name: canada}
spec: {brandId: "987654321", baseUrl: URL, auth: {apiKey: {env: SECOND_KEY}}}
---
apiVersion: slicktext/v1
kind: List
metadata: {name: members, account: canada}
spec: {name: Members}
---
apiVersion: slicktext/v1
kind: Membership
metadata: {name: members-people, account: canada}
spec: {list: members, mode: exact, missingContacts: create, contacts: [{number: "+16135550101"}]}
"""
NAMED = each(
    [f"texts/{n}.yaml" for n in (*TEXT_LISTS, "spring", "autumn")], "metadata: {", "metadata: {account: texts, "
)


def suppress(*numbers: str) -> Edit:
    listed = ", ".join(f'"{n}"' for n in numbers)
    return edit("accounts.yaml", '"+16155550199"', f'"+16155550199", {listed}')


TEXTING = (
    day(
        "the newsletter's weekly refresh, five of a hundred out and in", *refreshed("newsletter", 250), approve="delete"
    ),
    day("the shop's weekly refresh, five of a hundred", *refreshed("shop", 75), approve="delete"),
    day("the gold list's refresh while its campaign is scheduled", *refreshed("gold", 40), approve="delete"),
    day("the VIP list's refresh", *refreshed("vip", 20), approve="delete"),
    day(
        "a refresh of four lists on one morning",
        *refreshed("west", 12),
        *refreshed("east", 6),
        *refreshed("press", 3),
        *refreshed("shop", 60),
        approve="delete",
    ),
    day("three people leave a list of forty", drop("trial", 3), approve="delete"),
    day("one leaves the board", drop("board", 1), approve="delete"),
    day("five join the staff", grow("staff", 5)),
    day("a fair brings a thousand readers of the newsletter", grow("newsletter", 1000)),
    day("somebody moves from the trial to the VIPs", move("trial", "vip"), approve="delete"),
    day("one person joins three lists", *(join(n, number(8000)) for n in ("east", "west", "press"))),
    day(
        "a customer of the shop whom nobody knew yet",
        edit("texts/shop.yaml", "mode: exact", "mode: exact, missingContacts: create"),
        join("shop", STRANGER),
    ),
    day("a new list without people", declare("texts/new.yaml", doc("slicktext", "List", "new", "name: New"))),
    day(
        "a new list with a hundred people",
        declare("texts/new.yaml", text_list("new")),
        lambda at: at.put("new", map(number, range(100))),
    ),
    day("a new campaign as a draft", declare("texts/winter.yaml", text_campaign("winter", "shop"))),
    day("a draft that has no list yet", declare("texts/winter.yaml", text_campaign("winter"))),
    day("the text of a draft is worded anew", edit("texts/spring.yaml", "The spring sale", "The great spring sale")),
    day(
        "a draft is scheduled",
        edit("texts/spring.yaml", "status: draft", 'status: scheduled, scheduled: "2099-03-01 14:00:00"'),
        approve="contact",
    ),
    day(
        "a scheduled campaign is put off by a week",
        edit("texts/autumn.yaml", "2099-05-01", "2099-05-08"),
        approve="contact",
    ),
    day(
        "a scheduled campaign becomes a draft again",
        edit("texts/autumn.yaml", 'status: scheduled, scheduled: "2099-05-01 14:00:00"', "status: draft"),
    ),
    day("a draft is given up", retire("texts/spring.yaml"), approve="delete"),
    day(
        "a draft goes to a second list",
        declare("texts/more.yaml", doc("slicktext", "Association", "spring--west", "campaign: spring, list: west")),
    ),
    day("a draft no longer goes to a list", declare("texts/spring.yaml", text_campaign("spring")), approve="delete"),
    day(
        "a list is called something else at the provider",
        edit("texts/press.yaml", "name: Press", "name: Press and media"),
    ),
    day(
        "a list gets another name in Git",
        edit(
            "texts/beta.yaml",
            "metadata: {name: beta}\nlifecycle: {",
            "metadata: {name: pilots}\nlifecycle: {renamedFrom: beta, ",
        ),
        edit("texts/beta.yaml", "list: beta", "list: pilots"),
        writes=False,
    ),
    day(
        "six lists are described better",
        each([f"texts/{n}.yaml" for n in list(TEXT_LISTS)[:6]], "The NAME list", "All of NAME"),
    ),
    day(
        "all twelve lists are described better",
        each([f"texts/{n}.yaml" for n in TEXT_LISTS], "The NAME list", "NAME as in the handbook"),
    ),
    day("one list of twelve is retired", retire("texts/west.yaml"), approve="delete"),
    day("a small list is retired", retire("texts/staff.yaml"), approve="delete"),
    day("two lists of twelve are retired", retire("texts/east.yaml", "texts/beta.yaml"), approve="delete"),
    day(
        "first names of the VIPs are brought up to date",
        edit("texts/vip.yaml", "mode: exact", "mode: exact, contactAttributes: sync"),
    ),
    day("somebody asks never to be contacted again", suppress(number(20))),
    day("the legal team sends forty numbers", suppress(*map(number, range(1000, 1040)))),
    day(
        "labels for the reports",
        each(
            [f"texts/{n}.yaml" for n in TEXT_LISTS],
            "kind: List\nmetadata: {",
            "kind: List\nmetadata: {labels: {team: growth}, ",
        ),
        writes=False,
    ),
    day(
        "comments and empty lines",
        each([f"texts/{n}.yaml" for n in TEXT_LISTS], "---\n", "---\n# Owned by marketing.\n\n"),
        writes=False,
    ),
    day(
        "a contact file becomes NDJSON", to_ndjson, edit("texts/press.yaml", "press.csv", "press.ndjson"), writes=False
    ),
    day("a contact file is compressed", to_gzip, edit("texts/shop.yaml", "shop.csv", "shop.csv.gz"), writes=False),
    day("an export comes in another order", people("newsletter", backwards), writes=False),
    day(
        "an export has the numbers as people write them",
        people("west", national),
        edit("texts/west.yaml", "west.csv", "west.csv, defaultRegion: US"),
        writes=False,
    ),
    day(
        "a person in the portal corrects a description, Git wins",
        portal("slicktext", "edit_list", list="Press", set={"description": "press!"}),
    ),
    day(
        "a person in the portal adds two to a list, Git wins",
        portal("slicktext", "add_members", list="East", numbers=[number(8001), number(8002)]),
        approve="delete",
    ),
    day(
        "a person in the portal takes four off a list, Git wins",
        portal("slicktext", "remove_members", list="East", numbers=[number(50 + i) for i in range(4)]),
    ),
    day(
        "a member texts STOP",
        portal("slicktext", "edit_contact", contact=number(60), set={"opt_in_status": "unsubscribed"}),
        writes=False,
    ),
    day(
        "a list made by hand is taken over",
        portal("slicktext", "create_list", name="Walk-ins"),
        declare("texts/walk-ins.yaml", doc("slicktext", "List", "walk-ins", "name: Walk-ins")),
        writes=False,
    ),
    day("a brand in another country", NAMED, declare("canada.yaml", SECOND_BRAND)),
)
CALLING = (
    day("two hundred more people to be reminded by phone", grow("reminders", 200), approve="contact"),
    day("ten more for a survey that is still a draft", grow("surveys", 10)),
    day(
        "a new list to call",
        declare("calls/visits.yaml", call_list("visits")),
        lambda at: at.put("visits", map(number, range(30))),
    ),
    day("a new campaign to call a list of ours", declare("calls/checks.yaml", call_campaign("checks", "outages"))),
    day("a survey is published", edit("calls/opinions.yaml", "state: draft", "state: published")),
    day("a list to call is retired", retire("calls/outages.yaml"), approve="delete"),
    day("the voice renewals' weekly refresh", *refreshed("renewals", 50), approve="delete,contact"),
    day(
        "a voice list and its people",
        declare("voice/visits.yaml", voice_list("visits")),
        lambda at: at.put("visits", map(number, range(30))),
    ),
    day("a voice list is tagged for the reports", edit("voice/welcome.yaml", "tag: welcome", "tag: onboarding")),
    day(
        "a round of calls next month", declare("voice/next.yaml", voice_campaign("next", "welcome")), approve="contact"
    ),
    day(
        "a round of calls is put off by a day",
        each(["voice/round.yaml"], "2099-02-02", "2099-02-03"),
        approve="contact",
    ),
    day("twenty more leads", grow("winback", 20)),
    day("three of forty leads are withdrawn", drop("winback", 3), approve="delete"),
    day(
        "leads for another campaign of the portal",
        declare("center/onboarding.yaml", leads("onboarding")),
        lambda at: at.put("onboarding", map(number, range(15))),
    ),
    day(
        "leads for a campaign that runs",
        portal("contactcenter", "edit_campaign", campaign="Winback", set={"status": "paused"}),
        grow("winback", 2),
        approve="contact",
    ),
)
DAYS = (*TEXTING, *CALLING)


def test_there_are_sixty_of_them() -> None:
    assert len({d.story for d in DAYS}) == len(DAYS) == 60


@pytest.mark.parametrize("one", DAYS, ids=str)
def test_an_ordinary_day_goes_through_unarmed(
    company: Outreach, one: Day, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SECOND_KEY", "sandbox-other-key")
    before = company.writes()
    for edited in one.edits:
        edited(company)
    if one.approve:
        assert run(["apply", "--yes"]) == 5, "the person would not have been asked"
        assert company.writes() == before
    code = run(["apply", "--yes", *(["--approve", one.approve] if one.approve else [])])
    told = capsys.readouterr()
    assert code == 0, told.out + told.err
    assert (company.writes() > before) is one.writes
    assert run(["plan", "--detailed-exitcode"]) == 0, capsys.readouterr().out
