"""``status``: how campaigns and lists are doing, as the providers tell it."""

from __future__ import annotations

import sys
from typing import Any

import click

from reconciler.cli.options import (
    Globals,
    request_of,
    with_formats,
    with_input_options,
    with_selection_options,
)
from reconciler.cli.waiting import wait_for


@click.command("status")
@with_input_options
@with_selection_options
@click.option("--exit-code", is_flag=True, help="Exit with 2 when something is wrong.")
@with_formats("text", "concise", "json", "markdown")
@click.pass_context
def command(ctx: click.Context, /, exit_code: bool, **params: Any) -> int:
    """Show how campaigns and lists are doing: errors, states, sizes, progress. Reads only.

    --select and --exclude choose accounts; everything in a chosen account is shown,
    whoever owns it.
    """
    from reconciler.app.observing import observe
    from reconciler.cli.output import colored, emit, width, write_reports
    from reconciler.cli.progress import ProgressLine
    from reconciler.errors import Exit
    from reconciler.render.status import render_status

    shared = Globals.of(ctx)
    progress = ProgressLine()
    try:
        observed = wait_for(observe(request_of(shared, params, progress)))
    finally:
        progress.clear()
    document = observed.document(show_pii=shared.show_pii)
    emit(render_status(document, shared.format, width=width(), color=colored(shared, sys.stdout)))
    write_reports(shared, lambda name: render_status(document, name, width=100, color=False))
    if observed.exit_code is Exit.OK and exit_code and not observed.healthy:
        return Exit.DIFFERENCES
    return observed.exit_code
