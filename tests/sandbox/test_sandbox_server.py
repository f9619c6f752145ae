"""The sandbox around the providers: seeds, control endpoints, store, start and stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from reconciler.sandbox import Sandbox, SandboxError

ROOT = Path(__file__).parents[2]
MARTY = "+16155550123"
SEED = """
slicktext:
  contacts: {generate: {count: 3, first: "+12025550198", lists: [Join]}}
  lists:
    - {name: Join, members: ["+16155550123"]}
    - {name: Range, members: {first: "+12029999999", count: 2}}
  campaigns: [{name: Spring, status: scheduled, scheduled: "2099-01-01 00:00:00", lists: [Join]}]
intelepeer:
  lists: [{name: Engage List, headers: [phone], members: [{phone: "+12025550101", metadata: {phone: "1"}}]}]
  campaigns: [{name: Calls, state: published, lists: [Engage List], moc: phone}]
knobs: {slicktext: {max_page: 20}}
"""


@pytest.fixture
def seed_file(tmp_path: Path) -> Path:
    path = tmp_path / "seed.yaml"
    path.write_text(SEED)
    return path


# Seeds and state


def test_seed_file(start, seed_file):
    state = start(seed=seed_file).state()
    lists = {row["name"]: row["numbers"] for row in state["slicktext"]["lists"]}
    assert lists["Join"] == ["+12025550198", "+12025550199", "+12025550200", MARTY]
    assert lists["Range"] == ["+12029999999", "+12032000000"]
    assert state["slicktext"]["campaigns"][0]["status"] == "scheduled"
    engage = state["intelepeer"]
    assert [row["name"] for row in engage["lists"]] == ["default_trans_list", "Engage List"]
    assert engage["lists"][1]["numbers"] == ["+12025550101"]
    assert engage["campaigns"][0]["active"] is True
    assert state["ledger"]["messages"] == []


def test_json_seed_and_fault_file(start, tmp_path, texts):
    seed, faults = tmp_path / "seed.json", tmp_path / "faults.yaml"
    seed.write_text(json.dumps({"slicktext": {"lists": [{"name": "Join"}]}}))
    faults.write_text("faults: [{path: '*/lists', nth: 2, fault: {kind: error_before, status: 503}}]")
    client = texts(start(seed=seed, faults=faults))
    assert [client.get("/lists").status_code for _ in range(3)] == [200, 503, 200]


def test_many_contacts_are_quick():
    begun = time.monotonic()
    with Sandbox(seed={"slicktext": {"contacts": {"generate": {"count": 5000}}}}) as sandbox:
        assert time.monotonic() - begun < 2
        assert len(sandbox.state()["slicktext"]["contacts"]) == 5000


@pytest.mark.parametrize(
    ("seed", "text"),
    [
        ({"twilio": {}}, "unknown section 'twilio'"),
        ({"slicktext": {"list": []}}, "slicktext: unknown key 'list'"),
        ({"slicktext": {"lists": {}}}, "slicktext.lists"),
        ({"slicktext": {"lists": [{}]}}, r"slicktext.lists\[0\]: name is missing"),
        ({"slicktext": {"lists": [{"name": 5}]}}, r"lists\[0\].name: str is needed, not int 5"),
        ({"slicktext": {"lists": [{"name": "Join", "members": ["12"]}]}}, r"members\[0\]: '12': The mobile number"),
        ({"slicktext": {"contacts": [{"number": MARTY, "opt_in_status": "maybe"}]}}, "opt_in_status"),
        ({"slicktext": {"contacts": [{"number": MARTY, "lists": ["Nope"]}]}}, "list 'Nope' is unknown"),
        ({"slicktext": {"contacts": {"generate": {"count": 1, "first": "+1"}}}}, "no number of the form"),
        ({"slicktext": {"campaigns": [{"name": "x", "status": "gone"}]}}, "status"),
        ({"slicktext": {"campaigns": [{"name": "x", "scheduled": "soon"}]}}, "must look like"),
        ({"slicktext": {"brands": [{"brand_id": 1, "api_key": "x", "workflows": [{"trigger": "y"}]}]}}, "trigger"),
        ({"slicktext": {"brands": [{"brand_id": 1, "api_key": "x"}] * 2}}, "there already"),
        ({"intelepeer": {"campaigns": [{"name": "Calls", "lists": ["Nope"]}]}}, "list 'Nope' is unknown"),
        ({"intelepeer": {"campaigns": [{"name": "Calls", "state": "running"}]}}, "state"),
        ({"intelepeer": {"lists": [{"name": "x", "members": [1]}]}}, r"members\[0\]"),
        ({"intelepeer": {"accounts": [{"customerId": "1", "users": [{"username": "x"}]}]}}, "password is missing"),
        ({"knobs": {"slicktext": {"max_pages": 1}}}, "unknown knob 'max_pages'"),
        ({"clock": {"speed": 2}}, "unknown key 'speed'"),
    ],
)
def test_faulty_seeds(seed, text):
    with pytest.raises(SandboxError, match=text):
        Sandbox(seed=seed)


def test_files_that_are_no_seed(tmp_path):
    (tmp_path / "broken.yaml").write_text("a: [")
    (tmp_path / "broken.json").write_text("{")
    for name in ("broken.yaml", "broken.json", "missing.yaml"):
        with pytest.raises(SandboxError, match=name):
            Sandbox(seed=tmp_path / name)


@pytest.mark.parametrize(
    "knobs",
    [
        {"slicktext": {"max_page": "many"}},
        {"slicktext": {"max_page": True}},
        {"slicktext": {"error_shape": "xml"}},
        {"slicktext": {"create_status": 202}},
        {"intelepeer": {"run_fails": 1}},
        {"nobody": {}},
    ],
)
def test_faulty_knobs(knobs):
    with pytest.raises(SandboxError):
        Sandbox(knobs=knobs)


def test_state_goes_out_and_in_again(start, seed_file, control, texts, engage):
    first, second = start(seed=seed_file), start()
    texts(first).post("/lists", json={"name": "New"})
    whole = control(first).get("/state").json()
    assert control(second).put("/state", json=whole).json() == {"ok": True}
    assert control(second).get("/state").json() == whole
    assert texts(second).get("/lists").json()["data"][-1]["name"] == "New"
    assert len(engage(second).get("/campaigns").json()) == 1
    fresh = texts(second).post("/lists", json={"name": "Fresh"}).json()["contact_list_id"]
    assert fresh > max(row["contact_list_id"] for row in whole["slicktext"]["lists"])


def test_a_faulty_state_changes_nothing(start, control, texts):
    sandbox = start(seed={"slicktext": {"lists": [{"name": "Join"}]}})
    client = control(sandbox)
    faulty = [
        {"slicktext": {"lists": [5]}},
        [],
        {"format": "other/1"},
        {"format": "reconciler-sandbox/1", "slicktext": {}},
    ]
    for body in faulty:
        answer = client.put("/state", json=body)
        assert answer.status_code == 400, body
        assert answer.json()["error"]
    assert client.put("/state", content=b"{").status_code == 400
    assert [row["name"] for row in texts(sandbox).get("/lists").json()["data"]] == ["Join"]


def test_add_replace_reset(start, control, texts):
    sandbox = start(seed={"slicktext": {"lists": [{"name": "First"}]}})
    client = control(sandbox)

    def names() -> list[str]:
        return [row["name"] for row in texts(sandbox).get("/lists").json()["data"]]

    client.post("/state", json={"slicktext": {"lists": [{"name": "Second"}]}})
    assert names() == ["First", "Second"]
    client.put("/state", json={"slicktext": {"lists": [{"name": "Third"}]}})
    assert names() == ["Third"]
    client.put("/knobs", json={"slicktext": {"offset_ignored": True}})
    client.put("/faults", json=[{"fault": "drop_before", "nth": 99}])
    client.post("/clock", json={"advance_s": 60})
    client.post("/reset")
    assert names() == ["First"]
    assert client.get("/knobs").json()["slicktext"]["offset_ignored"] is False
    assert client.get("/faults").json() == {"faults": []}
    assert client.get("/clock").json()["offset_s"] == 0
    assert len(client.get("/requests").json()["requests"]) == 1


# Control endpoints


def test_request_log(sandbox, control, connect, texts):
    texts(sandbox).post("/lists?x=1", json={"name": "Join"})
    texts(sandbox).get("/lists/1")
    login = {"username": "sandbox", "password": "sandbox-intelepeer-password"}
    token = connect(sandbox, "/_rest").post("/v4/authenticate", json=login).json()["token"]
    client = control(sandbox)
    log = client.get("/requests")
    first, second, third = log.json()["requests"]
    assert (first["method"], first["path"], first["query"]) == ("POST", "/v1/brands/123456789/lists", {"x": "1"})
    assert (first["body"], first["status"], first["mutated"]) == ({"name": "Join"}, 200, True)
    assert "authorization" in first["headers"]
    assert (second["status"], second["mutated"], second["body"]) == (404, False, None)
    assert (third["provider"], third["body"]) == ("intelepeer", {"username": "***", "password": "***"})
    for secret in ("sandbox-slicktext-key", "sandbox-intelepeer-password", token):
        assert secret not in log.text
    assert [entry["seq"] for entry in client.get("/requests?mutated=true").json()["requests"]] == [1]
    assert [entry["seq"] for entry in client.get("/requests?provider=intelepeer&method=POST").json()["requests"]] == [3]
    client.delete("/requests")
    assert sandbox.requests() == []


def test_clock_endpoint(start, control):
    sandbox = start()
    client = control(sandbox)
    assert client.get("/clock").json()["iso"] == "2026-03-02T12:00:00.000+00:00"
    assert client.post("/clock", json={"advance_s": 1.5}).json()["iso"] == "2026-03-02T12:00:01.500+00:00"
    assert client.post("/clock", json={"now": "2027-01-01T00:00:00+01:00"}).json()["iso"].startswith("2026-12-31T23")
    assert client.post("/clock", json={"freeze": False}).json()["frozen"] is False
    assert client.post("/clock", json={"freeze": True}).json()["frozen"] is True
    for body in ({"advance_s": -1}, {"advance_s": "1"}, {"now": "noon"}, {"speed": 2}, []):
        assert client.post("/clock", json=body).status_code == 400


def test_answers_carry_the_sandbox_date(sandbox, texts):
    assert texts(sandbox).get("/lists").headers["date"] == "Mon, 02 Mar 2026 12:00:00 GMT"


def test_faults_endpoint(sandbox, control, texts):
    client = control(sandbox)
    rule = {"path": "*/lists", "fault": {"kind": "error_before", "status": 503}}
    assert client.put("/faults", json=[rule]).status_code == 200
    assert client.post("/faults", json={"fault": {"kind": "latency", "ms": 1}}).status_code == 200
    texts(sandbox).get("/lists")
    found = client.get("/faults").json()
    assert [entry["fired"] for entry in found["faults"]] == [1, 1]
    assert client.put("/faults", json=found).status_code == 200
    assert client.put("/faults", json=[{"fault": "explode"}]).status_code == 400
    assert len(client.get("/faults").json()["faults"]) == 2
    assert client.delete("/faults").json() == {"faults": []}


def test_tamper_endpoint(sandbox, control, texts, engage):
    client = control(sandbox)
    operations = [
        {"provider": "slicktext", "op": "create_list", "name": "Join", "members": [MARTY]},
        {"provider": "slicktext", "op": "edit_list", "list": "Join", "set": {"description": "by hand"}},
        {"provider": "slicktext", "op": "add_members", "list": "Join", "numbers": ["+16155550124"]},
        {"provider": "slicktext", "op": "remove_members", "list": "Join", "numbers": [MARTY]},
        {"provider": "slicktext", "op": "edit_contact", "contact": MARTY, "set": {"opt_in_status": "unsubscribed"}},
        {"provider": "slicktext", "op": "create_contact", "number": "+16155550125"},
        {"provider": "slicktext", "op": "delete_contact", "contact": "+16155550125"},
        {"provider": "slicktext", "op": "create_campaign", "name": "Spring", "lists": ["Join"]},
        {"provider": "slicktext", "op": "edit_campaign", "campaign": "Spring", "set": {"body": "New"}, "lists": []},
        {"provider": "slicktext", "op": "edit_brand", "set": {"name": "Other Brand"}},
        {"provider": "intelepeer", "op": "create_list", "name": "Engage List"},
        {"provider": "intelepeer", "op": "edit_list", "list": "Engage List", "set": {"headers": ["phone"]}},
        {
            "provider": "intelepeer",
            "op": "add_contacts",
            "list": "Engage List",
            "numbers": ["+12025550101", "+12025550102"],
        },
        {"provider": "intelepeer", "op": "remove_contacts", "list": "Engage List", "numbers": ["+12025550102"]},
        {"provider": "intelepeer", "op": "create_campaign", "name": "Calls"},
        {"provider": "intelepeer", "op": "link", "campaign": "Calls", "list": "Engage List"},
        {"provider": "intelepeer", "op": "edit_campaign", "campaign": "Calls", "set": {"active": 1}},
        {"provider": "intelepeer", "op": "expire_tokens"},
    ]
    answer = client.post("/tamper", json=operations)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["results"]) == len(operations)
    state = sandbox.state()
    assert [(row["description"], row["numbers"]) for row in state["slicktext"]["lists"]] == [
        ("by hand", ["+16155550124"])
    ]
    assert state["slicktext"]["campaigns"][0]["lists"] == []
    assert state["intelepeer"]["lists"][1]["numbers"] == ["+12025550101"]
    assert engage(sandbox).get("/campaigns").json()[0]["active"] == 1
    undone = [("slicktext", "delete_campaign", "Spring"), ("intelepeer", "delete_campaign", "Calls")]
    for provider, op, name in undone:
        sandbox.tamper(provider, op, campaign=name)
    sandbox.tamper("slicktext", "delete_list", list="Join")
    sandbox.tamper("intelepeer", "delete_list", list="Engage List")
    assert sandbox.ledger() == {"messages": [], "consent": [], "duplicates": [], "exposed": [], "contacted": {}}
    assert [entry["path"] for entry in sandbox.requests()] == ["/_rest/v2/campaigns"]
    for body in ({}, {"op": "x"}, {"provider": "slicktext", "op": "x"}, {"provider": "slicktext", "op": "edit_list"}):
        assert client.post("/tamper", json=body).status_code == 400


def test_a_new_password_revokes_tokens(sandbox, connect):
    client = connect(sandbox, "/_rest")
    login = {"username": "sandbox", "password": "sandbox-intelepeer-password"}
    token = client.post("/v4/authenticate", json=login).json()["token"]
    sandbox.tamper("intelepeer", "change_password", username="sandbox", password="new")
    assert client.get("/v2/lists", headers={"Authorization": token}).status_code == 401
    assert client.post("/v4/authenticate", json=login).status_code == 401


# Store


def test_store_keeps_the_state(start, tmp_path, texts, engage):
    path = tmp_path / "deep" / "store.json"
    first = start(store=path, seed={"slicktext": {"lists": [{"name": "Seeded", "members": [MARTY]}]}})
    texts(first).post("/lists", json={"name": "Join"})
    one = engage(first).post("/campaigns", json={"campaignName": "Calls"}).json()["_id"]
    engage(first).post(f"/campaigns/{one}/action", json={"action": "publish"})
    first.advance(60)
    first.stop()
    whole = first.state()
    second = start(store=path, seed={"slicktext": {"lists": [{"name": "Ignored"}]}})
    state = second.state()
    for part in ("slicktext", "intelepeer", "exotel", "contactcenter", "ledger"):
        assert json.dumps(state[part]) == json.dumps(whole[part])
    assert state["clock"]["offset_s"] == 60
    assert [entry.name for entry in path.parent.iterdir()] == ["store.json"]


def test_store_is_written_while_it_runs(start, tmp_path, texts):
    path = tmp_path / "store.json"
    texts(start(store=path)).post("/lists", json={"name": "Join"})
    until = time.monotonic() + 3
    while not (path.exists() and b"Join" in path.read_bytes()) and time.monotonic() < until:
        time.sleep(0.02)
    assert b"Join" in path.read_bytes()


@pytest.mark.parametrize("content", ["{", "[]", '{"slicktext": {}}'])
def test_a_damaged_store_is_refused(tmp_path, content):
    path = tmp_path / "store.json"
    path.write_text(content)
    with pytest.raises(SandboxError, match=r"store\.json"):
        Sandbox(store=path)


# Start and stop


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "example.com", "::"])
def test_only_loopback(host):
    with pytest.raises(SandboxError, match="loopback"):
        Sandbox(host=host)


def test_start_twice_and_a_taken_port(sandbox):
    with pytest.raises(SandboxError, match="running"):
        sandbox.start()
    with pytest.raises(SandboxError, match="cannot listen"), Sandbox(port=int(sandbox.url.rsplit(":", 1)[1])):
        pass


def test_stop_ends_open_connections(start, texts):
    sandbox = start()
    client = texts(sandbox)
    client.get("/lists")
    begun = time.monotonic()
    sandbox.stop()
    assert time.monotonic() - begun < 0.5
    with pytest.raises(httpx.HTTPError):
        client.get("/lists")
    assert sandbox.state()["slicktext"]["lists"] == []
    sandbox.stop()


def test_state_may_be_read_from_many_threads_while_requests_come(sandbox, texts):
    client = texts(sandbox)
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(30):
                sandbox.state()
                sandbox.ledger()
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for n in range(60):
        assert client.post("/lists", json={"name": f"list {n}"}).status_code == 200
    for reader in readers:
        reader.join()
    assert failures == []


def test_importing_is_cheap_and_a_missing_extra_is_named():
    program = """
import sys
from reconciler.sandbox import Sandbox
assert not {"starlette", "uvicorn", "yaml"} & set(sys.modules)
sys.modules["uvicorn"] = None
try:
    Sandbox().start()
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "pip install 'reconciler[sandbox]'" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_forever_stops_cleanly(tmp_path, number):
    program = """
import sys
from pathlib import Path
from reconciler.sandbox import Sandbox
sandbox = Sandbox(store=Path(sys.argv[1]))
caught = sandbox.serve_forever(on_ready=lambda url: print(url, flush=True))
print(caught, flush=True)
"""
    store = tmp_path / "store.json"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(store)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        headers = {"Authorization": "Bearer sandbox-slicktext-key"}
        with httpx.Client(trust_env=False, verify=False, headers=headers) as client:
            client.post(f"{url}/v1/brands/123456789/lists", json={"name": "Join"})
            process.send_signal(number)
            assert process.stdout.readline().strip() == str(int(number))
        assert process.wait(5) == 0
    assert json.loads(store.read_bytes())["slicktext"]["lists"][0]["name"] == "Join"
