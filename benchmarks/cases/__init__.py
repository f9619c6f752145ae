"""The cases, one module a topic; nothing heavy is imported by them."""

from benchmarks.case import Case
from benchmarks.cases import crowds, loading, members, planning, reading, requests, small_lists, startup, wire

CASES: tuple[Case, ...] = (
    *startup.CASES,
    *loading.CASES,
    *planning.CASES,
    *members.CASES,
    *small_lists.CASES,
    *crowds.CASES,
    *wire.CASES,
    *reading.CASES,
    *requests.CASES,
)
