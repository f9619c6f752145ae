"""``status``: how the accounts are doing, in every format; reads only."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconciler.providers.slicktext import SlickTextProvider
from reconciler.render.status import render_status
from reconciler.sandbox import Sandbox

from repository import CALLS, Repository

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "status.json").read_bytes())
LIST = "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: vip}\nspec: {name: VIP}\n"


class Silent:
    """A session of a provider that tells nothing about health."""

    async def aclose(self) -> None:
        pass


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    seed = {
        "slicktext": {
            "lists": [
                {"id": 10, "name": "VIP", "members": ["+12025550001", "+12025550002"]},
                {"id": 11, "name": "Ask +1 202 555 0009"},
            ],
            "campaigns": [
                {"id": 30, "name": "Spring", "lists": ["VIP"]},
                {"id": 31, "name": "Old", "status": "sent", "lists": ["VIP"]},
            ],
        },
        "intelepeer": {
            "lists": [{"id": "list1", "name": "Engage List", "headers": ["phone"], "members": ["+12025550001"]}],
            "campaigns": [{"id": "camp1", "name": "Calls", "state": "published", "lists": ["Engage List"]}],
        },
    }
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def both(texts: Repository) -> Repository:
    texts.write("calls.yaml", CALLS)
    return texts


MEMBERS = """\
apiVersion: intelepeer/v1
kind: List
metadata: {name: people}
spec: {name: Fresh list, headers: [phone]}
---
apiVersion: intelepeer/v1
kind: Membership
metadata: {name: people}
spec: {list: people, mode: additive, contacts: [{number: "+12025550003"}, {number: "+12025550004"}]}
"""


def test_an_upload_is_told_while_it_is_on_its_way_and_when_it_was_left(both: Repository, sandbox: Sandbox) -> None:
    both.write("members.yaml", MEMBERS)
    slow = {"method": "PUT", "path": "*/uploadcontacts", "fault": {"kind": "latency", "ms": 30_000}}
    sandbox.set_faults([slow])
    command = [
        sys.executable,
        "-c",
        "from reconciler.cli import main; main()",
        "apply",
        "--yes",
        "--approve",
        "contact",
    ]
    applying = subprocess.Popen(command, cwd=both.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while "engage/Membership/people" not in rows(both, "engage") and time.monotonic() < until:
        time.sleep(0.05)
    told = rows(both, "engage")["engage/Membership/people"]
    assert (told["subject"], told["state"], told["healthy"]) == ("upload", "in progress", True)
    assert dict(told["figures"])["people"] == 2  # type: ignore[call-overload]
    applying.kill()
    applying.wait()
    told = rows(both, "engage")["engage/Membership/people"]
    assert (told["state"], told["healthy"]) == ("left open", False)
    assert both("status", "--exit-code").code == 2


def rows(repository: Repository, account: str, *words: str) -> dict[str, dict[str, object]]:
    document = repository("status", "--format", "json", *words).json
    assert list(Draft202012Validator(SCHEMA).iter_errors(document)) == []
    (found,) = [a for a in document["accounts"] if a["name"] == account]
    return {row["name"]: row for row in found["rows"]}


def test_a_healthy_account(both: Repository, sandbox: Sandbox) -> None:
    result = both("status", "--exit-code")
    assert (result.code, result.err) == (0, "")
    assert "Nothing is wrong with 7 things observed." in result.out
    found = rows(both, "main")
    assert found["Spring"]["state"] == "draft"
    assert found["Spring"]["figures"] == {"people": 2, "completion %": 0, "lists": 1}
    assert found["Old"]["state"] == "sent"
    assert found["VIP"]["figures"] == {"people": 2}
    calls = rows(both, "engage")
    assert calls["Calls"]["state"] == "published"
    assert calls["Calls"]["figures"]["entries"] == 1
    assert calls["Engage List"]["figures"] == {"entries": 1}
    assert both.writes() == []
    assert not (both.root / ".reconciler").exists()


def test_a_run_that_failed_is_told(calls: Repository, sandbox: Sandbox) -> None:
    sandbox.turn(intelepeer={"run_fails": True})
    calls("call", "engage", "campaigns.run", "id=camp1", "--approve", "contact")
    assert calls("status").code == 0
    assert calls("status", "--exit-code").code == 2
    row = rows(calls, "engage")["Calls"]
    assert (row["state"], row["healthy"]) == ("error", False)
    assert "! campaign" in calls("status").out
    assert "in error" in calls("status", "--format", "concise").out


def test_a_dangling_link_and_a_failure_are_told(texts: Repository, sandbox: Sandbox) -> None:
    texts("call", "main", "lists.delete", "list_id=10", "--yes")
    found = rows(texts, "main")
    assert found["Spring"]["problem"] == "its audience names lists that do not exist: 10"
    assert found["Old"]["healthy"] is True
    sandbox.tamper("slicktext", "create_campaign", name="Broken", status="failed")
    assert "failed" in str(rows(texts, "main")["Broken"]["problem"])


def test_what_is_ours_has_our_name(texts: Repository) -> None:
    texts.write("list.yaml", LIST)
    texts.apply()
    found = rows(texts, "main")
    assert found["VIP"]["address"] == "main/List/vip"
    assert found["Spring"]["address"] == ""
    assert "VIP (List/vip)" in texts("status").out


def test_an_account_that_cannot_be_read_is_told_beside_the_others(
    both: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLICKTEXT_API_KEY", "wrong-key-altogether")
    result = both("status")
    assert result.code == 4
    assert "credentials-refused" in result.out
    assert "Calls" in result.out
    assert rows(both, "main") == {}
    assert both("status", "--select", "account:engage").code == 0


def test_an_incomplete_read_is_10(texts: Repository, sandbox: Sandbox) -> None:
    sandbox.set_faults([{"method": "GET", "path": "/v1/*/campaigns", "fault": {"kind": "truncate"}}])
    result = texts("status", "--exit-code")
    assert result.code == 10
    assert "could not be read" in result.out


def test_a_provider_without_health_is_no_failure(texts: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SlickTextProvider, "connect", lambda *_: Silent())
    result = texts("status", "--exit-code")
    assert result.code == 0
    assert "tells nothing about health" in result.out
    assert rows(texts, "main") == {}


def test_numbers_are_masked_and_reports_written(texts: Repository) -> None:
    for format_ in ("text", "concise", "json"):
        result = texts("status", "--format", format_, "--report", f"{format_}=out.{format_}")
        assert "555 0009" not in result.out
        assert "555 0009" not in (texts.root / f"out.{format_}").read_text()
    assert "555 0009" in texts("status", "--show-pii").out


def test_markdown_is_a_table_that_names_cannot_break() -> None:
    row = {
        "subject": "campaign",
        "remoteId": "1",
        "name": "a|b <b>",
        "address": "",
        "state": "draft",
        "healthy": False,
        "problem": "broken",
        "figures": {"people": 1200},
    }
    account = {
        "name": "main",
        "provider": "slicktext",
        "healthy": False,
        "observable": True,
        "requests": 1,
        "elapsedSeconds": 0.1,
        "problem": None,
        "rows": [row],
    }
    summary = {"accounts": 1, "unread": 0, "observed": 1, "unhealthy": 1}
    text = render_status({"accounts": [account], "summary": summary}, "markdown", width=100, color=False)
    assert "| campaign | a\\|b &lt;b&gt; | draft | people 1,200 | broken |" in text


def test_markdown_is_a_table_and_data_stays_data(both: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_list", list="VIP", set={"name": "V|P <b>@team</b> [x](y) `z`"})
    result = both("status", "--format", "markdown", "--report", "markdown=status.md")
    assert result.code == 0
    assert "| | name | state | figures | problem |" in result.out
    assert "V\\|P &lt;b&gt;@<!-- -->team&lt;/b&gt; \\[x\\](y) \\`z\\`" in result.out
    assert (both.root / "status.md").read_text() == result.out
    assert both("status", "--format", "sarif").code == 64
