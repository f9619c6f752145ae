"""SlickText as the simulator contract in the API notes has it; item numbers are those of the contract."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

MARTY = "+16155550123"
EMMETT = "+16155550124"
BRAND = 123456789


def seeded(*numbers: str, **more: Any) -> dict[str, Any]:
    return {"slicktext": {"contacts": [{"number": number} for number in numbers], **more}}


def remove(client: httpx.Client, body: Any) -> httpx.Response:
    return client.request("DELETE", "/lists/contacts", json=body)


def rows(answer: httpx.Response) -> list[Any]:
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["data"]
    return found


def ids(answer: httpx.Response, key: str = "contact_list_id") -> list[int]:
    return [row[key] for row in rows(answer)]


# Item 1: paths


def test_trailing_slashes_unknown_paths_and_wrong_methods(sandbox, texts):
    client = texts(sandbox)
    assert client.get("/lists/").status_code == 200
    assert client.get("/nothing").status_code == 404
    wrong = client.patch("/lists")
    assert (wrong.status_code, wrong.json()) == (405, {"error": "Method Not Allowed"})


def test_the_member_path_of_a_wrong_client_does_not_exist(sandbox, connect):
    client = connect(sandbox, "/v1", "Bearer sandbox-slicktext-key")
    assert client.delete("/contacts/1/lists/2").status_code == 404


# Items 2 and 3: who may call, how often


@pytest.mark.parametrize("token", [None, "Bearer wrong", "sandbox-slicktext-key", "Basic sandbox-slicktext-key"])
def test_wrong_key(sandbox, connect, token):
    answer = connect(sandbox, "/v1", token).get("/brands")
    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})
    assert "x-ratelimit" not in answer.headers


@pytest.mark.parametrize("brand", ["1", "b123456789"])
def test_other_brand(sandbox, connect, brand):
    answer = connect(sandbox, "/v1", "Bearer sandbox-slicktext-key").get(f"/brands/{brand}/lists")
    assert (answer.status_code, answer.json()) == (403, {"error": "Forbidden"})


def test_the_brand_is_one_bare_object(sandbox, connect):
    answer = connect(sandbox, "/v1", "Bearer sandbox-slicktext-key").get("/brands")
    assert answer.json()["brand_id"] == BRAND
    assert answer.json()["name"] == "Sandbox Brand"


def test_rate_limit(start, texts):
    sandbox = start(knobs={"slicktext": {"rate_limit": 2}})
    client = texts(sandbox)
    first = client.get("/lists")
    assert (first.headers["x-RateLimit"], first.headers["x-RateLimit-Remaining"]) == ("2", "1")
    assert client.get("/lists/1").headers["x-RateLimit-Remaining"] == "0"
    sandbox.advance(20)
    refused = client.get("/lists")
    assert (refused.status_code, refused.json()) == (429, {"error": "Too Many Requests"})
    assert refused.headers["x-RateLimit-Reset"] == "40"
    assert "retry-after" not in refused.headers
    sandbox.turn(slicktext={"retry_after": True})
    assert client.get("/lists").headers["retry-after"] == "40"
    sandbox.advance(40)
    assert client.get("/lists").status_code == 200


def test_the_default_limit_and_lifting_it(start, texts):
    assert texts(start()).get("/lists").headers["x-RateLimit"] == "480"
    lifted = texts(start(knobs={"slicktext": {"rate_limit": None}})).get("/lists")
    assert "x-ratelimit" not in lifted.headers


# Item 4: bodies and error shapes


def test_bodies(sandbox, texts):
    client = texts(sandbox)
    broken = client.post("/lists", content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()) == (400, {"error": "Invalid JSON"})
    assert client.post("/lists", json=[]).status_code == 422
    assert client.post("/lists/contacts", json={}).status_code == 422
    unknown = client.get("/lists/999")
    assert (unknown.status_code, unknown.json()) == (404, {"error": "Not Found"})
    assert client.get("/lists/nonsense").status_code == 404


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("error_list", '{"error":["The name field is required."]}'),
        ("error_string", '{"error":"The name field is required."}'),
        ("message", '{"message":"The name field is required."}'),
        ("html", "<html><body><h1>422</h1></body></html>"),
        ("empty", ""),
    ],
)
def test_error_shapes(start, texts, shape, body):
    answer = texts(start(knobs={"slicktext": {"error_shape": shape}})).post("/lists", json={})
    assert (answer.status_code, answer.text) == (422, body)


# Items 5 and 6: success


def test_success_codes_and_shapes(start, texts):
    client = texts(start(knobs={"slicktext": {"create_status": 201, "delete_body": "empty"}}))
    created = client.post("/lists", json={"name": "Join"})
    assert created.status_code == 201
    assert client.delete(f"/lists/{created.json()['contact_list_id']}").content == b""


def test_list_lifecycle(sandbox, texts):
    client = texts(sandbox)
    created = client.post("/lists", json={"name": "Join", "description": "VIP"})
    assert created.status_code == 200
    row = created.json()
    assert row == {
        "contact_list_id": row["contact_list_id"],
        "_brand_id": BRAND,
        "name": "Join",
        "description": "VIP",
        "created": "2026-03-02 12:00:00",
    }
    path = f"/lists/{row['contact_list_id']}"
    assert client.put(path, json={"name": "Joined"}).json() == {**row, "name": "Joined"}
    assert client.put(path, json={"description": ""}).json()["description"] is None
    assert client.put(path, json={}).status_code == 422
    assert client.put(path, json={"colour": "red"}).status_code == 422
    assert client.get(path).json()["name"] == "Joined"
    count = client.get(f"{path}/contacts/count")
    assert (count.text, count.headers["content-type"]) == ("0", "application/json")
    assert client.delete(path).json() == []
    assert client.delete(path).status_code == 404
    later = client.post("/lists", json={"name": "Join"}).json()
    assert later["contact_list_id"] > row["contact_list_id"]


# Items 7 and 8: pages


@pytest.fixture
def many(start, texts):
    sandbox = start(seed={"slicktext": {"lists": [{"name": f"list {n:03}"} for n in range(120)]}})
    return sandbox, texts(sandbox)


def test_offset_pages(many):
    _, client = many
    everything = ids(client.get("/lists", params={"limit": 100})) + ids(
        client.get("/lists", params={"limit": 100, "offset": 100})
    )
    assert len(everything) == 120
    assert everything == sorted(set(everything))
    default = client.get("/lists").json()
    assert len(default["data"]) == 50
    assert default["pagingData"] == {
        "prevPage": None,
        "currentPage": None,
        "nextPage": None,
        "currentPageString": None,
        "hasMore": True,
    }
    assert client.get("/lists", params={"offset": 20, "limit": 100}).json()["pagingData"]["hasMore"] is False
    assert rows(client.get("/lists", params={"offset": 500})) == []


def test_numbered_pages(many):
    _, client = many
    last = client.get("/lists", params={"page": 2, "pageSize": 50}).json()
    assert len(last["data"]) == 20
    paging = last["pagingData"]
    assert (paging["prevPage"], paging["currentPage"], paging["nextPage"], paging["hasMore"]) == (1, 2, None, False)
    assert client.get("/lists", params={"page": 0, "pageSize": 50}).json()["pagingData"]["nextPage"] == 1
    assert ids(client.get("/lists", params={"page": 2})) == ids(client.get("/lists"))


@pytest.mark.parametrize("params", [{"limit": "x"}, {"offset": -1}, {"limit": 0}, {"page": "a", "pageSize": 5}])
def test_faulty_paging(many, params):
    assert many[1].get("/lists", params=params).status_code == 422


def test_paging_knobs(many):
    sandbox, client = many
    full = {"limit": 200}
    assert len(rows(client.get("/lists", params=full))) == 100
    sandbox.turn(slicktext={"max_page": 250})
    assert len(rows(client.get("/lists", params=full))) == 120
    sandbox.turn(slicktext={"max_page": 20})
    assert len(rows(client.get("/lists"))) == 20
    sandbox.turn(slicktext={"over_max": "reject"})
    assert client.get("/lists", params=full).status_code == 422
    assert rows(client.get("/lists", params={"limit": 20}))
    sandbox.turn(slicktext={"hasmore_lies_false": True})
    assert client.get("/lists").json()["pagingData"]["hasMore"] is False
    sandbox.turn(slicktext={"hasmore_lies_false": False, "hasmore_always_true": True})
    assert client.get("/lists", params={"offset": 119}).json()["pagingData"]["hasMore"] is True
    sandbox.turn(slicktext={"hasmore_missing": True})
    assert "hasMore" not in client.get("/lists").json()["pagingData"]
    sandbox.turn(slicktext={"offset_ignored": True})
    assert ids(client.get("/lists", params={"offset": 60})) == ids(client.get("/lists"))
    sandbox.turn(slicktext={"shuffle_ties": True, "max_page": 250})
    assert ids(client.get("/lists", params={"limit": 20})) != ids(client.get("/lists", params={"limit": 20}))


# Item 9: filters


def test_filters(start, texts):
    seed = seeded(MARTY, EMMETT, lists=[{"name": "Join"}, {"name": "join"}])
    sandbox = start(seed=seed)
    client = texts(sandbox)
    assert [row["name"] for row in rows(client.get("/lists", params={"name": "Join"}))] == ["Join"]
    assert len(rows(client.get("/lists", params={"colour": "red"}))) == 2
    assert [row["mobile_number"] for row in rows(client.get("/contacts", params={"mobile_number": MARTY}))] == [MARTY]
    assert rows(client.get(f"/contacts?mobile_number={MARTY}")) == []
    assert len(rows(client.get("/contacts", params={"opt_in_status": "subscribed"}))) == 2
    assert rows(client.get("/contacts", params={"email": "nobody@example.com"})) == []
    sandbox.turn(slicktext={"filter_ignored": True})
    assert len(rows(client.get("/contacts", params={"mobile_number": MARTY}))) == 2


# Item 10: list names


def test_list_names(sandbox, texts):
    client = texts(sandbox)
    for body in ({}, {"name": ""}, {"name": None}, {"name": 5}):
        assert client.post("/lists", json=body).status_code == 422
    first = client.post("/lists", json={"name": "Join"}).json()["contact_list_id"]
    second = client.post("/lists", json={"name": "Join"}).json()["contact_list_id"]
    assert sandbox.ledger()["duplicates"][0]["ids"] == [first, second]
    sandbox.turn(slicktext={"unique_list_names": True})
    refused = client.post("/lists", json={"name": "Join"})
    assert refused.status_code == 422
    assert "already exists" in refused.text


# Item 11: contacts


def test_contact_create(sandbox, texts):
    client = texts(sandbox)
    row = client.post("/contacts", json={"mobile_number": "(615) 555-0123", "first_name": "Marty"}).json()
    assert (row["mobile_number"], row["opt_in_status"], row["custom_fields"]) == (MARTY, "not subscribed", None)
    again = client.post("/contacts", json={"mobile_number": MARTY})
    assert again.status_code == 422
    assert "mobile number already exists" in again.text
    assert sandbox.ledger()["consent"] == []


@pytest.mark.parametrize("number", ["+442071838750", "+18765550123", "+11155550123", "+16151550123"])
def test_contacts_elsewhere(sandbox, texts, number):
    answer = texts(sandbox).post("/contacts", json={"mobile_number": number})
    assert answer.status_code == 422
    assert "US and CA" in answer.text


@pytest.mark.parametrize(
    "body", [{}, {"mobile_number": "12345"}, {"mobile_number": MARTY, "opt_in_status": "maybe"}, {"mobile_number": 5}]
)
def test_faulty_contacts(sandbox, texts, body):
    assert texts(sandbox).post("/contacts", json=body).status_code == 422
    assert sandbox.state()["slicktext"]["contacts"] == []


def test_consent_is_booked(sandbox, texts):
    client = texts(sandbox)
    asked = client.post("/contacts", json={"mobile_number": MARTY, "force_double_opt_in": True}).json()
    client.put(f"/contacts/{asked['contact_id']}", json={"opt_in_status": "subscribed"})
    ledger = sandbox.ledger()
    assert [entry["what"] for entry in ledger["consent"]] == ["force_double_opt_in", "subscribed"]
    assert [(entry["cause"], entry["number"]) for entry in ledger["messages"]] == [("double_opt_in", MARTY)]
    assert ledger["contacted"] == {"slicktext": [MARTY]}


def test_contact_edit_and_delete(start, texts):
    seed = seeded(MARTY, EMMETT, lists=[{"name": "Join", "members": [MARTY]}])
    seed["slicktext"]["custom_fields"] = [{"name": "Member", "internal_name": "member"}]
    sandbox = start(seed=seed)
    client = texts(sandbox)
    contact = rows(client.get("/contacts", params={"mobile_number": MARTY}))[0]["contact_id"]
    edited = client.put(f"/contacts/{contact}", json={"zip": "95420", "member": 1, "custom_fields": {"since": 1985}})
    assert edited.json()["custom_fields"] == {"member": 1, "since": 1985}
    assert edited.json()["last_updated"] == "2026-03-02 12:00:00"
    assert client.put(f"/contacts/{contact}", json={"mobile_number": EMMETT}).status_code == 422
    assert client.delete(f"/contacts/{contact}").json() == []
    listed = rows(client.get("/lists"))[0]["contact_list_id"]
    assert client.get(f"/lists/{listed}/contacts/count").json() == 0
    assert client.post("/contacts", json={"mobile_number": MARTY}).json()["contact_id"] != contact


def test_type_noise_and_masking(start, texts):
    sandbox = start(
        seed={"slicktext": {"contacts": [{"number": MARTY, "zip": "95420"}, {"number": EMMETT, "zip": "1"}]}}
    )
    client = texts(sandbox)
    sandbox.turn(slicktext={"type_noise": True})
    noisy = rows(client.get("/contacts"))
    assert [row["zip"] for row in noisy] == [95420, "1"]
    assert noisy[0]["_source_id"] == noisy[0]["birthdate"] == "null"
    sandbox.turn(slicktext={"mask_numbers": True})
    assert rows(client.get("/contacts"))[0]["mobile_number"] == "+1615***0123"


# Items 12 and 13: members


@pytest.fixture
def members(start, texts):
    brand = {
        "brand_id": BRAND,
        "api_key": "sandbox-slicktext-key",
        "workflows": [
            {"name": "welcome", "trigger": "contact_added_to_list", "list": "Join"},
            {"name": "hello", "trigger": "contact_created"},
        ],
    }
    contacts = [{"number": MARTY, "id": 11}, {"number": EMMETT, "id": 12}]
    lists = [{"name": "Join", "id": 21}, {"name": "Other", "id": 22}]
    sandbox = start(seed={"slicktext": {"brands": [brand], "contacts": contacts, "lists": lists}})
    return sandbox, texts(sandbox)


def test_add_and_remove_members(members):
    sandbox, client = members
    body = [{"contact_id": 11, "lists": [21, 22]}, {"contact_id": 12, "lists": [21]}]
    assert client.post("/lists/contacts", json=body).json() == {"count": 3}
    assert client.post("/lists/contacts", json=body).json() == {"count": 0}
    assert ids(client.get("/lists/21/contacts"), "contact_id") == [11, 12]
    assert client.get("/lists/21/contacts/count").json() == 2
    assert remove(client, [{"contact_id": 11, "lists": [21]}]).json() == {"count": 1}
    assert remove(client, [{"contact_id": 11, "lists": [21]}]).json() == {"count": 0}
    assert ids(client.get("/lists/21/contacts"), "contact_id") == [12]
    started = [(entry["workflow"], entry["number"], entry["list"]) for entry in sandbox.ledger()["messages"]]
    assert started == [("welcome", MARTY, 21), ("welcome", EMMETT, 21)]
    client.post("/contacts", json={"mobile_number": "+16155550125"})
    assert sandbox.ledger()["messages"][-1]["workflow"] == "hello"
    assert client.delete("/lists/21").json() == []
    assert len(rows(client.get("/contacts"))) == 3


@pytest.mark.parametrize(
    "body",
    [[], [{}], [{"contact_id": 11}], [{"contact_id": 11, "lists": []}], [{"contact_id": "11", "lists": [21]}], [5]],
)
def test_faulty_member_bodies(members, body):
    assert members[1].post("/lists/contacts", json=body).status_code == 422


def test_delete_without_its_body(members):
    sandbox, client = members
    assert client.delete("/lists/contacts").status_code == 422
    client.post("/lists/contacts", json=[{"contact_id": 11, "lists": [21]}])
    sandbox.turn(slicktext={"drop_delete_body": True})
    assert remove(client, [{"contact_id": 11, "lists": [21]}]).json() == {"count": 0}
    assert client.get("/lists/21/contacts/count").json() == 1


@pytest.mark.parametrize(
    ("mode", "status", "count"), [("reject", 422, 0), ("skip", 200, 2), ("partial_then_422", 422, 1)]
)
def test_unknown_members(members, mode, status, count):
    sandbox, client = members
    sandbox.turn(slicktext={"bulk_unknown": mode})
    body = [{"contact_id": 11, "lists": [21]}, {"contact_id": 99, "lists": [21]}, {"contact_id": 12, "lists": [21]}]
    assert client.post("/lists/contacts", json=body).status_code == status
    assert client.get("/lists/21/contacts/count").json() == count


def test_bulk_limit_and_count(members):
    sandbox, client = members
    sandbox.turn(slicktext={"max_bulk": 1, "bulk_count": "submitted"})
    two = [{"contact_id": 11, "lists": [21]}, {"contact_id": 12, "lists": [21]}]
    assert client.post("/lists/contacts", json=two).status_code == 422
    assert client.post("/lists/contacts", json=two[:1]).json() == {"count": 1}
    assert client.post("/lists/contacts", json=two[:1]).json() == {"count": 1}


# Items 14 to 16: campaigns


@pytest.fixture
def campaigns(start, texts):
    contacts = [
        {"number": MARTY, "id": 11},
        {"number": EMMETT, "id": 12, "opt_in_status": "unsubscribed"},
    ]
    lists = [{"name": "Join", "id": 21, "members": [MARTY, EMMETT]}, {"name": "Other", "id": 22, "members": [MARTY]}]
    segments = [{"name": "Fans", "id": 31, "numbers": [EMMETT]}]
    sandbox = start(seed={"slicktext": {"contacts": contacts, "lists": lists, "segments": segments}})
    return sandbox, texts(sandbox)


def draft(**more: Any) -> dict[str, Any]:
    return {"name": "Spring", "body": "Hello", "status": "draft", **more}


def test_draft_and_its_audience(campaigns):
    _, client = campaigns
    row = client.post("/campaigns", json=draft(audience={"contact_lists": [21, 22], "segments": [31]})).json()
    assert (row["status"], row["audience_size"]) == ("draft", 2)
    assert [(one["_contact_list_id"], one["_segment_id"], one["size"]) for one in row["audience"]] == [
        (21, None, 2),
        (22, None, 1),
        (None, 31, 1),
    ]
    path = f"/campaigns/{row['campaign_id']}"
    edited = client.put(path, json={"audience": {"contact_lists": [22]}}).json()
    assert [one["_contact_list_id"] for one in edited["audience"]] == [22]
    before = {one["campaign_audience_id"] for one in row["audience"]}
    assert before.isdisjoint(one["campaign_audience_id"] for one in edited["audience"])
    listed = rows(client.get("/campaigns", params={"status": "draft"}))[0]
    assert "audience_size" not in listed
    assert listed["audience"] == edited["audience"]
    assert client.delete(path).json() == []
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"body": "x", "status": "draft"},
        {"name": "x", "status": "draft"},
        {"name": "x", "body": "x"},
        draft(status="queued"),
        draft(audience={"all": True}),
        draft(audience={"contact_lists": [99]}),
        draft(status="send"),
        draft(status="scheduled", scheduled="2026-03-02 13:00:00"),
        draft(status="scheduled", audience={"contact_lists": [21]}),
        draft(status="scheduled", audience={"contact_lists": [21]}, scheduled="2026-03-02 11:00:00"),
        draft(status="scheduled", audience={"contact_lists": [21]}, scheduled="2026-03-02T13:00:00Z"),
    ],
)
def test_faulty_campaigns(campaigns, body):
    sandbox, client = campaigns
    assert client.post("/campaigns", json=body).status_code == 422
    assert sandbox.ledger()["messages"] == []


def test_a_scheduled_campaign_is_sent_at_its_time(campaigns):
    sandbox, client = campaigns
    row = client.post("/campaigns", json=draft(audience={"contact_lists": [21]})).json()
    path = f"/campaigns/{row['campaign_id']}"
    scheduled = client.put(path, json={"status": "scheduled", "scheduled": "2026-03-02 13:00:00"}).json()
    assert scheduled["status"] == "scheduled"
    assert client.put(path, json={"body": "Hi"}).json()["status"] == "scheduled"
    sandbox.advance(3599)
    assert sandbox.ledger()["messages"] == []
    sandbox.tamper("slicktext", "add_members", list="Join", numbers=["+16155550126"])
    sandbox.advance(1)
    assert client.get(path).json()["status"] == "queued"
    assert sandbox.ledger()["contacted"] == {"slicktext": [MARTY, "+16155550126"]}
    refused = client.put(path, json={"body": "too late"})
    assert refused.status_code == 422
    assert "cannot be edited" in refused.text
    assert client.delete(path).status_code == 422
    sandbox.advance(1)
    assert client.get(path).json()["status"] == "sent"
    sandbox.turn(slicktext={"delete_any_campaign": True})
    assert client.delete(path).json() == []


def test_back_to_draft_sends_nothing(campaigns):
    sandbox, client = campaigns
    body = draft(status="scheduled", scheduled="2026-03-02 13:00:00", audience={"contact_lists": [21]})
    path = f"/campaigns/{client.post('/campaigns', json=body).json()['campaign_id']}"
    assert client.put(path, json={"status": "draft"}).json()["status"] == "draft"
    sandbox.advance(7200)
    assert sandbox.ledger()["messages"] == []


def test_send_goes_out_at_once(campaigns):
    sandbox, client = campaigns
    row = client.post("/campaigns", json=draft(status="send", audience={"contact_lists": [21, 22]})).json()
    assert row["status"] == "queued"
    assert [entry["number"] for entry in sandbox.ledger()["messages"]] == [MARTY]


def test_campaign_knobs(campaigns):
    sandbox, client = campaigns
    sandbox.turn(slicktext={"collection_no_audience": True, "updated_key": "last_Editd", "status_default": "draft"})
    body = {"name": "Spring", "body": "Hello", "audience": {"contact_lists": [21]}}
    row = client.post("/campaigns", json=body).json()
    assert row["status"] == "draft"
    assert "last_Editd" in row
    assert "audience" not in rows(client.get("/campaigns"))[0]
    sandbox.turn(slicktext={"put_status_default": "send"})
    assert client.put(f"/campaigns/{row['campaign_id']}", json={"name": "Oops"}).json()["status"] == "queued"
    client.post("/campaigns", json=draft(name="Oops"))
    assert sandbox.ledger()["duplicates"][0]["kind"] == "campaign"


def test_trial_accounts_cannot_send(start, texts):
    brand = {"brand_id": BRAND, "api_key": "sandbox-slicktext-key", "trial": True}
    lists = [{"name": "Join", "id": 21, "members": [MARTY]}]
    client = texts(start(seed={"slicktext": {"brands": [brand], "lists": lists}}))
    refused = client.post("/campaigns", json=draft(status="send", audience={"contact_lists": [21]}))
    assert refused.status_code == 409
    assert "upgrade" in refused.json()["error"]
    assert client.post("/campaigns", json=draft()).status_code == 200


def test_deleting_a_list_leaves_a_dangling_audience(campaigns):
    _, client = campaigns
    row = client.post("/campaigns", json=draft(audience={"contact_lists": [21]})).json()
    client.delete("/lists/21")
    after = client.get(f"/campaigns/{row['campaign_id']}").json()
    assert [(one["_contact_list_id"], one["size"]) for one in after["audience"]] == [(21, 0)]


def test_read_only_resources(campaigns):
    _, client = campaigns
    assert rows(client.get("/segments"))[0].keys() == {
        "segment_id", "_brand_id", "name", "description", "created", "last_updated"
    }  # fmt: skip
    assert client.get("/segments/31").json()["name"] == "Fans"
    assert rows(client.get("/custom-fields")) == []
    assert client.post("/segments", json={}).status_code == 405
