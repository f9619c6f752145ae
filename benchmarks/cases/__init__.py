"""The cases, one module a topic; nothing heavy is imported by them."""

from benchmarks.case import Case
from benchmarks.cases import loading, members, planning, reading, requests, startup, wire

CASES: tuple[Case, ...] = (
    *startup.CASES,
    *loading.CASES,
    *planning.CASES,
    *members.CASES,
    *wire.CASES,
    *reading.CASES,
    *requests.CASES,
)
