"""The package as it is built and imported: complete, typed, and quick to start."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"deepdiff", "httpx", "jsonschema", "jsonschema_rs", "phonenumbers", "polars", "rich", "sqlalchemy", "yaml"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The names of the files in the built wheel."""
    folder = tmp_path_factory.mktemp("dist")
    isolation = ["--no-isolation"] if find_spec("hatchling") else []
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", *isolation, "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return frozenset(archive.namelist())


def test_the_wheel_is_complete(wheel: frozenset[str]) -> None:
    package = {f"reconciler/{file.relative_to(ROOT / 'reconciler')}" for file in (ROOT / "reconciler").rglob("*.py")}
    assert package <= wheel
    assert "reconciler/py.typed" in wheel
    templates = {file for file in (ROOT / "reconciler/app/scaffold").rglob("*") if file.is_file()}
    assert {file.relative_to(ROOT).as_posix() for file in templates} <= wheel
    assert len(templates) > 10
    for folder in ("schemas", "examples"):
        files = [file for file in (ROOT / folder).rglob("*") if file.is_file() and ".reconciler" not in file.parts]
        assert files
        assert {f"reconciler/{file.relative_to(ROOT)}" for file in files} <= wheel
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel)


def test_the_wheel_holds_nothing_else(wheel: frozenset[str]) -> None:
    strangers = {name for name in wheel if not name.startswith("reconciler") or name.startswith("reconciler/tests")}
    assert strangers == set()
    assert not any(".reconciler/" in name or name.endswith((".db", ".pyc")) for name in wheel)


@pytest.mark.parametrize("module", ["reconciler.cli", "reconciler.model.inventory", "reconciler.diagnostics"])
def test_importing_what_every_command_needs_stays_light(module: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    imported = {name.partition(".")[0] for name in found.stdout.split()}
    assert imported & HEAVY == set()
