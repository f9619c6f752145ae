"""Reading an account: whole, with few requests, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from intelepeer_engage import fetched, methods, using
from intelepeer_world import (
    ANNA,
    BORIS,
    CALLER,
    a_campaign,
    a_list,
    a_membership,
    an_association,
    codes,
    desired,
    inventory,
    owned,
)

from reconciler.errors import CredentialsRefused, ProviderError, ReadIncomplete
from reconciler.model.addresses import Kind, RemoteId, link_id
from reconciler.providers.base import Scope
from reconciler.sandbox import Sandbox

LISTS = [
    {"id": "one", "name": "vips list", "headers": ["firstname", "phone"], "members": [ANNA, BORIS]},
    {"id": "two", "name": "other list", "description": "Others "},
]
CAMPAIGNS = [
    {
        "id": "spring",
        "name": "spring calls",
        "description": "Calls",
        "callerIdentification": CALLER,
        "flowId": "flow-1",
        "lists": ["vips list"],
        "moc": "phone",
    },
    {"id": "summer", "name": "summer calls", "flowId": "flow-2", "callerIdentification": CALLER, "state": "published"},
]


@pytest.fixture
def engage(start) -> Sandbox:
    """Two campaigns and two lists."""
    return start(lists=LISTS, campaigns=CAMPAIGNS)


def test_an_empty_account(sandbox):
    live = fetched(sandbox, desired())
    assert live.identity == "intelepeer:127.0.0.1:customer=1028811"
    assert [o.name for o in live.objects.values()] == ["default_trans_list"]
    assert (live.links, live.members, live.notes) == ({}, {}, ())
    assert live.requests == 3
    assert sorted(methods(sandbox)) == [
        ("GET", "/campaigns"),
        ("GET", "/lists"),
        ("POST", "/_rest/v4/authenticate"),
    ]


def test_objects_and_links(engage):
    live = fetched(engage, desired())
    spring = live.objects[(Kind.CAMPAIGN, RemoteId("spring"))]
    assert spring.fields == {
        "name": "spring calls",
        "description": "Calls",
        "callerIdentification": CALLER,
        "flowId": "flow-1",
        "state": "draft",
    }
    assert (spring.facts["active"], spring.facts["lists"]) == (False, {"one"})
    summer = live.objects[(Kind.CAMPAIGN, RemoteId("summer"))]
    assert (summer.fields["state"], summer.facts["active"]) == ("published", True)
    other = live.objects[(Kind.LIST, RemoteId("two"))]
    assert other.fields == {"name": "other list", "description": "Others", "headers": ()}
    (link,) = live.links.values()
    assert (link.campaign, link.list, link.fields) == ("spring", "one", {})
    assert link.remote_id == link_id(RemoteId("spring"), RemoteId("one"))


def test_only_lists_that_matter_are_read_by_id(engage):
    wanted = desired(
        a_list("vips"),
        a_list("other"),
        a_campaign("spring"),
        an_association("spring", "vips", moc="phone"),
        a_membership("vips", ANNA),
    )
    live = fetched(engage, wanted)
    assert methods(engage).count(("GET", "/lists")) == 2
    assert live.requests == 4
    members = live.members[RemoteId("one")]
    assert (members.count, members.readable, len(members.contacts)) == (2, False, 0)
    assert len(members.facts["contact_ids"]) == 2
    (link,) = live.links.values()
    assert link.fields == {"moc": "phone", "autoDetectTZ": False}
    assert live.objects[(Kind.LIST, RemoteId("one"))].facts["campaigns"] == {"spring"}


def test_references_by_id_and_owned_memberships_are_read_too(engage):
    members = a_membership("#two", ANNA)
    assert fetched(engage, desired(members)).members.keys() == {"two"}
    ours = owned(members, "two")
    ledger = inventory(type(ours)(address=ours.address, provider="intelepeer", remote_id=RemoteId("two"), parent="two"))
    assert fetched(engage, desired(), ledger).members.keys() == {"two"}


def test_publishing_asks_for_everybody_who_would_be_reached(engage):
    assert fetched(engage, desired(a_campaign("spring", state="published"))).members.keys() == {"one"}
    assert fetched(engage, desired(a_campaign("summer", state="published"))).members.keys() == set()


def test_an_import_reads_every_list(engage):
    live = fetched(engage, desired(), everything=True)
    assert len(live.members) == 3


def test_a_list_of_two_campaigns_does_not_tell_how_each_link_is_set(engage):
    engage.tamper("intelepeer", "link", campaign="summer", list="one", moc="firstname")
    live = fetched(engage, desired(a_list("vips"), an_association("#spring", "vips")))
    assert [link.fields for link in live.links.values()] == [{}, {}]


@pytest.mark.parametrize("path", ["", "/", "/_rest/v2", "/_rest/v2/"])
def test_the_base_url_may_have_the_apis_path(engage, path):
    assert len(fetched(engage, desired(), path=path).objects) == 5


@pytest.mark.parametrize(
    "knobs",
    [
        {"e1_shape": "wrapped"},
        {"delete_flag_as_string": True},
        {"legacy_list_detail": True},
        {"id_style": "odd"},
        {"require_scheme": "raw"},
    ],
)
def test_every_shape_reads_the_same(start, knobs):
    plain, odd = (start(lists=LISTS, campaigns=CAMPAIGNS) for _ in range(2))
    odd.turn(intelepeer=knobs)
    wanted = desired(a_list("vips"), a_membership("vips", ANNA))
    one, other = fetched(plain, wanted), fetched(odd, wanted)
    assert {o.name: o.fields for o in one.objects.values()} == {o.name: o.fields for o in other.objects.values()}
    assert one.members[RemoteId("one")].count == other.members[RemoteId("one")].count


def test_a_bare_object_is_read_and_mentioned(start):
    sandbox = start(campaigns=CAMPAIGNS[1:])
    sandbox.turn(intelepeer={"e1_shape": "single_object"})
    live = fetched(sandbox, desired())
    assert (Kind.CAMPAIGN, "summer") in live.objects
    assert codes(live.notes) == ["intelepeer-bare-object"]


def test_a_token_with_a_scheme(engage):
    engage.turn(intelepeer={"require_scheme": "bearer"})
    assert fetched(engage, desired(), authScheme="bearer").objects
    with pytest.raises(CredentialsRefused):
        fetched(engage, desired())


def test_a_token_that_dies_in_the_middle_is_renewed_once(engage):
    engage.set_faults([{"method": "GET", "path": "*/lists", "nth": 2, "fault": {"kind": "expired_token"}}])
    wanted = desired(a_list("vips"), a_list("other"), an_association("#spring", "vips"), a_membership("other", ANNA))
    live = fetched(engage, wanted)
    assert live.members.keys() == {"one", "two"}
    assert methods(engage).count(("POST", "/_rest/v4/authenticate")) == 2


def test_credentials_that_are_refused_are_not_tried_again_and_again(engage):
    engage.tamper("intelepeer", "change_password", username="sandbox", password="another")
    with pytest.raises(CredentialsRefused):
        fetched(engage, desired())
    assert methods(engage).count(("POST", "/_rest/v4/authenticate")) <= 2


# Not whole


def owning(remote_id: str) -> Any:
    return inventory(owned(a_list("vips"), remote_id))


def test_ours_and_gone(engage):
    live = fetched(engage, desired(a_list("vips", name="no such list")), owning("gone"))
    assert live.requests == 4
    assert (Kind.LIST, "gone") not in live.objects


def test_ours_and_being_deleted(engage):
    engage.turn(intelepeer={"delete_delay_s": None})
    using(engage, lambda s: _delete(s, "two"))
    live = fetched(engage, desired(), owning("two"))
    assert (Kind.LIST, "two") not in live.objects
    assert live.requests == 3


async def _delete(session: Any, remote_id: str) -> None:
    from reconciler.plan.calls import Deleted
    from reconciler.providers.intelepeer.endpoints import delete_list

    target = RemoteId(remote_id)
    await session.send(delete_list(target), Deleted(kind=Kind.LIST, target=target))


@pytest.mark.parametrize("fault", ["skipped_row", "empty_collection"])
def test_a_hole_in_a_listing_is_read_again(engage, fault):
    hole = {"method": "GET", "path": "*/campaigns", "times": 1, "fault": {"kind": fault}}
    engage.set_faults([hole])
    known = inventory(owned(a_campaign("spring"), "spring"))
    live = fetched(engage, desired(), known)
    assert (Kind.CAMPAIGN, "spring") in live.objects
    engage.set_faults([{**hole, "times": None}])
    with pytest.raises(ReadIncomplete, match="not whole"):
        fetched(engage, desired(), known)


def test_a_row_that_is_shown_twice_is_one(engage):
    engage.set_faults([{"method": "GET", "path": "*/lists", "nth": 1, "fault": {"kind": "duplicated_row"}}])
    assert len(fetched(engage, desired()).objects) == 5


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rewrite", "pattern": r'^\{"lists":', "replacement": '{"next":"2","lists":'},
        {"kind": "rewrite", "pattern": r'^\{"lists":\[.*\]\}$', "replacement": '{"message":"odd"}'},
        {"kind": "rewrite", "pattern": r'"listId"', "replacement": '"number"'},
        {"kind": "rewrite", "pattern": r'"listName":"vips list"', "replacement": '"title":"vips list"'},
        {"kind": "rewrite", "pattern": r'"customerId":"1028811"(.*"vips)', "replacement": r'"customerId":"7"\1'},
        {"kind": "rewrite", "pattern": r'"deleteFlag":false', "replacement": '"deleteFlag":"perhaps"'},
        {"kind": "non_json", "status": 200},
        {"kind": "non_json", "status": 200, "body": ""},
        {"kind": "non_json", "status": 502},
        {"kind": "truncate", "fraction": 0.5},
    ],
)
def test_what_cannot_be_read_whole_is_not_read(engage, fault):
    engage.set_faults([{"method": "GET", "path": "*/lists", "fault": fault}])
    with pytest.raises(ProviderError) as caught:
        fetched(engage, desired())
    assert CALLER not in caught.value.message


def test_campaigns_without_any_names_are_a_changed_api(engage):
    rename = {"kind": "rewrite", "pattern": '"campaignName"', "replacement": '"title"'}
    engage.set_faults([{"method": "GET", "path": "*/campaigns", "fault": rename}])
    with pytest.raises(ReadIncomplete, match="names"):
        fetched(engage, desired())


def test_contacts_that_are_not_told_are_not_none(engage):
    hide = {"kind": "rewrite", "pattern": '"contactRel"', "replacement": '"people"'}
    engage.set_faults([{"method": "GET", "path": "*/lists", "contains": "id", "fault": hide}])
    with pytest.raises(ReadIncomplete, match="contacts"):
        fetched(engage, desired(a_list("vips"), a_membership("vips", ANNA)))
    # Nobody asked who is on it.
    live = fetched(engage, desired(a_list("vips"), an_association("#spring", "vips")))
    assert live.members == {}


def test_links_to_lists_that_are_gone_are_mentioned(engage):
    engage.tamper("intelepeer", "delete_list", list="one")
    live = fetched(engage, desired(a_campaign("spring")))
    assert live.links == {}
    assert codes(live.notes) == ["intelepeer-dangling-link"]
    assert live.objects[(Kind.CAMPAIGN, RemoteId("spring"))].facts["dangling"] == {"one"}
    assert fetched(engage, desired()).notes == ()


def test_a_list_that_goes_while_it_is_read(engage):
    gone = {"kind": "tamper", "operation": {"op": "delete_list", "list": "two"}}
    engage.set_faults([{"method": "GET", "path": "*/lists", "contains": "two", "times": 1, "fault": gone}])
    wanted = desired(a_list("other"), an_association("#summer", "other"))
    live = fetched(engage, wanted)
    assert (Kind.LIST, "two") not in live.objects
    assert live.members == {}


def test_a_namesake_that_comes_while_ours_goes(engage):
    gone = {"kind": "tamper", "operation": {"op": "delete_list", "list": "two"}}
    come = {"kind": "tamper", "operation": {"op": "create_list", "id": "three", "name": "other list"}}
    by_id = {"method": "GET", "path": "*/lists", "contains": "two", "times": 1}
    engage.set_faults([{**by_id, "fault": gone}, {**by_id, "fault": come}])
    with pytest.raises(ReadIncomplete, match="changed while"):
        fetched(engage, desired(a_list("other"), a_membership("other", ANNA)))


def test_a_read_writes_nothing(engage):
    before = engage.state()["intelepeer"]["accounts"]
    using(
        engage,
        lambda s: s.fetch(Scope(desired=desired(), inventory=inventory(), everything=True)),
        read_only=True,
    )
    assert {m for m, path in methods(engage) if "authenticate" not in path} == {"GET"}
    assert engage.state()["intelepeer"]["accounts"][0]["customerId"] == before[0]["customerId"]
