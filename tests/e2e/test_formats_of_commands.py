"""Every command names the formats that it has, writes each, and refuses others; its JSON is what its schema says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click
import pytest
from jsonschema import Draft202012Validator

from reconciler.cli import cli
from reconciler.cli.options import DOCUMENT_FORMATS
from reconciler.manifest.schemas import document_schemas
from reconciler.render import Format
from reconciler.sandbox import Sandbox

from repository import CALLS, TEXTS, Repository

COMMANDS = cli.list_commands(click.Context(cli))
EVERY = {*map(str, Format), "dot", "mermaid", "yaml"}
MANIFESTS = """\
apiVersion: intelepeer/v1
kind: List
metadata: {name: vip}
spec: {name: VIP calls, headers: [phone, firstname]}
---
apiVersion: intelepeer/v1
kind: Campaign
metadata: {name: spring}
spec: {name: Spring, callerIdentification: "+13125550100", flowId: 61a9a3ecf6b8387f078d52a1, state: published}
---
apiVersion: intelepeer/v1
kind: Association
metadata: {name: spring--vip}
spec: {campaign: spring, list: vip, moc: phone}
---
apiVersion: intelepeer/v1
kind: Membership
metadata: {name: vip-callers}
spec: {list: vip, mode: additive, contacts: [{number: "+12025550001", firstname: Ada}]}
"""
JOIN = """\
apiVersion: slicktext/v1
kind: List
metadata: {name: join, labels: {team: growth}}
spec: {name: Join, description: %s}
---
apiVersion: slicktext/v1
kind: Membership
metadata: {name: members}
spec: {list: join, mode: exact, missingContacts: create, contacts: [{number: "+12025550001"}]}
"""
ANOTHER = ', {number: "+12025550002"}]'

# The words of each command, and the schema of what they print as JSON, in an order in which they can be run.
RUNS: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "version": ((("version",), "version"),),
    "schema": ((("schema",), "schemas"),),
    "explain": (
        (("explain",), "explain"),
        (("explain", "unknown-reference"), "explain"),
        (("explain", "intelepeer/v1/Campaign"), "explain"),
        (("explain", "Account.auth"), "explain"),
    ),
    "init": ((("init", "NEW"), "init"),),
    "validate": ((("validate",), "diagnostics"), (("validate", "wrong.yaml"), "diagnostics")),
    "guard": ((("guard",), "diagnostics"), (("guard", "people.csv"), "diagnostics")),
    "fmt": ((("fmt", "--check"), "fmt"), (("fmt", "--check", "wrong.yaml"), "fmt")),
    "graph": ((("graph",), "graph"),),
    "plan": ((("plan", "--calls", "--out", "plan.json"), "plan"),),
    "show": ((("show", "plan.json"), "plan"),),
    "apply": ((("apply", "--yes"), "report"),),
    "restore": ((("restore", "RUN"), "plan"),),
    "drift": ((("drift",), "drift"),),
    "status": ((("status",), "status"),),
    "history": ((("history",), "history"), (("history", "show", "RUN"), "run")),
    "inventory": ((("inventory", "list"), "inventory"),),
    "import": ((("import", "main", "--out", "NEW"), "import"),),
    "lock": ((("lock",), "locks"),),
    "call": ((("call", "--list"), "operations"), (("call", "main", "--list"), "operations")),
    "dial": ((("dial", "engage/Campaign/spring", "--approve", "contact", "--confirm", "spring", "--again"), "dial"),),
}
WITHOUT_JSON = {"completion": ("completion", "bash"), "demo": ("demo",), "sandbox": ("sandbox",)}


def formats(command: str) -> list[str]:
    """Those that its help names, in their order."""
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    (option,) = (p for p in found.params if p.name == "format_")
    assert isinstance(option, click.Option)
    told, _, default = (option.help or "").partition(". [default: ")
    names = told.removesuffix(", and no other").split(", ")
    assert default == f"{names[0]}]"
    return names


@pytest.fixture
def outreach(repository: Repository) -> Repository:
    """Two accounts, and something in the history that was removed."""
    repository.write("accounts.yaml", TEXTS + "---\n" + CALLS)
    repository.write("calls.yaml", MANIFESTS)
    repository.write("texts.yaml", JOIN.replace("}]", "}" + ANOTHER) % "Join")
    (repository.root / "wrong.yaml").write_text("apiVersion: slicktext/v1\nkind: List\nspec: {name: [\n")
    (repository.root / "people.csv").write_text("number\n+12025550001\n")
    repository.apply()
    repository.write("texts.yaml", JOIN % "Join")
    repository.apply()
    return repository


def words_of(repository: Repository, words: tuple[str, ...]) -> list[str]:
    run = max(repository("history", "--format", "json").json["runs"], key=lambda r: str(r["startedAt"]))["id"]
    fresh = f"new-{sum(1 for _ in repository.root.iterdir())}"
    return [{"RUN": run, "NEW": fresh}.get(word, word) for word in words]


def test_the_formats_of_documents_are_all_of_them() -> None:
    assert list(DOCUMENT_FORMATS) == [str(f) for f in Format]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_refuses_what_it_does_not_name(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    from reconciler.cli import run

    named = formats(command)
    assert set(named) < EVERY
    words = RUNS[command][0][0] if command in RUNS else WITHOUT_JSON[command]
    for other in sorted(EVERY - set(named)):
        for line in ([*words, "--format", other], ["--format", other, *words]):
            assert run(line) == 64
            told = capsys.readouterr().err
            assert f"--format {other}: " in told
            assert all(name in told for name in named)
        assert run([*words, "--report", f"{other}=x"]) == 64
    assert not Path("x").exists()


def test_every_command_is_looked_at() -> None:
    assert RUNS.keys() | WITHOUT_JSON.keys() == set(COMMANDS)
    assert all(formats(command) == ["text"] for command in WITHOUT_JSON)
    assert all("json" in formats(command) for command in RUNS)
    assert {schema for runs in RUNS.values() for _, schema in runs} == document_schemas().keys()


@pytest.mark.parametrize("command", RUNS)
def test_a_command_writes_what_it_names(command: str, outreach: Repository) -> None:
    for words, schema in RUNS[command]:
        if command == "show":
            outreach("plan", "--out", "plan.json")
        for number, format_ in enumerate(formats(command)):
            if command == "apply":
                outreach.write("texts.yaml", JOIN % f"Version{number}")
            file = outreach.root / "report"
            file.unlink(missing_ok=True)
            done = outreach(*words_of(outreach, words), "--format", format_, "--report", f"{format_}={file}")
            assert done.code in (0, 2, 3, 5), done.err
            assert file.read_text().strip(), format_
            if format_ == "json":
                check(schema, done.out)
                check(schema, file.read_text())


def check(schema: str, text: str) -> None:
    found = json.loads(document_schemas()[schema].read_bytes())
    problems = [f"{e.json_path}: {e.message}" for e in Draft202012Validator(found).iter_errors(json.loads(text))]
    assert problems == []


@pytest.mark.parametrize("name", document_schemas())
def test_a_schema_of_a_document_is_one_and_is_listed(name: str, outreach: Repository) -> None:
    assert name in outreach("schema").out.splitlines()
    printed = outreach("schema", name).json
    Draft202012Validator.check_schema(printed)
    assert printed == json.loads(document_schemas()[name].read_bytes())
    assert printed["additionalProperties"] is False
    assert "formatVersion" in printed["required"]


def test_a_lease_is_as_its_schema_says(outreach: Repository) -> None:
    from reconciler.store import open_store

    store = f"sqlite:///{outreach.root}/.reconciler/store.db"
    with open_store(store, namespace="another", create=True) as other:
        other.acquire(["slicktext:127.0.0.1:brand=1"])
        held = outreach("lock", "list", "--format", "json")
    assert len(held.json["locks"]) == 1
    check("locks", held.out)


def test_what_an_import_leaves_out_is_as_its_schema_says(outreach: Repository, sandbox: Sandbox) -> None:
    outreach.remove("texts.yaml")
    outreach("inventory", "forget", "main/List/join", "--yes")
    sandbox.tamper("slicktext", "edit_list", list="Join", set={"description": "new"})
    done = outreach("import", "main", "--adopt", "--format", "json")
    assert done.json["files"]
    assert done.json["adopted"]
    check("import", done.out)
