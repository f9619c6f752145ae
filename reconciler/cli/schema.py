"""``schema``: the JSON Schema of a kind, for editors."""

from __future__ import annotations

import json
from typing import Any

import click

from reconciler.cli.options import with_global_options


@click.command("schema")
@click.argument("kind", required=False)
@with_global_options
def command(kind: str | None, **_: Any) -> int:
    """Print the schema of KIND (slicktext/v1/List), whole and standing alone; without KIND, list them."""
    from reconciler.cli.output import emit, note
    from reconciler.errors import Exit, UsageError
    from reconciler.manifest.schemas import schema_files, standalone

    names = {f"{version}/{name}": (version, name) for version, name in schema_files()}
    if kind is None:
        emit("\n".join(sorted(names)))
        return Exit.OK
    if kind not in names:
        raise UsageError(f"there is no schema {kind!r}", hint=f"one of: {', '.join(sorted(names))}")
    emit(json.dumps(standalone(*names[kind]), indent=2, ensure_ascii=False))
    note("In a file, an editor finds it by this line in a manifest:  # yaml-language-server: $schema=PATH")
    return Exit.OK
