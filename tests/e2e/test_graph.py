"""``graph``: what is declared as a picture, with no provider asked and no secret needed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from repository import SECRETS, Repository

VIP = {
    ("texts/Membership/vip-members", "texts/List/vip", "exact"),
    ("texts/List/vip", "texts/Association/preview--vip", "feeds"),
    ("texts/Association/preview--vip", "texts/Campaign/preview", "feeds"),
}
OTHERS = {
    ("calls/Membership/vip-call-people", "calls/List/vip-calls", "additive"),
    ("calls/List/vip-calls", "calls/Association/invitation--vip-calls", "feeds"),
    ("calls/Association/invitation--vip-calls", "calls/Campaign/invitation", "feeds"),
    ("voice/Membership/callback-people", "voice/List/callbacks", "exact"),
    ("center/Membership/welcome-leads", "center/Campaign/welcome", "additive"),
}
LEADS_BY_ID = """\
apiVersion: contactcenter/v1
kind: Account
metadata: {name: center}
spec:
  baseUrl: URL
  accountId: 0123456789abcdef0123456789abcdef
  domain: acme
  auth: {username: {env: CONTACTCENTER_USERNAME}, password: {env: CONTACTCENTER_PASSWORD}}
---
apiVersion: contactcenter/v1
kind: Membership
metadata: {name: leads}
spec: {campaign: {id: 'x"->y'}, mode: additive, contacts: [{number: "+12025550171"}]}
"""


@pytest.fixture
def four(example: Callable[[str], Repository], monkeypatch: pytest.MonkeyPatch) -> Repository:
    for name in SECRETS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RECONCILER_ALLOWED_HOSTS", "127.0.0.1")
    return example("four")


def edges(repository: Repository, *words: str) -> set[tuple[str, str, str]]:
    result = repository("graph", "--format", "json", *words)
    assert result.code == 0, result.err
    return {(e["from"], e["to"], e["as"]) for e in result.json["edges"]}


def test_every_resource_and_relation_is_drawn(four: Repository) -> None:
    assert edges(four) == VIP | OTHERS
    drawn = four("graph", "--format", "json").json
    assert {n["address"] for n in drawn["nodes"]} == {end for e in VIP | OTHERS for end in e[:2]}
    assert all(n["declared"] for n in drawn["nodes"])
    assert drawn["accounts"] == ["calls", "center", "texts", "voice"]
    assert four.sandbox.requests() == []
    assert not (four.root / ".reconciler").exists()


def test_dot_is_what_comes_without_a_format(four: Repository) -> None:
    dot = four("graph", "--report", "mermaid=graph.mmd").out
    assert dot.startswith("digraph reconciler {\n")
    assert '"texts/List/vip" -> "texts/Campaign/preview" [label="preview--vip"];' in dot
    assert "Association" not in dot
    mermaid = (four.root / "graph.mmd").read_text()
    assert mermaid == four("--format", "mermaid", "graph").out
    assert mermaid.startswith("flowchart LR\n")
    assert mermaid.count("-->") == sum(1 for e in VIP | OTHERS if "/Association/" not in e[0])


def test_a_selection_is_drawn_with_what_it_touches(four: Repository) -> None:
    assert edges(four, "--select", "account:texts") == VIP
    assert edges(four, "--exclude", "account:texts") == OTHERS
    assert edges(four, "--select", "texts/Membership/*") == {e for e in VIP if e[2] == "exact"}
    chosen = four("graph", "--format", "json", "--select", "texts/Membership/*").json["nodes"]
    assert [(n["address"], n["declared"]) for n in chosen] == [
        ("texts/List/vip", True),
        ("texts/Membership/vip-members", True),
    ]
    wrong = four("graph", "--select", "texts/List/vop")
    assert wrong.code == 64
    assert "did you mean texts/List/vip?" in wrong.err


def test_what_hangs_on_an_id_hangs_on_the_kind_that_its_provider_means(repository: Repository) -> None:
    repository.write("leads.yaml", LEADS_BY_ID)
    nodes = repository("graph", "--format", "json").json["nodes"]
    assert [(n["address"], n["declared"]) for n in nodes] == [
        ('center/Campaign/~x"->y', False),
        ("center/Membership/leads", True),
    ]
    assert json.dumps('center/Campaign/~x"->y') in repository("graph").out


def test_manifests_with_errors_are_not_drawn(texts: Repository) -> None:
    texts.write("list.yaml", "apiVersion: slicktext/v1\nkind: List\nmetadata: {name: vip}\nspec: {nmae: VIP}\n")
    result = texts("graph")
    assert (result.code, result.out) == (3, "")
    assert "nmae" in result.err


def test_a_format_of_plans_is_none_of_graphs(texts: Repository) -> None:
    assert texts("graph", "--format", "text").code == 64
