"""What a portal can do, what is wrong with a manifest, and decisions about leads as calls."""

from __future__ import annotations

from typing import Any

import pytest
from contactcenter_portal import (
    ANNA,
    BORIS,
    CLARA,
    SPRING,
    account,
    campaign,
    desired,
    membership,
    people,
    planned,
)

from reconciler.diagnostics import Severity
from reconciler.model.addresses import Kind
from reconciler.model.contacts import ContactSet
from reconciler.model.kinds import ContactClass
from reconciler.model.live import AccountLive, LiveMembers, Observed, Standing
from reconciler.model.resources import Lifecycle, Mode, OnRemove, Resource
from reconciler.plan.calls import Method
from reconciler.plan.changes import Change, Plan
from reconciler.providers.contactcenter import CODES, PROVIDER
from reconciler.providers.contactcenter.convert import Surplus, surplus_fact
from reconciler.providers.contactcenter.settings import Settings, portal_url

WAITING, BUSY, FINISHED = Standing.WAITING, Standing.BUSY, Standing.FINISHED


def live(
    contacts: ContactSet | None = None, status: str | None = "stopped", surplus: tuple[Surplus, ...] = ()
) -> AccountLive:
    seen = Observed(
        kind=Kind.CAMPAIGN, remote_id=SPRING, name="Spring", fields={"name": "Spring"}, facts={"status": status}
    )
    contacts = contacts or ContactSet.empty()
    members = LiveMembers(contacts=contacts, count=len(contacts), facts=surplus_fact(surplus))
    return AccountLive(identity="x", objects={(Kind.CAMPAIGN, SPRING): seen}, members={SPRING: members})


def leads(**standings: Standing) -> ContactSet:
    numbers = {"anna": ANNA, "boris": BORIS, "clara": CLARA}
    return ContactSet.from_columns(
        {
            "number": [numbers[name] for name in standings],
            "contact_id": [f"lead-{name}" for name in standings],
            "standing": list(standings.values()),
            "status": ["new"] * len(standings),
        }
    )


def change_of(made: Plan) -> Change:
    (change,) = made.changes
    return change


def requests(change: Change) -> list[tuple[str, str, Any]]:
    """(method, path, body) of every request, in order."""
    found = []
    for step in change.steps:
        for batch in step.batches():
            call = batch.request({})
            found.append((str(call.method), "/".join(map(str, call.path[4:])), call.body))
    return found


def codes(resource: Resource, **settings: Any) -> list[str]:
    wanted = desired(resource, **settings)
    return [d.code for d in PROVIDER.rules.check(resource, wanted.accounts["center"], wanted)]


# --- manifests


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"first_name": ["Anna"], "priority": ["4"], "retries": ["0"], "cool_off": ["60"], "note": ["x" * 2000]}, []),
        ({"priority": ["high"]}, ["contactcenter-attribute"]),
        ({"priority": ["-1"], "retries": ["04"]}, ["contactcenter-attribute", "contactcenter-attribute"]),
        ({"note": ["x" * 2001]}, ["contactcenter-attribute"]),
        ({"first_name": [" Anna"]}, ["contactcenter-attribute"]),
        ({"last_name": ["x" * 256]}, ["contactcenter-attribute"]),
        ({"email": ["x"]}, ["contactcenter-attribute"]),
        ({"first_name": [None], "priority": [None], "status": [None]}, []),
        ({"status": ["success"]}, []),
        ({"status": ["new"]}, ["contactcenter-status"]),
        ({"status": ["done"]}, ["contactcenter-status"]),
    ],
    ids=str,
)
def test_columns_are_checked(columns: dict[str, list[str | None]], expected: list[str]) -> None:
    assert codes(membership(people(ANNA, **columns))) == expected


def test_more_words_for_finished_can_be_named() -> None:
    resource = membership(people(ANNA, status=["done"]))
    assert codes(resource, terminalStatuses=["done"]) == []
    assert codes(membership(people(ANNA, status=["new"])), terminalStatuses=["done"]) == ["contactcenter-status"]


def test_what_can_never_be_done_to_a_campaign_is_said_early() -> None:
    assert codes(campaign(lifecycle=Lifecycle(on_remove=OnRemove.DELETE))) == ["contactcenter-campaign-read-only"]
    assert codes(campaign(lifecycle=Lifecycle(replace=True))) == ["contactcenter-campaign-read-only"]
    assert codes(campaign(" ")) == ["contactcenter-campaign-missing"]
    assert codes(campaign()) == []


def test_delete_finished_means_nothing_when_nobody_is_deleted() -> None:
    resource = membership(people(ANNA), Mode.ADDITIVE, deleteFinished=True)
    (found,) = PROVIDER.rules.check(resource, account(), desired(resource))
    assert (found.code, found.severity) == ("contactcenter-setting", Severity.WARNING)


@pytest.mark.parametrize(
    "settings",
    [
        {"accountId": ""},
        {"accountId": "a/b"},
        {"domain": " "},
        {"pageSize": 0},
        {"readdLookback": -1},
        {"tokenSuspectAge": "x"},
        {"addLeadMethod": "PATCH"},
        {"terminalStatuses": ["new"]},
        {"terminalStatuses": "done"},
    ],
    ids=str,
)
def test_settings_are_checked(settings: dict[str, Any]) -> None:
    held = account(**settings)
    assert [d.code for d in PROVIDER.check_account(held)] == ["contactcenter-setting"]
    assert PROVIDER.identity(held) == ""
    with pytest.raises(ValueError, match=next(iter(settings))):
        Settings.of(held)


def test_a_portal_must_be_named() -> None:
    assert [d.code for d in PROVIDER.check_account(account(base_url=""))] == ["contactcenter-setting"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://portal.example.com", "https://portal.example.com:9443"),
        ("https://portal.example.com:443/", "https://portal.example.com:443"),
        ("https://portal.example.com/api/v2", "https://portal.example.com:9443"),
        ("http://127.0.0.1:8765/api/v2/", "http://127.0.0.1:8765"),
        ("http://127.0.0.1", "http://127.0.0.1"),
    ],
)
def test_where_the_portal_is(given: str, meant: str) -> None:
    assert portal_url(account(base_url=given)) == meant


def test_a_400_is_suspected_later_away_from_loopback() -> None:
    assert Settings.of(account()).suspect_s == 0.0
    assert Settings.of(account(base_url="https://portal.example.com")).suspect_s == 300.0
    assert Settings.of(account(tokenSuspectAge=60.0)).suspect_s == 60.0


# --- calls


def test_statuses_come_first_then_deletes_then_adds() -> None:
    wanted = desired(membership(people(ANNA, BORIS, status=["failed", None], first_name=[None, "Boris"])))
    change = change_of(planned(wanted, live(leads(anna=WAITING, clara=WAITING))))
    assert requests(change) == [
        ("POST", "leads/lead-anna/status/failed", None),
        ("DELETE", "leads/lead-clara", None),
        ("PUT", f"{SPRING}/lead", {"number": BORIS, "first_name": "Boris"}),
    ]
    assert [s.title for s in change.steps] == ["set status", "delete leads", "add leads"]
    assert change.call_count == 3
    assert list(change.reach.numbers.numbers()) == [BORIS]
    assert change.contact_class is ContactClass.MAY_NOTIFY


@pytest.mark.parametrize("status", ["running", "paused", "", "STOPPED", None])
def test_adding_to_anything_but_a_stopped_campaign_starts_contacting(status: str | None) -> None:
    change = change_of(planned(desired(membership(people(ANNA))), live(status=status)))
    assert change.contact_class is ContactClass.STARTS_CONTACTING


def test_deleting_and_finishing_are_silent_whatever_the_campaign_does() -> None:
    wanted = desired(membership(people(ANNA, status=["success"])))
    change = change_of(planned(wanted, live(leads(anna=BUSY, boris=WAITING), status="running")))
    assert [m for m, *_ in requests(change)] == ["POST", "DELETE"]
    assert change.contact_class is ContactClass.SILENT
    assert change.reach.count == 0


def test_whole_numbers_are_sent_as_numbers_and_nothing_undeclared_is_sent() -> None:
    columns: dict[str, list[str | None]] = {"priority": ["4", None], "cool_off": [None, "60"], "ticket_id": ["T", None]}
    change = change_of(planned(desired(membership(people(ANNA, BORIS, **columns))), live()))
    assert [body for *_, body in requests(change)] == [
        {"number": ANNA, "priority": 4, "ticket_id": "T"},
        {"number": BORIS, "cool_off": 60},
    ]
    posted = desired(membership(people(ANNA)), addLeadMethod="POST")
    assert change_of(planned(posted, live())).steps[0].call.method is Method.POST


def test_every_lead_of_an_undeclared_number_that_could_be_dialled_is_deleted() -> None:
    surplus = tuple(
        Surplus(number=ANNA, lead=lead, standing=standing)
        for lead, standing in (("second", WAITING), ("third", WAITING), ("old", FINISHED), ("talking", BUSY))
    )
    seen = live(leads(anna=WAITING, boris=WAITING), surplus=surplus)
    change = change_of(planned(desired(membership(people(BORIS))), seen))
    assert [path for _, path, _ in requests(change)] == ["leads/lead-anna", "leads/second", "leads/third"]
    wider = change_of(planned(desired(membership(people(BORIS), deleteFinished=True)), seen))
    assert [path for _, path, _ in requests(wider)][-1] == "leads/old"
    kept = planned(desired(membership(people(ANNA, BORIS))), seen)
    assert change_of(kept).steps == ()


def test_leads_of_a_campaign_that_is_missing_are_no_change() -> None:
    seen = AccountLive(identity="x")
    made = planned(desired(membership(people(ANNA))), seen)
    assert made.changes == ()
    assert [d.code for d in made.blocking] == ["contactcenter-campaign-missing"]


# --- tables


def test_the_provider_is_what_the_documents_say() -> None:
    assert PROVIDER.kinds == (Kind.CAMPAIGN, Kind.MEMBERSHIP)
    assert PROVIDER.credentials == (frozenset({"username", "password"}),)
    assert PROVIDER.identity(account()) == "contactcenter:127.0.0.1:account=0123456789abcdef0123456789abcdef"
    assert all(code.startswith("contactcenter-") for code in CODES)


def test_every_documented_endpoint_is_an_operation() -> None:
    found = {(str(o.method), o.path) for o in PROVIDER.operations}
    config, reports = "/api/v2/config/campaigns", "/api/v2/reports/campaigns/leads"
    assert found == {
        ("GET", f"{reports}/status"),
        ("GET", f"{config}/{{campaign_id}}/leads"),
        ("GET", "/callcenter/queues/status"),
        ("GET", f"{reports}/history"),
        ("PUT", f"{config}/{{campaign_id}}/lead"),
        ("POST", f"{config}/leads/{{leadID}}/status/{{status}}"),
        ("DELETE", f"{config}/leads/{{leadID}}"),
        ("PUT", f"{config}/call/{{cdrID}}/disposition/voicemail"),
    }
    graves = {o.name for o in PROVIDER.operations if o.contact_class is ContactClass.STARTS_CONTACTING}
    assert graves == {"leads.add", "leads.set-status"}
