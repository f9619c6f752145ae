"""Secrets and people: in no artefact, in no message, in no spelling; and nothing from the environment by accident."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from attacks import Attacked, a_list, members
from rows import survives

from reconciler.cli import run
from reconciler.sandbox import Sandbox

from repository import SECRETS, TEXTS, Repository

PEOPLE = "".join(
    f'    - {{number: "+1615555{i:04d}", first_name: Plantedname{i}, last_name: Plantedsurname}}\n'
    for i in range(100, 112)
)
MANIFESTS = f"""\
apiVersion: slicktext/v1
kind: List
metadata: {{name: join}}
spec: {{name: Join}}
---
apiVersion: slicktext/v1
kind: Membership
metadata: {{name: people}}
spec:
  list: join
  mode: exact
  missingContacts: create
  contacts:
{PEOPLE}"""


@survives("S022")
@pytest.mark.parametrize(
    "template",
    [
        "${SLICKTEXT_API_KEY}",
        "$SLICKTEXT_API_KEY",
        "${env.SLICKTEXT_API_KEY}",
        "${var.SLICKTEXT_API_KEY}",
        "{{ env.SLICKTEXT_API_KEY }}",
        "{{ SLICKTEXT_API_KEY }}",
        "%SLICKTEXT_API_KEY%",
        "%(SLICKTEXT_API_KEY)s",
        "{SLICKTEXT_API_KEY}",
        "$(printenv SLICKTEXT_API_KEY)",
        "`printenv SLICKTEXT_API_KEY`",
        "~/",
        "${var.${SLICKTEXT_API_KEY}}",
    ],
)
def test_s022_nothing_of_the_environment_gets_into_a_field(texts: Repository, template: str) -> None:
    texts.write("list.yaml", a_list("Join", f"'x {template}'"))
    for words in (("validate",), ("plan", "--calls", "--out", "plan.json"), ("apply", "--yes")):
        assert texts(*words).code in (0, 3)
    sent = json.dumps([r.get("body") for r in texts.sandbox.requests()])
    for place in (sent, "".join(texts.said)):
        assert SECRETS["SLICKTEXT_API_KEY"] not in place
        assert os.environ["HOME"] not in sent


@survives("S022")
@pytest.mark.parametrize("where", ["variables", "labels", "name", "baseUrl", "contact"])
def test_s022_a_reference_is_a_reference_only_where_credentials_are(texts: Repository, where: str) -> None:
    reference = "{env: SLICKTEXT_API_KEY}"
    match where:
        case "variables":
            project = texts.root / "reconciler.yaml"
            project.write_text(project.read_text().replace("spec: {", f"spec: {{variables: {{a: {reference}}}, "))
        case "labels":
            texts.write("list.yaml", a_list().replace("{name: join}", f"{{name: join, labels: {{a: {reference}}}}}"))
        case "name":
            texts.write("list.yaml", a_list(reference))
        case "baseUrl":
            texts.write("account.yaml", TEXTS.replace("URL", reference))
        case _:
            texts.write("people.yaml", members(f'[{{number: "+16155550123", first_name: {reference}}}]'))
    result = Attacked.run(texts)
    assert result.code == 3
    assert SECRETS["SLICKTEXT_API_KEY"] not in result.said


@survives("S022")
def test_s022_a_variable_cannot_name_a_credential(texts: Repository) -> None:
    texts.write("account.yaml", TEXTS.replace("{env: SLICKTEXT_API_KEY}", "{env: '${var.name}'}"))
    assert texts("plan", "--var", "name=HOME").code in (3, 4)
    assert texts.sandbox.requests() == []


@survives("S059")
@pytest.mark.parametrize("word", ["key", "token", "password", "secret"])
def test_s059_no_command_takes_a_secret_as_an_option(repository: Repository, word: str) -> None:
    from reconciler.cli import cli

    context = cli.make_context("reconciler", ["version"], resilient_parsing=True)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        assert not [o for p in command.params for o in p.opts if o.startswith("--") and word in o]


@survives("S059")
def test_s059_a_literal_secret_is_refused_and_not_quoted(texts: Repository) -> None:
    texts.write("account.yaml", TEXTS.replace("{env: SLICKTEXT_API_KEY}", "canary-literal-secret"))
    result = Attacked.run(texts)
    assert result.code == 3
    assert "canary-literal-secret" not in result.said


@survives("S061")
@survives("S062")
@survives("S063")
@pytest.mark.parametrize(
    "secret", ["a", "1234", "0123456789", "1e5", "true", "sandbox-slicktext-key\n", "  sandbox-slicktext-key  "]
)
def test_s061_s062_s063_odd_secrets_are_text_and_spoil_no_output(
    texts: Repository, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("SLICKTEXT_API_KEY", secret)
    texts.write("list.yaml", a_list("Atlas 1234"))
    result = texts("plan")
    assert result.code == (0 if "slicktext" in secret else 4), result.err
    if "slicktext" in secret:
        assert "Atlas 1234" in result.out
    else:
        assert texts.sandbox.requests()[0]["status"] == 401
        assert "account" in result.out + result.err


@survives("S058")
def test_s058_a_traceback_shows_neither_numbers_nor_keys(
    texts: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error that nobody foresaw can have anything in its text, which --debug asks to see."""
    from reconciler.manifest import load as module

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"with {SECRETS['SLICKTEXT_API_KEY']} for +16155550123 \x1b[2J")

    monkeypatch.setattr(module, "gather", broken)
    for words in (["plan"], ["plan", "--debug"]):
        capsys.readouterr()
        assert run(words) == 1
        said = "".join(capsys.readouterr())
        assert SECRETS["SLICKTEXT_API_KEY"] not in said
        assert "6155550123" not in said
        assert "\x1b" not in said
        assert ("Traceback" in said) == ("--debug" in words)
        assert "broken" in said, "where it happened is told in any case"


@survives("S058")
def test_s058_a_secret_says_nothing_of_itself() -> None:
    import copy
    import logging
    import pprint

    from reconciler.providers.base import Connection, Secret

    secret = Secret("canary-secret")
    held = Connection(secrets={"apiKey": secret}, read_only=True)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>20}", "%s %r" % (secret, secret), repr(held)]  # noqa: UP031
    shown += [pprint.pformat({"a": [secret]}), repr(copy.copy(secret)), str([secret])]
    shown.append(logging.LogRecord("x", 20, "x", 1, "%s", (secret,), None).getMessage())
    assert all("canary" not in text for text in shown)


@survives("S064")
@survives("S065")
@survives("S066")
def test_s064_s065_s066_nobody_is_in_any_artefact(texts: Repository, sandbox: Sandbox) -> None:
    """Over every byte that a whole day leaves behind: outputs, saved plans, reports in every format, the store."""
    import hashlib

    from reconciler.render import Format

    texts.write("manifests.yaml", MANIFESTS)
    reports = [w for f in Format for w in ("--report", f"{f}=report-{f}")]
    texts("plan", "--calls", "--out", "plan.json", *reports)
    texts("show", "plan.json", "--calls")
    texts("apply", "--yes", *(w.replace("report-", "apply-") for w in reports))
    sandbox.set_faults([{"method": "DELETE", "fault": {"kind": "drop_after", "how": "reset"}}])
    texts.write("manifests.yaml", MANIFESTS.replace(PEOPLE, PEOPLE.split("\n")[0] + "\n"))
    texts("apply", "--yes", "--approve", "delete", "--allow", "removals=20", "--deadline", "20s")
    sandbox.set_faults([])
    for words in (("drift",), ("status",), ("history",), ("inventory", "list"), ("call", "main", "contacts.list")):
        texts(*words)
        texts(*words, "--format", "json")
    left = {str(p): p.read_bytes() for p in texts.root.rglob("*") if p.is_file() and "manifests" not in p.parts}
    left["said"] = "".join(texts.said).encode()
    assert any("store.db" in name for name in left)
    planted = [SECRETS["SLICKTEXT_API_KEY"], "Plantedname", "Plantedsurname"]
    for i in range(100, 112):
        digits = f"1615555{i:04d}"
        planted.append(digits[1:])
        for algorithm in ("md5", "sha1", "sha256"):
            planted += [hashlib.new(algorithm, n.encode()).hexdigest() for n in (f"+{digits}", digits)]
    for name, content in left.items():
        for text in planted:
            assert text.encode() not in content, (name, text)
            if len(text) in (32, 40, 64):
                assert bytes.fromhex(text) not in content, (name, "a plain hash")


@survives("S065")
@survives("S072")
@pytest.mark.parametrize(
    "field", ["digest", "createdAt", "expiresAt", "changes", "accounts", "project", "inputs", "formatVersion"]
)
def test_s072_a_plan_that_was_changed_is_not_applied(texts: Repository, field: str) -> None:
    texts.write("manifests.yaml", MANIFESTS)
    assert texts("plan", "--out", "plan.json").code == 0
    path = texts.root / "plan.json"
    document = json.loads(path.read_text())
    if field not in document:
        field = next(iter(document))
    was = document[field]
    document[field] = (
        [] if isinstance(was, list) else {} if isinstance(was, dict) else f"{was}0".replace("2026", "2036", 1)
    )
    path.write_text(json.dumps(document))
    assert texts("apply", "plan.json").code == 6
    assert texts.writes() == []


@survives("S073")
def test_s073_a_plan_is_applied_once(texts: Repository) -> None:
    texts.write("manifests.yaml", MANIFESTS)
    assert texts("plan", "--out", "plan.json").code == 0
    kept = (texts.root / "plan.json").read_bytes()
    assert texts("apply", "plan.json").code == 0
    (texts.root / "again.json").write_bytes(kept)
    before = len(texts.writes())
    assert texts("apply", "again.json").code == 6
    assert len(texts.writes()) == before


@survives("S074")
def test_s074_an_approval_is_for_one_digest(texts: Repository) -> None:
    texts.write("manifests.yaml", MANIFESTS)
    digest = texts.plan().json["digest"]
    texts.write("manifests.yaml", MANIFESTS.replace("Join", "Other"))
    assert texts("apply", "--expect", digest).code == 6
    assert texts("apply", "--expect", digest[:-4] + "AAAA").code in (6, 64)
    assert texts.writes() == []


@survives("S070")
@pytest.mark.parametrize("kind", ["folder", "pipe", "zero", "outside"])
def test_s070_a_credential_file_is_a_small_regular_file_of_the_project(texts: Repository, kind: str) -> None:
    path = texts.root / "key"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "zero":
            path.write_bytes(b"k" * (1 << 20))
        case _:
            (texts.root.parent / "key").write_text(SECRETS["SLICKTEXT_API_KEY"])
            path.symlink_to(texts.root.parent / "key")
    texts.write("account.yaml", TEXTS.replace("{env: SLICKTEXT_API_KEY}", "{file: ../key}"))
    texts.write("list.yaml", a_list())
    assert texts("plan").code == (3 if kind == "outside" else 4)
    assert texts.sandbox.requests() == []
    assert Path(sys.executable).exists()
