"""Findings as JUnit XML: a suite for each account, a case for each resource, a failure where somebody has to act."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from reconciler.render.findings import Finding, Findings
from reconciler.render.screen import safe

_FORBIDDEN = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even as a reference."""

_IN_ORDER = "in order"


def junit(findings: Findings) -> str:
    """The XML document. Without any finding there is one case, which passed: an empty report reads as a broken one."""
    suites: dict[str, list[Finding]] = {}
    for finding in findings.found:
        suites.setdefault(finding.address.partition("/")[0], []).append(finding)
    root = Xml.Element("testsuites", {"name": f"reconciler {findings.command}"})
    for account in sorted(suites):
        _suite(root, findings, account, suites[account])
    if not suites:
        suite = _open_suite(root, findings, "", (1, 0, 0))
        Xml.SubElement(
            suite, "testcase", {"classname": f"reconciler.{findings.command}", "name": _IN_ORDER, "time": "0"}
        )
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _open_suite(root: Xml.Element, findings: Findings, account: str, counts: tuple[int, int, int]) -> Xml.Element:
    tests, failures, skipped = map(str, counts)
    attributes = {"name": f"reconciler {findings.command}{' ' if account else ''}{_text(account)}"}
    attributes |= {"tests": tests, "failures": failures, "errors": "0", "skipped": skipped, "time": "0"}
    if findings.ended_at:
        attributes["timestamp"] = findings.ended_at.removesuffix("Z")
    return Xml.SubElement(root, "testsuite", attributes)


def _suite(root: Xml.Element, findings: Findings, account: str, found: Sequence[Finding]) -> None:
    failures = sum(f.failed for f in found)
    skipped = sum(bool(f.accepted) and not f.failed for f in found)
    suite = _open_suite(root, findings, account, (len(found), failures, skipped))
    for finding in found:
        names = {"classname": f"reconciler.{findings.command}.{_text(finding.rule)}", "time": "0"}
        case = Xml.SubElement(suite, "testcase", names | {"name": _text(finding.address or finding.rule)})
        told = "\n".join(_text(t) for t in (finding.message, finding.hint, _place(finding)) if t)
        if finding.failed:
            failure = {"message": _text(finding.message), "type": _text(finding.rule)}
            Xml.SubElement(case, "failure", failure).text = told
        elif finding.accepted:
            Xml.SubElement(case, "skipped", {"message": _text(finding.accepted)})
        elif not finding.fine:
            Xml.SubElement(case, "system-out").text = told


def _place(finding: Finding) -> str:
    return f"{finding.source['file']}:{finding.source['line']}" if finding.source else ""


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", safe(text))
