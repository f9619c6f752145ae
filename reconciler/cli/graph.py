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

    Needs no network and no secrets.
    """
    from reconciler.app.graphing import graph_of
    from reconciler.cli.output import present
    from reconciler.errors import Exit
    from reconciler.render.graph import render_graph

    shared = Globals.of(ctx)
    document = graph_of(request_of(shared, params))
    present(shared, lambda format_: render_graph(document, format_))
    return Exit.OK
