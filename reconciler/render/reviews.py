"""The formats for reviewers and for what shows results elsewhere: pages, test reports, widgets of merge requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, assert_never

from msgspec import Struct

from reconciler.render import Format
from reconciler.render.findings import Findings, drift_findings, plan_findings, report_findings
from reconciler.render.gitlab import code_quality, plan_counts, report_counts
from reconciler.render.junit import junit
from reconciler.render.markdown import drift_markdown, plan_markdown, report_markdown
from reconciler.render.page import drift_html, plan_html, report_html
from reconciler.render.sarif import sarif


class _Kind(Struct, frozen=True, kw_only=True):
    """How one kind of document is written."""

    markdown: Callable[[Mapping[str, Any]], str]
    html: Callable[[Mapping[str, Any]], str]
    findings: Callable[[Mapping[str, Any]], Findings]
    gitlab: Callable[[Mapping[str, Any]], str]


_KINDS = {
    "plan": _Kind(markdown=plan_markdown, html=plan_html, findings=plan_findings, gitlab=plan_counts),
    "report": _Kind(markdown=report_markdown, html=report_html, findings=report_findings, gitlab=report_counts),
    "drift": _Kind(
        markdown=drift_markdown,
        html=drift_html,
        findings=drift_findings,
        gitlab=lambda doc: code_quality(drift_findings(doc)),
    ),
}


def written(
    name: Literal["plan", "report", "drift"],
    doc: Mapping[str, Any],
    format: Literal[Format.MARKDOWN, Format.HTML, Format.JUNIT, Format.SARIF, Format.GITLAB, Format.CODE_QUALITY],
) -> str:
    """A document of this kind in a format."""
    kind = _KINDS[name]
    match format:
        case Format.MARKDOWN:
            return kind.markdown(doc)
        case Format.HTML:
            return kind.html(doc)
        case Format.JUNIT:
            return junit(kind.findings(doc))
        case Format.SARIF:
            return sarif(kind.findings(doc))
        case Format.GITLAB:
            return kind.gitlab(doc)
        case Format.CODE_QUALITY:
            return code_quality(kind.findings(doc))
        case _:
            assert_never(format)
