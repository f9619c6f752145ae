"""``guard``: what a commit is asked before it takes a contact file."""

from __future__ import annotations

import sys
from typing import Any

import click

from reconciler.cli.options import Globals, request_of, with_global_options, with_loading_options


@click.command("guard")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--allow-file", "allowed", multiple=True, metavar="GLOB", help="Do not look at these; repeatable.")
@with_loading_options
@with_global_options
@click.pass_context
def command(ctx: click.Context, /, files: tuple[str, ...], allowed: tuple[str, ...], **params: Any) -> int:
    """Refuse (exit 5) every contact FILE with people's numbers in it that no manifest names in contactsFrom.

    Those are told by their names: CSV, TSV, NDJSON, vCard, Parquet, workbooks. A folder is searched; without any FILE,
    this one.
    """
    from reconciler.app.guarding import guard
    from reconciler.app.loading import load_options
    from reconciler.cli.output import colored, emit, note, stderr_width
    from reconciler.errors import Exit
    from reconciler.render.diagnostics import diagnostics_json, diagnostics_text

    shared = Globals.of(ctx, ("text", "json"))
    found = guard(files or (".",), allowed, load_options(request_of(shared, params)))
    if shared.format == "json":
        emit(diagnostics_json(found))
    elif found:
        note(diagnostics_text(found, colored(shared, sys.stderr), width=stderr_width()))
    return Exit.REFUSED if found else Exit.OK
