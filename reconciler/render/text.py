"""A plan for people at a terminal: what was read, what would change, what is in the way, and what it all comes to.

Symbols carry the meaning and colour repeats it. What is dangerous is told in the first line, the sums in the last ones,
which is where a terminal stands after a long plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from reconciler.render import words
from reconciler.render.calls import call_lines
from reconciler.render.changes import account_groups
from reconciler.render.diagnostics import diagnostic_lines
from reconciler.render.documents import AccountDocument, GuardDocument, PlanDocument, ReadDocument
from reconciler.render.screen import (
    GAP,
    NARROWEST,
    Line,
    Piece,
    Style,
    cut,
    line,
    padded,
    paint,
    paragraph,
    safe,
    sections,
    spaced,
    width_of,
)

_IDENTITY, _COUNTS = 1, 2
_SHORTEST_IDENTITY = 16


def plan_text(doc: Mapping[str, Any], *, width: int, color: bool) -> str:
    """The plan document ``doc`` (``schemas/plan.json``) in lines of at most ``width`` columns, 60 or more.

    Commands to be pasted are the one thing that is never broken or cut, so a line with one may be longer.
    """
    plan = cast(PlanDocument, doc)
    width = max(width, NARROWEST)
    problems = [shown for problem in words.problems(plan) for shown in diagnostic_lines(problem, width)]
    guards = [shown for guard in plan["guards"] for shown in _guard(guard, width)]
    blocks = (
        _top(plan, width),
        _accounts(plan["accounts"], plan["reads"], width),
        *account_groups(plan, width),
        call_lines(plan, width),
        problems,
        guards,
        _closing(plan, width),
    )
    return paint(sections(blocks), color=color)


def _top(plan: PlanDocument, width: int) -> list[Line]:
    lines = []
    if plan["environment"]:
        where = f"{safe(plan['project'])}, environment {safe(plan['environment'])}"
        lines.append(cut(line(Piece(where, Style.BOLD)), width))
    if danger := words.danger(plan):
        lines += paragraph(f"! {danger}", width, Style.ALARM)
    return lines


def _accounts(accounts: Sequence[AccountDocument], reads: Mapping[str, ReadDocument], width: int) -> list[Line]:
    """One line for each account; when it gets narrow, the time goes first, then the requests, then the identity."""
    rows = [_account(account, reads.get(account["name"])) for account in accounts]
    columns = 5
    while columns > _COUNTS + 1 and _table_width(rows, columns) > width:
        columns -= 1
    widths = [_column(rows, i) for i in range(columns)]
    over = _table_width(rows, columns) - width
    if over > 0:
        widths[_IDENTITY] = max(widths[_IDENTITY] - over, min(widths[_IDENTITY], _SHORTEST_IDENTITY))
    return [_account_line(account, row, widths, width) for account, row in zip(accounts, rows, strict=True)]


def _account(account: AccountDocument, read: ReadDocument | None) -> tuple[str, str, str, str, str]:
    # An identity begins with the provider, which stands before it already.
    whose = account["identity"].removeprefix(f"{account['provider']}:")
    identity = f"{account['provider']} · {whose}" if whose else account["provider"]
    problem = account["problem"]
    counts = f"not read: {problem['code']}" if problem else words.account_counts(account)
    requests = words.counted(read["requests"], "requests") if read else ""
    elapsed = f"{read['elapsedSeconds']:.1f} s" if read else ""
    return safe(account["name"]), safe(identity), safe(counts), requests, elapsed


def _account_line(account: AccountDocument, row: Sequence[str], widths: Sequence[int], width: int) -> Line:
    styles = (Style.BOLD, Style.PLAIN, Style.ALARM if account["problem"] else Style.PLAIN, Style.DIM, Style.DIM)
    cells = [
        Piece(_cell(text, columns, last=i == len(widths) - 1, right=i > _COUNTS), styles[i])
        for i, (text, columns) in enumerate(zip(row, widths, strict=False))
    ]
    return cut(spaced(cells), width)


def _cell(text: str, columns: int, *, last: bool, right: bool) -> str:
    if right:
        return " " * (columns - width_of(text)) + text
    return text if last else padded(text, columns)


def _column(rows: Sequence[Sequence[str]], index: int) -> int:
    return max((width_of(row[index]) for row in rows), default=0)


def _table_width(rows: Sequence[Sequence[str]], columns: int) -> int:
    widths = [width for i in range(columns) if (width := _column(rows, i))]
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _guard(guard: GuardDocument, width: int) -> list[Line]:
    told = f"! guard {safe(guard['guard'])}: {safe(guard['message'])}"
    lift = Piece(words.allow(guard), Style.BOLD)
    return [*paragraph(told, width, Style.ALARM), line("  to allow exactly this: ", lift)]


def _closing(plan: PlanDocument, width: int) -> list[Line]:
    lines = paragraph(_unmanaged(plan), width, Style.DIM)
    lines += paragraph(words.counted_line(plan["accounts"]), width, Style.DIM)
    lines += paragraph(words.headline(plan), width, Style.BOLD)
    lines += paragraph(words.effort(plan), width)
    if approvals := words.approvals(plan):
        lines.append(line("Approvals: ", approvals))
    for told in words.verdict(plan):
        lines += paragraph(told, width, Style.ALARM)
    return lines


def _unmanaged(plan: PlanDocument) -> str:
    """Per account, what nobody declares and nobody owns: seen, and left alone."""
    found: dict[str, list[tuple[str, int]]] = {}
    for left in plan["unmanaged"]:
        found.setdefault(left["account"], []).append((f"{left['kind'].lower()}s", left["count"]))
    told = "; ".join(f"{safe(account)} {safe(words.amounts(counts))}" for account, counts in found.items())
    return f"Unmanaged, left alone: {told}" if told else ""
