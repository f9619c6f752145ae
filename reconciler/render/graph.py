"""What is declared and what hangs on what, as DOT, Mermaid or JSON. Names are data: they are quoted, never syntax."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from reconciler.errors import UsageError
from reconciler.render.json import document_json
from reconciler.render.screen import safe

FORMATS = ("dot", "mermaid", "json")

_SHAPES = {"List": "box", "Campaign": "doubleoctagon", "Association": "ellipse", "Membership": "folder"}
_BRACKETS = {"List": ("[", "]"), "Campaign": ("{{", "}}"), "Association": ("(", ")"), "Membership": ("[/", "/]")}

# Mermaid looks for directives, styles and Markdown in quotes too: only what never means anything is left as it is.
_MEANINGFUL = re.compile(r"[^\w ./~-]")


def render_graph(doc: Mapping[str, Any], format: str) -> str:
    """A graph document in one of ``FORMATS``; an arrow goes from what feeds to what is fed. In a picture an Association
    is the arrow from its list to its campaign; JSON has it as a node. Raises UsageError."""
    match format:
        case "dot":
            return _dot(_drawn(doc))
        case "mermaid":
            return _mermaid(_drawn(doc))
        case "json":
            return document_json(doc)
        case _:
            raise UsageError(f"a graph is not written as {format}", hint=f"one of: {', '.join(FORMATS)}")


def _drawn(doc: Mapping[str, Any]) -> Mapping[str, Any]:
    """A link is an arrow with its name, as long as nothing but its two ends hangs on it."""
    into, out_of = Counter(e["to"] for e in doc["edges"]), Counter(e["from"] for e in doc["edges"])
    links = {
        node["address"]: node["name"]
        for node in doc["nodes"]
        if node["kind"] == "Association" and into[node["address"]] == out_of[node["address"]] == 1
    }
    ends = {e["from"]: e["to"] for e in doc["edges"] if e["from"] in links}
    arrows = [
        {**e, "to": ends[e["to"]], "as": links[e["to"]]} if e["to"] in links else e
        for e in doc["edges"]
        if e["from"] not in links
    ]
    return {**doc, "nodes": [n for n in doc["nodes"] if n["address"] not in links], "edges": arrows}


def _label(node: Mapping[str, Any]) -> str:
    return f"{node['kind']}/{node['name']}"


def _dot(doc: Mapping[str, Any]) -> str:
    lines = ["digraph reconciler {", "  rankdir=LR;", '  node [fontname="sans-serif"];']
    for number, account in enumerate(doc["accounts"]):
        lines += [f"  subgraph cluster_{number} {{", f"    label={_shown(account)};"]
        lines += [f"    {_dot_node(node)}" for node in doc["nodes"] if node["account"] == account]
        lines.append("  }")
    lines += [f"  {_quoted(e['from'])} -> {_quoted(e['to'])} [label={_shown(e['as'])}];" for e in doc["edges"]]
    return "\n".join([*lines, "}"]) + "\n"


def _dot_node(node: Mapping[str, Any]) -> str:
    shape = _SHAPES.get(node["kind"], "box")
    style = "" if node["declared"] else ", style=dashed"
    return f"{_quoted(node['address'])} [label={_shown(_label(node))}, shape={shape}{style}];"


def _quoted(text: str) -> str:
    """A DOT identifier: backslashes are doubled, so that none of them escapes anything."""
    return json.dumps(safe(text), ensure_ascii=False)


def _shown(text: str) -> str:
    """A DOT label, in which Graphviz would read HTML entities as well."""
    return _quoted(text.replace("&", "&amp;"))


def _mermaid(doc: Mapping[str, Any]) -> str:
    """Ids are numbers, because Mermaid gives many a word in a name a meaning of its own."""
    ids = {node["address"]: f"n{number}" for number, node in enumerate(doc["nodes"])}
    lines = ["flowchart LR"]
    for number, account in enumerate(doc["accounts"]):
        lines.append(f'  subgraph a{number}["{_entities(account)}"]')
        for node in doc["nodes"]:
            if node["account"] == account:
                left, right = _BRACKETS.get(node["kind"], ("[", "]"))
                lines.append(f'    {ids[node["address"]]}{left}"{_entities(_label(node))}"{right}')
        lines.append("  end")
    lines += [f'  {ids[e["from"]]} -->|"{_entities(e["as"])}"| {ids[e["to"]]}' for e in doc["edges"]]
    return "\n".join(lines) + "\n"


def _entities(text: str) -> str:
    return _MEANINGFUL.sub(lambda found: f"#{ord(found.group())};", safe(text))
