"""What it ran on: enough to compare, nothing that says whose machine it is."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = (
    "reconciler",
    "click",
    "deepdiff",
    "duckdb",
    "httpx",
    "jsonschema",
    "jsonschema-rs",
    "msgspec",
    "octodns",
    "polars",
    "PyYAML",
    "SQLAlchemy",
    "sniffio",
)


def described() -> dict[str, str]:
    """In the order in which people want to know it."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cpu": f"{_cpu_model()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "os": f"{_system()}, {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join(f"{name} {found}" for name in _PACKAGES if (found := _version(name))),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown CPU"
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else "unknown CPU"


def _system() -> str:
    # Only the version's numbers: the rest of a kernel's name can say who built it.
    release = platform.release().split("-")[0]
    return f"{platform.system()} {release}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
