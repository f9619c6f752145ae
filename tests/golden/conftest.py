"""Golden files: expected texts beside their inputs, compared byte for byte, rewritten by command and read by eye."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Golden = Callable[[Path, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-golden", action="store_true", default=False, help="write the expected files of tests/golden anew"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares a text with the file that holds what is expected.

    On a difference the actual text is left beside it as ``NAME.actual``, so that any diff tool can show the two.
    """
    # Below the folder alone the option is known in time; elsewhere it has its default.
    rewrite = bool(request.config.getoption("--rewrite-golden", default=False))

    def compare(expected: Path, actual: str) -> None:
        beside = expected.with_name(f"{expected.name}.actual")
        if rewrite:
            expected.write_bytes(actual.encode())
        if expected.exists() and expected.read_bytes() == actual.encode():
            beside.unlink(missing_ok=True)
            return
        beside.write_bytes(actual.encode())
        pytest.fail(f"{expected} differs from {beside.name} beside it; --rewrite-golden accepts it", pytrace=False)

    return compare
