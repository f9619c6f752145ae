"""``init``: a new repository, ready for `validate`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from reconciler.cli.options import Globals, request_of, with_formats
from reconciler.cli.waiting import wait_for

if TYPE_CHECKING:
    from reconciler.app.loading import Request

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
@click.option("--check", is_flag=True, help="Then read the account, to see that the credentials are right.")
@click.option("--import", "live", is_flag=True, help="What the account holds now, in place of the samples.")
@with_formats("text", "json")
@click.pass_context
def command(ctx: click.Context, /, folder: str, provider: str, ci: str, name: str, **params: Any) -> int:
    """Start a repository in DIR (here): project, account, list, membership, contact file, README, pipeline.

    What is not given is a placeholder that `validate` accepts. Never overwrites anything, never writes a secret.
    With --import, the manifests and contact files are those of the account, as `import` writes them.
    """
    from reconciler.app.starting import Ci, StartOptions, start
    from reconciler.cli.output import note, present_either
    from reconciler.errors import Exit

    shared = Globals.of(ctx)
    ids = {field: params[option] for option, field in _IDS.items() if params[option] is not None}
    options = StartOptions(
        folder=Path(folder), provider=provider, project=name, ids=ids, ci=Ci(ci), samples=not params["live"]
    )
    started = start(options)
    told: tuple[str, ...] = ()
    if params["check"] or params["live"]:
        note(f"{len(started.written)} files are written; now reading the account.")
        host = (urlsplit(ids.get("baseUrl", "")).hostname or "",)
        with contextlib.chdir(started.folder):
            request = request_of(shared, {"allow_hosts": host})
            told = _imported(request) if params["live"] else _checked(request)
    files = [*started.written, *told] if params["live"] else list(started.written)
    document = {"formatVersion": "1", "files": files, "next": list(started.steps)}
    steps = [f"  {number}. {step}" for number, step in enumerate(started.steps, start=1)]
    found = [] if params["live"] else list(told)
    present_either(shared, document, "\n".join([*(f"+ {name}" for name in files), *found, "", "Next:", *steps]))
    return Exit.OK


def _checked(request: Request) -> tuple[str, ...]:
    """Whose account answered. Raises what kept it from being read."""
    from reconciler.app.planning import plan
    from reconciler.errors import CredentialsRefused, Exit, ReadIncomplete

    planned = wait_for(plan(request))
    for account in planned.plan.accounts:
        if (problem := account.problem) is not None:
            failure = CredentialsRefused if account.exit_code == Exit.CREDENTIALS else ReadIncomplete
            raise failure(problem.message, hint=problem.hint)
    return tuple(f"The account answers: {a.provider} · {a.identity}." for a in planned.plan.accounts)


def _imported(request: Request) -> tuple[str, ...]:
    """The files that the import wrote, from the repository's folder. Raises what an import raises."""
    from reconciler.app.importing import ImportOptions, import_account

    return tuple(f.path for f in wait_for(import_account(request, ImportOptions(account="main"))).files)
