"""``init``: a new repository, ready for `validate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import Globals, with_formats

PROVIDERS = ("slicktext", "intelepeer", "exotel", "contactcenter")
CIS = ("github", "gitlab", "none")

_IDS = {
    "brand_id": "brandId",
    "account_sid": "accountSid",
    "region": "region",
    "account_id": "accountId",
    "domain": "domain",
    "base_url": "baseUrl",
}


@click.command("init")
@click.argument("folder", metavar="[DIR]", default=".")
@click.option("--provider", type=click.Choice(PROVIDERS), default="slicktext", show_default=True, help="Whose account.")
@click.option("--ci", type=click.Choice(CIS), default="github", show_default=True, help="Whose pipeline to write.")
@click.option("--name", metavar="NAME", default="", help="The project's name. [default: that of the folder]")
@click.option("--brand-id", metavar="ID", help="SlickText: the brand.")
@click.option("--account-sid", metavar="SID", help="Exotel: the account.")
@click.option("--region", metavar="NAME", help="Exotel: singapore or mumbai.")
@click.option("--account-id", metavar="ID", help="Contact centre: the account.")
@click.option("--domain", metavar="NAME", help="Contact centre: the tenant.")
@click.option("--base-url", metavar="URL", help="Where the API is, if not at the provider's own address.")
@with_formats("text", "json")
@click.pass_context
def command(ctx: click.Context, /, folder: str, provider: str, ci: str, name: str, **params: Any) -> int:
    """Start a repository in DIR (here): project, account, list, membership, contact file, README, pipeline.

    What is not given is a placeholder that `validate` accepts. Never overwrites anything, never writes a secret.
    """
    from reconciler.app.starting import Ci, StartOptions, start
    from reconciler.cli.output import present_either
    from reconciler.errors import Exit

    shared = Globals.of(ctx)
    ids = {field: params[option] for option, field in _IDS.items() if params[option] is not None}
    started = start(StartOptions(folder=Path(folder), provider=provider, project=name, ids=ids, ci=Ci(ci)))
    document = {"formatVersion": "1", "files": list(started.written), "next": list(started.steps)}
    steps = [f"  {number}. {step}" for number, step in enumerate(started.steps, start=1)]
    text = "\n".join([*(f"+ {name}" for name in started.written), "", "Next:", *steps])
    present_either(shared, document, text)
    return Exit.OK
