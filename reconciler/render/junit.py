"""Findings as JUnit XML: a suite for each account, a case for each resource, a failure where somebody has to act."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as Xml

from reconciler.render.findings import Finding, Findings, Level
from reconciler.render.screen import safe

_FORBIDDEN = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even as a reference."""

_IN_ORDER = "in order"


def junit(findings: Findings) -> str:
    """The XML document. Without any finding there is one case, which passed: an empty report reads as a broken one.

    There is no one standard. This is what the schemas of Ant and of Jenkins have in common, so more stands on a suite
    than any single reader wants, and what is no failure is told once, at the end of its suite.
    """
    suites: dict[str, list[Finding]] = {}
    for finding in findings.found or (Finding(rule=_IN_ORDER, level=Level.NOTE, message="", fine=True),):
        suites.setdefault(_text(finding.address.partition("/")[0]), []).append(finding)
    root = Xml.Element("testsuites")
    for number, account in enumerate(sorted(suites)):
        _suite(root, findings, {"id": str(number), "package": account}, suites[account])
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _suite(root: Xml.Element, findings: Findings, identity: Mapping[str, str], found: Sequence[Finding]) -> None:
    counts = {
        "tests": len(found),
        "failures": sum(f.failed for f in found),
        "errors": 0,
        "skipped": sum(bool(f.accepted) and not f.failed for f in found),
        "time": 0,
    }
    attributes = {
        "name": f"reconciler {findings.command} {identity['package']}".strip(),
        "timestamp": findings.at.partition(".")[0].removesuffix("Z"),
        "hostname": "localhost",
        **identity,
        **{name: str(count) for name, count in counts.items()},
    }
    suite = Xml.SubElement(root, "testsuite", attributes)
    Xml.SubElement(suite, "properties")
    remarks = []
    for finding in found:
        kind = f"reconciler.{findings.command}"
        case = Xml.SubElement(
            suite,
            "testcase",
            {
                "classname": kind if finding.fine and not finding.address else f"{kind}.{_text(finding.rule)}",
                "name": _name(finding.address) or _name(finding.rule) or "-",
                "time": "0",
            },
        )
        told = "\n".join(_text(t) for t in (finding.message, finding.hint, _place(finding)) if t)
        if finding.failed:
            failure = {"message": _text(finding.message), "type": _name(finding.rule) or "-"}
            Xml.SubElement(case, "failure", failure).text = told
        elif finding.accepted:
            Xml.SubElement(case, "skipped", {"message": _text(finding.accepted)})
        elif not finding.fine:
            remarks.append(f"{case.get('name')}: {told}")
    Xml.SubElement(suite, "system-out").text = "\n\n".join(remarks)
    Xml.SubElement(suite, "system-err")


def _place(finding: Finding) -> str:
    return f"{finding.source['file']}:{finding.source['line']}" if finding.source else ""


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", safe(text))


def _name(text: str) -> str:
    """For what schemas call a token: white space at its ends does not count."""
    return _text(text).strip()
