"""Writes and looks against the simulation: lost answers, half answers, and people changing things in between."""

from __future__ import annotations

from typing import Any

import pytest
from intelepeer_engage import carry_out, converge, fetched, methods, observed, sent, using
from intelepeer_world import (
    ANNA,
    BORIS,
    CALLER,
    CLARA,
    a_campaign,
    a_list,
    a_membership,
    an_association,
    change_of,
    desired,
    inventory,
    list_at,
    live,
    owned,
    planned,
)
from msgspec.structs import replace

from reconciler.errors import NoAnswer, NotFound, ReadIncomplete, Rejected
from reconciler.model.addresses import Kind, RemoteId
from reconciler.model.contacts import ContactSet
from reconciler.model.inventory import Owned
from reconciler.model.keys import member_hash
from reconciler.model.resources import Lifecycle, OnRemove
from reconciler.plan.calls import Changed, Created, Deleted, Evidence, Linked, MembersAdded, MembersRemoved, Ref, Step
from reconciler.providers.http import WriteOnReadOnly
from reconciler.providers.intelepeer import endpoints
from reconciler.providers.intelepeer.answers import HeadersIgnored, UploadUnavailable
from reconciler.sandbox import Sandbox

State = Evidence.State
VIPS = {"id": "one", "name": "vips list", "headers": ["firstname", "phone"]}
SPRING = {"id": "spring", "name": "spring calls", "flowId": "flow-1", "callerIdentification": CALLER}
LOST = {"kind": "drop_after"}
ONE, SPRING_ID = RemoteId("one"), RemoteId("spring")


def create_step(resource: Any) -> Step:
    return change_of(planned(desired(resource), live()), resource).steps[0]


def fail(sandbox: Sandbox, method: str, path: str, fault: dict[str, Any], **more: Any) -> None:
    sandbox.set_faults([{"method": method, "path": path, "fault": fault, **more}])


# A whole life


def test_everything_is_created_published_and_then_at_rest(sandbox):
    vips = a_list("vips", description="People", headers=("firstname", "phone"))
    spring = a_campaign("spring", state="published", description="Calls")
    link = an_association("spring", "vips", moc="phone", autoDetectTZ=True)
    members = a_membership("vips", ANNA, BORIS, firstname=["Anna", None])
    wanted = desired(vips, spring, link, members, membershipMode="append")
    plan = planned(wanted, fetched(sandbox, wanted))
    ids = using(sandbox, lambda session: carry_out(session, plan))
    ledger = sandbox.ledger()
    assert (ledger["messages"], ledger["exposed"], ledger["duplicates"]) == ([], [], [])

    list_id, campaign_id = ids[vips.address], ids[spring.address]
    key = b"key"
    known = inventory(
        owned(vips, list_id),
        owned(spring, campaign_id),
        owned(link, f"{campaign_id}+{list_id}"),
        Owned(
            address=members.address,
            provider="intelepeer",
            remote_id=list_id,
            parent=list_id,
            applied=frozenset({member_hash(ANNA, key), member_hash(BORIS, key)}),
        ),
    )
    again = planned(wanted, fetched(sandbox, wanted, known), known)
    assert (again.changes, again.blocking) == ((), ())
    bodies = [r["body"] for r in sandbox.requests() if isinstance(r["body"], dict)]
    assert "run" not in {b.get("action") for b in bodies}
    uploaded = next(b for b in bodies if "contactInfo" in b)
    assert uploaded["contactInfo"] == [
        {"phone": ANNA, "metadata": {"firstname": "Anna"}},
        {"phone": BORIS, "metadata": {}},
    ]


def test_updates_and_deletes(start):
    sandbox = start(lists=[VIPS], campaigns=[SPRING])
    spring = a_campaign("spring", description="new", callerIdentification="0000000000")
    converge(sandbox, desired(spring), inventory(owned(spring, "spring")))
    live_now = fetched(sandbox, desired()).objects[(Kind.CAMPAIGN, SPRING_ID)]
    assert (live_now.fields["description"], live_now.fields["callerIdentification"]) == ("new", "0000000000")

    remove = Lifecycle(on_remove=OnRemove.DELETE)
    known = inventory(
        owned(a_campaign("spring", lifecycle=remove), "spring"), owned(a_list("vips", lifecycle=remove), "one")
    )
    converge(sandbox, desired(), known)
    assert [m for m in methods(sandbox) if m[0] == "DELETE"] == [
        ("DELETE", "/campaigns/spring"),
        ("DELETE", "/lists/one"),
    ]
    # Their tombstones are still listed, and absent for us.
    assert [o.name for o in fetched(sandbox, desired(), known).objects.values()] == ["default_trans_list"]
    sandbox.advance(3)
    assert len(fetched(sandbox, desired(), known).objects) == 1


def test_a_list_is_replaced_before_the_old_one_goes(start):
    sandbox = start(lists=[{**VIPS, "members": [ANNA]}], campaigns=[{**SPRING, "lists": ["vips list"], "moc": "phone"}])
    vips = a_list("vips", lifecycle=Lifecycle(replace=True), headers=("firstname", "city", "phone"))
    spring, link = a_campaign("spring"), an_association("spring", "vips", moc="phone")
    members = a_membership("vips", ANNA, BORIS)
    wanted = desired(vips, spring, link, members, membershipMode="append")
    known = inventory(owned(vips, "one"), owned(spring, "spring"), owned(link, "spring+one"))
    converge(sandbox, wanted, known)
    writes = [m for m in methods(sandbox) if m[0] != "GET" and "authenticate" not in m[1]]
    assert [m for m, _ in writes] == ["POST", "PUT", "POST", "DELETE"]
    assert writes[-1] == ("DELETE", "/lists/one")
    sandbox.advance(3)
    now = fetched(sandbox, wanted)
    (alive,) = now.named(Kind.LIST, "vips list")
    assert alive.fields["headers"] == ("firstname", "city", "phone")
    assert [x.list for x in now.links_of(SPRING_ID)] == [alive.remote_id]
    assert now.members[alive.remote_id].count == 2


# Creating


@pytest.mark.parametrize("resource", [a_list("vips"), a_campaign("spring")])
@pytest.mark.parametrize("fault", [LOST, {"kind": "error_after", "status": 500}, {"kind": "truncate"}])
def test_a_lost_create_is_found_by_name(sandbox, resource, fault):
    step = create_step(resource)
    assert observed(sandbox, step.effect).state is State.ABSENT
    fail(sandbox, "POST", "*/_rest/v2/*", fault)
    with pytest.raises(NoAnswer):
        sent(sandbox, step)
    found = observed(sandbox, step.effect)
    assert found.state is State.HOLDS
    assert found.remote_id
    assert len([m for m in methods(sandbox) if m[0] == "POST" and "authenticate" not in m[1]]) == 1


def test_a_create_that_did_not_land_is_absent(sandbox):
    step = create_step(a_list("vips"))
    fail(sandbox, "POST", "*/lists", {"kind": "error_before", "status": 500})
    with pytest.raises(NoAnswer):
        sent(sandbox, step)
    assert observed(sandbox, step.effect).state is State.ABSENT


def test_namesakes_that_were_there_before_are_not_ours(start):
    sandbox = start(lists=[VIPS])
    step = create_step(a_list("vips"))
    assert observed(sandbox, step.effect).remote_id == "one"
    assert isinstance(step.effect, Created)
    known = replace(step.effect, known_ids=frozenset({ONE}))
    assert observed(sandbox, known).state is State.ABSENT
    # A name that only contains ours is another one.
    assert observed(sandbox, replace(step.effect, name="vips")).state is State.ABSENT


def test_several_new_namesakes_are_for_a_person(sandbox):
    step = create_step(a_list("vips"))
    made = {sent(sandbox, step).remote_id for _ in range(2)}
    found = observed(sandbox, step.effect)
    assert (found.state, {*found.candidates}) == (State.AMBIGUOUS, made)


def test_a_namesake_with_another_description_is_for_a_person(sandbox):
    sent(sandbox, create_step(a_list("vips", description="theirs")))
    ours = create_step(a_list("vips", description="ours"))
    assert observed(sandbox, ours.effect).state is State.AMBIGUOUS


def test_tombstones_are_not_what_was_created(sandbox):
    step = create_step(a_list("vips"))
    made = sent(sandbox, step).remote_id
    assert made is not None
    using(sandbox, lambda s: s.send(endpoints.delete_list(made), Deleted(kind=Kind.LIST, target=made)))
    assert observed(sandbox, step.effect).state is State.ABSENT


def test_what_was_created_is_what_was_asked_for(sandbox):
    for resource in (a_list("vips", description="People ", headers=("a", "b")), a_campaign("spring", description="x")):
        step = create_step(resource)
        answer = sent(sandbox, step)
        assert isinstance(step.effect, Created)
        assert answer.remote_id is not None
        effect = Changed(kind=step.effect.kind, target=answer.remote_id, base={}, expected=step.effect.fields)
        assert observed(sandbox, effect).state is State.HOLDS


def test_headers_that_were_ignored_fail_the_create(sandbox):
    sandbox.turn(intelepeer={"ignore_headers": True})
    with pytest.raises(HeadersIgnored) as caught:
        sent(sandbox, create_step(a_list("vips", headers=("phone",))))
    (alive,) = fetched(sandbox, desired()).named(Kind.LIST, "vips list")
    assert alive.remote_id in caught.value.message
    assert caught.value.hint


def test_refusals_name_the_reason_and_nobody(sandbox):
    fail(sandbox, "POST", "*/campaigns", {"kind": "error_before", "status": 422, "body": f'{{"message":"bad {ANNA}"}}'})
    with pytest.raises(Rejected) as caught:
        sent(sandbox, create_step(a_campaign("spring")))
    assert "HTTP 422" in caught.value.message
    assert ANNA not in caught.value.message


def test_a_session_for_reading_does_not_write(sandbox):
    step = create_step(a_list("vips"))
    with pytest.raises(WriteOnReadOnly):
        using(sandbox, lambda s: s.send(step.request({}), step.effect), read_only=True)
    assert methods(sandbox) == []


def test_the_token_may_die_between_two_writes(sandbox):
    fail(sandbox, "POST", "*/lists", {"kind": "expired_token"}, times=1)
    assert sent(sandbox, create_step(a_list("vips"))).remote_id
    assert len(fetched(sandbox, desired()).named(Kind.LIST, "vips list")) == 1


# Changing, publishing, associating, deleting


def commands() -> list[tuple[str, Step]]:
    def step(call: Any, effect: Any) -> Step:
        return replace(create_step(a_list("x-list")), call=call, effect=effect)

    published = Changed(kind=Kind.CAMPAIGN, target=SPRING_ID, base={"state": "draft"}, expected={"state": "published"})
    return [
        ("publish", step(endpoints.publish(SPRING_ID), published)),
        ("associate", step(endpoints.associate(SPRING_ID, [ONE]), Linked(campaign=SPRING_ID, lists=(ONE,)))),
        ("delete list", step(endpoints.delete_list(ONE), Deleted(kind=Kind.LIST, target=ONE))),
        ("delete campaign", step(endpoints.delete_campaign(SPRING_ID), Deleted(kind=Kind.CAMPAIGN, target=SPRING_ID))),
    ]


@pytest.mark.parametrize(("title", "step"), commands())
def test_commands_are_done_only_when_answered_true(start, title, step):
    sandbox = start(lists=[VIPS], campaigns=[SPRING])
    assert observed(sandbox, step.effect).state is State.ABSENT
    for fault, failure in (
        ({"kind": "false_body", "effect": False}, Rejected),
        ({"kind": "error_before", "status": 500}, NoAnswer),
        ({"kind": "non_json", "status": 200, "body": "{}", "effect": False}, NoAnswer),
        (LOST, NoAnswer),
    ):
        fail(sandbox, step.call.method, "*/_rest/v2/*", fault)
        with pytest.raises(failure):
            sent(sandbox, step)
    sandbox.set_faults([])
    assert observed(sandbox, step.effect).state is State.HOLDS


@pytest.mark.parametrize(("title", "step"), commands())
def test_commands_answered_true_hold(start, title, step):
    sandbox = start(lists=[VIPS], campaigns=[SPRING])
    assert sent(sandbox, step).status in (200, 202)
    assert observed(sandbox, step.effect).state is State.HOLDS


def test_deleting_what_is_gone(sandbox):
    effect = Deleted(kind=Kind.LIST, target=ONE)
    with pytest.raises(NotFound):
        using(sandbox, lambda s: s.send(endpoints.delete_list(ONE), effect))
    assert observed(sandbox, effect).state is State.HOLDS


def test_a_list_that_is_refused_is_still_there(start):
    active = {**SPRING, "lists": ["vips list"], "state": "published"}
    effect = Deleted(kind=Kind.LIST, target=ONE)
    for mode in ("refuse", "accept_and_ignore"):
        sandbox = start(lists=[VIPS], campaigns=[active])
        sandbox.turn(intelepeer={"active_list_delete": mode})
        if mode == "refuse":
            with pytest.raises(NoAnswer):
                using(sandbox, lambda s: s.send(endpoints.delete_list(ONE), effect))
        else:
            using(sandbox, lambda s: s.send(endpoints.delete_list(ONE), effect))
        sandbox.advance(60)
        assert observed(sandbox, effect).state is State.ABSENT


def test_changes_and_who_else_made_them(start):
    sandbox = start(campaigns=[{**SPRING, "description": "old"}])
    effect = Changed(
        kind=Kind.CAMPAIGN, target=SPRING_ID, base={"description": "old"}, expected={"description": "new "}
    )
    assert observed(sandbox, effect).state is State.ABSENT
    for text, state in (("new", State.HOLDS), ("theirs", State.DIFFERS), ("old ", State.ABSENT)):
        sandbox.tamper("intelepeer", "edit_campaign", campaign="spring", set={"campaignDescription": text})
        assert observed(sandbox, effect).state is state
    sandbox.tamper("intelepeer", "delete_campaign", campaign="spring")
    assert observed(sandbox, effect).state is State.ABSENT


def test_a_publication_that_was_confirmed_and_cannot_be_read(start):
    sandbox = start(lists=[VIPS], campaigns=[SPRING])
    sandbox.set_faults(
        [{"method": "GET", "fault": {"kind": "rewrite", "pattern": '"active":1', "replacement": '"active":0'}}]
    )
    effect = Changed(kind=Kind.CAMPAIGN, target=SPRING_ID, base={"state": "draft"}, expected={"state": "published"})

    async def publish(session: Any) -> tuple[Evidence, Evidence]:
        before = await session.observe(effect, None)
        await session.send(endpoints.publish(SPRING_ID), effect)
        return before, await session.observe(effect, None)

    before, after = using(sandbox, publish)
    assert before.state is State.ABSENT
    assert (after.state, bool(after.detail)) == (State.HOLDS, True)
    # Somebody who was not told cannot know.
    assert observed(sandbox, effect).state is State.ABSENT


def test_associating_that_replaces_is_noticed(start):
    other = {"id": "two", "name": "other list"}
    sandbox = start(lists=[VIPS, other], campaigns=[{**SPRING, "lists": ["vips list"]}])
    sandbox.turn(intelepeer={"associate_semantics": "replace"})
    effect = Linked(campaign=SPRING_ID, lists=(RemoteId("two"),), base=frozenset({ONE}))
    assert observed(sandbox, effect).state is State.ABSENT
    using(sandbox, lambda s: s.send(endpoints.associate(SPRING_ID, [RemoteId("two")]), effect))
    found = observed(sandbox, effect)
    assert found.state is State.DIFFERS
    assert "one" in found.detail


@pytest.mark.parametrize("semantics", ["add", "replace"])
def test_naming_all_lists_is_right_under_both_readings(start, semantics):
    other = {"id": "two", "name": "other list"}
    sandbox = start(lists=[VIPS, other], campaigns=[{**SPRING, "lists": ["vips list"]}])
    sandbox.turn(intelepeer={"associate_semantics": semantics})
    spring, vips, others = a_campaign("spring"), a_list("vips"), a_list("other")
    links = [an_association("spring", name) for name in ("vips", "other")]
    known = inventory(owned(spring, "spring"), owned(vips, "one"), owned(others, "two"), owned(links[0], "spring+one"))
    wanted = desired(spring, vips, others, *links)
    converge(sandbox, wanted, known)
    assert {x.list for x in fetched(sandbox, wanted).links_of(SPRING_ID)} == {"one", "two"}


def test_links_with_other_settings_are_not_what_was_asked_for(start):
    sandbox = start(lists=[VIPS], campaigns=[{**SPRING, "lists": ["vips list"], "moc": "firstname"}])
    plain = Linked(campaign=SPRING_ID, lists=(ONE,), base=frozenset({ONE}))
    assert observed(sandbox, plain).state is State.HOLDS
    assert observed(sandbox, replace(plain, attributes={"moc": "firstname"})).state is State.HOLDS
    assert observed(sandbox, replace(plain, attributes={"moc": "phone"})).state is State.ABSENT
    spring, vips = a_campaign("spring"), a_list("vips")
    link = an_association("spring", "vips", moc="phone")
    known = inventory(owned(spring, "spring"), owned(vips, "one"), owned(link, "spring+one"))
    wanted = desired(spring, vips, link)
    converge(sandbox, wanted, known)
    assert planned(wanted, fetched(sandbox, wanted, known), known).changes == ()


# Uploading


def people(*numbers: str) -> ContactSet:
    return ContactSet.from_columns({"number": [*numbers]})


def upload_step(*numbers: str, chunk: int = 100, known_ids: frozenset[str] = frozenset()) -> Step:
    a = a_list("vips")
    members = a_membership("vips", *numbers)
    plan = planned(desired(a, members, membershipMode="append"), live())
    step = change_of(plan, members).steps[0]
    effect = MembersAdded(of=ONE, known_ids=known_ids, counted=True)
    return replace(step, chunk=chunk, effect=effect)


async def upload(session: Any, step: Step) -> list[Evidence]:
    ids = {list_at("vips"): ONE}
    found = []
    for batch in step.batches():
        await session.send(batch.request(ids), batch.effect)
        found.append(await session.observe(batch.effect, batch.rows))
    return found


def test_batches_are_counted_one_by_one(start):
    sandbox = start(lists=[{**VIPS, "members": [CALLER]}])
    before = fetched(sandbox, desired(), everything=True).members[ONE].facts["contact_ids"]
    step = upload_step(ANNA, BORIS, CLARA, chunk=2, known_ids=before)
    evidence = using(sandbox, lambda s: upload(s, step))
    assert [e.state for e in evidence] == [State.HOLDS, State.HOLDS]
    assert [len(e.candidates) for e in evidence] == [2, 1]
    assert not {*evidence[0].candidates} & {*evidence[1].candidates}


def test_a_lost_upload_is_counted(start):
    sandbox = start(lists=[VIPS])
    step = upload_step(ANNA, BORIS)
    assert observed(sandbox, step.effect, step.rows).state is State.ABSENT
    fail(sandbox, "PUT", "*/uploadcontacts", LOST)
    with pytest.raises(NoAnswer):
        using(sandbox, lambda s: upload(s, step))
    assert observed(sandbox, step.effect, step.rows).state is State.HOLDS


def test_half_an_upload_is_for_a_person(start):
    sandbox = start(lists=[VIPS])
    step = upload_step(ANNA, BORIS)
    fail(sandbox, "PUT", "*/uploadcontacts", {"kind": "partial_bulk", "apply": 1})
    with pytest.raises(NoAnswer):
        using(sandbox, lambda s: upload(s, step))
    found = observed(sandbox, step.effect, step.rows)
    assert found.state is State.AMBIGUOUS
    assert "1 new contacts" in found.detail


@pytest.mark.parametrize("fault", [None, {"kind": "error_before", "status": 405}, {"kind": "non_json", "status": 404}])
def test_an_account_without_the_endpoint(start, fault):
    sandbox = start(lists=[VIPS])
    if fault is None:
        sandbox.turn(intelepeer={"upload_enabled": False})
    else:
        fail(sandbox, "PUT", "*/uploadcontacts", fault)
    with pytest.raises(UploadUnavailable) as caught:
        using(sandbox, lambda s: upload(s, upload_step(ANNA)))
    assert caught.value.code == "intelepeer-upload-unavailable"
    assert "membershipMode" in caught.value.hint


def test_an_upload_to_a_list_that_is_gone_is_refused(sandbox):
    with pytest.raises(Rejected) as caught:
        using(sandbox, lambda s: upload(s, upload_step(ANNA)))
    assert not isinstance(caught.value, UploadUnavailable)
    assert observed(sandbox, MembersAdded(of=ONE, counted=True), people(ANNA)).state is State.ABSENT


def test_looks_that_cannot_be_had(start):
    sandbox = start(lists=[VIPS])
    with pytest.raises(Rejected):
        observed(sandbox, MembersRemoved(of=ONE), people(ANNA))
    hide = {"kind": "rewrite", "pattern": '"contactRel"', "replacement": '"people"'}
    sandbox.set_faults([{"method": "GET", "fault": hide}])
    with pytest.raises(ReadIncomplete):
        observed(sandbox, MembersAdded(of=ONE, counted=True), people(ANNA))
    with pytest.raises(ValueError, match="unknown id"):
        observed(sandbox, Deleted(kind=Kind.LIST, target=Ref(list_at("vips"))))
