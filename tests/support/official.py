"""Formats of others, as their own schemas have them: what readers of SARIF, JUnit and pipelines take, and what not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from jsonschema import FormatChecker
from jsonschema.validators import validator_for
from lxml import etree

DATA = Path(__file__).parents[1] / "data"
SARIF = "sarif-2.1.0-rtm.5"
WORKFLOW, ACTION, GITLAB = "github-workflows", "github-actions", "gitlab-ci"
_JUNIT = (DATA / "junit-common.xsd", DATA / "official" / "junit-10.xsd")


def json_problems(name: str, document: Any) -> list[str]:
    """Where a document differs from the JSON Schema of that name, in the dialect that it is written in."""
    return [f"{e.json_path}: {e.message[:300]}" for e in _validator(name).iter_errors(document)]


def pipeline_problems(name: str, text: str) -> list[str]:
    """The same for YAML. GitHub reads a key ``on`` as that word, where YAML 1.1 has it mean true."""
    document = yaml.safe_load(text)
    if isinstance(document, dict):
        document = {"on" if key is True else key: value for key, value in document.items()}
    return json_problems(name, document)


def junit_problems(text: str) -> Iterator[str]:
    """Where a report differs from what all readers of JUnit take, and from what Jenkins says of it."""
    report = etree.fromstring(text.encode())
    for file in _JUNIT:
        schema = _xml_schema(file)
        if not schema.validate(report):
            yield from (f"{file.stem}: {e.message[:300]}" for e in schema.error_log)


def _text(name: str) -> str:
    """The schema of that name: of this repository for SARIF, as check-jsonschema brings it for pipelines."""
    if name == SARIF:
        return (DATA / "official" / f"{name}.json").read_text(encoding="utf-8")
    folder = files("check_jsonschema") / "builtin_schemas" / "vendor"
    return (folder / f"{name}.json").read_text(encoding="utf-8")


@cache
def _validator(name: str) -> Any:
    schema = json.loads(_text(name))
    kind = validator_for(schema)
    kind.check_schema(schema)
    return kind(schema, format_checker=FormatChecker())


@cache
def _xml_schema(file: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(file))
