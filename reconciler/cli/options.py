"""Options that several commands share, and how they become a request. Global ones work before and after the command."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

if TYPE_CHECKING:
    from reconciler.app.loading import Request
    from reconciler.providers.base import Progress

F = TypeVar("F", bound=Callable[..., Any])

DOCUMENT_FORMATS = (
    "text",
    "concise",
    "json",
    "ndjson",
    "markdown",
    "html",
    "junit",
    "sarif",
    "gitlab",
    "gitlab-codequality",
)
"""Those of plans, reports and drift: ``render.Format``, which would take long to import for a line of help."""

_GLOBAL = (
    click.option("--no-color", is_flag=True, default=None, help="No colours; NO_COLOR is obeyed too."),
    click.option("--show-pii", is_flag=True, default=None, help="Show people's numbers instead of masking them."),
    click.option("-e", "--environment", metavar="NAME", help="The environment of the Project document to use."),
    click.option("--store", metavar="URL", help="Where the inventory and history are kept."),
    click.option("--parallelism", type=click.IntRange(1, 64), metavar="N", help="At most N requests at once."),
    click.option("--debug", is_flag=True, default=None, help="Show a traceback for an unexpected error."),
)

_INPUT = (
    click.argument("paths", nargs=-1, metavar="[PATH]..."),
    click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Set a variable; repeatable."),
    click.option("--values", multiple=True, metavar="FILE", help="Variables from a YAML file; repeatable."),
    click.option(
        "--allow-host",
        "allow_hosts",
        multiple=True,
        metavar="HOST",
        help="Send an account's credentials to this host, which is not its provider's own.",
    ),
)

_SCOPE = (
    click.option(
        "--select",
        multiple=True,
        metavar="SELECTOR",
        help="Only these: kind:List, label:team=growth, account:main, path:GLOB, or a glob on addresses.",
    ),
    click.option("--exclude", multiple=True, metavar="SELECTOR", help="Not these; same selectors."),
    click.option(
        "--allow",
        multiple=True,
        metavar="GUARD=VALUE",
        help="Lift exactly one guard, as the refusal prints it (deletes=12, empty=ADDRESS).",
    ),
)


_REFRESH = (
    click.option(
        "--refresh",
        type=click.Choice(["full", "counts"]),
        help="counts: only count the people of a list where nothing is to be done while it has as many as the last "
        "apply left; an exchange of people is not seen then. [default: full]",
    ),
)


def _stacked(options: Sequence[Callable[[F], F]], function: F) -> F:
    for option in reversed(options):
        function = option(function)
    return function


def with_global_options(function: F) -> F:
    """What every command takes that writes a plan, a report of an apply, or drift."""
    return with_formats(*DOCUMENT_FORMATS)(function)


def with_formats(*formats: str) -> Callable[[F], F]:
    """The same for a command that has formats of its own; the first is what it writes when nobody says.

    Any other is a usage error, on whichever side of the command it stands. A command with one format writes no reports.
    """

    def chosen(ctx: click.Context, _: click.Parameter, value: str | None) -> str:
        format_ = value or _before(ctx, "format_") or formats[0]
        if format_ not in formats:
            expected = f"one of {', '.join(formats)}" if formats[1:] else formats[0]
            raise click.UsageError(f"--format {format_}: {expected} is expected.", ctx=ctx)
        return str(format_)

    def beside(ctx: click.Context, _: click.Parameter, value: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return tuple(
            _report(text, formats if formats[1:] else (), ctx) for text in value or _before(ctx, "reports") or ()
        )

    only = "" if formats[1:] else ", and no other"
    told = f"{', '.join(formats)}{only}. [default: {formats[0]}]"
    return lambda function: _stacked((*_outputs(told, chosen, beside), *_GLOBAL), function)


def with_options_before(function: F) -> F:
    """What may stand before any command, which knows which formats it has."""
    return _stacked((*_outputs("What to write; each command has formats of its own."), *_GLOBAL), function)


def _outputs(
    told: str, chosen: Callable[..., Any] | None = None, beside: Callable[..., Any] | None = None
) -> tuple[Callable[[F], F], ...]:
    return (
        click.option("--format", "format_", metavar="FORMAT", help=told, callback=chosen),
        click.option(
            "--report",
            "reports",
            multiple=True,
            metavar="FORMAT=FILE",
            help="Write this format as well; repeatable.",
            callback=beside,
        ),
    )


def _before(ctx: click.Context, name: str) -> Any:
    """What stood before the command."""
    return ctx.parent.params.get(name) if ctx.parent is not None else None


def _report(text: str, formats: Sequence[str], ctx: click.Context) -> tuple[str, str]:
    """(format, file). Raises click.UsageError for a format that the command does not have."""
    name, equals, file = text.partition("=")
    if not formats:
        raise click.UsageError(f"--report {text}: this command writes no report.", ctx=ctx)
    if not equals or not file or name not in formats:
        raise click.UsageError(f"--report {text}: write FORMAT=FILE with one of {', '.join(formats)}.", ctx=ctx)
    return name, file


def with_input_options(function: F) -> F:
    """What every command takes that loads manifests."""
    return _stacked(_INPUT, function)


def with_loading_options(function: F) -> F:
    """The same for commands whose words are no paths: the manifests are the project's."""
    return _stacked(_INPUT[1:], function)


def with_scope_options(function: F) -> F:
    """What every command takes that plans."""
    return _stacked(_SCOPE, function)


def with_selection_options(function: F) -> F:
    """What every command takes that only reads some of the accounts."""
    return _stacked(_SCOPE[:2], function)


def with_refresh_option(function: F) -> F:
    """What the commands take that compare lists."""
    return _stacked(_REFRESH, function)


class Globals(NamedTuple):
    """The global options, whichever side of the command they stood on.

    No Struct, so that ``--help`` imports no msgspec.
    """

    format: str
    reports: tuple[tuple[str, str], ...]
    color: bool | None
    show_pii: bool
    environment: str
    store: str
    parallelism: int | None

    @property
    def there(self) -> str:
        """How a command that is printed names the same environment; empty when there is none."""
        from reconciler.model.desired import in_environment

        return in_environment(self.environment)

    @classmethod
    def of(cls, ctx: click.Context) -> Globals:
        """Raises click.UsageError for a report that could not be written, before anything is done."""
        values: dict[str, Any] = {}
        chain: list[click.Context] = []
        current: click.Context | None = ctx
        while current is not None:
            chain.insert(0, current)
            current = current.parent
        for context in chain:
            values.update({k: v for k, v in context.params.items() if v not in (None, (), "")})
        reports = values.get("reports", ())
        for _, file in reports:
            check_writable(file, "--report", ctx)
        return cls(
            format=values["format_"],
            reports=reports,
            color=False if values.get("no_color") else None,
            show_pii=bool(values.get("show_pii")),
            environment=values.get("environment", ""),
            store=values.get("store", ""),
            parallelism=values.get("parallelism"),
        )


def check_writable(file: str, flag: str, ctx: click.Context) -> None:
    """Raises click.UsageError before anything is done when the result could not be written afterwards."""
    folder = Path(file).parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or Path(file).is_dir():
        raise click.UsageError(f"{flag} {file}: this cannot be written.", ctx=ctx)


def request_of(shared: Globals, params: dict[str, Any], progress: Progress | None = None) -> Request:
    """The request that a command's options make."""
    from reconciler.app.loading import Request
    from reconciler.plan.saved import Inputs
    from reconciler.plan.selection import Refresh
    from reconciler.providers.base import silent

    return Request(
        inputs=Inputs(
            paths=tuple(params.get("paths", ())),
            environment=shared.environment,
            variables=tuple(params.get("variables", ())),
            values=tuple(params.get("values", ())),
            select=tuple(params.get("select", ())),
            exclude=tuple(params.get("exclude", ())),
            allow=tuple(params.get("allow", ())),
            allow_hosts=tuple(params.get("allow_hosts", ())),
            refresh=Refresh(params.get("refresh") or Refresh.FULL),
        ),
        store=shared.store,
        parallelism=shared.parallelism,
        show_pii=shared.show_pii,
        progress=progress or silent,
    )


class Duration(click.ParamType[timedelta]):
    """``30s``, ``10m``, ``24h``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
        text = str(value)
        if not text[:-1].isdigit() or text[-1:] not in units or int(text[:-1]) == 0 or len(text) > 7:
            self.fail(f"{text!r} is no duration: write 30s, 10m or 24h", param, ctx)
        return timedelta(**{units[text[-1]]: int(text[:-1])})
