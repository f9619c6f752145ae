"""``import``: an account as it is live, written as manifests."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import Globals, request_of, with_formats, with_loading_options
from reconciler.cli.waiting import wait_for

if TYPE_CHECKING:
    from reconciler.app.importing import Imported, ImportedFile


@click.command("import")
@click.argument("account", metavar="ACCOUNT")
@with_loading_options
@click.option("--out", metavar="DIR", default="", help="Where the manifests go. [default: manifests/ACCOUNT]")
@click.option("--update", is_flag=True, help="Bring the manifests that are there in line, comments and order kept.")
@click.option("--adopt", is_flag=True, help="Take ownership of everything: a plan right after it is empty.")
@with_formats("text", "json")
@click.pass_context
def command(ctx: click.Context, /, account: str, out: str, update: bool, adopt: bool, **params: Any) -> int:
    """Write an ACCOUNT, which is declared already, as manifests and contact files. Nothing is sent but reads.

    What is declared already is not written again. The contact files hold people's numbers.
    """
    from reconciler.app.importing import ImportOptions, import_account
    from reconciler.cli.output import colored, note, present, stderr_width
    from reconciler.cli.progress import ProgressLine
    from reconciler.errors import Exit
    from reconciler.render.diagnostics import diagnostics_text
    from reconciler.render.json import document_json

    shared = Globals.of(ctx)
    progress = ProgressLine()
    options = ImportOptions(account=account, out=out, update=update, adopt=adopt)
    try:
        imported = wait_for(import_account(request_of(shared, params, progress), options))
    finally:
        progress.clear()
    said = diagnostics_text(
        imported.diagnostics, colored(shared, sys.stderr), width=stderr_width(), show_pii=shared.show_pii
    )
    if said:
        note(said)
    rendered = {
        "json": document_json(imported.document(show_pii=shared.show_pii)),
        "text": _text(imported, shared.show_pii),
    }
    present(shared, rendered.__getitem__)
    return Exit.OK


def _text(imported: Imported, show_pii: bool) -> str:
    """What was written, and what a plan says about it now."""
    from reconciler.masking import mask_text, visible
    from reconciler.render.words import counted

    def shown(path: str) -> str:
        return path if show_pii else mask_text(visible(path))

    wide = max((len(shown(f.path)) for f in imported.files), default=0)
    lines = [f"{'+' if f.created else '~'} {shown(f.path):<{wide}}  {_size(f)}" for f in imported.files]
    lines = lines or ["Nothing to write: everything that is live is declared."]
    if imported.adopted:
        lines.append(f"{counted(len(imported.adopted), 'resources')} owned in {imported.account}.")
    waiting, others = len(imported.adoptable) - len(imported.adopted), len(imported.left)
    holds = [f"{waiting:,} to adopt"] if waiting else []
    holds += [counted(others, "other changes" if waiting else "changes")] if others else []
    lines.append(f"A plan now holds {' and '.join(holds)}." if holds else "A plan is empty now.")
    return "\n".join(lines)


def _size(file: ImportedFile) -> str:
    from reconciler.render.words import counted, people

    return people(file.count) if file.path.endswith(".csv") else counted(file.count, "manifests")
