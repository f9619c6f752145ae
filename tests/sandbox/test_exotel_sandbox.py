"""Exotel as the simulator contract in the API notes has it; item numbers are those of the contract."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from reconciler.sandbox import Sandbox, SandboxError

ANNA, BORIS, CLARA, DORA = (f"+1202555010{n}" for n in range(1, 5))
KEY = ("sandbox-exotel-key", "sandbox-exotel-token")
SOON, LATER = "2026-03-02T13:00:00+00:00", "2026-03-02T14:00:00+00:00"  # the clock stands at noon
Client = httpx.Client


@pytest.fixture
def exotel() -> Iterator[Callable[..., Client]]:
    """A client below the default account."""
    opened: list[Client] = []

    def connect(sandbox: Sandbox, account: str = "sandbox1", auth: tuple[str, str] | None = KEY) -> Client:
        url = f"{sandbox.url}/v2/accounts/{account}"
        opened.append(httpx.Client(base_url=url, auth=auth, trust_env=False, verify=False, timeout=5))
        return opened[-1]

    yield connect
    for client in opened:
        client.close()


@pytest.fixture
def client(sandbox: Sandbox, exotel: Callable[..., Client]) -> Client:
    return exotel(sandbox)


def seeded(**more: Any) -> dict[str, Any]:
    return {"exotel": more}


def items(answer: httpx.Response) -> list[Any]:
    response = answer.json()["response"]
    return response if isinstance(response, list) else [response]


def data(answer: httpx.Response) -> Any:
    assert answer.status_code in (200, 207), answer.text
    return items(answer)[0]["data"]


def codes(answer: httpx.Response) -> list[int]:
    return [item["code"] for item in items(answer)]


def refused(answer: httpx.Response, status: int, code: int, part: str = "") -> None:
    item = items(answer)[0]
    assert (answer.status_code, answer.json()["http_code"], item["code"]) == (status, status, status)
    assert (item["error_data"]["code"], item["status"], item["data"]) == (code, "failure", None)
    assert part in item["error_data"]["description"]


def new_list(client: Client, name: str = "Join", numbers: tuple[str, ...] = ()) -> str:
    sid: str = data(client.post("/lists", json={"lists": [{"name": name}]}))["sid"]
    if numbers:
        contacts = client.post("/contacts", json={"contacts": [{"number": number} for number in numbers]})
        join(client, sid, *(item["data"]["sid"] for item in items(contacts)))
    return sid


def join(client: Client, sid: str, *contacts: str) -> httpx.Response:
    references = [{"contact_sid": contact} for contact in contacts]
    return client.post(f"/lists/{sid}/contacts", json={"contact_references": references})


def campaign(client: Client, *lists: str, **fields: Any) -> httpx.Response:
    body = {"caller_id": "03349360005", "url": "http://my.exotel.com/sandbox1/exoml/start_voice/1", **fields}
    return client.post("/campaigns", json={"campaigns": [{**({"lists": list(lists)} if lists else {}), **body}]})


def put(client: Client, one: str, **body: Any) -> httpx.Response:
    return client.put(f"/campaigns/{one}", json={"campaigns": [body]})


def status(client: Client, one: str) -> str:
    return str(data(client.get(f"/campaigns/{one}"))["status"])


def called(sandbox: Sandbox) -> list[str]:
    return [entry["number"] for entry in sandbox.ledger()["messages"]]


# Items 1, 2 and 4: who may call, the envelope, requests that fail as a whole


def test_auth(sandbox, exotel):
    for auth in (None, ("sandbox-exotel-key", "wrong"), ("wrong", "sandbox-exotel-token")):
        refused(exotel(sandbox, auth=auth).get("/lists"), 401, 1010, "Authorization failed")
    client = exotel(sandbox)
    for header in ("Basic ???", "Bearer x", "Basic"):
        assert client.get("/lists", auth=None, headers={"Authorization": header}).status_code == 401
    refused(exotel(sandbox, account="sandbox2").get("/lists"), 404, 1000)


def test_envelope(client):
    answer = client.post("/lists", json={"lists": [{"name": "Join"}]}).json()
    assert list(answer) == ["request_id", "method", "http_code", "metadata", "response"]
    assert list(answer["response"][0]) == ["code", "error_data", "status", "data"]
    assert (answer["method"], answer["http_code"]) == ("POST", 207)
    assert len(answer["request_id"]) == 32
    single = client.get(f"/lists/{answer['response'][0]['data']['sid']}").json()
    assert list(single) == ["request_id", "method", "http_code", "response"]
    assert single["request_id"] != answer["request_id"]


@pytest.mark.parametrize("path", ["/nothing", "/contacts/csv-upload/x", "/lists/x/contacts/y"])
def test_unknown_paths_and_methods(client, path):
    refused(client.put(path, json={}), 404, 1000)


def test_requests_that_fail_as_a_whole(sandbox, client):
    sandbox.turn(exotel={"max_bulk": 3})
    sid = new_list(client)
    plain = {"Content-Type": "application/json"}
    for path, wrapper, title in (
        ("/lists", "lists", "Lists"),
        ("/contacts", "contacts", "Contacts"),
        (f"/lists/{sid}/contacts", "contact_references", "ContactReferences"),
        ("/campaigns", "campaigns", "Campaigns"),
    ):
        refused(client.post(path, content=b"{", headers=plain), 400, 1007)
        refused(client.post(path, json=[]), 400, 1007)
        refused(client.post(path, json={wrapper: "x"}), 400, 1007)
        refused(client.post(path, json={wrapper: [1]}), 400, 1007)
        refused(client.post(path, json={wrapper: []}), 400, 1001, f"{title} is mandatory")
        refused(client.post(path, json={"name": "bare"}), 400, 1001, f"{title} is mandatory")
        refused(client.post(path, json={wrapper: [{}] * 4}), 400, 1002)
        refused(client.post(path, content=b"{}", headers={"Content-Type": "text/csv"}), 415, 1011, "text/csv")
    refused(client.post("/lists", json={"lists": [{"name": "One"}, {"name": 2}]}), 400, 1007)
    assert [row["name"] for row in sandbox.state()["exotel"]["lists"]] == ["Join"]


# Items 3, 5 and 6: lists


def test_bulk_create(client):
    answer = client.post("/lists", json={"lists": [{"name": "Join", "tag": "demo"}, {"name": "Join"}, {}]})
    assert answer.status_code == 207
    assert answer.json()["metadata"] == {"failed": 2, "total": 3, "success": 1}
    first, second, third = items(answer)
    assert {key: first["data"][key] for key in ("name", "tag", "contact_count")} == {
        "name": "Join",
        "tag": "demo",
        "contact_count": 0,
    }
    assert first["data"]["date_created"] == "2026-03-02T17:30:00+05:30"
    conflict = {"code": 1008, "message": "Duplicate resource", "description": "list with name Join already exists"}
    assert second == {"code": 409, "error_data": conflict, "status": "failure", "data": None}
    assert (third["code"], third["error_data"]["code"]) == (400, 1001)
    assert third["error_data"]["description"] == "Name is mandatory"
    assert codes(client.post("/lists", json={"lists": [{"name": "join"}]})) == [200]


def test_edit_lists(sandbox, client):
    one, two = new_list(client, "One"), new_list(client, "Two")
    assert data(client.put(f"/lists/{one}", json={"tag": "t"}))["tag"] == "t"
    assert data(client.put(f"/lists/{one}", json={"name": "One", "tag": ""}))["tag"] is None
    refused(client.put(f"/lists/{one}", json={"name": "Two"}), 409, 1008)
    refused(client.put(f"/lists/{one}", json={"lists": [{"name": "wrapped"}]}), 400, 1001)
    refused(client.put("/lists/unknown", json={"name": "x"}), 404, 1000)
    sandbox.turn(exotel={"rename_conflict_http": 200})
    hidden = client.put(f"/lists/{one}", json={"name": "Two"})
    assert (hidden.status_code, codes(hidden)) == (200, [409])
    many = [{"sid": one, "name": "1"}, {"sid": two, "name": "1"}, {"sid": "x", "name": "y"}, {"name": "z"}]
    assert codes(client.put("/lists", json={"lists": many})) == [200, 409, 404, 400]


def test_list_pages(sandbox, client):
    client.post("/lists", json={"lists": [{"name": f"List {n:02}"} for n in range(25)]})
    page = client.get("/lists").json()
    assert page["metadata"] == {"count": 20, "offset": 0, "total": 25, "limit": 20}
    rest = client.get("/lists", params={"offset": 20}).json()
    assert [item["data"]["name"] for item in rest["response"]] == [f"List {n}" for n in range(20, 25)]
    assert client.get("/lists", params={"limit": 9999}).json()["metadata"]["limit"] == 500
    beyond = client.get("/lists", params={"offset": 99}).json()
    assert (beyond["response"], beyond["metadata"]["total"]) == ([], 25)
    found = client.get("/lists", params={"name": "LIST 1", "sort_by": "name:desc", "limit": 2})
    assert [item["data"]["name"] for item in items(found)] == ["List 19", "List 18"]
    assert found.json()["metadata"]["total"] == 10
    for query in ({"offset": "-1"}, {"limit": "x"}, {"limit": "0"}, {"sort_by": "tag:asc"}, {"sort_by": "name"}):
        refused(client.get("/lists", params=query), 400, 1002)
    sandbox.turn(exotel={"over_max": "reject"})
    refused(client.get("/lists", params={"limit": 501}), 400, 1002)


def test_delete_list(sandbox, client):
    sid = new_list(client, numbers=(ANNA,))
    assert data(client.delete(f"/lists/{sid}"))["sid"] == sid
    refused(client.get(f"/lists/{sid}"), 404, 1000)
    refused(client.get(f"/lists/{sid}/contacts"), 404, 1000)
    assert [row["number"] for row in sandbox.state()["exotel"]["contacts"]] == [ANNA]


# Items 7 to 9: members and contacts


def test_members(sandbox, client):
    sid = new_list(client, numbers=(BORIS, ANNA))
    contacts = [item["data"]["sid"] for item in items(client.get(f"/lists/{sid}/contacts"))]
    assert [item["data"]["number"] for item in items(client.get(f"/lists/{sid}/contacts"))] == [BORIS, ANNA]
    again = join(client, sid, contacts[0], "unknown")
    assert (again.status_code, codes(again)) == (207, [409, 404])
    assert [item["data"] and item["data"]["contact_sid"] for item in items(again)] == [contacts[0], None]
    assert items(again)[0]["data"]["list_id"] == sid
    refused(join(client, "unknown", contacts[0]), 404, 1000)
    assert data(client.delete(f"/lists/{sid}/contacts/{contacts[0]}"))["contact_sid"] == contacts[0]
    refused(client.delete(f"/lists/{sid}/contacts/{contacts[0]}"), 404, 1000)
    sandbox.turn(exotel={"static_cap": 1, "existing_member": 200})
    assert codes(join(client, sid, contacts[0], contacts[1])) == [400, 200]


def test_removal_shifts_pages(start, exotel):
    client = exotel(start(seed=seeded(lists=[{"name": "Join", "members": {"count": 6, "first": "+12025550110"}}])))
    sid = data(client.get("/lists"))["sid"]
    first = items(client.get(f"/lists/{sid}/contacts", params={"limit": 3}))
    for item in first:
        client.delete(f"/lists/{sid}/contacts/{item['data']['sid']}")
    assert items(client.get(f"/lists/{sid}/contacts", params={"limit": 3, "offset": 3})) == []


def test_contacts_are_got_or_created(client):
    sent = [
        {"number": ANNA, "first_name": "Anna", "custom": {"k": 1}},
        {"number": "9876543210"},
        {"number": ANNA, "first_name": "Other"},
        {"number": "12-34"},
        {"first_name": "Nobody"},
        {"number": "4915550123456"},
    ]
    answer = client.post("/contacts", json={"contacts": sent})
    assert (answer.status_code, codes(answer)) == (207, [200, 200, 409, 400, 400, 200])
    anna, indian, again, bad, missing, german = items(answer)
    assert (indian["data"]["number"], german["data"]["number"]) == ("+919876543210", "+4915550123456")
    assert again["data"] == anna["data"]
    assert (again["status"], again["error_data"]["code"]) == ("failure", 1008)
    assert (anna["data"]["first_name"], anna["data"]["custom_field"]) == ("Anna", {"k": 1})
    assert (bad["error_data"]["code"], bad["error_data"]["description"]) == (1002, "Invalid number")
    assert missing["error_data"]["code"] == 1001


def test_edit_and_delete_contacts(client):
    sid = new_list(client, numbers=(ANNA, BORIS))
    anna, boris = (item["data"]["sid"] for item in items(client.get(f"/lists/{sid}/contacts")))
    assert data(client.put(f"/contacts/{anna}", json={"first_name": "Anna"}))["first_name"] == "Anna"
    assert data(client.put(f"/contacts/{anna}", json={"tag": "t"}))["first_name"] == "Anna"
    refused(client.put(f"/contacts/{anna}", json={"number": BORIS}), 409, 1008)
    refused(client.put(f"/contacts/{anna}", json={"number": "x"}), 400, 1002)
    many = [{"sid": boris, "number": CLARA}, {"sid": "x", "tag": "t"}, {"tag": "t"}, {"sid": anna, "first_name": ""}]
    assert codes(client.put("/contacts", json={"contacts": many})) == [200, 404, 400, 200]
    assert data(client.get(f"/contacts/{anna}"))["first_name"] is None
    assert codes(client.post("/contacts", json={"contacts": [{"number": BORIS}]})) == [200]
    assert data(client.delete(f"/contacts/{anna}"))["number"] == ANNA
    assert [item["data"]["number"] for item in items(client.get(f"/lists/{sid}/contacts"))] == [CLARA]
    refused(client.get(f"/contacts/{anna}"), 404, 1000)


def test_contact_pages(start, exotel):
    many = {"count": 23, "first": "+12025550110", "first_name": "Gen"}
    client = exotel(
        start(
            seed=seeded(
                lists=[{"name": "Join"}, {"name": "Other", "members": [ANNA]}],
                contacts=[{"generate": {**many, "lists": ["Join"]}}],
            )
        )
    )
    page = client.get("/contacts", params={"limit": 100}).json()
    assert page["metadata"] == {"count": 20, "offset": 0, "total": 24, "limit": 20}
    other = data(client.get("/lists", params={"name": "Other"}))["sid"]
    found = client.get("/contacts", params={"list_sids": other, "filter": "show_list"})
    assert [(item["data"]["number"], item["data"]["lists"]) for item in items(found)] == [
        (ANNA, [{"sid": other, "name": "Other"}])
    ]
    assert client.get("/contacts", params={"name": "gen"}).json()["metadata"]["total"] == 23


# Item 10: uploads


def send_csv(client: Client, content: str, name: str = "Join", **fields: str) -> httpx.Response:
    file = {"file_name": ("contacts.csv", content, "text/csv")}
    return client.post("/contacts/csv-upload", data={"list_name": name, **fields}, files=file)


def test_upload(sandbox, client):
    client.post("/contacts", json={"contacts": [{"number": ANNA, "first_name": "Kept"}]})
    content = f'number,first_name\r\n{ANNA},New\r\n{BORIS},"Bo, ris"\r\n{BORIS},Again\r\nxyz,Bad\r\n'
    summary = data(send_csv(client, content))["summary"]
    assert summary["url"].endswith(f"/v2/accounts/sandbox1/csv-status/{summary['upload_id']}")
    pending = data(client.get(f"/csv-status/{summary['upload_id']}"))
    assert (pending["status"], pending["list_sid"]) == ("in-progress", summary["list_sid"])
    assert items(client.get(f"/lists/{summary['list_sid']}/contacts")) == []
    sandbox.advance(2)
    done = data(client.get(f"/csv-status/{summary['upload_id']}"))
    assert done["status"] == "completed"
    assert done["stats"] == {"duplicate": 1, "total": 4, "success": 2, "failed": 1}
    members = [item["data"] for item in items(client.get(f"/lists/{summary['list_sid']}/contacts"))]
    assert [(row["number"], row["first_name"]) for row in members] == [(ANNA, "Kept"), (BORIS, "Bo, ris")]
    refused(client.get("/csv-status/unknown"), 404, 1000)


@pytest.mark.parametrize("content", ["phone\n+12025550101\n", "number,custom\n+12025550101,x\n", ""])
def test_an_upload_fails_later(sandbox, client, content):
    upload = data(send_csv(client, content))["summary"]["upload_id"]
    sandbox.advance(2)
    assert data(client.get(f"/csv-status/{upload}"))["status"] == "failed"


def test_upload_to_existing_and_dynamic_lists(sandbox, client):
    sid = new_list(client, numbers=(ANNA,))
    sandbox.turn(exotel={"static_cap": 2})
    upload = data(send_csv(client, f"number\n{ANNA}\n{BORIS}\n{CLARA}\n"))["summary"]
    sandbox.advance(2)
    assert upload["list_sid"] == sid
    stats = data(client.get(f"/csv-status/{upload['upload_id']}"))["stats"]
    assert stats == {"duplicate": 1, "total": 3, "success": 1, "failed": 1}
    data(send_csv(client, f"number,plan\n{DORA},gold\n", "Dynamic", type="dynamic"))
    sandbox.advance(2)
    assert sandbox.state()["exotel"]["contacts"][-1]["custom_field"] == {"plan": "gold"}


def test_bad_uploads(client):
    refused(client.post("/contacts/csv-upload", json={"list_name": "Join"}), 415, 1011)
    file = {"file_name": ("x.csv", "number\n", "text/csv")}
    refused(client.post("/contacts/csv-upload", files=file), 400, 1001, "ListName")
    refused(client.post("/contacts/csv-upload", files={"list_name": (None, "Join")}), 400, 1001, "FileName")
    refused(send_csv(client, "number\n", type="odd"), 400, 1002)


# Items 11 and 12: campaigns and their clock


def test_a_scheduled_campaign_runs(sandbox, client):
    sid = new_list(client, numbers=(ANNA, BORIS))
    answer = campaign(client, sid, name="Spring", schedule={"send_at": SOON, "end_at": LATER})
    assert (answer.status_code, len(items(answer)), items(answer)[0]["code"]) == (200, 1, 200)
    one = data(answer)
    assert (one["status"], one["lists"], one["stats"]["created"]) == ("Created", [sid], 2)
    assert items(answer)[0]["summary"]["campaign_sid"] == one["id"]
    refused(client.get(f"/campaigns/{one['id']}/call-details"), 404, 1000)
    assert called(sandbox) == []
    sandbox.advance(3600)
    assert status(client, one["id"]) == "InProgress"
    assert called(sandbox) == [ANNA, BORIS]
    sandbox.advance(30)
    assert status(client, one["id"]) == "Completed"
    details = items(client.get(f"/campaigns/{one['id']}/call-details"))
    assert [(row["number"], row["status"]) for row in details] == [(ANNA, "completed"), (BORIS, "completed")]
    assert called(sandbox) == [ANNA, BORIS]


def test_without_send_at_it_dials_at_once(sandbox, client):
    one = data(campaign(client, **{"from": ["9876543210", ANNA, ANNA]}))
    assert one["status"] == "InProgress"
    assert one["name"].startswith("sandbox1 2026-03-02")
    assert called(sandbox) == ["+919876543210", ANNA]


@pytest.mark.parametrize(
    ("fields", "status_code", "code", "part"),
    [
        ({"caller_id": None}, 400, 1001, "CallerId"),
        ({"name": "abc"}, 400, 1002, "name"),
        ({"lists": []}, 400, 1001, "Lists"),
        ({"from": [ANNA]}, 400, 1002, "exactly one"),
        ({"lists": [], "from": [ANNA, "12ab", "x"]}, 400, 1002, "12ab"),
        ({"lists": ["unknown"]}, 404, 1000, "unknown"),
        ({"lists": ["1", "2", "3", "4", "5", "6"]}, 400, 1002, "lists"),
        ({"lists": ["1", "2"], "campaign_type": "dynamic"}, 400, 1002, "lists"),
        ({"campaign_type": "odd"}, 400, 1002, "campaign_type"),
        ({"type": "promo"}, 400, 1002, "type"),
        ({"url": None}, 400, 1001, "Url"),
        ({"mode": "custom"}, 400, 1002, "throttle"),
        ({"retries": {"number_of_retries": 4, "interval_mins": 1}}, 400, 1002, "number_of_retries"),
        ({"retries": {"number_of_retries": 1}}, 400, 1001, "IntervalMins"),
        ({"retries": {"on_status": ["sad"]}}, 400, 1002, "on_status"),
        ({"retries": {"mechanism": "linear"}}, 400, 1002, "mechanism"),
        ({"schedule": {"send_at": "2026-03-02T11:00:00+00:00"}}, 400, 1002, "future"),
        ({"schedule": {"send_at": "2026-03-02T13:00:00"}}, 400, 1002, "RFC 3339"),
        ({"schedule": {"send_at": LATER, "end_at": SOON}}, 400, 1002, "end_at"),
        ({"caller_id": 5}, 400, 1007, "caller_id"),
    ],
)
def test_campaigns_that_are_refused(sandbox, client, fields, status_code, code, part):
    sid = new_list(client)
    refused(campaign(client, **{"lists": [sid], **fields}), status_code, code, part)
    assert sandbox.state()["exotel"]["campaigns"] == []


def test_campaign_limits_of_the_account(sandbox, client):
    sid = new_list(client)
    sandbox.turn(exotel={"list_propagation_s": 3, "min_lead_s": 600})
    refused(campaign(client, sid), 404, 1000)
    sandbox.advance(3)
    refused(campaign(client, sid, schedule={"send_at": "2026-03-02T12:05:00+00:00"}), 400, 1002)
    sandbox.turn(exotel={"out_of_credit": True})
    assert campaign(client, sid).status_code == 402


def test_actions(sandbox, client):
    one = data(campaign(client, new_list(client, numbers=(ANNA,)), schedule={"send_at": SOON, "end_at": LATER}))["id"]
    for action in ("resume", "complete", "archive", "odd"):
        refused(put(client, one, action=action), 400, 1002)
    assert data(put(client, one, action="pause"))["status"] == "Paused"
    sandbox.advance(3601)
    assert (status(client, one), called(sandbox)) == ("Paused", [])
    assert data(put(client, one, action="resume"))["status"] == "InProgress"
    assert called(sandbox) == [ANNA]
    put(client, one, action="pause")
    assert data(put(client, one, action="complete"))["status"] == "Completed"
    refused(put(client, one, action="pause"), 400, 1002)
    assert data(put(client, one, action="archive"))["status"] == "Archived"
    assert called(sandbox) == [ANNA]


def test_paused_past_the_end_is_canceled(sandbox, client):
    one = data(campaign(client, new_list(client), schedule={"send_at": SOON, "end_at": LATER}))["id"]
    put(client, one, action="pause")
    sandbox.advance(7200)
    assert status(client, one) == "Canceled"


def test_edits_until_the_start(sandbox, client):
    first, second = new_list(client, "First", (ANNA,)), new_list(client, "Second", (BORIS,))
    one = data(campaign(client, first, name="Spring", schedule={"send_at": SOON}))["id"]
    edited = data(put(client, one, lists=[second], name="Summer"))
    assert (edited["lists"], edited["name"], edited["schedule"]) == ([second], "Summer", {"send_at": SOON})
    refused(put(client, one, lists=[]), 400, 1001)
    refused(client.put(f"/campaigns/{one}", json={"name": "bare"}), 400, 1001, "Campaigns is mandatory")
    sandbox.advance(3600)
    refused(put(client, one, name="Late name"), 400, 1002)
    assert data(put(client, one, status_callback="http://x"))["status_callback"] == "http://x"
    assert called(sandbox) == [BORIS]


def test_lists_count_as_they_are_at_the_start(sandbox, client):
    sid = new_list(client, numbers=(ANNA,))
    one = data(campaign(client, sid, schedule={"send_at": SOON}))["id"]
    sandbox.tamper("exotel", "add_members", list=sid, numbers=[BORIS])
    sandbox.advance(3600)
    new_list(client, "Other", (CLARA,))
    contact = data(client.post("/contacts", json={"contacts": [{"number": DORA}]}))["sid"]
    join(client, sid, contact)
    sandbox.advance(10)
    assert called(sandbox) == [ANNA, BORIS]
    exposed = sandbox.ledger()["exposed"]
    assert [(entry["reason"], entry["numbers"]) for entry in exposed] == [
        ("campaign create", [ANNA]),
        ("members", [DORA]),
    ]
    assert exposed[1]["campaigns"] == [one]
    assert exposed[1]["begun"] == [one]  # whoever joins now is not called by what was approved before


def test_retries(start, exotel):
    sandbox = start(seed=seeded(outcomes={ANNA: ["busy", "no-answer", "completed"], BORIS: "failed-dnd"}))
    client = exotel(sandbox)
    retries = {
        "number_of_retries": 3,
        "interval_mins": 10,
        "mechanism": "Exponential",
        "on_status": ["busy", "no-answer"],
    }
    one = data(campaign(client, new_list(client, numbers=(ANNA, BORIS)), retries=retries))["id"]
    noon = sandbox.state()["clock"]["now"]
    sandbox.advance(3600)
    entries = sandbox.ledger()["messages"]
    assert [(entry["number"], round(entry["time"] - noon), entry["attempt"]) for entry in entries] == [
        (ANNA, 0, 1),
        (ANNA, 600, 2),
        (ANNA, 1800, 3),
    ]
    found = data(client.get(f"/campaigns/{one}"))
    assert (found["status"], found["stats"]["completed"], found["stats"]["failed-dnd"]) == ("Completed", 1, 1)


def test_pace_and_closing_window(sandbox, client):
    sid = new_list(client, numbers=(ANNA, BORIS, CLARA))
    window = {"send_at": SOON, "end_at": "2026-03-02T13:01:30+00:00"}
    one = data(campaign(client, sid, schedule=window, mode="custom", throttle=1))["id"]
    sandbox.advance(3600 + 61)
    assert called(sandbox) == [ANNA, BORIS]
    sandbox.advance(3600)
    found = data(client.get(f"/campaigns/{one}"))
    assert (found["status"], found["stats"]["failed"], called(sandbox)) == ("Completed", 1, [ANNA, BORIS])


# Item 13: listing and deleting campaigns


def test_delete_campaign(sandbox, client):
    sid = new_list(client, numbers=(ANNA,))
    one = data(campaign(client, sid, name="Spring", schedule={"send_at": SOON}))["id"]
    refused(client.delete(f"/lists/{sid}"), 400, 1002, one)
    assert data(client.delete(f"/campaigns/{one}"))["status"] == "Deleted"
    assert status(client, one) == "Deleted"
    assert items(client.get("/campaigns")) == []
    assert [item["data"]["id"] for item in items(client.get("/campaigns", params={"status": "deleted"}))] == [one]
    refused(client.delete(f"/campaigns/{one}"), 404, 1000)
    refused(put(client, one, name="Again"), 404, 1000)
    sandbox.turn(exotel={"deleted_campaign": "missing"})
    refused(client.get(f"/campaigns/{one}"), 404, 1000)
    started = data(campaign(client, sid))["id"]
    refused(client.delete(f"/campaigns/{started}"), 400, 1002)
    sandbox.advance(60)
    assert called(sandbox) == [ANNA]
    assert client.delete(f"/lists/{sid}").status_code == 200


def test_campaign_listing(sandbox, client):
    sid = new_list(client)
    for name in ("Alpha", "Beta", "Alpha"):
        campaign(client, sid, name=name, schedule={"send_at": SOON})
    assert [entry["name"] for entry in sandbox.ledger()["duplicates"]] == ["Alpha"]
    found = client.get("/campaigns", params={"sort_by": "name:desc", "name": "A", "limit": 2})
    assert [item["data"]["name"] for item in items(found)] == ["Beta", "Alpha"]
    assert found.json()["metadata"] == {"count": 2, "offset": 0, "total": 3, "limit": 2}
    for wanted, count in (("created", 3), ("InProgress,created", 3), ("in-progress, paused", 0)):
        assert client.get("/campaigns", params={"status": wanted}).json()["metadata"]["total"] == count


# Items 14 to 16: limits, faults, shapes


def test_rate_limit(sandbox, client):
    sandbox.turn(exotel={"rate_limited": True, "reads_per_minute": 2, "writes_per_minute": 1})
    assert client.get("/lists").headers["x-ratelimit-remaining"] == "1"
    client.get("/lists")
    limited = client.get("/lists")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "30")
    text = "Rate limit exceeded. Try again in 30 seconds."
    assert limited.json() == {"RestException": {"Status": 429, "Message": text, "Code": "RATE_LIMIT_EXCEEDED"}}
    assert client.post("/lists", json={"lists": [{"name": "Join"}]}).status_code == 207
    sandbox.advance(61)
    assert client.get("/lists").status_code == 200


def test_faults(sandbox, client):
    rule = {"provider": "exotel", "method": "POST", "path": "*/lists"}
    sandbox.set_faults([{**rule, "times": 1, "fault": {"kind": "error_before", "status": 503}}])
    refused(client.post("/lists", json={"lists": [{"name": "Join"}]}), 503, 1100)
    sandbox.set_faults([{**rule, "fault": {"kind": "drop_after"}}])
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.post("/lists", json={"lists": [{"name": "Join"}]})
    sandbox.set_faults([{**rule, "fault": {"kind": "partial_bulk", "apply": 1, "status": 207}}])
    assert codes(client.post("/lists", json={"lists": [{"name": "A"}, {"name": "B"}]})) == [200, 500]
    sandbox.set_faults([{**rule, "fault": {"kind": "partial_bulk", "apply": 1, "status": 500}}])
    assert client.post("/lists", json={"lists": [{"name": "C"}, {"name": "D"}]}).status_code == 500
    sandbox.set_faults([{**rule, "fault": {"kind": "delayed_visibility", "ms": 5000}}])
    assert codes(client.post("/lists", json={"lists": [{"name": "E"}]})) == [200]
    assert [item["data"]["name"] for item in items(client.get("/lists"))] == ["Join", "A", "C"]
    sandbox.advance(5)
    assert [item["data"]["name"] for item in items(client.get("/lists"))] == ["Join", "A", "C", "E"]
    sandbox.set_faults([])
    sandbox.turn(exotel={"fail_bulk_item": 2})
    assert codes(client.post("/lists", json={"lists": [{"name": "F"}, {"name": "G"}, {"name": "H"}]})) == [
        200,
        500,
        200,
    ]


@pytest.mark.parametrize(("kind", "seen"), [("skipped_row", "013"), ("duplicated_row", "01123")])
def test_rows_slip_between_pages(sandbox, client, kind, seen):
    client.post("/lists", json={"lists": [{"name": str(n)} for n in range(4)]})
    sandbox.set_faults([{"provider": "exotel", "path": "*/lists", "nth": 2, "fault": {"kind": kind}}])
    found: list[str] = []
    for offset in itertools.count(0, 2):
        page = [item["data"]["name"] for item in items(client.get("/lists", params={"limit": 2, "offset": offset}))]
        if not page:
            break
        found += page
    assert "".join(found) == seen


def test_members_can_lag(sandbox, client):
    sid = new_list(client)
    contact = data(client.post("/contacts", json={"contacts": [{"number": ANNA}]}))["sid"]
    sandbox.turn(exotel={"read_lag_ms": 4000})
    join(client, sid, contact)
    assert items(client.get(f"/lists/{sid}/contacts")) == []
    assert codes(join(client, sid, contact)) == [409]
    sandbox.advance(4)
    assert len(items(client.get(f"/lists/{sid}/contacts"))) == 1


def test_shapes(sandbox, client):
    sid = new_list(client, numbers=(ANNA,))
    one = data(campaign(client, sid, caller_id="+913349360005", schedule={"send_at": SOON}))["id"]
    sandbox.turn(
        exotel={
            "single_shape": "array",
            "metadata": False,
            "flat_rows": True,
            "contact_key": "contact_sid",
            "counts": "texts",
            "status_style": "kebab",
            "campaign_lists": "objects",
            "caller_id_echo": "local",
            "bulk_http": 200,
            "list_key": "list_sid",
            "error_shape": "array",
            "list_type": True,
        }
    )
    single = client.get(f"/lists/{sid}").json()["response"]
    assert (single[0]["data"]["contact_count"], single[0]["data"]["type"]) == ("1", "static")
    page = client.get(f"/lists/{sid}/contacts").json()
    assert "metadata" not in page
    assert (page["response"][0]["number"], "sid" in page["response"][0]) == (ANNA, False)
    again = join(client, sid, page["response"][0]["contact_sid"])
    assert (again.status_code, items(again)[0]["data"]["list_sid"]) == (200, sid)
    shown = data(client.get(f"/campaigns/{one}"))
    assert (shown["status"], shown["caller_id"]) == ("created", "03349360005")
    assert shown["lists"] == [{"sid": sid, "name": "Join"}]
    assert isinstance(client.get("/lists/x").json()["response"], list)
    sandbox.turn(exotel={"error_shape": "error", "campaign_lists": "hidden"})
    assert client.get("/lists/x").json()["response"] == {"error": {"code": 1000, "message": "List not found"}}
    assert "lists" not in data(client.get(f"/campaigns/{one}"))
    sandbox.turn(exotel={"error_shape": "rest_exception"})
    assert client.get("/lists/x").json()["RestException"]["Status"] == 404


def test_upload_shapes(sandbox, client):
    sandbox.turn(exotel={"csv_reply": "array", "csv_http": 202, "stats_names": "counts"})
    answer = send_csv(client, f"number\n{ANNA}\n")
    assert (answer.status_code, items(answer)[0]["data"]["status"]) == (202, "processing")
    sandbox.advance(2)
    done = data(client.get(f"/csv-status/{items(answer)[0]['data']['upload_id']}"))
    assert (done["total_records"], done["success_count"], "stats" in done) == (1, 1, False)


# Seeds, dumps, tampering


def test_seed_and_dump(start, exotel):
    section = {
        "lists": [{"name": "Join", "tag": "t", "members": [ANNA]}, {"name": "Dyn", "type": "dynamic"}],
        "contacts": [{"number": BORIS, "first_name": "Boris", "lists": ["Join"]}],
        "campaigns": [
            {"name": "Soon", "lists": ["Join"], "schedule": {"send_at": SOON}},
            {"name": "Running", "lists": ["Join"], "status": "in-progress"},
        ],
    }
    sandbox = start(seed={"clock": {"now": "2026-03-02T12:00:00", "freeze": True}, "exotel": section})
    client = exotel(sandbox)
    send_csv(client, f"number\n{CLARA}\n")
    sandbox.advance(1800)
    assert called(sandbox) == []
    whole = sandbox.state()
    other = start()
    other.call(lambda: other.world.replace(whole))
    assert other.state()["exotel"] == whole["exotel"]
    other.advance(1800)
    assert sorted(called(other)) == [ANNA, BORIS, CLARA]
    assert [row["status"] for row in other.state()["exotel"]["campaigns"]] == ["in-progress", "in-progress"]


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ({"lists": [{"name": "A"}, {"name": "A"}]}, "there already"),
        ({"lists": [{"name": "A", "members": ["x"]}]}, "no number"),
        ({"campaigns": [{"status": "odd"}]}, "status"),
        ({"campaigns": [{"lists": ["Nobody"]}]}, "unknown"),
        ({"campaigns": [{"schedule": {"send_at": "soon"}}]}, "send_at"),
        ({"contacts": [{"number": ANNA, "account": "x"}]}, "no account"),
        ({"outcomes": {ANNA: []}}, "outcome"),
    ],
)
def test_bad_seeds(section, text):
    with pytest.raises(SandboxError, match=text):
        Sandbox(seed=seeded(**section))


def test_tampering(sandbox, client):
    def tamper(op: str, **arguments: Any) -> Any:
        return sandbox.tamper("exotel", op, **arguments)

    sid = tamper("create_list", name="Join", members=[ANNA, BORIS])
    tamper("edit_list", list="Join", set={"tag": "edited"})
    assert data(client.get(f"/lists/{sid}"))["tag"] == "edited"
    tamper("remove_members", list="Join", numbers=[ANNA])
    tamper("create_contact", number=CLARA)
    tamper("edit_contact", contact=CLARA, set={"first_name": "Clara"})
    twin = tamper("duplicate_contact", contact=CLARA)
    numbers = [item["data"]["number"] for item in items(client.get("/contacts"))]
    assert numbers.count(CLARA) == 2
    tamper("delete_contact", contact=twin)
    one = tamper("create_campaign", name="Portal", lists=["Join"], schedule={"send_at": SOON})
    tamper("edit_campaign", campaign="Portal", set={"caller_id": "0999"})
    assert data(client.get(f"/campaigns/{one}"))["caller_id"] == "0999"
    tamper("set_campaign_status", campaign=one, status="in-progress")
    assert called(sandbox) == [BORIS]
    tamper("delete_campaign", campaign=one, purge=True)
    refused(client.get(f"/campaigns/{one}"), 404, 1000)
    tamper("delete_list", list="Join")
    assert items(client.get("/lists")) == []
    tamper("edit_account", set={"api_key": "new"})
    assert client.get("/lists").status_code == 401
    with pytest.raises(SandboxError, match="unknown operation"):
        tamper("explode")
    with pytest.raises(SandboxError, match="list is missing"):
        tamper("delete_list")


def test_accounts_are_apart(start, exotel):
    accounts = [{"sid": one, "api_key": f"key-{one}", "api_token": "t"} for one in ("a1", "b2")]
    sandbox = start(seed=seeded(accounts=accounts, lists=[{"name": "Join", "account": "b2"}]))
    assert items(exotel(sandbox, "a1", ("key-a1", "t")).get("/lists")) == []
    assert len(items(exotel(sandbox, "b2", ("key-b2", "t")).get("/lists"))) == 1
    refused(exotel(sandbox, "b2", ("key-a1", "t")).get("/lists"), 404, 1000)
    sandbox.tamper("exotel", "switch_account", account="a1", to="b2")
    assert len(items(exotel(sandbox, "b2", ("key-a1", "t")).get("/lists"))) == 1


def test_a_create_that_is_delivered_twice(sandbox, client):
    sid = new_list(client, numbers=(ANNA,))
    rule = {"provider": "exotel", "method": "POST", "path": "*/campaigns", "times": 1}
    sandbox.set_faults([{**rule, "fault": {"kind": "double_effect"}}])
    campaign(client, sid, name="Twice")
    (duplicate,) = sandbox.ledger()["duplicates"]
    assert (duplicate["kind"], duplicate["name"], len(duplicate["ids"])) == ("campaign", "Twice", 2)
    assert called(sandbox) == [ANNA, ANNA]


def test_a_create_that_lands_late(sandbox, client):
    rule = {"provider": "exotel", "method": "POST", "path": "*/lists", "times": 1}
    sandbox.set_faults([{**rule, "fault": {"kind": "late_landing", "ms": 5000, "status": 504}}])
    assert client.post("/lists", json={"lists": [{"name": "Join"}]}).status_code == 504
    assert items(client.get("/lists")) == []
    sandbox.advance(5)
    assert [item["data"]["name"] for item in items(client.get("/lists"))] == ["Join"]


def test_somebody_else_is_faster(sandbox, client):
    operation = {"op": "create_list", "name": "Join"}
    sandbox.set_faults([{"method": "POST", "path": "*/lists", "fault": {"kind": "tamper", "operation": operation}}])
    assert codes(client.post("/lists", json={"lists": [{"name": "Join"}]})) == [409]
