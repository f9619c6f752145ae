"""``show``: a saved plan, in any format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import Globals, with_global_options


@click.command("show")
@click.argument("file")
@click.option("--calls", is_flag=True, help="Show each request in order as well.")
@with_global_options
@click.pass_context
def command(ctx: click.Context, /, file: str, calls: bool, **_: Any) -> int:
    """Show a plan that `plan --out` saved. Nothing is read from anywhere else."""
    from reconciler.cli.output import emit_plan
    from reconciler.errors import Exit, UsageError
    from reconciler.plan.saved import parse

    path = Path(file)
    if not path.is_file():
        raise UsageError(f"{file} is not a file")
    document = dict(parse(path.read_bytes()).document)
    if not calls:
        document.pop("calls", None)
    emit_plan(document, Globals.of(ctx))
    return Exit.OK
