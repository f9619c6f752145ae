"""``drift`` names exactly what somebody moved in four portals, as what it is, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from reconciler.sandbox import Sandbox

from repository import EXAMPLES, Repository

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "drift.json").read_bytes())
NAME = "four"
SIDE_LIST = "default_trans_list"


@pytest.fixture
def sandbox() -> object:
    with Sandbox(seed=EXAMPLES / NAME / "sandbox.yaml", knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def four(example: Callable[[str], Repository], sandbox: Sandbox) -> Repository:
    """The example of all four providers, applied."""
    repository = example(NAME)
    project = repository.root / "reconciler.yaml"
    document = yaml.safe_load(project.read_text())
    document["spec"]["variables"] |= {v: sandbox.url for v in document["spec"]["variables"] if v.endswith("_url")}
    project.write_text(yaml.safe_dump(document))
    repository.apply()
    return repository


def items(repository: Repository, code: int) -> dict[str, dict[str, Any]]:
    before = len(repository.writes())
    result = repository("drift", "--format", "json")
    assert result.code == code, result.out + result.err
    jsonschema.validate(result.json, SCHEMA)
    assert len(repository.writes()) == before
    summary = result.json["summary"]
    assert sum(summary[s] for s in ("drifted", "pending", "conflict", "missing", "unmanaged", "accepted")) == len(
        result.json["items"]
    )
    # Every IntelePeer account comes with a list of its own.
    return {i["address"]: i for i in result.json["items"] if i["title"] != SIDE_LIST}


def test_nothing_has_drifted_after_an_apply(four: Repository) -> None:
    assert items(four, 0) == {}
    assert "Nothing drifted" in four("drift").out


TAMPERING: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("slicktext", "edit_list", {"list": "VIP customers", "set": {"description": "x"}}, "texts/List/vip", "drifted"),
    ("slicktext", "edit_list", {"list": "VIP customers", "set": {"name": "VIPs"}}, "texts/List/vip", "drifted"),
    ("slicktext", "delete_list", {"list": "VIP customers"}, "texts/List/vip", "missing"),
    (
        "slicktext",
        "remove_members",
        {"list": "VIP customers", "numbers": ["+12025550012"]},
        "texts/Membership/vip-members",
        "drifted",
    ),
    (
        "slicktext",
        "add_members",
        {"list": "VIP customers", "numbers": ["+12025550035"]},
        "texts/Membership/vip-members",
        "drifted",
    ),
    ("slicktext", "delete_contact", {"contact": "+12025550012"}, "texts/Membership/vip-members", "drifted"),
    (
        "slicktext",
        "edit_campaign",
        {"campaign": "Spring preview", "set": {"body": "Buy!"}},
        "texts/Campaign/preview",
        "drifted",
    ),
    ("slicktext", "delete_campaign", {"campaign": "Spring preview"}, "texts/Campaign/preview", "missing"),
    ("slicktext", "create_list", {"name": "By hand"}, "texts/List/~*", "unmanaged"),
    (
        "intelepeer",
        "add_contacts",
        {"list": "VIP calls", "numbers": ["+16155550119"]},
        "calls/Membership/vip-call-people",
        "drifted",
    ),
    (
        "intelepeer",
        "edit_campaign",
        {"campaign": "Spring invitation", "set": {"campaignDescription": "x"}},
        "calls/Campaign/invitation",
        "drifted",
    ),
    (
        "intelepeer",
        "unlink",
        {"campaign": "Spring invitation", "list": "VIP calls"},
        "calls/Association/invitation--vip-calls",
        "missing",
    ),
    ("exotel", "edit_list", {"list": "Callbacks", "set": {"tag": "x"}}, "voice/List/callbacks", "drifted"),
    ("exotel", "delete_list", {"list": "Callbacks"}, "voice/List/callbacks", "missing"),
    (
        "exotel",
        "remove_members",
        {"list": "Callbacks", "numbers": ["+12025550003"]},
        "voice/Membership/callback-people",
        "drifted",
    ),
    (
        "contactcenter",
        "delete_lead",
        {"campaign": "Welcome calls", "lead": "+12025550171"},
        "center/Membership/welcome-leads",
        "drifted",
    ),
    (
        "intelepeer",
        "remove_contacts",
        {"list": "VIP calls", "numbers": ["+16155550111"]},
        "calls/Membership/vip-call-people",
        "drifted",
    ),
    ("contactcenter", "delete_campaign", {"campaign": "Welcome calls"}, "center/Campaign/welcome", "missing"),
]


@pytest.mark.parametrize(
    ("provider", "operation", "arguments", "address", "state"),
    TAMPERING,
    ids=[f"{p}-{o}-{s}-{i}" for i, (p, o, _, _, s) in enumerate(TAMPERING)],
)
def test_one_edit_in_a_portal_is_one_item(
    four: Repository,
    sandbox: Sandbox,
    provider: str,
    operation: str,
    arguments: dict[str, Any],
    address: str,
    state: str,
) -> None:
    sandbox.tamper(provider, operation, **arguments)
    found = items(four, 0 if state == "unmanaged" else 2)
    assert len(found) == 1, found
    item = next(iter(found.values()))
    assert item["state"] == state
    assert item["address"].startswith(address.rstrip("*"))
    for word in ("drift", "--format", "concise"), ("drift",):
        told = four(*word)
        assert state in told.out
        assert "+1202555" not in told.out
    advised(four, item)


def advised(four: Repository, item: dict[str, Any]) -> None:
    """Whoever follows the remedy gets what it says: the command is run as it stands, and nothing has drifted then."""
    if item["state"] == "unmanaged":
        assert f"reconciler import {item['account']}" in item["remedy"]
    elif "no apply can" in item["remedy"]:
        plan = four.plan("--select", item["address"], "--detailed-exitcode")
        assert plan.code in (0, 3), "an apply would do something, although the remedy says that none can"
    else:
        command = item["remedy"].split("reconciler ", 1)[1].split(";")[0].split()
        four(*command, "--yes", "--approve", "delete,contact")
        assert items(four, 0) == {}


def test_both_sides_moved_is_a_conflict_and_git_alone_is_pending(four: Repository, sandbox: Sandbox) -> None:
    manifest = four.root / "manifests" / "texts.yaml"
    text = manifest.read_text().replace("Customers with more than ten orders", "Ours")
    manifest.write_text(text)
    pending = items(four, 0)
    assert {a: i["state"] for a, i in pending.items()} == {"texts/List/vip": "pending"}
    sandbox.tamper("slicktext", "edit_list", list="VIP customers", set={"description": "Theirs"})
    conflict = items(four, 2)["texts/List/vip"]
    assert conflict["state"] == "conflict"
    field = conflict["fields"][0]
    assert (field["lastApplied"], field["live"], field["desired"]) == (
        "Customers with more than ten orders",
        "Theirs",
        "Ours",
    )
    sandbox.tamper("slicktext", "edit_list", list="VIP customers", set={"description": "Ours"})
    assert items(four, 0) == {}
    four.apply()
    sandbox.tamper("slicktext", "edit_list", list="VIP customers", set={"description": "Theirs"})
    assert items(four, 2)["texts/List/vip"]["state"] == "drifted"


def test_a_waiver_keeps_the_exit_code_and_shows_its_reason(four: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_list", list="VIP customers", set={"description": "x"})
    four.write(
        "waiver.yaml",
        "apiVersion: reconciler/v1\nkind: Waiver\nmetadata: {name: vip}\n"
        "spec: {address: texts/List/vip, fields: [description], reason: until the launch, expires: 2099-01-31}\n",
    )
    found = items(four, 0)["texts/List/vip"]
    assert (found["accepted"], found["waiver"]) == ("waived", "until the launch (until 2099-01-31)")


def test_an_account_that_cannot_be_read_is_said_and_the_others_are_compared(
    four: Repository, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.tamper("exotel", "edit_list", list="Callbacks", set={"tag": "x"})
    monkeypatch.setenv("SLICKTEXT_API_KEY", "revoked")
    found = items(four, 4)
    assert {a: i["state"] for a, i in found.items()} == {"voice/List/callbacks": "drifted"}


def test_an_apply_puts_right_what_drifted(four: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_list", list="VIP customers", set={"description": "x"})
    sandbox.tamper("exotel", "remove_members", list="Callbacks", numbers=["+12025550003"])
    assert len(items(four, 2)) == 2
    four.apply()
    assert items(four, 0) == {}
