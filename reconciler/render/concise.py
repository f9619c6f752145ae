"""A plan in one line per change and a few for the sums: for logs, chats and eyes in a hurry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from reconciler.render import words
from reconciler.render.changes import BLOCKED, stray
from reconciler.render.documents import ChangeDocument, DiagnosticDocument, PlanDocument
from reconciler.render.screen import NARROWEST, Line, Piece, Style, cut, line, paint, safe, wrapped


def plan_concise(doc: Mapping[str, Any], *, width: int, color: bool) -> str:
    """The plan document ``doc`` with one line for every change and every problem, then the summary."""
    plan = cast(PlanDocument, doc)
    width = max(width, NARROWEST)
    codes = words.blocking_codes(plan)
    lines = [_change(change, codes.pop(change["address"], [])) for change in plan["changes"]]
    lines += [_blocked(address, codes.pop(address)) for address in stray(codes)]
    lines += [_problem(problem) for problem in words.problems(plan) if _homeless(problem, codes)]
    summary = [words.headline(plan), words.effort(plan), *words.verdict(plan)]
    sums = [line(text) for told in summary if told for text in wrapped(told, width)]
    # What lifts a guard is there to be pasted, so it is never cut.
    guards = [line(Piece(f"{BLOCKED:>3} guard {words.allow(guard)}", Style.ALARM)) for guard in plan["guards"]]
    return paint([*(cut(shown, width) for shown in lines), *guards, *sums], color=color)


def _homeless(problem: DiagnosticDocument, codes: Mapping[str, list[str]]) -> bool:
    """Whether an error belongs to no resource, so that no line stands for it yet."""
    return problem["severity"] == "error" and (not problem["address"] or problem["address"] in codes)


def _change(change: ChangeDocument, blocked: list[str]) -> Line:
    symbol = BLOCKED if blocked else words.symbol(change)
    contact = words.contact_words(change)
    parts = [
        f"{symbol:>3} {safe(change['address'])}",
        *([f"blocked: {', '.join(map(safe, blocked))}"] if blocked else []),
        *([contact] if contact else []),
        *([words.action_word(change)] if words.action_word(change) else []),
        *([words.member_counts(change)] if words.member_counts(change) else []),
    ]
    grave = bool(blocked) or change["contactClass"] == "starts-contacting"
    return line(Piece("  ".join(parts), Style.ALARM if grave else Style.PLAIN))


def _blocked(address: str, codes: list[str]) -> Line:
    return line(Piece(f"{BLOCKED:>3} {safe(address)}  blocked: {', '.join(map(safe, codes))}", Style.ALARM))


def _problem(problem: DiagnosticDocument) -> Line:
    return line(Piece(f"{BLOCKED:>3} error[{safe(problem['code'])}]: {safe(problem['message'])}", Style.ALARM))
