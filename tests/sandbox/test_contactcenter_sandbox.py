"""The contact centre as the simulator contract in the API notes has it; item numbers are those of the contract."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from reconciler.sandbox import Sandbox, SandboxError

ANNA, BORIS, CLARA = (f"+1202555010{n}" for n in range(1, 4))
ACCOUNT = "0123456789abcdef0123456789abcdef"
LOGIN = {"username": "sandbox", "password": "sandbox-contactcenter-password", "domain": "sandbox"}
INVALID = "The information sent is invalid.\n"
STATUS = "/api/v2/reports/campaigns/leads/status"
HISTORY = "/api/v2/reports/campaigns/leads/history"
QUEUES = "/callcenter/queues/status"
CAMPAIGNS = "/api/v2/config/campaigns"
EVER = {"startDate": "0", "endDate": "9999999999"}
Client = httpx.Client


def token(client: Client) -> str:
    found: str = client.post("/api/v2/login", json=LOGIN).json()["access_token"]
    return found


@pytest.fixture
def center() -> Iterator[Callable[..., Client]]:
    """A client that is logged in."""
    opened: list[Client] = []

    def connect(sandbox: Sandbox, *, anonymous: bool = False) -> Client:
        client = httpx.Client(base_url=sandbox.url, trust_env=False, verify=False, timeout=5)
        opened.append(client)
        if not anonymous:
            client.headers.update({"Authorization": f"Bearer {token(client)}", "X-Account-ID": ACCOUNT})
        return client

    yield connect
    for client in opened:
        client.close()


@pytest.fixture
def world(start) -> Sandbox:
    """A stopped and a running campaign, ids ``c1`` and ``c2``, without leads."""
    campaigns = [{"id": "c1", "name": "Stopped"}, {"id": "c2", "name": "Running", "status": "running"}]
    return start(seed=seeded(campaigns=campaigns, queues=[{"name": "Q", "agents": [{"name": "Agent One"}]}]))


@pytest.fixture
def client(world: Sandbox, center: Callable[..., Client]) -> Client:
    return center(world)


def seeded(**more: Any) -> dict[str, Any]:
    return {"contactcenter": more}


def add(client: Client, number: str = ANNA, campaign: str = "c1", **fields: Any) -> httpx.Response:
    return client.put(f"{CAMPAIGNS}/{campaign}/lead", json={"number": number, **fields})


def leads(client: Client, campaign: str = "c1", **query: Any) -> list[Any]:
    found: list[Any] = client.get(f"{CAMPAIGNS}/{campaign}/leads", params=query).json()["data"]
    return found


def refused(answer: httpx.Response, status: int, text: str = INVALID) -> None:
    assert (answer.status_code, answer.text) == (status, text)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def long_token(sandbox: Sandbox, client: Client) -> str:
    """One that outlives the test, however far that moves the clock."""
    sandbox.turn(contactcenter={"token_ttl_s": 1e6})
    return token(client)


def called(sandbox: Sandbox) -> list[str]:
    return [entry["number"] for entry in sandbox.ledger()["messages"]]


# Transport and items 1 to 4: routes, tokens, errors


def test_unknown_paths_and_methods(client):
    for path in ("/api/v2/callcenter/queues/status", "/api/v2/login/refresh", "/callcenter/x", f"{CAMPAIGNS}/leads/"):
        refused(client.get(path), 404, "404 page not found\n")
    for method, path in (("GET", "/api/v2/login"), ("POST", STATUS), ("PUT", f"{CAMPAIGNS}/leads/x")):
        answer = client.request(method, path)
        assert (answer.status_code, answer.content) == (405, b"")


def test_login(world, center):
    client = center(world, anonymous=True)
    answer = client.post("/api/v2/login", json=LOGIN)
    assert answer.status_code == 200
    assert list(answer.json()) == ["user", "access_token", "refresh_token"]
    head, body, _ = answer.json()["access_token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(f"{body}=="))
    assert json.loads(base64.urlsafe_b64decode(f"{head}=="))["alg"] == "HS256"
    assert (claims["identity"], claims["type"]) == (f"{ACCOUNT}:sandbox", "access")
    assert claims["exp"] == int(world.state()["clock"]["now"]) + 3600
    for key in LOGIN:
        refused(client.post("/api/v2/login", json={**LOGIN, key: "wrong"}), 401)
        refused(client.post("/api/v2/login", json={**LOGIN, key: ""}), 400)
        refused(client.post("/api/v2/login", json={**LOGIN, key: 5}), 400)
    refused(client.post("/api/v2/login", content=b"{"), 400)
    assert "password" not in json.dumps([one["body"] for one in world.requests()]).replace('"password": "***"', "")


def test_token_and_account_headers(world, center):
    client = center(world, anonymous=True)
    pair = client.post("/api/v2/login", json=LOGIN).json()
    good, account = f"Bearer {pair['access_token']}", {"X-Account-ID": ACCOUNT}
    assert client.get(STATUS, headers={**account, "Authorization": good}).status_code == 200
    bad = (
        None,
        pair["access_token"],
        f'Bearer "{pair["access_token"]}"',
        f"Bearer {pair['refresh_token']}",
        "Bearer x",
    )
    for value in bad:
        headers = account if value is None else {**account, "Authorization": value}
        refused(client.get(STATUS, headers=headers), 401, "Authentication token is invalid")
    refused(client.get(STATUS, headers={"Authorization": good}), 400)
    refused(client.get(STATUS, headers={"Authorization": good, "X-Account-ID": "f" * 32}), 400)


def test_tokens_expire(world, client):
    world.advance(3599)
    assert client.get(STATUS).status_code == 200
    world.advance(1)
    refused(client.get(STATUS), 401, "Authentication token is invalid")
    for kill in (lambda: world.tamper("contactcenter", "expire_tokens"), None):
        client.headers["Authorization"] = f"Bearer {token(client)}"
        assert client.get(STATUS).status_code == 200
        if kill is None:
            world.set_faults([{"path": STATUS, "times": 1, "fault": "expired_token"}])
        else:
            kill()
        assert client.get(STATUS).status_code == 401
        assert client.get(STATUS).status_code == 401


def test_documented_profile(world, client):
    world.turn(contactcenter={"profile": "documented"})
    refused(client.post("/api/v2/login", json={**LOGIN, "password": "wrong"}), 400)
    refused(client.get(STATUS, headers={"Authorization": "Bearer x"}), 400)
    world.set_faults([{"path": STATUS, "times": 1, "fault": "expired_token"}])
    refused(client.get(STATUS), 400)


@pytest.mark.parametrize(("shape", "body"), [("json", b'{"error":"The information sent is invalid."}'), ("empty", b"")])
def test_error_bodies(world, client, shape, body):
    world.turn(contactcenter={"error_body": shape})
    answer = client.get(f"{CAMPAIGNS}/unknown/leads")
    assert (answer.status_code, answer.content) == (400, body)


# Item 5: the campaign report


def test_default_world(sandbox, center):
    found = center(sandbox).get(STATUS).json()
    assert {one["name"]: (one["status"], one["leads_by_status"]) for one in found.values()} == {
        "Renewals": ("stopped", {"new": 2, "success": 1}),
        "Welcome calls": ("running", {"success": 1, "failed": 1}),
    }
    assert all(len(one) == 32 for one in found)
    sandbox.advance(86_400)
    assert called(sandbox) == []


def test_report(world, client):
    add(client)
    empty = {"name": "Running", "status": "running", "total_leads": 0, "leads_by_status": {}}
    full = {"name": "Stopped", "status": "stopped", "total_leads": 1, "leads_by_status": {"new": 1}}
    assert client.get(STATUS).json() == {"c1": full, "c2": empty}
    world.turn(contactcenter={"hide_empty_campaigns": True, "dup_status_key": True})
    add(client, BORIS)
    answer = client.get(STATUS)
    assert (list(answer.json()), '"leads_by_status":{"success":0,"new":2}' in answer.text) == (["c1"], True)
    world.set_faults([{"path": STATUS, "fault": "empty_collection"}])
    for shape, body in (("object", b"{}"), ("array", b"[]"), ("null", b"null")):
        world.turn(contactcenter={"empty_report": shape})
        assert client.get(STATUS).content == body


# Item 6: leads


def test_leads_and_their_fields(world, client):
    add(client, retries=3, first_name="Anna", priority=4, note="n", ticket_id="T-1", cool_off=60, type="x")
    (row,) = leads(client)
    assert row == {
        "created": int(world.state()["clock"]["now"]),
        "campaign_id": "c1",
        "number": ANNA,
        "status": "new",
        "retries": 3,
        "first_name": "Anna",
        "last_name": "",
        "priority": 4,
        "id": row["id"],
    }
    assert len(row["id"]) == 32
    world.turn(contactcenter={"echo_write_only": True})
    assert leads(client)[0].items() >= {"note": "n", "ticket_id": "T-1", "cool_off": 60, "type": "x"}.items()


def everything(client: Client, size: int) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        query = {"page_size": size} if cursor is None else {"page_size": size, "next_start_key": cursor}
        body = client.get(f"{CAMPAIGNS}/c1/leads", params=query).json()
        pages.append([row["number"][-2:] for row in body["data"]])
        cursor = body.get("next_start_key")
        if not cursor:
            return pages


def test_lead_pages(world, client):
    world.tamper("contactcenter", "add_leads", campaign="c1", leads={"count": 5, "first": "+12025550110"})
    assert everything(client, 2) == [["10", "11"], ["12", "13"], ["14"]]
    ids = [row["id"] for row in leads(client)]
    assert ids == sorted(ids)
    first = client.get(f"{CAMPAIGNS}/c1/leads", params={"page_size": 2}).json()
    assert first["next_start_key"] == ids[2]
    client.delete(f"{CAMPAIGNS}/leads/{ids[2]}")
    assert [row["id"] for row in leads(client, page_size=2, next_start_key=ids[2])] == ids[3:]
    world.turn(contactcenter={"max_page": 1})
    assert everything(client, 1000) == [["10"], ["11"], ["13"], ["14"]]
    for size in ("0", "-1", "x"):
        refused(client.get(f"{CAMPAIGNS}/c1/leads", params={"page_size": size}), 400)


@pytest.mark.parametrize(
    ("knob", "tail"), [("absent", {}), ("null", {"next_start_key": None}), ("empty", {"next_start_key": ""})]
)
def test_the_last_cursor(world, client, knob, tail):
    world.turn(contactcenter={"last_cursor": knob})
    assert client.get(f"{CAMPAIGNS}/c1/leads").json() == {"data": [], **tail}


def test_odd_lead_pages(world, client):
    world.tamper("contactcenter", "add_leads", campaign="c1", leads={"count": 3, "first": "+12025550110"})
    world.turn(contactcenter={"empty_page_with_cursor": True})
    assert everything(client, 9) == [[], ["10", "11", "12"]]
    assert everything(client, 2) == [[], ["10", "11"], [], ["12"]]
    assert everything(client, 1) == [[], ["10"], [], ["11"], [], ["12"]]
    assert client.get(f"{CAMPAIGNS}/c2/leads").json() == {"data": []}
    world.turn(contactcenter={"empty_page_with_cursor": False, "cursor_repeats": True})
    body = client.get(f"{CAMPAIGNS}/c1/leads", params={"page_size": 2}).json()
    again = {"page_size": 2, "next_start_key": body["next_start_key"]}
    assert client.get(f"{CAMPAIGNS}/c1/leads", params=again).json() == body
    world.turn(contactcenter={"cursor_repeats": False, "malformed_record": True})
    assert leads(client)[0] == "malformed"
    world.turn(contactcenter={"malformed_record": False, "bare_array": True})
    assert len(client.get(f"{CAMPAIGNS}/c1/leads", params={"page_size": 1}).json()) == 3
    world.turn(contactcenter={"bare_array": False, "rows_key": "rows"})
    assert list(client.get(f"{CAMPAIGNS}/c1/leads").json()) == ["rows"]


@pytest.mark.parametrize("status", [400, 404])
def test_unknown_campaign(world, client, status):
    world.turn(contactcenter={"unknown_campaign": status})
    assert client.get(f"{CAMPAIGNS}/unknown/leads").status_code == status
    world.turn(contactcenter={"unknown_campaign": 200})
    assert client.get(f"{CAMPAIGNS}/unknown/leads").json() == {"data": []}


@pytest.mark.parametrize(
    ("kind", "pages"),
    [("skipped_row", [["10", "11"], ["13"]]), ("duplicated_row", [["10", "11"], ["11", "12"], ["13"]])],
)
def test_rows_slip_between_pages(world, client, kind, pages):
    world.tamper("contactcenter", "add_leads", campaign="c1", leads={"count": 4, "first": "+12025550110"})
    world.set_faults([{"provider": "contactcenter", "path": "*/leads", "nth": 2, "fault": {"kind": kind}}])
    assert everything(client, 2) == pages


# Item 7: adding


def test_add(world, client):
    answer = add(client)
    assert (answer.status_code, answer.text) == (200, "Lead added to campaign successfully.")
    add(client, "+1 (202) 555-0101")
    assert [row["number"] for row in leads(client)] == [ANNA, "+1 (202) 555-0101"]
    (duplicate,) = world.ledger()["duplicates"]
    assert (duplicate["kind"], duplicate["ids"]) == ("lead", [row["id"] for row in leads(client)])
    assert called(world) == []


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"{}", b'{"number": ""}', b'{"number": 5}', b'{"number": "+12025550101", "retries": "3"}',
     b'{"number": "+12025550101", "priority": true}', b'{"number": "+12025550101", "note": null}'],
)  # fmt: skip
def test_leads_that_are_refused(world, client, body):
    refused(client.put(f"{CAMPAIGNS}/c1/lead", content=body), 400)
    refused(client.put(f"{CAMPAIGNS}/unknown/lead", json={"number": ANNA}), 400)
    assert leads(client) == []


def test_knobs_of_adding(world, client):
    assert add(client, unknown=1).status_code == 200
    world.turn(contactcenter={"strict_fields": True, "dedupe": "reject400", "normalise": "strip_plus"})
    refused(add(client, BORIS, unknown=1), 400)
    refused(add(client), 400)
    world.turn(contactcenter={"dedupe": "silent200", "write_body": "json"})
    assert add(client).json() == {"message": "Lead added to campaign successfully."}
    assert add(client, BORIS).status_code == 200
    assert [row["number"] for row in leads(client)] == [ANNA, BORIS[1:]]
    assert client.post(f"{CAMPAIGNS}/c1/lead", json={"number": CLARA}).status_code == 405
    world.turn(contactcenter={"allow_post_add": True, "put_add_refused": True, "write_body": "empty"})
    assert add(client, CLARA).status_code == 405
    assert client.post(f"{CAMPAIGNS}/c1/lead", json={"number": CLARA}).content == b""


def test_new_leads_take_their_time(world, client):
    world.turn(contactcenter={"visibility_delay_s": 5})
    add(client)
    assert (leads(client), client.get(STATUS).json()["c1"]["total_leads"]) == ([], 0)
    world.advance(5)
    assert len(leads(client)) == 1
    world.turn(contactcenter={"visibility_delay_s": 0, "visibility_delay_requests": 2})
    add(client, BORIS)
    assert [len(leads(client)) for _ in range(4)] == [1, 1, 2, 2]


def test_lost_answers(world, client):
    rule = {"provider": "contactcenter", "method": "PUT", "path": "*/lead", "times": 1}
    for number, kind in ((ANNA, "drop_after"), (BORIS, "drop_before")):
        world.set_faults([{**rule, "fault": {"kind": kind}}])
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            add(client, number)
    world.set_faults([{**rule, "fault": {"kind": "error_after", "status": 500}}])
    refused(add(client, CLARA), 500, "Internal server error\n")
    assert [row["number"] for row in leads(client)] == [ANNA, CLARA]


# Items 8 to 10: status, deletion, disposition


def test_set_status(world, client):
    add(client)
    one = leads(client)[0]["id"]
    for word in ("success", "success", "new", "failed"):
        answer = client.post(f"{CAMPAIGNS}/leads/{one}/status/{word}")
        assert (answer.status_code, answer.text) == (200, "Lead status set successfully.")
        assert leads(client)[0]["status"] == word
    refused(client.post(f"{CAMPAIGNS}/leads/{one}/status/odd"), 400)
    refused(client.post(f"{CAMPAIGNS}/leads/unknown/status/new"), 400)
    world.turn(contactcenter={"statuses": "new, odd"})
    assert client.post(f"{CAMPAIGNS}/leads/{one}/status/odd").status_code == 200


def test_delete(world, client):
    add(client)
    one = leads(client)[0]["id"]
    answer = client.delete(f"{CAMPAIGNS}/leads/{one}")
    assert (answer.status_code, answer.text, leads(client)) == (200, "Lead deleted successfully.", [])
    for status, text in ((404, "404 page not found\n"), (500, "Error due to an internal issue.\n"), (400, INVALID)):
        world.turn(contactcenter={"missing_lead": status})
        refused(client.delete(f"{CAMPAIGNS}/leads/{one}"), status, text)
    world.turn(contactcenter={"missing_lead": 200})
    assert client.delete(f"{CAMPAIGNS}/leads/{one}").status_code == 200


def test_voicemail(world, client):
    add(client, campaign="c2")
    (row,) = client.get(HISTORY, params={**EVER, "fields": "call_id,disposition"}).json()
    for call in (row["call_id"], row["lead_history"][0]["uuid"]):
        answer = client.put(f"{CAMPAIGNS}/call/{call}/disposition/voicemail")
        assert (answer.status_code, answer.text) == (200, "Call disposition set successfully.")
    assert client.get(HISTORY, params={**EVER, "fields": "disposition"}).json()[0]["disposition"] == "voicemail"
    refused(client.put(f"{CAMPAIGNS}/call/unknown/disposition/voicemail"), 400)


# Items 11 and 12: queues and history


def test_queues(world, client):
    (queue,) = client.get(QUEUES).json()
    assert (queue["name"], queue["calls"], queue["total_agents"], queue["idle_agents"]) == ("Q", {}, 1, 0)
    world.tamper(
        "contactcenter", "edit_agent", queue="Q", agent="Agent One", set={"logged_in": True, "registered": True}
    )
    (queue,) = client.get(QUEUES).json()
    counters = ("logged_in_agents", "logged_out_agents", "idle_agents", "agents_registered", "misconfigured_agents")
    assert [queue[name] for name in counters] == [1, 0, 1, 1, 0]


def test_history(start, center):
    records = [
        {"timestamp": 1000 + n, "campaign_name": "Old", "lead_number": ANNA, "call_id": f"call-{n}"} for n in range(5)
    ]
    sandbox = start(seed=seeded(activity=records[::-1]))
    client = center(sandbox)

    def times(**query: Any) -> list[int]:
        return [row["timestamp"] for row in client.get(HISTORY, params=query).json()]

    assert times(startDate=1001, endDate=1003) == [1001, 1002, 1003]
    assert times(startDate=1002, endDate=200_000_000_000) == [1002, 1003, 1004]
    assert times(startDate=100_000_000_001, endDate=200_000_000_000) == []
    assert times(startDate=0, endDate=2000, pageSize=2, startKey="call-3") == [1000, 1001]
    row = client.get(HISTORY, params=EVER).json()[0]
    assert (row["datetime"], "call_id" in row) == ("1970-01-01 00:16:40 +0000 UTC", False)
    for query in ({"starDate": 0, "endDate": 1}, {"startDate": 0}, {"startDate": "x", "endDate": 1}):
        refused(client.get(HISTORY, params=query), 400)
    sandbox.turn(contactcenter={"history_envelope": "object", "call_ids": True})
    body = client.get(HISTORY, params={**EVER, "pageSize": 3}).json()
    assert (len(body["data"]), body["next_start_key"]) == (3, "call-3")
    rest = client.get(HISTORY, params={**EVER, "pageSize": 3, "startKey": "call-3"}).json()
    assert [row["call_id"] for row in rest["data"]] == ["call-3", "call-4"]
    assert "next_start_key" not in rest


# Item 13: the dialler


def test_a_stopped_campaign_never_dials(world, client):
    client.headers["Authorization"] = f"Bearer {long_token(world, client)}"
    add(client)
    world.advance(86_400)
    assert (called(world), leads(client)[0]["status"]) == ([], "new")
    world.tamper("contactcenter", "start_campaign", campaign="Stopped")
    assert called(world) == [ANNA]
    world.tamper("contactcenter", "stop_campaign", campaign="c1")
    add(client, BORIS)
    world.advance(60)
    assert (called(world), [row["status"] for row in leads(client)]) == ([ANNA], ["success", "new"])


def test_adding_to_a_running_campaign_is_a_call(world, client):
    add(client, campaign="c2", first_name="Anna", last_name="A")
    (row,) = leads(client, "c2")
    assert (row["status"], called(world)) == ("in_progress", [ANNA])
    (exposed,) = world.ledger()["exposed"]
    assert (exposed["reason"], exposed["numbers"], exposed["campaigns"]) == ("lead", [ANNA], ["c2"])
    (record,) = client.get(HISTORY, params=EVER).json()
    assert (record["campaign_name"], record["lead_name"], record["agent_name"]) == ("Running", "Anna A", "Agent One")
    world.advance(5)
    assert leads(client, "c2")[0]["status"] == "success"
    client.post(f"{CAMPAIGNS}/leads/{row['id']}/status/new")
    world.advance(5)
    assert called(world) == [ANNA, ANNA]
    assert [entry["reason"] for entry in world.ledger()["exposed"]] == ["lead", "status"]


@pytest.mark.parametrize(
    ("rule", "order"),
    [("high_first", [BORIS, CLARA, ANNA]), ("low_first", [ANNA, CLARA, BORIS]), ("oldest", [ANNA, BORIS, CLARA])],
)
def test_who_is_called_first(world, client, rule, order):
    world.turn(contactcenter={"priority_rule": rule})
    for number, priority in ((ANNA, 1), (BORIS, 9), (CLARA, 5)):
        add(client, number, priority=priority)
    world.tamper("contactcenter", "start_campaign", campaign="c1")
    world.advance(60)
    assert called(world) == order
    times = [entry["time"] for entry in world.ledger()["messages"]]
    assert [round(later - times[0], 3) for later in times] == [0, 1, 2]


def test_failed_attempts_are_repeated(world, client):
    client.headers["Authorization"] = f"Bearer {long_token(world, client)}"
    world.tamper("contactcenter", "set_outcomes", outcomes={ANNA: ["failed", "failed", "success"], BORIS: "failed"})
    add(client, campaign="c2", retries=3, cool_off=60)
    world.advance(5)
    row = leads(client, "c2")[0]
    assert (row["status"], row["retries"]) == ("new", 2)
    world.advance(59)
    assert called(world) == [ANNA]
    world.advance(3600)
    row = leads(client, "c2")[0]
    assert (row["status"], row["retries"], called(world)) == ("success", 1, [ANNA] * 3)
    add(client, BORIS, campaign="c2")
    world.advance(3600)
    assert [row["status"] for row in leads(client, "c2")] == ["success", "failed"]


def test_deleting_while_talking(world, client):
    add(client, campaign="c2")
    one = leads(client, "c2")[0]["id"]
    assert client.delete(f"{CAMPAIGNS}/leads/{one}").status_code == 200
    world.advance(60)
    assert (leads(client, "c2"), called(world)) == ([], [ANNA])
    assert len(client.get(HISTORY, params=EVER).json()) == 1


# Items 14 and 15: limits, seeds, tampering


def test_rate_limit(world, client):
    world.turn(contactcenter={"rate_limit": 1, "retry_after_s": 7})
    assert client.get(STATUS).status_code == 200
    answer = client.get(STATUS)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    world.advance(60)
    assert client.get(STATUS).status_code == 200


def test_delayed_visibility_and_html(world, client):
    add(client)
    world.set_faults([{"method": "DELETE", "path": "*", "fault": {"kind": "delayed_visibility", "ms": 3000}}])
    client.delete(f"{CAMPAIGNS}/leads/{leads(client)[0]['id']}")
    assert (len(leads(client)), client.get(STATUS).json()["c1"]["total_leads"]) == (1, 1)
    world.advance(3)
    assert leads(client) == []
    world.set_faults([{"path": STATUS, "fault": {"kind": "non_json", "status": 200}}])
    assert client.get(STATUS).text.startswith("<html>")


def test_dump_and_load(start, center):
    lead = {"number": ANNA, "note": "n", "status": "success", "created": "2026-01-01"}
    campaigns = [{"id": "c9", "name": "One", "leads": [lead, BORIS]}]
    sandbox = start(seed=seeded(campaigns=campaigns, outcomes={ANNA: "failed"}))
    client = center(sandbox)
    sandbox.tamper("contactcenter", "start_campaign", campaign="c9")
    sandbox.advance(1)
    whole = sandbox.state()
    other = start()
    other.call(lambda: other.world.replace(whole))
    assert other.state()["contactcenter"] == whole["contactcenter"]
    for one in (sandbox, other):
        one.advance(60)
        one.tamper("contactcenter", "add_leads", campaign="One", leads=[CLARA])
        one.advance(60)
        assert called(one) == [BORIS, CLARA]
    assert sandbox.state()["contactcenter"] == other.state()["contactcenter"]
    assert leads(client, "c9")[0]["created"] == 1767225600


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ({"campaigns": [{"status": "stopped"}]}, "name is missing"),
        ({"campaigns": [{"name": "A", "leads": [{"first_name": "x"}]}]}, "number is missing"),
        ({"campaigns": [{"name": "A", "account": "x"}]}, "no account"),
        ({"accounts": [{"account_id": "a", "domain": "d"}] * 2}, "there already"),
        ({"queues": [{"name": "Q", "agents": [{"nick": "x"}]}]}, "unknown key 'nick'"),
        ({"outcomes": {ANNA: 5}}, "outcome"),
    ],
)
def test_bad_seeds(section, text):
    with pytest.raises(SandboxError, match=text):
        Sandbox(seed=seeded(**section))


def test_tampering(world, client):
    def tamper(op: str, **arguments: Any) -> Any:
        return world.tamper("contactcenter", op, **arguments)

    tamper("create_campaign", id="c3", name="Third", leads=[ANNA, {"number": BORIS, "status": "success"}])
    tamper("edit_campaign", campaign="Third", set={"name": "Renamed", "status": "paused"})
    assert client.get(STATUS).json()["c3"]["name"] == "Renamed"
    tamper("edit_lead", lead=ANNA, campaign="c3", set={"first_name": "Edited", "number": CLARA})
    tamper("set_lead_status", lead=CLARA, status="callback")
    assert [(row["number"], row["status"]) for row in leads(client, "c3")] == [(CLARA, "callback"), (BORIS, "success")]
    assert tamper("purge_finished", campaign="c3") == 2
    (one,) = tamper("add_leads", campaign="c3", leads=[ANNA])
    tamper("delete_lead", lead=one)
    assert leads(client, "c3") == []
    tamper("delete_campaign", campaign="c3")
    assert "c3" not in client.get(STATUS).json()
    call = tamper("add_activity", timestamp=5, campaign_name="X", lead_number=ANNA)
    assert client.put(f"{CAMPAIGNS}/call/{call}/disposition/voicemail").status_code == 200
    assert tamper("forget_activity") == 1
    tamper("create_queue", name="Second")
    tamper("edit_queue", queue="Second", set={"strategy": "all", "calls": {"x": 1}})
    assert [(queue["strategy"], queue["calls"]) for queue in client.get(QUEUES).json()] == [
        ("single", {}),
        ("all", {"x": 1}),
    ]
    tamper("delete_queue", queue="Second")
    tamper("edit_account", set={"users": {"other": "secret"}})
    refused(client.post("/api/v2/login", json=LOGIN), 401)
    for op, arguments, text in (
        ("explode", {}, "unknown operation"),
        ("delete_lead", {"lead": "nobody"}, "unknown"),
        ("edit_lead", {}, "lead is missing"),
        ("edit_queue", {"queue": "None", "set": {}}, "unknown"),
    ):
        with pytest.raises(SandboxError, match=text):
            tamper(op, **arguments)
    assert called(world) == []


def test_many_leads(world, client):
    world.tamper("contactcenter", "add_leads", campaign="c1", leads={"count": 2500, "first": "+12025550000"})
    assert client.get(STATUS).json()["c1"]["total_leads"] == 2500
    pages = everything(client, 1000)
    assert [len(page) for page in pages] == [1000, 1000, 500]
    ids = [row["id"] for row in leads(client, page_size=1000)]
    assert len(set(ids)) == 1000


def test_an_add_that_is_delivered_twice_or_late(world, client):
    rule = {"provider": "contactcenter", "method": "PUT", "path": "*/lead", "times": 1}
    world.set_faults([{**rule, "fault": {"kind": "double_effect"}}])
    add(client)
    assert len(world.ledger()["duplicates"]) == 1
    world.set_faults([{**rule, "fault": {"kind": "late_landing", "ms": 5000, "status": 504}}])
    assert add(client, BORIS).status_code == 504
    assert len(leads(client)) == 2
    world.advance(5)
    assert [row["number"] for row in leads(client)] == [ANNA, ANNA, BORIS]
