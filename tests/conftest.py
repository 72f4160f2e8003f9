"""The options that tests/README.md tells of."""

from tests.minutes import pytest_addoption, pytest_configure

__all__ = ["pytest_addoption", "pytest_configure"]
