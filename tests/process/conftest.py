"""The fixtures of the tests that run the command in a process of its own; see ``tests/support/processes.py``."""

from processes import sandbox, texts

__all__ = ["sandbox", "texts"]
