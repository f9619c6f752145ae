"""Fetch, send and observe against the simulation, with what can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slicktext_world import (
    BIFF,
    BRAND,
    DOC,
    GEORGE,
    JENNY,
    MARTY,
    a_campaign,
    a_link,
    a_list,
    a_membership,
    desired,
    fetched,
    in_hours,
    inventory,
    owns,
    people,
    planned,
    using,
)

from reconciler.errors import (
    CredentialsRefused,
    Exit,
    NoAnswer,
    NotFound,
    ProviderError,
    RateLimited,
    ReadIncomplete,
    Rejected,
)
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.live import OPTED_OUT
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
)
from reconciler.plan.reached import unread_lists
from reconciler.providers.base import Connection, Scope, Secret
from reconciler.providers.slicktext import PROVIDER, calls
from reconciler.providers.slicktext.contacts import ATTRIBUTES
from reconciler.providers.slicktext.session import CampaignAstray, FieldLost, Frozen, TooNear
from reconciler.sandbox import Sandbox

State = Evidence.State
LIST, CAMPAIGN = Kind.LIST, Kind.CAMPAIGN


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    seed = {
        "slicktext": {
            "lists": [
                {"id": 10, "name": "Old", "description": "was here", "members": [MARTY, DOC, BIFF]},
                {"id": 11, "name": "Other", "members": [JENNY]},
            ],
            "campaigns": [
                {"id": 30, "name": "Draft", "lists": ["Old"]},
                {"id": 31, "name": "Sent", "status": "sent", "lists": ["Old", "Other"]},
            ],
        }
    }
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


def contact_id(sandbox: Sandbox, number: str) -> str:
    rows = sandbox.state()["slicktext"]["contacts"]
    return str(next(r["contact_id"] for r in rows if r["mobile_number"] == number))


def known(sandbox: Sandbox, *numbers: str) -> ContactSet:
    return people(*numbers, contact_id=[contact_id(sandbox, n) for n in numbers])


def paths(sandbox: Sandbox, method: str = "GET") -> list[str]:
    prefix = f"/v1/brands/{BRAND}/"
    return [r["path"].removeprefix(prefix) for r in sandbox.requests() if r["method"] == method]


def see(sandbox: Sandbox, effect: Effect, rows: ContactSet | None = None, **more: Any) -> Evidence:
    found: Evidence = using(sandbox, lambda s: s.observe(effect, rows), read_only=True, **more)
    return found


def put(sandbox: Sandbox, call: Call, effect: Effect, **more: Any) -> Any:
    return using(sandbox, lambda s: s.send(call, effect), **more)


# --- fetch


def test_the_whole_account(sandbox: Sandbox) -> None:
    wanted = desired(a_list("old", "Old"), a_membership("old", people(MARTY, JENNY, GEORGE)), base_url=sandbox.url)
    live = fetched(sandbox, wanted)
    assert live.identity == f"slicktext:127.0.0.1:brand={BRAND}"
    assert {(o.kind, o.remote_id, o.name) for o in live.objects.values()} == {
        (LIST, "10", "Old"),
        (LIST, "11", "Other"),
        (CAMPAIGN, "30", "Draft"),
        (CAMPAIGN, "31", "Sent"),
    }
    assert {(x.campaign, x.list) for x in live.links.values()} == {("30", "10"), ("31", "10"), ("31", "11")}
    assert set(live.members) == {"10"}
    members = live.members[RemoteId("10")]
    assert list(members.contacts.numbers()) == [MARTY, DOC, BIFF]
    assert (members.count, members.readable) == (3, True)
    assert members.contacts.columns == ("number", "contact_id", "status")
    assert set(members.contacts.column("status")) == {"subscribed"}
    # Jenny is on no list that is read, George does not exist: one lookup each.
    assert list(live.contacts.numbers()) == [JENNY]
    assert live.contacts.get(JENNY) is not None
    assert live.requests == len(sandbox.requests()) == 8


def test_attributes_are_read_where_they_are_compared_or_imported(sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_contact", contact=JENNY, set={"first_name": "Jennifer", "zip": "02134"})
    rows = people(MARTY, JENNY, first_name=["Marty", "Jenny"])
    wanted = desired(a_list("old", "Old"), a_membership("old", rows, contact_attributes="sync"), base_url=sandbox.url)
    live = fetched(sandbox, wanted)
    found = live.contacts.get(JENNY)
    assert found is not None
    assert (found["first_name"], found["zip"]) == ("Jennifer", "02134")
    for columns in (
        live.members[RemoteId("10")].contacts.columns,
        fetched(sandbox, desired(base_url=sandbox.url), everything=True).members[RemoteId("11")].contacts.columns,
    ):
        assert set(columns) == {"number", "contact_id", "status", *ATTRIBUTES}


def test_people_on_another_list_that_was_read_are_not_looked_up(sandbox: Sandbox) -> None:
    wanted = desired(
        a_list("old", "Old"),
        a_list("other", "Other"),
        a_membership("old", people(JENNY)),
        a_membership("other", people(MARTY)),
        base_url=sandbox.url,
    )
    live = fetched(sandbox, wanted)
    assert list(live.contacts.numbers()) == [MARTY, JENNY]
    assert "contacts" not in paths(sandbox)


def test_suppressed_people_are_not_even_looked_up(sandbox: Sandbox) -> None:
    wanted = desired(a_list("new", "New"), a_membership("new", people(JENNY)), suppressed=[JENNY], base_url=sandbox.url)
    assert len(fetched(sandbox, wanted).contacts) == 0
    assert "contacts" not in paths(sandbox)


def test_many_people_are_found_in_the_address_book(sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "create_list", name="Pool", members={"count": 250, "first": "+12025550000"})
    numbers = [f"+1202555{n:04}" for n in range(250)]
    wanted = desired(a_list("new", "New"), a_membership("new", people(*numbers, GEORGE)), base_url=sandbox.url)
    live = fetched(sandbox, wanted)
    assert list(live.contacts.numbers()) == numbers
    assert paths(sandbox).count("contacts") == 3


def test_an_ignored_filter_is_noticed(sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "create_list", name="Pool", members={"count": 250, "first": "+12025550000"})
    sandbox.turn(slicktext={"filter_ignored": True})
    last = "+12025550249"
    wanted = desired(a_list("new", "New"), a_membership("new", people(last)), base_url=sandbox.url)
    assert list(fetched(sandbox, wanted).contacts.numbers()) == [last]


def test_everything_reads_the_members_of_every_list(sandbox: Sandbox) -> None:
    assert set(fetched(sandbox, desired(base_url=sandbox.url), everything=True).members) == {"10", "11"}
    assert set(fetched(sandbox, desired(base_url=sandbox.url)).members) == set()


def test_an_owned_memberships_list_is_read_too(sandbox: Sandbox) -> None:
    owned = inventory(owns(Kind.MEMBERSHIP, "gone", "11", parent=RemoteId("11")))
    assert set(fetched(sandbox, desired(base_url=sandbox.url), owned).members) == {"11"}


def test_opt_outs_are_told(sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_contact", contact=DOC, set={"opt_in_status": "blocked"})
    sandbox.tamper("slicktext", "edit_contact", contact=BIFF, set={"opt_in_status": "not subscribed"})
    wanted = desired(a_list("old", "Old"), a_membership("old", people(MARTY)), base_url=sandbox.url)
    contacts = fetched(sandbox, wanted).members[RemoteId("10")].contacts
    assert list(contacts.column("status")) == ["subscribed", OPTED_OUT, "not-subscribed"]


def test_an_opt_out_wins_over_another_contact_with_the_same_number(sandbox: Sandbox) -> None:
    docs_id = int(contact_id(sandbox, DOC))
    twin = {"mobile_number": MARTY, "opt_in_status": "unsubscribed"}
    sandbox.tamper("slicktext", "edit_contact", contact=docs_id, set=twin)
    wanted = desired(a_list("old", "Old"), a_membership("old", people(MARTY)), base_url=sandbox.url)
    live = fetched(sandbox, wanted)
    assert [d.code for d in live.notes] == ["slicktext-several-contacts"]
    found = live.members[RemoteId("10")].contacts.get(MARTY)
    assert found is not None
    assert found["status"] == OPTED_OUT


def test_several_contacts_for_a_number_that_is_to_be_added_block(sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_contact", contact=DOC, set={"mobile_number": JENNY})
    sandbox.turn(slicktext={"filter_ignored": True})
    wanted = desired(a_list("new", "New"), a_membership("new", people(JENNY)), base_url=sandbox.url)
    [note] = fetched(sandbox, wanted).notes
    assert (note.code, note.blocking) == ("slicktext-several-contacts", True)
    assert note.address == "main/Membership/new-members"
    assert JENNY not in note.message


def test_members_without_a_usable_number_are_left_alone(sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_contact", contact=DOC, set={"mobile_number": "12131"})
    wanted = desired(a_list("old", "Old"), a_membership("old", people(MARTY)), base_url=sandbox.url)
    live = fetched(sandbox, wanted)
    members = live.members[RemoteId("10")]
    assert list(members.contacts.numbers()) == [MARTY, BIFF]
    assert members.count == 3
    assert [d.code for d in live.notes] == ["slicktext-unusable-number"]


def test_masked_numbers_end_the_read(sandbox: Sandbox) -> None:
    sandbox.turn(slicktext={"mask_numbers": True})
    wanted = desired(a_list("old", "Old"), a_membership("old", people(MARTY)), base_url=sandbox.url)
    with pytest.raises(ReadIncomplete, match="masked"):
        fetched(sandbox, wanted)


def test_another_brands_key_ends_the_read_before_anything_else(sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_brand", set={"name": "Mine"})
    with pytest.raises(CredentialsRefused) as caught:
        fetched(sandbox, desired(base_url=sandbox.url, brandId="77"), brandId="77")
    assert (caught.value.code, caught.value.exit_code) == ("account-mismatch", Exit.CREDENTIALS)
    assert len(sandbox.requests()) == 1


def test_a_wrong_key_is_refused(sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_brand", set={"api_key": "another-key"})
    with pytest.raises(CredentialsRefused, match="Unauthorized"):
        fetched(sandbox, desired(base_url=sandbox.url))


def test_an_audience_that_the_listing_leaves_out_is_read_where_it_matters(sandbox: Sandbox) -> None:
    sandbox.turn(slicktext={"collection_no_audience": True})
    live = fetched(sandbox, desired(base_url=sandbox.url))
    assert {x.campaign for x in live.links.values()} == {"30"}
    assert [p for p in paths(sandbox) if p.startswith("campaigns/")] == ["campaigns/30"]
    owned = inventory(owns(CAMPAIGN, "sent", "31"))
    assert {x.campaign for x in fetched(sandbox, desired(base_url=sandbox.url), owned).links.values()} == {"30", "31"}


def test_only_the_lists_that_a_plan_starts_to_text_are_read_for_it(sandbox: Sandbox) -> None:
    wanted = desired(
        a_campaign("d", "Draft", status="scheduled", scheduled=in_hours(9)), a_link("d", "11"), base_url=sandbox.url
    )
    live = fetched(sandbox, wanted)
    assert live.members == {}
    lists = unread_lists(planned(wanted, live))
    assert lists == {"main": {"10", "11"}}
    more = using(sandbox, lambda s: s.with_members(live, lists["main"]), read_only=True)
    assert {i: (m.count, m.readable) for i, m in more.members.items()} == {"10": (3, True), "11": (1, True)}
    quiet = desired(a_campaign("d", "Draft"), a_link("d", "11"), base_url=sandbox.url)
    assert unread_lists(planned(quiet, fetched(sandbox, quiet))) == {}


# --- fetch: incomplete and stale reads


def test_an_owned_list_that_is_gone_is_gone(sandbox: Sandbox) -> None:
    owned = inventory(owns(LIST, "vanished", "99"))
    assert (LIST, RemoteId("99")) not in fetched(sandbox, desired(base_url=sandbox.url), owned).objects
    assert "lists/99" in paths(sandbox)


def test_an_owned_list_missing_from_one_listing_is_found_in_the_next(sandbox: Sandbox) -> None:
    empty = {"path": "/v1/*/lists", "method": "GET", "nth": 1, "fault": {"kind": "empty_collection"}}
    sandbox.set_faults([empty])
    live = fetched(sandbox, desired(base_url=sandbox.url), inventory(owns(LIST, "old", "10")))
    assert (LIST, RemoteId("10")) in live.objects


def test_an_owned_list_missing_from_two_listings_makes_the_read_incomplete(sandbox: Sandbox) -> None:
    sandbox.set_faults([{"path": "/v1/*/lists", "method": "GET", "fault": {"kind": "empty_collection"}}])
    with pytest.raises(ReadIncomplete, match="missing from the listing") as caught:
        fetched(sandbox, desired(base_url=sandbox.url), inventory(owns(LIST, "old", "10")))
    assert caught.value.exit_code == Exit.UNREACHABLE


def test_a_skipped_member_is_noticed_and_read_again(sandbox: Sandbox) -> None:
    wanted = desired(a_list("old", "Old"), a_membership("old", people(MARTY)), base_url=sandbox.url, memberPageSize=2)
    skip = {"path": "/v1/*/lists/10/contacts", "nth": 2, "fault": {"kind": "skipped_row"}}
    sandbox.set_faults([skip])
    live = fetched(sandbox, wanted, memberPageSize=2)
    assert list(live.members[RemoteId("10")].contacts.numbers()) == [MARTY, DOC, BIFF]


def test_a_list_that_never_holds_still_makes_the_read_incomplete(sandbox: Sandbox) -> None:
    wanted = desired(a_list("old", "Old"), a_membership("old", people(MARTY)), base_url=sandbox.url)
    sandbox.set_faults([{"path": "/v1/*/lists/10/contacts", "fault": {"kind": "skipped_row"}}])
    with pytest.raises(ReadIncomplete, match="'Old' cannot be read whole"):
        fetched(sandbox, wanted)


def test_a_list_that_vanishes_while_it_is_read_makes_the_read_incomplete(sandbox: Sandbox) -> None:
    wanted = desired(a_list("old", "Old"), a_membership("old", people(MARTY)), base_url=sandbox.url)
    delete = {"kind": "tamper", "operation": {"provider": "slicktext", "op": "delete_list", "list": 10}}
    sandbox.set_faults([{"path": "/v1/*/lists/10/contacts", "nth": 1, "fault": delete}])
    with pytest.raises(ReadIncomplete, match="deleted while"):
        fetched(sandbox, wanted)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error_before", "status": 503},
        {"kind": "drop_before"},
        {"kind": "truncate"},
        {"kind": "non_json", "status": 200},
        {"kind": "rate_limited", "retry_after": 0},
    ],
    ids=lambda fault: fault["kind"],
)
def test_a_read_survives_one_hiccup_anywhere(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    wanted = desired(a_list("old", "Old"), a_membership("old", people(MARTY, JENNY)), base_url=sandbox.url)
    calm = fetched(sandbox, wanted)
    for nth in range(1, calm.requests + 1):
        sandbox.set_faults([{"nth": nth, "fault": fault}])
        shaken = fetched(sandbox, wanted)
        assert shaken.objects == calm.objects
        assert shaken.members == calm.members
        assert shaken.contacts == calm.contacts


def test_a_read_that_fails_for_good_is_never_a_part(sandbox: Sandbox) -> None:
    wanted = desired(a_list("old", "Old"), a_membership("old", people(MARTY)), base_url=sandbox.url)
    for fault in ({"kind": "false_body"}, {"kind": "non_json", "status": 200}):
        for path in ("/v1/brands", "/v1/*/lists", "/v1/*/campaigns", "/v1/*/contacts", "/v1/*/count"):
            sandbox.set_faults([{"path": path, "fault": fault}])
            with pytest.raises(ProviderError) as caught:
                fetched(sandbox, wanted)
            assert caught.value.exit_code in (Exit.UNREACHABLE, Exit.CREDENTIALS)


def test_progress_is_told_while_a_long_list_is_read(sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "create_list", name="Pool", members={"count": 250, "first": "+12025550000"})
    told: list[tuple[str, int, int | None]] = []
    wanted = desired(a_list("pool", "Pool"), a_membership("pool", people(MARTY)), base_url=sandbox.url)

    async def run() -> None:
        connection = Connection(
            secrets={"apiKey": Secret("sandbox-slicktext-key")},
            read_only=True,
            progress=lambda what, done, total: told.append((what, done, total)),
        )
        session = PROVIDER.connect(wanted.accounts["main"], connection)
        await session.fetch(Scope(desired=wanted, inventory=inventory()))
        await session.aclose()

    asyncio.run(run())
    assert [t for t in told if t[0] == "members of Pool"] == [("members of Pool", n, 250) for n in (100, 200, 250)]


# --- send


def test_creates_name_what_they_made(sandbox: Sandbox) -> None:
    made = put(sandbox, calls.create_list(BRAND, {"name": "New"}), Created(kind=LIST, name="New", fields={}))
    assert made.remote_id == str(next(r["contact_list_id"] for r in lists(sandbox) if r["name"] == "New"))
    made = put(
        sandbox,
        calls.create_campaign(BRAND, {"name": "N", "body": "x"}, None),
        Created(kind=CAMPAIGN, name="N", fields={}),
    )
    assert made.remote_id is not None
    body = {"mobile_number": GEORGE, "opt_in_status": "not subscribed"}
    call = Call(method=Method.POST, path=("brands", BRAND, "contacts"), body=body)
    assert put(sandbox, call, ContactsCreated()).remote_id == contact_id(sandbox, GEORGE)


def lists(sandbox: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.state()["slicktext"]["lists"]
    return found


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error_after", "status": 500},
        {"kind": "drop_after"},
        {"kind": "truncate"},
        {"kind": "rewrite", "pattern": "contact_list_id", "replacement": "surprise"},
        {"kind": "false_body", "effect": True},
    ],
    ids=lambda fault: fault["kind"],
)
def test_a_create_without_a_usable_answer_is_unknown_and_sent_once(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    sandbox.set_faults([{"method": "POST", "fault": fault}])
    with pytest.raises(NoAnswer):
        put(sandbox, calls.create_list(BRAND, {"name": "New"}), Created(kind=LIST, name="New", fields={}))
    assert len(paths(sandbox, "POST")) == 1
    sandbox.set_faults([])
    evidence = see(sandbox, Created(kind=LIST, name="New", fields={}))
    assert evidence.state is State.HOLDS
    assert evidence.remote_id is not None


def test_refusals(sandbox: Sandbox) -> None:
    with pytest.raises(NotFound):
        put(sandbox, calls.delete_list(BRAND, RemoteId("99")), Deleted(kind=LIST, target=RemoteId("99")))
    sandbox.set_faults([{"fault": {"kind": "rate_limited", "retry_after": 3600}}])
    with pytest.raises(RateLimited, match="429"):
        put(sandbox, calls.delete_list(BRAND, RemoteId("10")), Deleted(kind=LIST, target=RemoteId("10")))


def create_contact(sandbox: Sandbox, number: str) -> Any:
    body = {"mobile_number": number, "opt_in_status": "not subscribed"}
    call = Call(method=Method.POST, path=("brands", BRAND, "contacts"), body=body)
    return put(sandbox, call, ContactsCreated())


def test_a_contact_that_is_refused_because_it_is_there_is_taken_as_it_is(sandbox: Sandbox) -> None:
    (marty,) = [c["contact_id"] for c in sandbox.state()["slicktext"]["contacts"] if c["mobile_number"] == MARTY]
    assert create_contact(sandbox, MARTY).remote_id == str(marty)
    sandbox.tamper("slicktext", "edit_contact", contact=MARTY, set={"opt_in_status": "unsubscribed"})
    with pytest.raises(Rejected, match="already exists"):
        create_contact(sandbox, MARTY)  # with its id, somebody who opted out would get onto the list


def test_a_contact_that_is_refused_and_not_there_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(Rejected, match="US and CA"):
        create_contact(sandbox, "+442079460000")
    sandbox.set_faults([{"method": "GET", "fault": {"kind": "error_before", "status": 500}}])
    with pytest.raises(Rejected, match="already exists"):
        create_contact(sandbox, MARTY)


def test_a_read_only_session_sends_nothing(sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="read-only"):
        put(
            sandbox, calls.delete_list(BRAND, RemoteId("10")), Deleted(kind=LIST, target=RemoteId("10")), read_only=True
        )
    assert sandbox.requests() == []


def arm(when: str) -> tuple[Call, Effect]:
    audience = calls.audience([RemoteId("10")], ())
    call = calls.update_campaign(BRAND, RemoteId("30"), {"scheduled": when}, "scheduled", audience)
    effect = Changed(
        kind=CAMPAIGN,
        target=RemoteId("30"),
        base={"status": "draft"},
        expected={"status": "scheduled", "scheduled": when},
    )
    return call, effect


def test_a_campaign_is_scheduled_no_later_than_fifteen_minutes_before(sandbox: Sandbox) -> None:
    for hours in (-1, 0, 0.2):
        with pytest.raises(TooNear):
            put(sandbox, *arm(in_hours(hours)))
    assert paths(sandbox, "PUT") == []
    when = in_hours(0.5)
    late = datetime.now(UTC) + timedelta(minutes=20)
    with pytest.raises(TooNear):
        put(sandbox, *arm(when), now=lambda: late)
    put(sandbox, *arm(when))
    assert len(paths(sandbox, "PUT")) == 1


def test_no_plan_can_send_now(sandbox: Sandbox) -> None:
    call = Call(method=Method.PUT, path=("brands", BRAND, "campaigns", "30"), body={"status": "send"})
    for effect in (arm(in_hours(9))[1], Linked(campaign=RemoteId("30"), lists=())):
        with pytest.raises(Rejected):
            put(sandbox, call, effect)
    assert sandbox.requests() == []


def test_a_campaign_in_another_status_than_asked_for_stops_everything(sandbox: Sandbox) -> None:
    rewrite = {"kind": "rewrite", "pattern": '"status":"draft"', "replacement": '"status":"queued"'}
    sandbox.set_faults([{"method": "POST", "fault": rewrite}])
    with pytest.raises(CampaignAstray, match="was to be draft and is queued") as caught:
        put(
            sandbox,
            calls.create_campaign(BRAND, {"name": "N", "body": "x"}, None),
            Created(kind=CAMPAIGN, name="N", fields={}),
        )
    assert caught.value.exit_code is Exit.UNRESOLVED
    assert not isinstance(caught.value, NoAnswer | Rejected)


def test_an_edit_that_loses_another_field_stops_everything(sandbox: Sandbox) -> None:
    call, effect = arm(in_hours(9))
    rewrite = {"kind": "rewrite", "pattern": '"body":"Hello"', "replacement": '"body":""'}

    async def act(session: Any) -> None:
        await session.observe(effect, None)
        sandbox.set_faults([{"method": "PUT", "fault": rewrite}])
        await session.send(call, effect)

    with pytest.raises(FieldLost, match="body"):
        using(sandbox, act)


def test_nobody_joins_a_list_just_before_it_is_texted(sandbox: Sandbox) -> None:
    put(sandbox, *arm(in_hours(1)))
    rows = ({"contact_id": int(contact_id(sandbox, JENNY)), "lists": (10,)},)
    add = Call(method=Method.POST, path=("brands", BRAND, "lists", "contacts"), body=rows)
    soon = datetime.now(UTC) + timedelta(minutes=31)
    with pytest.raises(Frozen, match="'Draft'"):
        put(sandbox, add, MembersAdded(of=RemoteId("10")), now=lambda: soon)
    with pytest.raises(Frozen):
        put(sandbox, add, MembersAdded(of=RemoteId("10")), freezeWindow="2h")
    assert paths(sandbox, "POST") == []
    remove = Call(method=Method.DELETE, path=("brands", BRAND, "lists", "contacts"), body=rows)
    put(sandbox, remove, MembersRemoved(of=RemoteId("10")), now=lambda: soon)
    put(sandbox, add, MembersAdded(of=RemoteId("10")))
    assert len(paths(sandbox, "POST")) == 1


# --- observe


def test_created_is_what_is_new_under_the_name(sandbox: Sandbox) -> None:
    for kind, name, remote_id in ((LIST, "Old", "10"), (CAMPAIGN, "Draft", "30")):
        assert see(sandbox, Created(kind=kind, name=name, fields={})).remote_id == remote_id
        not_ours = Created(kind=kind, name=name, fields={}, known_ids=frozenset({RemoteId(remote_id)}))
        assert see(sandbox, not_ours).state is State.ABSENT
        assert see(sandbox, Created(kind=kind, name=name.lower(), fields={})).state is State.ABSENT
    sandbox.tamper("slicktext", "create_list", name="Old")
    evidence = see(sandbox, Created(kind=LIST, name="Old", fields={}))
    assert evidence.state is State.AMBIGUOUS
    assert len(evidence.candidates) == 2


def test_created_looks_at_every_row_when_the_filter_is_ignored(sandbox: Sandbox) -> None:
    sandbox.turn(slicktext={"filter_ignored": True, "max_page": 1})
    assert see(sandbox, Created(kind=LIST, name="Other", fields={})).remote_id == "11"


def test_changed(sandbox: Sandbox) -> None:
    def effect(base: str, expected: str) -> Changed:
        return Changed(kind=LIST, target=RemoteId("10"), base={"description": base}, expected={"description": expected})

    assert see(sandbox, effect("before", "was here")).state is State.HOLDS
    assert see(sandbox, effect("was here", "")).state is State.ABSENT
    assert see(sandbox, effect("before", "after")).state is State.DIFFERS
    gone = Changed(kind=LIST, target=RemoteId("99"), base={}, expected={"name": "x"})
    assert see(sandbox, gone).state is State.DIFFERS


def test_a_campaign_that_was_scheduled_and_then_sent_was_scheduled(sandbox: Sandbox) -> None:
    call, effect = arm(in_hours(1))
    assert see(sandbox, effect).state is State.ABSENT
    put(sandbox, call, effect)
    assert see(sandbox, effect).state is State.HOLDS
    sandbox.advance(7200)
    assert see(sandbox, effect).state is State.HOLDS
    back = Changed(kind=CAMPAIGN, target=RemoteId("30"), base={"status": "scheduled"}, expected={"status": "draft"})
    assert see(sandbox, back).state is State.DIFFERS


def test_a_changed_audience_is_seen(sandbox: Sandbox) -> None:
    both = Changed(
        kind=CAMPAIGN,
        target=RemoteId("30"),
        base={"body": "Hello", "lists": frozenset({"10"})},
        expected={"body": "Hi", "lists": frozenset({"10", "11"})},
    )
    assert see(sandbox, both).state is State.ABSENT
    sandbox.tamper("slicktext", "edit_campaign", campaign=30, lists=[11])
    assert see(sandbox, both).state is State.DIFFERS


def test_deleted(sandbox: Sandbox) -> None:
    for kind, remote_id in ((LIST, "10"), (CAMPAIGN, "30")):
        assert see(sandbox, Deleted(kind=kind, target=RemoteId(remote_id))).state is State.ABSENT
        assert see(sandbox, Deleted(kind=kind, target=RemoteId("99"))).state is State.HOLDS


def test_linked(sandbox: Sandbox) -> None:
    def effect(*ids: str, base: tuple[str, ...] = (), exact: bool = True) -> Linked:
        targets = tuple(RemoteId(x) for x in ids)
        known_ids = frozenset(RemoteId(x) for x in base)
        return Linked(campaign=RemoteId("30"), lists=targets, base=known_ids, exact=exact)

    assert see(sandbox, effect("10")).state is State.HOLDS
    assert see(sandbox, effect("10", "11", base=("10",))).state is State.ABSENT
    assert see(sandbox, effect("11", base=())).state is State.DIFFERS
    sandbox.tamper("slicktext", "edit_campaign", campaign=30, lists=[10, 11])
    assert see(sandbox, effect("10", exact=False)).state is State.HOLDS
    assert see(sandbox, effect("10")).state is State.DIFFERS


def test_created_contacts_are_found_by_number(sandbox: Sandbox) -> None:
    evidence = see(sandbox, ContactsCreated(), people(MARTY, GEORGE))
    assert evidence.state is State.PARTLY
    assert evidence.contact_ids == {MARTY: contact_id(sandbox, MARTY)}
    assert evidence.remaining is not None
    assert list(evidence.remaining.numbers()) == [GEORGE]
    assert see(sandbox, ContactsCreated(), people(GEORGE)).state is State.ABSENT
    assert see(sandbox, ContactsCreated(), people(MARTY)).state is State.HOLDS


def test_changed_contacts(sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_contact", contact=MARTY, set={"first_name": "Martin"})
    effect = ContactsChanged(columns=("first_name",))
    rows = known(sandbox, MARTY, DOC).filled("first_name", {MARTY: "Martin", DOC: "Emmett"})
    evidence = see(sandbox, effect, rows)
    assert evidence.state is State.PARTLY
    assert evidence.remaining is not None
    assert list(evidence.remaining.numbers()) == [DOC]
    assert see(sandbox, effect, rows.head(1)).state is State.HOLDS


@pytest.mark.parametrize("whole", [False, True])
def test_members(sandbox: Sandbox, whole: bool) -> None:
    """By single lookups where that is cheaper, else by reading the list; the answer is the same."""
    extra = () if not whole else (MARTY, BIFF)
    added, removed = MembersAdded(of=RemoteId("10")), MembersRemoved(of=RemoteId("10"))
    rows = known(sandbox, DOC, JENNY, *extra)
    evidence = see(sandbox, added, rows)
    assert evidence.state is State.PARTLY
    assert evidence.remaining is not None
    assert list(evidence.remaining.numbers()) == [JENNY]
    assert ("lists/10/contacts/count" in paths(sandbox)) == whole
    evidence = see(sandbox, removed, rows)
    assert evidence.state is State.PARTLY
    assert evidence.remaining is not None
    assert JENNY not in set(evidence.remaining.numbers())
    assert see(sandbox, added, known(sandbox, DOC, *extra)).state is State.HOLDS
    assert see(sandbox, removed, known(sandbox, DOC, *extra)).state is State.ABSENT
    assert see(sandbox, removed, known(sandbox, JENNY)).state is State.HOLDS


def test_members_when_the_filter_is_ignored_or_the_list_is_gone(sandbox: Sandbox) -> None:
    sandbox.turn(slicktext={"filter_ignored": True})
    assert see(sandbox, MembersAdded(of=RemoteId("10")), known(sandbox, JENNY)).state is State.ABSENT
    assert see(sandbox, MembersAdded(of=RemoteId("99")), known(sandbox, JENNY)).state is State.DIFFERS
    assert see(sandbox, MembersRemoved(of=RemoteId("99")), known(sandbox, JENNY)).state is State.HOLDS


def test_a_lost_removal_body_is_seen(sandbox: Sandbox) -> None:
    sandbox.turn(slicktext={"drop_delete_body": True})
    rows = known(sandbox, DOC)
    call = Call(
        method=Method.DELETE,
        path=("brands", BRAND, "lists", "contacts"),
        body=({"contact_id": int(contact_id(sandbox, DOC)), "lists": (10,)},),
    )
    put(sandbox, call, MembersRemoved(of=RemoteId("10")))
    assert see(sandbox, MembersRemoved(of=RemoteId("10")), rows).state is State.ABSENT
