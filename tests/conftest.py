"""Settings for all tests."""

from hypothesis import settings

from survival import pytest_addoption, pytest_configure

__all__ = ["pytest_addoption", "pytest_configure"]

# Timed assertions say more about the machine's other load than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
