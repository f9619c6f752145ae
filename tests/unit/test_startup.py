"""What a command does not use, it does not import: most of the time of a short command goes into that."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.store import open_store

ROOT = Path(__file__).parents[2]
NETWORK = {"asyncio", "ssl", "httpx", "httpcore", "anyio", "reconciler.providers.http"}
STORE = {"sqlalchemy", "sqlite3", "psycopg", "reconciler.store"}
RARE = {"polars", "numpy", "deepdiff", "jsonschema", "phonenumbers", "rich", "jinja2", "importlib.metadata"}
OTHER_ADAPTERS = {f"reconciler.providers.{name}" for name in ("contactcenter", "exotel", "intelepeer")}
REVIEWS = {"reconciler.render.reviews", "reconciler.render.page", "reconciler.render.junit", "reconciler.render.sarif"}
PLANNING = {"reconciler.app.planning", "reconciler.plan.planner", "reconciler.store"}
WRITING = {"reconciler.apply", "reconciler.store.store", "reconciler.store.journal", "reconciler.manifest.drafts"}
LOADING = {"yaml", "jsonschema_rs", "msgspec", "reconciler.manifest", "reconciler.plan", "reconciler.render"}

SCRIPT = """
import json, sys
from reconciler.cli import run
code = run(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def modules_after(folder: Path, *args: str) -> tuple[int, set[str]]:
    env = {k: v for k, v in os.environ.items() if k != "SLICKTEXT_API_KEY"} | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, *args], cwd=folder, env=env, capture_output=True, text=True, check=True
    )
    code, modules = json.loads(ran.stderr.splitlines()[-1])
    return code, set(modules)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "all.yaml").write_text(
        "apiVersion: slicktext/v1\nkind: Account\nmetadata: {name: main}\n"
        'spec: {brandId: "1", auth: {apiKey: {env: SLICKTEXT_API_KEY}}}\n'
        "---\napiVersion: slicktext/v1\nkind: List\nmetadata: {name: join}\nspec: {name: Join}\n"
        "---\napiVersion: slicktext/v1\nkind: Membership\nmetadata: {name: people}\n"
        'spec: {list: join, mode: exact, contacts: [{number: "+12025550123", first_name: Ann}]}\n'
    )
    return tmp_path


@pytest.mark.parametrize("args", [("--help",), ("version",), ("plan", "--help"), ("completion", "bash")], ids=" ".join)
def test_help_imports_nothing_of_what_commands_do(tmp_path: Path, args: tuple[str, ...]) -> None:
    code, modules = modules_after(tmp_path, *args)

    assert code == 0
    assert not modules & (NETWORK | STORE | RARE | LOADING)


@pytest.mark.parametrize("args", [("validate",), ("graph",)], ids=" ".join)
def test_checking_manifests_takes_no_network_and_no_store(repository: Path, args: tuple[str, ...]) -> None:
    code, modules = modules_after(repository, *args)

    assert code == 0
    assert not modules & (NETWORK | STORE | RARE | OTHER_ADAPTERS | REVIEWS | PLANNING | WRITING)
    assert "jsonschema_rs" in modules, "the list above names what is really imported"


def test_a_small_plan_takes_no_dataframes_no_deep_diffs_and_no_sqlalchemy(repository: Path) -> None:
    with open_store("sqlite:///.reconciler/store.db", namespace="default/default", create=True, root=repository):
        pass

    code, modules = modules_after(repository, "plan")

    assert code == 4, "the credential is missing"
    assert not modules & (RARE | OTHER_ADAPTERS | REVIEWS | WRITING | {"sqlalchemy", "psycopg"})
    assert "sqlite3" in modules, "the store was read"
