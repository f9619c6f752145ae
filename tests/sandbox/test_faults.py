"""Every kind of fault, as a client meets it and as the state has it afterwards."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from reconciler.sandbox import SandboxError
from reconciler.sandbox.fault_kinds import KINDS

LOST = (httpx.ReadError, httpx.RemoteProtocolError)
NUMBERS = [f"+161555501{n:02}" for n in range(12)]


def names(sandbox: Any) -> list[str]:
    return [row["name"] for row in sandbox.state()["slicktext"]["lists"]]


def fault(kind: str, **params: Any) -> dict[str, Any]:
    return {"provider": "slicktext", "fault": {"kind": kind, **params}}


@pytest.fixture
def client(sandbox, texts):
    return texts(sandbox)


def create(client: httpx.Client) -> httpx.Response:
    return client.post("/lists", json={"name": "Join"})


def test_latency(sandbox, client):
    sandbox.set_faults([fault("latency", ms=60), fault("latency", ms=60, after=True)])
    begun = time.monotonic()
    assert create(client).status_code == 200
    assert time.monotonic() - begun >= 0.12


def test_the_effect_of_a_late_answer_is_there_before_it(sandbox, client):
    sandbox.set_faults([fault("latency", ms=400, after=True)])
    with pytest.raises(httpx.ReadTimeout):
        client.post("/lists", json={"name": "Join"}, timeout=0.1)
    assert names(sandbox) == ["Join"]


@pytest.mark.parametrize(("kind", "made"), [("error_before", []), ("error_after", ["Join"])])
def test_errors(sandbox, client, kind, made):
    sandbox.set_faults([fault(kind, status=503, headers={"X-Why": "test"})])
    answer = create(client)
    assert (answer.status_code, answer.json()) == (503, {"error": "Service Unavailable"})
    assert answer.headers["x-why"] == "test"
    assert names(sandbox) == made


@pytest.mark.parametrize(
    ("body", "content", "kind"),
    [
        ("<p>", b"<p>", "text/html; charset=utf-8"),
        ({"status": 500}, b'{"status":500}', "application/json"),
        ("", b"", None),
    ],
)
def test_error_bodies(sandbox, client, body, content, kind):
    sandbox.set_faults([fault("error_before", status=200, body=body)])
    answer = create(client)
    assert answer.content == content
    assert kind in (None, answer.headers["content-type"])


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize(("kind", "made"), [("drop_before", []), ("drop_after", ["Join"])])
def test_dropped_connections(sandbox, client, kind, made, how):
    sandbox.set_faults([{**fault(kind, how=how), "times": 1}])
    with pytest.raises(LOST):
        create(client)
    assert names(sandbox) == made
    assert sandbox.requests()[-1]["status"] is None
    assert create(client).status_code == 200


def test_many_drops_leave_the_server_sound(sandbox, client):
    sandbox.set_faults([{**fault("drop_after"), "nth": list(range(1, 60, 2))}])
    outcomes = []
    for _ in range(60):
        try:
            outcomes.append(create(client).status_code)
        except LOST:
            outcomes.append(None)
    assert outcomes == [None, 200] * 30
    assert len(names(sandbox)) == 60


@pytest.mark.parametrize("effect", [False, True])
def test_no_answer_ever(sandbox, client, effect):
    sandbox.set_faults([fault("hang", effect=effect)])
    with pytest.raises(httpx.ReadTimeout):
        client.post("/lists", json={"name": "Join"}, timeout=0.1)
    assert len(names(sandbox)) == effect


def test_stopping_does_not_wait_for_the_hanging(start, texts):
    sandbox = start(faults=[fault("hang")])
    with pytest.raises(httpx.ReadTimeout):
        texts(sandbox).get("/lists", timeout=0.05)
    begun = time.monotonic()
    sandbox.stop()
    assert time.monotonic() - begun < 1


def test_cut_body(sandbox, client):
    sandbox.set_faults([fault("truncate", bytes=10)])
    answer = create(client)
    assert answer.status_code == 200
    assert len(answer.content) == 10
    sandbox.set_faults([fault("truncate", fraction=0.5, short=True)])
    with pytest.raises(httpx.RemoteProtocolError):
        create(client)
    assert names(sandbox) == ["Join", "Join"]


def test_dripping_body(sandbox, client):
    sandbox.set_faults([fault("drip", ms=1)])
    assert create(client).json()["name"] == "Join"


@pytest.mark.parametrize(("status", "effect"), [(200, False), (502, True)])
def test_html(sandbox, client, status, effect):
    sandbox.set_faults([fault("non_json", status=status, effect=effect)])
    answer = create(client)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert answer.text.startswith("<html>")
    assert len(names(sandbox)) == effect


@pytest.mark.parametrize("after", [None, 7, "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_rate_limited(sandbox, client, after):
    sandbox.set_faults([fault("rate_limited", retry_after=after)])
    answer = create(client)
    assert answer.status_code == 429
    assert answer.headers.get("retry-after") == (None if after is None else str(after))
    assert names(sandbox) == []


def test_expired_key(sandbox, client):
    sandbox.set_faults([{**fault("expired_token"), "nth": 1}])
    assert create(client).status_code == 401
    assert create(client).status_code == 200


def test_expired_tokens_stay_dead(sandbox, connect):
    login = {"username": "sandbox", "password": "sandbox-intelepeer-password"}
    client = connect(sandbox, "/_rest")
    tokens = [client.post("/v4/authenticate", json=login).json()["token"] for _ in range(2)]
    sandbox.set_faults([{"provider": "intelepeer", "path": "*/lists", "nth": 1, "fault": "expired_token"}])
    for token in (tokens[0], *tokens):
        assert client.get("/v2/lists", headers={"Authorization": token}).status_code == 401
    assert client.get("/v2/lists", headers={"Authorization": "sandbox-intelepeer-token"}).status_code == 200


def test_late_landing(sandbox, client):
    sandbox.set_faults([{**fault("late_landing", ms=3000), "method": "POST"}])
    with pytest.raises(LOST):
        create(client)
    assert sandbox.requests()[-1]["mutated"] is False
    sandbox.advance(2.9)
    assert client.get("/lists").json()["data"] == []
    sandbox.advance(0.1)
    assert names(sandbox) == ["Join"]
    assert [(entry["method"], entry["mutated"]) for entry in sandbox.requests()] == [("POST", True), ("GET", False)]
    sandbox.set_faults([fault("late_landing", ms=0, status=504)])
    assert create(client).status_code == 504


def test_late_landing_on_a_running_clock(start, texts):
    sandbox = start(faults=[fault("late_landing", ms=50)])
    sandbox.call(lambda: sandbox.world.clock.resume())
    with pytest.raises(LOST):
        create(texts(sandbox))
    until = time.monotonic() + 5
    while not sandbox.world.providers["slicktext"].dump()["lists"] and time.monotonic() < until:
        time.sleep(0.01)
    assert names(sandbox) == ["Join"]


def test_delivered_twice(sandbox, client):
    sandbox.set_faults([fault("double_effect")])
    assert create(client).status_code == 200
    assert names(sandbox) == ["Join", "Join"]


def test_delayed_visibility(sandbox, client):
    sandbox.set_faults([{**fault("delayed_visibility", ms=2000), "nth": [1, 3]}])
    row = create(client).json()
    path = f"/lists/{row['contact_list_id']}"
    assert client.get(path).status_code == 404
    assert client.put(path, json={"name": "Joined"}).status_code == 200
    assert client.get("/lists").json()["data"] == []
    sandbox.advance(2)
    assert client.get(path).json()["name"] == "Joined"
    sandbox.turn(slicktext={"read_lag_ms": 1000})
    sandbox.set_faults([])
    client.put(path, json={"name": "Again"})
    assert client.get(path).json()["name"] == "Joined"
    client.delete(path)
    assert client.get("/lists").json()["data"][0]["name"] == "Joined"
    sandbox.advance(1)
    assert client.get("/lists").json()["data"] == []


def test_delayed_members(start, texts):
    lists = [{"name": "Join", "id": 21, "members": NUMBERS[:2]}]
    sandbox = start(seed={"slicktext": {"lists": lists}}, knobs={"slicktext": {"read_lag_ms": 1000}})
    client = texts(sandbox)
    contact = client.get("/lists/21/contacts").json()["data"][0]["contact_id"]
    client.request("DELETE", "/lists/contacts", json=[{"contact_id": contact, "lists": [21]}])
    assert client.get("/lists/21/contacts/count").json() == 2
    sandbox.advance(1)
    assert client.get("/lists/21/contacts/count").json() == 1


@pytest.mark.parametrize(("status", "body"), [(500, {"error": "Internal Server Error"}), (200, {"count": 2})])
def test_partial_bulk(start, texts, status, body):
    contacts = [{"number": number, "id": 11 + at} for at, number in enumerate(NUMBERS)]
    sandbox = start(seed={"slicktext": {"contacts": contacts, "lists": [{"name": "Join", "id": 21}]}})
    sandbox.set_faults([fault("partial_bulk", apply=2, status=status)])
    client = texts(sandbox)
    answer = client.post("/lists/contacts", json=[{"contact_id": 11 + at, "lists": [21]} for at in range(12)])
    assert (answer.status_code, answer.json()) == (status, body)
    assert client.get("/lists/21/contacts/count").json() == 2


def test_partial_upload(start, engage):
    sandbox = start(seed={"intelepeer": {"lists": [{"name": "Engage List", "id": "a1"}]}})
    sandbox.set_faults([{"path": "*/uploadcontacts", "fault": "partial_bulk"}])
    body = {"contactInfo": [{"phone": number} for number in NUMBERS]}
    assert engage(sandbox).put("/lists/a1/uploadcontacts", json=body).status_code == 500
    assert sandbox.state()["intelepeer"]["lists"][1]["numbers"] == NUMBERS[:1]


def pages(client: httpx.Client, size: int) -> list[str]:
    found: list[str] = []
    while page := client.get("/lists", params={"limit": size, "offset": len(found)}).json()["data"]:
        found += [row["name"] for row in page]
    return found


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("kind", ["duplicated_row", "skipped_row"])
def test_rows_slip_between_pages(start, texts, kind, nth):
    wanted = [f"list {n:02}" for n in range(10)]
    sandbox = start(seed={"slicktext": {"lists": [{"name": name} for name in wanted]}})
    client = texts(sandbox)
    sandbox.set_faults([{"path": "*/lists", "nth": nth, "fault": kind}])
    found = pages(client, 4)
    if kind == "duplicated_row":
        assert len(found) == 11
        assert sorted(set(found)) == wanted
    else:
        assert len(found) == 9
        assert len(set(found)) == 9
    assert pages(client, 4) == wanted


@pytest.mark.parametrize(("kind", "count"), [("duplicated_row", 4), ("skipped_row", 2), ("empty_collection", 0)])
def test_collections_without_pages(start, engage, kind, count):
    sandbox = start(seed={"intelepeer": {"lists": [{"name": "One"}, {"name": "Two"}]}})
    sandbox.set_faults([{"path": "/_rest/v2/lists", "fault": kind}])
    assert len(engage(sandbox).get("/lists").json()["lists"]) == count


def test_empty_collection(start, texts):
    sandbox = start(seed={"slicktext": {"lists": [{"name": "Join"}]}})
    sandbox.set_faults([fault("empty_collection")])
    assert texts(sandbox).get("/lists").json()["data"] == []


@pytest.mark.parametrize("effect", [False, True])
def test_false_body(sandbox, client, effect):
    sandbox.set_faults([fault("false_body", effect=effect)])
    assert create(client).json() is False
    assert len(names(sandbox)) == effect


def test_rewrite(sandbox, client):
    sandbox.set_faults([fault("rewrite", pattern='"contact_list_id":', replacement='"list_id":')])
    assert "list_id" in create(client).json()


def test_somebody_else_in_between(start, texts):
    sandbox = start(seed={"slicktext": {"lists": [{"name": f"list {n}"} for n in range(4)]}})
    sandbox.set_faults([{**fault("tamper", operation={"op": "delete_list", "list": "list 0"}), "nth": 2}])
    assert pages(texts(sandbox), 2) == ["list 0", "list 1", "list 3"]


def test_the_key_of_another_brand(start, connect):
    brands = [{"brand_id": 1, "api_key": "one"}, {"brand_id": 2, "api_key": "two"}]
    sandbox = start(seed={"slicktext": {"brands": brands}})
    client = connect(sandbox, "/v1", "Bearer one")
    sandbox.set_faults([{**fault("tamper", operation={"op": "switch_brand", "brand": 1, "to": 2}), "nth": 2}])
    assert [client.get("/brands").json()["brand_id"] for _ in range(2)] == [1, 2]


# Rules


def test_rules_pick_requests(sandbox, client, engage):
    other = engage(sandbox)
    sandbox.set_faults(
        [
            {
                "provider": "intelepeer",
                "method": "POST",
                "contains": '"run"',
                "fault": {"kind": "error_before", "status": 599},
            },
            {"method": ["put", "DELETE"], "path": r"re:/lists/\d+$", "fault": {"kind": "error_before", "status": 598}},
            {"path": "/v1/brands/*/campaigns", "times": 2, "fault": {"kind": "error_before", "status": 597}},
            {"contains": "limit=3", "fault": {"kind": "error_before", "status": 596}},
        ]
    )
    assert other.post("/campaigns/x/action", json={"action": "run"}).status_code == 599
    assert other.post("/campaigns/x/action", json={"action": "publish"}).status_code == 404
    assert client.delete("/lists/12").status_code == 598
    assert client.get("/lists/12").status_code == 404
    assert [client.get("/campaigns/").status_code for _ in range(3)] == [597, 597, 200]
    assert client.get("/lists?limit=3").status_code == 596
    counted = sandbox.call(sandbox.world.faults.dump)
    assert [(rule["seen"], rule["fired"]) for rule in counted] == [(1, 1), (1, 1), (3, 2), (1, 1)]
    assert sandbox.requests()[0]["faults"] == [counted[0]["rule"]]


def test_rules_add_up(sandbox, client):
    sandbox.set_faults([fault("latency", ms=1), fault("error_after", status=500), fault("rewrite", pattern="Internal")])
    answer = create(client)
    assert (answer.status_code, answer.json()) == (500, {"error": " Server Error"})
    assert names(sandbox) == ["Join"]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("drop", "a rule is a mapping"),
        ({}, "needs a kind"),
        ({"fault": "explode"}, "unknown kind 'explode'"),
        ({"fault": {"kind": "latency"}}, "ms is missing"),
        ({"fault": {"kind": "latency", "ms": "1"}}, "wrong kind"),
        ({"fault": {"kind": "latency", "ms": -1}}, "negative"),
        ({"fault": {"kind": "drop_before", "why": 1}}, "unknown parameter 'why'"),
        ({"fault": {"kind": "drop_before", "how": "gently"}}, "neither"),
        ({"fault": {"kind": "error_before", "status": 99}}, "no status"),
        ({"fault": {"kind": "rewrite", "pattern": "("}}, "pattern"),
        ({"fault": "drop_before", "when": 1}, "unknown key 'when'"),
        ({"fault": "drop_before", "provider": "nobody"}, "unknown provider"),
        ({"fault": "drop_before", "nth": 0}, "whole number"),
        ({"fault": "drop_before", "path": "re:("}, "no regular expression"),
        ({"fault": "drop_before", "method": 5}, "method"),
    ],
)
def test_faulty_rules(sandbox, rule, text):
    with pytest.raises(SandboxError, match=text):
        sandbox.set_faults([rule])


def test_hyphens_are_fine_and_every_kind_says_what_it_is(sandbox):
    sandbox.set_faults([{"fault": "drop-before"}])
    assert all(kind.about for kind in KINDS.values())
