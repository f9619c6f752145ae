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
    from reconciler.cli.output import present_either

    document = {"formatVersion": "1", "name": "reconciler", "version": __version__}
    present_either(Globals.of(ctx), document, f"reconciler {__version__}")
