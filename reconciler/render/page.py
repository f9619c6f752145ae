"""Plans, reports and drift as one HTML page that needs nothing else: no network, no fonts, no pictures.

The page is whole without its script; the script only filters. It opens offline, on a phone, in the dark, on paper, with
a keyboard and in a screen reader. Names from portals are data: they are escaped, and the page's policy forbids every
script but the one it came with.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from reconciler.render import drift as drift_words
from reconciler.render import words
from reconciler.render.documents import (
    AccountDocument,
    ChangeDocument,
    DiagnosticDocument,
    DriftDocument,
    DriftItemDocument,
    PlanDocument,
    ReportDocument,
    ReportedChangeDocument,
    SourceDocument,
)
from reconciler.render.screen import safe
from reconciler.render.values import shown

if TYPE_CHECKING:
    from jinja2 import Template

GRAVE, WATCH, CALM, QUIET = "grave", "watch", "calm", "quiet"
"""How a state looks: red, amber, green, grey. The word beside it says the same."""


class Row(Struct, frozen=True, kw_only=True):
    """One resource. ``cells`` are values below the page's ``columns``, ``lines`` are sentences about it."""

    address: str
    account: str
    kind: str
    state: str
    tone: str
    title: str = ""
    reason: str = ""
    place: str = ""
    cells: Sequence[tuple[str, Sequence[str]]] = ()
    lines: Sequence[str] = ()
    remedy: str = ""


class Problem(Struct, frozen=True, kw_only=True):
    """One diagnostic."""

    severity: str
    code: str
    message: str
    hint: str
    place: str
    tone: str


class Page(Struct, frozen=True, kw_only=True):
    """What the template shows. ``alarm`` is what a reader must not miss, ``facts`` stand below the headline."""

    title: str
    headline: str
    alarm: str
    facts: Sequence[tuple[str, str]]
    counts: Sequence[tuple[str, int, str]]
    columns: Sequence[str]
    rows: Sequence[Row]
    problems: Sequence[Problem]
    foot: Sequence[tuple[str, str]]
    tool: str

    @property
    def accounts(self) -> list[str]:
        return sorted({row.account for row in self.rows})

    @property
    def kinds(self) -> list[str]:
        return sorted({row.kind for row in self.rows})

    @property
    def states(self) -> list[str]:
        return list(dict.fromkeys(row.state for row in self.rows))


def drift_html(doc: Mapping[str, Any]) -> str:
    """The drift document ``doc`` as a page."""
    drift = cast(DriftDocument, doc)
    summary = cast(dict[str, int], drift["summary"])
    tones = {"conflict": GRAVE, "drifted": GRAVE, "missing": GRAVE, "pending": WATCH, "unmanaged": QUIET}
    counts = [(state, summary[state], tone) for state, tone in tones.items()]
    return _written(
        Page(
            title="Drift",
            headline=drift_words.headline(drift),
            alarm=_unread(drift["accounts"]),
            facts=[
                *_facts(drift["project"], drift["environment"], drift["createdAt"]),
                *_counted(drift["accounts"]),
            ],
            counts=[*counts, ("accepted", summary["accepted"], QUIET), ("in order", summary["inOrder"], CALM)],
            columns=drift_words.SIDES,
            rows=[_drifted(item, tones) for item in drift_words.ordered(drift["items"])],
            problems=_problems(drift["diagnostics"]),
            foot=(),
            tool=drift["tool"],
        )
    )


def plan_html(doc: Mapping[str, Any]) -> str:
    """The plan document ``doc`` as a page."""
    plan = cast(PlanDocument, doc)
    blocked = words.blocking_codes(plan)
    summary = cast(dict[str, int], plan["summary"])
    tones = {"delete": GRAVE, "replace": GRAVE, "create": CALM, "update": WATCH, "adopt": QUIET, "forget": QUIET}
    foot = [("Approvals", words.approvals(plan)), ("Digest to approve", plan["digest"])]
    guards = [
        Problem(
            severity="guard",
            code=safe(guard["guard"]),
            message=safe(guard["message"]),
            hint=words.allow(guard),
            place="",
            tone=GRAVE,
        )
        for guard in plan["guards"]
    ]
    return _written(
        Page(
            title="Plan",
            headline=words.headline(plan) or "This plan cannot be applied as it stands",
            alarm=". ".join(t.rstrip(".") for t in (words.danger(plan), *words.verdict(plan)) if t),
            facts=[
                *_facts(plan["project"], plan["environment"], plan["createdAt"]),
                *([("Effort", words.effort(plan))] if words.effort(plan) else []),
                *_counted(plan["accounts"]),
            ],
            counts=[(action, summary[action], tone) for action, tone in tones.items()],
            columns=("live", "Git"),
            rows=[_planned(c, tones, blocked.get(c["address"], [])) for c in plan["changes"]],
            problems=[*guards, *_problems(words.problems(plan))],
            foot=[(name, safe(text)) for name, text in foot if text],
            tool=plan["tool"],
        )
    )


def report_html(doc: Mapping[str, Any]) -> str:
    """How an apply ended, as a page."""
    report = cast(ReportDocument, doc)
    counts = cast(dict[str, int], report["counts"])
    tones = {"unresolved": GRAVE, "failed": GRAVE, "blocked": WATCH, "notAttempted": WATCH, "done": CALM}
    names = {"notAttempted": "not attempted"}
    verified = {True: "a fresh plan is empty", False: "a fresh plan is not empty"}
    undone = sum(count for outcome, count in counts.items() if outcome != "done")
    return _written(
        Page(
            title="Apply",
            headline=f"{words.counted(counts['done'], 'operations')} done, {undone:,} not",
            alarm="Interrupted: nothing new was started after that" if report["interrupted"] else "",
            facts=[
                *_facts(report["project"], report["environment"], report["endedAt"] or report["startedAt"]),
                ("Run", safe(report["run"])),
                ("Verified", verified.get(cast(bool, report["verified"]), "no fresh plan was made")),
            ],
            counts=[(names.get(outcome, outcome), counts[outcome], tone) for outcome, tone in tones.items()],
            columns=(),
            rows=[_reported(c, tones) for c in report["changes"]],
            problems=[
                Problem(severity="unverified", code="", message=safe(reason), hint="", place="", tone=WATCH)
                for reason in report["unverified"]
            ],
            foot=[("To continue", safe(report["resume"]))] if report["resume"] else [],
            tool="reconciler",
        )
    )


def _drifted(item: DriftItemDocument, tones: Mapping[str, str]) -> Row:
    lines = []
    if item["members"] is not None:
        for told, count, examples in drift_words.moves(item["members"]):
            named = f": {', '.join(map(safe, examples))}{' …' if count > len(examples) else ''}" if examples else ""
            lines.append(f"{count:,} {told}{named}")
    lines += [f"gone with it: {safe(', '.join(item['dependents']))}"] if item["dependents"] else []
    lines += [f"accepted: {safe(item['waiver'])}"] if item["waiver"] else []
    sides = ("lastApplied", "live", "desired")
    return Row(
        address=safe(item["address"]),
        account=safe(item["account"]),
        kind=safe(item["kind"]),
        state=safe(drift_words.word(item)),
        tone=QUIET if item["accepted"] else tones.get(item["state"], QUIET),
        title=safe(item["title"]),
        reason=safe(item["reason"]),
        place=_place(item["source"]),
        cells=[(safe(f["path"]), [shown(cast(Mapping[str, Any], f)[s]) for s in sides]) for f in item["fields"]],
        lines=lines,
        remedy="" if item["accepted"] else safe(item["remedy"]),
    )


def _planned(change: ChangeDocument, tones: Mapping[str, str], blocked: Sequence[str]) -> Row:
    parts = (
        f"blocked by {', '.join(map(safe, blocked))}" if blocked else "",
        words.contact_words(change),
        words.member_counts(change),
        f"after {safe(', '.join(change['requires']))}" if change["requires"] else "",
    )
    grave = bool(blocked) or change["contactClass"] == "starts-contacting"
    return Row(
        address=safe(change["address"]),
        account=safe(change["account"]),
        kind=safe(change["kind"]),
        state=safe(words.action_word(change) or change["action"]),
        tone=GRAVE if grave else tones.get(change["action"], QUIET),
        reason=safe(change["reason"]),
        place=_place(change["source"]),
        cells=[(safe(d["path"]), (shown(d["live"]), shown(d["desired"]))) for d in change["deltas"]],
        lines=[part for part in parts if part],
    )


def _reported(change: ReportedChangeDocument, tones: Mapping[str, str]) -> Row:
    account, _, rest = change["address"].partition("/")
    outcome = change["outcome"].replace("-", " ")
    done, all_ = change["operationsDone"], words.counted(change["operations"], "operations")
    return Row(
        address=safe(change["address"]),
        account=safe(account),
        kind=safe(rest.partition("/")[0]),
        state=safe(outcome),
        tone=tones.get("notAttempted" if outcome == "not attempted" else change["outcome"], QUIET),
        reason=safe(change["action"]),
        lines=[safe(text) for text in (change["detail"],) if text] + [f"{done:,} of {all_} done"],
        remedy=safe(change["hint"]),
    )


def _facts(project: str, environment: str, at: str) -> list[tuple[str, str]]:
    facts = (("Project", project), ("Environment", environment), ("Made", at))
    return [(name, safe(text)) for name, text in facts if text]


def _counted(accounts: Iterable[AccountDocument]) -> list[tuple[str, str]]:
    addresses = words.counted_only(accounts)
    return [("Counted, not compared", safe(", ".join(addresses)))] if addresses else []


def _unread(accounts: Iterable[Mapping[str, Any]]) -> str:
    names = [safe(a["name"]) for a in accounts if a["problem"] is not None]
    return f"Could not be read: {', '.join(names)}" if names else ""


def _problems(problems: Iterable[DiagnosticDocument]) -> list[Problem]:
    tones = {"error": GRAVE, "warning": WATCH}
    return [
        Problem(
            severity=safe(p["severity"]),
            code=safe(p["code"]),
            message=safe(p["message"]),
            hint=safe(p["hint"]),
            place=_place(p["source"]) or safe(p["address"]),
            tone=tones.get(p["severity"], QUIET),
        )
        for p in problems
    ]


def _place(source: SourceDocument | None) -> str:
    return f"{safe(source['file'])}:{source['line']}" if source else ""


@cache
def _template() -> tuple[Template, str, str]:
    """The template, the style and the script, each as it stands in its file."""
    from jinja2 import Environment  # 30 ms, and only for this format

    def read(name: str) -> str:
        return files("reconciler.render").joinpath("templates", name).read_text(encoding="utf-8")

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return environment.from_string(read("page.html")), read("page.css"), read("page.js")


def _written(page: Page) -> str:
    template, style, script = _template()
    return template.render(page=page, style=style, script=script, style_hash=_hash(style), script_hash=_hash(script))


def _hash(source: str) -> str:
    """What the page's policy allows by: exactly this script, exactly this style."""
    return "sha256-" + b64encode(sha256(source.encode()).digest()).decode()
