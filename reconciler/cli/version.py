"""``version``."""

from __future__ import annotations

from typing import Any

import click

from reconciler import __version__
from reconciler.cli.options import Globals, with_formats


@click.command("version")
@with_formats("text", "json")
@click.pass_context
def command(ctx: click.Context, /, **_: Any) -> None:
    """Print the version."""
    from reconciler.cli.output import present

    def written(format_: str) -> str:
        if format_ == "text":
            return f"reconciler {__version__}"
        from reconciler.render.json import document_json

        return document_json({"formatVersion": "1", "name": "reconciler", "version": __version__})

    present(Globals.of(ctx), written)
