"""Operations as a document, as text for a terminal, and as the tables of the user guide."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.plan.calls import Json
from reconciler.providers.base import Operation, Param
from reconciler.render.screen import Line, Piece, Style, line, paint, paragraph, safe, wrapped

_CLASSES = {"silent": "", "may-notify": "may notify people", "starts-contacting": "can start contacting people"}


def operation_document(provider: str, operation: Operation) -> dict[str, Any]:
    """One operation as ``call --list --format json`` has it."""
    return {
        "provider": provider,
        "operation": operation.name,
        "method": str(operation.method),
        "path": operation.path,
        "summary": operation.summary,
        "params": [
            {"name": p.name, "place": p.place, "required": p.required, "description": p.description}
            for p in operation.params
        ],
        "arrayBody": operation.array_body,
        "contactClass": str(operation.contact_class),
    }


def operations_text(tables: Mapping[str, Sequence[Operation]], *, width: int, color: bool, concise: bool) -> str:
    """The operations of each provider: one line each, or with what they take."""
    lines: list[Line] = []
    for provider, operations in tables.items():
        if len(tables) > 1:
            lines += [*([()] if lines else []), line(Piece(safe(provider), Style.BOLD))]
        wide = max((len(o.name) for o in operations), default=0)
        for operation in operations:
            lines += [_head(operation, wide)] if concise else [*_entry(operation, wide, width)]
    return paint(lines, color=color)


def operation_text(account: str, operation: Operation, *, width: int, color: bool) -> str:
    """What one operation does and takes, with a command line to start from."""
    blocks = [
        line(Piece(safe(operation.name), Style.BOLD), f"  {operation.method} {safe(operation.path)}"),
        *paragraph(safe(operation.summary), width),
    ]
    if told := _CLASSES[str(operation.contact_class)]:
        blocks += paragraph(f"It {told}.", width, Style.ALARM)
    blocks += [(), line("Parameters:" if operation.params else "It takes no parameters.")]
    wide = max((len(p.name) for p in operation.params), default=0)
    for param in operation.params:
        blocks += _param(param, wide, width)
    for name, value in operation.fixed:
        blocks += paragraph(f"Always sent: {safe(name)} = {safe(_shown(value))}", width)
    return paint([*blocks, (), line(f"    {_usage(account, operation)}")], color=color)


def operations_markdown(tables: Mapping[str, Sequence[Operation]]) -> str:
    """A section for each provider with a row for each operation."""
    sections = []
    for provider, operations in tables.items():
        rows = [
            "| operation | request | parameters | people | reached by |",
            "|---|---|---|---|---|",
            *(_row(o) for o in operations),
        ]
        sections.append("\n".join([f"## {provider}", "", *rows]))
    return "\n\n".join(sections) + "\n"


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _head(operation: Operation, wide: int) -> Line:
    return line(f"{safe(operation.name):<{wide}}  {operation.method:<6}  {safe(operation.path)}")


def _entry(operation: Operation, wide: int, width: int) -> Iterable[Line]:
    yield _head(operation, wide)
    indent = " " * 4
    told = _CLASSES[str(operation.contact_class)]
    style = Style.ALARM if operation.contact_class == "starts-contacting" else Style.DIM
    for shown in wrapped(safe(operation.summary), width - 4):
        yield line(indent, Piece(shown, Style.DIM))
    if told:
        yield line(indent, Piece(told, style))
    if operation.params:
        takes = ", ".join(f"{p.name}{'' if p.required else '?'}" for p in operation.params)
        yield from (line(indent, shown) for shown in wrapped(safe(takes), width - 4))


def _param(param: Param, wide: int, width: int) -> Iterable[Line]:
    about = f"{param.place}{', required' if param.required else ''}: {param.description}"
    first, *more = wrapped(safe(about), max(width - wide - 4, 20))
    yield line(f"  {safe(param.name):<{wide}}  {first}")
    yield from (line(f"  {'':<{wide}}  {shown}") for shown in more)


def _usage(account: str, operation: Operation) -> str:
    words = [f"{p.name}{':=[…]' if operation.array_body else '=…'}" for p in operation.params if p.required]
    if operation.method != "GET":
        words.append("--approve contact" if operation.contact_class == "starts-contacting" else "--yes")
    return " ".join(["reconciler call", safe(account), safe(operation.name), *words])


def _row(operation: Operation) -> str:
    params = ", ".join(f"`{p.name}`" + ("" if p.required else "?") for p in operation.params) or "none"
    people = str(operation.contact_class).replace("-", " ")
    reached = ", ".join([*operation.used_by, "call"])
    cells = [f"`{operation.name}`", f"`{operation.method} {operation.path}`", params, people, reached]
    return f"| {' | '.join(cells)} |"
