"""``schema``: the JSON Schema of a kind, for editors, and of what commands print, for programs."""

from __future__ import annotations

import json
from typing import Any

import click

from reconciler.cli.options import Globals, with_formats


@click.command("schema")
@click.argument("kind", required=False)
@with_formats("text", "json")
@click.pass_context
def command(ctx: click.Context, /, kind: str | None, **_: Any) -> int:
    """Print the schema of KIND (slicktext/v1/List), whole and standing alone; without KIND, list them.

    Or that of a document which commands print with --format json (plan, drift, report, …).
    """
    from reconciler.cli.output import note, present, present_either
    from reconciler.errors import Exit, UsageError
    from reconciler.manifest.schemas import document_schemas, schema_files, standalone

    shared = Globals.of(ctx)
    kinds = {f"{version}/{name}": (version, name) for version, name in schema_files()}
    documents = document_schemas()
    names = [*sorted(kinds), *sorted(documents)]
    if kind is None:
        present_either(shared, {"formatVersion": "1", "schemas": names}, "\n".join(names))
        return Exit.OK
    if kind not in names:
        raise UsageError(f"there is no schema {kind!r}", hint=f"one of: {', '.join(names)}")
    schema = standalone(*kinds[kind]) if kind in kinds else json.loads(documents[kind].read_bytes())
    whole = json.dumps(schema, indent=2, ensure_ascii=False)
    present(shared, lambda _: whole)
    if kind in kinds:
        note("In a file, an editor finds it by this line in a manifest:  # yaml-language-server: $schema=PATH")
    return Exit.OK
