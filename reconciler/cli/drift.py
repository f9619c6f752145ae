"""``drift``: what moved behind Git's back."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import (
    Globals,
    request_of,
    with_global_options,
    with_input_options,
    with_selection_options,
)


@click.command("drift")
@with_input_options
@with_selection_options
@with_global_options
@click.pass_context
def command(ctx: click.Context, /, **params: Any) -> int:
    """Show what moved live since the last apply, what is pending in Git, and what is both. Reads only.

    Exits with 2 when something drifted, is in conflict or is missing; what is only pending or unmanaged is no drift.
    """
    from reconciler.app.drifting import drift
    from reconciler.cli.output import colored, emit, width, write_file
    from reconciler.cli.progress import ProgressLine
    from reconciler.render import Format, render_drift

    shared = Globals.of(ctx)
    progress = ProgressLine()
    try:
        drifted = asyncio.run(drift(request_of(shared, params, progress)))
    finally:
        progress.clear()
    document = drifted.document(show_pii=shared.show_pii)
    emit(render_drift(document, Format(shared.format), width=width(), color=colored(shared, sys.stdout)))
    for name, file in shared.reports:
        write_file(Path(file), render_drift(document, Format(name), width=100, color=False))
    return drifted.exit_code
