"""``fmt``: manifests in one form."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import Globals, with_formats

if TYPE_CHECKING:
    from reconciler.app.formatting import Formatting

STDIN = "-"


@click.command("fmt")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--check", is_flag=True, help="Write nothing; end with 2 when a file is not in its form.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change, and end with 2 when anything would.")
@with_formats("text", "json")
@click.pass_context
def command(ctx: click.Context, /, paths: tuple[str, ...], check: bool, diff: bool, **_: Any) -> int:
    """Format manifests in place: those at PATH, or those of the project; `-` reads stdin and writes to stdout.

    Values, comments and the order of documents stay. A file that cannot be read stays as it is (exit 3).
    """
    from reconciler.app.formatting import format_paths, format_text, write_forms
    from reconciler.cli.output import colored, note, stderr_width
    from reconciler.errors import Exit
    from reconciler.render.diagnostics import diagnostics_text

    shared = Globals.of(ctx)
    piped = STDIN in paths
    if piped and len(paths) > 1:
        raise click.UsageError("- stands for stdin, and for nothing beside it.", ctx=ctx)
    if piped:
        found = format_text(sys.stdin.buffer.read(), "<stdin>", show_pii=shared.show_pii)
    else:
        found = format_paths(paths, show_pii=shared.show_pii)
    if found.diagnostics and shared.format != "json":
        color = colored(shared, sys.stderr)
        note(diagnostics_text(found.diagnostics, color, width=stderr_width(), show_pii=shared.show_pii))
    looking = check or diff
    if piped and not looking:
        _pass_on(found)
    else:
        if not looking:
            write_forms(found)
        _tell(found, shared, diff=diff, looking=looking)
    if found.failed:
        return Exit.INVALID
    return Exit.DIFFERENCES if looking and found.differing else Exit.OK


def _pass_on(found: Formatting) -> None:
    """The form on stdout to the byte; nothing when there is none, so that nobody overwrites a file with it."""
    form = found.files[0].form
    if form is not None:
        sys.stdout.buffer.write(form.encode())
        sys.stdout.buffer.flush()


def _tell(found: Formatting, shared: Globals, *, diff: bool, looking: bool) -> None:
    from reconciler.app.formatting import difference
    from reconciler.cli.output import present_either
    from reconciler.masking import mask_text
    from reconciler.render.screen import safe
    from reconciler.render.words import counted

    lines = []
    for formed in found.differing:
        name = safe(formed.name)
        lines.append(f"~ {name if shared.show_pii else mask_text(name)}")
        if diff:
            lines += difference(formed, show_pii=shared.show_pii) or ["  only the ends of its lines, or of the file"]
    changed, same = len(found.differing), sum(f.form is not None and not f.differs for f in found.files)
    done = "to format" if looking else "formatted"
    lines.append(f"{counted(changed, 'files')} {done}, {same:,} as {'it' if same == 1 else 'they'} should be.")
    document = found.document(show_pii=shared.show_pii)
    present_either(shared, document, "\n".join(lines))
