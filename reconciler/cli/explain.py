"""``explain``: what a code, a guard or an exit code means and what to do about it, or what a field of a manifest is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from reconciler.cli.options import Globals, with_formats

if TYPE_CHECKING:
    from reconciler.manifest.fields import Field

Meaning: TypeAlias = tuple[str, str]
"""What it means, and what to do."""


@click.command("explain")
@click.argument("what", required=False, metavar="[CODE | GUARD | EXIT | KIND[.FIELD]]")
@with_formats("text", "json")
@click.pass_context
def command(ctx: click.Context, /, what: str | None, **_: Any) -> int:
    """Explain a CODE, as it stands in brackets after `error` or `warning`; without one, list them all.

    In a project that includes the codes of its own policies.

    Or explain a guard, as `--allow` names it (deletes, shrink); an exit code (5); a kind (slicktext/v1/List, or List
    for that of every provider) or a field of it (List.name).
    """
    from reconciler.app.codes import codes
    from reconciler.app.policies import codes_here
    from reconciler.cli.output import present_either
    from reconciler.errors import Exit
    from reconciler.plan.allows import COUNTED, NAMED

    known: dict[str, Mapping[str, Meaning]] = {
        "code": dict(sorted({**codes_here(Path.cwd()), **codes()}.items())),
        "guard": {**COUNTED, **NAMED},
        "exit": {str(int(code)): (code.meaning, code.remedy) for code in Exit},
    }
    told = {of: {n: m for n, m in table.items() if what in (None, n)} for of, table in known.items()}
    fields = () if what is None or any(told.values()) else _fields(what, [*known["code"], *known["guard"]])
    document = {
        "formatVersion": "1",
        **{
            f"{of}s": [{of: name, "meaning": meaning, "remedy": remedy} for name, (meaning, remedy) in table.items()]
            for of, table in told.items()
        },
        "fields": [_document(field) for field in fields],
    }
    texts = _all_of(told) if what is None else _each(told)
    present_either(Globals.of(ctx), document, "\n\n".join([*texts, *(_told(field) for field in fields)]))
    return Exit.OK


def _all_of(told: Mapping[str, Mapping[str, Meaning]]) -> Iterator[str]:
    titles = {"code": "", "guard": "Guards, as --allow names them:\n", "exit": "Exit codes:\n"}
    wide = max(len(name) for table in told.values() for name in table)
    for of, table in told.items():
        yield titles[of] + "\n".join(f"{name:<{wide}}  {meaning}" for name, (meaning, _) in table.items())


def _each(told: Mapping[str, Mapping[str, Meaning]]) -> Iterator[str]:
    for of, table in told.items():
        for name, (meaning, remedy) in table.items():
            title = name if of == "code" else f"{of} {name}"
            yield f"{title}\n\n  {meaning}\n\n  What to do: {remedy}"


def _document(field: Field) -> dict[str, Any]:
    return {
        "path": field.path,
        "type": field.type,
        "required": field.required,
        "description": field.description,
        "values": list(field.values),
        "form": field.form,
        "limits": list(field.limits),
        "default": field.default,
        "fields": [_document(child) for child in field.fields],
    }


def _fields(what: str, known: Iterable[str]) -> tuple[Field, ...]:
    """Raises UsageError, with what was probably meant, for what is neither a kind or field nor a code."""
    from difflib import get_close_matches

    from reconciler.errors import UsageError
    from reconciler.manifest.fields import NoSuchField, explained

    try:
        return explained(what)
    except NoSuchField as nothing:
        close = [*nothing.close, *get_close_matches(what, known, n=3)][:3]
        hint = f"did you mean {', '.join(close)}?" if close else "reconciler schema lists the kinds"
        raise UsageError(f"there is no code, guard, exit code, kind or field {what!r}", hint=hint) from None


def _told(field: Field) -> str:
    from reconciler.render.screen import safe

    kind = "." not in field.path.rpartition("/")[2]
    lines = [field.path, "", *([] if kind else [f"  {_nature(field)}"]), *_paragraph(field.description, 2)]
    if len(field.values) > 1:
        lines += _paragraph(f"One of: {', '.join(field.values)}.", 2)
    if field.form:
        lines += _paragraph(f"It is {field.form}.", 2)
    if field.limits:
        lines += _paragraph(f"Limits: {', '.join(field.limits)}.", 2)
    if field.default:
        lines += _paragraph(f"Default: {field.default}", 2)
    if field.fields:
        lines += ["", "  Fields:"]
        for child in field.fields:
            lines += [f"    {child.name}  ({_nature(child)})", *_paragraph(child.description, 6)]
    return "\n".join(safe(line) for line in lines)


def _nature(field: Field) -> str:
    """``string, required``; a few values are told in place of their type."""
    few = 1 < len(field.values) <= 5
    kind = " | ".join(field.values) if few else field.type
    return f"{kind}, required" if field.required else kind


def _paragraph(text: str, indent: int) -> Iterator[str]:
    from reconciler.cli.output import width

    margin = " " * indent
    yield from wrap(text, width(), initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
