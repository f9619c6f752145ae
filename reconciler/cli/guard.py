"""``guard``: what a commit is asked before it takes a contact file."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.options import Globals, request_of, with_formats, with_loading_options


@click.command("guard")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--allow-file", "allowed", multiple=True, metavar="GLOB", help="Do not look at these; repeatable.")
@with_loading_options
@with_formats("text", "json")
@click.pass_context
def command(ctx: click.Context, /, files: tuple[str, ...], allowed: tuple[str, ...], **params: Any) -> int:
    """Refuse (exit 5) every contact FILE with people's numbers in it that no manifest names in contactsFrom.

    Those are told by their names: CSV, TSV, NDJSON, vCard, Parquet, workbooks. A folder is searched; without any FILE,
    this one.
    """
    from reconciler.app.guarding import guard
    from reconciler.app.loading import load_options
    from reconciler.cli.validate import tell_diagnostics
    from reconciler.errors import Exit

    shared = Globals.of(ctx)
    found = guard(files or (".",), allowed, load_options(request_of(shared, params)))
    tell_diagnostics(shared, found)
    return Exit.REFUSED if found else Exit.OK
