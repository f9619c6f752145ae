"""A graph's pictures: whatever things are called, the names are data in them and never syntax."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_documents import hostile, ordinary

from reconciler.errors import UsageError
from reconciler.masking import harmless
from reconciler.render.graph import FORMATS, render_graph

INJECTIONS = (
    '"];forged->forged["',
    "\\",
    '\\"',
    "&quot;",
    "#quot;",
    "%%{init: {}}%%",
    '"]\nend',
    "style a:b#c",
    "`",
    "\\N",
)
names = st.one_of(ordinary, hostile, st.lists(st.sampled_from(INJECTIONS), min_size=1, max_size=3).map("".join))

_DOT_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def document(account: str, people: str, list_: str, *, declared: bool = True) -> dict[str, Any]:
    ends = [f"{account}/Membership/{people}", f"{account}/List/{list_}"]
    nodes = [
        {"address": ends[0], "account": account, "kind": "Membership", "name": people, "declared": True},
        {"address": ends[1], "account": account, "kind": "List", "name": list_, "declared": declared},
    ]
    edges = [{"from": ends[0], "to": ends[1], "as": "exact"}]
    return {"formatVersion": "1", "accounts": [account], "nodes": nodes, "edges": edges}


@given(names, names, names)
def test_names_are_data_in_dot(account: str, people: str, list_: str) -> None:
    drawn = render_graph(document(account, people, list_), "dot")
    plain = render_graph(document("a", "b", "c"), "dot")
    assert _DOT_STRING.sub('""', drawn) == _DOT_STRING.sub('""', plain)
    texts = [json.loads(text) for text in _DOT_STRING.findall(drawn)]
    assert texts[1] == harmless(account.replace("&", "&amp;"))
    assert html.unescape(texts[3]) == html.unescape(harmless(f"Membership/{people}".replace("&", "&amp;")))
    assert harmless(drawn.replace("\n", " ")) == drawn.replace("\n", " ")


@given(names, names, names)
def test_names_are_data_in_mermaid(account: str, people: str, list_: str) -> None:
    drawn = render_graph(document(account, people, list_), "mermaid")
    plain = render_graph(document("a", "b", "c"), "mermaid")
    assert re.sub(r'"[^"]*"', '""', drawn) == re.sub(r'"[^"]*"', '""', plain)
    texts = re.findall(r'"([^"]*)"', drawn)
    assert not set("".join(re.sub(r"#\d+;", "", t) for t in texts)) & set('#;:&%{}<>`|\\"[]()*')
    assert [re.sub(r"#(\d+);", lambda m: chr(int(m[1])), t) for t in texts[:3]] == [
        harmless(account),
        harmless(f"Membership/{people}"),
        harmless(f"List/{list_}"),
    ]


@given(names, names, names)
def test_json_gives_the_names_back(account: str, people: str, list_: str) -> None:
    given_ = document(account, people, list_)
    assert json.loads(render_graph(given_, "json")) == given_


def test_what_nobody_declares_looks_different() -> None:
    dashed = [w for w in render_graph(document("a", "b", "~7", declared=False), "dot").splitlines() if "dashed" in w]
    assert len(dashed) == 1
    assert '"a/List/~7"' in dashed[0]


def test_another_format_is_refused() -> None:
    with pytest.raises(UsageError, match="svg"):
        render_graph(document("a", "b", "c"), "svg")
    assert FORMATS[0] == "dot"


def linked(*more: tuple[str, str]) -> dict[str, Any]:
    """A list that feeds a campaign, and more arrows from or to the Association between them."""
    ends = [("a/List/vip", "a/Association/spring--vip"), ("a/Association/spring--vip", "a/Campaign/spring"), *more]
    nodes = [
        {
            "address": address,
            "account": "a",
            "kind": address.split("/")[1],
            "name": address.split("/")[2],
            "declared": True,
        }
        for address in sorted({end for pair in ends for end in pair})
    ]
    edges = [{"from": start, "to": end, "as": "feeds"} for start, end in ends]
    return {"formatVersion": "1", "accounts": ["a"], "nodes": nodes, "edges": edges}


def test_an_association_is_an_arrow_in_a_picture_and_a_node_in_json() -> None:
    assert '"a/List/vip" -> "a/Campaign/spring" [label="spring--vip"];' in render_graph(linked(), "dot")
    assert render_graph(linked(), "dot").count("->") == 1
    assert render_graph(linked(), "mermaid").count("-->") == 1
    assert '-->|"spring--vip"|' in render_graph(linked(), "mermaid")
    assert json.loads(render_graph(linked(), "json")) == linked()


def test_an_association_that_something_else_hangs_on_keeps_its_place() -> None:
    drawn = render_graph(linked(("a/Association/spring--vip", "a/List/other")), "dot")
    assert drawn.count("->") == 3
    assert 'label="Association/spring--vip"' in drawn
