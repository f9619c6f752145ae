"""``demo``: the whole job on a simulated world, in a folder that is thrown away."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import Globals, with_formats

if TYPE_CHECKING:
    from reconciler.sandbox import Sandbox

EXAMPLE = "four"

_CREDENTIALS = {
    "SLICKTEXT_API_KEY": "sandbox-slicktext-key",
    "INTELEPEER_USERNAME": "sandbox",
    "INTELEPEER_PASSWORD": "sandbox-intelepeer-password",
    "EXOTEL_API_KEY": "sandbox-exotel-key",
    "EXOTEL_API_TOKEN": "sandbox-exotel-token",
    "CONTACTCENTER_USERNAME": "sandbox",
    "CONTACTCENTER_PASSWORD": "sandbox-contactcenter-password",
}


@click.command("demo")
@with_formats("text")
@click.pass_context
def command(ctx: click.Context, /, **_: Any) -> int:
    """Plan, apply, plan again (empty), tamper, correct: against the sandbox, with an example repository.

    Nothing is kept, no account is needed, and nobody is contacted.
    """
    from reconciler.errors import InvalidInput

    try:
        from reconciler.sandbox import Sandbox, SandboxError
    except ImportError as missing:
        raise InvalidInput(str(missing)) from None
    shared = Globals.of(ctx)
    flags = ("--no-color",) if shared.color is False else ()
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder:
        project = Path(folder) / "outreach"
        shutil.copytree(examples() / EXAMPLE, project)
        try:
            with Sandbox(seed=project / "sandbox.yaml") as sandbox, _inside(project, _CREDENTIALS):
                return _tour(sandbox, flags)
        except (SandboxError, ImportError) as problem:
            raise InvalidInput(f"the sandbox cannot start: {problem}") from None


def examples() -> Path:
    """The example repositories: inside an installed package, at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "examples"
    return installed if installed.is_dir() else package.parent / "examples"


def _tour(sandbox: Sandbox, flags: tuple[str, ...]) -> int:
    from reconciler.errors import Exit

    providers = ("slicktext", "intelepeer", "exotel", "contactcenter")
    urls = tuple(word for p in providers for word in ("--var", f"{p}_url={sandbox.url}"))
    _say("The manifests in Git declare lists, campaigns and members; the simulated accounts are still nearly empty.")
    steps = (
        ("plan shows what is missing, and writes nothing.", ("plan",), 0),
        (
            "apply makes exactly these calls. --yes covers creating, updating and linking; taking somebody off a list "
            "has to be approved by name.",
            ("apply", "--yes", "--approve", "delete"),
            0,
        ),
        ("A second plan is empty: live is what Git says.", ("plan",), 0),
    )
    for text, words, expected in steps:
        if (code := _run(text, words, urls, flags)) != expected:
            return code
    _say("Now somebody edits a list's description in the portal, and takes a person off it.")
    _tamper(sandbox)
    if (code := _run("drift tells who moved, and exits with 2.", ("drift",), urls, flags)) != Exit.DIFFERENCES:
        return code
    if (code := _run("plan shows what would put it right.", ("plan",), urls, flags)) != 0:
        return code
    if (code := _run("apply puts them right.", ("apply", "--yes"), urls, flags)) != 0:
        return code
    contacted = {number for numbers in sandbox.ledger()["contacted"].values() for number in numbers}
    _say(f"People contacted in all this: {len(contacted)}. Read on in README.md.")
    return 0


def _tamper(sandbox: Sandbox) -> None:
    sandbox.tamper("slicktext", "edit_list", list="VIP customers", set={"description": "edited in the portal"})
    sandbox.tamper("slicktext", "remove_members", list="VIP customers", numbers=["+12025550012"])


def _run(text: str, words: tuple[str, ...], urls: tuple[str, ...], flags: tuple[str, ...]) -> int:
    from reconciler.cli import run

    _say(text)
    click.echo(f"$ reconciler {' '.join(words)}\n")
    code = run([*words, *urls, *flags])
    click.echo("")
    return code


def _say(text: str) -> None:
    click.echo(f"# {text}")


@contextmanager
def _inside(folder: Path, variables: Mapping[str, str]) -> Iterator[None]:
    """The folder as the current one and the variables set, as a user would; both put back at the end."""
    before, kept = Path.cwd(), {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
