"""Documents into text: pure functions from the JSON documents of plans, reports and drift to what somebody reads.

Renderers draw from the documents and never from the values behind them, so a saved plan looks the same later. This is
the door: one function for each kind of document, and the closed set of formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol, assert_never

from reconciler.render.apply import report_concise, report_text
from reconciler.render.concise import plan_concise
from reconciler.render.drift import drift_concise, drift_text
from reconciler.render.findings import Findings, drift_findings, plan_findings, report_findings
from reconciler.render.gitlab import code_quality, plan_counts, report_counts
from reconciler.render.json import document_json, plan_json
from reconciler.render.junit import junit
from reconciler.render.markdown import drift_markdown, plan_markdown, report_markdown
from reconciler.render.ndjson import document_lines
from reconciler.render.page import drift_html, plan_html, report_html
from reconciler.render.sarif import sarif
from reconciler.render.text import plan_text


class Format(StrEnum):
    """What ``--format`` and ``--report`` take for plans, reports and drift. ``gitlab`` is the widget that a merge
    request has for it: the counts of a plan or an apply, code quality for drift."""

    TEXT = "text"
    CONCISE = "concise"
    JSON = "json"
    NDJSON = "ndjson"
    MARKDOWN = "markdown"
    HTML = "html"
    JUNIT = "junit"
    SARIF = "sarif"
    GITLAB = "gitlab"
    CODE_QUALITY = "gitlab-codequality"


class Render(Protocol):
    """A document in a format; ``width`` in columns and ``color`` are for terminals."""

    def __call__(self, doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str: ...


def render_plan(doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str:
    """A plan document (``schemas/plan.json``) in a format."""
    match format:
        case Format.TEXT:
            return plan_text(doc, width=width, color=color)
        case Format.CONCISE:
            return plan_concise(doc, width=width, color=color)
        case Format.JSON:
            return plan_json(doc)
        case Format.NDJSON:
            return document_lines(doc, "plan")
        case Format.MARKDOWN:
            return plan_markdown(doc)
        case Format.HTML:
            return plan_html(doc)
        case Format.GITLAB:
            return plan_counts(doc)
        case Format.JUNIT | Format.SARIF | Format.CODE_QUALITY:
            return _for_machines(plan_findings(doc), format)
        case _:
            assert_never(format)


def render_report(doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str:
    """A report document (``schemas/report.json``) in a format."""
    match format:
        case Format.TEXT:
            return report_text(doc, width=width, color=color)
        case Format.CONCISE:
            return report_concise(doc, width=width, color=color)
        case Format.JSON:
            return document_json(doc)
        case Format.NDJSON:
            return document_lines(doc, "report")
        case Format.MARKDOWN:
            return report_markdown(doc)
        case Format.HTML:
            return report_html(doc)
        case Format.GITLAB:
            return report_counts(doc)
        case Format.JUNIT | Format.SARIF | Format.CODE_QUALITY:
            return _for_machines(report_findings(doc), format)
        case _:
            assert_never(format)


def render_drift(doc: Mapping[str, Any], format: Format, *, width: int, color: bool) -> str:
    """A drift document (``schemas/drift.json``) in a format."""
    match format:
        case Format.TEXT:
            return drift_text(doc, width=width, color=color)
        case Format.CONCISE:
            return drift_concise(doc, width=width, color=color)
        case Format.JSON:
            return document_json(doc)
        case Format.NDJSON:
            return document_lines(doc, "drift")
        case Format.MARKDOWN:
            return drift_markdown(doc)
        case Format.HTML:
            return drift_html(doc)
        case Format.GITLAB:
            return code_quality(drift_findings(doc))
        case Format.JUNIT | Format.SARIF | Format.CODE_QUALITY:
            return _for_machines(drift_findings(doc), format)
        case _:
            assert_never(format)


def _for_machines(findings: Findings, format: Format) -> str:
    match format:
        case Format.JUNIT:
            return junit(findings)
        case Format.SARIF:
            return sarif(findings)
        case _:
            return code_quality(findings)
