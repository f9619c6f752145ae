"""The cases, one module a topic; nothing heavy is imported by them."""

from benchmarks.case import Case
from benchmarks.cases import members, startup

CASES: tuple[Case, ...] = (*startup.CASES, *members.CASES)
