"""``inventory``: what we own."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.options import Globals, request_of, with_global_options


@click.command("inventory")
@click.argument("words", nargs=-1, metavar="list")
@with_global_options
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], **_: Any) -> int:
    """List every address we own, with the provider's id for it."""
    from reconciler.app.planning import loaded, required, store_for
    from reconciler.cli.output import emit
    from reconciler.errors import Exit, UsageError
    from reconciler.plan.codec import field_value
    from reconciler.render.json import document_json

    if words not in ((), ("list",)):
        raise UsageError("write: reconciler inventory list")
    shared = Globals.of(ctx)
    request = request_of(shared, {})
    with store_for(required(loaded(request)), request, create=False) as store:
        owned = sorted(store.inventory().owned.values(), key=lambda o: o.address)
    if shared.format == "json":
        objects = [
            {
                "address": str(o.address),
                "remoteId": o.remote_id,
                "protected": o.protect,
                "lastApplied": field_value(dict(o.fields), shared.show_pii),
            }
            for o in owned
        ]
        emit(document_json({"objects": objects}))
    else:
        wide = max((len(str(o.address)) for o in owned), default=0)
        lines = [f"{o.address!s:<{wide}}  {o.remote_id}{'  protected' if o.protect else ''}" for o in owned]
        emit("\n".join(lines) or "Nothing is owned yet.")
    return Exit.OK
