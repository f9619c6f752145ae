"""The source and the package: nothing in it switches a defence off, runs foreign code, or acts when it is imported."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rows import survives

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "reconciler").rglob("*.py"))
MODULES = sorted(
    ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for p in SOURCES
    if p.name != "__main__.py"
)
FORBIDDEN_CALLS = frozenset(
    {
        "eval",
        "exec",
        "compile",
        "__import__",
        "os.system",
        "os.popen",
        "yaml.unsafe_load",
        "yaml.full_load",
        "tempfile.mktemp",
    }
    | {"ssl._create_unverified_context", "ssl._create_default_https_context", "marshal.loads", "shelve.open"}
)
FORBIDDEN_MODULES = frozenset({"pickle", "marshal", "shelve", "dill", "cloudpickle", "telnetlib", "ftplib", "requests"})
SAFE_LOADERS = frozenset({"loader", "CSafeLoader", "SafeLoader"})


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node


def problems(path: Path) -> Iterator[str]:
    """What must not stand in the source, by line."""
    for call in calls(path):
        name = ast.unparse(call.func)
        keywords = {k.arg: ast.unparse(k.value) for k in call.keywords}
        if name in FORBIDDEN_CALLS:
            yield f"{call.lineno}: {name}"
        if (
            keywords.get("shell") == "True"
            or keywords.get("verify") == "False"
            or keywords.get("check_hostname") == "False"
        ):
            yield f"{call.lineno}: {keywords}"
        if name == "yaml.load" and keywords.get("Loader", "").rpartition(".")[2] not in SAFE_LOADERS:
            yield f"{call.lineno}: yaml.load"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from (f"{node.lineno}: {n}" for n in names if n.partition(".")[0] in FORBIDDEN_MODULES)  # type: ignore[attr-defined]
        if isinstance(node, ast.Attribute) and node.attr in {"CERT_NONE", "_create_unverified_context"}:
            yield f"{node.lineno}: {node.attr}"


@survives("S034")
@survives("S026")
def test_s026_s034_no_defence_is_switched_off_in_the_source() -> None:
    found = [f"{p.relative_to(ROOT)}:{problem}" for p in SOURCES for problem in problems(p)]
    assert not found


@survives("S034")
@pytest.mark.parametrize(
    "text",
    [
        "httpx.Client(verify=False)",
        "subprocess.run('x', shell=True)",
        "yaml.load(text, Loader=yaml.Loader)",
        "yaml.load(text)",
        "import pickle",
        "context.verify_mode = ssl.CERT_NONE",
        "eval('1')",
    ],
)
def test_s034_the_scan_finds_what_it_looks_for(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.py"
    path.write_text(text + "\n")
    assert list(problems(path))


@survives("S034")
def test_s034_certificates_are_checked_and_old_tls_is_not_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl

    from reconciler.providers import _wire

    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    monkeypatch.setenv("CURL_CA_BUNDLE", "")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    made = [value for value in vars(_wire).values() if callable(value) and getattr(value, "__name__", "") == "_tls"]
    assert made, "the one place that makes TLS contexts has another name"
    made[0].cache_clear()
    context = made[0]()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    made[0].cache_clear()


IMPORTING = """
import sys, socket, os, builtins, subprocess, importlib
events = []
WATCHED = ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.remove",
           "os.rename", "os.mkdir", "shutil.rmtree")
def hook(event, arguments):
    if event in WATCHED:
        events.append((event, str(arguments)[:200]))
    elif event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        events.append((event, str(arguments)[:200]))
sys.addaudithook(hook)
sys.dont_write_bytecode = True
for name in sys.argv[1:]:
    importlib.import_module(name)
for event in events:
    print(event)
"""


@survives("S079")
def test_s079_importing_does_nothing_but_import(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING, *MODULES],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=110,
    )
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


@survives("S079")
def test_s079_the_watch_sees_what_it_watches_for(tmp_path: Path) -> None:
    (tmp_path / "acts.py").write_text("open('made', 'w').close()\n")
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING, "acts"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert "made" in done.stdout


@survives("S078")
def test_s078_what_ships_cannot_be_replaced_by_another_package(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    from reconciler.providers import registry

    monkeypatch.setattr(
        "importlib.metadata.entry_points",
        lambda group: [EntryPoint("slicktext", "evil:PROVIDER", group), EntryPoint("x", "no:X", group)],
    )
    for cached in (registry._places, registry.get):
        cached.cache_clear()
    try:
        assert registry.get("slicktext").__class__.__module__.startswith("reconciler.")
        assert registry.installed() == {}
    finally:
        for cached in (registry._places, registry.get):
            cached.cache_clear()


@survives("S078")
def test_s078_code_in_the_working_folder_is_not_imported(tmp_path: Path) -> None:
    """Run as the installed command is, where the working folder is no place for modules."""
    for name in ("yaml", "httpx", "click", "polars", "sitecustomize", "reconciler_plugins"):
        (tmp_path / f"{name}.py").write_text("import pathlib; pathlib.Path('owned').touch()\n")
    folder = tmp_path / "acme-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[reconciler.providers]\nslicktext = httpx:X\nacme = yaml:X\n")
    script = "import sys; from reconciler.cli import main; sys.argv[0] = 'reconciler'; main()"
    starter = tmp_path / "bin" / "reconciler"
    starter.parent.mkdir()
    starter.write_text(script)
    for words in (("version",), ("validate",), ("call", "--list")):
        subprocess.run(
            [sys.executable, str(starter), *words], cwd=tmp_path, capture_output=True, timeout=60, check=False
        )
    assert not (tmp_path / "owned").exists()


ENDS_OF_AREAS = frozenset({"+12029999999", "+12032000000"})
"""What comes after the last number of an area code; the test of it runs on loopback only."""
DIALLABLE = re.compile(r"(?<![\w.+/-])\+1[2-9]\d{2}[2-9]\d{6}(?![\w-])")


@survives("S080")
def test_s080_only_numbers_that_nobody_has_stand_in_the_repository() -> None:
    """North American numbers below the exchange 555 are for fiction and information, and no person has one."""
    found = []
    for folder in ("reconciler", "tests", "examples", "docs", "schemas"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".yaml", ".yml", ".csv", ".md", ".json", ".txt", ".ndjson"}:
                written = set(DIALLABLE.findall(path.read_text(encoding="utf-8", errors="replace"))) - ENDS_OF_AREAS
                found += [f"{path.relative_to(ROOT)}: {number}" for number in written if number[5:8] != "555"]
    assert not found


@survives("S075")
@survives("S071")
def test_s071_s075_workflows_put_no_foreign_text_into_scripts() -> None:
    """In a script a template is replaced before the shell reads it, so only environment variables may bring text."""
    import yaml

    files = [*ROOT.glob(".github/workflows/*.y*ml"), *ROOT.glob("examples/**/.github/workflows/*.y*ml")]
    for path in files:
        workflow = yaml.safe_load(path.read_text())
        triggers = workflow.get("on", workflow.get(True))
        assert "pull_request_target" not in str(triggers), path
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                assert "${{ github.event" not in step.get("run", ""), path
                assert "${{ github.head_ref" not in step.get("run", ""), path
