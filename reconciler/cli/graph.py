"""``graph``: what is declared, and what feeds what."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.options import (
    Globals,
    request_of,
    with_formats,
    with_input_options,
    with_selection_options,
)


@click.command("graph")
@with_input_options
@with_selection_options
@with_formats("dot", "mermaid", "json")
@click.pass_context
def command(ctx: click.Context, /, **params: Any) -> int:
    """Draw what is declared: who is put on which list, and which list feeds which campaign.

    --format is dot (the default), mermaid or json. Needs no network and no secrets.
    """
    from reconciler.app.graphing import graph_of
    from reconciler.cli.output import emit, write_reports
    from reconciler.errors import Exit
    from reconciler.render.graph import FORMATS, render_graph

    shared = Globals.of(ctx, FORMATS, default="dot")
    document = graph_of(request_of(shared, params))
    emit(render_graph(document, shared.format))
    write_reports(shared, lambda name: render_graph(document, name))
    return Exit.OK
