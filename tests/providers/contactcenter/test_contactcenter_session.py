"""Fetch, send and observe against the simulation, with what can go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from contactcenter_portal import (
    ACCOUNT_ID,
    ANNA,
    BORIS,
    CLARA,
    DORA,
    SPRING,
    Clock,
    campaign,
    desired,
    fetched,
    leads,
    membership,
    people,
    planned,
    seed,
    using,
)
from msgspec.structs import replace

from reconciler.errors import CredentialsRefused, NotSent, ReadIncomplete, Rejected
from reconciler.model.addresses import Kind
from reconciler.model.contacts import ContactSet
from reconciler.model.inventory import Inventory
from reconciler.model.kinds import ContactClass
from reconciler.model.resources import Mode
from reconciler.plan.calls import ContactsChanged, Effect, Evidence, MembersAdded, MembersRemoved, Method, Phase, Step
from reconciler.providers.base import Operation, Scope
from reconciler.providers.contactcenter import PROVIDER, calls
from reconciler.providers.contactcenter.session import CampaignStarted, ContactCenterSession
from reconciler.sandbox import Sandbox

State = Evidence.State
ADD = calls.add_lead(SPRING, ("first_name", "priority"), Method.PUT)
ADDED, REMOVED, STATUS = MembersAdded(of=SPRING), MembersRemoved(of=SPRING), ContactsChanged(columns=("status",))
READ_REPORTS = {"method": "GET", "path": "/api/v2/reports/**"}
READ_LEADS = {"method": "GET", "path": "/api/v2/config/**"}
SCOPE = Scope(desired=desired(membership(people(ANNA))), inventory=Inventory())


@pytest.fixture(params=["observed", "documented"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    given = seed({"number": ANNA, "first_name": "Anna", "id": "lead-a"}, {"number": DORA, "status": "success"})
    with Sandbox(seed=given, knobs={"contactcenter": {"profile": request.param, "strict_fields": True}}) as running:
        yield running


def add(number: str, **columns: str) -> Any:
    rows = people(number, **{name: [value] for name, value in columns.items()})
    return Step(phase=Phase.MEMBERSHIP, title="", call=ADD, effect=ADDED, rows=rows).request({})


def lead_call(call: Any, lead: str, status: str = "") -> Any:
    rows = people(ANNA, contact_id=[lead], status=[status])
    return Step(phase=Phase.MEMBERSHIP, title="", call=call, effect=STATUS, rows=rows).request({})


def logins(sandbox: Sandbox) -> int:
    return sum(r["path"] == "/api/v2/login" for r in sandbox.requests())


def see(sandbox: Sandbox, effect: Effect, rows: Any) -> Evidence:
    async def act(session: ContactCenterSession) -> Evidence:
        await session.fetch(SCOPE)
        return await session.observe(effect, rows)

    found: Evidence = using(sandbox, act, read_only=True)
    return found


# --- fetch


def test_the_whole_account(sandbox: Sandbox) -> None:
    live = fetched(sandbox, desired(membership(people(ANNA))))
    assert live.identity == f"contactcenter:127.0.0.1:account={ACCOUNT_ID}"
    assert live.objects[Kind.CAMPAIGN, SPRING].facts["status"] == "stopped"
    members = live.members[SPRING]
    assert [(r["number"], r["standing"]) for r in members.contacts.rows()] == [(ANNA, "waiting"), (DORA, "finished")]
    assert (members.count, live.requests, live.notes) == (2, 3, ())


def test_headers_are_as_documented(sandbox: Sandbox) -> None:
    fetched(sandbox, desired(membership(people(ANNA))))
    login, *reads = sandbox.requests()
    assert "x-account-id" not in {k.lower() for k in login.get("headers", {})}
    assert all(r["status"] == 200 for r in reads)


@pytest.mark.parametrize(
    "knobs",
    [
        {"opaque_tokens": True},
        {"token_keys": "camel", "refresh_token": False},
        {"bare_array": True},
        {"rows_key": "rows", "last_cursor": "null"},
        {"last_cursor": "empty", "echo_write_only": True, "max_page": 1},
        {"history_envelope": "object", "history_page": 1},
        {"error_body": "json", "write_body": "json"},
        {"write_body": "empty", "error_body": "empty"},
        {"normalise": "strip_plus"},
        {"token_ttl_s": 100.0},
        {"unknown_campaign": 404, "missing_lead": 404},
        {"visibility_delay_requests": 2},
    ],
    ids=str,
)
def test_everything_that_documents_leave_open_is_taken_either_way(sandbox: Sandbox, knobs: dict[str, Any]) -> None:
    sandbox.turn(contactcenter=knobs)
    wanted = desired(membership(people(ANNA, BORIS, priority=[None, "3"])), base_url=sandbox.url)
    made = planned(wanted, fetched(sandbox, wanted, pageSize=1))
    (step,) = made.changes[0].steps
    assert step.contact_class is ContactClass.MAY_NOTIFY

    async def act(session: ContactCenterSession) -> Evidence:
        await session.fetch(Scope(desired=wanted, inventory=Inventory()))
        await session.send(step.request({}), step.effect)
        for _ in range(4):
            look = await session.observe(step.effect, step.rows)
            if look.state is State.HOLDS:
                break
        return look

    assert using(sandbox, act).state is State.HOLDS
    assert [x["number"].removeprefix("+") for x in leads(sandbox)].count(BORIS.removeprefix("+")) == 1
    assert planned(wanted, fetched(sandbox, wanted)).changes[0].steps == ()


def test_counts_that_repeat_a_word_are_told(sandbox: Sandbox) -> None:
    sandbox.turn(contactcenter={"dup_status_key": True})
    live = fetched(sandbox, desired(membership(people(ANNA))))
    assert [n.code for n in live.notes] == ["contactcenter-counts"]


def test_the_account_of_another_login_is_told(sandbox: Sandbox) -> None:
    # The sandbox refuses a foreign account id; that a portal may not is told from the token.
    async def act(session: ContactCenterSession) -> Any:
        session._auth.token_account = ""
        live = await session.fetch(SCOPE)
        session._auth.token_account = "parent"
        return live.notes, (await session.fetch(SCOPE)).notes

    before, after = using(sandbox, act)
    assert before == ()
    assert [n.code for n in after] == ["contactcenter-other-account"]


def test_a_number_in_another_spelling_is_not_added_beside_it(sandbox: Sandbox) -> None:
    sandbox.tamper("contactcenter", "add_leads", campaign="Spring", leads=[BORIS.removeprefix("+1")])
    wanted = desired(membership(people(ANNA, BORIS)))
    made = planned(wanted, fetched(sandbox, wanted))
    assert [d.code for d in made.blocking] == ["contactcenter-number-rewritten"]


def test_a_campaign_that_has_leads_and_is_not_reported_is_incomplete(sandbox: Sandbox) -> None:
    pinned = replace(campaign(), pinned=SPRING)
    wanted = replace(desired(), resources={pinned.address: pinned})
    sandbox.set_faults([{**READ_REPORTS, "times": 9, "fault": {"kind": "empty_collection"}}])
    with pytest.raises(ReadIncomplete):
        fetched(sandbox, wanted)
    sandbox.set_faults([{**READ_REPORTS, "nth": 1, "fault": {"kind": "empty_collection"}}])
    assert (Kind.CAMPAIGN, SPRING) in fetched(sandbox, wanted).objects


def test_an_empty_page_that_offers_another_is_never_an_empty_campaign(sandbox: Sandbox) -> None:
    sandbox.turn(contactcenter={"empty_page_with_cursor": True})
    with pytest.raises(ReadIncomplete, match="does not advance"):
        fetched(sandbox, desired(membership(people(ANNA))))
    reads = [r for r in sandbox.requests() if r["path"].endswith("/leads")]
    assert [r["status"] for r in reads] == [200, 200]  # once more, and no further


def test_one_empty_page_is_read_past_at_the_second_try(sandbox: Sandbox) -> None:
    empty = {"kind": "rewrite", "pattern": ".+", "replacement": '{"data": [], "next_start_key": "lead-a"}'}
    sandbox.set_faults([{**READ_LEADS, "times": 1, "fault": empty}])
    wanted = desired(membership(people(ANNA, BORIS), Mode.ADDITIVE))
    (change,) = planned(wanted, fetched(sandbox, wanted)).changes
    assert change.members is not None
    assert list(change.members.add.numbers()) == [BORIS]


def test_a_campaign_with_pages_of_leads_is_not_gone_because_the_first_is_empty(sandbox: Sandbox) -> None:
    pinned = replace(campaign(), pinned=SPRING)
    wanted = replace(desired(), resources={pinned.address: pinned})
    sandbox.turn(contactcenter={"empty_page_with_cursor": True})
    sandbox.set_faults([{**READ_REPORTS, "times": 9, "fault": {"kind": "empty_collection"}}])
    with pytest.raises(ReadIncomplete, match="missing from the campaign report"):
        fetched(sandbox, wanted)


def test_the_wrong_place_says_so(sandbox: Sandbox) -> None:
    fault = {"kind": "error_before", "status": 404, "body": "404 page not found"}
    sandbox.set_faults([{**READ_REPORTS, "fault": fault}])
    with pytest.raises(ReadIncomplete) as failure:
        fetched(sandbox, desired())
    assert "baseUrl" in failure.value.hint


# --- the token


def test_a_dead_token_is_renewed_once_for_reads_and_writes(sandbox: Sandbox) -> None:
    async def act(session: ContactCenterSession) -> Any:
        await session.fetch(SCOPE)
        sandbox.tamper("contactcenter", "expire_tokens")
        await session.fetch(SCOPE)
        sandbox.tamper("contactcenter", "expire_tokens")
        return await session.send(add(BORIS), ADDED)

    assert using(sandbox, act).status == 200
    assert logins(sandbox) == 3
    assert len(leads(sandbox)) == 3


def test_a_400_of_a_fresh_token_is_final(sandbox: Sandbox) -> None:
    async def refused(session: ContactCenterSession) -> None:
        await session.fetch(SCOPE)
        with pytest.raises(Rejected):
            await session.send(add(""), ADDED)

    using(sandbox, refused, tokenSuspectAge=300.0)
    assert logins(sandbox) == 1
    using(sandbox, refused)
    assert logins(sandbox) == 3
    assert len(leads(sandbox)) == 2


def test_a_login_that_is_refused_is_not_tried_again(sandbox: Sandbox) -> None:
    sandbox.tamper("contactcenter", "edit_account", set={"users": {"somebody": "else"}})
    with pytest.raises(CredentialsRefused):
        fetched(sandbox, desired())
    assert len(sandbox.requests()) == 1


def test_a_token_is_renewed_before_it_dies() -> None:
    clock = Clock()
    with Sandbox(seed=seed(), knobs={"contactcenter": {"opaque_tokens": True}}) as sandbox:

        async def act(session: ContactCenterSession) -> list[int]:
            counts = []
            for seconds in (0, 49 * 60, 2 * 60):
                clock.at += seconds
                await session.fetch(SCOPE)
                counts.append(logins(sandbox))
            return counts

        assert using(sandbox, act, clock=clock) == [1, 1, 2]


def test_a_login_without_an_answer_means_that_nothing_was_sent(sandbox: Sandbox) -> None:
    fault = {"kind": "error_before", "status": 503}
    sandbox.set_faults([{"method": "POST", "path": "/api/v2/login", "times": 20, "fault": fault}])
    with pytest.raises(NotSent):
        using(sandbox, lambda s: s.send(add(BORIS), ADDED))
    assert len(leads(sandbox)) == 2


# --- writes


def test_an_add_sends_what_is_declared_and_nothing_else(sandbox: Sandbox) -> None:
    using(sandbox, lambda s: s.send(add(BORIS, first_name="Boris", priority="4"), ADDED))
    sent = sandbox.requests()[-1]
    assert (sent["method"], sent["path"]) == ("PUT", f"/api/v2/config/campaigns/{SPRING}/lead")
    assert "last_name" not in str(sent["body"])
    assert {x["number"]: x["priority"] for x in leads(sandbox)}[BORIS] == 4


def test_an_unknown_method_for_adding_says_what_to_set(sandbox: Sandbox) -> None:
    sandbox.turn(contactcenter={"put_add_refused": True, "allow_post_add": True})
    with pytest.raises(Rejected, match="addLeadMethod"):
        using(sandbox, lambda s: s.send(add(BORIS), ADDED))
    assert len(leads(sandbox)) == 2
    wanted = desired(membership(people(ANNA, BORIS)), addLeadMethod="POST")
    (step,) = planned(wanted, fetched(sandbox, wanted)).changes[0].steps
    assert step.call.method is Method.POST


def test_a_campaign_that_was_started_meanwhile_gets_nobody(sandbox: Sandbox) -> None:
    clock = Clock()

    async def act(session: ContactCenterSession) -> None:
        await session.fetch(SCOPE)
        await session.send(add(BORIS), ADDED)
        sandbox.tamper("contactcenter", "edit_campaign", campaign="Spring", set={"status": "previewing"})
        clock.at += 11.0
        with pytest.raises(CampaignStarted):
            await session.send(add(CLARA), ADDED)
        look = await session.observe(ADDED, people(CLARA))
        assert look.state is State.DIFFERS

    using(sandbox, act, clock=clock)
    assert {x["number"] for x in leads(sandbox)} == {ANNA, DORA, BORIS}


def test_what_was_read_long_ago_is_read_again_before_the_first_write(sandbox: Sandbox) -> None:
    clock = Clock()

    async def act(session: ContactCenterSession) -> None:
        await session.fetch(SCOPE)
        sandbox.tamper("contactcenter", "add_leads", campaign="Spring", leads=[BORIS])
        sandbox.tamper("contactcenter", "set_lead_status", lead=ANNA, status="in_progress")
        clock.at += 60.0
        assert (await session.send(add(BORIS), ADDED)).status == 200
        clock.at += 60.0
        with pytest.raises(Rejected, match="may be in a call"):
            await session.send(lead_call(calls.delete_lead(), "lead-a"), REMOVED)

    using(sandbox, act, clock=clock)
    assert all(r["method"] not in ("PUT", "DELETE") for r in sandbox.requests())


@pytest.mark.parametrize("answer", [400, 404])
def test_a_lead_that_is_gone_already_is_gone(sandbox: Sandbox, answer: int) -> None:
    sandbox.turn(contactcenter={"missing_lead": answer})

    async def act(session: ContactCenterSession) -> Any:
        await session.fetch(SCOPE)
        sandbox.tamper("contactcenter", "delete_lead", lead="lead-a")
        return await session.send(lead_call(calls.delete_lead(), "lead-a"), REMOVED)

    assert using(sandbox, act).status == 200


def test_a_status_for_a_lead_that_is_gone_is_refused_and_adds_nobody(sandbox: Sandbox) -> None:
    async def act(session: ContactCenterSession) -> None:
        await session.fetch(SCOPE)
        sandbox.tamper("contactcenter", "delete_lead", lead="lead-a")
        with pytest.raises(Rejected):
            await session.send(lead_call(calls.set_status(), "lead-a", "success"), STATUS)

    using(sandbox, act)
    assert [x["number"] for x in leads(sandbox)] == [DORA]


def test_no_lead_is_ever_put_back_in_line(sandbox: Sandbox) -> None:
    with pytest.raises(Rejected, match="back in line"):
        using(sandbox, lambda s: s.send(lead_call(calls.set_status(), "lead-a", "new"), STATUS))
    assert sandbox.requests() == []


# --- looks


def test_looks_tell_who_is_there_and_who_is_not(sandbox: Sandbox) -> None:
    assert see(sandbox, ADDED, people(ANNA)).state is State.HOLDS
    partly = see(sandbox, ADDED, people(ANNA, BORIS))
    assert partly.state is State.PARTLY
    assert partly.remaining is not None
    assert list(partly.remaining.numbers()) == [BORIS]
    assert see(sandbox, REMOVED, people(ANNA, contact_id=["lead-a"])).state is State.ABSENT
    assert see(sandbox, REMOVED, people(ANNA, contact_id=["lead-x"])).state is State.HOLDS
    rows = people(DORA, status=["success"], campaign_id=[SPRING], contact_id=["x"])
    assert see(sandbox, STATUS, rows).state is State.HOLDS
    assert see(sandbox, STATUS, people(ANNA, status=["failed"], campaign_id=[SPRING])).state is State.ABSENT


def test_half_a_look_is_no_ground_to_send_again(sandbox: Sandbox) -> None:
    async def act(session: ContactCenterSession) -> Evidence:
        await session.fetch(SCOPE)
        sandbox.set_faults([{**READ_LEADS, "times": 9, "fault": {"kind": "skipped_row"}}])
        return await session.observe(ADDED, people(BORIS))

    assert using(sandbox, act).state is State.AMBIGUOUS


def test_a_number_that_the_portal_rewrote_stops_everything(sandbox: Sandbox) -> None:
    async def act(session: ContactCenterSession) -> Evidence:
        await session.fetch(SCOPE)
        sandbox.tamper("contactcenter", "add_leads", campaign="Spring", leads=[BORIS.removeprefix("+1")])
        return await session.observe(ADDED, people(BORIS))

    look = using(sandbox, act)
    assert look.state is State.AMBIGUOUS
    assert "another number" in look.detail


def test_a_campaign_that_is_gone_tells_nothing(sandbox: Sandbox) -> None:
    sandbox.tamper("contactcenter", "delete_campaign", campaign="Spring")
    assert see(sandbox, ADDED, people(ANNA)).state is State.DIFFERS


# --- single operations, and health


def operation(name: str) -> Operation:
    return next(o for o in PROVIDER.operations if o.name == name)


def test_a_called_operation_renews_a_dead_token_and_keeps_a_refusal(sandbox: Sandbox) -> None:
    async def act(session: ContactCenterSession) -> Any:
        await session.health()
        sandbox.tamper("contactcenter", "expire_tokens")
        done = await session.call(operation("leads.add"), add(BORIS))
        return done, await session.call(operation("leads.delete"), lead_call(calls.delete_lead(), "lead-x"))

    done, refused = using(sandbox, act)
    assert (done.status, done.body, done.failure) == (200, "Lead added to campaign successfully.", None)
    assert (refused.status, type(refused.failure)) == (400, Rejected)
    assert len(leads(sandbox)) == 3


def test_whose_lead_gets_a_status_can_be_told(sandbox: Sandbox) -> None:
    async def act(session: ContactCenterSession) -> Any:
        found = []
        for name, lead in (("leads.set-status", "lead-a"), ("leads.set-status", "lead-x"), ("leads.delete", "lead-a")):
            whom = await session.concerned(operation(name), lead_call(calls.set_status(), lead, "success"))
            reached = await whom.reached() if whom.reached else ContactSet.empty()
            found.append(None if reached is None else list(reached.numbers()))
        return found

    assert using(sandbox, act, read_only=True) == [[ANNA], None, []]


def test_health_is_campaigns_queues_and_calls(sandbox: Sandbox) -> None:
    agent = {"name": "One", "logged_in": True, "registered": True, "extension_is_valid": False}
    sandbox.tamper("contactcenter", "create_queue", name="Out", agents=[agent, {"name": "Two"}])
    now = sandbox.call(lambda: sandbox.world.clock.now())
    for ago in (60, 7200, 90_000):
        sandbox.tamper("contactcenter", "add_activity", timestamp=now - ago, campaign_name="Spring", lead_number=ANNA)
    rows = using(sandbox, lambda s: s.health(), read_only=True)
    assert [(r.subject, r.name, r.state, dict(r.figures)) for r in rows] == [
        ("campaign", "Spring", "stopped", {"leads": 2, "new": 1, "success": 1}),
        ("queue", "Out", "", {"agents": 2, "logged in": 1, "available": 1, "on call": 0}),
        ("activity", "Spring", "", {"calls in 24 h": 2}),
    ]
    assert [r.problem for r in rows] == ["", "1 agents are misconfigured", ""]
