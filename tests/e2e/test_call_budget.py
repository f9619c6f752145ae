"""How many requests each kind of change takes: the fewest that the provider's API allows, and the read-backs.

Every number is a formula of its own, out of the provider's API notes: n people on pages of p are ⌈n/p⌉ pages, and an
empty list costs one. An apply reads what its plan reads, writes, looks at what it wrote, and reads once more what a
plan after it reads. A list or campaign is looked for before it is made, and looked at afterwards; of requests about
people the first is looked at before the rest, where there are several, and all of them together at the end.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.providers.contactcenter import session
from reconciler.sandbox import Sandbox

import center
from repository import CALLS, TEXTS, VOICE, Repository

SPRING = {
    "accounts": [
        {
            "account_id": "0123456789abcdef0123456789abcdef",
            "domain": "sandbox",
            "users": [{"username": "sandbox", "password": "sandbox-contactcenter-password"}],
        }
    ],
    "campaigns": [{"name": "Spring"}],
}
KNOBS = {"slicktext": {"rate_limit": None}, "intelepeer": {"delete_delay_s": 0.0}}
ALLOWED = ("--allow", "deletes=99", "--allow", "removals=999")

PREFIX = re.compile(r"/(v1/brands/[0-9]+|v2/accounts/[^/]+|_rest/v[24]|api/v2)/")
ID = re.compile(r"(?<=/)[0-9a-f]{6,}|(?<=/)[0-9]+")


def pages(count: int, size: int) -> int:
    return max(1, -(-count // size))


def calls(count: int, size: int) -> int:
    return -(-count // size)


def requests(text: str, **numbers: int) -> Counter[str]:
    """``GET lists, 2 GET lists/#``: requests with how often each is sent. Words stand for ``numbers``."""
    found: Counter[str] = Counter()
    for part in filter(None, map(str.strip, text.split(","))):
        times, method, path = ["1", *part.split()][-3:]
        found[f"{method} {path}"] += numbers[times] if times in numbers else int(times)
    return +found


@dataclass(frozen=True, kw_only=True)
class Day:
    """One change: the files that are written (None: removed), how many people are declared then, and the requests.

    ``before`` and ``after`` are what a plan reads, ``writes`` what the change sends, ``looks`` what is read besides.
    """

    title: str
    files: dict[str, str | None] = field(default_factory=dict)
    people: int | None = None
    before: Counter[str]
    writes: Counter[str]
    looks: Counter[str]
    after: Counter[str]
    login: Counter[str] = field(default_factory=Counter)


def manifest(provider: str, kind: str, name: str, spec: str, lifecycle: str = "{onRemove: delete}") -> str:
    head = f"apiVersion: {provider}/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nlifecycle: {lifecycle}\n"
    return f"{head}spec: {{{spec}}}\n"


def members(provider: str, spec: str) -> str:
    return manifest(provider, "Membership", "people", f"{spec}, contactsFrom: [{{file: ../people.csv}}]")


def campaign(provider: str, spec: str, link: str = "") -> str:
    association = manifest(provider, "Association", "link", "campaign: spring, list: long" + link)
    return manifest(provider, "Campaign", "spring", spec) + "---\n" + association


# --- SlickText API notes: 1.5 (100 a page, counted before and after), 2 (C3 one each; L8 and L9 arrays), bulk 80


def slicktext() -> Iterator[Day]:
    def plan(on_list: int | None, book: int | None = None) -> Counter[str]:
        listing = requests("GET brands, GET lists, GET campaigns")
        if on_list is not None:
            listing += requests("2 GET lists/#/contacts/count, n GET lists/#/contacts", n=pages(on_list, 100))
        # Above 200 unknown people the whole address book is cheaper than asking for each (H5).
        return listing + (requests("n GET contacts", n=pages(book, 100)) if book is not None else Counter())

    def look(on_list: int) -> Counter[str]:
        return requests("2 GET lists/#/contacts/count, n GET lists/#/contacts", n=pages(on_list, 100))

    def book(known: int) -> Counter[str]:
        """The address book after so many contacts: without a count, a full page is followed by one more (1.5)."""
        return requests("n GET contacts", n=known // 100 + 1)

    one = {"list.yaml": manifest("slicktext", "List", "long", "name: Long list")}
    yield Day(
        title="a new list",
        files=one,
        before=plan(None),
        writes=requests("POST lists"),
        looks=requests("GET lists, GET lists/#"),
        after=plan(None),
    )
    yield Day(
        title="1,000 adds",
        files={"people.yaml": members("slicktext", "list: long, mode: exact, missingContacts: create")},
        people=1000,
        before=plan(0, book=0),
        writes=requests("1000 POST contacts, n POST lists/contacts", n=calls(1000, 80)),
        # Somebody of the first request is asked for by number, in the book and on the list.
        looks=requests("GET contacts, GET lists/#/contacts") + book(1000) + look(1000),
        after=plan(1000),
    )
    yield Day(
        title="5 % removes",
        people=950,
        before=plan(1000),
        writes=requests("DELETE lists/contacts"),
        looks=look(950),
        after=plan(950),
    )
    yield Day(
        title="a new campaign with its association",
        files={"campaign.yaml": campaign("slicktext", "name: Spring, body: Hello there")},
        before=plan(950),
        writes=requests("POST campaigns"),
        looks=requests("GET campaigns, GET campaigns/#"),
        after=plan(950),
    )
    yield Day(
        title="the campaign deleted",
        files={"campaign.yaml": None},
        before=plan(950),
        writes=requests("DELETE campaigns/#"),
        looks=requests("2 GET campaigns/#"),
        after=plan(950),
    )


# --- Exotel API notes: 2 (E8 500 a page, E5 and E12 bulk 1,000, E9 one each, E18 with its lists), 1.5


def exotel() -> Iterator[Day]:
    def plan(on_list: int | None) -> Counter[str]:
        listing = requests("GET lists, GET campaigns")
        return listing if on_list is None else listing + look(on_list)

    def look(on_list: int) -> Counter[str]:
        return requests("n GET lists/#/contacts", n=pages(on_list, 500))

    round_ = (
        'name: Spring round, caller_id: "+12025550100", url: http://my.exotel.com/sandbox1/exoml/start_voice/926, '
        'schedule: {send_at: "2099-02-02T09:00:00+05:30"}'
    )
    yield Day(
        title="a new list",
        files={"list.yaml": manifest("exotel", "List", "long", "name: Long list")},
        before=plan(None),
        writes=requests("POST lists"),
        looks=requests("GET lists, GET lists/#"),
        after=plan(None),
    )
    yield Day(
        title="1,000 adds",
        files={"people.yaml": members("exotel", "list: long, mode: exact, missingContacts: create")},
        people=1000,
        before=plan(0),
        writes=requests("POST contacts, POST lists/#/contacts"),
        looks=look(1000),
        after=plan(1000),
    )
    yield Day(
        title="5 % removes",
        people=950,
        before=plan(1000),
        writes=requests("50 DELETE lists/#/contacts/#"),
        looks=look(999) + look(950),
        after=plan(950),
    )
    yield Day(
        title="a new campaign with its association",
        files={"campaign.yaml": campaign("exotel", round_)},
        before=plan(950),
        writes=requests("POST campaigns"),
        looks=requests("GET campaigns, GET campaigns/#"),
        after=plan(950),
    )
    yield Day(
        title="the campaign deleted",
        files={"campaign.yaml": None},
        before=plan(950),
        writes=requests("DELETE campaigns/#"),
        looks=requests("2 GET campaigns/#"),
        after=plan(950),
    )
    yield Day(
        title="the list deleted",
        files={"people.yaml": None, "list.yaml": None},
        before=plan(950),
        writes=requests("DELETE lists/#"),
        looks=requests("2 GET lists/#"),
        after=plan(None),
    )


# --- IntelePeer API notes: E1 and E10 are not paged; members only as a list's opaque ids; one upload holds many


def intelepeer() -> Iterator[Day]:
    login = requests("POST authenticate")

    def plan(memberships: int) -> Counter[str]:
        # The listing tells no members: a list that a Membership is about is read once more by its id.
        return requests("GET campaigns, n GET lists", n=1 + memberships)

    texts = 'name: Florida Test, description: d, callerIdentification: "+16075550100", flowId: 5bef29e1c5480c40e2ab4ef0'
    yield Day(
        title="a new list",
        files={
            "list.yaml": manifest("intelepeer", "List", "long", "name: Long list, description: d, headers: [phone]")
        },
        login=login,
        before=plan(0),
        writes=requests("POST lists"),
        looks=requests("2 GET lists"),
        after=plan(0),
    )
    yield Day(
        title="20 adds",
        files={"people.yaml": members("intelepeer", "list: long, mode: additive")},
        people=20,
        login=login,
        before=plan(1),
        writes=requests("PUT lists/#/uploadcontacts"),
        looks=requests("GET lists"),
        after=plan(1),
    )
    yield Day(
        title="a new campaign with its association",
        files={"campaign.yaml": campaign("intelepeer", texts, ", moc: phone")},
        login=login,
        before=plan(1),
        writes=requests("POST campaigns, POST campaigns/#/action"),
        looks=requests("4 GET campaigns"),
        after=plan(1),
    )
    yield Day(
        title="the campaign deleted",
        files={"campaign.yaml": None},
        login=login,
        before=plan(1),
        writes=requests("DELETE campaigns/#"),
        looks=requests("2 GET campaigns"),
        after=plan(1),
    )


# --- contact-centre API notes: E2 one report, E3 100 a page, E6 and E9 one each, E5 the look-back of adds (3.6)


def contactcenter() -> Iterator[Day]:
    login = requests("POST login")

    def plan(leads: int) -> Counter[str]:
        return requests("GET reports/campaigns/leads/status") + look(leads)

    def look(leads: int) -> Counter[str]:
        return requests("n GET config/campaigns/#/leads", n=pages(leads, 100))

    yield Day(
        title="150 adds",
        files={
            "campaign.yaml": manifest("contactcenter", "Campaign", "spring", "name: Spring", "{}"),
            "people.yaml": members("contactcenter", "campaign: spring, mode: exact"),
        },
        people=150,
        login=login,
        before=plan(0) + requests("GET reports/campaigns/leads/history"),
        writes=requests("150 PUT config/campaigns/#/lead"),
        # Whether the campaign dials is asked before the first add, and again every second (which this test stops).
        looks=requests("GET reports/campaigns/leads/status") + look(1) + look(150),
        after=plan(150),
    )
    yield Day(
        title="5 % removes",
        people=142,
        login=login,
        before=plan(150),
        writes=requests("8 DELETE config/campaigns/leads/#"),
        looks=look(149) + look(142),
        after=plan(142),
    )


PROVIDERS = {
    "slicktext": (TEXTS, slicktext),
    "exotel": (VOICE, exotel),
    "intelepeer": (CALLS, intelepeer),
    "contactcenter": (center.ACCOUNT, contactcenter),
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed={"contactcenter": SPRING}, knobs=KNOBS) as running:
        yield running


def declare(repository: Repository, day: Day) -> None:
    for name, text in day.files.items():
        if text is None:
            repository.remove(name)
        else:
            repository.write(name, text)
    if day.people is not None:
        rows = "".join(f"+1202555{n:04d}\n" for n in range(100, 100 + day.people))
        (repository.root / "people.csv").write_text("number\n" + rows, encoding="utf-8")


def sent(repository: Repository, since: int) -> Counter[str]:
    rows = repository.sandbox.requests()[since:]
    return Counter(f"{r['method']} {ID.sub('#', PREFIX.sub('', r['path']).removeprefix('/v1/'))}" for r in rows)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_request_more_than_it_takes(repository: Repository, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for age in ("STATUS_FRESH_S", "BUSY_FRESH_S"):
        monkeypatch.setattr(session, age, 3600.0)  # how often a campaign is looked at goes by the second
    account, days = PROVIDERS[provider]
    repository.write("account.yaml", account)
    for day in days():
        declare(repository, day)
        since = len(repository.sandbox.requests())
        plan = repository.plan()
        assert plan.code == 0, plan.out + plan.err
        assert sent(repository, since) == day.login + day.before, f"plan of {day.title}"
        assert plan.json["summary"]["calls"] == day.writes.total(), day.title

        since = len(repository.sandbox.requests())
        repository.apply(*ALLOWED)
        whole = day.login + day.before + day.writes + day.looks + day.after
        assert sent(repository, since) == whole, f"apply of {day.title}"

        since = len(repository.sandbox.requests())
        assert repository.plan("--detailed-exitcode").code == 0
        assert sent(repository, since) == day.login + day.after, f"empty plan after {day.title}"
        since = len(repository.sandbox.requests())
        repository.apply()
        assert sent(repository, since) == day.login + day.after, f"empty apply after {day.title}"


# --- pages: as many as there are people for, wherever a list ends


def people(count: int, first: int = 0) -> dict[str, Any]:
    return {"first": f"+1{2025550000 + first}", "count": count}


def seeded(provider: str, sizes: list[int], book: int) -> dict[str, Any]:
    """Lists of these sizes, all of them of the first people of one address book."""
    lists = [{"name": f"L{size}", "members": people(size)} for size in sizes]
    match provider:
        case "contactcenter":
            campaigns = [{"name": f"L{size}", "leads": {"generate": people(size)}} for size in sizes]
            return {**SPRING, "campaigns": campaigns}
        case _:
            return {"contacts": [{"generate": people(book)}], "lists": lists}


def declared(provider: str, size: int, spec: str = "") -> str:
    """A Membership of somebody who is on the list already, so that nobody is looked for."""
    owner = "Campaign" if provider == "contactcenter" else "List"
    of = manifest(provider, owner, f"l{size}", f"name: L{size}", "{}")
    spec = spec or 'contacts: [{number: "+12025550000"}]'
    spec = f"{owner.lower()}: l{size}, mode: additive, {spec}"
    return f"{of}---\n{manifest(provider, 'Membership', f'p{size}', spec)}"


def pages_of_a_plan(provider: str, size: int) -> Counter[str]:
    """What reading one more list of this size costs."""
    match provider:
        case "slicktext":
            return requests("2 GET lists/#/contacts/count, n GET lists/#/contacts", n=pages(size, 100))
        case "exotel":
            return requests("n GET lists/#/contacts", n=pages(size, 500))
        case _:
            return requests("n GET config/campaigns/#/leads", n=pages(size, 100))


# IntelePeer has no pages.
LISTINGS = {
    "slicktext": "GET brands, GET lists, GET campaigns",
    "exotel": "GET lists, GET campaigns",
    "contactcenter": "POST login, GET reports/campaigns/leads/status",
}
PAGE = {"exotel": 500}


def planned(repository: Repository, seed: dict[str, Any], account: str, files: dict[str, str]) -> Counter[str]:
    """What a plan sends of an account that is seeded like this."""
    with Sandbox(seed=seed, knobs=KNOBS) as repository.sandbox:
        repository.write("account.yaml", account)
        for name, text in files.items():
            repository.write(name, text)
        plan = repository.plan()
        assert plan.code == 0, plan.out + plan.err
        return sent(repository, 0)


@pytest.mark.parametrize("provider", LISTINGS)
def test_no_page_more_than_a_list_has(repository: Repository, provider: str) -> None:
    page = PAGE.get(provider, 100)
    sizes = [1, page - 1, page, page + 1, 2 * page, 5 * page, 6 * page + 1, 9 * page - 1]
    seed = {provider: seeded(provider, sizes, max(sizes))}
    files = {f"list-{size}.yaml": declared(provider, size) for size in sizes}
    expected = requests(LISTINGS[provider])
    for size in sizes:
        expected += pages_of_a_plan(provider, size)
    assert planned(repository, seed, PROVIDERS[provider][0], files) == expected


@pytest.mark.parametrize("on_list", [1, 450, 900])
@pytest.mark.parametrize("book", [1199, 1200, 1201, 1590])
def test_no_page_more_than_the_address_book_has(repository: Repository, book: int, on_list: int) -> None:
    """Nobody tells how many there are: as many as are on a list there must be."""
    rows = "".join(f"+1{2025550000 + n}\n" for n in range(on_list + 250))
    (repository.root / "people.csv").write_text("number\n" + rows, encoding="utf-8")
    files = {"list.yaml": declared("slicktext", on_list, "contactsFrom: [{file: ../people.csv}]")}
    found = planned(repository, {"slicktext": seeded("slicktext", [on_list], book)}, TEXTS, files)
    least = requests(LISTINGS["slicktext"]) + pages_of_a_plan("slicktext", on_list)
    # A full page is followed by one more (1.5).
    assert found == least + requests("n GET contacts", n=book // 100 + 1)
