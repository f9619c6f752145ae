"""The pages of ``docs/reference`` say what the code says; ``make golden`` writes them anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.app.codes import codes
from reconciler.manifest.schemas import document_schemas, schema_files
from reconciler.providers import registry
from reconciler.providers.base import BringsCodes

from reference_pages import DOCUMENTS, ROOT, TITLES, code_tables, pages

FOLDER = ROOT / "docs" / "reference"
PAGES = pages()

Golden = Callable[[Path, str], None]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_the_code_says(name: str, golden: Golden) -> None:
    FOLDER.mkdir(exist_ok=True)
    golden(FOLDER / name, PAGES[name])


def test_there_is_no_page_of_what_is_gone() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == PAGES.keys()


def test_every_code_of_ours_is_in_the_page() -> None:
    """Codes of other packages that are installed here are on no page of ours."""
    told = {code for table in code_tables().values() for code in table}
    others = {code for p in registry.installed().values() if isinstance(p, BringsCodes) for code in p.codes}
    assert told == codes().keys() - (others - told)


def test_every_kind_is_in_a_page() -> None:
    assert {version.removesuffix("/v1") for version, _ in schema_files()} == TITLES.keys()
    for version, kind in schema_files():
        assert f"\n## {kind}\n" in PAGES[f"kinds-{version.removesuffix('/v1')}.md"]


def test_every_document_is_in_the_page() -> None:
    assert DOCUMENTS.keys() == document_schemas().keys()
