"""Plans, reports and drift as findings: the one list that every format for machines is drawn from.

A finding is about one resource, has a stable rule and a place, and is open, accepted by somebody, or in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any, cast

from msgspec import Struct

from reconciler.render import drift as drift_words
from reconciler.render import words
from reconciler.render.documents import (
    DiagnosticDocument,
    DriftDocument,
    DriftItemDocument,
    PlanDocument,
    ReportDocument,
    SourceDocument,
)
from reconciler.render.values import shown


class Level(StrEnum):
    """How much a finding matters: an error has to be acted on."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(Struct, frozen=True, kw_only=True):
    """``rule`` is stable; ``accepted`` says why nobody complains, if so; ``fine`` that there is nothing to find."""

    rule: str
    level: Level
    message: str
    address: str = ""
    hint: str = ""
    source: SourceDocument | None = None
    accepted: str = ""
    fine: bool = False
    told_apart_by: str = ""
    """What tells it from others of the same rule about the same resource."""

    @property
    def fingerprint(self) -> str:
        """The same for the same problem of the same resource, wherever its manifest moves to."""
        return sha256(f"{self.rule}\0{self.address}\0{self.told_apart_by}".encode(errors="surrogatepass")).hexdigest()

    @property
    def failed(self) -> bool:
        return self.level is Level.ERROR and not self.accepted and not self.fine


class Findings(Struct, frozen=True, kw_only=True):
    """What a command found, and when (RFC 3339, UTC). ``rules`` says what each rule means that is no diagnostic's."""

    command: str
    tool: str
    at: str
    found: tuple[Finding, ...]
    rules: Mapping[str, str]


_DRIFT_RULES = {
    "drift-conflict": "Live and Git both moved since the last apply, and apart.",
    "drift-drifted": "Live moved since the last apply, Git did not.",
    "drift-missing": "A resource of ours is gone from the provider.",
    "drift-pending": "Git moved since the last apply, live did not.",
    "drift-unmanaged": "A live object that nobody declares and nobody owns.",
}
_DRIFT_LEVELS = {"conflict": Level.ERROR, "drifted": Level.ERROR, "missing": Level.ERROR}
_PLAN_RULES = {
    "plan-create": "An apply would create it.",
    "plan-update": "An apply would change it.",
    "plan-replace": "An apply would delete it and create it again.",
    "plan-delete": "An apply would delete it.",
    "plan-adopt": "An apply would take ownership of it.",
    "plan-forget": "An apply would let go of it.",
    "plan-guard": "A guard refuses this plan unless it is lifted by name.",
}
_APPLY_RULES = {
    "apply-done": "Done.",
    "apply-failed": "The provider refused it.",
    "apply-blocked": "Something it depends on was not done.",
    "apply-not-attempted": "It was not started.",
    "apply-unresolved": "Nobody can tell whether it landed.",
}
_APPLY_LEVELS = {"failed": Level.ERROR, "unresolved": Level.ERROR, "done": Level.NOTE}


def plan_findings(doc: Mapping[str, Any]) -> Findings:
    """Problems and guards as they stand against the plan, and every change as a note."""
    plan = cast(PlanDocument, doc)
    found = [_diagnostic(p) for p in words.problems(plan)]
    found += [
        Finding(
            rule="plan-guard",
            level=Level.ERROR,
            message=g["message"],
            hint=words.allow(g),
            address=g["account"],
            told_apart_by=g["lift"],
        )
        for g in plan["guards"]
    ]
    for change in plan["changes"]:
        parts = (
            words.action_word(change) or change["action"],
            words.contact_words(change),
            words.member_counts(change),
        )
        fields = ", ".join(d["path"] for d in change["deltas"])
        found.append(
            Finding(
                rule=f"plan-{change['action']}",
                level=Level.NOTE,
                message="; ".join(part for part in (*parts, fields) if part),
                address=change["address"],
                source=change["source"],
            )
        )
    return Findings(command="plan", tool=plan["tool"], at=plan["createdAt"], found=tuple(found), rules=_PLAN_RULES)


def report_findings(doc: Mapping[str, Any]) -> Findings:
    """Every change with its outcome."""
    report = cast(ReportDocument, doc)
    found = [
        Finding(
            rule=f"apply-{change['outcome']}",
            level=_APPLY_LEVELS.get(change["outcome"], Level.WARNING),
            message=change["detail"] or f"{change['action']}: {change['outcome'].replace('-', ' ')}",
            hint=change["hint"],
            address=change["address"],
            fine=change["outcome"] == "done",
        )
        for change in report["changes"]
    ]
    return Findings(
        command="apply",
        tool="reconciler",
        at=report["endedAt"] or report["startedAt"],
        found=tuple(found),
        rules=_APPLY_RULES,
    )


def drift_findings(doc: Mapping[str, Any]) -> Findings:
    """Every resource that is not as Git says, at the line that declares it; and one for all that are in order."""
    drift = cast(DriftDocument, doc)
    found = [_diagnostic(p) for p in drift["diagnostics"]]
    found += [
        Finding(
            rule=f"drift-{item['state']}",
            level=_DRIFT_LEVELS.get(item["state"], Level.NOTE),
            message=_told(item),
            hint=item["remedy"],
            address=item["address"],
            source=item["source"],
            accepted=item["waiver"] or item["accepted"],
        )
        for item in drift["items"]
    ]
    return Findings(command="drift", tool=drift["tool"], at=drift["createdAt"], found=tuple(found), rules=_DRIFT_RULES)


def _diagnostic(problem: DiagnosticDocument) -> Finding:
    return Finding(
        rule=problem["code"],
        level=Level(problem["severity"]),
        message=problem["message"],
        hint=problem["hint"],
        address=problem["address"],
        source=problem["source"],
        told_apart_by=problem["message"],
    )


def _told(item: DriftItemDocument) -> str:
    return "; ".join([drift_words.title(item), *([item["reason"]] if item["reason"] else []), *_differences(item)])


def _differences(item: DriftItemDocument) -> Iterator[str]:
    for field in item["fields"]:
        sides = zip(drift_words.SIDES, (field["lastApplied"], field["live"], field["desired"]), strict=True)
        yield f"{field['path']}: " + ", ".join(f"{side} {shown(value)}" for side, value in sides)
    if item["members"] is not None:
        for told, count, _ in drift_words.moves(item["members"]):
            yield f"{count:,} {told}"
