"""Sixty accidents with everything approved: each must be refused before the first write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import pytest

from reconciler.cli import run

from outreach import (
    ACCOUNTS,
    TEXT_LISTS,
    VOICE_LISTS,
    Edit,
    Outreach,
    call_campaign,
    declare,
    doc,
    drop,
    each,
    edit,
    fault,
    grow,
    number,
    people,
    portal,
    retire,
)

INVALID, REFUSED, STALE, UNREADABLE = 3, 5, 6, 10
TEXTS = [f"texts/{n}.yaml" for n in TEXT_LISTS]
EVERYTHING = ("--yes", "--approve", "delete,contact")


@dataclass(frozen=True, slots=True)
class Accident:
    """What happened, what it did to the repository or the provider, and the exit code that tells so."""

    story: str
    code: int
    edits: tuple[Edit, ...]
    words: Sequence[str] = ()

    def __str__(self) -> str:
        return self.story


def accident(story: str, code: int, *edits: Edit, words: Sequence[str] = ()) -> Accident:
    return Accident(story, code, edits, words)


def half(name: str) -> Edit:
    return people(name, lambda text: "\n".join(text.splitlines()[: len(text.splitlines()) // 2]) + "\n")


def header_only(name: str) -> Edit:
    return people(name, lambda text: text.splitlines()[0] + "\n")


def instead(name: str, other: str) -> Edit:
    return lambda at: at.people(name).write_bytes(at.people(other).read_bytes())


def swapped(one: str, other: str) -> Edit:
    def swap(at: Outreach) -> None:
        first, second = at.people(one).read_bytes(), at.people(other).read_bytes()
        at.people(one).write_bytes(second)
        at.people(other).write_bytes(first)

    return swap


def gone(name: str) -> Edit:
    return lambda at: at.people(name).unlink()


def saved(at: Outreach) -> None:
    """A plan for a small change that somebody reviewed."""
    edit("texts/press.yaml", "The press list", "Journalists")(at)
    assert run(["plan", "--out", "reviewed.plan"]) == 0


def damaged(at: Outreach) -> None:
    path = at.root / "reviewed.plan"
    path.write_text(path.read_text(encoding="utf-8").replace("press", "staff"), encoding="utf-8")


def used(at: Outreach) -> None:
    assert run(["apply", "reviewed.plan"]) == 0


def no_manifests(at: Outreach) -> None:
    for path in sorted((at.root / "manifests").rglob("*.yaml")):
        path.unlink()


def misspelt_folder(at: Outreach) -> None:
    path = at.root / "reconciler.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("[manifests]", "[manifest]"), encoding="utf-8")


def frozen(at: Outreach) -> None:
    (at.root / "FREEZE").touch()
    grow("staff", 3)(at)


def shrunk(provider: str, name: str, numbers: range, op: str = "remove_members") -> Edit:
    return portal(provider, op, list=name, numbers=[number(i) for i in numbers])


def leads_lost(at: Outreach) -> None:
    for one in at.rows("upsell")[:30]:
        at.sandbox.tamper("contactcenter", "delete_lead", lead=one, campaign="Upsell")


def lists_lost(count: int) -> Edit:
    def lose(at: Outreach) -> None:
        for name in list(TEXT_LISTS)[:count]:
            at.sandbox.tamper("slicktext", "delete_list", list=name.title())

    return lose


def cut(text: str) -> str:
    """An upload that broke off in the middle of a row."""
    return text[: len(text) * 3 // 4] + '+1202555,"Ann'


def spreadsheet(text: str) -> str:
    head, *rows = text.splitlines()
    return "\n".join([head, *(f"1.2026E+10,{r.split(',')[1]}" for r in rows)]) + "\n"


def conflict(text: str) -> str:
    head, *rows = text.splitlines()
    return "\n".join([head, "<<<<<<< HEAD", *rows, "=======", rows[0], ">>>>>>> weekly"]) + "\n"


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "4d7a2146" * 8 + "\nsize 120312\n"
SOMETHING = edit("texts/press.yaml", "The press list", "Journalists")

FILES = (
    accident("half of the newsletter is missing from the export", REFUSED, half("newsletter")),
    accident("half of the shop's customers are missing", REFUSED, half("shop")),
    accident("half of a small list is missing", REFUSED, half("trial")),
    accident("a tenth and a bit of the VIPs are missing", REFUSED, drop("vip", 41)),
    accident("the export has a header and nobody", INVALID, header_only("newsletter")),
    accident("the export of a small list has a header and nobody", INVALID, header_only("staff")),
    accident("the export is an empty file", INVALID, people("newsletter", lambda text: "")),
    accident("the export is not there", INVALID, gone("newsletter")),
    accident("an LFS pointer in place of the file", INVALID, people("newsletter", lambda text: POINTER)),
    accident("a merge conflict in the file", INVALID, people("newsletter", conflict)),
    accident("the staff's file in place of the newsletter's", REFUSED, instead("newsletter", "staff")),
    accident("the files of two lists are swapped", REFUSED, swapped("gold", "shop")),
    accident(
        "the column of numbers was renamed", INVALID, people("shop", lambda text: text.replace("number,", "Mobile,", 1))
    ),
    accident("the columns have lost their header", INVALID, people("shop", lambda text: text.split("\n", 1)[1])),
    accident("a spreadsheet has rounded the numbers", INVALID, people("shop", spreadsheet)),
    accident("a spreadsheet has written semicolons", INVALID, people("shop", lambda text: text.replace(",", ";"))),
    accident("the upload of the file broke off in a row", INVALID, people("shop", cut)),
    accident(
        "the upload of the file broke off between two rows",
        REFUSED,
        people("shop", lambda text: "\n".join(text.split("\n")[:1000]) + "\n"),
    ),
    accident(
        "the file is a web page that asks to log in",
        INVALID,
        people("shop", lambda text: "<html><body>Please log in</body></html>\n"),
    ),
    accident(
        "the file is a workbook under the name of a CSV",
        INVALID,
        people("shop", lambda text: b"PK\x03\x04" + bytes(200)),
    ),
    accident("the file is in UTF-16", INVALID, people("shop", lambda text: text.encode("utf-16"))),
    accident(
        "the file was compressed and kept its name", INVALID, people("shop", lambda text: b"\x1f\x8b\x08" + bytes(50))
    ),
    accident(
        "every row is the same person",
        REFUSED,
        people(
            "shop",
            lambda text: "\n".join(islice(cycle(text.splitlines()[1:2]), 1500)).join(["number,first_name\n", "\n"]),
        ),
    ),
    accident(
        "the numbers have lost their last digit",
        INVALID,
        people(
            "west",
            lambda text: "".join(r[:11] + r[12:] if r.startswith("+") else r for r in text.splitlines(keepends=True)),
        ),
    ),
    accident("half of the voice renewals are missing", REFUSED, half("renewals")),
    accident("the voice renewals have a header and nobody", INVALID, header_only("renewals")),
    accident("three of four leads are missing", REFUSED, drop("winback", 30)),
    accident("the leads have a header and nobody", INVALID, header_only("winback")),
    accident(
        "lists of three providers come half empty on one day", REFUSED, half("gold"), half("renewals"), half("upsell")
    ),
    accident("a hundred and twenty leave the voice renewals", REFUSED, drop("renewals", 120)),
)
MANIFESTS = (
    accident("the folder of manifests is empty", INVALID, no_manifests),
    accident("the folder of manifests is misspelt in the project", INVALID, misspelt_folder),
    accident("all lists are gone from the branch", REFUSED, retire(*TEXTS, "texts/spring.yaml", "texts/autumn.yaml")),
    accident("half of the lists are gone from the branch", REFUSED, retire(*TEXTS[:6])),
    accident("a third of the lists and campaigns are gone", REFUSED, retire(*TEXTS[:4], "texts/spring.yaml")),
    accident(
        "all voice lists and the round are gone", REFUSED, retire(*(f"voice/{n}.yaml" for n in (*VOICE_LISTS, "round")))
    ),
    accident(
        "everything of one provider is renamed, here and there",
        REFUSED,
        each(TEXTS, "name: TITLE", "name: TITLE 2027"),
        each(TEXTS, "metadata: {name: NAME", "metadata: {name: NAME-2027"),
        each(TEXTS, "list: NAME", "list: NAME-2027"),
        retire("texts/spring.yaml", "texts/autumn.yaml"),
    ),
    accident(
        "an exact list declares nobody",
        INVALID,
        edit("texts/shop.yaml", "contactsFrom: [{file: ../../contacts/shop.csv}]", "contacts: []"),
    ),
    accident(
        "an exact list declares nobody and says that this is fine",
        REFUSED,
        edit("texts/shop.yaml", "contactsFrom: [{file: ../../contacts/shop.csv}]", "contacts: [], allowEmpty: true"),
    ),
    accident(
        "an exact membership is pointed at a big list",
        INVALID,
        edit("texts/staff.yaml", "list: staff", "list: newsletter"),
    ),
    accident(
        "two memberships have changed places",
        REFUSED,
        edit("texts/gold.yaml", "gold.csv", "vip.csv"),
        edit("texts/vip.yaml", "vip.csv", "gold.csv"),
    ),
    accident(
        "a merge conflict in a manifest",
        INVALID,
        declare("texts/press.yaml", "<<<<<<< HEAD\nkind: List\n=======\nkind: List\n>>>>>>> other\n"),
    ),
    accident(
        "a manifest was cut in the middle",
        INVALID,
        declare("texts/press.yaml", "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: pre"),
    ),
    accident(
        "a list is declared twice",
        INVALID,
        declare("texts/again.yaml", doc("slicktext", "List", "press", "name: Press")),
    ),
    accident(
        "a campaign of the portal is misspelt", INVALID, edit("center/winback.yaml", "name: Winback", "name: Winnback")
    ),
    accident(
        "lists to call are described anew, which takes their people",
        INVALID,
        edit("calls/reminders.yaml", "The reminders list", "Patients"),
    ),
    accident(
        "a calling campaign is unlinked, which nobody can do",
        INVALID,
        declare("calls/opinions.yaml", call_campaign("opinions")),
        SOMETHING,
    ),
    accident(
        "three thousand are added where two thousand may be reached",
        REFUSED,
        edit("accounts.yaml", "removals: {count: 300}", "maxReach: 2000"),
        grow("newsletter", 3000),
    ),
    accident(
        "the file with the suppressed numbers is not there",
        INVALID,
        edit("accounts.yaml", 'numbers: ["+16155550199"]', "contactsFrom: [{file: ../contacts/never.csv}]"),
        SOMETHING,
    ),
    accident(
        "the key stands in the manifest",
        INVALID,
        edit("accounts.yaml", "{apiKey: {env: SLICKTEXT_API_KEY}}", "{apiKey: abcdef}"),
        SOMETHING,
    ),
    accident(
        "the account points at somebody else's host",
        INVALID,
        declare("accounts.yaml", ACCOUNTS.replace("baseUrl: URL", "baseUrl: https://api.example.com", 1)),
        SOMETHING,
    ),
)
PROVIDERS = (
    accident("five of twelve lists vanished from the account", REFUSED, lists_lost(5)),
    accident(
        "half of the newsletter vanished from the account", REFUSED, shrunk("slicktext", "Newsletter", range(200, 2800))
    ),
    accident(
        "the reading of people is cut off",
        UNREADABLE,
        SOMETHING,
        fault(provider="slicktext", method="GET", path="/v1/*/lists/*/contacts", fault={"kind": "truncate"}),
    ),
    accident(
        "the account's lists come back as none",
        UNREADABLE,
        SOMETHING,
        fault(provider="slicktext", method="GET", path="/v1/*/lists", fault={"kind": "empty_collection"}),
    ),
    accident(
        "the provider is down",
        UNREADABLE,
        SOMETHING,
        fault(provider="slicktext", method="GET", fault={"kind": "error_before", "status": 503}),
    ),
    accident("half of the leads vanished from the portal", REFUSED, leads_lost),
    accident("manifests moved on after the plan was reviewed", STALE, saved, grow("staff", 2), words=["reviewed.plan"]),
    accident("the reviewed plan was edited by hand", STALE, saved, damaged, words=["reviewed.plan"]),
    accident("everything is frozen", REFUSED, frozen),
)
ACCIDENTS = (*FILES, *MANIFESTS, *PROVIDERS)


def test_there_are_sixty_of_them() -> None:
    assert len({a.story for a in ACCIDENTS}) == len(ACCIDENTS) == 60


@pytest.mark.parametrize("one", ACCIDENTS, ids=str)
def test_an_accident_is_refused_before_the_first_write(
    company: Outreach, one: Accident, capsys: pytest.CaptureFixture[str]
) -> None:
    for edited in one.edits:
        edited(company)
    before = company.writes()
    code = run(["apply", *one.words, *EVERYTHING])
    told = capsys.readouterr()
    assert code == one.code, told.out + told.err
    assert company.writes() == before
    assert told.out + told.err, "nobody was told why"
