"""IntelePeer Engage as the simulator contract in the API notes has it; item numbers are those of the contract."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

ANNA = "+12025550101"
BORIS = "+12025550102"
FULL = {"campaignName": "Spring Calls", "flowId": "flow-1", "callerIdentification": "+12025550199"}
LOGIN = {"username": "sandbox", "password": "sandbox-intelepeer-password"}


def seeded(**more: Any) -> dict[str, Any]:
    return {"intelepeer": more}


def campaign(client: httpx.Client, **fields: str) -> str:
    found: str = client.post("/campaigns", json={**FULL, **fields}).json()["_id"]
    return found


def new_list(client: httpx.Client, name: str = "Engage List") -> str:
    found: str = client.post("/lists", json={"listName": name, "headers": ["firstname", "phone"]}).json()["_id"]
    return found


def act(client: httpx.Client, one: str, **body: Any) -> httpx.Response:
    return client.post(f"/campaigns/{one}/action", json=body)


def refused(answer: httpx.Response, status: int, text: str) -> None:
    assert (answer.status_code, answer.json()) == (status, {"message": text, "status": status})


# Items 1 and 2: tokens and the order of checks


def test_login(sandbox, connect):
    client = connect(sandbox, "/_rest")
    denied = client.post("/v4/authenticate", json={**LOGIN, "password": "wrong"})
    assert (denied.status_code, denied.json()) == (401, {"code": 401, "error": "Unauthorized"})
    assert client.post("/v4/authenticate", content=b"nonsense").status_code == 401
    first, second = (client.post("/v4/authenticate", json=LOGIN).json()["token"] for _ in range(2))
    for header in (first, second, f"Bearer {first}"):
        assert client.get("/v2/lists", headers={"Authorization": header}).status_code == 200
    sandbox.advance(86_401)
    refused(
        client.get("/v2/lists", headers={"Authorization": first}),
        401,
        "Authorization token is invalid",
    )


def test_scheme_switch(sandbox, connect):
    client = connect(sandbox, "/_rest/v2")
    raw, bearer = ({"Authorization": f"{scheme}sandbox-intelepeer-token"} for scheme in ("", "Bearer "))
    for scheme, accepted, denied in (("raw", raw, bearer), ("bearer", bearer, raw)):
        sandbox.turn(intelepeer={"require_scheme": scheme})
        assert client.get("/lists", headers=accepted).status_code == 200
        assert client.get("/lists", headers=denied).status_code == 401


def test_order_of_checks(sandbox, connect, engage):
    assert connect(sandbox, "/_rest/v2").get("/nothing").status_code == 401
    client = engage(sandbox)
    assert client.get("/nothing").status_code == 404
    assert client.put("/lists/x", json={}).status_code == 404
    assert client.patch("/campaigns").status_code == 404
    refused(client.put("/campaigns/x", json={}), 404, "The 'campaign id' parameter is required")
    assert client.get("/campaigns/?name=abcd").status_code == 404
    assert client.get("/lists/").status_code == 200


# Items 3 to 6: campaigns


def test_enumeration_and_its_modes(sandbox, engage):
    client = engage(sandbox)
    assert client.get("/campaigns").json() == []
    one = campaign(client)
    row = client.get("/campaigns").json()[0]
    assert row["_id"] == one
    assert row["lastExecuted"] == ""
    assert "scheduled" in row
    assert row.keys().isdisjoint({"lists", "rate", "plan", "status"})
    sandbox.turn(intelepeer={"e1_shape": "single_object"})
    assert client.get("/campaigns").json() == row
    sandbox.turn(intelepeer={"e1_shape": "wrapped", "delete_flag_as_string": True})
    assert client.get("/campaigns").json() == {"campaigns": [{**row, "deleteFlag": "false"}]}


def test_detail_by_id_and_by_name(sandbox, engage):
    client = engage(sandbox)
    one = campaign(client)
    assert client.get("/campaigns", params={"id": one}).json()["campaignName"] == "Spring Calls"
    assert client.get("/campaigns", params={"name": "ring c"}).json()["_id"] == one
    assert client.get("/campaigns", params={"id": one, "name": "x"}).json()["_id"] == one
    assert client.get("/campaigns", params={"name": "abc"}).status_code == 422
    refused(client.get("/campaigns", params={"name": "Nope"}), 404, "Campaign not found")
    refused(client.get("/campaigns", params={"id": "nope"}), 404, "Campaign not found")
    sandbox.turn(intelepeer={"e2_name_shape": "array"})
    assert len(client.get("/campaigns", params={"name": "Spring"}).json()) == 1


def test_create(sandbox, engage):
    client = engage(sandbox)
    answer = client.post("/campaigns", json={})
    assert answer.status_code == 201
    row = answer.json()
    defaults = {"active": 0, "numAttempts": 1, "retryInterval": 0, "runNow": False, "scheduleId": None, "rate": 1}
    assert {key: row[key] for key in defaults} == defaults
    assert (row["timezone"], row["listRel"], row["lists"], row["customerId"]) == ("", [], [], "1028811")
    assert (row["createdBy"], row["createdDate"]) == ("*", "2026-03-02T12:00:00.000Z")
    assert len(row["_id"]) == 24
    ignored = client.post("/campaigns", json={**FULL, "active": 1, "numAttempts": 7}).json()
    assert (ignored["active"], ignored["numAttempts"]) == (0, 1)
    campaign(client)
    assert sandbox.ledger()["duplicates"][0]["name"] == "Spring Calls"
    assert client.post("/campaigns", content=b"{").status_code == 500
    sandbox.turn(intelepeer={"id_style": "odd"})
    assert len(campaign(client)) == 23


def test_update(sandbox, engage):
    client = engage(sandbox)
    one = campaign(client, campaignDescription="old")
    answer = client.put(f"/campaigns/{one}", json={**FULL, "campaignName": "Summer Calls", "colour": "red"})
    row = answer.json()
    assert (row["campaignId"], row["flowTypeId"], row["customerId"]) == (one, "flow-1", 1028811)
    assert (row["numAttempts"], row["deleteFlag"], row["utcOffset"]) == ("1", "false", "\u221212:00")
    assert row["createdDate"] == "2026-03-02T12:00:00Z"
    live = client.get("/campaigns", params={"id": one}).json()
    assert (live["campaignName"], live["campaignDescription"]) == ("Summer Calls", "old")
    for field in FULL:
        body = {key: value for key, value in FULL.items() if key != field}
        refused(client.put(f"/campaigns/{one}", json=body), 422, f"The '{field}' parameter is required")
    sandbox.turn(intelepeer={"put_description": "clear"})
    assert client.put(f"/campaigns/{one}", json=FULL).json()["campaignDescription"] == ""
    flowless = campaign(client, flowId="")
    assert client.put(f"/campaigns/{flowless}", json=FULL).status_code == 500


# Item 7: actions


def test_actions_are_checked(sandbox, engage):
    client = engage(sandbox)
    one = campaign(client)
    for body in ({}, {"action": ""}, {"action": "stop"}, {"action": ["run"]}):
        refused(client.post(f"/campaigns/{one}/action", json=body), 422, "The 'action' parameter is required")
    refused(act(client, "nope", action="publish"), 404, "The 'campaign id' parameter is incorrect")


def test_publish_and_run(start, engage):
    lists = [{"name": "Engage List", "members": [ANNA, BORIS]}, {"name": "Other List", "members": [ANNA]}]
    sandbox = start(seed=seeded(lists=lists))
    client = engage(sandbox)
    one = campaign(client)
    found = [row["listId"] for row in client.get("/lists").json()["lists"] if row["listName"] != "default_trans_list"]
    assert act(client, one, action="associate", selectedLists=found, moc="phone").json() is True
    refused(act(client, one, action="run"), 500, "Something went wrong when trying to run the campaign")
    assert sandbox.ledger()["messages"] == []
    assert act(client, one, action="publish").json() is True
    assert act(client, one, action="publish").json() is True
    assert client.get("/campaigns", params={"id": one}).json()["active"] == 1
    assert act(client, one, action="run").json() is True
    ledger = sandbox.ledger()
    assert [entry["number"] for entry in ledger["messages"]] == [ANNA, BORIS, ANNA]
    assert ledger["contacted"] == {"intelepeer": [ANNA, BORIS]}
    assert client.get("/campaigns", params={"id": one}).json()["lastExecuted"] == "2026-03-02T12:00:00.000Z"
    assert client.get("/campaigns/errors").json() == []


def test_a_failing_run_ends_among_the_errors(sandbox, engage):
    client = engage(sandbox)
    one, listed = campaign(client), new_list(client)
    act(client, one, action="associate", selectedLists=[listed], moc="phone", autoDetectTZ="true")
    act(client, one, action="publish")
    sandbox.turn(intelepeer={"run_fails": True})
    assert act(client, one, action="run").json() is True
    row = client.get("/campaigns/errors").json()[0]
    assert (row["_id"], row["status"], row["active"], row["plan"]) == (one, "Error", 0, "professional")
    assert row["lists"] == [{"listId": listed, "moc": "phone", "autoDetectTZ": True}]
    assert row["runId"].startswith(f"{one}:")
    assert "campaignDescription" not in row


def test_strict_publish(sandbox, engage):
    client = engage(sandbox)
    sandbox.turn(intelepeer={"strict_publish": True})
    assert act(client, campaign(client), action="publish").status_code == 422


@pytest.mark.parametrize("wanted", [None, [], "x", ["nope"], [5]])
def test_faulty_associations(sandbox, engage, wanted):
    client = engage(sandbox)
    answer = act(client, campaign(client), action="associate", selectedLists=wanted)
    refused(answer, 422, "The 'selectedLists' parameter is required")


def test_association_adds_or_replaces(sandbox, engage):
    client = engage(sandbox)
    one, first, second = campaign(client), new_list(client, "First List"), new_list(client, "Second List")
    act(client, one, action="associate", selectedLists=[first], moc="phone", autoDetectTZ=True)
    act(client, one, action="associate", selectedLists=[second, second])
    assert client.get("/campaigns", params={"id": one}).json()["listRel"] == [first, second]
    detail = client.get("/lists", params={"id": first}).json()
    assert (detail["campaignRel"], detail["headerInfo"]["moc"], detail["autoDetectTZ"]) == ([one], "phone", True)
    sandbox.turn(intelepeer={"associate_semantics": "replace"})
    act(client, one, action="associate", selectedLists=[second])
    assert client.get("/campaigns", params={"id": one}).json()["listRel"] == [second]
    assert client.get("/lists", params={"id": first}).json()["campaignRel"] == []


def test_exposure_to_an_active_campaign_is_booked(start, engage):
    sandbox = start(seed=seeded(lists=[{"name": "Engage List", "members": [ANNA]}]))
    client = engage(sandbox)
    one, listed = campaign(client), sandbox.state()["intelepeer"]["lists"][1]["id"]
    act(client, one, action="publish")
    act(client, one, action="associate", selectedLists=[listed])
    client.put(f"/lists/{listed}/uploadcontacts", json={"contactInfo": [{"phone": BORIS}]})
    exposed = [(entry["reason"], entry["numbers"]) for entry in sandbox.ledger()["exposed"]]
    assert exposed == [("associate", [ANNA]), ("upload", [BORIS])]
    assert sandbox.ledger()["messages"] == []


# Item 8: deletion


def test_deletion_takes_its_time(sandbox, engage):
    client = engage(sandbox)
    one, listed = campaign(client), new_list(client)
    act(client, one, action="associate", selectedLists=[listed])
    for path in (f"/campaigns/{one}", f"/lists/{listed}"):
        for _ in range(2):
            answer = client.delete(path)
            assert (answer.status_code, answer.json()) == (202, True)
    assert client.get("/campaigns").json()[0]["deleteFlag"] is True
    assert client.get("/lists", params={"id": listed}).json()["deleteFlag"] is True
    assert client.put(f"/campaigns/{one}", json=FULL).status_code == 404
    sandbox.advance(2)
    assert client.get("/campaigns").json() == []
    refused(client.get("/lists", params={"id": listed}), 404, "List not found")
    refused(client.delete(f"/campaigns/{one}"), 404, "The 'campaign id' parameter is required")
    refused(client.delete(f"/lists/{listed}"), 404, "The 'list id' parameter is incorrect")


@pytest.mark.parametrize(("delay", "left"), [(0, 0), (None, 1)])
def test_deletion_at_once_or_never(start, engage, delay, left):
    sandbox = start(knobs={"intelepeer": {"delete_delay_s": delay}})
    client = engage(sandbox)
    client.delete(f"/campaigns/{campaign(client)}")
    sandbox.advance(1_000_000)
    assert len(client.get("/campaigns").json()) == left


@pytest.mark.parametrize(("dangling", "left"), [(True, 1), (False, 0)])
def test_dangling_links(start, engage, dangling, left):
    sandbox = start(knobs={"intelepeer": {"dangling_links": dangling, "delete_delay_s": 0}})
    client = engage(sandbox)
    one, listed = campaign(client), new_list(client)
    act(client, one, action="associate", selectedLists=[listed])
    client.delete(f"/lists/{listed}")
    assert len(client.get("/campaigns", params={"id": one}).json()["listRel"]) == left


def test_a_list_in_use_stays(sandbox, engage):
    client = engage(sandbox)
    one, listed = campaign(client), new_list(client)
    act(client, one, action="associate", selectedLists=[listed])
    act(client, one, action="publish")
    refused(client.delete(f"/lists/{listed}"), 500, "Something went wrong when trying to delete the list")
    sandbox.turn(intelepeer={"active_list_delete": "accept_and_ignore"})
    assert client.delete(f"/lists/{listed}").status_code == 202
    sandbox.advance(60)
    assert client.get("/lists", params={"id": listed}).json()["deleteFlag"] is False


# Items 10 and 11: lists and uploads


def test_three_shapes_of_a_list(sandbox, engage):
    client = engage(sandbox)
    body = {"listName": "Engage List", "listDescription": "Clients", "headers": ["firstname", "phone"]}
    answer = client.post("/lists", json=body)
    assert answer.status_code == 201
    created = answer.json()
    assert created["headerInfo"] == {"headers": ["firstname", "phone"], "moc": None}
    assert created["contactRel"] == created["campaignRel"] == []
    default, row = client.get("/lists").json()["lists"]
    assert (default["listName"], len(default["headerInfo"])) == ("default_trans_list", 16)
    assert (row["listId"], row["headerInfo"], row["status"]) == (created["_id"], ["firstname", "phone"], "created")
    detail = client.get("/lists", params={"id": created["_id"]}).json()
    assert "status" not in detail
    assert detail["description"] == "Clients"
    named = client.get("/lists", params={"name": "engage"}).json()
    assert [one["_id"] for one in named] == [created["_id"]]
    assert named[0].keys().isdisjoint({"contactRel", "campaignRel"})
    assert client.get("/lists", params={"name": "abc"}).status_code == 422
    refused(client.get("/lists", params={"name": "Nope"}), 404, "List not found")
    sandbox.turn(intelepeer={"legacy_list_detail": True})
    assert client.get("/lists", params={"id": created["_id"]}).json()["listId"] == created["_id"]


def test_list_create_options(sandbox, engage):
    client = engage(sandbox)
    refused(client.post("/lists", json={"headers": ["phone"]}), 422, "The 'listName' parameter is required")
    sandbox.turn(intelepeer={"ignore_headers": True})
    row = client.post("/lists", json={"listName": "Engage List", "headers": ["phone"]}).json()
    assert (row["headerInfo"]["headers"], row["description"]) == ([], None)
    new_list(client)
    assert sandbox.ledger()["duplicates"][0]["kind"] == "list"


def test_uploads_append(sandbox, engage):
    client = engage(sandbox)
    listed = new_list(client)
    path = f"/lists/{listed}/uploadcontacts"
    first = client.put(
        path, json={"contactInfo": [{"phone": ANNA, "metadata": {"Firstname": "Anna"}}, {"phone": BORIS}]}
    )
    assert first.status_code == 201
    assert len(first.json()["contactRel"]) == 2
    again = client.put(path, json={"contactInfo": [{"phone": ANNA}]}).json()
    assert again["contactRel"][:2] == first.json()["contactRel"]
    assert (len(again["contactRel"]), again["listId"], again["modifiedBY"]) == (3, "", "*")
    assert client.get("/lists").json()["lists"][1]["status"] == "completed"
    assert sandbox.ledger()["duplicates"][0]["name"] == ANNA
    for body in ({}, {"contactInfo": []}, {"contactInfo": [{"metadata": {}}]}):
        assert client.put(path, json=body).status_code == 422
    assert client.put("/lists/nope/uploadcontacts", json={"contactInfo": [{"phone": ANNA}]}).status_code == 422
    assert client.put(path, content=b"{").status_code == 500
    sandbox.turn(intelepeer={"upload_enabled": False})
    assert client.put(path, json={"contactInfo": [{"phone": ANNA}]}).status_code == 404


def test_accounts_are_apart(start, connect):
    accounts = [{"customerId": "1", "tokens": ["one"]}, {"customerId": "2", "tokens": ["two"], "plan": "enterprise"}]
    sandbox = start(seed=seeded(accounts=accounts, lists=[{"name": "Mine", "account": "2"}]))
    counts = [len(connect(sandbox, "/_rest/v2", token).get("/lists").json()["lists"]) for token in ("one", "two")]
    assert counts == [1, 2]
    created = connect(sandbox, "/_rest/v2", "two").post("/campaigns", json=FULL).json()
    assert (created["customerId"], created["plan"]) == ("2", "enterprise")
