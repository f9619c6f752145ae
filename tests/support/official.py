"""Formats of others, as their own schemas have them: what readers of SARIF, JUnit and pipelines take, and what not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import FormatChecker
from jsonschema.validators import validator_for
from lxml import etree

DATA = Path(__file__).parents[1] / "data"
FOLDER = DATA / "official"
SOURCES = {
    name: checksum
    for checksum, name, _ in (
        line.split() for line in (FOLDER / "sources").read_text().splitlines() if not line.startswith("#")
    )
}


def official(name: str) -> bytes:
    """One of the files that ``sources`` names, as it was when it was named. Skips the test where it was not brought."""
    file = FOLDER / name
    if not file.exists():
        pytest.skip(f"{name} is not here: make official-schemas")
    content = file.read_bytes()
    assert hashlib.sha256(content).hexdigest() == SOURCES[name], f"{name} is not what tests/data/official/sources names"
    return content


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
    """Where a report differs from what all readers of JUnit take, and from what those say whose schemas are here."""
    report = etree.fromstring(text.encode())
    brought = (name for name in ("junit-10.xsd", "junit-ant.xsd") if (FOLDER / name).exists())
    for name in (None, *brought):
        schema = _xml_schema(name)
        if not schema.validate(report):
            yield from (f"{name or 'ours'}: {e.message[:300]}" for e in schema.error_log)


@cache
def _validator(name: str) -> Any:
    schema = json.loads(official(name))
    kind = validator_for(schema)
    kind.check_schema(schema)
    return kind(schema, format_checker=FormatChecker())


@cache
def _xml_schema(name: str | None) -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(official(name) if name else (DATA / "junit-common.xsd").read_bytes()))
