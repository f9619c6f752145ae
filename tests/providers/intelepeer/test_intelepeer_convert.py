"""Every shape that the API is known to answer in is read; any other is an error, never an empty inventory."""

from __future__ import annotations

from typing import Any

import intelepeer_samples as samples
import pytest

from reconciler.errors import NoAnswer, ReadIncomplete, Rejected
from reconciler.model.addresses import Kind
from reconciler.providers.http import Reply
from reconciler.providers.intelepeer import answers
from reconciler.providers.intelepeer.convert import campaign, contact_list
from reconciler.providers.intelepeer.wire import accepted, collection, error_text, folded, single, truth

LIST = samples.E10_LISTS["lists"][0]


def a_campaign(**more: Any) -> Any:
    return campaign(folded({**samples.E1_BARE_OBJECT, **more}))


def a_list(**more: Any) -> Any:
    return contact_list(folded({**LIST, **more}))


def reply(body: Any, status: int = 200) -> Reply:
    return Reply(status=status, body=body, headers={}, raw=b"x")


# Campaigns


@pytest.mark.parametrize(
    ("sample", "remote_id", "state", "customer", "lists"),
    [
        (
            samples.E1_BARE_OBJECT,
            "5cf02630e313d620ca9743e4",
            "published",
            "9999999",
            ["5c1a4728717a743602510e48"],
        ),
        (samples.E3_CREATED, "62151c1cc6c0c841da2fe8c5", "draft", "1028811", []),
        (samples.E4_UPDATED, "5c1097c6717a743602510c9c", "published", "9999999", ["4kk11065jkl0985bb48mf054"]),
        (samples.E9_ERRORS[0], "636d528fdda97296908aa762", "published", "9999999", ["6346d4529ba9c200096f3e8"]),
    ],
)
def test_documented_campaigns(sample, remote_id, state, customer, lists):
    found = campaign(single(sample, "a campaign"))
    assert (found.remote_id, found.state, found.customer, found.deleted) == (remote_id, state, customer, False)
    assert sorted(found.links) == lists
    assert found.name == sample["campaignName"]
    assert found.caller == sample["callerIdentification"]


def test_campaign_as_the_planner_sees_it():
    seen = a_campaign(campaignDescription="Calls ").observed({})
    assert seen.kind is Kind.CAMPAIGN
    assert seen.fields == {
        "name": "testing ethel",
        "description": "Calls",
        "callerIdentification": "+12025550135",
        "flowId": "5bef29e1c5480c40e2ab4ef0",
        "state": "published",
    }
    assert seen.facts["active"] is True
    assert seen.facts["scheduleId"] == "5d13bfcd4c36cca2d46a0a8d"


def test_the_flow_type_of_an_update_is_not_taken_for_the_flow():
    assert campaign(folded(samples.E4_UPDATED)).flow == ""


def test_links_that_are_gone_or_going_are_told_apart():
    lists = {x.remote_id: x for x in (a_list(listId="alive"), a_list(listId="going", deleteFlag=True))}
    seen = a_campaign(listRel=["alive", "going", "gone", "alive"]).observed(lists)
    assert seen.facts["lists"] == {"alive"}
    assert seen.facts["leaving"] == {"going"}
    assert seen.facts["dangling"] == {"gone"}


@pytest.mark.parametrize(
    ("more", "links"),
    [
        ({"listRel": None}, {}),
        ({"listRel": []}, {}),
        ({"listRel": ["a", "b"], "lists": []}, {"a": {}, "b": {}}),
        (
            {"listRel": ["a"], "lists": [{"listId": "b", "moc": "phone", "autoDetectTZ": "true"}]},
            {"a": {}, "b": {"moc": "phone", "autoDetectTZ": True}},
        ),
        (
            {"listRel": ["a"], "lists": [{"ListId": "a", "MOC": None, "autoDetectTZ": None}]},
            {"a": {}},
        ),
        ({"listRel": [17], "lists": ["a"]}, {"17": {}, "a": {}}),
    ],
)
def test_links_in_every_shape(more, links):
    assert a_campaign(**more).links == links


@pytest.mark.parametrize("more", [{"listRel": "a"}, {"listRel": [{}]}, {"lists": {}}, {"lists": [{"moc": "phone"}]}])
def test_unknown_shapes_of_links_are_refused(more):
    with pytest.raises(ReadIncomplete):
        a_campaign(**more)


@pytest.mark.parametrize(
    ("active", "published", "state", "counts_as_active"),
    [
        (1, None, "published", True),
        ("1", "", "published", True),
        (True, None, "published", True),
        (0, "", "draft", False),
        ("0", None, "draft", False),
        (0, "2023-03-09T20:15:15.095Z", "published", False),
        (None, None, "draft", True),
        ("paused", None, "draft", True),
    ],
)
def test_active_and_published(active, published, state, counts_as_active):
    found = a_campaign(active=active, publishedDate=published)
    assert found.state == state
    assert found.observed({}).facts["active"] is counts_as_active


def test_what_only_informs_never_fails_a_read():
    found = a_campaign(numAttempts=[], retryInterval={}, runNow="maybe", status={"odd": 1}, lastExecuted=[1])
    assert "status" not in found.told


# Lists


def test_documented_lists():
    rows = collection(samples.E10_LISTS, "the lists").rows
    lists = [contact_list(row) for row in rows]
    assert [x.name for x in lists] == ["Engage List", "default_trans_list", "health survey 2"]
    assert lists[0].headers == ("firstname", "lastname")
    assert lists[2].description == ""
    assert lists[0].contact_ids is None
    assert lists[0].campaign_ids is None
    assert lists[0].observed().fields["description"].endswith("General Notes")


@pytest.mark.parametrize(
    ("sample", "remote_id", "contacts", "campaigns", "headers"),
    [
        (samples.E11_BY_ID, "6214f5d34b99a300098407ea", 2, 0, ("firstname", "lastname")),
        (samples.E11_BY_NAME, "6214f5d34b99a300098407ea", None, None, ("firstname", "lastname")),
        (samples.E11_OLDER, "51i8c0edotame81bb4cbf000", 1, 1, None),
        (samples.E12_CREATED, "6214f5d34b99a300098407ea", 0, 0, ("firstname", "lastname")),
        (
            samples.E14_UPLOADED,
            "5f77af24877b145c2ba092ef",
            8,
            0,
            ("firstname", "lastname", "email", "phone", "message"),
        ),
    ],
)
def test_documented_list_details(sample, remote_id, contacts, campaigns, headers):
    found = contact_list(single(sample, "a list"))
    assert (found.remote_id, found.headers) == (remote_id, headers)
    assert (None if found.contact_ids is None else len(found.contact_ids)) == contacts
    assert (None if found.campaign_ids is None else len(found.campaign_ids)) == campaigns


def test_a_list_tells_what_its_links_are_set_to():
    assert contact_list(folded(samples.E14_UPLOADED)).attributes == {"moc": "phone"}
    assert contact_list(folded({**samples.E11_BY_ID, "autoDetectTZ": "false"})).attributes == {"autoDetectTZ": False}
    assert contact_list(folded(samples.E11_BY_ID)).attributes == {}


def test_headers_that_are_not_told_are_not_empty():
    assert "headers" not in contact_list(folded(samples.E11_OLDER)).observed().fields
    detail = contact_list(folded(samples.E11_BY_ID))
    assert a_list(headerInfo=None).observed(detail).fields["headers"] == ("firstname", "lastname")


@pytest.mark.parametrize("flag", [True, "true", "TRUE", 1, "1"])
def test_tombstones(flag):
    assert a_list(deleteFlag=flag).deleted
    assert a_campaign(deleteFlag=flag).deleted


@pytest.mark.parametrize("flag", [False, "false", 0, "0", None, ""])
def test_no_tombstones(flag):
    assert not a_list(deleteFlag=flag).deleted


@pytest.mark.parametrize(
    "more",
    [
        {"deleteFlag": "maybe"},
        {"deleteFlag": []},
        {"listName": None},
        {"listName": {"text": "x"}},
        {"listId": None},
        {"headerInfo": "firstname"},
        {"headerInfo": [1]},
        {"contactRel": "62151592c35e1400093c7e1f"},
        {"contactRel": [None]},
        {"contactRel": [True]},
    ],
)
def test_unknown_shapes_of_lists_are_refused(more):
    with pytest.raises(ReadIncomplete):
        a_list(**more)


def test_keys_in_any_case_and_the_value_that_says_something():
    found = contact_list(folded({"LISTNAME": "Engage List", "_ID": "x1", "listid": "", "ListId": "y2"}))
    assert found.remote_id == "x1"
    assert folded({"modifiedBY": "", "modifiedBy": "jc"})["modifiedby"] == "jc"


# Collections and answers


@pytest.mark.parametrize("body", [None, [], {}])
def test_nothing_is_none(body):
    assert collection(body, "x").rows == ()


@pytest.mark.parametrize("key", ["campaigns", "lists", "data", "items", "Lists"])
def test_wrapped_and_plain_collections(key):
    assert len(collection({key: [LIST, LIST]}, "x").rows) == 2
    assert len(collection([LIST], "x").rows) == 1
    assert not collection({key: [LIST]}, "x").bare


def test_one_bare_object_is_a_listing_of_one():
    assert collection(samples.E1_BARE_OBJECT, "x").bare
    # It has a key "lists" of its own, which must not be taken for the collection.
    assert len(collection(samples.E3_CREATED, "x").rows) == 1


@pytest.mark.parametrize(
    "body",
    [
        True,
        "text",
        17,
        [1],
        [None],
        {"message": "fine"},
        {"lists": {}},
        {"lists": [LIST], "next": "/page/2"},
        {"lists": [LIST], "total": 4},
        {"lists": [LIST], "has_more": True},
        {"message": "Something went wrong", "status": 500},
        {"code": 401, "error": "Unauthorized"},
    ],
)
def test_unknown_collections_are_refused(body):
    with pytest.raises(ReadIncomplete):
        collection(body, "the lists")


def test_no_value_of_a_reply_stands_in_an_error():
    with pytest.raises(ReadIncomplete) as caught:
        collection({"lists": [LIST], "next": "+12025550101"}, "the lists")
    assert "5550101" not in caught.value.message


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), ("true", True), ("False", False), (0, False), ("x", None), (None, None)]
)
def test_truth(value, expected):
    assert truth(value) is expected


def test_only_a_clear_yes_is_one():
    for yes in (True, "true"):
        answers.require_true(reply(yes, 202), "a deletion")
        assert accepted(yes) is True
    for no in (False, "false"):
        with pytest.raises(Rejected):
            answers.require_true(reply(no), "publish")
    for unclear in (None, 1, {}, [], {"ok": True}, "yes"):
        with pytest.raises(NoAnswer):
            answers.require_true(reply(unclear), "publish")


def test_an_error_inside_a_good_status_is_judged_by_what_it_says():
    with pytest.raises(NoAnswer):
        answers.require_true(reply({"message": "Something went wrong", "status": 500}), "publish")
    with pytest.raises(Rejected):
        answers.created_campaign(reply({"message": "no", "status": 422}))


def test_a_create_without_an_id_is_no_answer():
    for body in (None, True, {}, {"listName": "Engage List"}, [LIST, LIST]):
        with pytest.raises(NoAnswer):
            answers.created_list(reply(body, 201), None)
        with pytest.raises(NoAnswer):
            answers.created_campaign(reply(body, 201))


def test_headers_that_were_ignored_are_an_error_with_the_id():
    made = answers.created_list(reply(samples.E12_CREATED, 201), ("firstname", "lastname"))
    assert made.remote_id == "6214f5d34b99a300098407ea"
    with pytest.raises(answers.HeadersIgnored) as caught:
        answers.created_list(reply(samples.E12_CREATED, 201), ("firstname", "phone"))
    assert caught.value.code == "intelepeer-headers-ignored"
    assert "6214f5d34b99a300098407ea" in caught.value.message
    assert answers.created_list(reply(samples.E12_CREATED, 201), None)


def test_error_texts():
    assert error_text({"message": "gone", "status": 404}, b"") == "gone"
    assert error_text({"code": 401, "error": "Unauthorized"}, b"") == "Unauthorized"
    assert error_text(None, b"<html>busy</html>") == ""
    assert error_text(None, b"busy") == "busy"
