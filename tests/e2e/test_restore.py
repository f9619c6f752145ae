"""``restore``: what an apply removed comes back, and nobody who must not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.app import clock, snapshots
from reconciler.plan.losses import Losses
from reconciler.sandbox import Sandbox
from reconciler.store import open_store

from repository import Repository

A, B, C, D = (f"+1202555011{n}" for n in range(4))
LIST = """\
apiVersion: slicktext/v1
kind: List
metadata: {name: vip}
spec: {name: VIP, description: The best}
lifecycle: {onRemove: delete}
---
"""
CAMPAIGN = """\
apiVersion: slicktext/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring, body: Hello, status: draft}
lifecycle: {onRemove: delete}
---
apiVersion: slicktext/v1
kind: Association
metadata: {name: spring-vip}
spec: {campaign: spring, list: vip}
lifecycle: {onRemove: delete}
"""
DELETE = ("--yes", "--approve", "delete")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    seed = {"slicktext": {"contacts": [{"number": n, "first_name": "P" + n[-1]} for n in (A, B, C, D)]}}
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


def members(*numbers: str, more: str = "") -> str:
    rows = "".join(f"    - {{number: {n!r}}}\n" for n in numbers)
    head = "apiVersion: slicktext/v1\nkind: Membership\nmetadata: {name: people}\n"
    return f"{LIST}{head}spec:\n  list: vip\n  mode: exact\n{more}  contacts:\n{rows}"


def on_list(sandbox: Sandbox) -> set[str]:
    (found,) = sandbox.state()["slicktext"]["lists"]
    return set(found["numbers"])


def snapshot(repository: Repository) -> Path:
    (path,) = (repository.root / ".reconciler" / "snapshots").glob("*.snapshot")
    return path


def held(repository: Repository, **project: str) -> Losses:
    """What is in the snapshot, for whoever has the store."""
    whose = {"project": "test", "environment": ""} | project
    return snapshots.read(snapshot(repository), key=key_of(repository), **whose)


def key_of(repository: Repository) -> bytes:
    with open_store("sqlite:///.reconciler/store.db", namespace="test/", create=False, root=repository.root) as store:
        return store.inventory(members=False).key


@pytest.fixture
def removed(texts: Repository, sandbox: Sandbox) -> Repository:
    """B, C and D were taken off an exact list."""
    texts.write("members.yaml", members(A, B, C, D))
    texts.apply()
    texts.write("members.yaml", members(A))
    texts.apply()
    assert on_list(sandbox) == {A}
    return texts


def test_a_snapshot_is_for_its_owner_alone_and_not_for_git(removed: Repository) -> None:
    path = snapshot(removed)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (path.parent / ".gitignore").read_text() == "*\n"
    lost = held(removed)
    assert [*lost.members[0].contacts.numbers()] == [B, C, D]
    assert lost.identities.keys() == {"main"}
    assert B.encode() not in path.read_bytes()
    assert B.lstrip("+").encode() not in path.read_bytes()


def test_it_is_shown_first_and_brought_back_through_the_ordinary_way(removed: Repository, sandbox: Sandbox) -> None:
    run = snapshot(removed).stem
    before = len(removed.writes())
    shown = removed("restore", run, "--format", "json")
    assert shown.code == 0
    (change,) = shown.json["changes"]
    assert (change["members"]["add"], change["members"]["remove"]) == (3, 0)
    assert B not in shown.out
    assert len(removed.writes()) == before
    assert removed("restore", run, "--apply").code == 5
    assert removed("restore", str(snapshot(removed)), "--apply", "--yes").code == 0
    assert on_list(sandbox) == {A, B, C, D}
    assert removed("restore", run, "--format", "json").json["changes"] == []
    # Git did not change: the next apply would remove them again, and with the old manifest there is nothing to do.
    assert removed.plan().json["summary"]["membersRemove"] == 3
    removed.write("members.yaml", members(A, B, C, D))
    removed.settled()


def test_nobody_comes_back_who_opted_out_or_is_suppressed(removed: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_contact", contact=C, set={"opt_in_status": "unsubscribed"})
    text = f"apiVersion: reconciler/v1\nkind: Suppression\nmetadata: {{name: never}}\nspec: {{numbers: [{D!r}]}}\n"
    removed.write("suppression.yaml", text)
    result = removed("restore", snapshot(removed).stem, "--apply", "--yes")
    assert result.code == 0, result.out + result.err
    assert on_list(sandbox) == {A, B}


def test_what_the_manifests_would_add_besides_is_left_to_an_apply(removed: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "create_contact", number="+12025550199")
    removed.write("members.yaml", members(A, "+12025550199"))
    assert removed("restore", snapshot(removed).stem, "--apply", "--yes").code == 0
    assert on_list(sandbox) == {A, B, C, D}


def test_a_list_with_its_people_its_campaign_and_the_link_come_back(texts: Repository, sandbox: Sandbox) -> None:
    texts.write(
        "members.yaml", members(A, B).replace("kind: Membership\n", "kind: Membership\nlifecycle: {onRemove: delete}\n")
    )
    texts.write("campaign.yaml", CAMPAIGN)
    texts.apply()
    before = sandbox.state()["slicktext"]
    texts.remove("members.yaml")
    texts.remove("campaign.yaml")
    texts.apply()
    assert sandbox.state()["slicktext"]["lists"] == []
    shown = texts("restore", snapshot(texts).stem, "--format", "json")
    assert {a for a, _ in shown.changes()} == {"create"}
    assert "No manifest declares" in shown.err
    assert texts("restore", snapshot(texts).stem, "--apply", "--yes").code == 0
    after = sandbox.state()["slicktext"]
    assert on_list(sandbox) == {A, B}
    assert [(x["name"], x["description"]) for x in after["lists"]] == [("VIP", "The best")]
    assert [(x["name"], x["body"]) for x in after["campaigns"]] == [(x["name"], x["body"]) for x in before["campaigns"]]
    assert after["campaigns"][0]["lists"] == [after["lists"][0]["contact_list_id"]]
    # No manifest asks for it: the next apply lets go of it and deletes nothing.
    assert {a for a, _ in texts.plan().changes()} == {"forget"}


def test_part_of_a_snapshot_can_be_selected(texts: Repository, sandbox: Sandbox) -> None:
    texts.write("members.yaml", members(A))
    texts.write("campaign.yaml", CAMPAIGN)
    texts.apply()
    texts.remove("campaign.yaml")
    texts.apply()
    run = snapshot(texts).stem
    assert texts("restore", run, "--select", "kind:List").code == 64
    changes = texts("restore", run, "--select", "kind:Campaign", "--format", "json").changes()
    assert changes == [("create", "Campaign/spring")]


def test_a_run_without_a_snapshot_and_a_snapshot_of_another_project(removed: Repository) -> None:
    lost = held(removed)
    missing = removed("restore", "nothing")
    assert missing.code == 3
    assert snapshot(removed).stem in missing.err
    path = snapshot(removed)
    sealed = path.read_bytes()
    path.unlink()
    snapshots.write(removed.root, path.stem, lost, key=key_of(removed), project="test", environment="prod")
    assert removed("restore", path.stem).code == 3
    path.unlink()
    snapshots.write(removed.root, path.stem, lost, key=b"k" * 32, project="test", environment="")
    assert removed("restore", path.stem).code == 3
    for at in (0, 30, len(sealed) - 1):
        path.write_bytes(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])
        assert removed("restore", path.stem).code == 3
    path.write_bytes(b"{")
    assert removed("restore", path.stem).code == 3
    assert removed("restore", path.stem, "--yes").code == 64


def test_a_snapshot_of_another_account_is_not_restored(removed: Repository) -> None:
    path = snapshot(removed)
    lost = held(removed)
    other = {"main": lost.identities["main"].replace("123456789", "987654321")}
    path.unlink()
    moved = replace(lost, identities=other)
    snapshots.write(removed.root, path.stem, moved, key=key_of(removed), project="test", environment="")
    refused = removed("restore", path.stem)
    assert refused.code == 6
    assert "another account" in refused.err


def test_without_a_snapshot_when_somebody_says_so_and_never_without_one_unsaid(
    texts: Repository, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts.write("members.yaml", members(A, B))
    texts.apply()
    texts.write("members.yaml", members(A))
    before = len(texts.writes())

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(snapshots, "_private", full)
        failed = texts("apply", *DELETE)
    assert failed.code == 1
    assert "--no-snapshot" in failed.err
    assert len(texts.writes()) == before
    assert texts("apply", *DELETE, "--no-snapshot").code == 0
    assert on_list(sandbox) == {A}
    assert list((texts.root / ".reconciler" / "snapshots").glob("*.snapshot")) == []


def test_old_snapshots_go(removed: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    old = snapshot(removed)
    then = (clock.now() - snapshots.KEPT - timedelta(minutes=1)).timestamp()
    os.utime(old, (then, then))
    removed.write("members.yaml", members(A, B))
    removed.apply()
    assert old.exists()
    removed.write("members.yaml", members(A))
    removed.apply()
    assert not old.exists()
    assert snapshot(removed)


def test_a_large_set_comes_back_as_it_was(removed: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = held(removed)
    monkeypatch.setattr(snapshots, "ROWS_IN_COLUMNS", 2)
    path = snapshots.write(tmp_path, "r1", lost, key=b"k" * 32, project="test", environment="")
    assert snapshots.read(path, key=b"k" * 32, project="test", environment="") == lost


CENTER_ID = "0123456789abcdef0123456789abcdef"
CENTER = f"""\
apiVersion: contactcenter/v1
kind: Account
metadata: {{name: center}}
spec:
  baseUrl: URL
  accountId: {CENTER_ID}
  domain: sandbox
  auth: {{username: sandbox, password: {{env: CONTACTCENTER_PASSWORD}}}}
---
apiVersion: contactcenter/v1
kind: Campaign
metadata: {{name: spring}}
spec: {{name: Spring}}
---
apiVersion: contactcenter/v1
kind: Membership
metadata: {{name: people}}
spec: {{campaign: spring, mode: exact, deleteFinished: true, contacts: [{{number: "{A}"}}]}}
"""


def test_a_lead_that_was_worked_is_never_put_in_line_again(
    repository: Repository, sandbox: Sandbox, tmp_path: Path
) -> None:
    user = {"username": "sandbox", "password": "sandbox-contactcenter-password"}
    waiting, worked = {"number": B}, {"number": C, "status": "success"}
    seed = {
        "contactcenter": {
            "accounts": [{"account_id": CENTER_ID, "domain": "sandbox", "users": [user]}],
            "campaigns": [{"name": "Spring", "leads": [{"number": A}, waiting, worked]}],
        }
    }
    with Sandbox(seed=seed) as running:
        repository.sandbox = running
        repository.write("center.yaml", CENTER)
        repository.apply()
        (account,) = running.state()["contactcenter"]["accounts"]
        assert [lead["number"] for lead in account["campaigns"][0]["leads"]] == [A]
        assert repository("restore", snapshot(repository).stem, "--apply", "--yes").code == 0
        (account,) = running.state()["contactcenter"]["accounts"]
        assert {lead["number"] for lead in account["campaigns"][0]["leads"]} == {A, B}
        assert running.ledger()["contacted"].get("contactcenter", []) == []
