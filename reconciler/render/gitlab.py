"""What GitLab shows beside a merge request: the counts of a plan, and findings as code quality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from reconciler.render.documents import PlanDocument, ReportDocument
from reconciler.render.findings import Findings, Level
from reconciler.render.json import document_json, listed_json
from reconciler.render.screen import safe

_SEVERITIES = {Level.ERROR: "major", Level.WARNING: "minor", Level.NOTE: "info"}


def plan_counts(doc: Mapping[str, Any]) -> str:
    """A ``reports:terraform`` artifact. Taking ownership and letting go change nothing live, and are not counted."""
    summary = cast(PlanDocument, doc)["summary"]
    replaced = summary["replace"]
    return document_json(
        {
            "create": summary["create"] + replaced,
            "update": summary["update"],
            "delete": summary["delete"] + replaced,
        }
    )


def report_counts(doc: Mapping[str, Any]) -> str:
    """The same for what an apply did."""
    done = [c["action"] for c in cast(ReportDocument, doc)["changes"] if c["outcome"] == "done"]
    replaced = done.count("replace")
    return document_json(
        {
            "create": done.count("create") + replaced,
            "update": done.count("update"),
            "delete": done.count("delete") + replaced,
        }
    )


def code_quality(findings: Findings) -> str:
    """A ``reports:codequality`` artifact. Each entry needs a place; what has none stands at the project's root."""
    return listed_json(
        [
            {
                "description": safe(f"{f.address}: {f.message}" if f.address else f.message),
                "check_name": safe(f.rule),
                "fingerprint": f.fingerprint,
                "severity": _SEVERITIES[f.level],
                "location": {
                    "path": f.source["file"] if f.source else ".",
                    "lines": {"begin": f.source["line"] if f.source else 1},
                },
            }
            for f in findings.found
            if not f.fine and not f.accepted
        ]
    )
