"""The pages of ``docs/reference``, out of the code that they are about: commands, exit codes, codes, kinds, JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from reconciler.app.codes import TABLES
from reconciler.cli import cli
from reconciler.errors import Exit
from reconciler.manifest.fields import Field, explained
from reconciler.manifest.schemas import schema_files
from reconciler.providers import registry
from reconciler.providers.base import BringsCodes

ROOT = Path(__file__).parents[2]
MARK = "<!-- Written by `make golden` from the code. -->"

TITLES = {
    "contactcenter": "contact centre",
    "exotel": "Exotel",
    "intelepeer": "IntelePeer Engage",
    "reconciler": "our own kinds",
    "slicktext": "SlickText",
}
DOCUMENTS = {
    "plan": "`plan`, `show` and a saved plan",
    "report": "`apply`",
    "drift": "`drift`",
    "status": "`status`",
    "dial": "`dial`",
    "graph": "`graph`",
    "import": "`import`",
    "history": "`history`",
    "run": "`history show RUN`",
    "inventory": "`inventory list`",
    "locks": "`lock list` and `lock break`",
    "operations": "`call --list`",
    "diagnostics": "`validate` and `guard`",
    "fmt": "`fmt`",
    "init": "`init`",
    "explain": "`explain`",
    "schemas": "`schema`",
    "version": "`version`",
}
_OF_EVERY_KIND = ("metadata", "lifecycle")

Codes = Mapping[str, tuple[str, str]]


def pages() -> dict[str, str]:
    """Every page by its file's name."""
    kinds = {f"kinds-{provider}.md": _kinds(provider) for provider in TITLES}
    return {
        "commands.md": _commands(),
        "exit-codes.md": _exit_codes(),
        "diagnostics.md": _diagnostics(),
        "json.md": _documents(),
        **kinds,
    }


def _page(title: str, about: str, parts: Sequence[str]) -> str:
    return "\n\n".join([f"# {title}", MARK, about, *parts]) + "\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines).replace("| --- ", "|---").replace("--- |", "---|")


def _prose(text: str) -> str:
    """A text for people as a cell or a paragraph: what Markdown would take for its own outside of code is escaped."""
    pieces = re.split(r"(`[^`]*`)", " ".join(text.split()))
    shown = [piece if piece.startswith("`") else re.sub(r"([*_<\[\]\\])", r"\\\1", piece) for piece in pieces]
    return "".join(shown).replace("|", "\\|")


def _code(text: str) -> str:
    """``text`` as code in a cell, empty when it is."""
    return f"`{text}`".replace("|", "\\|") if text else ""


# --- commands --------------------------------------------------------------------------------------------------------


def _commands() -> str:
    top = click.Context(cli, info_name="reconciler")
    shared = {name for p in cli.params if isinstance(p, click.Option) for name in p.opts} | {"--help"}
    shared.remove("--format")  # of which each command says its own
    parts = ["## Options of every command", "They stand before or after the command.", _options(cli, top, set())]
    for name in cli.list_commands(top):
        command = cli.get_command(top, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=top)
        usage = " ".join([name, *command.collect_usage_pieces(context)])
        parts += [f"## {name}", _code(usage), *_help(command)]
        if options := _options(command, context, shared):
            parts.append(options)
    return _page("Commands", "What `--help` says of each command, on one page.", parts)


def _help(command: click.Command) -> Iterator[str]:
    for paragraph in (command.help or "").replace("\b", "").split("\n\n"):
        if told := _prose(paragraph):
            yield told


def _options(command: click.Command, context: click.Context, without: set[str]) -> str:
    records = [
        record
        for option in command.get_params(context)
        if isinstance(option, click.Option) and not without & set(option.opts)
        if (record := option.get_help_record(context)) is not None
    ]
    return _table(["option", "means"], [[_code(name), _prose(told)] for name, told in records]) if records else ""


# --- exit codes and diagnostics --------------------------------------------------------------------------------------


def _exit_codes() -> str:
    rows = [[str(int(code)), _prose(code.meaning), _prose(code.remedy)] for code in Exit]
    about = (
        "Every command ends with one of these. Where several would fit, the first in the order of the checks counts: "
        "usage, manifests, lease, credentials, reads, the saved plan, problems that block, approvals and guards. Once "
        "a write was sent it is 130 or 143, else 9, else 7."
    )
    return _page("Exit codes", about, [_table(["code", "means", "what to do"], rows)])


def code_tables() -> dict[str, Codes]:
    """The codes of the tool and of the providers that come with it, by whom they are of."""
    tables: dict[str, Codes] = dict(TABLES)
    for name in sorted(registry.BUILT_IN):
        provider = registry.get(name)
        if isinstance(provider, BringsCodes):
            tables[TITLES[name][:1].upper() + TITLES[name][1:]] = provider.codes
    return tables


def _diagnostics() -> str:
    parts = []
    for title, codes in code_tables().items():
        rows = [[_code(code), _prose(meaning), _prose(remedy)] for code, (meaning, remedy) in sorted(codes.items())]
        parts += [f"## {title}", _table(["code", "means", "what to do"], rows)]
    about = (
        "Every problem has a code that does not change, in brackets after `error` or `warning`. "
        "`reconciler explain CODE` tells the same."
    )
    return _page("Codes of problems", about, parts)


# --- kinds -----------------------------------------------------------------------------------------------------------


def _kinds(provider: str) -> str:
    names = sorted(kind for version, kind in schema_files() if version == f"{provider}/v1")
    parts = []
    for kind in names:
        word = f"{provider}/v1/{kind}"
        (found,) = explained(word)
        parts += [f"## {kind}", _prose(found.description), _field_table(_under(word, "spec"))]
    if provider == "reconciler":
        rows = [row for name in _OF_EVERY_KIND for row in _under("slicktext/v1/List", name, prefix=f"{name}.")]
        parts += ["## Around the spec", "What every kind of a provider has beside its `spec`.", _field_table(rows)]
    about = (
        f"Fields of `{provider}/v1`, out of the JSON Schemas that `reconciler schema` prints. Names are below `spec`; "
        "`[]` stands for each item of an array, `NAME` for a name of your own. [Writing manifests](../manifests.md) "
        "tells how they work together."
    )
    return _page(f"Kinds: {TITLES[provider]}", about, parts)


def _under(kind: str, field: str, prefix: str = "") -> list[tuple[str, Field]]:
    """(name, field) of everything in ``field``, depth first."""
    (parent,) = explained(f"{kind}.{field}")
    rows = []
    for child in (f for f in parent.fields if not f.name.startswith("spec.")):
        rows.append((prefix + child.name, child))
        inside = prefix + child.name + ("[]." if child.type.startswith("array") else ".")
        rows += _under(kind, f"{field}.{child.name}", inside)
    return rows


def _field_table(rows: Sequence[tuple[str, Field]]) -> str:
    return _table(
        ["field", "type", "required", "means"],
        [[_code(name), f.type, "yes" if f.required else "", _prose(_told(f))] for name, f in rows],
    )


def _told(field: Field) -> str:
    told = [field.description] if field.description else []
    if field.values:
        told.append(f"One of {', '.join(f'`{v}`' for v in field.values)}." if len(field.values) > 1 else "")
    if field.form:
        told.append(f"It is {field.form}.")
    if field.limits:
        told.append(f"{', '.join(field.limits).capitalize()}.")
    if field.default:
        told.append(f"Default: `{field.default}`.")
    return " ".join(filter(None, told))


# --- JSON that commands print ----------------------------------------------------------------------------------------


def _documents() -> str:
    parts = []
    for name, commands in DOCUMENTS.items():
        schema = json.loads((ROOT / "schemas" / f"{name}.json").read_text())
        told = f"`--format json` of {commands}: [`{name}.json`](../../schemas/{name}.json). "
        parts += [f"## {name.capitalize()}", told + _prose(schema["description"]), _properties(schema, schema)]
        for inner, definition in schema.get("$defs", {}).items():
            if "properties" in definition:
                parts += [f"### {name.capitalize()}: {inner}"]
                parts += [_prose(definition["description"])] if "description" in definition else []
                parts += [_properties(schema, definition)]
    about = (
        "What programs may rely on. `formatVersion` changes when a field goes or means something else; fields may be "
        "added. The linked JSON Schemas say the same in full, and `reconciler schema` prints them."
    )
    return _page("JSON", about, parts)


def _properties(schema: dict[str, Any], node: dict[str, Any]) -> str:
    required = set(node.get("required", ()))
    return _table(
        ["field", "type", "always", "means"],
        [
            [_code(name), _shape(child), "yes" if name in required else "", _prose(_about(schema, child))]
            for name, child in _flat(node.get("properties", {}))
        ],
    )


def _flat(properties: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Properties, and those of objects that stand in them without a name of their own."""
    for name, child in properties.items():
        yield prefix + name, child
        yield from _flat(child.get("properties", {}), f"{prefix}{name}.")
        if "properties" in (items := child.get("items", {})):
            yield from _flat(items["properties"], f"{prefix}{name}[].")


def _shape(node: dict[str, Any]) -> str:
    if "$ref" in node:
        return str(node["$ref"]).rpartition("/")[2]
    if choices := node.get("anyOf") or node.get("oneOf"):
        return " or ".join(dict.fromkeys(map(_shape, choices)))
    if "type" not in node:
        return "string" if "enum" in node or "const" in node else "any"
    types = [node["type"]] if isinstance(node["type"], str) else node["type"]
    inside = f" of {_shape(node['items'])}" if "items" in node else ""
    return " or ".join(f"array{inside}" if t == "array" else t for t in types)


def _about(schema: dict[str, Any], node: dict[str, Any]) -> str:
    named = schema.get("$defs", {}).get(str(node.get("$ref", "")).rpartition("/")[2], {})
    told = [node.get("description") or ("" if "properties" in named else named.get("description", ""))]
    own = {**named, **node}
    if "enum" in own:
        told.append(f"One of {', '.join(f'`{v}`' for v in own['enum'])}.")
    if "const" in own:
        told.append(f"Always `{own['const']}`.")
    return " ".join(filter(None, told))
