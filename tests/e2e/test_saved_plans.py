"""Saved plans: reviewed, used once, refused when anything changed; and nothing personal in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, tzinfo

import jsonschema
import pytest

from reconciler.app import planning
from reconciler.sandbox import Sandbox

from repository import EXAMPLES, Repository

LIST = """\
apiVersion: slicktext/v1
kind: List
metadata: {name: join}
spec: {name: Join, description: Join the VIP list}
---
apiVersion: slicktext/v1
kind: Membership
metadata: {name: members}
spec:
  list: join
  mode: exact
  contacts: [{number: "+12025550001", first_name: Marty-Planted}]
"""


@pytest.fixture
def sandbox() -> object:
    seed = {"slicktext": {"contacts": [{"number": "+12025550001"}, {"number": "+12025550002"}]}}
    with Sandbox(seed=seed, knobs={"slicktext": {"rate_limit": None}}) as running:
        yield running


@pytest.fixture
def saved(texts: Repository) -> Repository:
    texts.write("list.yaml", LIST)
    result = texts("plan", "--out", "plan.json")
    assert result.code == 0
    assert "reconciler apply plan.json" in result.err
    return texts


def test_it_applies_without_further_approval_once(saved: Repository) -> None:
    assert saved("apply", "plan.json").code == 0
    saved.settled()
    again = saved("apply", "plan.json")
    assert again.code == 6
    assert "can be used once" in again.out + again.err, "refused for what changed, not for having been used"
    assert len(saved.writes()) == 2


def test_it_holds_no_number_no_attribute_and_no_secret(saved: Repository) -> None:
    content = (saved.root / "plan.json").read_text()
    for planted in ("2025550001", "5550001", "Marty-Planted", "sandbox-slicktext-key"):
        assert planted not in content
    assert (saved.root / "plan.json").stat().st_mode & 0o777 == 0o600
    shown = saved("show", "plan.json", "--calls")
    assert shown.code == 0
    assert "Join" in shown.out


def test_it_is_what_its_schema_says(saved: Repository) -> None:
    schema = json.loads((EXAMPLES.parent / "schemas" / "plan.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads((saved.root / "plan.json").read_text()))
    jsonschema.Draft202012Validator(schema).validate(saved.plan("--calls").json)


def test_a_changed_manifest_makes_it_stale(saved: Repository) -> None:
    saved.write("list.yaml", LIST.replace("VIP", "gold"))
    result = saved("apply", "plan.json")
    assert result.code == 6
    assert saved.writes() == []


def test_a_change_behind_gits_back_makes_it_stale(saved: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "create_list", name="Join", description="mine")
    result = saved("apply", "plan.json")
    assert result.code == 6
    assert "main/List/join" in result.err
    assert saved.writes() == []


def test_an_unrelated_change_does_not(saved: Repository, sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "create_list", name="Unrelated")
    assert saved("apply", "plan.json").code == 0


@pytest.mark.parametrize("damage", ["cut", "edited", "expiry", "digest"])
def test_a_damaged_or_edited_file_is_refused(saved: Repository, damage: str) -> None:
    path = saved.root / "plan.json"
    text = path.read_text()
    document = json.loads(text)
    match damage:
        case "cut":
            text = text[: len(text) // 2]
        case "edited":
            document["changes"][0]["deltas"][0]["desired"] = "Something harmless"
            text = json.dumps(document)
        case "expiry":
            document["expiresAt"] = "2099-01-01T00:00:00Z"
            text = json.dumps(document)
        case "digest":
            head, hash_ = document["digest"].rsplit("$", 1)
            document["digest"] = f"{head}${hash_[::-1]}"
            text = json.dumps(document)
    path.write_text(text)
    assert saved("apply", "plan.json").code == 6
    assert saved.writes() == []


def test_it_expires(texts: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    texts.write("list.yaml", LIST)
    assert texts("plan", "--out", "plan.json", "--ttl", "1s").code == 0
    later = datetime.now(UTC) + timedelta(hours=1)

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return later

    with monkeypatch.context() as patch:
        patch.setattr(planning, "datetime", Later)
        assert texts("apply", "plan.json").code == 6
    assert texts.writes() == []


def test_expect_is_the_same_check_without_the_file(texts: Repository) -> None:
    texts.write("list.yaml", LIST)
    digest = texts.plan().json["digest"]
    assert texts("apply", "--expect", digest[:-3] + "AAA").code == 6
    assert texts("apply", "--expect", "nonsense").code == 6
    assert texts.writes() == []
    assert texts("apply", "--expect", digest).code == 0
    texts.settled()


def test_contacting_people_is_approved_by_name_even_with_a_saved_plan(texts: Repository) -> None:
    texts.write(
        "campaign.yaml",
        LIST
        + """\
---
apiVersion: slicktext/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring, body: Hello, status: scheduled, scheduled: "2099-05-01 14:00:00"}
---
apiVersion: slicktext/v1
kind: Association
metadata: {name: link}
spec: {campaign: spring, list: join}
""",
    )
    assert texts("plan", "--out", "plan.json").code == 0
    assert texts("apply", "plan.json").code == 5
    assert texts.writes() == []
    assert texts("apply", "plan.json", "--approve", "contact").code == 0
