"""Fetch, send and observe against the simulation, with what can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from exotel_world import (
    BIFF,
    DOC,
    JENNY,
    KEY,
    MARTY,
    SID,
    SOON,
    TOKEN,
    a_campaign,
    a_link,
    a_list,
    a_membership,
    account,
    apply,
    crowd,
    desired,
    fetched,
    in_minutes,
    inventory,
    owns,
    people,
    plan_of,
    using,
)

from reconciler.apply.judging import Result
from reconciler.errors import CredentialsRefused, Exit, NoAnswer, NotFound, RateLimited, ReadIncomplete, Rejected
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.plan.calls import (
    Call,
    Changed,
    ContactsChanged,
    ContactsCreated,
    Created,
    Deleted,
    Effect,
    Evidence,
    Linked,
    MembersAdded,
    MembersRemoved,
    Method,
    Step,
)
from reconciler.providers.base import Caller, Observer
from reconciler.providers.exotel import PROVIDER, calls
from reconciler.providers.exotel.session import CampaignAstray, ExotelSession, TooNear
from reconciler.sandbox import Sandbox

State = Evidence.State
LIST, CAMPAIGN = Kind.LIST, Kind.CAMPAIGN
FIELDS = {"name": "Second", "caller_id": "+12025550100", "url": "http://my.exotel.com/sandbox1/exoml/start_voice/926"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    seed = {
        "exotel": {
            "lists": [
                {"sid": "L1", "name": "Old", "tag": "x", "members": [MARTY, DOC, BIFF]},
                {"sid": "L2", "name": "Older", "members": [JENNY]},
            ],
            "campaigns": [
                {"id": "C1", "name": "Round", "lists": ["Old"], "schedule": {"send_at": SOON}, "url": FIELDS["url"]},
                {"id": "C2", "name": "Round", "status": "completed", "lists": ["Old", "Older"]},
            ],
        }
    }
    with Sandbox(seed=seed) as running:
        yield running


def sids(sandbox: Sandbox, *numbers: str) -> list[str]:
    book = {c["number"]: c["sid"] for c in sandbox.state()["exotel"]["contacts"]}
    return [book[n] for n in numbers]


def known(sandbox: Sandbox, *numbers: str) -> ContactSet:
    return people(*numbers, contact_id=sids(sandbox, *numbers))


def see(sandbox: Sandbox, effect: Effect, rows: ContactSet | None = None, **more: Any) -> Evidence:
    found: Evidence = using(sandbox, lambda s: s.observe(effect, rows), read_only=True, **more)
    return found


def put(sandbox: Sandbox, call: Call, effect: Effect, **more: Any) -> Any:
    return using(sandbox, lambda s: s.send(call, effect), **more)


def filled(call: Call, rows: ContactSet, effect: Effect) -> Call:
    from reconciler.plan.calls import Phase

    return Step(phase=Phase.MEMBERSHIP, title="t", call=call, effect=effect, rows=rows, chunk=5000).request({})


def writes(sandbox: Sandbox) -> list[tuple[str, str]]:
    return [(r["method"], r["path"]) for r in sandbox.requests() if r["method"] != "GET"]


# --- fetch


def test_the_whole_account(sandbox: Sandbox) -> None:
    wanted = desired(a_list("old", "Old"), a_membership("old", people(MARTY, JENNY)), base_url=sandbox.url)
    live = fetched(sandbox, wanted)
    assert live.identity == f"exotel:127.0.0.1:account={SID}"
    assert {(o.kind, o.remote_id, o.name) for o in live.objects.values()} == {
        (LIST, "L1", "Old"),
        (LIST, "L2", "Older"),
        (CAMPAIGN, "C1", "Round"),
        (CAMPAIGN, "C2", "Round [completed]"),
    }
    assert {(x.campaign, x.list) for x in live.links.values()} == {("C1", "L1"), ("C2", "L1"), ("C2", "L2")}
    assert [*live.members["L1"].contacts.numbers()] == sorted([MARTY, DOC, BIFF])  # type: ignore[index]
    assert set(live.members) == {"L1"}
    assert live.requests == 3


def test_everything_for_an_import(sandbox: Sandbox) -> None:
    live = fetched(sandbox, desired(base_url=sandbox.url), everything=True)
    assert {i: m.count for i, m in live.members.items()} == {"L1": 3, "L2": 1}


def test_credentials_are_in_a_header_and_never_in_an_address(sandbox: Sandbox) -> None:
    fetched(sandbox, desired(base_url=sandbox.url))
    for request in sandbox.requests():
        assert KEY not in str(request["path"]) + str(request.get("query"))
        assert TOKEN not in str(request["path"]) + str(request.get("query"))


def test_a_wrong_key_names_the_region_and_a_wrong_account_is_no_empty_one(sandbox: Sandbox) -> None:
    sandbox.tamper("exotel", "edit_account", set={"api_token": "another"})
    with pytest.raises(CredentialsRefused) as refused:
        fetched(sandbox, desired(base_url=sandbox.url))
    assert "region" in refused.value.hint
    sandbox.tamper("exotel", "edit_account", set={"api_token": TOKEN})
    with pytest.raises(CredentialsRefused) as unknown:
        fetched(sandbox, desired(base_url=sandbox.url), accountSid="nobody")
    assert unknown.value.code == "exotel-account-unknown"


def test_a_near_time_is_told_before_anything_is_sent(sandbox: Sandbox) -> None:
    for minutes in (-60, 9):
        campaign = a_campaign("new", "Brand new", schedule={"send_at": in_minutes(minutes)})
        plan = plan_of(sandbox, desired(a_list("old", "Old"), campaign, a_link("new", "old"), base_url=sandbox.url))
        assert [d.code for d in plan.blocking] == ["exotel-schedule-too-near"]
    campaign = a_campaign("new", "Brand new", schedule={"send_at": in_minutes(15)})
    assert not plan_of(
        sandbox, desired(a_list("old", "Old"), campaign, a_link("new", "old"), base_url=sandbox.url)
    ).blocking


def test_what_we_own_is_asked_for_by_id_before_it_counts_as_gone(sandbox: Sandbox) -> None:
    owned = inventory(owns(LIST, "old", "L1"), owns(LIST, "gone", "L9"), owns(CAMPAIGN, "round", "C2"))
    sandbox.set_faults([{"method": "GET", "path": "/v2/*/lists", "fault": {"kind": "empty_collection"}}])
    with pytest.raises(ReadIncomplete):
        fetched(sandbox, desired(base_url=sandbox.url), owned)
    sandbox.set_faults([{"method": "GET", "path": "/v2/*/lists", "nth": 1, "fault": {"kind": "empty_collection"}}])
    assert (LIST, "L1") in fetched(sandbox, desired(base_url=sandbox.url), owned).objects
    sandbox.set_faults([{"method": "GET", "path": "/v2/*/campaigns", "fault": {"kind": "empty_collection"}}])
    live = fetched(sandbox, desired(base_url=sandbox.url), owned)
    assert [o.remote_id for o in live.objects.values() if o.kind is CAMPAIGN] == ["C2"]


def test_a_row_that_slips_between_pages_is_read_again(sandbox: Sandbox) -> None:
    sandbox.tamper("exotel", "add_members", list="Old", numbers=[*crowd(30).numbers()])
    sandbox.turn(exotel={"max_page": 10})
    wanted = desired(a_list("old", "Old"), a_membership("old", crowd(5), exact=False), base_url=sandbox.url)
    for kind in ("skipped_row", "duplicated_row"):
        fault = {"method": "GET", "path": "/v2/*/lists/*/contacts", "nth": 2, "fault": {"kind": kind}}
        sandbox.set_faults([fault])
        assert fetched(sandbox, wanted).members[RemoteId("L1")].count == 33


@pytest.mark.parametrize(
    "body", ["[]", '{"response": 5}', '{"response": [7]}', '{"response": [{"code": 200, "data": {}}]}']
)
def test_an_unknown_shape_is_no_empty_account(sandbox: Sandbox, body: str) -> None:
    sandbox.set_faults(
        [{"method": "GET", "path": "/v2/*/lists", "fault": {"kind": "error_before", "status": 200, "body": body}}]
    )
    with pytest.raises(ReadIncomplete):
        fetched(sandbox, desired(base_url=sandbox.url))


def test_people_with_one_number_and_an_address_book_that_is_too_large(sandbox: Sandbox) -> None:
    sandbox.tamper("exotel", "create_contact", number="+12025550001")
    strict = a_membership("old", people(MARTY, "+12025550001"), missing_contacts="fail")
    wanted = desired(a_list("old", "Old"), strict, base_url=sandbox.url)
    live = fetched(sandbox, wanted)
    assert [*live.contacts.numbers()] == ["+12025550001"]
    unknown = a_membership("old", people("+12025550001", "+12025550002"), missing_contacts="fail")
    small = fetched(sandbox, desired(a_list("old", "Old"), unknown, base_url=sandbox.url), addressBookPages=0)
    assert [d.code for d in small.notes] == ["exotel-address-book-too-large"]


# --- bulk


def test_creating_finds_those_who_exist(sandbox: Sandbox) -> None:
    rows = people(MARTY, "+12025550001")

    async def act(session: ExotelSession) -> tuple[Any, Evidence]:
        call = filled(calls.create_contacts(SID, ()), rows, ContactsCreated())
        return await session.send(call, ContactsCreated()), await session.observe(ContactsCreated(), rows)

    answer, look = using(sandbox, act)
    assert (answer.status, answer.refused, look.state) == (207, (), State.HOLDS)
    assert [look.contact_ids[n] for n in rows.numbers()] == sids(sandbox, *rows.numbers())
    assert see(sandbox, ContactsCreated(), rows).state is State.ABSENT


def test_refused_entries_are_told_by_position(sandbox: Sandbox) -> None:
    rows = ContactSet.from_columns({"number": [MARTY, DOC], "contact_id": [*sids(sandbox, MARTY), "nobody"]})
    effect = MembersAdded(of=RemoteId("L2"))
    answer = put(sandbox, filled(calls.add_members(SID, "L2"), rows, effect), effect)  # type: ignore[arg-type]
    assert answer.refused == (1,)
    assert "refused 1 of 2 with 404" in answer.detail
    look = see(sandbox, effect, rows)
    assert (look.state, [*(look.remaining or people()).numbers()]) == (State.PARTLY, [DOC])


def test_when_all_are_refused_it_is_not_halved(sandbox: Sandbox) -> None:
    rows = people(MARTY, DOC, contact_id=["nobody", "none"])
    effect = MembersAdded(of=RemoteId("L2"))
    answer = put(sandbox, filled(calls.add_members(SID, "L2"), rows, effect), effect)  # type: ignore[arg-type]
    assert (answer.status, answer.refused) == (207, (0, 1))
    wanted = desired(a_list("older", "Older"), a_membership("older", rows, exact=False), base_url=sandbox.url)
    plan = plan_of(sandbox, wanted)
    before = len(writes(sandbox))
    apply(sandbox, plan)
    assert len(writes(sandbox)) - before == 1


def test_only_what_was_turned_away_for_now_is_sent_again(sandbox: Sandbox) -> None:
    sandbox.turn(exotel={"fail_bulk_item": 2})
    rows, effect = crowd(5), ContactsCreated()
    answer = put(sandbox, filled(calls.create_contacts(SID, ()), rows, effect), effect)
    assert answer.refused == ()
    bodies = [r["body"]["contacts"] for r in sandbox.requests() if r["method"] == "POST"]
    assert [len(b) for b in bodies] == [5, 1]
    sandbox.turn(exotel={"fail_bulk_item": 1})
    answer = put(sandbox, filled(calls.create_contacts(SID, ()), rows, effect), effect)
    assert answer.refused == (0,)
    with pytest.raises(NoAnswer):
        put(sandbox, filled(calls.create_contacts(SID, ()), crowd(1), effect), effect)


def test_a_bulk_answer_that_nobody_can_place_is_unknown(sandbox: Sandbox) -> None:
    body = '{"http_code": 207, "response": [{"code": 200, "status": "success", "data": null}]}'
    fault = {"kind": "error_after", "status": 207, "body": body}
    sandbox.set_faults([{"method": "POST", "path": "/v2/*/contacts", "fault": fault}])
    with pytest.raises(NoAnswer):
        put(sandbox, filled(calls.create_contacts(SID, ()), crowd(3), ContactsCreated()), ContactsCreated())


@pytest.mark.parametrize(
    "kind", ["drop_before", "drop_after", "error_before", "error_after", "non_json", "truncate", "partial_bulk"]
)
def test_members_arrive_once_whatever_happens_to_a_bulk_call(sandbox: Sandbox, kind: str) -> None:
    for path in ("/v2/accounts/sandbox1/contacts", "/v2/*/lists/*/contacts"):
        params = {"status": 502} if kind in ("non_json",) else {"status": 503} if kind.startswith("error") else {}
        sandbox.set_faults([{"method": "POST", "path": path, "nth": 1, "fault": {"kind": kind, **params}}])
        wanted = desired(a_list("older", "Older"), a_membership("older", crowd(40), exact=False), base_url=sandbox.url)
        applied = apply(sandbox, plan_of(sandbox, wanted))
        assert {r for _, r, _ in applied.ended} <= {Result.DONE, Result.FAILED}
        sandbox.set_faults([])
        apply(sandbox, plan_of(sandbox, wanted))
        row = next(x for x in sandbox.state()["exotel"]["lists"] if x["sid"] == "L2")
        assert len(row["numbers"]) == 41
        sandbox.tamper("exotel", "remove_members", list="Older", numbers=[*crowd(40).numbers()])
    numbers = [c["number"] for c in sandbox.state()["exotel"]["contacts"]]
    assert len(numbers) == len(set(numbers))


def test_taking_off_somebody_who_is_gone_is_done(sandbox: Sandbox) -> None:
    effect = MembersRemoved(of=RemoteId("L1"))
    call = filled(calls.remove_member(SID, "L1"), known(sandbox, JENNY), effect)  # type: ignore[arg-type]
    assert put(sandbox, call, effect).status == 404
    assert see(sandbox, effect, known(sandbox, JENNY)).state is State.HOLDS
    assert see(sandbox, effect, known(sandbox, MARTY)).state is State.ABSENT
    assert see(sandbox, MembersRemoved(of=RemoteId("L9")), known(sandbox, MARTY)).state is State.HOLDS


def test_changed_contacts_are_read_back(sandbox: Sandbox) -> None:
    rows = known(sandbox, MARTY, DOC).with_column("tag", "new")
    effect = ContactsChanged(columns=("tag",))
    assert see(sandbox, effect, rows).state is State.ABSENT
    put(sandbox, filled(calls.update_contacts(SID, ("tag",)), rows, effect), effect)
    assert see(sandbox, effect, rows).state is State.HOLDS


# --- lists


def test_a_list_that_is_there_already_is_taken(sandbox: Sandbox) -> None:
    effect = Created(kind=LIST, name="Old", fields={"name": "Old"})
    assert see(sandbox, effect).remote_id == "L1"
    assert put(sandbox, calls.create_lists(SID, ({"name": "Old"},)), effect).remote_id == "L1"
    ours = Created(kind=LIST, name="Old", fields={"name": "Old"}, known_ids=frozenset({RemoteId("L1")}))
    with pytest.raises(Rejected) as taken:
        put(sandbox, calls.create_lists(SID, ({"name": "Old"},)), ours)
    assert taken.value.status == 409


def test_several_lists_are_judged_one_by_one(sandbox: Sandbox) -> None:
    before = frozenset({RemoteId("L2")})
    entries = [Created(kind=LIST, name=n, fields={"name": n}, known_ids=before) for n in ("Fresh", "Old", "Older")]
    call = calls.create_lists(SID, tuple({"name": e.name} for e in entries))

    async def act(session: Any) -> Any:
        answers = await session.send_together(call, tuple(entries))
        return answers, await session.observe_together(tuple(entries))

    (made, found, refused), looks = using(sandbox, act)
    assert (found.remote_id, refused.status, type(refused)) == ("L1", 409, Rejected)
    assert [(look.state, look.remote_id) for look in looks] == [
        (State.HOLDS, made.remote_id),
        (State.HOLDS, "L1"),
        (State.ABSENT, None),
    ]
    assert len(writes(sandbox)) == 1


def test_many_lists_are_looked_at_in_one_reading(sandbox: Sandbox) -> None:
    entries = tuple(
        Changed(kind=LIST, target=RemoteId(i), base={"tag": before}, expected={"tag": after})
        for i, before, after in (("L1", "", "x"), ("L2", "", "y"), ("L9", "", "z"))
    )
    states = [e.state for e in using(sandbox, lambda s: s.observe_together(entries))]
    assert states == [State.HOLDS, State.ABSENT, State.DIFFERS]
    reads = [r["path"].rpartition("/")[2] for r in sandbox.requests()]
    # One that the listing does not have is asked for by its id before it counts as gone.
    assert reads == ["lists", "L9"]


def test_lists_change_and_go(sandbox: Sandbox) -> None:
    effect = Changed(kind=LIST, target=RemoteId("L1"), base={"tag": "x"}, expected={"tag": "y"})
    assert see(sandbox, effect).state is State.ABSENT
    put(sandbox, calls.update_list(SID, RemoteId("L1"), {"name": "Old", "tag": "y"}), effect)
    assert see(sandbox, effect).state is State.HOLDS
    sandbox.tamper("exotel", "edit_list", list="Old", set={"tag": "z"})
    assert see(sandbox, effect).state is State.DIFFERS
    gone = Deleted(kind=LIST, target=RemoteId("L9"))
    assert put(sandbox, calls.delete_list(SID, RemoteId("L9")), gone).status == 404
    with pytest.raises(Rejected):
        put(sandbox, calls.delete_list(SID, RemoteId("L1")), Deleted(kind=LIST, target=RemoteId("L1")))


def test_a_failure_inside_a_200_is_a_failure(sandbox: Sandbox) -> None:
    sandbox.turn(exotel={"rename_conflict_http": 200})
    effect = Changed(kind=LIST, target=RemoteId("L1"), base={"name": "Old"}, expected={"name": "Older"})
    with pytest.raises(Rejected) as refused:
        put(sandbox, calls.update_list(SID, RemoteId("L1"), {"name": "Older"}), effect)
    assert refused.value.status == 409


# --- campaigns


def created(send_at: str, name: str = "Second") -> tuple[Call, Created]:
    fields = {**FIELDS, "name": name, "schedule": {"send_at": send_at}}
    return calls.create_campaign(SID, fields, [RemoteId("L1")]), Created(kind=CAMPAIGN, name=name, fields=fields)


def test_a_campaign_is_made_and_found(sandbox: Sandbox) -> None:
    call, effect = created(SOON)
    assert see(sandbox, effect).state is State.ABSENT
    answer = put(sandbox, call, effect)
    assert see(sandbox, effect).remote_id == answer.remote_id
    other = created("2099-05-05T09:00:00Z")[1]
    assert see(sandbox, other).state is State.AMBIGUOUS
    put(sandbox, call, effect)
    assert see(sandbox, effect).state is State.AMBIGUOUS


def test_never_too_near_and_never_without_a_time(sandbox: Sandbox) -> None:
    for minutes in (-1, 5, 9.9):
        with pytest.raises(TooNear):
            put(sandbox, *created(in_minutes(minutes)))
    with pytest.raises(ValueError, match="send_at"):
        calls.create_campaign(SID, FIELDS, [RemoteId("L1")])
    assert writes(sandbox) == []


def test_an_edit_is_refused_when_its_time_is_near(sandbox: Sandbox) -> None:
    effect = Changed(kind=CAMPAIGN, target=RemoteId("C1"), base={}, expected={"custom_field": "x"})
    call = calls.update_campaign(SID, RemoteId("C1"), {"custom_field": "x"})
    starts = datetime.fromisoformat(SOON).astimezone(UTC)

    async def act(session: ExotelSession) -> Any:
        await session.observe(effect, None)
        return await session.send(call, effect)

    with pytest.raises(TooNear):
        using(sandbox, act, now=lambda: starts - timedelta(seconds=59))
    using(sandbox, act, now=lambda: starts - timedelta(seconds=61))
    moved = calls.update_campaign(SID, RemoteId("C1"), {"schedule": {"send_at": in_minutes(5)}})
    with pytest.raises(TooNear):
        put(sandbox, moved, effect)
    link = Linked(campaign=RemoteId("C1"), lists=(RemoteId("L1"),), base=frozenset(), exact=True)
    assert see(sandbox, link).state is State.HOLDS


@pytest.mark.parametrize(
    "data",
    [
        {"status": "InProgress"},
        {"status": "Created", "lists": ["L2"]},
        {"status": "Created", "schedule": {"send_at": None}},
    ],
)
def test_a_campaign_that_came_back_otherwise_needs_a_person(sandbox: Sandbox, data: Any) -> None:
    item = {"code": 200, "status": "success", "error_data": None, "data": {"id": "C9", **data}}
    fault = {"kind": "error_after", "status": 200, "body": {"http_code": 200, "response": [item]}}
    sandbox.set_faults([{"method": "POST", "path": "/v2/*/campaigns", "fault": fault}])
    with pytest.raises(CampaignAstray) as astray:
        put(sandbox, *created(SOON))
    assert astray.value.exit_code is Exit.UNRESOLVED


def test_a_young_list_is_waited_for(sandbox: Sandbox) -> None:
    sandbox.turn(exotel={"list_propagation_s": 5.0})
    sandbox.call(lambda: sandbox.world.clock.change({"freeze": True}))
    young = sandbox.tamper("exotel", "create_list", name="Young")

    async def pause(seconds: float) -> None:
        sandbox.advance(seconds)

    fields = {**FIELDS, "schedule": {"send_at": SOON}}
    call = calls.create_campaign(SID, fields, [RemoteId(str(young))])
    answer = put(sandbox, call, Created(kind=CAMPAIGN, name="Second", fields=fields), pause=pause)
    assert answer.remote_id
    assert len(writes(sandbox)) == 4
    nowhere = calls.create_campaign(SID, fields, [RemoteId("L9")])
    with pytest.raises(NotFound):
        put(sandbox, nowhere, Created(kind=CAMPAIGN, name="Second", fields=fields))


def test_a_lost_create_is_never_sent_twice(sandbox: Sandbox) -> None:
    campaign = a_campaign("new", "Brand new")
    wanted = desired(a_list("old", "Old"), campaign, a_link("new", "old"), base_url=sandbox.url)
    for kind, result in (("drop_before", Result.UNRESOLVED), ("drop_after", Result.DONE)):
        sandbox.set_faults([{"method": "POST", "path": "/v2/*/campaigns", "nth": 1, "fault": {"kind": kind}}])
        before = len(writes(sandbox))
        applied = apply(sandbox, plan_of(sandbox, wanted))
        assert applied.ended[-1][1] is result
        assert [w for w in writes(sandbox)[before:] if w[0] == "POST"] == [("POST", f"/v2/accounts/{SID}/campaigns")]
    names = [c["fields"]["name"] for c in sandbox.state()["exotel"]["campaigns"]]
    assert names.count("Brand new") == 1


def test_no_credit_is_a_refusal_and_too_many_requests_wait(sandbox: Sandbox) -> None:
    sandbox.turn(exotel={"out_of_credit": True})
    with pytest.raises(Rejected) as refused:
        put(sandbox, *created(SOON))
    assert refused.value.status == 402
    fault = {"kind": "rate_limited", "retry_after": 600}
    sandbox.set_faults([{"method": "POST", "path": "/v2/*/lists", "fault": fault}])
    with pytest.raises(RateLimited):
        put(sandbox, calls.create_lists(SID, ({"name": "New"},)), Created(kind=LIST, name="New", fields={}))


# --- single operations and status


def test_operations_are_judged_by_their_entries(sandbox: Sandbox) -> None:
    operations = {o.name: o for o in PROVIDER.operations}

    async def act(session: ExotelSession) -> Any:
        assert isinstance(session, Caller)
        assert isinstance(session, Observer)
        taken = await session.call(operations["lists.create"], calls.create_lists(SID, ({"name": "Old"},)))
        read = await session.call(operations["lists.list"], Call(method=Method.GET, path=(SID, "lists")))
        about = await session.concerned(operations["campaigns.create"], created(SOON)[0])
        joining = filled(calls.add_members(SID, "L2"), known(sandbox, MARTY), ContactsCreated())  # type: ignore[arg-type]
        given = await session.concerned(operations["lists.add-contacts"], joining)
        resumed = await session.concerned(operations["campaigns.resume"], calls.act(SID, RemoteId("C1"), "resume"))
        people = [sorted((await x.reached()).numbers()) for x in (about, resumed) if x.reached is not None]
        return taken, read, people, given, await session.health()

    taken, read, people, given, health = using(sandbox, act)
    assert (taken.status, isinstance(taken.failure, Rejected)) == (207, True)
    assert (read.status, read.failure) == (200, None)
    assert people == [sorted([MARTY, DOC, BIFF])] * 2
    assert [*given.given.numbers()] == [MARTY]
    rows = {(r.subject, r.remote_id): r for r in health}
    assert rows["list", "L1"].figures == {"people": 3}
    assert (rows["campaign", "C1"].state, rows["campaign", "C2"].state) == ("created", "completed")


def test_every_documented_endpoint_is_an_operation() -> None:
    found = {(o.method, o.path.removeprefix("/{account_sid}")) for o in PROVIDER.operations}
    assert len(found) == 23
    assert all(o.path.startswith("/{account_sid}/") for o in PROVIDER.operations)
    assert PROVIDER.path_parameters(account()) == {"account_sid": SID}
    dialling = {o.name for o in PROVIDER.operations if o.contact_class == "starts-contacting"}
    assert dialling == {
        "campaigns.create",
        "campaigns.update",
        "campaigns.resume",
        "lists.add-contacts",
        "contacts.csv-upload",
    }


def test_reads_are_shared_by_workers_within_the_limits() -> None:
    limits = PROVIDER.defaults
    assert (limits.reads_per_minute, limits.writes_per_minute) == (100.0, 30.0)
    assert limits.requests_per_second == pytest.approx(200 / 60)
    assert asyncio.iscoroutinefunction(ExotelSession.fetch)


def test_what_is_excluded_blocks_nothing(sandbox: Sandbox) -> None:
    from reconciler.model.live import Live
    from reconciler.plan.planner import PlanOptions, plan
    from reconciler.plan.selection import Selection, Selector

    late = a_campaign("new", "Brand new", schedule={"send_at": in_minutes(-60)})
    wanted = desired(a_list("old", "Old"), late, a_link("new", "old"), base_url=sandbox.url)
    live = Live(accounts={"voice": fetched(sandbox, wanted)})
    options = PlanOptions(selection=Selection(exclude=(Selector.parse("*/new*"),)))
    made = plan(wanted, live, inventory(), {"exotel": PROVIDER.rules}, options)
    assert made.blocking == ()
