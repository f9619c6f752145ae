"""Plans, reports and drift as Markdown for a pull request or a step summary.

What decides comes first and in full; the rest is folded away, and of too much the least important rows are dropped and
counted. Data stands in code spans only, fenced longer than any run of backticks in it, so that no name in a portal can
be a link, a mention, a picture or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from reconciler.render import drift as drift_words
from reconciler.render import words
from reconciler.render.documents import (
    AccountDocument,
    ChangeDocument,
    DiagnosticDocument,
    DriftDocument,
    DriftItemDocument,
    GuardDocument,
    PlanDocument,
    ReportDocument,
    ReportedChangeDocument,
)
from reconciler.render.screen import fit, safe
from reconciler.render.values import shown

BUDGET = 65_536
"""Bytes: what the strictest of the usual readers takes, a comment on a pull request."""

_LONGEST_VALUE = 300
_RESERVE = 200
"""Bytes kept for saying that rows were dropped."""

_TICKS = re.compile("`+")


class Section(NamedTuple):
    """Rows below a heading, folded or not; ``rows`` are whole list items, in order of importance."""

    heading: str
    rows: Sequence[str]
    folded: bool = False


def plan_markdown(doc: Mapping[str, Any], *, budget: int = BUDGET) -> str:
    """The plan document ``doc`` in at most ``budget`` bytes, the digest to approve last."""
    plan = cast(PlanDocument, doc)
    blocked = words.blocking_codes(plan)
    problems = words.problems(plan)
    errors = [p for p in problems if p["severity"] == "error"]
    grave = [c for c in plan["changes"] if _grave(c) or c["address"] in blocked]
    rest = [c for c in plan["changes"] if c not in grave]
    sections = [
        Section("Refused unless lifted", [_guard(g) for g in plan["guards"]]),
        Section("Refused by policy", [_problem(p) for p in errors if "policy" in p]),
        Section("Problems", [_problem(p) for p in errors if "policy" not in p]),
        Section("Look at these first", [_change(c, blocked.get(c["address"], [])) for c in grave]),
        Section(words.counted(len(rest), "other changes" if grave else "changes"), [_change(c) for c in rest], True),
        Section("Warnings", [_problem(p) for p in problems if p["severity"] == "warning"], True),
        Section("Notes", [_problem(p) for p in problems if p["severity"] == "note"], True),
        _counted(plan["accounts"]),
    ]
    head = [
        f"### Plan: {words.headline(plan) or 'it cannot be applied as it stands'}",
        _project(plan),
        _bold(words.danger(plan)),
        words.effort(plan),
        *map(_bold, words.verdict(plan)),
    ]
    foot = [f"Approvals: {code(words.approvals(plan))}"] if words.approvals(plan) else []
    foot += [f"Digest to approve: {code(plan['digest'])}"] if plan["digest"] else []
    return document(head, sections, foot, budget)


def report_markdown(doc: Mapping[str, Any], *, budget: int = BUDGET) -> str:
    """How an apply ended, what was not done first."""
    report = cast(ReportDocument, doc)
    counts = cast(dict[str, int], report["counts"])
    told = ", ".join(f"{counts[key]:,} {word}" for key, word in _ENDED if counts[key] or key == "done")
    undone = [c for c in report["changes"] if c["outcome"] != "done"]
    done = [c for c in report["changes"] if c["outcome"] == "done"]
    sections = [
        Section("Not done", [_reported(c) for c in sorted(undone, key=lambda c: _GRAVEST.index(c["outcome"]))]),
        Section(f"{words.counted(len(done), 'changes')} done", [_reported(c) for c in done], True),
    ]
    verified = {True: "Verified: a fresh plan is empty.", False: "**Not verified: a fresh plan is not empty.**"}
    head = [f"### Apply: {told}", verified.get(cast(bool, report["verified"]), "Not verified: no fresh plan was made.")]
    head += ["**Interrupted: nothing new was started after that.**"] if report["interrupted"] else []
    head += ["\n".join(f"- {code(reason)}" for reason in report["unverified"])]
    foot = [f"Run {code(report['run'])}"]
    foot += [f"To continue: {code(report['resume'])}"] if report["resume"] else []
    return document(head, sections, foot, budget)


def drift_markdown(doc: Mapping[str, Any], *, budget: int = BUDGET) -> str:
    """What drifted, the gravest first; what is pending, unmanaged or accepted is folded."""
    drift = cast(DriftDocument, doc)
    items = drift_words.ordered(drift["items"])
    moved = [i for i in items if not i["accepted"] and i["state"] in ("conflict", "drifted", "missing")]
    rest = [i for i in items if i not in moved]
    unread = any(a["problem"] is not None for a in drift["accounts"])
    sections = [
        Section("Moved behind Git's back", [_item(i) for i in moved]),
        Section("Pending, unmanaged or accepted", [_item(i) for i in rest], True),
        Section("Problems", [_problem(p) for p in drift["diagnostics"]], not unread),
        _counted(drift["accounts"]),
    ]
    return document([f"### Drift: {drift_words.headline(drift)}", _project(drift)], sections, [], budget)


def _counted(accounts: Iterable[AccountDocument]) -> Section:
    return Section("Counted, not compared", [f"- {code(address)}" for address in words.counted_only(accounts)], True)


_ENDED = (
    ("done", "done"),
    ("failed", "failed"),
    ("blocked", "blocked"),
    ("notAttempted", "not attempted"),
    ("unresolved", "unresolved"),
)
_GRAVEST = ("unresolved", "failed", "blocked", "not-attempted", "done")


def document(head: Iterable[str], sections: Iterable[Section], foot: Iterable[str], budget: int) -> str:
    """Head and foot whole, of the sections as many rows as the budget has room for, the first ones first."""
    top = "\n\n".join(part for part in head if part)
    bottom = "\n\n".join(foot)
    left = budget - len(f"{top}\n\n{bottom}\n".encode()) - _RESERVE
    blocks: list[str] = []
    dropped = 0
    for section in sections:
        if not section.rows:
            continue
        frame = len(_framed(section, "").encode()) + 4
        kept: list[str] = []
        for row in section.rows:
            cost = len(row.encode()) + 1
            if frame + cost > left:
                break
            kept.append(row)
            left -= cost
        dropped += len(section.rows) - len(kept)
        if kept:
            left -= frame
            blocks.append(_framed(section, "\n".join(kept)))
    if dropped:
        blocks.append(f"*{words.counted(dropped, 'rows')} left out: this page has room for {budget:,} bytes.*")
    return "\n\n".join(part for part in (top, *blocks, bottom) if part) + "\n"


def _framed(section: Section, rows: str) -> str:
    if section.folded:
        return f"<details><summary>{section.heading}</summary>\n\n{rows}\n\n</details>"
    return f"**{section.heading}**\n\n{rows}"


def code(text: str) -> str:
    """``text`` as a code span that it cannot end, on one line."""
    held = safe(text)
    longest = max((len(run) for run in _TICKS.findall(held)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if not held.strip() or held.startswith("`") or held.endswith("`") else ""
    return f"{fence}{pad}{held or ' '}{pad}{fence}"


def _value(value: Any) -> str:
    return code(fit(shown(value), _LONGEST_VALUE))


def _project(doc: PlanDocument | DriftDocument) -> str:
    if not doc["project"]:
        return ""
    environment = f", environment {code(doc['environment'])}" if doc["environment"] else ""
    return f"Project {code(doc['project'])}{environment}"


def _bold(text: str) -> str:
    return f"**{text}**" if text else ""


def _grave(change: ChangeDocument) -> bool:
    members = change["members"]
    removes = members is not None and members["remove"] > 0
    return change["action"] in ("delete", "replace") or change["contactClass"] == "starts-contacting" or removes


def _place(source: Mapping[str, Any] | None) -> str:
    return f" ({code(source['file'] + ':' + str(source['line']))})" if source else ""


def _problem(problem: DiagnosticDocument) -> str:
    about = f" {code(problem['address'])}" if problem["address"] else ""
    hint = f"\n  - {code(problem['hint'])}" if problem["hint"] else ""
    place = _place(problem["source"])
    return f"- {code(problem['severity'])} {code(problem['code'])}{about}{place}: {code(problem['message'])}{hint}"


def _guard(guard: GuardDocument) -> str:
    return f"- {code(guard['guard'])}: {code(guard['message'])}; to allow exactly this: {code(words.allow(guard))}"


def _change(change: ChangeDocument, blocked: Sequence[str] = ()) -> str:
    parts = (
        words.action_word(change) or code(change["action"]),
        f"blocked by {', '.join(map(code, blocked))}" if blocked else "",
        words.contact_words(change),
        words.member_counts(change),
    )
    rows = [f"- {code(change['address'])}: {'; '.join(part for part in parts if part)}{_place(change['source'])}"]
    for delta in change["deltas"]:
        old = "" if change["action"] == "create" else f"{_value(delta['live'])} to "
        rows.append(f"  - {code(delta['path'])}: {old}{_value(delta['desired'])}")
    return "\n".join(rows)


def _reported(change: ReportedChangeDocument) -> str:
    outcome = code(change["outcome"].replace("-", " "))
    partly = change["outcome"] != "done" and change["operations"] > 1
    progress = (
        f", {change['operationsDone']:,} of {words.counted(change['operations'], 'operations')} done" if partly else ""
    )
    rows = [f"- {code(change['address'])}: {code(change['action'])}, {outcome}{progress}"]
    rows += [
        f"  - {label}: {code(text)}" for label, text in (("why", change["detail"]), ("do", change["hint"])) if text
    ]
    return "\n".join(rows)


def _item(item: DriftItemDocument) -> str:
    reason = f": {code(item['reason'])}" if item["reason"] else ""
    name = f" {_value(item['title'])}" if item["title"] else ""
    rows = [f"- {code(drift_words.word(item))} {code(item['address'])}{name}{_place(item['source'])}{reason}"]
    for field in item["fields"]:
        sides = zip(drift_words.SIDES, (field["lastApplied"], field["live"], field["desired"]), strict=True)
        rows.append(f"  - {code(field['path'])}: " + ", ".join(f"{side} {_value(value)}" for side, value in sides))
    if item["members"] is not None:
        rows += [f"  - {count:,} {told}" for told, count, _ in drift_words.moves(item["members"])]
    rows += [f"  - with it: {', '.join(map(code, item['dependents']))}"] if item["dependents"] else []
    rows += [f"  - waiver: {code(item['waiver'])}"] if item["waiver"] else []
    rows += [f"  - {code(item['remedy'])}"] if not item["accepted"] else []
    return "\n".join(rows)
