"""Findings as SARIF 2.1.0, which code hosts show at the line of the manifest."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from reconciler.render.findings import Finding, Findings, Level
from reconciler.render.json import document_json
from reconciler.render.screen import safe

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

LIMIT = 25_000
"""Results of a run that GitHub's code scanning accepts: beyond that it refuses the whole file."""

_LEVELS = list(Level)


def sarif(findings: Findings, *, limit: int = LIMIT) -> str:
    """One run. What somebody accepted is in it, suppressed, with the reason; what is in order is not.

    Beyond ``limit`` the least important are left out, and the run says how many.
    """
    every = [f for f in findings.found if not f.fine]
    open_ = every if len(every) <= limit else sorted(every, key=lambda f: _LEVELS.index(f.level))[:limit]
    rules = sorted({f.rule for f in open_})
    name, _, version = findings.tool.partition(" ")
    driver: dict[str, Any] = {
        "name": name or "reconciler",
        "rules": [
            {"id": rule, "shortDescription": {"text": findings.rules.get(rule, rule)}} for rule in map(safe, rules)
        ],
    }
    if version:
        driver["version"] = version
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"reconciler/{findings.command}/"},
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(f, rules) for f in open_],
    }
    if left_out := len(every) - len(open_):
        said = {"level": "warning", "message": {"text": f"{left_out:,} more findings were left out."}}
        run["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": [said]}]
    return document_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(finding: Finding, rules: list[str]) -> dict[str, Any]:
    hint = f"\n{safe(finding.hint)}" if finding.hint else ""
    result: dict[str, Any] = {
        "ruleId": safe(finding.rule),
        "ruleIndex": rules.index(finding.rule),
        "level": str(finding.level),
        "message": {"text": safe(finding.message) + hint},
        "partialFingerprints": {"resourceAndRule/v1": finding.fingerprint},
    }
    location: dict[str, Any] = {}
    if finding.source is not None:
        source = finding.source
        region: dict[str, Any] = {"startLine": source["line"], "startColumn": source["column"]}
        if length := source.get("length", 0):
            region["endColumn"] = source["column"] + length
        artifact = {"uri": quote(source["file"].replace("\\", "/"), safe="/", errors="replace"), "uriBaseId": "SRCROOT"}
        location["physicalLocation"] = {"artifactLocation": artifact, "region": region}
    if finding.address:
        location["logicalLocations"] = [{"fullyQualifiedName": safe(finding.address), "kind": "resource"}]
    if location:
        result["locations"] = [location]
    if finding.accepted:
        result["suppressions"] = [{"kind": "external", "justification": safe(finding.accepted)}]
    return result
